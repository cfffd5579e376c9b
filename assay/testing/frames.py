"""Check that frames of the cart and its pole show their states, whatever the colours and sizes."""

from __future__ import annotations

import numpy as np

from assay.adapters.proxy import NonConformanceError
from assay.contract import Array

# Height in pixels of the top and bottom strips of the moving part.
EDGE = 5
# Allowed residual of a linear fit, as a fraction of the movement, since frames have whole pixels.
REST = 0.25


def moving_ends(frames: Array) -> tuple[Array, Array]:
    """Return the columns of the top and bottom of the moving part: the pole's tip and the cart, each [n].

    Raises:
        NonConformanceError: A frame is empty, or all frames are equal.

    """
    drawn = (frames != frames[:1, :1, :1]).any(axis=-1)
    # The track is in the same place in all frames.
    moving = drawn & (drawn != drawn[0]).any(axis=(0, 2))[:, None]
    if not moving.any(axis=(1, 2)).all():
        msg = f"the frames show nothing that moves: {(~drawn.any(axis=(1, 2))).sum()} of {len(frames)} are empty"
        raise NonConformanceError(msg)
    rows = moving.any(axis=2)
    first, last = rows.argmax(axis=1), rows.shape[1] - rows[:, ::-1].argmax(axis=1)
    return (
        np.array([_middle(frame[row : row + EDGE]) for frame, row in zip(moving, first, strict=True)]),
        np.array([_middle(frame[row - EDGE : row]) for frame, row in zip(moving, last, strict=True)]),
    )


def _middle(part: Array) -> float:
    """Return the mean column of the drawn pixels."""
    return float(np.nonzero(part)[1].mean())


def assert_shows(frames: Array, states: Array, rest: float = REST) -> None:
    """Check that each frame shows its state: where the cart is, and how the pole leans.

    Args:
        frames: Uint8 [n, height, width, 3].
        states: [n, 4], from an episode in which cart and pole move in both directions.
        rest: Allowed residual of a linear fit, as a fraction of the movement.

    Raises:
        NonConformanceError: The frames do not show the cart or the pole, or show the states of other frames.

    """
    __tracebackhide__ = True
    tips, carts = moving_ends(frames)
    positions, sines = states[:, 0].astype(float), np.sin(states[:, 2].astype(float))
    for what, columns, known in (("cart", carts, positions), ("pole's tip beside it", tips - carts, sines)):
        moves = float(np.std(columns))
        rests = {lag: _rest(columns, known, lag) for lag in (0, 1, -1)}
        for lag, other in ((1, "before"), (-1, "after")):
            if not rests[lag] > rests[0]:
                msg = (
                    f"frames show the state {other} theirs: the {what} is off by {rests[lag]:.2f} pixels from that, and"
                    f" by {rests[0]:.2f} from its own"
                )
                raise NonConformanceError(msg)
        if not rests[0] < rest * moves:
            msg = (
                f"the frames do not show the {what} where the states have it: off by {rests[0]:.2f} pixels (root mean"
                f" square), and it moves by {moves:.2f}"
            )
            raise NonConformanceError(msg)
        if not np.polyfit(known, columns, 1)[0] > 0:
            msg = f"the frames show the {what} further left where the states have it further right"
            raise NonConformanceError(msg)


def _rest(columns: Array, known: Array, lag: int) -> float:
    """Return the root mean square residual of a linear fit of the columns to the states of frames `lag` away."""
    shown, others = columns[1:-1], known[1 - lag : len(known) - 1 - lag]
    return float(np.std(shown - np.polyval(np.polyfit(others, shown, 1), others)))
