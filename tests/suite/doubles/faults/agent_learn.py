"""Faults of how the agent learns from a batch: its loss, gradients and steps."""

import numpy as np
from autograd import value_and_grad

from assay.alternatives.numpy.agent import Learner
from assay.contract import Transitions
from assay.spec.semantics import q_learning
from doubles.faulty import Fault
from doubles.kept_results import keeping_results
from doubles.memory_order import in_memory_order, reading

CNN = "q_cnn"


# As many actions as CartPole has, where the game has four.
TWO = 2


def leave_out_gradients_of_0(loss_and_gradients, model, parameters, transitions, gamma):
    """Return no gradient for a parameter on which the loss does not depend."""
    loss, gradients = loss_and_gradients(model, parameters, transitions, gamma)
    return loss, {name: gradient for name, gradient in gradients.items() if gradient.any()}


def target_not_held_fixed(_loss_and_gradients, model, parameters, transitions, gamma):
    """Differentiate y as well."""
    batch = Transitions(*transitions)

    def loss(parameters):
        y = q_learning.targets(model, parameters, batch, gamma)
        return q_learning.loss(model, parameters, batch.states, batch.actions, y)

    found, gradients = value_and_grad(loss)(parameters)
    return found, {name: gradient.astype(np.float32) for name, gradient in gradients.items()}


def loss_over_32(loss_and_gradients, model, parameters, transitions, gamma):
    """Divide by the document's batch size."""
    loss, gradients = loss_and_gradients(model, parameters, transitions, gamma)
    share = np.float32(len(transitions[1]) / 32)
    return loss * share, {name: gradient * share for name, gradient in gradients.items()}


def loss_of_gamma_1(loss_and_gradients, model, parameters, transitions, gamma):
    """Leave gamma out."""
    return loss_and_gradients(model, parameters, transitions, 1.0)


def last_transition_missing(loss_and_gradients, model, parameters, transitions, gamma):
    """Drop the last of an odd number."""
    even = len(transitions[1]) // 2 * 2
    return loss_and_gradients(model, parameters, Transitions(*(values[:even] for values in transitions)), gamma)


def gradients_clipped(loss_and_gradients, model, parameters, transitions, gamma):
    """Clip every gradient at 1."""
    loss, gradients = loss_and_gradients(model, parameters, transitions, gamma)
    return loss, {name: np.clip(gradient, -1, 1) for name, gradient in gradients.items()}


def half_of_a_single_loss(loss_and_gradients, model, parameters, transitions, gamma):
    """Halve the loss of a single transition."""
    loss, gradients = loss_and_gradients(model, parameters, transitions, gamma)
    scale = np.float32(0.5 if len(transitions[1]) == 1 else 1)
    return loss * scale, {name: value * scale for name, value in gradients.items()}


def large_losses_damped(loss_and_gradients, *arguments, **options):
    """Halve the gradients of a large loss."""
    loss, gradients = loss_and_gradients(*arguments, **options)
    share = np.float32(0.5 if loss > 1_000 else 1)
    return loss, {name: share * gradient for name, gradient in gradients.items()}


def ends_of_all_ignored(loss_and_gradients, model, parameters, transitions, gamma):
    """Differentiate as if no transition failed, where all do."""
    loss, gradients = loss_and_gradients(model, parameters, transitions, gamma)
    if np.all(transitions[4]):
        ongoing = Transitions(*transitions)._replace(dones=np.zeros_like(transitions[4]))
        gradients = loss_and_gradients(model, parameters, ongoing, gamma)[1]
    return loss, gradients


def learn_two_actions(right, model, parameters, transitions, gamma):
    """Give no gradient to the last layer of an action after the second."""
    loss, gradients = right(model, parameters, transitions, gamma)
    if model == CNN:
        known = (np.arange(4) < TWO).astype(np.float32)
        gradients = dict(gradients) | {name: gradients[name] * known for name in ("dense2/kernel", "dense2/bias")}
    return loss, gradients


def sum_losses(right, model, parameters, transitions, gamma):
    """Add up the examples where states are frames."""
    loss, gradients = right(model, parameters, transitions, gamma)
    count = np.float32(len(transitions[0]) if model == CNN else 1)
    return loss * count, {name: gradient * count for name, gradient in gradients.items()}


