"""Faults of the pictures of the environment."""

import numpy as np

from doubles.environment_parts import with_results
from doubles.faulty import Fault
from doubles.memory_order import reading, without_strides


def frames_of_one_seed(frames, actions, _seed):
    """Draw the episode of the seed 0."""
    return frames(actions, 0)


def last_frame_late(frames, actions, seed):
    """Draw the state before the last once more."""
    found = np.array(frames(actions, seed))
    if len(found) > 4:
        found[-1] = found[-2]
    return found


def frames_of_the_next_seed(frames, actions, seed):
    """Draw the episode of another seed."""
    return frames(actions, seed + 1)


def _without(frames, rows):
    """Paint over some rows."""
    frames = frames.copy()
    frames[:, rows] = frames[0, 0, 0]
    return frames


def _shift(frame):
    """Return how far the cart is from the middle."""
    drawn = (frame != frame[0, 0]).any(axis=-1)
    row = np.flatnonzero(drawn.any(axis=1))[-1]
    return int(np.round(np.nonzero(drawn[row])[0].mean() - frame.shape[1] / 2))


def fallen_pole_not_drawn(frames, actions, seed):
    """Draw the state before the last once more where the episode has ended."""
    found = np.array(frames(actions, seed))
    if len(found) <= len(actions):
        found[-1] = found[-2]
    return found


def frames_after_the_end(frames, actions, seed):
    """Repeat the last frame for the actions that are left."""
    found = frames(actions, seed)
    return np.concatenate([found, np.repeat(found[-1:], len(actions) + 1 - len(found), axis=0)])


def no_first_frame(frames, actions, seed):
    """Omit the first frame if the list of actions is empty."""
    found = frames(actions, seed)
    return found if len(actions) else found[1:]


FAULTS = {
    "frames_of_one_seed": Fault(
        "environments.frames", "cartpole.rendered-states-differ", "eight seeds", frames_of_one_seed
    ),
    "last_frame_late": Fault(
        "environments.frames", "cartpole.rendered-states-differ", "the frames of the same actions", last_frame_late
    ),
    "frames_without_strides": Fault(
        "environments.frames", "cartpole.memory-order", "the frames", reading(without_strides, 0)
    ),
    "frames_of_the_next_seed": Fault(
        "environments.frames", "cartpole.frames-show-their-states", "the cart", frames_of_the_next_seed
    ),
    "frames_black": Fault(
        "environments.frames",
        "cartpole.frames-show-their-states",
        "show nothing that moves",
        with_results(np.zeros_like),
    ),
    "frames_one_late": Fault(
        "environments.frames",
        "cartpole.frames-show-their-states",
        "the state before theirs",
        with_results(lambda f: f[[0, *range(len(f) - 1)]]),
    ),
    "frames_one_early": Fault(
        "environments.frames",
        "cartpole.frames-show-their-states",
        "the state after theirs",
        with_results(lambda f: f[[*range(1, len(f)), len(f) - 1]]),
    ),
    "frames_backwards": Fault(
        "environments.frames",
        "cartpole.frames-show-their-states",
        "frames show",
        with_results(lambda f: f[::-1].copy()),
    ),
    "frames_mirrored": Fault(
        "environments.frames",
        "cartpole.frames-show-their-states",
        "further left",
        with_results(lambda f: f[:, :, ::-1].copy()),
    ),
    "frames_of_the_first": Fault(
        "environments.frames",
        "cartpole.frames-show-their-states",
        "show nothing that moves",
        with_results(lambda f: f[np.zeros(len(f), int)]),
    ),
    "frames_cart_alone": Fault(
        "environments.frames",
        "cartpole.frames-show-their-states",
        "pole",
        with_results(lambda f: _without(f, slice(0, 285))),
    ),
    "frames_pole_alone": Fault(
        "environments.frames",
        "cartpole.frames-show-their-states",
        "frames show",
        with_results(lambda f: _without(f, slice(250, 400))),
    ),
    "frames_centred": Fault(
        "environments.frames",
        "cartpole.frames-show-their-states",
        "cart",
        with_results(lambda f: np.stack([np.roll(one, -_shift(one), axis=1) for one in f])),
    ),
    "fallen_pole_not_drawn": Fault(
        "environments.frames", "cartpole.frames-show-their-states", "before its last step", fallen_pole_not_drawn
    ),
    "frames_after_the_end": Fault(
        "environments.frames",
        "q_learning.rendering-changes-nothing",
        "drawn, the episode has 21 states",
        frames_after_the_end,
    ),
    "no_first_frame": Fault(
        "environments.frames", "q_learning.rendering-changes-nothing", "other frames than the first", no_first_frame
    ),
}
