"""How far a study is, as a bar in a notebook: one output that is rewritten, and the line of a log below it."""

import contextvars
import html
import sys
import time
from typing import Any

from study.train.standing import Standing

SECONDS = 0.5
"""Between two drawings: a kernel sends each to the browser."""


def in_notebook() -> bool:
    """True in the kernel of a notebook, where stderr is a box of red text."""
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


class NotebookBar:
    """Shows how far a study is until the block ends; notes stay, each on a line of its own."""

    def __init__(self) -> None:
        self.handle: Any = None
        self.cell = contextvars.copy_context()
        """Says which cell an output belongs to: the bar is drawn by other threads, too, which would not know."""
        self.drawn_at, self.last, self.notes = 0.0, "", list[str]()

    def __enter__(self) -> "NotebookBar":
        return self

    def __exit__(self, *exception: object) -> None:
        if self.handle is not None:
            self.cell.copy().run(self._draw)

    def say(self, what: Standing | str) -> None:
        """Show how a study stands, in place of what was shown before, or keep a note."""
        if isinstance(what, str):
            self.notes.append(html.escape(what))
        else:
            bar = f'<progress max="1" value="{what.share:.4f}" style="width: 20em"></progress>'
            self.last = f"{bar} {what.percent}<br>{html.escape(str(what))}"
        if time.monotonic() - self.drawn_at >= SECONDS:
            self.cell.copy().run(self._draw)

    def _draw(self) -> None:
        from IPython.display import HTML, display

        shown = HTML("<br>".join([*self.notes, self.last]))
        if self.handle is None:
            self.handle = display(shown, display_id=True)
        else:
            self.handle.update(shown)
        self.drawn_at = time.monotonic()
