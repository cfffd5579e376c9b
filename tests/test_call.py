"""call and __call__: lines 107 to 110 of the document."""

import numpy as np
import pytest

from assay.testing.assertions import assert_equal, claim

X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


def doubling(keras):
    """Make a model that doubles its inputs, and keeps what its call was given in `seen`."""

    class Doubling(keras.namespace.Model):
        seen = ()

        def call(self, inputs):
            Doubling.seen = (*Doubling.seen, inputs)
            return inputs * 2

    return Doubling()


def recording(keras):
    """Make a layer that doubles its inputs, and a list to which it adds each `build` and each `call`."""
    events = []

    class Recording(keras.namespace.layers.Layer):
        def build(self, input_shape):
            events.append("build")

        def call(self, inputs):
            events.append("call")
            return inputs * 2

    return Recording(), events


@claim("call.instance-call")
def test_instance_call(keras):
    model, inputs = doubling(keras), keras.to_tensor(X)
    assert_equal("model(X)", keras.to_numpy(model(inputs)), X * 2)
    assert_equal("type(model).__call__", keras.to_numpy(type(model).__call__(model, inputs)), X * 2)


@claim("call.found-on-the-class")
def test_found_on_the_class(keras):
    model = doubling(keras)
    model.__call__ = lambda inputs: inputs * 3
    assert_equal("model(X)", keras.to_numpy(model(keras.to_tensor(X))), X * 2)


@claim("call.inherited")
def test_inherited(keras):
    assert type(doubling(keras)).__call__ is keras.namespace.Model.__call__


@claim("call.runs-call-once")
def test_runs_call_once(keras):
    model, inputs = doubling(keras), keras.to_tensor(X)
    model(inputs)
    before = len(model.seen)
    model(inputs)
    assert len(model.seen) == before + 1, f"call ran {len(model.seen) - before} times"


@claim("call.first-use")
@pytest.mark.parametrize("with_layers", [False, True])
def test_first_use(keras, permitted, with_layers):
    class Recording(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.runs = 0
            self.dense = keras.namespace.layers.Dense(1, kernel_initializer="ones") if with_layers else None

        def call(self, inputs):
            self.runs += 1
            return self.dense(inputs) if with_layers else inputs

    model = Recording()
    expected = X.sum(axis=-1, keepdims=True) if with_layers else X
    assert_equal("the first model(X)", keras.to_numpy(model(keras.to_tensor(X))), expected)

    def ran(times):
        assert model.runs == times, f"call ran {model.runs} times"

    permitted({"once": lambda: ran(1), "twice": lambda: ran(2)})


@claim("call.same-result")
def test_same_result(keras):
    layer, inputs = keras.namespace.layers.Dense(4), keras.to_tensor(X)
    called = keras.to_numpy(layer(inputs))
    assert_equal("call", keras.to_numpy(layer.call(inputs)), called)


@claim("call.builds-first")
def test_builds_first(keras):
    layer, events = recording(keras)
    layer(keras.to_tensor(X))
    assert events[:2] == ["build", "call"], f"the layer ran {events}"


@claim("call.builds-once")
def test_builds_once(keras):
    layer, events = recording(keras)
    for _ in range(3):
        layer(keras.to_tensor(X))
    assert events.count("build") == 1, f"the layer ran {events}"


@claim("call.call-builds-nothing")
def test_call_builds_nothing(keras):
    layer, events = recording(keras)
    layer.call(keras.to_tensor(X))
    assert events == ["call"], f"the layer ran {events}"


@claim("call.converts-inputs")
def test_converts_inputs(keras):
    model = doubling(keras)
    model(X)
    assert isinstance(model.seen[-1], type(keras.to_tensor(X))), f"call was given a {type(model.seen[-1])}"


@claim("call.casts-inputs")
@pytest.mark.parametrize("from_tensor", [True, False])
def test_casts_inputs(keras, from_tensor):
    model, to_float64 = doubling(keras), X.astype(np.float64)
    model(keras.to_tensor(to_float64) if from_tensor else to_float64)
    assert_equal("what call is given", keras.to_numpy(model.seen[-1]), X)


@claim("call.works-after-call")
def test_works_after_call(keras):
    layer, inputs = keras.namespace.layers.Dense(1, activity_regularizer="l2"), keras.to_tensor(X)
    layer.build((None, 3))
    layer.call(inputs)
    assert not layer.losses, f"call alone left the losses {layer.losses}"
    layer(inputs)
    assert len(layer.losses) == 1, f"__call__ left the losses {layer.losses}"


@claim("call.keeps-structure")
def test_keeps_structure(keras):
    class MyModel(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.namespace.layers.Dense(4, bias_initializer="ones", kernel_initializer="zeros")

        def call(self, inputs):
            return self.dense(inputs) * 2

    model = MyModel()
    assert_equal("model(X)", keras.to_numpy(model(keras.to_tensor(X))), np.full((2, 4), 2))
    assert [tuple(variable.shape) for variable in model.variables] == [(3, 4), (4,)]


@claim("call.overriding-dunder-call")
def test_overriding_dunder_call(keras):
    class MyModel(keras.namespace.Model):
        def __call__(self, inputs):
            return inputs

    to_float64 = X.astype(np.float64)
    assert MyModel()(to_float64) is to_float64
