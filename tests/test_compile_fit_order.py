"""The order of examples, inputs, targets, outputs and metrics in fit and evaluate: lines 814 to 834."""

import numpy as np
import pytest

from assay.spec.error_bounds import rounding
from assay.testing.assertions import assert_equal, assert_within, claim
from assay.testing.thresholds import FALSE_ALARM

ONE = np.ones((1, 1), np.float32)


def compile_model(keras, model, rate, loss="mean_squared_error", **options):
    model.compile(optimizer=keras.namespace.optimizers.SGD(learning_rate=rate), loss=loss, run_eagerly=True, **options)
    return model


def column(numbers):
    return np.asarray(numbers, np.float32).reshape(-1, 1).copy()


# Order of examples. There is one weight per example. A step keeps a quarter of a weight and adds 3/4 of the mean of its
# targets. This mean is 1 in a full batch with the example and 0 in others, so that base 4 digits show every batch.
COUNT, BATCH_SIZE, EPOCHS = 18, 4, 2
STEPS = EPOCHS * -(-COUNT // BATCH_SIZE)


@pytest.fixture(scope="module")
def batches(keras):
    """Return the examples of each batch in each epoch, without the option `shuffle`."""
    layer = keras.namespace.layers.Dense(COUNT, use_bias=False, kernel_initializer="zeros")
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer])
    # The mean over COUNT outputs divides the gradient of each by COUNT.
    compile_model(keras, model, rate=3 / 8 * COUNT)
    targets = BATCH_SIZE * np.eye(COUNT, dtype=np.float32)
    model.fit(np.ones((COUNT, 1), np.float32), targets, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0)
    numbers = np.round(keras.to_numpy(layer.kernel)[0].astype(np.float64) * 4**STEPS / 3).astype(np.int64)
    steps = [{example for example in range(COUNT) if numbers[example] >> 2 * step & 3} for step in range(STEPS)]
    half = STEPS // EPOCHS
    return [steps[:half], steps[half:]]


@claim("compile_fit.batches-part-the-examples")
def test_batches_part_the_examples(batches):
    for epoch in batches:
        assert sorted(example for batch in epoch for example in batch) == [*range(COUNT)], (
            f"an epoch has the batches {epoch}"
        )
        assert [*map(len, epoch)] == [4, 4, 4, 4, 2], f"an epoch has the batches {epoch}"


@claim("compile_fit.examples-are-shuffled")
def test_examples_are_shuffled(batches):
    # Number of ways to divide the examples into batches. In 5! of them, every batch is a block of consecutive examples.
    ways = np.prod(np.arange(1.0, COUNT + 1)) / (24.0**4 * 2)
    assert 120 / ways < FALSE_ALARM
    blocks = [set(range(start, min(start + BATCH_SIZE, COUNT))) for start in range(0, COUNT, BATCH_SIZE)]
    for epoch in batches:
        assert any(batch not in blocks for batch in epoch), f"only whole batches are shuffled, not examples: {epoch}"
    assert batches[0] != batches[1]


# Several inputs and targets. The loss is 0 only where both inputs and the target belong to the same example.


def difference_model(keras, arrange):
    """Return a model whose output is the difference of two inputs times a weight of 1, and the layer with the weight.

    The names of the inputs are not in alphabetical order.
    """
    inputs = {name: keras.namespace.Input(shape=(1,), name=name) for name in ("whole", "part")}
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    difference = layer(inputs["whole"] - inputs["part"])
    return keras.namespace.Model(inputs=arrange(inputs), outputs=difference), layer


EXAMPLES = 24
WHOLE, PART = column(np.arange(EXAMPLES) ** 2), column(np.arange(EXAMPLES)[::-1])


def as_list(inputs):
    return [inputs["whole"], inputs["part"]]


def as_dictionary(inputs):
    return inputs


@claim("compile_fit.inputs-are-shuffled-together")
@pytest.mark.parametrize("arrange", [as_list, as_dictionary])
def test_inputs_are_shuffled_together(keras, arrange):
    model, layer = difference_model(keras, arrange)
    compile_model(keras, model, rate=2.0**-20)
    data = arrange({"part": PART, "whole": WHOLE}), WHOLE - PART
    history = model.fit(*data, batch_size=5, epochs=3, verbose=0).history
    assert_equal("the losses of matching inputs and targets", np.float32(history["loss"]), np.zeros(3))
    assert_equal("the weight", keras.to_numpy(layer.kernel), ONE)
    assert_equal("the loss of evaluate", model.evaluate(*data, batch_size=5, verbose=0), np.zeros(()))
    assert_equal("predict", model.predict(data[0], batch_size=5, verbose=0), data[1])


