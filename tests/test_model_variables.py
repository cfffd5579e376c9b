"""Arguments of model classes, and variables of layers that are called later: lines 17 to 41 of the document."""

import numpy as np
import pytest

from assay.testing.assertions import assert_equal, claim
from assay.testing.keras_models import FORMS, connect_layers

X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


# Keras warns about a layer without variables after the first call.
@pytest.mark.filterwarnings("ignore:`build:UserWarning")
@claim("model.variables-of-later-calls")
def test_variables_of_later_calls(keras):
    class TwoWays(keras.namespace.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = keras.namespace.layers.Dense(2), keras.namespace.layers.Dense(4)

        def call(self, inputs, other=False):  # noqa: FBT002 - the signature of Keras
            return self.second(inputs) if other else self.first(inputs)

    model, inputs, expected = TwoWays(), keras.to_tensor(X), []
    for other, layer in ((False, model.first), (True, model.second)):
        model(inputs, other=other)
        expected += [layer.kernel, layer.bias]
        for name in ("variables", "trainable_variables"):
            found = getattr(model, name)
            assert list(map(id, found)) == list(map(id, expected)), (
                f"after a call of the {'second' if other else 'first'} layer, model.{name} is {found}"
            )
    assert [weight.shape for weight in model.get_weights()] == [(3, 2), (2,), (3, 4), (4,)]


@claim("model.init-arguments")
def test_init_arguments(keras):
    class Scaling(keras.namespace.Model):
        def __init__(self, *factors, offset=0):
            super().__init__()
            self.factors, self.offset = factors, offset

        def call(self, inputs):
            return inputs * sum(self.factors) + self.offset

    for factors in ((2,), (2, 4), (2, 4, 8)):
        for options in ({}, {"offset": 1}):
            model = Scaling(*factors, **options)
            found = keras.to_numpy(model(keras.to_tensor(X)))
            assert_equal(f"the output with {factors} and {options}", found, X * sum(factors) + len(options))


@claim("model.new-models-differ")
@pytest.mark.parametrize("form", FORMS)
def test_new_models_differ(keras, form):
    kernels = []
    for _ in range(3):
        model = connect_layers(keras.namespace, form, [keras.namespace.layers.Dense(4)], (3,))
        model(keras.to_tensor(X))
        kernels.append(keras.to_numpy(model.variables[0]).tobytes())
    assert len(set(kernels)) == len(kernels), (
        f"{form} models that are created one after the other begin with equal kernels"
    )
