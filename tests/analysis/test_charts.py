"""Every chart on a study that it applies to, and what charts must not say."""

import itertools
import json
import math
import re

import numpy as np
import pytest

import analysis
from analysis.arrangement import MAX_TICKS
from analysis.charts import NotApplicable
from analysis.charts.learning_curves import chart as learning_curves
from analysis.stored import read_study
from analysis.theme import phase_colors, save
from study.spec import find
from study.store.database import Store
from study.store.definitions import Definition, definitions, ours
from study.store.phase_colors import GENERALIZED, OTHERS, UNRESOLVED
from tests.support.phases import LEARNED
from tests.support.synthetic import cells_of, drawn, run, run_id_of, step_up, write_study
from trainables.components import available, load
from trainables.errors import SpecError
from trainables.examine import COLUMNS
from trainables.models import gpt2
from trainables.optimizers import adamw
from trainables.spec import RunSpec
from trainables.tasks import composition

CHARTS = available("analysis.charts")
WIDTHS, SIZES = [4, 8, 12, 32], [50, 100, 200]
AXES = {"model.width": WIDTHS, "task.data_size": SIZES}
NEEDS = {
    "band_width": "searched",
    "circuit": "reasoning",
    "claims": "circuits",
    "critical_values": "three",
    "delay_by_ratio": "reasoning",
    "final_loss": "decays",
    "influence": "three",
    "law": "decays",
}
"""Charts that do not apply to the study of most, and the fixture to which they do."""
GROKKED = {"train.accuracy": step_up(5), "test.accuracy": step_up(200, 0.05)}
MEMORIZED = {"train.accuracy": step_up(5), "test.accuracy": step_up(None, 0.05)}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    runs = [
        run(f"{width}-{size}-{seed}", GROKKED if width * size > 1000 + 500 * seed else MEMORIZED,
            {"model.width": width, "task.data_size": size}, seed=seed)
        for width, size, seed in itertools.product(WIDTHS, SIZES, range(2))
    ] + [
        run(f"random-{width}-{seed}", {"train.accuracy": step_up(5, high=min(1, width / 16))},
            {"model.width": width, "task.labels": "random"}, labels="random", data_size=400, seed=seed)
        for width, seed in itertools.product(WIDTHS, range(2))
    ]  # fmt: skip
    return write_study(tmp_path_factory.mktemp("store"), runs, axes=AXES, question="Where do they cross?")


@pytest.fixture(scope="module")
def reasoning(tmp_path_factory) -> Store:
    """Two ratios of a composition task, of which the larger generalizes, with what probes found in them."""
    spec = RunSpec(task=composition.Task(), model=gpt2.Model(layers=2, width=8, heads=1), optimizer=adamw.Optimizer())
    runs = [
        run(spec.with_values({"task.ratio": ratio, "seed": seed}), GROKKED if ratio > 8 else MEMORIZED,
            {"task.ratio": ratio}, seed=seed, ratio=ratio, task="composition")
        for ratio, seed in itertools.product((7.2, 18.0), range(2))
    ]  # fmt: skip
    places = itertools.product(runs, (5, 1000), ("strength", "mrr_bridge"), range(3), ("h", "r1", "r2"))
    rows = [
        (run["run_id"], step, "probe", layer, position, metric, 0.25 if step == 5 else 0.75)
        for run, step, metric, layer, position in places
    ]
    findings = {name: list(column) for name, column in zip(COLUMNS, zip(*rows, strict=True), strict=True)}
    folder = tmp_path_factory.mktemp("reasoning")
    question = "Where do they cross?"
    return write_study(folder, runs, {"task.ratio": [7.2, 18.0]}, question, findings, definition="wang2024")


@pytest.fixture(scope="module")
def decays(tmp_path_factory) -> Store:
    """A study over weight decay: the more of it, the shorter the delay."""
    runs = [
        run(f"{decay}-{seed}", {"train.accuracy": step_up(0), "test.accuracy": step_up(steps),
                                "test.loss": step_up(0, high=(1 + seed) / decay)},
            {"optimizer.weight_decay": decay}, seed=seed, learning_rate=0.01)
        for (decay, steps), seed in itertools.product(((1.0, 500), (2.5, 200), (5.0, 100), (10.0, 50)), range(2))
    ]  # fmt: skip
    axes = {"optimizer.weight_decay": [1.0, 2.5, 5.0, 10.0]}
    return write_study(tmp_path_factory.mktemp("decays"), runs, axes, question="Where do they cross?")


