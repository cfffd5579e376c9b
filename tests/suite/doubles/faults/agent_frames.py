"""Faults of states that are made of frames."""

from __future__ import annotations

import numpy as np

from assay.spec.semantics.datasets import resize
from doubles.faulty import Fault


def framed(grey=None, size=lambda size: size, scale=255.0, made=None):
    """Return `stack_frames` by the definition, but for one part."""

    def wrong(_stack_frames, frames, image_size):
        planes = frames @ np.array([0.299, 0.587, 0.114]) if grey is None else grey(frames.astype(float))
        state = (made or resize)(np.moveaxis(planes, 0, -1), size(image_size))
        return (state * (255.0 if made is None else 1.0) / scale).astype(np.float32)

    return wrong


def red_alone(stack_frames, frames, image_size):
    """Take the first channel for the grey one."""
    return stack_frames(np.repeat(frames[..., :1], 3, axis=-1), image_size)


def newest_frame_first(stack_frames, frames, image_size):
    """Stack the frames backwards."""
    return stack_frames(frames[::-1].copy(), image_size)


def eight_frames_at_most(stack_frames, frames, image_size):
    """Repeat the first frames from the ninth on."""
    found = stack_frames(frames, image_size)
    return found[..., np.arange(found.shape[-1]) % 8]


def many_frames_reversed(stack_frames, frames, image_size):
    """Put the newest frame first where there are more than four."""
    found = stack_frames(frames, image_size)
    return found[..., ::-1].copy() if len(frames) > 4 else found


def four_frames_at_most(stack_frames, frames, image_size):
    """Take the last four frames."""
    return stack_frames(frames[-4:], image_size)


def newest_alone(stack_frames, frames, image_size):
    """Repeat the newest frame."""
    return np.repeat(stack_frames(frames[-1:], image_size), len(frames), axis=-1)


def highest_of_two(stack_frames, frames, image_size):
    """Take the higher of each frame and the one before it, as emulators against flicker do."""
    return stack_frames(np.maximum(frames, frames[[0, *range(len(frames) - 1)]]), image_size)


def crop_if_the_height_fits(stack_frames, frames, image_size):
    """Compare only the heights to decide whether frames have their size."""
    if frames.shape[1] == image_size[0] and frames.shape[2] > image_size[1]:
        frames = frames[:, :, : image_size[1]].copy()
    return stack_frames(frames, image_size)


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


def smoothed_when_much_smaller(stack_frames, frames, image_size):
    """Take means over rows before frames are made much smaller."""
    if image_size[0] * 3 < frames.shape[1]:
        rows = frames.astype(float)
        frames = np.rint((np.roll(rows, 1, 1) + rows + np.roll(rows, -1, 1)) / 3).astype(np.uint8)
    return stack_frames(frames, image_size)


FAULTS = {
    "frames_in_bgr": Fault(
        "agent.stack_frames", "pixels.grey", "differ", framed(lambda f: f[..., ::-1] @ np.array([0.299, 0.587, 0.114]))
    ),
    "frames_of_mean_colour": Fault("agent.stack_frames", "pixels.grey", "differ", framed(lambda f: f.mean(axis=-1))),
    "frames_of_hdtv_luma": Fault(
        "agent.stack_frames", "pixels.grey", "differ", framed(lambda f: f @ np.array([0.2126, 0.7152, 0.0722]))
    ),
    "frames_in_whole_numbers": Fault(
        "agent.stack_frames", "pixels.grey", "differ", framed(lambda f: np.floor(f @ np.array([0.299, 0.587, 0.114])))
    ),
    "red_alone": Fault("agent.stack_frames", "pixels.colour-is-removed", "the green frame", red_alone),
    "frames_over_256": Fault("agent.stack_frames", "pixels.grey-stays", "differ", framed(scale=256.0)),
    "newest_frame_first": Fault("agent.stack_frames", "pixels.stack-order", "differ", newest_frame_first),
    "eight_frames_at_most": Fault("agent.stack_frames", "pixels.stack-order", "stack_frames", eight_frames_at_most),
    "many_frames_reversed": Fault("agent.stack_frames", "pixels.stack-order", "stack_frames", many_frames_reversed),
    "four_frames_at_most": Fault("agent.stack_frames", "pixels.stack-order", "[4, 3, 11]", four_frames_at_most),
    "frames_of_the_newest": Fault("agent.stack_frames", "pixels.stack-order", "differ", newest_alone),
    "frames_against_flicker": Fault("agent.stack_frames", "pixels.stack-order", "differ", highest_of_two),
    "crop_if_the_height_fits": Fault("agent.stack_frames", "pixels.resized", "stack_frames", crop_if_the_height_fits),
    "frames_to_nearest": Fault("agent.stack_frames", "pixels.resized", "differ", framed(made=nearest)),
    "frames_between_corners": Fault("agent.stack_frames", "pixels.resized", "differ", framed(made=between_corners)),
    "smoothed_when_much_smaller": Fault(
        "agent.stack_frames", "pixels.resized-screen", "stack_frames", smoothed_when_much_smaller
    ),
    "screen_between_corners": Fault(
        "agent.stack_frames", "pixels.resized-screen", "differ", framed(made=between_corners)
    ),
}
