"""A phase definition: an SQL file, tried on invented outcomes."""

from collections.abc import Iterator
from pathlib import Path

from study.check.row import Check, outcome
from study.store.definition_source import given_definition


def checks(path: Path) -> Iterator[Check]:
    """The definition is read and tried as a study would."""
    yield outcome("definition", definition, path)


def definition(path: Path) -> str:
    """It gives every run one of the phases that it names."""
    found = given_definition(str(path.absolute()))
    assert found is not None  # a path is never a name
    good = [phase.name for phase in found.phases if phase.generalized]
    return f"{', '.join(phase.name for phase in found.phases)}; generalized: {', '.join(good) or 'none'}"
