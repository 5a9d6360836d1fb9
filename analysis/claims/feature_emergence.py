"""Li2 (Tian 2025, arXiv 2509.21519): how features emerge in a two-layer network that learns to multiply in a group.

Features that generalize remain maxima of the energy if there are enough examples: d^2 M log(M) for a group of order M
whose largest irreducible representation has dimension d. Weight decay makes these features emerge. Bi et al. 2026
(arXiv 2603.24746) measure a critical fraction that does not fall.
"""

import math

from analysis.claim import RATIO, SHARE, Claim, Runs
from analysis.statistics import crossing, generalized, grouped, log_slope, mean, means

PAPER = "Tian 2025 (arXiv 2509.21519)"
OTHER = "Bi et al. 2026 (arXiv 2603.24746)"
QUESTION = "Does the fraction of the pairs that a network needs fall with the order of the group?"
STUDIES = ("feature_emergence", "feature_emergence_paper")
GROUPS = ("feature_emergence_groups",)
SIGNALS = """
    select run_id, arg_max(value, step) filter (metric = 'signal_norm') as signal_norm,
        arg_max(value, step) filter (metric = 'signal_alignment') as signal_alignment
    from probes join outcomes using (run_id)
    where probe = 'backprop_signal' and step >= 5 * train_step_99 group by run_id"""
"""Of the last look, at five times the steps that the fit took or later: the first looks after it would say most of a
mean over all."""


def order(run: dict) -> int:
    """How many elements the group has; its table has their square."""
    return round(math.sqrt(run["data_size"] / run["train_fraction"]))


def place(run: dict) -> tuple[int, int]:
    """Order and data size."""
    return order(run), run["data_size"]


def critical_fraction(runs: Runs) -> float:
    """Fraction of the pairs at which half of these runs generalize; not finite where it is unknown."""
    return crossing(means(runs, lambda run: run["train_fraction"], generalized))


def critical_fractions(runs: Runs) -> dict[int, float]:
    """Critical fraction of the runs with decay, by order; orders at which it is unknown are left out."""
    decayed = [run for run in runs if run["weight_decay"] > 0]
    found = {m: critical_fraction(group) for m, group in grouped(decayed, order).items()}
    return {m: fraction for m, fraction in found.items() if math.isfinite(fraction)}


def fall(runs: Runs) -> float:
    """Power of log(M) / M that the critical fraction follows: 1 by Tian, 0 for a constant; NaN below three orders."""
    return log_slope({math.log(m) / m: fraction for m, fraction in critical_fractions(runs).items()})


def constant(runs: Runs) -> float:
    """Mean over orders of the critical fraction in units of log(M) / M."""
    return mean([fraction * m / math.log(m) for m, fraction in critical_fractions(runs).items()])


def without_decay(runs: Runs) -> float:
    """Fraction of the runs without decay that generalize, at the places where most runs with decay do."""
    decayed = means([run for run in runs if run["weight_decay"] > 0], place, generalized)
    rest = [run for run in runs if run["weight_decay"] == 0 and decayed.get(place(run), 0) > 0.5]
    return mean([generalized(run) for run in rest])


def signal_gain(runs: Runs) -> float:
    """Mean ln(norm of the backpropagated signal with decay / without), over places with both."""
    return mean([math.log(decayed / rest) for decayed, rest in signals(runs, "signal_norm")])


def alignment_gain(runs: Runs) -> float:
    """Mean alignment of the signal with decay minus that without, over places with both."""
    return mean([decayed - rest for decayed, rest in signals(runs, "signal_alignment")])


def signals(runs: Runs, name: str) -> list[tuple[float, float]]:
    """Means of a column with decay and without, at each place that has both."""
    decayed, rest = (
        means([run for run in runs if (run["weight_decay"] > 0) == decays], place, lambda run: run[name])
        for decays in (True, False)
    )
    return [(decayed[at], rest[at]) for at in decayed.keys() & rest.keys()]