@pytest.fixture(scope="module")
def three(tmp_path_factory) -> Store:
    """A study over three axes, of which width and data decide."""
    axes = AXES | {"optimizer.weight_decay": [0.1, 1.0]}
    runs = [
        run(f"{width}-{size}-{decay}-{seed}", GROKKED if width * size > 1000 + 500 * seed else MEMORIZED,
            dict(zip(axes, (width, size, decay), strict=True)), seed=seed)
        for width, size, decay, seed in itertools.product(*axes.values(), range(2))
    ]  # fmt: skip
    return write_study(tmp_path_factory.mktemp("three"), runs, axes=axes, question="Where do they cross?")


@pytest.fixture(scope="module")
def circuits(tmp_path_factory) -> Store:
    """Random labels of a study that papers have made claims about: the wider the model, the more of them it fits."""
    points = {width: {"model.width": width, "task.data_size": 23**2, "task.labels": "random"} for width in WIDTHS}
    study = find("circuits_competition")
    runs = [
        run(study.run(points[width], seed), {"train.accuracy": step_up(5, high=min(1, width / 16))},
            points[width], labels="random", seed=seed, steps=2000)
        for width, seed in itertools.product(WIDTHS, range(2))
    ]  # fmt: skip
    folder = tmp_path_factory.mktemp("circuits")
    return write_study(folder, runs, AXES, "Where do they cross?", study="circuits_competition")


@pytest.fixture(scope="module")
def searched(tmp_path_factory) -> Store:
    runs = [
        run(f"{width}-{size}-{seed}", GROKKED if width * size > 1000 else MEMORIZED,
            {"model.width": width, "task.data_size": size}, seed=seed)
        for width, size, seed in itertools.product(WIDTHS, SIZES, range(2))
    ]  # fmt: skip
    about = {"over": {"model.width": "4:32", "task.data_size": "50:200"}, "runs": 24, "objective": None}
    search = about | {"phases": ["grokking"]}
    return write_study(tmp_path_factory.mktemp("searched"), runs, AXES, "Where do they cross?", search=search)


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Store:
    runs = [run(f"r{width}", {}, {"model.width": width}, status="planned") for width in WIDTHS]
    return write_study(tmp_path_factory.mktemp("empty"), runs, axes={"model.width": WIDTHS})


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_draws_a_study_it_applies_to(name, request, tmp_path):
    store = request.getfixturevalue(NEEDS.get(name, "store"))
    module, study = load("analysis.charts", name), "circuits_competition" if name == "claims" else "toy"
    spec = module.chart(store, study).to_dict()
    json.dumps(spec, allow_nan=False)
    if "title" in spec:
        assert spec["title"]["text"] == "Where do they cross?"
        assert "horizon 1,000 steps, 2 seeds" in spec["title"]["subtitle"]
    assert save(module.chart(store, study), tmp_path / "chart.svg").stat().st_size > 1000
    assert module.TITLE
    assert module.READ.endswith(".")


@pytest.mark.parametrize("name", sorted(set(CHARTS) - {"phase_diagram"}))
def test_a_chart_without_its_runs_says_so(name, empty):
    with pytest.raises(NotApplicable, match=r"Study 'toy'"):
        load("analysis.charts", name).chart(empty, "toy")


def test_final_losses_are_means_along_the_longest_axis(decays):
    points = drawn(load("analysis.charts", "final_loss").chart(decays, "toy").to_dict())
    assert {(row["x"], row["split"]): row["mean"] for row in points} == {
        (decay, "test"): pytest.approx(1.5 / decay) for decay in (1.0, 2.5, 5.0, 10.0)
    }


def test_the_phase_diagram_shows_planned_runs_as_unresolved(empty):
    assert {row["phase"] for row in drawn(analysis.phase_diagram(empty, "toy").to_dict())} == {"unresolved"}


def test_the_phase_diagram_names_its_definition_and_counts_its_runs(store):
    spec = analysis.phase_diagram(store, "toy", definition="liu2022").to_dict()
    assert spec["title"]["subtitle"] == "phases by liu2022; horizon 1,000 steps, 2 seeds, 24 runs"


def test_a_study_may_have_its_own_definition(tmp_path):
    store = write_study(
        tmp_path, [run("r", GROKKED, {"model.width": 4})], axes={"model.width": [4]}, definition="doshi2023"
    )
    spec = analysis.phase_diagram(store, "toy").to_dict()
    assert [row["phase"] for row in drawn(spec)] == ["coexistence"]
    assert spec["title"]["subtitle"].startswith("phases by doshi2023")


