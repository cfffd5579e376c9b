"""The linear layers of the document and of the implementation: lines 840 to 891 of the document."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.spec.error_bounds import measured_bounds, rounding
from assay.spec.error_bounds.measured_bounds import to_float64
from assay.spec.semantics import layers
from assay.spec.semantics import models as definition
from assay.testing.assertions import assert_close, assert_equal, assert_rejected, assert_within, claim
from assay.testing.custom_layers import (
    LEARNING_RATE,
    MANY,
    X,
    Y,
    assert_glorot_uniform,
    assert_same_variables,
    base_name,
    compile_model,
    document_class,
    document_layer,
    run,
    shapes,
)
from assay.testing.strategies import DenseCase, dense_cases

# Each training step changes every parameter. More steps reveal no other fault.
STEPS = 5


def document_model(keras):
    """Return the document's LinearModel."""

    class LinearModel(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.layer = document_class(keras)(units=1)

        def call(self, inputs):
            return self.layer(inputs)

    return LinearModel()


def assert_dense(keras, layer, case):
    """Assign the parameters of a case to a layer, and compare its outputs with the definition of Dense."""
    inputs = keras.to_tensor(case.inputs)
    layer(inputs)
    assert shapes(layer) == [case.kernel.shape, case.bias.shape]
    for variable, value in zip(layer.variables, (case.kernel, case.bias), strict=True):
        variable.assign(value)
    exact = list(map(to_float64, case))
    actual = keras.to_numpy(layer(inputs))
    assert_within("the layer's output", actual, layers.dense(*exact), rounding.dense(*exact, None))


def changed_variables(keras, *stack):
    """Train a stack of layers for one step, and return for each variable whether an element changed."""
    model = keras.namespace.Sequential(list(stack))
    model(keras.to_tensor(X))
    before = [np.array(keras.to_numpy(variable)) for variable in model.variables]
    compile_model(keras, model).train_on_batch(X, Y)
    return [bool((keras.to_numpy(now) != then).any()) for now, then in zip(model.variables, before, strict=True)]


def train_by_definition(parameters, inputs, targets):
    """Return the parameters of the linear model after training, by the definition."""
    return definition.train("linear", parameters, inputs, targets, LEARNING_RATE)[1]


# The document's LinearLayer


@claim("custom_layer.names")
def test_names(keras):
    assert [base_name(variable) for variable in document_layer(keras).variables] == ["w", "b"]


@claim("custom_layer.shapes")
def test_shapes(keras):
    dense = keras.namespace.layers.Dense(4)
    run(keras, dense)
    assert shapes(document_layer(keras, units=4)) == shapes(dense) == [(3, 4), (4,)]


@claim("custom_layer.zeros")
def test_zeros(keras):
    layer = document_layer(keras, units=4)
    for name, variable, shape in (("w", layer.w, (3, 4)), ("b", layer.b, (4,))):
        assert_equal(name, keras.to_numpy(variable), np.zeros(shape))
    assert_equal("the output", run(keras, layer), np.zeros((2, 4)))


@claim("custom_layer.starts-unlike-dense")
def test_starts_unlike_dense(keras):
    dense = keras.namespace.layers.Dense(4)
    run(keras, dense)
    assert keras.to_numpy(dense.kernel).any()
    assert not keras.to_numpy(document_layer(keras, units=4).w).any()


@claim("custom_layer.zeros-do-not-learn")
def test_zeros_do_not_learn(keras):
    LinearLayer = document_class(keras)  # noqa: N806 - a class
    assert changed_variables(keras, LinearLayer(4), LinearLayer(1)) == [False, False, False, True]
    assert changed_variables(keras, LinearLayer(1)) == [True, True]


@claim("custom_layer.computes-dense")
@given(case=st.integers(2, 3).flatmap(lambda rank: dense_cases(rank=rank)))
def test_computes_dense(keras, case):
    assert_dense(keras, document_class(keras)(len(case.bias)), case)


@claim("custom_layer.trains-as-dense")
def test_trains_as_dense(keras):
    zeros = {"dense/kernel": np.zeros((3, 1), np.float32), "dense/bias": np.zeros(1, np.float32)}
    problem = zeros, np.tile(X, (STEPS, 1, 1)), np.tile(Y, (STEPS, 1, 1))
    bounds = measured_bounds.bounds(train_by_definition, "linear", *problem, batch_axis=1)
    for model in (document_model(keras), keras.namespace.Sequential([document_class(keras)(1)])):
        data = (np.tile(array, (STEPS, 1)) for array in (X, Y))
        compile_model(keras, model).fit(*data, batch_size=len(X), shuffle=False, verbose=0)
        parameters = dict(zip(zeros, map(keras.to_numpy, model.variables), strict=True))
        assert_close("the trained parameters", parameters, train_by_definition(*map(to_float64, problem)), bounds)


@claim("custom_layer.any-batch-size")
@pytest.mark.parametrize("batch", [1, 9])
def test_any_batch_size(keras, batch):
    layer = document_layer(keras)
    layer.b.assign([1])
    assert_equal("the output", run(keras, layer, np.ones((batch, 3), np.float32)), np.ones((batch, 1)))


@claim("custom_layer.other-features")
def test_other_features(keras):
    layer = document_layer(keras)
    with pytest.raises(keras.operations.InvalidArgumentError):
        run(keras, layer, np.ones((2, 5), np.float32))


@claim("custom_layer.whole-numbers")
def test_whole_numbers(keras):
    inputs = X.astype(np.int32)
    assert run(keras, keras.namespace.layers.Dense(1), inputs).dtype == np.float32
    with pytest.raises(keras.operations.InvalidArgumentError):
        document_layer(keras, inputs=inputs)


@claim("custom_layer.no-options")
@pytest.mark.parametrize("option", [{"name": "mine"}, {"dtype": "float32"}])
def test_no_options(keras, option):
    assert keras.namespace.layers.Dense(1, **option)
    with pytest.raises(TypeError):
        document_class(keras)(1, **option)


@claim("custom_layer.no-configuration")
def test_no_configuration(keras):
    layer = document_layer(keras)
    with pytest.raises(TypeError):
        type(layer).from_config(layer.get_config())


@claim("custom_layer.units-unchecked")
def test_units_unchecked(keras):
    layer = document_class(keras)(-1)
    assert_rejected("units=-1", lambda: run(keras, layer))


# The document's LinearModel


@claim("custom_layer.between-layers")
def test_between_layers(keras):
    layer = document_class(keras)(2)
    model = keras.namespace.Sequential([keras.namespace.layers.Flatten(), layer, keras.namespace.layers.Softmax()])
    assert_equal("the probabilities", run(keras, model), np.full((2, 2), 0.5))
    assert_same_variables(model.variables, [layer.w, layer.b])


@claim("custom_layer.functional")
def test_functional(keras):
    inputs, layer = keras.namespace.Input((3,)), document_class(keras)(2)
    model = keras.namespace.Model(inputs=inputs, outputs=layer(inputs))
    layer.b.assign([1, 2])
    assert_equal("the model's output", run(keras, model), np.array([[1, 2], [1, 2]]))


@claim("custom_layer.model-calls-layer")
def test_model_calls_layer(keras):
    model = document_model(keras)
    run(keras, model)
    model.layer.w.assign([[1], [2], [4]])
    model.layer.b.assign([0.5])
    assert_equal("the model's output", run(keras, model), np.array([[17.5], [38.5]]))


@claim("custom_layer.model-has-variables")
def test_model_has_variables(keras):
    model = document_model(keras)
    run(keras, model)
    assert_same_variables(model.variables, [model.layer.w, model.layer.b])
    assert_same_variables(model.trainable_variables, [model.layer.w, model.layer.b])


# The layer of the implementation


@claim("custom_layer.robust-computes")
@given(case=st.integers(2, 3).flatmap(lambda rank: dense_cases(rank=rank)))
def test_robust_computes(keras, case):
    assert_dense(keras, keras.linear_layer(len(case.bias)), case)


@claim("custom_layer.robust-start")
def test_robust_start(keras):
    layer = keras.linear_layer(MANY[1])
    run(keras, layer, np.ones((1, MANY[0]), np.float32))
    assert shapes(layer) == [MANY, MANY[1:]]
    kernel, bias = map(keras.to_numpy, layer.variables)
    assert_glorot_uniform(kernel)
    assert_equal("the bias", bias, np.zeros(MANY[1]))
    other = keras.linear_layer(MANY[1])
    run(keras, other, np.ones((1, MANY[0]), np.float32))
    assert not np.array_equal(keras.to_numpy(other.variables[0]), kernel), "two layers start from the same kernel"


@claim("custom_layer.robust-learns")
def test_robust_learns(keras):
    assert changed_variables(keras, keras.linear_layer(4), keras.linear_layer(1)) == [True] * 4


@claim("custom_layer.robust-initializers")
def test_robust_initializers(keras):
    layer = keras.linear_layer(2, kernel_initializer="ones", bias_initializer=keras.namespace.initializers.Ones())
    assert_equal("the sums plus 1", run(keras, layer), np.array([[7, 7], [16, 16]]))


@claim("custom_layer.robust-large")
def test_robust_large(keras):
    # Sizes above usual block sizes and not multiples of them. Sums of these whole numbers are exact.
    generator = np.random.default_rng(0)
    inputs, kernel, bias = (
        generator.integers(-4, 5, shape).astype(np.float32) for shape in ((35, 67), (67, 1_029), (1_029,))
    )
    assert_dense(keras, keras.linear_layer(1_029), DenseCase(inputs, kernel, bias))


@claim("custom_layer.robust-trains")
def test_robust_trains(keras):
    zeros = {"dense/kernel": np.zeros((3, 1), np.float32), "dense/bias": np.zeros(1, np.float32)}
    problem = zeros, np.tile(X, (STEPS, 1, 1)), np.tile(Y, (STEPS, 1, 1))
    bounds = measured_bounds.bounds(train_by_definition, "linear", *problem, batch_axis=1)
    model = keras.namespace.Sequential([keras.linear_layer(1, kernel_initializer="zeros")])
    data = (np.tile(array, (STEPS, 1)) for array in (X, Y))
    compile_model(keras, model).fit(*data, batch_size=len(X), shuffle=False, verbose=0)
    parameters = dict(zip(zeros, map(keras.to_numpy, model.variables), strict=True))
    assert_close("the trained parameters", parameters, train_by_definition(*map(to_float64, problem)), bounds)


@claim("custom_layer.robust-instances")
def test_robust_instances(keras):
    one, other = (keras.linear_layer(1, kernel_initializer="ones") for _ in range(2))
    for layer in (one, other):
        run(keras, layer)
    one.set_weights([np.array([[1], [2], [4]], np.float32), np.array([0.5], np.float32)])
    assert_equal("the first layer", run(keras, one), np.array([[17.5], [38.5]]))
    assert_equal("the second layer", run(keras, other), np.array([[6], [15]]))
    assert_equal("other inputs", run(keras, one, X[::-1]), np.array([[38.5], [17.5]]))
    assert_equal("inputs of rank 3", run(keras, one, X[:, None]), np.array([[[17.5]], [[38.5]]]))


@claim("custom_layer.robust-symbolic")
@pytest.mark.parametrize("shape", [(3,), (None, 3)])
def test_robust_symbolic(keras, shape):
    inputs, layer = keras.namespace.Input(shape), keras.linear_layer(2, kernel_initializer="ones")
    symbolic = layer(inputs)
    assert tuple(symbolic.shape) == (None, *shape[:-1], 2)
    model = keras.namespace.Model(inputs=inputs, outputs=symbolic)
    values = X if len(shape) == 1 else X[:, None]
    assert_equal("the sums", run(keras, model, values), np.repeat(values.sum(axis=-1, keepdims=True), 2, axis=-1))


@claim("custom_layer.robust-builds-once")
def test_robust_builds_once(keras):
    layer = keras.linear_layer(1)
    run(keras, layer)
    before = list(layer.variables)
    for variable in before:
        variable.assign(np.ones(tuple(variable.shape), np.float32))
    # A different batch size, a different rank and a different dtype.
    for inputs in (np.ones((5, 3), np.float32), np.ones((2, 5, 3), np.float32), X.astype(np.int32)):
        run(keras, layer, inputs)
    assert_same_variables(layer.variables, before)
    assert_equal("the sums plus 1", run(keras, layer), np.array([[7], [16]]))


@claim("custom_layer.robust-variables")
def test_robust_variables(keras):
    model = keras.namespace.Sequential([keras.linear_layer(4), keras.linear_layer(1)])
    run(keras, model)
    assert shapes(model) == [(3, 4), (4,), (4, 1), (1,)]
    assert_same_variables(model.trainable_variables, model.variables)


@claim("custom_layer.robust-whole-numbers")
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_robust_whole_numbers(keras, dtype):
    layer = keras.linear_layer(1, kernel_initializer="ones")
    assert_equal("the sums", run(keras, layer, X.astype(dtype)), np.array([[6], [15]]))


@claim("custom_layer.robust-other-features")
def test_robust_other_features(keras):
    layer = keras.linear_layer(1)
    run(keras, layer)
    assert_rejected("5 features after 3", lambda: run(keras, layer, np.ones((2, 5), np.float32)))


@claim("custom_layer.robust-rank-1")
def test_robust_rank_1(keras):
    assert_rejected("an example without a batch axis", lambda: run(keras, keras.linear_layer(1), X[0]))


@claim("custom_layer.robust-units")
@pytest.mark.parametrize("units", [0, -1, 2.5, 2.0, "2", None])
def test_robust_units(keras, units):
    assert_rejected(f"units={units!r}", lambda: keras.linear_layer(units))


@claim("custom_layer.robust-options")
def test_robust_options(keras):
    layer = keras.linear_layer(2, name="mine", trainable=False)
    run(keras, layer)
    assert (layer.name, len(layer.variables), len(layer.trainable_variables)) == ("mine", 2, 0)


@claim("custom_layer.robust-configuration")
def test_robust_configuration(keras):
    layer = keras.linear_layer(2, name="mine", kernel_initializer="ones", bias_initializer="ones")
    restored = type(layer).from_config(layer.get_config())
    assert restored.name == "mine"
    assert_equal("the sums plus 1", run(keras, restored), np.array([[7, 7], [16, 16]]))


@claim("custom_layer.robust-saved")
def test_robust_saved(keras, tmp_path):
    layer = keras.linear_layer(2)
    model = keras.namespace.Sequential([keras.namespace.Input((3,)), layer])
    model.save(tmp_path / "model.keras")
    own = {type(layer).__name__: type(layer)}
    restored = keras.namespace.models.load_model(tmp_path / "model.keras", custom_objects=own)
    assert_equal("the loaded model's output", run(keras, restored), to_float64(run(keras, model)))
