-- Folds a batch of parts, given as the tables new_*, into the store; curves.sql, measures.sql and derived/ follow. Whatever the
-- order in which parts come, the tables come out the same: each statement keeps the best of what is there and is new.
-- Rows with a key are replaced: the best ones are put aside, what they replace is deleted, and they are added.

-- Runs whose rows in the derived tables can change. Of a study with a new plan these are all: some may leave it.
create or replace temp table touched as
select run_id from new_plans
union
select run_id from new_states
union
select run_id from new_metrics
union
select run_id from study_runs semi join new_studies using (study);

create or replace temp table best as
select distinct on (part) * from new_parts order by part, error is null desc;
delete from parts where part in (select part from best);
insert into parts by name from best;

create or replace temp table best as
select distinct on (study) *
from (from new_studies union all by name from studies semi join new_studies using (study))
order by study, created_at desc, spec desc;
delete from studies where study in (select study from best);
insert into studies by name from best;

create or replace temp table best as
select distinct on (name, digest) *
from (from new_definitions union all by name from definitions semi join new_definitions using (name, digest))
order by name, digest, added_at desc;
delete from definitions where (name, digest) in (select name, digest from best);
insert into definitions by name from best;

create or replace temp table best as
select distinct on (study, run_id) * replace (
    max(horizon) over (partition by study, run_id) as horizon,
    list_sort(list_distinct(flatten(list(horizons) over (partition by study, run_id)))) as horizons,
)
from (
    select study, run_id, point, horizon, [horizon] as horizons, pack_id, planned_at from new_plans
    union all by name
    from study_runs semi join new_plans using (study, run_id)
)
order by study, run_id, planned_at desc, pack_id desc, point desc;
delete from study_runs where (study, run_id) in (select study, run_id from best);
insert into study_runs by name from best;

-- A part's version was raised: runs of another version than the latest plan's leave the study, and stay in the store.
delete from study_runs
where (study, run_id) in (
    with used as (
        select study, run_id, study_runs.planned_at, unnest(['task', 'model', 'optimizer']) as part, spec
        from study_runs
        join (from run_specs anti join new_plans using (run_id) union all by name select run_id, spec from new_plans)
            using (run_id)
        where study in (select study from new_plans)
        qualify bool_or(contains(spec::text, '"version"')) over (partition by study) -- others have none
    ),
    versions as (
        select study, run_id, planned_at, part, spec -> part ->> 'name' as name, spec -> part ->> 'version' as version
        from used
    )
    select study, run_id from versions
    where version is distinct from (
        select arg_max_null(latest.version, latest.planned_at) from versions as latest
        where (latest.study, latest.part, latest.name) = (versions.study, versions.part, versions.name)
    )
);

-- Runs that were measured before their chance accuracy was known.
create or replace temp table late as
select distinct run_id
from new_plans
join measures using (run_id)
left join run_specs using (run_id)
where new_plans.chance_accuracy is distinct from run_specs.chance_accuracy;

create or replace temp table best as
select distinct on (run_id) *
from (
    select * exclude (study, point, horizon, pack_id) from new_plans
    union all by name
    from run_specs semi join new_plans using (run_id)
)
order by run_id, planned_at desc;
delete from run_specs where run_id in (select run_id from best);
insert into run_specs by name from best;

insert into sources by name
select distinct on (digest, module) * from new_sources anti join sources using (digest, module)
order by digest, module, written_at;

insert into timings by name
select distinct on (study, began_at, host, span) * from new_timings
anti join timings using (study, began_at, host, span);

create or replace temp table best as
select distinct on (run_id, attempt) *
from (from new_states union all by name from attempts semi join new_states using (run_id, attempt))
order by run_id, attempt, status <> 'running' desc, steps desc, updated_at desc, pack_id desc;
delete from attempts where (run_id, attempt) in (select run_id, attempt from best);
insert into attempts by name from best;

-- Metrics. Nearly always a part goes further than all that its runs have, and its rows are simply added.
create or replace temp table extents as
select
    run_id,
    attempt,
    part_id,
    min(step) as first_step,
    max(step) as last_step,
    list(distinct split || '.' || metric) as measured,
