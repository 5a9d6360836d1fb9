"""Command lines that cannot work: the words, and what the one line on stderr says of them."""

MISTAKES = {
    "no such command": (["nonsense"], "nonsense"),
    "no such option": (["run", "first_map", "--nonsense"], "--nonsense"),
    "argument missing": (["plan"], "STUDY"),
    "unknown study": (["run", "first_mpa"], "Did you mean 'first_map'"),
    "unknown study to show": (["show", "first_mpa"], "Did you mean 'first_map'"),
    "unknown axis": (["run", "axis.py"], "Did you mean 'optimizer.weight_decay'"),
    "value out of range": (["run", "range.py"], "(0, 1], got 1.5"),
    "heads and width": (["run", "heads.py"], "heads"),
    "study over another base": (
        ["run", "other/small.py"],
        "study 'small' is in this store already with another base run: optimizer.learning_rate 0.01, now 0.02.",
    ),
    "plan over another base": (["plan", "other/small.py"], "give the new one a name of its own"),
    "file with a name of the catalog": (["plan", "first_map.py"], "has the name of a study of the catalog"),
    "seeds in words": (["run", "words.py"], "StudySpec.seeds must be a finite int, got 'two'"),
    "field that is not there": (["run", "field.py"], "unexpected keyword argument 'sedes'. Did you mean 'seeds'?"),
    "no axes": (["run", "empty.py"], "axes is empty"),
    "file that raises": (["run", "raises.py"], "ZeroDivisionError"),
    "file without a study": (["run", "nothing.py"], "does not define STUDY"),
    "file that is not there": (["run", "nowhere.py"], "does not exist"),
    "no seeds": (["run", "first_map", "--seeds", "0"], "got 0"),
    "no horizon": (["run", "first_map", "--horizon", "0"], "got 4 and 0"),
    "no runs": (["run", "first_map", "--runs", "0"], "--runs must be 1 or larger"),
    "half a run": (["run", "first_map", "--runs", "0.5"], "'0.5' is not a valid integer"),
    "pack size 0": (["run", "first_map", "--pack-size", "0"], "--pack-size must be 1 or larger"),
    "pack size in words": (["run", "first_map", "--pack-size", "many"], "'many'"),
    "pack size in superscript": (["run", "first_map", "--pack-size", "²"], "--pack-size"),
    "packs without a core": (
        ["run", "first_map", "--cpus-per-pack", "0"],
        "--cpus-per-pack must be 1 or larger, got 0",
    ),
    "packs on two GPUs": (["run", "first_map", "--gpus-per-pack", "2"], "--gpus-per-pack must be in (0, 1], got 2"),
    "packs without a GPU": (["plan", "first_map", "--gpus-per-pack", "0"], "--gpus-per-pack must be in"),
    "submit to a Ray": (["submit", "first_map", "--address", "head:6379"], "is not the URL of a cluster's dashboard"),
    "submit to nowhere": (["submit", "first_map"], "--address"),
    "compile": (["run", "first_map", "--compile", "maybe"], "Available: auto, on, off"),
    "unknown pruner": (["run", "first_map", "--prune", "median"], "--prune 'median' is not known. Available: asha"),
    "device": (["run", "first_map", "--device", "gpu"], "Available: auto, cpu, cuda"),
    "address": (["run", "first_map", "--address", "nonsense"], "HOST:PORT"),
    "nobody at the address": (["run", "SMALL", "--seeds", "9", "--address", "127.0.0.1:1"], "127.0.0.1:1"),
    "no store": (["sql", "select 1", "--store", "nowhere"], "nowhere"),
    "store is a file": (["sql", "select 1", "--store", "file"], "is a file"),
    "store to run in is a file": (["run", "first_map", "--store", "file"], "is a file"),
    "store to plan in is a file": (["plan", "first_map", "--store", "file"], "is a file"),
    "store to ingest is a file": (["ingest", "--store", "file"], "does not exist"),
    "store to ingest is nowhere": (["ingest", "--store", "nowhere"], "does not exist"),
    "store is garbage": (["sql", "select 1", "--store", "garbage"], "study ingest"),
    "store is newer": (["status", "--store", "newer"], "version 99"),
    "store to run in is newer": (["run", "SMALL", "--store", "newer"], "version 99"),
    "no SQL": (["sql", ""], "gives no rows"),
    "two statements": (["sql", "select 1; select 2"], "'select 1; select 2' holds 2 statements: give one at a time"),
    "SQL twice": (["sql", "select 1", "--file", "q.sql"], "give one of QUERY and --file"),
    "SQL from nowhere": (["sql", "--file", "nowhere.sql"], "--file 'nowhere.sql' cannot be read: No such file"),
    "SQL from a folder": (["sql", "--file", "garbage"], "--file 'garbage' cannot be read: Is a directory"),
    "SQL in two forms": (["sql", "select 1", "--json", "--format", "csv"], "--json and --format csv exclude each"),
    "lists as CSV": (["sql", "select [1, 2] as a", "--format", "csv"], "column 'a' holds lists"),
    "claims of nobody": (["claims", "ungroking"], "Did you mean 'ungrokking'"),
    "unknown format": (["sql", "select 1", "--format", "xml"], "xml"),
    "status of an unknown study": (["status", "smal"], "Did you mean 'small'"),
    "phases of an unknown study": (["phases", "smal"], "Did you mean 'small'"),
    "unknown phase definition": (["phases", "small", "--definition", "lui2022"], "Did you mean 'liu2022'"),
    "report of an unknown study": (["report", "smal"], "small"),
    "horizon not reached": (["phases", "small", "--at-horizon", "9999"], "no run of study 'small' was observed so far"),
    "report as a PDF": (["report", "small", "--out", "x.pdf"], "--out 'x.pdf' must end in .html or .htm"),
    "report to a folder": (["report", "small", "--out", "pages.html"], "'pages.html': Is a directory. It is a folder"),
    "report into a file": (["report", "small", "--out", "file/x.html"], "'file': File exists. Move away what is there"),
    "store without a name": (["plan", "first_map", "--store", ""], "store '' is empty: give the folder of a store"),
    "store in a bucket": (["run", "first_map", "--store", "s3://b/p"], "--store results --storage s3://bucket/prefix"),
    "store as a URL": (["sql", "select 1", "--store", "file:///s"], "store 'file:///s' is a URL"),
    "store with a question": (["plan", "first_map", "--store", "a?b"], "DuckDB does not read '?' in a path"),
    "store with a backslash": (["status", "--store", "a\\b"], "DuckDB does not read '\\\\' in a path"),
    "store with a long name": (["run", "SMALL", "--store", "x" * 300], "File name too long. Give a shorter one"),
    "address of a client": (["run", "first_map", "--address", "ray://h:10001"], "is for Ray's client, which trains no"),
    "address of a dashboard": (
        ["run", "first_map", "--address", "http://h:8265"],
        "is of a dashboard, which takes jobs",
    ),
    "more cores than there are": (
        ["run", "SMALL", "--seeds", "9", "--device", "cpu", "--cpus-per-pack", "10000"],
        "--cpus-per-pack 10000: there are",
    ),
}
SQL_MISTAKES = {
    "malformed SQL": ("selekt 1", 'Parser Error: syntax error at or near "selekt"', "LINE 1: selekt 1"),
    "unknown table": ("select * from rnus", "Table with name rnus does not exist", 'Did you mean "runs"?'),
    "unknown column": ("select wieght_decay from runs", "not found in FROM clause", 'bindings: "weight_decay"'),
    "SQL that writes": ("delete from metrics", "would write: SQL only reads a store", ""),
    "SQL that makes a table": ("create table t (a int)", "would write: SQL only reads a store", ""),
    "SQL that reads files": ("from read_text('file')", "disabled", ""),
}
"""Queries that DuckDB refuses: what its first line says, and what is in those that follow."""
MISTAKES |= {
    "group of studies": (["list", "tiny"], "'tiny' is not one of"),
    "shell": (["completion", "tcsh"], "'tcsh' is not one of"),
    "watched as JSON": (["run", "--watch", ".", "--json"], "--json is for one study, and --watch has no end"),
    "plan of a study that is nowhere": (["plan", "smal"], "neither in the catalog nor in store"),
    "unknown study in no store": (["show", "first_mpa", "--store", "nowhere"], "Did you mean 'first_map'"),
    "study of the store, near miss": (["show", "smal"], "Did you mean 'small'"),
}
FRACTION = "task.train_fraction=0.3:0.8"


