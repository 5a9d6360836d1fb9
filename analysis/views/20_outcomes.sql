-- One row per run: what its curves come to, the row that every phase definition reads; NULL measures without records.
-- Steps are first passages: the first recorded step with an accuracy at or above the level, NULL when never reached.
-- A later dip does not undo a passage. NaN accuracies count as 0; norms that are not finite are left out.
with params as (
    select
        0.95::double as norm_level, -- norm_at_train_step and norm_at_test_step are taken at this accuracy
        0.1::double as onset_margin -- test accuracy has clearly left chance when it is this far above it
),
evaluations as (
    select
        run_id,
        step,
        if(isnan(train_accuracy), 0, train_accuracy) as train_accuracy,
        if(isnan(test_accuracy), 0, test_accuracy) as test_accuracy,
        if(isnan(ood_accuracy), 0, ood_accuracy) as ood_accuracy,
        if(isfinite(weight_norm), weight_norm, null) as weight_norm,
        if(isfinite(fourier_ipr), fourier_ipr, null) as fourier_ipr,
        coalesce(chance_accuracy, 0) + onset_margin as onset,
        norm_level,
    from curves
    join runs using (run_id)
    cross join params
),
measures as (
    select
        run_id,
        max(step) as horizon,
        min(step) filter (where train_accuracy >= 0.50) as train_step_50,
        min(step) filter (where train_accuracy >= 0.90) as train_step_90,
        min(step) filter (where train_accuracy >= 0.95) as train_step_95,
        min(step) filter (where train_accuracy >= 0.99) as train_step_99,
        min(step) filter (where test_accuracy >= 0.50) as test_step_50,
        min(step) filter (where test_accuracy >= 0.90) as test_step_90,
        min(step) filter (where test_accuracy >= 0.95) as test_step_95,
        min(step) filter (where test_accuracy >= 0.99) as test_step_99,
        min(step) filter (where ood_accuracy >= 0.50) as ood_step_50,
        min(step) filter (where ood_accuracy >= 0.90) as ood_step_90,
        min(step) filter (where ood_accuracy >= 0.95) as ood_step_95,
        min(step) filter (where ood_accuracy >= 0.99) as ood_step_99,
        max(test_accuracy) as max_test_accuracy,
        arg_min(train_accuracy, step) filter (where test_accuracy >= onset) as train_accuracy_at_test_onset,
        arg_max(train_accuracy, step) as final_train_accuracy,
        arg_max(test_accuracy, step) as final_test_accuracy,
        arg_max(ood_accuracy, step) as final_ood_accuracy,
        list(test_accuracy order by step) filter (where test_accuracy is not null) as test_accuracies,
        arg_min(weight_norm, step) as initial_norm,
        arg_min(weight_norm, step) filter (where train_accuracy >= norm_level) as norm_at_train_step,
        arg_min(weight_norm, step) filter (where test_accuracy >= norm_level) as norm_at_test_step,
        arg_max(weight_norm, step) as final_norm,
        arg_max(fourier_ipr, step) as final_fourier_ipr,
    from evaluations
    group by run_id
)
select
    runs.run_id,
    runs.status,
    runs.stop_reason,
    coalesce(runs.label_corruption, 0)::double as label_corruption,
    coalesce(runs.chance_accuracy, 0)::double as chance_accuracy,
    measures.horizon::bigint as horizon, -- the last recorded step
    measures.test_step_95 is null as censored, -- generalization was not seen by the end of the observation
    measures.* exclude (run_id, horizon, test_accuracies),
    -- over the last tenth of the evaluations, at least two of them
    list_aggregate(
        test_accuracies[-greatest(2, len(test_accuracies) // 10):], 'stddev_samp'
    )::double as final_test_sd,
from runs
left join measures using (run_id)
