"""A good implementation, and for every kind of trouble one that makes it. They have what the Dense layer's claims ask."""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path

import numpy as np

FOR_EVER = 1000.0


class Ops:
    """Right in everything."""

    def dense(self, inputs, kernel, bias=None, activation=None):
        affine = inputs @ kernel if bias is None else inputs @ kernel + bias
        return affine if activation is None else getattr(Ops, activation)(self, affine)

    def relu(self, inputs):
        return np.maximum(inputs, np.float32(0))

    def tanh(self, inputs):
        return np.tanh(inputs)

    def sigmoid(self, inputs):
        return np.float32(1) / (np.float32(1) + np.exp(-inputs))

    def glorot_uniform(self, shape, seed):
        limit = np.sqrt(np.float32(6) / np.float32(sum(shape)))
        return limit * np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)

    def zeros(self, shape):
        return np.zeros(shape, np.float32)


class Implementation:
    """One of single operations."""

    name = "toy"
    version = "1.0"
    distributions = ("numpy",)
    groups = ("ops",)
    ops = Ops()

    def start(self, device):
        return f"the toy's {device}"


def having(**attributes):
    """Make an implementation that is right but for these attributes."""
    return type("Implementation", (Implementation,), attributes)()


def lacking(attribute):
    """Make an object that is an implementation but for an attribute."""
    names = {"name", "version", "distributions", "groups", "start"} - {attribute}
    return type("Incomplete", (), {name: getattr(Implementation, name) for name in names})()


def end_process(*_):
    os._exit(3)


def read_address_zero(*_):
    ctypes.string_at(0)


def sleep(*_):
    time.sleep(FOR_EVER)


def hang_in_c(*_):
    """Wait for a lock that this thread holds, without ever coming back to Python."""
    c, lock = ctypes.PyDLL(None), ctypes.create_string_buffer(256)
    c.pthread_mutex_init(lock, None)
    c.pthread_mutex_lock(lock)
    c.pthread_mutex_lock(lock)


def raise_error(*_):
    message = "out of order"
    raise OSError(message)


def leave(*_):
    raise SystemExit(3)


class Tensor:
    """As a framework's: it holds numbers, but is no NumPy array."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype)


class WrongResults(Ops):
    """What comes back has the wrong form."""

    def relu(self, inputs):
        return super().relu(inputs).astype(np.float64)

    def tanh(self, inputs):
        return super().tanh(inputs).T

    def sigmoid(self, inputs):
        return np.full_like(inputs, np.nan)

    def glorot_uniform(self, shape, seed):
        return float(seed)

    def zeros(self, shape):
        return None


class WrongManners(Ops):
    """The results are right, but for what else happens."""

    def relu(self, inputs):
        np.maximum(inputs, np.float32(0), out=inputs)
        return inputs

    def tanh(self, inputs):
        return Tensor(super().tanh(inputs))

    def sigmoid(self, inputs):
        print("chatter " * 1_250_000)
        return super().sigmoid(inputs)

    def glorot_uniform(self, shape, seed):
        raise_error()

    def zeros(self, shape):
        leave()


class Endings(Ops):
    """The process does not live, or the call does not come back."""

    relu = read_address_zero
    tanh = end_process
    sigmoid = sleep
    zeros = hang_in_c


class Incomplete:
    """Lacks relu."""

    dense, tanh, sigmoid, glorot_uniform, zeros = Ops.dense, Ops.tanh, Ops.sigmoid, Ops.glorot_uniform, Ops.zeros


class WrongFromOne(Ops):
    """relu keeps -1 and below, and counts how often it is called."""

    def relu(self, inputs):
        with Path("calls").open("a") as calls:
            calls.write(".")
        return np.where(inputs <= -1, inputs, super().relu(inputs))


implementation = Implementation()
nothing = having(groups=())
wrong_results = having(ops=WrongResults())
wrong_manners = having(ops=WrongManners())
endings = having(ops=Endings())
incomplete = having(ops=Incomplete())
wrong_from_one = having(ops=WrongFromOne())
slow = having(ops=type("Slow", (Ops,), {"relu": sleep})())

start_raises = having(start=raise_error)
start_leaves = having(start=leave)
start_ends = having(start=end_process)
start_crashes = having(start=read_address_zero)
start_sleeps = having(start=sleep)
start_hangs = having(start=hang_in_c)
group_raises = having(ops=property(raise_error))

dense_ends = having(ops=type("DenseEnds", (Ops,), {"dense": end_process})())
dense_sleeps = having(ops=type("DenseSleeps", (Ops,), {"dense": sleep})())
dense_of_text = having(ops=type("DenseOfText", (Ops,), {"dense": lambda *_: np.array(["one"])})())

unknown_group = having(groups=("ops", "opera"))
unknown_package = having(distributions=("numpy", "there-is-no-such-package"))
