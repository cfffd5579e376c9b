"""The game Breakout, run by the Arcade Learning Environment from the optional package `ale-py`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from assay.contract import Array, Episode

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


def play(numbers: Array, seed: int) -> Episode:
    """Take actions in turn until the game is over."""
    emulator = game(seed)
    known = emulator.getMinimalActionSet()
    screens, rewards, over = [emulator.getScreenRGB()], [], []
    for number in numbers:
        rewards.append(sum(emulator.act(known[number]) for _ in range(FRAMES)))
        screens.append(emulator.getScreenRGB())
        over.append(emulator.game_over())
        if over[-1]:
            break
    return Episode(np.stack(screens), np.array(rewards, np.float32), np.array(over), np.zeros(len(over), bool))
