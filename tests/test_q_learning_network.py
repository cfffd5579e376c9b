"""The Q-network, its new parameters and the document's class: lines 681 to 723 of the document."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given

from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import models as definition
from assay.spec.semantics.cart_pole import MAX_EPISODE_STEPS
from assay.spec.semantics.initializers import fans, glorot_limit
from assay.spec.semantics.q_learning import FAILURE_REWARD, Transitions
from assay.spec.vectors import read
from assay.testing import initial_parameters
from assay.testing.assertions import (
    assert_close,
    assert_equal,
    assert_form,
    claim,
    few_examples,
)
from assay.testing.handcrafted_values import BALANCING, constant_values, linear_values
from assay.testing.networks import assert_dense, assert_parameters, outputs_of, reorder_arrays
from assay.testing.problems import GAMMA, LEARNING_RATE, Problem
from assay.testing.q_networks import (
    layer_outputs,
    q_network_problem,
    solve,
)
from assay.testing.seeds import assert_told_apart, confusable_seeds
from assay.testing.stored_arrays import assert_results_are_new
from assay.testing.strategies import seeds
from assay.testing.thresholds import threshold

MODEL = "q_network"
DOCUMENT = read("q_learning")
BATCH = DOCUMENT["batch_size"]

# Larger than the usual block sizes, and not a multiple of them.
ODD = 131
NAMES = ["dense1", "dense2", "dense3"]
SHAPES = definition.MODELS[MODEL].shapes


def run(models, problem):
    """Run the network on the states of a problem, and check the names of its layers."""
    return outputs_of(models, problem.on_states, NAMES)


@claim("q_learning.hyperparameters")
def test_hyperparameters():
    recipe = threshold("agent").recipe
    assert {name: recipe[name] for name in recipe if name != "model"} == {
        name: DOCUMENT[name] for name in DOCUMENT if name not in {"units", "failure_reward"}
    }
    assert recipe["learning_rate"] == LEARNING_RATE
    assert recipe["gamma"] == GAMMA


@claim("q_learning.layer-order")
@few_examples(8)
@given(seed=seeds())
def test_layer_order(models, seed):
    found = list(run(models, q_network_problem(seed)))
    assert found == NAMES, f"the layers are in the order {', '.join(found)}, expected {', '.join(NAMES)}"


any_batch = pytest.mark.parametrize("batch", [1, BATCH])


def assert_shape(models, seed, layer, batch):
    """Compare the shape of a layer's output with the number of units in the document."""
    problem = q_network_problem(seed)
    states = problem.transitions.states[:batch].copy()
    outputs = outputs_of(models, problem.on_states._replace(inputs=states), NAMES)
    assert_form(layer, outputs[layer], (batch, DOCUMENT["units"][NAMES.index(layer)]))


@claim("q_learning.dense1-shape")
@any_batch
def test_dense1_shape(models, seed, batch):
    assert_shape(models, seed, "dense1", batch)


@claim("q_learning.dense2-shape")
@any_batch
def test_dense2_shape(models, seed, batch):
    assert_shape(models, seed, "dense2", batch)


@claim("q_learning.one-value-per-action")
@any_batch
def test_one_value_per_action(models, seed, batch):
    assert_shape(models, seed, "dense3", batch)


def assert_layer(models, seed, name, activation=None):
    """Compare a layer with its definition, on the layer's own input."""
    problem = q_network_problem(seed).on_states
    before = ["states", *NAMES][NAMES.index(name)]
    assert_dense({"states": problem.inputs, **outputs_of(models, problem, NAMES)}, problem, name, before, activation)


@claim("q_learning.dense1-output")
@few_examples(8)
@given(seed=seeds())
def test_dense1_output(models, seed):
    assert_layer(models, seed, "dense1", "relu")


@claim("q_learning.dense2-output")
@few_examples(8)
@given(seed=seeds())
def test_dense2_output(models, seed):
    assert_layer(models, seed, "dense2", "relu")


@claim("q_learning.dense3-output")
@few_examples(8)
@given(seed=seeds())
def test_dense3_output(models, seed):
    assert_layer(models, seed, "dense3")


@claim("q_learning.rectified")
@pytest.mark.parametrize("layer", ["dense1", "dense2"])
@few_examples(8)
@given(seed=seeds())
def test_rectified(models, seed, layer):
    smallest = run(models, q_network_problem(seed))[layer].min()
    assert smallest == 0, f"the smallest output of {layer} is {smallest}"


@claim("q_learning.values-take-both-signs")
def test_values_take_both_signs(models, seed):
    values = np.array([FAILURE_REWARD, MAX_EPISODE_STEPS], np.float32)
    outputs = run(models, q_network_problem(seed)._replace(parameters=constant_values(*values)))
    assert_equal("dense3", outputs["dense3"], np.tile(values, (BATCH, 1)))


@claim("q_learning.whole-network")
@few_examples(8)
@given(seed=seeds())
def test_whole_network(models, seed):
    problem, expected, bounds = solve(q_network_problem(seed), layer_outputs(MODEL))
    assert_close("layer_outputs", run(models, problem), expected, bounds)


@claim("q_learning.states-are-independent")
@few_examples(8)
@given(seed=seeds())
def test_states_are_independent(models, seed):
    problem = q_network_problem(seed)
    first = problem._replace(transitions=Transitions(*(values[:1] for values in problem.transitions)))
    together, alone = (run(models, one)["dense3"] for one in (problem, first))
    one, other = (solve(each, layer_outputs(MODEL)).bounds["dense3"] for each in (problem, first))
    # The root mean square over all states is at least 1 / sqrt(BATCH) of that over one state.
    bounds = {"dense3": np.sqrt(BATCH) * one + other}
    assert_close("the values of a state alone", {"dense3": alone}, {"dense3": to_float64(together[:1])}, bounds)


