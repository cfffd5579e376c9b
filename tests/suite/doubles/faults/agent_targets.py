"""Faults of the targets that the agent learns."""

import numpy as np

from assay.contract import Transitions
from assay.spec.semantics import q_learning
from doubles.agent_acting import values_of
from doubles.faulty import Fault
from doubles.kept_results import keeping_results

# As many actions as CartPole has, where the game has four.
TWO = 2


CNN = "q_cnn"


def done_mask_missing(targets, model, parameters, transitions, gamma):
    """Value what follows a failure."""
    alive = Transitions(*transitions)
    return targets(model, parameters, alive._replace(dones=np.zeros_like(alive.dones)), gamma)


def maximum_over_the_batch(_targets, model, parameters, transitions, gamma):
    """Take the largest value of each action, where there are as many transitions as actions, or else of all."""
    batch = Transitions(*transitions)
    values = q_learning.q_values(model, parameters, batch.next_states)
    best = values.max(axis=0 if values.shape[0] == values.shape[1] else None)
    return (batch.rewards + np.float32(gamma) * best * (1 - batch.dones)).astype(np.float32)


def target_by(rule):
    """Return `targets` by another rule: (rewards, values, actions, dones, gamma) to y."""

    def wrong(_targets, model, parameters, transitions, gamma):
        batch = Transitions(*transitions)
        values = values_of(model, parameters, batch.next_states)
        return rule(batch, values, np.float32(gamma)).astype(np.float32)

    return wrong


def target_of_one_alone(targets, *arguments):
    """Drop the axis of a single y."""
    found = targets(*arguments)
    return found.reshape(()) if len(found) == 1 else found


# What a fault keeps from one call to the next.
kept = {}


def targets_of_the_first_parameters(targets, model, parameters, transitions, gamma):
    """Go on with the parameters of the first call."""
    return targets(model, kept.setdefault("targets", parameters), transitions, gamma)


def value_two_actions(_targets, model, parameters, transitions, gamma):
    """Take the better one of the first two actions."""
    states, ends = Transitions(*transitions).next_states, Transitions(*transitions).dones
    best = q_learning.q_values(model, parameters, states)[:, :TWO].max(axis=1)
    return Transitions(*transitions).rewards + np.float32(gamma) * best * (1 - ends)


def value_first_state(right, model, parameters, transitions, gamma):
    """Take the first of next frames for all."""
    transitions = Transitions(*transitions)
    frames = np.broadcast_to(transitions.next_states[:1], transitions.next_states.shape).copy()
    return right(model, parameters, transitions._replace(next_states=frames) if model == CNN else transitions, gamma)


FAULTS = {
    "done_mask_missing": Fault("agent.targets", "q_learning.target-of-failure", "expected -10", done_mask_missing),
    "maximum_over_the_batch": Fault("agent.targets", "q_learning.target-of-each", "'y'", maximum_over_the_batch),
    "targets_positive": Fault(
        "agent.targets",
        "q_learning.targets-of-any-batch",
        "'y'",
        target_by(lambda b, v, g: b.rewards + g * np.maximum(v, 0).max(axis=1) * (1 - b.dones)),
    ),
    "targets_of_clipped_rewards": Fault(
        "agent.targets",
        "q_learning.targets-of-any-batch",
        "'y'",
        target_by(lambda b, v, g: np.clip(b.rewards, -10, 1) + g * v.max(axis=1) * (1 - b.dones)),
    ),
    "targets_marked_by_rewards": Fault(
        "agent.targets",
        "q_learning.targets-of-any-batch",
        "'y'",
        target_by(lambda b, v, g: b.rewards + g * v.max(axis=1) * (b.rewards > 0)),
    ),
    "targets_of_the_first_action": Fault(
        "agent.targets",
        "q_learning.targets-of-any-batch",
        "'y'",
        target_by(lambda b, v, g: b.rewards + g * v[:, 0] * (1 - b.dones)),
    ),
    "targets_of_the_action_taken": Fault(
        "agent.targets",
        "q_learning.targets-of-any-batch",
        "'y'",
        target_by(lambda b, v, g: b.rewards + g * v[np.arange(len(v)), b.actions] * (1 - b.dones)),
    ),
    "targets_discounting_the_reward": Fault(
        "agent.targets",
        "q_learning.targets-of-any-batch",
        "'y'",
        target_by(lambda b, v, g: g * (b.rewards + v.max(axis=1) * (1 - b.dones))),
    ),
    "targets_of_whole_blocks": Fault(
        "agent.targets",
        "q_learning.targets-of-any-batch",
        "'y'",
        target_by(
            lambda b, v, g: (
                b.rewards + g * v.max(axis=1) * (1 - b.dones) * (np.arange(len(v)) < max(len(v) // 128 * 128, 64))
            )
        ),
    ),
    "targets_of_32": Fault(
        "agent.targets",
        "q_learning.targets-of-any-batch",
        "'y'",
        target_by(lambda b, v, g: b.rewards + g * v.max(axis=1) * (1 - b.dones) * (np.arange(len(v)) < 32)),
    ),
    "target_of_one_alone": Fault("agent.targets", "q_learning.targets-of-any-batch", "[1]", target_of_one_alone),
    "targets_of_the_first_parameters": Fault(
        "agent.targets", "q_learning.targets-by-the-parameters", "y:", targets_of_the_first_parameters
    ),
    "agent_targets_kept_whatever_rewards": Fault(
        "agent.targets",
        "q_learning.targets-by-the-parameters",
        "targets returns the same as before for another",
        keeping_results("agent.targets", "rewards"),
    ),
    "agent_targets_kept_whatever_next_states": Fault(
        "agent.targets",
        "q_learning.targets-by-the-parameters",
        "targets returns the same as before for another",
        keeping_results("agent.targets", "next_states"),
    ),
    "values_two_actions": Fault("agent.targets", "pixels.cnn-loss-of-each-action", "y", value_two_actions),
    "values_first_frames": Fault("agent.targets", "pixels.cnn-target", "y", value_first_state),
}
