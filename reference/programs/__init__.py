"""The chapter's programs, in a table.

Importing them loads no framework. A program does so after checking its data and its folder.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from assay.reference.programs import convolution, digits, dqn, flowers, linear, options, rnn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import SimpleNamespace

    import click


class Program(NamedTuple):
    """A program of the chapter.

    Attributes:
        run: Function that runs it with its options.
        summary: One-line description.
        options: Options on the command line.

    """

    run: Callable[[SimpleNamespace], None]
    summary: str
    options: Sequence[click.Option]


PROGRAMS = {
    "linear": Program(linear.run, "Fit a linear model to two points (lines 47 to 74).", options.LINEAR),
    "mlp": Program(partial(digits.run, "mlp"), "Train an MLP on MNIST (lines 129 to 259).", options.TRAINING),
    "cnn": Program(partial(digits.run, "cnn"), "Train a CNN on MNIST (lines 297 to 332).", options.TRAINING),
    "convolution": Program(convolution.run, "Convolve an image of 7 by 7 (lines 420 to 462).", options.CONVOLUTION),
    "rnn": Program(rnn.run, "Learn to write like Nietzsche (lines 548 to 601).", options.TEXT),
    "flowers": Program(flowers.run, "Train MobileNetV2 on tf_flowers (lines 366 to 388).", options.FLOWERS),
    "dqn": Program(dqn.run, "Learn to keep a pole up (lines 681 to 764).", options.AGENT),
}
