-- One row per run: whether a network on sparse parity has learned the rule, and if so, at once or late.
-- source: the two phases in the introduction of Merrill et al. 2023 (arXiv 2303.11873); where `late` begins is ours
-- params: threshold, the accuracy that counts as fitted (0.5, 0.9, 0.95 or 0.99)
--   late_ratio, generalization is late above this ratio of the test to the training passage
with names(phase, generalized, color, words) as (values
    ('neither', false, '#3d3d3d', 'does not fit the training split'),
    ('memorizes', false, '#d55e00', 'fits the training split alone'),
    ('learns', true, '#7cc5f2', 'learns the rule while it fits the training split, or soon after'),
    ('groks', true, '#0a5fb4', 'learns the rule long after it has fitted the training split'),
    ('unresolved', false, '#d4d4d4', 'unfinished, failed or without records')
),
defaults as (select 0.9::double as threshold, 4::double as late_ratio),
params as (select * from defaults)
select
    outcomes.run_id,
    case
        when outcomes.status <> 'finished' or outcomes.final_test_accuracy is null then 'unresolved'
        when outcomes.train_step is null then 'neither'
        when outcomes.test_step is null then 'memorizes'
        when outcomes.test_step > late_ratio * outcomes.train_step then 'groks'
        else 'learns'
    end as phase
from passages((select threshold from params)) as outcomes
cross join params
