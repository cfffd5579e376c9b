"""compile and evaluate: lines 800 to 839 of the document."""

import ast

import numpy as np
import pytest

from assay.spec.error_bounds import rounding
from assay.testing import problems
from assay.testing.assertions import assert_equal, assert_rejected, assert_within, claim
from assay.testing.keras_models import build, connect_layers, load
from assay.testing.networks import case, loss_and_gradients
from assay.testing.one_weight import (
    ACCURACY,
    BATCH_SIZE,
    ERRORS,
    LABELS,
    SCORES,
    TARGETS,
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

# Results that several tests share, since the setup of a training takes longer than the training itself.


@pytest.fixture(scope="module")
def evaluated_loss(keras):
    """Return the result of evaluate for the model of one weight, which is 0, without metrics."""
    return one_weight_model(keras).evaluate(ones(), target_column(), batch_size=BATCH_SIZE, verbose=0)


@pytest.fixture(scope="module")
def classifier_results(keras):
    """Return the result of evaluate for the classifier, in batches of two, two and one."""
    return classifier(keras).evaluate(SCORES, LABELS, batch_size=2, verbose=0)


# compile


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


@claim("compile_fit.keeps-weights")
def test_keeps_weights(keras):
    model = one_weight_model(keras)
    fit(model)
    compile_model(keras, model)
    assert (weight_of(keras, model), steps_of(keras, model)) == (train_by_hand()[0], 0)


@claim("compile_fit.before-it-is-built")
def test_before_it_is_built(keras):
    model = compile_model(keras, connect_layers(keras.namespace, "sequential", [keras.namespace.layers.Dense(1)], (1,)))
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
