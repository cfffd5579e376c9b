"""Faults of the training on handwritten digits: its initial parameters, its steps and its losses."""

import dataclasses
from itertools import pairwise

import numpy as np

from assay.alternatives.numpy.models import MODELS, copy_parameters, descend
from assay.alternatives.numpy.optimizers import BETA_1, BETA_2, Adam
from assay.contract import Trained
from doubles.faulty import Fault
from doubles.initial_draws import layers_drawn_in_turn
from doubles.narrow_numbers import bfloat16
from doubles.training_loops import Run, as_trained, best_of, fitting, other_options, training_by


class SGD(Adam):
    """Follow the gradient."""

    def step(self, parameters, gradients):
        """Move every parameter."""
        for name, gradient in gradients.items():
            parameters[name] -= np.float32(self.learning_rate) * gradient


class RMSprop(Adam):
    """Divide by the root mean square of the gradients, without a first moment."""

    def step(self, parameters, gradients):
        """Move every parameter."""
        for name, gradient in gradients.items():
            second = self.moments.get(name, 0) * np.float32(0.9) + np.float32(0.1) * gradient**2
            self.moments[name] = second
            parameters[name] -= np.float32(self.learning_rate) * gradient / (np.sqrt(second) + np.float32(1e-7))


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


def without_the_last_step(fit, model, images, labels, **options):
    """Return the parameters before the last step."""
    curve, _ = fit(model, images, labels, **options)
    _, before = fit(model, images, labels, **options | {"num_batches": max(1, options["num_batches"] - 1)})
    return curve, before


