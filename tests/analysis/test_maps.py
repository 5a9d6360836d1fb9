"""Maps of more than two axes: any pair of them as the plane, the others as rows and columns, held, or pooled."""

import itertools
import json

import pytest
from click.testing import CliRunner
from scipy.stats import binomtest

import analysis
from analysis.charts import delay_by_ratio, label, show, words
from study.cli.main import cli
from study.store.database import Store
from tests.support.synthetic import drawn, run, step_up, write_study
from trainables.errors import SpecError

GROKKED = {"train.accuracy": step_up(5), "test.accuracy": step_up(200, 0.05)}
MEMORIZED = {"train.accuracy": step_up(5), "test.accuracy": step_up(None, 0.05)}
LAYERS, RATIO, DECAY, ENTITIES = "model.layers", "task.ratio", "optimizer.weight_decay", "task.entities"
AXES = {LAYERS: [2, 1, 3], RATIO: [8, 4], DECAY: [0.3, 0.03, 3.0], ENTITIES: [20, 16]}
POINTS = [dict(zip(AXES, values, strict=True)) for values in itertools.product(*AXES.values())]


def curves(point: dict, seed: int) -> dict[str, list[float]]:
    """The larger the ratio and the decay, and the more layers, the more of the seeds generalize."""
    return GROKKED if point[RATIO] * point[DECAY] * point[LAYERS] > 2 * seed + point[ENTITIES] / 10 else MEMORIZED


def stored(folder, points=POINTS, **spec) -> Store:
    runs = [
        run(f"{i:03}-{seed}", curves(point, seed), point, seed=seed)
        for i, point in enumerate(points)
        for seed in range(2)
    ]
    return write_study(folder, runs, AXES, "Where do facts generalize?", **spec)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return stored(tmp_path_factory.mktemp("maps"))


def counts(store: Store, paths: list[str], where: str = "true") -> dict[tuple, int]:
    """Runs by the values of some axes and by phase, as SQL counts them."""
    values = ", ".join(f"(point ->> '$.\"{path}\"')::double" for path in paths)
    found = store.of("toy").sql(
        f"""select {values}, phase, count(*)::integer from phases join study_runs using (run_id)
        where study = 'toy' and definition = 'unified' and {where} group by all"""
    )
    return {tuple(row[:-1]): row[-1] for row in found.fetchall()}


def shown(spec: dict) -> dict[tuple, int]:
    """Runs by x, y and phase, as a diagram of one panel has them."""
    rows = drawn(spec, spec.get("layer", [spec])[0])
    return {(row["x"], row["y"], row["phase"]): int(row["runs"].split(" of ")[0]) for row in rows}


def test_axes_and_values_are_in_words():
    assert words("optimizer.weight_decay") == "weight decay"
    assert words("task.width", ["task.width", "model.width"]) == "task width"
    assert words("optimizer") == "optimizer"
    assert label({DECAY: 0.3, RATIO: 8}) == "weight decay 0.3, ratio 8"
    assert label({"task.width": 4}, ["model.width"]) == "task width 4"
    assert [show(value) for value in (0.8, 1e-3, 16384, 20000.0, 4, True, "adamw")] == [
        "0.8", "0.001", "16,384", "20,000", "4", "True", "adamw",
    ]  # fmt: skip


def test_of_four_axes_two_are_the_plane_and_two_are_rows_and_columns(store):
    spec = analysis.phase_diagram(store, "toy").to_dict()
    plane = spec["spec"]["encoding"]
    assert [plane[side]["axis"]["title"] for side in "xy"] == ["ratio", "weight decay"]
    assert spec["facet"]["row"]["sort"] == ["layers 1", "layers 2", "layers 3"]
    assert spec["facet"]["column"]["sort"] == ["entities 16", "entities 20"]
    rows = drawn(spec)
    assert len({(row["row"], row["column"]) for row in rows}) == 6
    assert {(row["x"], row["y"]) for row in rows} == set(itertools.product(AXES[RATIO], AXES[DECAY]))
    assert plane["x"]["axis"]["labelExpr"].startswith('["4", "8"]')
    assert all("weight decay" in row["point"] for row in rows)


def test_where_a_combination_is_missing_there_is_no_empty_panel(tmp_path):
    some = [point for point in POINTS if point[LAYERS] < 3 or point[ENTITIES] == 16]
    spec = analysis.phase_diagram(stored(tmp_path, some), "toy").to_dict()
    assert spec["facet"]["sort"] == [
        f"layers {layers}, entities {entities}" for layers, entities in [(1, 16), (1, 20), (2, 16), (2, 20), (3, 16)]
    ]
    assert {row["panel"] for row in drawn(spec)} == set(spec["facet"]["sort"])
    assert spec["columns"] * 2 >= 5


def test_pooled_cells_have_the_runs_of_all_values(store):
    spec = analysis.phase_diagram(store, "toy", x="ratio", y="weight_decay", pooled=["layers", ENTITIES]).to_dict()
    assert shown(spec) == counts(store, [RATIO, DECAY])
    rows = drawn(spec)
    assert {row["runs"].split(" of ")[1] for row in rows} == {"12"}
    assert "all layers and entities; horizon" in spec["title"]["subtitle"]
    for row in rows:
        count, total = map(int, row["runs"].split(" of "))
        wilson = binomtest(count, total).proportion_ci(method="wilson")
        assert row["interval"] == f"{wilson.low:.2f} to {wilson.high:.2f}"


