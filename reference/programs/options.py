"""The options of the programs."""

from __future__ import annotations

from argparse import ArgumentTypeError
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from assay.reference.programs.common import BATCH_SIZE, EPOCHS

if TYPE_CHECKING:
    from argparse import ArgumentParser

# More do not fit into what TensorFlow takes for a seed.
LARGEST = 2**32 - 1


def of_linear(parser: ArgumentParser) -> None:
    """Take the number of steps."""
    parser.add_argument("--batches", type=_count, default=100, metavar="N", help="how many steps (default: 100)")


def of_convolution(parser: ArgumentParser) -> None:
    """Take the folder."""
    parser.add_argument(
        "--out", type=Path, default=Path("assay-pictures"), metavar="FOLDER", help="of pictures (default: %(default)s)"
    )


def of_training(parser: ArgumentParser) -> None:
    """Take how long, from where, on what, and the folder."""
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=_count, default=EPOCHS, metavar="N", help="(default: %(default)s)")
    length.add_argument("--batches", type=_count, metavar="N", help=f"of {BATCH_SIZE}, in place of whole epochs")
    _of_any_training(parser)


def of_text(parser: ArgumentParser) -> None:
    """Take how many batches, from where, on what, and the folder."""
    batches = f"of {BATCH_SIZE} windows (default: %(default)s)"
    parser.add_argument("--batches", type=_count, default=1000, metavar="N", help=batches)
    _of_any_training(parser)


def of_agent(parser: ArgumentParser) -> None:
    """Take how many episodes, from where, on what, and the folder."""
    parser.add_argument("--episodes", type=_count, default=500, metavar="N", help="to play (default: %(default)s)")
    _of_any_training(parser)


def _of_any_training(parser: ArgumentParser) -> None:
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="of everything drawn (default: 0)")
    parser.add_argument("--device", default="cpu", choices=("cpu", "gpu"), help="where to run (default: cpu)")
    of_convolution(parser)


def of_flowers(parser: ArgumentParser) -> None:
    """Take what a training takes, and which images."""
    of_training(parser)
    parser.add_argument("--mock", action="store_true", help="made-up images, for which no network is needed")
    parser.add_argument(
        "--image-size", type=_pixels, default=224, metavar="N", help="height and width, 32 or more (default: 224)"
    )


def _whole(least: int, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= LARGEST:
        message = f"{text!r} is not a whole number from {least} to {LARGEST}"
        raise ArgumentTypeError(message)
    return number


_count, _seed, _pixels = (partial(_whole, least) for least in (1, 0, 32))
