-- One row per study and run of it: the row of outcomes at the longest horizon of this study that the run has finished.
select * from observations where study is not null
