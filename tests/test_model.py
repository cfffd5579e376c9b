"""Models and layers: lines 1 to 42 of the document."""

import numpy as np
import pytest
from hypothesis import given

from assay.spec.error_bounds import rounding
from assay.spec.semantics.layers import dense
from assay.testing.assertions import assert_equal, assert_within, claim
from assay.testing.keras_layers import create_layer
from assay.testing.strategies import arrays

X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


def create_model(keras, call, **attributes):
    """Create a model with these attributes that computes `call(self, inputs)`."""

    class MyModel(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            for name, value in attributes.items():
                setattr(self, name, value)

        def call(self, inputs):
            return call(self, inputs)

    return MyModel()


def dense_model(keras):
    """Create a model of one Dense layer."""
    return create_model(keras, lambda self, inputs: self.dense(inputs), dense=keras.namespace.layers.Dense(1))


def layer_with_weight(keras, *, trainable):
    """Create a layer that multiplies by a variable, whose initial value is 1."""

    class Scale(keras.namespace.layers.Layer):
        def build(self, input_shape):
            self.scale = self.add_weight(name="scale", shape=(1,), initializer="ones", trainable=trainable)

        def call(self, inputs):
            return self.scale * inputs

    return Scale()


def run(keras, model):
    """Call a model on `X`, and return its output as an array."""
    return keras.to_numpy(model(keras.to_tensor(X)))


def assert_variables(model, expected, name="variables"):
    """Check that the model has these variables, the same objects in the same order."""
    actual = getattr(model, name)
    same = len(actual) == len(expected) and all(map(lambda one, other: one is other, actual, expected))
    assert same, f"model.{name} is {actual}, expected {expected}"


@claim("model.dynamic")
def test_dynamic(keras):
    def call(self, inputs):
        for _ in range(self.times):
            inputs = inputs * 2
        return inputs

    model = create_model(keras, call, times=1)
    for times in (1, 3, 0):
        model.times = times
        assert_equal(f"the input, doubled {times} times", run(keras, model), X * 2**times)


@claim("model.model-class")
def test_model_class(keras):
    class Doubling(keras.namespace.Model):
        def call(self, inputs):
            return inputs * 2

    class Quadrupling(Doubling):
        def call(self, inputs):
            return super().call(inputs) * 2

    for times, make in ((2, Doubling), (4, Quadrupling)):
        model = make()
        assert type(model) is make, f"{make.__name__}() is a {type(model).__name__}"
        assert_equal("model(X)", run(keras, model), X * times)


@claim("model.layers-module")
@pytest.mark.parametrize("name", ["Dense", "Conv2D", "MaxPool2D", "Flatten", "Reshape", "Softmax", "LSTMCell"])
def test_layers_module(keras, name):
    assert issubclass(getattr(keras.namespace.layers, name), keras.namespace.layers.Layer)


@claim("model.losses-module")
@pytest.mark.parametrize("name", ["sparse_categorical_crossentropy", "categorical_crossentropy", "Loss"])
def test_losses_module(keras, name):
    assert callable(getattr(keras.namespace.losses, name))


@claim("model.optimizers-module")
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_optimizers_module(keras, name):
    assert callable(getattr(keras.namespace.optimizers, name))


@claim("model.metrics-module")
@pytest.mark.parametrize("name", ["SparseCategoricalAccuracy", "sparse_categorical_accuracy", "Metric"])
def test_metrics_module(keras, name):
    assert callable(getattr(keras.namespace.metrics, name))


@claim("model.layer-computes")
@given(inputs=arrays((2, 3)))
def test_layer_computes(keras, inputs):
    layer = keras.namespace.layers.Dense(4)
    actual = keras.to_numpy(layer(keras.to_tensor(inputs)))
    in_float64 = [array.astype(np.float64) for array in (inputs, *map(keras.to_numpy, (layer.kernel, layer.bias)))]
    assert_within("the layer's output", actual, dense(*in_float64), rounding.dense(*in_float64, None))


@claim("model.connects-layers")
def test_connects_layers(keras):
    double, increment = create_layer(keras, lambda inputs: inputs * 2), create_layer(keras, lambda inputs: inputs + 1)
    model = create_model(keras, lambda self, inputs: self.second(self.first(inputs)), second=increment, first=double)
    assert_equal("the second layer of the first", run(keras, model), X * 2 + 1)


@claim("model.layers-and-operations")
def test_layers_and_operations(keras):
    doubling = create_layer(keras, lambda inputs: inputs * 2)
    model = create_model(keras, lambda self, inputs: self.doubling(inputs) - inputs / 4, doubling=doubling)
    assert_equal("a layer and operations", run(keras, model), X * 2 - X / 4)


@claim("model.calling")
@given(inputs=arrays((2, 3)))
def test_calling(keras, inputs):
    model = create_model(keras, lambda _, inputs: inputs * 2)
    assert_equal("model(X)", keras.to_numpy(model(keras.to_tensor(inputs))), inputs * 2)


@claim("model.custom-layers")
def test_custom_layers(keras):
    model = create_model(keras, lambda self, inputs: self.layer(inputs), layer=layer_with_weight(keras, trainable=True))
    assert_equal("the layer's output", run(keras, model), X)
    assert_variables(model, [model.layer.scale])


@claim("model.instances")
def test_instances(keras):
    one, other = dense_model(keras), dense_model(keras)
    for model in (one, other):
        run(keras, model)
    assert not {id(variable) for variable in one.variables} & {id(variable) for variable in other.variables}


@claim("model.init-optional")
def test_init_optional(keras):
    class Doubling(keras.namespace.Model):
        def call(self, inputs):
            return inputs * 2

    assert_equal("model(X)", run(keras, Doubling()), X * 2)


@claim("model.call-required")
@pytest.mark.parametrize("inherited", [True, False])
def test_call_required(keras, inherited):
    class WithoutCall(keras.namespace.Model):
        pass

    model = WithoutCall() if inherited else keras.namespace.Model()
    with pytest.raises(NotImplementedError):
        model(keras.to_tensor(X))


@claim("model.super-init")
def test_super_init(keras):
    class Forgetful(keras.namespace.Model):
        def __init__(self):
            self.dense = keras.namespace.layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

    # The error of Keras, or that of PyTorch, where layers are PyTorch modules.
    with pytest.raises((RuntimeError, AttributeError), match=r"__init__\(\)"):
        Forgetful()(keras.to_tensor(X))


@claim("model.super-init-form")
def test_super_init_form(keras):
    class MyModel(keras.namespace.Model):
        def __init__(self):
            super(MyModel, self).__init__()
            self.dense = keras.namespace.layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

    model = MyModel()
    run(keras, model)
    assert_variables(model, [model.dense.kernel, model.dense.bias])


@claim("model.layers-serve-every-call")
def test_layers_serve_every_call(keras):
    model = dense_model(keras)
    run(keras, model)
    before = model.variables
    run(keras, model)
    assert_variables(model, before)


@claim("model.layers-are-attributes")
def test_layers_are_attributes(keras):
    class MyModel(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.layer1 = keras.namespace.layers.Dense(2)
            self.layer2 = keras.namespace.layers.Dense(1)

        def call(self, inputs):
            return self.layer2(self.layer1(inputs))

    model = MyModel()
    run(keras, model)
    one, two = model.layer1, model.layer2
    assert_variables(model, [one.kernel, one.bias, two.kernel, two.bias])


@claim("model.other-layers")
def test_other_layers(keras):
    mine, other = keras.namespace.layers.Dense(1), keras.namespace.layers.Dense(1)
    model = create_model(keras, lambda self, inputs: self.mine(inputs) + other(inputs), mine=mine)
    run(keras, model)
    assert_variables(model, [mine.kernel, mine.bias])


@claim("model.call-argument")
def test_call_argument(keras):
    class MyModel(keras.namespace.Model):
        def call(self, input):
            return input * 2

    assert_equal("model(X)", run(keras, MyModel()), X * 2)


@claim("model.own-methods")
def test_own_methods(keras):
    class MyModel(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.doubling = create_layer(keras, lambda inputs: inputs * 2)

        def call(self, inputs):
            return self.twice(inputs)

        def twice(self, inputs):
            return self.doubling(self.doubling(inputs))

    model = MyModel()
    assert_equal("model(X), which calls the method", run(keras, model), X * 4)
    assert_equal("the method itself", run(keras, model.twice), X * 4)


@claim("model.inherited-methods")
@pytest.mark.parametrize("name", ["compile", "fit", "evaluate", "predict"])
def test_inherited_methods(keras, name):
    assert callable(getattr(dense_model(keras), name))


@claim("model.variables")
def test_variables(keras):
    layers = keras.namespace.layers
    # Neither the names nor the sizes are in order.
    chain = {"tail": layers.Dense(2), "middle": layers.Dense(4), "end": layers.Dense(1)}

    def call(self, inputs):
        return self.end(self.middle(self.tail(inputs)))

    model = create_model(keras, call, **chain)
    run(keras, model)
    assert [tuple(variable.shape) for variable in model.variables] == [(3, 2), (2,), (2, 4), (4,), (4, 1), (1,)]


@claim("model.variables-at-first-call")
def test_variables_at_first_call(keras):
    model = dense_model(keras)
    assert_variables(model, [])
    run(keras, model)
    assert_variables(model, [model.dense.kernel, model.dense.bias])


@claim("model.variables-are-the-layers")
def test_variables_are_the_layers(keras):
    model = dense_model(keras)
    run(keras, model)
    kernel, bias = model.variables
    assert kernel is model.dense.kernel
    assert bias is model.dense.bias


@claim("model.variables-nested")
def test_variables_nested(keras):
    inner = dense_model(keras)
    model = create_model(keras, lambda self, inputs: self.inner(inputs), inner=inner)
    run(keras, model)
    assert_variables(model, [inner.dense.kernel, inner.dense.bias])


@claim("model.variables-once")
def test_variables_once(keras):
    layer = keras.namespace.layers.Dense(3)
    model = create_model(keras, lambda self, inputs: self.second(self.first(inputs)), first=layer, second=layer)
    run(keras, model)
    assert_variables(model, [layer.kernel, layer.bias])


@claim("model.variables-not-trainable")
def test_variables_not_trainable(keras):
    scale = layer_with_weight(keras, trainable=False)
    model = create_model(keras, lambda self, inputs: self.scale(inputs), scale=scale)
    run(keras, model)
    assert_variables(model, [scale.scale])


@claim("model.trainable-variables-nested")
def test_trainable_variables_nested(keras):
    inner, scale = dense_model(keras), layer_with_weight(keras, trainable=False)
    model = create_model(keras, lambda self, inputs: self.scale(self.inner(inputs)), scale=scale, inner=inner)
    run(keras, model)
    kernel, bias = inner.dense.kernel, inner.dense.bias
    every = (kernel, bias, scale.scale)
    # The order of the two layers is not stated.
    assert set(map(id, model.variables)) == set(map(id, every)), f"model.variables is {model.variables}, not {every}"
    assert_variables(model, [kernel, bias], "trainable_variables")


@claim("model.trainable-variables-frozen")
def test_trainable_variables_frozen(keras):
    inner = dense_model(keras)
    model = create_model(keras, lambda self, inputs: self.inner(inputs), inner=inner)
    run(keras, model)
    inner.dense.trainable = False
    assert (len(model.variables), len(model.trainable_variables)) == (2, 0)


@claim("model.variables-made-in-init")
def test_variables_made_in_init(keras):
    class MyModel(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")

        def call(self, inputs):
            return inputs * self.scale

    model = MyModel()
    assert_variables(model, [model.scale])
    model.scale.assign(3)
    assert_equal("model(X)", run(keras, model), X * 3)
    assert_variables(model, [model.scale])


@claim("model.first-inputs-decide")
@pytest.mark.parametrize("features", [1, 3, 8])
def test_first_inputs_decide(keras, features):
    model = dense_model(keras)
    model(keras.to_tensor(np.ones((2, features), np.float32)))
    assert tuple(model.dense.kernel.shape) == (features, 1)


@claim("model.own-methods-are-not-called")
def test_own_methods_are_not_called(keras):
    class MyModel(keras.namespace.Model):
        def call(self, inputs):
            return inputs

        def return_inputs(self, inputs):
            return inputs

    received = MyModel().return_inputs(X)
    assert received is X, f"the method received {received!r}"