def two_outputs(keras):
    """Return an input, and outputs of 1 and 3 times the input by names that are not in alphabetical order."""
    inputs = keras.namespace.Input(shape=(1,))
    layers = [
        keras.namespace.layers.Dense(
            1, use_bias=False, kernel_initializer=keras.namespace.initializers.Constant(value), name=name
        )
        for name, value in (("single", 1), ("multiple", 3))
    ]
    return inputs, {layer.name: layer(inputs) for layer in layers}


@claim("compile_fit.losses-by-name")
def test_losses_by_name(keras):
    inputs, outputs = two_outputs(keras)
    model = keras.namespace.Model(inputs=inputs, outputs=outputs)
    numbers = column([1, 2, 3, 4, 5])
    # The error of the first output is 2, that of the second 8.
    single, multiple = {"single": numbers + 2}, {"multiple": 3 * numbers - 8}
    losses = {"single": "mean_squared_error", "multiple": "mean_absolute_error"}
    metrics = {name: [loss] for name, loss in losses.items()}
    expected = {"loss": 4 + 8, "single_mean_squared_error": 4, "multiple_mean_absolute_error": 8}
    # In the order of the outputs and in reverse.
    for arrange in (dict, lambda items: dict(reversed(items.items()))):
        compile_model(keras, model, rate=0.0, loss=arrange(losses), metrics=arrange(metrics))
        found = model.evaluate(numbers, arrange(single | multiple), batch_size=3, verbose=0, return_dict=True)
        history = model.fit(numbers, arrange(multiple | single), batch_size=3, verbose=0).history
        assert expected.keys() <= found.keys() & history.keys(), (
            f"expected {[*expected]}, got {[*found]} from evaluate and {[*history]} from fit"
        )
        for name, value in expected.items():
            assert_equal(f"{name} of evaluate", found[name], np.array(value))
            assert_equal(f"{name} of fit", history[name][0], np.array(value))
    predicted = model.predict(numbers, batch_size=3, verbose=0)
    assert_equal("single", predicted["single"], numbers)
    assert_equal("multiple", predicted["multiple"], 3 * numbers)


@claim("compile_fit.outputs-in-order")
def test_outputs_in_order(keras):
    inputs, outputs = two_outputs(keras)
    model = keras.namespace.Model(inputs=inputs, outputs=[outputs["single"], outputs["multiple"]])
    compile_model(keras, model, rate=0.0, loss=["mean_squared_error", "mean_absolute_error"])
    numbers = column([1, 2, 3, 4, 5])
    found = model.evaluate(numbers, [numbers + 2, 3 * numbers - 8], batch_size=2, verbose=0, return_dict=True)
    assert_equal("the loss", found["loss"], np.array(4 + 8))
    first, second = model.predict(numbers, batch_size=2, verbose=0)
    assert_equal("the first output", first, numbers)
    assert_equal("the second output", second, 3 * numbers)


@claim("compile_fit.metrics-by-name")
def test_metrics_by_name(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer])
    classes = keras.namespace.metrics
    # Neither in alphabetical order nor in its reverse.
    metrics = [
        classes.MeanSquaredError(name="squares"),
        classes.MeanAbsoluteError(name="distances"),
        "mean_squared_error",
    ]
    compile_model(keras, model, 0.0, "mean_absolute_error", metrics=metrics)
    inputs, targets = column([1, 1, 1, 1, 1]), column([0, 0, 0, 0, 4])
    by_name = model.evaluate(inputs, targets, batch_size=3, verbose=0, return_dict=True)
    expected = {"loss": 4 / 5, "squares": 16 / 5, "distances": 4 / 5, "mean_squared_error": 16 / 5}
    in_order = model.evaluate(inputs, targets, batch_size=3, verbose=0)
    other = column([1, 1, 1]), column([0, 0, 6])
    history = model.fit(inputs, targets, batch_size=3, validation_data=other, verbose=0).history
    for which, (name, value) in enumerate(expected.items()):
        for actual in (by_name[name], in_order[which], *history[name]):
            assert_within(name, np.float32(actual), value, rounding.quotient(value))
    validation = {"val_loss": 2, "val_squares": 12, "val_distances": 2, "val_mean_squared_error": 12}
    assert {name: history[name] for name in validation} == {name: [value] for name, value in validation.items()}
    assert sorted(by_name) == sorted(expected)
    assert sorted(history) == sorted([*expected, *validation])


@claim("compile_fit.sequence-of-calls")
def test_sequence_of_calls(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer])
    compile_model(keras, model, 0.0, metrics=["mean_absolute_error"])
    inputs = column([1, 1, 1])
    # Each mean must be that of its own targets, independent of earlier calls.
    for size in (2, 8, 4):
        assert model.evaluate(inputs, column([size] * 3), batch_size=2, verbose=0) == [size**2, size]
        history = model.fit(inputs, column([3 * size] * 3), batch_size=2, verbose=0).history
        assert history == {"loss": [9 * size**2], "mean_absolute_error": [3 * size]}


