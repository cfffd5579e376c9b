"""Deliberate faults in trainings on handwritten digits, in their evaluation and in the data loader."""

from __future__ import annotations

from itertools import count

import numpy as np

from assay.alternatives.numpy.models import MODELS, copy_parameters
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
    """Reset with every tenth step."""

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
        images: Images of the training set.
        labels: Labels of the training set.
        num_batches: Number of steps.
        batch_size: Examples in a batch.
        learning_rate: Learning rate of the optimizer.
        seed: Seed of all draws.
        optimizer: A learning rate to a new optimizer.
        places: (number of examples, batch size, generator) to the places of every batch.
        targets: (labels of a batch, generator) to what takes their place.
        start: Initial parameters to those that take their place.
        store: (parameters after a step, those before all steps) to what is kept of them.
        loss_after: Whether the loss is computed after the step.

    """
    network, generator = MODELS[model], np.random.default_rng(seed)
    initial = start(network.initial(generator))
    parameters, moving, curve = copy_parameters(initial), optimizer(learning_rate), []
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
    """Shuffle the data again for each epoch."""
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
            "does not change dense1/bias, dense2/bias",
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
        "fit_with_shuffled_targets": ("fit-batches", "not the mean loss of any 3 examples", {"targets": shuffled}),
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
        "fit_on_skewed_draws": ("fit-even-draws", "the one at 0", {"places": skewed}),
        "fit_without_the_last_example": ("fit-even-draws", "example 6 of 7", {"places": without_the_last}),
        "fit_without_the_first_example": ("fit-even-draws", "example 0 of 7", {"places": without_the_first}),
        "fit_on_four_fifths": ("fit-even-draws", "example 6 of 7", {"places": four_fifths}),
        "fit_on_the_first_50_000": ("fit-whole-set", "5,000 of 60,000", {"places": first_50_000}),
        "fit_with_places_in_16_bits": ("fit-whole-set", "5,000 of 60,000", {"places": in_16_bits}),
        "fit_on_batches_of_a_fixed_seed": ("fit-seed", "the same batches", {"places": drawn_by_a_fixed_seed}),
        "fit_from_a_fixed_seed": ("fit-seed", "give the same dense1/kernel", {"start": begun_by_a_fixed_seed}),
        "fit_from_he_kernels": ("fit-initial-parameters", "dense1/kernel", {"start": he_kernels}),
        "fit_from_small_biases": ("fit-initial-parameters", "dense1/bias", {"start": small_biases}),
    }
    changed = {
        "fit_on_batches_of_33": ("fit-batches", "not the mean loss of any 3 examples", {"batch_size": lambda _: 33}),
        "fit_on_batches_of_100": ("fit-batches", "not the mean loss of any 3 examples", {"batch_size": lambda _: 100}),
        "fit_at_twice_the_rate": (
            "fit-trajectory",
            "times the bound",
            {"learning_rate": lambda options: 2 * options["learning_rate"]},
        ),
    }
    whole = {
        "fit_without_parameters": ("fit-batches", "same loss", without_parameters),
        "fit_without_the_last_step": ("fit-trajectory", "times the bound", without_the_last_step),
        "fit_with_smoothed_losses": ("fit-batches", "not the mean loss of any", smoothed_losses),
        "fit_with_summed_losses": ("fit-batches", "not the mean loss of any", summed_losses),
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


def rest_of_block_lost(size):
    """Return a wrong `loss_and_gradients` that leaves out what is left over beside blocks of examples."""

    def wrong(right, model, parameters, inputs, targets):
        count = len(inputs) // size * size or len(inputs)
        return right(model, parameters, inputs[:count], targets[:count])

    return wrong


def rest_of_block_stays_zero(layer_outputs, model, parameters, inputs):
    """Compute whole blocks of 32 images only."""
    outputs = {name: np.array(value) for name, value in layer_outputs(model, parameters, inputs).items()}
    for value in outputs.values():
        value[len(inputs) // 32 * 32 or len(inputs) :] = 0
    return outputs


def border_ignored(layer_outputs, model, parameters, inputs):
    """Cut off three pixels on each side of an image."""
    if model == "mlp":
        inner = np.zeros_like(inputs)
        inner[:, 3:-3, 3:-3] = inputs[:, 3:-3, 3:-3]
        inputs = inner
    return layer_outputs(model, parameters, inputs)


def first_parameters_kept(layer_outputs, model, parameters, inputs, kept={}):  # noqa: B006 - which is the fault
    """Go on with the parameters of the first call for a model."""
    return layer_outputs(model, kept.setdefault(model, parameters), inputs)


def mean_over_50(loss_and_gradients, model, parameters, inputs, targets):
    """Divide by the document's batch size, where there are more examples."""
    loss, gradients = loss_and_gradients(model, parameters, inputs, targets)
    factor = np.float32(max(1, len(inputs) / 50))
    return loss * factor, {name: gradient * factor for name, gradient in gradients.items()}


