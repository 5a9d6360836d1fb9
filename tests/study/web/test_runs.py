"""The pages of runs: the table with its filter, one run, and runs side by side."""

import io
import math
import re
from html import escape

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from study.store.database import Store
from study.web.app import application
from study.web.run import code
from study.web.runs import ROWS
from tests.support.runs import mlp_run
from tests.support.synthetic import STEPS, run, run_id_of, step_up, write_study

EVIL = "<script>alert('x')</script>"
FITS = {"train.accuracy": step_up(20), "test.accuracy": step_up(500), "train.loss": step_up(None, 2.0)}
NEVER = {"train.accuracy": step_up(20), "test.accuracy": step_up(None), "train.loss": step_up(None, 2.0)}


def client(store: Store) -> TestClient:
    return TestClient(application(Store.open(store.path)), base_url="http://localhost")


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """Six runs at three weight decays: one groks, one fits alone, one has failed, one is planned, one is diverged."""

    def at(decay: float | None, **more: object) -> dict:
        return {"point": {"optimizer.weight_decay": decay, "task.note": EVIL}, **more}

    nan = {"train.loss": [math.nan] * len(STEPS), "train.accuracy": step_up(None), "test.accuracy": step_up(None)}
    runs = [
        run("groks", FITS, seed=1, **at(0.1)),
        run("groks too", FITS, seed=0, **at(0.1)),
        run("fits", NEVER, **at(10.0)),
        run(
            "failed",
            {},
            status="failed",
            stop_reason=None,
            error=f"OutOfMemory: {EVIL}",
            log=f"Traceback {EVIL}",
            **at(2.0),
        ),
        run("planned", {}, status="planned", **at(2.0)),
        run("diverged", nan, stop_reason="diverged", **at(100.0)),
    ]
    axes = {"optimizer.weight_decay": [0.1, 2.0, 10.0, 100.0]}
    return write_study(tmp_path_factory.mktemp("store"), runs, axes, question=EVIL)


@pytest.fixture(scope="module")
def web(store) -> TestClient:
    return client(store)


def shown(text: str) -> list[str]:
    """Ids of the runs in the table of a page, in their order."""
    return re.findall(r'name="run" value="([0-9a-f]{16})"', text)


def said(text: str) -> str:
    """The mistake that a page says."""
    found = re.search(r'<p class="mistake"[^>]*>(.*?)</p>', text, re.DOTALL)
    return found[1] if found else ""


def test_all_runs_have_a_row_with_their_studies_and_phases(web):
    page = web.get("/runs")
    assert page.status_code == 200
    assert len(shown(page.text)) == 6
    assert 'href="/study/toy"' in page.text
    assert "1 to 6 of 6 runs" in page.text
    assert "not by 1,000" in page.text  # fits, and never generalized
    assert page.text.count("grokking") >= 2


def test_a_study_has_its_points_in_words_by_number(web):
    text = web.get("/runs?study=toy").text
    names = ["groks too", "groks", "failed", "planned", "fits", "diverged"]
    assert {*shown(text)[:2]} == {run_id_of("groks"), run_id_of("groks too")}
    assert shown(text)[0] == run_id_of("groks too")  # seed 0 comes first
    assert {*shown(text)} == {*map(run_id_of, names)}
    assert shown(text)[-2:] == [run_id_of("fits"), run_id_of("diverged")]  # 10 comes after 2
    assert "weight decay 0.1" in text


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_column_sorts_and_says_so(web, order):
    text = web.get(f"/runs?sort=weight_decay&order={order}").text
    ends = [run_id_of("fits"), run_id_of("diverged")]
    assert shown(text)[-2:] == ends if order == "asc" else shown(text)[:2] == ends[::-1]
    assert re.findall(r'aria-sort="(\w+)"', text) == [f"{order}ending"]
    other = "desc" if order == "asc" else "asc"
    assert f"sort=weight_decay&amp;order={other}" in text


