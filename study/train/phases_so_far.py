"""The phases of a study's runs while it trains: asked of the store now and then, never waited for."""

import time
from contextlib import suppress

from study.spec import StudySpec
from study.store.database import Store
from trainables.errors import SpecError

LEAST_SECONDS = 5.0
"""Between two questions."""
RARELY = 20
"""A question that takes long is asked again after so many times as long: at most 5% of the time goes into it."""

COUNTS = """
    select phase, count(*)::integer as runs from phases join study_runs using (run_id)
    where study = ? and definition = ? and phase <> 'unresolved' group by phase order by runs desc, phase"""


class PhasesSoFar:
    """Runs by phase under the study's own definition, the most frequent first; `counts` are the newest known ones."""

    def __init__(self, store: Store, study: StudySpec) -> None:
        self.store, self.study = store, study
        self.counts: dict[str, int] = {}
        self.next_at = 0.0

    def look(self, at_once: bool = False) -> None:
        """Ask the store, unless it is too early for that or a writer has it."""
        begin = time.monotonic()
        if begin < self.next_at and not at_once:
            return
        with suppress(SpecError, OSError):
            store = self.store.of(self.study.name, definition=self.study.phase_definition)
            rows = store.sql(COUNTS, [self.study.name, self.study.definition], timeout=0).fetchall()
            self.counts = dict(rows)
        now = time.monotonic()
        self.next_at = now + max(LEAST_SECONDS, RARELY * (now - begin))
