"""What papers claim about a study's system, and what its runs say: the bar's range, our number and its interval."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import altair as alt
from altair.typing import ChartType

from analysis.charts import NotApplicable
from analysis.claim import NOT_REPRODUCED, NOT_YET_RUN, REPRODUCED, UNDECIDED, Checked
from analysis.claim_check import claims_about
from analysis.stored import read_study
from analysis.theme import BLUE, LIGHT, ORANGE, YELLOW

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "What papers claim and what was measured"
READ = (
    "The green band is where the number must lie for the claim to hold. The dot is our number, and the line through it "
    "is its 95% bootstrap interval over seeds. The verdict follows from whether that line is inside the band, outside "
    "it, or crosses its edge."
)
COLORS = {
    REPRODUCED: BLUE,
    NOT_REPRODUCED: ORANGE,
    UNDECIDED: YELLOW,
    NOT_YET_RUN: LIGHT,
}


def chart(store: "Store", study: str, claims: Sequence[Checked] | None = None) -> ChartType:
    """One strip for each claim about the study that has a number; NotApplicable where none has.

    `claims` are those about the study if they are already checked; None checks them here.
    """
    facts = read_study(store, study)
    store = store.of(study)
    claims = claims_about(store, study) if claims is None else claims
    found = [checked for checked in claims if not math.isnan(checked.value)]
    if not found:
        raise NotApplicable(f"Study {study!r} has no runs that a claim is about.")
    strips = alt.vconcat(*(_strip(checked) for checked in found), bounds="flush", spacing=100)
    subtitle = facts.subtitle("95% bootstrap intervals over seeds", max(checked.ended for checked in found))
    return strips.properties(title=alt.Title(facts.question, subtitle=subtitle))


def _strip(checked: Checked) -> ChartType:
    claim = checked.claim
    numbers = [checked.value, checked.low, checked.high, claim.above, claim.below]
    known = [number for number in numbers if number is not None and math.isfinite(number)] or [0.0]
    reach = (max(known) - min(known)) or abs(known[0]) or 1.0
    left, right = min(known) - 0.25 * reach, max(known) + 0.25 * reach
    start = left if claim.above is None else claim.above
    end = right if claim.below is None else claim.below
    middle, low, high = (  # what is infinite reaches the edge
        None if math.isnan(number) else min(max(number, left), right)
        for number in (checked.value, checked.low, checked.high)
    )
    value: dict[str, Any] = {"value": middle, "low": low, "high": high, "verdict": checked.verdict}
    value |= {"claim": claim.says, "source": claim.source, "published": claim.published, "ours": checked.ours}
    scale = alt.Scale(domain=[left, right], nice=False, zero=False)
    base = alt.Chart({"values": [value | {"start": start, "end": end}]})
    band = base.mark_rect(color="#dcecdf").encode(alt.X("start:Q", scale=scale).title(claim.unit), x2="end:Q")
    color = alt.Color("verdict:N").scale(domain=list(COLORS), range=list(COLORS.values())).title("verdict")
    bar = (
        base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=3).encode(x="low:Q", x2="high:Q", color=color)
    )
    tooltip = [f"{name}:N" for name in ("claim", "source", "published", "ours", "verdict")]
    dot = base.mark_point(filled=True, size=90, opacity=1).encode(x="value:Q", color=color, tooltip=tooltip)
    title = alt.Title(claim.says, subtitle=f"{checked.verdict}: {checked.ours}; bar: {claim.bar}", fontSize=13)
    return (band + bar + dot).properties(width=560, height=26, title=title)
