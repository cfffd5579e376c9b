"""An implementation with the kit's groups: a subclass names a module, and loads its framework in `start`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module

from assay.kit.episodes import Environment
from assay.kit.framework import Framework
from assay.kit.groups import Agent, Datasets, Models, Text, Training
from assay.kit.models import Networks
from assay.kit.operations import Operations

GROUPS = ("ops", "models", "training", "datasets", "text")


class KitImplementation:
    """An implementation with the groups `ops`, `models`, `training`, `datasets` and `text`.

    A subclass sets the first four attributes, and defines `start` if it supports more than a CPU. If it defines
    `make_environment`, it adds "agent" to `groups`. A property with the name of a group replaces the kit's group.

    Attributes:
        name: Name for display and for the ledger.
        version: Version of the adapter.
        distributions: Packages whose versions the ledger records.
        framework: `module:Class` of the `assay.kit.framework.Framework`. The module may import the
            framework itself, as it is loaded on first use of a group. A name that begins with a dot is relative to
            the package of the subclass.
        groups: Names of the groups.

    """

    name: str
    version: str
    distributions: Sequence[str]
    framework: str
    groups: Sequence[str] = GROUPS

    def start(self, device: str) -> str:
        """Reject any device other than the CPU.

        Raises:
            RuntimeError: Another device is requested.

        """
        if device != "cpu":
            msg = f"{self.name} works on the CPU alone, got {device!r}"
            raise RuntimeError(msg)
        return "CPU"

    def make_environment(self, seed: int) -> Environment:
        """Create CartPole-v1 with all draws from a seed; a subclass with the group `agent` defines this."""
        raise NotImplementedError

    @cached_property
    def computes(self) -> Framework:
        """The framework, loaded."""
        module, _, name = self.framework.partition(":")
        found: Framework = getattr(import_module(module, type(self).__module__), name)()
        return found

    @cached_property
    def networks(self) -> Networks:
        """The factory of networks."""
        return Networks(self.computes)

    @cached_property
    def ops(self) -> Operations:
        """Single operations."""
        return Operations(self.computes)

    @cached_property
    def models(self) -> Models:
        """The document's models."""
        return Models(self.networks)

    @cached_property
    def training(self) -> Training:
        """Whole training runs on images."""
        return Training(self.networks)

    @cached_property
    def datasets(self) -> Datasets:
        """The data loader."""
        return Datasets()

    @cached_property
    def text(self) -> Text:
        """The text loader, and whole training runs on a text."""
        return Text(self.networks, self.ops)

    @cached_property
    def agent(self) -> Agent:
        """Deep Q-learning."""
        return Agent(self.networks, self.make_environment)
