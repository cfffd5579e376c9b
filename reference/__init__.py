"""The TensorFlow implementation: it meets every claim, and shows how each is met.

Importing this package imports no framework; its groups do, when they are first used.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from assay import __version__
from assay.contract import GROUPS

if TYPE_CHECKING:
    from assay import contract


class Reference:
    """The reference implementation, as the contract asks for it."""

    name = "reference"
    version = __version__
    groups = GROUPS

    @property
    def distributions(self) -> tuple[str, ...]:
        """Name TensorFlow, the Keras that `tf.keras` will be, and the environments."""
        # TensorFlow reads this variable so. The nightly build of Keras overwrites the release that TensorFlow brings.
        legacy = os.environ.get("TF_USE_LEGACY_KERAS") in {"true", "True", "1"}
        return "tensorflow|tensorflow-cpu", "tf-keras" if legacy else "keras-nightly|keras", "gymnasium|gym"

    def start(self, device: str) -> str:
        """Load TensorFlow and keep it to one device."""
        from reference.device import use

        return use(device)

    @cached_property
    def ops(self) -> contract.Ops:
        """Single operations."""
        from reference.ops import Ops

        return Ops()

    @cached_property
    def models(self) -> contract.Models:
        """The document's models."""
        from reference.models import Models

        return Models()

    @cached_property
    def training(self) -> contract.Training:
        """Whole training runs."""
        from reference.training import Training

        return Training()

    @cached_property
    def datasets(self) -> contract.Datasets:
        """The data loader."""
        from reference.datasets import Datasets

        return Datasets()

    @cached_property
    def applications(self) -> contract.Applications:
        """The predefined networks."""
        from reference.applications import Applications

        return Applications()

    @cached_property
    def flowers(self) -> contract.Flowers:
        """The data set tf_flowers."""
        from reference.flowers import Flowers

        return Flowers()

    @cached_property
    def text(self) -> contract.Text:
        """The loader and the program of characters."""
        from reference.text import Text

        return Text()

    @cached_property
    def keras(self) -> contract.Keras:
        """Keras itself."""
        from reference.keras import Keras

        return Keras()

    @cached_property
    def environments(self) -> contract.Environments:
        """CartPole and Breakout."""
        from reference.environments import Environments

        return Environments()

    @cached_property
    def agent(self) -> contract.Agent:
        """Deep Q-learning."""
        from reference.agent import Agent

        return Agent()


class EagerProgram(Reference):
    """The reference, but that it trains, writes and plays as the chapter's programs do."""

    name = "tensorflow-eager"
    groups = ("ops", "models", "training", "datasets", "applications", "text", "environments", "agent")

    @cached_property
    def models(self) -> contract.Models:
        """The document's models."""
        from reference.eager_program import Models

        return Models()

    @cached_property
    def training(self) -> contract.Training:
        """Whole training runs."""
        from reference.eager_program import Training

        return Training()

    @cached_property
    def applications(self) -> contract.Applications:
        """The predefined networks."""
        from reference.eager_program import Applications

        return Applications()

    @cached_property
    def text(self) -> contract.Text:
        """The loader and the program of characters."""
        from reference.eager_program import Text

        return Text()

    @cached_property
    def agent(self) -> contract.Agent:
        """Deep Q-learning."""
        from reference.eager_program import Agent

        return Agent()


class CompileAndFit(Reference):
    """The reference, but that it trains by Keras's compile and fit."""

    name = "keras-fit"
    groups = ("ops", "models", "training", "datasets", "applications", "text")

    @cached_property
    def models(self) -> contract.Models:
        """The document's models."""
        from reference.compile_and_fit import Models

        return Models()

    @cached_property
    def training(self) -> contract.Training:
        """Whole training runs."""
        from reference.compile_and_fit import Training

        return Training()

    @cached_property
    def applications(self) -> contract.Applications:
        """The predefined networks."""
        from reference.compile_and_fit import Applications

        return Applications()

    @cached_property
    def text(self) -> contract.Text:
        """The loader and the program of characters."""
        from reference.compile_and_fit import Text

        return Text()


implementation = Reference()
eager = EagerProgram()
keras_fit = CompileAndFit()
