"""Parts of faults of the functions of models."""

import numpy as np


def unchanged(right, *arguments):
    return right(*arguments)


def of_model(model, wrong):
    """Return a fault that one model has."""
    return lambda right, name, *arguments: (wrong if name == model else unchanged)(right, name, *arguments)


def repeated_after(count, axis=0):
    """Return a function of a batch, or of batches, that repeats the first so many examples in place of the others."""

    def wrong(right, model, parameters, inputs, *others):
        places = np.arange(inputs.shape[axis]) % count
        targets = [np.take(one, places, axis) if isinstance(one, np.ndarray) else one for one in others]
        return right(model, parameters, np.take(inputs, places, axis), *targets)

    return wrong


def adds_up_to_1(values):
    """Return whether all rows look like probabilities."""
    return (values >= 0).all() and np.allclose(values.sum(axis=-1), 1)


def divide_large(images):
    """Divide pixels by 255, unless all of them are at most 1."""
    return images / np.float32(255) if images.max() > 1 else images


def with_inputs_of(name, change):
    """Return a function of a model, its parameters and its inputs, which changes the inputs of one model."""

    def wrong(right, model, parameters, inputs, *rest):
        return right(model, parameters, change(inputs) if model == name else inputs, *rest)

    return wrong
