"""Cells of a study without some of its axes: the runs of all values of these axes are counted together."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from study.search.boundary.width import Z

Cell = dict[str, Any]


def counted_together(cells: Sequence[Cell], over: Collection[str]) -> list[Cell]:
    """Rows as from `read_cells`, in their order, for points without the axes `over`.

    Each also has `keys`, those of the cells that it was pooled from; `total` is the number of all their runs.
    """
    groups: dict[tuple, list[Cell]] = {}
    for cell in cells:
        point = {axis: value for axis, value in cell["point"].items() if axis not in over}
        groups.setdefault(tuple(point.items()), []).append(cell)
    found = []
    for number, (point, rows) in enumerate(groups.items()):
        keys = list(dict.fromkeys(row["key"] for row in rows))
        found += [{"cell": number, "point": dict(point), "keys": keys} | shares for shares in _shares(rows)]
    return found


def _shares(rows: Sequence[Cell]) -> list[dict[str, Any]]:
    """Runs of each phase, of how many, their fraction, and where it begins if all are laid end to end."""
    runs: Mapping[str, int] = Counter()
    for row in rows:
        runs[row["phase"]] += row["runs"]
    total, start, shares = sum(runs.values()), 0.0, []
    for phase in sorted(runs):
        low, high = wilson(runs[phase], total)
        fraction = runs[phase] / total
        shares.append(
            {"phase": phase, "runs": runs[phase], "total": total, "fraction": fraction, "low": low, "high": high}
            | {"start": start}
        )
        start += fraction
    return shares


def wilson(count: int, total: int) -> tuple[float, float]:
    """The Wilson 95% interval of a fraction, as the view `cells` has it."""
    fraction, z = count / total, Z * Z / total
    half = Z * ((fraction * (1 - fraction) + z / 4) / total) ** 0.5
    return max(0.0, (fraction + z / 2 - half) / (1 + z)), min(1.0, (fraction + z / 2 + half) / (1 + z))
