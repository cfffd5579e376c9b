"""The convolution that the chapter computes by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.reference.programs.common import prepare, save, say, start

if TYPE_CHECKING:
    from types import SimpleNamespace


def run(options: SimpleNamespace) -> None:
    """Convolve an image of 7 by 7 with a kernel of 3 by 3 (lines 420 to 462)."""
    prepare(options.out)
    start("cpu")
    import tensorflow as tf

    from assay.reference.ops import Ops
    from assay.reference.programs import pictures

    image = np.array(
        [
            [0, 0, 0, 0, 0, 0, 0],
            [0, 1, 0, 1, 2, 1, 0],
            [0, 0, 2, 2, 0, 1, 0],
            [0, 1, 1, 0, 2, 1, 0],
            [0, 0, 2, 1, 1, 0, 0],
            [0, 2, 1, 1, 2, 0, 0],
            [0, 0, 0, 0, 0, 0, 0],
        ],
        np.float32,
    )
    kernel = np.array([[0, 0, -1], [0, 1, 0], [-2, 0, 2]], np.float32)
    bias = np.array([1], np.float32)
    result = Ops().conv2d(image[None, :, :, None], kernel[:, :, None, None], bias)
    say(tf.squeeze(result))
    save(pictures.convolution(image, kernel, bias.item(), result.squeeze()), options.out, "convolution")
