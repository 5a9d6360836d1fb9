-- One row per run: what its curves come to, the row that every phase definition reads; NULL measures without records.
-- Ingest takes the measures while rows come in, by study/measures.sql, which says what each of them is.
select
    runs.run_id,
    runs.status,
    runs.stop_reason,
    coalesce(runs.label_corruption, 0)::double as label_corruption,
    runs.chance_accuracy, -- NULL where answers are numbers
    recorded.step as horizon, -- the last recorded step
    measures.test_step_95 is null as censored, -- generalization was not seen by the end of the observation
    measures.* exclude (run_id, num_tested, last_tested),
    -- over the last tenth of the evaluations, at least two of them
    list_aggregate(measures.last_tested, 'stddev_samp')::double as final_test_sd,
from runs
left join recorded using (run_id)
left join measures using (run_id)
