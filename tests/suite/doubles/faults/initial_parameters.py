"""Faults of the initial parameters of models."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np

from assay.contract import Parameters
from doubles.dependent_draws import opposite_from_the_end, shuffled_grid
from doubles.faulty import Fault
from doubles.initial_draws import initial_layers_in_turn, initial_of, seed_of_30_bits, with_kernel
from doubles.model_calls import of_model
from doubles.narrow_numbers import bfloat16


def grids(initial_parameters: Callable[..., Parameters], model: str, seed: int) -> Parameters:
    """Draw kernels as shuffled grids."""
    found = initial_parameters(model, seed)
    return {
        name: shuffled_grid(value.shape, seed + number) if name.endswith("kernel") and value.any() else value
        for number, (name, value) in enumerate(found.items())
    }


def initial_changed(change):
    """Return a wrong `initial_parameters` whose kernels are changed: (name, kernel) to another one."""

    def wrong(right, model, seed):
        found = right(model, seed)
        return {name: change(name, value) if value.ndim > 1 else value for name, value in found.items()}

    return wrong


def narrower(_name, kernel):
    """Draw from an interval that is 4 % narrower."""
    return kernel * np.float32(0.96)


def of_8_bits(_name, kernel):
    """Keep 8 bits of each weight."""
    largest = np.abs(kernel).max()
    return (np.rint(kernel / largest * 127) / 127 * largest).astype(np.float32)


def of_16_bits(_name, kernel):
    """Draw one of 65,536 numbers for each weight."""
    largest = np.abs(kernel).max()
    return (np.rint(kernel / largest * 32767) / 32767 * largest).astype(np.float32)


def units_repeated(_name, kernel):
    """Give the second half of the units the weights of the first."""
    half = kernel.shape[-1] // 2
    return np.concatenate([kernel[..., :half], kernel[..., :half], kernel[..., 2 * half :]], axis=-1)


def last_unit_repeated(_name, kernel):
    """Give the last unit the weights of the first, with other signs."""
    changed = kernel.copy()
    changed[..., -1] = -changed[..., 0]
    return changed


def seed_shared(initial_parameters, model, seed):
    """Draw every kernel from the beginning of one stream."""
    found = initial_parameters(model, seed)
    stream = np.random.default_rng(seed).uniform(-1, 1, max(value.size for value in found.values()))
    return {
        name: (stream[: value.size].reshape(value.shape) * np.abs(value).max()).astype(np.float32)
        if value.ndim > 1
        else value
        for name, value in found.items()
    }


def seed_ignored(initial_parameters, model, seed, calls=count()):  # noqa: B008 - as above
    """Draw by a seed that nobody knows."""
    return initial_parameters(model, (seed + next(calls)) % 2**31)


def seed_in_16_bits(initial_parameters, model, seed):
    """Lose the upper bits of the seed."""
    return initial_parameters(model, seed % 2**16)


def seed_for_the_first_layer(initial_parameters, model, seed):
    """Draw the last kernel by a seed of its own."""
    found, fixed = initial_parameters(model, seed), initial_parameters(model, 0)
    *_, last = (name for name in found if name.endswith("kernel"))
    return dict(found) | {last: fixed[last]}


def normal_kernels(_name, kernel):
    """Draw from a normal distribution of the same deviation, cut off where the interval ends."""
    largest = np.abs(kernel).max()
    draws = np.random.default_rng(0).normal(0, kernel.std(), kernel.shape)
    return np.clip(draws, -largest, largest).astype(np.float32)


def fans_without_window(name, kernel):
    """Leave the window of a convolution out of its fans."""
    return kernel * np.float32(np.sqrt(kernel[..., 0, 0].size)) if name.startswith("conv") else kernel


def recurrent_kernel_not_orthogonal(initial_parameters, model, seed):
    """Draw the recurrent kernel as the others are drawn."""
    parameters = dict(initial_parameters(model, seed))
    if model == "rnn":
        shape = parameters["cell/recurrent_kernel"].shape
        limit = np.sqrt(6 / sum(shape))
        drawn = np.random.default_rng(seed).uniform(-limit, limit, shape)
        parameters["cell/recurrent_kernel"] = drawn.astype(np.float32)
    return parameters


def one_orthogonal_matrix_for_all_gates(initial_parameters, model, seed):
    """Draw one orthogonal matrix, and use it for each of the four gates."""
    parameters = dict(initial_parameters(model, seed))
    if model == "rnn":
        matrix, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((256, 256)))
        parameters["cell/recurrent_kernel"] = np.tile(matrix, 4).astype(np.float32)
    return parameters


FAULTS = {
    "linear_built_once": Fault(
        "models.initial_parameters", "linear_model.kernel-zeros", "after its result was changed", initial_of("linear")
    ),
    "parameters_from_shuffled_grids": Fault(
        "models.initial_parameters", "mlp.initial-kernels", "as uneven, or as even", grids
    ),
    "kernels_narrower": Fault(
        "models.initial_parameters", "mlp.initial-kernels", "another distribution", initial_changed(narrower)
    ),
    "kernels_of_8_bits": Fault(
        "models.initial_parameters", "mlp.initial-resolution", "repeat another one", initial_changed(of_8_bits)
    ),
    "kernels_of_16_bits": Fault(
        "models.initial_parameters", "mlp.initial-resolution", "repeat another one", initial_changed(of_16_bits)
    ),
    "units_repeated": Fault(
        "models.initial_parameters",
        "mlp.initial-units-differ",
        "along axis 1 are the same",
        initial_changed(units_repeated),
    ),
    "last_unit_repeated": Fault(
        "models.initial_parameters", "mlp.initial-units-differ", "are the same", initial_changed(last_unit_repeated)
    ),
    "mlp_kernel_opposite_from_the_end": Fault(
        "models.initial_parameters",
        "mlp.initial-layers-unrelated",
        "parts of dense1/kernel",
        of_model("mlp", with_kernel("dense1/kernel", opposite_from_the_end)),
    ),
    "layers_of_mlp_in_turn": Fault(
        "models.initial_parameters",
        "mlp.initial-layers-unrelated",
        "of the next are made of the same numbers",
        initial_layers_in_turn("mlp"),
    ),
    "seed_shared": Fault(
        "models.initial_parameters", "mlp.initial-layers-unrelated", "made of the same numbers", seed_shared
    ),
    "mlp_built_once": Fault(
        "models.initial_parameters", "mlp.initial-seed", "after its result was changed", initial_of("mlp")
    ),
    "seed_ignored": Fault("models.initial_parameters", "mlp.initial-seed", "has another dense1/kernel", seed_ignored),
    "seed_in_16_bits": Fault(
        "models.initial_parameters", "mlp.new-models-differ", "give the same dense1/kernel", seed_in_16_bits
    ),
    "seed_for_the_first_layer": Fault(
        "models.initial_parameters", "mlp.new-models-differ", "the same dense2/kernel", seed_for_the_first_layer
    ),
    "cnn_from_shuffled_grids": Fault(
        "models.initial_parameters", "cnn.initial-kernels", "as uneven, or as even", grids
    ),
    "kernels_normal": Fault(
        "models.initial_parameters", "cnn.initial-kernels", "another distribution", initial_changed(normal_kernels)
    ),
    "fans_without_window": Fault(
        "models.initial_parameters", "cnn.initial-kernels", "conv1/kernel", initial_changed(fans_without_window)
    ),
    "kernels_of_bfloat16": Fault(
        "models.initial_parameters",
        "cnn.initial-resolution",
        "repeat another one",
        initial_changed(lambda _, kernel: bfloat16(kernel)),
    ),
    "filters_repeated": Fault(
        "models.initial_parameters",
        "cnn.initial-filters-differ",
        "conv1/kernel: the weights",
        initial_changed(units_repeated),
    ),
    "cnn_kernel_opposite_from_the_end": Fault(
        "models.initial_parameters",
        "cnn.initial-layers-unrelated",
        "parts of conv2/kernel",
        of_model("cnn", with_kernel("conv2/kernel", opposite_from_the_end)),
    ),
    "layers_of_cnn_in_turn": Fault(
        "models.initial_parameters",
        "cnn.initial-layers-unrelated",
        "of the next are made of the same numbers",
        initial_layers_in_turn("cnn"),
    ),
    "cnn_seed_shared": Fault(
        "models.initial_parameters", "cnn.initial-layers-unrelated", "made of the same numbers", seed_shared
    ),
    "cnn_built_once": Fault(
        "models.initial_parameters", "cnn.initial-seed", "after its result was changed", initial_of("cnn")
    ),
    "recurrent_kernel_not_orthogonal": Fault(
        "models.initial_parameters", "rnn.initial-recurrent-kernel", "from orthogonal", recurrent_kernel_not_orthogonal
    ),
    "one_orthogonal_matrix_for_all_gates": Fault(
        "models.initial_parameters",
        "rnn.initial-recurrent-kernel",
        "gates 0 and 1 of cell/recurrent_kernel have rows with a cosine of 1.000",
        one_orthogonal_matrix_for_all_gates,
    ),
    "rnn_kernel_opposite_from_the_end": Fault(
        "models.initial_parameters",
        "rnn.initial-draws",
        "the beginning of cell/kernel and its end",
        of_model("rnn", with_kernel("cell/kernel", opposite_from_the_end)),
    ),
    "rnn_built_once": Fault(
        "models.initial_parameters", "rnn.initial-draws", "after its result was changed", initial_of("rnn")
    ),
    "layers_of_rnn_in_turn": Fault(
        "models.initial_parameters",
        "rnn.initial-draws",
        "of the next are made of the same numbers",
        initial_layers_in_turn("rnn"),
    ),
    "rnn_seed_of_30_bits": Fault(
        "models.initial_parameters", "rnn.new-models-differ", "draw the same kernels", of_model("rnn", seed_of_30_bits)
    ),
}
