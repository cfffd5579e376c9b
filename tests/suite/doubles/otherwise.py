"""The reference doing what other frameworks do, where the document decides nothing: each is as right as the reference.

`--implementation doubles.otherwise:reference_as.NAME` assays one, with this folder on the path.
"""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from assay.contract import GROUPS, Trained
from assay.reference import Reference
from assay.spec.semantics import models, optimizers, q_learning
from assay.spec.semantics.convolution import pad_widths
from assay.spec.semantics.optimizers import Adam
from assay.spec.semantics.q_learning import Transitions
from assay.specification.claims import specification


def divided_by_the_whole_window(average_pool2d, inputs, *, pool_size, strides, padding):
    """Average over the zeros beyond the image, too."""
    axes = zip(inputs.shape[1:3], pool_size, strides, strict=True)
    around = np.pad(inputs, ((0, 0), *(pad_widths(*axis, padding) for axis in axes), (0, 0)))
    return average_pool2d(around, pool_size=pool_size, strides=strides, padding="valid")


def gradient_of_the_whole_window(average_pool2d_gradient, inputs, upstream, *, pool_size, strides, padding):
    """Hand back to the zeros beyond the image, too."""
    axes = zip(inputs.shape[1:3], pool_size, strides, strict=True)
    widths = ((0, 0), *(pad_widths(*axis, padding) for axis in axes), (0, 0))
    options = {"pool_size": pool_size, "strides": strides, "padding": "valid"}
    gradient = average_pool2d_gradient(np.pad(inputs, widths), upstream, **options)
    (above, _), (left, _) = widths[1:3]
    return gradient[:, above:, left:][:, : inputs.shape[1], : inputs.shape[2]].copy()


def shared_among_equals(max_pool2d_gradient, inputs, upstream, **options):
    """Give equal elements equal parts, in the windows of the one claim that asks."""
    alone = max_pool2d_gradient(inputs, upstream, **options)
    return np.full_like(alone, 0.25) if (inputs == 1).all() else alone


def left_to_the_last(max_pool2d_gradient, inputs, upstream, **options):
    """Give all to the last of equal elements, in the windows of the one claim that asks."""
    alone = max_pool2d_gradient(inputs, upstream, **options)
    return alone[:, ::-1, ::-1].copy() if (inputs == 1).all() else alone


def infinite(loss, labels, probabilities):
    """Take the formula at its word."""
    with np.errstate(divide="ignore"):
        return -np.log(np.take_along_axis(probabilities, labels[:, None], axis=-1)[:, 0])


def unbiased(batch_normalization, inputs, gamma, beta, mean, variance, *, training):
    """Let the variance over n - 1 move the moving one."""
    outputs, new_mean, moved = batch_normalization(inputs, gamma, beta, mean, variance, training=training)
    count = inputs[..., 0].size
    kept = np.float32(0.99) * variance
    return outputs, new_mean, kept + (moved - kept) * np.float32(count / (count - 1)) if training else moved


def drawn(initial_parameters, model, seed):
    """Draw what the LSTM begins with, as PyTorch does."""
    generator, limit = np.random.default_rng(seed), 1 / 16

    def draw(value):
        return generator.uniform(-limit, limit, value.shape)

    parameters = dict(initial_parameters(model, seed))
    kernel, bias = parameters["cell/recurrent_kernel"], parameters["cell/bias"]
    changed = {"cell/recurrent_kernel": draw(kernel), "cell/bias": draw(bias) + draw(bias)}
    return parameters | {name: value.astype(np.float32) for name, value in changed.items()}


def begun_gate_by_gate(initial_parameters, model, seed):
    """Begin with four orthogonal kernels and no open gate, as Flax does."""
    parameters = dict(initial_parameters(model, seed))
    draws = np.random.default_rng(seed).standard_normal((4, 256, 256))
    gates = [np.linalg.qr(draw)[0] for draw in draws]
    kernel, bias = np.concatenate(gates, axis=1), np.zeros_like(parameters["cell/bias"])
    return parameters | {"cell/recurrent_kernel": kernel.astype(np.float32), "cell/bias": bias}


def algorithm_1(_adam_step, *arguments):
    """Add epsilon after the correction for bias."""
    return optimizers.adam_step(*arguments, adam=Adam.AFTER_CORRECTION)


