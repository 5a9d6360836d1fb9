"""Packs as Ray Tune asks for them: a Searcher that hands out one pack per trial."""

import math
import time
from collections.abc import Callable
from typing import Any

import study.train.ray_environment  # noqa: F401 (what Ray reads when it is imported)

# isort: split
from ray.tune.search import Searcher

from study.train.failed_packs import Limits, Split
from study.train.worker import Work


class PackSearcher(Searcher):
    """Hands out one pack per trial, whenever a worker is free: what `next_work` gives at that moment, cut by `split`
    where packs of its shape have been too large for the memory.

    None means that there is no pack for now: `next_work` is asked again when a trial ends, or after `ask_seconds`.
    Once no trial is left that could end, all is done.
    """

    def __init__(self, next_work: Callable[[], Work | None], split: Split, ask_seconds: float = math.inf) -> None:
        super().__init__()
        self.next_work, self.split, self.ask_seconds = next_work, split, ask_seconds
        self.again: list[Work] = []
        """Pieces of packs that were cut: they come before all others."""
        self.limits = Limits()
        self.live: set[str] = set()
        self.ask_at = -math.inf
        self.error: Exception | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles it for a restore that we never use."""
        return {}

    def __deepcopy__(self, memo: dict[int, Any]) -> "PackSearcher":
        """Tune copies its searcher; all copies share one queue of packs."""
        return self

    def suggest(self, trial_id: str) -> Any:
        """The next pack, None for not now, or FINISHED."""
        asked_in_vain = self.live and time.monotonic() < self.ask_at
        work = None if asked_in_vain else self._next()
        if work is not None:
            self.live.add(trial_id)
            return dict(zip(("pack", "settings"), work, strict=True))
        if not asked_in_vain:
            self.ask_at = time.monotonic() + self.ask_seconds
        return None if self.live else Searcher.FINISHED

    def _next(self) -> Work | None:
        """Tune would report an exception as its own, so it is kept for `run_packs`; packs that train may finish."""
        if self.error is not None:
            return None
        try:
            work = self.again.pop(0) if self.again else self.next_work()
            if work is None:
                return None
            pack, settings = work
            first, *others = self.limits.pieces(pack, self.split)
            self.again[:0] = [(piece, settings) for piece in others]
            return first, settings
        except Exception as error:
            self.error = error
            return None

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """The result is in the store; here it only matters that there is news."""
        self.live.discard(trial_id)
        self.ask_at = -math.inf

    def save(self, checkpoint_path: str) -> None:
        """Tune's own restore is not used: the store knows what is left to do."""

    def restore(self, checkpoint_path: str) -> None:
        """See `save`."""
