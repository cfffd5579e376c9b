"""compile, fit and evaluate: lines 800 to 839 of the document."""

import ast

import numpy as np
import pytest

from assay.spec.error_bounds import rounding
from assay.spec.semantics.models import MODELS
from assay.spec.vectors import read
from assay.testing import problems
from assay.testing.assertions import assert_close, assert_equal, assert_rejected, assert_within, claim
from assay.testing.keras_models import build, connected, load
from assay.testing.networks import case, digit_logits, loss_and_gradients, trajectory
from assay.testing.problems import LEARNING_RATE
from assay.testing.thresholds import FALSE_ALARM
from assay.testing.training.assertions import assert_not_below
from assay.testing.training.reported_accuracy import assert_reported

# What is raised for a call that makes no sense: releases of Keras differ in which of these.
REFUSALS = (RuntimeError, TypeError, ValueError)
# Batches of 4 leave a smaller one of 2. A mean over either is exact in float32, and so are the steps that follow.
TARGETS = np.array([0, 0, 0, 0, 1, 1], np.float32)
BATCH_SIZE = 4
# Of a trajectory.
STEPS = 3


# A model of one weight, whose training can be followed by hand: its inputs are 1, its loss is the mean of
# (weight - target)^2, and a step of 1/4 against the gradient 2 (weight - mean of targets) goes half way to that mean.


def ones():
    """Return an input of 1 for each target."""
    return np.ones((len(TARGETS), 1), np.float32)


def column():
    """Return the targets as a model of one output takes them."""
    return TARGETS.reshape(-1, 1).copy()


def one_weight(keras, *others, start="zeros", **options):
    """Make and compile the model of one weight, with what comes after it in the chain."""
    layers = keras.namespace.layers
    weight = layers.Dense(1, use_bias=False, kernel_initializer=start)
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), weight, *others])
    return compiled(keras, model, **options)


def compiled(keras, model, rate=0.25, **options):
    """Compile a model for SGD and the mean of squares, or for what the options say."""
    usual = {"optimizer": keras.namespace.optimizers.SGD(learning_rate=rate), "loss": "mean_squared_error"}
    # Compiling to a graph takes longer than all of these trainings.
    model.compile(**usual | options, run_eagerly=True)
    return model


def fit(model, x=None, y=None, **options):
    """Train on the targets, in batches of four and in the given order by default; return the history."""
    usual = {"batch_size": BATCH_SIZE, "shuffle": False, "verbose": 0}
    return model.fit(ones() if x is None else x, column() if y is None else y, **usual | options).history


def by_hand(epochs=1):
    """Train the one weight, from 0; return it, and the mean loss of each epoch, of every example before its step."""
    weight, means = 0.0, []
    for _ in range(epochs):
        losses = []
        for batch in (TARGETS[:BATCH_SIZE], TARGETS[BATCH_SIZE:]):
            losses.extend((weight - batch.astype(np.float64)) ** 2)
            weight = (weight + float(batch.mean())) / 2
        means.append(np.mean(losses))
    return weight, np.array(means)


def weight_of(keras, model):
    return float(keras.to_numpy(model.variables[0]).item())


def steps_of(keras, model):
    """Return how many steps the optimizer has taken."""
    return int(keras.to_numpy(model.optimizer.iterations))


def assert_means(what, actual, expected):
    """Compare means of exact numbers, which a division ends."""
    expected = np.asarray(expected, np.float64)
    assert_within(what, np.asarray(actual, np.float32), expected, rounding.quotient(expected))


def classifier(keras, **options):
    """Make a model that gives its two inputs, as scores of two classes, with the document's loss and metric."""
    layers, losses, metrics = (getattr(keras.namespace, name) for name in ("layers", "losses", "metrics"))
    scores = layers.Dense(2, use_bias=False, kernel_initializer="ones")
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(2,)), scores, layers.Softmax()])
    scores.set_weights([np.eye(2, dtype=np.float32)])
    usual = {"loss": losses.sparse_categorical_crossentropy, "metrics": [metrics.sparse_categorical_accuracy]}
    return compiled(keras, model, **usual | options)


