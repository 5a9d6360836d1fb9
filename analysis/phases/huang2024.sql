-- One row per run: the phase by what the training accuracy was when the test accuracy rose, and where both ended.
-- source: Huang et al. 2024, arXiv 2402.15175, section 3 and Takeaway 4
-- phases: progression (test rises while the training split is not fitted yet), memorization (fitted, test stays at
--   chance; the paper's "ungrokking" zone), semi_grokking (fitted first, test ends in between), grokking (fitted first,
--   test ends near perfect), confusion (none of the four: ends neither fitted nor above chance, such as a model that is
--   too small, diverged or lost what it had), unresolved
-- params, all left open by the paper, which reads its phases off curves by eye:
--   threshold, the accuracy that counts as perfect: 0.5, 0.9, 0.95 or 0.99
--   margin, a test accuracy that ends this far above chance has risen (outcomes uses 0.1 for the onset as well)
--   slack, an accuracy that was perfect counts as kept unless it ends further below the threshold than this
-- A run that generalizes at once is progression: its test accuracy rises before the training split is fitted. The
-- paper's second sign, a weight norm that rises in progression and falls in grokking, is shown for two models; unused.
with defaults as (select 0.95::double as threshold, 0.1::double as margin, 0.1::double as slack),
params as (select * from defaults),
passages as (
    select
        outcomes.run_id,
        outcomes.status,
        outcomes.stop_reason,
        outcomes.horizon,
        outcomes.train_accuracy_at_test_onset,
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
        when final_test_accuracy >= chance_accuracy + margin then
            case
                when train_step is null or train_accuracy_at_test_onset < threshold then 'progression'
                when test_step is not null and final_test_accuracy >= threshold - slack then 'grokking'
                else 'semi_grokking'
            end
        when train_step is null or final_train_accuracy < threshold - slack then 'confusion'
        else 'memorization'
    end as phase
from passages
cross join params
