"""What the tests of checks have in common."""

from collections.abc import Iterable

from study.check.row import Check


def failing(rows: Iterable[Check]) -> dict[str, str]:
    """The details of the failing rows, by their names."""
    return {row.name: row.detail for row in rows if row.ok is False}
