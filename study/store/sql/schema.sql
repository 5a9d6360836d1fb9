-- The tables of the store. Only ingest (fold.sql) fills them, and everything in them can be rebuilt from the parts.
-- Times are UTC. A change of a table's columns needs a new VERSION in connection.py; a change of a view does not.
-- No table has a key, because DuckDB would make an index of it. fold.sql keeps rows unique. At 100 million rows an index
-- costs more than the whole ingest, and a damaged block of one is seen only by a query that happens to need it.

-- One row per fact about the file itself: its version and a digest of the views installed in it.
create table if not exists store_info (
    key text not null,
    value text not null,
);

-- One row per part; `error` says why one was skipped, NULL otherwise. `id` is a hash of the name, for metrics.part_id.
-- `checked` is true where its bytes fit the digest in it, false for a part of format 1, which has none, NULL where skipped.
-- `archive` is the name of the archive that it was in when it was read, NULL for a file of its own. Archives have rows, too.
create table if not exists parts (
    part text not null,
    id ubigint not null,
    kind text,
    rows bigint not null,
    size bigint not null,
    mtime_ns bigint not null,
    ingested_at timestamp not null,
    checked boolean,
    archive text,
    error text,
);

-- One row per study, from its latest plan.
create table if not exists studies (
    study text not null,
    spec json not null,
    created_at timestamp not null,
);

-- One row per text of a phase definition of a study's own, from its plans. `added_at` is when the latest plan with this
-- text was made; `error` says why it is in no view, NULL where it works.
create table if not exists definitions (
    name text not null,
    digest text not null,
    sql text not null,
    added_at timestamp not null,
    error text,
);

-- One row per study and run over all plans of the study: their horizons, sorted, the largest of them, and the latest
-- plan's point and pack.
create table if not exists study_runs (
    study text not null,
    run_id text not null,
    point json not null,
    horizon bigint not null,
    horizons bigint[] not null,
    pack_id text,
    planned_at timestamp not null,
);

-- One row per run that was ever planned, from the latest plan that holds it.
create table if not exists run_specs (
    run_id text not null,
    spec json not null,
    task text,
    model text,
    optimizer text,
    layers integer,
    width integer,
    ratio double,
    weight_decay double,
    learning_rate double,
    data_size bigint,
    train_fraction double,
    label_corruption double,
    chance_accuracy double,
    seed integer,
    data_seed integer,
    num_params bigint,
    planned_at timestamp not null,
);

-- One row per module of a user's own parts, by the digest that attempts have.
create table if not exists sources (
    digest text not null,
    module text not null,
    text text not null,
    written_at timestamp not null,
);

-- One row per span of each call that has trained and came to its end: where the seconds of the driver's process went
-- (study/train/timings.py).
create table if not exists timings (
    study text not null,
    began_at timestamp not null,
    host text,
    device text,
    workers integer,
    estimated double, -- seconds that the plan had guessed; NULL where that was not for what the call did
    span text not null,
    seconds double not null,
);

-- One row per try at a run: its newest state, written at updated_at.
create table if not exists attempts (
    run_id text not null,
    attempt integer not null,
    trial_id text,
    pack_id text,
    started_at timestamp,
    ended_at timestamp,
    updated_at timestamp,
    host text,
    device text,
    threads integer,
    versions json,
    git_sha text,
    git_dirty boolean,
    source text, -- digest of the source of parts that are a user's own; NULL where all are the package's
    status text not null check (status in ('running', 'finished', 'failed')),
    stop_reason text,
    horizon bigint,
    steps bigint,
    wall_seconds double, -- this run's share of its pack's time
    prepare_seconds double, -- and of what came before; NULL from an older version and of a failure, like the following
    compile_seconds double, -- of wall_seconds, like the following; the rest is training
    evaluate_seconds double,
    save_seconds double,
    memory_bytes bigint, -- the most that the worker has had so far, of its GPU where it has one; NULL from an older version
    error text,
    log text, -- the end of the error's traceback
);

-- One row per run, step, split and metric. Once an attempt has come as far as those before it, it replaces what they
-- recorded from its first step on.
create table if not exists metrics (
    run_id text not null,
    step bigint not null,
    split text not null,
    metric text not null,
    value double not null,
    attempt integer not null,
    part_id ubigint not null,
);

-- Rows that do not hold, because another attempt's rows do. A part that comes later may change that.
create table if not exists overruled (
    run_id text not null,
    step bigint not null,
    split text not null,
    metric text not null,
    value double not null,
    attempt integer not null,
    part_id ubigint not null,
);

-- What mechanistic probes found: one row per run, step, probe, layer, position and metric, from the part with the latest
-- name. Layers count from 0 (the embedding); positions have the names of the task's tokens (h, r1, r2).
create table if not exists probes (
    run_id text not null,
    step bigint not null,
    probe text not null,
    layer integer not null,
    position text not null,
    metric text not null,
    value double not null,
    part_id ubigint not null,
);

-- One row per run in metrics: its latest attempt, last step and what was measured, such as `test.accuracy`, sorted. Tells
-- without a scan which parts only go further, and what a run has curves of.
create table if not exists recorded (
    run_id text not null,
    attempt integer not null,
    step bigint not null,
    measured text[] not null,
);

-- One row per run and step in metrics: what was measured there, side by side; NULL where a task has no such split or
-- probe. Values are as recorded: a diverged run ends in NaN losses. Made by curves.sql.
create table if not exists curves (
    run_id text not null,
    step bigint not null,
    train_loss double,
    train_accuracy double,
    test_loss double,
    test_accuracy double,
    ood_loss double,
    ood_accuracy double,
    weight_norm double,
    fourier_ipr double,
);

-- What the curves of a run come to, the columns of outcomes; made by measures.sql. One row per run in metrics over all its
-- steps, whose `cut` is the largest bigint, and one for each planned horizon that a run has gone past, over the steps up to
-- it. `last_tested` has the last tenth of its `num_tested` test accuracies, at least two.
create table if not exists measures (
    run_id text not null,
    cut bigint not null,
    last_step bigint not null,
    {split}_step_{level} bigint, -- for each split and level of study/store/levels.py
    max_test_accuracy double,
    train_accuracy_at_test_onset double,
    final_train_accuracy double,
    final_test_accuracy double,
    final_ood_accuracy double,
    initial_norm double,
    norm_at_train_step double,
    norm_at_test_step double,
    final_norm double,
    final_fourier_ipr double,
    num_tested bigint not null,
    last_tested double[],
);
