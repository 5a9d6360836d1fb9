"""The documents say what is true: what they name exists, what they count is so. docs/README.md lists the checks."""

import dataclasses
import re
from itertools import chain, takewhile
from pathlib import Path
from typing import Any

import pytest

from analysis.claim_check import all_claims
from study.spec import CATALOG, StudySpec
from study.store.database import Store
from tests.support.pages import PAGES, ROOT, Page, page, plain, spans
from trainables.components import available

GLOSSARY = {
    *("run", "pack", "trial", "attempt", "part", "split", "horizon", "cell", "point", "phase", "passage", "censored"),
    *("twin", "band", "claim", "bar", "seed", "axis", "store", "storage", "sampler", "definition", "boundary"),
}
NOT_HERE = ("results/", "studies/", "/", "~", "s3://", "gs://", "file://", "http", ".venv", "checkpoints/", "a/b")
"""How names of files and folders begin that a reader makes or has elsewhere."""


@pytest.mark.parametrize("shown", PAGES, ids=str)
def test_every_link_leads_somewhere(shown: Page) -> None:
    by_path = {other.path: other for other in PAGES}
    dead = []
    for link in shown.links():
        name, _, anchor = link.partition("#")
        target = (shown.path.parent / name).resolve() if name else shown.path
        if not target.exists() or (anchor and anchor not in by_path[target].anchors()):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("shown", PAGES, ids=str)
def test_every_file_that_is_named_exists(shown: Page) -> None:
    missing = []
    for span in spans(shown.prose):
        if module := re.match(r"(?:python -m )?(tests\.bench\.\w+)", span):
            span = module[1].replace(".", "/") + ".py"
        is_file = re.fullmatch(r"\.?[\w<>*-]+(/[\w<>*.-]+)*(/|\.\w+)", span) and not span.startswith(NOT_HERE)
        if is_file and ("/" in span or (ROOT / span).suffix in (".py", ".md", ".yaml", ".toml", ".lock", ".cff")):
            pattern = re.sub("<[^>]*>", "*", span.rstrip("/"))
            if not list(ROOT.glob(pattern)) and span != "my_study.py":
                missing.append(span)
    assert missing == []


def test_every_study_that_a_table_names_is_in_the_catalog_and_every_study_is_named() -> None:
    tables = [table for shown in PAGES for table in shown.tables()]
    columns = [
        table.column(word) for table in tables for word in ("study", "two CPU cores", "paper") if word in _heads(table)
    ]
    named = set(spans("\n".join(chain(*columns))))
    assert named - set(available(CATALOG)) == set()
    assert set(available(CATALOG)) <= set(spans(page("docs/studies.md").prose))


def _heads(table: Any) -> str:
    """The headings of columns that list studies; tables of columns and commands have other words there."""
    return " ".join(name for name in table.header if name in ("study", "for two CPU cores") or "the paper" in name)


def test_tables_of_parts_are_complete() -> None:
    studies = page("docs/studies.md")
    files = {
        "sampler": set(available("study.samplers")),
        "probe": set(available("trainables.probes")),
        "definition": {path.stem for path in (ROOT / "study" / "phases").glob("*.sql")},
    }
    for word, names in files.items():
        table = next(table for table in studies.tables() if table.header[0] == word)
        assert {spans(cell)[0] for cell in table.column(word)} == names, word


def test_the_definitions_have_the_phases_that_their_table_lists() -> None:
    table = next(table for table in page("docs/studies.md").tables() if table.header[0] == "definition")
    for name, phases in zip(table.column("definition"), table.column("phases"), strict=True):
        sql = (ROOT / "study" / "phases" / f"{spans(name)[0]}.sql").read_text()
        found = {*re.findall(r"(?:then|else)\s+'(\w+)'", sql)} - {"unresolved"}
        assert set(phases.split(", ")) == found, name


def test_the_table_of_a_study_has_its_fields() -> None:
    table = next(table for table in page("docs/studies.md").tables() if table.header[0] == "field")
    fields = {field.name for field in dataclasses.fields(StudySpec)}
    assert set(spans(" ".join(table.column("field")))) == fields - {
        "name",
        "search",
        "stored",
    }  # a file, a command and a store say these


@pytest.mark.parametrize("shown", PAGES, ids=str)
def test_a_table_of_numbers_says_how_they_are_measured(shown: Page) -> None:
    for table in shown.tables():
        rows = [" ".join(row) for row in table.rows if re.search(r"\d", plain(" ".join(row)))]
        beside = (table.above, table.below)
        told = any(line.startswith("Command: `") or line.startswith("<!-- not measured: ") for line in beside)
        assert told or all("performance.md#" in row for row in rows), table.header


