"""Nested models, and models that are called more than once: lines 19 to 41 of the document."""

import numpy as np
import pytest

from assay.testing.assertions import assert_equal, claim
from assay.testing.keras_layers import dense_of_ones, shapes

X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
OTHER = np.array([[7, -8, 9], [-1, 0, 2]], np.float32)


def create_model(keras, layers, attribute):
    """Create a model that calls layers one after the other.

    Args:
        keras: Implementation of the group `keras`.
        layers: Layers in their order.
        attribute: Value of the model's only attribute, a layer or a container of layers.

    """

    class ModelWithAttribute(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.kept = attribute

        def call(self, inputs):
            for layer in layers:
                inputs = layer(inputs)
            return inputs

    return ModelWithAttribute()


def run(keras, model, inputs=X, **options):
    """Call a model, and return its output as an array."""
    return keras.to_numpy(model(keras.to_tensor(inputs), **options))


def fit_one_step(keras, model, inputs=X):
    """Train for one step, and return the shapes of the variables that change."""
    before = [(variable, np.array(keras.to_numpy(variable))) for variable in model.variables]
    optimizer = keras.namespace.optimizers.SGD(learning_rate=0.25)
    model.compile(optimizer=optimizer, loss="mean_squared_error", run_eagerly=True)
    model.fit(inputs, np.zeros((len(inputs), 1), np.float32), verbose=0)
    return shapes(variable for variable, value in before if (keras.to_numpy(variable) != value).any())


ARRANGEMENTS = {
    "a list": list,
    "a tuple": tuple,
    "a list of lists": lambda layers: [layers[:1], layers[1:]],
    "a list in a dictionary": lambda layers: {"all": layers},
}


@claim("model.variables-in-lists")
@pytest.mark.parametrize("arrange", [pytest.param(value, id=key) for key, value in ARRANGEMENTS.items()])
def test_variables_in_lists(keras, arrange):
    layers = [dense_of_ones(keras, units) for units in (4, 2, 1)]
    model = create_model(keras, layers, arrange(layers))
    assert_equal("model(X)", run(keras, model), X.sum(axis=1, keepdims=True) * 8)
    assert shapes(model.variables) == shapes(model.trainable_variables) == [(3, 4), (4, 2), (2, 1)]


@claim("model.variables-in-dictionaries")
def test_variables_in_dictionaries(keras):
    # The names are not in alphabetical order. The order of variables of a dictionary's layers is not specified.
    layers = {"last": dense_of_ones(keras, 4), "first": dense_of_ones(keras, 1)}
    model = create_model(keras, layers.values(), layers)
    run(keras, model)
    assert sorted(shapes(model.variables)) == sorted(shapes(model.trainable_variables)) == [(3, 4), (4, 1)]


@claim("model.variables-appended")
def test_variables_appended(keras):
    layers = []
    model = create_model(keras, layers, [])
    for units in (2, 1):
        layers.append(dense_of_ones(keras, units))
        model.kept.append(layers[-1])
    run(keras, model)
    assert shapes(model.variables) == [(3, 2), (2, 1)]


@claim("model.containers-train")
def test_containers_train(keras):
    listed, named, deep = (dense_of_ones(keras, units) for units in (3, 2, 1))
    model = create_model(keras, [listed, named, deep], [[listed], {"named": named, "more": [deep]}])
    run(keras, model)
    assert sorted(fit_one_step(keras, model)) == [(2, 1), (3, 2), (3, 3)]


@claim("model.variables-deep")
def test_variables_deep(keras):
    layers = [dense_of_ones(keras, units) for units in (3, 2, 1)]
    model = create_model(keras, layers[:1], layers[0])
    for layer in layers[1:]:
        parts = [model, layer]
        model = create_model(keras, parts, tuple(parts))
    run(keras, model)
    assert shapes(model.variables) == [(3, 3), (3, 2), (2, 1)]
    assert fit_one_step(keras, model) == [(3, 3), (3, 2), (2, 1)], "some layers of nested models are not trained"


def create_nested_models(keras):
    """Create and call a model of a list with an inner model and a layer; return both models and both layers."""
    inner_layer, outer_layer = dense_of_ones(keras, 2), dense_of_ones(keras, 1)
    inner = create_model(keras, [inner_layer], inner_layer)
    outer = create_model(keras, [inner, outer_layer], [inner, outer_layer])
    run(keras, outer)
    return outer, inner, inner_layer, outer_layer


@claim("model.trainable-reaches-all")
def test_trainable_reaches_all(keras):
    outer, inner, *layers = create_nested_models(keras)
    for trainable in (False, True):
        outer.trainable = trainable
        found = [shapes(one.trainable_variables) for one in (outer, inner, *layers)]
        of_inner, of_outer = [(3, 2)], [(2, 1)]
        expected = [of_inner + of_outer, of_inner, of_inner, of_outer]
        assert found == (expected if trainable else [[]] * 4), f"trainable is {trainable}"
        assert shapes(outer.variables) == of_inner + of_outer


@claim("model.frozen-is-not-trained")
def test_frozen_is_not_trained(keras):
    outer, inner, *_ = create_nested_models(keras)
    inner.trainable = False
    assert shapes(outer.trainable_variables) == [(2, 1)]
    assert fit_one_step(keras, outer) == [(2, 1)]


@claim("model.calls-are-independent")
def test_calls_are_independent(keras):
    model = create_model(keras, layers := [dense_of_ones(keras, 2), dense_of_ones(keras, 1)], layers)
    all_inputs = X, OTHER, -X
    outputs = [model(keras.to_tensor(inputs)) for inputs in all_inputs]
    for number, (found, inputs) in enumerate(zip(outputs, all_inputs, strict=True), 1):
        assert_equal(f"output {number}", keras.to_numpy(found), inputs.sum(axis=1, keepdims=True) * 2)
    model.kept[0].set_weights([np.full((3, 2), 2, np.float32)])
    assert_equal("the output with other weights", run(keras, model), X.sum(axis=1, keepdims=True) * 4)


@claim("model.any-batch")
def test_any_batch(keras):
    model = create_model(keras, layers := [dense_of_ones(keras, 2), dense_of_ones(keras, 1)], layers)
    for batch in (X, X[:1], np.tile(OTHER, (25, 1))):
        assert_equal(f"{len(batch)} examples", run(keras, model, batch), batch.sum(axis=1, keepdims=True) * 2)


@claim("model.two-models")
def test_two_models(keras):
    layers = dense_of_ones(keras, 1), dense_of_ones(keras, 1)
    models = [create_model(keras, [layer], layer) for layer in layers]
    for model in models:
        run(keras, model)
    models[0].set_weights([np.array([[1], [2], [4]], np.float32)])
    assert_equal("the first model", run(keras, models[0]), np.array([[17], [38]]))
    assert_equal("the second model", run(keras, models[1]), np.array([[6], [15]]))


@claim("model.outputs-as-returned")
def test_outputs_as_returned(keras):
    class Several(keras.namespace.Model):
        def call(self, inputs):
            return {"twice": inputs * 2, "more": [inputs + 1, inputs - 1]}

    found = Several()(keras.to_tensor(X))
    assert isinstance(found, dict), f"a dictionary became a {type(found).__name__}"
    assert list(map(len, (found, found["more"]))) == [2, 2]
    assert_equal("twice", keras.to_numpy(found["twice"]), X * 2)
    assert_equal("the first of more", keras.to_numpy(found["more"][0]), X + 1)
    assert_equal("the second of more", keras.to_numpy(found["more"][1]), X - 1)

    class Pair(keras.namespace.Model):
        def call(self, inputs):
            return inputs * 2, inputs + 1

    found = Pair()(keras.to_tensor(X))
    assert isinstance(found, tuple), f"a tuple became a {type(found).__name__}"
    assert_equal("the second of a pair", keras.to_numpy(found[1]), X + 1)


@claim("model.weights-in-order")
def test_weights_in_order(keras):
    layers = [dense_of_ones(keras, 3), dense_of_ones(keras, 3)]
    parts = [create_model(keras, layers[:1], layers[0]), layers[1]]
    model = create_model(keras, parts, parts)
    run(keras, model)
    weights = list(np.arange(18, dtype=np.float32).reshape(2, 3, 3))
    model.set_weights(weights)
    assert_equal("model(X)", run(keras, model), X @ weights[0] @ weights[1])
    for layer, found, expected in zip(layers, model.get_weights(), weights, strict=True):
        assert_equal("the kernel", keras.to_numpy(layer.kernel), expected)
        assert_equal("the weight", found, expected)
