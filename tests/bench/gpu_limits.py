"""What `study doctor --calibrate` measures of a device, and what follows for packs of some studies.

python -m tests.bench.gpu_limits [--device cuda]
"""

import argparse
import json

from trainables.calibration import calibrate
from trainables.device import PROFILES, device_name, resolve_device


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    device = resolve_device(parser.parse_args().device)
    found = calibrate(device, lambda what, number: print(json.dumps({what: number}), flush=True))
    largest = {
        precision: {
            f"{flops:.0e}": PROFILES[device.type].of(found).most_runs(precision, flops) for flops in (1e8, 1e10, 5e11)
        }
        for precision in found.products_per_second
    }
    products = ", ".join(f"{rate / 1e12:.3g} in {name}" for name, rate in found.products_per_second.items())
    says = f"{device_name(device)}: {products} TFLOP/s, copies {found.bytes_per_second / 1e12:.3g} TB/s"
    print(json.dumps({"says": says, "limits": found.to_json(), "runs of a pack by operations": largest}))


if __name__ == "__main__":
    main()
