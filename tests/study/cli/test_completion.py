"""Completion: what a shell is told, with the variables that it sets, and by the shells themselves."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import get_completion_class

from study.cli import names
from study.cli.completion import VARIABLE
from study.cli.fields import paths_of
from study.cli.main import cli
from study.search.bases import BASES
from study.search.history import check_objective
from study.search.request import make_search
from study.spec import CATALOG, find
from study.store.definitions import definitions
from study.train.asha import PRUNERS
from study.train.options import DEVICES
from tests.support.studies import command
from trainables.compiler import CHOICES
from trainables.components import available
from trainables.spec import paths


@pytest.fixture
def completed(monkeypatch, trained_store):
    """The names for the last word of a line, as click's script for zsh asks for them, from the trained store."""

    def complete(line: str) -> list[str]:
        words = line.split(" ")
        monkeypatch.setenv("STUDY_STORE", str(trained_store[1]))
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        made = get_completion_class("zsh")
        assert made is not None
        return made(cli, {}, "study", VARIABLE).complete().split("\n")[1::3]

    return complete


def test_studies_are_those_of_the_catalog_of_the_store_and_files(completed, trained_store, monkeypatch):
    monkeypatch.chdir(trained_store[0].parent)
    assert {"first_map", "ungrokking", "small", "small.py"} <= set(completed("study run "))
    assert completed("study run first") == ["first_map"]
    assert completed("study show small.") == ["small.py"]
    assert completed("study show st") == ["store/"]


@pytest.mark.parametrize("name", ["status", "phases", "report", "figure", "extend"])
def test_where_a_study_must_be_in_the_store_it_is_one_of_the_store(completed, name):
    assert completed(f"study {name} ") == ["small"]
    assert completed(f"study {name} --store nowhere ") in ([], [""])


def test_a_search_has_tasks_axes_samplers_objectives_and_definitions(completed):
    assert set(completed("study search ")) >= {*BASES, "first_map"}
    assert completed("study search modular --over optimizer.we") == ["optimizer.weight_decay="]
    assert completed("study search first_map --runs 8 --set task.tr") == ["task.train_fraction="]
    assert completed("study search composition --over task.r") == ["task.relations=", "task.ratio="]
    assert completed("study search modular --over model.he") == []
    assert completed("study search modular --model transformer --over model.he") == ["model.heads="]
    assert completed("study search modular --over optimizer=ad") == ["optimizer=adam", "optimizer=adamw"]
    assert completed("study search modular --over task.p=5:31:") == ["task.p=5:31:log", "task.p=5:31:int"]
    assert completed("study search modular --over task.p=5:31:log:i") == ["task.p=5:31:log:int"]
    assert completed("study search modular --model ") == ["mlp", "transformer"]
    assert completed("study search modular --sampler so") == ["sobol"]
    assert completed("study search modular --objective min:ood") == ["min:ood_step_95"]
    assert completed("study search modular --definition li") == ["liu2022"]


def test_other_options_have_their_values(completed):
    assert completed("study run first_map --device ") == ["auto", "cpu", "cuda"]
    assert completed("study run first_map --comp") == ["--compile"]
    assert completed("study phases small --definition ") == definitions()
    assert completed("study sql --format p") == ["parquet"]
    assert completed("study figure small learn") == ["learning_curves"]
    assert completed("study claims circuits") == ["circuits_competition", "circuits_competition_paper"]
    assert completed("study probe first_map --probe logit") == ["logit_lens"]
    assert completed("study list ") == ["quick", "small", "paper", "own"]
    assert completed("study completion ") == ["bash", "zsh", "fish"]


def test_names_that_are_listed_for_the_shell_are_those_that_the_commands_know():
    """They stand apart from what knows them, which takes seconds to import."""
    assert (names.DEVICES, set(names.COMPILES), set(names.PRUNERS)) == (DEVICES, set(CHOICES), set(PRUNERS))
    for objective in names.OBJECTIVES:
        check_objective(make_search("modular", ["task.train_fraction=0.2:0.8"], sampler="tpe", runs=1,
                                    objective=objective))  # fmt: skip


def test_fields_that_are_read_from_source_are_those_of_every_study_of_the_catalog():
    studies = available(CATALOG)
    assert {study: paths_of(study) for study in studies} == {study: paths(find(study).base) for study in studies}


