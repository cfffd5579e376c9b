"""Deliberate faults in trainings on handwritten digits, in their evaluation and in the data loader."""

from __future__ import annotations

from itertools import count

import numpy as np

from assay.alternatives.numpy.models import MODELS, copied
from assay.alternatives.numpy.optimizers import BETA_1, BETA_2, Adam
from assay.contract import Trained
from doubles.faulty import Fault


class RMSprop(Adam):
    """Divide by the root mean square of the gradients, without a first moment."""

    def step(self, parameters, gradients):
        """Move every parameter."""
        for name, gradient in gradients.items():
            second = self.moments.get(name, 0) * np.float32(0.9) + np.float32(0.1) * gradient**2
            self.moments[name] = second
            parameters[name] -= np.float32(self.learning_rate) * gradient / (np.sqrt(second) + np.float32(1e-7))


class SGD(Adam):
    """Follow the gradient."""

    def step(self, parameters, gradients):
        """Move every parameter."""
        for name, gradient in gradients.items():
            parameters[name] -= np.float32(self.learning_rate) * gradient


class Uncorrected(Adam):
    """Leave the bias of the moments as it is."""

    def step(self, parameters, gradients):
        """Move every parameter."""
        self.steps += 1
        for name, gradient in gradients.items():
            first, second = self.moments.get(name, (0, 0))
            first = np.float32(BETA_1) * first + np.float32(1 - BETA_1) * gradient
            second = np.float32(BETA_2) * second + np.float32(1 - BETA_2) * gradient**2
            self.moments[name] = first, second
            parameters[name] -= np.float32(self.learning_rate) * first / (np.sqrt(second) + np.float32(1e-7))


class WithoutBiases(Adam):
    """Leave the biases as they are."""

    def step(self, parameters, gradients):
        """Move every kernel."""
        super().step(parameters, {name: value for name, value in gradients.items() if not name.endswith("bias")})


class Decaying(Adam):
    """Lower the learning rate with the steps."""

    def step(self, parameters, gradients):
        """Move every parameter by less."""
        rate = self.learning_rate
        self.learning_rate = rate / (1 + 0.01 * self.steps)
        super().step(parameters, gradients)
        self.learning_rate = rate


class Clipped(Adam):
    """Shorten gradients whose norm is above 1."""

    def step(self, parameters, gradients):
        """Move every parameter."""
        norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients.values()))
        scale = np.float32(1 / max(1.0, norm))
        super().step(parameters, {name: gradient * scale for name, gradient in gradients.items()})


class Weighted(Adam):
    """Let the weights decay, as AdamW does."""

    def step(self, parameters, gradients):
        """Move every parameter."""
        for name in parameters:
            parameters[name] *= np.float32(1 - 0.01 * self.learning_rate)
        super().step(parameters, gradients)


class Restarted(Adam):
    """Begin anew with every tenth step."""

    def step(self, parameters, gradients):
        """Move every parameter."""
        if self.steps % 10 == 0:
            self.steps, self.moments = 0, {}
        super().step(parameters, gradients)


def places_of(examples, batch_size, generator):
    """Draw the places of one batch after the other, as a sound training does."""
    while True:
        yield generator.integers(0, examples, batch_size)


def bfloat16(value):
    """Round to the nearest number with 8 bits."""
    bits = value.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).view(np.float32)


def trained(
    model,
    images,
    labels,
    *,
    num_batches,
    batch_size,
    learning_rate,
    seed,
    optimizer=Adam,
    places=places_of,
    targets=lambda labels, _: labels,
    start=lambda parameters: parameters,
    store=lambda parameters, _: parameters,
    loss_after=False,
):
    """Train as NumPy's implementation does, but for what is exchanged.

    Args:
        model: Name of the model.
        images: Of the training set.
        labels: Likewise.
        num_batches: Number of steps.
        batch_size: Examples in a batch.
        learning_rate: Of the optimizer.
        seed: Of all draws.
        optimizer: A learning rate to a new optimizer.
        places: (number of examples, batch size, generator) to the places of every batch.
        targets: (labels of a batch, generator) to what takes their place.
        start: Initial parameters to those that take their place.
        store: (parameters after a step, those before all steps) to what is kept of them.
        loss_after: Whether the loss is computed after the step.

    """
    network, generator = MODELS[model], np.random.default_rng(seed)
    initial = start(network.initial(generator))
    parameters, moving, curve = copied(initial), optimizer(learning_rate), []
    batches = places(len(images), batch_size, generator)
    for _, some in zip(range(num_batches), batches, strict=False):
        batch = images[some], targets(labels[some], generator)
        loss, gradients = network.loss_and_gradients(parameters, *batch)
        moving.step(parameters, gradients)
        parameters = {name: np.array(value) for name, value in store(parameters, initial).items()}
        curve.append(network.loss_and_gradients(parameters, *batch)[0] if loss_after else loss)
    return np.array(curve, np.float32), parameters


