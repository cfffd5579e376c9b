"""Faults of Q-networks that only the game's network, a single state, a large batch or a second seed shows."""

from types import SimpleNamespace

import numpy as np

from assay.alternatives.numpy.cart_pole import Environment
from assay.alternatives.numpy.environments import episode_of, take_steps
from assay.contract import Transitions
from assay.spec.semantics import q_learning
from assay.spec.semantics.initializers import fans
from doubles.faulty import Fault

CNN, NETWORK = "q_cnn", "q_network"
# As many actions as CartPole has, where the game has four.
TWO = 2


def push_right_at_0(_policy, weights, seed):
    """Push to the right where the product is 0."""
    return episode_of(take_steps(Environment(seed), lambda state: int(weights @ state >= 0)))


def value_two_actions(_targets, model, parameters, transitions, gamma):
    """Take the better one of the first two actions."""
    states, ends = Transitions(*transitions).next_states, Transitions(*transitions).dones
    best = q_learning.q_values(model, parameters, states)[:, :TWO].max(axis=1)
    return Transitions(*transitions).rewards + np.float32(gamma) * best * (1 - ends)


def learn_two_actions(right, model, parameters, transitions, gamma):
    """Give no gradient to the last layer of an action after the second."""
    loss, gradients = right(model, parameters, transitions, gamma)
    if model == CNN:
        known = (np.arange(4) < TWO).astype(np.float32)
        gradients = dict(gradients) | {name: gradients[name] * known for name in ("dense2/kernel", "dense2/bias")}
    return loss, gradients


def read_frames_from_memory(right, model, parameters, states, *others):
    """Take the elements of frames in the order that they have in memory."""
    if model == CNN:
        states = np.ravel(states, order="K").reshape(states.shape)
    return right(model, parameters, states, *others)


def value_first_state(right, model, parameters, transitions, gamma):
    """Take the first of next frames for all."""
    transitions = Transitions(*transitions)
    frames = np.broadcast_to(transitions.next_states[:1], transitions.next_states.shape).copy()
    return right(model, parameters, transitions._replace(next_states=frames) if model == CNN else transitions, gamma)


def with_gradient(name, change):
    """Return `loss_and_gradients` that is wrong in one gradient of the CNN."""

    def wrong(right, model, parameters, transitions, gamma):
        loss, gradients = right(model, parameters, transitions, gamma)
        return loss, dict(gradients) | ({name: change(gradients[name])} if model == CNN else {})

    return wrong


def sum_losses(right, model, parameters, transitions, gamma):
    """Add up the examples where states are frames."""
    loss, gradients = right(model, parameters, transitions, gamma)
    count = np.float32(len(transitions[0]) if model == CNN else 1)
    return loss * count, {name: gradient * count for name, gradient in gradients.items()}


def learn_dense_layers(right, model, parameters, transitions, **options):
    """Leave the convolutions as they are."""
    losses, last = right(model, parameters, transitions, **options)
    return losses, {name: parameters[name] if name.startswith("conv") else value for name, value in last.items()}


def learn_without_discount(right, model, parameters, transitions, *, learning_rate, gamma):
    """Take a discount factor of 1 where states are frames."""
    gamma = 1.0 if model == CNN else gamma
    return right(model, parameters, transitions, learning_rate=learning_rate, gamma=gamma)


def learn_first_batch(right, model, parameters, transitions, **options):
    """Take the first batch of frames again and again."""
    batches = [np.repeat(values[:1], len(values), axis=0) if model == CNN else values for values in transitions]
    return right(model, parameters, Transitions(*batches), **options)


def with_epsilon(change):
    """Return `act` that explores by another epsilon: a change of (model, states, epsilon, seed)."""

    def wrong(right, model, parameters, states, epsilon, seed):
        return right(model, parameters, states, change(model, states, epsilon, seed), seed)

    return wrong


def toss_once(model, _states, epsilon, seed):
    """Explore in all states of frames or in none."""
    return float(np.random.default_rng(seed).random() < epsilon) if model == CNN else epsilon


def act_unseeded(right, model, parameters, states, epsilon, seed):
    """Draw for a single state always the same."""
    return right(model, parameters, states, epsilon, seed if len(states) > 1 else 0)


