"""Faults of how the agent chooses the best actions."""

import numpy as np

from assay.alternatives.numpy import agent as right
from doubles.agent_acting import acting
from doubles.faulty import Fault
from doubles.memory_order import in_memory_order, reading

CNN = "q_cnn"


def argmin_policy(act, model, parameters, states, epsilon, seed):
    """Take the worst action."""
    return 1 - act(model, parameters, states, epsilon, seed)


def of_greedy(change):
    """Return `act` whose greedy actions are changed, and whose explored ones are right."""
    return acting(
        lambda values, epsilon, generator: np.where(
            generator.random(len(values)) < epsilon,
            generator.integers(0, values.shape[1], len(values)),
            change(values.argmax(axis=1), values),
        )
    )


def near_values_alike(act, model, parameters, states, epsilon, seed):
    """Take the first action where values differ by little."""
    values = np.sort(right.QNetwork(model, parameters).values(states), axis=1)
    alike = values[:, -1] - values[:, -2] < 1e-3
    return np.where(alike, 0, act(model, parameters, states, epsilon, seed)).astype(np.int32)


def states_in_half(act, model, parameters, states, epsilon, seed):
    """Cut states to float16."""
    with np.errstate(over="ignore", invalid="ignore"):
        return act(model, parameters, states.astype(np.float16).astype(np.float32), epsilon, seed)


# What a fault keeps from one call to the next.
kept = {}


def first_parameters(act, model, parameters, *args):
    """Go on with the parameters of the first call."""
    return act(model, kept.setdefault(model, parameters), *args)


def relatively_near_values_alike(act, model, parameters, states, epsilon, seed):
    """Take the first action where values differ by little of their size."""
    values = np.sort(right.QNetwork(model, parameters).values(states), axis=1)
    alike = np.isclose(values[:, -1], values[:, -2], rtol=1e-5, atol=0)
    return np.where(alike, 0, act(model, parameters, states, epsilon, seed)).astype(np.int32)


def read_frames_from_memory(right, model, parameters, states, *others):
    """Take the elements of frames in the order that they have in memory."""
    if model == CNN:
        states = np.ravel(states, order="K").reshape(states.shape)
    return right(model, parameters, states, *others)


def act_by_the_last_frame(act, model, parameters, states, epsilon, seed):
    """Look at the last frame alone."""
    if states.ndim > 2:
        states = np.repeat(states[..., -1:], states.shape[-1], axis=-1)
    return act(model, parameters, states, epsilon, seed)


FAULTS = {
    "argmin_policy": Fault("agent.act", "q_learning.argmax-of-the-last-axis", "the greedy actions", argmin_policy),
    "act_by_the_first_state": Fault(
        "agent.act",
        "q_learning.greedy-of-each-state",
        "the greedy actions",
        of_greedy(lambda a, _: np.full_like(a, a[0])),
    ),
    "act_in_reverse": Fault(
        "agent.act", "q_learning.greedy-of-each-state", "the greedy actions", of_greedy(lambda a, _: a[::-1])
    ),
    "act_without_states": Fault(
        "agent.act", "q_learning.greedy-of-each-state", "the greedy actions", of_greedy(lambda a, _: np.ones_like(a))
    ),
    "act_by_the_last_state": Fault(
        "agent.act",
        "q_learning.greedy-of-each-state",
        "the greedy actions",
        of_greedy(lambda a, _: np.full_like(a, a[-1])),
    ),
    "act_one_place_on": Fault(
        "agent.act", "q_learning.greedy-of-each-state", "the greedy actions", of_greedy(lambda a, _: np.roll(a, 1))
    ),
    "act_by_the_majority": Fault(
        "agent.act",
        "q_learning.greedy-of-each-state",
        "the greedy actions",
        of_greedy(lambda a, v: np.full_like(a, v.sum(axis=0).argmax())),
    ),
    "act_on_whole_blocks": Fault(
        "agent.act",
        "q_learning.greedy-of-each-state",
        "the greedy actions",
        of_greedy(lambda a, _: np.where(np.arange(len(a)) < max(len(a) // 128 * 128, 128), a, 0)),
    ),
    "act_by_softmax": Fault(
        "agent.act",
        "q_learning.greedy-of-each-state",
        "the greedy actions",
        acting(lambda v, e, g: (v + g.gumbel(size=v.shape)).argmax(axis=1)),
    ),
    "near_values_alike": Fault("agent.act", "q_learning.greedy-of-each-state", "scaled by 2^-30", near_values_alike),
    "states_in_half": Fault("agent.act", "q_learning.greedy-of-each-state", "scaled by 2^", states_in_half),
    "act_by_the_first_parameters": Fault(
        "agent.act", "q_learning.greedy-by-the-parameters", "the greedy actions", first_parameters
    ),
    "act_by_sizes": Fault(
        "agent.act",
        "q_learning.greedy-far-from-0",
        "the greedy actions",
        of_greedy(lambda _, v: np.abs(v).argmax(axis=1)),
    ),
    "act_by_positive_values": Fault(
        "agent.act",
        "q_learning.greedy-far-from-0",
        "the greedy actions",
        of_greedy(lambda _, v: np.maximum(v, 0).argmax(axis=1)),
    ),
    "relatively_near_values_alike": Fault(
        "agent.act", "q_learning.greedy-far-from-0", "the greedy actions", relatively_near_values_alike
    ),
    "act_from_memory": Fault(
        "agent.act", "q_learning.memory-order", "act returns something else", reading(in_memory_order, 2)
    ),
    "act_by_memory": Fault(
        "agent.act", "q_learning.memory-order", "the greedy actions, parameters", reading(in_memory_order, 1)
    ),
    "act_by_the_first_pixels": Fault(
        "agent.act", "pixels.cnn-greedy-of-each", "the greedy actions", of_greedy(lambda a, _: np.full_like(a, a[0]))
    ),
    "act_on_pixels_in_reverse": Fault(
        "agent.act", "pixels.cnn-greedy-of-each", "the greedy actions", of_greedy(lambda a, _: a[::-1])
    ),
    "act_by_two_values": Fault(
        "agent.act", "pixels.cnn-greedy-of-each", "the greedy actions", of_greedy(lambda _, v: v[:, :2].argmax(axis=1))
    ),
    "cnn_reads_frames_from_memory": Fault(
        "agent.act", "pixels.cnn-greedy-of-each", "transposed in memory", read_frames_from_memory
    ),
    "act_by_the_last_frame": Fault(
        "agent.act", "pixels.cnn-greedy-of-each", "the greedy actions", act_by_the_last_frame
    ),
}
