"""Faults inside the training on a text: a plain program in NumPy, in which one thing is wrong at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.alternatives.numpy import optimizers
from assay.alternatives.numpy.models import rnn
from assay.alternatives.numpy.optimizers import SGD, Adam
from assay.contract import Trained
from doubles.faulty import Fault

Batch = tuple[np.ndarray, np.ndarray]
Parameters = dict[str, np.ndarray]
Draw = Callable[..., np.ndarray]


def draw_evenly(places: int, batch_size: int, generator: np.random.Generator, _step: int) -> np.ndarray:
    """Draw where windows begin, with replacement."""
    return generator.integers(0, places, batch_size)


def keep_batch(windows: np.ndarray, targets: np.ndarray) -> Batch:
    """Train on a batch as it is."""
    return windows, targets


def keep_parameters(parameters: Parameters, _before: Parameters) -> Parameters:
    """Go on from where a step leads."""
    return parameters


def keep(value: Any) -> Any:
    """Return a value as it is."""
    return value


@dataclass(frozen=True)
class Program:
    """A training whose parts can be exchanged; with none of them it is a correct one.

    Attributes:
        draw: (places, batch_size, generator, step) to where the windows of a batch begin.
        batch: (windows, targets) to what is trained on.
        begin: Initial parameters to those that are trained.
        step: (parameters after a step, before it) to those that the next step goes on from.
        end: Function that chooses the parameters to return.
        gradients: Gradients to what the optimizer gets.
        losses: Losses to what is returned of them.
        optimizer: Learning rate to an optimizer.
        rate: Learning rate and step to the learning rate of that step.
        loss_after: Whether a loss is that of the parameters after the step.
        steps: num_batches to the number of steps.
        length: seq_length to the length of the windows.
        size: batch_size to the number of windows in a batch.

    """

    draw: Draw = draw_evenly
    batch: Callable[[np.ndarray, np.ndarray], Batch] = keep_batch
    begin: Callable[[Parameters], Parameters] = keep
    step: Callable[[Parameters, Parameters], Parameters] = keep_parameters
    end: Callable[[Parameters], Parameters] = keep
    gradients: Callable[[Parameters], Parameters] = keep
    losses: Callable[[np.ndarray], np.ndarray] = keep
    optimizer: Callable[[float], Any] = Adam
    rate: Callable[[float, int], float] = lambda rate, _step: rate
    loss_after: bool = False
    steps: Callable[[int], int] = keep
    length: Callable[[int], int] = keep
    size: Callable[[int], int] = keep

    def __call__(
        self,
        fit: Callable[..., Any],
        indices: np.ndarray,
        num_chars: int,
        *,
        num_batches: int,
        batch_size: int,
        seq_length: int,
        learning_rate: float,
        seed: int,
    ) -> Any:
        """Train; `fit`, which is right, gives the form of the answer alone."""
        generator, model = np.random.default_rng(seed), rnn(num_chars)
        parameters = {name: value.copy() for name, value in self.begin(model.initial(generator)).items()}
        optimizer, losses = self.optimizer(learning_rate), []
        for number, (windows, targets) in enumerate(
            self._batches(indices, self.length(seq_length), batch_size, num_batches, generator)
        ):
            loss, gradients = model.loss_and_gradients(parameters, windows, targets)
            before = {name: value.copy() for name, value in parameters.items()}
            optimizer.learning_rate = self.rate(learning_rate, number)
            optimizer.step(parameters, self.gradients(gradients))
            parameters = {name: value.copy() for name, value in self.step(parameters, before).items()}
            if self.loss_after:
                loss, _ = model.loss_and_gradients(parameters, windows, targets)
            losses.append(loss)
        losses = (losses + losses[-1:] * num_batches)[:num_batches]
        return Trained(self.losses(np.array(losses, np.float32)), self.end(parameters))

    def _batches(
        self, indices: np.ndarray, length: int, batch_size: int, num_batches: int, generator: np.random.Generator
    ) -> Iterator[Batch]:
        places = max(1, len(indices) - length)
        for number in range(self.steps(num_batches)):
            starts = self.draw(places, self.size(batch_size), generator, number) % places
            windows = indices[starts[:, None] + np.arange(length)]
            yield self.batch(windows, indices[np.minimum(starts + length, len(indices) - 1)])


def in_order(places: int, batch_size: int, _generator: np.random.Generator, step: int) -> np.ndarray:
    """Read the text from its beginning to its end."""
    return (step * batch_size + np.arange(batch_size)) % places


def without_replacement(places: int, batch_size: int, generator: np.random.Generator, _step: int) -> np.ndarray:
    """Shuffle all places, over and over."""
    return np.concatenate([generator.permutation(places) for _ in range(-(-batch_size // places))])[:batch_size]


def without_replacement_if_possible(
    places: int, batch_size: int, generator: np.random.Generator, _step: int
) -> np.ndarray:
    """Draw each place at most once, unless a batch holds more windows than the text has."""
    return generator.choice(places, batch_size, replace=batch_size > places)


def each_twice(places: int, batch_size: int, generator: np.random.Generator, _step: int) -> np.ndarray:
    """Draw half as many places, and use each twice."""
    return np.repeat(generator.integers(0, places, -(-batch_size // 2)), 2)[:batch_size]


def batches_each_twice(places: int, batch_size: int, generator: np.random.Generator, step: int) -> np.ndarray:
    """Use each batch for two steps."""
    seed = generator.bit_generator.seed_seq.entropy
    return np.random.default_rng((seed, step // 2)).integers(0, places, batch_size)


def one_for_the_batch(places: int, batch_size: int, generator: np.random.Generator, _step: int) -> np.ndarray:
    """Draw one place for all windows of a batch."""
    return np.repeat(generator.integers(0, places), batch_size)


def first_half(places: int, batch_size: int, generator: np.random.Generator, _step: int) -> np.ndarray:
    """Never draw the second half of the windows."""
    return generator.integers(0, max(1, places // 2), batch_size)


def all_but_the_last(places: int, batch_size: int, generator: np.random.Generator, _step: int) -> np.ndarray:
    """Take the upper bound for inclusive, and subtract 1."""
    return generator.integers(0, max(1, places - 1), batch_size)


def two_batches_in_turn(places: int, batch_size: int, _generator: np.random.Generator, step: int) -> np.ndarray:
    """Use two buffers of random numbers over and over."""
    return np.random.default_rng(step % 2).integers(0, places, batch_size)


def the_same_windows_always(places: int, batch_size: int, _generator: np.random.Generator, step: int) -> np.ndarray:
    """Draw windows without regard to the seed."""
    return np.random.default_rng(step).integers(0, places, batch_size)


def mostly_the_first(places: int, batch_size: int, generator: np.random.Generator, _step: int) -> np.ndarray:
    """Draw places near the beginning more often."""
    return (places * generator.random(batch_size) ** 2).astype(int)


def in_bfloat16(parameters: Parameters) -> Parameters:
    """Cut off what bfloat16 has no bits for."""
    return {
        name: (value.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32) for name, value in parameters.items()
    }


def of_biases(parameters: Parameters, change: Callable[[np.ndarray], np.ndarray]) -> Parameters:
    """Change the biases."""
    return {name: change(value) if name.endswith("bias") else value for name, value in parameters.items()}


def averaged(parameters: Parameters, before: Parameters) -> Parameters:
    """Keep half of what was before."""
    return {name: (value + before[name]) / 2 for name, value in parameters.items()}


def decayed(parameters: Parameters, before: Parameters) -> Parameters:
    """Let weights decay, as AdamW does."""
    return {name: value - np.float32(1e-3) * before[name] for name, value in parameters.items()}


def clipped(gradients: Parameters) -> Parameters:
    """Clip the gradients to a norm of 0.1."""
    norm = np.sqrt(sum(np.sum(value**2) for value in gradients.values()))
    return {name: value * np.float32(min(1, 0.1 / norm)) for name, value in gradients.items()}


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


def zeros(parameters: Parameters) -> Parameters:
    """Return parameters of 0."""
    return {name: np.zeros_like(value) for name, value in parameters.items()}


def plausible(fit: Callable[..., Any], indices: np.ndarray, num_chars: int, **options: Any) -> Any:
    """Invent a curve, and return parameters of 0."""
    steps = options["num_batches"]
    _, parameters = fit(indices, num_chars, **options)
    curve = np.log(num_chars) * np.exp(-np.arange(steps) / (10 * steps))
    return Trained(curve.astype(np.float32), zeros(parameters))


TEXT_FIT_FAULTS = {
    name: Fault("text.fit", f"rnn_training.{claim}", tells, wrong)
    for name, (claim, tells, wrong) in {
        "text_plausible_curve": ("initial-kernels", "", plausible),
        "text_zero_parameters": ("initial-kernels", "", Program(end=zeros)),
        "text_windows_backwards": (
            "batches",
            "not the mean over 50 windows",
            Program(batch=lambda windows, targets: (windows[:, ::-1].copy(), targets)),
        ),
        "text_targets_one_early": (
            "batches",
            "not the mean over 50 windows",
            Program(batch=lambda windows, _targets: (windows, windows[:, -1].copy())),
        ),
        "text_targets_shuffled": (
            "batches",
            "not the mean over 50 windows",
            Program(batch=lambda windows, targets: (windows, np.roll(targets, 1))),
        ),
        "text_windows_one_short": (
            "batches",
            "not the mean over 50 windows",
            Program(length=lambda length: length - 1),
        ),
        "text_batches_of_64": ("batches", "not the mean over 50 windows", Program(size=lambda _size: 64)),
        "text_batches_of_33": ("batches", "not the mean over 50 windows", Program(size=lambda size: min(size, 33))),
        "text_batches_one_short": ("batches", "not the mean", Program(size=lambda size: max(1, size - 1))),
        "text_losses_summed": ("batches", "not the mean", Program(losses=lambda curve: 50 * curve)),
        "text_losses_smoothed": (
            "batches",
            "not the mean",
            Program(losses=lambda curve: (np.cumsum(curve) / np.arange(1, len(curve) + 1)).astype(np.float32)),
        ),
        "text_losses_in_bits": ("batches", "not the mean", Program(losses=lambda curve: curve / np.float32(np.log(2)))),
        "text_read_in_order": ("even-draws", "with replacement", Program(draw=in_order)),
        "text_without_replacement": ("even-draws", "with replacement", Program(draw=without_replacement)),
        "text_without_replacement_if_possible": (
            "even-draws",
            "draws with replacement",
            Program(draw=without_replacement_if_possible),
        ),
        "text_each_window_twice": ("even-draws", "an even number of windows of each kind", Program(draw=each_twice)),
        "text_each_batch_twice": (
            "new-draws",
            "with the same counts as the batch 1 later",
            Program(draw=batches_each_twice),
        ),
        "text_batches_of_even_size": (
            "batches",
            "not the mean over 67 windows",
            Program(size=lambda n: max(1, n - n % 2)),
        ),
        "text_one_window_for_a_batch": ("even-draws", "with replacement", Program(draw=one_for_the_batch)),
        "text_second_half_never_drawn": ("even-draws", "with replacement", Program(draw=first_half)),
        "text_last_window_never_drawn": ("even-draws", "with replacement", Program(draw=all_but_the_last)),
        "text_beginning_more_often": ("even-draws", "with replacement", Program(draw=mostly_the_first)),
        "text_batches_repeated": ("new-draws", "repeat after", Program(draw=two_batches_in_turn)),
        "text_windows_without_seed": ("seeds", "draw the same windows", Program(draw=the_same_windows_always)),
        "text_twice_the_learning_rate": ("steps", "times the bound", Program(rate=lambda rate, _step: 2 * rate)),
        "text_constant_learning_rate": (
            "steps",
            "times the bound",
            Program(rate=lambda rate, _step: 0.001 if rate else 0.0),
        ),
        "text_learning_rate_decays": ("steps", "times the bound", Program(rate=lambda rate, step: rate * 0.99**step)),
        "text_learning_rate_warms_up": (
            "one-window",
            "times the bound",
            Program(rate=lambda rate, step: rate * min(1, (step + 1) / 2)),
        ),
        "text_sgd": ("steps", "times the bound", Program(optimizer=SGD)),
        "text_rmsprop": ("steps", "times the bound", Program(optimizer=RMSprop)),
        "text_beta_1": ("steps", "times the bound", Program(optimizer=with_settings(BETA_1=0.95))),
        "text_beta_2": ("steps", "times the bound", Program(optimizer=with_settings(BETA_2=0.99))),
        "text_epsilon": ("steps", "times the bound", Program(optimizer=with_settings(EPSILON=1e-8))),
        "text_new_adam_every_step": ("steps", "times the bound", Program(optimizer=Forgetful)),
        "text_adam_never_renewed": ("steps", "times the bound", Program(optimizer=Shared())),
        "text_last_step_missing": ("one-window", "times the bound", Program(steps=lambda steps: steps - 1)),
        "text_one_step_more": ("one-window", "times the bound", Program(steps=lambda steps: steps + 1)),
        "text_gradients_clipped": ("steps", "times the bound", Program(gradients=clipped)),
        "text_gradients_summed": (
            "steps",
            "times the bound",
            Program(gradients=lambda found: {name: 50 * value for name, value in found.items()}),
        ),
        "text_biases_untrained": (
            "steps",
            "'losses'",
            Program(gradients=lambda found: of_biases(found, np.zeros_like)),
        ),
        "text_recurrent_kernel_untrained": (
            "steps",
            "'losses'",
            Program(gradients=lambda found: found | {"cell/recurrent_kernel": 0 * found["cell/recurrent_kernel"]}),
        ),
        "text_weights_decay": ("steps", "a training with learning rate 0", Program(step=decayed)),
        "text_parameters_averaged": ("steps", "times the bound", Program(step=averaged)),
        "text_losses_after_the_step": ("steps", "'losses'", Program(loss_after=True)),
        "text_parameters_in_bfloat16": ("initial-kernels", "different values", Program(end=in_bfloat16)),
        "text_trained_in_bfloat16": (
            "steps",
            "a training with learning rate 0",
            Program(step=lambda after, _before: in_bfloat16(after)),
        ),
        "text_kernels_of_8_bits": ("initial-kernels", "different values", Program(begin=rounded_to_8_bits)),
        "text_kernels_normal": ("initial-kernels", "elements differ", Program(begin=normal)),
        "text_forget_gate_half_open": ("initial-biases", "cell/bias", Program(begin=forget_gate_at(0.5))),
        "text_input_gate_open": ("initial-biases", "cell/bias", Program(begin=forget_gate_at(1.0, gate=0))),
        "text_output_bias_not_0": (
            "initial-biases",
            "dense/bias",
            Program(begin=lambda found: found | {"dense/bias": found["dense/bias"] + np.float32(0.01)}),
        ),
        "text_recurrent_kernel_glorot": (
            "initial-recurrent-kernel",
            "different values",
            Program(
                begin=lambda found: (
                    found | {"cell/recurrent_kernel": np.resize(found["cell/kernel"], (256, 1024)) * np.float32(1.05)}
                )
            ),
        ),
    }.items()
}