def more_for_symmetric(runs: Runs) -> float:
    """Critical fraction of the symmetric group divided by that of the cyclic group of the same order."""
    cyclic, symmetric = (
        critical_fraction([run for run in runs if run["point"].get("task.group") == name]) for name in ("Z24", "S4")
    )
    return symmetric / cyclic if math.isfinite(cyclic) and symmetric > 0 else math.nan


CLAIMS = (
    Claim(
        name="fraction_falls",
        says="The fraction of the pairs that a network needs falls with the order M of the group.",
        source=f"{PAPER}, Theorem 4 and Figure 5",
        published="p = c log(M) / M: power 1",
        studies=STUDIES,
        statistic=fall,
        unit="power of log(M) / M",
        above=0.1,
        question=QUESTION,
        note="Here quadratic networks of two layers, orders 11 to 37.",
    ),
    Claim(
        name="power_of_the_law",
        says="The power with which it falls is that of the law, 1.",
        source=f"{PAPER}, Theorem 4 and Figure 5",
        published="p = c log(M) / M: power 1",
        studies=STUDIES,
        statistic=fall,
        unit="power of log(M) / M",
        above=0.9,
        below=1.1,
    ),
    Claim(
        name="fraction_is_constant",
        says="The fraction of the pairs that a network needs does not change with the modulus.",
        source=f"{OTHER}, critical fraction by prime",
        published="0.39 at small primes to 0.418 at 397, no significant drift: power 0",
        studies=STUDIES,
        statistic=fall,
        unit="power of log(M) / M",
        above=-0.1,
        below=0.1,
        question=QUESTION,
        note="The paper trains transformers of two layers with decay 1 on primes up to 397; ours are Tian's networks.",
    ),
    Claim(
        name="constant_of_the_law",
        says="The critical fraction is about 2.75 log(M) / M.",
        source=f"{PAPER}, published code (use_critical_ratio)",
        published="2.7482",
        studies=STUDIES,
        statistic=constant,
        unit="critical fraction in log(M) / M, mean over orders",
        within=RATIO,
        above=2.2,
        below=3.3,
        note="The bar is a fifth on either side.",
    ),
    Claim(
        name="no_generalization_without_decay",
        says="Without weight decay, networks do not generalize where networks with decay do.",
        source=f"{PAPER}, Lemma 1 and Figure 3",
        published="at order 71 with 40% of the pairs, decay 2e-4 generalizes and 0 does not (15 seeds)",
        studies=STUDIES,
        statistic=without_decay,
        unit="fraction of the runs without decay that generalize",
        within=SHARE,
        below=0.1,
    ),
    Claim(
        name="decay_makes_the_signal",
        says="Without weight decay, no signal comes back to the hidden units once the output layer has fitted.",
        source=f"{PAPER}, Lemma 1 and Figure 3",
        published="the norm rises with decay 2e-4 around epoch 100; with 0 it does not",
        studies=STUDIES,
        statistic=signal_gain,
        unit="mean ln(norm of the signal with decay / without)",
        columns=SIGNALS,
        above=0.0,
    ),
    Claim(
        name="decay_gives_the_signal_its_direction",
        says="With weight decay, the signal has the direction in which features that generalize emerge.",
        source=f"{PAPER}, Lemma 1",
        published="proportional to Y Y' F with decay: a cosine of 1 in the limit; none without",
        studies=STUDIES,
        statistic=alignment_gain,
        unit="cosine of signal and Y Y' F with decay minus that without",
        columns=SIGNALS,
        above=0.0,
    ),
    Claim(
        name="non_abelian_groups_need_more",
        says="Groups with larger irreducible representations need a larger fraction of their table.",
        source=f"{PAPER}, Theorem 4",
        published="examples needed grow with d^2: 9 times as many at d = 3, as a bound",
        studies=GROUPS,
        statistic=more_for_symmetric,
        unit="critical fraction of S4 / of Z24",
        within=RATIO,
        above=1.0,
    ),
)
