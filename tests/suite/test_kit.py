"""The adapter kit against the definitions of the specification, and the adapter that needs no framework."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import contract
from assay.alternatives.autograd import implementation
from assay.alternatives.autograd.framework import Autograd
from assay.alternatives.numpy.cart_pole import Environment as CartPole
from assay.contract import ModelName
from assay.kit import episodes, groups, layouts, metrics, networks, padding, sampling, text
from assay.kit.framework import Framework
from assay.kit.implementation import GROUPS, KitImplementation
from assay.spec.semantics import (
    convolution,
    initializers,
    layers,
    losses,
    models,
    normalization,
    q_learning,
    recurrence,
)
from assay.spec.semantics import datasets as dataset_semantics
from assay.spec.semantics import metrics as metric_semantics
from assay.spec.semantics import text as text_semantics
from assay.specification.signatures import functions

MODELS: tuple[ModelName, ...] = ("linear", "mlp", "cnn", "rnn", "q_network", "q_cnn")
TRAINED: tuple[ModelName, ...] = ("linear", "mlp", "cnn", "rnn")
PADDINGS = st.sampled_from(("valid", "same"))


def draw(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(np.float32)


def close(actual, expected):
    # A wrong layout, index or formula changes results by as much as they measure; rounding stays far below the root of
    # float32's precision.
    assert actual.dtype == np.float32
    assert np.shape(actual) == np.shape(expected)
    assert np.max(np.abs(actual - expected)) <= np.sqrt(np.finfo(np.float32).eps) * np.max(np.abs(expected))


# Padding


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 9), PADDINGS)
def test_padding_adds_what_the_definition_adds(size, window, stride, kind):
    assert padding.pad_widths(size, window, stride, kind) == convolution.pad_widths(size, window, stride, kind)


@pytest.mark.parametrize("kind", ["valid", "same"])
def test_images_are_padded_and_cropped_back(kind):
    images, window, strides = draw(2, 5, 7, 3), (4, 3), (2, 1)
    padded = padding.pad_images(images, window, strides, kind, value=-1)
    patches = convolution.extract_patches(images, window, strides, kind, -1)
    assert padded.shape[1] == (patches.shape[1] - 1) * strides[0] + window[0] or kind == "valid"
    np.testing.assert_array_equal(convolution.extract_patches(padded, window, strides, "valid"), patches)
    np.testing.assert_array_equal(padding.crop_images(padded, (5, 7), window, strides, kind), images)


# Layouts


@pytest.mark.parametrize(
    ("layout", "shape", "expected"),
    [
        (layouts.OI, (3, 5), (5, 3)),
        (layouts.OIHW, (2, 3, 4, 5), (5, 4, 2, 3)),
        (layouts.OHWI, (2, 3, 4, 5), (5, 2, 3, 4)),
        (layouts.NCHW, (2, 3, 4, 5), (2, 5, 3, 4)),
        (layouts.SAME, (2, 3), (2, 3)),
    ],
)
def test_a_layout_goes_there_and_back(layout, shape, expected):
    array = draw(*shape)
    there = layout.to_framework(array)
    assert there.shape == expected
    assert sorted(there.ravel()) == sorted(array.ravel())
    np.testing.assert_array_equal(layout.to_contract(there), array)


def test_a_layout_moves_every_element_to_its_place():
    kernel = draw(2, 3, 4, 5)
    assert layouts.OIHW.to_framework(kernel)[4, 3, 1, 2] == kernel[1, 2, 3, 4]
    assert layouts.NCHW.to_framework(kernel)[1, 4, 2, 3] == kernel[1, 2, 3, 4]


def test_gates_are_ordered_as_in_onnx():
    kernel = np.repeat(np.arange(4, dtype=np.float32), 2)[np.newaxis]  # i i f f g g o o
    layout = layouts.order_gates("iofg")
    assert layout.to_framework(kernel)[0].tolist() == [0, 0, 3, 3, 1, 1, 2, 2]
    np.testing.assert_array_equal(layout.to_contract(layout.to_framework(kernel)), kernel)
    both = layout.then(layouts.OI)
    assert both.to_framework(kernel).shape == (8, 1)
    np.testing.assert_array_equal(both.to_contract(both.to_framework(kernel)), kernel)


@pytest.mark.parametrize("gates", ["ifg", "ifgg", "ifox"])
def test_an_order_without_every_gate_is_rejected(gates):
    with pytest.raises(ValueError, match="'ifgo'"):
        layouts.order_gates(gates)


def test_two_biases_add_up_to_one():
    bias = draw(8)
    first, second = layouts.split_bias(bias)
    assert not second.any()
    np.testing.assert_array_equal(layouts.join_biases(first, second), bias)


# Networks


@pytest.mark.parametrize("model", MODELS)
def test_networks_have_the_layers_and_parameters_of_the_definition(model):
    assert networks.parameter_shapes(model) == dict(models.MODELS[model].shapes)
    parameters = {name: draw(*shape) / 8 for name, shape in models.MODELS[model].shapes.items()}
    shape = {"linear": (3,), "rnn": (4,), "q_network": (4,), "q_cnn": (84, 84, 4)}.get(model, (28, 28, 1))
    inputs = np.array([[1, 0, 56, 3]], np.int32) if model == "rnn" else draw(1, *shape)
    expected = models.layer_outputs(model, parameters, inputs)
    found = implementation.models.layer_outputs(model, parameters, inputs)
    assert [*found] == [*expected] == [layer.name for layer in networks.layers(model)]
    for name, output in found.items():
        close(output, expected[name])


def test_networks_of_other_sizes_follow_from_parameters():
    parameters = {"dense/kernel": draw(5, 1), "dense/bias": draw(1)}
    assert networks.layers_for("linear", parameters)[0].inputs == 5
    characters = {name: draw(*shape) for name, shape in networks.parameter_shapes("rnn", 9).items()}
    assert networks.layers_for("rnn", characters) == networks.layers("rnn", 9)


def test_parameters_of_a_wrong_shape_are_rejected():
    with pytest.raises(ValueError, match=r"dense1/kernel: .*\[784, 100\].*\[1\]"):
        networks.draw_parameters("mlp", 57, lambda _name, _shape: np.zeros(1, np.float32))


@pytest.mark.parametrize("model", MODELS)
def test_a_new_network_begins_as_in_the_document(model):
    parameters = implementation.models.initial_parameters(model, 3)
    for name, value in parameters.items():
        if model == "linear" or name.endswith("bias"):
            assert not value.any()
        elif name.endswith("recurrent_kernel"):
            np.testing.assert_allclose(value @ value.T, np.eye(len(value)), atol=1e-5)
        else:
            limit = initializers.glorot_limit(*initializers.fans(value.shape))
            assert 0.9 * limit < np.abs(value).max() <= limit
    other = implementation.models.initial_parameters(model, 4)
    assert model == "linear" or any((other[name] != value).any() for name, value in parameters.items())


@pytest.mark.parametrize("model", TRAINED)
def test_gradients_and_training_follow_the_definition(model):
    parameters = {name: draw(*shape) / 32 for name, shape in models.MODELS[model].shapes.items()}
    if model == "rnn":
        inputs = np.array([[[1, 0, 56, 3]], [[2, 2, 5, 0]]], np.int32)
    else:
        inputs = draw(2, 1, *((3,) if model == "linear" else (28, 28, 1)))
    targets = draw(2, 1, 1) if model == "linear" else np.array([[3], [1]], np.int32)
    loss, gradients = implementation.models.loss_and_gradients(model, parameters, inputs[0], targets[0])
    expected_loss, expected = models.loss_and_gradients(model, parameters, inputs[0], targets[0])
    close(loss, expected_loss)
    assert gradients.keys() == expected.keys()
    for name, gradient in gradients.items():
        close(gradient, expected[name])
    rate = 1e-3
    losses_, after = implementation.models.train(model, parameters, inputs, targets, rate)
    expected_losses, expected_after = models.train(model, parameters, inputs, targets, rate)
    np.testing.assert_allclose(losses_, expected_losses, rtol=1e-2)
    for name, value in after.items():
        # A step of Adam is as long as its rate where the gradient is almost 0, whichever way it goes.
        np.testing.assert_allclose(value, expected_after[name], atol=2 * len(inputs) * rate)


# Operations


def test_operations_follow_the_definition():
    ops = implementation.ops
    inputs, kernel, bias = draw(2, 3, 4), draw(4, 5), draw(5)
    close(ops.dense(inputs, kernel, bias, "tanh"), layers.dense(inputs, kernel, bias, "tanh"))
    close(ops.dense(inputs, kernel), layers.dense(inputs, kernel))
    for name in ("relu", "tanh", "sigmoid", "softmax"):
        close(getattr(ops, name)(inputs), getattr(layers, name)(inputs))
    close(ops.softmax_with_temperature(inputs, 0.5), layers.softmax_with_temperature(inputs, 0.5))
    np.testing.assert_array_equal(ops.flatten(inputs), layers.flatten(inputs))
    assert ops.flatten(draw(0, 3, 4)).shape == (0, 12)
    np.testing.assert_array_equal(ops.reshape(inputs, (2, 6)), inputs.reshape(2, 2, 6))
    labels = np.array([[4, 0], [200, 1]], np.uint8)
    np.testing.assert_array_equal(ops.one_hot(labels, 300), layers.one_hot(labels.astype(int), 300))
    targets, probabilities = layers.one_hot(np.array([1, 3]), 5), layers.softmax(draw(2, 5)).astype(np.float32)
    close(
        ops.categorical_crossentropy(targets.astype(np.float32), probabilities),
        losses.categorical_crossentropy(targets, probabilities),
    )
    some = np.array([1, 3], np.uint8)
    close(
        ops.sparse_categorical_crossentropy(some, probabilities),
        losses.sparse_categorical_crossentropy(some, probabilities),
    )
    close(ops.mean_squared_error(inputs, inputs / 2), losses.mean_squared_error(inputs, inputs / 2))


@pytest.mark.parametrize("kind", ["valid", "same"])
def test_windows_follow_the_definition(kind):
    ops, images, kernel, bias = implementation.ops, draw(2, 5, 6, 3), draw(3, 2, 3, 4), draw(4)
    window = {"strides": (2, 1), "padding": kind}
    expected = convolution.conv2d(images, kernel, bias, activation="relu", **window)
    close(ops.conv2d(images, kernel, bias, activation="relu", **window), expected)
    pool = {"pool_size": (3, 2), **window}
    close(ops.max_pool2d(images, **pool), convolution.max_pool2d(images, (3, 2), **window))
    close(ops.average_pool2d(images, **pool), convolution.average_pool2d(images, (3, 2), **window))
    upstream = draw(*expected.shape)
    found = ops.conv2d_gradients(images, kernel, bias, upstream, **window)
    # The gradient of a sum that is linear in each factor: it is the sum again, with that factor in its place.
    total = np.sum(upstream * convolution.conv2d(images, kernel, np.zeros(4), **window))
    np.testing.assert_allclose([np.sum(found[0] * images), np.sum(found[1] * kernel)], total, rtol=1e-3)
    close(found[2], upstream.sum((0, 1, 2)))
    least, greatest = convolution.max_pool2d_gradient_limits(images, draw(*expected.shape[:3], 3), (3, 2), **window)
    gradient = ops.max_pool2d_gradient(images, draw(*expected.shape[:3], 3), **pool)
    assert ((gradient >= least - 1e-4) & (gradient <= greatest + 1e-4)).all()


@pytest.mark.parametrize("training", [True, False])
def test_batch_normalization_follows_the_definition(training):
    inputs, gamma, beta, mean, variance = draw(6, 3), draw(3, seed=1), draw(3, seed=2), draw(3), draw(3) ** 2
    moving = normalization.Statistics(mean, variance)
    outputs, moved_mean, moved_variance = implementation.ops.batch_normalization(
        inputs, gamma, beta, mean, variance, training=training
    )
    close(outputs, normalization.batch_normalization(inputs, gamma, beta, moving, training=training))
    expected = normalization.update_moving_statistics(inputs, moving)[0] if training else moving
    close(moved_mean, expected.mean)
    close(moved_variance, expected.variance)
    gradients = implementation.ops.batch_normalization_gradients(
        inputs, gamma, beta, mean, variance, np.ones_like(inputs), training=training
    )
    close(gradients[2], np.full(3, 6))


def test_recurrence_follows_the_definition():
    ops, inputs = implementation.ops, draw(2, 4, 3)
    kernel, recurrent_kernel = draw(3, 5), draw(5, 5)
    close(
        ops.simple_rnn(inputs, kernel, recurrent_kernel, "tanh"),
        recurrence.simple_rnn(inputs, kernel, recurrent_kernel, "tanh"),
    )
    weights = draw(3, 20), draw(5, 20), draw(20)
    for found, expected in zip(ops.lstm(inputs, *weights), recurrence.lstm(inputs, *weights), strict=True):
        close(found, expected)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf"), 1e-60])
def test_temperatures_that_are_no_number_above_0_are_rejected(temperature):
    with pytest.raises(ValueError, match=f"temperature .*{temperature}"):
        implementation.ops.softmax_with_temperature(draw(1, 3), temperature)


def test_nan_among_probabilities_is_rejected():
    with pytest.raises(ValueError, match="NaN"):
        implementation.ops.sample(np.array([[np.nan, 1]], np.float32), 0)


# Sampling, text and accuracy


def test_batches_repeat_with_the_seed_and_differ_from_each_other():
    inputs, targets = np.arange(1000), np.arange(1000) + 1
    first, second = sampling.draw_batches(inputs, targets, 2, 50, seed=5)
    again, _ = sampling.draw_batches(inputs, targets, 2, 50, seed=5)
    np.testing.assert_array_equal(first, again)
    assert (first[0] != second[0]).any()
    np.testing.assert_array_equal(first[0] + 1, first[1])
    # With replacement: 50 draws from 20 examples are possible, and all of these occur in 5000.
    assert {*sampling.draw_indices(20, 5000, 1).tolist()} == {*range(20)}


def test_derived_seeds_are_distinct_and_fit_31_bits():
    seeds = [one for seed in range(100) for one in sampling.derive_seeds(seed, 10)]
    assert len({*seeds}) == 1000
    assert all(0 <= one < 2**31 for one in seeds)
    assert sampling.derive_seeds(1, 3) == sampling.derive_seeds(1, 3)


@given(st.text(st.sampled_from("aB\r\nßİ€ "), max_size=20))
def test_texts_are_encoded_as_defined(content):
    found, expected = text.encode(content.encode()), text_semantics.encode(content.encode())
    assert (found.char_indices, found.indices_char) == (expected.char_indices, expected.indices_char)
    np.testing.assert_array_equal(found.indices, expected.indices)
    assert found.indices.dtype == np.int32


def test_a_text_that_is_not_utf_8_is_rejected():
    with pytest.raises(ValueError, match="utf-8"):
        text.encode(b"\xff")


def test_windows_are_cut_as_defined():
    indices = np.arange(10, dtype=np.int32)
    found = text.view_windows(indices, 4)
    expected = text_semantics.windows(indices, np.arange(6), 4)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
    assert len(text.view_windows(indices, 9)[0]) == 1
    with pytest.raises(ValueError, match=r"\b10 .*\b10\b"):
        text.view_windows(indices, 10)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_generation_slides_the_window_as_defined(count):
    window, generated, seen = np.array([7, 8, 9], np.int32), np.arange(count, dtype=np.int32), []
    for number, (before, place) in zip(generated, text.slide(window, count), strict=True):
        seen.append(before.copy())
        place[:] = number
    expected = text_semantics.windows_before(window, generated)
    np.testing.assert_array_equal(np.reshape(seen, (count, 3)), expected)


def test_generation_follows_the_network():
    parameters = {name: 0 * draw(*shape) for name, shape in networks.parameter_shapes("rnn", 4).items()}
    parameters["dense/bias"] = np.array([0, 0, 99, 0], np.float32)
    found = implementation.text.generate(parameters, np.zeros(3, np.int32), temperature=1.0, count=5, seed=0)
    assert found.tolist() == [2] * 5
    assert found.dtype == np.int32


def test_accuracy_is_counted_as_defined():
    batches = [(np.array([1, 0, 2], np.uint8), draw(3, 3)), (np.zeros(0, int), draw(0, 3)), (np.array([1]), draw(1, 3))]
    state, expected = metric_semantics.SparseCategoricalAccuracy(), []
    for batch in batches:
        state = state.update(*batch)
        expected.append(state.result())
    np.testing.assert_array_equal(metrics.accumulate_accuracy(batches), np.array(expected, np.float32))
    assert metrics.accumulate_accuracy([batches[1]]).tolist() == [0]
    labels, predictions = np.array([0, 1, 2, 0, 1]), np.eye(3, dtype=np.float32)[[0, 1, 2, 1, 1]]
    assert metrics.evaluate(lambda places: predictions[places], np.arange(5), labels, batch_size=2) == 0.8


def test_images_are_preprocessed_as_defined():
    images, labels = np.arange(256, dtype=np.uint8).reshape(4, 8, 8), np.arange(4, dtype=np.uint8)
    found, expected = groups.Datasets().preprocess(images, labels), dataset_semantics.preprocess(images, labels)
    np.testing.assert_array_equal(found[0], expected[0].astype(np.float32))
    assert (found[1].dtype, found[1].tolist()) == (np.int32, [0, 1, 2, 3])


def test_a_training_learns_from_the_batches_that_a_seed_draws():
    images, labels = draw(40, 28, 28, 1), np.arange(40, dtype=np.int32) % 10
    options = {"num_batches": 30, "batch_size": 20, "learning_rate": 3e-3, "seed": 1}
    trained = implementation.training.fit("mlp", images, labels, **options)
    again = implementation.training.fit("mlp", images, labels, **options)
    np.testing.assert_array_equal(trained.losses, again.losses)
    assert trained.losses.shape == (30,)
    assert trained.losses[-5:].mean() < trained.losses[:5].mean()
    accuracy = implementation.training.evaluate("mlp", trained.parameters, images, labels, 16)
    assert accuracy > 0.5


# Deep Q-learning


class KitEnvironment:
    """CartPole of the NumPy alternative, as the kit asks for it."""

    def __init__(self, seed):
        self.inner = CartPole(seed)

    def reset(self):
        return self.inner.reset()

    def step(self, action):
        return episodes.Outcome(*self.inner.step(action))

    def sample(self):
        return self.inner.sample()


@pytest.fixture
def agent():
    return groups.Agent(implementation.networks, KitEnvironment)


def transitions(count, seed=0):
    generator = np.random.default_rng(seed)
    return contract.Transitions(
        draw(count, 4, seed=seed),
        generator.integers(0, 2, count).astype(np.int32),
        draw(count, seed=seed + 1),
        draw(count, 4, seed=seed + 2),
        (generator.random(count) < 0.5).astype(np.float32),
    )


@given(st.integers(0, 200))
def test_epsilon_falls_as_defined(episode):
    schedule = {"num_exploration_episodes": 100, "initial_epsilon": 1.0, "final_epsilon": 0.01}
    assert episodes.compute_epsilon(episode, **schedule) == pytest.approx(q_learning.epsilon(episode, **schedule))


def test_targets_and_learning_follow_the_definition(agent):
    parameters = {name: draw(*shape) / 4 for name, shape in networks.parameter_shapes("q_network").items()}
    batch = transitions(8)
    some = q_learning.Transitions(*batch)
    close(agent.targets("q_network", parameters, batch, 0.9), q_learning.targets("q_network", parameters, some, 0.9))
    loss, gradients = agent.loss_and_gradients("q_network", parameters, batch, 0.9)
    expected_loss, expected = q_learning.loss_and_gradients("q_network", parameters, some, 0.9)
    close(loss, expected_loss)
    for name, gradient in gradients.items():
        close(gradient, expected[name])
    batches = contract.Transitions(*(array.reshape(2, 4, *array.shape[1:]) for array in batch))
    found, _ = agent.learn("q_network", parameters, batches, learning_rate=0.01, gamma=0.9)
    close(found, q_learning.learn("q_network", parameters, q_learning.Transitions(*batches), 0.01, 0.9)[0])


def test_a_buffer_forgets_the_oldest_and_draws_none_twice(agent):
    some = transitions(10)
    kept = agent.replay(4, some)
    for array, expected in zip(kept, some, strict=True):
        np.testing.assert_array_equal(array, expected[-4:])
        assert array.dtype == expected.dtype
    drawn = agent.sample(some, 10, seed=3)
    assert sorted(drawn.rewards) == sorted(some.rewards)
    assert (agent.sample(some, 10, seed=4).rewards != drawn.rewards).any()


def test_actions_are_greedy_or_any(agent):
    parameters = {name: draw(*shape) / 4 for name, shape in networks.parameter_shapes("q_network").items()}
    states = draw(500, 4)
    greedy = q_learning.greedy("q_network", parameters, states)
    np.testing.assert_array_equal(agent.act("q_network", parameters, states, 0.0, seed=0), greedy)
    explored = agent.act("q_network", parameters, states, 1.0, seed=0)
    assert 150 < explored.sum() < 350
    assert (agent.act("q_network", parameters, states, 0.5, seed=0) != greedy).mean() == pytest.approx(0.25, abs=0.1)


def test_episodes_credit_failures_and_go_on_after_them(agent):
    parameters = agent.backend.build("q_network", 0).parameters()
    found = agent.collect(parameters, epsilon=0.5, num_episodes=3, seed=2)
    ends = np.flatnonzero(found.dones)
    assert len(ends) == 3
    assert (found.rewards[ends] == episodes.FAILURE_REWARD).all()
    assert (np.delete(found.rewards, ends) == 1).all()
    inside = np.flatnonzero(found.dones[:-1] == 0)
    np.testing.assert_array_equal(found.next_states[inside], found.states[inside + 1])
    assert agent.play(parameters, 2, seed=0).shape == (2,)


def test_an_agent_learns_after_every_transition_but_the_last(agent):
    options = {"num_exploration_episodes": 5, "initial_epsilon": 1.0, "final_epsilon": 0.1, "max_len_episode": 6}
    learnt = agent.fit(num_episodes=2, buffer_size=100, batch_size=3, learning_rate=1e-3, gamma=0.9, seed=0, **options)
    # No pole falls within six steps, so both episodes are left after them and none of their steps is an end.
    assert learnt.scores.tolist() == [5, 5]
    assert len(learnt.losses) == 4 + 6


def test_frames_are_stacked_as_defined():
    frames = np.random.default_rng(0).integers(0, 256, (4, 30, 40, 3)).astype(np.uint8)
    found = groups.Agent(implementation.networks, KitEnvironment).stack_frames(frames, (21, 17))
    close(found, q_learning.stack_frames(frames, (21, 17)))


class FakeGymnasium:
    """What the kit uses of an environment of Gymnasium."""

    def __init__(self):
        self.seeds, self.action_space = [], self

    def reset(self, *, seed=None):
        self.seeds.append(seed)
        return np.zeros(4, np.float32), {}

    def seed(self, seed):
        self.seeds.append(seed)

    def sample(self):
        return np.int64(1)

    def step(self, action):
        return np.full(4, action, np.float32), 1, np.True_, False, {}


def test_an_environment_of_gymnasium_is_seeded_once():
    inner = FakeGymnasium()
    environment = episodes.Gymnasium(inner, 7)
    [(transition, over)] = episodes.play_episode(environment, lambda _: environment.sample(), 10)
    assert inner.seeds == [7, 7, None]
    assert over
    assert transition[1:3] == (1, episodes.FAILURE_REWARD)


# The adapter


def test_an_adapter_has_every_function_of_its_groups():
    assert set(implementation.groups) == set(GROUPS)
    for group in GROUPS:
        assert [name for name in functions(group) if not hasattr(getattr(implementation, group), name)] == []
    assert [name for name in functions("agent") if not hasattr(groups.Agent, name)] == []


def test_an_adapter_without_an_environment_or_a_gpu_says_so():
    adapter = KitImplementation()
    adapter.name = "mine"
    with pytest.raises(RuntimeError, match=r"mine .*'gpu'"):
        adapter.start("gpu")
    with pytest.raises(NotImplementedError):
        adapter.make_environment(0)


def test_a_framework_that_lacks_a_function_cannot_be_made():
    members = {name: getattr(Autograd, name) for name in Framework.__abstractmethods__ if name != "dense"}
    with pytest.raises(TypeError, match="dense"):
        type("Lacking", (Framework,), members)()
