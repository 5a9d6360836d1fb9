"""What workers write: immutable Parquet parts, from which the store can always be rebuilt.

Two kinds, told apart by the JSON in the file (part_file.py). A plan part says what a study asks
for, one row per run; a metrics part says what one flush of one pack recorded, one row per value, with the newest
state of each run in its metadata.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from study.store.errors import StorageError
from study.store.names import check_name
from study.store.part_file import FORMAT, MAX_ROWS, decoded, encoded
from study.store.part_schemas import METRICS, PLAN, PROBES, SOURCES, TIMINGS
from study.store.provenance import source, versions
from study.store.storage import Storage, storage_at
from trainables.errors import SpecError


def write_plan(
    place: str | Path,
    study: str,
    study_spec: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    after: datetime | None = None,
    again: bool = False,
) -> str:
    """Write what `study` asks for and return the part's name; the same plan has the same name and is written once.

    `place` is a folder or URL for `storage_at`, here and below; `rows` have the columns of `PLAN`, with `spec` and
    `point` as JSON text, and their order does not matter. Its time is later than `after`, whatever the clock says.
    `again` writes a plan that is there once more: the study was another one in between, and the latest plan counts.
    """
    check_name("study name", study)
    if len(rows) > MAX_ROWS:
        raise SpecError(f"study {study!r} asks for {len(rows):,} runs, a plan holds at most {MAX_ROWS:,}: split it.")
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=PLAN).sort_by("run_id")
    content = json.dumps([FORMAT, study, study_spec, table.to_pylist()], sort_keys=True)
    name, storage = _plan_name(study, content), storage_at(place)
    if again and storage.exists(f"parts/{name}"):
        name = _plan_name(study, f"{content} {after}")
    if not storage.exists(f"parts/{name}"):
        created_at = datetime.now(UTC) if after is None else max(datetime.now(UTC), after + timedelta(milliseconds=1))
        about = {"kind": "plan", "study": study, "created_at": created_at.isoformat(), "spec": study_spec}
        with suppress(FileExistsError):  # another has written the same plan meanwhile
            _write(storage, name, table, about)
    return name


def _plan_name(study: str, content: str) -> str:
    return f"plan/{study}-{hashlib.sha256(content.encode()).hexdigest()[:16]}.parquet"


class Recorder:
    """Writes the parts of one pack, one per flush. A retry of the pack makes a new recorder, with a higher attempt."""

    attempt: int
    """This try at the pack, from 1: one more than the highest among the pack's parts."""

    def __init__(
        self, place: str | Path, pack_id: str, provenance: Mapping[str, Any], after: int = 0, claim: str | None = None
    ) -> None:
        """`after` is the last try that the database knows of: the parts of a pack may be in archives.

        `claim` is that of the driver, and in the names. One that is there already is refused, because another worker
        of the driver trains the pack. Names of two drivers differ, even where an archive was away when one began.
        """
        check_name("pack id", pack_id)
        self._end = f"-{claim.rpartition('/')[2][:8]}" if claim else ""
        self._storage, self._pack_id = storage_at(place), pack_id
        self._about = {"kind": "metrics", "pack_id": pack_id, **provenance}
        self._num_flushes = self._num_findings = 0
        earlier = _parts_of(self._storage, pack_id)
        self.attempt = 1 + max([after, *(int(part.rpartition("/")[2].partition("-")[0]) for part in earlier)])

    def flush(self, metrics: Mapping[str, Any], states: Sequence[Mapping[str, Any]]) -> str:
        """Write one part and return its name. `metrics` are the columns of `METRICS`, or empty for states alone.

        `states` hold the newest state of each run that this flush speaks of. More rows than one part holds become
        several, the last of them with the states: what these speak of is then on disk. Raises OSError when the disk is
        full, or a remote storage does not answer.
        """
        # An empty array may be of any type, and not all of them can be cast.
        rows = metrics if metrics and len(metrics["run_id"]) else {name: [] for name in METRICS.names}
        table = pa.table({name: pa.array(rows[name]) for name in METRICS.names}).cast(METRICS)
        while len(table) > MAX_ROWS:
            self._write_metrics(table.slice(0, MAX_ROWS), [])
            table = table.slice(MAX_ROWS)
        return self._write_metrics(table, states)

    def _write_metrics(self, table: pa.Table, states: Sequence[Mapping[str, Any]]) -> str:
        self._num_flushes += 1
        name = f"{self._pack_id}/{self.attempt:04d}-{self._num_flushes:06d}{self._end}.parquet"
        try:
            _write(self._storage, name, table, {**self._about, "written_at": _now(), "runs": list(states)})
        except FileExistsError:
            trains = f"another worker trains pack {self._pack_id!r} right now"
            raise FileExistsError(f"part {name} exists: {trains}.") from None
        return name

    def flush_findings(self, findings: Mapping[str, Any]) -> None:
        """Write the columns of `PROBES` as parts of their own, nearly always one; nothing if there are none."""
        table = _probes_table(findings) if findings else PROBES.empty_table()
        for start in range(0, len(table), MAX_ROWS):
            self._num_findings += 1
            name = f"{self._pack_id}/probes-{self.attempt:04d}-{self._num_findings:06d}{self._end}.parquet"
            _write(self._storage, name, table.slice(start, MAX_ROWS), {**self._about, "kind": "probes"})


