"""The options of the programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from assay.cli.values import DEVICES, PATH, Choice, whole_number
from assay.reference.programs.common import BATCH_SIZE, EPOCHS

# TensorFlow accepts no larger seed.
LARGEST = 2**32 - 1
COUNT = whole_number(1, LARGEST)


def _option(flag: str, **settings: Any) -> click.Option:
    return click.Option([flag], **settings)


def _batches(default: int | None, text: str) -> click.Option:
    return _option("--batches", type=COUNT, default=default, metavar="N", help=text)


FOLDER = (
    _option(
        "--out",
        type=PATH,
        default=Path("assay-pictures"),
        metavar="FOLDER",
        help="Folder of the pictures (default: assay-pictures).",
    ),
)
_ANY_TRAINING = (
    _option(
        "--seed",
        type=whole_number(0, LARGEST),
        default=0,
        metavar="N",
        help="Seed of all random draws (default: 0).",
    ),
    _option("--device", type=Choice(DEVICES), default="cpu", help="Device to run on (default: cpu)."),
    *FOLDER,
)
LINEAR = (_batches(100, "Number of steps (default: 100)."),)
CONVOLUTION = FOLDER
TRAINING = (
    _option(
        "--epochs", type=COUNT, default=EPOCHS, metavar="N", help=f"Number of epochs to train for (default: {EPOCHS})."
    ),
    _batches(None, f"Number of batches of {BATCH_SIZE} to train for, instead of whole epochs."),
    *_ANY_TRAINING,
)
TEXT = (
    _batches(1000, f"Number of batches of {BATCH_SIZE} windows to train for (default: 1000)."),
    *_ANY_TRAINING,
)
AGENT = (
    _option("--episodes", type=COUNT, default=500, metavar="N", help="Number of episodes to play (default: 500)."),
    *_ANY_TRAINING,
)
FLOWERS = (
    *TRAINING,
    _option("--mock", is_flag=True, help="Train on made-up images, for which no network is needed."),
    _option(
        "--image-size",
        type=whole_number(32, LARGEST),
        default=224,
        metavar="N",
        help="Height and width of the images, 32 or more (default: 224).",
    ),
)
