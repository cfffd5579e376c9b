"""Common parts of the programs: loading TensorFlow, saving pictures, and output."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from assay.errors import ErrorKind, UserError
from assay.reference import implementation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from assay.contract import Array

# Settings of the programs that classify images (lines 195 to 197, and 371 to 373).
EPOCHS, BATCH_SIZE, LEARNING_RATE = 5, 50, 0.001
# Number of colours of an animation.
COLOURS = 32


def start(device: str) -> None:
    """Load TensorFlow."""
    try:
        with _without_notices():
            implementation.start(device)
    except ImportError as error:
        problem = f"TensorFlow cannot be loaded: {error}"
        raise UserError(ErrorKind.MISSING_PACKAGE, problem, "`pip install -e '.[reference]'` brings it") from error
    except RuntimeError as error:
        raise UserError(ErrorKind.UNAVAILABLE_DEVICE, str(error)) from error


@contextmanager
def _without_notices() -> Iterator[None]:
    """Redirect standard error: nothing else stops TensorFlow 2.21 from printing notices in C++."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def prepare(folder: Path) -> None:
    """Create the folder of the pictures, and check early that it is writable."""
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()


def save(figure: Figure, folder: Path, name: str) -> None:
    """Save a picture, and print its path."""
    path = folder / f"{name}.png"
    with _writing(folder):
        figure.savefig(path)
    say(f"picture: {path}")


def save_animation(frames: Sequence[Array], folder: Path, name: str) -> None:
    """Save frames, uint8 [height, width, 3] at 50 a second, as an animation, and print its path.

    Every other frame is kept, at half the size, since browsers do not show a GIF any faster.
    """
    from PIL import Image

    kept = [Image.fromarray(frame).reduce(2) for frame in frames[::2]]
    # All frames share the few colours of the first.
    palette = kept[0].quantize(COLOURS)
    first, *rest = (image.quantize(palette=palette, dither=Image.Dither.NONE) for image in kept)
    path = folder / f"{name}.gif"
    with _writing(folder):
        first.save(path, save_all=True, append_images=rest, duration=40, loop=0)
    say(f"picture: {path}")


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        problem = f"{folder} is not a folder that can be written to: {error.strerror or error}"
        raise UserError(ErrorKind.UNWRITABLE_FILE, problem, "--out names another") from error


def say(what: object) -> None:
    """Print a line."""
    sys.stdout.write(f"{what!s}\n")
