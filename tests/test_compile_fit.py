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

# Errors for invalid calls: which of these is raised depends on the release of Keras.
ERRORS = (RuntimeError, TypeError, ValueError)
# Batches of 4 leave a last batch of 2. Means over either are exact in float32, and so are the steps.
TARGETS = np.array([0, 0, 0, 0, 1, 1], np.float32)
BATCH_SIZE = 4
# Number of steps of a trajectory.
STEPS = 3


# The training of a model of one weight can be computed by hand. Its inputs are 1, and its loss is the mean of
# (weight - target)^2. A step of 1/4 against the gradient, 2 (weight - mean of targets), goes half way to that mean.


def ones():
    """Return an input of 1 for each target."""
    return np.ones((len(TARGETS), 1), np.float32)


def target_column():
    """Return the targets as a column, for a model of one output."""
    return TARGETS.reshape(-1, 1).copy()


def one_weight_model(keras, *others, start="zeros", **options):
    """Return the compiled model of one weight, followed by further layers."""
    layers = keras.namespace.layers
    weight = layers.Dense(1, use_bias=False, kernel_initializer=start)
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(1,)), weight, *others])
    return compile_model(keras, model, **options)


def compile_model(keras, model, rate=0.25, **options):
    """Compile a model with SGD and the mean squared error by default, and return it."""
    defaults = {"optimizer": keras.namespace.optimizers.SGD(learning_rate=rate), "loss": "mean_squared_error"}
    # Compiling to a graph would take longer than all of these trainings.
    model.compile(**defaults | options, run_eagerly=True)
    return model


def fit(model, x=None, y=None, **options):
    """Train a model, by default on the targets, in batches of four without shuffling; return the history."""
    defaults = {"batch_size": BATCH_SIZE, "shuffle": False, "verbose": 0}
    return model.fit(ones() if x is None else x, target_column() if y is None else y, **defaults | options).history


def train_by_hand(epochs=1):
    """Train one weight from 0 by hand; return it and the mean loss of each epoch, before each step."""
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
    """Return the number of steps that the optimizer has taken."""
    return int(keras.to_numpy(model.optimizer.iterations))


def assert_means(what, actual, expected):
    """Compare means of exact numbers, in which only the final division rounds."""
    expected = np.asarray(expected, np.float64)
    assert_within(what, np.asarray(actual, np.float32), expected, rounding.quotient(expected))


def classifier(keras, **options):
    """Return a compiled model whose two inputs are the scores of two classes, with the document's loss and metric."""
    layers, losses, metrics = (getattr(keras.namespace, name) for name in ("layers", "losses", "metrics"))
    scores = layers.Dense(2, use_bias=False, kernel_initializer="ones")
    model = keras.namespace.Sequential([keras.namespace.Input(shape=(2,)), scores, layers.Softmax()])
    scores.set_weights([np.eye(2, dtype=np.float32)])
    defaults = {"loss": losses.sparse_categorical_crossentropy, "metrics": [metrics.sparse_categorical_accuracy]}
    return compile_model(keras, model, **defaults | options)


# The classifier predicts 0, 1, 0, 1, 0, far from a tie, and three of the labels are the same.
SCORES = np.array([[4, 0], [0, 4], [4, 0], [0, 4], [4, 0]], np.float32)
LABELS = np.array([0, 1, 1, 0, 0], np.int32)
ACCURACY = 3 / 5
# Validation data for the model of one weight.
VALIDATION = np.ones((3, 1), np.float32), np.ones((3, 1), np.float32)


def document_mlp(namespace):
    """Return the MLP, compiled as in the document."""
    model = build(namespace, "sequential", "mlp")
    model.compile(
        optimizer=namespace.optimizers.Adam(learning_rate=LEARNING_RATE),
        loss=namespace.losses.sparse_categorical_crossentropy,
        metrics=[namespace.metrics.sparse_categorical_accuracy],
    )
    return model


