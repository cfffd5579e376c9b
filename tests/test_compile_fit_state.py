"""fit, evaluate and predict use the current weights, arrays and arguments in every call: lines 820 to 836."""

import numpy as np

from assay.spec.error_bounds import rounding
from assay.testing.assertions import assert_equal, assert_within, claim
from assay.testing.stored_arrays import assert_results_stay

BATCH_SIZE = 2
# Two full batches and a smaller one. Powers of 2, so that products, squares and sums are exact.
NUMBERS = np.array([1, 2, 4, 8, 16], np.float32).reshape(-1, 1)


def one_weight_model(keras, *others, rate=0.0):
    """Return a compiled model that multiplies its input by a weight of 1, followed by further layers, and its layer."""
    namespace = keras.namespace
    layer = namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = namespace.Sequential([namespace.Input(shape=(1,)), layer, *others])
    optimizer = namespace.optimizers.SGD(learning_rate=rate)
    model.compile(optimizer=optimizer, loss="mean_squared_error", run_eagerly=True)
    return model, layer


def predict(model, inputs):
    return model.predict(inputs, batch_size=BATCH_SIZE, verbose=0)


def evaluate(model, inputs, targets):
    return np.float32(model.evaluate(inputs, targets, batch_size=len(inputs), verbose=0))


def fit(model, inputs, targets, batch_size=BATCH_SIZE, epochs=1):
    return model.fit(inputs, targets, batch_size=batch_size, epochs=epochs, shuffle=False, verbose=0)


def assert_weight_used(what, model, weight):
    """Check that predict and evaluate use a weight."""
    assert_equal(f"predict {what}", predict(model, NUMBERS), NUMBERS * np.float32(weight))
    # The mean over four examples is exact.
    targets = np.zeros((4, 1), np.float32)
    assert_equal(f"evaluate {what}", evaluate(model, NUMBERS[:4], targets), np.mean((weight * NUMBERS[:4]) ** 2))


@claim("compile_fit.weights-as-they-are")
def test_weights_as_they_are(keras):
    model, layer = one_weight_model(keras, rate=1.0)
    assert_weight_used("at first", model, 1)
    layer.set_weights([np.full((1, 1), 2, np.float32)])
    assert_weight_used("after set_weights of the layer", model, 2)
    model.set_weights([np.full((1, 1), 4, np.float32)])
    assert_weight_used("after set_weights of the model", model, 4)
    layer.kernel.assign(np.full((1, 1), 8, np.float32))
    assert_weight_used("after assign", model, 8)
    gradient = keras.to_tensor(np.full((1, 1), -8, np.float32))
    model.optimizer.apply_gradients(zip([gradient], model.trainable_variables, strict=True))
    assert_weight_used("after apply_gradients", model, 16)


@claim("compile_fit.arrays-as-they-are")
def test_arrays_as_they_are(keras):
    model, _ = one_weight_model(keras)
    inputs, targets = NUMBERS[:4].copy(), np.zeros((4, 1), np.float32)
    for what, factor, target in (("at first", 1, 0), ("changed in place", 2, 1)):
        inputs[:], targets[:] = factor * NUMBERS[:4], target
        loss = np.mean((inputs.astype(np.float64) - targets) ** 2)
        assert_equal(f"predict of an array {what}", predict(model, inputs), inputs)
        assert_equal(f"evaluate of arrays {what}", evaluate(model, inputs, targets), loss)
        history = model.fit(inputs, targets, validation_data=(inputs, targets), batch_size=4, verbose=0).history
        for name in ("loss", "val_loss"):
            assert_equal(f"{name} of arrays {what}", np.float32(history[name]), loss[None])


@claim("compile_fit.results-stay")
def test_results_stay(keras):
    model, layer = one_weight_model(keras, rate=2.0**-4)
    assert_results_stay("predict", lambda inputs: predict(model, inputs), (NUMBERS,), (2 * NUMBERS,))

    def weights(value):
        layer.set_weights([np.full((1, 1), value, np.float32)])
        return model.get_weights()

    assert_results_stay("get_weights", weights, (1,), (2,))

    first_fit = fit(model, NUMBERS, 2 * NUMBERS)
    copied_history = {name: [*values] for name, values in first_fit.history.items()}
    fit(model, NUMBERS, 4 * NUMBERS)
    assert first_fit.history == copied_history, (
        f"a second fit changes the history of the first from {copied_history} to {first_fit.history}"
    )