def with_gradient(name, change):
    """Return `loss_and_gradients` that is wrong in one gradient of the CNN."""

    def wrong(right, model, parameters, transitions, gamma):
        loss, gradients = right(model, parameters, transitions, gamma)
        return loss, dict(gradients) | ({name: change(gradients[name])} if model == CNN else {})

    return wrong


def target_network_never_synchronised(learn, model, parameters, transitions, *, learning_rate, gamma):
    """Make y by the parameters from before the first step, as a target network would that is never brought up."""
    batches = Transitions(*transitions)
    values = [q_learning.targets(model, parameters, Transitions(*batch), gamma) for batch in zip(*batches, strict=True)]
    fixed = batches._replace(rewards=np.stack(values), dones=np.ones_like(batches.dones))
    return learn(model, parameters, fixed, learning_rate=learning_rate, gamma=gamma)


def learning_with(**changes):
    """Return `learn` with other arguments."""
    return lambda learn, *args, **options: learn(*args, **options | changes)


def learning_twice(learn, model, parameters, transitions, **options):
    """Take each step twice."""
    twice = Transitions(*(np.repeat(values, 2, axis=0) for values in transitions))
    losses, last = learn(model, parameters, twice, **options)
    return losses[::2].copy(), last


def learning_but_the_last(learn, model, parameters, transitions, **options):
    """Take no step with the last batch."""
    losses, _ = learn(model, parameters, transitions, **options)
    _, last = learn(model, parameters, Transitions(*(values[:-1] for values in transitions)), **options)
    return losses, last


def learning_anew_each_step(learn, model, parameters, transitions, **options):
    """Make a new Adam for each batch."""
    losses = []
    for batch in zip(*transitions, strict=True):
        one, parameters = learn(model, parameters, Transitions(*(values[None] for values in batch)), **options)
        losses.append(one[0])
    return np.array(losses, np.float32), parameters


def rate_of_zero_replaced(learn, model, parameters, transitions, *, learning_rate, gamma):
    """Take the default for a learning rate of 0."""
    return learn(model, parameters, transitions, learning_rate=learning_rate or 0.001, gamma=gamma)


def learn_without_small_losses(_learn, model, parameters, transitions, *, learning_rate, gamma):
    """Take no step where there is next to no error."""
    learner, losses = Learner(model, parameters, learning_rate, gamma), []
    for batch in zip(*transitions, strict=True):
        loss, gradients = learner.loss_and_gradients(Transitions(*batch), gamma)
        if loss > 1e-3:
            learner.optimizer.step(learner.parameters, gradients)
        losses.append(loss)
    return np.array(losses, np.float32), learner.parameters


def learn_nothing_of_single_transitions(learn, model, parameters, transitions, *, learning_rate, gamma):
    """Take no step with batches of one."""
    rate = learning_rate if np.shape(transitions[1])[1] > 1 else 0.0
    return learn(model, parameters, transitions, learning_rate=rate, gamma=gamma)


# What a fault keeps from one call to the next.
kept = {}


def learning_on(_learn, model, parameters, transitions, *, learning_rate, gamma):
    """Go on with the moments of the call before."""
    learner = Learner(model, parameters, learning_rate, gamma)
    learner.optimizer = kept.setdefault("adam", learner.optimizer)
    learner.optimizer.learning_rate = learning_rate
    losses = [learner.learn(Transitions(*batch)) for batch in zip(*transitions, strict=True)]
    return np.array(losses, np.float32), learner.parameters


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


