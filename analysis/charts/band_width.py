"""How well a search knows its boundary: the mean width of the 95% band by the number of runs it was fitted to."""

from typing import TYPE_CHECKING

import altair as alt
import numpy as np

from analysis.charts import NotApplicable
from analysis.sides import sides
from analysis.stored import read_study
from analysis.theme import BLUE
from study.search.boundary.model import fit
from study.search.boundary.width import CELLS, width_of
from study.store.definitions import GENERALIZED
from study.store.studies import stored_spec
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "Width of the boundary's band by runs"
READ = (
    "The mean width of the 95% band across the boundary, in ranges of the axes, with the runs in the order in which "
    "the search asked for them. Where more runs no longer narrow it, seeds differ there."
)
FEWEST = 8
PLACES = 12
"""The model is fitted to so many numbers of runs."""


def chart(store: "Store", study: str) -> alt.Chart:
    """The width of the band, of a search whose axes are one to four of numbers."""
    facts = read_study(store, study)
    if not (stored_spec(store, study) or {}).get("search"):
        raise NotApplicable(f"Study {study!r} is no search.")
    try:
        _, scales, places_ND, positive_N, _ = sides(store.of(study), facts, GENERALIZED, {})
    except SpecError as error:
        raise NotApplicable(str(error)) from None
    number = len(positive_N)
    if len(scales) not in CELLS or number < FEWEST:
        raise NotApplicable(f"Study {study!r} has {number} resolved runs on {len(scales)} axes, too few or too many.")
    counts = sorted({round(count) for count in np.geomspace(FEWEST, number, PLACES)})
    rows = [
        {"runs": count, "width": width}
        for count in counts
        if len(set(positive_N[:count])) == 2
        and np.isfinite(width := width_of(fit(places_ND[:count], positive_N[:count]), len(scales)))
    ]
    if not rows:
        raise NotApplicable(f"Study {study!r} has no boundary yet.")
    title = alt.Title(facts.question, subtitle=facts.subtitle(f"now {rows[-1]['width']:.1%} of the axes", number))
    return (
        alt.Chart({"values": rows})
        .mark_line(point={"size": 45, "color": BLUE}, color=BLUE)
        .encode(
            alt.X("runs:Q").scale(zero=False, nice=False).title("resolved runs"),
            alt.Y("width:Q").scale(zero=True).axis(format="%").title("width of the band, of the axes"),
            tooltip=["runs:Q", alt.Tooltip("width:Q", format=".1%")],
        )
        .properties(title=title)
    )
