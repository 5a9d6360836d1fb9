"""`study completion`: the script with which a shell asks this command for names, made by click.

Three things are changed in click's. Descriptions may hold commas. A name that ends in `=` or `/` is not finished, so no
space follows it. And bash splits words at `=` and `:`, as in `optimizer.weight_decay=0.01:10`, so words are read from
its line instead.
"""

import os
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from study.cli.options import json_option
from study.cli.output import print_json

VARIABLE = "_STUDY_COMPLETE"
"""Set by the script where the command is to complete instead of to run; click looks for it, too."""
SHELLS = ("bash", "zsh", "fish")

NO_SPACE_IN_BASH = "    [[ ${COMPREPLY[0]} == *[=/] ]] && compopt -o nospace\n\n    return 0\n"
NO_SPACE_IN_ZSH = """    local -a open=(${(M)completions:#*[=/]})
    completions=(${completions:#*[=/]})
    if [ -n "$open" ]; then
        compadd -S '' -U -V unsorted -a open
    fi

    if [ -n "$completions" ]; then
"""


@add_completion_class
class Bash(BashComplete):
    """Words as they stand in the line, up to the cursor."""

    source_template = BashComplete.source_template.replace("    return 0\n", NO_SPACE_IN_BASH).replace(
        "env COMP_WORDS=", 'env COMP_LINE="${COMP_LINE:0:$COMP_POINT}" COMP_WORDS='
    )
    before = ""
    """What bash takes for words of their own before the one that it asks for: its replies come without it."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one to complete, and what is typed of that."""
        if "COMP_LINE" not in os.environ:
            return super().get_completion_args()
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)
        typed = "" if line[-1:].isspace() or not words else words.pop()
        value = typed.partition("=")[2] if typed.startswith("--") else typed
        self.before = value[: max(value.rfind("="), value.rfind(":")) + 1]
        return words[1:], typed

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """What bash is told."""
        return f"{item.type},{item.value.removeprefix(self.before)}"


@add_completion_class
class Zsh(ZshComplete):
    """As click has it, but for the space."""

    source_template = ZshComplete.source_template.replace('    if [ -n "$completions" ]; then\n', NO_SPACE_IN_ZSH)


@add_completion_class
class Fish(FishComplete):
    """As click has it, but for descriptions, which may hold commas."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split -m 1 ","')


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@json_option
def completion(shell: str, as_json: bool) -> None:
    """A script for SHELL that completes studies, axes, options.

    \b
    Example: study completion bash > ~/.study.bash   # and in ~/.bashrc: source ~/.study.bash
             study completion zsh > ~/.study.zsh     # and in ~/.zshrc, after compinit: source ~/.study.zsh
             study completion fish > ~/.config/fish/completions/study.fish

    It knows studies (of the catalog, of the --store, files), tasks, axes, samplers, definitions, devices.
    """
    made = get_completion_class(shell)
    assert made is not None
    group = click.get_current_context().find_root().command
    script = made(group, {}, "study", VARIABLE).source()
    if as_json:
        print_json({"shell": shell, "script": script})
    else:
        click.echo(script)