def searching(*words: str, task: str = "modular", over: str = FRACTION, runs: str = "8") -> list[str]:
    return ["search", task, "--over", over, "--runs", runs, *words]


def optimizing(objective: str) -> list[str]:
    return searching("--sampler", "tpe", "--objective", objective)


def extending(*words: str, study: str = "small", horizon: str = "120") -> list[str]:
    return ["extend", study, "--horizon", horizon, *words]


MISTAKES |= {
    "search of an unknown task": (
        searching(task="modlar"),
        "'modlar' is neither a task nor a study; one of your own is a file, modlar.py. Did",
    ),
    "search of a file that is not there": (searching(task="nowhere.py"), "'nowhere.py' does not exist"),
    "search of a model that is not there": (
        searching("--model", "gpt"),
        "--model 'gpt' has no base for task 'modular'",
    ),
    "search without an axis": (["search", "modular", "--runs", "8"], "--over is missing"),
    "search without runs": (["search", "modular", "--over", FRACTION], "--runs"),
    "search over an unknown axis": (searching(over="task.train_fracton=0:1"), "Did you mean 'task.train_fraction'"),
    "search over an axis twice": (searching("--over", FRACTION), "task.train_fraction is given twice"),
    "search over no range": (searching(over="task.train_fraction"), "write task.train_fraction=a,b,c or lo:hi"),
    "search over a range upside down": (searching(over="task.train_fraction=0.8:0.3"), "0.8 must be smaller than 0.3"),
    "search over an open range": (searching(over="task.train_fraction=0.3:"), "'' is not a number"),
    "search out of range": (searching(over="task.train_fraction=0.3:1.5"), "must be in (0, 1], got 1.5"),
    "search over logs of 0": (searching(over="optimizer.weight_decay=0:10:log"), "must begin above 0, got 0"),
    "search over an unknown scale": (searching(over="optimizer.weight_decay=1:10:lgo"), "Did you mean 'log'"),
    "search over parts of integers": (searching(over="task.p=7.5:9.5:int"), "must be a finite int, got 7.5"),
    "search over unknown words": (searching(over="task.operation=add,dvi"), "Did you mean 'div'"),
    "search over seeds": (searching(over="seed=1,2"), "use --seeds"),
    "search with an unknown sampler": (
        searching("--sampler", "soblo"),
        "Did you mean 'sobol'? Available: boundary, cma",
    ),
    "search in steps of parts": (searching(over="task.p=5:31:2"), "'2' is a step without :int before it"),
    "search in large steps": (searching(over="task.p=5:31:int:40"), "a step must be in [1, 26]"),
    "search over ends that cannot be run": (
        searching("--set", "task.operation=div", over="task.p=5:9:int"),
        "--over 'task.p=5:9:int': modular.p must be prime for operation 'div', got 9",
    ),
    "probe of an unknown study": (["probe", "smal"], "Did you mean 'small'"),
    "search of a grid without end": (
        searching("--sampler", "grid"),
        "--sampler grid: axis 'task.train_fraction': 0.3:0.8",
    ),
    "search for half an objective": (optimizing("test_step_95"), "neither min:COLUMN nor max:COLUMN"),
    "search for an unknown objective": (optimizing("min:test_stp_95"), "Did you mean 'test_step_95'"),
    "search for an objective and a boundary": (
        searching("--objective", "min:test_step_95"),
        "--objective 'min:test_step_95' is for tpe, gp, cma; boundary looks for a boundary: use --phase",
    ),
    "search with a name of the catalog": (searching("--name", "first_map"), "'first_map' is a study of the catalog"),
    "search for words": (
        optimizing("min:status"),
        "'status' is no number of outcomes. Some of the",
    ),
    "search for an unknown phase": (
        searching("--phase", "groking"),
        "--phase 'groking' is not a phase of unified. Did",
    ),
    "search by an unknown definition": (searching("--definition", "lui2022"), "Did you mean 'liu2022'"),
    "search with an unknown path": (searching("--set", "task.q=5"), "--set 'task.q=5': 'task.q' is not a field of Run"),
    "search with half a setting": (searching("--set", "task.p"), "--set 'task.p' is not PATH=VALUE, as in --set"),
    "search with a bad setting": (
        searching("--set", "task.p=1"),
        "--set task.p=1: modular.p must be in [2, 4096], got 1",
    ),
    "search with a setting of an axis": (
        searching("--set", FRACTION),
        "task.train_fraction is an axis of the search too",
    ),
    "search of no runs": (searching(runs="0"), "--runs must be 1 or larger, got 0"),
    "search of many runs": (searching(runs="many"), "'many' is not a valid integer"),
    "search with no seeds": (searching("--seeds", "0"), "--seeds must be 1 or larger, got 0"),
    "search with no horizon": (searching("--horizon", "0"), "--horizon must be 1 or larger, got 0"),
    "search in packs of 0": (searching("--pack-size", "0"), "--pack-size must be 1 or larger, got 0"),
    "search with a bad name": (searching("--name", "a b"), "--name 'a b' may hold letters, digits"),
    "search with a name that is taken": (searching("--name", "small"), "--name 'small' is taken in this store"),
    "search without time": (searching("--flush-seconds", "-1"), "--flush-seconds must be 0 or larger, got -1"),
    "search in a file": (searching("--store", "file"), "is a file"),
    "search of a study of the store": (searching(task="small"), "'small' is a study of this store, not a task"),
    "extend without a horizon": (["extend", "small"], "--horizon"),
    "extend to nowhere": (extending(horizon="0"), "--horizon must be 1 or larger, got 0"),
    "extend to many": (extending(horizon="many"), "'many' is not a valid integer"),
    "extend to where it was": (
        extending("--where", "seed < 2", horizon="60"),
        "all 8 chosen runs were seen up to step 60",
    ),
    "extend an unknown study": (extending(study="smal"), "'smal' is not in this store. Did you mean 'small'"),
    "extend without a store": (extending("--store", "nowhere"), "store 'nowhere' has no study.duckdb"),
    "extend in a file": (extending("--store", "file"), "is a file"),
    "extend by an unknown column": (extending("--where", "wieght_decay > 1"), 'Candidate bindings: "weight_decay"'),
    "extend by half a condition": (extending("--where", "weight_decay >"), "--where 'weight_decay >' is not one SQL"),
    "extend by a trick": (extending("--where", "true) or (true"), "--where 'true) or (true' is not one SQL condition"),
    "extend by a number": (extending("--where", "weight_decay"), "not one true or false per run"),
    "extend no runs": (extending("--where", "weight_decay > 99"), "holds for no run of study 'small'"),
    "extend in packs of 0": (extending("--pack-size", "0"), "--pack-size must be 1 or larger, got 0"),
}
