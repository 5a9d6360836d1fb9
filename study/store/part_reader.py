"""One part file as Arrow tables, or the reason why it cannot be read. Whatever is wrong with one part, others go in."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from study.store.definitions import digest_of
from study.store.errors import PartError
from study.store.names import check_name
from study.store.part_file import MAX_BYTES, PartFile, decoded
from study.store.part_schemas import METRICS, PLAN, PROBES, SOURCES
from study.store.storage import Storage
from trainables.errors import SpecError
from trainables.run_id import run_id

TIME = pa.timestamp("us")
TABLES = {
    "new_parts": pa.schema(
        {
            "part": pa.string(),
            "id": pa.uint64(),
            "kind": pa.string(),
            "rows": pa.int64(),
            "size": pa.int64(),
            "mtime_ns": pa.int64(),
            "ingested_at": TIME,
            "checked": pa.bool_(),
            "archive": pa.string(),
            "error": pa.string(),
        }
    ),
    "new_studies": pa.schema({"study": pa.string(), "spec": pa.string(), "created_at": TIME}),
    "new_definitions": pa.schema(
        {"name": pa.string(), "digest": pa.string(), "sql": pa.string(), "added_at": TIME, "error": pa.string()}
    ),
    "new_plans": PLAN.append(pa.field("study", pa.string())).append(pa.field("planned_at", TIME)),
    "new_metrics": METRICS.append(pa.field("part_id", pa.uint64())),
    "new_sources": SOURCES.append(pa.field("written_at", TIME)),
    "new_timings": pa.schema(
        {
            "study": pa.string(),
            "began_at": TIME,
            "host": pa.string(),
            "device": pa.string(),
            "workers": pa.int32(),
            "estimated": pa.float64(),
            "span": pa.string(),
            "seconds": pa.float64(),
        }
    ),
    "new_probes": PROBES.append(pa.field("part_id", pa.uint64())),
    "new_states": pa.schema(
        {
            "run_id": pa.string(),
            "attempt": pa.int32(),
            "trial_id": pa.string(),
            "pack_id": pa.string(),
            "started_at": TIME,
            "ended_at": TIME,
            "updated_at": TIME,
            "host": pa.string(),
            "device": pa.string(),
            "threads": pa.int32(),
            "versions": pa.string(),
            "git_sha": pa.string(),
            "git_dirty": pa.bool_(),
            "source": pa.string(),
            "status": pa.string(),
            "stop_reason": pa.string(),
            "horizon": pa.int64(),
            "steps": pa.int64(),
            "wall_seconds": pa.float64(),
            "prepare_seconds": pa.float64(),
            "compile_seconds": pa.float64(),
            "evaluate_seconds": pa.float64(),
            "save_seconds": pa.float64(),
            "memory_bytes": pa.int64(),
            "error": pa.string(),
            "log": pa.string(),
        }
    ),
}
"""What one transaction of fold.sql takes in, in this order."""


@dataclass(frozen=True)
class Part:
    """One part in memory, or the reason why it cannot go in."""

    name: str
    """Path below `parts`."""
    size: int
    mtime_ns: int
    """Size and change time of the file that was read: an unreadable part is tried again when they differ."""
    kind: str | None = None
    rows: int = 0
    tables: Mapping[str, pa.Table] = field(default_factory=dict)
    checked: bool | None = None
    """Whether its bytes fit a digest in it: False for an older part, which has none; None where it cannot go in."""
    archive: str | None = None
    """Name below `parts` of the archive that it was in; None for a file of its own."""
    error: str | None = None

    @property
    def id(self) -> int:
        """A hash of the name: smaller than the name itself in 100 million rows."""
        return int.from_bytes(hashlib.blake2b(self.name.encode(), digest_size=8).digest(), "big")


def read_file(storage: Storage, name: str) -> tuple[Part, bytes]:
    """What can be said of a file below `parts` before its bytes are looked at, and its bytes, none beside an error."""
    try:
        size, mtime_ns = storage.stamp(f"parts/{name}")
        part = Part(name, size, mtime_ns)
        if size > MAX_BYTES:
            too_large = f"{size / 1e6:,.0f} MB: no part is larger than {MAX_BYTES / 1e6:,.0f}."
            return replace(part, error=too_large), b""
        return part, storage.read(f"parts/{name}")
    except OSError as error:  # a fault of the disk and not of the part: no stamp, so that the next ingest tries again
        return Part(name, 0, 0, error=str(error)), b""


def read_part(part: Part, data: bytes) -> Part:
    """A part with what the bytes of its file say, or with the reason why it cannot go in."""
    if part.error:
        return part
    try:
        return _parse(part, data)
    except SpecError as error:
        return replace(part, error=str(error))
    except Exception as error:  # whatever is wrong with one part, the others go in
        return replace(part, error=f"{type(error).__name__}: {error}".splitlines()[0])


def _parse(part: Part, data: bytes) -> Part:
    """The part with what its file says. Raises, whatever is wrong with it."""
    file = decoded(data)
    about = file.about
    if (written_as := about.get("name", part.name)) != part.name:
        raise PartError(f"it was written as {str(written_as)[:200]!r}: another file has its name. Restore it.")
    if about["kind"] == "plan":
        study, created_at = about["study"], _time(about["created_at"])
        rows = _columns(file, "new_plans", study=study, planned_at=created_at)
        spec = {"study": study, "spec": json.dumps(about["spec"]), "created_at": created_at}
        tables = {"new_plans": rows, "new_studies": table_of("new_studies", [spec])}
        tables |= {"new_definitions": table_of("new_definitions", _definitions(about["spec"], created_at))}
    elif about["kind"] == "sources":
        rows = _columns(file, "new_sources", written_at=_time(about["written_at"]))
        tables = {"new_sources": rows}
    elif about["kind"] == "timings":
        same = {name: about[name] for name in ("study", "host", "device", "workers", "estimated")}
        rows = _columns(file, "new_timings", began_at=_time(about["began_at"]), **same)
        tables = {"new_timings": rows}
    elif about["kind"] == "probes":
        rows = _columns(file, "new_probes", part_id=part.id)
        tables = {"new_probes": rows}
    else:
        rows = _distinct(_columns(file, "new_metrics", part_id=part.id))
        about |= {"updated_at": _time(about["written_at"]), "versions": json.dumps(about.get("versions", {}))}
        states = [
            about | state | {name: _time(state.get(name)) for name in ("started_at", "ended_at")}
            for state in about["runs"]
        ]
        tables = {"new_metrics": rows, "new_states": table_of("new_states", states)}
    _check_names(tables)
    if about["kind"] == "plan":
        _check_run_ids(tables["new_plans"])
    return replace(part, kind=about["kind"], rows=len(rows), tables=tables, checked=file.checked)


def _definitions(spec: Any, added_at: datetime | None) -> list[dict[str, Any]]:
    """The text of a study's own phase definition, if it has one: a row of `definitions`."""
    name, sql = (spec.get("definition"), spec.get("definition_sql")) if isinstance(spec, Mapping) else (None, None)
    if not isinstance(name, str) or not isinstance(sql, str) or not sql:
        return []
    return [{"name": name, "digest": digest_of(sql), "sql": sql, "added_at": added_at}]


