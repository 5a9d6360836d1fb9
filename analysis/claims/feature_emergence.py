"""Li2 (Tian 2025, arXiv 2509.21519): how features emerge in a two-layer network that learns to multiply in a group.

Features that generalize stay maxima of the energy if there are enough examples, d^2 M log(M) for a group of order M
whose largest irreducible representation has dimension d; weight decay makes them emerge, and Muon spreads them over the
hidden units. Bi et al. 2026 (arXiv 2603.24746) measure a critical fraction that does not fall.
"""

import math

import numpy as np

from analysis.claim import Claim, Runs
from analysis.statistics import crossing, grouped, mean, means

PAPER = "Tian 2025 (arXiv 2509.21519)"
OTHER = "Bi et al. 2026 (arXiv 2603.24746)"
QUESTION = "Does the share of the pairs that a network needs fall with the order of the group?"
STUDIES = ("feature_emergence", "feature_emergence_paper")
GROUPS, MUON = ("feature_emergence_groups",), ("feature_emergence_muon",)
SIGNALS = """
    select run_id, avg(value) filter (metric = 'signal_norm') as signal_norm,
        avg(value) filter (metric = 'signal_alignment') as signal_alignment
    from probes join outcomes using (run_id)
    where probe = 'backprop_signal' and step >= train_step_99 group by run_id"""
"""Means over the looks at a network that fits its training set."""


def generalized(run: dict) -> bool:
    """Whether test accuracy 0.95 was reached."""
    return run["test_step_95"] is not None


def order(run: dict) -> int:
    """Elements of the group: the table has their square."""
    return round(math.sqrt(run["data_size"] / run["train_fraction"]))


def critical_fraction(runs: Runs) -> float:
    """Share of the pairs at which half of these runs generalize; not finite where that is not seen."""
    return crossing(means(runs, lambda run: run["train_fraction"], generalized))


def critical_fractions(runs: Runs) -> dict[int, float]:
    """Critical fraction by order, of runs with decay; orders at which it is not seen are left out."""
    decayed = [run for run in runs if run["weight_decay"] > 0]
    found = {m: critical_fraction(group) for m, group in grouped(decayed, order).items()}
    return {m: fraction for m, fraction in found.items() if math.isfinite(fraction)}


def fall(runs: Runs) -> float:
    """Power of log(M) / M with which the critical fraction goes: 1 by Tian, 0 for a constant; NaN for two orders."""
    found = critical_fractions(runs)
    if len(found) < 3:
        return math.nan
    law = [math.log(math.log(m) / m) for m in found]
    return float(np.polyfit(law, np.log(list(found.values())), 1)[0])


def constant(runs: Runs) -> float:
    """Mean over orders of the critical fraction in units of log(M) / M."""
    found = [fraction * m / math.log(m) for m, fraction in critical_fractions(runs).items()]
    return mean(found)


def without_decay(runs: Runs) -> float:
    """Share of the runs without decay that generalize, at points where most runs with decay do."""
    place = lambda run: (order(run), run["data_size"])  # noqa: E731
    decayed = means([run for run in runs if run["weight_decay"] > 0], place, generalized)
    rest = [run for run in runs if run["weight_decay"] == 0 and decayed.get(place(run), 0) > 0.5]
    return mean([generalized(run) for run in rest])


def signal_gain(runs: Runs) -> float:
    """Mean ln(norm of the backpropagated signal with decay / without), over points with both."""
    with_decay, without = signals(runs, "signal_norm")
    return mean([math.log(with_decay[place] / without[place]) for place in with_decay])


def alignment_gain(runs: Runs) -> float:
    """Mean alignment of the signal with decay less that without, over points with both."""
    with_decay, without = signals(runs, "signal_alignment")
    return mean([with_decay[place] - without[place] for place in with_decay])


def signals(runs: Runs, name: str) -> tuple[dict, dict]:
    """Means of a column by order and data size, with decay and without, where there are both."""
    place = lambda run: (order(run), run["data_size"])  # noqa: E731
    decayed, rest = (
        means([run for run in runs if (run["weight_decay"] > 0) == decays], place, lambda run: run[name])
        for decays in (True, False)
    )
    both = decayed.keys() & rest.keys()
    return {key: decayed[key] for key in both}, {key: rest[key] for key in both}


