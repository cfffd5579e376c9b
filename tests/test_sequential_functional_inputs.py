"""Inputs of a functional model in another order than they were made in: lines 791 to 798 of the document."""

import numpy as np

from assay.testing.assertions import assert_equal, claim

X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


@claim("sequential_functional.inputs-as-given")
def test_inputs_as_given(keras):
    namespace = keras.namespace
    first, second, third = (namespace.Input(shape=(3,)) for _ in range(3))
    # Made last and never used by the first output, the third is given first.
    model = namespace.Model(inputs=[third, first, second], outputs=[first * 2 - second, third + 1])
    values = [keras.to_tensor(factor * X) for factor in (4, 1, -8)]
    found = [keras.to_numpy(one) for one in model(values)]
    assert_equal("twice the second less the third", found[0], 10 * X)
    assert_equal("the first and 1", found[1], 4 * X + 1)
    outside = namespace.Input(shape=(3,))
    nested = namespace.Model(inputs=outside, outputs=model([outside, outside * 2, outside * 4]))
    found = [keras.to_numpy(one) for one in nested(keras.to_tensor(X))]
    assert_equal("the same as a layer", found[0], 0 * X)
    assert_equal("the first as a layer", found[1], X + 1)
    predicted = model.predict([4 * X, X, -8 * X], verbose=0)
    assert_equal("predict", predicted[0], 10 * X)
