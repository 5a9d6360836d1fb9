"""`study figure`: what it writes and says, and what a user can get wrong."""

import itertools
import json
import re

import pytest

from analysis.figure_chart import PACKAGE
from study.cli import names
from tests.support.synthetic import run, step_up, write_study
from trainables.components import available

AXES = {"optimizer.weight_decay": [0.1, 1.0, 3.0], "task.train_fraction": [0.3, 0.5, 0.7]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a store with a study over two axes."""
    path = tmp_path_factory.mktemp("figures")
    runs = []
    for decay, fraction, seed in itertools.product(*AXES.values(), range(2)):
        late = step_up(200 if fraction > 0.4 + 0.1 * seed else None, 0.05)
        point = dict(zip(AXES, (decay, fraction), strict=True))
        curves = {"train.accuracy": step_up(5), "test.accuracy": late}
        runs.append(run(f"{len(runs)}", curves, point, seed=seed))
    write_study(path, runs, AXES)
    return path


def test_it_writes_a_figure_and_says_how_large_it_is(call, folder, tmp_path):
    said = call("figure", "toy", "phase_diagram", "-o", tmp_path / "map.pdf", "--store", folder)
    assert (said.code, said.err) == (0, "")
    assert re.fullmatch(r"figure: .*map\.pdf \(3\.25 x [\d.]+ in\)\n", said.out)
    assert b"/MediaBox [0 0 234 " in (tmp_path / "map.pdf").read_bytes()


def test_json_has_the_file_and_its_size(call, folder, tmp_path):
    out, where = tmp_path / "new" / "curves.svg", ("--store", folder)
    given = ("--width", "6.75", "--height", "2", "--font-size", "7", "--title", "--json")
    said = call("figure", "toy", "learning_curves", "-o", out, *given, "--at", "weight_decay=1", "--at",
                "train_fraction=0.7", *where)  # fmt: skip
    assert json.loads(said.out) == {"file": str(out), "width_inches": 6.75, "height_inches": 2}
    assert "weight decay 1, train fraction 0.7" in out.read_text()


def test_a_definition_its_thresholds_the_plane_and_the_horizon_can_be_chosen(call, folder, tmp_path):
    out = tmp_path / "map.svg"
    words = ("--definition", "liu2022", "--param", "max_delay_steps=50", "--x", "train_fraction", "--at-horizon", "500")
    said = call("figure", "toy", "phase_diagram", "-o", out, "--title", "--store", folder, *words)
    assert said.code == 0, said.err
    assert "phases by liu2022" in out.read_text()
    assert "horizon 500 steps" in out.read_text()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["phase_digram", "-o", "a.pdf"], "Did you mean 'phase_diagram'? Charts: band_width, boundary,"),
        (["capacity", "-o", "a.pdf"], "chart 'capacity' does not apply here. Study 'toy' needs"),
        (["survival"], "Missing option '-o' / '--out'"),
        (["survival", "-o", "a.gif"], "'a.gif': the ending must be one of .pdf, .svg, .png"),
        (["survival", "-o", "a.pdf", "--width", "0"], "width must be 0.5 to 40 inches, got 0"),
        (["survival", "-o", "a.pdf", "--width", "wide"], "'wide' is not a valid float"),
        (["survival", "-o", "a.pdf", "--font", "Nonesuch"], "font 'Nonesuch' is not installed"),
        (["survival", "-o", "a.pdf", "--param", "threshold=0.9"], "does not take 'params'"),
        (["survival", "-o", "a.pdf", "--x", "weight_decay"], "chart 'survival' does not take 'x'"),
        (["phase_diagram", "-o", "folder.pdf"], "Is a directory"),
    ],
)
def test_a_mistake_is_one_line(call, folder, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.pdf").mkdir()
    said = call("figure", "toy", *words, "--store", folder)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1), said.err
    assert says in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["folder.pdf"]


def test_the_shell_is_told_all_charts_with_what_they_show():
    found = {item.value: item.help for item in names.charts()}
    assert list(found) == available(PACKAGE)
    assert all(found.values())
