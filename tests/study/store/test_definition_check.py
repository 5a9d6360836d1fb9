"""A phase definition of a user's own: every mistake is one line, with the line of the text and the mend."""

import pytest

from study.store.definition_check import why_not
from study.store.definition_source import given_definition
from study.store.definitions import Definition, definitions, ours
from tests.support.phases import HOSTILE, LEARNED, NAMES, SIMPLE
from trainables.errors import SpecError


def selecting(phase: str, source: str = "outcomes") -> str:
    return f"{NAMES}\nselect run_id, {phase} as phase\nfrom {source}"


def naming(names: str) -> str:
    return f"with {names}\nselect run_id, 'low' as phase from outcomes"


TYPO = f"{NAMES}\nselect run_id,\ncasee when true then 'low' end as phase from outcomes"
NO_END = f"""{NAMES},
large as (select count(*) as n from range(1000000) as a, range(1000000) as b where a.range <> b.range)
select run_id, n::text as phase from outcomes, large"""
ENDLESS_NAMES = """with names(phase, generalized) as (
    select a.range::text, true from range(1000000) as a, range(1000000) as b where a.range * b.range < 0
)
select run_id, 'low' as phase from outcomes"""
MISTAKES = {
    "nothing": ("", r": it is empty. Begin with `with names\("),
    "a comment": ("-- soon", r": it is empty"),
    "a typo": (TYPO, ", line 3: syntax error at or near .when.. Look there"),
    "no end of a quote": (selecting("'low"), ", line 2: unterminated"),
    "a parenthesis too many": (selecting("'low'") + ") or (", ", line 3: syntax error"),
    "another statement": (f"{SIMPLE};\n\ndrop table outcomes", ", line 5: it holds 2 statements. Write one select"),
    "no select": ("create table t (a int)", ", line 1: it is no select statement"),
    "no names": ("select run_id, 'low' as phase from outcomes", ", line 1: it has no table of its phases. Begin with"),
    "names without generalized": (
        naming("names(phase) as (values ('low'))"),
        ", line 1: names has phase. Its columns are phase, generalized and",
    ),
    "names of outcomes": (
        naming("names(phase, generalized) as (select status, true from outcomes)"),
        ", line 1: its table of phases does not work by itself",
    ),
    "generalized in words": (SIMPLE.replace("false", "'no'").replace("true", "'yes'"), "generalized is true or false"),
    "a phase twice": (SIMPLE.replace("('high'", "('low'"), "names has the phase 'low' 2 times"),
    "a colour in words": (
        naming("names(phase, generalized, color) as (values ('low', false, 'red'))"),
        "phase 'low' has the color 'red'. Write #rrggbb",
    ),
    "a colour twice": (
        "with names(phase, generalized, color) as (values ('a', false, '#ff0000'), ('b', true, '#ff0000'))\n"
        "select run_id, 'a' as phase from outcomes",
        "names has the color '#ff0000' 2 times",
    ),
    "thresholds without params": (
        LEARNED.replace("params", "others"),
        "parameters are two tables: defaults as",
    ),
    "params of its own": (LEARNED.replace("from defaults)", "from defaults where true)"), ", line 3: write `params as"),
    "no column of this name": (
        selecting("if(outcomes.tst_step_90 > 1, 'low', 'high')"),
        ", line 2: outcomes has no column 'tst_step_90'. Did you mean 'test_step_90'",
    ),
    "no column, without its table": (
        selecting("if(final_tst_accuracy > 1, 'low', 'high')"),
        ", line 2: outcomes has no column 'final_tst_accuracy'. Did you mean 'final_test_accuracy'",
    ),
    "no function of this name": (selecting("coalsce(status, 'low')"), ", line 2: .*coalsce does not.* Did you mean"),
    "no phase": (f"{NAMES}\nselect run_id, 'low' as phse\nfrom outcomes", ", line 2: it gives run_id, phse, and"),
    "no run": (f"{NAMES}\nselect 'low' as phase\nfrom outcomes", ", line 2: it gives phase, and no run_id"),
    "numbers": (selecting("3"), ", line 2: its phases are of type INTEGER. A phase is text"),
    "no row": (SIMPLE + " where status = 'finished'", "no row for a run that is not finished. Leave out no run"),
    "no row without accuracy": (SIMPLE + " where chance_accuracy > 0", "no row for a run whose answers are numbers"),
    "many rows": (selecting("'low'", "outcomes, range(2)"), "it gives several rows for a run that memorizes"),
    "other runs": (f"{NAMES}\nselect 'x' as run_id, 'low' as phase from outcomes", "no row for a run that memorizes"),
    "more runs": (
        f"{NAMES}\nselect run_id, 'low' as phase from outcomes union all select 'x', 'low'",
        "it gives a row for the run 'x', which outcomes does not have",
    ),
    "what cannot be cast": (selecting("status::integer::text"), "it fails on a run: .*Use try_cast"),
    "no end of names": (ENDLESS_NAMES, "takes more than 1 seconds for 7 runs"),
    "too many names": (naming("names(phase, generalized) as (select range::text, true from range(999))"), "100 rows"),
    "a long text": (f"{SIMPLE} /*{'x' * 20_000}*/", "it has more than 20,000 characters"),
    "many comments": ("/*" * 9_000, ", line 1: unterminated"),
    "many passages": (selecting("'low'", "passages(" * 2_000), "syntax error"),
    "passages in passages": (selecting("'low'", "passages((select 0.9 from passages(0.9)))"), "."),
    "no end": (
        NO_END,
        "takes more than 1 seconds for 7 runs",
    ),
    "passages that are not stored": (
        LEARNED.replace("0.9 as", "0.8 as"),
        r"threshold is 0.8, and first passages are stored at 0.5, 0.9, 0.95, 0.99",
    ),
    "a look into run_id": (selecting("if(run_id like 'a%', 'low', 'high')"), ", line 2: it looks into run_id"),
    "a parameter of a query": (selecting("$x"), "parameters?: x"),
    "a file": (HOSTILE, ", line 2: it calls 'read_text'. A definition reads outcomes, no files and no settings"),
    "a file by its name": (selecting("'low'", "outcomes, '/etc/hostname'"), ", line 3: it reads '/etc/hostname'"),
    "a file in a threshold": (
        LEARNED.replace("select threshold from params", "select content::double from read_text('/etc/hostname')"),
        "it calls 'read_text'",
    ),
    "a query in text": (selecting("'low'", "query('from outcomes')"), ", line 3: it calls 'query'"),
    "a setting": (selecting("current_setting('threads')::text"), ", line 2: it calls 'current_setting'"),
    "other tables": (selecting("'low'", "outcomes semi join runs using (run_id)"), ", line 3: it reads 'runs'"),
    "a table behind outcomes": (selecting("'low'", "main.outcomes"), ", line 3: it reads 'main.outcomes'"),
    "settings as a table": (selecting("'low'", "outcomes, (show tables)"), "it calls 'show'"),
    "an end within it": (selecting("'low'") + ") as a, (select 1", ", line 3: syntax error"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_with_the_mend(name, monkeypatch):
    monkeypatch.setattr("study.store.definition_check.SECONDS", 1.0 if "no end" in name else 20.0)
    text, words = MISTAKES[name]
    with pytest.raises(AssertionError, match=words) as caught:
        raise AssertionError(why_not(Definition("mine", text)))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "text",
    [
        SIMPLE,
        LEARNED,
        SIMPLE.upper().replace("'HIGH'", "'high'").replace("'LOW'", "'low'").replace("'FINISHED'", "'finished'"),
        f"-- 'a quote; and passages(1)\n{SIMPLE}",
        selecting("if(test_step is null, 'low', /* a ( */ 'high')", "passages (\n0.95 -- high\n)"),
        selecting("'it''s; (low)'"),
        "with names(phase, generalized, words) as (values ('a', true, NULL))\n"
        "select run_id, NULL::text as phase from outcomes",
        selecting("(select max(x) from (select unnest(['low', 'high']) as x))"),
    ],
)
def test_what_a_user_may_write(text):
    assert why_not(Definition("mine", text)) is None


@pytest.mark.parametrize("name", definitions())
def test_ours_pass_the_checks(name):
    assert why_not(Definition("mine", ours(name).sql)) is None


def test_a_definition_is_given_by_name_by_path_and_as_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.sql").write_text(SIMPLE + ";  -- done\n")
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "mine.sql").write_text(LEARNED)
    assert given_definition("liu2022") == ours("liu2022")
    assert given_definition("nobody2022") is None
    here = given_definition("here.sql")
    assert here is not None
    assert (here.name, here.sql) == ("here", SIMPLE + "  -- done")
    for path, beside in (
        ("mine.sql", tmp_path / "beside"),
        ("beside/mine.sql", None),
        (str(tmp_path / "beside/mine.sql"), None),
    ):
        assert given_definition(path, beside) == Definition("mine", LEARNED)
    assert given_definition(SIMPLE) == Definition("own", SIMPLE)
    assert given_definition(f"-- name: learned\n{SIMPLE}") == Definition("learned", f"-- name: learned\n{SIMPLE}")
    assert given_definition(f"-- name: liu2022\n{SIMPLE}".replace(f"-- name: liu2022\n{SIMPLE}", "liu2022")) == ours(
        "liu2022"
    )


