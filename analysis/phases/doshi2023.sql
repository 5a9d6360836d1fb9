-- One row per run: the phase by the final accuracies, for training labels of which a fraction is corrupted.
-- source: Doshi et al. 2023, arXiv 2310.13061, Appendix C, Table 2
-- phases: coexistence (generalizes and keeps the corrupted labels), partial_inversion (generalizes, has corrected some
--   of them), full_inversion (generalizes, has corrected them all), memorization (train only), forgetting (neither at
--   the end, test was high once), confusion (neither, test was never high), unresolved
-- params: threshold, the accuracy that counts as high (stated: 0.9)
--   tolerance, full inversion below 1 + tolerance - label_corruption on the training labels (stated: 0.05)
-- left open by the paper: forgetting and confusion are told apart by the curve, without a number; here by the maximum
--   of the test accuracy and the same threshold. Where rows of the table overlap (corruption below 0.15) the first holds.
with defaults as (select 0.9::double as threshold, 0.05::double as tolerance),
params as (select * from defaults)
select
    outcomes.run_id,
    case
        when outcomes.status <> 'finished' or outcomes.stop_reason = 'pruned'
            or outcomes.final_train_accuracy is null or outcomes.final_test_accuracy is null
            then 'unresolved'
        when outcomes.final_test_accuracy >= threshold and outcomes.final_train_accuracy >= threshold
            then 'coexistence'
        when outcomes.final_test_accuracy >= threshold
            and outcomes.final_train_accuracy >= 1 + tolerance - outcomes.label_corruption
            then 'partial_inversion'
        when outcomes.final_test_accuracy >= threshold then 'full_inversion'
        when outcomes.final_train_accuracy >= threshold then 'memorization'
        when outcomes.max_test_accuracy >= threshold then 'forgetting'
        else 'confusion'
    end as phase
from outcomes
cross join params
