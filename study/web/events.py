"""News for open pages: one line whenever the store's file has changed, as server-sent events."""

import asyncio
import time
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import StreamingResponse

from study.web.kept import Kept

LOOK_SECONDS = 0.1
SILENT_LOOKS = 150
"""After so many looks without news a comment goes out, which shows that a page is still there."""


class Watch:
    """Looks at the store for all open pages together, about every LOOK_SECONDS, while there are any."""

    def __init__(self, kept: Kept) -> None:
        self._kept, self._look, self._looked_at = kept, None, 0.0

    async def state(self) -> str:
        """What `now` gives, or has just given."""
        if self._look is None or (self._look.done() and time.monotonic() > self._looked_at + 0.9 * LOOK_SECONDS):
            self._looked_at = time.monotonic()
            self._look = asyncio.ensure_future(asyncio.to_thread(now, self._kept))  # a shared folder may take its time
        return await asyncio.shield(self._look)


def events(request: Request) -> StreamingResponse:
    """What `now` gives, and gives whenever it has changed, until the page is closed or the server ends."""
    return StreamingResponse(_news(request, request.app.state.watch), media_type="text/event-stream")


def now(kept: Kept) -> str:
    """What pages are of: the state of the store, and the minute, because they say how long ago things were."""
    return f"{kept.state()} {time.time() // 60:.0f}"


async def _news(request: Request, watch: Watch) -> AsyncIterator[str]:
    said, silent = "", 0
    while not request.app.state.ending and not await request.is_disconnected():
        state = await watch.state()
        if state != said:
            said, silent = state, 0
            yield f"data: {state}\n\n"
        elif (silent := silent + 1) >= SILENT_LOOKS:
            silent = 0
            yield ": nothing new\n\n"
        await asyncio.sleep(LOOK_SECONDS)