def test_cells_are_divided_among_the_phases_of_their_runs(store):
    rows = cells_of(analysis.phase_diagram(store, "toy").to_dict())
    cell = [(row["phase"], row["runs"], row["start"]) for row in rows if (row["x"], row["y"]) == (12, 100)]
    assert cell == [("grokking", "1 of 2", 0.0), ("memorization", "1 of 2", 0.5)]


def test_points_off_the_axes_are_left_out(store):
    rows = cells_of(analysis.phase_diagram(store, "toy").to_dict())
    assert {row["x"] for row in rows} == set(WIDTHS)
    assert not any("labels" in row["point"] for row in rows)


def test_axes_can_be_chosen_and_the_others_become_panels(store, tmp_path):
    flipped = analysis.phase_diagram(store, "toy", x="task.data_size").to_dict()
    assert {row["y"] for row in cells_of(flipped)} == set(WIDTHS)
    runs = [
        run(f"{w}-{s}-{d}", GROKKED, {"model.width": w, "task.data_size": s, "optimizer.weight_decay": d})
        for w, s, d in itertools.product(WIDTHS, SIZES, (1.0, 10.0, 2.0))
    ]
    panels = write_study(tmp_path, runs, axes=AXES | {"optimizer.weight_decay": [1.0, 10.0, 2.0]})
    spec = analysis.phase_diagram(panels, "toy", x="model.width", y="data_size").to_dict()
    assert spec["facet"]["sort"] == ["weight decay 1", "weight decay 2", "weight decay 10"]


def test_an_axis_with_many_values_is_continuous_and_logarithmic_where_it_spans_decades(tmp_path):
    decays = [10 ** (i / 10) for i in range(MAX_TICKS + 1)]
    runs = [run(f"r{i}", GROKKED, {"optimizer.weight_decay": decay}) for i, decay in enumerate(decays)]
    store = write_study(tmp_path, runs, axes={"optimizer.weight_decay": "1:300:log"})
    spec = analysis.phase_diagram(store, "toy").to_dict()
    assert (spec["mark"]["type"], spec["encoding"]["x"]["scale"]["type"]) == ("circle", "log")


MOMENTUM, DECAY, RATE = "optimizer.momentum", "optimizer.weight_decay", "optimizer.learning_rate"


@pytest.fixture(scope="module")
def conditional(tmp_path_factory) -> Store:
    """Five points with a momentum, and three of an optimizer that has none."""
    points: list[dict] = [{"optimizer": "adamw", DECAY: decay} for decay in (0.1, 0.3, 1.0)]
    points += [{"optimizer": "sgd", DECAY: 0.1, MOMENTUM: momentum} for momentum in (0.0, 0.3, 0.5, 0.7, 0.9)]
    runs = [run(f"r{i}", GROKKED, point) for i, point in enumerate(points)]
    return write_study(tmp_path_factory.mktemp("conditional"), runs, {"optimizer": [], DECAY: [], MOMENTUM: []})


def test_points_that_an_axis_does_not_apply_to_have_a_place_of_their_own(conditional, tmp_path):
    spec = analysis.phase_diagram(conditional, "toy", x=MOMENTUM, y=DECAY).to_dict()
    rows = drawn(spec)
    assert len(rows) == 8
    assert sorted(row["y"] for row in rows if row["x"] == "-") == [0.1, 0.3, 1.0]
    panels = analysis.phase_diagram(conditional, "toy", x="optimizer", y=DECAY).to_dict()
    assert panels["facet"]["sort"] == [f"momentum {value}" for value in ("0", "0.3", "0.5", "0.7", "0.9", "-")]
    curves = learning_curves(conditional, "toy", {"optimizer": "adamw", DECAY: 0.3}).to_dict()
    assert "optimizer adamw, weight decay 0.3, momentum -" in curves["title"]["subtitle"]
    page = analysis.report(conditional, "toy", tmp_path / "page.html").read_text()
    assert '<td class="number">adamw</td><td class="number">0.3</td><td class="number">-</td>' in page


