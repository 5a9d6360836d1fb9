"""Axes in words, for sentences and charts."""


def words(path: str) -> str:
    """The axis of a dotted path in words: `optimizer.weight_decay` is `weight decay`."""
    return path.rsplit(".", 1)[-1].replace("_", " ")


def listed(things: list[str]) -> str:
    """`a`, `a and b`, or `a, b and c`."""
    return " and ".join([", ".join(things[:-1]), things[-1]] if len(things) > 1 else things)
