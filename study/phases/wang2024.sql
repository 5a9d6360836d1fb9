-- One row per run: what a model of a reasoning task has come to, by first passages on the three splits.
-- source: Wang et al. 2024, "Grokked Transformers are Implicit Reasoners", arXiv 2405.15071, sections 3 and 4: training
--   is fitted first, held-out examples of in-distribution facts come much later, systematic generalization to facts that
--   were never used in an inference comes later still (comparison, shared layers) or never (composition)
-- A run is systematic whatever its test split does, so that a task without a test split can be systematic.
-- params: threshold, the accuracy that counts as reached: 0.5, 0.9, 0.95 or 0.99 (the paper shows curves that saturate
--   and names no number)
--   slack, an accuracy that was reached counts as kept unless it ends further below the threshold than this
with names(phase, generalized, color, words) as (values
    ('unlearned', false, '#3d3d3d', 'does not fit the training split'),
    ('memorization', false, '#d55e00', 'fits the training split alone'),
    ('generalized_in_distribution', true, '#7cc5f2', 'fits the test split, not the ood split'),
    ('systematic', true, '#0a5fb4', 'fits the ood split'),
    ('unresolved', false, '#d4d4d4', 'unfinished, failed, pruned or without records of what is asked')
),
defaults as (select 0.9::double as threshold, 0.1::double as slack),
params as (select * from defaults)
select
    outcomes.run_id,
    case
        when outcomes.status <> 'finished' or outcomes.stop_reason = 'pruned'
            or coalesce(outcomes.horizon, outcomes.train_step, outcomes.test_step) is null
            then 'unresolved'
        when outcomes.chance_accuracy is null then 'unresolved'  -- answers that are numbers have no accuracy
        when outcomes.final_train_accuracy is null
            or coalesce(outcomes.final_test_accuracy, outcomes.final_ood_accuracy) is null
            then 'unresolved'  -- nobody has asked more than one split
        when outcomes.train_step is null or outcomes.final_train_accuracy < threshold - slack then 'unlearned'
        when outcomes.ood_step is not null and outcomes.final_ood_accuracy >= threshold - slack then 'systematic'
        when outcomes.final_test_accuracy is null then 'unresolved'
        when outcomes.test_step is not null and outcomes.final_test_accuracy >= threshold - slack
            then 'generalized_in_distribution'
        else 'memorization'
    end as phase
from passages((select threshold from params)) as outcomes
cross join params
