-- One row per run: the phase by first passages and final accuracies, for studies of any horizon.
-- source: this project, the union of the distinctions in Liu et al. 2022 (arXiv 2205.10343), Doshi et al. 2023
--   (arXiv 2310.13061) and Huang et al. 2024 (arXiv 2402.15175); the delay is relative because horizons differ
-- phases, by the end of the run:
--   confusion: neither fitted nor above chance; memorization: fitted, test at chance;
--   progression: above chance without being fitted; semi_grokking: fitted, test in between;
--   comprehension: both, soon after each other; grokking: both, the test split late;
--   forgetting: generalized once and lost it; unresolved
-- params: threshold, the accuracy that counts as fitted or generalized: 0.5, 0.9, 0.95 or 0.99 (0.9 as Liu and Doshi)
--   min_delay_ratio, grokking above this ratio of the test to the training passage (4 splits the modular addition of
--     Nanda et al. 2023, arXiv 2301.05217, where they do: 4.1 and more at up to 50% data, 2.8 and less from 60% on)
--   margin, a test accuracy that ends this far above chance has risen
--   slack, an accuracy that was reached counts as kept unless it ends further below the threshold than this
with defaults as (
    select
        0.9::double as threshold,
        4::double as min_delay_ratio,
        0.1::double as margin,
        0.1::double as slack,
),
params as (select * from defaults),
passages as (
    select
        outcomes.run_id,
        outcomes.status,
        outcomes.stop_reason,
        outcomes.horizon,
        outcomes.final_train_accuracy,
        outcomes.final_test_accuracy,
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
        when test_step is not null and final_test_accuracy < threshold - slack then 'forgetting'
        when test_step > min_delay_ratio * train_step then 'grokking'
        when test_step is not null and train_step is not null then 'comprehension'
        when test_step is not null then 'progression'
        when train_step is null or final_train_accuracy < threshold - slack then
            case when final_test_accuracy >= chance_accuracy + margin then 'progression' else 'confusion' end
        when final_test_accuracy >= chance_accuracy + margin then 'semi_grokking'
        else 'memorization'
    end as phase
from passages
cross join params
