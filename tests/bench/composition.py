"""How fast does the paper's two-hop model train here, compared with the usual loop? Does it learn what was published?

    python -m tests.bench.composition [--device cpu|cuda] [--steps N] [--baseline-steps N] [--train STEPS] [--json]

Wang et al. 2024 (arXiv 2405.15071): GPT-2 with 8 layers, width 768 and 12 heads, batch 512, 2000 entities, ratio 12.6,
their settings of AdamW, dropout 0.1. The rate is training steps per second without evaluation, the median of several
windows. `engine` is one run in a Pack as in `train_pack`: bfloat16, compiled, replayed as a graph on CUDA, with batches
whose order is computed there (drawn on a CPU). `usual loop` does what the published code does, with torch's own
modules: GPT-2's whole vocabulary of 52,464 at all 10 positions, answer and end mark as labels, a DataLoader, float16
with a GradScaler, torch's AdamW, clipping, and the loss read in every step. The clock starts after compiling and
warming up.

TFLOP/s counts the operations that a step cannot do without (see `needed_flops`), in both ways, and is compared with a
large product in the engine's number format; `computed TFLOP` is what the products of one step really do in that way.
Costs: `Pack.evaluate` on at most 3,000 examples of each split and on `test` alone, both with probes; a checkpoint
copied to the host, and one that is also saved.

On a CPU both ways have a small model, little data, float32 and one thread, which tests this file and gives a ratio. The
loop's vocabulary then shrinks with layers x width, so that its head keeps its share of the operations.

`--train STEPS` trains with evaluations and prints the accuracies beside those of an independent reproduction (test ID).
"""

# N examples, B batch, L tokens, D width, H heads, K head width, V vocabulary

import argparse
import csv
import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from tests.bench import ceilings
from trainables import timing
from trainables.checkpoint import save
from trainables.compiler import Compiling
from trainables.engine import BLOCK_STEPS, train_pack
from trainables.evaluation import Evaluation
from trainables.models import gpt2
from trainables.observation import Observation
from trainables.optimizers import adamw
from trainables.pack import Pack
from trainables.records import Flush
from trainables.spec import RunSpec
from trainables.tasks import composition

PUBLISHED_STEPS, RATIO, EVALUATED = 350_000, 12.6, 3000
PUBLISHED_VOCABULARY, PUBLISHED_LENGTH = 52_464, 10
LEARNING_RATE, BETAS, WARMUP_STEPS, WEIGHT_DECAY, CLIP_NORM, DROPOUT = 1e-4, (0.9, 0.999), 2000, 0.1, 1.0, 0.1
IGNORED = -100
NUM_WARMUPS = 16
DEFAULTS = {
    "cpu": {"layers": 2, "width": 128, "heads": 4, "batch": 128, "entities": 200, "steps": 200, "baseline_steps": 50},
    "cuda": {"layers": 8, "width": 768, "heads": 12, "batch": 512, "entities": 2000, "steps": 2000},
}
DEFAULTS["cuda"]["baseline_steps"] = 300
CURVE = "reference/data/grokked_transformers_curves.csv", "composition_phi12.6_vanilla_repro", "test_id"
"""File in the folder shared/, curve and metric that `--train` compares with."""


