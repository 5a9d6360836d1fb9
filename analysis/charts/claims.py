"""What papers say of a study's system against what its runs say: the claimed range, our number and its interval."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import altair as alt
from altair.typing import ChartType

from analysis.charts import NotApplicable, read_study
from analysis.claim import NOT_REPRODUCED, NOT_YET_RUN, REPRODUCED, UNDECIDED, Checked, claims_about
from analysis.theme import PHASES

if TYPE_CHECKING:
    from study.store import Store

TITLE = "What is claimed, and what was measured"
READ = (
    "The band is where the number must lie for the claim to hold. Dots are measured, bars are their 95% bootstrap "
    "intervals over seeds; the verdict follows from where the bar lies."
)
COLORS = {
    REPRODUCED: PHASES["grokking"],
    NOT_REPRODUCED: PHASES["memorization"],
    UNDECIDED: PHASES["semi_grokking"],
    NOT_YET_RUN: PHASES["unresolved"],
}


def chart(store: "Store", study: str, claims: Sequence[Checked] | None = None) -> ChartType:
    """One strip for each claim about the study; NotApplicable where none has a number. `claims`: already checked."""
    facts = read_study(store, study)
    claims = claims_about(store, study) if claims is None else claims
    found = [checked for checked in claims if not math.isnan(checked.value)]
    if not found:
        raise NotApplicable(f"Study {study!r} has no runs that a claim is about.")
    strips = alt.vconcat(*(_strip(checked) for checked in found), bounds="flush", spacing=100)
    subtitle = facts.subtitle("means over seeds, 95% bootstrap intervals", max(checked.ended for checked in found))
    return strips.properties(title=alt.Title(facts.question, subtitle=subtitle))


def _strip(checked: Checked) -> ChartType:
    claim = checked.claim
    numbers = [checked.value, checked.low, checked.high, claim.above, claim.below]
    known = [number for number in numbers if number is not None and not math.isnan(number)]
    reach = (max(known) - min(known)) or abs(known[0]) or 1.0
    left, right = min(known) - 0.25 * reach, max(known) + 0.25 * reach
    start = left if claim.above is None else claim.above
    end = right if claim.below is None else claim.below
    low, high = (None if math.isnan(number) else number for number in (checked.low, checked.high))
    value: dict[str, Any] = {"value": checked.value, "low": low, "high": high, "verdict": checked.verdict}
    value |= {"claim": claim.says, "source": claim.source, "published": claim.published, "ours": checked.ours}
    scale = alt.Scale(domain=[left, right], nice=False, zero=False)
    base = alt.Chart(alt.InlineData(values=[value | {"start": start, "end": end}]))
    band = base.mark_rect(color="#dcecdf").encode(alt.X("start:Q", scale=scale).title(claim.unit), x2="end:Q")
    color = alt.Color("verdict:N").scale(domain=list(COLORS), range=list(COLORS.values())).title("verdict")
    bar = (
        base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=3).encode(x="low:Q", x2="high:Q", color=color)
    )
    tooltip = [f"{name}:N" for name in ("claim", "source", "published", "ours", "verdict")]
    dot = base.mark_point(filled=True, size=90, opacity=1).encode(x="value:Q", color=color, tooltip=tooltip)
    title = alt.Title(claim.says, subtitle=f"{checked.verdict}: {checked.ours}; claimed {claim.bar}", fontSize=13)
    return (band + bar + dot).properties(width=560, height=26, title=title)