def training_by(**changes):
    """Return a wrong `fit`, one part of which is exchanged."""
    return lambda _fit, model, images, labels, **options: trained(model, images, labels, **options, **changes)


def other_options(**changes):
    """Return a wrong `fit` that changes the options it was given."""

    def fit(right, model, images, labels, **options):
        return right(model, images, labels, **options | {name: change(options) for name, change in changes.items()})

    return fit


def in_order(examples, batch_size, _generator):
    """Read the data in their order, from the beginning again after the last."""
    for start in count(0, batch_size):
        yield np.arange(start, start + batch_size) % examples


def shuffled_once(examples, batch_size, generator):
    """Shuffle the data, and read them in that order again and again."""
    order = generator.permutation(examples)
    for start in count(0, batch_size):
        yield order[np.arange(start, start + batch_size) % examples]


def shuffled_each_epoch(examples, batch_size, generator):
    """Shuffle the data anew for each epoch."""
    waiting = np.zeros(0, int)
    while True:
        while len(waiting) < batch_size:
            waiting = np.append(waiting, generator.permutation(examples))
        yield waiting[:batch_size]
        waiting = waiting[batch_size:]


def without_replacement(examples, batch_size, generator):
    """Draw a batch without replacement, where there are enough examples."""
    while True:
        yield generator.choice(examples, batch_size, replace=batch_size > examples)


def contiguous(examples, batch_size, generator):
    """Draw where a batch begins, and take the examples that follow."""
    while True:
        yield (generator.integers(examples) + np.arange(batch_size)) % examples


def first_batch_again(examples, batch_size, generator):
    """Draw one batch, and go on with it."""
    places = generator.integers(0, examples, batch_size)
    while True:
        yield places


def each_batch_twice(examples, batch_size, generator):
    """Take two steps with every batch."""
    for places in places_of(examples, batch_size, generator):
        yield places
        yield places


