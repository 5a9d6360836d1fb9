"""When a run needs no more training."""

from collections.abc import Mapping
from typing import Any


def is_done(state: Mapping[str, Any] | None, horizon: int, pruning: bool = False, leaving: bool = False) -> bool:
    """True for a run that was observed up to the horizon, or that finished earlier for a reason of its own.

    `state` has `status`, `stop_reason` and `steps`, the furthest that was seen; None is a run that has no attempt. A
    run that was pruned is done only where runs are pruned (`pruning`), and one that had generalized only where runs
    leave then (`leaving`): elsewhere they go on. The view `observed` follows the same rule for what is shown.
    """
    if state is None:
        return False
    open_reasons = {"horizon": True, "pruned": not pruning, "generalized": not leaving}
    return state["steps"] >= horizon or (
        state["status"] == "finished" and not open_reasons.get(state["stop_reason"], False)
    )


def has_ended(state: Mapping[str, Any] | None, horizon: int, pruning: bool = False, leaving: bool = False) -> bool:
    """True for a run that is done, or that failed for good."""
    return is_done(state, horizon, pruning, leaving) or (state is not None and state["status"] == "failed")
