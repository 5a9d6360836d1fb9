-- One row per run: the phase by when the training and the test accuracy first reach a threshold.
-- source: Liu et al. 2022, arXiv 2205.10343, Appendix A, Table 1
-- phases: comprehension (both, soon after each other), grokking (both, the test split late), memorization (train only),
--   confusion (the training split is not fitted), unresolved
-- params: threshold, the accuracy to reach: 0.5, 0.9, 0.95 or 0.99 (stated: 0.9; the released code compares with >=)
--   max_steps, later passages count as never (stated: 1e5); a shorter run is judged by what it showed
--   max_delay_steps, grokking from this delay on (stated: 1e3, for runs of 1e5 steps)
-- left open by the paper: test reached and train not, which no row of the table names; confusion here.
with defaults as (
    select 0.9::double as threshold, 100000::bigint as max_steps, 1000::bigint as max_delay_steps
),
params as (select * from defaults),
passages as (
    select
        outcomes.run_id,
        outcomes.status,
        outcomes.stop_reason,
        outcomes.horizon,
        outcomes.chance_accuracy,
        list_position([0.5, 0.9, 0.95, 0.99]::double[], threshold) as level,
        [
            outcomes.train_step_50, outcomes.train_step_90, outcomes.train_step_95, outcomes.train_step_99,
        ][level] as train_step,
        [
            outcomes.test_step_50, outcomes.test_step_90, outcomes.test_step_95, outcomes.test_step_99,
        ][level] as test_step,
    from outcomes
    cross join params
)
select
    run_id,
    case
        when status <> 'finished' or stop_reason = 'pruned' or coalesce(horizon, train_step, test_step) is null
            then 'unresolved'
        when chance_accuracy is null then 'unresolved'  -- answers that are numbers have no accuracy
        when train_step is null or train_step > max_steps then 'confusion'
        when test_step is null or test_step > max_steps then 'memorization'
        when test_step - train_step < max_delay_steps then 'comprehension'
        else 'grokking'
    end as phase
from passages
cross join params
