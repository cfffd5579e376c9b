"""call and __call__: lines 107 to 110 of the document."""

import numpy as np
import pytest

from assay.testing.assertions import assert_equal, claim

X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


def doubling(keras):
    """Make a model that doubles its inputs, and stores the argument of its call in `seen`."""

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
    inputs, other = keras.to_tensor(X / 3), keras.to_tensor(-X / 7)
    model = keras.namespace.Sequential([keras.namespace.layers.Dense(4), keras.namespace.layers.Dense(3)])
    for one in (model, keras.namespace.layers.Dense(4), doubling(keras)):
        one(inputs)
        for tensor in (inputs, other):
            assert_equal("model(X)", keras.to_numpy(one(tensor)), keras.to_numpy(one.call(tensor)))


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


PACKED = {
    "a list": lambda one: [one, one + 1],
    "a tuple": lambda one: (one, one + 1),
    "a dictionary": lambda one: {"right": one, "left": one + 1},
    "a list in a dictionary": lambda one: {"both": [one, one + 1]},
}


def arrays_in(structure):
    """Return the leaves of lists, tuples and dictionaries."""
    if isinstance(structure, dict):
        structure = list(structure.values())
    return (
        [leaf for one in structure for leaf in arrays_in(one)] if isinstance(structure, list | tuple) else [structure]
    )


@claim("call.converts-structures")
@pytest.mark.parametrize("pack", [pytest.param(value, id=key) for key, value in PACKED.items()])
def test_converts_structures(keras, pack):
    seen = []

    class Keeping(keras.namespace.Model):
        def call(self, inputs):
            seen.append(inputs)
            return arrays_in(inputs)[0] * 2

    output = Keeping()(pack(X.astype(np.float64)))
    given = arrays_in(seen[-1])
    assert all(isinstance(one, type(keras.to_tensor(X))) for one in given), f"call was given {seen[-1]}"
    for one, expected in zip(given, (X, X + 1), strict=True):
        assert_equal("what call is given", keras.to_numpy(one), expected)
    assert_equal("the output", keras.to_numpy(output), X * 2)


@claim("call.converts-keywords")
def test_converts_keywords(keras):
    model = doubling(keras)
    output = model(inputs=X.astype(np.float64))
    assert isinstance(model.seen[-1], type(keras.to_tensor(X))), f"call was given a {type(model.seen[-1])}"
    assert_equal("what call is given", keras.to_numpy(model.seen[-1]), X)
    assert_equal("the output", keras.to_numpy(output), X * 2)


@claim("call.keeps-whole-numbers")
@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
@pytest.mark.parametrize("from_tensor", [True, False])
def test_keeps_whole_numbers(keras, dtype, from_tensor):
    class Keeping(keras.namespace.Model):
        def call(self, inputs):
            return inputs

    numbers = np.array([[1, 0], [0, 1]], dtype)
    found = Keeping()(keras.to_tensor(numbers) if from_tensor else numbers)
    assert_equal("what call is given", keras.to_numpy(found), numbers, np.dtype(dtype))


@claim("call.further-arguments")
def test_further_arguments(keras):
    class Scaled(keras.namespace.Model):
        def call(self, inputs, factor=1, added=0):
            return inputs * factor + added

    model, inputs = Scaled(), keras.to_tensor(X)
    for expected, found in ((X, model(inputs)), (2 * X + 5, model(inputs, added=5, factor=2))):
        assert_equal("the output", keras.to_numpy(found), expected)


@claim("call.casts-inputs")
@pytest.mark.parametrize("from_tensor", [True, False])
def test_casts_inputs(keras, from_tensor):
    model, in_float64 = doubling(keras), X.astype(np.float64)
    model(keras.to_tensor(in_float64) if from_tensor else in_float64)
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

    in_float64 = X.astype(np.float64)
    assert MyModel()(in_float64) is in_float64
