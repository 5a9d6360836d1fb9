"""Makes `store_v1`: a small store as it was written before parts and checkpoints had digests, and what it held.

    git worktree add OLD 79f25c4 && cd OLD
    PYTHONPATH=. python .../tests/data/make_store_v1.py FOLDER

Two runs are trained to step 60; `rows.json` has the tables that the code of that time made of them.
"""

import json
import shutil
import sys
from pathlib import Path

from study.store.database import Store
from study.store.parts import write_probes
from tests.support.studies import small, trained
from trainables.examine import COLUMNS

TABLES = {
    "run_specs": "select run_id, spec, task, data_size, num_params from run_specs order by all",
    "study_runs": "select study, run_id, point, horizon, pack_id from study_runs order by all",
    "attempts": "select run_id, attempt, status, stop_reason, steps from attempts order by all",
    "metrics": "select run_id, step, split, metric, value, attempt from metrics order by all",
    "probes": "select run_id, step, probe, layer, position, metric, value from probes order by all",
}


def main(folder: Path) -> None:
    store = Store.open(folder, write=True)
    plan = trained(small(), store, limit=2)
    rows = [(run.run_id, 60, "logit_lens", 1, "h", "mrr_answer", 0.25) for run in plan.runs]
    findings = {column: list(values) for column, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)}
    write_probes(store.place, "found", findings)
    assert not store.ingest().skipped
    held = {name: store.sql(query).fetchall() for name, query in TABLES.items()}
    (folder / "rows.json").write_text(json.dumps(held))
    for name in ("study.duckdb", ".lock"):
        (folder / name).unlink()
    shutil.rmtree(folder / "rungs", ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
