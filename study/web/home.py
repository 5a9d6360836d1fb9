"""The first page: every study of the store, how far it is, how fast it goes, and its runs by phase."""

from starlette.requests import Request
from starlette.responses import HTMLResponse

from study.store.studies import source_notes
from study.web.pages import page
from study.web.standings import standings


def home(request: Request) -> HTMLResponse:
    """Every study of the store."""
    kept = request.app.state.kept
    notes = kept.seldom("notes", lambda: source_notes(kept.store))
    return page(request, "home.html", studies=standings(kept), notes=notes)
