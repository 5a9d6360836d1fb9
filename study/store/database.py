"""The store: a folder with the parts that workers wrote, and a DuckDB file made from them, `<store>/study.duckdb`.

Nobody holds the file: a query opens it, takes its result into memory and closes it; ingest holds it for one short
transaction per batch of parts. The file can be deleted at any time: ingest makes it again from the parts.
"""

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Self

import duckdb

from study.store.anew import make_anew, new_file
from study.store.compaction import compact
from study.store.connection import OF_QUERIES, TIMEOUT, connected, is_damage, read_all, translated
from study.store.definitions import Definition, definitions
from study.store.errors import QueryError, StoreBusy, StoreError, StoreUnusable
from study.store.files import patiently
from study.store.fold import fold_new
from study.store.frames import CURVES, RUNS, with_axes
from study.store.ingest import IngestReport
from study.store.own_definitions import OF_STUDY, chosen, failing, newest
from study.store.place import checked_folder, place_of, settle
from study.store.query import Result, interruptible, select
from study.store.scope import READS_PHASES, Scope, install_phases_without
from study.store.storage import storage_at
from study.store.stored_json import check_point, check_spec
from trainables.components import closest
from trainables.errors import SpecError

if TYPE_CHECKING:
    import pandas as pd

FILE = "study.duckdb"


