"""Phase definitions of a user's own on the command line."""

import json

import pytest

from study.cli.ending import ending, sentence
from study.search.request import make_search
from study.spec import StudySpec, find
from study.store.database import Store
from study.train.phases_so_far import PhasesSoFar
from tests.support.phases import LEARNED, NAMES, SIMPLE
from tests.support.studies import make_plan, planned, small, study_file, trained
from trainables.errors import SpecError

OVER = ("task.train_fraction=0.3:0.8",)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder with definitions, in which the command is called."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.sql").write_text(LEARNED + ";\n")
    return tmp_path


def test_a_study_file_names_a_definition_beside_it(mine, call, monkeypatch):
    folder = mine / "below"
    path = study_file(folder)
    path.write_text(path.read_text().replace("horizon=", "definition='beside.sql', horizon="))
    (folder / "beside.sql").write_text(SIMPLE)
    study = find(str(path))
    assert (study.definition, study.definition_sql) == ("beside", SIMPLE)
    assert StudySpec.from_json(json.loads(json.dumps(study.to_json())), "small") == study
    for given in (path, "below/small.py"):
        assert json.loads(call("show", given, "--json").out)["definition"] == "beside"
    with pytest.raises(SpecError, match=r"'beside.sql' does not exist in '.*'. Give the path"):
        small(definition="beside.sql")  # no file is being run
    (folder / "beside.sql").write_text(SIMPLE.replace("final_test_accuracy", "final_tst_accuracy"))
    said = call("plan", path)
    assert said.code == 2
    assert len(said.err.splitlines()) == 1
    assert "phase definition 'beside.sql', line 2: outcomes has no column 'final_tst_accuracy'. Did" in said.err


def test_specs_without_one_are_stored_as_ever():
    assert "definition_sql" not in small().to_json()
    assert small(definition="liu2022").with_(definition=SIMPLE).definition_sql == SIMPLE
    assert small(definition=SIMPLE).with_(definition="liu2022").definition_sql == ""
    assert small(definition=SIMPLE).with_(seeds=3).definition_sql == SIMPLE


def test_the_ending_the_status_and_the_progress_count_by_it(mine):
    store, study = Store.open(mine / "store", write=True), small(seeds=1, definition="mine.sql")
    trained(study, store)
    (mine / "mine.sql").unlink()  # reading does not need it
    end = ending(store, study, make_plan(study, store))
    assert (end["definition"], sum(end["phases"].values())) == ("mine", 4)
    assert set(end["phases"]) <= {"low", "high", "odd"}
    assert "all 4 runs are in; mine: " in sentence(end)
    so_far = PhasesSoFar(store, study)
    so_far.look()
    assert so_far.counts == end["phases"]


def test_reading_commands_take_the_studys_own_definition(mine, call):
    store, study = Store.open(mine / "store", write=True), small(seeds=1, definition="mine.sql")
    trained(study, store)
    (mine / "mine.sql").unlink()
    [row] = json.loads(call("status", "--store", "store", "--json").out)
    assert row["definition"] == "mine"
    rows = json.loads(call("phases", "small", "--store", "store", "--json").out)
    assert {row["phase"] for row in rows if row["definition"] == "mine"} <= {"low", "high", "odd"}
    cells = json.loads(call("phases", "small", "--store", "store", "--definition", "mine", "--json").out)
    assert sum(row["runs"] for row in cells) == 4
    assert call("report", "small", "--store", "store").code == 0
    assert "<code>mine</code>" in (mine / "store" / "small.html").read_text()


def test_phases_by_a_file_and_by_other_thresholds(mine, call, trained_store):
    (mine / "always.sql").write_text(f"{NAMES}\nselect run_id, 'low' as phase from outcomes")
    store = ("--store", trained_store[1], "--json")
    for given in ("always.sql", mine / "always.sql"):
        rows = json.loads(call("phases", "small", "--definition", given, *store).out)
        assert {(row["phase"], row["runs"]) for row in rows} == {("low", 2)}
    low, high = (
        json.loads(call("phases", "small", "--definition", "mine.sql", "--param", f"threshold={value}", *store).out)
        for value in (0.5, 0.99)
    )
    assert low != high
    changed = call("phases", "small", "--param", "threshold=0.5", "--param", "margin=0.2", *store)
    assert {row["phase"] for row in json.loads(changed.out)} != {"confusion"}  # under the study's own, unified
    assert "mine" not in call("sql", "select distinct definition from phases", *store).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--param", "treshold=0.9"), "'unified' has no parameter 'treshold'. Did you mean 'threshold'"),
        (("--param", "threshold"), "--param 'threshold' is not NAME=VALUE, as in --param threshold=0.95"),
        (("--param", "threshold=high"), "--param 'threshold=high': 'high' is no number"),
        (("--param", "threshold=nan"), "threshold must be a finite number, got nan"),
        (("--param", "threshold=0.8"), "threshold is 0.8, and first passages are stored at 0.5, 0.9, 0.95, 0.99"),
        (("--definition", "mine.sql", "--param", "threshold=0.8"), "'mine': threshold is 0.8, and first passages are"),
        (
            ("--definition", "simple.sql", "--param", "threshold=0.9"),
            "'simple' has no parameter 'threshold'. It",
        ),
        (("--definition", "nowhere.sql"), "phase definition 'nowhere.sql' does not exist in"),
        (("--definition", "typo.sql"), "phase definition 'typo.sql', line 2: syntax error"),
    ],
)
def test_mistakes_are_one_line(mine, call, trained_store, words, said):
    (mine / "simple.sql").write_text(SIMPLE)
    (mine / "typo.sql").write_text(f"{NAMES}\nselect run_id phase 'low' from outcomes")
    ended = call("phases", "small", "--store", trained_store[1], *words)
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert said in ended.err


def test_a_search_has_sides_of_a_users_definition(mine):
    def searched(task: str = "modular", **words):
        return make_search(task, OVER, sampler="boundary", runs=8, **words)

    search = searched(definition="mine.sql")
    assert (search.phases, search.study.definition, search.study.definition_sql) == (("high",), "mine", LEARNED)
    assert searched(definition="mine.sql", phases=["low"]).phases == ("low",)
    (mine / "mine.sql").write_text(LEARNED.replace("0.9 as", "0.95 as"))
    assert searched(definition="mine.sql").study.name != search.study.name
    path = study_file(mine)
    path.write_text(path.read_text().replace("horizon=", "definition='mine.sql', horizon="))
    assert searched("small.py").phases == ("high",)
    for words, said in [
        ({"phases": ["hihg"]}, "--phase 'hihg' is not a phase of mine. Did you mean 'high'"),
        ({"definition": "nowhere.sql"}, "--definition: phase definition 'nowhere.sql' does not exist"),
        ({"definition": SIMPLE.replace("true", "false")}, "--phase is missing: no phase of own counts as generalized"),
    ]:
        with pytest.raises(SpecError, match=said):
            searched(**({"definition": "mine.sql"} | words))


def test_a_study_that_goes_back_to_an_earlier_definition_is_counted_by_it(tmp_path):
    store = Store.open(tmp_path, write=True)
    for given, name in ((SIMPLE, "own"), ("liu2022", "liu2022"), (SIMPLE, "own"), (SIMPLE, "own")):
        planned(small(seeds=1, definition=given), store)
        assert store.sql("select spec ->> 'definition' from studies").fetchall() == [(name,)]
    assert len(list(tmp_path.glob("parts/plan/*.parquet"))) == 3
