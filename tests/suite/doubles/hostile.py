"""Implementations that do something to the process, the files or the time of a run; their answers are right."""

from __future__ import annotations

import builtins
import faulthandler
import gc
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
import pytest

from doubles.badly_behaved import Array, Implementation, Ops, hang_in_c, having, with_ops

LONE = "half \udcff pair"


class UnprintableError(Exception):
    """Its message is an error, too."""

    def __str__(self) -> str:
        raise OSError


class LoneSurrogateError(Exception):
    """Its message cannot be encoded."""

    def __str__(self) -> str:
        return LONE


class Nested:
    """Has a class of warnings that no other process can import."""

    class ChangeWarning(UserWarning):
        """Also, it takes two arguments."""

        def __init__(self, text: str, other: str) -> None:
            super().__init__(text)
            self.other = other


class ImportedWarning(UserWarning):
    """Whoever imports this module to show it leaves a trace: see the end of this file."""


def raising(error: BaseException | type[BaseException]) -> Any:
    """Make a function that raises."""

    def function(*_: object, **__: object) -> NoReturn:
        raise error

    return function


def first(action: Any, name: str) -> Any:
    """Make a function of the operations that does something before it answers."""

    def function(self: Ops, *given: Any, **named: Any) -> Array:
        action()
        return getattr(Ops, name)(self, *given, **named)

    return function


def doing(**actions: Any) -> Implementation:
    """Make an implementation that does something in some of its functions."""
    return with_ops(**{name: first(action, name) for name, action in actions.items()})


# Ways out of a claim

endings = with_ops(
    relu=raising(unittest.SkipTest("not today")),
    tanh=raising(pytest.exit.Exception("enough")),
    sigmoid=raising(KeyboardInterrupt),
    zeros=raising(UnprintableError),
    glorot_uniform=raising(LoneSurrogateError),
    dense=raising(pytest.xfail.Exception("as expected")),
)
ENDINGS = (
    pytest.skip.Exception("not today"),
    unittest.SkipTest("not today"),
    pytest.exit.Exception("enough"),
    KeyboardInterrupt(),
    SystemExit(0),
    UnprintableError(),
    pytest.xfail.Exception("as expected"),
)


def keras_with(errors: tuple[BaseException, ...]) -> Implementation:
    """Make an implementation whose layers raise one error after the other."""
    left = iter(errors)

    def dense(*_: object, **__: object) -> NoReturn:
        raise next(left)

    return having(
        groups=("keras",), keras=SimpleNamespace(namespace=SimpleNamespace(layers=SimpleNamespace(Dense=dense)))
    )


keras_endings = keras_with(ENDINGS)
lone_surrogates = having(name=LONE, version=LONE, start=lambda _self, device: LONE + device)

# Time


def swallow() -> None:
    """Sleep through two interruptions, and answer late."""
    for _ in range(2):
        with suppress(BaseException):
            time.sleep(60)


def stop_the_alarm() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    time.sleep(10)


def spin() -> None:
    while True:
        pass


def stop_the_process() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def disarm_and_hang() -> None:
    faulthandler.cancel_dump_traceback_later()
    hang_in_c()


late = doing(relu=swallow, tanh=stop_the_alarm, sigmoid=spin)
silent = doing(relu=stop_the_process, tanh=disarm_and_hang)
# In all longer than its limit, and yet busy for none of it.
patient = doing(relu=lambda: time.sleep(0.25))

# The process


def warn_nested() -> None:
    warnings.warn(Nested.ChangeWarning("a", "b"), stacklevel=1)
    generated = type("Generated", (DeprecationWarning,), {})
    warnings.warn(generated(LONE), stacklevel=1)


def warn_importable() -> None:
    warnings.warn(ImportedWarning("careful"), stacklevel=1)


def close_streams() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        stream.close()


def close_descriptors() -> None:
    for number in (1, 2):
        with suppress(OSError):
            os.close(number)


def fork_and_return() -> None:
    os.fork()


