"""SQL on the live page: what it answers, what it refuses, how long and how much, and what comes of odd values."""

import asyncio
import csv
import io
import re
import socket
import time
import urllib.request
from html.parser import HTMLParser
from types import SimpleNamespace
from urllib.parse import parse_qsl, quote, urlsplit

import httpx2
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from study.cli.formats import csv_chunks
from study.store.database import Store
from study.store.errors import StoreError
from study.web.app import application
from tests.support.live import server
from tests.support.synthetic import run, step_up, write_study

ENDLESS = (
    "select count(*) from range(99999) a, range(99999) b, range(99999) c where hash(a.range, b.range, c.range) = 7"
)
EVIL = "</pre><script>alert(1)</script><img src=x onerror=alert(1)>\"'"
MEMORY = 1_000_000_000


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> TestClient:
    folder = tmp_path_factory.mktemp("store")
    curves = {"train.accuracy": step_up(20), "test.accuracy": step_up(200), "train.loss": step_up(20, 3.0, 0.1)}
    point = {"optimizer.weight_decay": 1.0}
    good = [run(f"run-{i}", curves, point | {"task.data_size": 100 * (i + 1)}) for i in range(3)]
    bad = run("bad", {}, point, status="failed", error=EVIL)
    write_study(folder, [*good, bad])
    return TestClient(application(Store.open(folder, memory=MEMORY)), base_url="http://localhost")