def test_runs_without_a_value_are_last_either_way(web):
    for order in ("asc", "desc"):
        found = shown(web.get(f"/runs?sort=test_step_95&order={order}").text)
        assert {*found[:2]} == {run_id_of("groks"), run_id_of("groks too")}


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("phase = 'grokking'", {"groks", "groks too"}),
        ("phase = 'grokking' and seed = 1 -- the second", {"groks"}),
        ("train_step_95 is not null and test_step_95 is null", {"fits"}),
        ("status = 'failed' or stop_reason = 'diverged'", {"failed", "diverged"}),
        ('"task.note" is not null and weight_decay > 50', {"diverged"}),
        ("width in (1, 2)", set()),
        ("error like '%;%'", set()),
        ("   ", {"groks", "groks too", "fits", "failed", "planned", "diverged"}),
    ],
)
def test_a_condition_filters(web, where, names):
    page = web.get("/runs", params={"study": "toy", "where": where})
    assert page.status_code == 200, said(page.text)
    assert {*shown(page.text)} == {*map(run_id_of, names)}


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("phas = 'grokking'", 'Candidate bindings: "phase"'),
        ("phase =", "syntax error"),
        ("phase", "BOOL"),
        ("seed > 'many'", "many"),
        ("nothing(seed)", "does not exist"),
        ("count(*) > 1", "aggregates"),
        ("$1 = 2", "parameters"),
        ("'", "unterminated"),
        ("/* ", "unterminated"),
        ("1=1); drop table runs", "syntax error"),
        ("1=1; drop table runs", "one SQL expression"),
        ("1=1; select 1", "one SQL expression"),
        ("1=1) union select * from (select 1", "syntax error"),
        ("1 union select 1", "one SQL expression"),
        ("1 as phase", "one SQL expression"),
        ("true, true", "one SQL expression"),
        ("distinct true", "one SQL expression"),
        ("true from runs", "one SQL expression"),
        ("true limit 1", "one SQL expression"),
        ("true order by 1", "one SQL expression"),
        ("(select 1 from read_csv('/etc/passwd'))", "subquery"),
        ("exists (from read_text('/etc/passwd'))", "subquery"),
        ("run_id in (select run_id from runs)", "subquery"),
        ("[x for x in (from range(3))] is null", "subquery"),
        ("1 = 1; --", "syntax error"),
        ('list_sum(main."Range"(seed, 4_000_000_000)) > 0', "range()"),
        ("generate_series(seed, 4_000_000_000) is null", "generate_series()"),
        ("repeat('x', 4_000_000_000) > ''", "repeat()"),
        ("'a' || " * 250 + "'a'", "BOOL"),
        ("true and " * 300 + "true", "characters"),
    ],
)
def test_a_condition_that_does_not_work_is_said_in_one_line_and_stays(web, where, words):
    page = web.get("/runs", params={"study": "toy", "where": where})
    assert page.status_code == 400
    assert words in said(page.text).replace("&#34;", '"')
    assert "\n" not in said(page.text)
    assert f'value="{escape(where.strip()).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")}"' in page.text
    assert len(shown(page.text)) == 6
    assert web.get("/runs.csv", params={"study": "toy", "where": where}).status_code == 400


def test_a_function_that_reads_files_reads_none(web):
    for where in ("getenv('HOME') is null", "read_text('/etc/passwd') is null"):
        assert web.get("/runs", params={"where": where}).status_code == 400


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("sort=weight_decy", "weight_decay"),
        ("sort=seed&order=up", "asc or desc"),
        ("page=none", "whole number"),
        ("page=0", "whole number"),
        ("definition=/etc/passwd.sql", "Available: "),
        ("definition=select 1", "Available: "),
        ("study=toys", "toy"),
    ],
)
def test_what_cannot_be_shown_is_said(web, query, words):
    page = web.get(f"/runs?{query}")
    assert page.status_code == 400
    assert words in said(page.text)


def test_phases_are_those_of_the_definition_that_is_asked_for(web):
    assert "generalized_in_distribution" not in web.get("/runs?study=toy").text
    page = web.get("/runs", params={"study": "toy", "definition": "doshi2023", "where": "phase = 'coexistence'"})
    assert len(shown(page.text)) == 2


