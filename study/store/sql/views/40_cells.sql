-- One row per study, definition, point and phase, at the study's horizon: how many of the cell's runs are in the phase, of
-- how many, and the Wilson 95% interval of that fraction. Seeds are what a cell's runs differ in.
with params as (select 1.959963984540054::double as z),
counts as (
    select study, definition, point, phase, count(*) as runs
    from study_runs
    join study_phases using (study, run_id)
    group by all
),
fractions as (
    select *, sum(runs) over (partition by study, definition, point)::double as total, runs / total as fraction
    from counts
)
select
    study,
    definition,
    point,
    phase,
    runs::integer as runs,
    total::integer as total,
    fraction::double as fraction,
    greatest(0, (fraction + z * z / (2 * total) - z * sqrt((fraction * (1 - fraction) + z * z / (4 * total)) / total))
        / (1 + z * z / total))::double as low,
    least(1, (fraction + z * z / (2 * total) + z * sqrt((fraction * (1 - fraction) + z * z / (4 * total)) / total))
        / (1 + z * z / total))::double as high
from fractions
cross join params