def load_problem(keras, model, problem):
    """Build a model by a call, and load the parameters of a problem."""
    model(keras.to_tensor(problem.inputs[0]))
    load(model, problem.model, problem.parameters)


def join_batches(problem):
    """Concatenate the batches of a problem to one array of inputs and one of targets."""
    return [values.reshape(-1, *values.shape[2:]) for values in (problem.inputs, problem.targets)]


# Results that several tests share, since the setup of a training takes longer than the training itself.


@pytest.fixture(scope="module")
def default_fit(keras):
    """Return the model of one weight, its optimizer and the arrays after a fit with the default number of epochs."""
    optimizer, arrays = keras.namespace.optimizers.SGD(learning_rate=0.25), (ones(), target_column())
    model = one_weight_model(keras, optimizer=optimizer)
    fit(model, *arrays)
    return model, optimizer, arrays


@pytest.fixture(scope="module")
def three_epochs(keras):
    """Return the model of one weight with a metric after three epochs, and the history."""
    model = one_weight_model(keras, metrics=["mean_absolute_error"])
    return model, fit(model, epochs=3)


@pytest.fixture(scope="module")
def validated_fit(keras):
    """Return the model of one weight with a metric after two epochs with validation, and the history."""
    model = one_weight_model(keras, metrics=["mean_absolute_error"])
    return model, fit(model, epochs=2, validation_data=VALIDATION)


@pytest.fixture(scope="module")
def evaluated_loss(keras):
    """Return the result of evaluate for the model of one weight, which is 0, without metrics."""
    return one_weight_model(keras).evaluate(ones(), target_column(), batch_size=BATCH_SIZE, verbose=0)


@pytest.fixture(scope="module")
def classifier_results(keras):
    """Return the result of evaluate for the classifier, in batches of two, two and one."""
    return classifier(keras).evaluate(SCORES, LABELS, batch_size=2, verbose=0)


@pytest.fixture(scope="module")
def document_fit(keras, seed):
    """Return the document's MLP after a fit to the batches of a problem, and the history."""
    problem = case(problems.mlp, trajectory, seed, batch=BATCH_SIZE, steps=STEPS).problem
    model = document_mlp(keras.namespace)
    load_problem(keras, model, problem)
    return model, fit(model, *join_batches(problem))


# compile


@claim("compile_fit.as-printed")
def test_as_printed(document_fit):
    _, history = document_fit
    assert {name: len(values) for name, values in history.items()} == {"loss": 1, "sparse_categorical_accuracy": 1}


@claim("compile_fit.optimizer-keyword")
def test_optimizer_keyword(keras):
    assert_rejected("the keyword oplimizer", lambda: one_weight_model(keras, oplimizer="sgd"), *ERRORS)


@claim("compile_fit.optimizer-by-name")
def test_optimizer_by_name(keras):
    by_name, by_object = one_weight_model(keras, optimizer="sgd").optimizer, keras.namespace.optimizers.SGD()
    assert type(by_name) is type(by_object)
    one, other = by_name.get_config(), by_object.get_config()
    # The names of the two optimizers may differ.
    assert one | {"name": ""} == other | {"name": ""}
    another = one_weight_model(keras, optimizer="sgd").optimizer
    by_name.learning_rate = 0.5
    assert another.get_config()["learning_rate"] == other["learning_rate"]


@claim("compile_fit.optimizer-object")
def test_optimizer_object(keras, default_fit):
    model, optimizer, _ = default_fit
    assert model.optimizer is optimizer
    assert weight_of(keras, model) == train_by_hand()[0]


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
        pytest.param(lambda _: lambda y_true, y_pred: (y_pred - y_true) ** 2, id="a custom function"),
    ],
)
def test_loss_in_any_form(keras, loss_of):
    model = one_weight_model(keras, loss=loss_of(keras.namespace.losses))
    assert_means("the loss", fit(model)["loss"], train_by_hand()[1])
    assert weight_of(keras, model) == train_by_hand()[0]


