"""In which order fit takes examples, and which input and which target belong together: lines 814 to 834."""

import numpy as np
import pytest

from assay.spec.error_bounds import rounding
from assay.testing.assertions import assert_equal, assert_within, claim
from assay.testing.thresholds import FALSE_ALARM

ONE = np.ones((1, 1), np.float32)


def compiled(keras, model, rate, loss="mean_squared_error", **options):
    model.compile(optimizer=keras.namespace.optimizers.SGD(learning_rate=rate), loss=loss, run_eagerly=True, **options)
    return model


def column(numbers):
    return np.asarray(numbers, np.float32).reshape(-1, 1).copy()


# Batches of several examples. A step leaves a quarter of each weight and adds 3/4 of the mean of its targets, which is
# 1 in a whole batch that has the weight's example, and 0 in others: the weights to the base 4 tell every batch.
COUNT, BATCH_SIZE, EPOCHS = 18, 4, 2
STEPS = EPOCHS * -(-COUNT // BATCH_SIZE)


@pytest.fixture(scope="module")
def batches(keras):
    """Return the examples of each batch, epoch by epoch, when nothing is said of shuffling."""
    layer = keras.namespace.layers.Dense(COUNT, use_bias=False, kernel_initializer="zeros")
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer])
    # The mean over the outputs divides the gradient of each by their number.
    compiled(keras, model, rate=3 / 8 * COUNT)
    targets = BATCH_SIZE * np.eye(COUNT, dtype=np.float32)
    model.fit(np.ones((COUNT, 1), np.float32), targets, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0)
    numbers = np.round(keras.to_numpy(layer.kernel)[0].astype(np.float64) * 4**STEPS / 3).astype(np.int64)
    steps = [{example for example in range(COUNT) if numbers[example] >> 2 * step & 3} for step in range(STEPS)]
    half = STEPS // EPOCHS
    return [steps[:half], steps[half:]]


@claim("compile_fit.batches-part-the-examples")
def test_batches_part_the_examples(batches):
    for epoch in batches:
        assert sorted(example for batch in epoch for example in batch) == [*range(COUNT)], f"an epoch has {epoch}"
        assert [*map(len, epoch)] == [4, 4, 4, 4, 2], f"an epoch has {epoch}"


@claim("compile_fit.examples-are-shuffled")
def test_examples_are_shuffled(batches):
    # So many ways there are to part the examples, of which 5! keep neighbours together in a fixed partition.
    ways = np.prod(np.arange(1.0, COUNT + 1)) / (24.0**4 * 2)
    assert 120 / ways < FALSE_ALARM
    blocks = [set(range(start, min(start + BATCH_SIZE, COUNT))) for start in range(0, COUNT, BATCH_SIZE)]
    for epoch in batches:
        assert any(batch not in blocks for batch in epoch), f"batches are shuffled, and not examples: {epoch}"
    assert batches[0] != batches[1]


# Several inputs and targets. An output is right where its two inputs and its target belong to one example.
def pairs(keras, arrange):
    """Make a model of two inputs, which gives a weight of 1 times their difference, and its sum of squares.

    The names are not in the order of the alphabet.
    """
    inputs = {name: keras.namespace.Input(shape=(1,), name=name) for name in ("whole", "part")}
    weigh = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    rest = weigh(inputs["whole"] - inputs["part"])
    return keras.namespace.Model(inputs=arrange(inputs), outputs=rest), weigh


EXAMPLES = 24
WHOLE, PART = column(np.arange(EXAMPLES) ** 2), column(np.arange(EXAMPLES)[::-1])


def as_list(inputs):
    return [inputs["whole"], inputs["part"]]


def as_dictionary(inputs):
    return inputs


