-- One row per run: what its curves come to at the longest horizon that it has finished; the row that every phase
-- definition reads.
select * exclude (study) from observations where study is null
