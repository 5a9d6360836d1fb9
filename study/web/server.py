"""Serves the live page of a store until it is stopped."""

import logging
import resource
import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import uvicorn

from analysis.vega_bundle import vega_bundle
from study.store.database import Store
from study.web.app import application
from study.web.guard import is_loopback
from trainables.errors import SpecError

MEMORY = 500_000_000
"""Bytes that all queries of pages take together, at most."""
MOST_MEMORY = 5 << 30
"""Bytes that the process may reserve, of which it uses a fraction. DuckDB's own limit does not count what some
functions make, such as long lists."""


def serve(store: Store, host: str, port: int, say: Callable[[str], None]) -> None:
    """Answer on `host` and `port` (0 = a free one) until the process is interrupted; `say` gets the address. Beyond
    this machine a token is needed, which is made here and is in the address. SpecError where the port is taken."""
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY if hard < 0 else min(MOST_MEMORY, hard), hard))
    with _listening(host, port) as bound:
        token = None if is_loopback(host) else secrets.token_urlsafe(24)
        anywhere = host in ("0.0.0.0", "::", "")
        name = socket.gethostname() if anywhere else f"[{host}]" if ":" in host else host
        say(f"http://{name}:{bound.getsockname()[1]}/" + (f"?token={token}" if token else ""))
        config = uvicorn.Config(
            application(store, host, token), log_level="warning", access_log=False, timeout_graceful_shutdown=2,
            server_header=False, h11_max_incomplete_event_size=1 << 17,
        )  # fmt: skip
        threading.Thread(target=vega_bundle, daemon=True).start()  # before the first page asks for it
        with suppress(KeyboardInterrupt):  # which is how it is ended
            Server(config).run(sockets=[bound])


class Server(uvicorn.Server):
    """A server that ends the streams of open pages when it is told to end: it would wait for them."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        state = self.config.app.state  # pyright: ignore[reportFunctionMemberAccess, reportAttributeAccessIssue]
        state.ending = True
        state.kept.close()
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it would list what it cuts off
        super().handle_exit(sig, frame)


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens; SpecError where it cannot."""
    try:
        family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        bound = socket.socket(family[0], socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(family[4])
        bound.listen()  # before the address is said
        return bound
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError(f"cannot listen on {host}:{port} ({reason}): give another --port, or --port 0.") from None