@claim("compile_fit.steps")
def test_steps_of_several_fits(keras):
    model, _ = one_weight_model(keras)
    # Every call begins with the first epoch, whatever the epochs of the call before.
    for batch_size, epochs, steps in ((2, 1, 3), (5, 2, 2), (2, 3, 9), (2, 3, 9)):
        before = int(keras.to_numpy(model.optimizer.iterations))
        fit(model, NUMBERS, NUMBERS, batch_size=batch_size, epochs=epochs)
        new_steps = int(keras.to_numpy(model.optimizer.iterations)) - before
        assert new_steps == steps, (
            f"fit takes {new_steps} steps for five examples in batches of {batch_size} and {epochs} epochs, expected"
            f" {steps}"
        )


@claim("compile_fit.evaluates-many-examples")
def test_evaluates_many_examples(keras):
    # More examples than float16 can count one by one. All but three have an error of 1.
    count, namespace = 4_099, keras.namespace
    inputs, targets = np.ones((count, 1), np.float32), np.zeros((count, 1), np.float32)
    targets[[0, 1_500, -1]] = 1
    model = namespace.Sequential([namespace.layers.Flatten()])
    model.compile(optimizer="sgd", loss="mean_squared_error", metrics=["mean_absolute_error"], run_eagerly=True)
    found = np.float32(model.evaluate(inputs, targets, batch_size=1_000, verbose=0))
    expected = (count - 3) / count
    # The mean over each batch is multiplied by its number of examples, added and divided.
    bound = rounding.gamma(2 * 5 + 2 * rounding.DIVIDE) * expected
    assert_within("loss and metric", found, np.full(2, expected), bound)
    # With many batches, a buffer for batches would be reused.
    numbers = np.arange(count, dtype=np.float32)[:, None]
    assert_equal("predict", model.predict(numbers, batch_size=100, verbose=0), numbers)


@claim("compile_fit.building-trains-nothing")
def test_building_trains_nothing(keras):
    # The models have no Input, so that the first call of fit, evaluate or predict builds them.
    namespace = keras.namespace
    ones, zeros = np.ones((3, 1), np.float32), np.zeros((3, 1), np.float32)
    for first_call in ("fit", "evaluate", "predict"):
        layer = namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones")
        model = namespace.Sequential([layer])
        optimizer = namespace.optimizers.SGD(learning_rate=0.25)
        model.compile(optimizer=optimizer, loss="mean_squared_error", run_eagerly=True)
        if first_call == "evaluate":
            assert_equal("evaluate", np.float32(model.evaluate(ones, zeros, verbose=0)), np.ones(()))
        elif first_call == "predict":
            assert_equal("predict", predict(model, ones), ones)
        history = fit(model, ones, zeros).history
        # Each step halves the weight. The squared errors are 1 twice, then 1/4.
        assert_equal(f"the loss of fit, after {first_call}", np.float32(history["loss"]), np.array([0.75]))
        assert_equal("the weight", keras.to_numpy(layer.kernel), np.full((1, 1), 0.25))
        steps = int(keras.to_numpy(model.optimizer.iterations))
        assert steps == 2, f"fit takes {steps} steps for three examples in batches of two, expected 2"


@claim("compile_fit.building-trains-nothing")
def test_building_moves_no_statistics(keras):
    layer = keras.namespace.layers.BatchNormalization(momentum=0.5)
    model = keras.namespace.Sequential([layer])
    optimizer = keras.namespace.optimizers.SGD(learning_rate=0.0)
    model.compile(optimizer=optimizer, loss="mean_squared_error", run_eagerly=True)
    fit(model, NUMBERS, NUMBERS)
    # The batches have the means 3/2, 6 and 16. Each step halves the moving mean and adds half of the mean of its batch.
    assert_equal("the moving mean", keras.to_numpy(layer.moving_mean), np.array([((3 / 2 / 2) + 6) / 4 + 8]))


@claim("compile_fit.evaluate-in-inference-mode", "training_flag.evaluate-infers")
def test_smaller_last_batches_infer(keras):
    # In training mode, Dropout would set each number to 0 or double it.
    model, _ = one_weight_model(keras, keras.namespace.layers.Dropout(0.5))
    for count in (5, 4, 1):
        numbers = NUMBERS[:count]
        assert_equal(f"predict of {count} examples in batches of two", predict(model, numbers), numbers)
    loss = model.evaluate(NUMBERS, np.zeros_like(NUMBERS), batch_size=BATCH_SIZE, verbose=0)
    expected = np.mean(NUMBERS.astype(np.float64) ** 2)
    assert_within("the loss of evaluate in batches of two", np.float32(loss), expected, rounding.quotient(expected))
