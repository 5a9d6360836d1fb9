-- Brings the tables curves and measures up to date with `fresh`, rows of metrics: all rows of the runs in `contested`, and
-- of other runs those that come after all that was there. So what the curves of a run come to is known without reading
-- them again, which takes minutes for 100 million rows; and it does not depend on how rows are spread over calls. When
-- this file changes, the next ingest makes both tables anew from metrics.
create or replace temp table evaluations as
select
    run_id,
    step,
    max(value) filter (where split = 'train' and metric = 'loss') as train_loss,
    max(value) filter (where split = 'train' and metric = 'accuracy') as train_accuracy,
    max(value) filter (where split = 'test' and metric = 'loss') as test_loss,
    max(value) filter (where split = 'test' and metric = 'accuracy') as test_accuracy,
    max(value) filter (where split = 'ood' and metric = 'loss') as ood_loss,
    max(value) filter (where split = 'ood' and metric = 'accuracy') as ood_accuracy,
    max(value) filter (where split = 'model' and metric = 'weight_norm') as weight_norm,
    max(value) filter (where split = 'model' and metric = 'fourier_ipr') as fourier_ipr,
from fresh
group by run_id, step;

delete from curves where run_id in (from contested);

insert into curves by name
from evaluations order by run_id, step;

-- The measures of an evaluation. Steps are first passages: the first recorded step with an accuracy at or above the
-- level, NULL when never reached; a later dip does not undo it. NaN accuracies count as 0; norms that are not finite are
-- left out. Runs in `late` were measured before their chance accuracy was known, and are measured from the start.
insert or replace into measures by name
with params as (
    select
        0.95::double as norm_level, -- norm_at_train_step and norm_at_test_step are taken at this accuracy
        0.1::double as onset_margin -- test accuracy has clearly left chance when it is this far above it
),
whole as (
    from contested union from late
),
numbers as (
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
    from (
        from evaluations anti join late using (run_id)
        union all by name
        from curves semi join late using (run_id)
    )
    left join run_specs using (run_id)
    cross join params
),
latest as (
    select
        run_id,
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
        arg_min(weight_norm, step) as initial_norm,
        arg_min(weight_norm, step) filter (where train_accuracy >= norm_level) as norm_at_train_step,
        arg_min(weight_norm, step) filter (where test_accuracy >= norm_level) as norm_at_test_step,
        arg_max(weight_norm, step) as final_norm,
        arg_max(fourier_ipr, step) as final_fourier_ipr,
        count(test_accuracy) as num_tested,
        list(test_accuracy order by step) filter (where test_accuracy is not null) as last_tested,
    from numbers
    group by run_id
),
turns as (
    select 1 as turn, * from latest
    union all by name
    select 0 as turn, * from measures semi join latest using (run_id) anti join whole using (run_id)
)
select -- NULLs do not count in any of these: what is known first or last is taken
    run_id,
    arg_min(columns('_step|onset$|^initial'), turn),
    arg_max(columns('^final'), turn),
    max(max_test_accuracy) as max_test_accuracy,
    sum(num_tested)::bigint as num_tested,
    -- the last tenth, at least two: all that the last tenth of a longer list can need
    flatten(list(last_tested order by turn) filter (where last_tested is not null))[
        -greatest(2, sum(num_tested)::bigint // 10):
    ] as last_tested,
from turns
group by run_id;
