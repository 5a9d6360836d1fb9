"""Rows for people: a table where it fits the width, blocks where it does not, and no word broken in either."""

import pytest

from study.cli.tables import MAX_ROWS, WRAPPED, cell, print_rows, show_rows

ROWS = [
    {
        "study": "modular_addition_decay_paper",
        "runs": 600,
        "rate": 0.123456,
        "what": "Does decay move the boundary?",
    },
    {"study": "first_map", "runs": 8, "rate": None, "what": "Where does a small network memorize, and where not?"},
]


def lines_of(rows, width, capsys) -> list[str]:
    print_rows(rows, width)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_a_table_that_fits_has_a_row_for_each_row(capsys):
    head, rule, first, second = lines_of(ROWS, 200, capsys)
    assert head.split() == ["study", "runs", "rate", "what"]
    assert set(rule) == {"─"}
    assert first == "modular_addition_decay_paper    600   0.1235   Does decay move the boundary?"
    assert second.split()[:3] == ["first_map", "8", "-"]


def test_text_of_several_words_is_wrapped_between_them(capsys):
    lines = lines_of(ROWS, 80, capsys)
    assert max(map(len, lines)) <= 80
    assert [line.split()[-1] for line in lines[2:]] == ["boundary?", "network", "not?"]


def test_where_a_table_does_not_fit_each_row_is_a_block(capsys):
    lines = lines_of(ROWS, 40, capsys)
    assert lines == [
        "study: modular_addition_decay_paper",
        "runs:  600",
        "rate:  0.1235",
        "what:  Does decay move the boundary?",
        "",
        "study: first_map",
        "runs:  8",
        "rate:  -",
        "what:  Where does a small network",
        "       memorize, and where not?",
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_word_is_ever_broken_and_no_line_is_too_long(capsys, width):
    words = "a path /mnt/results/parts/first_map-0001-000001.parquet"
    rows = [{f"column_{i}": f"{words} {'x' * i}" for i in range(number)} for number in (1, 2, 3, 6)]
    for row in rows:
        lines = lines_of([row] * 2, width, capsys)
        shown = " ".join(lines).split()
        assert shown.count("/mnt/results/parts/first_map-0001-000001.parquet") == 2 * len(row)
        assert all(len(line) <= width or "/mnt/" in line for line in lines)


def test_a_value_longer_than_some_lines_makes_blocks(capsys):
    [row] = [{"n": 1, "text": "word " * 200}]
    lines = lines_of([row], 80, capsys)
    assert lines[0] == "n:    1"
    assert max(map(len, lines)) <= 80


def test_json_and_lists_are_broken_after_commas_alone(capsys):
    text = str({"a" * 10: list(range(60))}).replace(" ", "")
    lines = lines_of([{"spec": text, "n": 1}], 60, capsys)
    assert max(map(len, lines)) <= 60
    assert "".join(line.removeprefix("spec:").strip() for line in lines[:-1]) == text


def test_cells_are_one_line_whose_control_characters_are_shown():
    values = [None, True, 3, 0.000123456, 12345.678, 1e20, float("nan"), [1, "a"], "two\nlines\x1b[31m"]
    assert [cell(value) for value in values] == [
        "-", "true", "3", "0.0001235", "12346", "1e+20", "nan", '[1, "a"]', "two lines\\x1b[31m",
    ]  # fmt: skip


def test_text_that_looks_like_markup_is_shown_as_it_is(capsys):
    lines = lines_of([{"[bold]": "[red]x[/red] :bug:"}], 80, capsys)
    assert (lines[0], lines[2]) == ("[bold]", "[red]x[/red] :bug:")


def test_numbers_stand_to_the_right_also_where_the_first_is_missing(capsys):
    lines = lines_of([{"n": None}, {"n": 12345}], 80, capsys)
    assert lines[2:] == ["    -", "12345"]


def test_no_rows_and_very_many_rows_say_so(capsys):
    show_rows([], as_json=False)
    assert capsys.readouterr().out == "no rows\n"
    show_rows([{"n": i} for i in range(MAX_ROWS + 5)], as_json=False)
    assert capsys.readouterr().out.endswith("... 5 more rows; --json gives all of them.\n")


def test_a_wrapped_column_keeps_some_width(capsys):
    row = {"a": "x" * 30, "b": "y" * 30, "text": "some words that are wrapped, and some more of them"}
    assert lines_of([row], 30 + 3 + 30 + 3 + WRAPPED, capsys)[0].startswith("a ")
    assert lines_of([row], 30 + 3 + 30 + 3 + WRAPPED - 1, capsys)[0].startswith("a: ")
