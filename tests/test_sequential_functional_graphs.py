"""Functional models: lines 776 to 799 of the document."""

import numpy as np
import pytest

from assay.testing.assertions import assert_equal, assert_form, assert_rejected, claim
from assay.testing.keras_layers import (
    assert_same_objects,
    compile_model,
    create_layer,
    dense_of_ones,
    doubling_layer,
    incrementing_layer,
    run,
    shapes,
)
from assay.testing.keras_models import FORMS, connect_layers

X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
ONE = np.ones((1, 1), np.float32)
IMAGES = np.zeros((2, 28, 28, 1), np.float32)

# Errors for an invalid model; releases of Keras differ in which of the two they raise.
REFUSALS = (TypeError, ValueError)


def build_printed_functional(keras):
    """Build the model of lines 793 to 798."""
    layers = keras.namespace.layers
    inputs = keras.namespace.Input(shape=(28, 28, 1))
    x = layers.Flatten()(inputs)
    x = layers.Dense(units=100, activation=keras.namespace.activations.relu)(x)
    x = layers.Dense(units=10)(x)
    outputs = layers.Softmax()(x)
    return keras.namespace.Model(inputs=inputs, outputs=outputs)


@claim("sequential_functional.input-without-batch")
@pytest.mark.parametrize("shape", [(28, 28, 1), (3,), (None, 3)], ids=repr)
def test_input_without_batch(keras, shape):
    assert tuple(keras.namespace.Input(shape=shape).shape) == (None, *shape)


@claim("sequential_functional.input-type")
def test_input_type(keras):
    namespace = keras.namespace
    assert np.dtype(str(getattr(namespace.Input(shape=(3,)).dtype, "name", "float32"))) == np.float32
    whole = namespace.Input(shape=(3,), dtype="int32")
    model = namespace.Model(inputs=whole, outputs=doubling_layer(keras)(whole))
    large = np.array([[2**24 + 1, -1, 0]], np.int32)
    assert_equal("twice whole numbers", run(keras, model, large), 2 * large, np.dtype(np.int32))


@claim("sequential_functional.symbolic-shapes")
def test_symbolic_shapes(keras):
    tensor, found = keras.namespace.Input(shape=(28, 28, 1)), []
    layers = keras.namespace.layers
    for layer in (layers.Flatten(), layers.Dense(units=100), layers.Dense(units=10), layers.Softmax()):
        tensor = layer(tensor)
        found.append(tuple(tensor.shape))
    assert found == [(None, 784), (None, 100), (None, 10), (None, 10)]


@claim("sequential_functional.symbolic-call-builds")
def test_symbolic_call_builds(keras):
    layer = keras.namespace.layers.Dense(2)
    layer(keras.namespace.Input(shape=(3,)))
    assert (layer.built, shapes(layer.variables)) == (True, [(3, 2), (2,)])


@claim("sequential_functional.symbolic-has-no-numbers")
def test_symbolic_has_no_numbers(keras):
    symbolic = doubling_layer(keras)(keras.namespace.Input(shape=(3,)))
    assert_rejected("reading a symbolic tensor", lambda: np.asarray(symbolic, np.float32), *REFUSALS)


@claim("sequential_functional.layer-on-both")
def test_layer_on_both(keras):
    layer = dense_of_ones(keras, 2)
    inputs = keras.namespace.Input(shape=(3,))
    model = keras.namespace.Model(inputs=inputs, outputs=layer(inputs))
    expected = np.repeat(X.sum(axis=1)[:, None], 2, axis=1)
    assert_equal("the layer on numbers", run(keras, layer, X), expected)
    assert_equal("the model", run(keras, model, X), expected)


@claim("sequential_functional.operations-on-symbolic")
def test_operations_on_symbolic(keras):
    symbolic = keras.namespace.Input(shape=(3,))
    model = keras.namespace.Model(inputs=symbolic, outputs=2 * doubling_layer(keras)(symbolic) - symbolic + 1)
    assert_equal("model(X)", run(keras, model, X), 3 * X + 1)


@claim("sequential_functional.inputs-are-symbolic")
def test_inputs_are_symbolic(keras):
    layer, inputs = dense_of_ones(keras, 2), keras.namespace.Input(shape=(3,))
    assert_rejected(
        "a tensor of numbers as inputs",
        lambda: keras.namespace.Model(inputs=keras.to_tensor(X), outputs=layer(inputs)),
        *REFUSALS,
    )


