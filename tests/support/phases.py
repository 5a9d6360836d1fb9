"""Phase definitions as a user writes them."""

NAMES = "with names(phase, generalized) as (values ('low', false), ('high', true))"
SIMPLE = f"""{NAMES}
select run_id, case when status = 'finished' then if(final_test_accuracy > 0.5, 'high', 'low') end as phase
from outcomes"""
"""Without thresholds; a run that is not finished has no phase."""
LEARNED = f"""{NAMES},
defaults as (select 0.9 as threshold),
params as (select * from defaults)
select
    run_id,
    case
        when status <> 'finished' then null
        when test_step is not null then 'high'
        when train_step is null then 'odd'  -- is not in names
        else 'low'
    end as phase
from passages((select threshold from params))"""
"""With a threshold, and a phase that its table does not have."""
HOSTILE = f"{NAMES}\nselect run_id, content as phase from outcomes, read_text('/etc/hostname')"
FRAIL = f"""{NAMES}
select run_id, if(max_test_accuracy between 0.92 and 0.94, stop_reason::integer::text, 'low') as phase from outcomes"""
"""Works on the runs that definitions are tried on, and fails on one that reaches 0.93."""