def test_held_cells_are_those_at_the_value(store):
    spec = analysis.phase_diagram(store, "toy", at={"layers": 2, "entities": 20.0}).to_dict()
    assert shown(spec) == counts(store, [RATIO, DECAY], """point ->> '$."model.layers"' = '2'
        and point ->> '$."task.entities"' = '20'""")  # fmt: skip
    assert "layers 2, entities 20" in spec["title"]["subtitle"]
    assert "24 runs" not in spec["title"]["subtitle"]
    assert "12 runs" in spec["title"]["subtitle"]


def test_a_plane_with_all_else_held_has_its_boundary(store):
    spec = analysis.phase_diagram(store, "toy", at={"layers": 2, "entities": 16}).to_dict()
    assert [layer["mark"]["type"] for layer in spec["layer"][:1]] == ["rect"]
    assert len(drawn(spec, spec["layer"][1])) > 0


def test_any_two_axes_span_the_plane(store):
    for x, y in itertools.permutations(AXES, 2):
        others = [axis for axis in AXES if axis not in (x, y)]
        spec = analysis.phase_diagram(store, "toy", x=x, y=y, pooled=others).to_dict()
        assert shown(spec) == counts(store, [x, y])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"x": "ratoi"}, "has no axis 'ratoi'. Did you mean 'task.ratio'?"),
        ({"x": "ratio", "y": "task.ratio"}, "x and y are both 'task.ratio'; name two axes."),
        ({"at": {"layers": 4}}, "no run has 'model.layers' at 4. Its values: 1, 2, 3."),
        ({"x": "layers", "at": {"layers": 2}}, "axis 'model.layers' cannot be shown and held at a value"),
        ({"pooled": ["layers"], "at": {"layers": 2}}, "axis 'model.layers' cannot be pooled and held at a value"),
        ({"x": "layers", "pooled": "layers"}, "axis 'model.layers' cannot be shown and pooled"),
        ({"at": {"layers": 1, LAYERS: 2}}, "axis 'model.layers' is held twice; give one value."),
        ({"at": {"layers": True}}, "no run has 'model.layers' at True."),
        ({"at": "layers=1"}, "at must be {axis: value}, got 'layers=1'."),
        ({"x": ""}, "'' is no name of an axis."),
        ({"x": 3}, "3 is no name of an axis."),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(store, options, said):
    with pytest.raises(SpecError) as error:
        analysis.phase_diagram(store, "toy", **options)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_page_on_which_one_axis_is_left_has_no_menus_and_is_a_row(store, tmp_path):
    page = analysis.report(store, "toy", tmp_path / "toy.html", at={"layers": 2, "weight_decay": 0.3, "ratio": 8})
    assert "function mapWithMenus" not in page.read_text()
    assert '<div id="phase_diagram">' in page.read_text()


def test_an_axis_by_its_last_part_must_be_the_only_one(tmp_path):
    points = [{"model.width": width, "task.width": other} for width in (4, 8) for other in (2, 3)]
    runs = [run(f"r{i}", GROKKED, point) for i, point in enumerate(points)]
    store = write_study(tmp_path, runs, {"model.width": [4, 8], "task.width": [2, 3]})
    with pytest.raises(SpecError, match=r"several axes 'width': model.width, task.width. Write one in full."):
        analysis.phase_diagram(store, "toy", x="width")
    spec = analysis.phase_diagram(store, "toy").to_dict()
    assert [spec["encoding"][side]["axis"]["title"] for side in "xy"] == ["model width", "task width"]


def cli_rows(store: Store, *words: str) -> list[dict]:
    result = CliRunner().invoke(cli, ["phases", "toy", "--store", str(store.path), "--json", *words])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_study_phases_has_the_same_cells_as_rows(store):
    rows = cli_rows(store, "--x", "ratio", "--y", "weight_decay")
    points = [json.loads(row["point"]) for row in rows]
    assert {
        (point[RATIO], point[DECAY], row["phase"]): row["runs"] for point, row in zip(points, rows, strict=True)
    } == counts(store, [RATIO, DECAY])
    assert all(row["low"] < row["fraction"] == row["runs"] / 12 <= row["high"] for row in rows)
    held = cli_rows(store, "--x", "ratio", "--at", "layers=2", "--at", "optimizer.weight_decay=3")
    assert {tuple(json.loads(row["point"]).items()) for row in held} == {
        ((LAYERS, 2), (RATIO, ratio), (DECAY, 3.0)) for ratio in (4, 8)
    }
    assert {row["total"] for row in held} == {4}
    all_axes = cli_rows(store, "--at", "layers=2")
    assert {row["total"] for row in all_axes} == {2}
    assert len({row["point"] for row in all_axes}) == 12


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--x", "ratoi"], "Did you mean 'task.ratio'?"),
        (["--x", "ratio", "--y", "ratio"], "x and y are both 'task.ratio'"),
        (["--at", "layers=4"], "no run has 'model.layers' at 4. Its values: 1, 2, 3."),
        (["--at", "layers"], "--at 'layers' is not AXIS=VALUE, as in --at layers=2."),
        (["--at", "layers=1", "--at", "layers=2"], "--at 'layers=2': 'layers' is held twice; give one value."),
    ],
)
@pytest.mark.parametrize("command", ["phases", "report"])
def test_what_the_command_line_asks_in_vain_is_said_in_one_line(store, command, words, said):
    result = CliRunner().invoke(cli, [command, "toy", "--store", str(store.path), *words])
    assert isinstance(result.exception, SpecError)
    assert said in str(result.exception)


def test_delays_of_many_combinations_are_one_curve_that_is_legible(store):
    spec = delay_by_ratio.chart(store, "toy").to_dict()
    rows = drawn(spec, spec["layer"][0])
    assert {row["curve"] for row in rows} == {delay_by_ratio.OURS}
    assert len({row["others"] for row in rows}) == 18
