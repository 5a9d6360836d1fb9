"""The live page as a Starlette application: which address is answered where."""

from importlib.resources import files
from pathlib import PurePosixPath

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from analysis.vega_bundle import vega_bundle
from study.store.database import Store
from study.store.errors import StoreBusy, StoreError
from study.web import charts, compare, curves, findings, home, run, runs, study, training
from study.web.events import Watch, events
from study.web.guard import Guard
from study.web.kept import Kept
from study.web.pages import in_time, page
from study.web.sql import chart as sql_chart
from study.web.sql import page as sql
from study.web.sql.answers import Queries
from study.web.takeaway import TYPES as ENDINGS
from trainables.errors import SpecError

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def application(store: Store, host: str = "127.0.0.1", token: str | None = None) -> Starlette:
    """The pages of a store that is open read-only. `host` and `token` as for `Guard`."""
    app = Starlette(
        routes=[
            Route("/", in_time(home.home)),
            Route("/study/{study}", in_time(study.study)),
            Route("/study/{study}/findings", findings.findings),
            *(Route(f"/study/{{study}}/claims.{ending}", findings.claims_to_take) for ending in ENDINGS),
            *(Route(f"/study/{{study}}/packs.{ending}", training.packs_to_take) for ending in ENDINGS),
            Route("/study/{study}/chart/{name}", charts.chart),
            Route("/study/{study}/curves", curves.of_cells),
            Route("/curves", curves.of_runs),
            Route("/static/vega.js", vega),
            Route("/events", events),
            Route("/runs", in_time(runs.runs)),
            *(Route(f"/runs.{ending}", runs.rows_to_take) for ending in ENDINGS),
            Route("/run/{run_id}", in_time(run.run)),
            Route("/compare", in_time(compare.compare)),
            Route("/sql", sql.sql),
            Route("/sql.csv", sql.as_csv),
            Route("/sql.parquet", sql.as_parquet),
            Route("/sql/chart", sql_chart.chart),
            Route("/static/{name}", static),
        ],
        middleware=[Middleware(Guard, host=host, token=token)],
        exception_handlers={SpecError: _mistake, StoreError: _mistake, HTTPException: _missing},
    )
    app.state.kept, app.state.ending = Kept(store), False
    app.state.queries, app.state.watch = Queries(app.state.kept), Watch(app.state.kept)
    return app


def static(request: Request) -> Response:
    """A script or a style of the package."""
    name = request.path_params["name"]
    kind = TYPES.get(PurePosixPath(name).suffix)
    file = files("study.web").joinpath("static", name)
    if kind is None or not file.is_file():
        raise HTTPException(404, f"There is no file {name!r}.")
    return Response(file.read_bytes(), media_type=kind, headers={"cache-control": "max-age=3600"})


def vega(request: Request) -> Response:
    """Vega-Lite and all that it needs, as the report has it."""
    return Response(vega_bundle(), media_type="text/javascript", headers={"cache-control": "max-age=86400"})


def _mistake(request: Request, error: Exception) -> Response:
    """What was asked does not work, or the store cannot answer now: one line that says why."""
    status = 503 if isinstance(error, StoreBusy) else 500 if isinstance(error, StoreError) else 400
    return page(request, "mistake.html", status, said=str(error))


def _missing(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return page(request, "mistake.html", error.status_code, said=error.detail)
