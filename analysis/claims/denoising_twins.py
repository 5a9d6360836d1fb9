"""Kadkhodaie et al. 2024 (arXiv 2310.02557): generalization as agreement.

Two denoisers train on sets that share no image. With few images each remembers its own. With many both become the same
function, although neither has seen the images of the other. No ground truth is needed to see this.
"""

import json
import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.claim import CORRELATION, Claim, Runs
from analysis.statistics import grouped, judged_best, mean

PAPER = "Kadkhodaie et al. 2024 (arXiv 2310.02557)"
STUDIES = ("denoising_twins", "denoising_twins_paper")
COLUMNS = """
    select * from (
        select run_id, list(value - mean order by position, metric) as outputs
        from (select *, avg(value) over (partition by run_id, metric) as mean from (
            select * from probes where probe = 'outputs' qualify step = max(step) over (partition by run_id)))
        group by run_id
    ) join (
        select
            run_id,
            max(value) filter (split = 'train') as train_loss,
            max(value) filter (split = 'test') as test_loss,
            max(value) filter (split = 'memorizer') as to_memorizer,
            max(value) filter (split = 'generalizer') as to_generalizer
        from (select * from metrics where metric = 'loss' qualify step = max(step) over (partition by run_id))
        group by run_id
    ) using (run_id) join (select run_id, spec::text as spec from runs) using (run_id)"""
"""The final outputs, each minus the mean of its pixel over the images, the final losses, and the run's settings."""
GENERAL = math.log(1.5)
"""Nearer to the generalizer than to the memorizer by half: what chance does not do."""
CLOSED = math.log(1.1)
"""Losses within a tenth of each other are nearly equal."""


def by_images(runs: Runs) -> list[Runs]:
    """The runs by their number of images, fewest first."""
    trained = [run for run in runs if run["to_memorizer"] is not None]  # a run that failed has no losses
    return list(grouped(trained, lambda run: run["point"]["task.num_images"]).values())


def agreement(twins: Runs) -> float:
    """Mean correlation of the outputs of two runs, over images and pixels; NaN without two different runs."""
    ids = np.array([run["run_id"] for run in twins])
    outputs = np.array([run["outputs"] for run in twins])
    outputs /= np.linalg.norm(outputs, axis=1, keepdims=True)
    different = ids[:, None] != ids[None, :]  # a resample can hold a run twice
    return mean((outputs @ outputs.T)[different].tolist())


def agreement_with_many(runs: Runs) -> float:
    """Agreement, at the largest number of images, of what is not linear in the noisy image.

    All twins see the same noisy images, so the best linear denoiser and the noisy image itself are what any two
    answers may have in common; both are projected out.
    """
    cells = by_images(runs)
    return agreement([run | {"outputs": beyond_linear(run)} for run in cells[-1]]) if cells else math.nan


def beyond_linear(run: dict[str, Any]) -> NDArray[np.float64]:
    """The run's outputs minus their projection on the linear answers."""
    task = json.loads(run["spec"])["task"]
    basis_2A = linear_answers(task["side"], task["noise"])
    outputs_A = np.array(run["outputs"])
    return outputs_A - basis_2A.T @ (basis_2A @ outputs_A)


@cache
def linear_answers(side: int, noise: float) -> NDArray[np.float64]:
    """The noisy images that every run answers and the best linear answers to them, (2, images * pixels), orthonormal.

    In the order of COLUMNS and centred as there."""
    from trainables.probes.outputs import NUM_EXAMPLES  # here, because it imports torch
    from trainables.tasks.denoising import Task, best_linear

    noisy_NP = Task(side=side, noise=noise).circuit(0, NUM_EXAMPLES).inputs_NL[:, 0]
    weights_PP, bias_P = best_linear(side, noise)
    by_text = [sorted(range(size), key=str) for size in noisy_NP.shape]
    answers = [values_NP.numpy()[np.ix_(*by_text)] for values_NP in (noisy_NP, noisy_NP @ weights_PP + bias_P)]
    return np.linalg.qr(np.array([(values - values.mean(0)).ravel() for values in answers], float).T)[0].T


