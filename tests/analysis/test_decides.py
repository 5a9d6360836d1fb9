"""Which axis decides: shares of variance with closed forms, known critical values, and the sentence that tells them."""

import itertools
import math
import re

import numpy as np
import pytest
from scipy.special import ndtr

import analysis
from analysis.all_axes import Field, _fitted, lattice
from analysis.criticals import ABOVE, BELOW, INSIDE, criticals
from analysis.scale import Scale
from analysis.shares import SEEDS, shares, sobol
from tests.support.four_axes import DECAY, ENTITIES, GRID, LAYERS, RATIO, critical_ratio, grid, search, written
from tests.support.synthetic import run, step_up, write_study
from trainables.errors import SpecError

NOISE = 0.35
GROKKED = {"train.accuracy": step_up(5), "test.accuracy": step_up(200, 0.05)}
MEMORIZED = {"train.accuracy": step_up(5), "test.accuracy": step_up(None, 0.05)}


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    return written(tmp_path_factory.mktemp("four"), grid())


def field_of(points, seeds: int, numbers: int, noise: float = NOISE) -> Field:
    """The field of invented runs, without a store: a ratio above its critical value, give or take the noise."""
    random = np.random.default_rng(numbers)
    rows = [point for point in points for _ in range(seeds)]
    above = [point[RATIO] - critical_ratio(point) + noise * random.standard_normal() for point in rows]
    return fitted({axis: [point[axis] for point in rows] for axis in GRID}, np.array(above) > 0)


def fitted(values: dict[str, list], positive: np.ndarray) -> Field:
    scales = tuple(Scale.of(axis, of) for axis, of in values.items())
    places = np.stack([scale.unit(values[scale.path]) for scale in scales], -1)
    no_steps = np.full(len(places), math.nan)
    return _fitted((), scales, places.tobytes(), positive.astype(float).tobytes(), no_steps.tobytes())


def test_sobol_indices_of_the_ishigami_function_are_the_published_ones():
    middles = -math.pi + 2 * math.pi * (np.arange(40) + 0.5) / 40
    x, y, z = np.meshgrid(middles, middles, middles, indexing="ij")
    parts, totals = sobol((np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x))[None])
    found = {term: float(index[0]) for term, index in parts.items()}
    published = {(0,): 0.3139, (1,): 0.4424, (2,): 0, (0, 1): 0, (0, 2): 0.2437, (1, 2): 0}
    assert found == pytest.approx(published, abs=0.002)
    assert [float(total[0]) for total in totals] == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.002)


def test_sobol_indices_of_a_product_on_levels_are_exact():
    a, b = np.array([1.0, 2.0, 6.0]), np.array([1.0, 3.0])
    parts, _ = sobol((a[:, None] * b)[None])
    of_a, of_b = a.var() / a.mean() ** 2, b.var() / b.mean() ** 2
    whole = (1 + of_a) * (1 + of_b) - 1
    expected = {(0,): of_a / whole, (1,): of_b / whole, (0, 1): of_a * of_b / whole}
    assert {term: float(index[0]) for term, index in parts.items()} == pytest.approx(expected)
    assert np.isnan(sobol(np.ones((1, 3, 2)))[0][0,]).all()


@pytest.mark.parametrize(("rates", "seeds"), [((0.1, 0.1, 0.9, 0.9), 0.36), ((0.0, 0.0, 1.0, 1.0), 0.0)])
def test_what_no_axis_explains_is_the_share_of_seeds(rates, seeds):
    """The variance of the rates is 0.16 and the mean of p (1 - p) is 0.09: 36% of all variance."""
    places = [(i, j) for i, j in itertools.product(range(4), range(3)) for _ in range(40)]
    random = np.random.default_rng(0)
    positive = np.array([random.random() < rates[i] for i, _ in places])
    table = shares(fitted({"a": [i for i, _ in places], "b": [j for _, j in places]}, positive)).set_index("term")
    row = table.loc[SEEDS]
    assert row["low"] - 0.02 <= seeds <= row["high"] + 0.02
    assert row["high"] - row["low"] < 0.22
    assert table["share"].to_numpy().sum() == pytest.approx(1)
    assert float(table["share"]["b"]) < 0.02


