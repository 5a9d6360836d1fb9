"""Commands that documents show, parsed by the programs that would run them: nothing is run."""

import argparse
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from unittest.mock import patch

import click

from study.cli.main import cli
from study.search.axis_text import parse_axes, split_axis
from study.spec import CATALOG, find
from tests.support.pages import ROOT
from trainables.components import available

NOT_OURS = ("cd", "docker", "duckdb", "echo", "export", "git", "kubectl", "rm", "source", ".")
"""Programs whose arguments are not looked at."""


class Wrong(AssertionError):
    """A command that would not run."""


class _Parsed(Exception):
    """A benchmark has read its options."""


def commands(text: str) -> Iterator[list[str]]:
    """The commands of a shell text as words, without comments, redirections and settings of variables."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        skip = False
        for token in [*lexer, ";"]:
            if set(token) <= set("();<>|&"):
                skip = token in ("<", ">", ">>")
                if not skip:
                    if words:
                        yield words
                    words = []
            elif skip:
                skip = False
            elif words or not re.match(r"[A-Z_]+=", token):
                words.append(token)


def check(words: Sequence[str]) -> None:
    """Wrong, or whatever the program's own parser says, for a command that would not run."""
    program, *rest = words
    program = program.removeprefix(".venv/bin/")
    if program in ("python", "python3"):
        module, *rest = rest[1:] if rest[:1] == ["-m"] else [""]
        program = module
    if program == "study":
        check_study(rest)
    elif program.startswith("tests.bench."):
        check_bench(program, rest)
    elif program == "pytest":
        check_files(word for word in rest if word.startswith("tests/"))
    elif program == "pip":
        check_pip(rest)
    elif program == "ray":
        check_ray(rest)
    elif "/" in program:
        if not os.access(ROOT / program, os.X_OK):
            raise Wrong(f"{program} is no program of this repository")
    elif program not in (*NOT_OURS, "venv"):
        raise Wrong(f"{program!r} is not a program that documents use: {' '.join(words)}")


def check_study(words: Sequence[str]) -> None:
    """Its command, options and values, the study that it names and the axes of a search."""
    if not words:
        return
    name, *rest = words
    if name not in cli.commands:
        raise Wrong(f"study {name} is no command")
    with click.Context(cli) as parent, cli.commands[name].make_context(name, list(rest), parent) as context:
        given = dict(context.params)
    named = given.get("study")
    if named and named not in available(CATALOG) and not named.endswith(".py"):
        raise Wrong(f"study {named!r} is not in the catalog")
    if str(given.get("task")).endswith(".py"):  # a reader's own file, whose fields nobody knows here
        for text in given["over"]:
            split_axis(text)
    elif given.get("over"):
        parse_axes(given["over"], find("first_map").base)


def check_options(words: Sequence[str]) -> None:
    """As a sentence shows a command of `study`: its name and its options exist; arguments may be left out."""
    if words[0] not in cli.commands:
        raise Wrong(f"study {words[0]} is no command")
    known = {name for parameter in cli.commands[words[0]].params for name in parameter.opts}
    if unknown := {word for word in words[1:] if word.startswith("--")} - known - {"--help"}:
        raise Wrong(f"study {words[0]} has no option {', '.join(sorted(unknown))}")


def check_bench(module: str, words: Sequence[str]) -> None:
    """The options of a benchmark, by its own parser."""
    parse = argparse.ArgumentParser.parse_args

    def parse_words(parser: argparse.ArgumentParser, *_: object) -> None:
        parse(parser, list(words))
        raise _Parsed

    with patch.object(argparse.ArgumentParser, "parse_args", parse_words):
        try:
            runpy.run_module(module, run_name="__main__")
        except _Parsed:
            return
        except SystemExit:
            raise Wrong(f"python -m {module} does not take {' '.join(words)}") from None
    raise Wrong(f"{module} reads no options")


@cache
def _pip_options(command: str) -> set[str]:
    """The options of one command of pip. Asked of another process: pip turns off a part of setuptools that
    torch.compile needs wherever it is imported."""
    asked = subprocess.run([sys.executable, "-m", "pip", command, "--help"], capture_output=True, text=True)
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", asked.stdout)) if asked.returncode == 0 else set()


def check_pip(words: Sequence[str]) -> None:
    """The options of pip, and the extras of this package."""
    given = {word.split("=")[0] for word in words if word.startswith("-")}
    if not (known := _pip_options(words[0])) or given - known:
        raise Wrong(f"pip does not take {' '.join(words)}")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra in re.findall(r"\.\[(.*)\]", " ".join(words)):
        if unknown := set(extra.split(",")) - extras.keys():
            raise Wrong(f"pip {' '.join(words)}: this package has no extra {', '.join(unknown)}")


def check_ray(words: Sequence[str]) -> None:
    """The commands of ray and their options, and the cluster files that they name."""
    from ray.scripts.scripts import cli as ray

    name, *rest = words
    with click.Context(ray) as parent, ray.commands[name].make_context(name, list(rest), parent):
        pass
    check_files(word for word in rest if word.endswith(".yaml"))


def check_files(names: Iterator[str]) -> None:
    """Wrong for a file that is not in the repository."""
    for name in names:
        if not (ROOT / name).exists():
            raise Wrong(f"{name} is not there")
