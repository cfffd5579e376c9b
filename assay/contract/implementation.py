"""The object that an adapter provides, and the groups that it can have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from importlib import import_module
from typing import Any, ClassVar, Protocol, runtime_checkable

from assay.contract.agent import Agent
from assay.contract.applications import Applications
from assay.contract.datasets import Datasets
from assay.contract.environments import Environments
from assay.contract.flowers import Flowers
from assay.contract.keras import Keras
from assay.contract.models import Models
from assay.contract.ops import Ops
from assay.contract.text import Text
from assay.contract.training import Training

PROTOCOLS: dict[str, type] = {
    "ops": Ops,
    "models": Models,
    "training": Training,
    "datasets": Datasets,
    "applications": Applications,
    "flowers": Flowers,
    "text": Text,
    "environments": Environments,
    "agent": Agent,
    "keras": Keras,
}
GROUPS = tuple(PROTOCOLS)


@runtime_checkable
class Implementation(Protocol):
    """The object that `--implementation` names.

    Reading these attributes must not import a framework: the runner reads them before the tests start. A group is an
    attribute with the group's name, which is created when it is first used.

    """

    # Properties, as they are only read: an implementation may have tuples and properties of its own here.
    @property
    def name(self) -> str:
        """Name for people and for the ledger."""

    @property
    def version(self) -> str:
        """Version of the adapter, not of the framework."""

    @property
    def distributions(self) -> Sequence[str]:
        """Packages whose installed versions the ledger states.

        Alternatives are separated by a bar: `tensorflow|tensorflow-cpu`.
        """

    @property
    def groups(self) -> Sequence[str]:
        """Names of the groups that the implementation has, from `GROUPS`."""

    def start(self, device: str) -> str:
        """Prepare a device. This is called once in each process, before any group is used.

        An implementation that can limit its threads takes a second argument, `threads: int | None = None`: the number
        of threads that it may use in this process, or None if it has the machine to itself.

        Args:
            device: `cpu` or `gpu`.

        Returns:
            The device's name, for the ledger.

        Raises:
            RuntimeError: The device is not available.

        """


class LazyImplementation:
    """An implementation that loads the module of a group when the group is first used.

    A subclass sets `modules`, which defines `groups` and an attribute for each group. In its module, the class of a
    group has the same name as the protocol here: `Ops` for `ops`.

    Attributes:
        modules: Full name of the module of each group.

    """

    modules: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        """Add to a class that sets `modules` an attribute for each of its groups that it does not define."""
        super().__init_subclass__()
        for group in cls.__dict__.get("modules", {}).keys() - cls.__dict__.keys():
            attribute = cached_property(partial(cls._load, group=group))
            attribute.__set_name__(cls, group)
            setattr(cls, group, attribute)

    @property
    def groups(self) -> Sequence[str]:
        """Names of the groups that the implementation has, from `GROUPS`."""
        return tuple(self.modules)

    def make(self, group: str, kind: Callable[..., Any]) -> Any:  # noqa: ANN401 - an object of the group's protocol
        """Make a group. A subclass overrides this if the group's class takes arguments.

        Args:
            group: Name of the group.
            kind: Class of the group.

        """
        del group
        return kind()

    def _load(self, *, group: str) -> Any:  # noqa: ANN401 - an object of the group's protocol
        return self.make(group, getattr(import_module(self.modules[group]), PROTOCOLS[group].__name__))