def new(which, change):
    """Return `initial_parameters` whose result for a model is changed: (kernels and biases, generator) to new ones."""

    def wrong(right, model, seed):
        parameters = dict(right(model, seed))
        return parameters | change(parameters, np.random.default_rng(seed)) if model == which else parameters

    return wrong


def by_seed(which, seed_of):
    """Return `initial_parameters` that takes another seed for a model."""
    return lambda right, model, seed: right(model, seed_of(seed) if model == which else seed)


def drawn_by(deviation_of):
    """Return a change of kernels to normal ones, of a deviation that depends on both fans."""

    def change(parameters, generator):
        kernels = {name: value.shape for name, value in parameters.items() if name.endswith("kernel")}
        return {
            name: generator.normal(0, deviation_of(*fans(shape)), shape).astype(np.float32)
            for name, shape in kernels.items()
        }

    return change


def reverse_others(right, model, parameters, inputs):
    """Give the outputs of all frames but the first in reverse."""
    found = right(model, parameters, inputs)
    return {name: np.concatenate([of[:1], of[1:][::-1]]) if model == CNN else of for name, of in found.items()}


def clip_states(right, model, parameters, inputs):
    """Clip the numbers of states."""
    return right(model, parameters, np.clip(inputs, -5, 5) if model == NETWORK else inputs)


def value_one_block(right, model, parameters, inputs):
    """Leave out what is after the first 64 states."""
    found = dict(right(model, parameters, inputs))
    if model == NETWORK:
        found["dense3"] = np.where(np.arange(len(inputs))[:, None] < 64, found["dense3"], 0).astype(np.float32)
    return found


def compare_roughly(right, **options):
    """Round scores before they are compared."""
    import tensorflow as tf  # noqa: PLC0415 - faults of NumPy load no framework

    class Wrong(type(right(**options))):
        def update_state(self, y_true, y_pred, sample_weight=None):
            return super().update_state(y_true, tf.round(tf.convert_to_tensor(y_pred) * 1e4), sample_weight)

    return Wrong(**options)


def damp_momentum(namespace):
    """Multiply the learning rate by what momentum leaves of it."""

    class SGD(namespace.optimizers.SGD):
        def __init__(self, learning_rate=0.01, momentum=0.0, **options):
            super().__init__(learning_rate * (1 - momentum), momentum, **options)

    return Exchanged(namespace, optimizers=Exchanged(namespace.optimizers, SGD=SGD))


class Exchanged(SimpleNamespace):
    """A module with some of its names exchanged."""

    def __init__(self, module, **names):
        """Take the module, and what is exchanged."""
        super().__init__(module=module, **names)

    def __getattr__(self, name):
        """Return what is not exchanged."""
        return getattr(self.module, name)


GRADIENTS, INITIAL, OUTPUTS = "agent.loss_and_gradients", "models.initial_parameters", "models.layer_outputs"

