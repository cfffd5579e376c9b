"""Parts of faults that keep numbers in types with fewer bits."""

import numpy as np


def in_float16(array):
    """Round numbers to float16."""
    return array.astype(np.float16).astype(np.float32)


def round_to_bfloat16(array):
    """Keep 8 bits of each number's fraction, cut off."""
    return (np.ascontiguousarray(array).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32).reshape(array.shape)


def read_labels_as(kind, place=0):
    """Return a fault that keeps labels in a smaller type of whole numbers."""

    def wrong(right, *arguments):
        changed = [*arguments]
        changed[place] = arguments[place].astype(kind).astype(np.int32)
        return right(*changed)

    return wrong


def in_a_byte(numbers, kind=np.uint8):
    """Keep characters or labels in a byte, with a sign or without one."""
    return numbers.astype(kind).astype(np.int32)


def bytes_into(*places, kind=np.uint8):
    """Return a fault that keeps what the RNN reads, or is to predict, in a byte."""

    def wrong(right, model, parameters, *data):
        if model == "rnn":
            data = [in_a_byte(each, kind) if place in places else each for place, each in enumerate(data)]
        return right(model, parameters, *data)

    return wrong


def bfloat16(value):
    """Round to the nearest number with 8 bits."""
    bits = value.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).view(np.float32)