@claim("compile_fit.inputs-are-shuffled-together")
@pytest.mark.parametrize("arrange", [as_list, as_dictionary])
def test_inputs_are_shuffled_together(keras, arrange):
    model, weigh = pairs(keras, arrange)
    compiled(keras, model, rate=2.0**-20)
    data = arrange({"part": PART, "whole": WHOLE}), WHOLE - PART
    history = model.fit(*data, batch_size=5, epochs=1, verbose=0).history
    assert_equal("the loss of inputs and targets that belong together", history["loss"][0], np.zeros(()))
    assert_equal("the weight", keras.to_numpy(weigh.kernel), ONE)
    assert_equal("the loss of evaluate", model.evaluate(*data, batch_size=5, verbose=0), np.zeros(()))
    assert_equal("predict", model.predict(data[0], batch_size=5, verbose=0), data[1])


def outputs_of(keras):
    """Make a model of two outputs, 1 and 3 times its input, by names not in the order of the alphabet."""
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
    inputs, outputs = outputs_of(keras)
    model = keras.namespace.Model(inputs=inputs, outputs=outputs)
    numbers = column([1, 2, 3, 4, 5])
    # The first output misses its target by 2, the second by 8.
    single, multiple = {"single": numbers + 2}, {"multiple": 3 * numbers - 8}
    losses = {"single": "mean_squared_error", "multiple": "mean_absolute_error"}
    metrics = {name: [loss] for name, loss in losses.items()}
    expected = {"loss": 4 + 8, "single_mean_squared_error": 4, "multiple_mean_absolute_error": 8}
    # In the order of the outputs, and in the other one.
    for arrange in (dict, lambda items: dict(reversed(items.items()))):
        compiled(keras, model, rate=0.0, loss=arrange(losses), metrics=arrange(metrics))
        found = model.evaluate(numbers, arrange(single | multiple), batch_size=3, verbose=0, return_dict=True)
        history = model.fit(numbers, arrange(multiple | single), batch_size=3, verbose=0).history
        assert expected.keys() <= found.keys() & history.keys(), f"evaluate has {[*found]}, and fit {[*history]}"
        for name, value in expected.items():
            assert_equal(f"{name} of evaluate", found[name], np.array(value))
            assert_equal(f"{name} of fit", history[name][0], np.array(value))
    predicted = model.predict(numbers, batch_size=3, verbose=0)
    assert_equal("single", predicted["single"], numbers)
    assert_equal("multiple", predicted["multiple"], 3 * numbers)


@claim("compile_fit.outputs-in-order")
def test_outputs_in_order(keras):
    inputs, outputs = outputs_of(keras)
    model = keras.namespace.Model(inputs=inputs, outputs=[outputs["single"], outputs["multiple"]])
    compiled(keras, model, rate=0.0, loss=["mean_squared_error", "mean_absolute_error"])
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
    found = keras.namespace.metrics
    # Neither in the order of the alphabet nor against it.
    metrics = [found.MeanSquaredError(name="squares"), found.MeanAbsoluteError(name="distances"), "mean_squared_error"]
    compiled(keras, model, 0.0, "mean_absolute_error", metrics=metrics)
    inputs, targets = column([1, 1, 1, 1, 1]), column([0, 0, 0, 0, 4])
    by_name = model.evaluate(inputs, targets, batch_size=3, verbose=0, return_dict=True)
    expected = {"loss": 4 / 5, "squares": 16 / 5, "distances": 4 / 5, "mean_squared_error": 16 / 5}
    in_order = model.evaluate(inputs, targets, batch_size=3, verbose=0)
    other = column([1, 1, 1]), column([0, 0, 6])
    history = model.fit(inputs, targets, batch_size=3, validation_data=other, verbose=0).history
    for which, (name, value) in enumerate(expected.items()):
        for actual in (by_name[name], in_order[which], *history[name]):
            assert_within(name, np.float32(actual), value, rounding.quotient(value))
    of_validation = {"val_loss": 2, "val_squares": 12, "val_distances": 2, "val_mean_squared_error": 12}
    assert {name: history[name] for name in of_validation} == {name: [value] for name, value in of_validation.items()}
    assert sorted(by_name) == sorted(expected)
    assert sorted(history) == sorted([*expected, *of_validation])


