"""Faults of functions that keep too few bits of a seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from doubles.faulty import Fault

Function = Callable[..., Any]


def with_seed(narrow: Callable[[int], int]) -> Function:
    """Return a function that loses part of its seed.

    Args:
        narrow: Function from a seed to what is left of it.

    """

    def wrong(right: Function, *args: Any, **kwargs: Any) -> Any:
        if "seed" in kwargs:
            return right(*args, **kwargs | {"seed": narrow(kwargs["seed"])})
        *others, seed = args
        return right(*others, narrow(seed), **kwargs)

    return wrong


SEEDED = {
    "datasets.sample_batch": "mnist.batches-differ",
    "text.sample_windows": "text.seeds",
    "text.generate": "generation.seed",
    "ops.sample": "generation.sample-seed",
    "ops.glorot_uniform": "dense.glorot-seed",
}


def in_float32(seed: int) -> int:
    """Round a seed to float32, and shorten it to 31 bits."""
    return int(np.float32(seed)) % 2**31


NARROW = {
    "a_byte": lambda seed: seed % 2**8,
    "two_digits": lambda seed: seed % 100,
    "float32": in_float32,
    "16_bits": lambda seed: min(seed, 2**16),
}


FAULTS = {
    f"{function.replace('.', '_')}_seed_in_{kind}": Fault(function, claim, "the seeds ", with_seed(narrow))
    for function, claim in SEEDED.items()
    for kind, narrow in NARROW.items()
}