@dataclass(frozen=True)
class Store:
    """One store directory. Holds no connection: it can be kept, pickled and shared between threads."""

    path: Path
    write: bool = False
    scope: Scope | None = None
    """None = the runs of all studies."""
    memory: int | None = None
    """Bytes that all queries at a time may take in this process; a result takes a quarter of it at most. None = a
    quarter of the machine's memory, and results of 4 GB."""

    @classmethod
    def open(
        cls,
        path: str | Path = "results",
        *,
        write: bool = False,
        storage: str | None = None,
        memory: int | None = None,
    ) -> Self:
        """The store in directory `path`; with `write`, made if need be. Raises StoreError when it cannot be used.

        `storage` is the URL of where a new store keeps its parts; None is the directory, or what an older one has.
        `memory` is for queries; a process opens a store with one alone.
        """
        store = cls(checked_folder(path), write, memory=memory)
        if store.path.is_file():
            raise StoreError(f"store '{path}' is a file: give the directory that holds {FILE}.")
        if write:
            settle(store.path, storage)
            store.path.mkdir(parents=True, exist_ok=True)
            with store._alone(TIMEOUT), suppress(StoreBusy):  # then somebody can use it
                try:
                    if store._file.exists():
                        store._check_whole(TIMEOUT)
                    else:
                        with new_file(store._file):
                            pass
                except StoreUnusable as error:
                    make_anew(store._file, storage_at(store.place), IngestReport(), error.why)
        elif not store._file.exists():
            raise StoreError(
                f"store '{path}' has no {FILE}: run a study with `--store {path}`, or `study ingest` there."
            )
        else:
            with connected(store._file, memory=memory):
                pass
        return store

    def sql(
        self,
        text: str,
        params: Any = None,
        timeout: float = TIMEOUT,
        seconds: float | None = None,
        stop: Event | None = None,
    ) -> Result:
        """The result of one read-only query; `params` fill `?` and `$name` in it. Sums and decimals are doubles.

        StoreBusy when a writer keeps the store for longer than `timeout` seconds, StoreError where the query takes
        longer than `seconds` (None = no limit) or `stop` is set. With a limit, a name that is not there is a mistake in
        the query; without one the whole file is read to see whether it is damaged.
        """
        limited = partial(interruptible, seconds=seconds, stop=stop)
        try:
            return self._answer(text, params, timeout, limited)
        except QueryError as error:
            of_query = seconds is not None and isinstance(error.__cause__, OF_QUERIES)
            if isinstance(error.__cause__, duckdb.Error) and is_damage(error.__cause__) and not of_query:
                self._check_whole(timeout)  # else it is of the query
            if not (without := self._failing(text, timeout)):
                raise
            return self._answer(text, params, timeout, limited, without)

    def _answer(
        self, text: str, params: Any, timeout: float, limited: Callable[..., Result], without: Sequence[str] = ()
    ) -> Result:
        def answer() -> Result:
            if self.scope:
                self.scope.install(connection, text, without)
            elif without:
                install_phases_without(connection, without)
            return Result(select(connection, text, params, self.memory and self.memory // 4))

        with connected(self._file, timeout=timeout, memory=self.memory) as connection, translated():
            return limited(connection, answer)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Queries of this process in the block open the file once, and are of one state of it. Writers wait for its
        end, so it holds queries and little else."""
        with connected(self._file, memory=self.memory):
            yield

    def _check_whole(self, timeout: float) -> None:
        """StoreUnusable where the file is damaged anywhere."""
        with connected(self._file, timeout=timeout, memory=self.memory) as connection:
            read_all(connection)

    def _failing(self, text: str, timeout: float) -> list[str]:
        """The phase definitions that a query reads, are not ours, and fail on the runs that there are."""
        if not READS_PHASES.search(text):
            return []
        with connected(self._file, timeout=timeout, memory=self.memory) as connection, translated():
            if self.scope:
                self.scope.install(connection, "")
            own = self.scope.definitions(connection) if self.scope else newest(connection)
            return failing(connection, [definition for definition in own if definition.name not in definitions()])

    def of(self, study: str, horizon: int | None = None, definition: Definition | None = None) -> Self:
        """The store as `study` has it, for reading: `outcomes`, `phases`, `curves`, `probes` and `cells` are those of
        its runs, each judged at the longest horizon of the study that it has finished, or at `horizon` steps.
        `definition` is a phase definition to have beside those of the store."""
        if horizon is not None and horizon < 1:
            raise SpecError(f"horizon must be 1 or larger, got {horizon}.")
        before = self.scope if self.scope and self.scope.study == study else Scope(study)
        scope = Scope(study, horizon or before.horizon, definition or before.definition)
        return replace(self, write=False, scope=scope)

    def runs(self, study: str) -> "pd.DataFrame":
        """One row per run of the study: its point, seed, phase under the study's own definition, outcome and settings;
        judged as in `of`."""
        self.check_known(study)
        [own] = self.sql(OF_STUDY, [study]).fetchall()
        return self._frame(study, RUNS, definition=chosen(study, *own).name)

    def curves(self, study: str) -> "pd.DataFrame":
        """One row per run of the study and recorded step: its point and seed, losses and accuracies of the splits."""
        return self._frame(study, CURVES)

    def _frame(self, study: str, query: str, **params: str) -> "pd.DataFrame":
        self.check_known(study)
        return with_axes(self.of(study).sql(query, {"study": study, **params}).df())

    def check_known(self, study: str) -> None:
        """SpecError for a study that this store has no plan of, and for one whose JSON is not of the kinds we read."""
        known = [name for (name,) in self.sql("select study from studies order by 1").fetchall()]
        if study not in known:
            none = "It has none yet: `study run first_map` makes the first."
            hint = closest(study, known, "`study status` shows all.") if known else none
            raise SpecError(f"study {study!r} is not in this store. {hint}")
        [(spec,)] = self.sql("select spec from studies where study = ?", [study]).fetchall()
        check_spec(study, spec)
        for (point,) in self.sql("select distinct point::text from study_runs where study = ?", [study]).fetchall():
            check_point(study, point)

    def ingest(self, *, rebuild: bool = False, check: bool = False, timeout: float = TIMEOUT) -> IngestReport:
        """Bring in the parts that the file does not have yet; with `rebuild`, make the file anew from all parts, as
        where it is found damaged. With `check`, every value is read to find out, as opening for writing does, and files
        that could not be read are tried again even where nothing says that they have changed. Waits up to `timeout`
        seconds at a time for readers and for another ingest. What does not get in stays for the next ingest.
        """
        self._check_write("ingest")
        report = IngestReport()
        try:
            with self._alone(timeout):
                try:
                    if rebuild or not self._file.exists():
                        make_anew(self._file, storage_at(self.place), report)
                    else:
                        if check:
                            self._check_whole(timeout)
                        fold_new(self._file, storage_at(self.place), report, timeout, again=check)
                except StoreUnusable as error:
                    report = IngestReport()
                    make_anew(self._file, storage_at(self.place), report, error.why)
        except StoreBusy as error:
            report.busy = str(error)
        return report

    def _check_write(self, what: str) -> None:
        if not self.write:
            raise StoreError(f"store '{self.path}' is open read-only: open it with write=True to {what}.")

    def compact(self, check: Callable[[], None]) -> int:
        """Put the small parts that the file has into archives, see `compaction.compact`; for the driver alone.

        Not those without a digest: in an archive nobody could tell which of them a damage has hit.
        """
        self._check_write("compact")
        with self._alone(TIMEOUT):
            text = "select part, rows, size from parts where checked and kind in ('metrics', 'probes')"
            with connected(self._file) as connection:
                found = connection.execute(text).fetchall()
            return compact(storage_at(self.place), {part: (rows, size) for part, rows, size in found}, check)

    @property
    def place(self) -> str:
        """The folder or URL that holds parts, checkpoints and rungs, for `storage_at`; on this machine or elsewhere."""
        return place_of(self.path)

    @property
    def _file(self) -> Path:
        return self.path / FILE

    @contextmanager
    def _alone(self, timeout: float) -> Iterator[None]:
        """Keep every other writer out, in this process and in others, until the block ends or the process dies."""
        with open(self.path / ".lock", "a") as handle:
            for _ in patiently(timeout):
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    continue
            else:
                raise StoreBusy(f"store '{self.path}' is being written by another process: try again in a moment.")
            yield