# Far from a tie; the classifier says 0, 1, 0, 1, 0, and three of the labels agree.
SCORES = np.array([[4, 0], [0, 4], [4, 0], [0, 4], [4, 0]], np.float32)
LABELS = np.array([0, 1, 1, 0, 0], np.int32)
SHARE = 3 / 5
# For the model of one weight.
VALIDATION = np.ones((3, 1), np.float32), np.ones((3, 1), np.float32)


def as_printed(namespace):
    """Make the MLP and compile it as printed."""
    model = build(namespace, "sequential", "mlp")
    model.compile(
        optimizer=namespace.optimizers.Adam(learning_rate=LEARNING_RATE),
        loss=namespace.losses.sparse_categorical_crossentropy,
        metrics=[namespace.metrics.sparse_categorical_accuracy],
    )
    return model


def prepare(keras, model, problem):
    """Build a model by a call, and put the parameters of a problem into it."""
    model(keras.to_tensor(problem.inputs[0]))
    load(model, problem.model, problem.parameters)


def joined(problem):
    """Return the batches of a problem as one array of inputs and one of targets."""
    return [values.reshape(-1, *values.shape[2:]) for values in (problem.inputs, problem.targets)]


# What several claims look at: a Keras that prepares arrays for training takes longer for that than for the training.


@pytest.fixture(scope="module")
def one_pass(keras):
    """Return the model of one weight, its optimizer, and the arrays, after a fit without epochs."""
    optimizer, arrays = keras.namespace.optimizers.SGD(learning_rate=0.25), (ones(), column())
    model = one_weight(keras, optimizer=optimizer)
    fit(model, *arrays)
    return model, optimizer, arrays


@pytest.fixture(scope="module")
def three_epochs(keras):
    """Return the model of one weight, with a metric, after three epochs, and the history."""
    model = one_weight(keras, metrics=["mean_absolute_error"])
    return model, fit(model, epochs=3)


@pytest.fixture(scope="module")
def validated(keras):
    """Return the same after two epochs, each followed by a validation on targets of 1."""
    model = one_weight(keras, metrics=["mean_absolute_error"])
    return model, fit(model, epochs=2, validation_data=VALIDATION)


@pytest.fixture(scope="module")
def evaluated(keras):
    """Return what evaluate gives for the model of one weight, which is 0 and has no metric."""
    return one_weight(keras).evaluate(ones(), column(), batch_size=BATCH_SIZE, verbose=0)


@pytest.fixture(scope="module")
def classified(keras):
    """Return what evaluate gives for the classifier in batches of two, two and one."""
    return classifier(keras).evaluate(SCORES, LABELS, batch_size=2, verbose=0)


@pytest.fixture(scope="module")
def printed(keras, seed):
    """Return the MLP, compiled as printed and fitted to the batches of a problem, and the history."""
    problem = case(problems.mlp, trajectory, seed, batch=BATCH_SIZE, steps=STEPS).problem
    model = as_printed(keras.namespace)
    prepare(keras, model, problem)
    return model, fit(model, *joined(problem))


# compile


@claim("compile_fit.as-printed")
def test_as_printed(printed):
    _, history = printed
    assert {name: len(values) for name, values in history.items()} == {"loss": 1, "sparse_categorical_accuracy": 1}


@claim("compile_fit.optimizer-keyword")
def test_optimizer_keyword(keras):
    assert_rejected("the keyword oplimizer", lambda: one_weight(keras, oplimizer="sgd"), *REFUSALS)


@claim("compile_fit.optimizer-by-name")
def test_optimizer_by_name(keras):
    by_name, by_object = one_weight(keras, optimizer="sgd").optimizer, keras.namespace.optimizers.SGD()
    assert type(by_name) is type(by_object)
    one, other = by_name.get_config(), by_object.get_config()
    # Every optimizer may have a name of its own.
    assert one | {"name": ""} == other | {"name": ""}
    another = one_weight(keras, optimizer="sgd").optimizer
    by_name.learning_rate = 0.5
    assert another.get_config()["learning_rate"] == other["learning_rate"]


