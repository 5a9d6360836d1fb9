"""What a user's own task and model are looked at for before anything is planned or trained: a part of `study check`, at
the base run alone, in about a second. A mistake that every run would have is one line then, before any worker starts.
"""

from study.check import model, task
from study.check.case import Case
from study.check.examples import inputs, labels
from study.check.leakage import leakage
from study.check.row import outcome
from study.spec import StudySpec
from trainables.data import Split
from trainables.errors import SpecError
from trainables.parts import is_own, name_of


def preflight(study: StudySpec) -> None:
    """SpecError for the first thing that is wrong with the data of a user's own task, or with the outputs of a user's
    own model; nothing for parts of the package, whose tests look at more."""
    base = study.base
    if study.absent:
        return
    if not is_own(type(base.task)):
        splits: dict[str, Split] = {}
        row = outcome("build", lambda: splits.update(task.built(base.task)))
        _refuse(f"task {name_of(base.task)!r}", row.ok, row.detail)
        for check in (inputs, labels, leakage, task.sizes, task.twice):
            row = outcome("data", check, base.task, splits)
            _refuse(f"task {name_of(base.task)!r}", row.ok, row.detail)
    if not is_own(type(base.model)):
        row = outcome("logits", model.logits, Case(base.model, base.task, base.loss))
        _refuse(f"model {name_of(base.model)!r}", row.ok, row.detail)


def _refuse(part: str, ok: bool | None, detail: str) -> None:
    if ok is False:
        raise SpecError(f"{part}: {detail} `study check` with its file looks at more.")
