"""The TensorFlow implementation: it meets every claim, and shows how each is met.

Importing this package imports no framework; its groups do, when they are first used.
"""

from __future__ import annotations

import os
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from assay import __version__
from assay.contract import GROUPS

if TYPE_CHECKING:
    from types import ModuleType

    from assay import contract


class Reference:
    """The reference implementation, as the contract asks for it."""

    name = "reference"
    version = __version__
    groups = GROUPS
    # The module that has every group that trains, if it is one; otherwise each has a module of its own.
    program = ""

    @property
    def distributions(self) -> tuple[str, ...]:
        """Name TensorFlow, the Keras that `tf.keras` will be, and the environments."""
        # TensorFlow reads this variable so. The nightly build of Keras overwrites the release that TensorFlow brings.
        legacy = os.environ.get("TF_USE_LEGACY_KERAS") in {"true", "True", "1"}
        return "tensorflow|tensorflow-cpu", "tf-keras" if legacy else "keras-nightly|keras", "gymnasium|gym"

    def start(self, device: str) -> str:
        """Load TensorFlow and keep it to one device."""
        from assay.reference.device import use

        return use(device)

    def _trains(self, module: str) -> ModuleType:
        """Load what has a group that trains."""
        return import_module(f"reference.{self.program or module}")

    @cached_property
    def ops(self) -> contract.Ops:
        """Single operations."""
        from assay.reference.ops import Ops

        return Ops()

    @cached_property
    def models(self) -> contract.Models:
        """The document's models."""
        return self._trains("models").Models()

    @cached_property
    def training(self) -> contract.Training:
        """Whole training runs."""
        return self._trains("training").Training()

    @cached_property
    def datasets(self) -> contract.Datasets:
        """The data loader."""
        from assay.reference.datasets import Datasets

        return Datasets()

    @cached_property
    def applications(self) -> contract.Applications:
        """The predefined networks."""
        return self._trains("applications").Applications()

    @cached_property
    def flowers(self) -> contract.Flowers:
        """The data set tf_flowers."""
        from assay.reference.flowers import Flowers

        return Flowers()

    @cached_property
    def text(self) -> contract.Text:
        """The loader and the program of characters."""
        return self._trains("text").Text()

    @cached_property
    def keras(self) -> contract.Keras:
        """Keras itself."""
        from assay.reference.keras import Keras

        return Keras()

    @cached_property
    def environments(self) -> contract.Environments:
        """CartPole and Breakout."""
        from assay.reference.environments import Environments

        return Environments()

    @cached_property
    def agent(self) -> contract.Agent:
        """Deep Q-learning."""
        return self._trains("agent").Agent()


class EagerProgram(Reference):
    """The reference, but that it trains, writes and plays as the chapter's programs do."""

    name = "tensorflow-eager"
    groups = ("ops", "models", "training", "datasets", "applications", "text", "environments", "agent")
    program = "eager_program"


class CompileAndFit(Reference):
    """The reference, but that it trains by Keras's compile and fit."""

    name = "keras-fit"
    groups = ("ops", "models", "training", "datasets", "applications", "text")
    program = "compile_and_fit"


implementation = Reference()
eager = EagerProgram()
keras_fit = CompileAndFit()