@pytest.mark.parametrize("kind", ["grid", "search"])
def test_intervals_of_shares_hold_the_true_ones(kind):
    held = []
    for numbers in range(4):
        found = field_of(grid(), 3, numbers) if kind == "grid" else field_of(search(160, numbers), 1, numbers)
        places, shape = lattice(found, 2048)
        points = [dict(zip(GRID, map(Scale.value, found.scales, place), strict=True)) for place in places.tolist()]
        rate = ndtr([(point[RATIO] - critical_ratio(point)) / NOISE for point in points])
        parts, _ = sobol(rate.reshape(1, *shape))
        table = shares(found)
        held += [
            row["index_low"] <= index[0] <= row["index_high"]
            for (_, row), index in zip(table.iterrows(), parts.values(), strict=False)
        ]
        seeds = (rate * (1 - rate)).mean() / (rate.var() + (rate * (1 - rate)).mean())
        held.append(table["low"].iloc[-1] <= seeds <= table["high"].iloc[-1])
        assert (table["high"] - table["low"]).max() < 0.25
    assert np.mean(held) >= 0.9


def test_intervals_of_critical_values_hold_the_true_ones_over_four_axes():
    held, widths = [], []
    for numbers in range(6):
        found = field_of(grid(), 3, numbers) if numbers % 2 else field_of(search(200, numbers), 1, numbers)
        table = criticals(found, RATIO)
        truth = [critical_ratio(row) for row in table.to_dict("records")]
        held += ((table["low"] <= truth) & (truth <= table["high"])).tolist()
        widths += (table["high"] - table["low"])[np.isfinite(table["high"] - table["low"])].tolist()
    assert len(held) > 200
    assert np.mean(held) >= 0.9
    assert np.mean(widths) < 1.2, "and are no excuse: the ratios studied span 4"


def test_a_critical_value_outside_of_what_was_studied_has_a_side_and_no_number(tmp_path, subtests):
    def far(point):
        return 6 - 3.5 * math.log10(point[DECAY] / 0.3)

    store = written(tmp_path / "up", grid(), critical=far, noise=0.1)
    mirrored = [point | {RATIO: 12 - point[RATIO]} for point in grid()]
    turned = written(tmp_path / "down", mirrored, critical=far, noise=0.1, sign=-1)
    for name, of, low, high in (("up", store, BELOW, ABOVE), ("down", turned, ABOVE, BELOW)):
        with subtests.test(name):
            table = analysis.critical(of, "toy", RATIO)
            by_decay = {decay: set(rows["where"]) for decay, rows in table.groupby(DECAY)}
            assert by_decay == {0.03: {high}, 0.1: {INSIDE}, 0.3: {INSIDE}, 1.0: {INSIDE}, 3.0: {low}}
            assert table["value"].isna().tolist() == (table["where"] != INSIDE).tolist()
            assert table["rises"].eq(name == "up").all()
            beyond = table[table["where"] == ABOVE]
            assert np.isposinf(beyond["high"]).all()
            assert beyond["low"].between(7, 8).all()


def test_values_of_other_axes_can_be_chosen_or_held(four):
    table = analysis.critical(four, "toy", RATIO, at={LAYERS: 2, ENTITIES: 20}, levels={DECAY: [0.03, 0.5, 3.0]})
    assert table[DECAY].tolist() == [0.03, 0.5, 3.0]
    assert table["value"].is_monotonic_decreasing
    assert list(table.columns) == [DECAY, "where", "value", "low", "high", "rises"]
    assert len(analysis.critical(four, "toy", RATIO)) == 3 * 5 * 3
    with pytest.raises(SpecError, match=r"no axis 'task.ration'\. Did you mean 'task.ratio'"):
        analysis.critical(four, "toy", "task.ration")
    for options, said in [
        ({"levels": {"layers": [7]}}, r"levels of 'model.layers' must be a list of numbers from 1 to 3, got \[7\]"),
        ({"levels": {"layers": ["two"]}}, "must be a list of numbers"),
        ({"levels": {"layers": 2}}, "must be a list of numbers"),
        ({"levels": {"ratio": [5.0]}}, "axis 'task.ratio' is looked along"),
        ({"at": {"ratio": 5.0}}, "axis 'task.ratio' is looked along"),
    ]:
        with pytest.raises(SpecError, match=said):
            analysis.critical(four, "toy", "ratio", **options)


