-- One row per run: whether the last answer of an example is right for tasks of training alone, or for new tasks too.
-- source: Kirsch et al. 2022, arXiv 2212.04458, insight 3, for task in_context_classification. Its splits `test` and
--   `ood` ask for the last answer of an example: on unseen tasks the first answer is at chance whatever the network knows
-- Seen tasks are memorized, or identified from the example: the split test_first tells these apart (see
--   analysis/claims/learning_to_learn.py).
-- params: margin, an accuracy that ends this far above chance has risen (left open by the paper)
with names(phase, generalized, color, words) as (values
    ('unlearned', false, '#3d3d3d', 'last answers at chance on the tasks of training'),
    ('seen_tasks_only', false, '#d55e00', 'last answers above chance on the tasks of training alone'),
    ('learning_to_learn', true, '#0a5fb4', 'last answers above chance on unseen tasks as well'),
    ('unresolved', false, '#d4d4d4', 'unfinished, failed, pruned or without records of what is asked')
),
defaults as (select 0.1::double as margin),
params as (select * from defaults)
select
    outcomes.run_id,
    case
        when outcomes.status <> 'finished' or outcomes.stop_reason = 'pruned' or outcomes.final_test_accuracy is null
            then 'unresolved'
        when outcomes.final_ood_accuracy >= outcomes.chance_accuracy + margin then 'learning_to_learn'
        when outcomes.final_test_accuracy < outcomes.chance_accuracy + margin then 'unlearned'
        when outcomes.final_ood_accuracy is null then 'unresolved'  -- nobody has asked unseen tasks
        else 'seen_tasks_only'
    end as phase
from outcomes
cross join params
