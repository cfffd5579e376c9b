"""One model in three forms, and Sequential models: lines 776 to 799 of the document."""

import numpy as np
import pytest

from assay.spec.semantics.models import MODELS
from assay.spec.vectors import read
from assay.testing import problems
from assay.testing.assertions import assert_close, assert_equal, assert_rejected, claim
from assay.testing.keras_layers import (
    assert_same_objects,
    compile_model,
    dense_of_ones,
    doubling_layer,
    incrementing_layer,
    run,
    shapes,
)
from assay.testing.keras_models import FORMS, build, connect_layers, load
from assay.testing.networks import case, layer_outputs

X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
ONE = np.ones((1, 1), np.float32)
IMAGES = np.zeros((2, 28, 28, 1), np.float32)

# Errors for an invalid model; releases of Keras differ in which of the two they raise.
REFUSALS = (TypeError, ValueError)


def build_printed_sequential(keras):
    """Build the model of lines 784 to 789; its activation is a function of the namespace."""
    layers = keras.namespace.layers
    return keras.namespace.models.Sequential(
        [
            layers.Flatten(),
            layers.Dense(100, activation=keras.namespace.activations.relu),
            layers.Dense(10),
            layers.Softmax(),
        ]
    )


@claim("sequential_functional.mlp-in-three-forms")
@pytest.mark.parametrize("form", FORMS)
def test_mlp_in_three_forms(keras, form, seed):
    problem, expected, bounds = case(problems.mlp, layer_outputs, seed)
    assert_softmax(keras, build(keras.namespace, form, "mlp"), problem, expected, bounds)


@claim("sequential_functional.cnn-in-three-forms")
@pytest.mark.parametrize("form", FORMS)
def test_cnn_in_three_forms(keras, form, seed):
    problem, expected, bounds = case(problems.cnn, layer_outputs, seed, batch=1)
    assert_softmax(keras, build(keras.namespace, form, "cnn"), problem, expected, bounds)


def assert_softmax(keras, model, problem, expected, bounds):
    """Set the parameters of a problem in a model, and compare its output with the definition."""
    model(keras.to_tensor(problem.inputs))
    load(model, problem.model, problem.parameters)
    found = {"softmax": run(keras, model, problem.inputs)}
    assert_close("the model", found, {"softmax": expected["softmax"]}, bounds)


@claim("sequential_functional.three-forms-train-alike")
def test_three_forms_train_alike(keras):
    # The weight is 1, the input 1 and the target 0, so the gradient is 2. A learning rate of 1/4 halves the weight.
    for form in FORMS:
        layer = dense_of_ones(keras, 1)
        model = connect_layers(keras.namespace, form, [layer], (1,))
        compile_model(keras, model).fit(ONE, 0 * ONE, verbose=0)
        assert_equal(f"the weight of the {form} model", keras.to_numpy(layer.kernel), np.array([[0.5]]))


@claim("sequential_functional.variables-in-three-forms")
@pytest.mark.parametrize("form", FORMS)
def test_variables_in_three_forms(keras, form):
    model = build(keras.namespace, form, "mlp")
    run(keras, model, IMAGES)
    assert shapes(model.variables) == [*MODELS["mlp"].shapes.values()]


@claim("sequential_functional.earlier-sequential")
def test_earlier_sequential(keras):
    printed = read("convolution")
    image, kernel, bias, expected = (np.array(printed[name], np.float32) for name in ("image", "W", "b", "A"))
    layer = keras.namespace.layers.Conv2D(filters=1, kernel_size=[3, 3])
    model = keras.namespace.models.Sequential([layer])
    model(keras.to_tensor(image[None, :, :, None]))
    layer.set_weights([kernel[:, :, None, None], bias])
    assert_equal("the model's output", run(keras, model, image[None, :, :, None])[0, :, :, 0], expected)


@claim("sequential_functional.chain")
def test_chain(keras):
    model = keras.namespace.Sequential([doubling_layer(keras), incrementing_layer(keras)])
    assert_equal("doubled, then incremented", run(keras, model, X), X * 2 + 1)
    model = keras.namespace.Sequential([incrementing_layer(keras), doubling_layer(keras)])
    assert_equal("incremented, then doubled", run(keras, model, X), (X + 1) * 2)


@claim("sequential_functional.chain-by-hand")
def test_chain_by_hand(keras):
    layers = [dense_of_ones(keras, 2), doubling_layer(keras), dense_of_ones(keras, 4)]
    tensor = keras.to_tensor(X)
    for layer in layers:
        tensor = layer(tensor)
    assert_equal("model(X)", run(keras, keras.namespace.Sequential(layers), X), keras.to_numpy(tensor))
    assert_equal("each layer called by hand", keras.to_numpy(tensor), np.repeat(X.sum(axis=1)[:, None] * 4, 4, axis=1))


@claim("sequential_functional.returns-a-model")
def test_returns_a_model(keras):
    assert isinstance(build_printed_sequential(keras), keras.namespace.Model)


@claim("sequential_functional.one-class-of-two-names")
def test_one_class_of_two_names(keras):
    assert keras.namespace.models.Sequential is keras.namespace.Sequential


@claim("sequential_functional.layers-as-given")
def test_layers_as_given(keras):
    layers = [keras.namespace.layers.Dense(units) for units in (3, 2, 1)]
    model = keras.namespace.Sequential(layers)
    run(keras, model, X)
    assert_same_objects("model.layers", model.layers, layers)
    # The layers now have variables, which a second model shares.
    shorter = keras.namespace.Sequential(layers[:2])
    run(keras, shorter, X)
    assert_same_objects("the layers of a second model", shorter.layers, layers[:2])


