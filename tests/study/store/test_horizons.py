"""A result belongs to a horizon: what a run was there is a fact that no later step takes back."""

import pytest

import analysis
from analysis.claim_check import ended_runs
from study.store.database import Store
from study.store.parts import Recorder, write_plan
from study.store.status import standing_rows, status_rows
from tests.support.parts import PROVENANCE, A, B, invented, plan_row, state
from trainables.errors import SpecError

RUNS = tuple(invented(name) for name in "abcdefgh")
PHASES = "select phase, count(*)::integer from phases where definition = 'unified' group by 1 order by 1"


def curves(run_id: str, attempt: int, steps: list[int], generalizes_at: int | None = None) -> dict[str, list]:
    """All training data is fitted from step 10 on, the test split from `generalizes_at` on."""
    rows = [
        (run_id, attempt, step, split, "accuracy", float(at is not None and step >= at))
        for step in steps
        for split, at in (("train", 10), ("test", generalizes_at))
    ]
    return dict(
        zip(("run_id", "attempt", "step", "split", "metric", "value"), map(list, zip(*rows, strict=True)), strict=True)
    )


def planned(folder, horizon: int, runs=RUNS, study: str = "s", **spec) -> None:
    rows = [plan_row(run_id, horizon=horizon, chance_accuracy=0.1) for run_id in runs]
    write_plan(folder, study, {"question": "?", "axes": {"x": [1]}, "horizon": horizon, **spec}, rows)


def trained(folder, run_id: str, steps: list[int], attempt: int = 1, at: int | None = None, **facts) -> None:
    """One try at a run, as a pack of its own."""
    facts = {"status": "finished", "steps": steps[-1], "horizon": steps[-1]} | facts
    Recorder(folder, f"pack_{run_id}", PROVENANCE).flush(
        curves(run_id, attempt, steps, at), [state(run_id, attempt, **facts)]
    )


def ingested(folder) -> Store:
    store = Store.open(folder, write=True)
    assert not store.ingest().skipped
    return store


@pytest.fixture
def folder(tmp_path):
    """Eight runs that memorize up to step 1000."""
    planned(tmp_path, 1000)
    for run_id in RUNS:
        trained(tmp_path, run_id, [0, 10, 100, 1000])
    return tmp_path


def told(store: Store) -> list:
    """What a study says of its runs: outcomes, cells and curves."""
    texts = (
        "from outcomes order by all",
        "select * from cells where study = 's' order by all",
        "from curves order by run_id, step",
        PHASES,
    )
    return [store.sql(text).fetchall() for text in texts]


@pytest.mark.parametrize("end", [{"status": "running"}, {"status": "failed", "error": "out of memory"}])
def test_an_interrupted_extension_takes_nothing_back(folder, end):
    before = told(ingested(folder).of("s"))
    assert before[-1] == [("memorization", 8)]
    planned(folder, 1500, RUNS[:4])
    for run_id in RUNS[:4]:
        trained(folder, run_id, [1100, 1200], attempt=2, at=1150, **end)
    store = ingested(folder)
    for judged in (store.of("s"), store.of("s", 1000)):
        assert told(judged) == before
    assert store.sql(PHASES).fetchall() == [("memorization", 8)]
    assert store.sql("select max(step) from curves").fetchall() == [(1200,)], "nothing is thrown away either"
    [status], standing = status_rows(store, None), standing_rows(store, "s")
    assert [status[key] for key in ("runs", "finished", "earlier", "running")] == [8, 4, 4, 0]
    found = [(row["status"], row["horizon"], row["planned_horizon"], row["runs"]) for row in standing]
    assert found == [("finished", 1000, 1000, 4), ("finished", 1000, 1500, 4)]
    assert len(ended_runs(store, "s", 1000)) == 8


def test_an_attempt_that_starts_over_takes_nothing_back(folder):
    before = told(ingested(folder).of("s"))
    planned(folder, 1500)
    trained(folder, A, [0, 10, 100, 200], attempt=2, at=150, status="failed", error="e")
    assert told(ingested(folder).of("s")) == before


