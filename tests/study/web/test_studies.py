"""The first page and a study's page, as the server makes them."""

import csv
import io
import json
import math
import re
from datetime import UTC, datetime
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest

from analysis.claim import as_row
from analysis.claim_check import claims_about
from study.store.database import Store
from study.store.levels import LEVELS
from study.store.parts import Recorder, write_plan
from study.store.sql_text import literal
from study.web import charts
from study.web.curves import COLUMNS, RECORDS, records
from tests.study.web.studies import AXES, DECAY, MARKUP, WIDTH, curves, map_runs, map_store
from tests.support.parts import PROVENANCE, A, losses, plan_row, state
from tests.support.synthetic import STEPS, run, run_id_of, step_up, write_study

CELL = json.dumps({DECAY: 1.0, WIDTH: 16}, separators=(",", ":"))


def test_the_first_page_has_every_study_with_its_progress_and_phases(tmp_path, client_of):
    write_study(tmp_path, map_runs(), AXES, "Where do networks generalize?")
    waiting = [
        run("p", {}, {DECAY: 0.0}, status="planned"),
        run("f", {}, {DECAY: 0.1}, status="failed", error="no disk"),
    ]
    text = client_of(write_study(tmp_path, waiting, {DECAY: [0.0, 0.1]}, "What now?", study="second")).get("/").text
    assert "Where do networks generalize?" in text
    assert "27 of 27" in text
    assert "15 memorization" in text
    assert "0 of 2" in text
    assert "1 failed" in text
    assert "no disk" in text


def test_a_store_without_studies_says_what_to_do(tmp_path, client_of):
    Store.open(tmp_path, write=True)
    assert "study run first_map" in client_of(Store.open(tmp_path)).get("/").text


def test_a_study_that_is_not_there_is_one_line(toy):
    answer = toy.get("/study/tony")
    assert answer.status_code == 404
    assert "no study &#39;tony&#39;" in answer.text


def diagram(client, **asked) -> dict:
    return client.get("/study/toy/chart/phase_diagram", params=asked).json()


def test_the_diagram_has_its_cells_by_number(toy):
    made = diagram(toy)
    assert sorted(json.dumps(point) for point in made["cells"].values()) == sorted(
        json.dumps({DECAY: decay, WIDTH: width}) for decay in AXES[DECAY] for width in AXES[WIDTH]
    )
    assert "27 runs" in made["subtitle"]


def phases(client, **asked) -> dict[str, int]:
    text = client.get("/study/toy", params=asked).text
    return {name: int(count) for count, name in re.findall(r"<strong>(\d+)</strong> (\w+)", text)}


def test_other_thresholds_give_other_phases_at_once(toy):
    before = phases(toy)
    assert before == {"memorization": 15, "grokking": 12}
    assert phases(toy, **{"param.min_delay_ratio": 15}) == {"memorization": 15, "comprehension": 3, "grokking": 9}
    assert phases(toy, definition="liu2022") != before
    assert "within" not in phases(toy, **{"param.threshold": 0.99})


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"definition": "lui2022"}, "is not known"),
        ({"definition": "/etc/passwd.sql"}, "is not known"),
        ({"definition": "select run_id, 'a' as phase from outcomes"}, "is not known"),
        ({"param.threshold": "high"}, "param.threshold must be a number"),
        ({"param.threshold": 0.7}, "first passages are stored"),
        ({"param.nothing": 1}, "has no parameter"),
        ({"horizon": -1}, "horizon must be a number of steps"),
        ({"horizon": 10**9}, "no run of study"),
        ({"horizon": "9" * 5000}, "horizon must be a number of steps"),
        ({"cell": "[" * 5000}, "is no JSON object"),
        ({"cell": "[1]"}, "is no JSON object"),
        ({"cell": '{"task.p": 1}'}, "has no axis"),
    ],
)
def test_a_mistake_in_an_address_is_one_line(toy, asked, said):
    answer = toy.get("/study/toy", params=asked)
    assert answer.status_code == 400
    assert said in answer.text