def epoch_again(examples, batch_size, generator):
    """Draw the batches of one epoch, and repeat them."""
    epoch = [generator.integers(0, examples, batch_size) for _ in range(max(1, examples // batch_size))]
    while True:
        yield from epoch


def every_example_twice(examples, batch_size, generator):
    """Draw half a batch, and double it."""
    while True:
        yield np.resize(generator.integers(0, examples, -(-batch_size // 2)), batch_size)


def without_the_last(examples, batch_size, generator):
    """Never draw the last example."""
    return places_of(max(1, examples - 1), batch_size, generator)


def without_the_first(examples, batch_size, generator):
    """Never draw the first example."""
    for places in places_of(max(1, examples - 1), batch_size, generator):
        yield places + (examples > 1)


def four_fifths(examples, batch_size, generator):
    """Keep a fifth of the examples for validation."""
    return places_of(-(-examples * 4 // 5), batch_size, generator)


def first_50_000(examples, batch_size, generator):
    """Keep what follows the first 50,000 examples for validation."""
    return places_of(min(examples, 50_000), batch_size, generator)


def in_16_bits(examples, batch_size, generator):
    """Let the places overflow 16 bits."""
    for places in places_of(examples, batch_size, generator):
        yield places % 2**15


def skewed(examples, batch_size, generator):
    """Prefer the first examples."""
    while True:
        yield (generator.random(batch_size) ** 1.3 * examples).astype(int)


def drawn_by_a_fixed_seed(examples, batch_size, _generator):
    """Draw the batches by a seed of its own."""
    return places_of(examples, batch_size, np.random.default_rng(0))


def begun_by_a_fixed_seed(_parameters):
    """Draw the initial parameters by a seed of their own."""
    return MODELS["mlp"].initial(np.random.default_rng(0))


def without_parameters(_fit, model, images, labels, *, num_batches, **_options):
    """Return zeros, and a curve as it may look."""
    zeros = {name: np.zeros_like(value) for name, value in MODELS[model].initial(np.random.default_rng(0)).items()}
    return (2.3 * np.exp(-np.arange(num_batches) / 200) + 0.2).astype(np.float32), zeros


def without_the_last_step(fit, model, images, labels, **options):
    """Return the parameters before the last step."""
    curve, _ = fit(model, images, labels, **options)
    _, before = fit(model, images, labels, **options | {"num_batches": max(1, options["num_batches"] - 1)})
    return curve, before


def smoothed_losses(fit, model, images, labels, **options):
    """Return running means of the losses."""
    curve, parameters = fit(model, images, labels, **options)
    return (np.cumsum(curve) / np.arange(1, len(curve) + 1)).astype(np.float32), parameters


def summed_losses(fit, model, images, labels, **options):
    """Return the sum of the losses of a batch."""
    curve, parameters = fit(model, images, labels, **options)
    return curve * np.float32(options["batch_size"]), parameters


def standardized(fit, model, images, labels, **options):
    """Subtract the mean pixel, and divide by the deviation."""
    return fit(model, (images - np.float32(0.1307)) / np.float32(0.3081), labels, **options)


def scaled_again(fit, model, images, labels, **options):
    """Divide the pixels by 255 a second time."""
    return fit(model, images / np.float32(255), labels, **options)


def mirrored(fit, model, images, labels, **options):
    """Turn the images from left to right, to have more of them."""
    return fit(model, images[:, :, ::-1].copy(), labels, **options)


def averaged(fit, model, images, labels, **options):
    """Return the mean of the parameters after each half of the training."""
    curve, last = fit(model, images, labels, **options)
    _, middle = fit(model, images, labels, **options | {"num_batches": max(1, options["num_batches"] // 2)})
    return curve, {name: (last[name] + middle[name]) / np.float32(2) for name in last}


def he_kernels(parameters):
    """Draw wider kernels, as He and others do."""
    return {
        name: value * np.float32(np.sqrt(sum(value.shape) / value.shape[0])) if value.ndim > 1 else value
        for name, value in parameters.items()
    }


def small_biases(parameters):
    """Begin with biases of 0.01."""
    return {name: value if value.ndim > 1 else value + np.float32(0.01) for name, value in parameters.items()}


def shuffled(labels, generator):
    """Shuffle the targets within a batch."""
    return generator.permutation(labels)


def as_trained(wrong):
    """Return what a wrong `fit` returns in the contract's form."""
    return lambda fit, model, images, labels, **options: Trained(*wrong(fit, model, images, labels, **options))


def faults_of_fit():
    """Return the faults of `training.fit`."""
    exchanged = {
        "fit_by_sgd": ("fit-trajectory", "times the bound", {"optimizer": SGD}),
        "fit_by_rmsprop": ("fit-trajectory", "times the bound", {"optimizer": RMSprop}),
        "fit_without_bias_correction": ("fit-trajectory", "times the bound", {"optimizer": Uncorrected}),
        "fit_without_biases": (
            "fit-moves-every-parameter",
            "did not move dense1/bias, dense2/bias",
            {"optimizer": WithoutBiases},
        ),
        "fit_with_decaying_rate": ("fit-trajectory", "times the bound", {"optimizer": Decaying}),
        "fit_with_clipped_gradients": ("fit-trajectory", "times the bound", {"optimizer": Clipped}),
        "fit_with_weight_decay": ("fit-trajectory", "times the bound", {"optimizer": Weighted}),
        "fit_with_restarted_optimizer": ("fit-trajectory", "times the bound", {"optimizer": Restarted}),
        "fit_in_bfloat16": (
            "fit-trajectory",
            "times the bound",
            {"store": lambda parameters, _: {name: bfloat16(value) for name, value in parameters.items()}},
        ),
        "fit_with_loss_after_step": ("fit-losses", "'losses'", {"loss_after": True}),
        "fit_with_shuffled_targets": ("fit-batches", "the mean loss of no 3 examples", {"targets": shuffled}),
        "fit_in_order": ("fit-repeated-draws", "repetition: 120 of 120", {"places": in_order}),
        "fit_shuffled_once": ("fit-repeated-draws", "repetition: 120 of 120", {"places": shuffled_once}),
        "fit_shuffled_each_epoch": ("fit-repeated-draws", "without a repetition", {"places": shuffled_each_epoch}),
        "fit_without_replacement": ("fit-repeated-draws", "without a repetition", {"places": without_replacement}),
        "fit_on_contiguous_batches": ("fit-repeated-draws", "without a repetition", {"places": contiguous}),
        "fit_on_one_batch": ("fit-new-draws", "the same 1 batches later", {"places": first_batch_again}),
        "fit_with_each_batch_twice": ("fit-new-draws", "the same 1 batches later", {"places": each_batch_twice}),
        "fit_on_one_epoch_again": ("fit-new-draws", "the same 2 batches later", {"places": epoch_again}),
        "fit_on_halves_of_batches": (
            "fit-repeated-draws",
            "repetition: 0 of 120",
            {"places": every_example_twice},
        ),
        "fit_without_the_last_example": ("fit-even-draws", "example 6 of 7", {"places": without_the_last}),
        "fit_without_the_first_example": ("fit-even-draws", "example 0 of 7", {"places": without_the_first}),
        "fit_on_four_fifths": ("fit-even-draws", "example 6 of 7", {"places": four_fifths}),
        "fit_on_the_first_50_000": ("fit-whole-set", "draws of the last 5,000", {"places": first_50_000}),
        "fit_with_places_in_16_bits": ("fit-whole-set", "draws of the last 5,000", {"places": in_16_bits}),
        "fit_on_batches_of_a_fixed_seed": ("fit-seed", "the same batches", {"places": drawn_by_a_fixed_seed}),
        "fit_from_a_fixed_seed": ("fit-seed", "give the same dense1/kernel", {"start": begun_by_a_fixed_seed}),
        "fit_from_he_kernels": ("fit-initial-parameters", "dense1/kernel", {"start": he_kernels}),
        "fit_from_small_biases": ("fit-initial-parameters", "dense1/bias", {"start": small_biases}),
    }
    changed = {
        "fit_on_batches_of_33": ("fit-batches", "the mean loss of no 3 examples", {"batch_size": lambda _: 33}),
        "fit_on_batches_of_100": ("fit-batches", "the mean loss of no 3 examples", {"batch_size": lambda _: 100}),
        "fit_at_twice_the_rate": (
            "fit-trajectory",
            "times the bound",
            {"learning_rate": lambda options: 2 * options["learning_rate"]},
        ),
    }
    whole = {
        "fit_without_parameters": ("fit-batches", "same loss", without_parameters),
        "fit_without_the_last_step": ("fit-trajectory", "times the bound", without_the_last_step),
        "fit_with_smoothed_losses": ("fit-batches", "the mean loss of no", smoothed_losses),
        "fit_with_summed_losses": ("fit-batches", "the mean loss of no", summed_losses),
        "fit_on_standardized_images": ("fit-losses", "'losses'", standardized),
        "fit_on_images_scaled_again": ("fit-losses", "'losses'", scaled_again),
        "fit_on_mirrored_images": ("fit-losses", "'losses'", mirrored),
        "fit_with_averaged_parameters": ("fit-trajectory", "times the bound", averaged),
    }
    parts = {name: (claim, tells, training_by(**change)) for name, (claim, tells, change) in exchanged.items()}
    parts |= {name: (claim, tells, other_options(**change)) for name, (claim, tells, change) in changed.items()}
    return {
        name: Fault("training.fit", f"training.{claim}", tells, as_trained(wrong))
        for name, (claim, tells, wrong) in (parts | whole).items()
    }


TRAINING_FAULTS = faults_of_fit()
