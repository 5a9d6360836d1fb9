"""Is the width at which a search stops (`study search --until-width`) honest?

    python -m tests.bench.boundary_width [--seeds 20] [--runs 384] [--batch 8] [--maps NAME ... | --maps held_out]

For each map and width: the number of runs after which the band is no wider, checked after each batch as in a search;
then the misclassified area, and the share of the true boundary that lies in the 95% band. Each is given as the median
and the worst over the seeds that reached the width. The last column is the share in the band of the model that also
reads first passages, which is too narrow and not what a search or a chart shows. A band is honest if it holds 95% of
the boundary; it holds less where a whole region was overlooked.
"""

import argparse
import random
import warnings

import numpy as np

from study.samplers import boundary
from study.search.boundary.model import BoundaryModel, fit
from study.search.boundary.passages import log_steps
from study.search.boundary.width import Z, width_of
from study.search.space import Seen
from tests.bench.boundary_readings import outcome, space_of
from tests.bench.ground_truth import Truth, chosen

WIDTHS = (0.1, 0.05, 0.03, 0.02)
Stop = tuple[float, float, float, float]
"""Runs, misclassified share, and shares of the boundary in the band and in that of the model with first passages."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in {"seeds": 20, "runs": 384, "batch": 8}.items():
        parser.add_argument(f"--{name}", type=int, default=value, metavar="N")
    parser.add_argument("--maps", nargs="+", metavar="NAME")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print("median (worst)  width   reached   runs         % wrong       % of the boundary in the band   with passages")
    for truth in chosen(options.maps):
        stops = [stopped(truth, seed, options.runs, options.batch) for seed in range(options.seeds)]
        for width in WIDTHS:
            print(line(truth, width, [stop[width] for stop in stops if width in stop], options.seeds), flush=True)


def stopped(truth: Truth, seed: int, runs: int, batch: int) -> dict[float, Stop]:
    """Width -> what is known when a search to this width stops."""
    numbers, rng, found = np.random.default_rng(seed), random.Random(seed), {}
    seen: list[Seen] = []
    space, edge = space_of(truth), crossings(truth)
    while len(seen) < runs and len(found) < len(WIDTHS):
        seen += [outcome(truth, point, numbers) for point in boundary.suggest(space, seen, rng, batch)]
        places = np.array([list(run.point.values()) for run in seen])
        positive = np.array([run.positive for run in seen])
        band = fit(places, positive)
        known = width_of(band, truth.num_axes)
        reached = [width for width in WIDTHS if known <= width and width not in found]
        if reached:
            model = fit(places, positive, log_steps_N=log_steps(seen))
            error = truth.error(model.mean_and_sd(truth.cells)[0] > 0)
            found |= dict.fromkeys(reached, (len(seen), error, inside(band, edge), inside(model, edge)))
    return found


def inside(model: BoundaryModel, edge: np.ndarray) -> float:
    """Share of the places that are in the model's 95% band."""
    mean, sd = model.mean_and_sd(edge)
    return float(np.mean(np.abs(mean) < Z * sd))


def crossings(truth: Truth) -> np.ndarray:
    """Places (P, D) where half of the runs are positive, one for each crossing of a line through the cells."""
    size = round(len(truth.cells) ** (1 / truth.num_axes))
    cells = truth.cells.reshape([size] * truth.num_axes + [truth.num_axes])
    excess = truth.rate(truth.cells).reshape([size] * truth.num_axes) - 0.5
    found = []
    for axis in range(truth.num_axes):
        before, after, low, high = (np.delete(x, end, axis) for x in (excess, cells) for end in (-1, 0))
        crosses = (before > 0) != (after > 0)
        part = (before / (before - after + 1e-300))[crosses][:, None]
        found.append(low[crosses] + part * (high - low)[crosses])
    return np.concatenate(found)


def line(truth: Truth, width: float, stops: list[Stop], seeds: int) -> str:
    head = f"{truth.name:15} {100 * width:4.0f}%  {len(stops):3}/{seeds}"
    if not stops:
        return head
    runs, error, band, passages = np.array(stops).T * [[1], [100], [100], [100]]
    return (
        f"{head}   {np.median(runs):4.0f} ({runs.max():3.0f})   {np.median(error):5.1f} ({error.max():4.1f})"
        f"   {np.median(band):5.0f} ({band.min():.0f})   {np.median(passages):5.0f} ({passages.min():.0f})"
    )


if __name__ == "__main__":
    main()
