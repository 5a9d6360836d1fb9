"""Parts of a user's own: named by their module, known by their version and their source, taken to every worker, and
read without their code."""

import json
import sys
from pathlib import Path

import pytest

from study.check.preflight import preflight
from study.plan.plan import planned_runs
from study.plan.stored import find_study, runs_of, stored_study
from study.sources import install, sources_of
from study.spec import find
from study.store.database import Store
from study.store.studies import source_note, stored_sources
from study.train.worker import watched
from tests.support.own_parts import PARITY, elsewhere, own_study
from tests.support.studies import planned, run_cli, settings, trained_file
from trainables.errors import SpecError
from trainables.spec import RunSpec


@pytest.fixture(autouse=True)
def as_before():
    with elsewhere():
        yield


@pytest.fixture
def trained(tmp_path) -> tuple[Path, Store]:
    """The file and the store of a study that was trained, whose modules have gone from this process."""
    path = own_study(tmp_path / "mine")
    with elsewhere():
        store = trained_file(path, tmp_path / "store")
    return path, store


def test_parts_are_named_by_their_module_and_their_class(tmp_path):
    study = find(str(own_study(tmp_path)))
    data = study.base.to_json()
    assert [data[part]["name"] for part in ("task", "model", "optimizer")] == ["parity", "nets:Net", "adamw"]
    assert RunSpec.from_json(json.loads(json.dumps(data))) == study.base
    assert study.base.value("model") == "nets:Net"


def test_a_part_may_stand_in_the_study_file_itself(tmp_path):
    path = own_study(tmp_path)
    path.write_text(f"{PARITY}\n{path.read_text().replace('from parity import Task', '')}")
    assert find(str(path)).base.to_json()["task"]["name"] == "own"


def test_without_its_code_a_spec_has_the_same_id_and_nothing_is_imported(tmp_path):
    spec = find(str(own_study(tmp_path / "mine"))).base
    data, known = spec.to_json(), spec.run_id
    for name in ("parity", "nets", "scaling"):
        del sys.modules[name]
    (tmp_path / "hostile").mkdir()
    for name in ("parity", "nets"):
        (tmp_path / f"hostile/{name}.py").write_text("raise SystemExit('imported because a store names it')\n")
    sys.path.insert(0, str(tmp_path / "hostile"))
    read = RunSpec.from_json(data)
    assert read.run_id == known
    assert read.absent == ["task 'parity'", "model 'nets:Net'"]
    assert (
        read.with_values({"task.data_size": 50}).run_id
        == RunSpec.from_json(data | {"task": data["task"] | {"data_size": 50}}).run_id
    )
    assert not {"parity", "nets"} & set(sys.modules)


def test_a_name_in_a_spec_makes_nothing_but_a_dataclass_that_is_such_a_part(tmp_path):
    spec = find(str(own_study(tmp_path))).base.to_json()
    for name in ("subprocess:Popen", "os", "pathlib:Path", "study.spec:StudySpec", "parity:torch"):
        assert RunSpec.from_json(spec | {"task": {"name": name, "args": "true"}}).absent == [f"task {name!r}"]


def test_the_version_of_a_class_is_part_of_the_id(tmp_path):
    path = own_study(tmp_path)
    before = find(str(path)).base
    parity = tmp_path / "parity.py"
    parity.write_text(PARITY.replace("    n: int = 8", "    version = 2\n    n: int = 8"))
    after = find(str(path)).base
    assert after.run_id != before.run_id
    assert after.to_json()["task"]["version"] == 2
    assert RunSpec.from_json(before.to_json()).absent == ["task 'parity'"], "the code of this version is not here"
    assert RunSpec.from_json(before.to_json()).run_id == before.run_id
    parity.write_text(PARITY.replace("    n: int = 8", "    version: int = 1\n    n: int = 8"))
    as_field = find(str(path)).base
    assert RunSpec.from_json(as_field.to_json()) == as_field


def test_the_digest_is_of_what_the_modules_do_and_of_what_they_import(tmp_path):
    path = own_study(tmp_path)

    def digest() -> str | None:
        study = find(str(path))
        return sources_of(study).digest(study.base)

    first = digest()
    files = {name: tmp_path / f"{name}.py" for name in ("parity", "nets", "scaling", "own")}
    same = {
        "parity": lambda text: f'"""A task."""\n\n# {text.count("n")}\n{text}',
        "own": lambda text: text + "\nA = 1\n",
    }
    same["own"] = lambda text: text.replace("seeds=2", "seeds=3")
    for name, change in same.items():
        files[name].write_text(change(files[name].read_text()))
        assert digest() == first, name
    files["scaling"].write_text("SCALE = 0.31\n")
    assert digest() not in (first, None), "the model imports it"
    assert sources_of(find("first_map")).digests == {}


