-- One row per run and step: what was measured there, side by side; NULL where a task has no such split or probe.
-- Values are as recorded: a diverged run ends in NaN losses.
select
    run_id,
    step::bigint as step,
    (max(value) filter (where split = 'train' and metric = 'loss'))::double as train_loss,
    (max(value) filter (where split = 'train' and metric = 'accuracy'))::double as train_accuracy,
    (max(value) filter (where split = 'test' and metric = 'loss'))::double as test_loss,
    (max(value) filter (where split = 'test' and metric = 'accuracy'))::double as test_accuracy,
    (max(value) filter (where split = 'ood' and metric = 'loss'))::double as ood_loss,
    (max(value) filter (where split = 'ood' and metric = 'accuracy'))::double as ood_accuracy,
    (max(value) filter (where split = 'model' and metric = 'weight_norm'))::double as weight_norm,
    (max(value) filter (where split = 'model' and metric = 'fourier_ipr'))::double as fourier_ipr
from metrics
group by run_id, step
