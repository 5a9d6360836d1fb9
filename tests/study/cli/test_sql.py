"""`study sql`: where a query comes from, and what is said of one that cannot be answered."""

import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from tests.support.mistakes import SQL_MISTAKES


@pytest.fixture
def ask(call, trained_store, monkeypatch):
    """`study sql` on the trained store; `stdin` is what is piped into it."""

    def run(*words: object, stdin: str | None = None):
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin or ""))
        monkeypatch.setattr("sys.stdin.isatty", lambda: stdin is None, raising=False)
        return call("sql", *words, "--store", trained_store[1])

    return run


def test_a_query_comes_from_an_argument_a_file_or_stdin(ask, tmp_path):
    text = "-- a comment; with a semicolon\nselect ';' as a, count(*)::integer as n from runs; -- and one more\n"
    (tmp_path / "q.sql").write_text(text)
    expected = [{"a": ";", "n": 8}]
    for said in (
        ask(f"\n{text}", "--json"),
        ask("--file", tmp_path / "q.sql", "--json"),
        ask("-f", tmp_path / "q.sql", "--format", "json"),
        ask("--json", stdin=text),
        ask("-", "--json", stdin=text),
        ask("--file", "-", "--json", stdin=text),
    ):
        assert (said.code, said.err) == (0, "")
        assert json.loads(said.out) == expected


def test_without_a_query_on_a_terminal_one_line_says_how_to_give_one(ask):
    said = ask()
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert "give a query, as in" in said.err


@pytest.mark.parametrize(("query", "first", "more"), SQL_MISTAKES.values(), ids=SQL_MISTAKES)
def test_a_refused_query_keeps_what_duckdb_says_of_it(ask, query, first, more):
    said = ask(query, "--json")
    assert (said.code, said.out) == (2, "")
    head, _, tail = said.err.partition("\n")
    assert head.startswith("study: ")
    assert first in head
    assert more in tail
    assert "Traceback" not in said.err


def test_the_caret_stands_under_the_word(ask):
    lines = ask("select 1 from runs where status = 'x' andd").err.splitlines()
    place = lines[-2].index("andd")
    assert lines[-1] == " " * place + "^^^^"


def test_several_statements_are_refused_and_a_pivot_is_one(ask):
    said = ask("select 1;\nselect 2;\nselect 3")
    assert said.err == "study: query 'select 1; select 2; select 3' holds 3 statements: give one at a time.\n"
    assert ask("pivot runs on status using count(*)").code == 0
    long = ask("select " + ", ".join(map(str, range(100))) + "; select 2").err
    assert "..." in long
    assert len(long) < 200


def test_a_wide_answer_is_shown_in_blocks(ask):
    out = ask("select * from runs limit 2").out
    assert out.startswith("run_id:")
    assert out.count("run_id:") == 2


ODD = {
    "numbers that are none": ("['nan'::double, {'x': 'inf'::float}.x]", [None, None]),
    "a nested NaN": ("{'x': ['nan'::double], 'y': map {'k': '-inf'::double}}", {"x": [None], "y": [["k", None]]}),
    "decimals in a list": ("[1.25::decimal(5, 2)]", [1.25]),
    "an interval": ("interval '1 month 2 days 03:00:00'", "1 month 2 days 03:00:00"),
    "intervals in a list": ("[interval 2 days]", ["2 days"]),
    "bits": ("'0101'::bit", "0101"),
    "bits in a struct": ("{'a \"b\"': '01'::bit}", {'a "b"': "01"}),
    "bytes": ("'\\xAAb'::blob", "\\xAAb"),
    "a large integer": ("340282366920938463463374607431768211455::uhugeint", 2.0**128),
    "a time with its zone": ("timetz '10:00:00+02'", "10:00:00+02"),
    "a union": ("union_value(number := 2)", "2"),
}


@pytest.mark.parametrize(("expression", "value"), ODD.values(), ids=ODD)
def test_every_form_holds_what_sql_returns(ask, expression, value):
    query = f"select {expression} as odd, 7 as seven"
    [row] = json.loads(ask(query, "--json").out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert row == {"odd": value, "seven": 7}
    assert pq.read_table(io.BytesIO(ask(query, "--format", "parquet").bytes)).column("seven").to_pylist() == [7]
    assert ask(query).code == 0
    plain = ask(query, "--format", "csv")
    if isinstance(value, list | dict):
        assert (plain.code, plain.err.count("\n")) == (2, 1)
        assert "column 'odd' holds lists" in plain.err
    else:
        [line] = csv.DictReader(io.StringIO(plain.out))
        assert line == {"odd": line["odd"] if isinstance(value, float) else value, "seven": "7"}
        assert not isinstance(value, float) or float(line["odd"]) == value


@pytest.mark.parametrize(
    "names", [["a", "a", "a_1"], ["a", "a_1", "a"], ["a", "a", "a"], ["a", "a", "a_1", "a", "a_2"]]
)
def test_columns_of_one_name_are_all_there(ask, names):
    query = "select " + ", ".join(f"{i} as {name}" for i, name in enumerate(names))
    [row] = json.loads(ask(query, "--json").out)
    assert list(row.values()) == list(range(len(names)))
    kept = {name: names.index(name) for name in names}
    assert {name: row[name] for name in kept} == kept, "the first of a name keeps it"
    [head, line] = csv.reader(io.StringIO(ask(query, "--format", "csv").out))
    assert (head, line) == (list(row), [str(i) for i in range(len(names))])


def test_an_infinite_date_is_one_line(ask):
    said = ask("select 'infinity'::date as day", "--json")
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert "cast it to varchar" in said.err