class Page(HTMLParser):
    """What of a page a browser sees: elements with their attributes, and the texts of rows, alerts and options."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.alerts: list[str] = []
        self._into: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        self._into = []
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._into = [self.rows[-1]]
        elif tag in ("span", "a", "code") and self.rows:
            self._into = [self.rows[-1]]
        if dict(attrs).get("role") == "alert":
            self.alerts.append("")
            self._into = [self.alerts]

    def handle_data(self, data):
        for texts in self._into:
            texts[-1] += data

    def handle_endtag(self, tag):
        if tag in ("td", "th", "tr", "pre", "p", "table"):
            self._into = []

    def links(self, start: str) -> list[str]:
        return [href for _, attrs in self.elements if (href := attrs.get("href") or "").startswith(start)]

    @property
    def chart(self) -> str | None:
        return next((attrs["data-chart"] for _, attrs in self.elements if "data-chart" in attrs), None)


def ask(client: TestClient, query: str, **more) -> SimpleNamespace:
    answer = client.get("/sql", params={"query": query, **more})
    return SimpleNamespace(code=answer.status_code, page=Page(answer.text), text=answer.text)


def test_an_empty_page_has_the_schema_and_questions_that_the_store_can_answer(client):
    page = Page(client.get("/sql").text)
    names = {attrs["data-insert"] for _, attrs in page.elements if "data-insert" in attrs}
    assert {"test_step_95", "weight_decay", "test_accuracy", "phase"} <= names
    assert any(attrs.get("id") == "table-study_outcomes" for _, attrs in page.elements)
    questions = page.links("/sql?query=")
    assert len(questions) == 8
    for address in questions:
        answer = client.get(address)
        assert answer.status_code == 200, answer.text
        if chart := Page(answer.text).chart:
            assert "spec" in client.get(chart).json(), chart
    assert sum(Page(client.get(address).text).chart is not None for address in questions) >= 4


def test_the_query_is_in_the_address_and_its_answer_on_the_page(client):
    said = ask(client, "select status, count(*)::integer as n\r\nfrom runs group by all order by n desc")
    assert said.code == 200
    assert said.page.rows == [["status", "n"], ["finished", "3"], ["failed", "1"]]
    assert "select status, count(*)::integer as n\nfrom runs" in said.text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("selec 1", "syntax error"),
        ("select statuz from runs", "statuz"),
        ("select 1; select 2", "holds 2 statements"),
        ("drop table runs", "would write|Catalog Error"),
        ("drop table studies", "would write"),
        ("insert into studies values ('a', '{}', now())", "would write"),
        ("copy studies to '/tmp/never.csv'", "disabled by configuration"),
        ("attach '/tmp/never.db'", "disabled by configuration"),
        ("install httpfs", "disabled by configuration"),
        ("load httpfs", "disabled"),
        ("set memory_limit = '40GB'", "locked"),
        ("set enable_external_access = true", "locked|Cannot"),
        ("select * from read_csv('/etc/passwd')", "disabled by configuration"),
        ("select * from read_text('/etc/passwd')", "disabled by configuration"),
        ("from '/etc/passwd'", "does not exist"),
        ("from 'https://example.org/x.parquet'", "disabled by configuration"),
        ("-- nothing", "gives no rows"),
        ("select 'a\x00b", "."),
    ],
)
def test_what_is_no_reading_query_is_refused_in_words(client, query, words):
    said = ask(client, query)
    assert said.code == 400
    assert re.search(words, said.page.alerts[0]), said.page.alerts
    assert said.page.rows == []
    for ending in ("csv", "parquet"):
        assert client.get(f"/sql.{ending}", params={"query": query}).status_code >= 400
    assert "missing" in client.get("/sql/chart", params={"query": query, "x": "a", "y": "b"}).json()
    assert ask(client, "select count(*)::integer as n from runs").page.rows[1] == ["4"]


def test_duckdb_points_at_the_place(client):
    alert = ask(client, "select 1 from runs where status = 'x' andd").page.alerts[0]
    *_, line, caret = alert.splitlines()
    assert caret == " " * line.index("andd") + "^^^^"


def test_a_query_that_takes_too_long_is_ended_and_says_so(client, monkeypatch):
    monkeypatch.setattr(client.app.state.queries, "seconds", 1.0)
    since = time.monotonic()
    said = ask(client, ENDLESS)
    assert time.monotonic() - since < 8
    assert said.code == 400
    assert "took longer than 1 s and was ended" in said.page.alerts[0]
    assert ask(client, "select 1 as one").code == 200


def test_memory_is_limited_for_queries_and_for_answers(client):
    path = client.app.state.kept.store.path
    small = TestClient(application(Store.open(path, memory=100_000_000)), base_url="http://localhost")
    many = ask(small, "select count(*) from (select distinct hash(range), range from range(20000000))")
    assert "needs more than 95.3 MiB of memory" in many.page.alerts[0]
    large = ask(small, "select repeat('x', 100000) as a from range(1000)")
    assert "gives more than 0.025 GB" in large.page.alerts[0]
    assert small.get("/").status_code == 200, "every query of the server has the same limit"


def test_a_store_says_when_a_query_of_one_study_takes_too_long(client):
    store = client.app.state.kept.store.of("toy")
    assert store.sql("select count(*)::integer from outcomes", seconds=30).fetchall() == [(4,)]
    with pytest.raises(StoreError, match=r"took longer than 0\.2 s"):
        store.sql(ENDLESS, seconds=0.2)


def test_many_rows_are_shown_in_pages_and_taken_away_whole(client):
    query = "select range::integer as i, range * 0.5 as half from range(250000)"
    first = ask(client, query)
    assert "250,000 rows, of which pages show the first 100,000" in first.text
    assert len(first.page.rows) == 501
    last = ask(client, query, page=200)
    assert [last.page.rows[1][0], last.page.rows[-1][0]] == ["99500", "99999"]
    assert ask(client, query, page=9999).page.rows == last.page.rows
    assert ask(client, query, page="x").code == 400
    for link in first.page.links("/sql.csv") + first.page.links("/sql.parquet"):
        assert dict(parse_qsl(urlsplit(link).query)) == {"query": query}
    rows = list(csv.reader(io.StringIO(client.get("/sql.csv", params={"query": query}).text)))
    assert (len(rows), rows[0], rows[-1]) == (250_001, ["i", "half"], ["249999", "124999.5"])
    table = pq.read_table(io.BytesIO(client.get("/sql.parquet", params={"query": query}).content))
    assert (table.num_rows, table["i"][-1].as_py()) == (250_000, 249_999)
    chart = client.get("/sql/chart", params={"query": query, "x": "i", "y": "half"}).json()
    assert chart["subtitle"] == "5,000 of 250,000 rows, drawn by lot."
    points = chart["spec"]["data"]["values"]
    assert len(points) == 5_000


ODD = {
    "null": ("null", "NULL"),
    "nan": ("'nan'::double", "NaN"),
    "inf": ("'-inf'::float", "-inf"),
    "list": ("[1, null, 3]", "[1, null, 3]"),
    "struct": ("{'a': ['x']}", '{"a": ["x"]}'),
    "binary": ("'\\xAA<b>'::blob", "\\xAA<b>"),
    "infinite date": ("'infinity'::date", None),
    "date": ("date '2026-01-02'", "2026-01-02"),
    "sum": ("sum(3000000000)", "3000000000"),
    "true": ("true", "true"),
    "evil": (f"'{EVIL.replace(chr(39), chr(39) * 2)}'", EVIL),
    "control": ("chr(27) || '[2J' || chr(8238)", "\\x1b[2J\\u202e"),
    "empty": ("''", ""),
}


@pytest.mark.parametrize(("expression", "shown"), ODD.values(), ids=ODD)
def test_odd_values_are_shown_as_text(client, expression, shown):
    query = f'select {expression} as "odd {EVIL.replace(chr(34), chr(34) * 2)}", 7 as seven'
    said = ask(client, query, x=f"odd {EVIL}", y="seven", color=f"odd {EVIL}")
    assert said.code == 200
    [heads, row] = said.page.rows
    assert heads == [f"odd {EVIL}", "seven"]
    assert row[1] == "7"
    assert shown is None or row[0] == shown
    assert not [tag for tag, attrs in said.page.elements if tag == "img" or (tag == "script" and "src" not in attrs)]
    assert not [attrs for _, attrs in said.page.elements if "onerror" in attrs]
    assert said.page.chart is not None
    made = client.get(said.page.chart)
    assert made.status_code == 200
    assert "spec" in made.json()
    assert client.get("/sql.parquet", params={"query": query}).status_code == 200


def test_csv_is_what_study_sql_writes_and_names_of_files_are_harmless(client):
    query = (
        "select '=1+1' as formula, E'a\"b\\r\\nc' as text, 'nan'::double as x, null as nothing from range(3) -- ü/../\""
    )
    answer = client.get("/sql.csv", params={"query": query})
    table = client.app.state.kept.store.sql(query).arrow()
    assert answer.content == b"".join(csv_chunks(table, "no"))
    said = answer.headers["content-disposition"]
    assert said.startswith('attachment; filename="select_1_1_as_formula')
    assert not set(said) & set("\r\n/\\")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    nested = client.get("/sql.csv", params={"query": "select [1] as list"})
    assert nested.status_code == 400
    assert "column &#39;list&#39; holds lists, which CSV has no place for: take Parquet instead." in nested.text


def test_an_error_of_a_run_is_text_on_the_page(client):
    said = ask(client, "select run_id, error from runs where error is not null")
    [_, [run_id, error]] = said.page.rows
    assert error == EVIL
    assert said.page.links("/run/") == [f"/run/{run_id}"]


def test_a_chart_draws_numbers_texts_and_times(client):
    def chart(query: str, **choice: str) -> dict:
        return client.get("/sql/chart", params={"query": query, **choice}).json()

    query = "select step, train_loss, run_id, step::varchar as word, 'nan'::double as none from curves order by all"
    made = chart(query, x="step", y="train_loss", color="run_id", mark="line", scale="x")
    encoding = made["spec"]["encoding"]
    assert (made["spec"]["mark"]["type"], encoding["x"]["scale"]["type"]) == ("line", "log")
    points = made["spec"]["data"]["values"]
    assert min(point["x"] for point in points) == 0.5, "step 0 has its place"
    assert made["subtitle"] == "33 rows."
    assert "left out" in chart(query, x="step", y="none")["subtitle"]
    bars = chart(query, x="word", y="train_loss", mark="bar")["spec"]
    assert (bars["encoding"]["x"]["type"], bars["mark"]["type"]) == ("nominal", "bar")
    times = chart(
        "select timestamp '2026-01-01' + to_days(range::integer) as day, range from range(5)", x="day", y="range"
    )
    assert times["spec"]["encoding"]["x"]["type"] == "temporal"
    phases = chart("select phase, steps from phases join runs using (run_id)", x="phase", y="steps", color="phase")
    assert "domain" in phases["spec"]["encoding"]["color"]["scale"]
    assert client.get(f"/sql/chart?query={query}&x=step&y=train_loss&format=svg").text.startswith("<svg")


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"x": "no", "y": "i"}, "no column 'no'"),
        ({"x": "i", "y": "i", "mark": "pie"}, "mark must be one of point, line, bar"),
        ({"x": "i", "y": "i", "scale": "cubic"}, "scale must be one of"),
        ({"x": "i", "y": "i", "mark": "bar", "scale": "y"}, "Bars begin at 0"),
        ({"x": "word", "y": "i"}, "holds 300 different texts"),
        ({"x": "i"}, "choose a column"),
    ],
)
def test_a_choice_that_cannot_be_drawn_is_one_line(client, choice, words):
    query = "select range::integer as i, range::varchar as word from range(300)"
    missing = client.get("/sql/chart", params={"query": query, **choice}).json()["missing"]
    assert words in missing
    assert "\n" not in missing
    said = ask(client, query, **choice)
    assert said.code == 200
    assert said.page.rows


def test_small_answers_are_kept_and_large_ones_are_not(client, monkeypatch):
    queries = client.app.state.queries
    monkeypatch.setattr("study.web.sql.answers.SMALL_BYTES", 100_000)
    monkeypatch.setattr("study.web.sql.answers.KEPT_BYTES", 150_000)
    small = [queries.answer(f"select range + {i} as i from range(10000)") for i in range(3)]
    assert queries.answer("select range + 2 as i from range(10000)") is small[2]
    assert queries.answer("select range + 0 as i from range(10000)") is not small[0], "together they are too many"
    large = "select range as i from range(100000)"
    assert queries.answer(large) is not queries.answer(large)


def test_one_query_of_a_browser_runs_at_a_time_and_four_of_all(client, monkeypatch):
    running, most, of_one = [], [], []

    def slow(text: str, stop: object):
        running.append(text)
        most.append(len(running))
        of_one.append(running.count("select 'same'"))
        time.sleep(0.1)
        running.remove(text)
        raise StoreError("enough")

    async def all_at_once() -> None:
        transport = httpx2.ASGITransport(client.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as browser:
            asked = [("same", "select 'same'")] * 4 + [(f"other {i}", f"select {i}") for i in range(8)]
            await asyncio.gather(
                *(browser.get("/sql", params={"query": q}, headers={"user-agent": name}) for name, q in asked)
            )

    monkeypatch.setattr(client.app.state.queries, "answer", slow)
    asyncio.run(all_at_once())
    assert (len(most), max(most), max(of_one)) == (12, 4, 1)


def test_a_query_of_a_tab_that_was_closed_is_ended(tmp_path):
    """A browser has one query at a time: the next one is answered long before the limit of the first."""
    write_study(tmp_path, [run("a", {})])
    with server(tmp_path) as address:
        place = urlsplit(address)
        with socket.create_connection((place.hostname, place.port)) as tab:
            line = f"GET /sql.csv?query={quote(ENDLESS)} HTTP/1.1"
            tab.sendall(f"{line}\r\nHost: {place.netloc}\r\nUser-Agent: one\r\n\r\n".encode())
            time.sleep(2)
        begun = time.monotonic()
        asked = urllib.request.Request(f"{address}sql.csv?query=select+42", headers={"user-agent": "one"})
        with urllib.request.urlopen(asked, timeout=60) as answer:
            assert b"42" in answer.read()
        assert time.monotonic() - begun < 20
