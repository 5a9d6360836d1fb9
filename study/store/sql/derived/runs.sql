-- One row per planned run: its settings, the state of its latest attempt, and the furthest step of all attempts.
with latest as (
    select * from attempts
    semi join (select run_id, max(attempt) as attempt from attempts group by run_id) using (run_id, attempt)
),
spent as (
    select run_id, max(steps) as steps, sum(wall_seconds) as wall_seconds, max(updated_at) as heard_at
    from attempts group by run_id
),
planned as (
    select run_id, max(horizon) as horizon from study_runs group by run_id
)
select
    run_id,
    run_specs.* exclude (run_id, planned_at),
    coalesce(latest.status, 'planned') as status,
    latest.stop_reason,
    coalesce(latest.horizon, planned.horizon) as horizon,
    coalesce(spent.steps, 0) as steps,
    coalesce(spent.wall_seconds, 0)::double as wall_seconds,
    latest.error,
    spent.heard_at,
from run_specs
left join latest using (run_id)
left join spent using (run_id)
left join planned using (run_id)
