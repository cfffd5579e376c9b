"""Faults of the schedule of exploration, of the replay buffer, and of states made of frames."""

import math

import numpy as np

from assay.contract import Transitions
from assay.spec.semantics.datasets import resize
from doubles.faulty import Fault


def replayed(change):
    """Return `replay` whose result is changed: (transitions, buffer size, all that were given) to transitions."""

    def wrong(replay, buffer_size, transitions):
        return change(Transitions(*replay(buffer_size, transitions)), buffer_size, Transitions(*transitions))

    return wrong


def places(choose):
    """Return `replay` that keeps other places: (count, buffer size) to places."""

    def wrong(_replay, buffer_size, transitions):
        kept = choose(len(transitions[1]), buffer_size)
        return Transitions(*(values[kept] for values in transitions))

    return wrong


REPLAY = {
    "replay_backwards": (
        "buffer-in-order",
        "transitions in a buffer",
        places(lambda n, size: np.arange(n)[-size:][::-1]),
    ),
    "replay_one_more": (
        "buffer-keeps-the-latest",
        ", expected [",
        places(lambda n, size: np.arange(n)[-size - 1 :]),
    ),
    "replay_one_less": (
        "buffer-keeps-the-latest",
        ", expected [",
        places(lambda n, size: np.arange(n)[1 - size :]),
    ),
    "replay_the_oldest": ("buffer-keeps-the-latest", "differ", places(lambda n, size: np.arange(n)[:size])),
    "replay_without_limit": ("buffer-in-order", ", expected [", places(lambda n, _: np.arange(n))),
    "replay_as_the_ring_lies": (
        "buffer-in-order",
        "transitions in a buffer",
        places(lambda n, size: np.arange(n) if n <= size else np.roll(np.arange(n - size, n), n % size)),
    ),
    "replay_emptied_when_full": (
        "buffer-in-order",
        ", expected [",
        places(lambda n, size: np.arange(n - 1 - (n - 1) % size, n)),
    ),
    "replay_of_a_thousand": ("buffer-keeps-the-latest", ", expected [", places(lambda n, _: np.arange(n)[-1000:])),
    "replay_of_two_actions": (
        "replay-of-frames",
        "actions of frames",
        replayed(lambda t, *_: t._replace(actions=np.minimum(t.actions, 1))),
    ),
    "replay_of_flat_states": (
        "replay-of-frames",
        "states of frames",
        replayed(lambda t, *_: t._replace(states=t.states.reshape(len(t.states), -1))),
    ),
    "replay_of_bytes": (
        "replay-of-frames",
        "states of frames",
        replayed(lambda t, *_: t._replace(states=np.rint(t.states * 255).astype(np.float32) / np.float32(255))),
    ),
    "replay_of_one_state": (
        "replay-of-frames",
        "next_states of frames",
        replayed(lambda t, *_: t._replace(next_states=t.states)),
    ),
    "replay_of_signs": (
        "buffer-changes-nothing",
        "the transitions, rewards",
        replayed(lambda t, *_: t._replace(rewards=np.sign(t.rewards))),
    ),
}


def schedule(rule):
    """Return `epsilon` by another rule: (episode, exploration episodes, initial, final) to a rate."""

    def wrong(_epsilon, episode, *, num_exploration_episodes, initial_epsilon, final_epsilon):
        return float(rule(episode, num_exploration_episodes, initial_epsilon, final_epsilon))

    return wrong