def agreement_gained(runs: Runs) -> float:
    """Agreement at the largest number of images minus that at the smallest."""
    cells = by_images(runs)
    return agreement(cells[-1]) - agreement(cells[0]) if len(cells) > 1 else math.nan


def generality(runs: Runs) -> float:
    """Mean ln(distance to the memorizer / distance to the generalizer): above 0 runs are nearer to the generalizer."""
    return mean([math.log(run["to_memorizer"] / run["to_generalizer"]) for run in runs])


def generality_with_few(runs: Runs) -> float:
    """Generality at the smallest number of images."""
    cells = by_images(runs)
    return generality(cells[0]) if cells else math.nan


def generality_at_best(runs: Runs) -> float:
    """The largest generality at any number of images, which is chosen on other seeds.

    Where images fill the space both oracles are the same, and generality is 0.
    """
    return judged_best(by_images(runs), generality)


def gap_with_many(runs: Runs) -> float:
    """At the largest number of images, ln(test loss / training loss) or ln(test loss / loss of the best denoiser),
    whichever is larger, mean over runs: a learner that knows nothing has no gap between new images and old ones.

    The test loss is that of the best denoiser, the posterior mean over all disks, plus the distance to it.
    """
    cells = by_images(runs)
    return (
        mean([max(math.log(run["test_loss"] / loss) for loss in losses(run)) for run in cells[-1]])
        if cells
        else math.nan
    )


def losses(run: dict[str, Any]) -> tuple[float, float]:
    """The training loss, and the test loss of the best denoiser."""
    return run["train_loss"], max(run["test_loss"] - run["to_generalizer"], 1e-9)


CLAIMS = (
    Claim(
        name="few_images_are_remembered",
        says="A denoiser trained on few images answers with its training images.",
        source=f"{PAPER}, section 2.2 and Figure 2",
        published="with 1 and 10 images, samples are images of the training set",
        studies=STUDIES,
        statistic=generality_with_few,
        unit="mean ln(distance to the posterior mean over its own images / over all)",
        columns=COLUMNS,
        below=0.0,
    ),
    Claim(
        name="twins_agree_with_many",
        says="Denoisers trained on different sets of many images give the same answers.",
        source=f"{PAPER}, section 2.2 and Figure 2",
        published="nearly the same samples with 100,000 faces of 80 x 80 pixels; cosine near 1",
        studies=STUDIES,
        statistic=agreement_with_many,
        unit="correlation of what is not linear in the outputs of two networks, with the most images",
        within=CORRELATION,
        columns=COLUMNS,
        above=0.9,
        note="The paper compares samples. Here single answers are compared, without what all answers have in common "
        "and without what a linear denoiser answers.",
    ),
    Claim(
        name="agreement_appears",
        says="Denoisers trained on many images agree more than denoisers trained on few.",
        source=f"{PAPER}, section 2.2 and Figure 2",
        published="different samples with 1 to 1000 images, nearly the same with 100,000",
        studies=STUDIES,
        statistic=agreement_gained,
        unit="correlation of all outputs, most minus fewest images",
        columns=COLUMNS,
        above=0.3,
    ),
    Claim(
        name="not_a_memory",
        says="Denoisers generalize before their images fill the space: what they agree on is not what they remember.",
        source=f"{PAPER}, section 2.2 and Figure 2",
        published="with 100,000 faces samples are far from every image of the training set",
        studies=STUDIES,
        statistic=generality_at_best,
        unit="mean ln(distance to the posterior mean over its own images / over all), at its best number of images",
        columns=COLUMNS,
        above=GENERAL,
    ),
    Claim(
        name="the_gap_closes",
        says="With many images, new images are denoised as well as training images, and as well as can be.",
        source=f"{PAPER}, section 2.1 and Figure 1",
        published="training and test PSNR far apart with 1 to 100 images, nearly equal with 100,000",
        studies=STUDIES,
        statistic=gap_with_many,
        unit="ln(test loss / training loss, or / loss of the best denoiser if that is larger), with the most images",
        columns=COLUMNS,
        below=CLOSED,
    ),
)
