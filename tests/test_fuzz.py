"""Whatever is written into a spec, a study file, a query, an axis, a part or a checkpoint: one line says what is wrong.

Examples are drawn, and always the same ones. `STUDY_FUZZ=1000 pytest tests/test_fuzz.py` draws so many others of each.
"""

import copy
import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from study.plan.extend import chosen_runs
from study.plan.stored import stored_study
from study.search.request import make_search
from study.spec import StudySpec, find
from study.store import parts as recorder
from study.store.database import Store
from study.store.errors import StoreError
from study.store.part_file import ABOUT, encoded
from study.store.parts import Recorder, write_plan
from tests.support.parts import PROVENANCE, A, RunId, invented, losses, plan_row, state
from tests.support.runs import mlp_run, transformer_run
from trainables import checkpoint
from trainables.errors import SpecError
from trainables.spec import RunSpec

NUMBER = int(os.environ.get("STUDY_FUZZ", "0"))


def drawn(examples: int) -> settings:
    return settings(
        max_examples=NUMBER or examples,
        derandomize=not NUMBER,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


ODD = ["", "..", "../x", "a/b", "\0", "'", '"', "</script>", "\n", "é", "𝔘", "%s", "{}", "null", "x" * 2000]
TEXT = st.sampled_from(ODD) | st.text(max_size=20)
SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-3, 10**6)
    | st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**400, 1e308, math.inf, -math.inf, math.nan, -0.0])
    | st.floats()
    | TEXT
)
JSON = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """The path of every value inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, inner in inside for place in places(inner, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """A JSON value with one to three changes: something else, something more, something less."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([place for place in places(value) if place] or [()]))
        if not path:
            return draw(JSON)
        owner = value
        for key in path[:-1]:
            owner = owner[key]
        change = draw(st.sampled_from(["other", "more", "less"]))
        if change == "less":
            del owner[path[-1]]
        elif change == "more" and isinstance(owner, dict):
            owner[draw(TEXT)] = draw(JSON)
        else:
            owner[path[-1]] = draw(JSON)
    return value


def one_line(error: BaseException, names: str = "") -> None:
    assert str(error)
    assert names in str(error)
    assert "\n" not in str(error), str(error)


RUNS = [mlp_run().to_json(), transformer_run().to_json()]
STUDY = StudySpec(question="?", base=mlp_run(), axes={"model.width": (4, 8)}, seeds=2, horizon=100).to_json()


# Specs.


@drawn(150)
@given(st.one_of(JSON, *[mutated(run) for run in RUNS]))
def test_a_run_from_any_json_is_a_run_or_a_spec_error(data):
    try:
        spec = RunSpec.from_json(data)
    except SpecError as error:
        one_line(error)
        return
    assert RunSpec.from_json(json.loads(json.dumps(spec.to_json()))).run_id == spec.run_id


@drawn(100)
@given(st.one_of(JSON, mutated(STUDY)))
def test_a_study_from_any_json_is_a_study_or_a_spec_error(data):
    try:
        spec = StudySpec.from_json(data, "s")
    except SpecError as error:
        one_line(error)
        return
    assert StudySpec.from_json(json.loads(json.dumps(spec.to_json())), "s").to_json() == spec.to_json()


LINES = ["STUDY = 1", "import study", "import nowhere", "1 / 0", "def f(:", "raise SystemExit(3)", "x = '''", "\tx",
         "raise KeyboardInterrupt", "from study.spec import StudySpec", "STUDY = StudySpec()", "assert False, 'a\\nb'",
         "def f(): f()", "f()", "raise Exception", "class E(BaseException): ...", "raise E", "é = 1", "\0"]  # fmt: skip


@drawn(80)
@given(st.lists(st.sampled_from(LINES) | st.text(max_size=30), max_size=4))
def test_any_text_as_a_study_file_is_a_spec_error_that_names_the_file(lines):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "my_study.py")
        path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
        try:
            find(str(path))
        except SpecError as error:
            one_line(error, "my_study.py")
        except KeyboardInterrupt:
            assert "raise KeyboardInterrupt" in lines


# Words of the command line.

PATHS = ["task.p", "task.train_fraction", "optimizer", "optimizer.weight_decay", "model.width", "seed", "loss", "task"]
FORM = st.lists(
    st.sampled_from(
        [":", ":", ",", "log", "int", "0.3", "1", "0", "-1", "7", "1e999", "nan", "true", "none", "adamw", "sgd"]
    )
    | st.text(max_size=4),
    min_size=1,
    max_size=6,
).map("".join)
AXIS = st.builds("{}={}".format, st.sampled_from(PATHS), FORM)
AXES = st.lists(AXIS | FORM | st.builds("{} if {}".format, AXIS, AXIS), min_size=1, max_size=3)


