"""The options that choose what a map of more than two axes shows: --x, --y and --at."""

from typing import Any

import click

from study.cli.options import together
from study.search.axis_text import parse_value
from trainables.errors import SpecError


def _held(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
    """The axes that are held, {axis: value}."""
    at: dict[str, Any] = {}
    for text in given:
        axis, equals, value = (part.strip() for part in text.partition("="))
        if not (axis and equals and value):
            raise SpecError(f"--at {text!r} is not AXIS=VALUE, as in --at layers=2.")
        if axis in at:
            raise SpecError(f"--at {text!r}: {axis!r} is held twice; give one value.")
        at[axis] = parse_value(value)
    return at


plane_options = together(
    click.option("--x", metavar="AXIS", help="The axis across: a path, or the last part of one."),
    click.option("--y", metavar="AXIS", help="The axis up."),
    click.option("--at", multiple=True, metavar="AXIS=VALUE", callback=_held, help="An axis to hold at a value."),
)
