"""The state of the process that is restored after each call of an implementation, or after each test."""

from __future__ import annotations

import gc
import locale
import os
import random
import resource
import signal
import sys
import threading
import warnings

# The private function, because `signal.getsignal` converts results to enumerations and is ten times slower.
from _signal import getsignal  # type: ignore[import-not-found]
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

SIGNALS = tuple(map(int, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)))
LIMITS = (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)
_process = os.getpid()


class ProcessState:
    """State that is restored after each call: a snapshot, taken on construction.

    The alarm is not part of it: see `assay.adapters.time_limit`.
    """

    __slots__ = ("_environment", "_errors", "_filters", "_folder", "_handlers", "_limits", "_recursion")

    def __init__(self, *, environment: bool = True) -> None:
        """Take the snapshot.

        Args:
            environment: Whether the snapshot includes environment variables.

        """
        self._folder = _folder()
        self._environment = dict(_variables()) if environment else None
        self._errors = np.geterr()
        self._filters = [*warnings.filters]
        self._handlers = [getsignal(each) for each in SIGNALS]
        self._recursion = sys.getrecursionlimit()
        self._limits = [resource.getrlimit(each) for each in LIMITS]

    def restore(self) -> None:
        """Restore changed state."""
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
            # The folder may have been removed.
            with suppress(OSError):
                os.chdir(self._folder)
        if self._environment is not None and _variables() != self._environment:
            self._restore_environment(self._environment)
        if sys.getrecursionlimit() != self._recursion:
            sys.setrecursionlimit(self._recursion)
        if [resource.getrlimit(each) for each in LIMITS] != self._limits:
            self._restore_limits()

    def _restore_limits(self) -> None:
        for each, (soft, hard) in zip(LIMITS, self._limits, strict=True):
            _, now = resource.getrlimit(each)
            # A lowered hard limit cannot be raised again.
            with suppress(OSError, ValueError):
                resource.setrlimit(each, (soft if now == hard else now, now))

    def _restore_environment(self, before: dict[Any, Any]) -> None:
        """Restore variables that were changed or removed, and remove added ones that Assay reads.

        Other added variables stay, since libraries set some on first loading.
        """
        now = _variables()
        for name in [name for name in now if name not in before and os.fsdecode(name).startswith("ASSAY_")]:
            del os.environ[os.fsdecode(name)]
        for name, value in before.items():
            if now.get(name) != value:
                os.environ[os.fsdecode(name)] = os.fsdecode(value)


class Surroundings:
    """State that is restored only after each test, since reading it takes longer than a short call."""

    def __init__(self) -> None:
        """Take the snapshot."""
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._umask = _umask()
        self._locale = locale.setlocale(locale.LC_ALL)
        self._hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
        self._traces = sys.gettrace(), sys.getprofile()
        self._collects, self._interval = gc.isenabled(), sys.getswitchinterval()
        self._shown = np.get_printoptions()

    def restore(self) -> None:
        """Restore changed state."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        os.umask(self._umask)
        if locale.setlocale(locale.LC_ALL) != self._locale:
            locale.setlocale(locale.LC_ALL, self._locale)
        sys.excepthook, sys.unraisablehook, threading.excepthook = self._hooks
        trace, profile = self._traces
        if (sys.gettrace(), sys.getprofile()) != self._traces:
            sys.settrace(trace)
            sys.setprofile(profile)
        (gc.enable if self._collects else gc.disable)()
        sys.setswitchinterval(self._interval)
        np.set_printoptions(**self._shown)


def _umask() -> int:
    # Python has no function to read it without changing it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - called often
    except OSError:
        return None


def _variables() -> dict[Any, Any]:
    """Return the environment variables undecoded, since decoding all takes ten times as long."""
    variables: dict[Any, Any] = os.environ._data  # type: ignore[attr-defined]  # noqa: SLF001 - see above
    return variables


def end_copy() -> None:
    """End this process if it is a copy that an implementation made with `fork`: it must not continue the run."""
    if os.getpid() != _process:
        os._exit(1)


class RandomState:
    """The implementation's states of the global random generators.

    They persist from test to test, separate from those of the process that runs the tests.
    """

    def __init__(self) -> None:
        """Start with the current states of the process."""
        self._state = _random_state()

    @contextmanager
    def activate(self) -> Iterator[None]:
        """Use the implementation's states within the context."""
        outside = _random_state()
        _set_random_state(self._state)
        try:
            yield
        finally:
            self._state = _random_state()
            _set_random_state(outside)


def _random_state() -> tuple[Any, Any]:
    return random.getstate(), np.random.get_state()  # noqa: NPY002 - intentionally the global generator


def _set_random_state(state: tuple[Any, Any]) -> None:
    random.setstate(state[0])
    np.random.set_state(state[1])  # noqa: NPY002