@claim("sequential_functional.outputs-are-symbolic")
def test_outputs_are_symbolic(keras):
    assert_rejected(
        "a number as outputs",
        lambda: keras.namespace.Model(inputs=keras.namespace.Input(shape=(3,)), outputs=3),
        *REFUSALS,
    )


@claim("sequential_functional.inputs-and-outputs")
@pytest.mark.parametrize("given", ["inputs", "outputs"])
def test_inputs_and_outputs(keras, given):
    inputs = keras.namespace.Input(shape=(3,))
    tensors = {"inputs": inputs, "outputs": dense_of_ones(keras, 2)(inputs)}
    assert_rejected(f"{given} alone", lambda: keras.namespace.Model(**{given: tensors[given]}), *REFUSALS)


@claim("sequential_functional.disconnected")
def test_disconnected(keras):
    inputs, other = keras.namespace.Input(shape=(3,)), keras.namespace.Input(shape=(3,))
    assert_rejected(
        "an output that does not follow from the inputs",
        lambda: keras.namespace.Model(inputs=inputs, outputs=dense_of_ones(keras, 2)(other)),
    )


@claim("sequential_functional.unfit-layer")
def test_unfit_layer(keras):
    layer = keras.namespace.layers.Conv2D(filters=32, kernel_size=[5, 5])
    assert_rejected("an image without channels", lambda: layer(keras.namespace.Input(shape=(28, 28))))


@claim("sequential_functional.functional-is-built")
def test_functional_is_built(keras):
    model = build_printed_functional(keras)
    assert (model.built, model.count_params()) == (True, 79_510)


@claim("sequential_functional.functional-is-a-model")
def test_functional_is_a_model(keras):
    assert isinstance(build_printed_functional(keras), keras.namespace.Model)


@claim("sequential_functional.any-batch-size")
def test_any_batch_size(keras):
    model = build_printed_functional(keras)
    for batch in (1, 3):
        assert_form("the output", run(keras, model, np.zeros((batch, 28, 28, 1), np.float32)), (batch, 10))


@claim("sequential_functional.open-axis")
def test_open_axis(keras):
    inputs = keras.namespace.Input(shape=(None, 3))
    model = keras.namespace.Model(inputs=inputs, outputs=dense_of_ones(keras, 1)(inputs))
    for length in (1, 4):
        ones = np.ones((2, length, 3), np.float32)
        assert_equal(f"{length} steps", run(keras, model, ones), ones.sum(axis=-1, keepdims=True))


@claim("sequential_functional.wrong-rank")
def test_wrong_rank(keras):
    model = build_printed_functional(keras)
    assert_rejected("a flattened image", lambda: model(keras.to_tensor(IMAGES.reshape(2, 784))))


@claim("sequential_functional.wrong-size")
def test_wrong_size(keras):
    model = build_printed_functional(keras)
    assert_rejected("a smaller image", lambda: model(keras.to_tensor(IMAGES[:, :27])))


@claim("sequential_functional.no-single-example")
def test_no_single_example(keras):
    model = build_printed_functional(keras)
    assert_rejected("a single image", lambda: model(keras.to_tensor(IMAGES[0])))


@claim("sequential_functional.several-inputs")
def test_several_inputs(keras):
    first, second = keras.namespace.Input(shape=(3,)), keras.namespace.Input(shape=(3,))
    model = keras.namespace.Model(inputs=[first, second], outputs=first * 2 - second)
    assert_equal("twice the first less the second", run(keras, model, X, X[::-1]), 2 * X - X[::-1])


@claim("sequential_functional.several-outputs")
def test_several_outputs(keras):
    symbolic = keras.namespace.Input(shape=(3,))
    outputs = [incrementing_layer(keras)(symbolic), doubling_layer(keras)(symbolic)]
    model = keras.namespace.Model(inputs=symbolic, outputs=outputs)
    found = run(keras, model, X)
    assert len(found) == 2, f"there are {len(found)} outputs"
    assert_equal("the first", found[0], X + 1)
    assert_equal("the second", found[1], X * 2)


