"""`--json` on every command: data alone on stdout, for whoever reads it with a program."""

import json

import pytest

from study.cli.main import cli
from study.train.worker import train
from tests.support.studies import study_file

SEARCH = ["--over", "optimizer.weight_decay=0.1:10:log", "--sampler", "sobol", "--pack-size", 2, "--device", "cpu"]


@pytest.fixture
def trained_here(monkeypatch):
    """Packs train in this process: no Ray is started."""

    def loop(next_work, store, target, *, heard, show, **more):
        print("words that are no data")  # as Ray may have some
        while (work := next_work()) is not None:
            train(*work, "trial", heard)
            store.ingest()
            show()

    monkeypatch.setattr("study.train.service.train_through_ray", loop)


@pytest.fixture
def job(monkeypatch):
    """A cluster that says a word and ends the job well."""

    class Job:
        job_id, url = "study-small-1", "http://head:8265"

        def __init__(self, *words) -> None:
            pass

        def commands(self) -> str:
            return ""

        def follow(self, say) -> bool:
            say("words of the job\n")
            return True

    monkeypatch.setattr("study.train.jobs.Job", Job)


CALLS = {
    "list": ["quick"],
    "show": ["STUDY"],
    "check": ["STUDY"],
    "new": ["task", "fresh_parity"],
    "plan": ["STUDY"],
    "run": ["STUDY", "--report", "--timings"],
    "search": ["STUDY", *SEARCH, "--runs", 4, "--name", "looked"],
    "extend": ["small", "--horizon", 70],
    "status": [],
    "sql": ["select 1 as one"],
    "phases": ["small"],
    "claims": ["ungrokking"],
    "report": ["small"],
    "figure": ["small", "phase_diagram", "-o", "map.pdf"],
    "serve": [],
    "probe": ["STUDY"],
    "ingest": [],
    "submit": ["STUDY", "--address", "http://head:8265"],
    "doctor": [],
    "completion": ["zsh"],
}


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_prints_json_and_nothing_else(call, fresh_store, trained_here, job, monkeypatch, name):
    path, store = fresh_store
    monkeypatch.setattr("study.train.probe.probe", lambda *words, **options: 3)
    monkeypatch.setattr("study.web.server.serve", lambda store, host, port, say: say("http://127.0.0.1:8080/"))
    monkeypatch.chdir(store.parent)  # where `study new` writes
    words = [path if word == "STUDY" else word for word in CALLS[name]]
    takes_store = any(option.name == "store" for option in cli.commands[name].params)
    said = call(name, *words, *(["--store", store] if takes_store else []), "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)


def test_training_ends_with_one_object_that_says_what_came_of_it(call, tmp_path, trained_here):
    path, store = study_file(tmp_path), tmp_path / "store"
    said = call("run", path, "--store", store, "--json", "--device", "cpu", "--report", "--timings")
    end = json.loads(said.out)
    assert end["timings"]["spans"]["plan"] > 0
    assert "what is missing is planned" in said.err
    assert (end["study"], end["planned"], end["finished"], end["missing"], end["failed"]) == ("small", 8, 8, 0, 0)
    assert (end["definition"], end["horizon"], sum(end["phases"].values())) == ("unified", 60, 8)
    assert end["report"] == str(store / "small.html")
    assert "words that are no data" in said.err
    end = json.loads(call("extend", "small", "--horizon", 80, "--store", store, "--json", "--device", "cpu").out)
    assert (end["horizon"], end["planned"], end["finished"]) == (80, 8, 8)


def test_a_search_also_says_why_it_has_ended_and_how_well_it_knows_the_boundary(call, tmp_path, trained_here):
    path = study_file(tmp_path, horizon=40)
    end = json.loads(call("search", path, *SEARCH, "--runs", 4, "--store", tmp_path / "store", "--json").out)
    assert end["ended"] == "the budget of 4 runs is spent"
    assert end["band_width"] is None or 0 < end["band_width"] < 1
    assert (end["planned"], end["finished"]) == (4, 4)
    optimum = ["--sampler", "tpe", "--name", "best", "--runs", 2, "--store", tmp_path / "store", "--json"]
    assert json.loads(call("search", path, *SEARCH, *optimum).out)["band_width"] is None


def test_runs_that_are_missing_are_in_the_object_and_in_the_exit_code(call, tmp_path, monkeypatch):
    monkeypatch.setattr("study.train.service.train_through_ray", lambda *words, **options: None)
    said = call("run", study_file(tmp_path), "--store", tmp_path / "store", "--json", "--device", "cpu")
    assert (said.code, json.loads(said.out)["missing"]) == (1, 8)


def test_what_a_study_file_prints_goes_to_stderr(call, tmp_path):
    path = study_file(tmp_path)
    path.write_text(f"print('hello from the file')\n{path.read_text()}")
    said = call("show", path, "--store", tmp_path / "store", "--json")
    assert json.loads(said.out)["study"] == "small"
    assert said.err == "hello from the file\n"
    assert call("show", path, "--store", tmp_path / "store").out.startswith("hello from the file\nsmall: ")


def test_a_job_says_its_words_on_stderr_and_its_end_as_an_object(call, job, tmp_path):
    words = ["submit", "first_map", "--address", "http://head:8265", "--store", tmp_path]
    said = call(*words, "--json")
    assert json.loads(said.out) == {"study": "first_map", "job": "study-small-1", "address": "http://head:8265",
                                    "succeeded": True}  # fmt: skip
    assert "words of the job" in said.err
    assert "words of the job" in call(*words).out


def test_ingest_says_what_it_could_not_read(call, fresh_store):
    _, store = fresh_store
    (store / "parts/small-torn").mkdir()
    (store / "parts/small-torn/0001-000001.parquet").write_bytes(b"torn")
    said = call("ingest", "--store", store, "--json")
    done = json.loads(said.out)
    assert (done["parts"], done["rows"]) == (0, 0)
    assert [skipped["part"] for skipped in done["skipped"]] == ["small-torn/0001-000001.parquet"]
