"""How fast does one process train packs of runs, compared with a run that trains alone and with the machine's limits?

    python -m tests.bench.engine [--device cpu|cuda] [--widths 32,128] [--packs 1,16,64] [--batch 512] [--json]

Needs torch, numpy and safetensors, but neither Ray nor a store. A run is a one-layer transformer on addition modulo p
with AdamW in float32. The rates are run-steps per second, the median of several windows. `engine` is a Pack as in
`train_pack`, compiled, replayed as a graph on CUDA, with the ordering of batches. `eager` is one run as the usual
PyTorch loop. `graph or compiled` is that loop in a hand-made CUDA graph with a capturable AdamW, or with a compiled
model on a CPU. Operations and bytes are those that a step cannot do without (see ceilings.py); a CPU's caches save some
of the bytes. Packs go from small to large; `--seconds` is per measurement, without compiling; after `--minutes` no
further size is started.
"""

# N examples, B batch, L tokens, D width, H heads, K head width

import argparse
import itertools
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.bench import ceilings
from trainables import timing
from trainables.compiler import Compiling
from trainables.engine import BLOCK_STEPS
from trainables.models import transformer
from trainables.optimizers import adamw
from trainables.pack import Pack
from trainables.spec import RunSpec
from trainables.tasks import modular

NUM_WARMUPS = 8
COLUMNS = ("width", "pack", "engine", "eager", "ratio", "graph or compiled", "ratio to it", "FLOP/s", "of float32 peak")
COLUMNS += ("bytes/s", "of copy", "share of ordering", "memory GB")
DEFAULTS = {
    "cpu": {"widths": "32,128", "packs": "1,16,64", "batch": 64, "seconds": 2.0, "minutes": 2.5},
    "cuda": {"widths": "32,64,128,256", "packs": "1,4,16,64,256,1024", "batch": 512, "seconds": 3.0, "minutes": 4.5},
}


def main() -> None:
    options = arguments()
    device = torch.device(options.device)
    cuda = device.type == "cuda"
    if not cuda:
        torch.set_num_threads(options.threads)
    deadline = time.monotonic() + 60 * options.minutes
    best, compiles, rows = ceilings.measured(device), ceilings.has_compiler(device), []
    ceilings.tell({"ceilings": best}, options.json)
    for width in options.widths:
        torch._dynamo.reset()
        ceilings.say(f"width {width}, alone")
        eager = ceilings.attempted(lone_rate, options, width, device, False)
        lone = ceilings.attempted(lone_rate, options, width, device, True) if cuda or compiles else None
        counts = (width, options.batch, options.p)
        flops, moved, found = ceilings.step_flops(*counts), ceilings.step_bytes(*counts), None
        for runs in options.packs:
            ceilings.say(f"width {width}, packs of {runs}")
            if time.monotonic() > deadline:
                found = "time is up"
            elif found != ceilings.OUT_OF_MEMORY:  # else a larger pack would run out of memory, too
                found = ceilings.attempted(engine_rate, options, width, runs, device, compiles)
            rate, ordering, memory = found if isinstance(found, tuple) else (found, None, None)
            ratios = over(rate, eager), lone, over(rate, lone)
            done, carried = over(rate, 1 / flops), over(rate, 1 / moved)
            reached = done, over(done, best["float32 FLOP/s"]), carried, over(carried, best["copy bytes/s"])
            rows.append(
                dict(zip(COLUMNS, (width, runs, rate, eager, *ratios, *reached, ordering, memory), strict=True))
            )
            ceilings.tell(rows[-1], options.json)
    if options.json:
        return
    where = torch.cuda.get_device_name(device) if cuda else f"cpu, {options.threads} thread(s)"
    print(f"{where}, torch {torch.__version__}, batch {options.batch}, compiler: {'yes' if compiles else 'no'}")
    print("ceilings: " + ", ".join(f"{name} {value:.3g}" for name, value in best.items()))
    ceilings.show(rows, as_json=False)


def over(rate: float | str | None, other: float | str | None) -> float | None:
    """The ratio of the two, or None if one of them is not a number."""
    return rate / other if isinstance(rate, float) and isinstance(other, float) else None


def engine_rate(
    options: argparse.Namespace, width: int, runs: int, device: torch.device, compiles: bool
) -> tuple[float, float, float | None]:
    """Run-steps per second of a pack, what ordering batches takes of that time where nothing goes on beside it, and the
    peak in GB on CUDA."""
    model, optimizer = transformer.Model(width=width, heads=ceilings.HEADS), adamw.Optimizer(weight_decay=1.0)
    specs = [
        RunSpec(
            task=modular.Task(p=options.p),
            model=model,
            optimizer=optimizer,
            batch_size=options.batch,
            batch_order="hashed" if options.device.startswith("cuda") else "drawn",
            seed=seed,
        )
        for seed in range(runs)
    ]
    pack = Pack(specs, device, Compiling("on" if compiles else "off"), evaluation_examples=1)
    pack.train(NUM_WARMUPS)
    step_seconds = timing.timed(lambda: pack.train(4), 1, device) / 4
    block = min(max(int(options.seconds / timing.NUM_WINDOWS / step_seconds), 1), BLOCK_STEPS)
    rate = statistics.median(timing.rates(lambda: pack.train(block), options.seconds, device))
    memory = torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else None
    steps = itertools.count(pack.step, block)
    ordering = statistics.median(timing.rates(lambda: pack.training.order.block(next(steps), block), 0.3, device))
    return rate * block * runs, rate / ordering, memory