@claim("compile_fit.validation-split")
def test_validation_split(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = compile_model(keras, keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer]), rate=0.0)
    targets = column([1, 1, 1, 1, 1, 1, 2, 4])
    history = model.fit(np.ones_like(targets), targets, validation_split=0.25, batch_size=3, verbose=0).history
    assert (history["loss"], history["val_loss"]) == ([1], [10])


@claim("compile_fit.any-batch-size")
def test_any_batch_size(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = compile_model(keras, keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer]), rate=0.0)
    assert_equal("predict of one example", model.predict(column([3]), verbose=0), column([3]))
    # By default, 70 examples are two batches of 32 and one of 6.
    for count, options in ((10, {"batch_size": 1}), (70, {})):
        inputs = column(2.0 ** (np.arange(count) % 10))
        losses = np.square(inputs.astype(np.float64))
        assert_equal(f"predict with {options}", model.predict(inputs, verbose=0, **options), inputs)
        found = np.float32(model.evaluate(inputs, 0 * inputs, verbose=0, **options))
        bound = rounding.gamma(24 + rounding.DIVIDE) * losses.mean()
        assert_within(f"evaluate with {options}", found, losses.mean(), bound)


@claim("compile_fit.pipeline-keeps-pairs")
def test_pipeline_keeps_pairs(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = compile_model(keras, keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer]), rate=0.25)
    # Neither inputs nor targets are whole numbers.
    numbers = column([3.25, -1.5, 4, 15.75, -9, 2.5, 6])
    pipeline = keras.dataset(numbers, numbers, 3)
    assert_equal("predict", model.predict(pipeline, verbose=0), numbers)
    assert_equal("the loss of evaluate", model.evaluate(pipeline, verbose=0), np.zeros(()))
    history = model.fit(pipeline, epochs=2, shuffle=False, verbose=0).history
    assert_equal("the losses of fit", np.float32(history["loss"]), np.zeros(2))
    assert int(keras.to_numpy(model.optimizer.iterations)) == 2 * 3


@claim("compile_fit.pipeline-keeps-pairs")
def test_pipeline_of_many_batches(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = compile_model(keras, keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer]), rate=0.25)
    numbers, steps = column(np.arange(103)), 21
    pipeline = keras.dataset(numbers, numbers, 5)
    assert_equal("predict", model.predict(pipeline, verbose=0), numbers)
    # Only the last batch has errors, of 1 each.
    targets = numbers.copy()
    targets[100:] += 1
    loss = np.float32(model.evaluate(keras.dataset(numbers, targets, 5), verbose=0))
    assert_within("the loss of evaluate", loss, 3 / 103, rounding.quotient(3 / 103))
    model.fit(pipeline, shuffle=False, verbose=0)
    assert int(keras.to_numpy(model.optimizer.iterations)) == steps
    assert_equal("the weight", keras.to_numpy(layer.kernel), ONE)


@claim("compile_fit.pipelines-are-apart")
def test_pipelines_are_apart(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = compile_model(keras, keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer]), rate=0.0)
    factors, numbers, pipelines = (1, 2, 4), column([3, 1, 4, 15, 9, 2, 6]), []
    # All pipelines are created before the first is read, from two arrays that are overwritten each time.
    inputs, targets = np.empty_like(numbers), np.empty_like(numbers)
    for factor in factors:
        inputs[:], targets[:] = factor * numbers, (factor + 1) * numbers
        pipelines.append(keras.dataset(inputs, targets, 3))
    inputs[:], targets[:] = 0, 1
    squares = np.square(numbers.astype(np.float64)).mean()
    bound = rounding.gamma(len(numbers) + 4 + rounding.DIVIDE) * squares
    for factor, pipeline in zip(factors, pipelines, strict=True):
        assert_equal(f"predict of {factor} times the numbers", model.predict(pipeline, verbose=0), factor * numbers)
        assert_within("the loss of evaluate", np.float32(model.evaluate(pipeline, verbose=0)), squares, bound)


@claim("compile_fit.pipeline-of-images")
def test_pipeline_of_images(keras):
    namespace = keras.namespace
    model = namespace.Sequential([namespace.Input(shape=(2, 1, 2)), namespace.layers.Flatten()])
    metrics = [namespace.metrics.SparseCategoricalAccuracy(name="accuracy")]
    compile_model(keras, model, 0.0, "sparse_categorical_crossentropy", metrics=metrics)
    images = np.eye(4, dtype=np.float32)[[2, 0, 3, 1, 1]].reshape(5, 2, 1, 2)
    for dtype in (np.int32, np.int64):
        # Four of five predictions are correct.
        pipeline = keras.dataset(images, np.array([2, 0, 3, 1, 0], dtype), 2)
        found = model.evaluate(pipeline, verbose=0, return_dict=True)["accuracy"]
        assert_within("the accuracy", np.float32(found), 4 / 5, rounding.quotient(4 / 5))