def test_fields_of_a_file_are_read_without_running_it(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("from trainables.tasks import group\n1 / 0\nSTUDY = make(group.Task())\n")
    assert "task.group" in paths_of(str(path))


# A process of its own, as a shell starts it.


def answer(line: str, **env: str) -> subprocess.CompletedProcess:
    words, environment = command(**{VARIABLE: "bash_complete", "COMP_WORDS": line, **env})
    environment["COMP_CWORD"] = str(len(line.split(" ")) - 1)
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("line", ["study ", "study run f", "study search modular --over ", "study claims "])
def test_nothing_heavy_is_imported_to_complete(tmp_path, line):
    guard = "import sys\nfor name in ('torch', 'ray', 'duckdb', 'numpy', 'pyarrow'): sys.modules[name] = None\n"
    (tmp_path / "sitecustomize.py").write_text(guard)
    said = answer(line, PYTHONPATH=os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    assert said.stdout.startswith("plain,"), said.stderr


@pytest.mark.parametrize(
    "line", ["study phases --store x ", "study search nowhere.py --over ", "study nonsense ", "study '"]
)
def test_what_cannot_be_completed_is_nothing_and_never_a_traceback(tmp_path, line):
    (tmp_path / "parts").write_text("no folder")
    said = answer(line, STUDY_STORE=str(tmp_path))
    assert (said.returncode, said.stderr) in ((0, ""), (1, "")), said.stderr
    assert "Traceback" not in said.stdout


# The shells.


@pytest.fixture
def shell(call, tmp_path, monkeypatch):
    """What a shell says that has sourced the script and finds `study` on its path; skips where it is not installed."""

    def run(name: str, text: str) -> list[str]:
        if not shutil.which(name):
            pytest.skip(f"{name} is not installed")
        script = tmp_path / "script"
        script.write_text(call("completion", name).out)
        (tmp_path / "bin").mkdir()
        program = tmp_path / "bin/study"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m study "$@"\n')
        program.chmod(0o755)
        words = {"bash": ["bash", "--norc", "-c"], "zsh": ["zsh", "-f", "-c"], "fish": ["fish", "--no-config", "-c"]}
        env = os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path)}
        env |= {"PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))}
        done = subprocess.run([*words[name], text.replace("SCRIPT", str(script))], env=env, capture_output=True,
                              text=True, timeout=120, check=False)  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    return run


BASH = """
source SCRIPT
compopt() { echo "$@"; }
ask() {
    COMP_LINE="$1" COMP_POINT=${#1} COMPREPLY=()
    COMP_WORDS=(study '') COMP_CWORD=1  # bash splits at = and :, so these are not used
    _study_completion study
    echo "${COMPREPLY[*]}"
}
ask "study run first"
ask "study search modular --over task.train_fraction=0.2:0.8 --over optimizer.weight_d"
ask "study search modular --objective min:ood"
ask "study search modular --sampler=bo"
ask 'study search modular --over "optimizer.momentum=0:0.95 if optimizer=sgd" --sampler so'
complete -p study
"""


def test_bash_completes_words_with_its_own_word_breaks_and_leaves_unfinished_ones_open(shell):
    assert shell("bash", BASH) == [
        "first_map",
        "-o nospace",
        "optimizer.weight_decay=",
        "ood_step_95",
        "boundary",
        "sobol",
        "complete -o nosort -F _study_completion study",
    ]


ZSH = """
autoload -U compinit; compinit -D -u
source SCRIPT
print $_comps[study]
compadd() { local name=${@[-1]}; print -r -- "${@[1,-2]}: ${(P)name}" }
_describe() { local name=$3; print -r -- "${(P)name}" }
ask() { words=("${(@s: :)1}"); CURRENT=$#words; _study_completion }
ask "study run first"
ask "study search modular --over optimizer.weight_d"
ask "study search modular --sampler so"
true
"""


def test_zsh_completes_with_descriptions_and_leaves_unfinished_words_open(shell):
    comps, described, open_word, sampler = shell("zsh", ZSH)
    assert comps == "_study_completion"
    assert described.startswith("first_map:Where does a small network")
    assert open_word == "-S  -U -V unsorted -a: optimizer.weight_decay="
    assert sampler == "-U -V unsorted -a: sobol"


FISH = """
source SCRIPT
complete -C "study run first"
complete -C "study search modular --over optimizer.weight_d"
complete -C "study search modular --objective min:ood"
"""


def test_fish_completes_with_whole_descriptions(shell):
    study, axis, objective = shell("fish", FISH)
    name, _, question = study.partition("\t")
    assert name == "first_map"
    assert question.endswith("where does it grok, and where does it forget again?")
    assert (axis, objective) == ("optimizer.weight_decay=", "min:ood_step_95")
