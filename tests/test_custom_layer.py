"""Custom layers in general: lines 840 to 891 of the document."""

import numpy as np
import pytest

from assay.testing.assertions import assert_equal, assert_rejected, claim
from assay.testing.custom_layers import (
    MANY,
    X,
    assert_glorot_uniform,
    assert_same_variables,
    base_name,
    compile_model,
    document_class,
    document_layer,
    run,
    shapes,
)


def make_layer(keras, **methods):
    """Return a layer of a class with these methods. By default, `call` returns its inputs."""
    identity = {"call": lambda self, inputs: inputs}
    return type("Own", (keras.namespace.layers.Layer,), identity | methods)()


def layer_with_weights(keras, *all_arguments):
    """Return a layer after a call: its `build` adds one weight for each of the arguments."""

    def build(self, _):
        self.added = [self.add_weight(*positional, **named) for positional, named in all_arguments]

    layer = make_layer(keras, build=build)
    layer(keras.to_tensor(X))
    return layer


@claim("custom_layer.works-as-predefined")
def test_works_as_predefined(keras):
    double = make_layer(keras, call=lambda self, inputs: inputs * 2)
    flatten = keras.namespace.layers.Flatten()
    assert_equal("the model's output", run(keras, keras.namespace.Sequential([double, flatten])), X * 2)


@claim("custom_layer.call-is-enough")
def test_call_is_enough(keras):
    assert_equal("the output", run(keras, make_layer(keras, call=lambda self, inputs: inputs * 2)), X * 2)


@claim("custom_layer.call-required")
def test_call_required(keras):
    class WithoutCall(keras.namespace.layers.Layer):
        pass

    with pytest.raises(NotImplementedError):
        WithoutCall()(keras.to_tensor(X))


@claim("custom_layer.super-init")
def test_super_init(keras):
    def init_without_super(self):
        self.units = 1

    with pytest.raises(RuntimeError, match="super"):
        make_layer(keras, __init__=init_without_super)(keras.to_tensor(X))


@claim("custom_layer.init-keeps")
def test_init_keeps(keras):
    assert [shapes(document_layer(keras, units)) for units in (1, 4)] == [[(3, 1), (1,)], [(3, 4), (4,)]]


@claim("custom_layer.input-shape-type")
def test_input_shape_type(keras):
    assert type(document_layer(keras).build_shape) is tuple


@claim("custom_layer.input-shape")
@pytest.mark.parametrize("shape", [(2, 3), (5, 1), (2, 4, 3)])
def test_input_shape(keras, shape):
    assert tuple(document_layer(keras, inputs=np.ones(shape, np.float32)).build_shape) == shape


@claim("custom_layer.symbolic-shape")
def test_symbolic_shape(keras):
    layer = document_class(keras)(1)
    layer(keras.namespace.Input((3,)))
    assert tuple(layer.build_shape) == (None, 3)


@claim("custom_layer.first-shape-stays")
def test_first_shape_stays(keras):
    layer = document_layer(keras)
    run(keras, layer, np.ones((7, 3), np.float32))
    assert tuple(layer.build_shape) == X.shape


@claim("custom_layer.not-built-when-made")
def test_not_built_when_made(keras):
    layer = document_class(keras)(2)
    assert (list(layer.variables), layer.built) == ([], False)


@claim("custom_layer.variables-at-first-call")
def test_variables_at_first_call(keras):
    layer = document_layer(keras)
    assert_same_variables(layer.variables, [layer.w, layer.b])


@claim("custom_layer.adapts-to-inputs")
@pytest.mark.parametrize("features", [1, 3, 8])
def test_adapts_to_inputs(keras, features):
    layer = document_layer(keras, units=2, inputs=np.ones((4, features), np.float32))
    assert tuple(layer.w.shape) == (features, 2)


@claim("custom_layer.variables-in-init")
def test_variables_in_init(keras):
    class Own(keras.namespace.layers.Layer):
        def __init__(self):
            super().__init__()
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")

        def call(self, inputs):
            return inputs * self.scale

    layer = Own()
    assert_same_variables(layer.variables, [layer.scale])
    assert_equal("the output", run(keras, layer), X)
    assert_same_variables(layer.variables, [layer.scale])


@claim("custom_layer.add-weight-returns")
def test_add_weight_returns(keras):
    layer = layer_with_weights(keras, ((), {"name": "a", "shape": (2,)}), ((), {"name": "b", "shape": (3,)}))
    assert_same_variables(layer.variables, layer.added)
    assert shapes(layer) == [(2,), (3,)]


@claim("custom_layer.add-weight-by-position")
def test_add_weight_by_position(keras):
    assert shapes(layer_with_weights(keras, (((2, 3), "ones"), {}))) == [(2, 3)]


@claim("custom_layer.add-weight-ellipsis")
def test_add_weight_ellipsis(keras):
    with pytest.raises((TypeError, ValueError)):
        layer_with_weights(keras, ((...,), {}))


@claim("custom_layer.add-weight-default")
def test_add_weight_default(keras):
    (drawn,) = layer_with_weights(keras, ((), {"name": "a", "shape": MANY})).added
    assert_glorot_uniform(keras.to_numpy(drawn))