@claim("compile_fit.own-functions")
def test_own_functions(keras):
    def loss(y_true, y_pred):
        # (y_pred - y_true)^2 without the term y_true^2, which has no gradient.
        return y_pred * (y_pred - 2 * y_true)

    def metric(y_true, y_pred):
        return y_true - 4 * y_pred

    model = one_weight_model(keras, loss=loss, metrics=[metric])
    history = fit(model)
    # In the epoch, loss and metric are those of a weight of 0. The last step sets the weight to 1/2.
    assert_equal("the weight", weight_of(keras, model), np.array(0.5))
    found = np.float32([history["loss"][0], history["metric"][0]])
    assert_within("loss and metric of fit", found, [0, 2 / 6], rounding.quotient(1.0))
    found = np.float32(model.evaluate(ones(), target_column(), batch_size=BATCH_SIZE, verbose=0))
    expected = np.array([(4 * 0.25 - 2 * 0.75) / 6, (2 - 6 * 2) / 6])
    assert_within("loss and metric of evaluate", found, expected, rounding.gamma(8 + rounding.DIVIDE) * 2)


@claim("compile_fit.metric-in-any-form")
def test_metric_in_any_form(keras):
    metrics = ["sparse_categorical_accuracy", keras.namespace.metrics.SparseCategoricalAccuracy(name="as_an_object")]
    _, *found = classifier(keras, metrics=metrics).evaluate(SCORES, LABELS, verbose=0)
    assert_means("the metrics by name and by object", found, [ACCURACY] * 2)


@claim("compile_fit.metric-function-is-averaged")
def test_metric_function_is_averaged(classifier_results):
    assert_means("the metric", classifier_results[1], ACCURACY)


@claim("compile_fit.metrics-do-not-train")
def test_metrics_do_not_train(keras, three_epochs):
    model, _ = three_epochs
    assert weight_of(keras, model) == train_by_hand(epochs=3)[0]


@claim("compile_fit.keeps-weights")
def test_keeps_weights(keras):
    model = one_weight_model(keras)
    fit(model)
    compile_model(keras, model)
    assert (weight_of(keras, model), steps_of(keras, model)) == (train_by_hand()[0], 0)


@claim("compile_fit.before-it-is-built")
def test_before_it_is_built(keras):
    model = compile_model(keras, connected(keras.namespace, "sequential", [keras.namespace.layers.Dense(1)], (1,)))
    assert not model.built
    fit(model)
    assert [tuple(variable.shape) for variable in model.variables] == [(1, 1), (1,)]


@claim("compile_fit.losses-are-added")
def test_losses_are_added(keras):
    layer = keras.namespace.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    inputs = keras.namespace.Input(shape=(1,))
    model = compile_model(keras, keras.namespace.Model(inputs=inputs, outputs=[layer(inputs), 2 * layer(inputs)]))
    losses = fit(model, ones(), [target_column(), 2 * target_column()])["loss"]
    # At a weight of 0, the errors of both outputs are 0 in the first batch. In the second they are 1 and 2.
    assert_means("the loss", losses, [(4 * 0 + 2 * (1 + 4)) / 6])
    # The gradients in the second batch are 2 (0 - 1), and 2 (0 - 2) times the factor of 2. A step is 1/4 of both.
    assert weight_of(keras, model) == (2 + 8) / 4


@claim("compile_fit.unknown-optimizer")
def test_unknown_optimizer(keras):
    assert_rejected("the optimizer sdg", lambda: one_weight_model(keras, optimizer="sdg"))


@claim("compile_fit.unknown-loss")
def test_unknown_loss(keras):
    assert_rejected("the loss mean_cubed_error", lambda: fit(one_weight_model(keras, loss="mean_cubed_error")))


