-- One row per study and run of it, and one per run with study NULL: the horizon at which the run is judged there. A run
-- counts as finished once it was observed up to a planned horizon, or has ended of itself; the longest such horizon is
-- its `cut`, and no later attempt takes that back. Of a run without one `cut` is the longest planned horizon. A run that
-- was stopped because it had generalized is finished only where a study stops there. `asked` is the longest planned horizon.
with asked as (
    select
        study,
        run_id,
        horizons,
        coalesce(try_cast(spec ->> 'leave_when_generalized' as boolean), false) as stops_at_generalization,
    from study_runs
    join studies using (study)
    union all
    select null, run_id, list_distinct(flatten(list(horizons))), true from study_runs group by run_id
),
ended as (
    select
        asked.*,
        runs.status,
        runs.stop_reason,
        runs.steps,
        ends.reason,
        ends.ended_at,
        if(stops_at_generalization, ends.generalized_at, null) as left_at,
    from asked
    join runs using (run_id)
    left join ends using (run_id)
),
judged as (
    select *, list_max(list_filter(horizons, lambda h: h <= steps or h >= least(ended_at, left_at))) as reached from ended
)
select
    study,
    run_id,
    coalesce(reached, list_max(horizons)) as cut,
    list_max(horizons) as asked,
    case
        when reached is not null then 'finished'
        when status = 'finished' and stop_reason <> 'pruned' then 'planned' -- finished for another study alone
        else status
    end as status,
    case
        when reached is null then if(stop_reason = 'pruned', stop_reason, null)
        when ended_at <= reached then reason
        when left_at <= reached then 'generalized'
        else 'horizon'
    end as stop_reason,
from judged
