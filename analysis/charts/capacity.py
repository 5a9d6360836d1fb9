"""Memorization capacity and critical data size by model width: where do the two curves cross?

source: Huang et al. 2024, arXiv 2402.15175, section 3 and Figures 1, 3 and 4. The capacity of a width is how many
random labels its models fit at the end. The critical data size is the one at which half of the runs generalize (test
accuracy 0.95), interpolated between the data sizes of the study.
"""

from typing import TYPE_CHECKING, Any

import altair as alt
from altair.typing import ChartType

from analysis.charts import DATA_SIZES, WIDTH, NotApplicable, t_interval, words
from analysis.stored import read_study, rows
from analysis.theme import BLUE, ORANGE

if TYPE_CHECKING:
    from study.store.database import Store

TITLE = "Memorization capacity and critical data size"
READ = (
    "A model cannot memorize more examples than its capacity, and does not generalize from fewer than the critical "
    "size. Bars are 95% t intervals over seeds. A triangle is a lower bound: there the model fitted every random "
    "label."
)
CAPACITY = "memorization capacity"
CRITICAL = "critical data size"
SATURATED = 0.99
"""With this accuracy on random labels or more, the model might have fitted more of them."""


def chart(store: "Store", study: str) -> ChartType:
    """The two curves; NotApplicable unless the axes are width and data size and some runs have random labels."""
    facts = read_study(store, study)
    store = store.of(study)
    if not {WIDTH} < set(facts.axes) <= {WIDTH, *DATA_SIZES}:
        raise NotApplicable(f"Study {study!r} needs the axes {WIDTH} and {' or '.join(DATA_SIZES)}, and no others.")
    capacities = rows(
        store,
        """select
            width::integer as width,
            avg(final_train_accuracy * data_size)::double as size,
            stddev_samp(final_train_accuracy * data_size)::double as sd,
            count(*)::integer as runs,
            if(max(final_train_accuracy) >= $saturated, 'lower bound', 'measured') as kind,
        from outcomes
        join study_runs using (run_id)
        join runs using (run_id)
        where study = $study and outcomes.status = 'finished' and outcomes.stop_reason <> 'pruned'
            and spec ->> '$.task.labels' = 'random'
        group by width
        order by width""",
        study=study,
        saturated=SATURATED,
    )
    criticals = rows(
        store,
        """with rates as (
            select width, data_size, avg((test_step_95 is not null)::integer) as rate, count(*) as runs
            from outcomes
            join phases using (run_id)
            join study_runs using (run_id)
            join runs using (run_id)
            where study = $study and definition = 'unified' and phase <> 'unresolved'
                and list_has_all($axes, json_keys(point))
            group by width, data_size
        ),
        neighbours as (
            select
                width, data_size, rate,
                lag(data_size) over sizes as smaller,
                lag(rate) over sizes as rate_before,
                sum(runs) over (partition by width) as runs,
            from rates
            window sizes as (partition by width order by data_size)
        )
        select
            width::integer as width,
            min(smaller + (data_size - smaller) * (0.5 - rate_before) / (rate - rate_before))::double as size,
            any_value(runs)::integer as runs,
        from neighbours
        where rate_before < 0.5 and rate >= 0.5
        group by width
        order by width""",
        study=study,
        axes=facts.axes,
    )
    if not capacities or not criticals:
        raise NotApplicable(
            f"Study {study!r} lacks runs with random labels, or widths at which some data size is enough."
        )
    capacities = [row | t_interval(row["size"], row["sd"], row["runs"]) for row in capacities]
    values: list[dict[str, Any]] = [{"curve": CAPACITY} | row for row in capacities]
    values += [{"curve": CRITICAL, "kind": "measured"} | row for row in criticals]
    base = alt.Chart({"values": values}).encode(
        alt.X("width:Q")
        .scale(type="log", base=2, nice=False, padding=10)
        .axis(values=sorted({value["width"] for value in values}))
        .title(words(WIDTH)),
        alt.Y("size:Q").title("training examples"),
        alt.Color("curve:N").scale(domain=[CAPACITY, CRITICAL], range=[ORANGE, BLUE]).title(None),
    )
    marks = base.mark_point(filled=True, size=55, opacity=1).encode(
        alt.Shape("kind:N").scale(domain=["measured", "lower bound"], range=["circle", "triangle-up"]).title(None),
        tooltip=["curve:N", "width:Q", alt.Tooltip("size:Q", format=".0f"), "runs:Q"],
    )
    bars = base.mark_rule().encode(y="low:Q", y2="high:Q").transform_filter("isValid(datum.low)")
    title = alt.Title(
        facts.question,
        subtitle=facts.subtitle("generalized means test accuracy 0.95", sum(value["runs"] for value in values)),
    )
    return (base.mark_line() + bars + marks).properties(title=title)
