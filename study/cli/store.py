"""The commands that bring something into a store: ingest, probe."""

from pathlib import Path

import click

from study.cli import names
from study.cli.options import device_option, json_option, storage_option, store_option, study_argument
from study.cli.output import note, print_json
from trainables.errors import SpecError


@click.command()
@store_option
@storage_option
@click.option("--rebuild", is_flag=True, help="Make the DuckDB file anew, from all parts.")
@json_option
def ingest(store: str, storage: str | None, rebuild: bool, as_json: bool) -> None:
    """Bring new Parquet parts into the DuckDB file.

    Example: study ingest --rebuild

    With --storage a new store is made from what another one keeps there.
    """
    from study.store.database import Store
    from study.store.place import settle

    if Path(store).is_file() or not (Path(store).exists() or storage):
        raise SpecError(f"store '{store}' does not exist: give the folder of a store with --store.")
    settle(Path(store).absolute(), storage)
    # A garbage file cannot be opened, but it can be replaced.
    done = Store(Path(store).absolute(), write=True).ingest(rebuild=rebuild, check=True)
    if as_json:
        skipped = [{"part": part, "reason": reason} for part, reason in done.skipped]
        print_json({"parts": done.parts, "rows": done.rows, "unchecked": done.unchecked, "skipped": skipped})
    else:
        click.echo(f"{done.parts:,} parts, {done.rows:,} rows brought in.")
        if done.unchecked:
            click.echo(f"{done.unchecked:,} parts are of an older version and have no digest: bytes not checked.")
    for part, reason in done.skipped:
        note(f"skipped part {part}: {reason}")
    if done.busy:
        raise SpecError(done.busy)


@click.command()
@study_argument
@store_option
@click.option(
    "--probe",
    "probes",
    multiple=True,
    metavar="NAME",
    shell_complete=names.files_of(names.PROBES),
    help="Only this one; may be given more than once.",
)
@device_option
@click.option(
    "--examples", type=int, default=300, show_default=True, metavar="N", help="Examples to look at per state."
)
@json_option
def probe(study: str, store: str, probes: tuple[str, ...], device: str, examples: int, as_json: bool) -> None:
    """Logit lens and causal tracing on STUDY's saved states.

    Example: study probe small_composition_ratio --probe logit_lens

    Findings are rows of `probes`, and pictures in the report. States that were looked into before are skipped.
    """
    from study.cli.progress_line import ProgressLine
    from study.plan.stored import find_study
    from study.store.database import Store
    from study.train import probe as probing

    spec, asked = find_study(study, store), probes or probing.DEFAULT
    with ProgressLine() as line:
        opened = Store.open(store, write=True)
        states = probing.probe(spec, opened, asked, device=device, count=examples, say=line.show)
    if as_json:
        print_json({"study": spec.name, "states": states, "probes": list(asked)})
    else:
        click.echo(f"{spec.name}: {states:,} states looked into; see `probes` or `study report {spec.name}`")