def main() -> None:
    options = arguments()
    device = torch.device(options.device)
    if device.type == "cpu":
        torch.set_num_threads(options.threads)
    spec, compiles = spec_of(options, device), ceilings.has_compiler(device)
    peak = timing.product_rate(device, spec.precision)
    if not options.json:
        where = torch.cuda.get_device_name(device) if device.type == "cuda" else f"cpu, {options.threads} thread(s)"
        sizes = ", ".join(
            f"{name} {getattr(options, name)}" for name in ("layers", "width", "heads", "batch", "entities")
        )
        print(f"{where}, torch {torch.__version__}, compiler: {'yes' if compiles else 'no'}; {sizes}")
        print(
            f"peak in {spec.precision} {peak / 1e12:.4g} TFLOP/s; vocabulary {spec.task.vocab_size}, in the usual loop "
            f"{vocabulary(spec)}; {spec.task.num_train:,} examples"
        )
    found = {}
    for name, measure in (("engine", engine_rate), ("usual loop", loop_rate)):
        ceilings.say(name)
        found[name] = ceilings.attempted(measure, options, spec, device, compiles)
        ceilings.tell({"way": name, "found": found[name], "peak": peak}, options.json)
    computed = {"usual loop": loop_flops(spec), "engine": needed_flops(spec)}
    rows = [row(name, found[name], found["usual loop"], spec, computed[name], peak) for name in found]
    costs = found["engine"]["costs"] if isinstance(found["engine"], dict) else {}
    curve = trained(options, spec, compiles) if options.train else []
    if options.json:
        says = "; ".join(f"{row['way']} {row['steps/s']} steps/s" for row in rows)
        return ceilings.tell({"says": says, "ways": rows, "costs": costs, "training": curve}, options.json)
    ceilings.show(rows, as_json=False)
    if costs:
        ceilings.show([{"cost of the engine": name, "ms": value} for name, value in costs.items()], as_json=False)
    if curve:
        ceilings.show(curve, as_json=False)


def row(name: str, found: Any, usual: Any, spec: RunSpec, computed: float, peak: float) -> dict[str, Any]:
    """The table's line for one way; `found` is a word that says why if there is no number."""
    if not isinstance(found, dict):
        found = {"rate": None, "memory": None, "why": found}
    rate, base = found["rate"], usual["rate"] if isinstance(usual, dict) else None
    useful = rate and rate * needed_flops(spec)
    line = {"way": name, "steps/s": rate or found["why"], "ms/step": rate and 1e3 / rate}
    line |= {
        "computed TFLOP": computed / 1e12,
        "TFLOP/s": useful and useful / 1e12,
        "of peak": useful and useful / peak,
    }
    hours = rate and PUBLISHED_STEPS / rate / 3600
    line |= {"peak memory GB": found["memory"], f"hours for {PUBLISHED_STEPS:,} steps": hours}
    return line | {"ratio": rate / base if rate and base else None}


def spec_of(options: argparse.Namespace, device: torch.device) -> RunSpec:
    """The paper's run at the size given by the options."""
    return RunSpec(
        task=composition.Task(entities=options.entities, ratio=RATIO, test_size=EVALUATED),
        model=gpt2.Model(layers=options.layers, width=options.width, heads=options.heads, dropout=DROPOUT),
        optimizer=adamw.Optimizer(
            learning_rate=LEARNING_RATE,
            beta1=BETAS[0],
            beta2=BETAS[1],
            warmup_steps=WARMUP_STEPS,
            weight_decay=WEIGHT_DECAY,
            clip_norm=CLIP_NORM,
            decay_vectors=False,
        ),
        batch_size=options.batch,
        batch_order="hashed" if options.device.startswith("cuda") else "drawn",
        precision="bfloat16" if device.type == "cuda" else "float32",
    )


def needed_flops(spec: RunSpec) -> float:
    """Operations in the matrix products that one step cannot do without, attention included.

    Per example there are 12 D^2 L + 2 L^2 D multiplications in a block of L positions. The last block has keys and
    values at L positions and all else at one, (2 L + 10) D^2 + 2 L D; the output D V occurs once. There are as many
    additions, and the backward pass has two such products for each. Embedding lookups need none.
    """
    width, tokens, depth = spec.model.width, spec.task.num_tokens, spec.model.layers * spec.model.loops
    block = 12 * width**2 * tokens + 2 * tokens**2 * width
    last = (2 * tokens + 10) * width**2 + 2 * tokens * width
    return 6.0 * (spec.batch_size or 0) * ((depth - 1) * block + last + width * spec.task.num_classes)


