"""Mechanistic probes in a study: found while training or afterwards on kept weights, the same rows either way."""

import dataclasses
import shutil

import pytest

from study.plan.plan import PlannedRun, plan_runs
from study.plan.write import write
from study.spec import StudySpec
from study.store.database import Store
from study.store.parts import write_probes
from study.train.probe import probe
from study.train.worker import train
from tests.support.studies import MACHINE, planned, run_cli, settings, small
from trainables.errors import SpecError
from trainables.examine import COLUMNS
from trainables.models import gpt2, transformer
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import composition

PROBES = ("logit_lens", "causal_tracing")
HORIZON, LOOKS = 200, (100, 200)
FOUND = "select run_id, step, probe, layer, position, metric, value from probes order by all"


def reasoning(**changes) -> StudySpec:
    base = RunSpec(
        task=composition.Task(entities=12, relations=6, out_degree=4, ratio=1.5, ood_fraction=0.1, test_fraction=0.1),
        model=gpt2.Model(layers=2, width=16, heads=2, dropout=0.1),
        optimizer=adamw.Optimizer(learning_rate=0.01),
        batch_size=16,
    )
    values = {"question": "Where is it?", "base": base, "axes": {"task.ratio": (1.0, 1.5)}, "seeds": 1, "name": "inner"}
    values |= {"horizon": HORIZON, "evaluations_per_decade": 8, "probes_per_decade": 2, "snapshots_per_decade": 2}
    return StudySpec(**(values | changes))


def trained(study: StudySpec, store: Store) -> None:
    for pack in planned(study, store).packs:
        train(pack, settings(store, observe=study.observation), "trial", lambda message: None)
    store.ingest()


@pytest.fixture(scope="module")
def looked(tmp_path_factory) -> Store:
    store = Store.open(tmp_path_factory.mktemp("looked"), write=True)
    trained(reasoning(probes=PROBES), store)
    return store


def test_findings_of_every_look_are_rows_of_the_store(looked):
    counts = "select step, probe, metric, count(*)::integer from probes group by all order by all"
    expected = [
        (step, "causal_tracing", metric, 2 * n) for step in LOOKS for metric, n in (("accuracy", 1), ("strength", 6))
    ]
    expected += [(step, "logit_lens", f"mrr_{name}", 2 * 9) for step in LOOKS for name in ("answer", "bridge", "r2")]
    assert sorted(looked.sql(counts).fetchall()) == sorted(expected)
    assert looked.sql("select min(value) >= 0 and max(value) <= 1 from probes").fetchall() == [(True,)]


def test_kept_weights_give_the_same_findings_later(looked, tmp_path):
    store = Store.open(tmp_path, write=True)
    trained(reasoning(), store)
    assert store.sql("select count(*)::integer from probes").fetchall() == [(0,)]
    assert probe(reasoning(), store, PROBES) == 4  # two runs at two steps; the last state is a snapshot, too
    assert store.sql(FOUND).fetchall() == looked.sql(FOUND).fetchall()
    parts = sorted((tmp_path / "parts/probes").iterdir())
    probe(reasoning(), store, PROBES)
    assert sorted((tmp_path / "parts/probes").iterdir()) == parts, "what was looked into is not looked into again"


def test_a_torn_snapshot_is_passed_over(looked, tmp_path):
    shutil.copytree(looked.path, tmp_path / "store")
    store = Store.open(tmp_path / "store", write=True)
    [path, *_] = sorted((tmp_path / "store/checkpoints/snapshots").glob("*/*.safetensors"))
    path.write_bytes(path.read_bytes()[:50])
    assert probe(reasoning(), store, PROBES) == 3


def test_a_later_look_at_the_same_state_replaces_the_earlier_and_a_rebuild_agrees(looked, tmp_path):
    shutil.copytree(looked.path, tmp_path / "store")
    store = Store.open(tmp_path / "store", write=True)
    [(run_id, *_), *_] = looked.sql(FOUND).fetchall()
    again = {
        name: [value] for name, value in zip(COLUMNS, (run_id, 100, "logit_lens", 0, "h", "mrr_r2", 0.125), strict=True)
    }
    write_probes(store.path, "zz-later", again)
    store.ingest()
    rows = store.sql(FOUND).fetchall()
    assert [row[3:] for row in rows if row[:3] == (run_id, 100, "logit_lens")] == [(0, "h", "mrr_r2", 0.125)]
    others = [row for row in looked.sql(FOUND).fetchall() if row[:3] != (run_id, 100, "logit_lens")]
    assert [row for row in rows if row[:3] != (run_id, 100, "logit_lens")] == others
    store.ingest(rebuild=True)
    assert store.sql(FOUND).fetchall() == rows


def test_a_study_says_at_once_that_its_runs_have_no_circuit():
    with pytest.raises(SpecError, match=r"probe 'logit_lens' looks for circuits, which 'modular' does not have"):
        small(probes=("logit_lens",))
    with pytest.raises(SpecError, match=r"probe 'logit_len' is not known. Did you mean 'logit_lens'"):
        reasoning(probes=("logit_len",))
    with pytest.raises(SpecError, match=r"probe 'weight_norm' is not known"):
        reasoning(probes=("weight_norm",))


def test_the_model_may_be_either_transformer():
    base = dataclasses.replace(reasoning().base, model=transformer.Model(width=8))
    assert reasoning(base=base, probes=PROBES).probes == PROBES


def test_a_search_is_known_by_its_name(tmp_path):
    store = Store.open(tmp_path / "store", write=True)
    asked = reasoning(
        axes={"task.ratio": (1.0, 1.5)},
        sampler="random",
        search={"over": {"task.ratio": "1:1.5"}, "runs": 2, "objective": None, "phases": [], "until_width": None},
        name="looked",
    )
    points = [{"task.ratio": 1.25}, {"task.ratio": 1.5}]
    runs = [PlannedRun(spec.run_id, spec, point) for point in points for spec in [asked.run(point, 0)]]
    plan = plan_runs(asked, runs, store, MACHINE)
    write(plan, store)
    for pack in plan.packs:
        train(pack, settings(store, observe=asked.observation), "trial", lambda message: None)
    store.ingest()
    done = run_cli("probe", "looked", "--store", store.path, "--probe", "logit_lens", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "looked: 4 states looked into; see `probes` or `study report looked`\n"
    assert {row[0] for row in store.sql(FOUND).fetchall()} == {run.run_id for run in runs}
    done = run_cli("probe", "loked", "--store", store.path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "Did you mean 'looked'" in done.stderr


def test_the_command_says_what_it_needs(tmp_path):
    done = run_cli("probe", "small_composition_ratio", "--store", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "has no saved states" in done.stderr
    assert "study run" in done.stderr
    done = run_cli("probe", "first_map", "--store", tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
