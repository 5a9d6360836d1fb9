-- One row per run: the phase by what the training accuracy was when the test accuracy rose, and where both ended.
-- source: Huang et al. 2024, arXiv 2402.15175, section 3 and Takeaway 4
-- Memorization is the paper's "ungrokking" zone. Confusion is not in the paper: a model that is too small, diverged or
-- lost what it had.
-- params, all left open by the paper, which reads its phases off curves by eye:
--   threshold, the accuracy that counts as perfect: 0.5, 0.9, 0.95 or 0.99
--   margin, a test accuracy that ends this far above chance has risen (outcomes uses 0.1 for the onset as well)
--   slack, an accuracy that was perfect counts as kept unless it ends further below the threshold than this
-- A run that generalizes at once is progression: its test accuracy rises before the training split is fitted. The
-- paper's second sign, a weight norm that rises in progression and falls in grokking, is shown for two models; unused.
with names(phase, generalized, color, words) as (values
    ('confusion', false, '#3d3d3d', 'none of the four: ends neither fitted nor above chance'),
    ('memorization', false, '#d55e00', 'fits the training split, test accuracy at chance'),
    ('progression', false, '#4daf7c', 'test accuracy rises before the training split is fitted'),
    ('semi_grokking', false, '#f0c84b', 'fits the training split first, test accuracy ends in between'),
    ('grokking', true, '#0a5fb4', 'fits the training split first, test accuracy ends near perfect'),
    ('unresolved', false, '#d4d4d4', 'unfinished, failed, pruned or without records of what is asked')
),
defaults as (select 0.95::double as threshold, 0.1::double as margin, 0.1::double as slack),
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
        when outcomes.final_test_accuracy >= outcomes.chance_accuracy + margin then
            case
                when outcomes.train_step is null or outcomes.train_accuracy_at_test_onset < threshold then 'progression'
                when outcomes.test_step is not null and outcomes.final_test_accuracy >= threshold - slack then 'grokking'
                else 'semi_grokking'
            end
        when outcomes.train_step is null or outcomes.final_train_accuracy < threshold - slack then 'confusion'
        else 'memorization'
    end as phase
from passages((select threshold from params)) as outcomes
cross join params