@claim("sequential_functional.variables-in-order")
def test_variables_in_order(keras):
    layers = [keras.namespace.layers.Dense(units) for units in (3, 2)]
    model = keras.namespace.Sequential(layers)
    run(keras, model, X)
    expected = [variable for layer in layers for variable in (layer.kernel, layer.bias)]
    assert_same_objects("model.variables", model.variables, expected)


@claim("sequential_functional.not-built-yet")
def test_not_built_yet(keras):
    model = build_printed_sequential(keras)
    assert not model.built
    assert_rejected("counting parameters before the first call", model.count_params)


@claim("sequential_functional.built-by-first-call")
def test_built_by_first_call(keras):
    model = build_printed_sequential(keras)
    run(keras, model, IMAGES)
    assert (model.built, model.count_params()) == (True, 79_510)


@claim("sequential_functional.build-by-shape")
def test_build_by_shape(keras):
    model = build_printed_sequential(keras)
    model.build((None, 28, 28, 1))
    assert (model.built, model.count_params()) == (True, 79_510)
    assert shapes(model.variables) == [*MODELS["mlp"].shapes.values()]


@claim("sequential_functional.input-builds")
def test_input_builds(keras):
    namespace = keras.namespace
    model = namespace.Sequential([namespace.Input(shape=(3,)), namespace.layers.Dense(2)])
    assert (model.built, shapes(model.variables)) == (True, [(3, 2), (2,)])


@claim("sequential_functional.input-is-no-layer")
def test_input_is_no_layer(keras):
    layer = dense_of_ones(keras, 2)
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(3,)), layer])
    assert_same_objects("model.layers", model.layers, [layer])


@claim("sequential_functional.add")
def test_add(keras):
    layers = [doubling_layer(keras), incrementing_layer(keras)]
    for what, order, expected in (("first", layers, X * 2 + 1), ("second", layers[::-1], (X + 1) * 2)):
        model = keras.namespace.Sequential()
        for layer in order:
            model.add(layer)
        assert_same_objects(f"the layers of the {what} model", model.layers, order)
        assert_equal(f"the output of the {what} model", run(keras, model, X), expected)


@claim("sequential_functional.add-later")
def test_add_later(keras):
    model = keras.namespace.Sequential([dense_of_ones(keras, 2)])
    run(keras, model, X)
    model.add(dense_of_ones(keras, 1))
    assert_equal("model(X)", run(keras, model, X), X.sum(axis=1, keepdims=True) * 2)
    assert shapes(model.variables) == [(3, 2), (2, 1)]


@claim("sequential_functional.only-layers")
@pytest.mark.parametrize("item", ["dense", 3, len], ids=repr)
def test_only_layers(keras, item):
    assert_rejected(
        f"a list with {item!r}", lambda: keras.namespace.Sequential([keras.namespace.layers.Dense(2), item]), *REFUSALS
    )


@claim("sequential_functional.single-input")
def test_single_input(keras):
    namespace = keras.namespace
    assert_rejected(
        "a list of inputs",
        lambda: namespace.Sequential(
            [[namespace.Input(shape=(3,)), namespace.Input(shape=(3,))], namespace.layers.Add()]
        ),
        *REFUSALS,
    )


@claim("sequential_functional.no-joining-layer")
def test_no_joining_layer(keras):
    model = keras.namespace.Sequential([keras.namespace.layers.Concatenate()])
    assert_rejected("one tensor for Concatenate", lambda: model(keras.to_tensor(X)), *REFUSALS)


@claim("sequential_functional.sequential-shares")
def test_sequential_shares(keras):
    layer = dense_of_ones(keras, 3)
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(3,)), layer, layer])
    assert_same_objects("model.variables", model.variables, [layer.kernel])
    assert_equal("model(X)", run(keras, model, X), np.repeat(X.sum(axis=1)[:, None] * 3, 3, axis=1))


@claim("sequential_functional.sequential-in-sequential")
def test_sequential_in_sequential(keras):
    inner, last = dense_of_ones(keras, 2), dense_of_ones(keras, 1)
    model = keras.namespace.Sequential([keras.namespace.Sequential([inner]), last])
    assert_equal("model(X)", run(keras, model, X), X.sum(axis=1, keepdims=True) * 2)
    assert_same_objects("model.variables", model.variables, [inner.kernel, last.kernel])


@claim("sequential_functional.other-features")
def test_other_features(keras):
    model = keras.namespace.Sequential([dense_of_ones(keras, 2)])
    run(keras, model, X)
    assert_rejected("another number of features", lambda: model(keras.to_tensor(X[:, :2])))


@claim("sequential_functional.activation-by-name")
def test_activation_by_name(keras, seed):
    problem = problems.mlp(seed)
    found = []
    for model in (build_printed_sequential(keras), build(keras.namespace, "sequential", "mlp")):
        model(keras.to_tensor(problem.inputs))
        load(model, "mlp", problem.parameters)
        found.append(run(keras, model, problem.inputs))
    assert_equal("the model with the function's name", found[1], found[0])


@claim("sequential_functional.any-activation")
def test_any_activation(keras):
    layer = dense_of_ones(keras, 1, activation=lambda inputs: inputs * 2 + 1)
    model = keras.namespace.Sequential([layer])
    assert_equal("model(X)", run(keras, model, X), X.sum(axis=1, keepdims=True) * 2 + 1)


@claim("sequential_functional.unknown-activation")
def test_unknown_activation(keras):
    assert_rejected("the activation rellu", lambda: keras.namespace.layers.Dense(100, activation="rellu"))
