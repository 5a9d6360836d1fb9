"""The command that writes one chart as a figure for a paper."""

from typing import Any

import click

from study.cli import names
from study.cli.options import (
    definition_option,
    horizon_option,
    json_option,
    param_option,
    store_option,
    stored_argument,
)
from study.cli.output import print_json
from study.cli.plane import plane_options


@click.command()
@stored_argument()
@click.argument("chart", shell_complete=names.completing(names.charts))
@store_option
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    required=True,
    shell_complete=names.any_file,
    help="Where to write: .pdf, .svg or .png.",
)
@click.option(
    "--width", type=float, default=3.25, show_default=True, metavar="IN", help="Inches of the whole picture across."
)
@click.option("--height", type=float, metavar="IN", help="Inches up.  [default: as suits the width]")
@click.option("--title", is_flag=True, help="Put the study's question, and what is shown, above.")
@click.option("--font", metavar="NAME", help="A font that is installed.  [default: Helvetica or one like it]")
@click.option(
    "--font-size", type=float, default=8.0, show_default=True, metavar="PT", help="Points of labels in print."
)
@click.option("--dpi", type=int, default=300, show_default=True, metavar="N", help="Pixels an inch of a .png.")
@definition_option
@param_option
@plane_options
@horizon_option
@json_option
def figure(study: str, chart: str, store: str, out: str, width: float, as_json: bool, **options: Any) -> None:
    """One chart as a figure for a paper: PDF, SVG or PNG.

    \b
    Example: study figure first_map phase_diagram -o map.pdf --width 3.25
             study figure first_map learning_curves -o curves.svg --at train_fraction=0.8 --at weight_decay=1
             study figure first_map survival -o survival.png --width 6.75 --font-size 9 --dpi 600

    CHART is a file of analysis/charts; a report of the study shows which of them apply. --definition, --param, --x, --y
    and --at are for charts that take them; of learning_curves and circuit, --at is the cell that they show.
    """
    import analysis
    from study.store.database import Store

    made = analysis.figure(Store.open(store), study, chart, out, width, **options)
    if as_json:
        print_json({"file": str(made.path), "width_inches": made.width, "height_inches": made.height})
    else:
        click.echo(f"figure: {made.path} ({made.width:.4g} x {made.height:.3g} in)")
