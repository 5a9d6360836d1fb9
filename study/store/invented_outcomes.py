"""The columns of `outcomes`, and a few invented rows: what a phase definition is tried on before there are runs."""

from contextlib import closing
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from study.store.derived import make_tables
from study.store.levels import LEVELS, SPLITS
from study.store.views import view_statements

REACHED = {f"train_step_{level}": 10 for level in LEVELS.values()}
FINISHED = {"status": "finished", "stop_reason": "horizon", "label_corruption": 0.0, "chance_accuracy": 0.05,
            "horizon": 1000, "num_tested": 11, "censored": True}  # fmt: skip
FITTED = FINISHED | REACHED | {"final_train_accuracy": 1.0, "final_test_accuracy": 0.05, "max_test_accuracy": 0.05}
ANSWERED = {"censored": False, "final_test_accuracy": 1.0, "max_test_accuracy": 1.0, "final_test_sd": 0.0,
            "train_accuracy_at_test_onset": 1.0}  # fmt: skip
ROWS: dict[str, dict[str, Any]] = {
    "a run that memorizes": FITTED,
    "a run that generalizes": FITTED | ANSWERED | {f"test_step_{level}": 500 for level in LEVELS.values()},
    "a run that generalizes on its ood split": FITTED | ANSWERED | {"final_ood_accuracy": 1.0}
    | {f"{split}_step_{level}": 500 for split in SPLITS for level in LEVELS.values()},
    "a run that fits nothing": FINISHED | {f"final_{split}_accuracy": 0.05 for split in SPLITS},
    "a run that is not finished": {"status": "running", "censored": True, "chance_accuracy": 0.05},
    "a run that has failed": {"status": "failed", "censored": True, "chance_accuracy": 0.05},
    "a run whose answers are numbers": {"status": "finished", "stop_reason": "horizon", "horizon": 1000},
}  # fmt: skip
"""The runs that a definition is tried on. What is not said is NULL."""


@cache
def outcome_columns() -> tuple[tuple[str, str], ...]:
    """Names and types of the columns of `outcomes`, in their order."""
    with closing(duckdb.connect()) as connection:
        make_tables(connection)
        for source, statement in view_statements().items():
            connection.execute(statement)
            if source.endswith("outcomes.sql"):
                break
        rows = connection.execute("select column_name, column_type from (describe outcomes)").fetchall()
    return tuple(rows)


def invented_outcomes() -> pa.Table:
    """The outcomes of ROWS, whose run ids say what they are."""
    with closing(duckdb.connect()) as connection:
        kinds = ", ".join(f'"{name}" {kind}' for name, kind in outcome_columns())
        connection.execute(f"create table outcomes ({kinds})")
        for run_id, facts in ROWS.items():
            row = {"run_id": run_id, **facts}
            names, marks = ", ".join(row), ", ".join("?" for _ in row)
            connection.execute(f"insert into outcomes ({names}) values ({marks})", list(row.values()))
        return connection.sql("from outcomes").to_arrow_table()
