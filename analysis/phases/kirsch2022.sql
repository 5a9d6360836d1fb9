-- One row per run: whether what is answered at the end of an example are tasks of training alone, or new ones as well.
-- source: Kirsch et al. 2022, arXiv 2212.04458, insight 3, for task in_context_classification, whose `test` and `ood` ask
--   for the last answer of an example; on unseen tasks the first one is at chance whatever the network knows
-- phases: learning_to_learn (unseen tasks as well), seen_tasks_only (memorized or, with what the example tells,
--   identified: the split test_first tells these apart, see analysis/claims/learning_to_learn.py), unlearned, unresolved
-- params: margin, an accuracy that ends this far above chance has risen (left open by the paper)
with defaults as (select 0.1::double as margin),
params as (select * from defaults)
select
    outcomes.run_id,
    case
        when outcomes.status <> 'finished' or outcomes.stop_reason = 'pruned' or outcomes.final_test_accuracy is null
            then 'unresolved'
        when outcomes.final_ood_accuracy >= outcomes.chance_accuracy + margin then 'learning_to_learn'
        when outcomes.final_test_accuracy >= outcomes.chance_accuracy + margin then 'seen_tasks_only'
        else 'unlearned'
    end as phase
from outcomes
cross join params
