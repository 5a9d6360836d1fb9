"""What was measured of devices, kept in a storage by their names: every machine that works on it finds its own."""

import json
import re

from study.store.errors import StorageError
from study.store.storage import Storage
from trainables.errors import SpecError
from trainables.limits import Limits

FOLDER = "devices"
MOST_BYTES = 100_000


def keep(storage: Storage, device_name: str, limits: Limits) -> str:
    """Keep the limits of devices of this name, in place of older ones, and return the name of the file."""
    name = file_of(device_name)
    storage.write(name, json.dumps({"device": device_name, **limits.to_json()}, indent=1).encode() + b"\n")
    return name


def kept(storage: Storage, device_name: str) -> Limits | None:
    """The limits of devices of this name; None where they were not measured. SpecError where the file says nothing."""
    name = file_of(device_name)
    try:
        if not storage.exists(name):
            return None
        with storage.open(name) as file:
            said = json.loads(file.read(MOST_BYTES))
        limits = Limits.from_json(said)
        if said.get("device") != device_name:
            raise SpecError(f"it is of device {said.get('device')!r}, not of {device_name!r}.")
        return limits
    except StorageError:  # a bucket that does not answer
        raise
    except (OSError, ValueError, RecursionError, SpecError) as error:
        why = str(error).rstrip(".")
        raise SpecError(
            f"{name} in {storage}: {why}. Remove it, and measure again with `study doctor --calibrate`."
        ) from None


def file_of(device_name: str) -> str:
    """The name of the file for devices of this name."""
    return f"{FOLDER}/{re.sub('[^a-z0-9]+', '-', device_name.lower()).strip('-') or 'unnamed'}.json"