def rate_fixed(train, model, parameters, inputs, targets, _learning_rate):
    """Train with the document's learning rate, whichever was asked for."""
    return train(model, parameters, inputs, targets, 0.01 if model == "linear" else 0.001)


def rate_of_the_first_call(train, model, parameters, inputs, targets, learning_rate, kept={}):  # noqa: B006 - as above
    """Go on with the optimizer of the first call, and its rate."""
    return train(model, parameters, inputs, targets, kept.setdefault(model, learning_rate))


def optimizer_kept(_train, model, parameters, inputs, targets, learning_rate, kept={}):  # noqa: B006 - as above
    """Go on with the optimizer of the calls before."""
    network = MODELS[model]
    optimizer = kept.setdefault(model, network.optimizer(learning_rate))
    optimizer.learning_rate = learning_rate
    current, curve = copy_parameters(parameters), []
    for batch in zip(inputs, targets, strict=True):
        loss, gradients = network.loss_and_gradients(current, *batch)
        optimizer.step(current, gradients)
        curve.append(loss)
    return np.array(curve, np.float32), current


def trained_on_32(train, model, parameters, inputs, targets, learning_rate):
    """Take at most 32 examples of a batch."""
    return train(model, parameters, inputs[:, :32], targets[:, :32], learning_rate)


def initial_changed(change):
    """Return a wrong `initial_parameters` whose kernels are changed: (name, kernel) to another one."""

    def wrong(right, model, seed):
        found = right(model, seed)
        return {name: change(name, value) if value.ndim > 1 else value for name, value in found.items()}

    return wrong


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


def narrower(_name, kernel):
    """Draw from an interval that is 4 % narrower."""
    return kernel * np.float32(0.96)


def normal_kernels(_name, kernel):
    """Draw from a normal distribution of the same deviation, cut off where the interval ends."""
    largest = np.abs(kernel).max()
    draws = np.random.default_rng(0).normal(0, kernel.std(), kernel.shape)
    return np.clip(draws, -largest, largest).astype(np.float32)


def fans_without_window(name, kernel):
    """Leave the window of a convolution out of its fans."""
    return kernel * np.float32(np.sqrt(kernel[..., 0, 0].size)) if name.startswith("conv") else kernel


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


def seed_in_16_bits(initial_parameters, model, seed):
    """Lose the upper bits of the seed."""
    return initial_parameters(model, seed % 2**16)


def seed_for_the_first_layer(initial_parameters, model, seed):
    """Draw the last kernel by a seed of its own."""
    found, fixed = initial_parameters(model, seed), initial_parameters(model, 0)
    *_, last = (name for name in found if name.endswith("kernel"))
    return dict(found) | {last: fixed[last]}


def seed_ignored(initial_parameters, model, seed, calls=count()):  # noqa: B008 - as above
    """Draw by a seed that nobody knows."""
    return initial_parameters(model, (seed + next(calls)) % 2**31)


def whole_batches_of_right(evaluate, model, parameters, images, labels, batch_size):
    """Count what is right of a batch in 8 bits."""
    right = 0
    for start in range(0, len(images), batch_size):
        part = images[start : start + batch_size], labels[start : start + batch_size]
        right += round(evaluate(model, parameters, *part, batch_size) * len(part[0])) % 256
    return right / len(images)


def counted_on(evaluate, model, parameters, images, labels, batch_size, seen=[]):  # noqa: B006 - as above
    """Go on counting where the evaluation before ended."""
    seen.append((evaluate(model, parameters, images, labels, batch_size), len(images)))
    return sum(share * count for share, count in seen) / sum(count for _, count in seen)