@claim("compile_fit.unknown-metric")
def test_unknown_metric(keras):
    assert_rejected(
        "the metric mean_cubed_error", lambda: fit(one_weight_model(keras, metrics=["mean_cubed_error"])), *ERRORS
    )


@claim("compile_fit.no-loss")
def test_no_loss(keras, permitted):
    model = one_weight_model(keras, loss=None)
    permitted({"refused": lambda: assert_rejected("fit", lambda: fit(model)), "learns-nothing": lambda: fit(model)})
    assert_equal("the weight", keras.to_numpy(model.variables[0]), np.zeros((1, 1)))


# Steps, batches and epochs of fit


@claim("compile_fit.fit-needs-compile")
def test_fit_needs_compile(keras):
    model = keras.namespace.Sequential([keras.namespace.layers.Dense(1)])
    assert_rejected("a model that is not compiled", lambda: fit(model), *ERRORS)


@claim("compile_fit.sgd-trajectory")
def test_sgd_trajectory(keras, seed):
    solution = case(problems.linear, trajectory, seed, batch=BATCH_SIZE, steps=STEPS)
    model = connected(keras.namespace, "sequential", [keras.namespace.layers.Dense(1)], (3,))
    compile_model(keras, model, rate=LEARNING_RATE)
    load_problem(keras, model, solution.problem)
    assert_trajectory(keras, model, fit(model, *join_batches(solution.problem)), solution)


@claim("compile_fit.adam-trajectory")
def test_adam_trajectory(keras, document_fit, seed):
    assert_trajectory(keras, *document_fit, case(problems.mlp, trajectory, seed, batch=BATCH_SIZE, steps=STEPS))


def assert_trajectory(keras, model, history, solution):
    """Compare the parameters and the loss after fit with the definition."""
    problem, expected, bounds = solution
    found = dict(zip(MODELS[problem.model].shapes, map(keras.to_numpy, model.variables), strict=True))
    assert_close("fit", found, {name: expected[name] for name in found}, bounds)
    # The mean of deviations is at most their root mean square. Summing and dividing rounds, too.
    mean = np.mean(expected["losses"])
    bound = bounds["losses"] + rounding.gamma(2 * STEPS + rounding.DIVIDE) * mean
    assert_within("the loss in the history", np.float32(history["loss"][0]), mean, bound)


@claim("compile_fit.steps")
@pytest.mark.parametrize(("batch_size", "steps"), [(5, 2), (100, 1)])
def test_steps(keras, batch_size, steps):
    model = one_weight_model(keras)
    fit(model, batch_size=batch_size)
    assert steps_of(keras, model) == steps


@claim("compile_fit.steps")
def test_steps_of_large_batches(keras):
    # A batch size above the default of 32.
    model, data = one_weight_model(keras), np.ones((100, 1), np.float32)
    fit(model, data, data, batch_size=40)
    assert steps_of(keras, model) == 3, f"{steps_of(keras, model)} steps for 100 examples in batches of 40, expected 3"


@claim("compile_fit.default-batch-size")
def test_default_batch_size(keras):
    model = one_weight_model(keras)
    for examples, steps in ((33, 2), (32, 3)):
        data = np.ones((examples, 1), np.float32)
        model.fit(data, data, verbose=0)
        found = steps_of(keras, model)
        assert found == steps, f"{found} steps after {examples} examples, expected {steps}"


@claim("compile_fit.epochs")
def test_epochs(keras, three_epochs):
    model, _ = three_epochs
    assert steps_of(keras, model) == 3 * 2


@claim("compile_fit.default-epochs")
def test_default_epochs(keras, default_fit):
    model, *_ = default_fit
    assert steps_of(keras, model) == 2


@claim("compile_fit.initial-epoch")
def test_initial_epoch(keras):
    model = one_weight_model(keras)
    history = fit(model, epochs=3, initial_epoch=2)
    assert (steps_of(keras, model), len(history["loss"])) == (2, 1)


