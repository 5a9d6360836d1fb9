"""What trains now: the packs of a study, where they are and what they need."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from starlette.requests import Request
from starlette.responses import Response

from study.web.kept import Kept
from study.web.standings import is_silent, row_of
from study.web.takeaway import download, ending_of

TRAINING = """
    select
        coalesce(attempts.pack_id, attempts.trial_id, '') as pack,
        host, device, threads,
        count(*)::integer as runs,
        max(attempts.steps)::bigint as steps,
        max(attempts.horizon)::bigint as horizon,
        min(started_at) as started_at,
        max(attempts.updated_at) as heard_at,
        max(memory_bytes)::bigint as memory_bytes,
    from attempts join study_runs using (run_id)
    where study = $study and attempts.status = 'running'
    group by all order by started_at"""


def training_of(kept: Kept, study: str) -> list[dict[str, Any]]:
    """The packs that train now."""
    now = datetime.now(UTC).replace(tzinfo=None)
    packs = _packs(kept, study).to_pylist()
    return [pack for pack in packs if not is_silent(pack["heard_at"], now)]


def _packs(kept: Kept, study: str) -> pa.Table:
    return kept.get(("training", study), lambda: kept.store.sql(TRAINING, {"study": study}).to_arrow_table())


def packs_to_take(request: Request) -> Response:
    """The packs that train now, as a file."""
    kept, name = request.app.state.kept, request.path_params["study"]
    row_of(kept, name)
    table = pa.Table.from_pylist(training_of(kept, name), schema=_packs(kept, name).schema)
    return download(table, ending_of(request), f"{name}_packs")
