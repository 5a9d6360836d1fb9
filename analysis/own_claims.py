"""The claims of a study file: `CLAIMS`, beside its `STUDY`. The file is run, so only one that a user names is read."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.claim import Checked, Claim, Runs
from analysis.claim_check import check, claims_about, measured
from trainables.components import available, closest
from trainables.errors import SpecError

if TYPE_CHECKING:
    from study.spec import StudySpec
    from study.store.database import Store


@dataclass(frozen=True)
class OwnClaims:
    """A study file's study and claims."""

    path: Path
    study: "StudySpec"
    claims: tuple[Claim, ...]


def own_claims(path: str | Path) -> OwnClaims:
    """The study and the claims of a study file, which is run; SpecError where it fails, and for CLAIMS of another kind."""
    from study.spec import load_study  # it imports torch

    spec, module = load_study(str(path))
    found = getattr(module, "CLAIMS", ())
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise SpecError(f"study file {str(path)!r}: CLAIMS must be a list of Claim(...), got {type(found).__name__}.")
    for claim in found:
        if not isinstance(claim, Claim):
            raise SpecError(f"study file {str(path)!r}: CLAIMS holds {claim!r}, which is no Claim(...).")
    return OwnClaims(Path(path), spec, tuple(found))


def check_file(store: "Store | None", path: str | Path) -> list[Checked]:
    """The claims of a study file, and those of ours that are about a study of its name."""
    own = own_claims(path)
    return [*check_own(store, own), *claims_about(store if own.study.name in _stored(store) else None, own.study.name)]


def check_own(store: "Store | None", own: OwnClaims, study: str | None = None) -> list[Checked]:
    """The claims of a study file, checked on the studies that they name, or on the file's own; with `study`, on that
    one alone. A claim whose statistic raises is a SpecError with the line of the file."""
    stored = _stored(store)
    found = [(claim, name) for claim in own.claims for name in claim.studies or (own.study.name,)]
    return [_check(store, stored, own, claim, name) for claim, name in found if study in (None, name)]


def _stored(store: "Store | None") -> list[str]:
    return [name for (name,) in store.sql("select study from studies order by 1").fetchall()] if store else []


def _check(store: "Store | None", stored: list[str], own: OwnClaims, claim: Claim, study: str) -> Checked:
    from study.plan.plan import planned_runs
    from study.plan.stored import asked_runs, stored_study
    from study.spec import CATALOG

    said, row = f"claim {claim.name!r} of {str(own.path)!r}", own.study.name
    guarded = replace(claim, statistic=_guarded(claim, own.path, said))
    here = store if study in stored else None
    if study == own.study.name:
        spec = own.study
    elif study in available(CATALOG):
        return replace(check(here, row, guarded, study), claim=claim)
    elif here is not None:
        spec = stored_study(here, study)
    else:
        known = sorted({own.study.name, *stored, *available(CATALOG)})
        raise SpecError(f"{said}: there is no study {study!r}, here or in the catalog. {closest(study, known)}")

    @cache
    def ids(seeds: int) -> frozenset[str]:
        searched = here is not None and spec.search is not None
        runs = asked_runs(here, study) if searched else planned_runs(spec.with_(seeds=seeds))
        return frozenset(run.run_id for run in runs)

    try:
        return replace(measured(here, row, guarded, spec, ids), claim=claim)
    except SpecError as error:
        raise SpecError(str(error) if str(error).startswith(said) else f"{said}: {error}") from None


def _guarded(claim: Claim, path: Path, said: str) -> Any:
    """The statistic; what it raises as one line, with the line of the file."""

    def statistic(runs: Runs) -> float:
        try:
            return float(claim.statistic(runs))
        except Exception as error:
            place = str(path.absolute())
            lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == place]
            where = f", line {lines[-1]}" if lines else ""
            names = list(runs[0]) if runs else []
            near = f" {closest(error.args[0], names)}" if isinstance(error, KeyError) and error.args else ""
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise SpecError(f"{said}{where}: its statistic raises {reason}.{near or _MEND}") from error

    return statistic


_MEND = " It takes a list of runs, each a dictionary, and gives a number, NaN where they cannot tell."