@claim("compile_fit.smaller-last-batch")
def test_smaller_last_batch(keras, default_fit):
    # The targets of the first batch are 0, like the weight. The last batch of two targets of 1 moves it half way to 1.
    model, *_ = default_fit
    assert weight_of(keras, model) == train_by_hand()[0] == 0.5


@claim("compile_fit.inputs-and-targets")
def test_inputs_and_targets(keras):
    model = one_weight_model(keras)
    model.fit(y=target_column(), batch_size=BATCH_SIZE, x=ones(), shuffle=False, verbose=0)
    assert weight_of(keras, model) == train_by_hand()[0]
    model.fit(ones(), target_column(), BATCH_SIZE, shuffle=False, verbose=0)
    assert weight_of(keras, model) == train_by_hand(epochs=2)[0]


@claim("compile_fit.tensors")
def test_tensors(keras):
    model = one_weight_model(keras)
    fit(model, keras.to_tensor(ones()), keras.to_tensor(target_column()))
    assert weight_of(keras, model) == train_by_hand()[0]


@claim("compile_fit.data-unchanged")
def test_data_unchanged(default_fit):
    *_, (x, y) = default_fit
    assert_equal("x", x, ones())
    assert_equal("y", y, target_column())


@claim("compile_fit.data-unchanged")
def test_data_unchanged_by_shuffling(keras):
    x, y = np.arange(COUNT, dtype=np.float32).reshape(-1, 1), target_column()[[0, 5] * 5 + [0]]
    expected = x.copy(), y.copy()
    one_weight_model(keras, rate=0.0).fit(x, y, batch_size=BATCH_SIZE, verbose=0)
    assert_equal("x", x, expected[0])
    assert_equal("y", y, expected[1])


@claim("compile_fit.goes-on")
def test_goes_on(keras):
    rate, momentum = 0.25, 0.5
    model = one_weight_model(keras, optimizer=keras.namespace.optimizers.SGD(learning_rate=rate, momentum=momentum))
    weight = velocity = 0.0
    for _ in range(2):
        fit(model)
        for mean in (0, 1):
            velocity = momentum * velocity - rate * 2 * (weight - mean)
            weight += velocity
    assert (weight_of(keras, model), steps_of(keras, model)) == (weight, 4)


def order_of_examples(keras, count, **options):
    """Train on numbered examples for two epochs, one example per step, and decode their order from the weights.

    Each of four weights is a binary fraction. A step goes half way to a target of 0 or 1, which shifts the digits and
    makes the target the first digit after the point. The four targets of an example are the digits of its number.

    Args:
        keras: Group `keras` of the implementation.
        count: Number of examples, up to 12, so that float32 can hold one digit for each step.
        options: Options of fit.

    Returns:
        Numbers of the examples in each epoch, [2][count].

    """
    layer = keras.namespace.layers.Dense(4, use_bias=False, kernel_initializer="zeros")
    # The mean over four outputs makes the gradient 1/2 of the difference, so that a step of 1 goes half way.
    model = compile_model(keras, connected(keras.namespace, "sequential", [layer], (1,)), rate=1.0)
    targets = (np.arange(count)[:, None] >> np.arange(4) & 1).astype(np.float32)
    model.fit(np.ones((count, 1), np.float32), targets, epochs=2, batch_size=1, verbose=0, **options)
    steps = 2 * count
    digits = [int(weight * 2**steps) for weight in keras.to_numpy(layer.kernel)[0].astype(np.float64)]
    order = [sum((digit >> step & 1) << place for place, digit in enumerate(digits)) for step in range(steps)]
    return [order[:count], order[count:]]


# With this number of examples, two random orders are equal with negligible probability.
COUNT = 11


@pytest.fixture(scope="module")
def shuffled_epochs(keras):
    """Return the orders of the examples in two epochs of fit without the option `shuffle`."""
    return order_of_examples(keras, COUNT)