@claim("compile_fit.optimizer-object")
def test_optimizer_object(keras, one_pass):
    model, optimizer, _ = one_pass
    assert model.optimizer is optimizer
    assert weight_of(keras, model) == by_hand()[0]


@claim("compile_fit.default-optimizer")
def test_default_optimizer(keras):
    model = keras.namespace.Sequential([keras.namespace.layers.Dense(1)])
    model.compile(loss="mean_squared_error")
    assert isinstance(model.optimizer, keras.namespace.optimizers.RMSprop)
    assert float(keras.to_numpy(model.optimizer.learning_rate)) == np.float32(0.001)


@claim("compile_fit.loss-in-any-form")
@pytest.mark.parametrize(
    "loss_of",
    [
        pytest.param(lambda losses: losses.get("mean_squared_error"), id="a function"),
        pytest.param(lambda losses: losses.MeanSquaredError(), id="an object"),
        pytest.param(lambda _: lambda y_true, y_pred: (y_pred - y_true) ** 2, id="a function of one's own"),
    ],
)
def test_loss_in_any_form(keras, loss_of):
    model = one_weight(keras, loss=loss_of(keras.namespace.losses))
    assert_means("the loss", fit(model)["loss"], by_hand()[1])
    assert weight_of(keras, model) == by_hand()[0]


@claim("compile_fit.own-functions")
def test_own_functions(keras):
    def loss(y_true, y_pred):
        # The square of the difference without that of the target, which moves no weight.
        return y_pred * (y_pred - 2 * y_true)

    def metric(y_true, y_pred):
        return y_true - 4 * y_pred

    model = one_weight(keras, loss=loss, metrics=[metric])
    history = fit(model)
    # The weight is 0 when it meets these, and half when the epoch has ended.
    assert_equal("the weight", weight_of(keras, model), np.array(0.5))
    found = np.float32([history["loss"][0], history["metric"][0]])
    assert_within("loss and metric of fit", found, [0, 2 / 6], rounding.quotient(1.0))
    found = np.float32(model.evaluate(ones(), column(), batch_size=BATCH_SIZE, verbose=0))
    expected = np.array([(4 * 0.25 - 2 * 0.75) / 6, (2 - 6 * 2) / 6])
    assert_within("loss and metric of evaluate", found, expected, rounding.gamma(8 + rounding.DIVIDE) * 2)


@claim("compile_fit.metric-in-any-form")
def test_metric_in_any_form(keras):
    metrics = ["sparse_categorical_accuracy", keras.namespace.metrics.SparseCategoricalAccuracy(name="as_an_object")]
    _, *found = classifier(keras, metrics=metrics).evaluate(SCORES, LABELS, verbose=0)
    assert_means("the metric by its name, and as an object", found, [SHARE] * 2)


@claim("compile_fit.metric-function-is-averaged")
def test_metric_function_is_averaged(classified):
    assert_means("the metric", classified[1], SHARE)


@claim("compile_fit.metrics-do-not-train")
def test_metrics_do_not_train(keras, three_epochs):
    model, _ = three_epochs
    assert weight_of(keras, model) == by_hand(epochs=3)[0]


@claim("compile_fit.keeps-weights")
def test_keeps_weights(keras):
    model = one_weight(keras)
    fit(model)
    compiled(keras, model)
    assert (weight_of(keras, model), steps_of(keras, model)) == (by_hand()[0], 0)


@claim("compile_fit.before-it-is-built")
def test_before_it_is_built(keras):
    model = compiled(keras, connected(keras.namespace, "sequential", [keras.namespace.layers.Dense(1)], (1,)))
    assert not model.built
    fit(model)
    assert [tuple(variable.shape) for variable in model.variables] == [(1, 1), (1,)]


