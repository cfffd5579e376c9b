"""Models of models, and models that are called more than once: lines 19 to 41 of the document."""

import numpy as np
import pytest

from assay.testing.assertions import assert_equal, claim

X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
OTHER = np.array([[7, -8, 9], [-1, 0, 2]], np.float32)


def of_ones(keras, units=1, **options):
    """Make a Dense layer of weights of 1 and no bias: each unit gives the sum of the inputs."""
    return keras.namespace.layers.Dense(units, use_bias=False, kernel_initializer="ones", **options)


def holding(keras, layers, attribute):
    """Make a model that calls layers one after the other.

    Args:
        keras: the group.
        layers: Layers in their order.
        attribute: what the model keeps of them, or a function that fills what the model keeps.

    """

    class Holding(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.kept = attribute

        def call(self, inputs):
            for layer in layers:
                inputs = layer(inputs)
            return inputs

    return Holding()


def run(keras, model, inputs=X, **options):
    return keras.to_numpy(model(keras.to_tensor(inputs), **options))


def shapes(variables):
    return [tuple(variable.shape) for variable in variables]


def fitted(keras, model, inputs=X):
    """Train for one step, and return the shapes of the variables of which any number changed."""
    before = [(variable, np.array(keras.to_numpy(variable))) for variable in model.variables]
    optimizer = keras.namespace.optimizers.SGD(learning_rate=0.25)
    model.compile(optimizer=optimizer, loss="mean_squared_error", run_eagerly=True)
    model.fit(inputs, np.zeros((len(inputs), 1), np.float32), verbose=0)
    return shapes(variable for variable, value in before if (keras.to_numpy(variable) != value).any())


# Layers in containers


ARRANGEMENTS = {
    "a list": list,
    "a tuple": tuple,
    "a list of lists": lambda layers: [layers[:1], layers[1:]],
    "a list in a dictionary": lambda layers: {"all": layers},
}


@claim("model.variables-in-lists")
@pytest.mark.parametrize("arrange", [pytest.param(value, id=key) for key, value in ARRANGEMENTS.items()])
def test_variables_in_lists(keras, arrange):
    layers = [of_ones(keras, units) for units in (4, 2, 1)]
    model = holding(keras, layers, arrange(layers))
    assert_equal("model(X)", run(keras, model), X.sum(axis=1, keepdims=True) * 8)
    assert shapes(model.variables) == shapes(model.trainable_variables) == [(3, 4), (4, 2), (2, 1)]


@claim("model.variables-in-dictionaries")
def test_variables_in_dictionaries(keras):
    # The names are not in the order of the alphabet; in which order a dictionary's layers come, nobody says.
    layers = {"last": of_ones(keras, 4), "first": of_ones(keras, 1)}
    model = holding(keras, layers.values(), layers)
    run(keras, model)
    assert sorted(shapes(model.variables)) == sorted(shapes(model.trainable_variables)) == [(3, 4), (4, 1)]


@claim("model.variables-appended")
def test_variables_appended(keras):
    layers = []
    model = holding(keras, layers, [])
    for units in (2, 1):
        layers.append(of_ones(keras, units))
        model.kept.append(layers[-1])
    run(keras, model)
    assert shapes(model.variables) == [(3, 2), (2, 1)]


@claim("model.containers-train")
def test_containers_train(keras):
    listed, named, deep = (of_ones(keras, units) for units in (3, 2, 1))
    model = holding(keras, [listed, named, deep], [[listed], {"named": named, "more": [deep]}])
    run(keras, model)
    assert sorted(fitted(keras, model)) == [(2, 1), (3, 2), (3, 3)]


@claim("model.variables-deep")
def test_variables_deep(keras):
    layers = [of_ones(keras, units) for units in (3, 2, 1)]
    model = holding(keras, layers[:1], layers[0])
    for layer in layers[1:]:
        parts = [model, layer]
        model = holding(keras, parts, tuple(parts))
    run(keras, model)
    assert shapes(model.variables) == [(3, 3), (3, 2), (2, 1)]
    assert fitted(keras, model) == [(3, 3), (3, 2), (2, 1)], "not all of the layers of models in models are trained"


# trainable


def nested(keras):
    """Make a model of a list of a layer and a model of another layer, which has been called; return all four."""
    inner_layer, outer_layer = of_ones(keras, 2), of_ones(keras, 1)
    inner = holding(keras, [inner_layer], inner_layer)
    outer = holding(keras, [inner, outer_layer], [inner, outer_layer])
    run(keras, outer)
    return outer, inner, inner_layer, outer_layer


@claim("model.trainable-reaches-all")
def test_trainable_reaches_all(keras):
    outer, inner, *layers = nested(keras)
    for trainable in (False, True):
        outer.trainable = trainable
        found = [shapes(one.trainable_variables) for one in (outer, inner, *layers)]
        of_inner, of_outer = [(3, 2)], [(2, 1)]
        expected = [of_inner + of_outer, of_inner, of_inner, of_outer]
        assert found == (expected if trainable else [[]] * 4), f"trainable is {trainable}"
        assert shapes(outer.variables) == of_inner + of_outer


@claim("model.frozen-is-not-trained")
def test_frozen_is_not_trained(keras):
    outer, inner, *_ = nested(keras)
    inner.trainable = False
    assert shapes(outer.trainable_variables) == [(2, 1)]
    assert fitted(keras, outer) == [(2, 1)]


# One model, more than one call


@claim("model.calls-are-independent")
def test_calls_are_independent(keras):
    model = holding(keras, layers := [of_ones(keras, 2), of_ones(keras, 1)], layers)
    all_inputs = X, OTHER, -X
    outputs = [model(keras.to_tensor(inputs)) for inputs in all_inputs]
    for number, (found, inputs) in enumerate(zip(outputs, all_inputs, strict=True), 1):
        assert_equal(f"output {number}", keras.to_numpy(found), inputs.sum(axis=1, keepdims=True) * 2)
    model.kept[0].set_weights([np.full((3, 2), 2, np.float32)])
    assert_equal("the output with other weights", run(keras, model), X.sum(axis=1, keepdims=True) * 4)


@claim("model.any-batch")
def test_any_batch(keras):
    model = holding(keras, layers := [of_ones(keras, 2), of_ones(keras, 1)], layers)
    for batch in (X, X[:1], np.tile(OTHER, (25, 1))):
        assert_equal(f"{len(batch)} examples", run(keras, model, batch), batch.sum(axis=1, keepdims=True) * 2)


@claim("model.two-models")
def test_two_models(keras):
    layers = of_ones(keras, 1), of_ones(keras, 1)
    models = [holding(keras, [layer], layer) for layer in layers]
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
    layers = [of_ones(keras, 3), of_ones(keras, 3)]
    parts = [holding(keras, layers[:1], layers[0]), layers[1]]
    model = holding(keras, parts, parts)
    run(keras, model)
    weights = list(np.arange(18, dtype=np.float32).reshape(2, 3, 3))
    model.set_weights(weights)
    assert_equal("model(X)", run(keras, model), X @ weights[0] @ weights[1])
    for layer, found, expected in zip(layers, model.get_weights(), weights, strict=True):
        assert_equal("the kernel", keras.to_numpy(layer.kernel), expected)
        assert_equal("the weight", found, expected)