@pytest.mark.parametrize("asked", [{"x": "model.width", "y": "model.width"}, {"x": "task.p"}, {f"at.{DECAY}": 7}])
def test_axes_that_cannot_be_are_one_line_where_the_diagram_would_be(toy, asked):
    assert toy.get("/study/toy/chart/phase_diagram", params=asked).status_code == 400


def test_axes_are_placed_as_asked(toy):
    made = diagram(toy, x=WIDTH, **{f"at.{DECAY}": 1.0})
    assert {json.dumps(point) for point in made["cells"].values()} == {
        json.dumps({DECAY: 1.0, WIDTH: width}) for width in AXES[WIDTH]
    }
    assert "weight decay 1" in made["subtitle"]
    assert "all weight decay" in diagram(toy, x=WIDTH, **{f"at.{DECAY}": "all"})["subtitle"]


def test_a_chosen_cell_has_its_runs_and_their_curves(toy):
    text = toy.get("/study/toy", params={"cell": CELL}).text
    assert "weight decay 1, width 16: 3 runs" in text
    assert "/curves?" in text
    made = toy.get("/study/toy/curves", params={"cell": CELL, "what": "accuracy"}).json()
    [rows] = made["spec"]["datasets"].values()
    assert {row["line"] for row in rows} == {"train", "test"}
    assert len({row["run"] for row in rows}) == 3
    assert {row["value"] for row in rows if row["line"] == "test" and row["step"] >= 500} == {1.0}


def test_curves_of_two_cells_are_compared_by_colour(toy):
    other = json.dumps({DECAY: 0.0, WIDTH: 16})
    for show in ("runs", "band"):
        address = f"/study/toy/curves?what=loss&show={show}"
        made = toy.get(address, params={"what": "loss", "show": show, "cell": [CELL, other]}).json()
        [rows] = made["spec"]["datasets"].values()
        assert list(dict.fromkeys(row["group"] for row in rows)) == [
            "weight decay 1, width 16",
            "weight decay 0, width 16",
        ]
        assert "group" in json.dumps(made["spec"])


def test_curves_of_nothing_say_so(toy):
    assert "no records" in toy.get("/study/toy/curves", params={"cell": CELL, "what": "nothing"}).json()["missing"]
    assert toy.get("/curves").status_code == 400
    assert toy.get("/study/toy/curves", params={"cell": CELL, "scale": "cubic"}).status_code == 400


def test_a_loss_that_is_not_finite_is_a_gap(tmp_path, client_of):
    found = curves(None) | {"train.loss": [1.0] * 10 + [float("nan")]}
    store = write_study(tmp_path, [run("a", found, {DECAY: 0.0})], {DECAY: [0.0]})
    made = client_of(store).get("/study/toy/curves", params={"cell": json.dumps({DECAY: 0.0}), "what": "loss"})
    assert "NaN" not in made.text
    assert any(row["value"] is None for rows in made.json()["spec"]["datasets"].values() for row in rows)


@pytest.mark.parametrize("form", ["svg", "png", "spec"])
def test_a_chart_can_be_taken_away(toy, form):
    answer = toy.get("/study/toy/chart/phase_diagram", params={"format": form})
    assert answer.status_code == 200
    start = {"svg": b"<svg", "png": b"\x89PNG", "spec": b"{"}[form]
    assert answer.content.startswith(start)
    assert "attachment" in answer.headers["content-disposition"]
    if form == "spec":  # the title that the page has elsewhere goes with it
        assert answer.json()["title"]["text"] == "Where do networks generalize?"


def test_what_does_not_apply_is_said_and_not_a_picture(toy):
    assert "missing" in toy.get("/study/toy/chart/circuit").json()
    assert toy.get("/study/toy/chart/circuit", params={"format": "svg"}).status_code == 404
    assert toy.get("/study/toy/chart/nothing").status_code == 404
    assert toy.get("/study/toy/chart/phase_diagram", params={"format": "exe"}).status_code == 404