FAULTS = {
    "leave_out_gradients_of_0": Fault(
        "agent.loss_and_gradients", "q_learning.gradients", "loss_and_gradients has no", leave_out_gradients_of_0
    ),
    "target_not_held_fixed": Fault(
        "agent.loss_and_gradients", "q_learning.target-held-fixed", "times the bound", target_not_held_fixed
    ),
    "loss_over_32": Fault(
        "agent.loss_and_gradients", "q_learning.gradients-of-any-batch", "loss_and_gradients", loss_over_32
    ),
    "loss_of_gamma_1": Fault(
        "agent.loss_and_gradients", "q_learning.gradients-of-any-batch", "loss_and_gradients", loss_of_gamma_1
    ),
    "last_transition_missing": Fault(
        "agent.loss_and_gradients", "q_learning.gradients-of-any-batch", "loss_and_gradients", last_transition_missing
    ),
    "q_gradients_clipped": Fault(
        "agent.loss_and_gradients", "q_learning.gradients-of-any-batch", "loss_and_gradients", gradients_clipped
    ),
    "half_of_a_single_loss": Fault(
        "agent.loss_and_gradients", "q_learning.gradients-of-any-batch", "loss", half_of_a_single_loss
    ),
    "large_losses_damped": Fault(
        "agent.loss_and_gradients", "q_learning.gradients-of-any-batch", "loss_and_gradients", large_losses_damped
    ),
    "ends_of_all_ignored": Fault(
        "agent.loss_and_gradients", "q_learning.gradients-of-any-batch", "loss_and_gradients", ends_of_all_ignored
    ),
    "agent_loss_and_gradients_kept_whatever_states": Fault(
        "agent.loss_and_gradients",
        "q_learning.gradients-of-any-batch",
        "loss_and_gradients returns the same as before for another",
        keeping_results("agent.loss_and_gradients", "states"),
    ),
    "learns_two_actions": Fault(
        "agent.loss_and_gradients", "pixels.cnn-loss-of-each-action", "gradient for dense2/bias", learn_two_actions
    ),
    "cnn_sums_losses": Fault("agent.loss_and_gradients", "pixels.cnn-loss-of-each-action", "the loss", sum_losses),
    "cnn_bias_without_gradient": Fault(
        "agent.loss_and_gradients", "pixels.cnn-gradients", "conv1/bias", with_gradient("conv1/bias", np.zeros_like)
    ),
    "cnn_kernel_gradient_flipped": Fault(
        "agent.loss_and_gradients",
        "pixels.cnn-gradients",
        "conv2/kernel",
        with_gradient("conv2/kernel", lambda of: of[::-1, ::-1]),
    ),
    "target_network_never_synchronised": Fault(
        "agent.learn", "q_learning.target-moves", "'losses'", target_network_never_synchronised
    ),
    "learning_rate_of_the_document": Fault(
        "agent.learn", "q_learning.learns-by-its-arguments", "the losses", learning_with(learning_rate=0.001)
    ),
    "learning_gamma_of_the_document": Fault(
        "agent.learn", "q_learning.learns-by-its-arguments", "the losses", learning_with(gamma=1.0)
    ),
    "learning_twice": Fault("agent.learn", "q_learning.learns-by-its-arguments", "the losses", learning_twice),
    "learning_but_the_last": Fault(
        "agent.learn", "q_learning.learns-by-its-arguments", "dense3/bias", learning_but_the_last
    ),
    "learning_anew_each_step": Fault(
        "agent.learn", "q_learning.learns-by-its-arguments", "dense3", learning_anew_each_step
    ),
    "rate_of_zero_learnt_by": Fault(
        "agent.learn", "q_learning.learns-by-its-arguments", "the losses", rate_of_zero_replaced
    ),
    "agent_learn_kept_whatever_parameters": Fault(
        "agent.learn",
        "q_learning.learns-by-its-arguments",
        "learn returns the same as before for another",
        keeping_results("agent.learn", "parameters"),
    ),
    "agent_learn_kept_whatever_gamma": Fault(
        "agent.learn",
        "q_learning.learns-by-its-arguments",
        "learn returns the same as before for another",
        keeping_results("agent.learn", "gamma"),
    ),
    "agent_learn_kept_whatever_dones": Fault(
        "agent.learn",
        "q_learning.learns-by-its-arguments",
        "learn returns the same as before for another",
        keeping_results("agent.learn", "dones"),
    ),
    "learn_without_small_losses": Fault(
        "agent.learn", "q_learning.learns-from-each-batch", "the losses", learn_without_small_losses
    ),
    "learn_nothing_of_single_transitions": Fault(
        "agent.learn", "q_learning.learns-from-each-batch", "dense3/bias", learn_nothing_of_single_transitions
    ),
    "learn_by_memory": Fault(
        "agent.learn", "q_learning.memory-order", "learn, arrays transposed", reading(in_memory_order, 1)
    ),
    "learning_on": Fault("agent.learn", "q_learning.learns-anew", "of the same learning steps once more", learning_on),
    "cnn_freezes_convolutions": Fault(
        "agent.learn", "pixels.cnn-every-parameter-learns", "conv1/kernel", learn_dense_layers
    ),
    "cnn_learns_without_discount": Fault(
        "agent.learn", "pixels.cnn-learns-by-its-arguments", "the losses", learn_without_discount
    ),
    "cnn_learns_first_batch": Fault(
        "agent.learn", "pixels.cnn-learns-by-its-arguments", "the losses", learn_first_batch
    ),
}
