"""Order of inputs, and models that share a model: lines 791 to 798 of the document."""

import numpy as np
import pytest

from assay.testing.assertions import assert_equal, claim
from assay.testing.keras_models import FORMS, connect_layers

X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


@claim("sequential_functional.inputs-as-given")
def test_inputs_as_given(keras):
    namespace = keras.namespace
    first, second, third = (namespace.Input(shape=(3,)) for _ in range(3))
    # The third input is created last, and the first output does not depend on it.
    model = namespace.Model(inputs=[third, first, second], outputs=[first * 2 - second, third + 1])
    values = [keras.to_tensor(factor * X) for factor in (4, 1, -8)]
    found = [keras.to_numpy(one) for one in model(values)]
    assert_equal("twice the second less the third", found[0], 10 * X)
    assert_equal("the first and 1", found[1], 4 * X + 1)
    outside = namespace.Input(shape=(3,))
    nested = namespace.Model(inputs=outside, outputs=model([outside, outside * 2, outside * 4]))
    found = [keras.to_numpy(one) for one in nested(keras.to_tensor(X))]
    assert_equal("the first output as a layer", found[0], 0 * X)
    assert_equal("the second output as a layer", found[1], X + 1)
    predicted = model.predict([4 * X, X, -8 * X], verbose=0)
    assert_equal("predict", predicted[0], 10 * X)


@claim("sequential_functional.shared-models")
@pytest.mark.parametrize("form", FORMS)
def test_shared_models(keras, form):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    inner = connect_layers(keras.namespace, form, [layer], (3,))
    inputs = [keras.namespace.Input(shape=(3,)) for _ in range(2)]
    first, second = map(inner, inputs)
    model = keras.namespace.Model(inputs=inputs, outputs=[first, second, inner(inputs[0] + inputs[1])])
    found = [keras.to_numpy(one) for one in model([keras.to_tensor(X), keras.to_tensor(4 * X)])]
    sums = X.sum(axis=1, keepdims=True)
    for which, output, factor in zip(("first", "second", "sum"), found, (1, 4, 5), strict=True):
        assert_equal(f"the output of the shared model for the {which}", output, factor * sums)
    assert [id(variable) for variable in model.variables] == [id(layer.kernel)]
