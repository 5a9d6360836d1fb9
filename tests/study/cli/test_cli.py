"""The command line: it starts at once, says one line for a mistake, and prints what a program can read."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pyarrow.parquet as pq
import pytest

from study.cli.main import cli
from study.spec import find
from study.store.database import Store
from tests.support.mistakes import MISTAKES
from tests.support.studies import command, run_cli, study_file, trained, trained_file

HEAVY = ("torch", "ray", "duckdb", "altair", "pyarrow", "numpy", "pandas")


def files_below(path: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in path.rglob("*") if file.is_file() and file.name != ".lock"}


# Help.


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_explains_itself_with_an_example(call, name):
    said = call(name, "--help")
    assert said.code == 0
    assert f"Example: study {name}" in " ".join(said.out.split())


def test_without_a_command_the_help_comes(call):
    said = call()
    assert (said.code, said.err) == (0, "")
    assert "Usage: study" in said.out


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"], ["nonsense"]])
def test_help_and_typing_errors_import_nothing_heavy(words):
    code = f"""
import sys
from study.cli.main import main
sys.argv = ["study", *{words!r}]
try:
    main()
except SystemExit:
    print(sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


# What the commands say.


def test_list_has_every_study_of_the_catalog(call):
    rows = json.loads(call("list", "--json").out)
    assert "first_map" in {row["study"] for row in rows}
    assert all(row["runs"] > 0 and row["question"].endswith("?") for row in rows)
    assert "first_map" in call("list").out


def test_show_says_what_a_study_is_and_costs(call):
    shown = json.loads(call("show", "first_map", "--json").out)
    assert (shown["study"], shown["num_runs"], shown["seeds"]) == ("first_map", 128, 4)
    assert shown["num_packs"] >= 1
    assert shown["estimated_seconds"] >= 0
    assert "train_fraction" in call("show", "first_map").out


def test_plan_says_what_is_missing_and_writes_no_plan(call, trained_store):
    path, store = trained_store
    before = files_below(store / "parts")
    assert "8 planned, 8 finished, 0 missing" in call("plan", path, "--store", store).out
    more = json.loads(call("plan", path, "--store", store, "--seeds", 3, "--json").out)
    assert (more["planned"], more["finished"], more["missing"]) == (12, 8, 4)
    assert sum(row["packs"] * row["runs each"] for row in more["packs"]) == 4
    assert files_below(store / "parts") == before


def test_plan_makes_no_store(call, trained_store, tmp_path):
    assert "8 planned, 0 finished, 8 missing" in call("plan", trained_store[0], "--store", tmp_path / "new").out
    assert not (tmp_path / "new").exists()


def test_a_stored_study_is_known_by_the_path_of_its_file_too(call, trained_store):
    path, store = trained_store
    said = call("phases", path, "--store", store, "--json")
    assert (said.code, said.err) == (0, "")
    assert said.out == call("phases", "small", "--store", store, "--json").out


def test_status_counts_runs_and_phases(call, trained_store):
    [row] = json.loads(call("status", "--store", trained_store[1], "--json").out)
    assert (row["study"], row["runs"], row["finished"], row["failed"]) == ("small", 8, 8, 0)
    assert row["run_steps_per_worker_second"] > 0
    assert row["phases"]
    assert "small" in call("status", "small", "--store", trained_store[1]).out


def test_phases_counts_runs_by_definition_and_cells_under_one(call, trained_store):
    rows = json.loads(call("phases", "small", "--store", trained_store[1], "--json").out)
    assert {row["definition"] for row in rows} >= {"liu2022", "unified"}
    assert sum(row["runs"] for row in rows if row["definition"] == "liu2022") == 8
    cells = json.loads(call("phases", "small", "--store", trained_store[1], "--definition", "liu2022", "--json").out)
    assert sum(row["runs"] for row in cells) == 8
    assert all(row["low"] <= row["fraction"] <= row["high"] for row in cells)


def test_runs_are_shown_as_they_were_at_an_earlier_horizon(call, trained_store, tmp_path):
    store, out = trained_store[1], tmp_path / "early.html"
    rows = json.loads(call("phases", "small", "--store", store, "--at-horizon", "1", "--json").out)
    assert [(row["phase"], row["runs"]) for row in rows if row["definition"] == "unified"] == [("confusion", 8)]
    assert call("report", "small", "--store", store, "--at-horizon", "20", "--out", out).code == 0
    assert "horizon 20 steps" in out.read_text()
    said = json.loads(call("show", "small", "--store", store, "--json").out)["stored"]
    assert said == [{"status": "finished", "horizon": 60, "planned_horizon": 60, "runs": 8}]
    assert "The store has 8 finished at horizon 60." in call("show", "small", "--store", store).out


QUERY = "select run_id, step, value, 'a,b' as text from metrics order by all limit 3"


def test_sql_prints_a_table_csv_json_and_parquet(call, trained_store):
    def sql(form: str) -> SimpleNamespace:
        return call("sql", QUERY, "--store", trained_store[1], "--format", form)

    rows = json.loads(sql("json").out)
    assert [list(row) for row in rows] == [["run_id", "step", "value", "text"]] * 3
    assert [row["run_id"] for row in csv.DictReader(io.StringIO(sql("csv").out))] == [row["run_id"] for row in rows]
    assert pq.read_table(io.BytesIO(sql("parquet").bytes)).to_pylist() == rows
    assert rows[0]["run_id"] in sql("table").out


def test_sql_prints_json_that_every_parser_takes(call, trained_store):
    query = "select 'nan'::double as nan, 1 as twice, 2 as twice, date '2026-01-02' as day, null as none, 0.1 as tenth"
    text = call("sql", query, "--store", trained_store[1], "--format", "json").out
    [row] = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert row == {"nan": None, "twice": 1, "twice_1": 2, "day": "2026-01-02", "none": None, "tenth": 0.1}


def test_a_table_without_rows_says_so(call, trained_store):
    assert "no rows" in call("sql", "select 1 as a where false", "--store", trained_store[1]).out


def test_a_reader_that_goes_away_is_told_nothing(trained_store):
    line, env = command("sql", "select range from range(500000)", "--store", trained_store[1], "--format", "csv")
    process = subprocess.Popen(line, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.wait(timeout=60)


def test_the_store_can_come_from_the_environment(trained_store):
    assert run_cli("sql", "select 42 as answer", STUDY_STORE=str(trained_store[1])).stdout.split()[-1] == "42"


def test_report_writes_a_page(call, trained_store, tmp_path):
    said = call("report", "small", "--store", trained_store[1], "--out", tmp_path / "page.html")
    assert said.code == 0
    assert (tmp_path / "page.html").stat().st_size > 10_000


def test_doctor_checks_everything_and_says_how_it_went(call, tmp_path):
    rows = json.loads(call("doctor", "--store", tmp_path, "--json").out)
    checks = {row["check"]: row["ok"] for row in rows}
    assert {"torch device", "ray", "authentication", "storage", "free disk", "compiler", "store"} <= set(checks)
    assert set(checks.values()) <= {"yes", "note", "no"}


def test_doctor_fails_with_the_mend_where_something_is_broken(call, tmp_path, monkeypatch):
    monkeypatch.setattr("study.cli.doctor.LEAST_FREE_BYTES", 1e30)
    (tmp_path / "study.duckdb").write_bytes(b"garbage" * 1000)
    said = call("doctor", "--store", tmp_path, "--json")
    found = {row["check"]: row["found"] for row in json.loads(said.out) if row["ok"] == "no"}
    assert said.code == 1
    assert "another --store" in found["free disk"]
    assert "study ingest" in found["store"]


# Parts that are damaged.


def test_ingest_skips_a_torn_part_says_so_and_takes_the_others(call, tmp_path):
    store = trained_file(study_file(tmp_path), tmp_path / "store", pack_size=4)
    parts = sorted((store.path / "parts").glob("*/0001-000001.parquet"))
    parts[0].write_bytes(parts[0].read_bytes()[:-40])
    (store.path / "study.duckdb").unlink()
    said = call("ingest", "--store", store.path)
    assert said.code == 0
    assert "2 parts" in said.out
    assert f"skipped part {parts[0].parent.name}/{parts[0].name}" in said.err
    plan = json.loads(call("plan", tmp_path / "small.py", "--store", store.path, "--json").out)
    assert (plan["finished"], plan["missing"]) == (4, 4)


def test_ingest_makes_anew_what_is_garbage_and_keeps_it(call, tmp_path):
    store = trained_file(study_file(tmp_path), tmp_path / "store")
    before = store.sql("from metrics order by all").fetchall()
    (store.path / "study.duckdb").write_bytes(b"garbage" * 1000)
    assert call("ingest", "--store", store.path).code == 0
    assert Store.open(store.path).sql("from metrics order by all").fetchall() == before
    assert (store.path / "study.duckdb.damaged").read_bytes() == b"garbage" * 1000
    said = call("ingest", "--store", store.path, "--rebuild")
    assert (said.code, said.err) == (0, "")
    assert Store.open(store.path).sql("from metrics order by all").fetchall() == before


# Mistakes.


@pytest.fixture(scope="module")
def workshop(trained_store, tmp_path_factory) -> Path:
    """A folder with all that a user can get wrong."""
    folder = tmp_path_factory.mktemp("workshop")
    study_file(folder, "axis", axes={"optimizer.weight_decy": (1.0,)})
    study_file(folder, "range", axes={"task.train_fraction": (0.5, 1.5)})
    study_file(folder, "empty", axes={})
    study_file(folder / "other", learning_rate=0.02)
    study_file(folder, "first_map")
    small = study_file(folder, "words").read_text()
    (folder / "words.py").write_text(small.replace("seeds=2", "seeds='two'"))
    (folder / "field.py").write_text(small.replace("seeds=2", "sedes=2"))
    (folder / "raises.py").write_text("1 / 0")
    (folder / "nothing.py").write_text("STUDIES = []")
    heads = (
        study_file(folder, "heads")
        .read_text()
        .replace("model=mlp.Model(width=16)", "model=transformer.Model(width=16, heads=3)")
    )
    (folder / "heads.py").write_text(heads.replace("import mlp", "import transformer"))
    (folder / "file").write_text("text")
    (folder / "garbage").mkdir()
    (folder / "pages.html").mkdir()
    (folder / "garbage/study.duckdb").write_bytes(b"garbage" * 1000)
    Store.open(folder / "newer", write=True)
    with duckdb.connect(folder / "newer/study.duckdb") as connection:
        connection.execute("update store_info set value = '99' where key = 'version'")
    return folder


@pytest.mark.parametrize(("words", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_and_loses_nothing(call, trained_store, workshop, monkeypatch, words, says):
    monkeypatch.chdir(workshop)
    before = files_below(workshop) | files_below(trained_store[1] / "parts")
    words = [str(trained_store[0]) if word == "SMALL" else word for word in words]
    takes_store = words[0] in cli.commands and any(option.name == "store" for option in cli.commands[words[0]].params)
    if "--store" not in words and takes_store:
        words += ["--store", str(trained_store[1])]
    said = call(*words)
    if says != "127.0.0.1:1":  # this one has a progress line before it
        assert said.err.count("\n") == 1, said.err
    assert said.err.splitlines()[-1].startswith("study: ")
    assert says in said.err
    assert (said.code, said.out) == (2, "")
    after = files_below(workshop) | files_below(trained_store[1] / "parts")
    assert before.items() <= after.items()
    assert Store.open(trained_store[1]).sql("select count(*)::integer from metrics").fetchall()[0][0] > 0


def test_cuda_where_there_is_none_is_one_line(call, trained_store, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    said = call("run", trained_store[0], "--store", trained_store[1], "--device", "cuda")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "Use --device cpu" in said.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_store_that_may_not_be_read_is_one_line(call, tmp_path):
    store = trained_file(study_file(tmp_path), tmp_path / "store")
    (store.path / "study.duckdb").chmod(0)
    said = call("sql", "select 1", "--store", store.path)
    assert (said.code, said.err.count("\n")) == (2, 1)


def test_a_mistake_in_a_new_process_is_one_line_too(trained_store):
    """Nothing that is imported says anything beside it."""
    done = run_cli("sql", "", "--store", trained_store[1])
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_a_bug_is_a_traceback(trained_store, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import study.store.status\nstudy.store.status.status_rows = None\n")
    done = run_cli("status", "--store", trained_store[1], PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_finished_study_is_run_without_ray(trained_store, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['ray'] = None\n")
    done = run_cli("run", trained_store[0], "--store", trained_store[1], PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("small: all 8 runs are in; ")


def test_show_does_not_count_the_runs_of_another_base(call, trained_store, tmp_path):
    other = study_file(tmp_path, learning_rate=0.02)
    said = call("show", other, "--store", trained_store[1])
    assert (said.code, said.out) == (2, "")
    assert "is in this store already with another base run: optimizer.learning_rate 0.01, now 0.02" in said.err


def test_phases_of_several_horizons_say_so(call, fresh_store):
    path, store = fresh_store
    assert "horizons" not in call("phases", path, "--store", store).err
    opened = Store.open(store, write=True)
    trained(find(str(path)).with_(horizon=80, seeds=1), opened)
    said = call("phases", path, "--store", store)
    own, judged = said.err.splitlines()
    assert own == "the study's own definition is 'unified': `--definition unified` shows its cells."
    assert judged == "runs are judged at horizons 60 to 80: `--at-horizon 60` shows them at 60."
    assert "4 finished at horizon 60, 4 finished at horizon 80" in call("show", "small", "--store", store).out
