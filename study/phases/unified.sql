-- One row per run: the phase by first passages and final accuracies, for studies of any horizon.
-- source: this project, the union of the distinctions in Liu et al. 2022 (arXiv 2205.10343), Doshi et al. 2023
--   (arXiv 2310.13061) and Huang et al. 2024 (arXiv 2402.15175); the delay is relative because horizons differ
-- params: threshold, the accuracy that counts as fitted or generalized: 0.5, 0.9, 0.95 or 0.99 (0.9 as Liu and Doshi)
--   min_delay_ratio, grokking above this ratio of the test to the training passage (4 splits the modular addition of
--     Nanda et al. 2023, arXiv 2301.05217, where they do: 4.1 and more at up to 50% data, 2.8 and less from 60% on)
--   margin, a test accuracy that ends this far above chance has risen
--   slack, an accuracy that was reached counts as kept unless it ends further below the threshold than this
with names(phase, generalized, color, words) as (values
    ('confusion', false, '#3d3d3d', 'in the end neither fits the training split nor rises above chance'),
    ('memorization', false, '#d55e00', 'fits the training split, test accuracy at chance'),
    ('progression', false, '#4daf7c', 'test accuracy above chance, training split not fitted'),
    ('semi_grokking', false, '#f0c84b', 'fits the training split, test accuracy in between'),
    ('comprehension', true, '#7cc5f2', 'fits both splits, soon after each other'),
    ('grokking', true, '#0a5fb4', 'fits both splits, the test split late'),
    ('forgetting', false, '#d66fb1', 'generalized once and lost it'),
    ('unresolved', false, '#d4d4d4', 'unfinished, failed, pruned or without records of what is asked')
),
defaults as (
    select
        0.9::double as threshold,
        4::double as min_delay_ratio,
        0.1::double as margin,
        0.1::double as slack,
),
params as (select * from defaults)
select
    outcomes.run_id,
    case
        when outcomes.status <> 'finished' or outcomes.stop_reason = 'pruned'
            or coalesce(outcomes.horizon, outcomes.train_step, outcomes.test_step) is null
            then 'unresolved'
        when outcomes.chance_accuracy is null then 'unresolved'  -- answers that are numbers have no accuracy
        when outcomes.final_train_accuracy is null or outcomes.final_test_accuracy is null
            then 'unresolved'  -- nobody has asked one of the splits
        when outcomes.test_step is not null and outcomes.final_test_accuracy < threshold - slack then 'forgetting'
        when outcomes.test_step > min_delay_ratio * outcomes.train_step then 'grokking'
        when outcomes.test_step is not null and outcomes.train_step is not null then 'comprehension'
        when outcomes.test_step is not null then 'progression'
        when outcomes.train_step is null or outcomes.final_train_accuracy < threshold - slack then
            case
                when outcomes.final_test_accuracy >= outcomes.chance_accuracy + margin then 'progression'
                else 'confusion'
            end
        when outcomes.final_test_accuracy >= outcomes.chance_accuracy + margin then 'semi_grokking'
        else 'memorization'
    end as phase
from passages((select threshold from params)) as outcomes
cross join params