def test_a_study_of_the_package_has_no_sources_and_sends_none():
    assert sources_of(find("first_map")) == sources_of(find("small_composition_ratio"))


def test_what_travels_is_what_the_study_file_has_imported(tmp_path):
    path = own_study(tmp_path)
    (tmp_path / "unused.py").write_text("")
    (tmp_path / "mine.sql").write_text("select 1")
    study = find(str(path))
    sources = sources_of(study)
    assert sorted(sources.files) == ["mine.sql", "nets.py", "own.py", "parity.py", "scaling.py"]
    assert sources.modules == ("nets", "parity")
    assert {name for texts in sources.texts.values() for name in texts} == {"nets", "parity", "scaling"}


def test_a_worker_takes_the_files_and_says_with_its_node_what_it_cannot_import(tmp_path):
    path = own_study(tmp_path / "mine")
    with elsewhere():
        sources = sources_of(find(str(path)))
    with elsewhere():
        install(sources, tmp_path)
        assert Path(sys.modules["parity"].__file__ or "").parent.parent == tmp_path
        assert sys.path[-1] == str(Path(sys.modules["parity"].__file__ or "").parent), "behind what is installed"
    (tmp_path / "mine/scaling.py").write_text("import nothing_like_it\nSCALE = 1\n")
    broken = type(sources)(
        sources.digests, sources.texts, sources.files | {"scaling.py": b"import nothing_like_it"}, sources.modules
    )
    with elsewhere(), pytest.raises(SpecError, match=r"node \S+: module 'nets' cannot be imported .*nothing_like_it"):
        install(broken, tmp_path)