@drawn(300)
@given(AXES)
def test_any_axes_make_a_search_or_a_spec_error(texts):
    try:
        make_search("modular", texts, sampler="boundary", runs=8, name="x")
    except SpecError as error:
        one_line(error)


# The store.


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    path = tmp_path_factory.mktemp("store")
    spec = mlp_run()
    write_plan(path, "s", STUDY, [plan_row(RunId(spec.to_json()))])
    Recorder(path, "pack", PROVENANCE).flush(losses(spec.run_id, range(5)), [state(spec.run_id, steps=4)])
    store = Store.open(path, write=True)
    assert not store.ingest().skipped
    return store


SIMPLE = "select * from runs where metrics 1 'x' ( ) , ; -- /* begin commit pragma explain with as recursive ? $a ="
WORDS = [*SIMPLE.split(), "describe", "call", "values", "\0", "null", "count(*)", "range(3)", "unnest",
         "delete from runs", "getenv('HOME')", "union all", "read_text('/etc/hostname')", "attach ':memory:'", "copy",
         "to '/tmp/x'", "create temp table t as", "set threads = 1", "group by all", "order by", "limit 1"]  # fmt: skip


@drawn(80)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=8).map(" ".join))
def test_any_query_has_rows_or_a_store_error_and_changes_nothing(store, text):
    before = (store.path / "study.duckdb").read_bytes()
    try:
        store.sql(text)
    except StoreError as error:
        one_line(error)
    assert (store.path / "study.duckdb").read_bytes() == before


@drawn(40)
@given(st.lists(st.sampled_from([*WORDS, "phase", "seed"]) | st.text(max_size=4), min_size=1, max_size=6).map(" ".join))
def test_any_condition_of_extend_chooses_runs_or_is_a_spec_error(store, text):
    try:
        chosen_runs(store, stored_study(store, "s"), text)
    except SpecError as error:
        one_line(error)


# Parts.


@pytest.fixture(scope="module")
def parts(tmp_path_factory) -> dict[str, bytes]:
    """A part of each kind."""
    path = tmp_path_factory.mktemp("parts")
    write_plan(path, "s", STUDY, [plan_row(invented(str(i))) for i in range(3)])
    recorder_ = Recorder(path, "pack", PROVENANCE)
    recorder_.flush(losses("a", range(30)), [state("a", steps=29)])
    found = {"run_id": "a", "step": 1, "probe": "p", "layer": 0, "position": "h", "metric": "m", "value": 1.0}
    recorder_.flush_findings({name: [value] for name, value in found.items()})
    names = {"plan": "plan/*", "metrics": "pack/0*", "probes": "pack/probes*"}
    return {kind: next((path / "parts").glob(name)).read_bytes() for kind, name in names.items()}


KINDS = st.sampled_from(["plan", "metrics", "probes"])