def averaged(fit, model, images, labels, **options):
    """Return the mean of the parameters after each half of the training."""
    curve, last = fit(model, images, labels, **options)
    _, middle = fit(model, images, labels, **options | {"num_batches": max(1, options["num_batches"] // 2)})
    return curve, {name: (last[name] + middle[name]) / np.float32(2) for name in last}


class WithoutBiases(Adam):
    """Leave the biases as they are."""

    def step(self, parameters, gradients):
        """Move every kernel."""
        super().step(parameters, {name: value for name, value in gradients.items() if not name.endswith("bias")})


def reported_ahead(model, parameters, batches, learning_rate):
    """Report for each step the loss of the batch after it."""
    parameters, optimizer, losses = copy_parameters(parameters), model.optimizer(learning_rate), []
    batches = [*batches]
    for batch, following in pairwise(batches):
        losses.append(model.loss_and_gradients(parameters, *following)[0])
        optimizer.step(parameters, model.loss_and_gradients(parameters, *batch)[1])
    return Trained(np.array(losses, np.float32), parameters)


def standardized(fit, model, images, labels, **options):
    """Subtract the mean pixel, and divide by the deviation."""
    return fit(model, (images - np.float32(0.1307)) / np.float32(0.3081), labels, **options)


def scaled_again(fit, model, images, labels, **options):
    """Divide the pixels by 255 a second time."""
    return fit(model, images / np.float32(255), labels, **options)


def mirrored(fit, model, images, labels, **options):
    """Turn the images from left to right, to have more of them."""
    return fit(model, images[:, :, ::-1].copy(), labels, **options)


def he_kernels(parameters):
    """Draw wider kernels, as He and others do."""
    return {
        name: value * np.float32(np.sqrt(sum(value.shape) / value.shape[0])) if value.ndim > 1 else value
        for name, value in parameters.items()
    }


def small_biases(parameters):
    """Begin with biases of 0.01."""
    return {name: value if value.ndim > 1 else value + np.float32(0.01) for name, value in parameters.items()}


def two_examples_at_least(fit, model, images, labels, *, batch_size, **options):
    """Draw two examples for a batch of one, as the variance of one is 0."""
    return fit(model, images, labels, batch_size=max(2, batch_size), **options)


def labels_of_other_examples():
    """Return a fault that keeps the labels of images of the same shape and sum."""
    known = {}

    def wrong(fit, model, images, labels, **options):
        kept = known.setdefault((model, images.shape, float(images.sum())), labels.copy())
        return fit(model, images, kept, **options)

    return wrong


def train_with(take_step, only=None):
    """Return a `fit` whose every step is that of a function of the run, the batch, its loss and its gradients."""

    def fit(right, model, images, labels, *, num_batches, batch_size, learning_rate, seed):
        if only not in (None, model):
            options = {"num_batches": num_batches, "batch_size": batch_size, "learning_rate": learning_rate}
            return right(model, images, labels, **options, seed=seed)
        run = Run(model, images, labels, num_batches, batch_size, learning_rate, seed)
        for batch in run.batches:
            loss, gradients = run.gradients(*batch)
            take_step(run, batch, loss, gradients)
            run.losses.append(loss)
        return run.result()

    return fit


def skip_outlier(run, batch, loss, gradients):
    """Take no step on a batch whose loss is far above the others'."""
    del batch
    if len(run.losses) < 5 or loss < 1.3 * np.mean(run.losses):
        run.optimizer.step(run.parameters, gradients)


def fit_to_the_best(_fit, model, images, labels, *, num_batches, batch_size, learning_rate, seed):
    """Keep the parameters of the lowest loss."""
    generator = np.random.default_rng(seed)
    initial = MODELS[model].initial(generator)
    places = (generator.integers(0, len(images), batch_size) for _ in range(num_batches))
    return best_of(MODELS[model], ((images[some], labels[some]) for some in places), initial, learning_rate)


def optimizer_of_another_cnn():
    """Return a fault that goes on with the optimizer of the last training of the CNN with its rate."""
    known = {}

    def wrong(fit, model, images, labels, *, num_batches, batch_size, learning_rate, seed):
        if model != "cnn":
            options = {"num_batches": num_batches, "batch_size": batch_size, "learning_rate": learning_rate}
            return fit(model, images, labels, **options, seed=seed)
        generator = np.random.default_rng(seed)
        optimizer = known.setdefault(learning_rate, Adam(learning_rate))
        network = dataclasses.replace(MODELS["cnn"], optimizer=lambda _rate: optimizer)
        initial = network.initial(generator)
        places = (generator.integers(0, len(images), batch_size) for _ in range(num_batches))
        return Trained(*descend(network, initial, ((images[some], labels[some]) for some in places), learning_rate))

    return wrong


def step_on_first_half(run, batch, loss, gradients):
    """Differentiate the loss of half of the batch."""
    del loss, gradients
    half = max(1, len(batch[0]) // 2)
    run.optimizer.step(run.parameters, run.gradients(*(values[:half] for values in batch))[1])


def forget_steps(run, batch, loss, gradients):
    """Correct the bias of the moments as in step 10 at most."""
    del batch, loss
    run.optimizer.steps = min(run.optimizer.steps, 9)
    run.optimizer.step(run.parameters, gradients)


def begin_alike(right, model, images, labels, **options):
    """Begin every CNN with the same parameters."""
    return right(model, images, labels, **(options | {"seed": 0} if model == "cnn" else options))


FAULTS = {
    "fit_by_sgd": Fault(
        "training.fit", "training.fit-trajectory", "times the bound", as_trained(training_by(optimizer=SGD))
    ),
    "fit_by_rmsprop": Fault(
        "training.fit", "training.fit-trajectory", "times the bound", as_trained(training_by(optimizer=RMSprop))
    ),
    "fit_without_bias_correction": Fault(
        "training.fit", "training.fit-trajectory", "times the bound", as_trained(training_by(optimizer=Uncorrected))
    ),
    "fit_with_decaying_rate": Fault(
        "training.fit", "training.fit-trajectory", "times the bound", as_trained(training_by(optimizer=Decaying))
    ),
    "fit_with_clipped_gradients": Fault(
        "training.fit", "training.fit-trajectory", "times the bound", as_trained(training_by(optimizer=Clipped))
    ),
    "fit_with_weight_decay": Fault(
        "training.fit", "training.fit-trajectory", "times the bound", as_trained(training_by(optimizer=Weighted))
    ),
    "fit_with_restarted_optimizer": Fault(
        "training.fit", "training.fit-trajectory", "times the bound", as_trained(training_by(optimizer=Restarted))
    ),
    "fit_in_bfloat16": Fault(
        "training.fit",
        "training.fit-trajectory",
        "times the bound",
        as_trained(
            training_by(store=lambda parameters, _: {name: bfloat16(value) for name, value in parameters.items()})
        ),
    ),
    "fit_at_twice_the_rate": Fault(
        "training.fit",
        "training.fit-trajectory",
        "times the bound",
        as_trained(other_options(learning_rate=lambda options: 2 * options["learning_rate"])),
    ),
    "fit_without_the_last_step": Fault(
        "training.fit", "training.fit-trajectory", "times the bound", as_trained(without_the_last_step)
    ),
    "fit_with_averaged_parameters": Fault(
        "training.fit", "training.fit-trajectory", "times the bound", as_trained(averaged)
    ),
    "fit_without_biases": Fault(
        "training.fit",
        "training.fit-moves-every-parameter",
        "does not change dense1/bias, dense2/bias",
        as_trained(training_by(optimizer=WithoutBiases)),
    ),
    "losses_reported_ahead": Fault(
        "training.fit", "training.fit-losses", "the steps use", fitting(reported_ahead, more=1)
    ),
    "fitted_until_99_percent": Fault("training.fit", "training.fit-losses", "moves nothing", fitting(least=1e-2)),
    "fit_with_loss_after_step": Fault(
        "training.fit", "training.fit-losses", "'losses'", as_trained(training_by(loss_after=True))
    ),
    "fit_on_standardized_images": Fault("training.fit", "training.fit-losses", "'losses'", as_trained(standardized)),
    "fit_on_images_scaled_again": Fault("training.fit", "training.fit-losses", "'losses'", as_trained(scaled_again)),
    "fit_on_mirrored_images": Fault("training.fit", "training.fit-losses", "'losses'", as_trained(mirrored)),
    "fit_layers_in_turn": Fault(
        "training.fit",
        "training.fit-initial-parameters",
        "of the next are made of the same numbers",
        fitting(initial=layers_drawn_in_turn),
    ),
    "fit_from_he_kernels": Fault(
        "training.fit", "training.fit-initial-parameters", "dense1/kernel", as_trained(training_by(start=he_kernels))
    ),
    "fit_from_small_biases": Fault(
        "training.fit", "training.fit-initial-parameters", "dense1/bias", as_trained(training_by(start=small_biases))
    ),
    "two_examples_at_least": Fault(
        "training.fit", "training.fit-labels", "steps of 1 black images", two_examples_at_least
    ),
    "labels_of_other_examples": Fault(
        "training.fit", "training.fit-labels", "black images", labels_of_other_examples()
    ),
    "outliers_skipped": Fault("training.fit", "training.fit-labels", "black images", train_with(skip_outlier)),
    "fit_to_the_best": Fault(
        "training.fit", "training.fit-last-parameters", "the last of which is not the best", fit_to_the_best
    ),
    "labels_of_other_examples_of_the_cnn": Fault(
        "training.fit", "cnn.fit-labels", "black images", labels_of_other_examples()
    ),
    "optimizer_of_another_cnn": Fault("training.fit", "cnn.fit-labels", "black images", optimizer_of_another_cnn()),
    "half_of_each_batch": Fault(
        "training.fit", "cnn.fit-labels", "black images", train_with(step_on_first_half, "cnn")
    ),
    "ten_steps_remembered": Fault("training.fit", "cnn.fit-labels", "black images", train_with(forget_steps, "cnn")),
    "cnn_begins_alike": Fault("training.fit", "cnn.fit-labels", "give the same conv1/kernel", begin_alike),
}
