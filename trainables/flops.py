"""Operations (multiplications and additions) of training and evaluation.

They size packs, give a first guess of their time, and decide whether compiling is worth its time.
"""

from trainables.answers import num_answers
from trainables.device import PROFILES
from trainables.size import size_of
from trainables.spec import RunSpec

FORWARD = 2.0
"""Operations of a forward pass for each product, or for each weight that an example meets."""
STEP = 3 * FORWARD
"""The same for a training step: its backward pass does twice the work of its forward pass."""


def run_flops(spec: RunSpec, steps: int) -> float:
    """Operations of one run in so many steps, those of products of matrices."""
    return STEP * size_of(spec.model, spec.task).products * (spec.batch_size or spec.task.num_train) * steps


def compiling_pays(kind: float, spec: RunSpec, num_params: int, num_runs: int, examples: float, device: str) -> bool:
    """Whether compiling is worth its time for `num_runs` runs like this one, each of which works on so many examples
    in all its steps (`kind` STEP), or in all its evaluations (FORWARD).

    Work is counted by all weights, once for every answer. Another count would compile packs that have always run
    eagerly, and change the last digits of their numbers.
    """
    weights = num_params * num_answers(spec.task) * num_runs
    return kind * weights * examples >= PROFILES[device].compile_from_flops[spec.precision]