def leave_state() -> None:
    """Change all of the process's state."""
    # A correct layer may underflow.
    np.seterr(all="raise", under="ignore")
    warnings.simplefilter("error")
    os.chdir("/")
    os.environ["ASSAY_DATA"] = os.environ["HOME"] = "/nowhere"
    os.environ.pop("PATH", None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    np.random.seed(0)  # noqa: NPY002 - the global generator is meant
    sys.setrecursionlimit(150)


def leave_surroundings() -> None:
    """Change the rest of the process's state."""
    for each in (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
        resource.setrlimit(each, (10, resource.getrlimit(each)[1]))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGALRM, signal.SIGTERM})
    os.umask(0o777)
    sys.excepthook = sys.unraisablehook = threading.excepthook = lambda *_: os._exit(0)
    sys.setprofile(lambda *_: None)
    gc.disable()
    sys.setswitchinterval(1000)
    np.set_printoptions(precision=1)


def stop_the_clocks() -> None:
    """Let all clocks of the module stand still."""
    time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0


def open_no_more_files() -> None:
    """Leave the process without a descriptor to open, for longer than its threads sleep."""
    threading.excepthook = lambda *_: os._exit(0)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    time.sleep(1.5)


def end_with_success() -> None:
    os._exit(0)


def break_builtins() -> None:
    for name in ("len", "isinstance", "open"):
        setattr(builtins, name, None)


def remove_the_folder() -> None:
    for folder in Path(tempfile.gettempdir()).glob("assay-run-*"):
        shutil.rmtree(folder, ignore_errors=True)


def leave_a_thread_and_a_child() -> None:
    threading.Thread(target=time.sleep, args=[600]).start()
    with Path("pid").open("a") as pids:
        pids.write(f"{subprocess.Popen(['sleep', '600']).pid}\n")


nested_warnings = doing(relu=warn_nested)
imported_warnings = doing(relu=warn_importable)
closed_streams = doing(relu=close_streams, tanh=close_descriptors)
forks = doing(relu=fork_and_return)
state = doing(**dict.fromkeys(("dense", "relu", "tanh", "sigmoid", "zeros", "glorot_uniform"), leave_state))
surroundings = doing(relu=leave_surroundings, tanh=leave_surroundings)
broken_builtins = doing(relu=break_builtins)
descriptors = doing(tanh=open_no_more_files)
ended = doing(tanh=end_with_success)
clocks = doing(relu=stop_the_clocks)
removed_folder = doing(relu=remove_the_folder, tanh=remove_the_folder)
thread = doing(relu=lambda: threading.Thread(target=time.sleep, args=[600]).start())
leftovers = doing(relu=leave_a_thread_and_a_child)


def note_and_sleep() -> None:
    with Path("pid").open("a") as pids:
        pids.write(f"{os.getpid()}\n")
    time.sleep(600)


class Unnamed(Implementation):
    """Does not say what it is called."""

    @property
    def name(self) -> str:
        message = "no name"
        raise ValueError(message)


unnamed = Unnamed()

sleeping = doing(relu=note_and_sleep)


def noting_calls(name: str) -> Any:
    """Make what notes a call of a function, and never returns from the third call of one that `hang` names."""
    calls = Path("calls")

    def note() -> None:
        with calls.open("a") as file:
            file.write(f"{name}\n")
        if Path("hang").exists() and Path("hang").read_text() == name and calls.read_text().split().count(name) == 3:
            time.sleep(600)

    return note


noted = doing(**{name: noting_calls(name) for name in ("dense", "relu", "tanh", "sigmoid", "zeros", "glorot_uniform")})

# The suite


def patch_assertions(_self: Implementation, device: str) -> str:
    """Let every comparison of Assay's hold."""
    for module in [*sys.modules.values()]:
        for name in [name for name in vars(module) if name.startswith("assert_")]:
            setattr(module, name, lambda *_, **__: None)
    return device


def wrong(_self: Ops, inputs: Array) -> Array:
    return inputs + 1


cheating = having(start=patch_assertions, ops=type("Wrong", (Ops,), {"relu": wrong})())


class Noting(Ops):
    """relu is wrong, and tries to get a command into the one that replays the failure."""

    numbers = count()

    def relu(self, inputs: Array) -> Array:
        error = AssertionError("wrong")
        error.__notes__ = ["@reproduce_failure('6', b'AA; touch injected #')"]
        raise error


noting = having(ops=Noting())

with Path(os.environ.get("HOSTILE_TRACE", os.devnull)).open("a") as trace:
    trace.write(f"{os.getpid()}\n")