EPSILON = {
    "epsilon_one_episode_on": ("epsilon-first", "assert", lambda e, n, i, f: max(i * (1 - (e + 1) / n), f)),
    "epsilon_towards_the_final": (
        "epsilon-schedule",
        "epsilon in episode",
        lambda e, n, i, f: max(i - (i - f) * e / n, f),
    ),
    "epsilon_by_a_power": (
        "epsilon-falls",
        "epsilon in episode",
        lambda e, n, i, f: max(i * math.exp(-4.6 * e / n), f),
    ),
    "epsilon_without_a_least": ("epsilon-final", "epsilon in episode", lambda e, n, i, f: max(i * (1 - e / n), 0)),
    "epsilon_from_1": ("epsilon-schedule", "epsilon in episode", lambda e, n, i, f: max(1 - e / n, f)),
    "epsilon_over_100": ("epsilon-schedule", "epsilon in episode", lambda e, n, i, f: max(i * (1 - e / 100), f)),
    "epsilon_at_least_0_01": ("epsilon-schedule", "epsilon in episode", lambda e, n, i, f: max(i * (1 - e / n), 0.01)),
    "epsilon_in_steps": ("epsilon-falls", "epsilon in episode", lambda e, n, i, f: max(i * (1 - e // 10 * 10 / n), f)),
}


def framed(grey=None, size=lambda size: size, scale=255.0, made=None):
    """Return `stack_frames` by the definition, but for one part."""

    def wrong(_stack_frames, frames, image_size):
        planes = frames @ np.array([0.299, 0.587, 0.114]) if grey is None else grey(frames.astype(float))
        state = (made or resize)(np.moveaxis(planes, 0, -1), size(image_size))
        return (state * (255.0 if made is None else 1.0) / scale).astype(np.float32)

    return wrong


def nearest(planes, size):
    """Take the nearest pixel."""
    rows, columns = ((np.arange(new) * old // new) for new, old in zip(size, planes.shape[:2], strict=True))
    return planes[rows][:, columns]


def between_corners(planes, size):
    """Let the corner pixels of both sizes be in the same places."""
    for axis, new in enumerate(size):
        old = planes.shape[axis]
        at = np.linspace(0, old - 1, new)
        before = np.minimum(at.astype(int), old - 1)
        share = (at - before).reshape([-1 if a == axis else 1 for a in range(planes.ndim)])
        planes = planes.take(before, axis) * (1 - share) + planes.take(np.minimum(before + 1, old - 1), axis) * share
    return planes


FRAMES = {
    "frames_in_bgr": ("grey", framed(lambda f: f[..., ::-1] @ np.array([0.299, 0.587, 0.114]))),
    "frames_of_mean_colour": ("grey", framed(lambda f: f.mean(axis=-1))),
    "frames_of_hdtv_luma": ("grey", framed(lambda f: f @ np.array([0.2126, 0.7152, 0.0722]))),
    "frames_in_whole_numbers": ("grey", framed(lambda f: np.floor(f @ np.array([0.299, 0.587, 0.114])))),
    "frames_over_256": ("grey-stays", framed(scale=256.0)),
    "frames_to_nearest": ("resized", framed(made=nearest)),
    "frames_between_corners": ("resized", framed(made=between_corners)),
    "screen_between_corners": ("resized-screen", framed(made=between_corners)),
}


def newest_alone(stack_frames, frames, image_size):
    """Repeat the newest frame."""
    return np.repeat(stack_frames(frames[-1:], image_size), len(frames), axis=-1)


def highest_of_two(stack_frames, frames, image_size):
    """Take the higher of each frame and the one before it, as emulators against flicker do."""
    return stack_frames(np.maximum(frames, frames[[0, *range(len(frames) - 1)]]), image_size)


MEMORY_FAULTS = (
    {name: Fault("agent.replay", f"q_learning.{claim}", tells, wrong) for name, (claim, tells, wrong) in REPLAY.items()}
    | {
        name: Fault("agent.epsilon", f"q_learning.{claim}", tells, schedule(rule))
        for name, (claim, tells, rule) in EPSILON.items()
    }
    | {name: Fault("agent.stack_frames", f"pixels.{claim}", "differ", wrong) for name, (claim, wrong) in FRAMES.items()}
    | {
        "frames_of_the_newest": Fault("agent.stack_frames", "pixels.stack-order", "differ", newest_alone),
        "frames_against_flicker": Fault("agent.stack_frames", "pixels.stack-order", "differ", highest_of_two),
    }
)
