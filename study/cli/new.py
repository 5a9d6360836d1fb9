"""`study new`: a file to begin with, which passes `study check` and trains as it is."""

import importlib.resources
import keyword
from pathlib import Path

import click

from study.cli.options import json_option
from study.cli.output import print_json
from study.store.files import atomic
from study.study_file import HIDEABLE
from trainables.components import available
from trainables.errors import SpecError
from trainables.parts import PARTS

FILES = {
    "task": {"task": "{}.py", "task_study": "{}_study.py"},
    "model": {"model": "{}.py", "model_study": "{}_study.py"},
    "study": {"study": "{}.py"},
}
"""Kind -> template -> the file that is made of it."""
PLACE = "NAME"
"""What a template says in place of the name."""


@click.command()
@click.argument("kind", type=click.Choice(tuple(FILES)))
@click.argument("name")
@json_option
def new(kind: str, name: str, as_json: bool) -> None:
    """A task, a model or a study of your own, to begin with.

    \b
    Example: study new task parity
             study check parity.py
             study run parity_study.py --report

    Files are written into the current folder, and none is ever overwritten. A task and a model come with a study that
    trains them. What is written is short, works as it is, and says in its comments what to change.
    """
    made = {template: Path(form.format(name)) for template, form in FILES[kind].items()}
    _check(kind, name, list(made.values()))
    folder = importlib.resources.files("study") / "templates"
    for template, path in made.items():
        text = (folder / f"{template}.py.txt").read_text(encoding="utf-8").replace(PLACE, name)
        with atomic(path, replace=False) as draft:
            draft.write_text(text, encoding="utf-8")
    first, *_, last = [*made.values()] * 2
    following = [f"study check {first}", f"study run {last} --report"]
    if as_json:
        print_json({"files": [str(path) for path in made.values()], "next": following})
        return
    click.echo(f"Wrote {' and '.join(map(str, made.values()))}. Next:\n")
    click.echo("\n".join(following))


def _check(kind: str, name: str, paths: list[Path]) -> None:
    """SpecError for a name that cannot be imported, that stands for something else, or whose file is there."""
    asked = f"study new {kind} {name!r}:"
    name = name.removesuffix(".py")
    if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii() or paths[0].stem != name:
        raise SpecError(f"{asked} a name is letters, digits and '_', as Python's names are, without .py.")
    if name in HIDEABLE:
        raise SpecError(f"{asked} {name}.py would hide the module {name!r}, which is needed. Take another name.")
    package = "study.catalog" if kind == "study" else PARTS[kind][0]
    if name in available(package):
        raise SpecError(f"{asked} there is a {kind} of this name in the package. Take another name.")
    for path in paths:
        if path.exists():
            raise SpecError(f"{asked} '{path}' is there, and nothing is overwritten. Take another name, or move it.")
