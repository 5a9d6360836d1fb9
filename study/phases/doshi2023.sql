-- One row per run: the phase by the final accuracies, for training labels of which a fraction is corrupted.
-- source: Doshi et al. 2023, arXiv 2310.13061, Appendix C, Table 2
-- params: threshold, the accuracy that counts as high (stated: 0.9)
--   tolerance, full inversion below 1 + tolerance - label_corruption on the training labels (stated: 0.05)
-- left open by the paper: it tells forgetting from confusion by the curve, without a number; here the maximum of the test
--   accuracy and the same threshold do. Where rows of the table overlap (corruption below 0.15) the first one holds.
with names(phase, generalized, color, words) as (values
    ('confusion', false, '#3d3d3d', 'neither split is fitted, the test split never was'),
    ('memorization', false, '#d55e00', 'fits the training split alone'),
    ('coexistence', true, '#0a5fb4', 'generalizes and keeps the corrupted labels'),
    ('partial_inversion', true, '#7cc5f2', 'generalizes and corrects some corrupted labels'),
    ('full_inversion', true, '#009e73', 'generalizes and corrects all corrupted labels'),
    ('forgetting', false, '#d66fb1', 'generalized once, ends with neither split fitted'),
    ('unresolved', false, '#d4d4d4', 'unfinished, failed, pruned or without records of what is asked')
),
defaults as (select 0.9::double as threshold, 0.05::double as tolerance),
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
