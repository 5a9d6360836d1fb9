"""Axes in words, for sentences and charts."""

from collections.abc import Iterable


def words(path: str, among: Iterable[str] = ()) -> str:
    """An axis in words: `weight decay`; with as many parts of its path as tell it from other axes `among` these."""
    parts = path.split(".")
    others = [other.split(".") for other in among if other != path]
    enough = (n for n in range(1, len(parts)) if all(parts[-n:] != other[-n:] for other in others))
    return " ".join(parts[-next(enough, len(parts)) :]).replace("_", " ")


def listed(things: list[str]) -> str:
    """`a`, `a and b`, or `a, b and c`."""
    return " and ".join([", ".join(things[:-1]), things[-1]] if len(things) > 1 else things)
