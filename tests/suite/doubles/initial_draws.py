"""Parts of faults of initial parameters."""

import numpy as np

from assay.alternatives.numpy.initializers import draw_parameters
from assay.alternatives.numpy.models import MODELS
from doubles.kept_results import returned_again


def with_kernel(name, change):
    """Return `initial_parameters` with one kernel changed."""

    def wrong(right, model, seed):
        found = dict(right(model, seed))
        return found | {name: change(found[name])}

    return wrong


def seed_of_30_bits(right, model, seed):
    """Leave out the highest bits of a seed."""
    return right(model, seed % 2**30)


def initial_of(model):
    """Return a fault that builds one model once for each seed."""

    def wrong(initial_parameters, name, seed):
        return returned_again(initial_parameters, name, seed) if name == model else initial_parameters(name, seed)

    return wrong


def layers_drawn_in_turn(variables, seed):
    """Draw each layer by the sum of the seed and of its place."""
    layers = [
        draw_parameters({layer: each}, np.random.default_rng(seed + n)) for n, (layer, each) in enumerate(variables)
    ]
    return {name: value for layer in layers for name, value in layer.items()}


def initial_layers_in_turn(chosen):
    """Return a fault of one model's initial parameters."""

    def wrong(initial_parameters, model, seed):
        if model != chosen:
            return initial_parameters(model, seed)
        return layers_drawn_in_turn(MODELS[model].variables.items(), seed)

    return wrong