def test_the_shares_of_a_study_add_up_and_name_axes_and_pairs(four):
    table = analysis.influence(four, "toy")
    assert table["share"].sum() == pytest.approx(1)
    assert table["order"].tolist() == [1] * 4 + [2] * 6 + [3, 0]
    assert table.loc[table["share"].idxmax(), "term"] == RATIO
    assert f"{RATIO} x {DECAY}" in set(table["term"])
    assert table["total"].notna().tolist() == [True] * 4 + [False] * 8
    assert len(analysis.influence(four, "toy", at={LAYERS: 2, ENTITIES: 20})) == 4


def test_the_answer_names_the_axis_that_decides_and_its_critical_values(four):
    said = analysis.answer(four, "toy")
    assert re.match(
        r"Of 540 runs, 4\d% generalize: ratio decides most \(\d\d% of the variance \[\d\d, \d\d\]\), then ", said
    )
    assert "weight decay (" in said
    assert "and their pair (" in said
    assert re.search(
        r"At layers 2 and entities 20 the critical ratio, .* falls from 7\.\d+ \[.* at weight decay 3\.$", said
    )


def test_the_answer_does_not_decide_between_axes_whose_intervals_overlap(tmp_path):
    axes = {"a": [0, 1, 2, 3], "b": [0, 1, 2, 3], "c": [0, 1]}
    points = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    runs = [
        run(
            f"{i}-{seed}", GROKKED if point["a"] + 0.9 * point["b"] + 0.6 * seed > 2.95 else MEMORIZED, point, seed=seed
        )
        for i, point in enumerate(points)
        for seed in range(2)
    ]
    said = analysis.answer(write_study(tmp_path, runs, axes), "toy")
    assert re.search(
        r"it is undecided which decides most, (a|b) \(\d+% of the variance \[\d+, \d+\]\) or (a|b) \(", said
    )


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "None of 16 runs generalizes by its horizon."),
        (1.0, "All of 16 runs generalize."),
        (0.5, "Of 16 runs, 50% generalize."),
    ],
)
def test_the_answer_of_a_study_with_words_or_one_side_is_its_count(share, said, tmp_path):
    axes = {"task.operation": ["add", "mul"], "a": [0, 1], "b": [0, 1], "c": [0, 1]}
    points = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    runs = [run(f"{i:02}", GROKKED if i < share * 16 else MEMORIZED, point) for i, point in enumerate(points)]
    store = write_study(tmp_path, runs, axes)
    assert analysis.answer(store, "toy") == said
    with pytest.raises(SpecError, match="is not numeric. Hold it fixed" if share == 0.5 else "on one side"):
        analysis.influence(store, "toy")


def test_the_report_begins_with_the_answer_and_has_the_rows(four, tmp_path):
    page = analysis.report(four, "toy", tmp_path / "toy.html").read_text()
    assert f"<strong>{analysis.answer(four, 'toy')}</strong>" in page
    for chart in ("influence", "critical_values", "survival"):
        assert f'<div id="{chart}">' in page
    rows = re.findall(r"<tr>((?:<td>[^<]*</td>)+)</tr>", re.sub(r">\s+<", "><", page))
    rows = [re.findall("<td>([^<]*)</td>", row) for row in rows]
    crossings = [row for row in rows if len(row) == 5 and row[0] in ("0.03", "3.0", "3")]
    assert len(crossings) == 2 * 3 * 3
    [lowest] = [row for row in rows if row[:2] == ["ratio", "4"]]
    assert re.fullmatch(r"\d+ of 135", lowest[2])
    assert lowest[3:] == ["not by the horizon", "beyond the horizon"]