def loop_flops(spec: RunSpec) -> float:
    """Operations in the matrix products of one step of the usual loop: every block and the head at every position."""
    width, length, depth = spec.model.width, PUBLISHED_LENGTH, spec.model.layers * spec.model.loops
    block = 12 * width**2 * length + 2 * length**2 * width
    return 6.0 * (spec.batch_size or 0) * (depth * block + width * vocabulary(spec) * length)


def vocabulary(spec: RunSpec) -> int:
    """Tokens in the usual loop: the published number at the published size, scaled with layers x width below it."""
    share = spec.model.layers * spec.model.width / (8 * 768)
    return max(math.ceil(PUBLISHED_VOCABULARY * share / 8) * 8, spec.task.vocab_size)


def engine_rate(options: argparse.Namespace, spec: RunSpec, device: torch.device, compiles: bool) -> dict[str, Any]:
    """Steps per second, the peak memory in GB, and what evaluation and checkpoints cost in ms."""
    pack = Pack([spec], device, Compiling("on" if compiles else "off"), evaluation_examples=EVALUATED)

    def train(num_steps: int) -> None:
        for start in range(0, num_steps, BLOCK_STEPS):
            pack.train(min(BLOCK_STEPS, num_steps - start))

    started = time.perf_counter()
    train(NUM_WARMUPS)
    timing.synchronize(device)
    ceilings.say(f"compiled and warm after {time.perf_counter() - started:.1f} s")
    rate = windows(train, options.steps, device)
    memory = peak_memory(device)
    evaluated = sum(data.size for data in pack.evaluation.splits.values())
    costs = {f"evaluation of {evaluated:,} examples": milliseconds(pack.evaluate, device)}
    test = pack.evaluation.splits["test"]
    pack.evaluation = Evaluation(spec, pack.layout, {"test": test}, pack.evaluation.score)
    costs[f"of those of test, {test.size:,}"] = milliseconds(pack.evaluate, device)
    costs["checkpoint on the host"] = milliseconds(pack.checkpoint, device)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        costs["and on disk"] = milliseconds(lambda: save(Path(folder) / "state", pack.checkpoint()), device)
    return {"rate": rate, "memory": memory, "costs": costs}


