"""Kadkhodaie et al. 2024 (arXiv 2310.02557): generalization as agreement.

Two denoisers train on sets that share no image. With few images each remembers its own. With many both become the same
function, although neither has seen the images of the other. No ground truth is needed to see this.
"""

import math

import numpy as np

from analysis.claim import CORRELATION, Claim, Runs
from analysis.statistics import grouped, mean

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
    ) using (run_id)"""
"""The final outputs, each minus the mean of its pixel over the images, and the final losses."""


def by_images(runs: Runs) -> list[Runs]:
    """The runs by their number of images, fewest first."""
    return list(grouped(runs, lambda run: run["point"]["task.num_images"]).values())


def agreement(twins: Runs) -> float:
    """Mean correlation of the outputs of two runs, over images and pixels; NaN without two different runs."""
    ids = np.array([run["run_id"] for run in twins])
    outputs = np.array([run["outputs"] for run in twins])
    outputs /= np.linalg.norm(outputs, axis=1, keepdims=True)
    different = ids[:, None] != ids[None, :]  # a resample can hold a run twice
    return mean((outputs @ outputs.T)[different].tolist())


def agreement_with_many(runs: Runs) -> float:
    """Agreement at the largest number of images."""
    return agreement(by_images(runs)[-1]) if runs else math.nan


def agreement_gained(runs: Runs) -> float:
    """Agreement at the largest number of images minus that at the smallest."""
    cells = by_images(runs)
    return agreement(cells[-1]) - agreement(cells[0]) if len(cells) > 1 else math.nan


def generality(runs: Runs) -> float:
    """Mean ln(distance to the memorizer / distance to the generalizer): above 0 runs are nearer to the generalizer."""
    return mean([math.log(run["to_memorizer"] / run["to_generalizer"]) for run in runs])


def generality_with_few(runs: Runs) -> float:
    """Generality at the smallest number of images."""
    return generality(by_images(runs)[0]) if runs else math.nan


def generality_at_best(runs: Runs) -> float:
    """The largest generality at any number of images.

    Where images fill the space both oracles are the same, and generality is 0.
    """
    return max((generality(cell) for cell in by_images(runs)), default=math.nan)


def gap_closed(runs: Runs) -> float:
    """ln(test loss / training loss) at the largest number of images minus that at the smallest."""
    few_to_many = [mean([math.log(run["test_loss"] / run["train_loss"]) for run in cell]) for cell in by_images(runs)]
    return few_to_many[-1] - few_to_many[0] if len(few_to_many) > 1 else math.nan


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
        unit="correlation of the outputs of two networks",
        within=CORRELATION,
        columns=COLUMNS,
        above=0.9,
        note="The paper compares samples. Here single answers are compared, without what all answers have in common.",
    ),
    Claim(
        name="agreement_appears",
        says="Denoisers trained on many images agree more than denoisers trained on few.",
        source=f"{PAPER}, section 2.2 and Figure 2",
        published="different samples with 1 to 1000 images, nearly the same with 100,000",
        studies=STUDIES,
        statistic=agreement_gained,
        unit="correlation, most minus fewest images",
        columns=COLUMNS,
        above=0.0,
    ),
    Claim(
        name="not_a_memory",
        says="Denoisers generalize before their images fill the space: what they agree on is not what they remember.",
        source=f"{PAPER}, section 2.2 and Figure 2",
        published="with 100,000 faces samples are far from every image of the training set",
        studies=STUDIES,
        statistic=generality_at_best,
        unit="mean ln(distance to the posterior mean over its own images / over all), largest over numbers of images",
        columns=COLUMNS,
        above=0.0,
    ),
    Claim(
        name="the_gap_closes",
        says="The gap between new images and training images closes with more images.",
        source=f"{PAPER}, section 2.1 and Figure 1",
        published="training and test PSNR far apart with 1 to 100 images, nearly equal with 100,000",
        studies=STUDIES,
        statistic=gap_closed,
        unit="ln(test loss / training loss), most minus fewest images",
        columns=COLUMNS,
        below=0.0,
    ),
)
