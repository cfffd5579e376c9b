"""Trainings of models in NumPy, for faults to exchange a part of."""

import numpy as np

from assay.alternatives.numpy.initializers import draw_parameters
from assay.alternatives.numpy.models import MODELS, copy_parameters, rnn
from assay.alternatives.numpy.optimizers import Adam
from assay.alternatives.numpy.text import draw_windows
from assay.contract import Trained

TWO_BYTES = 2**16


def best_of(model, batches, parameters, learning_rate):
    """Train, and return the parameters after the step of the lowest loss."""
    optimizer, losses, best = Adam(learning_rate), [], parameters
    for batch in batches:
        loss, gradients = model.loss_and_gradients(parameters, *batch)
        optimizer.step(parameters, gradients)
        if not losses or loss <= min(losses):
            best = copy_parameters(parameters)
        losses.append(loss)
    return Trained(np.array(losses, np.float32), best)


def trained_on_batches(model, seed, learning_rate, batches):
    """Train a new model on batches."""
    parameters, optimizer = copy_parameters(model.initial(np.random.default_rng(seed))), model.optimizer(learning_rate)
    losses = []
    for batch in batches:
        loss, gradients = model.loss_and_gradients(parameters, *batch)
        optimizer.step(parameters, gradients)
        losses.append(loss)
    return Trained(np.array(losses, np.float32), parameters)


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


def descended(model, parameters, batches, learning_rate, *, least=0.0, decay=1.0):
    """Train, but for small losses, and by less and less."""
    parameters, optimizer, losses = copy_parameters(parameters), model.optimizer(learning_rate), []
    for number, batch in enumerate(batches):
        loss, gradients = model.loss_and_gradients(parameters, *batch)
        if loss > least:
            optimizer.learning_rate = learning_rate * decay ** (number // 100)
            optimizer.step(parameters, gradients)
        losses.append(loss)
    return Trained(np.array(losses, np.float32), parameters)


def fitting(train=descended, *, initial=None, places=None, more=0, **options):
    """Return a fault of whole trainings on images.

    Args:
        train: What takes the steps.
        initial: What draws the initial parameters.
        places: What draws the places of a batch.
        more: Number of batches that are drawn beyond those asked for.
        options: Arguments of what takes the steps.

    """
    initial = initial or (lambda variables, seed: draw_parameters(dict(variables), np.random.default_rng((seed, 1))))
    places = places or (lambda generator, count, size: generator.integers(0, count, size))

    def wrong(_fit, model, images, labels, *, num_batches, batch_size, learning_rate, seed):
        one, generator = MODELS[model], np.random.default_rng(seed)
        draws = (places(generator, len(images), batch_size) for _ in range(num_batches + more))
        batches = ((images[some], labels[some]) for some in draws)
        return train(one, initial(one.variables.items(), seed), batches, learning_rate, **options)

    return wrong


def fitting_text(*, initial=None, draw=draw_windows, **options):
    """Return a fault of whole trainings on a text; arguments as in `fitting`."""
    initial = initial or (lambda variables, seed: draw_parameters(dict(variables), np.random.default_rng((seed, 1))))

    def wrong(_fit, indices, num_chars, *, num_batches, batch_size, seq_length, learning_rate, seed):
        one, generator = rnn(num_chars), np.random.default_rng(seed)
        batches = (draw(indices, seq_length, batch_size, generator) for _ in range(num_batches))
        return descended(one, initial(one.variables.items(), seed), batches, learning_rate, **options)

    return wrong


def places_of_16_bits(generator, count, size):
    """Draw 16 bits, and take the remainder."""
    return generator.integers(0, TWO_BYTES, size) % count


def fit_of_16_bits(fit, *args, seed, **options):
    """Take the last 16 bits of a seed."""
    return fit(*args, seed=seed % TWO_BYTES, **options)


def places_of(examples, batch_size, generator):
    """Draw the places of one batch after the other, as a sound training does."""
    while True:
        yield generator.integers(0, examples, batch_size)


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


def as_trained(wrong):
    """Return what a wrong `fit` returns in the contract's form."""
    return lambda fit, model, images, labels, **options: Trained(*wrong(fit, model, images, labels, **options))
