"""A good implementation, and for every kind of trouble one that makes it: as much of one as the Dense layer needs."""

from __future__ import annotations

import ctypes
import math
import os
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.contract import EncodedText

Array = NDArray[Any]

FOR_EVER = 1000.0


class Ops:
    """Right in everything."""

    def dense(self, inputs: Array, kernel: Array, bias: Array | None = None, activation: str | None = None) -> Array:
        affine = inputs @ kernel if bias is None else inputs @ kernel + bias
        return affine if activation is None else getattr(Ops, activation)(self, affine)

    def relu(self, inputs: Array) -> Array:
        return np.maximum(inputs, np.float32(0))

    def tanh(self, inputs: Array) -> Array:
        return np.tanh(inputs)

    def sigmoid(self, inputs: Array) -> Array:
        return np.float32(1) / (np.float32(1) + np.exp(-inputs))

    def glorot_uniform(self, shape: tuple[int, int], seed: int) -> Array:
        limit = np.sqrt(np.float32(6) / np.float32(sum(shape)))
        return limit * np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape, np.float32)


class Implementation:
    """One of single operations."""

    name = "toy"
    version = "1.0"
    distributions = ("numpy",)
    groups = ("ops",)
    ops = Ops()

    def start(self, device: str) -> str:
        return f"the toy's {device}"


def having(**attributes: object) -> Implementation:
    """Make an implementation that is right but for these attributes."""
    return type("Having", (Implementation,), attributes)()


def with_ops(**functions: object) -> Implementation:
    """Make an implementation whose operations are right but for these."""
    return having(ops=type("WithOps", (Ops,), functions)())


def lacking(attribute: str) -> object:
    """Make an implementation that lacks an attribute."""
    names = {"name", "version", "distributions", "groups", "start"} - {attribute}
    return type("Lacking", (), {name: getattr(Implementation, name) for name in names})()


def raise_error(*_: object) -> NoReturn:
    message = "out of order"
    raise OSError(message)


def raise_wait_policy(*_: object) -> NoReturn:
    """Raise how threads of OpenMP should wait."""
    raise OSError(os.environ.get("OMP_WAIT_POLICY"))


def leave(*_: object) -> NoReturn:
    raise SystemExit(3)


def end_process(*_: object) -> NoReturn:
    os._exit(0)


def read_address_zero(*_: object) -> None:
    ctypes.string_at(0)


def sleep(*_: object) -> None:
    time.sleep(FOR_EVER)


def hang_in_c(*_: object) -> None:
    """Wait for a lock that this thread holds, without ever coming back to Python."""
    c, lock = ctypes.PyDLL(None), ctypes.create_string_buffer(256)
    c.pthread_mutex_init(lock, None)
    c.pthread_mutex_lock(lock)
    c.pthread_mutex_lock(lock)


class Tensor:
    """As a framework's: it holds numbers, but is not a NumPy array."""

    def __init__(self, values: Array) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        return np.array(self.values, dtype, copy=copy)


class Inconsistent(Ops):
    """Every seventh answer of a layer is off by 1."""

    def __init__(self) -> None:
        self.calls = 0

    def dense(self, inputs: Array, kernel: Array, bias: Array | None = None, activation: str | None = None) -> Array:
        self.calls += 1
        return super().dense(inputs, kernel, bias, activation) + np.float32(self.calls % 7 == 0)


class WrongResults(Ops):
    """What comes back has the wrong form."""

    def relu(self, inputs: Array) -> Array:
        return inputs.astype(np.float64)

    def tanh(self, inputs: Array) -> Array:
        return inputs.T

    def sigmoid(self, inputs: Array) -> Array:
        return np.full_like(inputs, np.nan)

    def glorot_uniform(self, shape: tuple[int, int], seed: int) -> Any:
        return 0.5

    def zeros(self, shape: tuple[int, ...]) -> Any:
        return None


class WrongManners(Ops):
    """The results are right, but for what else happens."""

    def relu(self, inputs: Array) -> Array:
        return np.maximum(inputs, np.float32(0), out=inputs)

    def tanh(self, inputs: Array) -> Any:
        return Tensor(super().tanh(inputs))

    def sigmoid(self, inputs: Array) -> Array:
        sys.stdout.write("chatter " * 1_250_000)
        return super().sigmoid(inputs)

    def glorot_uniform(self, shape: tuple[int, int], seed: int) -> Array:
        raise_error()

    def zeros(self, shape: tuple[int, ...]) -> Array:
        leave()


def missing(_: object) -> NoReturn:
    """Be what the attribute of an object is that has no such attribute."""
    raise AttributeError


def skip(*_: object) -> NoReturn:
    pytest.skip("I would rather not")


class WrongFromOne(Ops):
    """relu lets -1 and less through, and notes down its calls."""

    def relu(self, inputs: Array) -> Array:
        with Path("calls").open("a") as calls:
            calls.write("x")
        return np.where(inputs <= -1, inputs, super().relu(inputs))


class Letters:
    """A loader of characters, with every kind of value that an implementation returns."""

    def encode(self, content: bytes) -> EncodedText:
        text = content.decode()
        numbers = {letter: number for number, letter in enumerate(sorted(set(text)))}
        return EncodedText(numbers, dict(enumerate(numbers)), np.array([numbers[one] for one in text], np.int32))

    def generate(self, parameters: dict[str, Array], window: Array, *, temperature: float, **_: Any) -> Any:
        if not temperature > 0:
            message = f"the temperature is {temperature}"
            raise ValueError(message)
        return [window[::-1], np.float32(temperature), list(parameters), {"nan": math.nan}, None, True]


implementation = good = Implementation()
without_groups = having(groups=())
inconsistent = having(ops=Inconsistent())
wrong_results = having(ops=WrongResults())
wrong_manners = having(ops=WrongManners())
wrong_from_one = having(ops=WrongFromOne())
missing_and_sleeping = with_ops(relu=property(missing), dense=sleep)
endings = with_ops(relu=read_address_zero, tanh=hang_in_c, sigmoid=sleep)
sleeping_relu = with_ops(relu=sleep)
skips = with_ops(relu=skip)
letters = having(groups=("text",), text=Letters())

start_raises = having(start=raise_error)
start_tells_wait_policy = having(start=raise_wait_policy)
start_leaves = having(start=leave)
start_ends = having(start=end_process)
start_sleeps = having(start=sleep)
group_raises = having(ops=property(raise_error))
group_is_missing = having(ops=property(missing))

without_name = lacking("name")
without_start = lacking("start")
unknown_group = having(groups=("ops", "opera"))
unknown_package = having(distributions=("numpy", "there-is-no-such-package"))