def windows(train: Any, steps: int, device: torch.device) -> float:
    """Steps per second of `train(num_steps)`: the median of several windows with `steps` steps in total."""
    each = max(1, steps // timing.NUM_WINDOWS)
    return statistics.median(each / timing.timed(lambda: train(each), 1, device) for _ in range(timing.NUM_WINDOWS))


def milliseconds(call: Any, device: torch.device) -> float:
    """Milliseconds of a warm call, the median of three."""
    call()
    return 1e3 * statistics.median(timing.timed(call, 1, device) for _ in range(3))


def peak_memory(device: torch.device) -> float | None:
    """Peak GB in use on a GPU since `ceilings.attempted` last reset it; None on a CPU."""
    return torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else None


def loop_rate(options: argparse.Namespace, spec: RunSpec, device: torch.device, compiles: bool) -> dict[str, Any]:
    """Steps per second of the usual loop, and its peak memory in GB. As in the published code it is not compiled."""
    loop = UsualLoop(spec, device)
    loop.train(NUM_WARMUPS)
    return {"rate": windows(loop.train, options.baseline_steps, device), "memory": peak_memory(device)}


class Sequences(Dataset):
    """Examples as in the published code: query, answer, end mark, padding on the right; labels for answer and mark."""

    def __init__(self, spec: RunSpec) -> None:
        train, task = spec.task.build(spec.data_seed)["train"], spec.task
        end, filler = task.pad + 1, vocabulary(spec) - 1  # any two unused tokens
        is_pad_NL = train.inputs_NL == task.pad
        moved_NL = (torch.arange(task.num_tokens) + is_pad_NL.sum(1, keepdim=True)) % task.num_tokens
        count_N1 = (~is_pad_NL).sum(1, keepdim=True)
        self.tokens_NL = torch.full((len(count_N1), PUBLISHED_LENGTH), filler)
        self.tokens_NL[:, : task.num_tokens] = train.inputs_NL.gather(1, moved_NL)
        self.tokens_NL.scatter_(1, count_N1, train.targets_N[:, None]).scatter_(1, count_N1 + 1, end)
        place_L = torch.arange(PUBLISHED_LENGTH)
        is_label_NL = (place_L == count_N1) | (place_L == count_N1 + 1)
        self.labels_NL = self.tokens_NL.where(is_label_NL, IGNORED)

    def __len__(self) -> int:
        return len(self.tokens_NL)

    def __getitem__(self, example: int) -> dict[str, Tensor]:
        return {"input_ids": self.tokens_NL[example], "labels": self.labels_NL[example]}


class PlainBlock(nn.Module):
    """A block of GPT-2 made of torch's own modules."""

    def __init__(self, model: gpt2.Model) -> None:
        super().__init__()
        self.heads = model.heads
        self.norms = nn.ModuleList(nn.LayerNorm(model.width) for _ in range(2))
        self.query_key_value = nn.Linear(model.width, 3 * model.width)
        self.output = nn.Linear(model.width, model.width)
        self.mlp_in = nn.Linear(model.width, 4 * model.width)
        self.mlp_out = nn.Linear(4 * model.width, model.width)

    def forward(self, x_NLD: Tensor) -> Tensor:
        parts_NLD = self.query_key_value(self.norms[0](x_NLD)).chunk(3, dim=-1)
        q_NHLK, k_NHLK, v_NHLK = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts_NLD)
        rate = DROPOUT if self.training else 0.0
        mixed_NHLK = F.scaled_dot_product_attention(q_NHLK, k_NHLK, v_NHLK, dropout_p=rate, is_causal=True)
        x_NLD = x_NLD + F.dropout(self.output(mixed_NHLK.transpose(1, 2).flatten(2)), DROPOUT, self.training)
        inner_NLE = F.gelu(self.mlp_in(self.norms[1](x_NLD)), approximate="tanh")
        return x_NLD + F.dropout(self.mlp_out(inner_NLE), DROPOUT, self.training)


