"""Queries to begin with: questions that people have about their runs, each with the chart that answers it."""

from study.store.database import Store
from study.store.sql_text import literal
from study.store.studies import own_definitions

LATEST = """
    select study from study_runs
    left join (select distinct run_id from measures where test_step_95 is not null) as generalized using (run_id)
    group by study order by count(generalized.run_id) > 0 desc, max(planned_at) desc, study limit 1"""

EXAMPLES: list[tuple[str, str, dict[str, str]]] = [
    (
        "In which phases are the runs of each study?",
        """select study, phase, count(*)::integer as runs
from study_phases where definition = {definition}
group by all order by study, runs desc""",
        {"x": "study", "y": "runs", "color": "phase", "mark": "bar"},
    ),
    (
        "How long after fitting do runs generalize?",
        """select run_id, train_step_95, test_step_95, test_step_95 / train_step_95 as ratio, phase
from study_outcomes join study_phases using (study, run_id)
where study = {study} and definition = {definition} and test_step_95 is not null
order by ratio desc""",
        {"x": "train_step_95", "y": "test_step_95", "color": "phase", "scale": "both"},
    ),
    (
        "Does weight decay change the delay?",
        """select weight_decay, count(*)::integer as runs, count(test_step_95)::integer as generalized,
    median(test_step_95 / train_step_95) as delay_ratio
from study_outcomes join runs using (run_id)
where study = {study}
group by weight_decay order by weight_decay""",
        {"x": "weight_decay", "y": "delay_ratio", "mark": "point"},
    ),
    (
        "How does test accuracy grow in ten of the runs?",
        """select run_id, step, train_accuracy, test_accuracy
from curves
where run_id in (select run_id from study_runs where study = {study} order by run_id limit 10)
order by run_id, step""",
        {"x": "step", "y": "test_accuracy", "color": "run_id", "mark": "line", "scale": "x"},
    ),
    (
        "Do weights shrink once the training data is fitted?",
        """select phase, count(*)::integer as runs, avg(final_norm / norm_at_train_step) as norm_change
from study_outcomes join study_phases using (study, run_id)
where study = {study} and definition = {definition}
group by phase order by norm_change""",
        {"x": "phase", "y": "norm_change", "mark": "bar", "color": "phase"},
    ),
    (
        "In which cells do the seeds disagree?",
        """select point, phase, runs, total, round(low, 2) as low, round(high, 2) as high
from cells
where study = {study} and definition = {definition} and fraction < 1
order by point, runs desc""",
        {},
    ),
    (
        "Which runs have failed or diverged, and why?",
        """select study, run_id, status, stop_reason, steps, error
from runs join study_runs using (run_id)
where status = 'failed' or stop_reason = 'diverged'
order by study, run_id""",
        {},
    ),
    (
        "Where was it trained, and how fast?",
        """select host, device, versions ->> 'torch' as torch, count(distinct run_id)::integer as runs,
    sum(attempts.steps) as run_steps, sum(attempts.steps) / sum(wall_seconds) as run_steps_per_second
from attempts group by all order by run_steps desc""",
        {},
    ),
]


def examples(store: Store) -> list[tuple[str, dict[str, str]]]:
    """Questions, and what the address of `/sql` says for each; they are about the study that was planned last, of
    those with a run that has generalized where there is one."""
    study = next((name for (name,) in store.sql(LATEST).fetchall()), "first_map")
    known = own_definitions(store)
    definition = known[study].name if study in known else "unified"
    return [
        (question, {"query": text.format(study=literal(study), definition=literal(definition)), **chart})
        for question, text, chart in EXAMPLES
    ]
