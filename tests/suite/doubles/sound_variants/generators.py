"""Schemes for random numbers other than NumPy's default: any of them may stand behind a seed."""

from __future__ import annotations

import hashlib
import random

import numpy as np

from assay.contract import Array

WORD = 2**64 - 1
STEP = 0x9E3779B97F4A7C15


def philox(seed: int) -> np.random.Generator:
    """Return a counter-based generator, as cuRAND and TensorFlow have."""
    return np.random.Generator(np.random.Philox(seed))


def mersenne(seed: int) -> np.random.Generator:
    """Return the Mersenne Twister, as Python and PyTorch have."""
    return np.random.Generator(np.random.MT19937(seed))


def sfc(seed: int) -> np.random.Generator:
    """Return a small chaotic generator."""
    return np.random.Generator(np.random.SFC64(seed))


def hashed(seed: int, *labels: object) -> np.random.Generator:
    """Return a generator whose seed is a SHA-256 of a seed and of labels, such as a layer's name."""
    digest = hashlib.sha256(repr((int(seed), *labels)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))


def python(seed: object) -> random.Random:
    """Return Python's generator, with a seed of its own from the text of any other."""
    return random.Random(str(seed))  # noqa: S311 - not for secrets


def mix(words: Array) -> Array:
    """Mix the bits of words by the finalizer of splitmix64."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def counted(seed: int, shape: tuple[int, ...] | int) -> Array:
    """Return 64 random bits for each element: a hash of the seed and of the element's index."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    with np.errstate(over="ignore"):
        start = mix(np.array([int(seed) & WORD], np.uint64) + np.uint64(STEP))
        start = mix(start ^ np.uint64((int(seed) >> 64) & WORD))
        words = mix(start + np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64) * np.uint64(STEP))
    return words.reshape(shape)


def uniform24(words: Array) -> Array:
    """Return float32 k / 2^24 of random words: the finest spacing with equal steps below 1."""
    return (words >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)


def uniform23(words: Array) -> Array:
    """Return float32 k / 2^23 of random words, by setting the fraction of a number between 1 and 2."""
    fraction = (words >> np.uint64(41)).astype(np.uint32)
    return (fraction | np.uint32(0x3F800000)).view(np.float32) - np.float32(1)
