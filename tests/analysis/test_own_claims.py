"""The claims of a study file, checked like ours."""

import json
import math
import sys

import pytest

import analysis
from analysis.claim import Claim
from study.store.database import Store
from tests.support.studies import small, study_file, trained
from trainables.errors import SpecError

CLAIMS = """
from analysis.claim import Claim

def most(runs):
    return max(run["final_train_accuracy"] for run in runs)

def broken(runs):
    return runs[0]["final_trian_accuracy"]

FIELDS = dict(says="It fits.", source="mine", published="-", unit="accuracy", above=0.01)
CLAIMS = [Claim(name="fits", statistic=most, {studies} **FIELDS)]
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    store = Store.open(tmp_path_factory.mktemp("claims"), write=True)
    trained(small(seeds=5), store)  # more than its file asks for: fewer than five seeds decide nothing
    trained(small("other", seeds=1), store)
    return store


def claiming(folder, text: str = "", studies: str = "") -> str:
    path = study_file(folder)
    path.write_text(path.read_text() + CLAIMS.replace("{studies}", studies) + text)
    return str(path)


def test_a_claim_of_a_study_file_is_about_its_own_study(store, tmp_path):
    [checked] = analysis.check_claims(store, claiming(tmp_path))
    assert (checked.row, checked.study, checked.ended, checked.planned) == ("small", "small", 8, 8)
    assert (checked.claim.name, checked.verdict) == ("fits", "reproduced")
    assert checked.low <= checked.value <= checked.high


def test_it_may_name_other_studies(store, tmp_path):
    names = [
        checked.study
        for checked in analysis.check_claims(store, claiming(tmp_path, studies="studies=['other', 'small'],"))
    ]
    assert names == ["other", "small"]
    with pytest.raises(
        SpecError, match=r"claim 'fits' of '.*small.py': there is no study 'othr'.* Did you mean 'other'"
    ):
        analysis.check_claims(store, claiming(tmp_path, studies="studies=['othr'],"))


def test_before_anything_is_run_its_number_is_not_known(tmp_path):
    [checked] = analysis.check_claims(None, claiming(tmp_path))
    assert (checked.verdict, checked.ended, checked.planned) == ("not yet run", 0, 8)
    assert math.isnan(checked.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('CLAIMS = [Claim(name="b", statistic=broken, **FIELDS)]',
         "'b' of '{path}', line {broken}: its statistic raises KeyError: 'final_trian_accuracy'. Did you mean"),
        ('CLAIMS = [Claim(name="b", statistic=lambda runs: 1 / 0, **FIELDS)]',
         "line {last}: its statistic raises ZeroDivisionError: division by zero. It takes a list of runs"),
        ('CLAIMS = [Claim(name="b", statistic=lambda runs: None, **FIELDS)]', "': its statistic raises Type"),
        ('CLAIMS = [Claim(name="b", statistic=most, columns="select run_id, nothing from runs", **FIELDS)]',
         "claim 'b' of '{path}': Binder Error"),
        ("CLAIMS = [3]", "CLAIMS holds 3, which is no Claim(...)"),
        ("CLAIMS = 3", "CLAIMS must be a list of Claim(...), got int"),
        ('CLAIMS = [Claim(name="b", statistic=most, **(FIELDS | {"above": None}))]',
         "line {last}, fails when it is run: claim 'b' has no bar: say where its number must lie"),
        ('CLAIMS = [Claim(nme="b", statistic=most, **FIELDS)]', "Did you mean 'name'"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_the_line_of_the_file(store, tmp_path, text, said):
    path = claiming(tmp_path, text)
    lines = (tmp_path / "small.py").read_text().splitlines()
    broken = next(number for number, line in enumerate(lines, 1) if "trian" in line)
    with pytest.raises(SpecError) as caught:
        analysis.check_claims(store, path)
    assert said.format(path=path, last=len(lines), broken=broken) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_claim_without_a_bar_is_refused():
    with pytest.raises(SpecError, match="claim 'b' has no bar"):
        Claim(name="b", says="", source="", published="", statistic=len, unit="")


def test_the_page_has_them_where_the_file_is_named_and_nothing_is_imported_where_not(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = claiming(tmp_path, "import sys; sys.was_run = True\n")
    monkeypatch.setattr(sys, "was_run", False, raising=False)
    page = analysis.report(store, "small", tmp_path / "without.html").read_text()
    assert "It fits." not in page
    assert analysis.check_claims(store) == []
    assert sys.was_run is False
    checked = analysis.check_claims(store, path)
    assert sys.was_run is True
    page = analysis.report(store, "small", tmp_path / "with.html", claims=checked).read_text()
    assert "It fits." in page
    assert "What papers claim and what was measured" in page


def test_the_command_line_shows_them(store, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from study.cli.results import claims, report

    path, words = claiming(tmp_path), ["--store", str(store.path), "--json"]
    [row] = json.loads(CliRunner().invoke(claims, [path, *words]).stdout)
    assert (row["row"], row["name"], row["verdict"], row["ended"]) == ("small", "fits", "reproduced", 8)
    out = tmp_path / "page.html"
    assert CliRunner().invoke(report, [path, "--out", str(out), *words]).exit_code == 0
    assert "It fits." in out.read_text()
    plain = study_file(tmp_path, "plain")
    assert "has no CLAIMS: write" in CliRunner().invoke(claims, [str(plain), *words]).stderr