def test_on_an_axis_of_sampled_numbers_such_points_lie_beside_the_others(tmp_path):
    points: list[dict] = [{DECAY: 0.1, MOMENTUM: 0.5 + i / 100} for i in range(MAX_TICKS + 1)] + [{DECAY: 0.2}]
    runs = [run(f"r{i}", GROKKED, point) for i, point in enumerate(points)]
    spec = analysis.phase_diagram(write_study(tmp_path, runs, {MOMENTUM: [], DECAY: []}), "toy").to_dict()
    places = sorted(row["x"] for row in cells_of(spec))
    axis = spec["encoding"]["x"]["axis"]
    assert len(places) == MAX_TICKS + 2
    assert places[0] < 0.5 == places[1]
    assert axis["values"][0] == places[0]
    assert all(tick >= 0.5 for tick in axis["values"][1:])
    assert axis["labelExpr"].startswith(f"datum.value == {places[0]!r} ? '-' : format(")


def test_two_axes_that_do_not_apply_leave_every_point_on_the_diagram(tmp_path):
    points = [{"optimizer": "sgd", MOMENTUM: 0.5}, {"optimizer": "adamw", "optimizer.beta1": 0.9}]
    runs = [run(f"r{i}", GROKKED, point) for i, point in enumerate(points)]
    axes = {"optimizer": [], MOMENTUM: [], "optimizer.beta1": []}
    spec = analysis.phase_diagram(write_study(tmp_path, runs, axes), "toy").to_dict()
    assert [(row["x"], row["y"]) for row in drawn(spec)] == [("adamw", "-"), ("sgd", 0.5)]


def test_a_0_has_a_place_of_its_own_beside_decades(tmp_path):
    decays = [0.0, *(10 ** (i / 10) for i in range(MAX_TICKS + 1))]
    runs = [run(f"r{i}", GROKKED, {DECAY: decay}) for i, decay in enumerate(decays)]
    spec = analysis.phase_diagram(write_study(tmp_path, runs, axes={DECAY: []}), "toy").to_dict()
    places, x = sorted(row["x"] for row in cells_of(spec)), spec["encoding"]["x"]
    assert (x["scale"]["type"], len(places)) == ("log", MAX_TICKS + 2)
    assert 0 < places[0] < 0.9
    assert places[1:] == pytest.approx(decays[1:])
    assert x["axis"]["labelExpr"].startswith(f"datum.value == {places[0]!r} ? '0' : format(")


def test_final_losses_have_a_place_for_0_and_for_every_point_of_their_axis(tmp_path):
    curves = GROKKED | {"test.loss": step_up(0, high=0.5)}
    decays = (0.0, 0.001, 0.01, 0.1, 1.0)
    runs = [run(f"r{i}", curves, {DECAY: decay}) for i, decay in enumerate(decays)]
    runs += [run("other", curves, {DECAY: 0.1, MOMENTUM: 0.5})]
    store = write_study(tmp_path, runs, axes={DECAY: [], MOMENTUM: []})
    points = drawn(load("analysis.charts", "final_loss").chart(store, "toy").to_dict())
    assert {(point["value"], point["line"]) for point in points} == {
        *((decay, "momentum -") for decay in decays),
        (0.1, "momentum 0.5"),
    }
    assert all(point["x"] > 0 for point in points)


def test_a_third_sampled_axis_becomes_a_few_slices(tmp_path):
    numbers = np.random.default_rng(0)
    points = [{"task.train_fraction": float(numbers.uniform(0.2, 0.8)), DECAY: float(10 ** numbers.uniform(-3, 1)),
               RATE: float(10 ** numbers.uniform(-4, -1))} for _ in range(96)]  # fmt: skip
    runs = [run(f"r{i}", GROKKED, point) for i, point in enumerate(points)]
    store = write_study(tmp_path, runs, axes={path: [] for path in points[0]})
    spec = analysis.phase_diagram(store, "toy").to_dict()
    rows, panels = drawn(spec), spec["facet"]["sort"]
    assert len(rows) == 96
    assert (spec["spec"]["mark"]["type"], len(panels)) == ("circle", 6)
    ends = [tuple(map(float, re.fullmatch(r"learning rate (\S+) to (\S+)", panel).groups())) for panel in panels]
    assert all(a[1] == b[0] for a, b in itertools.pairwise(ends))
    for row in rows:
        low, high = ends[panels.index(row["panel"])]
        rate = float(row["point"].rpartition(" ")[2])
        assert low * 0.99 <= rate <= high * 1.01
    explorer = load("analysis.charts", "explorer").chart(store, "toy").to_dict()
    assert len(explorer["vconcat"][0]["facet"]["sort"]) == 6


