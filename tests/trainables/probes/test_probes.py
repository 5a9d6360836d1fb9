"""Order parameters: finite numbers for every run, and the textbook values where the textbook has one."""

import math

import pytest
import torch

from study.check.probe import MODELS, TASKS, checks
from trainables.components import available, load
from trainables.models import dense
from trainables.models.mlp import gromov_weights
from trainables.probes import fourier, live_units, rqi, weight_norm
from trainables.seeds import generator
from trainables.tasks import digits, integer_addition, modular, parities
from trainables.tasks.modular import primitive_powers

NAMES = available("trainables.probes")
MEASURED = [name for name in NAMES if hasattr(load("trainables.probes", name), "measure")]
"""The cheap ones; mechanistic ones are in test_mechanism.py."""


@pytest.mark.parametrize("name", NAMES)
def test_every_probe_passes_the_checks_that_a_users_probe_gets(name):
    rows = list(checks(load("trainables.probes", name)))
    assert len(rows) == (3 if name in MEASURED else 1)
    own_tests = ("backprop_signal", "kernel_alignment", "pathway", "progress_measures")
    asks_for_more = name in own_tests  # networks of two layers, experts, addition
    assert [row for row in rows if not row.ok and (row.ok is False or not asks_for_more)] == []


def test_no_two_probes_record_the_same_metric():
    params = dict(MODELS[1].build(TASKS[0], generator("init", 0)).named_parameters())
    names = [metric for name in MEASURED for metric in load("trainables.probes", name).measure(params, TASKS[0])]
    assert len(names) == len(set(names))


def test_a_weight_norm_is_the_root_of_the_sum_of_squares_and_its_layers_add_up():
    params = dict(MODELS[1].build(TASKS[0], generator("init", 0)).named_parameters())
    values = weight_norm.measure(params, TASKS[0])
    everything = torch.cat([weight.flatten() for weight in params.values()])
    assert values["weight_norm"].item() == pytest.approx(everything.norm().item(), rel=1e-6)
    layers = {name.removeprefix("weight_norm.") for name in values} - {"weight_norm"}
    assert layers == {"embedding", "positions", "blocks.0", "blocks.1", "norm", "unembedding"}
    squares = sum(values[f"weight_norm.{layer}"].item() ** 2 for layer in layers)
    assert squares == pytest.approx(values["weight_norm"].item() ** 2, rel=1e-5)


def wave(p: int, *frequencies: int) -> torch.Tensor:
    angle_P = 2 * math.pi * torch.arange(p, dtype=torch.float64) / p
    return sum(torch.cos(f * angle_P + f) for f in frequencies).float()[:, None]  # pyright: ignore


def test_concentration_is_one_over_the_number_of_equal_waves(subtests):
    for frequencies, expected in [((3,), 1.0), ((1, 5), 1 / 2), ((1, 2, 3, 4), 1 / 4)]:
        with subtests.test(frequencies=frequencies, expected=expected):
            table = 5 * wave(23, *frequencies) + 2
            assert fourier.concentration(table).item() == pytest.approx(expected, rel=1e-4)


def test_random_weights_have_the_concentration_of_noise():
    table = torch.randn(97, 2000, generator=torch.Generator().manual_seed(0))
    assert fourier.concentration(table).mean().item() == pytest.approx(2 / 48, rel=0.05)


def test_weights_of_zero_have_no_concentration_and_no_nan():
    assert fourier.concentration(torch.zeros(23, 3)).tolist() == [0.0, 0.0, 0.0]


def test_the_known_solution_is_one_wave_per_unit_in_all_three_tables():
    params = gromov_weights(23, 16, generator("gromov", 0))
    tables = fourier.residue_tables(params, 23)
    assert [tuple(table.shape) for table in tables] == [(23, 16)] * 3
    assert fourier.measure(params, modular.Task(p=23))["fourier_ipr"].item() == pytest.approx(1.0, abs=1e-4)


def test_products_are_periodic_in_the_order_of_primitive_powers_only():
    p, waves = 23, torch.cat([wave(22, f) for f in (1, 4, 7)], dim=1)
    table = torch.zeros(p, 3)
    table[primitive_powers(p)] = waves
    params = {"embedding": torch.cat([table, torch.randn(1, 3)])}
    product = fourier.measure(params, modular.Task(p=p, operation="mul"))["fourier_ipr"].item()
    total = fourier.measure(params, modular.Task(p=p, operation="add"))["fourier_ipr"].item()
    assert product == pytest.approx(1.0, abs=1e-4)
    assert total < 0.4


def test_a_table_of_tokens_is_read_without_its_equals_sign():
    params = {"embedding": torch.cat([wave(11, 2), torch.full((1, 1), 1e6)]), "unembedding": wave(11, 3).T}
    tables = fourier.residue_tables(params, 11)
    assert [tuple(table.shape) for table in tables] == [(11, 1), (11, 1)]
    assert fourier.measure(params, modular.Task(p=11))["fourier_ipr"].item() == pytest.approx(1.0, abs=1e-4)


def test_a_model_whose_tables_are_others_has_no_numbers_of_them(subtests):
    """Somebody's own model may call its weights anything."""
    sums = integer_addition.Task(p=5)
    shapes = (
        {"fc": (4, 3)},
        {"hidden": (3, 8)},
        {"hidden": (36, 8)},
        {"embedding": (4, 3)},
        {"embedding": (4,), "unembedding": (3, 2)},
    )
    for named in shapes:
        params = {name: torch.randn(shape) for name, shape in named.items()}
        with subtests.test(named=named):
            assert fourier.measure(params, modular.Task(p=11)) == {}
            assert rqi.measure(params, sums) == {}


def test_tasks_without_an_order_of_residues_have_no_concentration():
    assert fourier.measure({"embedding": torch.randn(13, 2)}, modular.Task(p=12, operation="mul")) == {}
    assert fourier.measure({"embedding": torch.randn(13, 2)}, object()) == {}


def test_live_units_are_those_whose_way_in_and_out_is_above_a_tenth_of_the_largest():
    into, out = torch.zeros(3, 5), torch.zeros(5, 2)
    into[0], out[:, 1] = torch.tensor([1.0, 1.0, 10.0, 2.0, 0.0]), torch.tensor([1.0, 0.09, 0.1, 0.06, 9.0])
    for name in ("hidden", "hidden_1"):  # sizes 1, 0.09, 1, 0.12 and 0
        assert live_units.measure({name: into, "unembedding": out}, None)["live_units"].item() == pytest.approx(3 / 5)


def test_almost_all_units_are_live_at_the_start_and_only_networks_with_one_hidden_layer_have_the_number(subtests):
    bits = parities.Task()
    params = dict(dense.Model(width=300).build(bits, generator("init", 0)).named_parameters())
    assert live_units.measure(params, bits)["live_units"].item() > 0.95
    for model, task in [
        (dense.Model(layers=2), digits.Task()),
        (MODELS[1], TASKS[0]),
        (load("trainables.models", "decoder").Model(layers=1), integer_addition.Task(p=5)),
    ]:
        with subtests.test(model=model):
            params = dict(model.build(task, generator("init", 0)).named_parameters())
            assert live_units.measure(params, task) == {}
