"""requirements.lock as data."""

from pathlib import Path

from packaging.requirements import Requirement

LOCK = Path(__file__).parents[2] / "requirements.lock"


def requirements() -> list[Requirement]:
    """Every line of the lock; a line that is no requirement raises."""
    lines = [line.partition("#")[0].strip() for line in LOCK.read_text().splitlines()]
    return [Requirement(line) for line in lines if line]


def releases(python: str) -> dict[str, str]:
    """The release of each package on Linux x86-64 with a Python such as `3.12`; two for one package fail."""
    machine = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"}
    environment = {**machine, "python_version": python, "python_full_version": f"{python}.0"}
    pins = [pin for pin in requirements() if pin.marker is None or pin.marker.evaluate(environment)]
    found = {pin.name: str(pin.specifier).removeprefix("==") for pin in pins}
    assert len(found) == len(pins)
    return found