def test_many_runs_are_paged(tmp_path):
    runs = [run(f"run {i}", {}, status="planned", point={"model.width": i}) for i in range(2 * ROWS + 30)]
    web = client(write_study(tmp_path, runs, {"model.width": [*range(2 * ROWS + 30)]}))
    found = []
    for number, words in ((1, "1 to 100 of 230"), (2, "101 to 200 of 230"), (3, "201 to 230 of 230")):
        text = web.get(f"/runs?study=toy&page={number}").text
        assert words in text
        found += shown(text)
    assert found == [run_id_of(f"run {i}") for i in range(2 * ROWS + 30)]
    assert shown(web.get("/runs?study=toy&page=99").text) == found[200:]  # the last one there is
    last = web.get("/runs?study=toy&sort=width&order=desc&page=3").text
    assert shown(last) == found[29::-1]
    assert "page=2" in last
    assert "page=4" not in last
    taken = pa_csv.read_csv(io.BytesIO(web.get("/runs.csv?study=toy&sort=width&order=desc&page=3").content))
    assert taken["run_id"].to_pylist() == found[::-1]


def test_downloads_have_the_rows_of_the_page_in_its_order_with_all_columns(web):
    asked = {"study": "toy", "where": "weight_decay > 1", "sort": "weight_decay", "order": "desc"}
    rows = shown(web.get("/runs", params=asked).text)
    parquet = web.get("/runs.parquet", params=asked)
    table = pq.read_table(pa.BufferReader(parquet.content))
    assert table["run_id"].to_pylist() == rows
    assert table["task.note"].to_pylist() == [EVIL] * 4
    csv = pa_csv.read_csv(io.BytesIO(web.get("/runs.csv", params=asked).content))
    assert csv["run_id"].to_pylist() == rows
    assert csv.column_names == table.column_names
    assert 'filename="toy_runs.parquet"' in parquet.headers["content-disposition"]


def test_nothing_that_was_written_by_others_is_markup(web):
    ids = shown(web.get("/runs").text)
    pages = ["/runs", f"/runs?study={EVIL}", "/runs?study=toy", f"/runs?where={EVIL}", f"/runs?sort={EVIL}"]
    pages += [f"/run/{run}" for run in ids] + [f"/run/{EVIL}", f"/compare?run={EVIL}&run=2", f"/compare?run={EVIL}"]
    pages += ["/compare?run=" + "&run=".join(ids), f"/runs?definition={EVIL}", f"/runs?page={EVIL}"]
    for address in pages:
        assert "<script>" not in web.get(address).text, address
    assert escape(EVIL, quote=False).partition("(")[0] in web.get("/runs?study=toy").text


def test_a_name_of_a_study_or_a_host_is_no_markup_even_where_a_store_was_made_by_hand(tmp_path):
    import duckdb

    store = write_study(tmp_path, [run("a", FITS)])
    with duckdb.connect(store.path / "study.duckdb") as file:
        for table in ("studies", "study_runs"):
            file.execute(f"update {table} set study = ?", [EVIL])
        file.execute("update attempts set host = ?, versions = ?", [EVIL, '{"torch": "<b>2</b>"}'])
    web = client(store)
    for address in ("/runs", f"/run/{run_id_of('a')}"):
        page = web.get(address)
        assert page.status_code == 200
        assert "<script>" not in page.text
        assert "<b>" not in page.text
    assert web.get("/runs", params={"study": EVIL}).status_code == 200


def test_a_run_says_what_came_of_it(web):
    text = web.get(f"/run/{run_id_of('fits')}").text
    for words in (
        "weight decay 10", "at step 20", "not by step 1,000", "memorization", "liu2022", "node", "abc", "torch",
        "study run toy --store", "train_pack", "fits the training split, test accuracy at chance",
    ):  # fmt: skip
        assert words in text, words
    for what in ("accuracy", "loss"):
        assert f'data-chart="/curves?run={run_id_of("fits")}&amp;what={what}"' in text
    assert "what=weight_norm" not in text  # it was not measured
    linear = web.get(f"/run/{run_id_of('fits')}", params={"scale": "linear"}).text
    assert f'data-chart="/curves?run={run_id_of("fits")}&amp;what=loss&amp;scale=linear"' in linear
    assert "scale=linear" not in text


def test_a_run_that_has_failed_shows_its_error_once_and_the_log_of_it(web):
    text = web.get(f"/run/{run_id_of('failed')}").text
    assert text.count("OutOfMemory: &lt;script&gt;") == 1
    assert "Log of attempt 1</summary><pre>Traceback &lt;script&gt;" in text


def test_a_run_links_the_other_seeds_of_its_point(web):
    text = web.get(f"/run/{run_id_of('groks')}").text
    assert f'href="/run/{run_id_of("groks too")}"' in text
    assert f'href="/run/{run_id_of("fits")}"' not in text