@claim("compile_fit.sequence-of-calls")
def test_sequence_of_calls(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer])
    compiled(keras, model, 0.0, metrics=["mean_absolute_error"])
    inputs = column([1, 1, 1])
    # Each mean is that of its own targets, whatever was asked for before.
    for size in (2, 8):
        assert model.evaluate(inputs, column([size] * 3), batch_size=2, verbose=0) == [size**2, size]
        history = model.fit(inputs, column([3 * size] * 3), batch_size=2, verbose=0).history
        assert history == {"loss": [9 * size**2], "mean_absolute_error": [3 * size]}


@claim("compile_fit.validation-split")
def test_validation_split(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = compiled(keras, keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer]), rate=0.0)
    targets = column([1, 1, 1, 1, 1, 1, 2, 4])
    history = model.fit(np.ones_like(targets), targets, validation_split=0.25, batch_size=3, verbose=0).history
    assert (history["loss"], history["val_loss"]) == ([1], [10])


@claim("compile_fit.any-batch-size")
def test_any_batch_size(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = compiled(keras, keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer]), rate=0.0)
    assert_equal("predict of one example", model.predict(column([3]), verbose=0), column([3]))
    # Without a batch size 70 examples are two batches of 32 and one of 6.
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
    model = compiled(keras, keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer]), rate=0.25)
    numbers = column([3, 1, 4, 15, 9, 2, 6])
    pipeline = keras.dataset(numbers, numbers, 3)
    assert_equal("predict", model.predict(pipeline, verbose=0), numbers)
    assert_equal("the loss of evaluate", model.evaluate(pipeline, verbose=0), np.zeros(()))
    history = model.fit(pipeline, epochs=2, shuffle=False, verbose=0).history
    assert_equal("the losses of fit", np.float32(history["loss"]), np.zeros(2))
    assert int(keras.to_numpy(model.optimizer.iterations)) == 2 * 3


@claim("compile_fit.pipeline-keeps-pairs")
def test_pipeline_of_many_batches(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = compiled(keras, keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer]), rate=0.25)
    numbers, steps = column(np.arange(103)), 21
    pipeline = keras.dataset(numbers, numbers, 5)
    assert_equal("predict", model.predict(pipeline, verbose=0), numbers)
    # Of the last batch alone the targets are missed, each by 1.
    missed = numbers.copy()
    missed[100:] += 1
    loss = np.float32(model.evaluate(keras.dataset(numbers, missed, 5), verbose=0))
    assert_within("the loss of evaluate", loss, 3 / 103, rounding.quotient(3 / 103))
    model.fit(pipeline, shuffle=False, verbose=0)
    assert int(keras.to_numpy(model.optimizer.iterations)) == steps
    assert_equal("the weight", keras.to_numpy(layer.kernel), ONE)


@claim("compile_fit.pipelines-are-apart")
def test_pipelines_are_apart(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = compiled(keras, keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), layer]), rate=0.0)
    factors, numbers, pipelines = (1, 2, 4), column([3, 1, 4, 15, 9, 2, 6]), []
    # All are made before the first is read, from two arrays that get other numbers each time.
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
    compiled(keras, model, 0.0, "sparse_categorical_crossentropy", metrics=metrics)
    images = np.eye(4, dtype=np.float32)[[2, 0, 3, 1, 1]].reshape(5, 2, 1, 2)
    for dtype in (np.int32, np.int64):
        # Four of five are right.
        pipeline = keras.dataset(images, np.array([2, 0, 3, 1, 0], dtype), 2)
        found = model.evaluate(pipeline, verbose=0, return_dict=True)["accuracy"]
        assert_within("the accuracy", np.float32(found), 4 / 5, rounding.quotient(4 / 5))
