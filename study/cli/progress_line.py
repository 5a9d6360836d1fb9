"""The one live line of a running study: rewritten in place on a terminal, a plain line now and then elsewhere."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from study.cli.output import steered, width_of
from study.store.printable import clean
from study.train.durations import duration
from study.train.standing import Standing

PLAIN_LINE_SECONDS = 10.0
BETWEEN = "  "


class ProgressLine:
    """Shows how far a study is until the block ends. Notes stay, each on a line of its own."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self.said_at, self.shown = -PLAIN_LINE_SECONDS, ""

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, *exception: object) -> None:
        if self.live and self.shown:
            _put("\n")

    def say(self, what: Standing | str) -> None:
        """Show how a study stands, in place of what was shown before, or keep a note."""
        if isinstance(what, str):
            self._keep(clean(what))
        else:
            self.show(fitted(what, width_of(sys.stderr) - 1) if self.live else str(what))

    def show(self, line: str) -> None:
        """Show a line in place of the one before."""
        line = clean(line)
        if self.live:
            self.shown = line[: width_of(sys.stderr) - 1]  # a line that wraps cannot be rewritten
            _put(f"\r{self.shown}\x1b[K")
        elif time.monotonic() - self.said_at >= PLAIN_LINE_SECONDS:
            _put(f"{line}\n")
            self.said_at = time.monotonic()

    def _keep(self, note: str) -> None:
        if self.live:
            _put(f"\r{note}\x1b[K\n{self.shown}")
        else:
            _put(f"{note}\n")


def _put(text: str) -> None:
    """Write to stderr. A terminal that was closed or a pipe that nobody reads is no reason to stop training."""
    with suppress(OSError):
        print(text, end="", file=steered(sys.stderr), flush=True)


def fitted(now: Standing, width: int) -> str:
    """The line in at most `width` columns: the first of its forms that fits, with as many phases as there is room for.

    All that is known; without the time of this call; with a shorter bar; without the rate; without phases; without a
    bar; and in the end the percentage and the time left alone.
    """
    name = _cut(now.study, max(10, width // 4))
    bar, short = (f"{name} {_bar(now.share, cells)} {now.percent}" for cells in (10, 5))
    runs, rate, so_far = f"{now.finished}/{now.total}", _rate(now.rate), f"{duration(now.elapsed)} so far"
    with_phases = [
        ([bar, runs], [so_far, rate, now.left, now.failures]),
        ([bar, runs], [rate, now.left, now.failures]),
        ([short, runs], [rate, now.left, now.failures]),
        ([short, runs], [now.left, now.failures]),
    ]
    for before, after in with_phases if now.phases else ():
        if phases := _phases(now.phases, width - len(_joined([*before, *after])) - len(BETWEEN)):
            return _joined([*before, phases, *after])
    for parts in (
        *([*before, *after] for before, after in with_phases),
        [f"{name} {now.percent}", runs, now.left, now.failures],
        [f"{_cut(now.study, 10)} {now.percent}", now.left],
        [now.percent, now.left],
    ):
        if len(line := _joined(parts)) <= width:
            return line
    return now.percent[:width]


def _joined(parts: Sequence[str]) -> str:
    return BETWEEN.join(part for part in parts if part)


def _phases(counts: Mapping[str, int], room: int) -> str:
    """`20 grokking, 11 more`: the most frequent first, and how many runs have another; '' where not one fits."""
    words = [f"{runs} {phase}" for phase, runs in counts.items()]
    for number in range(len(words), 0, -1):
        others = sum(list(counts.values())[number:])
        for more in (f", {others} more", f" +{others}") if others else ("",):
            if len(text := ", ".join(words[:number]) + more) <= room:
                return text
    return ""


def _bar(share: float, cells: int) -> str:
    done = int(share * cells + 1e-9)
    full, empty = "█░" if (sys.stderr.encoding or "").lower().startswith("utf") else "#."
    return full * done + empty * (cells - done)


def _rate(rate: float | None) -> str:
    """Run-steps per second, in four digits at most."""
    if rate is None:
        return ""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if rate >= 10 * size:
            return f"{rate / size:,.0f}{unit} steps/s"
    return f"{rate:,.0f} steps/s"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 2]}.."
