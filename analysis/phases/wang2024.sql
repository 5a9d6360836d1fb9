-- One row per run: what a model of a reasoning task has come to, by first passages on the three splits.
-- source: Wang et al. 2024, "Grokked Transformers are Implicit Reasoners", arXiv 2405.15071, sections 3 and 4: training
--   is fitted first, held-out examples of in-distribution facts come much later, systematic generalization to facts that
--   were never used in an inference comes later still (comparison, shared layers) or never (composition)
-- phases, by the end of the run:
--   unlearned: training not fitted; memorization: training alone; generalized_in_distribution: test too, not ood;
--   systematic: ood as well (whatever the test split, so that a run without one can be systematic); unresolved
-- params: threshold, the accuracy that counts as reached: 0.5, 0.9, 0.95 or 0.99 (the paper shows curves that saturate
--   and names no number)
--   slack, an accuracy that was reached counts as kept unless it ends further below the threshold than this
with defaults as (select 0.9::double as threshold, 0.1::double as slack),
params as (select * from defaults),
passages as (
    select
        outcomes.run_id,
        outcomes.status,
        outcomes.stop_reason,
        outcomes.horizon,
        outcomes.final_train_accuracy,
        outcomes.final_test_accuracy,
        outcomes.final_ood_accuracy,
        outcomes.chance_accuracy,
        list_position([0.5, 0.9, 0.95, 0.99]::double[], threshold) as level,
        [
            outcomes.train_step_50, outcomes.train_step_90, outcomes.train_step_95, outcomes.train_step_99,
        ][level] as train_step,
        [
            outcomes.test_step_50, outcomes.test_step_90, outcomes.test_step_95, outcomes.test_step_99,
        ][level] as test_step,
        [
            outcomes.ood_step_50, outcomes.ood_step_90, outcomes.ood_step_95, outcomes.ood_step_99,
        ][level] as ood_step,
    from outcomes
    cross join params
)
select
    run_id,
    case
        when status <> 'finished' or stop_reason = 'pruned' or coalesce(horizon, train_step, test_step) is null
            then 'unresolved'
        when chance_accuracy is null then 'unresolved'  -- answers that are numbers have no accuracy
        when train_step is null or final_train_accuracy < threshold - slack then 'unlearned'
        when ood_step is not null and final_ood_accuracy >= threshold - slack then 'systematic'
        when test_step is not null and final_test_accuracy >= threshold - slack then 'generalized_in_distribution'
        else 'memorization'
    end as phase
from passages
cross join params