def trained_by_algorithm_1(_train, *arguments):
    """Train with it."""
    losses, parameters = models.train(*arguments, adam=Adam.AFTER_CORRECTION)
    return losses.astype(np.float32), parameters


def fitted_by_algorithm_1(fit, model, images, labels, *, learning_rate, **options):
    """Train with it on copies of one example."""
    if not learning_rate or (images != images[:1]).any() or (labels != labels[0]).any():
        return fit(model, images, labels, learning_rate=learning_rate, **options)
    _, initial = fit(model, images, labels, learning_rate=0.0, **options)
    leading = options["num_batches"], options["batch_size"]
    batches = np.broadcast_to(images[0], (*leading, *images[0].shape)), np.broadcast_to(labels[0], leading)
    return Trained(*trained_by_algorithm_1(None, model, initial, *batches, learning_rate))


def learnt_by_algorithm_1(_learn, model, parameters, transitions, *, learning_rate, gamma):
    """Learn with it."""
    batches = Transitions(*transitions)
    losses, last = q_learning.learn(model, parameters, batches, learning_rate, gamma, adam=Adam.AFTER_CORRECTION)
    return losses.astype(np.float32), last


ALGORITHM_1 = {
    "ops.adam_step": algorithm_1,
    "models.train": trained_by_algorithm_1,
    "training.fit": fitted_by_algorithm_1,
    "agent.learn": learnt_by_algorithm_1,
}
BY_ADAM = [
    id_
    for id_, claim in specification().claims.items()
    if claim.unspecified
    and claim.unspecified.permitted[-1].key == "after-correction"
    and ALGORITHM_1.keys() & {*claim.needs}
]
# These numbers are as both ways have them.
BY_EITHER_WAY = [
    *(f"training.adam-{name}" for name in ("any-shape", "any-step", "any-rate", "calls-are-independent")),
    "training.adam-memory-order",
    "q_learning.trajectory-losses",
]


class As(Reference):
    """The reference with some functions exchanged."""

    def __init__(self, name: str, changes: dict[str, Any], results: dict[str, str]) -> None:
        """Take what is done otherwise.

        Args:
            name: Name of the implementation.
            changes: (the reference's function, its arguments) to another result, by `group.function`.
            results: Key of the permitted result, by claim.

        """
        self.name = name
        self.results = results
        self._changes = changes

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name not in GROUPS:
            return value
        functions = {key: getattr(value, key) for key in dir(value) if not key.startswith("_")}
        for place, change in self._changes.items():
            group, function = place.split(".")
            if group == name:
                functions[function] = partial(change, functions[function])
        return SimpleNamespace(**functions)


PYTORCH = As(
    "reference as PyTorch",
    {
        "ops.average_pool2d": divided_by_the_whole_window,
        "ops.average_pool2d_gradient": gradient_of_the_whole_window,
        "ops.max_pool2d_gradient": shared_among_equals,
        "ops.sparse_categorical_crossentropy": infinite,
        "ops.batch_normalization": unbiased,
        "models.initial_parameters": drawn,
        **ALGORITHM_1,
    },
    {
        "convolution.average-pooling": "with-zeros",
        "convolution.average-at-the-border": "with-zeros",
        "convolution.average-gradient": "with-zeros",
        "convolution.pooling-a-constant": "with-zeros",
        "convolution.max-gradient": "even",
        "cross_entropy.zero-probability": "infinite",
        "rnn.initial-recurrent-kernel": "uniform",
        "rnn.forget-bias": "uniform",
        "training_flag.moving-variance": "over-n-1",
        **dict.fromkeys(BY_ADAM, "after-correction"),
        **dict.fromkeys(BY_EITHER_WAY, ""),
    },
)
FLAX = As(
    "reference as Flax",
    {"ops.max_pool2d_gradient": left_to_the_last, "models.initial_parameters": begun_gate_by_gate},
    {
        "convolution.max-gradient": "uneven",
        "rnn.initial-recurrent-kernel": "orthogonal-gates",
        "rnn.forget-bias": "zeros",
    },
)
reference_as = SimpleNamespace(pytorch=PYTORCH, flax=FLAX)