def write_probes(place: str | Path, name: str, findings: Mapping[str, Any]) -> None:
    """Write the columns of `PROBES`, found after training, as a part `probes/<name>-...` of its own: two who look into
    one state at the same time do not overwrite each other."""
    about = {"kind": "probes", "written_at": _now(), "versions": versions(), **source()}
    _write(storage_at(place), f"probes/{name}-{secrets.token_hex(4)}.parquet", _probes_table(findings), about)


def write_sources(place: str | Path, texts: Mapping[str, Mapping[str, str]]) -> None:
    """Write the source of a user's own parts, the text of each module by digest, each digest once."""
    storage = storage_at(place)
    for digest, modules in texts.items():
        check_name("digest", digest)
        if not storage.exists(f"parts/sources/{digest}.parquet"):
            rows = [{"digest": digest, "module": module, "text": text} for module, text in modules.items()]
            table = pa.Table.from_pylist(rows, schema=SOURCES)
            with suppress(FileExistsError):
                _write(storage, f"sources/{digest}.parquet", table, {"kind": "sources", "written_at": _now()})


def write_timings(place: str | Path, about: Mapping[str, Any], seconds: Mapping[str, float]) -> None:
    """Write where the seconds of one call went, by span; `about` has the other columns of the table `timings`."""
    check_name("study name", about["study"])
    rows = [{"span": span, "seconds": number} for span, number in seconds.items()]
    name = f"timings/{secrets.token_hex(8)}.parquet"
    said = {"kind": "timings", "written_at": _now(), **about}
    _write(storage_at(place), name, pa.Table.from_pylist(rows, schema=TIMINGS), said)


def _probes_table(findings: Mapping[str, Any]) -> pa.Table:
    return pa.table({name: pa.array(findings[name]) for name in PROBES.names}).cast(PROBES)


def last_states(place: str | Path, pack_id: str) -> dict[str, dict[str, Any]]:
    """The newest state of each run in the parts of one pack, by run id; of parts in archives the plan knows. Parts that
    cannot be read are skipped; StorageError where a remote storage does not answer, because then nothing is known."""
    check_name("pack id", pack_id)
    storage = storage_at(place)
    states: dict[str, dict[str, Any]] = {}
    for name in sorted(_parts_of(storage, pack_id)):
        try:
            states |= {state["run_id"]: state for state in decoded(storage.read(name)).about["runs"]}
        except StorageError:
            raise
        except (OSError, ValueError, KeyError):  # pa.ArrowInvalid and PartError are ValueErrors
            continue
    return states


def _parts_of(storage: Storage, pack_id: str) -> list[str]:
    """Names of the metrics parts of a pack."""
    names = storage.names(f"parts/{pack_id}")
    return [name for name in names if re.fullmatch(r"[0-9]+-[0-9]+(-[0-9a-f]{8})?\.parquet", name.rpartition("/")[2])]


def _write(storage: Storage, name: str, table: pa.Table, about: Mapping[str, Any]) -> None:
    """Write one part; FileExistsError if there is one of this name. The file is encoded in memory, so that only plain
    writes can meet a full disk."""
    storage.create(f"parts/{name}", encoded(table, {**about, "name": name}))


def _now() -> str:
    return datetime.now(UTC).isoformat()