class PlainTransformer(nn.Module):
    """The model of trainables/models/transformer.py with one layer, as most people would write it for a single run."""

    def __init__(self, width: int, p: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(p + 1, width)
        self.positions = nn.Parameter(torch.empty(ceilings.NUM_TOKENS, width))
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.mlp_in = nn.Linear(width, 4 * width, bias=False)
        self.mlp_out = nn.Linear(4 * width, width, bias=False)
        self.unembedding = nn.Linear(width, p, bias=False)
        for weight in self.parameters():
            nn.init.normal_(weight, std=weight.shape[1] ** -0.5)

    def forward(self, tokens_NL: Tensor) -> Tensor:
        x_NLD = self.embedding(tokens_NL) + self.positions
        parts_NLD = self.query_key_value(x_NLD).chunk(3, dim=-1)
        q_NHLK, k_NHLK, v_NHLK = (part.unflatten(-1, (ceilings.HEADS, -1)).transpose(1, 2) for part in parts_NLD)
        mixed_NHLK = F.scaled_dot_product_attention(q_NHLK, k_NHLK, v_NHLK, is_causal=True)
        x_NLD = x_NLD + self.output(mixed_NHLK.transpose(1, 2).flatten(2))
        return self.unembedding((x_NLD + self.mlp_out(F.relu(self.mlp_in(x_NLD))))[:, -1])


class LoneRun:
    """One run as the usual loop: shuffle every epoch; for each batch compute loss and gradient, then step AdamW."""

    def __init__(self, options: argparse.Namespace, width: int, device: torch.device, capturable: bool) -> None:
        data = modular.Task(p=options.p).build(0)["train"]
        self.inputs_NL, self.targets_N = data.inputs_NL.to(device), data.targets_N.to(device)
        self.batch, self.waiting = options.batch, []
        self.model = PlainTransformer(width, options.p).to(device)
        self.call: Callable[[Tensor], Tensor] = self.model
        weights, numbers = self.model.parameters(), {"lr": 1e-3, "betas": (0.9, 0.98), "weight_decay": 1.0}
        self.optimizer = torch.optim.AdamW(weights, **numbers, capturable=capturable)

    def next_batch(self) -> Tensor:
        """Indices of the next batch's examples; the incomplete batch at the end of an epoch is left out."""
        if not self.waiting:
            order_N = torch.randperm(len(self.targets_N), device=self.targets_N.device)
            self.waiting = list(order_N[: len(order_N) // self.batch * self.batch].split(self.batch))
        return self.waiting.pop()

    def step(self, batch_B: Tensor | None = None) -> None:
        """One optimizer step on these examples, or on the next batch."""
        batch_B = self.next_batch() if batch_B is None else batch_B
        self.optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(self.call(self.inputs_NL[batch_B]), self.targets_N[batch_B]).backward()
        self.optimizer.step()

    def captured_step(self) -> Callable[[], None]:
        """`step` as a CUDA graph."""
        batch_B = self.next_batch().clone()  # the graph reads it at this address
        side = torch.cuda.Stream(batch_B.device)
        side.wait_stream(torch.cuda.current_stream(batch_B.device))
        with torch.cuda.stream(side):  # lazy initialisation must not be captured
            for _ in range(NUM_WARMUPS):
                self.step(batch_B)
        torch.cuda.current_stream(batch_B.device).wait_stream(side)
        self.optimizer.zero_grad(set_to_none=True)  # so that the captured backward pass allocates its own gradients
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.step(batch_B)

        def replay() -> None:
            batch_B.copy_(self.next_batch())
            graph.replay()

        return replay


def lone_rate(options: argparse.Namespace, width: int, device: torch.device, best: bool) -> float:
    """Steps per second of the usual loop; `best` puts it into a CUDA graph, or compiles it on a CPU."""
    captured = best and device.type == "cuda"
    run = LoneRun(options, width, device, capturable=captured)
    if best and not captured:
        run.call = torch.compile(run.model)
    step = run.captured_step() if captured else run.step
    return statistics.median(timing.rates(step, options.seconds, device))


def arguments() -> argparse.Namespace:
    """The command line, with defaults that follow the device."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    for name, value in DEFAULTS["cpu"].items():
        parser.add_argument(f"--{name}", type=type(value), metavar="N,N" if isinstance(value, str) else "N")
    parser.add_argument("--p", type=int, default=97)
    parser.add_argument("--threads", type=int, default=1, help="on a CPU; a worker uses 1")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for name, value in DEFAULTS[torch.device(options.device).type].items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    options.widths, options.packs = ([int(n) for n in text.split(",")] for text in (options.widths, options.packs))
    return options


if __name__ == "__main__":
    main()