def test_reading_commands_need_no_code(trained, tmp_path):
    _, store = trained
    away = tmp_path / "away"
    away.mkdir()
    for name in ("parity", "nets"):
        (away / f"{name}.py").write_text("raise SystemExit('imported because a store names it')\n")
    calls = [
        ("status",),
        ("sql", "select task from runs"),
        ("phases", "own"),
        ("claims", "own"),
        ("report", "own"),
        ("show", "own"),
        ("plan", "own"),
        ("ingest",),
        ("show", "own", "--source"),
    ]
    for call in calls:
        done = run_cli(*call, "--store", store.path, PYTHONPATH=str(away))
        assert done.returncode == 0, (call, done.stderr)
        assert "imported because" not in done.stderr
    assert "class Net" in done.stdout, "the source is in the store"
    done = run_cli("run", "own", "--store", store.path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert (
        "study 'own' has parts of your own: task 'parity', model 'nets:Net'. A name alone imports nothing"
        in done.stderr
    )
    assert "as in own.py" in done.stderr


def test_a_stored_study_without_its_code_knows_its_runs(trained):
    _, store = trained
    study = stored_study(store, "own")
    assert study.absent == ["task 'parity'", "model 'nets:Net'"]
    assert len(runs_of(study, store)) == 4
    assert all(run.spec.run_id == run.run_id for run in runs_of(study, store))
    assert find_study("own", store.path).axes == {"task.data_size": [40, 120]}


def test_a_changed_line_is_told_and_a_raised_version_makes_new_runs_and_keeps_the_old(trained, tmp_path):
    path, store = trained
    [known] = stored_sources(store, "own")
    assert (known["runs"], known["modules"]) == (4, ["nets", "parity", "scaling"])
    assert source_note(store, "own") == source_note(store, "own", {known["digest"]: {}}) == ""
    (path.parent / "scaling.py").write_text("SCALE = 0.5\n")
    with elsewhere():
        study = find(str(path))
        line = source_note(store, "own", sources_of(study).texts)
    assert line.startswith("4 of 4 runs of own are of an older source of scaling: raise the `version`")
    assert line.endswith("`study run own.py --retrain`.")
    before = set(store.sql("select run_id from runs").fetchall())
    (path.parent / "parity.py").write_text(PARITY.replace("    n: int = 8", "    version = 2\n    n: int = 8"))
    with elsewhere():
        trained_file(path, store.path)
    assert set(store.sql("select run_id from runs").fetchall()) > before, "nothing old is lost"
    members = set(store.sql("select run_id from study_runs where study = 'own'").fetchall())
    assert len(members) == 4
    assert not members & before, "the study is of the newer version"
    opened = Store.open(store.path, write=True)
    opened.ingest(rebuild=True)
    assert set(opened.sql("select run_id from study_runs where study = 'own'").fetchall()) == members


def test_two_models_of_one_study_are_not_each_others_older_source(tmp_path):
    path = own_study(tmp_path / "mine")
    text = (tmp_path / "mine/nets.py").read_text().replace("torch.relu", "torch.tanh")
    (tmp_path / "mine/scaling.py").write_text(f"SCALE = 0.3\n{text.replace('from scaling import SCALE', '')}")
    axes = "axes={'model': ('nets:Net', 'scaling:Net')}"
    path.write_text(path.read_text().replace('axes={"task.data_size": (40, 120)}', axes))
    with elsewhere():
        store = trained_file(path, tmp_path / "store")
        current = sources_of(find(str(path))).texts
    assert {tuple(row["parts"][1:2]) for row in stored_sources(store, "own")} == {("nets:Net",), ("scaling:Net",)}
    assert source_note(store, "own") == source_note(store, "own", current) == ""


def test_the_ids_of_runs_do_not_depend_on_where_their_code_is(trained):
    path, store = trained
    with elsewhere():
        planned = {run.run_id for run in planned_runs(find(str(path)))}
    assert planned == {run_id for (run_id,) in store.sql("select run_id from runs").fetchall()}


MISTAKES = {
    "no dataclass": ("@dataclass(frozen=True, kw_only=True)\nclass Task", "class Task", "must be a frozen dataclass"),
    "not frozen": ("frozen=True, ", "", "must be a frozen dataclass"),
    "a member is missing": ("    chance_accuracy = 0.5\n", "", "has no 'chance_accuracy', which every task needs"),
    "unhashable": ("n: int = 8", "n: object = frozenset((8,))", "parity.n must be a number, text, None or a tuple"),
    "mutable default": ("n: int = 8", "n: list = [8]", "mutable default"),
    "text for a number": ("n: int = 8", "n: int = 'eight'", "parity.n must be a finite int, got 'eight'"),
    "a syntax error": ("class Task:", "class Task", "parity.py, line 10"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_part_is_one_line(tmp_path, mistake):
    path = own_study(tmp_path)
    old, new, line = MISTAKES[mistake]
    text = (tmp_path / "parity.py").read_text()
    assert old in text
    (tmp_path / "parity.py").write_text(text.replace(old, new))
    with pytest.raises(SpecError) as caught:
        find(str(path))
    assert "\n" not in str(caught.value)
    assert line in str(caught.value)


RETURN, BITS = "        return {\n", "        bits_NL"
SIZE = "num_train = property(lambda self: self.data_size)"
BROKEN = {
    "float labels": (".sum(1) % 2)", ".sum(1) % 2.0)", "targets of train are torch.float32: labels are whole numbers"),
    "a tuple": (RETURN, f"        return (1, 2)\n{RETURN}", "build(0) gives tuple: give a dictionary"),
    "a failing build": (BITS, f"        1 / 0\n{BITS}", "ZeroDivisionError: division by zero (parity.py, line"),
    "classes": (
        "num_classes = 2",
        "num_classes = 2\n    num_classes = 1",
        "labels of train go from 0 to 1, num_classes",
    ),
    "a leak": ("tensor[self.data_size :]", "tensor[self.data_size - 5 :]", "5 of 201 examples of test are in train"),
    "no seed": ('generator=generator("split", seed)', "", "build(3) gives other data when it is called again"),
    "sizes": (SIZE, "num_train = 7", "num_train is 7, train has 60 examples"),
}


@pytest.mark.parametrize("mistake", BROKEN)
def test_data_that_cannot_be_right_are_refused_before_any_work(tmp_path, mistake):
    path = own_study(tmp_path)
    old, new, line = BROKEN[mistake]
    text = (tmp_path / "parity.py").read_text()
    assert old in text
    (tmp_path / "parity.py").write_text(text.replace(old, new))
    with elsewhere(), pytest.raises(SpecError) as caught:
        preflight(find(str(path)))
    assert str(caught.value).startswith("task 'parity': ")
    assert line in str(caught.value)
    assert str(caught.value).endswith(" `study check` with its file looks at more.")


def test_a_model_with_outputs_of_another_shape_is_refused_before_any_work(tmp_path):
    path = own_study(tmp_path)
    nets = tmp_path / "nets.py"
    nets.write_text(nets.read_text().replace("task.num_classes, generator", "task.num_classes + 1, generator"))
    done = run_cli("plan", path, "--store", tmp_path / "store")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "model 'nets:Net': logits of" in done.stderr
    with elsewhere():
        preflight(find(str(own_study(tmp_path / "whole"))))
    preflight(find("first_map"))


def test_a_model_that_fails_is_one_line_with_its_place_before_any_training(tmp_path):
    path = own_study(tmp_path)
    (tmp_path / "nets.py").write_text((tmp_path / "nets.py").read_text().replace("@ self.out", "@ self.outt"))
    said = {
        "show": "model 'nets:Net' does not take an example of task 'parity': Attr",
        "plan": "model 'nets:Net': Attr",
    }
    for call, begins in (*said.items(), ("run", said["plan"])):
        done = run_cli(call, path, "--store", tmp_path / "store")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert done.stderr.startswith(
            f"study: {begins}ibuteError: 'Module' object has no attribute 'outt' (nets.py, line 23)"
        )


def test_an_error_of_a_users_code_in_a_worker_names_its_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a worker writes the files into the folder where it is
    path, said = own_study(tmp_path / "mine"), list[dict]()
    parity, begins = tmp_path / "mine/parity.py", "    def build(self, seed):\n"
    parity.write_text(parity.read_text().replace(begins, f"{begins}        1 / (seed - 1)\n"))
    with elsewhere():
        study, store = find(str(path)), Store.open(tmp_path / "store", write=True)
        failing = [pack for pack in planned(study, store, pack_size=1).packs if pack.specs[0].data_seed == 1]
        watched(failing[0], settings(store, sources=sources_of(study)), "trial", said.append)
    error = "ZeroDivisionError: division by zero (parity.py, line 20); `study check` with that file says more"
    assert said[-1]["error"] == error


def test_a_part_in_a_notebook_or_inside_a_function_is_refused_with_the_mend(tmp_path):
    spec = find(str(own_study(tmp_path))).base
    kind = type(spec.task)
    in_notebook = type("Task", (kind,), {"__module__": "__main__"})
    with pytest.raises(SpecError, match=r"defined in a notebook or a script.*%%writefile my_task.py"):
        RunSpec(task=in_notebook(), model=spec.model, optimizer=spec.optimizer)
    inside = type("Task", (kind,), {"__module__": "parity", "__qualname__": "make.<locals>.Task"})
    with pytest.raises(SpecError, match="defined inside a function"):
        RunSpec(task=inside(), model=spec.model, optimizer=spec.optimizer)


def test_a_file_that_an_installed_module_hides_is_told_before_any_work(tmp_path):
    path = own_study(tmp_path)
    (tmp_path / "parity.py").rename(tmp_path / "pytest.py")
    path.write_text(path.read_text().replace("from parity", "from pytest"))
    with pytest.raises(SpecError, match=r"pytest.py' hides the module 'pytest'"):
        find(str(path))


@pytest.mark.ray
def test_workers_train_a_users_parts_and_train_them_again_when_they_have_changed(tmp_path):
    path, store = own_study(tmp_path / "mine"), tmp_path / "store"
    words = ("run", path, "--store", store, "--compile", "off", "--pack-size", 2)
    done = run_cli(*words)
    assert done.returncode == 0, done.stderr
    (tmp_path / "mine/scaling.py").write_text("SCALE = 0.5\n")
    done = run_cli(*words)
    assert "4 of 4 runs of own are of an older source" in done.stderr
    before = Store.open(store).sql("select * from metrics order by all").fetchall()
    done = run_cli(*words, "--retrain")
    assert (done.returncode, "older source" in done.stderr) == (0, False), done.stderr
    opened = Store.open(store)
    tried = opened.sql(
        "select attempt, count(*), count(distinct source) from attempts group by 1 order by 1"
    ).fetchall()
    assert tried == [(1, 4, 1), (2, 4, 1)]
    assert len(stored_sources(opened, "own")) == 1
    after = opened.sql("select * from metrics order by all").fetchall()
    assert len(after) == len(before)
    assert after != before
    done = run_cli(*words, "--retrain")
    assert opened.sql("select count(*)::integer from attempts").fetchall() == [(8,)], "they are of this source already"
