"""The study of `tests.bench.packing` as a careful researcher writes it by hand for this one question: all runs in one
`torch.vmap`, compiled, without Ray, a store, checkpoints, or anything that outlives a crash.

    python -m tests.bench.vmap_script FOLDER [--steps 2000] [--width 32] [--batch 64] [--threads N]

FOLDER has `runs.json`, and gets `final.json`: each run's last accuracies on train and test. Each core has a process
that trains its part of the runs. Evaluations are not compiled, and batches are drawn before training.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call, grad, stack_module_state, vmap

from tests.bench import ceilings
from tests.bench.engine import PlainTransformer
from tests.bench.packing import EXAMPLES, LEARNING_RATE, P
from trainables.schedule import evaluation_steps

BETA1, BETA2, EPSILON = 0.9, 0.98, 1e-8
PACK = 32
"""Runs in one product, as many as the study has in a pack: with more, their weights leave the caches."""


class Transformer(PlainTransformer):
    """Computed for the last position alone, which is all that the loss reads, with attention written out: torch 2.13
    has no rule by which `vmap` batches the fused one on a CPU."""

    def forward(self, tokens_NL: Tensor) -> Tensor:
        x_NLD = self.embedding(tokens_NL) + self.positions
        parts_NLD = self.query_key_value(x_NLD).chunk(3, dim=-1)
        q_NHLK, k_NHLK, v_NHLK = (part.unflatten(-1, (ceilings.HEADS, -1)).transpose(1, 2) for part in parts_NLD)
        scores_NH1L = q_NHLK[:, :, -1:] @ k_NHLK.mT * q_NHLK.shape[-1] ** -0.5
        mixed_ND = (scores_NH1L.softmax(-1) @ v_NHLK).flatten(1)
        x_ND = x_NLD[:, -1] + self.output(mixed_ND)
        return self.unembedding(x_ND + self.mlp_out(F.relu(self.mlp_in(x_ND))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    for name, value in {"steps": 2000, "width": 32, "batch": 64, "threads": ceilings.num_cores()}.items():
        parser.add_argument(f"--{name}", type=int, default=value, metavar="N")
    options = parser.parse_args()
    runs = json.loads((options.folder / "runs.json").read_text())
    packs = [runs[first : first + PACK] for first in range(0, len(runs), PACK)]
    train_pack = partial(train, steps=options.steps, width=options.width, batch=options.batch)
    with ProcessPoolExecutor(options.threads, get_context("spawn")) as processes:
        found = processes.map(train_pack, packs)
    (options.folder / "final.json").write_text(json.dumps([pair for accuracies in found for pair in accuracies]))


def train(runs: list[dict[str, Any]], steps: int, width: int, batch: int) -> list[tuple[float, float]]:
    """Train these runs together; their last accuracies on train and test."""
    torch.set_num_threads(1)
    pairs = torch.cartesian_prod(torch.arange(P), torch.arange(P))
    inputs_NL, targets_N = torch.cat([pairs, torch.full((len(pairs), 1), P)], dim=1), pairs.sum(1) % P
    order_RSB, shown_RE, models = [], {"train": [], "test": []}, []
    for run in runs:
        torch.manual_seed(run["seed"])
        shuffled, num_train = torch.randperm(len(pairs)), round(run["task.train_fraction"] * len(pairs))
        shown_RE["train"].append(shuffled[:EXAMPLES])
        shown_RE["test"].append(shuffled[num_train:][:EXAMPLES])
        models.append(Transformer(width, P))
        whole, epochs = num_train // batch * batch, -(-steps // (num_train // batch))
        order = torch.cat([shuffled[torch.randperm(num_train)[:whole]] for _ in range(epochs)])
        order_RSB.append(order[: steps * batch].unflatten(0, (steps, batch)))
    order_SRB = torch.stack(order_RSB, dim=1)
    shown = {split: torch.stack(members) for split, members in shown_RE.items()}
    weights, _ = stack_module_state(models)
    weights = {name: weight.detach() for name, weight in weights.items()}
    moments = [{name: torch.zeros_like(weight) for name, weight in weights.items()} for _ in range(2)]
    decay_R = torch.tensor([run["optimizer.weight_decay"] for run in runs])

    def loss(weights: dict[str, Tensor], tokens_BL: Tensor, targets_B: Tensor) -> Tensor:
        return F.cross_entropy(functional_call(models[0], weights, (tokens_BL,)), targets_B)

    @torch.compile
    def step(batch_RB: Tensor, corrections: Tensor) -> None:
        gradients = vmap(grad(loss))(weights, inputs_NL[batch_RB], targets_N[batch_RB])
        for name, gradient in gradients.items():
            weight, first, second = weights[name], moments[0][name], moments[1][name]
            shape = (-1, *[1] * (weight.ndim - 1))
            first.lerp_(gradient, 1 - BETA1)
            second.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
            update = first / corrections[0] / ((second / corrections[1]).sqrt() + EPSILON)
            weight.mul_(1 - LEARNING_RATE * decay_R.view(shape)).sub_(LEARNING_RATE * update)

    @torch.no_grad()
    def evaluated(members_RE: Tensor) -> tuple[Tensor, Tensor]:
        logits_REC = vmap(lambda each, tokens: functional_call(models[0], each, (tokens,)))(
            weights, inputs_NL[members_RE]
        )
        answers_RE = targets_N[members_RE]
        losses_RE = F.cross_entropy(logits_REC.flatten(0, 1), answers_RE.flatten(), reduction="none")
        return losses_RE.view_as(answers_RE).mean(1), (logits_REC.argmax(2) == answers_RE).float().mean(1)

    done, measured = 0, {}
    for target in evaluation_steps(steps):
        for number in range(done, target):
            corrections = torch.tensor([1 - BETA1 ** (number + 1), 1 - BETA2 ** (number + 1)])
            step(order_SRB[number], corrections)
        done = target
        measured = {split: evaluated(members) for split, members in shown.items()}
    return torch.stack([measured[split][1] for split in ("train", "test")], dim=1).tolist()


if __name__ == "__main__":
    main()
