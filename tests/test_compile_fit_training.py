"""Training with fit: lines 800 to 839 of the document."""

import numpy as np
import pytest

from assay.spec.error_bounds import rounding
from assay.spec.semantics.models import MODELS
from assay.spec.vectors import read
from assay.testing import problems
from assay.testing.assertions import assert_close, assert_equal, assert_rejected, assert_within, claim
from assay.testing.keras_models import build, connect_layers, load
from assay.testing.networks import case, digit_logits, trajectory
from assay.testing.one_weight import (
    BATCH_SIZE,
    ERRORS,
    LABELS,
    SCORES,
    assert_means,
    classifier,
    compile_model,
    fit,
    one_weight_model,
    ones,
    steps_of,
    target_column,
    train_by_hand,
    weight_of,
)
from assay.testing.problems import LEARNING_RATE
from assay.testing.thresholds import FALSE_ALARM
from assay.testing.training.assertions import assert_not_below
from assay.testing.training.reported_accuracy import assert_reported

# Number of steps of a trajectory.
STEPS = 3
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
def document_fit(keras, seed):
    """Return the document's MLP after a fit to the batches of a problem, and the history."""
    problem = case(problems.mlp, trajectory, seed, batch=BATCH_SIZE, steps=STEPS).problem
    model = document_mlp(keras.namespace)
    load_problem(keras, model, problem)
    return model, fit(model, *join_batches(problem))


# compile, and steps, batches and epochs of fit


@claim("compile_fit.as-printed")
def test_as_printed(document_fit):
    _, history = document_fit
    assert {name: len(values) for name, values in history.items()} == {"loss": 1, "sparse_categorical_accuracy": 1}


@claim("compile_fit.optimizer-object")
def test_optimizer_object(keras, default_fit):
    model, optimizer, _ = default_fit
    assert model.optimizer is optimizer
    assert weight_of(keras, model) == train_by_hand()[0]


@claim("compile_fit.metrics-do-not-train")
def test_metrics_do_not_train(keras, three_epochs):
    model, _ = three_epochs
    assert weight_of(keras, model) == train_by_hand(epochs=3)[0]


@claim("compile_fit.fit-needs-compile")
def test_fit_needs_compile(keras):
    model = keras.namespace.Sequential([keras.namespace.layers.Dense(1)])
    assert_rejected("a model that is not compiled", lambda: fit(model), *ERRORS)


@claim("compile_fit.sgd-trajectory")
def test_sgd_trajectory(keras, seed):
    solution = case(problems.linear, trajectory, seed, batch=BATCH_SIZE, steps=STEPS)
    model = connect_layers(keras.namespace, "sequential", [keras.namespace.layers.Dense(1)], (3,))
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
    model = compile_model(keras, connect_layers(keras.namespace, "sequential", [layer], (1,)), rate=1.0)
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
