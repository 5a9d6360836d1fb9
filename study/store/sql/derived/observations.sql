-- One row per study and run of it, which is a row of study_outcomes, and one per run with study NULL, which is a row of
-- outcomes. NULL measures without records. Ingest takes the measures while rows come in, by study/store/sql/measures.sql,
-- which says what each of them is.
select
    observed.study,
    run_id,
    observed.status,
    observed.stop_reason,
    coalesce(run_specs.label_corruption, 0)::double as label_corruption,
    run_specs.chance_accuracy, -- NULL where answers are numbers
    measures.last_step as horizon, -- the last recorded step up to the horizon
    measures.test_step_95 is null as censored, -- generalization was not seen by the end of the observation
    measures.* exclude (run_id, cut, last_step, num_tested, last_tested),
    measures.num_tested, -- evaluations of the test split; 0 where there is none, and its accuracy was never measured
    -- over the last tenth of the evaluations, at least two of them
    list_aggregate(measures.last_tested, 'stddev_samp')::double as final_test_sd,
from observed
join run_specs using (run_id)
left join recorded using (run_id)
left join measures
    on measures.run_id = observed.run_id
    and measures.cut = if(recorded.step > observed.cut, observed.cut, 9223372036854775807)