def test_a_chart_that_has_not_changed_is_not_sent_again(toy):
    first = toy.get("/study/toy/chart/phase_diagram")
    again = toy.get("/study/toy/chart/phase_diagram", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert not again.content


def test_charts_made_at_the_same_time_are_those_made_alone(tmp_path, client_of):
    from concurrent.futures import ThreadPoolExecutor

    client, names = client_of(map_store(tmp_path / "a")), charts.names()
    alone = [client.get(f"/study/toy/chart/{name}").json() for name in names]
    other = client_of(map_store(tmp_path / "b"))
    with ThreadPoolExecutor(len(names)) as pool:
        together = list(pool.map(lambda name: other.get(f"/study/toy/chart/{name}").json(), names))
    assert together == alone


def test_only_thresholds_that_are_stored_can_be_chosen(toy):
    text = toy.get("/study/toy").text
    [menu] = re.findall(r'<select name="param.threshold".*?</select>', text, re.DOTALL)
    assert [float(choice) for choice in re.findall(r">([\d.]+)</option>", menu)] == sorted(LEVELS)


def test_runs_at_two_horizons_are_not_mixed_silently(tmp_path, client_of):
    runs = map_runs()
    store = write_study(tmp_path, runs, AXES)
    assert "different horizons" not in client_of(store).get("/study/toy").text
    planned = [facts | {"horizon": 2000, "status": "planned"} for facts in runs]
    write_study(tmp_path, planned, AXES)
    text = client_of(store).get("/study/toy").text
    assert "runs have finished an earlier horizon" in text
    assert 'name="horizon"' in text


def test_numbers_have_losses_and_no_empty_diagram(tmp_path, client_of):
    found = [run(name, {"train.loss": [0.5] * 11, "test.loss": [0.7] * 11}, {DECAY: decay}, chance_accuracy=None)
             for name, decay in (("a", 0.0), ("b", 1.0))]  # fmt: skip
    text = client_of(write_study(tmp_path, found, {DECAY: [0.0, 1.0]})).get("/study/toy").text
    assert "are numbers" in text
    assert "phase_diagram" not in text
    assert "nan" not in text.lower()


def test_nothing_that_others_have_written_is_markup(tmp_path, client_of):
    hostile = [run("x", curves(None), {MARKUP: MARKUP}, status="failed", error=MARKUP),
               run("y", curves(None), {MARKUP: "b"})]  # fmt: skip
    store = write_study(tmp_path, hostile, {MARKUP: [MARKUP, "b"]}, MARKUP)
    client = client_of(store)
    cell = quote(json.dumps({MARKUP: MARKUP}))
    pages = ["/", "/study/toy", "/study/toy/findings", f"/study/toy?definition={quote(MARKUP)}"]
    pages += [f"/study/toy?cell={cell}", f"/{quote(MARKUP)}", f"/study/{quote(MARKUP, safe='')}"]
    for address in pages:
        text = client.get(address).text
        assert "<img" not in text, address
    assert "{{7*7}}" in client.get("/").text  # nor a template


def test_claims_and_packs_can_be_taken_away(tmp_path, client_of):
    store = write_study(tmp_path, map_runs(), AXES, study="ungrokking")
    client = client_of(store)
    answer = client.get("/study/ungrokking/claims.csv")
    assert "ungrokking_claims.csv" in answer.headers["content-disposition"]
    [head, *rows] = csv.reader(io.StringIO(answer.text))
    names = [row[head.index("name")] for row in rows]
    assert names == [row["name"] for row in map(as_row, claims_about(store, "ungrokking"))]
    table = pq.read_table(io.BytesIO(client.get("/study/ungrokking/claims.parquet").content))
    assert table["name"].to_pylist() == names
    assert client.get("/study/nobody/claims.csv").status_code == 404


def test_files_without_rows_have_their_columns(toy):
    for name, columns in (("claims", ("verdict", "low")), ("packs", ("pack", "memory_bytes"))):
        table = pq.read_table(io.BytesIO(toy.get(f"/study/toy/{name}.parquet").content))
        assert len(table) == 0
        assert {*columns} <= {*table.column_names}


def test_packs_in_training_say_what_memory_they_need(tmp_path, client_of):
    now = datetime.now(UTC).isoformat()
    write_plan(tmp_path, "s", {"question": "?"}, [plan_row(A)])
    told = state(A, steps=40, started_at=now, memory_bytes=1_250_000_000)
    Recorder(tmp_path, "pack", PROVENANCE).flush(losses(A, [0, 40]), [told])
    Store.open(tmp_path, write=True).ingest()
    client = client_of(Store.open(tmp_path))
    assert ">1.2 GB<" in client.get("/study/s").text
    [row] = pq.read_table(io.BytesIO(client.get("/study/s/packs.parquet").content)).to_pylist()
    assert (row["pack"], row["steps"], row["memory_bytes"]) == ("pack", 40, 1_250_000_000)


@pytest.mark.parametrize("what", list(COLUMNS))
def test_curves_that_are_read_side_by_side_are_those_of_metrics(tmp_path, what):
    nan = {"test.loss": [math.nan] * len(STEPS), "ood.accuracy": step_up(50), "model.fourier_ipr": step_up(9)}
    store = write_study(tmp_path, [run("a", curves(200) | nan), run("b", curves(None)), run("c", {})])
    runs = ", ".join(literal(run_id_of(name)) for name in "abc")
    order = " order by run_id, step, line"
    assert "unpivot" in records(store, what, runs)
    found = store.sql(records(store, what, runs) + order).fetchall()
    assert found
    assert repr(found) == repr(store.sql(RECORDS.format(what=literal(what), runs=runs) + order).fetchall())
    assert any(math.isnan(value) for *_, value in found) == (what == "loss")
    [(measured,)] = store.sql("select measured from recorded where run_id = ?", [run_id_of("b")]).fetchall()
    assert measured == ["model.weight_norm", "test.accuracy", "test.loss", "train.accuracy", "train.loss"]


def test_curves_have_the_lines_of_all_splits(tmp_path, client_of):
    found = curves(200) | {"train_inferred.accuracy": step_up(50)}
    page = client_of(write_study(tmp_path, [run("a", found)]))
    lines = {}
    for what in ("accuracy", "loss"):
        made = page.get("/curves", params={"run": run_id_of("a"), "what": what}).json()
        [rows] = made["spec"]["datasets"].values()
        lines[what] = {row["line"] for row in rows}
    assert lines == {"accuracy": {"train", "test", "train_inferred"}, "loss": {"train", "test"}}


def test_the_diagram_and_the_answer_are_of_the_horizon_and_definition_that_are_asked_for(tmp_path, client_of):
    page = client_of(write_study(tmp_path, map_runs(), AXES))
    whole = page.get("/study/toy/chart/phase_diagram").json()["spec"]["title"]["subtitle"]
    early = page.get("/study/toy/chart/phase_diagram?horizon=100").json()["spec"]["title"]["subtitle"]
    assert "horizon 1,000 steps" in whole
    assert "horizon 100 steps" in early
    assert "horizon 100 steps" in page.get("/study/toy?horizon=100").text
    assert "44% generalize" in page.get("/study/toy/findings").text
    assert "None of 27 runs generalizes" in page.get("/study/toy/findings?horizon=100").text
    assert "Of 27 runs, 44%" in page.get("/study/toy/findings?definition=wang2024").text
    assert '"/study/toy/findings?horizon=100"' in page.get("/study/toy?horizon=100").text


@pytest.mark.parametrize(
    ("cells", "status"),
    [
        (['{"model.width":16}', '{"model.width": 16}', '{ "model.width":16}'], 200),
        (['{"model.width":16}', '{"model.width":16.0}', '{"model.width":1.6e1}'], 200),
        (['{"model.width":"\\ud800"}'], 400),
        (['{"\\ud800":1}'], 400),
    ],
)
def test_cells_have_many_spellings(toy, cells, status):
    assert toy.get("/study/toy", params={"cell": cells}).status_code == status
    assert toy.get("/study/toy/curves", params={"cell": cells}).status_code == status