@claim("compile_fit.losses-are-added")
def test_losses_are_added(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    inputs = keras.namespace.Input(shape=(1,))
    model = compiled(keras, keras.namespace.Model(inputs=inputs, outputs=[layer(inputs), 2 * layer(inputs)]))
    losses = fit(model, ones(), [column(), 2 * column()])["loss"]
    # From 0, the first output misses the targets by 0 and then 1, the second by 0 and then 2, in batches of 4 and 2.
    assert_means("the loss", losses, [(4 * 0 + 2 * (1 + 4)) / 6])
    # The gradients of the second batch: 2 (0 - 1), and 2 (0 - 2) times the factor of 2. A step is 1/4 of both.
    assert weight_of(keras, model) == (2 + 8) / 4


@claim("compile_fit.unknown-optimizer")
def test_unknown_optimizer(keras):
    assert_rejected("the optimizer sdg", lambda: one_weight(keras, optimizer="sdg"))


@claim("compile_fit.unknown-loss")
def test_unknown_loss(keras):
    assert_rejected("the loss mean_cubed_error", lambda: fit(one_weight(keras, loss="mean_cubed_error")))


@claim("compile_fit.unknown-metric")
def test_unknown_metric(keras):
    assert_rejected(
        "the metric mean_cubed_error", lambda: fit(one_weight(keras, metrics=["mean_cubed_error"])), *REFUSALS
    )


@claim("compile_fit.no-loss")
def test_no_loss(keras, permitted):
    model = one_weight(keras, loss=None)
    permitted({"refused": lambda: assert_rejected("fit", lambda: fit(model)), "learns-nothing": lambda: fit(model)})
    assert_equal("the weight", keras.to_numpy(model.variables[0]), np.zeros((1, 1)))


# fit, what it computes


@claim("compile_fit.fit-needs-compile")
def test_fit_needs_compile(keras):
    model = keras.namespace.Sequential([keras.namespace.layers.Dense(1)])
    assert_rejected("a model that was not compiled", lambda: fit(model), *REFUSALS)


@claim("compile_fit.sgd-trajectory")
def test_sgd_trajectory(keras, seed):
    solution = case(problems.linear, trajectory, seed, batch=BATCH_SIZE, steps=STEPS)
    model = connected(keras.namespace, "sequential", [keras.namespace.layers.Dense(1)], (3,))
    compiled(keras, model, rate=LEARNING_RATE)
    prepare(keras, model, solution.problem)
    assert_trajectory(keras, model, fit(model, *joined(solution.problem)), solution)


@claim("compile_fit.adam-trajectory")
def test_adam_trajectory(keras, printed, seed):
    assert_trajectory(keras, *printed, case(problems.mlp, trajectory, seed, batch=BATCH_SIZE, steps=STEPS))


def assert_trajectory(keras, model, history, solution):
    """Compare what fit came to with the definition."""
    problem, expected, bounds = solution
    found = dict(zip(MODELS[problem.model].shapes, map(keras.to_numpy, model.variables), strict=True))
    assert_close("fit", found, {name: expected[name] for name in found}, bounds)
    # The mean of deviations is at most their root mean square; adding up and dividing rounds once more for each batch.
    mean = np.mean(expected["losses"])
    bound = bounds["losses"] + rounding.gamma(2 * STEPS + rounding.DIVIDE) * mean
    assert_within("the loss in the history", np.float32(history["loss"][0]), mean, bound)


@claim("compile_fit.steps")
@pytest.mark.parametrize(("batch_size", "steps"), [(5, 2), (100, 1)])
def test_steps(keras, batch_size, steps):
    model = one_weight(keras)
    fit(model, batch_size=batch_size)
    assert steps_of(keras, model) == steps


@claim("compile_fit.steps")
def test_steps_of_large_batches(keras):
    # More than the 32 of a fit without a batch size.
    model, numbers = one_weight(keras), np.ones((100, 1), np.float32)
    fit(model, numbers, numbers, batch_size=40)
    assert steps_of(keras, model) == 3, f"{steps_of(keras, model)} steps for 100 examples in batches of 40"


@claim("compile_fit.default-batch-size")
def test_default_batch_size(keras):
    model = one_weight(keras)
    for examples, steps in ((33, 2), (32, 3)):
        numbers = np.ones((examples, 1), np.float32)
        model.fit(numbers, numbers, verbose=0)
        assert steps_of(keras, model) == steps, f"{steps_of(keras, model)} steps after {examples} examples"


@claim("compile_fit.epochs")
def test_epochs(keras, three_epochs):
    model, _ = three_epochs
    assert steps_of(keras, model) == 3 * 2


@claim("compile_fit.default-epochs")
def test_default_epochs(keras, one_pass):
    model, *_ = one_pass
    assert steps_of(keras, model) == 2


@claim("compile_fit.initial-epoch")
def test_initial_epoch(keras):
    model = one_weight(keras)
    history = fit(model, epochs=3, initial_epoch=2)
    assert (steps_of(keras, model), len(history["loss"])) == (2, 1)


@claim("compile_fit.smaller-last-batch")
def test_smaller_last_batch(keras, one_pass):
    # The first batch asks for 0, where the weight is; the last one's two examples, both of 1, move it half way.
    model, *_ = one_pass
    assert weight_of(keras, model) == by_hand()[0] == 0.5


@claim("compile_fit.inputs-and-targets")
def test_inputs_and_targets(keras):
    model = one_weight(keras)
    model.fit(y=column(), batch_size=BATCH_SIZE, x=ones(), shuffle=False, verbose=0)
    assert weight_of(keras, model) == by_hand()[0]
    model.fit(ones(), column(), BATCH_SIZE, shuffle=False, verbose=0)
    assert weight_of(keras, model) == by_hand(epochs=2)[0]


@claim("compile_fit.tensors")
def test_tensors(keras):
    model = one_weight(keras)
    fit(model, keras.to_tensor(ones()), keras.to_tensor(column()))
    assert weight_of(keras, model) == by_hand()[0]


@claim("compile_fit.data-unchanged")
def test_data_unchanged(one_pass):
    *_, (x, y) = one_pass
    assert_equal("x", x, ones())
    assert_equal("y", y, column())


@claim("compile_fit.data-unchanged")
def test_data_unchanged_by_shuffling(keras):
    x, y = np.arange(COUNT, dtype=np.float32).reshape(-1, 1), column()[[0, 5] * 5 + [0]]
    expected = x.copy(), y.copy()
    one_weight(keras, rate=0.0).fit(x, y, batch_size=BATCH_SIZE, verbose=0)
    assert_equal("x", x, expected[0])
    assert_equal("y", y, expected[1])


@claim("compile_fit.goes-on")
def test_goes_on(keras):
    rate, momentum = 0.25, 0.5
    model = one_weight(keras, optimizer=keras.namespace.optimizers.SGD(learning_rate=rate, momentum=momentum))
    weight = velocity = 0.0
    for _ in range(2):
        fit(model)
        for mean in (0, 1):
            velocity = momentum * velocity - rate * 2 * (weight - mean)
            weight += velocity
    assert (weight_of(keras, model), steps_of(keras, model)) == (weight, 4)


def order_of_examples(keras, count, **options):
    """Train on numbered examples for two epochs, one a step, and read from the weights in which order they came.

    Each of four weights is a binary fraction: a step goes half way to a target of 0 or 1, which becomes the first digit
    after the point and moves the others back. The four targets of an example are the digits of its number.

    Args:
        keras: the group.
        count: how many examples, up to 12: the two epochs' steps are then as many as digits that float32 can hold.
        options: Options of fit.

    Returns:
        [2][count] numbers.

    """
    layer = keras.namespace.layers.Dense(4, use_bias=False, kernel_initializer="zeros")
    # The mean over four outputs makes the gradient half as large as that of the difference, and the step twice.
    model = compiled(keras, connected(keras.namespace, "sequential", [layer], (1,)), rate=1.0)
    targets = (np.arange(count)[:, None] >> np.arange(4) & 1).astype(np.float32)
    model.fit(np.ones((count, 1), np.float32), targets, epochs=2, batch_size=1, verbose=0, **options)
    steps = 2 * count
    digits = [int(weight * 2**steps) for weight in keras.to_numpy(layer.kernel)[0].astype(np.float64)]
    order = [sum((digit >> step & 1) << place for place, digit in enumerate(digits)) for step in range(steps)]
    return [order[:count], order[count:]]


# So many examples can be put in so many orders that chance hardly ever gives the same one twice.
COUNT = 11


@pytest.fixture(scope="module")
def shuffled(keras):
    """Return the orders of the examples in two epochs of fit when nothing is said of shuffling."""
    return order_of_examples(keras, COUNT)


@claim("compile_fit.every-example-once")
def test_every_example_once(shuffled):
    assert [sorted(epoch) for epoch in shuffled] == [[*range(COUNT)]] * 2


@claim("compile_fit.shuffles")
def test_shuffles(shuffled):
    assert 2 / np.prod(np.arange(1.0, COUNT + 1)) < FALSE_ALARM
    assert shuffled[0] != [*range(COUNT)]
    assert shuffled[0] != shuffled[1]


@claim("compile_fit.unshuffled")
def test_unshuffled(keras):
    found = order_of_examples(keras, 4, shuffle=False)
    assert found == [[0, 1, 2, 3]] * 2


@claim("compile_fit.trains-in-training-mode")
def test_trains_in_training_mode(keras):
    # Dropout sets the output of 1 to 0 or doubles it, so its distance from the target of 0 is 0 or 2, and never 1.
    model = one_weight(keras, keras.namespace.layers.Dropout(0.5), start="ones", rate=0.0)
    losses = fit(model, ones()[:1], 0 * ones()[:1])["loss"]
    assert losses in ([0], [4])


@claim("compile_fit.mismatched-lengths")
def test_mismatched_lengths(keras):
    assert_rejected("targets of another length", lambda: fit(one_weight(keras), ones(), column()[:-1]))


@claim("compile_fit.wrong-rank")
def test_wrong_rank(keras, seed):
    problem = problems.mlp(seed)
    loss = keras.namespace.losses.sparse_categorical_crossentropy
    model = compiled(keras, build(keras.namespace, "functional", "mlp"), loss=loss)
    assert_rejected(
        "a flattened image", lambda: fit(model, problem.inputs.reshape(len(problem.inputs), -1), problem.targets)
    )


@claim("compile_fit.sparse-labels")
def test_sparse_labels(keras):
    assert_rejected(
        "a one-hot target", lambda: fit(classifier(keras), SCORES, np.eye(2, dtype=np.float32)[LABELS]), *REFUSALS
    )


# fit, the history, and its validation data


@claim("compile_fit.history")
def test_history(three_epochs):
    _, history = three_epochs
    assert {name: len(values) for name, values in history.items()} == {"loss": 3, "mean_absolute_error": 3}


@claim("compile_fit.history-of-losses")
def test_history_of_losses(three_epochs):
    _, history = three_epochs
    assert_means("the losses", history["loss"], by_hand(epochs=3)[1])


@claim("compile_fit.history-of-metrics")
def test_history_of_metrics(keras):
    # One step moves the scores of both classes: by then the first example alone has been judged, and found wrong.
    model = classifier(keras, rate=100.0)
    history = fit(model, SCORES[:2], np.array([1, 1], np.int32), batch_size=1, epochs=2)
    assert_means("the accuracies", history["sparse_categorical_accuracy"], [0.5, 1.0])


@claim("compile_fit.validation-names")
def test_validation_names(validated):
    _, history = validated
    names = ["loss", "mean_absolute_error"]
    expected = dict.fromkeys([*names, *(f"val_{name}" for name in names)], 2)
    assert {name: len(values) for name, values in history.items()} == expected


@claim("compile_fit.validation-trains-nothing")
def test_validation_trains_nothing(keras, validated):
    model, history = validated
    weight, losses = by_hand(epochs=2)
    assert (weight_of(keras, model), steps_of(keras, model)) == (weight, 4)
    assert_means("the losses of the training", history["loss"], losses)


@claim("compile_fit.validation-after-each-epoch")
def test_validation_after_each_epoch(validated):
    _, history = validated
    weights = np.array([by_hand(epochs=epochs)[0] for epochs in (1, 2)])
    assert_means("val_loss", history["val_loss"], (weights - 1) ** 2)


@claim("compile_fit.validation-is-evaluate")
def test_validation_is_evaluate(validated):
    model, history = validated
    found = model.evaluate(*VALIDATION, batch_size=BATCH_SIZE, verbose=0)
    assert found == [history["val_loss"][-1], history["val_mean_absolute_error"][-1]]


# fit, pipelines


@claim("compile_fit.dataset")
def test_dataset(keras):
    model = one_weight(keras)
    history = model.fit(keras.dataset(ones(), column(), BATCH_SIZE), epochs=2, shuffle=False, verbose=0).history
    weight, losses = by_hand(epochs=2)
    assert (weight_of(keras, model), steps_of(keras, model)) == (weight, 4)
    assert_means("the losses", history["loss"], losses)


@claim("compile_fit.dataset-has-its-batches")
def test_dataset_has_its_batches(keras):
    model = one_weight(keras)
    model.fit(keras.dataset(ones(), column(), BATCH_SIZE), batch_size=1, shuffle=False, verbose=0)
    assert steps_of(keras, model) == 2
    # More than the 32 of a fit without a batch size.
    many = np.ones((80, 1), np.float32)
    model.fit(keras.dataset(many, many, 40), shuffle=False, verbose=0)
    assert steps_of(keras, model) == 4


@claim("compile_fit.dataset-has-its-targets")
def test_dataset_has_its_targets(keras):
    assert_rejected(
        "y beside a pipeline",
        lambda: one_weight(keras).fit(keras.dataset(ones(), column(), BATCH_SIZE), y=column(), verbose=0),
    )


@claim("compile_fit.dataset-for-validation")
def test_dataset_for_validation(keras):
    history = fit(one_weight(keras), validation_data=keras.dataset(*VALIDATION, BATCH_SIZE))
    assert_means("val_loss", history["val_loss"], [(by_hand()[0] - 1) ** 2])


# evaluate


@claim("compile_fit.evaluate-dataset")
def test_evaluate_dataset(keras):
    loss = one_weight(keras).evaluate(keras.dataset(ones(), column(), BATCH_SIZE), verbose=0)
    assert_means("the loss", loss, np.mean(TARGETS**2))


@claim("compile_fit.evaluate-order")
def test_evaluate_order(keras):
    metrics = ["mean_absolute_error", "mean_squared_error"]
    model = one_weight(keras, loss="mean_absolute_error", metrics=metrics)
    # From 0 the errors are 0, 0, 0, 0, 2, 2; the loss, its like among the metrics, and their squares differ.
    found = model.evaluate(ones(), 2 * column(), verbose=0)
    assert_means("the loss, then the metrics", found, [4 / 6, 4 / 6, 8 / 6])


@claim("compile_fit.evaluate-without-metrics")
def test_evaluate_without_metrics(evaluated):
    assert isinstance(evaluated, float | np.floating), f"evaluate returned {evaluated!r}"


@claim("compile_fit.evaluate-is-printed")
def test_evaluate_is_printed(classified):
    assert ast.literal_eval(str(classified)) == classified


@claim("compile_fit.evaluate-by-name")
def test_evaluate_by_name(keras, classified):
    found = classifier(keras).evaluate(SCORES, LABELS, batch_size=2, verbose=0, return_dict=True)
    assert found == dict(zip(["loss", "sparse_categorical_accuracy"], classified, strict=True))


@claim("compile_fit.evaluate-counts-examples")
def test_evaluate_targets(keras, classified):
    loss, share = classifier(keras).evaluate(SCORES, LABELS[:, None], batch_size=2, verbose=0)
    assert_within("the loss of labels in a column", np.float32(loss), classified[0], rounding.gamma(16) * classified[0])
    assert_means("the metric of labels in a column", share, SHARE)
    # Each prediction is its own target, and not that of any other example.
    found = one_weight(keras, start="ones").evaluate(column(), TARGETS.copy(), batch_size=BATCH_SIZE, verbose=0)
    assert found == 0, f"the loss of targets without a last axis is {found}, and they are what is predicted"


@claim("compile_fit.evaluate-trains-nothing")
def test_evaluate_trains_nothing(keras):
    model = one_weight(keras, keras.namespace.layers.BatchNormalization(), start="ones")
    before = [np.array(keras.to_numpy(variable)) for variable in model.variables]
    model.evaluate(ones(), column(), verbose=0)
    for variable, value in zip(model.variables, before, strict=True):
        assert_equal("a variable", keras.to_numpy(variable), value)
    assert steps_of(keras, model) == 0


@claim("compile_fit.evaluate-counts-examples")
def test_evaluate_counts_examples(evaluated):
    assert_means("the loss", evaluated, 2 / 6)


@claim("compile_fit.evaluate-definition")
def test_evaluate_definition(keras, seed):
    problem, expected, bounds = case(problems.mlp, loss_and_gradients, seed)
    losses = keras.namespace.losses
    model = compiled(keras, build(keras.namespace, "sequential", "mlp"), loss=losses.sparse_categorical_crossentropy)
    model(keras.to_tensor(problem.inputs))
    load(model, "mlp", problem.parameters)
    found = np.float32(model.evaluate(problem.inputs, problem.targets, batch_size=3, verbose=0))
    # Three batches are weighted by their numbers of examples, added and divided by all.
    bound = bounds["loss"] + rounding.gamma(2 * 3 + rounding.DIVIDE) * expected["loss"]
    assert_within("the loss", found, expected["loss"], bound)


@claim("compile_fit.evaluate-starts-anew")
def test_evaluate_starts_anew(keras):
    model = classifier(keras)
    model.evaluate(SCORES[:2], LABELS[:2], verbose=0)
    assert_means("the metric", model.evaluate(SCORES, LABELS, verbose=0)[1], SHARE)


@claim("compile_fit.evaluate-in-inference-mode")
def test_evaluate_in_inference_mode(keras):
    model = one_weight(keras, keras.namespace.layers.Dropout(0.5), start="ones")
    assert model.evaluate(ones(), 0 * ones(), verbose=0) == 1


@claim("compile_fit.evaluate-needs-compile")
def test_evaluate_needs_compile(keras):
    evaluate = keras.namespace.Sequential([keras.namespace.layers.Dense(1)]).evaluate
    # On PyTorch Keras looks for the optimizer first, which is not there.
    refusals = (*REFUSALS, AttributeError)
    assert_rejected("a model that was not compiled", lambda: evaluate(ones(), column(), verbose=0), *refusals)


@claim("compile_fit.evaluate-mismatched-lengths")
def test_evaluate_mismatched_lengths(keras):
    assert_rejected("targets of another length", lambda: one_weight(keras).evaluate(ones(), column()[:-1], verbose=0))


# The whole of it, on MNIST


@pytest.fixture(scope="session")
def five_epochs_of_fit(keras, train_set, test_set, compute_once):
    """Return the parameters of the MLP after five epochs of fit, and what evaluate says of it on the test images."""
    return compute_once("five_epochs_of_fit", lambda: trained_by_fit(keras.namespace, train_set, test_set))


def trained_by_fit(namespace, train_set, test_set):
    """Train for five epochs in batches of 50, as the document's loop does, and evaluate."""
    model = as_printed(namespace)
    model.fit(*train_set, epochs=5, batch_size=50, verbose=0)
    _, accuracy = model.evaluate(*test_set, verbose=0)
    parameters = dict(zip(MODELS["mlp"].shapes, model.get_weights(), strict=True))
    return {"accuracy": float(accuracy), "parameters": parameters}


@claim("compile_fit.five-epochs")
def test_five_epochs(five_epochs_of_fit, evidence):
    assert_not_below("mlp_five_epochs", five_epochs_of_fit, read("mlp")["test_accuracy"], evidence)


@claim("compile_fit.five-epochs-evaluated")
def test_five_epochs_evaluated(five_epochs_of_fit, test_set):
    logits, margin = digit_logits(five_epochs_of_fit["parameters"], test_set)
    assert_reported(five_epochs_of_fit["accuracy"], logits, margin, test_set.labels)