def more_for_symmetric(runs: Runs) -> float:
    """Critical fraction of the symmetric group over that of the cyclic group of the same order."""
    cyclic, symmetric = (
        critical_fraction([run for run in runs if run["point"].get("task.group") == name]) for name in ("Z24", "S4")
    )
    return symmetric / cyclic if math.isfinite(cyclic) and symmetric > 0 else math.nan


def width_gain(runs: Runs) -> float:
    """Width from which half of the runs generalize, of AdamW over that of Muon; widths between are on a log scale."""
    width = {
        name: crossing(means([run for run in runs if run["optimizer"] == name], log_width, generalized))
        for name in ("adamw", "muon")
    }
    return math.exp(width["adamw"] - width["muon"]) if math.isfinite(width["muon"]) else math.nan


def log_width(run: dict) -> float:
    """Hidden units, on a log scale."""
    return math.log(run["width"])


CLAIMS = (
    Claim(
        name="fraction_falls",
        says="The share of the pairs that a network needs falls with the order M of the group like log(M) / M.",
        source=f"{PAPER}, Theorem 4 and Figure 5",
        published="p = c log(M) / M: power 1",
        studies=STUDIES,
        statistic=fall,
        unit="power of log(M) / M",
        above=0.5,
        question=QUESTION,
        note="The bar is half way between the two sides. Two-layer quadratic networks, orders 11 to 37.",
    ),
    Claim(
        name="fraction_is_constant",
        says="The share of the pairs that a network needs does not change with the modulus.",
        source=f"{OTHER}, critical fraction by prime",
        published="0.39 at small primes to 0.418 at 397, no significant drift: power 0",
        studies=STUDIES,
        statistic=fall,
        unit="power of log(M) / M",
        below=0.5,
        question=QUESTION,
        note="Theirs are transformers of two layers, primes up to 397, decay 1; ours are Tian's networks.",
    ),
    Claim(
        name="constant_of_the_law",
        says="The critical fraction is about 2.75 log(M) / M.",
        source=f"{PAPER}, published code (use_critical_ratio)",
        published="2.7482",
        studies=STUDIES,
        statistic=constant,
        unit="critical fraction in log(M) / M, mean over orders",
        above=2.2,
        below=3.3,
        note="The bar is a fifth to each side; the constant may depend on the optimizer, which here is AdamW.",
    ),
    Claim(
        name="no_generalization_without_decay",
        says="Without weight decay networks do not generalize where those with decay do.",
        source=f"{PAPER}, Lemma 1 and Figure 3",
        published="at order 71 and 40% of the pairs decay 2e-4 generalizes, 0 does not, 15 seeds",
        studies=STUDIES,
        statistic=without_decay,
        unit="share of the runs without decay that generalize",
        below=0.5,
    ),
    Claim(
        name="decay_makes_the_signal",
        says="Without weight decay nothing comes back to the hidden units once the output layer has fitted.",
        source=f"{PAPER}, Lemma 1 and Figure 3",
        published="the norm rises with decay 2e-4 around epoch 100; with 0 it does not",
        studies=STUDIES,
        statistic=signal_gain,
        unit="mean ln(norm of the signal with decay / without)",
        columns=SIGNALS,
        above=0.0,
        note="AdamW's steps do not shrink with the gradient, so that at the small size the output layer never rests.",
    ),
    Claim(
        name="decay_gives_the_signal_its_direction",
        says="With weight decay the signal has the direction in which features that generalize emerge.",
        source=f"{PAPER}, Lemma 1",
        published="proportional to Y Y' F with decay: a cosine of 1 in the limit; none without",
        studies=STUDIES,
        statistic=alignment_gain,
        unit="cosine of signal and Y Y' F with decay less that without",
        columns=SIGNALS,
        above=0.0,
    ),
    Claim(
        name="non_abelian_groups_need_more",
        says="Groups with larger irreducible representations need a larger share of their table.",
        source=f"{PAPER}, Theorem 4",
        published="examples needed grow with d^2: 9 times as many at d = 3, as a bound",
        studies=GROUPS,
        statistic=more_for_symmetric,
        unit="critical fraction of S4 / of Z24",
        above=1.0,
    ),
    Claim(
        name="muon_needs_fewer_units",
        says="Muon needs fewer hidden units than Adam to learn all features.",
        source=f"{PAPER}, Theorem 8",
        published="about as many units as features, where random draws need a log factor more",
        studies=MUON,
        statistic=width_gain,
        unit="hidden units needed with AdamW / with Muon",
        above=1.0,
        note="With the learning rates of the study; the paper compares optimizers in theory and in one figure.",
    ),
)