@claim("compile_fit.every-example-once")
def test_every_example_once(shuffled_epochs):
    assert [sorted(epoch) for epoch in shuffled_epochs] == [[*range(COUNT)]] * 2


@claim("compile_fit.shuffles")
def test_shuffles(shuffled_epochs):
    assert 2 / np.prod(np.arange(1.0, COUNT + 1)) < FALSE_ALARM
    assert shuffled_epochs[0] != [*range(COUNT)]
    assert shuffled_epochs[0] != shuffled_epochs[1]


@claim("compile_fit.unshuffled")
def test_unshuffled(keras):
    found = order_of_examples(keras, 4, shuffle=False)
    assert found == [[0, 1, 2, 3]] * 2


@claim("compile_fit.trains-in-training-mode")
def test_trains_in_training_mode(keras):
    # Dropout sets the output of 1 to 0 or 2. So the squared error for a target of 0 is 0 or 4, but not 1.
    model = one_weight_model(keras, keras.namespace.layers.Dropout(0.5), start="ones", rate=0.0)
    losses = fit(model, ones()[:1], 0 * ones()[:1])["loss"]
    assert losses in ([0], [4])


@claim("compile_fit.mismatched-lengths")
def test_mismatched_lengths(keras):
    assert_rejected("targets of a different length", lambda: fit(one_weight_model(keras), ones(), target_column()[:-1]))


@claim("compile_fit.wrong-rank")
def test_wrong_rank(keras, seed):
    problem = problems.mlp(seed)
    loss = keras.namespace.losses.sparse_categorical_crossentropy
    model = compile_model(keras, build(keras.namespace, "functional", "mlp"), loss=loss)
    assert_rejected(
        "a batch of flattened images",
        lambda: fit(model, problem.inputs.reshape(len(problem.inputs), -1), problem.targets),
    )


@claim("compile_fit.sparse-labels")
def test_sparse_labels(keras):
    assert_rejected(
        "one-hot targets", lambda: fit(classifier(keras), SCORES, np.eye(2, dtype=np.float32)[LABELS]), *ERRORS
    )


# History and validation data of fit


@claim("compile_fit.history")
def test_history(three_epochs):
    _, history = three_epochs
    assert {name: len(values) for name, values in history.items()} == {"loss": 3, "mean_absolute_error": 3}


@claim("compile_fit.history-of-losses")
def test_history_of_losses(three_epochs):
    _, history = three_epochs
    assert_means("the losses", history["loss"], train_by_hand(epochs=3)[1])


@claim("compile_fit.history-of-metrics")
def test_history_of_metrics(keras):
    # The prediction for the first example is wrong. The step on it corrects the predictions for all later examples.
    model = classifier(keras, rate=100.0)
    history = fit(model, SCORES[:2], np.array([1, 1], np.int32), batch_size=1, epochs=2)
    assert_means("the accuracies", history["sparse_categorical_accuracy"], [0.5, 1.0])


@claim("compile_fit.validation-names")
def test_validation_names(validated_fit):
    _, history = validated_fit
    names = ["loss", "mean_absolute_error"]
    expected = dict.fromkeys([*names, *(f"val_{name}" for name in names)], 2)
    assert {name: len(values) for name, values in history.items()} == expected


@claim("compile_fit.validation-trains-nothing")
def test_validation_trains_nothing(keras, validated_fit):
    model, history = validated_fit
    weight, losses = train_by_hand(epochs=2)
    assert (weight_of(keras, model), steps_of(keras, model)) == (weight, 4)
    assert_means("the losses of the training", history["loss"], losses)


@claim("compile_fit.validation-after-each-epoch")
def test_validation_after_each_epoch(validated_fit):
    _, history = validated_fit
    weights = np.array([train_by_hand(epochs=epochs)[0] for epochs in (1, 2)])
    assert_means("val_loss", history["val_loss"], (weights - 1) ** 2)


