"""What a call of an implementation may not leave changed in its process."""

from __future__ import annotations

import os
import random
import signal
import sys
import warnings

# Without the enumerations that `signal` makes of its results, which takes ten times as long.
from _signal import getsignal  # type: ignore[import-not-found]
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

SIGNALS = tuple(map(int, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)))
_process = os.getpid()


class ProcessState:
    """The state of the process as it was when this was made.

    The alarm is not a part of it: see `assay.adapters.time_limit`.
    """

    __slots__ = ("_environment", "_errors", "_filters", "_folder", "_handlers", "_recursion")

    def __init__(self, *, environment: bool = True) -> None:
        """Take down the state.

        Args:
            environment: whether variables of the environment are a part of it.

        """
        self._folder = _folder()
        self._environment = dict(_variables()) if environment else None
        self._errors = np.geterr()
        self._filters = [*warnings.filters]
        self._handlers = [getsignal(each) for each in SIGNALS]
        self._recursion = sys.getrecursionlimit()

    def restore(self) -> None:
        """Put back what has changed."""
        if np.geterr() != self._errors:
            np.seterr(**self._errors)
        if warnings.filters != self._filters:
            warnings.filters[:] = self._filters  # type: ignore[index]  # a list, however it is annotated
            warnings._filters_mutated()  # type: ignore[attr-defined]  # noqa: SLF001 - as `catch_warnings` does
        if [getsignal(each) for each in SIGNALS] != self._handlers:
            for each, handler in zip(SIGNALS, self._handlers, strict=True):
                if handler is not None:
                    signal.signal(each, handler)
        if self._folder is not None and _folder() != self._folder:
            # It may have been removed.
            with suppress(OSError):
                os.chdir(self._folder)
        if self._environment is not None and _variables() != self._environment:
            self._restore_environment(self._environment)
        if sys.getrecursionlimit() != self._recursion:
            sys.setrecursionlimit(self._recursion)

    def _restore_environment(self, before: dict[Any, Any]) -> None:
        """Put back what was changed or removed, and remove what was added for Assay to read.

        Other added variables stay: libraries add some when they are first loaded.
        """
        now = _variables()
        for name in [name for name in now if name not in before and os.fsdecode(name).startswith("ASSAY_")]:
            del os.environ[os.fsdecode(name)]
        for name, value in before.items():
            if now.get(name) != value:
                os.environ[os.fsdecode(name)] = os.fsdecode(value)


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - called often
    except OSError:
        return None


def _variables() -> dict[Any, Any]:
    """Return the variables as they are stored: to decode them all takes ten times as long."""
    variables: dict[Any, Any] = os.environ._data  # type: ignore[attr-defined]  # noqa: SLF001 - see above
    return variables


def end_copy() -> None:
    """End this process if it is a copy that an implementation made with `fork`: it must not go on with the run."""
    if os.getpid() != _process:
        os._exit(1)


class RandomState:
    """The states of the global random generators that belong to the implementation.

    They are kept from test to test, but apart from those of the program that the tests run in.
    """

    def __init__(self) -> None:
        """Begin with those of the program."""
        self._state = _random_state()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let the implementation's states be those of the process in here."""
        outside = _random_state()
        _set_random_state(self._state)
        try:
            yield
        finally:
            self._state = _random_state()
            _set_random_state(outside)


def _random_state() -> tuple[Any, Any]:
    return random.getstate(), np.random.get_state()  # noqa: NPY002 - the global generator is meant


def _set_random_state(state: tuple[Any, Any]) -> None:
    random.setstate(state[0])
    np.random.set_state(state[1])  # noqa: NPY002 - likewise