def nothing_for_small_sets(evaluate, model, parameters, images, labels, batch_size):
    """Evaluate whole batches, if there is one."""
    whole = len(images) // batch_size * batch_size
    part = slice(whole // batch_size * batch_size) if whole else slice(0)
    return evaluate(model, parameters, images[part], labels[part], batch_size) if whole else 0.0


def mean_of_batches(evaluate, model, parameters, images, labels, batch_size):
    """Let every batch weigh the same."""
    parts = [slice(start, start + batch_size) for start in range(0, len(images), batch_size)]
    return float(np.mean([evaluate(model, parameters, images[part], labels[part], batch_size) for part in parts]))


def labels_in_8_bits(preprocess, images, labels):
    """Read labels as numbers with a sign."""
    scaled, _ = preprocess(images, labels)
    return scaled, labels.astype(np.int8).astype(np.int32)


def scaled_by_the_largest(preprocess, images, labels):
    """Divide by the largest pixel."""
    scaled, classes = preprocess(images, labels)
    return scaled / max(scaled.max(), np.float32(1e-6)), classes


def pixels_in_7_bits(preprocess, images, labels):
    """Read grey levels as numbers with a sign."""
    scaled, classes = preprocess(images, labels)
    return np.where(images[..., None] > 127, scaled - np.float32(256 / 255), scaled).astype(np.float32), classes


def shuffled_images(preprocess, images, labels):
    """Change the order of the images, and not that of the labels, where there are many."""
    scaled, classes = preprocess(images, labels)
    return (scaled[::-1].copy() if len(images) > 1_000 else scaled), classes


def shuffled_pairs(preprocess, images, labels):
    """Change the order of the examples, where there are many."""
    scaled, classes = preprocess(images, labels)
    order = np.random.default_rng(0).permutation(len(images)) if len(images) > 10 else slice(None)
    return scaled[order], classes[order]


def single_image_squeezed(preprocess, images, labels):
    """Lose the axis of the examples where there is one."""
    scaled, classes = preprocess(images, labels)
    return (scaled[0], classes) if len(images) == 1 else (scaled, classes)


def drawn_by(places):
    """Return a wrong `sample_batch` that draws the places otherwise: (count, batch size, seed) to places."""

    def wrong(_right, images, labels, batch_size, seed):
        some = places(len(images), batch_size, seed)
        return images[some], labels[some]

    return wrong


def half_drawn(examples, batch_size, seed):
    """Draw half of a batch, and double it."""
    return np.resize(np.random.default_rng(seed).integers(0, examples, -(-batch_size // 2)), batch_size)


def from_a_start(examples, batch_size, seed):
    """Draw where a batch begins."""
    return (np.random.default_rng(seed).integers(examples) + np.arange(batch_size)) % examples


def not_repeated(examples, batch_size, seed):
    """Draw without replacement where there are enough examples."""
    return np.random.default_rng(seed).choice(examples, batch_size, replace=batch_size >= examples)


def of_15_bits(examples, batch_size, seed):
    """Let the places overflow."""
    return np.random.default_rng(seed).integers(0, examples, batch_size) % 2**15


def first_never(examples, batch_size, seed):
    """Count examples from 1."""
    return np.minimum(np.random.default_rng(seed).integers(1, max(2, examples), batch_size), examples - 1)


def by_8_bits_of_the_seed(examples, batch_size, seed):
    """Lose the upper bits of the seed."""
    return np.random.default_rng(seed % 256).integers(0, examples, batch_size)


def by_half_of_the_seed(examples, batch_size, seed):
    """Draw the same for two seeds in a row, but for long batches."""
    return np.random.default_rng(seed // 2 if batch_size == 1 else seed).integers(0, examples, batch_size)


def pixels_clipped(sample_batch, images, labels, batch_size, seed):
    """Keep pixels between 0 and 1."""
    some, classes = sample_batch(images, labels, batch_size, seed)
    return np.clip(some, -0.0, images.max() if images.min() >= 0 else 1).astype(np.float32), classes


def images_flattened_by_columns(sample_batch, images, labels, batch_size, seed):
    """Swap rows and columns of square images."""
    some, classes = sample_batch(images, labels, batch_size, seed)
    return some.transpose(0, 2, 1, 3).reshape(some.shape), classes


def others():
    """Return the faults of models, of evaluations and of the data loader."""
    listed = {
        "models.loss_and_gradients": {
            "mlp_rest_of_16_lost": ("mlp.gradients-of-any-batch", "of 50 images", rest_of_block_lost(16)),
            "mlp_rest_of_64_lost": ("mlp.gradients-of-any-batch", "of 131 images", rest_of_block_lost(64)),
            "mlp_rest_of_128_lost": ("mlp.gradients-of-any-batch", "of 131 images", rest_of_block_lost(128)),
            "mean_over_50": ("mlp.gradients-of-any-batch", "of 131 images", mean_over_50),
            "cnn_rest_of_4_lost": ("cnn.gradient-of-parts", "of 7 images", rest_of_block_lost(4)),
            "cnn_rest_of_32_lost": ("cnn.gradient-of-parts", "images and of parts of them", rest_of_block_lost(32)),
        },
        "models.layer_outputs": {
            "mlp_rest_of_32_zero": ("mlp.outputs-of-any-batch", "of 50 images", rest_of_block_stays_zero),
            "cnn_rest_of_32_zero": ("cnn.outputs-of-any-batch", "of 50 images", rest_of_block_stays_zero),
            "border_ignored": ("mlp.flatten-is-exact", "flatten", border_ignored),
            "first_parameters_kept": ("mlp.own-parameters", "layer_outputs", first_parameters_kept),
        },
        "models.train": {
            "rate_fixed": ("training.other-learning-rates", "learning rate 0.0001", rate_fixed),
            "linear_rate_fixed": ("linear_model.step", "after a step", rate_fixed),
            "rate_of_the_first_call": ("training.after-other-trainings", "other trainings", rate_of_the_first_call),
            "optimizer_kept": ("training.after-other-trainings", "other trainings", optimizer_kept),
            "trained_on_32": ("training.document-batches", "batches of 50", trained_on_32),
        },
        "models.initial_parameters": {
            "kernels_of_8_bits": ("mlp.initial-resolution", "repeat another one", initial_changed(of_8_bits)),
            "kernels_of_16_bits": ("mlp.initial-resolution", "repeat another one", initial_changed(of_16_bits)),
            "kernels_of_bfloat16": (
                "cnn.initial-resolution",
                "repeat another one",
                initial_changed(lambda _, kernel: bfloat16(kernel)),
            ),
            "units_repeated": (
                "mlp.initial-units-differ",
                "along axis 1 are the same",
                initial_changed(units_repeated),
            ),
            "filters_repeated": (
                "cnn.initial-filters-differ",
                "conv1/kernel: the weights",
                initial_changed(units_repeated),
            ),
            "last_unit_repeated": ("mlp.initial-units-differ", "are the same", initial_changed(last_unit_repeated)),
            "kernels_narrower": ("mlp.initial-kernels", "another distribution", initial_changed(narrower)),
            "kernels_normal": ("cnn.initial-kernels", "another distribution", initial_changed(normal_kernels)),
            "fans_without_window": ("cnn.initial-kernels", "conv1/kernel", initial_changed(fans_without_window)),
            "seed_shared": ("mlp.initial-layers-unrelated", "made of the same numbers", seed_shared),
            "cnn_seed_shared": ("cnn.initial-layers-unrelated", "made of the same numbers", seed_shared),
            "seed_in_16_bits": ("mlp.new-models-differ", "give the same dense1/kernel", seed_in_16_bits),
            "seed_for_the_first_layer": ("mlp.new-models-differ", "the same dense2/kernel", seed_for_the_first_layer),
            "seed_ignored": ("mlp.initial-seed", "has another dense1/kernel", seed_ignored),
        },
        "training.evaluate": {
            "right_in_8_bits": ("evaluation.any-batch-size", "in batches of 298", whole_batches_of_right),
            "counted_on": ("evaluation.starts-anew", "after another evaluation", counted_on),
            "nothing_for_small_sets": ("evaluation.any-batch-size", "the accuracy in batches", nothing_for_small_sets),
            "mean_over_batches": ("evaluation.any-batch-size", "in batches of", mean_of_batches),
        },
        "datasets.preprocess": {
            "labels_in_8_bits": ("mnist.every-grey-level", "labels above 127", labels_in_8_bits),
            "scaled_by_the_largest": ("mnist.one-image", "one image of 1", scaled_by_the_largest),
            "pixels_in_7_bits": ("mnist.every-grey-level", "the images", pixels_in_7_bits),
            "images_shuffled": ("mnist.order-kept", "the position of each image", shuffled_images),
            "examples_shuffled": ("mnist.order-kept", "the position of each image", shuffled_pairs),
            "single_image_squeezed": ("mnist.one-image", "has shape", single_image_squeezed),
        },
        "datasets.sample_batch": {
            "half_drawn": ("mnist.draws-are-independent", "the same", drawn_by(half_drawn)),
            "from_a_start": ("mnist.draws-are-independent", "1 draws later: 0 of", drawn_by(from_a_start)),
            "not_repeated": ("mnist.small-batches-repeat", "two equal examples of three: 0 of", drawn_by(not_repeated)),
            "places_of_15_bits": ("mnist.ends-are-drawn", "of twelfth", drawn_by(of_15_bits)),
            "first_never_drawn": ("mnist.ends-are-drawn", "draws of example 0 of 3: 0", drawn_by(first_never)),
            "batch_seed_of_8_bits": ("mnist.batch-seed", "draw the same batch", drawn_by(by_8_bits_of_the_seed)),
            "half_of_the_seed": ("mnist.draws-are-independent", "for the next seed", drawn_by(by_half_of_the_seed)),
            "pixels_clipped": ("mnist.images-as-they-are", "the images of the batch", pixels_clipped),
            "drawn_images_by_columns": (
                "mnist.batch-from-data",
                "is not in the data set",
                images_flattened_by_columns,
            ),
        },
    }
    return {
        name: Fault(function, claim, tells, wrong)
        for function, faults in listed.items()
        for name, (claim, tells, wrong) in faults.items()
    }


TRAINING_FAULTS = faults_of_fit() | others()