@claim("compile_fit.validation-is-evaluate")
def test_validation_is_evaluate(validated_fit):
    model, history = validated_fit
    found = model.evaluate(*VALIDATION, batch_size=BATCH_SIZE, verbose=0)
    assert found == [history["val_loss"][-1], history["val_mean_absolute_error"][-1]]


# Pipelines in fit


@claim("compile_fit.dataset")
def test_dataset(keras):
    model = one_weight_model(keras)
    history = model.fit(keras.dataset(ones(), target_column(), BATCH_SIZE), epochs=2, shuffle=False, verbose=0).history
    weight, losses = train_by_hand(epochs=2)
    assert (weight_of(keras, model), steps_of(keras, model)) == (weight, 4)
    assert_means("the losses", history["loss"], losses)


@claim("compile_fit.dataset-has-its-batches")
def test_dataset_has_its_batches(keras):
    model = one_weight_model(keras)
    model.fit(keras.dataset(ones(), target_column(), BATCH_SIZE), batch_size=1, shuffle=False, verbose=0)
    assert steps_of(keras, model) == 2
    # Batches larger than the default of 32.
    many = np.ones((80, 1), np.float32)
    model.fit(keras.dataset(many, many, 40), shuffle=False, verbose=0)
    assert steps_of(keras, model) == 4


@claim("compile_fit.dataset-has-its-targets")
def test_dataset_has_its_targets(keras):
    assert_rejected(
        "a pipeline together with y",
        lambda: one_weight_model(keras).fit(
            keras.dataset(ones(), target_column(), BATCH_SIZE), y=target_column(), verbose=0
        ),
    )


@claim("compile_fit.dataset-for-validation")
def test_dataset_for_validation(keras):
    history = fit(one_weight_model(keras), validation_data=keras.dataset(*VALIDATION, BATCH_SIZE))
    assert_means("val_loss", history["val_loss"], [(train_by_hand()[0] - 1) ** 2])


# evaluate


@claim("compile_fit.evaluate-dataset")
def test_evaluate_dataset(keras):
    loss = one_weight_model(keras).evaluate(keras.dataset(ones(), target_column(), BATCH_SIZE), verbose=0)
    assert_means("the loss", loss, np.mean(TARGETS**2))


@claim("compile_fit.evaluate-order")
def test_evaluate_order(keras):
    metrics = ["mean_absolute_error", "mean_squared_error"]
    model = one_weight_model(keras, loss="mean_absolute_error", metrics=metrics)
    # The errors are 0, 0, 0, 0, 2, 2, so that the mean absolute error (loss and metric) and the mean square differ.
    found = model.evaluate(ones(), 2 * target_column(), verbose=0)
    assert_means("the loss, then the metrics", found, [4 / 6, 4 / 6, 8 / 6])


@claim("compile_fit.evaluate-without-metrics")
def test_evaluate_without_metrics(evaluated_loss):
    assert isinstance(evaluated_loss, float | np.floating), f"expected a float from evaluate, got {evaluated_loss!r}"


@claim("compile_fit.evaluate-is-printed")
def test_evaluate_is_printed(classifier_results):
    assert ast.literal_eval(str(classifier_results)) == classifier_results


@claim("compile_fit.evaluate-by-name")
def test_evaluate_by_name(keras, classifier_results):
    found = classifier(keras).evaluate(SCORES, LABELS, batch_size=2, verbose=0, return_dict=True)
    assert found == dict(zip(["loss", "sparse_categorical_accuracy"], classifier_results, strict=True))


