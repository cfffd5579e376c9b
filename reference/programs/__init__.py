"""The chapter's programs, in a table.

Importing them loads no framework: a program does that once its data and its folder are known to be there.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from assay.reference.programs import convolution, digits, dqn, flowers, linear, options, rnn

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable


class Program(NamedTuple):
    """A program of the chapter.

    Attributes:
        run: what it does.
        summary: that, in a line.
        add_options: tells a parser of its options.

    """

    run: Callable[[Namespace], None]
    summary: str
    add_options: Callable[[ArgumentParser], None]


PROGRAMS = {
    "linear": Program(linear.run, "fit a linear model to two points (lines 47 to 74)", options.of_linear),
    "mlp": Program(partial(digits.run, "mlp"), "train an MLP on MNIST (lines 129 to 259)", options.of_training),
    "cnn": Program(partial(digits.run, "cnn"), "train a CNN on MNIST (lines 297 to 332)", options.of_training),
    "convolution": Program(convolution.run, "convolve an image of 7 by 7 (lines 420 to 462)", options.of_convolution),
    "rnn": Program(rnn.run, "learn to write like Nietzsche (lines 548 to 601)", options.of_text),
    "flowers": Program(flowers.run, "train MobileNetV2 on tf_flowers (lines 366 to 388)", options.of_flowers),
    "dqn": Program(dqn.run, "learn to keep a pole up (lines 681 to 764)", options.of_agent),
}