@claim("sequential_functional.named-inputs-and-outputs")
def test_named_inputs_and_outputs(keras):
    namespace = keras.namespace
    # Neither the names of inputs nor those of outputs are in alphabetical order.
    inputs = {name: namespace.Input(shape=(3,), name=name) for name in ("whole", "part")}
    outputs = {"rest": inputs["whole"] - inputs["part"], "again": 2 * inputs["whole"], "more": inputs["part"] + 1}
    model = namespace.Model(inputs=inputs, outputs=outputs)
    # The order of the values must not matter.
    for names in (("part", "whole"), ("whole", "part")):
        values = {"whole": X + 1, "part": X}
        found = model({name: keras.to_tensor(values[name]) for name in names})
        assert sorted(found) == sorted(outputs)
        assert_equal("the rest", keras.to_numpy(found["rest"]), np.ones_like(X))
        assert_equal("twice the whole", keras.to_numpy(found["again"]), 2 * X + 2)
        assert_equal("the part and 1", keras.to_numpy(found["more"]), X + 1)


@claim("sequential_functional.many-layers")
@pytest.mark.parametrize("form", FORMS)
def test_many_layers(keras, form):
    # The result depends on the order of any two of these layers.
    layers, expected = [], X
    for number in range(1, 8):
        layers += [create_layer(keras, lambda inputs, number=number: inputs * 2 + number)]
        expected = expected * 2 + number
    assert_equal("model(X)", run(keras, connect_layers(keras.namespace, form, layers, (3,)), X), expected)


@claim("sequential_functional.three-inputs")
def test_three_inputs(keras):
    inputs = [keras.namespace.Input(shape=(width,)) for width in (3, 1, 2)]
    layers = [dense_of_ones(keras, 1) for _ in inputs]
    sums = [layer(one) for layer, one in zip(layers, inputs, strict=True)]
    model = keras.namespace.Model(inputs=inputs, outputs=[sums[2], sums[0] - sums[1]])
    found = run(keras, model, X, X[:, :1] * 4, X[:, 1:] * 16)
    assert_equal("the first output", found[0], (X[:, 1:] * 16).sum(axis=1, keepdims=True))
    assert_equal("the second output", found[1], X.sum(axis=1, keepdims=True) - X[:, :1] * 4)
    # Keras may order the layers by their inputs or by their outputs.
    assert sorted(shapes(model.variables)) == [(1, 1), (2, 1), (3, 1)]


@claim("sequential_functional.nested-dictionaries")
def test_nested_dictionaries(keras):
    namespace = keras.namespace
    whole, part = (namespace.Input(shape=(3,), name=name) for name in ("whole", "part"))
    inner = namespace.Model(inputs={"whole": whole, "part": part}, outputs={"rest": whole - part, "all": whole + part})
    outside = namespace.Input(shape=(3,))
    found = inner({"part": outside, "whole": outside * 4})
    model = namespace.Model(inputs=outside, outputs=[found["rest"], found["all"]])
    rest, everything = run(keras, model, X)
    assert_equal("the rest", rest, 3 * X)
    assert_equal("all", everything, 5 * X)


@claim("sequential_functional.repeated-calls")
@pytest.mark.parametrize("form", FORMS)
def test_repeated_calls(keras, form):
    model = connect_layers(keras.namespace, form, [dense_of_ones(keras, 2), doubling_layer(keras)], (3,))
    outputs = [model(keras.to_tensor(inputs)) for inputs in (X, 3 * X, X[:1], X)]
    for output, inputs in zip(outputs, (X, 3 * X, X[:1], X), strict=True):
        sums = 2 * inputs.sum(axis=1, keepdims=True)
        assert_equal("model(X)", keras.to_numpy(output), np.repeat(sums, 2, axis=1))


@claim("sequential_functional.missing-input")
def test_missing_input(keras):
    first, second = keras.namespace.Input(shape=(3,)), keras.namespace.Input(shape=(3,))
    model = keras.namespace.Model(inputs=[first, second], outputs=first + second)
    assert_rejected("one input of two", lambda: model([keras.to_tensor(X)]))


def build_sharing_model(keras, layer):
    """Build a model with two inputs and two outputs that share a layer."""
    inputs = [keras.namespace.Input(shape=(1,)) for _ in range(2)]
    return keras.namespace.Model(inputs=inputs, outputs=[layer(one) for one in inputs])