Q_NETWORK_FAULTS = {
    "pushes_right_at_0": Fault(
        "environments.run_linear_policy", "cartpole.policy-at-0", "states after a step", push_right_at_0
    ),
    "values_two_actions": Fault("agent.targets", "pixels.cnn-loss-of-each-action", "y", value_two_actions),
    "learns_two_actions": Fault(
        GRADIENTS, "pixels.cnn-loss-of-each-action", "gradient for dense2/bias", learn_two_actions
    ),
    "values_first_frames": Fault("agent.targets", "pixels.cnn-target", "y", value_first_state),
    "cnn_bias_without_gradient": Fault(
        GRADIENTS, "pixels.cnn-gradients", "conv1/bias", with_gradient("conv1/bias", np.zeros_like)
    ),
    "cnn_kernel_gradient_flipped": Fault(
        GRADIENTS, "pixels.cnn-gradients", "conv2/kernel", with_gradient("conv2/kernel", lambda of: of[::-1, ::-1])
    ),
    "cnn_sums_losses": Fault(GRADIENTS, "pixels.cnn-loss-of-each-action", "the loss", sum_losses),
    "cnn_freezes_convolutions": Fault(
        "agent.learn", "pixels.cnn-every-parameter-learns", "conv1/kernel", learn_dense_layers
    ),
    "cnn_learns_without_discount": Fault(
        "agent.learn", "pixels.cnn-learns-by-its-arguments", "the losses", learn_without_discount
    ),
    "cnn_learns_first_batch": Fault(
        "agent.learn", "pixels.cnn-learns-by-its-arguments", "the losses", learn_first_batch
    ),
    "never_explores_in_one_state": Fault(
        "agent.act",
        "q_learning.explores-in-one-state",
        "single actions",
        with_epsilon(lambda _model, states, epsilon, _seed: epsilon * (len(states) > 1)),
    ),
    "explores_one_state_unseeded": Fault(
        "agent.act", "q_learning.explores-in-one-state", "single actions", act_unseeded
    ),
    "rounds_epsilon": Fault(
        "agent.act", "q_learning.explores", "not the greedy one", with_epsilon(lambda *given: round(given[2], 1))
    ),
    "cnn_explores_always": Fault(
        "agent.act",
        "pixels.cnn-explores",
        "not the greedy one",
        with_epsilon(lambda model, _states, epsilon, _seed: float(epsilon > 0) if model == CNN else epsilon),
    ),
    "cnn_tosses_once": Fault("agent.act", "pixels.cnn-explores", "not the greedy one", with_epsilon(toss_once)),
    "cnn_biases_not_0": Fault(
        INITIAL,
        "pixels.cnn-initial-parameters",
        "conv1/bias",
        new(CNN, lambda given, _: {name: given[name] + np.float32(0.01) for name in given if name.endswith("bias")}),
    ),
    "cnn_kernels_he_normal": Fault(
        INITIAL,
        "pixels.cnn-initial-parameters",
        "conv1/kernel",
        new(CNN, drawn_by(lambda fan_in, _: np.sqrt(2 / fan_in))),
    ),
    "cnn_kernels_glorot_normal": Fault(
        INITIAL,
        "pixels.cnn-initial-parameters",
        "conv1/kernel",
        new(CNN, drawn_by(lambda fan_in, fan_out: np.sqrt(2 / (fan_in + fan_out)))),
    ),
    "cnn_ignores_seed": Fault(INITIAL, "pixels.cnn-initial-seed", "the seeds", by_seed(CNN, lambda _: 0)),
    "cnn_repeats_filters": Fault(
        INITIAL,
        "pixels.cnn-initial-weights-differ",
        "conv1/kernel",
        new(CNN, lambda given, _: {"conv1/kernel": np.repeat(given["conv1/kernel"][..., ::2], 2, axis=-1)}),
    ),
    "network_ignores_seed": Fault(
        INITIAL, "q_learning.new-networks-differ", "the seeds", by_seed(NETWORK, lambda _: 0)
    ),
    "network_is_unseeded": Fault(
        INITIAL,
        "q_learning.initial-seed",
        "with the same seed",
        by_seed(NETWORK, lambda _: int(np.random.default_rng().integers(2**31))),
    ),
    "network_repeats_rows": Fault(
        INITIAL,
        "q_learning.initial-weights-differ",
        "dense2/kernel",
        new(NETWORK, lambda given, _: {"dense2/kernel": np.tile(given["dense2/kernel"][:12], (2, 1))}),
    ),
    "network_drawn_coarsely": Fault(
        INITIAL,
        "q_learning.initial-weights-differ",
        "repeat another one",
        new(NETWORK, lambda given, _: {name: of.astype(np.float16).astype(np.float32) for name, of in given.items()}),
    ),
    "cnn_reads_frames_from_memory": Fault(
        "agent.act", "pixels.cnn-greedy-of-each", "transposed in memory", read_frames_from_memory
    ),
    "cnn_reverses_batch": Fault(OUTPUTS, "pixels.cnn-values-each-state", "largest values", reverse_others),
    "network_clips_states": Fault(OUTPUTS, "q_learning.values-of-any-batch", "dense3", clip_states),
    "network_values_one_block": Fault(OUTPUTS, "q_learning.values-of-any-batch", "dense3", value_one_block),
    "metric_compares_roughly": Fault(
        "keras.sparse_categorical_accuracy",
        "custom_loss_metric.robust-metric-close-scores",
        "scores near 1",
        compare_roughly,
    ),
    "sgd_damps_momentum": Fault("keras.namespace", "model.sgd-momentum", "after step 1", damp_momentum),
}
