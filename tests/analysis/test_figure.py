"""Figures for papers: their true size, the size of their type, what is written on them, and what cannot be drawn."""

import itertools
import re
import struct

import pytest

import analysis
from analysis.charts import NotApplicable
from analysis.figure_spec import TYPE, in_columns, wrapped
from study.store.database import Store
from tests.support.synthetic import run, step_up, write_study
from trainables.errors import SpecError

AXES = {"model.width": [4, 8, 12, 32], "task.data_size": [50, 100, 200], "optimizer.weight_decay": [0.1, 1.0]}
GROKKED = {"train.accuracy": step_up(5), "test.accuracy": step_up(200, 0.05)}
MEMORIZED = {"train.accuracy": step_up(5), "test.accuracy": step_up(None, 0.05)}
QUESTION = "Where does a network of this width begin to generalize, and where does it memorize all that it is shown?"
DRAWN = ("critical_values", "explorer", "influence", "learning_curves", "phase_diagram", "survival",
         "train_step_vs_test_step")  # fmt: skip
"""Single views, layers, panels of one and of two axes, charts beside each other, and below each other."""


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    runs = [
        run(f"{width}-{size}-{decay}-{seed}", GROKKED if width * size > 1000 + 500 * seed else MEMORIZED,
            dict(zip(AXES, (width, size, decay), strict=True)), seed=seed)
        for width, size, decay, seed in itertools.product(*AXES.values(), range(2))
    ]  # fmt: skip
    return write_study(tmp_path_factory.mktemp("store"), runs, axes=AXES, question=QUESTION)


def size_of(svg: str) -> tuple[float, float, float]:
    """Inches across and up of an SVG text, and points of its type in print."""
    found = re.search(r'width="([\d.]+)in" height="([\d.]+)in" viewBox="0 0 ([\d.]+) ', svg)
    assert found
    width, height, pixels = map(float, found.groups())
    return width, height, TYPE * width * 72 / pixels


def texts(svg: str) -> list[str]:
    """What is written on a figure; lines of one text are joined."""
    return [re.sub(r"<[^>]+>", " ", text).strip() for text in re.findall(r"<text[^>]*>(.*?)</text>", svg)]


@pytest.mark.parametrize("width", [3.25, 6.75])
@pytest.mark.parametrize("chart", DRAWN)
def test_a_figure_has_the_width_that_was_asked_for_and_type_of_its_size(store, tmp_path, chart, width):
    made = analysis.figure(store, "toy", chart, tmp_path / "a.svg", width)
    svg = made.path.read_text()
    across, up, points = size_of(svg)
    assert across == made.width == width
    assert up == pytest.approx(made.height, rel=1e-3)
    assert points == pytest.approx(8, rel=0.01)
    assert {*re.findall(r'font-size="([\d.]+)px"', svg)} <= {"11", "12"}
    assert made.height < 1.6 * max(width, 4)
    assert QUESTION[:20] not in svg


@pytest.mark.parametrize(("size", "height"), [(8.0, None), (6.0, 1.5), (10.0, 3.0)])
def test_every_format_has_the_size_in_its_own_units(store, tmp_path, size, height):
    given = {"font_size": size, "height": height, "dpi": 200}
    made = [analysis.figure(store, "toy", "learning_curves", tmp_path / f"a.{end}", 3.25, **given)
            for end in ("pdf", "svg", "PNG")]  # fmt: skip
    assert {(m.width, m.height) for m in made} == {(3.25, made[0].height)}
    pdf, svg, png = (m.path.read_bytes() for m in made)
    tall = height or made[0].height
    assert made[0].height == pytest.approx(tall, rel=0.005)
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert box
    assert [float(side) for side in box.groups()] == [pytest.approx(234, rel=1e-4), pytest.approx(72 * tall, rel=5e-3)]
    assert size_of(svg.decode())[2] == pytest.approx(size, rel=0.01)
    assert struct.unpack(">II", png[16:24]) == (650, pytest.approx(200 * tall, abs=1.5))
    at = png.index(b"pHYs") + 4
    assert struct.unpack(">II", png[at : at + 8])[0] * 0.0254 == pytest.approx(200, abs=0.1)


def test_type_is_embedded_in_a_pdf_as_text(store, tmp_path):
    made = analysis.figure(store, "toy", "learning_curves", tmp_path / "a.pdf", font="Liberation Sans")
    pdf = made.path.read_bytes()
    assert {*re.findall(rb"/BaseFont /[A-Z]+\+([\w-]+)", pdf)} == {b"LiberationSans"}
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf


def test_a_title_is_there_if_it_is_asked_for_and_in_lines_that_fit(store, tmp_path):
    plain, titled = (
        analysis.figure(store, "toy", "influence", tmp_path / "a.svg", title=title).path.read_text()
        for title in (False, True)
    )
    assert QUESTION not in " ".join(texts(plain))
    assert QUESTION in [" ".join(text.split()) for text in texts(titled)]
    assert size_of(titled)[2] == pytest.approx(8, rel=0.01)