class PlainGPT2(nn.Module):
    """Maps tokens (N, L) to logits of every next token (N, L, V); the output is tied to the embedding."""

    def __init__(self, model: gpt2.Model, vocab_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, model.width)
        self.positions = nn.Embedding(1024, model.width)
        self.blocks = nn.ModuleList(PlainBlock(model) for _ in range(model.layers))
        self.norm = nn.LayerNorm(model.width)
        for name, weight in self.named_parameters():
            if weight.ndim > 1:
                residual = name.endswith(("output.weight", "mlp_out.weight"))
                nn.init.normal_(weight, std=0.02 / (2 * model.layers) ** 0.5 if residual else 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(weight)

    def forward(self, tokens_NL: Tensor) -> Tensor:
        place_L = torch.arange(tokens_NL.shape[1], device=tokens_NL.device)
        x_NLD = F.dropout(self.embedding(tokens_NL) + self.positions(place_L), DROPOUT, self.training)
        for block in self.blocks:
            x_NLD = block(x_NLD)
        return F.linear(self.norm(x_NLD), self.embedding.weight)


class UsualLoop:
    """The published training loop for one run; on a CPU it uses float32, and the scaler and the casts do nothing."""

    def __init__(self, spec: RunSpec, device: torch.device) -> None:
        torch.manual_seed(spec.seed)
        self.device, self.half = device, device.type == "cuda"
        self.model = PlainGPT2(spec.model, vocabulary(spec)).to(device)
        weights = list(self.model.parameters())
        groups = [
            {"params": [w for w in weights if w.ndim > 1], "weight_decay": WEIGHT_DECAY},
            {"params": [w for w in weights if w.ndim == 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=BETAS)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: min(1.0, step / WARMUP_STEPS))
        self.scaler = torch.amp.GradScaler("cuda", enabled=self.half)
        loader = DataLoader(Sequences(spec), spec.batch_size, shuffle=True, drop_last=True)
        self.batches: Iterator[dict[str, Tensor]] = (batch for _ in itertools.count() for batch in loader)

    def train(self, num_steps: int) -> None:
        """`num_steps` optimizer steps; the host reads the loss of each."""
        for batch in itertools.islice(self.batches, num_steps):
            tokens_NL, labels_NL = (batch[name].to(self.device) for name in ("input_ids", "labels"))
            with torch.autocast(self.device.type, torch.float16 if self.half else torch.bfloat16, enabled=self.half):
                logits_NLV = self.model(tokens_NL)
                loss = F.cross_entropy(logits_NLV[:, :-1].flatten(0, 1), labels_NL[:, 1:].flatten())
            self.scaler.scale(loss).backward()
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
            self.scaler.step(self.optimizer)
            self.scaler.update()
            self.schedule.step()
            self.optimizer.zero_grad()
            self.loss = loss.item()


def trained(options: argparse.Namespace, spec: RunSpec, compiles: bool) -> list[dict[str, Any]]:
    """Accuracies of a training run at log-spaced steps, with those of the reproduction where they are known."""
    accuracy: dict[tuple[int, str], float] = {}
    seconds: dict[int, float] = {}
    started = time.perf_counter()

    def record(flush: Flush) -> None:
        columns = flush.metrics
        for step, split, metric, value in zip(*(columns[n] for n in ("step", "split", "metric", "value")), strict=True):
            if metric == "accuracy":
                accuracy[int(step), str(split)] = float(value)
        last = max((step for step, _ in accuracy), default=0)
        seconds[last] = time.perf_counter() - started
        ceilings.say(f"step {last}: test accuracy {accuracy.get((last, 'test'), 0):.3f} after {seconds[last]:.0f} s")

    choice, observe = "on" if compiles else "off", Observation(evaluation_examples=EVALUATED, evaluations_per_decade=12)
    train_pack([spec], horizon=options.train, record=record, observe=observe, device=options.device, compile=choice)
    ceilings.say(f"{options.train} steps with evaluations took {time.perf_counter() - started:.0f} s")
    published = published_curve()
    names = ("train_inferred", "id_atomic", "ood_atomic", "test", "ood")
    return [
        {"step": step, **{name: accuracy[step, name] for name in names}, "published test": at(published, step)}
        for step in sorted({step for step, split in accuracy if split == "test"})
        if step >= min(options.train, 100)
    ]


def published_curve() -> list[tuple[int, float]]:
    """(step, test accuracy) of the reproduction, ascending; empty if its file is missing."""
    name, curve, metric = CURVE
    repository = Path(__file__).resolve().parents[2]
    for folder in (repository.parent / "shared", repository / "shared"):
        if (folder / name).exists():
            with open(folder / name, newline="") as file:
                rows = [line for line in csv.DictReader(file) if (line["curve"], line["metric"]) == (curve, metric)]
            return sorted((int(float(line["step"])), float(line["value"])) for line in rows)
    return []


def at(curve: list[tuple[int, float]], step: int) -> float | None:
    """The curve at a step, interpolated linearly in log(step); None outside its range."""
    for (before, low), (after, high) in itertools.pairwise(curve):
        if before <= step <= after:
            return low + (high - low) * math.log(step / before) / math.log(after / before)
    return None


def arguments() -> argparse.Namespace:
    """The command line, with defaults that follow the device."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    for name in DEFAULTS["cpu"]:
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N")
    parser.add_argument("--train", type=int, metavar="STEPS", help="train and compare with the published curve, too")
    parser.add_argument("--threads", type=int, default=1, help="on a CPU; a worker uses 1")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for name, value in DEFAULTS[torch.device(options.device).type].items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


if __name__ == "__main__":
    main()