@claim("custom_layer.instances-are-apart")
def test_instances_are_apart(keras):
    class Own(keras.namespace.layers.Layer):
        def build(self, input_shape):
            self.drawn = self.add_weight(name="drawn", shape=(input_shape[-1], 4))
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")

        def call(self, inputs):
            return inputs * self.scale

    layers = []
    for _ in range(3):
        layer = Own()
        assert_equal("the output of a new layer", run(keras, layer), X)
        # An assignment to one layer must not affect the others.
        layer.scale.assign(2.0 + len(layers))
        layers.append(layer)
    for factor, layer in enumerate(layers, 2):
        assert_equal("the output", run(keras, layer), factor * X)
    drawn = [keras.to_numpy(layer.drawn) for layer in layers]
    assert len({one.tobytes() for one in drawn}) == len(drawn), f"layers of the same class draw equal weights: {drawn}"


@claim("custom_layer.add-weight-trainable")
def test_add_weight_trainable(keras):
    layer = layer_with_weights(
        keras, ((), {"name": "a", "shape": ()}), ((), {"name": "b", "shape": (), "trainable": False})
    )
    assert_same_variables(layer.variables, layer.added)
    assert_same_variables(layer.trainable_variables, layer.added[:1])


@claim("custom_layer.state-is-complete")
def test_state_is_complete(keras):
    layer = document_layer(keras)
    assert_rejected(
        "a third variable after build", lambda: layer.add_weight(name="more", shape=(), initializer="zeros")
    )


@claim("custom_layer.call-returns")
def test_call_returns(keras):
    assert_equal("what call returns", run(keras, make_layer(keras, call=lambda self, inputs: inputs[:1])), X[:1])
    with pytest.raises(NameError):
        run(keras, make_layer(keras, call=lambda self, inputs: output))  # noqa: F821 - as printed in the document


@claim("custom_layer.trainable-switch")
def test_trainable_switch(keras):
    layer = document_layer(keras)
    layer.trainable = False
    assert_same_variables(layer.variables, [layer.w, layer.b])
    assert list(layer.trainable_variables) == []


@claim("custom_layer.add-weight-options")
def test_add_weight_options(keras):
    constant = keras.namespace.initializers.Constant(2.5)
    layer = layer_with_weights(
        keras,
        ((), {"name": "second", "shape": (2, 1), "initializer": "ones"}),
        ((), {"name": "first", "shape": [3], "initializer": constant}),
        ((), {"name": "number", "shape": (), "initializer": "zeros", "dtype": "int32", "trainable": False}),
    )
    assert [base_name(variable) for variable in layer.added] == ["second", "first", "number"]
    for variable, expected in zip(layer.added, (np.ones((2, 1)), np.full(3, 2.5), np.zeros(())), strict=True):
        dtype = np.dtype(np.int32 if variable is layer.added[2] else np.float32)
        assert_equal(base_name(variable), keras.to_numpy(variable), expected, dtype)
    assert_same_variables(layer.trainable_variables, layer.added[:2])


@claim("custom_layer.assigning")
def test_assigning(keras):
    layer = document_layer(keras)
    for change, expected in (("assign", 3), ("assign_add", 5), ("assign_sub", 2)):
        getattr(layer.b, change)(np.array([{"assign": 3, "assign_add": 2, "assign_sub": 3}[change]], np.float32))
        assert_equal(f"after {change}", keras.to_numpy(layer.b), np.array([expected]))
        assert_equal("the output", run(keras, layer), np.full((2, 1), expected))


@claim("custom_layer.layers-in-layers")
def test_layers_in_layers(keras):
    inner_layers = [document_class(keras)(units) for units in (3, 2, 1)]

    def start(self):
        super(type(self), self).__init__()
        self.first, self.rest = inner_layers[0], inner_layers[1:]

    def call(self, inputs):
        for inner_layer in (self.first, *self.rest):
            inputs = inner_layer(inputs)
        return inputs

    layer = make_layer(keras, __init__=start, call=call)
    model = keras.namespace.Sequential([layer])
    run(keras, model)
    expected = [(3, 3), (3,), (3, 2), (2,), (2, 1), (1,)]
    assert shapes(layer) == shapes(model) == expected
    layer.trainable = False
    assert list(model.trainable_variables) == [] == list(inner_layers[2].trainable_variables)


@claim("custom_layer.further-arguments")
def test_further_arguments(keras):
    def call(self, inputs, factor=1.0, added=0.0):
        return inputs * factor + added

    layer, inputs = make_layer(keras, call=call), keras.to_tensor(X)
    factor, added = keras.to_tensor(2 * X + 1), keras.to_tensor(X - 3)
    product = X * (2 * X + 1)
    for what, found, expected in (
        ("a tensor by position", layer(inputs, factor), product),
        ("tensors by position", layer(inputs, factor, added), product + X - 3),
        ("tensors by name", layer(inputs, added=added, factor=factor), product + X - 3),
        ("a number by name", layer(inputs, factor, added=4.0), product + 4),
    ):
        assert_equal(f"the output with {what}", keras.to_numpy(found), expected)


@claim("custom_layer.training-argument")
def test_training_argument(keras):
    modes = []

    def call(self, inputs, training=None):
        modes.append(bool(training))
        return inputs * 1

    def record_modes(action):
        modes.clear()
        action()
        return set(modes)

    layer = make_layer(keras, call=call)
    model = keras.namespace.Sequential([keras.namespace.Sequential([layer])])
    compile_model(keras, model)
    inputs = keras.to_tensor(X)
    model(inputs)
    assert record_modes(lambda: model(inputs, training=True)) == {True}
    assert record_modes(lambda: model(inputs)) == record_modes(lambda: model(inputs, training=False)) == {False}
    assert (
        record_modes(lambda: model.evaluate(X, X, verbose=0))
        == record_modes(lambda: model.predict(X, verbose=0))
        == {False}
    )