@claim("q_learning.values-of-any-batch")
@pytest.mark.parametrize("count", [1, ODD])
def test_values_of_any_batch(models, seed, count):
    # Multiples of 64 with few significant bits, whose sums are exact even in bfloat16.
    states = 64 * np.random.default_rng(seed).integers(-15, 16, (count, 4)).astype(np.float32)
    values = to_float64(states) @ BALANCING
    found = models.layer_outputs(MODEL, linear_values(BALANCING), states)["dense3"]
    assert_equal("dense3", found, np.stack([-values, values], axis=-1))


@claim("q_learning.network-memory-order")
def test_network_memory_order(models, seed):
    states = np.random.default_rng(seed).integers(-15, 16, (5, 4)).astype(np.float32)
    values = to_float64(states) @ BALANCING
    for order, one in reorder_arrays(Problem(MODEL, linear_values(BALANCING), states, values)):
        found = models.layer_outputs(MODEL, one.parameters, one.inputs)["dense3"]
        assert_equal(f"dense3, arrays {order}", found, np.stack([-values, values], axis=-1))


@cache
def new_parameters(models, seed):
    """Return the parameters of a new network."""
    return models.initial_parameters(MODEL, seed)


@claim("q_learning.parameter-names")
def test_parameter_names(models, seed):
    assert sorted(new_parameters(models, seed)) == sorted(SHAPES)


@claim("q_learning.parameter-count")
def test_parameter_count(models, seed):
    initial = new_parameters(models, seed)
    for layer, count in zip(NAMES, (120, 600, 50), strict=True):
        assert_parameters(initial, MODEL, layer, count)


@claim("q_learning.initial-kernels")
@pytest.mark.parametrize("name", ["dense1/kernel", "dense2/kernel", "dense3/kernel"])
def test_initial_kernels(models, seed, name):
    kernel = new_parameters(models, seed)[name]
    initial_parameters.assert_glorot(name, kernel, SHAPES[name])
    # At least 48 uniform draws all fall into the inner 70% with a probability of at most 0.7^48, below FALSE_ALARM.
    limit = glorot_limit(*fans(SHAPES[name]))
    assert np.abs(kernel).max() > 0.7 * limit, f"{name} reaches only {np.abs(kernel).max()} of {limit}"


@claim("q_learning.initial-biases")
@pytest.mark.parametrize("name", ["dense1/bias", "dense2/bias", "dense3/bias"])
def test_initial_biases(models, seed, name):
    assert_equal(name, new_parameters(models, seed)[name], np.zeros(SHAPES[name]))


@claim("q_learning.new-networks-differ")
def test_new_networks_differ(models, seed):
    pair = seed, seed + 1
    initial_parameters.assert_all_differ(*(new_parameters(models, one) for one in pair), pair)
    assert_told_apart("kernels", confusable_seeds(seed), lambda one: new_parameters(models, one)["dense1/kernel"])


@claim("q_learning.initial-seed")
def test_initial_seed(models, seed):
    again = models.initial_parameters(MODEL, seed)
    for name, value in new_parameters(models, seed).items():
        assert_equal(f"{name} of a second network with the same seed", again[name], value)
    assert_results_are_new("initial_parameters", models.initial_parameters, (MODEL, seed))


@claim("q_learning.initial-weights-differ")
def test_initial_weights_differ(models, seed):
    initial_parameters.assert_fine(new_parameters(models, seed))
    initial_parameters.assert_distinct(new_parameters(models, seed))
    initial_parameters.assert_unrelated(new_parameters(models, seed))
    initial_parameters.assert_unrelated_to(new_parameters(models, seed), new_parameters(models, seed + 1))


def define_q_network(keras):
    """Return the class QNetwork of the document."""

    class QNetwork(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.dense1 = keras.namespace.layers.Dense(units=24, activation="relu")
            self.dense2 = keras.namespace.layers.Dense(units=24, activation="relu")
            self.dense3 = keras.namespace.layers.Dense(units=2)

        def call(self, inputs):
            return self.dense3(self.dense2(self.dense1(inputs)))

    return QNetwork


def load_model(keras, kind, problem):
    """Create a model with the parameters of a problem; return it and the states of the problem as a tensor."""
    states = keras.to_tensor(problem.transitions.states)
    model = kind()
    model(states)
    model.set_weights([problem.parameters[name] for name in SHAPES])
    return model, states


@claim("q_learning.subclass")
def test_subclass(keras, seed):
    problem, expected, bounds = solve(q_network_problem(seed), layer_outputs(MODEL))
    model, states = load_model(keras, define_q_network(keras), problem)
    assert_close("the model", {"dense3": keras.to_numpy(model(states))}, {"dense3": expected["dense3"]}, bounds)


@claim("q_learning.predict-replaces-keras")
def test_predict_replaces_keras(keras, seed):
    class WithPredict(define_q_network(keras)):
        def predict(self, inputs):
            return keras.to_numpy(self(inputs)).argmax(axis=-1)

    problem, _, bounds = solve(q_network_problem(seed), layer_outputs(MODEL))
    model, states = load_model(keras, WithPredict, problem)
    values = keras.namespace.Model.predict(model, problem.transitions.states, verbose=0)
    assert_form("the result of Keras's own predict", values, (BATCH, 2))
    # Where two values are nearly equal, rounding decides which is larger, and differs in a compiled function.
    apart = np.abs(values[:, 0] - values[:, 1]) > 2 * np.sqrt(values.size) * bounds["dense3"]
    assert apart.any(), "in every state both actions have nearly the same value"
    assert model.predict(states)[apart].tolist() == values.argmax(axis=-1)[apart].tolist()
