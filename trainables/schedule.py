"""When a run is evaluated: a pure function of the step, log-spaced, the same for every run.

Grokking lives on a logarithmic time axis. Steps up to 10 are all evaluated, then `per_decade` in each decade.
"""

FIRST_LOOK = 100
"""No mechanism and no snapshot before this step: nothing is memorized yet."""


def looking_steps(horizon: int, per_decade: int) -> list[int]:
    """Ascending steps, `per_decade` in each decade from FIRST_LOOK on, and the horizon; none for 0 per decade."""
    if per_decade == 0:
        return []
    steps, exponent = {horizon}, 2 * per_decade
    while (step := round(10 ** (exponent / per_decade))) < horizon:
        steps.add(step)
        exponent += 1
    return sorted(steps)


def evaluation_steps(horizon: int, per_decade: int = 24, after: int = -1) -> list[int]:
    """Ascending steps in (after, horizon] at which to evaluate; 0 is before training, the horizon is always one."""
    steps = {*range(min(horizon, 10) + 1), horizon}
    exponent = per_decade
    while (step := round(10 ** (exponent / per_decade))) < horizon:
        steps.add(step)
        exponent += 1
    return sorted(step for step in steps if step > after)
