"""A study whose processes are killed again and again at random moments, compared with the same study undisturbed.

    python -m tests.bench.faults [--kills 50] [--runs 512] [--seed 0] [--tune]

The study trains MLPs of width 16 on modular addition, 512 runs in packs of 16. Each kill is a SIGKILL for one of these:
the driver and all processes that it started, as when the machine dies; only the driver; a worker; or a `study ingest`
that writes the DuckDB file. When the driver was killed, the same command is started again. After the last kill the
study runs to its end, and its store is compared with that of an undisturbed study: metric rows that are lost or
duplicated, values that differ, and runs that were recorded as finished and trained again. `--tune` measures the last
number for plain Ray Tune with `Tuner.restore`: trials take a second and append their name to a file when they are done.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from study.store.database import Store
from tests.support.driver import Driver, wait_for
from tests.support.studies import command, metrics, study_file

WORDS = ["--compile", "off", "--pack-size", 16, "--flush-seconds", 0.5]
TARGETS = ("machine", "driver", "worker", "writer")
LONGEST_WAIT = 10.0
"""A kill comes at a random moment, at most this many seconds after the driver has its first worker."""

PLAIN = """
import os, sys, time
os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
import ray
from ray import tune

folder = sys.argv[1]

def train(config):
    time.sleep(1)
    tune.report({"i": config["i"]})
    with open(folder + "/done", "a") as file:
        file.write(str(config["i"]) + "\\n")

ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
if os.path.exists(folder + "/plain"):
    tuner = tune.Tuner.restore(folder + "/plain", train, resume_errored=True)
else:
    tuner = tune.Tuner(
        tune.with_resources(train, {"cpu": 1}),
        param_space={"i": tune.grid_search(list(range(100)))},
        tune_config=tune.TuneConfig(reuse_actors=True),
        run_config=tune.RunConfig(name="plain", storage_path=folder, verbose=0),
    )
tuner.fit()
"""


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.tune:
            plain_tune(folder, random.Random(options.seed))
            return
        study = study_file(folder, seeds=options.runs // 4, horizon=options.horizon)
        started = time.monotonic()
        with Driver(study, folder / "undisturbed", *WORDS) as driver:
            code, _, err = driver.end(timeout=3600)
        assert code == 0, err
        print(f"undisturbed: {options.runs} runs in {time.monotonic() - started:.0f} s", flush=True)
        started = time.monotonic()
        killed = disturb(study, folder / "store", options.kills, random.Random(options.seed))
        print(f"{sum(killed.values())} kills in {time.monotonic() - started:.0f} s: {dict(killed)}")
        compare(Store.open(folder / "store"), Store.open(folder / "undisturbed"))


def disturb(study: Path, store: Path, kills: int, chance: random.Random) -> Counter[str]:
    """Run the study to its end and kill `kills` processes meanwhile; returns how often each kind was killed."""
    killed: Counter[str] = Counter()
    while True:
        with Driver(study, store, *WORDS) as driver:
            while driver.process.poll() is None and sum(killed.values()) < kills:
                kind = chance.choice(TARGETS)
                if not wait_for(lambda: driver.others("ray::ImplicitFunc") or driver.process.poll() is not None):
                    break
                pause = chance.uniform(0, LONGEST_WAIT)
                wait_for(lambda: driver.process.poll() is not None, pause)
                killed[kind] += kill(kind, driver)
                print(f"kill {sum(killed.values())}: {kind}, {driver.num_finished()} runs finished", flush=True)
                if kind in ("machine", "driver"):
                    break
            else:
                code, out, err = driver.end(timeout=3600)
                if code == 0:
                    print(out, end="")
                    return killed
                print(f"ended with {code}: {err.strip().splitlines()[-1:]}")


def kill(kind: str, driver: Driver) -> bool:
    """Send SIGKILL to a process of this kind; False if there was none."""
    if kind == "writer":
        line, environment = command("ingest", "--store", driver.store)
        writer = subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.2, 1.5))
        alive = writer.poll() is None
        writer.kill()
        writer.wait()
        return alive
    if driver.process.poll() is not None:
        return False
    pids = {
        "worker": driver.others("ray::ImplicitFunc")[:1],
        "driver": [driver.process.pid],
        "machine": [driver.process.pid, *driver.others()],
    }[kind]
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return bool(pids)


def compare(store: Store, undisturbed: Store) -> None:
    found, expected = metrics(store), metrics(undisturbed)
    values, expected_values = ({row[:-1]: row[-1] for row in rows} for rows in (found, expected))
    both = [(values[key], expected_values[key]) for key in values.keys() & expected_values.keys()]
    most = max((abs(a - b) for a, b in both if a != b), default=0.0)
    again = """
        select count(distinct run_id) from attempts join
        (select run_id, min(attempt) as finished from attempts where status = 'finished' group by run_id) using (run_id)
        where attempt > finished"""
    [(num_again,)] = store.sql(again).fetchall()
    [(runs, tries)] = store.sql("select count(distinct run_id), count(*) from attempts").fetchall()
    lost, more = len(expected_values.keys() - values.keys()), len(values.keys() - expected_values.keys())
    print(f"metric rows: {len(expected):,}; lost {lost:,}, twice {len(found) - len(values):,}, not expected {more:,}")
    print(f"values that differ: {sum(a != b for a, b in both):,}, by {most:.2g} at most")
    print(f"runs: {runs}; attempts {tries}; finished runs that were trained again: {num_again}")


def plain_tune(folder: Path, chance: random.Random) -> None:
    """Kill plain Ray Tune once, some time after its first trials; print how many finished trials run again."""
    line = [sys.executable, "-c", PLAIN, str(folder)]
    done = folder / "done"
    first = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    wait_for(lambda: done.exists() and len(done.read_text().split()) >= 30 + chance.randrange(30), 300)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    before = set(done.read_text().split())
    subprocess.run(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=900, check=True)
    twice = {i for i, times in Counter(done.read_text().split()).items() if times > 1} & before
    print(f"plain Ray Tune, one kill: {len(twice)} of {len(before)} finished trials ran again")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in {"kills": 50, "runs": 512, "horizon": 8000, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=value, metavar="N")
    parser.add_argument("--tune", action="store_true", help="Plain Ray Tune instead.")
    return parser.parse_args()


if __name__ == "__main__":
    main()