def test_of_many_axes_the_sampled_ones_span_the_plane_and_the_others_become_panels(tmp_path):
    points = [{"optimizer": name, RATE: 0.001 * 1.2**i, DECAY: 0.1 * 1.1 ** (i * 7 % 40)}
              for name in ("adamw", "sgd") for i in range(40)]  # fmt: skip
    runs = [run(f"r{i}", GROKKED, point) for i, point in enumerate(points)]
    spec = analysis.phase_diagram(write_study(tmp_path, runs, axes={path: [] for path in points[0]}), "toy").to_dict()
    assert spec["facet"]["sort"] == ["optimizer adamw", "optimizer sgd"]
    titles = [spec["spec"]["encoding"][channel]["axis"]["title"] for channel in "xy"]
    assert titles == ["weight decay", "learning rate"]


def test_step_0_has_a_place_on_the_log_axis(store):
    rows = drawn(learning_curves(store, "toy", {"model.width": 32, "task.data_size": 200}).to_dict())
    assert min(row["step"] for row in rows) == 0.5
    assert all(row["step"] > 0 for row in rows)


def test_runs_that_never_generalized_are_marked_and_not_given_a_passage(store):
    spec = load("analysis.charts", "train_step_vs_test_step").chart(store, "toy").to_dict()
    never = [row for row in drawn(spec, spec["layer"][1]) if row["phase"] == "memorization"]
    assert never
    assert {row["test"] for row in never} == {"not by the end"}
    assert not any("random" in row["point"] for row in never)


def test_capacity_is_accuracy_times_size_and_a_bound_where_all_labels_are_fitted(store):
    spec = load("analysis.charts", "capacity").chart(store, "toy").to_dict()
    rows = drawn(spec)
    capacity = {row["width"]: (row["size"], row["kind"]) for row in rows if row["curve"] == "memorization capacity"}
    assert capacity == {4: (100, "measured"), 8: (200, "measured"), 12: (300, "measured"), 32: (400, "lower bound")}
    # Width 8: no run at 100 examples, all at 200. Width 12: half at 100. Width 4 never, width 32 already at 50.
    assert {row["width"]: row["size"] for row in rows if row["curve"] == "critical data size"} == {8: 150, 12: 100}


def test_unknown_studies_axes_definitions_and_cells_are_told_with_the_mend(store):
    with pytest.raises(SpecError, match=r"no study 'toi'. Did you mean 'toy'"):
        analysis.phase_diagram(store, "toi")
    with pytest.raises(SpecError, match=r"no axis 'model.widht'. Did you mean 'model.width'"):
        analysis.phase_diagram(store, "toy", x="model.widht")
    with pytest.raises(SpecError, match=r"No phase definition named 'unifed'. Did you mean 'unified'"):
        analysis.phase_diagram(store, "toy", definition="unifed")
    with pytest.raises(SpecError, match=r"no cell at {'model.width': 5}"):
        learning_curves(store, "toy", {"model.width": 5})


def test_charts_are_saved_by_their_ending(store, tmp_path):
    chart = analysis.phase_diagram(store, "toy")
    assert save(chart, tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(save(chart, tmp_path / "a.json").read_text())["title"]
    page = save(chart, tmp_path / "a.html").read_text()
    assert not re.search(r"<(script|link)[^>]+(src|href)=", page)
    with pytest.raises(SpecError, match=r"'a.gif': the ending must be one of .png, .svg, .html, .json"):
        save(chart, tmp_path / "a.gif")


@pytest.mark.parametrize("definition", definitions())
def test_every_phase_has_a_colour_that_colour_blind_readers_can_tell_from_the_others(definition):
    listed = ours(definition).phases
    assert {phase.name for phase in listed} == {*re.findall(r"\b(?:then|else) '(\w+)'", ours(definition).sql)}
    for lab in vision_of([phase.color for phase in listed]):
        assert min(math.dist(a, b) for a, b in itertools.combinations(lab, 2)) > 20


def vision_of(colors: list[str]) -> list[list[tuple[float, float, float]]]:
    """Colours in CIE Lab, as normal sight, deuteranopia and protanopia see them."""
    # Machado et al. 2009, severity 1, on linear RGB.
    deuteranopia = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    protanopia = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    values = [np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]) for color in colors]
    linear = [np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) for c in values]
    seen = (np.eye(3), np.array(deuteranopia), np.array(protanopia))
    return [[cie_lab(np.clip(eye @ color, 0, 1)) for color in linear] for eye in seen]