def test_each_measurement_has_a_date_and_a_machine() -> None:
    for section in re.split(r"^## ", page("docs/performance.md").text, flags=re.MULTILINE)[1:]:
        if "\nCommand: " in section:
            assert "\nDate: " in section or "has not been run" in section, section.splitlines()[0]
            assert "\nMachine: " in section, section.splitlines()[0]


def test_numbers_of_the_comparison_stand_in_the_section_that_they_link_to() -> None:
    table = next(table for table in page("README.md").tables() if "Optuna" in table.header)
    linked = [cell for row in table.rows for cell in row if "performance.md#" in cell]
    assert len(linked) >= 6
    for cell in linked:
        for anchor in re.findall(r"performance\.md#([\w-]+)", cell):
            section = page("docs/performance.md").section(anchor)
            known = set(re.findall(r"\d[\d,.]*\d|\d", section))
            assert set(re.findall(r"\d[\d,.]*\d|\d", plain(cell))) <= known, cell


def test_the_counts_of_claims_are_those_of_the_table() -> None:
    claims = page("docs/claims.md")
    table = next(table for table in claims.tables() if "claims reproduced" in table.header)
    pattern = r"(not yet run: )?(\d+) of (\d+)"
    pairs = [pair for cell in table.column("reproduced") for pair in re.findall(pattern, cell)]
    catalog = next(table for table in page("docs/studies.md").tables() if "for two CPU cores" in table.header)
    small = spans(" ".join(catalog.column("two CPU cores")))
    answers = [name for _, claim in all_claims() for name in claim.studies if name in small]
    assert sum(int(total) for _, _, total in pairs) == len(answers)
    reproduced = sum(int(good) for _, good, _ in pairs)
    run_claims = sum(int(total) for waiting, _, total in pairs if not waiting)
    words = f"the {run_claims} claims that have been run, {reproduced} are reproduced"
    assert all(words in " ".join(shown.text.split()) for shown in (claims, page("README.md")))


def test_the_page_of_sql_has_every_column(tmp_path: Path) -> None:
    store, shown = Store.open(tmp_path, write=True), page("docs/sql.md")
    sections = re.split(r"^##+ ", shown.text, flags=re.MULTILINE)
    sections = sections[sections.index(next(s for s in sections if s.startswith("Tables and views"))) + 1 :]
    sections = list(takewhile(lambda section: not section.startswith("Python"), sections))
    told = {}
    for section in sections:
        name, rows = section.splitlines()[0], re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
        told[name] = set(chain(*map(spans, rows)))
    behind = told.pop("Behind the views")
    text = "select table_name, column_name from duckdb_columns() where not internal"
    columns: dict[str, set[str]] = {}
    for table, column in store.sql(text).fetchall():
        columns.setdefault(table, set()).add(column)
    assert behind == columns.keys() - told.keys()
    assert told == {name: columns[name] for name in told}


def test_the_glossary_has_every_word_once_in_order() -> None:
    [table] = [table for table in page("docs/concepts.md").tables() if table.header == ["word", "meaning"]]
    words = [cell.strip("*") for cell in table.column("word")]
    assert words == sorted(set(words))
    assert set(words) >= GLOSSARY


def test_the_readme_is_short_and_its_first_command_makes_the_others_work() -> None:
    readme = page("README.md")
    assert len(readme.text.splitlines()) <= 170
    first = readme.blocks("bash")[0].text
    assert ". .venv/bin/activate &&" in first
    assert first.index("activate") < first.index("pip install") < first.index("study run first_map")


def test_the_file_tree_is_on_the_disk_and_no_folder_is_left_out() -> None:
    [tree] = page("docs/README.md").blocks("text")
    told, top = set(), ""
    for line in tree.text.splitlines():
        name = line.split()[0]
        top = top if line.startswith(" ") else name
        told.add(f"{top}{name}" if line.startswith(" ") else name)
    assert all((ROOT / name).exists() for name in told), told
    for package in ("trainables", "study", "analysis"):
        folders = {path.parent for end in ("py", "sql") for path in (ROOT / package).rglob(f"*.{end}")}
        assert {f"{folder.relative_to(ROOT).as_posix()}/" for folder in folders} <= told


def test_the_table_of_parts_names_folders_and_their_checks() -> None:
    table = next(table for table in page("docs/extending.md").tables() if "checked by" in table.header)
    for part, check_file in zip(table.column("write"), table.column("checked by"), strict=True):
        folder = spans(part)[0].rpartition("/")[0]
        assert (ROOT / folder).is_dir(), folder
        assert (ROOT / spans(check_file)[0]).is_file(), check_file
    assert len(table.rows) == 9
