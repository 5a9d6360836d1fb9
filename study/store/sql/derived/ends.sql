-- One row per run that an attempt has ended before its horizon, other than by pruning: when it had generalized, for studies
-- that stop there, and when it ended of itself, with the reason.
select
    run_id,
    min(steps) filter (where stop_reason = 'generalized') as generalized_at,
    min(steps) filter (where stop_reason <> 'generalized') as ended_at,
    arg_min(stop_reason, (steps, attempt)) filter (where stop_reason <> 'generalized') as reason,
from attempts
where status = 'finished' and stop_reason not in ('horizon', 'pruned')
group by run_id
