"""News for open pages: one line whenever the store's file has changed, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import StreamingResponse

from study.web.kept import Kept

LOOK_SECONDS = 0.5
SILENT_LOOKS = 30
"""After so many looks without news a comment goes out, which shows that a page is still there."""


def events(request: Request) -> StreamingResponse:
    """The state of the store now, and every later one, until the page is closed or the server ends."""
    return StreamingResponse(_news(request, request.app.state.kept), media_type="text/event-stream")


async def _news(request: Request, kept: Kept) -> AsyncIterator[str]:
    said, silent = "", 0
    while not request.app.state.ending and not await request.is_disconnected():
        state = kept.state()
        if state != said:
            said, silent = state, 0
            yield f"data: {state}\n\n"
        elif (silent := silent + 1) >= SILENT_LOOKS:
            silent = 0
            yield ": nothing new\n\n"
        await asyncio.sleep(LOOK_SECONDS)
