"""A run's id, from the JSON of its spec alone: a store checks ids without the code of the parts."""

import hashlib
import json
from typing import Any


def run_id(spec: Any) -> str:
    """16 hex digits: BLAKE2b of the JSON with sorted keys and no spaces. ValueError for NaN and infinities."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
