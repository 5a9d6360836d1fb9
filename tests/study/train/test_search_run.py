"""`study search` and `study extend` with a real Ray: a search that is killed goes on without repeating a run."""

import re

import pytest

from study.store.database import Store
from tests.support.driver import Driver, wait_for
from tests.support.studies import run_cli, study_file

pytestmark = pytest.mark.ray

WORDS = ["--over", "optimizer.weight_decay=0.1:10:log", "--sampler", "tpe", "--runs", 12, "--name", "looked",
         "--pack-size", 2, "--compile", "off", "--flush-seconds", 0.2]  # fmt: skip


def test_a_search_that_is_killed_goes_on_and_is_extended(tmp_path):
    study, store = study_file(tmp_path, horizon=600), tmp_path / "store"
    with Driver(study, store, *WORDS, call="search") as driver:
        assert wait_for(lambda: driver.num_finished() >= 2)
    opened = Store.open(store, write=True)
    opened.ingest()
    before = opened.sql("select run_id from runs where status = 'finished'").fetchall()
    assert 2 <= len(before) < 12
    done = run_cli("search", study, "--store", store, *WORDS)
    assert done.returncode == 0, done.stderr
    ended, came_of_it = done.stdout.splitlines()
    assert ended == "looked: the budget of 12 runs is spent."
    assert came_of_it.startswith("looked: all 12 runs are in; unified: ")
    taken_over, *lines = done.stderr.splitlines()
    assert "taken over from process" in taken_over
    assert all(re.match(r"looked: \d+/12 runs - ", text) for text in lines), done.stderr
    rows = opened.sql("select status, count(*)::integer, count(distinct run_id)::integer from runs group by all")
    assert rows.fetchall() == [("finished", 12, 12)]
    tries = dict(opened.sql("select run_id, count(*)::integer from attempts group by run_id").fetchall())
    assert {tries[run_id] for (run_id,) in before} == {1}
    again = run_cli("search", study, "--store", store, *WORDS)
    assert (again.returncode, again.stderr) == (0, "")
    longer = run_cli("extend", "looked", "--store", store, "--horizon", 700, "--where", "weight_decay > 1",
                     "--compile", "off")  # fmt: skip
    assert longer.returncode == 0, longer.stderr
    steps = opened.sql("select distinct weight_decay > 1, steps::integer from runs order by 1").fetchall()
    assert steps == [(False, 600), (True, 700)]
    starts = opened.sql("select seconds from timings where span = 'start'").fetchall()
    assert len(starts) == 2, "of the search that went on, and of `extend`"
    assert min(starts) > (0.1,), "Python's own start is part of it"
