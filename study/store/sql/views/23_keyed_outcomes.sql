-- One row per study and run of it: the row of study_outcomes with both as one key, which phase definitions take for the
-- id of a run.
select {'study': study, 'run_id': run_id} as run_id, * exclude (study, run_id) from study_outcomes