def test_the_palette_keeps_apart_the_phases_of_a_definition_that_names_no_colours():
    for lab in vision_of([*GENERALIZED, *OTHERS, UNRESOLVED]):
        assert min(math.dist(a, b) for a, b in itertools.combinations(lab, 2)) > 20


def test_phases_of_a_users_definition_have_colours_of_their_own_in_every_chart(tmp_path):
    runs = [
        run("low", {"train.accuracy": step_up(5), "test.accuracy": step_up(None)}, {"model.width": 4}),
        run("high", GROKKED, {"model.width": 8}),
        run("odd", {"train.accuracy": step_up(None), "test.accuracy": step_up(None)}, {"model.width": 12}),
    ]
    store = write_study(tmp_path, runs, {"model.width": [4, 8, 12]}, definition="learned", definition_sql=LEARNED)
    facts = read_study(store, "toy")
    colors = phase_colors(facts.definition)
    assert list(colors) == ["low", "high", "odd", "unresolved"]
    assert len(set(colors.values())) == 4
    assert facts.definition.generalized == ("high",)
    spec = analysis.phase_diagram(store, "toy").to_dict()
    assert "phases by learned;" in spec["title"]["subtitle"]
    scale = spec["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {name: colors[name] for name in scale["domain"]}
    assert {row["phase"] for row in cells_of(spec)} == {"low", "high", "odd"}
    assert analysis.boundary(store, "toy").phases == ("high",)
    page = analysis.report(store, "toy", tmp_path / "page.html").read_text()
    assert f'fill="{colors["odd"]}"/></svg>odd' in page


def test_more_phases_than_the_palette_has_still_differ():
    names = ", ".join(f"('p{i}', {str(i % 2 == 0).lower()})" for i in range(30))
    found = Definition(
        "many", f"with names(phase, generalized) as (values {names}) select run_id, 'p1' as phase from outcomes"
    )
    assert len({phase.color for phase in found.phases}) == 31


def cie_lab(linear: np.ndarray) -> tuple[float, float, float]:
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    x, y, z = np.cbrt(np.maximum(to_xyz @ linear / np.array([0.95047, 1, 1.08883]), 0.008856))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def test_the_circuit_is_that_of_the_cell_that_generalized_and_its_change_is_after_minus_before(reasoning):
    spec = load("analysis.charts", "circuit").chart(reasoning, "toy").to_dict()
    assert "ratio 18: before is step 5, after step 1,000" in spec["title"]["subtitle"]
    bands = spec["vconcat"]
    assert [band["title"]["text"] for band in bands] == ["causal strength", "MRR of the bridge entity"]
    for band in bands:
        for panel, value in zip(band["hconcat"], (0.25, 0.75, 0.5), strict=True):
            rows = drawn(spec, panel)
            assert {row["value"] for row in rows} == {value}
            assert {(row["layer"], row["position"]) for row in rows} == {
                (i, p) for i in range(3) for p in ["h", "r1", "r2"]
            }


def test_findings_that_are_no_maps_have_no_circuit(tmp_path):
    point = {"task.data_size": 100}
    found = [
        (run_id_of(name), step, "pathway", 3, "all", "pathway_distance", 0.5) for name in "ab" for step in (5, 1000)
    ]
    findings = {name: list(column) for name, column in zip(COLUMNS, zip(*found, strict=True), strict=True)}
    runs = [run(name, GROKKED, point, seed=seed) for seed, name in enumerate("ab")]
    store = write_study(tmp_path, runs, {"task.data_size": [100]}, findings=findings)
    with pytest.raises(NotApplicable, match=r"Study 'toy' has no findings"):
        load("analysis.charts", "circuit").chart(store, "toy")


def test_the_delay_is_drawn_by_ratio_with_the_published_one_and_censored_runs_apart(reasoning):
    spec = load("analysis.charts", "delay_by_ratio").chart(reasoning, "toy").to_dict()
    marks, medians, theirs = [drawn(spec, layer) for layer in spec["layer"]]
    assert {(row["ratio"], row["delay"], row["test"]) for row in marks} == {
        (7.2, 200.0, "not by the end"),  # by step 1,000, fitted at 5
        (18.0, 40.0, "reached"),
    }
    assert [(row["ratio"], row["delay"]) for row in medians] == [(18.0, 40.0)]
    assert [row["ratio"] for row in theirs] == [7.2, 12.6, 18.0]
