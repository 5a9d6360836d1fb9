-- Brings the table curves up to date with `fresh`, rows of metrics: all rows of the runs in `contested`, and of other runs
-- those that come after all that was there. So what the curves of a run come to is known without reading them again, which
-- takes minutes for 100 million rows; and it does not depend on how rows are spread over calls. When this file or
-- measures.sql changes, the next ingest makes curves and measures anew from metrics.
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

-- Runs in `late` were measured before their chance accuracy was known, and are measured from the start.
create or replace temp table whole as
from contested union from late;

-- Planned horizons that a run has gone past, and where it was not measured yet.
create or replace temp table cuts as
with asked as (
    select distinct run_id, unnest(horizons) as cut
    from study_runs
    where run_id in (select run_id from evaluations union from late union from planned_anew)
)
select run_id, cut
from asked
join recorded using (run_id)
anti join (from measures anti join whole using (run_id)) as measured using (run_id, cut)
where recorded.step > cut;

-- The evaluations to measure, and the measures that they add to.
create or replace temp view evaluated as
select * from (
    select 9223372036854775807 as cut, * from evaluations anti join late using (run_id)
    union all by name
    select 9223372036854775807 as cut, * from curves semi join late using (run_id)
    union all by name
    select cut, curves.* from curves join cuts using (run_id) where step <= cut
);

create or replace temp view earlier as
from measures anti join whole using (run_id) anti join cuts using (run_id, cut);
