"""Task, model and optimizer alike: a frozen dataclass, with what is needed of it, whose fields an id can be made of."""

import ast
import dataclasses
import inspect
import textwrap
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from study.check.row import Check, Wrong, outcome, require
from trainables.parts import NEEDED, missing_of

PLAIN = (int, float, str, bool, types.NoneType)
INSTEAD = {
    "list": "a tuple",
    "set": "a tuple",
    "dict": "a field for each value",
    "ndarray": "numbers",
    "Tensor": "numbers",
}
"""What a field can be in place of what it is."""


def checks(part: str, kind: type) -> Iterator[Check]:
    """The class itself, before anything is made of it."""
    yield outcome("dataclass", frozen, kind)
    if dataclasses.is_dataclass(kind):
        yield outcome("members", members, part, kind)
        yield outcome("fields", plain, kind)


def members(part: str, kind: type) -> str:
    """The class has all that every part of its kind needs."""
    missing = missing_of(part, kind)
    require(
        not missing, f"{kind.__name__}{_place(kind)} has no {', '.join(missing)}; docs/extending.md says what each is."
    )
    return ", ".join(NEEDED[part])


def frozen(kind: type) -> None:
    """Fields cannot change after a run's id was made of them."""
    params = getattr(kind, "__dataclass_params__", None)
    if params is None or "__dataclass_params__" not in vars(kind) or not params.frozen:
        raise Wrong(f"{kind.__name__}{_place(kind)}: write @dataclass(frozen=True, kw_only=True) above the class.")


def plain(kind: type) -> str:
    """Every field has a type and a default that JSON has a place for and that can be hashed."""
    hints, names = typing.get_type_hints(kind), []
    for field in dataclasses.fields(kind):
        where = f"field {field.name}{_place(kind, field.name)}"
        _check_type(where, hints[field.name])
        value = field.default
        if field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        if value is not dataclasses.MISSING:
            _check_value(where, value)
        names.append(field.name)
    return ", ".join(names) or "no fields"


def made(kind: type) -> Any:
    """One of this class with its defaults, whose values are the same and can be hashed when it is made again."""
    unsaid = [
        f.name for f in dataclasses.fields(kind)
        if f.init and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]  # fmt: skip
    require(
        not unsaid, f"{kind.__name__}{_place(kind)}: give {', '.join(unsaid)} a default, so that it can be made alone."
    )
    part = kind()
    for field in dataclasses.fields(part):
        _check_value(f"field {field.name}{_place(kind, field.name)}", getattr(part, field.name))
    require(part == kind() and hash(part) == hash(kind()), f"two of {kind.__name__}() differ: leave eq as it is.")
    return part


def _check_type(where: str, hint: Any) -> None:
    options = (
        typing.get_args(hint)
        if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
        else (hint,)
    )
    for option in options:
        base = typing.get_origin(option) or option
        if base not in (*PLAIN, tuple, typing.Literal, Any):
            name = getattr(base, "__name__", str(base))
            raise Wrong(
                f"{where} has the type {name}: a field is a number, text, None or a tuple of these, because runs are "
                f"known by their fields. Make it {INSTEAD.get(name, 'one of these')}."
            )


def _check_value(where: str, value: Any) -> None:
    if isinstance(value, tuple):
        for inner in value:
            _check_value(where, inner)
    elif not isinstance(value, PLAIN):
        name = type(value).__name__
        raise Wrong(
            f"{where} is {name} {value!r}, which cannot be part of a run's id: "
            f"make it {INSTEAD.get(name, 'a number or text')}."
        )


def _place(kind: type, field: str | None = None) -> str:
    """` (parity.py, line 7)`: where a class, or a field of it, is defined; '' where that is not known."""
    try:
        source, first = inspect.getsourcelines(kind)
        file = Path(inspect.getsourcefile(kind) or "")
    except (OSError, TypeError):
        return ""
    [tree] = ast.parse(textwrap.dedent("".join(source))).body
    assert isinstance(tree, ast.ClassDef)
    lines = {
        node.target.id: node.lineno
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    line = lines.get(field, tree.lineno) if field else tree.lineno
    return f" ({file.name}, line {first + line - 1})"