@claim("sequential_functional.shared-variables-once")
def test_shared_variables_once(keras):
    layer = keras.namespace.layers.Dense(2)
    assert_same_objects("model.variables", build_sharing_model(keras, layer).variables, [layer.kernel, layer.bias])


@claim("sequential_functional.shared-parameters")
def test_shared_parameters(keras):
    layer = dense_of_ones(keras, 2)
    model = build_sharing_model(keras, layer)
    layer.set_weights([np.array([[2, 3]], np.float32)])
    first, second = run(keras, model, ONE, 5 * ONE)
    assert_equal("the output of the first path", first, np.array([[2, 3]]))
    assert_equal("the output of the second path", second, np.array([[10, 15]]))


@claim("sequential_functional.shared-training")
def test_shared_training(keras):
    # The weight and the inputs are 1. The targets 0 and 3 give gradients of 2 and -4, and the step is 1/4 of their sum.
    layer = dense_of_ones(keras, 1)
    compile_model(keras, build_sharing_model(keras, layer)).fit([ONE, ONE], [0 * ONE, 3 * ONE], verbose=0)
    assert_equal("the weight after a step", keras.to_numpy(layer.kernel), np.array([[1.5]]))


@claim("sequential_functional.model-as-layer")
def test_model_as_layer(keras):
    layer, inputs = dense_of_ones(keras, 2), keras.namespace.Input(shape=(3,))
    inner = keras.namespace.Model(inputs=inputs, outputs=layer(inputs))
    others = keras.namespace.Input(shape=(3,))
    model = keras.namespace.Model(inputs=others, outputs=doubling_layer(keras)(inner(others)))
    assert_equal("model(X)", run(keras, model, X), np.repeat(X.sum(axis=1)[:, None] * 2, 2, axis=1))
    assert_same_objects("model.variables", model.variables, [layer.kernel])


@claim("sequential_functional.nested-forms")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("inner_form", FORMS)
def test_nested_forms(keras, form, inner_form):
    first, last = dense_of_ones(keras, 2), dense_of_ones(keras, 1)
    inner = connect_layers(keras.namespace, inner_form, [first, incrementing_layer(keras), doubling_layer(keras)], (3,))
    model = connect_layers(keras.namespace, form, [doubling_layer(keras), inner, incrementing_layer(keras), last], (3,))
    # Each of the two hidden units returns ((2 sum + 1) * 2) + 1.
    sums = 2 * ((2 * X.sum(axis=1, keepdims=True) + 1) * 2 + 1)
    assert_equal("model(X)", run(keras, model, X), sums)
    assert_same_objects("model.variables", model.variables, [first.kernel, last.kernel])
    compile_model(keras, model).train_on_batch(X[:1], sums[:1] - 1)
    # The error is 1, so a step is 1/4 of twice the derivatives of the output: 4 X and the hidden values.
    assert_equal("the inner kernel", keras.to_numpy(first.kernel), np.repeat(1 - 2 * X[0][:, None], 2, axis=1))
    assert_equal("the outer kernel", keras.to_numpy(last.kernel), np.full((2, 1), 1 - sums[0] / 4))


@claim("sequential_functional.part-of-a-graph")
def test_part_of_a_graph(keras):
    hidden, last = dense_of_ones(keras, 2), dense_of_ones(keras, 1)
    inputs = keras.namespace.Input(shape=(3,))
    middle = hidden(inputs)
    whole = keras.namespace.Model(inputs=inputs, outputs=last(middle))
    part = keras.namespace.Model(inputs=inputs, outputs=middle)
    whole.set_weights([np.full((3, 2), 5, np.float32), np.ones((2, 1), np.float32)])
    assert_equal("the hidden layer's output", run(keras, part, X), np.repeat(X.sum(axis=1)[:, None] * 5, 2, axis=1))


@claim("sequential_functional.skip-connection")
def test_skip_connection(keras):
    symbolic = keras.namespace.Input(shape=(3,))
    joined = keras.namespace.layers.Add()([symbolic, doubling_layer(keras)(symbolic)])
    model = keras.namespace.Model(inputs=symbolic, outputs=joined)
    assert_equal("the input and twice the input", run(keras, model, X), X * 3)