def test_runs_that_went_further_are_judged_there_and_at_the_earlier_horizon_as_before(folder):
    before = told(ingested(folder).of("s"))
    planned(folder, 1500, RUNS[:4])
    for run_id in RUNS[:4]:
        trained(folder, run_id, [1100, 1500], attempt=2, at=1100)
    store = ingested(folder)
    assert store.of("s").sql(PHASES).fetchall() == [("grokking", 4), ("memorization", 4)]
    assert store.sql("select horizon, count(*)::integer from study_outcomes group by 1 order by 1").fetchall() == [
        (1000, 4),
        (1500, 4),
    ]
    assert told(store.of("s", 1000)) == before
    subtitles = [
        " ".join(analysis.phase_diagram(judged, "s").to_dict()["title"]["subtitle"].split())
        for judged in (store, store.of("s", 1000))
    ]
    assert ["horizons 1,000 to 1,500 steps" in subtitles[0], "horizon 1,000 steps" in subtitles[1]] == [True, True]
    store.ingest(rebuild=True)
    assert told(store.of("s", 1000)) == before


def test_any_earlier_step_is_a_horizon(folder):
    store = ingested(folder)
    assert store.of("s", 100).sql("select distinct horizon, status, train_step_90 from outcomes").fetchall() == [
        (100, "finished", 10)
    ]
    assert store.of("s", 9).sql(PHASES).fetchall() == [("confusion", 8)]
    with pytest.raises(SpecError, match="horizon must be 1 or larger, got 0"):
        store.of("s", 0)
    assert store.of("s", 2000).sql(PHASES).fetchall() == [("unresolved", 8)]


def test_a_run_is_judged_in_each_study_at_the_horizon_of_that_study(folder):
    planned(folder, 5000, study="longer")
    for run_id in RUNS:
        trained(folder, run_id, [2000, 5000], attempt=2, at=2000)
    store = ingested(folder)
    assert store.of("s").sql(PHASES).fetchall() == [("memorization", 8)]
    assert store.of("longer").sql(PHASES).fetchall() == [("grokking", 8)]
    cells = "select study, phase, runs from cells where definition = 'unified' order by 1"
    assert store.sql(cells).fetchall() == [("longer", "grokking", 8), ("s", "memorization", 8)]


def test_a_run_that_another_study_has_finished_is_not_finished_here_before_its_horizon(folder):
    planned(folder, 5000, study="longer")
    store = ingested(folder)
    assert store.of("longer").sql(PHASES).fetchall() == [("unresolved", 8)]
    assert store.of("longer").sql("select distinct status from outcomes").fetchall() == [("planned",)]


def test_a_stop_at_generalization_is_an_end_only_where_the_study_stops_there(tmp_path):
    planned(tmp_path, 1000, [A], study="stops", leave_when_generalized=True)
    planned(tmp_path, 1000, [A], study="goes_on", leave_when_generalized=False)
    trained(tmp_path, A, [0, 10, 300], at=100, stop_reason="generalized")
    store = ingested(tmp_path)
    assert store.of("stops").sql(PHASES).fetchall() == [("grokking", 1)]
    assert store.of("goes_on").sql(PHASES).fetchall() == [("unresolved", 1)]
    trained(tmp_path, A, [400], attempt=2, at=100, status="failed", error="e")
    assert ingested(tmp_path).of("stops").sql(PHASES).fetchall() == [("grokking", 1)]


def test_a_run_that_diverged_is_finished_at_every_later_horizon_and_went_on_at_earlier_ones(tmp_path):
    planned(tmp_path, 1000, [A])
    trained(tmp_path, A, [0, 10, 300], stop_reason="diverged")
    store = ingested(tmp_path)
    states = [
        store.of("s", horizon).sql("select status, stop_reason, horizon from outcomes").fetchall()
        for horizon in (200, 1000, 3000)
    ]
    assert states == [[("finished", "horizon", 10)], [("finished", "diverged", 300)], [("finished", "diverged", 300)]]


def test_a_pruned_run_is_no_outcome_and_one_that_was_pruned_on_its_way_further_stays_what_it_was(tmp_path):
    planned(tmp_path, 1000, [A, B])
    trained(tmp_path, A, [0, 10, 300], stop_reason="pruned")
    trained(tmp_path, B, [0, 10, 1000])
    planned(tmp_path, 2000, [B])
    trained(tmp_path, B, [1200], attempt=2, stop_reason="pruned")
    store = ingested(tmp_path)
    phases = "select run_id, phase from phases where definition = 'unified' order by 1"
    assert store.of("s").sql(phases).fetchall() == sorted([(A, "unresolved"), (B, "memorization")])
    assert [run["run_id"] for run in ended_runs(store, "s", 1000)] == [B]


def test_claims_read_passages_up_to_their_horizon(folder):
    planned(folder, 5000)
    trained(folder, A, [2000, 5000], attempt=2, at=2000)
    runs = {run["run_id"]: run for run in ended_runs(ingested(folder), "s", 1000)}
    assert len(runs) == 8
    assert (runs[A]["test_step_95"], runs[A]["horizon"]) == (None, 1000)