def _check_run_ids(plan: pa.Table) -> None:
    """PartError for a run whose id is not that of its spec: two plans would mean different runs by it."""
    for said, spec in zip(plan["run_id"].to_pylist(), plan["spec"].to_pylist(), strict=True):
        if said != (found := run_id(json.loads(spec))):
            raise PartError(f"it gives run {said!r} a spec whose id is {found!r}: it was not written by this package.")


def _check_names(tables: Mapping[str, pa.Table]) -> None:
    """SpecError for an id that is no file name: checkpoint files are named after the ids of a plan."""
    for table in tables.values():
        for column in {"study", "run_id", "pack_id"} & {*table.column_names}:
            for name in table[column].unique().to_pylist():
                if name is not None:
                    check_name(column, name)


def _columns(file: PartFile, name: str, **constants: Any) -> pa.Table:
    """The columns of a part as one of TABLES, beside columns with the same value in all rows."""
    schema = TABLES[name]
    table = file.columns(pa.schema([column for column in schema if column.name not in constants]))
    for column, value in constants.items():
        same = pa.repeat(pa.scalar(value, schema.field(column).type), len(table))
        table = table.append_column(schema.field(column), same)
    return table.select(schema.names)


def _distinct(metrics: pa.Table) -> pa.Table:
    """The last row of each (run_id, step, split, metric). A flush should repeat none, and sorting codes is a quick
    check."""
    codes = metrics["step"].to_numpy()
    for name in ("run_id", "split", "metric"):
        indices = metrics[name].combine_chunks().indices.to_numpy()  # refuses NULL
        codes = codes * (indices.max(initial=0) + 1) + indices
    codes.sort()
    if (codes[1:] != codes[:-1]).all():
        return metrics
    key = [name for name in metrics.schema.names if name != "value"]
    last = metrics.group_by(key, use_threads=False).aggregate([("value", "last")])
    return last.rename_columns([*key, "value"]).select(metrics.schema.names)


def table_of(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as one of TABLES."""
    return pa.Table.from_pylist(rows, schema=TABLES[name])


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
