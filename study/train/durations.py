"""Times as people read them."""


def duration(seconds: float) -> str:
    """A time that was measured: `45s`, `3m20s`, `2h05m`, `3d04h`."""
    whole = round(seconds)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if days:
        return f"{days}d{hours % 24:02}h"
    if hours:
        return f"{hours}h{minutes % 60:02}m"
    return f"{minutes}m{whole % 60:02}s" if minutes else f"{whole}s"


def roughly(seconds: float) -> str:
    """A guess: `40 s`, `1 min`, `15 h`, `22 days`, `2.6 years`."""
    number, unit = _in_one_unit(seconds)
    return f"{number} {unit}"


def between(seconds: float, factor: float) -> str:
    """A guess that may be wrong by this factor either way: `20 to 80 s`, `40 s to 3 min`, `1 to 4 h`."""
    (low, unit), (high, larger) = _in_one_unit(seconds / factor), _in_one_unit(seconds * factor)
    return f"{low} to {high} {unit}" if unit == larger else f"{low} {unit} to {high} {larger}"


def _in_one_unit(seconds: float) -> tuple[str, str]:
    for unit, length, most in (("s", 1, 60), ("min", 60, 90), ("h", 3600, 36), ("days", 86400, 730)):
        if seconds < most * length:
            return str(max(1, round(seconds / length))), unit
    return f"{seconds / (365.25 * 86400):.3g}", "years"