def test_runs_without_records_and_with_nan_have_a_page(web):
    planned = web.get(f"/run/{run_id_of('planned')}").text
    assert "There are no records" in planned
    assert "It was not trained yet" in planned
    failed = web.get(f"/run/{run_id_of('failed')}").text
    assert "OutOfMemory: &lt;script&gt;" in failed
    diverged = web.get(f"/run/{run_id_of('diverged')}").text
    assert "ended by diverged" in diverged
    assert "Final train loss nan" in diverged


def test_answers_that_are_numbers_have_no_accuracy(tmp_path):
    curves = {
        "train.loss": step_up(None, 2.0),
        "test.loss": step_up(None, 3.0),
        "model.weight_norm": step_up(None, 4.0),
    }
    web = client(write_study(tmp_path, [run("a", curves, chance_accuracy=None, task="in_context_regression")]))
    assert "not by" not in web.get("/runs").text
    text = web.get(f"/run/{run_id_of('a')}").text
    assert "It has no accuracy" in text
    assert "what=accuracy" not in text
    assert "what=weight_norm" in text
    assert "Final test loss 3" in text


def test_a_run_shows_further_metrics_and_probes(tmp_path):
    run_id = run_id_of("a")
    findings = {"run_id": [run_id], "step": [10], "probe": ["fourier"], "layer": [0], "position": [""]}
    findings |= {"metric": ["ipr"], "value": [0.5]}
    curves = FITS | {"model.weight_norm": step_up(None, 4.0), "model.weight_norm.embedding": step_up(None, 4.0)}
    text = client(write_study(tmp_path, [run("a", curves)], findings=findings)).get(f"/run/{run_id}").text
    found = re.findall(r"&amp;what=([\w.]+)", text)
    assert found == ["accuracy", "loss", "weight_norm", "weight_norm.embedding", "fourier.ipr"]


def test_an_unknown_run_is_not_found(web):
    page = web.get("/run/0123456789abcdef")
    assert page.status_code == 404
    assert (
        said(page.text) == "There is no run &#39;0123456789abcdef&#39; in this store: /runs lists all that there are."
    )


def test_runs_are_compared_by_what_differs(web):
    runs = [run_id_of("groks"), run_id_of("fits")]
    text = web.get(f"/compare?run={runs[0]}&run={runs[1]}&run={runs[0]}").text
    assert "2 runs compared" in text
    differs, _, rest = text.partition('<details id="equal">')
    assert "<code>name</code>" in differs
    assert "<code>task.labels</code>" in rest
    assert "not by step 1,000" in rest
    assert f'data-chart="/curves?run={runs[0]}&amp;run={runs[1]}&amp;what=accuracy"' in rest
    assert "grokking" in rest
    assert "memorization" in rest


@pytest.mark.parametrize("runs", [[], ["a"], ["a", "a"], [f"run {i}" for i in range(11)]])
def test_a_wrong_number_of_runs_to_compare_is_said(web, runs):
    page = web.get("/compare", params={"run": runs})
    assert page.status_code == 400
    assert "tick 2 to 10" in said(page.text)


def test_a_run_to_compare_that_is_not_here_is_not_found(web):
    page = web.get("/compare", params={"run": [run_id_of("fits"), "0123456789abcdef"]})
    assert page.status_code == 404
    assert "0123456789abcdef" in said(page.text)


def test_an_empty_store_has_no_runs(tmp_path):
    Store.open(tmp_path, write=True)
    page = TestClient(application(Store.open(tmp_path)), base_url="http://localhost").get("/runs")
    assert page.status_code == 200
    assert "No run" in page.text


def test_the_code_of_a_run_trains_it(capsys):
    spec = mlp_run()
    exec(code(spec.run_id, spec.to_json(), 5), {})
    out = capsys.readouterr().out
    assert f"run_id='{spec.run_id}'" in out
    assert "5 test accuracy" in out


def test_the_code_of_a_run_imports_parts_that_are_a_users_own():
    said = code(
        "0" * 16, {"task": {"name": "mylab.parity:Sparse"}, "model": {"name": "mlp"}, "optimizer": {"name": "adamw"}}, 5
    )
    assert "import mylab.parity" in said
    assert "import mlp" not in said
