-- One row per run: the phase by when the training and the test accuracy first reach a threshold.
-- source: Liu et al. 2022, arXiv 2205.10343, Appendix A, Table 1
-- params: threshold, the accuracy to reach: 0.5, 0.9, 0.95 or 0.99 (stated: 0.9; the released code compares with >=)
--   max_steps, later passages count as never (stated: 1e5); a shorter run is judged by what it showed
--   max_delay_steps, grokking from this delay on (stated: 1e3, for runs of 1e5 steps)
-- left open by the paper: a run that fits the test split and not the training split; confusion here.
with names(phase, generalized, color, words) as (values
    ('confusion', false, '#3d3d3d', 'does not fit the training split'),
    ('memorization', false, '#d55e00', 'fits the training split alone'),
    ('comprehension', true, '#7cc5f2', 'fits both splits, soon after each other'),
    ('grokking', true, '#0a5fb4', 'fits both splits, the test split late'),
    ('unresolved', false, '#d4d4d4', 'unfinished, failed, pruned or without records of what is asked')
),
defaults as (
    select 0.9::double as threshold, 100000::bigint as max_steps, 1000::bigint as max_delay_steps
),
params as (select * from defaults)
select
    outcomes.run_id,
    case
        when outcomes.status <> 'finished' or outcomes.stop_reason = 'pruned'
            or coalesce(outcomes.horizon, outcomes.train_step, outcomes.test_step) is null
            then 'unresolved'
        when outcomes.chance_accuracy is null then 'unresolved'  -- answers that are numbers have no accuracy
        when outcomes.num_tested = 0 then 'unresolved'  -- nobody has asked the test split
        when outcomes.train_step is null or outcomes.train_step > max_steps then 'confusion'
        when outcomes.test_step is null or outcomes.test_step > max_steps then 'memorization'
        when outcomes.test_step - outcomes.train_step < max_delay_steps then 'comprehension'
        else 'grokking'
    end as phase
from passages((select threshold from params)) as outcomes
cross join params