def check_ingest(contents: list[bytes]) -> None:
    """With these files beside good ones, ingest does not raise, brings the good ones in and lists the others."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        Recorder(path, "good", PROVENANCE).flush(losses(A, range(3)), [state(A, steps=2)])
        write_plan(path, "good", {"question": "?"}, [plan_row(A)])
        (path / "parts/bad").mkdir()
        for number, content in enumerate(contents):
            (path / f"parts/bad/{number:04d}-000001.parquet").write_bytes(content)
        store = Store.open(path, write=True)
        report = store.ingest()
        assert report.parts + len(report.skipped) == 2 + len(contents)
        assert all(name.startswith("bad/") for name, _ in report.skipped)
        for _, reason in report.skipped:
            assert reason
            assert "\n" not in reason
        assert report.busy is None
        good = f"select status, (select count(*) from metrics where run_id = '{A}') from runs where run_id = '{A}'"
        assert store.sql(good).fetchall() == [("running", 3)]
        for table in ("outcomes", "phases", "cells", "curves", "attempts", "probes"):
            store.sql(f"from {table}")
        assert store.ingest().parts == 0


def change_bytes(content: bytes, changes: list[tuple[str, int, int]]) -> bytes:
    for kind, where, value in changes:
        place = where % max(1, len(content))
        if kind == "flip" and content:
            content = content[:place] + bytes([content[place] ^ (1 + value % 255)]) + content[place + 1 :]
        elif kind == "cut":
            content = content[:place]
        elif kind == "double":
            content = content[:place] + content[place : place + value] * 2 + content[place + value :]
        elif kind == "zero":
            content = content[:place] + bytes(len(content[place : place + value])) + content[place + value :]
    return content


CHANGES = st.lists(
    st.tuples(st.sampled_from(["flip", "flip", "cut", "double", "zero"]), st.integers(0, 10**6), st.integers(1, 300)),
    min_size=1,
    max_size=3,
)


@drawn(3)
@given(st.data())
def test_parts_with_changed_bytes_go_in_or_are_listed(parts, data):
    check_ingest([change_bytes(parts[data.draw(KINDS)], data.draw(CHANGES)) for _ in range(20)])


@drawn(3)
@given(st.data())
def test_parts_that_say_other_things_of_themselves_go_in_or_are_listed(parts, data):
    contents = []
    for _ in range(10):
        table = pq.read_table(pa.BufferReader(parts[data.draw(KINDS)]))
        about = data.draw(mutated(json.loads((table.schema.metadata or {})[ABOUT])))
        if isinstance(about, dict):
            contents.append(encoded(table, about))
        else:
            contents.append(written(table.replace_schema_metadata({ABOUT: json.dumps(about)})))
    check_ingest(contents)


@drawn(2)
@given(st.data())
def test_parts_with_other_columns_go_in_or_are_listed(parts, data):
    contents = []
    for _ in range(6):
        table = pq.read_table(pa.BufferReader(parts[data.draw(KINDS)]))
        place = data.draw(st.integers(0, table.num_columns - 1))
        values = data.draw(st.one_of(*[st.lists(kind, min_size=len(table), max_size=len(table)) for kind in (
            st.none(), TEXT, st.integers(-(2**63), 2**63 - 1), st.floats(), st.booleans(), st.binary(max_size=4),
            st.lists(st.integers(0, 3), max_size=2),
        )]))  # fmt: skip
        name, about = table.column_names[place], json.loads((table.schema.metadata or {})[ABOUT])
        try:
            column = pa.array(values)
            contents.append(encoded(table.set_column(place, name, column), about))
        except (pa.ArrowInvalid, UnicodeEncodeError):  # no writer can make it
            continue
        contents.append(encoded(table.drop_columns([name]), about))
        contents.append(encoded(table.append_column(name, column), about))
    check_ingest(contents)


def written(table: pa.Table) -> bytes:
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    return buffer.getvalue().to_pybytes()


@drawn(30)
@given(TEXT, TEXT)
def test_no_name_leads_out_of_the_store(study, pack):
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "a", "store")
        for write in (
            lambda: write_plan(store, study, {}, [plan_row(A)]),
            lambda: Recorder(store, pack, PROVENANCE).flush({}, [state(A)]),
            lambda: recorder.last_states(store, pack),
        ):
            try:
                write()
            except SpecError as error:
                one_line(error)
        outside = [path for path in Path(folder).rglob("*.parquet") if store / "parts" not in path.parents]
        assert outside == []


# Checkpoints.


SAVED = {"weights": [[0.5, -1.0, 2.0, 0.0, 1.0], [1.0, 2.0, 3.0, 4.0, 5.0]], "step": [3, -1]}


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> bytes:
    import torch

    path = tmp_path_factory.mktemp("checkpoint") / "c.safetensors"
    tensors = {"weights": torch.tensor(SAVED["weights"]), "step": torch.tensor(SAVED["step"])}
    checkpoint.save(path, checkpoint.Checkpoint(["a", "b"], 7, tensors))
    return path.read_bytes()


def check_checkpoint(content: bytes) -> None:
    """Whatever can be read is what was written, bit for bit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "c.safetensors")
        path.write_bytes(content)
        for read in (checkpoint.about, checkpoint.load):
            try:
                found = read(path)
            except checkpoint.CheckpointError as error:
                one_line(error)
            else:
                run_ids, step = found if isinstance(found, tuple) else (found.run_ids, found.step)
                assert (run_ids, step) == (["a", "b"], 7)
                if isinstance(found, checkpoint.Checkpoint):
                    assert {name: tensor.tolist() for name, tensor in found.tensors.items()} == SAVED


@drawn(100)
@given(CHANGES)
def test_a_checkpoint_with_changed_bytes_is_read_or_is_a_checkpoint_error(saved, changes):
    check_checkpoint(change_bytes(saved, changes))


@drawn(100)
@given(st.data())
def test_a_checkpoint_with_another_header_is_read_or_is_a_checkpoint_error(saved, data):
    length = int.from_bytes(saved[:8], "little")
    header = data.draw(mutated(json.loads(saved[8 : 8 + length])))
    text = json.dumps(header).encode("utf-8", "replace")
    check_checkpoint(len(text).to_bytes(8, "little") + text + saved[8 + length :])


@drawn(60)
@given(JSON | st.sampled_from(["[" * 100_000, "[1, 2]", '{"a": 1, "b": 2}', '["a"]', '["a", "a"]']), SCALAR)
def test_a_checkpoint_of_other_runs_is_read_or_is_a_checkpoint_error(saved, run_ids, step):
    length = int.from_bytes(saved[:8], "little")
    header = json.loads(saved[8 : 8 + length])
    header["__metadata__"] |= {
        "step": str(step),
        "run_ids": run_ids if isinstance(run_ids, str) else json.dumps(run_ids),
    }
    text = json.dumps(header).encode("utf-8", "replace")
    check_checkpoint(len(text).to_bytes(8, "little") + text + saved[8 + length :])
