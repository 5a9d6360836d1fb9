"""The views of the store as text, read as data from package `analysis`: nothing of it is imported.

A view is one file `analysis/views/<number>_<name>.sql` with one select statement; the numbers give the order. The view
`phases` is number 30: the union of all phase definitions, `analysis/phases/<definition>.sql`.
"""

from importlib.resources import files
from pathlib import PurePath


def view_statements() -> dict[str, str]:
    """The statements that make the views, by source file, in the order in which they build on each other."""
    views = _selects("views")
    definitions = _selects("phases")
    union = "\nunion all\n".join(
        f"select run_id, '{PurePath(file).stem}' as definition, phase from (\n{text}\n)"
        for file, text in definitions.items()
    )
    before = {file: text for file, text in views.items() if PurePath(file).name < "30"}
    statements = {file: _create(file, text) for file, text in before.items()}
    # Each definition alone first, so that an error names its file.
    statements |= {file: f"create or replace temp view definition as\n{text}" for file, text in definitions.items()}
    if union:
        statements["phases"] = f"create or replace view phases as\n{union}"
    return statements | {file: _create(file, text) for file, text in views.items() if file not in before}


def _create(file: str, select: str) -> str:
    return f"create or replace view {PurePath(file).stem.partition('_')[2]} as\n{select}"


def _selects(folder: str) -> dict[str, str]:
    """The select statement of each SQL file in a folder of `analysis`, by path there, sorted."""
    found = [entry for entry in files("analysis").joinpath(folder).iterdir() if entry.name.endswith(".sql")]
    texts = {f"{folder}/{entry.name}": entry.read_text(encoding="utf-8") for entry in found}
    return {file: texts[file].strip().removesuffix(";") for file in sorted(texts)}
