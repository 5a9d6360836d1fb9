"""How a page is made: Jinja2 templates, which escape all that a spec, an error or a name holds."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache, wraps
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from study import __version__
from study.train.durations import duration

PATIENCE_SECONDS = 0.4
WORKERS = ThreadPoolExecutor(8, thread_name_prefix="page")


@cache
def environment() -> Environment:
    """The templates of this folder, and the words that they have in common."""
    folder = files("study.web").joinpath("templates")
    loader = FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8"))
    made = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    made.filters |= {"path": lambda text: quote(str(text), safe=""), "duration": duration, "number": number}
    made.globals |= {"address": address, "version": __version__}
    return made


def number(value: Any) -> str:
    """A whole number with separators, another one in four digits, nothing for None."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def address(path: str, given: Any = (), **changed: Any) -> str:
    """A path with the parameters `given` (pairs of name and value), of which those in `changed` have another value, and
    none where that is None."""
    pairs = [(name, value) for name, value in given if name not in changed]
    pairs += [(name, value) for name, value in changed.items() if value is not None]
    return path + (f"?{urlencode(pairs)}" if pairs else "")


def in_time(whole: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """An endpoint of a page that is there at once: where `whole` takes longer than PATIENCE_SECONDS a browser gets a
    page that asks for the rest, which is made meanwhile."""

    @wraps(whole)
    def endpoint(request: Request) -> Response:
        if request.headers.get("sec-fetch-dest") != "document":
            return whole(request)
        made = WORKERS.submit(whole, request)
        if not wait([made], PATIENCE_SECONDS).done:
            return page(request, "shell.html")
        return made.result()

    return endpoint


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A template filled in; `request` says where we are and what was asked."""
    asked = request.query_params.multi_items()
    folder = str(request.app.state.kept.store.path)
    given = {"path": request.url.path, "asked": asked, "folder": folder, "state": request.state.begun}
    text = environment().get_template(template).render(**given, **values)
    return HTMLResponse(text, status, {"cache-control": "no-store"})
