"""The game Breakout, run by the Arcade Learning Environment from the optional package `ale-py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from assay.alternatives.numpy.cart_pole import Step

if TYPE_CHECKING:
    from assay.contract import Array

# From Machado and others, "Revisiting the Arcade Learning Environment", 2018: the number of frames per action, and the
# probability that a frame repeats the previous action.
FRAMES = 4
STICKINESS = 0.25


def is_installed() -> bool:
    """Whether `ale-py` is installed."""
    return find_spec("ale_py") is not None


def game(seed: int) -> Any:
    """Start the emulator."""
    from ale_py import ALEInterface, LoggerMode, roms

    ALEInterface.setLoggerMode(LoggerMode.Error)
    emulator = ALEInterface()
    emulator.setInt("random_seed", seed % 2**31)
    emulator.setFloat("repeat_action_probability", STICKINESS)
    emulator.loadROM(roms.get_rom_path("breakout"))
    return emulator


def actions() -> Sequence[str]:
    """Return the names of the actions that have an effect."""
    return [action.name for action in game(0).getMinimalActionSet()]


def play(numbers: Array, seed: int) -> Iterator[Step]:
    """Yield the first step and the step after each action, until the game is over."""
    emulator = game(seed)
    action_set = emulator.getMinimalActionSet()
    yield Step(emulator.getScreenRGB(), 0.0, terminated=False, truncated=False)
    for number in numbers:
        reward = sum(emulator.act(action_set[number]) for _ in range(FRAMES))
        yield Step(emulator.getScreenRGB(), reward, emulator.game_over(), truncated=False)
        if emulator.game_over():
            return
