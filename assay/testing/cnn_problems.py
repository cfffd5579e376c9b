"""Problems for the document's CNN, which the tests of a process share."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from assay.adapters.proxy import GroupProxy
from assay.contract import Array
from assay.spec.semantics.models import MODELS, layer_outputs
from assay.spec.vectors import read
from assay.testing import problems
from assay.testing.networks import outputs_of
from assay.testing.problems import Problem

NAMES = [*read("cnn")["output_shapes"], "softmax"]
SHAPES = MODELS["cnn"].shapes

# Every problem stays in memory for the tests that share it.
problem_of = cache(problems.cnn)


def run(models: GroupProxy, problem: Problem) -> Mapping[str, Array]:
    """Run the model of a problem, and check that it has the layers that the document names."""
    return outputs_of(models, problem, NAMES)


@cache
def places_of(batch: int) -> Array:
    """Return the indices of four examples in a batch: first each of them, then in an order without a period."""
    return np.concatenate([np.arange(4), np.random.default_rng(0).integers(0, 4, batch)])[:batch]


def resize_batch(problem: Problem, batch: int) -> Problem:
    """Repeat the examples of a problem, or omit some."""
    inputs, targets = (values[places_of(batch)] for values in problem[2:])
    return problem._replace(inputs=inputs, targets=targets)


def logits(parameters: dict[str, Array], inputs: Array, _targets: Array | None) -> dict[str, Array]:
    """Return the definition's logits of the CNN, by name."""
    return {"dense2": layer_outputs("cnn", parameters, inputs)["dense2"]}