def test_axes_and_phases_are_in_words(tmp_path):
    points = itertools.product([0.1, 1.0], [0.3, 0.6])
    runs = [run(f"{d}-{f}", GROKKED if f > 0.5 else MEMORIZED,
                {"optimizer.weight_decay": d, "task.train_fraction": f}) for d, f in points]  # fmt: skip
    axes = {"optimizer.weight_decay": [0.1, 1.0], "task.train_fraction": [0.3, 0.6]}
    store = write_study(tmp_path, runs, axes, definition="wang2024")
    for width in (3.25, 6.75):
        made = analysis.figure(store, "toy", "phase_diagram", tmp_path / "a.svg", width)
        assert {"weight decay", "train fraction", "generalized in distribution"} <= {*texts(made.path.read_text())}


def test_charts_take_their_options(store, tmp_path):
    def said(chart: str, **options) -> list[str]:
        return texts(analysis.figure(store, "toy", chart, tmp_path / "a.svg", title=True, **options).path.read_text())

    assert any("phases by liu2022" in text for text in said("phase_diagram", definition="liu2022", x="data_size"))
    assert "comprehension" in said("phase_diagram", params={"max_delay_steps": 500}, definition="liu2022")
    assert "grokking" in said("phase_diagram", params={"max_delay_steps": 50}, definition="liu2022")
    cell = {"width": 8, "data_size": 50, "weight_decay": 0.1}
    assert any("width 8, data size 50, weight decay 0.1" in t for t in said("learning_curves", at=cell))
    assert any("horizon 100 steps" in text for text in said("phase_diagram", horizon=100))


@pytest.mark.parametrize(
    ("chart", "options", "says"),
    [
        (
            "phase_digram",
            {},
            r"No chart named 'phase_digram'. Did you mean 'phase_diagram'\? Charts: band_width, .*, surv",
        ),
        ("capacity", {}, r"chart 'capacity' does not apply here. Study 'toy' needs the axes"),
        ("survival", {"definition": "liu2022"}, r"chart 'survival' does not take 'definition'. It takes level."),
        ("phase_diagram", {"x": "widht"}, r"no axis 'widht'. Did you mean 'model.width'"),
        ("survival", {"width": 0}, r"width must be 0.5 to 40 inches, got 0"),
        ("survival", {"width": float("nan")}, r"width must be 0.5 to 40 inches, got nan"),
        ("survival", {"width": 325}, r"width must be 0.5 to 40 inches, got 325"),
        ("survival", {"height": -1}, r"height must be 0.5 to 40 inches, got -1"),
        ("survival", {"font_size": 0.1}, r"font size must be 2 to 72 points, got 0.1"),
        ("survival", {"dpi": 1e6}, r"dpi must be 30 to 2400"),
        ("survival", {"font": "Nonesuch"}, r"font 'Nonesuch' is not installed here"),
        ("survival", {"font": "a'\"<&"}, r"is not installed here"),
        ("influence", {"width": 1.2}, r"width 1.2: chart 'influence' needs about \d.\d inches with type of 8 points"),
        ("influence", {"height": 0.5}, r"height 0.5: chart 'influence' needs about \d.\d inches"),
        ("phase_diagram", {"width": 40, "height": 40, "dpi": 2400}, r"the picture would have [\d,]+ pixels"),
        ("phase_diagram", {"horizon": 99999}, r"no run of study 'toy' was observed so far"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_the_file_as_it_was(store, tmp_path, chart, options, says):
    path = tmp_path / "a.png"
    path.write_text("before")
    with pytest.raises(SpecError, match=says) as error:
        analysis.figure(store, "toy", chart, path, **options)
    assert isinstance(error.value, NotApplicable) == (chart == "capacity")
    assert "\n" not in str(error.value)
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_a_figure_has_another_ending_than_a_page(store, tmp_path):
    with pytest.raises(SpecError, match=r"figure 'a.html': the ending must be one of .pdf, .svg, .png"):
        analysis.figure(store, "toy", "survival", tmp_path / "a.html")
    with pytest.raises(SpecError, match=r"no study 'toi'|'toi' is not in this store"):
        analysis.figure(store, "toi", "survival", tmp_path / "a.pdf")


def test_titles_are_cut_between_words_into_lines_about_as_long_as_each_other():
    assert wrapped("share of the variance between runs", 160, 6) == ["share of the variance", "between runs"]
    assert wrapped("weight decay: log-rank p < 0.001", 150, 6) == ["weight decay:", "log-rank p < 0.001"]
    assert wrapped("incomprehensibilities", 30, 6) == "incomprehensibilities"
    assert wrapped("", 30, 6) == ""


def test_panels_go_below_each_other_and_rows_of_values_stay():
    spec = {"vconcat": [{"hconcat": [{"mark": "bar"}] * 3}, {"facet": {"row": {}, "column": {}}, "spec": {}}]}
    in_columns(spec, 2)
    assert spec["vconcat"][0] == {"concat": [{"mark": "bar"}] * 3, "columns": 2}
    assert "columns" not in spec["vconcat"][1]
