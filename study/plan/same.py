"""One name, one base: the runs of a study share cells and are compared, so all of them must differ in nothing else.

More seeds, another horizon, more values of an axis and other axes add runs to what is there. Another base run would put
runs that differ in it into the same cells.
"""

import json
from collections.abc import Mapping
from typing import Any

from study.spec import StudySpec
from study.store.database import Store
from study.store.studies import stored_spec
from trainables.errors import SpecError

SHOWN = 3
"""So many changed values an error line names."""
ABSENT = "absent"


def check_same(study: StudySpec, store: Store) -> None:
    """SpecError if the store has a study of this name that is over another base."""
    if (stored := stored_spec(store, study.name)) and (change := changed(stored, study.to_json())):
        raise SpecError(
            f"study {study.name!r} is in this store already with {change}. Its old runs and new ones would share "
            "cells: give the new one a name of its own (a study file's name is the study's), or another --store."
        )


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """In words, what of two studies makes their runs at one point differ; '' if nothing does. Both as `to_json`."""
    if ("search" in old) != ("search" in new):
        return "a search that chose its points" if "search" in old else "axes of its own, not those of a search"
    before, after = _flat(old), _flat(json.loads(json.dumps(new)))  # what was stored has lists for tuples
    paths = [path for path in {**before, **after} if before.get(path, ABSENT) != after.get(path, ABSENT)]
    named = [f"{path} {before.get(path, ABSENT)!r}, now {after.get(path, ABSENT)!r}" for path in paths[:SHOWN]]
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return f"another base run: {'; '.join(named)}{more}" if paths else ""


def _flat(study: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a study's base by dotted path, a part's name under the part, and whether the split is fixed. The
    versions of parts are left out: the latest counts."""
    values: dict[str, Any] = {}
    for field, value in study.get("base", {}).items():
        part = value if isinstance(value, dict) else {"name": value}
        values |= {
            field if name == "name" else f"{field}.{name}": entry for name, entry in part.items() if name != "version"
        }
    return values | {"fixed_split": study.get("fixed_split", False)}
