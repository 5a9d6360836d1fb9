"""Values as terminals, pages and other programs can take them."""

import math
from typing import Any

PLAIN = dict.fromkeys(map(ord, "\n\t\xa0"))
"""What is no printable character to Python, and harmless."""


def clean(text: str) -> str:
    """Text whose escape sequences, control characters and changes of direction are shown as `\\x1b`, not obeyed."""
    if text.translate(PLAIN).isprintable():
        return text
    return "".join(c if c.isprintable() or ord(c) in PLAIN else c.encode("unicode_escape").decode() for c in text)


def plain(value: Any) -> Any:
    """A value that JSON has a place for, nested ones too: what is not finite is None."""
    if isinstance(value, dict):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
