"""Faults of the initial parameters of Q-networks."""

import numpy as np

from assay.spec.semantics.initializers import fans
from doubles.faulty import Fault
from doubles.initial_draws import initial_layers_in_turn, initial_of, seed_of_30_bits, with_kernel
from doubles.model_calls import of_model

NETWORK = "q_network"
CNN = "q_cnn"


def by_seed(which, seed_of):
    """Return `initial_parameters` that takes another seed for a model."""
    return lambda right, model, seed: right(model, seed_of(seed) if model == which else seed)


def seed_rounded(right, model, seed):
    """Read a seed as float32."""
    return right(model, int(np.float32(seed)))


def new(which, change):
    """Return `initial_parameters` whose result for a model is changed: (kernels and biases, generator) to new ones."""

    def wrong(right, model, seed):
        parameters = dict(right(model, seed))
        return parameters | change(parameters, np.random.default_rng(seed)) if model == which else parameters

    return wrong


def symmetric(kernel):
    """Write what is above the diagonal below it, too."""
    return (np.triu(kernel) + np.triu(kernel, 1).T).astype(np.float32)


def drawn_by(deviation_of):
    """Return a change of kernels to normal ones, of a deviation that depends on both fans."""

    def change(parameters, generator):
        kernels = {name: value.shape for name, value in parameters.items() if name.endswith("kernel")}
        return {
            name: generator.normal(0, deviation_of(*fans(shape)), shape).astype(np.float32)
            for name, shape in kernels.items()
        }

    return change


FAULTS = {
    "network_ignores_seed": Fault(
        "models.initial_parameters", "q_learning.new-networks-differ", "the seeds", by_seed(NETWORK, lambda _: 0)
    ),
    "q_network_seed_rounded": Fault(
        "models.initial_parameters",
        "q_learning.new-networks-differ",
        "draw the same kernels",
        of_model("q_network", seed_rounded),
    ),
    "network_is_unseeded": Fault(
        "models.initial_parameters",
        "q_learning.initial-seed",
        "with the same seed",
        by_seed(NETWORK, lambda _: int(np.random.default_rng().integers(2**31))),
    ),
    "q_network_built_once": Fault(
        "models.initial_parameters", "q_learning.initial-seed", "after its result was changed", initial_of("q_network")
    ),
    "network_repeats_rows": Fault(
        "models.initial_parameters",
        "q_learning.initial-weights-differ",
        "dense2/kernel",
        new(NETWORK, lambda given, _: {"dense2/kernel": np.tile(given["dense2/kernel"][:12], (2, 1))}),
    ),
    "network_drawn_coarsely": Fault(
        "models.initial_parameters",
        "q_learning.initial-weights-differ",
        "repeat another one",
        new(NETWORK, lambda given, _: {name: of.astype(np.float16).astype(np.float32) for name, of in given.items()}),
    ),
    "q_network_kernel_symmetric": Fault(
        "models.initial_parameters",
        "q_learning.initial-weights-differ",
        "dense2/kernel",
        of_model("q_network", with_kernel("dense2/kernel", symmetric)),
    ),
    "layers_of_q_network_in_turn": Fault(
        "models.initial_parameters",
        "q_learning.initial-weights-differ",
        "of the next are made of the same numbers",
        initial_layers_in_turn("q_network"),
    ),
    "cnn_biases_not_0": Fault(
        "models.initial_parameters",
        "pixels.cnn-initial-parameters",
        "conv1/bias",
        new(CNN, lambda given, _: {name: given[name] + np.float32(0.01) for name in given if name.endswith("bias")}),
    ),
    "cnn_kernels_he_normal": Fault(
        "models.initial_parameters",
        "pixels.cnn-initial-parameters",
        "conv1/kernel",
        new(CNN, drawn_by(lambda fan_in, _: np.sqrt(2 / fan_in))),
    ),
    "cnn_kernels_glorot_normal": Fault(
        "models.initial_parameters",
        "pixels.cnn-initial-parameters",
        "conv1/kernel",
        new(CNN, drawn_by(lambda fan_in, fan_out: np.sqrt(2 / (fan_in + fan_out)))),
    ),
    "cnn_ignores_seed": Fault(
        "models.initial_parameters", "pixels.cnn-initial-seed", "the seeds", by_seed(CNN, lambda _: 0)
    ),
    "q_cnn_seed_of_30_bits": Fault(
        "models.initial_parameters",
        "pixels.cnn-initial-seed",
        "draw the same kernels",
        of_model("q_cnn", seed_of_30_bits),
    ),
    "q_cnn_built_once": Fault(
        "models.initial_parameters", "pixels.cnn-initial-seed", "after its result was changed", initial_of("q_cnn")
    ),
    "cnn_repeats_filters": Fault(
        "models.initial_parameters",
        "pixels.cnn-initial-weights-differ",
        "conv1/kernel",
        new(CNN, lambda given, _: {"conv1/kernel": np.repeat(given["conv1/kernel"][..., ::2], 2, axis=-1)}),
    ),
    "layers_of_q_cnn_in_turn": Fault(
        "models.initial_parameters",
        "pixels.cnn-initial-weights-differ",
        "of the next are made of the same numbers",
        initial_layers_in_turn("q_cnn"),
    ),
}
