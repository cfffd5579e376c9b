"""Mutants: the functions of a loaded module are exchanged, and are as before afterwards."""

import colorsys
import gc
from pathlib import Path

import numpy as np
import pytest
from doubles.mutants import Mutant, change_of, mutated

from assay.alternatives.numpy import activations, optimizers
from assay.spec.semantics import layers


def mutant(module, before, after):
    """Replace text in a module's source."""
    source = Path(module.__file__).read_text(encoding="utf-8")
    assert before in source
    return Mutant("test", source.replace(before, after), f"{before} -> {after}")


@pytest.mark.parametrize(
    ("module", "before", "after", "call"),
    [
        (activations, "np.maximum(inputs", "np.minimum(inputs", lambda: activations.relu(np.ones(1, np.float32))),
        # A function in a table, and a number of the module.
        (activations, "(outputs > 0)", "(outputs < 0)", lambda: activations.ACTIVATIONS["relu"].slope(np.ones(1))),
        (optimizers, "BETA_1 = 0.9", "BETA_1 = 0.5", lambda: optimizers.adam_step(*np.ones((4, 1)), 1, 1.0)[1]),
        # A module without `from __future__ import annotations`, as those of frameworks.
        (colorsys, "return 0.0, 0.0, v", "return 0.5, 0.0, v", lambda: colorsys.rgb_to_hsv(1, 1, 1)),
        (layers, "np.tanh", "np.sin", lambda: layers.ACTIVATIONS["tanh"](np.ones(1))),
    ],
)
def test_a_module_is_mutated_for_a_while(module, before, after, call):
    right = call()
    with mutated(module, change_of(module, mutant(module, before, after))):
        assert call() != right
    assert call() == right


def test_functions_are_mutated_that_the_runner_has_frozen():
    gc.freeze()
    with mutated(activations, change_of(activations, mutant(activations, "np.maximum(inputs", "np.minimum(inputs"))):
        assert activations.relu(np.ones(1, np.float32)) == 0
    assert activations.relu(np.ones(1, np.float32)) == 1


def test_a_mutant_that_changes_nothing_that_runs_is_told():
    change = change_of(activations, mutant(activations, "inputs: Array", "inputs: object"))
    assert not change.codes
    assert not change.constants