@claim("compile_fit.evaluate-counts-examples")
def test_evaluate_targets(keras, classifier_results):
    loss, accuracy = classifier(keras).evaluate(SCORES, LABELS[:, None], batch_size=2, verbose=0)
    assert_within(
        "the loss of labels in a column",
        np.float32(loss),
        classifier_results[0],
        rounding.gamma(16) * classifier_results[0],
    )
    assert_means("the metric of labels in a column", accuracy, ACCURACY)
    # Each prediction equals the target of its example. Broadcasting [n, 1] and [n] would compare it with all targets.
    found = one_weight_model(keras, start="ones").evaluate(
        target_column(), TARGETS.copy(), batch_size=BATCH_SIZE, verbose=0
    )
    assert found == 0, f"the loss of targets without a last axis is {found}, expected 0, as they equal the predictions"


@claim("compile_fit.evaluate-trains-nothing")
def test_evaluate_trains_nothing(keras):
    model = one_weight_model(keras, keras.namespace.layers.BatchNormalization(), start="ones")
    before = [np.array(keras.to_numpy(variable)) for variable in model.variables]
    model.evaluate(ones(), target_column(), verbose=0)
    for variable, value in zip(model.variables, before, strict=True):
        assert_equal("a variable", keras.to_numpy(variable), value)
    assert steps_of(keras, model) == 0


@claim("compile_fit.evaluate-counts-examples")
def test_evaluate_counts_examples(evaluated_loss):
    assert_means("the loss", evaluated_loss, 2 / 6)


@claim("compile_fit.evaluate-definition")
def test_evaluate_definition(keras, seed):
    problem, expected, bounds = case(problems.mlp, loss_and_gradients, seed)
    losses = keras.namespace.losses
    model = compile_model(
        keras, build(keras.namespace, "sequential", "mlp"), loss=losses.sparse_categorical_crossentropy
    )
    model(keras.to_tensor(problem.inputs))
    load(model, "mlp", problem.parameters)
    found = np.float32(model.evaluate(problem.inputs, problem.targets, batch_size=3, verbose=0))
    # The losses of three batches are multiplied by their numbers of examples, added and divided.
    bound = bounds["loss"] + rounding.gamma(2 * 3 + rounding.DIVIDE) * expected["loss"]
    assert_within("the loss", found, expected["loss"], bound)


@claim("compile_fit.evaluate-starts-anew")
def test_evaluate_starts_anew(keras):
    model = classifier(keras)
    model.evaluate(SCORES[:2], LABELS[:2], verbose=0)
    assert_means("the metric", model.evaluate(SCORES, LABELS, verbose=0)[1], ACCURACY)


@claim("compile_fit.evaluate-in-inference-mode")
def test_evaluate_in_inference_mode(keras):
    model = one_weight_model(keras, keras.namespace.layers.Dropout(0.5), start="ones")
    assert model.evaluate(ones(), 0 * ones(), verbose=0) == 1


@claim("compile_fit.evaluate-needs-compile")
def test_evaluate_needs_compile(keras):
    evaluate = keras.namespace.Sequential([keras.namespace.layers.Dense(1)]).evaluate
    # With the backend PyTorch, Keras raises an AttributeError for the missing optimizer.
    errors = (*ERRORS, AttributeError)
    assert_rejected("a model that is not compiled", lambda: evaluate(ones(), target_column(), verbose=0), *errors)


@claim("compile_fit.evaluate-mismatched-lengths")
def test_evaluate_mismatched_lengths(keras):
    assert_rejected(
        "targets of a different length",
        lambda: one_weight_model(keras).evaluate(ones(), target_column()[:-1], verbose=0),
    )


# MNIST


@pytest.fixture(scope="session")
def five_epochs_of_fit(keras, train_set, test_set, compute_once):
    """Return the parameters of the MLP after five epochs of fit, and its test accuracy by evaluate."""
    return compute_once("five_epochs_of_fit", lambda: train_by_fit(keras.namespace, train_set, test_set))


def train_by_fit(namespace, train_set, test_set):
    """Train for five epochs in batches of 50, like the document's loop, and evaluate."""
    model = document_mlp(namespace)
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
