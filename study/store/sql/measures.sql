-- The measures of each run and cut in `evaluated`, rows of evaluations, added to those in `earlier`, which are of steps
-- before. Steps are first passages: the first recorded step with an accuracy at or above the level, NULL when never
-- reached; a later dip does not undo it. NaN accuracies count as 0; norms that are not finite are left out.
with params as (
    select
        0.95::double as norm_level, -- norm_at_train_step and norm_at_test_step are taken at this accuracy
        0.1::double as onset_margin -- test accuracy has clearly left chance when it is this far above it
),
numbers as (
    select
        run_id,
        cut,
        step,
        if(isnan(train_accuracy), 0, train_accuracy) as train_accuracy,
        if(isnan(test_accuracy), 0, test_accuracy) as test_accuracy,
        if(isnan(ood_accuracy), 0, ood_accuracy) as ood_accuracy,
        if(isfinite(weight_norm), weight_norm, null) as weight_norm,
        if(isfinite(fourier_ipr), fourier_ipr, null) as fourier_ipr,
        coalesce(chance_accuracy, 0) + onset_margin as onset,
        norm_level,
    from evaluated
    left join run_specs using (run_id)
    cross join params
),
latest as (
    select
        run_id,
        cut,
        max(step) as last_step,
        min(step) filter (where {split}_accuracy >= 0.{level}) as {split}_step_{level}, -- for each of study/store/levels.py
        max(test_accuracy) as max_test_accuracy,
        arg_min(train_accuracy, step) filter (where test_accuracy >= onset) as train_accuracy_at_test_onset,
        arg_max(train_accuracy, step) as final_train_accuracy,
        arg_max(test_accuracy, step) as final_test_accuracy,
        arg_max(ood_accuracy, step) as final_ood_accuracy,
        arg_min(weight_norm, step) as initial_norm,
        arg_min(weight_norm, step) filter (where train_accuracy >= norm_level) as norm_at_train_step,
        arg_min(weight_norm, step) filter (where test_accuracy >= norm_level) as norm_at_test_step,
        arg_max(weight_norm, step) as final_norm,
        arg_max(fourier_ipr, step) as final_fourier_ipr,
        count(test_accuracy) as num_tested,
        list(test_accuracy order by step) filter (where test_accuracy is not null) as last_tested,
    from numbers
    group by run_id, cut
),
turns as (
    select 1 as turn, * from latest
    union all by name
    select 0 as turn, * from earlier semi join latest using (run_id, cut)
)
select -- NULLs do not count in any of these: what is known first or last is taken
    run_id,
    cut,
    max(last_step) as last_step,
    arg_min(columns('^(train|test|ood|norm).*_step|onset$|^initial'), turn),
    arg_max(columns('^final'), turn),
    max(max_test_accuracy) as max_test_accuracy,
    sum(num_tested)::bigint as num_tested,
    -- the last tenth, at least two: all that the last tenth of a longer list can need
    flatten(list(last_tested order by turn) filter (where last_tested is not null))[
        -greatest(2, sum(num_tested)::bigint // 10):
    ] as last_tested,
from turns
group by run_id, cut
