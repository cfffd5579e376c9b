"""Parts of faults that work in blocks, and lose what fills none."""

import numpy as np


def lose_rest(array, axis, block):
    """Leave zeros where a block is not full, if there is a full one."""
    length = array.shape[axis]
    if length > block:
        array = array.copy()
        np.moveaxis(array, axis, 0)[length // block * block :] = 0
    return array


def lose_remainder(axis, block):
    """Return a fault that leaves out what a number of blocks leaves over along an axis of the result."""

    def wrong(right, *arguments, **options):
        results = right(*arguments, **options)
        found = [np.array(result) for result in (results if isinstance(results, tuple) else (results,))]
        for result in found:
            over = result.shape[axis] % block if result.ndim else 0
            if over and result.shape[axis] > block:
                np.moveaxis(result, axis, 0)[-over:] = 0
        return tuple(found) if isinstance(results, tuple) else found[0]

    return wrong


def leave_remainder(block):
    """Return a fault that leaves the elements after the last block of an array as they were."""

    def wrong(right, *arguments):
        results = right(*arguments)
        found = [np.array(result) for result in (results if isinstance(results, tuple) else (results,))]
        before = (arguments[0], *arguments[2:4])
        for result, old in zip(found, before, strict=False):
            over = result.size % block
            if over and result.size > block:
                result.reshape(-1)[-over:] = old.reshape(-1)[-over:]
        return tuple(found) if isinstance(results, tuple) else found[0]

    return wrong