def test_what_cannot_be_read_is_one_line(tmp_path, subtests, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.sql").write_text("\n")
    (tmp_path / "folder.sql").mkdir()
    (tmp_path / "bytes.sql").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "my phases.sql").write_text(SIMPLE)
    (tmp_path / "unified.sql").write_text(SIMPLE)
    (tmp_path / "typo.sql").write_text(f"\n\n{NAMES}\nselekt")
    for given, words in [
        ("nowhere.sql", f"phase definition 'nowhere.sql' does not exist in '{tmp_path}'. Give the path of an SQL file"),
        ("empty.sql", "phase definition 'empty.sql': it is empty"),
        ("folder.sql", "'folder.sql' cannot be read: Is a directory"),
        ("bytes.sql", "'bytes.sql' cannot be read: it is not text in UTF-8"),
        ("my phases.sql", "the name 'my phases' may hold letters"),
        ("unified.sql", "'unified' is the name of one of ours, with another text. Rename yours"),
        ("typo.sql", "phase definition 'typo.sql', line 4: syntax error"),
        (f"-- name: unified\n{SIMPLE}", "'unified' is the name of one of ours"),
        (f"-- name: a b\n{SIMPLE}", "the name 'a b' may hold letters"),
    ]:
        with subtests.test(given), pytest.raises(SpecError) as caught:
            given_definition(given)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
