"""Faults of the training on a text: its initial parameters, its steps and its losses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from assay.alternatives.numpy import optimizers
from assay.alternatives.numpy.models import descend, rnn
from assay.alternatives.numpy.optimizers import SGD, Adam
from assay.alternatives.numpy.text import draw_windows
from assay.contract import Array, Trained
from doubles.dependent_draws import shuffled_grid
from doubles.faulty import Fault
from doubles.text_program import Parameters, Program
from doubles.training_loops import best_of, fitting_text


class RMSprop:
    """The mean of squares alone."""

    def __init__(self, learning_rate: float) -> None:
        """Begin with nothing gathered."""
        self.learning_rate, self.squares = learning_rate, {}

    def step(self, parameters: Parameters, gradients: Parameters) -> None:
        """Move every parameter."""
        for name, gradient in gradients.items():
            self.squares[name] = np.float32(0.9) * self.squares.get(name, 0) + np.float32(0.1) * gradient**2
            parameters[name] -= np.float32(self.learning_rate) * gradient / (np.sqrt(self.squares[name]) + 1e-7)


def with_settings(**settings: float) -> Callable[[float], Adam]:
    """Return an Adam with other constants."""

    class Other(Adam):
        """Adam whose constants are exchanged for the time of a step."""

        def step(self, parameters: Parameters, gradients: Parameters) -> None:
            """Move every parameter."""
            right = {name: getattr(optimizers, name) for name in settings}
            for name, value in settings.items():
                setattr(optimizers, name, value)
            try:
                super().step(parameters, gradients)
            finally:
                for name, value in right.items():
                    setattr(optimizers, name, value)

    return Other


class Forgetful(Adam):
    """An Adam that is new at every step."""

    def step(self, parameters: Parameters, gradients: Parameters) -> None:
        """Move every parameter."""
        self.steps, self.moments = 0, {}
        super().step(parameters, gradients)


class Shared:
    """One optimizer for all trainings with the same shapes: what it has gathered is never forgotten."""

    def __init__(self) -> None:
        """Begin with nothing gathered."""
        self.known: dict[tuple[int, ...], Adam] = {}

    def __call__(self, learning_rate: float) -> Any:
        """Return a view of it with a learning rate."""
        known = self.known

        class View:
            def __init__(self) -> None:
                self.learning_rate = learning_rate

            def step(self, parameters: Parameters, gradients: Parameters) -> None:
                one = known.setdefault(parameters["dense/kernel"].shape, Adam(self.learning_rate))
                one.learning_rate = self.learning_rate
                one.step(parameters, gradients)

        return View()


def clipped(gradients: Parameters) -> Parameters:
    """Clip the gradients to a norm of 0.1."""
    norm = np.sqrt(sum(np.sum(value**2) for value in gradients.values()))
    return {name: value * np.float32(min(1, 0.1 / norm)) for name, value in gradients.items()}


def of_biases(parameters: Parameters, change: Callable[[np.ndarray], np.ndarray]) -> Parameters:
    """Change the biases."""
    return {name: change(value) if name.endswith("bias") else value for name, value in parameters.items()}


def decayed(parameters: Parameters, before: Parameters) -> Parameters:
    """Let weights decay, as AdamW does."""
    return {name: value - np.float32(1e-3) * before[name] for name, value in parameters.items()}


def averaged(parameters: Parameters, before: Parameters) -> Parameters:
    """Keep half of what was before."""
    return {name: (value + before[name]) / 2 for name, value in parameters.items()}


def in_bfloat16(parameters: Parameters) -> Parameters:
    """Cut off what bfloat16 has no bits for."""
    return {
        name: (value.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32) for name, value in parameters.items()
    }


def optimizer_of_another_text():
    """Return a fault that goes on with the optimizer of the last training with its rate and number of characters."""
    known = {}

    def wrong(_fit, indices, num_chars, *, num_batches, batch_size, seq_length, learning_rate, seed):
        generator = np.random.default_rng(seed)
        optimizer = known.setdefault((num_chars, learning_rate), Adam(learning_rate))
        model = dataclasses.replace(rnn(num_chars), optimizer=lambda _rate: optimizer)
        initial = model.initial(generator)
        batches = (draw_windows(indices, seq_length, batch_size, generator) for _ in range(num_batches))
        return Trained(*descend(model, initial, batches, learning_rate))

    return wrong


def training_from_grids(fit: Callable[..., Any], indices: Array, num_chars: int, **options: Any) -> Any:
    """Begin a training with kernels that are shuffled grids."""
    trained = fit(indices, num_chars, **options)
    if options["learning_rate"]:
        return trained
    changed = {
        name: shuffled_grid(trained.parameters[name].shape, options["seed"] + number)
        for number, name in enumerate(("cell/kernel", "dense/kernel"))
    }
    return trained._replace(parameters={**trained.parameters, **changed})


def zeros(parameters: Parameters) -> Parameters:
    """Return parameters of 0."""
    return {name: np.zeros_like(value) for name, value in parameters.items()}


def plausible(fit: Callable[..., Any], indices: np.ndarray, num_chars: int, **options: Any) -> Any:
    """Invent a curve, and return parameters of 0."""
    steps = options["num_batches"]
    _, parameters = fit(indices, num_chars, **options)
    curve = np.log(num_chars) * np.exp(-np.arange(steps) / (10 * steps))
    return Trained(curve.astype(np.float32), zeros(parameters))


def rounded_to_8_bits(parameters: Parameters) -> Parameters:
    """Draw with 256 different values."""
    largest = {name: np.abs(value).max() or 1 for name, value in parameters.items()}
    return {
        name: (np.rint(value / largest[name] * 127) / 127 * largest[name]).astype(np.float32)
        for name, value in parameters.items()
    }


def normal(parameters: Parameters) -> Parameters:
    """Draw the kernels from a normal distribution of the same variance."""
    generator = np.random.default_rng(int(1e6 * np.abs(parameters["cell/kernel"][0, 0])))
    return parameters | {
        name: (parameters[name].std() * generator.standard_normal(parameters[name].shape)).astype(np.float32)
        for name in ("cell/kernel", "dense/kernel")
    }


def forget_gate_at(value: float, gate: int = 1) -> Callable[[Parameters], Parameters]:
    """Return what begins with a bias of one gate."""

    def begin(parameters: Parameters) -> Parameters:
        bias = np.zeros((4, 256), np.float32)
        bias[gate] = value
        return parameters | {"cell/bias": bias.ravel()}

    return begin


def fit_text_to_the_best(_fit, indices, num_chars, *, num_batches, batch_size, seq_length, learning_rate, seed):
    """Keep the parameters of the lowest loss."""
    generator, model = np.random.default_rng(seed), rnn(num_chars)
    initial = model.initial(generator)
    batches = (draw_windows(indices, seq_length, batch_size, generator) for _ in range(num_batches))
    return best_of(model, batches, initial, learning_rate)


FAULTS = {
    "text_twice_the_learning_rate": Fault(
        "text.fit", "rnn_training.steps", "times the bound", Program(rate=lambda rate, _step: 2 * rate)
    ),
    "text_constant_learning_rate": Fault(
        "text.fit", "rnn_training.steps", "times the bound", Program(rate=lambda rate, _step: 0.001 if rate else 0.0)
    ),
    "text_learning_rate_decays": Fault(
        "text.fit", "rnn_training.steps", "times the bound", Program(rate=lambda rate, step: rate * 0.99**step)
    ),
    "text_sgd": Fault("text.fit", "rnn_training.steps", "times the bound", Program(optimizer=SGD)),
    "text_rmsprop": Fault("text.fit", "rnn_training.steps", "times the bound", Program(optimizer=RMSprop)),
    "text_beta_1": Fault(
        "text.fit", "rnn_training.steps", "times the bound", Program(optimizer=with_settings(BETA_1=0.95))
    ),
    "text_beta_2": Fault(
        "text.fit", "rnn_training.steps", "times the bound", Program(optimizer=with_settings(BETA_2=0.99))
    ),
    "text_epsilon": Fault(
        "text.fit", "rnn_training.steps", "times the bound", Program(optimizer=with_settings(EPSILON=1e-8))
    ),
    "text_new_adam_every_step": Fault(
        "text.fit", "rnn_training.steps", "times the bound", Program(optimizer=Forgetful)
    ),
    "text_adam_never_renewed": Fault("text.fit", "rnn_training.steps", "times the bound", Program(optimizer=Shared())),
    "text_gradients_clipped": Fault("text.fit", "rnn_training.steps", "times the bound", Program(gradients=clipped)),
    "text_gradients_summed": Fault(
        "text.fit",
        "rnn_training.steps",
        "times the bound",
        Program(gradients=lambda found: {name: 50 * value for name, value in found.items()}),
    ),
    "text_biases_untrained": Fault(
        "text.fit", "rnn_training.steps", "'losses'", Program(gradients=lambda found: of_biases(found, np.zeros_like))
    ),
    "text_recurrent_kernel_untrained": Fault(
        "text.fit",
        "rnn_training.steps",
        "'losses'",
        Program(gradients=lambda found: found | {"cell/recurrent_kernel": 0 * found["cell/recurrent_kernel"]}),
    ),
    "text_weights_decay": Fault(
        "text.fit", "rnn_training.steps", "a training with learning rate 0", Program(step=decayed)
    ),
    "text_parameters_averaged": Fault("text.fit", "rnn_training.steps", "times the bound", Program(step=averaged)),
    "text_losses_after_the_step": Fault("text.fit", "rnn_training.steps", "'losses'", Program(loss_after=True)),
    "text_trained_in_bfloat16": Fault(
        "text.fit",
        "rnn_training.steps",
        "a training with learning rate 0",
        Program(step=lambda after, _before: in_bfloat16(after)),
    ),
    "optimizer_of_another_text": Fault(
        "text.fit", "rnn_training.one-window", "fit with learning rate 0.02", optimizer_of_another_text()
    ),
    "text_fitted_until_90_percent": Fault(
        "text.fit", "rnn_training.one-window", "moves nothing", fitting_text(least=0.1)
    ),
    "text_learning_rate_warms_up": Fault(
        "text.fit",
        "rnn_training.one-window",
        "times the bound",
        Program(rate=lambda rate, step: rate * min(1, (step + 1) / 2)),
    ),
    "text_last_step_missing": Fault(
        "text.fit", "rnn_training.one-window", "times the bound", Program(steps=lambda steps: steps - 1)
    ),
    "text_one_step_more": Fault(
        "text.fit", "rnn_training.one-window", "times the bound", Program(steps=lambda steps: steps + 1)
    ),
    "rnn_training_from_shuffled_grids": Fault(
        "text.fit", "rnn_training.initial-kernels", "as uneven, or as even", training_from_grids
    ),
    "text_plausible_curve": Fault("text.fit", "rnn_training.initial-kernels", "", plausible),
    "text_zero_parameters": Fault("text.fit", "rnn_training.initial-kernels", "", Program(end=zeros)),
    "text_parameters_in_bfloat16": Fault(
        "text.fit", "rnn_training.initial-kernels", "different values", Program(end=in_bfloat16)
    ),
    "text_kernels_of_8_bits": Fault(
        "text.fit", "rnn_training.initial-kernels", "different values", Program(begin=rounded_to_8_bits)
    ),
    "text_kernels_normal": Fault("text.fit", "rnn_training.initial-kernels", "elements differ", Program(begin=normal)),
    "text_recurrent_kernel_glorot": Fault(
        "text.fit",
        "rnn_training.initial-recurrent-kernel",
        "different values",
        Program(
            begin=lambda found: (
                found | {"cell/recurrent_kernel": np.resize(found["cell/kernel"], (256, 1024)) * np.float32(1.05)}
            )
        ),
    ),
    "text_forget_gate_half_open": Fault(
        "text.fit", "rnn_training.initial-biases", "cell/bias", Program(begin=forget_gate_at(0.5))
    ),
    "text_input_gate_open": Fault(
        "text.fit", "rnn_training.initial-biases", "cell/bias", Program(begin=forget_gate_at(1.0, gate=0))
    ),
    "text_output_bias_not_0": Fault(
        "text.fit",
        "rnn_training.initial-biases",
        "dense/bias",
        Program(begin=lambda found: found | {"dense/bias": found["dense/bias"] + np.float32(0.01)}),
    ),
    "fit_text_to_the_best": Fault(
        "text.fit", "rnn_training.last-parameters", "the last of which is not the best", fit_text_to_the_best
    ),
}
