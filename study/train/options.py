"""How to run, as opposed to what: the options of `study run`, `search`, `extend` and `submit`."""

from dataclasses import dataclass

from study.plan.packing import Share
from study.train.address import check_address
from study.train.asha import PRUNERS
from trainables.compiler import CHOICES
from trainables.components import closest
from trainables.device import DEVICES
from trainables.errors import SpecError


@dataclass(frozen=True)
class Options:
    """How to run, as opposed to what."""

    device: str = "auto"
    pack_size: int | None = None
    address: str = "auto"
    compile: str = "auto"
    runs: int | None = None
    flush_seconds: float = 10.0
    hang_seconds: float = 1800.0
    prune: str | None = None
    retrain: bool = False
    """Train runs anew that the store has from an older source of a user's own part."""
    cpus_per_pack: int = 1
    gpus_per_pack: float = 1.0

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise SpecError(f"--device {self.device!r} is not known. {closest(self.device, list(DEVICES))}")
        check_address(self.address)
        if self.compile not in CHOICES:
            raise SpecError(f"--compile {self.compile!r} is not known. {closest(self.compile, list(CHOICES))}")
        if self.prune not in (None, *PRUNERS):
            raise SpecError(f"--prune {self.prune!r} is not known. {closest(self.prune, list(PRUNERS))}")
        for name in ("pack_size", "runs", "cpus_per_pack"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SpecError(f"--{name.replace('_', '-')} must be 1 or larger, got {value}.")
        if not 0 < self.gpus_per_pack <= 1:
            raise SpecError(f"--gpus-per-pack must be in (0, 1], got {self.gpus_per_pack:g}.")
        if not self.flush_seconds >= 0:
            raise SpecError(f"--flush-seconds must be 0 or larger, got {self.flush_seconds:g}.")
        if not self.hang_seconds > self.flush_seconds:
            raise SpecError(
                f"--hang-seconds must be larger than --flush-seconds {self.flush_seconds:g}, got {self.hang_seconds:g}."
            )

    @property
    def share(self) -> Share:
        """What a pack gets of the machine that trains it."""
        return Share(self.cpus_per_pack, self.gpus_per_pack)
