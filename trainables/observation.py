"""How runs are observed while they train: when they are evaluated, looked into and kept. None of it changes training,
except that a run may leave early, so no run id depends on it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

from trainables.components import available, load
from trainables.errors import SpecError
from trainables.parts import module_of, name_of, unknown
from trainables.schedule import evaluation_steps, looking_steps
from trainables.spec import RunSpec, coerce

PROBES = "trainables.probes"
LEAST_EVALUATED = 500
"""Examples of a split: an accuracy of 0.99 is then told from 0.95."""
SHORT_HORIZON = 2000
"""Steps. Evaluations are spaced by their logarithm, so that they take less of a longer training."""
STEP_WORK = 3.0
"""Operations of a step for each of an evaluation of as many examples, as in trainables/flops.py."""
SPLITS = 3
"""As many as most tasks have: `train`, `test` and an out-of-distribution one."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What is recorded of a run, and when. The numbers are checked here; `check_probes` checks the probes of a spec."""

    evaluations_per_decade: int = 24
    """Evaluations in each decade of steps from step 10 on; every step up to 10 is evaluated."""
    evaluation_examples: int | None = None
    """Evaluate at most this many examples of each split; None = as many as `evaluation_share` allows."""
    evaluation_share: float | None = 0.1
    """Of the operations of runs that train on batches, the share that evaluations may take at a horizon of
    SHORT_HORIZON steps, about, and less at longer ones; of each split at least LEAST_EVALUATED examples are evaluated
    all the same. None = all are."""
    leave_when_generalized: bool = False
    """A run ends once its test accuracy has stayed at 0.99 for as long again as it took to get there, and for at least
    a tenth of the horizon. Off by default: some runs generalize and later forget."""
    probes: Sequence[str] = ()
    """Mechanistic probes of trainables/probes to run while training, `probes_per_decade` times per decade of steps, and
    modules of one's own that define `examine`, which are run likewise, or `measure`, at every evaluation."""
    probes_per_decade: int = 4
    """Looks of the probes in each decade of steps, from step 100 on."""
    snapshots_per_decade: int = 0
    """Weights of each run to keep per decade of steps, from step 100 on, for `study probe`; 0 keeps the last alone."""

    def __post_init__(self) -> None:
        coerce(self)
        if isinstance(self.probes, str) or not isinstance(self.probes, Sequence):
            raise SpecError(f"probes must be a list of names, got {self.probes!r}.")
        object.__setattr__(self, "probes", tuple(self.probes))
        if self.evaluations_per_decade < 1:
            raise SpecError(f"evaluations_per_decade must be 1 or larger, got {self.evaluations_per_decade}.")
        if self.evaluation_examples is not None and self.evaluation_examples < 1:
            raise SpecError(f"evaluation_examples must be 1 or larger, got {self.evaluation_examples}.")
        if self.evaluation_share is not None and not 0 < self.evaluation_share < 1:
            raise SpecError(f"evaluation_share must be in (0, 1), got {self.evaluation_share}; None is no limit.")
        if self.probes_per_decade < 1 or self.snapshots_per_decade < 0:
            raise SpecError(
                "probes_per_decade must be 1 or larger, snapshots_per_decade 0 or larger, got "
                f"{self.probes_per_decade} and {self.snapshots_per_decade}."
            )

    def evaluations(self, horizon: int) -> list[int]:
        """Steps of the evaluations that the spacing asks for, ascending; looks and snapshots are evaluated as well."""
        return evaluation_steps(horizon, self.evaluations_per_decade)

    def examples(self, batch_size: int | None) -> int | None:
        """How many examples of each split are evaluated at most; None = all. It is the same for every run of a pack,
        on every machine, and at every horizon, because a run may go on to another one. Full batches (None) have no
        limit: a step takes more than an evaluation."""
        if self.evaluation_examples is not None or self.evaluation_share is None or batch_size is None:
            return self.evaluation_examples
        worth = STEP_WORK * SHORT_HORIZON * batch_size * self.evaluation_share / (1 - self.evaluation_share)
        return max(LEAST_EVALUATED, int(worth / len(self.evaluations(SHORT_HORIZON)) / SPLITS))

    def looks(self, horizon: int) -> list[int]:
        """Steps at which the mechanistic probes run, ascending."""
        return looking_steps(horizon, self.probes_per_decade if self.probes else 0)

    def snapshots(self, horizon: int) -> list[int]:
        """Steps whose weights are kept, ascending."""
        return looking_steps(horizon, self.snapshots_per_decade)

    def to_json(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        return asdict(self) | {"probes": list(self.probes)}


DEFAULT = Observation()


def probe_of(name: str) -> ModuleType:
    """The mechanistic probe with this name, or a module of one's own that defines `examine` or `measure`; SpecError for
    none."""
    own = [probe for probe in available(PROBES) if hasattr(load(PROBES, probe), "examine")]
    if name in own or name not in available(PROBES):
        return module_of(PROBES, name, own, "examine", "measure")
    raise SpecError(unknown("probe", name, own))


def check_probes(spec: RunSpec, names: Sequence[str]) -> None:
    """SpecError unless each name is a mechanistic probe, and the spec's task and model are of the kind they ask.

    A probe that asks for something else than a circuit in a transformer says so in `check(spec)`.
    """
    if not names:  # asked for every point of a study
        return
    for name in names:
        probe = probe_of(name)
        if hasattr(probe, "check"):
            probe.check(spec)
            continue
        if not hasattr(probe, "examine"):  # measured like the package's own cheap ones
            continue
        for part, able in ((spec.task, hasattr(spec.task, "circuit")), (spec.model, hasattr(spec.model, "heads"))):
            if not able:
                raise SpecError(f"probe {name!r} looks for circuits, which {name_of(part)!r} does not have.")
