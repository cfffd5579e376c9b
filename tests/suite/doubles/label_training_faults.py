"""Faults inside whole trainings that labels, other seeds and other sizes show, and of draws and calls beside them."""

import numpy as np

from assay.alternatives.numpy.models import MODELS, copy_parameters
from assay.alternatives.numpy.optimizers import Adam
from assay.contract import Trained
from doubles.faulty import Fault


class Run:
    """A training of the NumPy implementation whose steps a fault takes otherwise."""

    def __init__(self, model, images, labels, num_batches, batch_size, learning_rate, seed):
        generator = np.random.default_rng(seed)
        self.model, self.optimizer = MODELS[model], Adam(learning_rate)
        self.parameters, self.losses = copy_parameters(self.model.initial(generator)), []
        places = (generator.integers(0, len(images), batch_size) for _ in range(num_batches))
        self.batches = ((images[some], labels[some]) for some in places)

    def gradients(self, *batch):
        return self.model.loss_and_gradients(self.parameters, *batch)

    def result(self):
        return Trained(np.array(self.losses, np.float32), self.parameters)


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


def cap_batch(right, model, images, labels, *, batch_size, **options):
    """Take at most 64 examples in a batch."""
    return right(model, images, labels, batch_size=min(batch_size, 64), **options)


def begin_alike(right, model, images, labels, **options):
    """Begin every CNN with the same parameters."""
    return right(model, images, labels, **(options | {"seed": 0} if model == "cnn" else options))


def draw_opposite_batches(right, model, images, labels, *, num_batches, batch_size, learning_rate, seed):
    """Draw every second batch as the opposite of the one before."""
    del right
    run = Run(model, images, labels, num_batches, batch_size, learning_rate, seed)
    generator, places = np.random.default_rng(seed + 1), None
    for number in range(num_batches):
        places = len(images) - 1 - places if number % 2 else generator.integers(0, len(images), batch_size)
        loss, gradients = run.gradients(images[places], labels[places])
        run.optimizer.step(run.parameters, gradients)
        run.losses.append(loss)
    return run.result()


def opposite(count, draws, seed):
    """Draw half of the places, and take their opposites for the others."""
    places = np.random.default_rng(seed).integers(0, count, draws)
    half = draws // 2
    places[draws - half :] = count - 1 - places[:half]
    return places


def draw_opposite_examples(right, images, labels, batch_size, seed):
    """Take the opposites of half of the examples for the others."""
    del right
    places = opposite(len(images), batch_size, seed)
    return images[places], labels[places]


def draw_opposite_windows(right, indices, seq_length, batch_size, seed):
    """Take the opposites of half of the windows for the others."""
    if len(indices) <= seq_length:
        return right(indices, seq_length, batch_size, seed)
    starts = opposite(len(indices) - seq_length, batch_size, seed)
    return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]


def keep_windows():
    """Keep windows by everything but the text."""
    kept = {}

    def sample_windows(right, indices, *arguments):
        key = (len(indices), *arguments)
        if key not in kept:
            kept[key] = right(indices, *arguments)
        return tuple(values.copy() for values in kept[key])

    return sample_windows


def repeat_last_carry(right, inputs, *weights):
    """Return the last carry of a single sequence at every time."""
    hidden, carry = right(inputs, *weights)
    return hidden, np.repeat(carry[:, -1:], carry.shape[1], axis=1) if len(inputs) == 1 else carry


def write_nothing_unchecked(right, parameters, window, *, count, **options):
    """Check the temperature only for a text with characters."""
    return right(parameters, window, count=count, **options) if count else np.zeros(0, np.int32)


def leave_out_gradients_of_0(loss_and_gradients, *arguments):
    """Return no gradient for a parameter on which the loss does not depend."""
    loss, gradients = loss_and_gradients(*arguments)
    return loss, {name: gradient for name, gradient in gradients.items() if gradient.any()}


def take_three_features(right, model, parameters, inputs):
    """Take the first three features alone."""
    if model != "linear":
        return right(model, parameters, inputs)
    return right(model, {name: value[:3] for name, value in parameters.items()}, inputs[:, :3])


LABEL_TRAINING_FAULTS = {
    name: Fault(function, claim, tells, wrong)
    for name, function, claim, tells, wrong in [
        ("outliers_skipped", "training.fit", "training.fit-labels", "black images", train_with(skip_outlier)),
        ("half_of_each_batch", "training.fit", "cnn.fit-labels", "black images", train_with(step_on_first_half, "cnn")),
        ("ten_steps_remembered", "training.fit", "cnn.fit-labels", "black images", train_with(forget_steps, "cnn")),
        ("batches_of_64_at_most", "training.fit", "training.fit-whole-set", "not means of the two kinds", cap_batch),
        ("cnn_begins_alike", "training.fit", "cnn.fit-labels", "give the same conv1/kernel", begin_alike),
        ("opposite_batches", "training.fit", "training.fit-new-draws", "in reverse", draw_opposite_batches),
        (
            "opposite_examples",
            "datasets.sample_batch",
            "mnist.draws-are-independent",
            "look as dependent as",
            draw_opposite_examples,
        ),
        (
            "opposite_windows",
            "text.sample_windows",
            "text.independent-draws",
            "independent draws are as dependent",
            draw_opposite_windows,
        ),
        ("windows_kept_by_size", "text.sample_windows", "text.consecutive", "the windows", keep_windows()),
        (
            "last_carry_repeated",
            "ops.lstm",
            "recurrence.lstm-sequence-any-size",
            "from the states before",
            repeat_last_carry,
        ),
        (
            "nothing_written_unchecked",
            "text.generate",
            "generation.temperature-above-0",
            "a text without characters",
            write_nothing_unchecked,
        ),
        (
            "gradients_of_0_left_out",
            "models.loss_and_gradients",
            "training.large-batches",
            "has no 'dense",
            leave_out_gradients_of_0,
        ),
        ("three_features", "models.layer_outputs", "linear_model.prediction", "the prediction", take_three_features),
    ]
}