from new_metrics
group by all;

-- A run is contested when some of its parts do not lie, attempt by attempt, after the parts before them, or belong to an
-- attempt that has not come as far as earlier ones. What the store has counts as a part that begins before every step.
create or replace temp table contested as
with known as (
    select run_id, attempt, part_id, first_step, last_step from extents
    union all
    select run_id, attempt, 0, -9223372036854775808, step from recorded semi join extents using (run_id)
),
reaches as (
    select
        run_id,
        first_step,
        max(last_step) over (
            partition by run_id
            order by attempt, first_step, part_id
            rows between unbounded preceding and 1 preceding
        ) as reach,
    from known
)
select distinct run_id from reaches where first_step <= reach
union
select distinct run_id from overruled semi join extents using (run_id, attempt);

insert into metrics by name
select * from new_metrics anti join contested using (run_id);

-- The rows of contested runs, stored and new, are put together again. An attempt counts once it has come as far as every
-- attempt before it: until then, what an earlier one has shown stays, and an extension that is interrupted takes nothing
-- back. From its first step on an attempt that counts replaces those before it. Of two parts of one attempt the one with
-- the later name has the last word.
create or replace temp table settled as
with candidates as (
    from new_metrics semi join contested using (run_id)
    union all by name
    from metrics semi join contested using (run_id)
    union all by name
    from overruled semi join contested using (run_id)
),
spans as (
    select run_id, attempt, min(step) as first_step, max(step) as last_step from candidates group by all
),
ranked as (
    select
        *,
        last_step >= coalesce(max(last_step) over before, last_step) as counts,
    from spans
    window before as (partition by run_id order by attempt rows between unbounded preceding and 1 preceding)
),
reigns as (
    select
        run_id,
        attempt,
        counts,
        min(first_step) filter (where counts) over (
            partition by run_id order by attempt rows between 1 following and unbounded following
        ) as end_step,
    from ranked
)
select
    run_id,
    step,
    split,
    metric,
    arg_max(value, part) as value,
    attempt,
    arg_max(part_id, part) as part_id,
    any_value(counts and (end_step is null or step < end_step)) as holds,
from candidates
join reigns using (run_id, attempt)
join parts on parts.id = part_id
group by run_id, step, split, metric, attempt;

delete from metrics where run_id in (from contested);

insert into metrics by name select * exclude (holds) from settled where holds;

delete from overruled where run_id in (from contested);

insert into overruled by name select * exclude (holds) from settled where not holds;

create or replace temp table best as
select
    run_id,
    max(attempt) as attempt,
    max(step) as step,
    list_sort(list_distinct(flatten(list(measured)))) as measured,
from (
    select run_id, attempt, last_step as step, measured from extents anti join contested using (run_id)
    union all by name
    select run_id, attempt, max(step) as step, list(distinct split || '.' || metric) as measured
    from settled where holds group by all
    union all by name
    from recorded semi join extents using (run_id) anti join contested using (run_id)
)
group by run_id;
delete from recorded where run_id in (select run_id from best);
insert into recorded by name from best;

-- Probes are looked at again as a whole: of two parts with the same run, step and probe the later name has the word.
create or replace temp table looked as
select run_id, step, probe, arg_max(part_id, part) as part_id
from (
    select distinct run_id, step, probe, part_id from new_probes
    union
    select distinct run_id, step, probe, part_id from probes semi join new_probes using (run_id, step, probe)
)
join parts on parts.id = part_id
group by all;

delete from probes
where exists (
    from looked
    where looked.run_id = probes.run_id and looked.step = probes.step and looked.probe = probes.probe
        and looked.part_id <> probes.part_id
);

insert into probes by name
select new_probes.* from new_probes semi join looked using (run_id, step, probe, part_id)
anti join probes using (run_id, step, probe, part_id);

-- What curves.sql reads: runs with a new plan, rows that go further than all that was there, and all rows of contested
-- runs.
create or replace temp table planned_anew as
select distinct run_id from new_plans;

create or replace temp view fresh as
from new_metrics anti join contested using (run_id)
union all by name
select * exclude (holds) from settled where holds;
