"""Parts of faults that keep something from one call to the next."""

import inspect
from functools import lru_cache
from hashlib import sha256

import numpy as np

from assay.contract import PROTOCOLS, Transitions


def in_one_buffer():
    """Return a fault that puts batches of one shape where the last ones were."""
    kept = {}

    def wrong(batches, *args, **options):
        found = batches(*args, **options)
        for number, pair in enumerate(found):
            for which, array in enumerate(pair):
                kept.setdefault((number, which, array.shape), np.array(array))[...] = array
        return [
            tuple(kept[number, which, array.shape] for which, array in enumerate(pair))
            for number, pair in enumerate(found)
        ]

    return wrong


@lru_cache
def returned_again(function, *arguments):
    """Return the same arrays for the same arguments, whoever has changed them."""
    return function(*arguments)


class Kept:
    """Results that are kept for arguments of the same shapes, sums and first elements."""

    def __init__(self):
        """Keep nothing."""
        self._results = {}

    def __call__(self, function, *arguments, **options):
        """Return what was kept, or ask the right function."""
        key = str(([*map(self._key, arguments)], options))
        if key not in self._results:
            self._results[key] = function(*arguments, **options)
        return self._results[key]

    @staticmethod
    def _key(argument):
        if not isinstance(argument, np.ndarray):
            return argument
        with np.errstate(invalid="ignore"):
            return argument.shape, float(argument.astype(np.float64).sum()), float(argument.flat[0])


def key_of(value):
    """Return a hashable form of an argument."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, sha256(np.ascontiguousarray(value).tobytes()).digest()
    if isinstance(value, dict):
        return tuple(sorted((name, key_of(one)) for name, one in value.items()))
    return tuple(map(key_of, value)) if isinstance(value, tuple | list) else value


def keeping_results(function, overlooked):
    """Return a fault that keeps results, and looks them up by all arguments and elements of transitions but one."""
    group, name = function.split(".")
    _, *parameters = inspect.signature(getattr(PROTOCOLS[group], name)).parameters
    kept = {}

    def wrong(right, *args, **options):
        given = dict(zip(parameters, args, strict=False)) | options
        if overlooked in Transitions._fields and "transitions" in given:
            given |= Transitions(*given.pop("transitions"))._asdict()
        key = key_of({name: value for name, value in given.items() if name != overlooked})
        if key not in kept:
            kept[key] = right(*args, **options)
        return kept[key]

    return wrong


def temperature_of_1_after_a_refusal():
    """Return a fault that sets the temperature back after a refusal, and only then sets the next one."""
    kept = {}

    def wrong(function, *arguments, temperature=None, **options):
        *others, last = arguments
        given = last if temperature is None else temperature
        used = kept.pop("temperature", given)
        if not given > 0:
            kept["temperature"] = 1.0
            used = given
        return function(*others, used) if temperature is None else function(*arguments, temperature=used, **options)

    return wrong


def keep_first_answer():
    """Return a fault that answers every call as the first one with arguments of the same shapes."""
    known = {}

    def wrong(right, *arguments, **options):
        key = *map(np.shape, arguments[:-1]), np.shape(arguments[-1]) if isinstance(arguments[-1], np.ndarray) else ()
        if key not in known:
            known[key] = right(*arguments, **options)
        return known[key]

    return wrong


def keep_argument(place):
    """Return a fault that goes on with what the first call had in one place."""
    known = {}

    def wrong(right, *arguments, **options):
        first = known.setdefault(np.shape(arguments[0]), arguments[place])
        fits = np.shape(first) == np.shape(arguments[place])
        return right(*arguments[:place], first if fits else arguments[place], *arguments[place + 1 :], **options)

    return wrong


class KeptForResults:
    """What is kept of a result, found again by its bytes."""

    def __init__(self):
        """Start with nothing."""
        self._kept = {}

    def of(self, array, default=None):
        """Return what is kept of an earlier result with these elements."""
        return self._kept.get((array.shape, array.tobytes()), default)

    def keep(self, array, value):
        """Keep something of a result."""
        self._kept[array.shape, array.tobytes()] = value
