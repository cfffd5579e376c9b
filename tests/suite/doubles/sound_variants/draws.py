"""Sound random draws that use other generators and other algorithms."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np

from doubles.sound_variants.generators import counted, hashed, mersenne, mix, philox, python, sfc, uniform23, uniform24

Variant = Callable[..., Any]
f32 = np.float32


def dropout_24(right, inputs, rate, seed, *, training):
    """Compare float32 numbers of a counter-based generator; multiply by the scale."""
    if not training:
        return inputs.copy()
    dropped = uniform24(counted(seed, inputs.shape)) < f32(rate)
    return np.where(dropped, f32(0), inputs * (f32(1) / f32(1 - rate)))


def dropout_23(right, inputs, rate, seed, *, training):
    """Compare numbers of 23 bits."""
    if not training:
        return inputs
    words = philox(seed).integers(0, 2**64, inputs.shape, np.uint64)
    return np.where(uniform23(words) >= f32(rate), inputs / f32(1 - rate), f32(0))


def dropout_bernoulli(right, inputs, rate, seed, *, training):
    """Draw Bernoulli numbers, and multiply."""
    if not training:
        return inputs
    kept = mersenne(seed).binomial(1, 1 - rate, inputs.shape)
    return inputs * (kept / (1 - rate)).astype(f32)


def dropout_threshold(right, inputs, rate, seed, *, training):
    """Compare 32-bit integers with a threshold."""
    if not training:
        return inputs
    kept = hashed(seed, "dropout").integers(0, 2**32, inputs.shape, np.uint64) >= np.uint64(rate * 2**32)
    result = np.zeros_like(inputs)
    result[kept] = inputs[kept] / f32(1 - rate)
    return result


def rejecting(draw: Variant) -> Variant:
    """Reject NaN, as the contract demands."""

    def checked(right, probabilities, seed):
        if np.isnan(probabilities).any():
            msg = "NaN"
            raise ValueError(msg)
        return draw(probabilities, seed).astype(np.int32)

    return checked


def sample_gumbel(probabilities, seed):
    """Add Gumbel noise to logarithms, and take the largest."""
    with np.errstate(divide="ignore"):
        return (np.log(probabilities) + philox(seed).gumbel(size=probabilities.shape)).argmax(axis=-1)


def sample_race(probabilities, seed):
    """Let exponential clocks race, as PyTorch does."""
    return (probabilities / mersenne(seed).exponential(size=probabilities.shape)).argmax(axis=-1)


def sample_choice(probabilities, seed):
    """Call choice for every row, as the document does."""
    generator = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))
    exact = probabilities.astype(float)
    return np.array([generator.choice(row.size, p=row / row.sum()) for row in exact], int)


def sample_multinomial(probabilities, seed):
    """Draw one of a multinomial distribution for every row."""
    exact = probabilities.astype(float)
    return sfc(seed).multinomial(1, exact / exact.sum(axis=-1, keepdims=True)).argmax(axis=-1)


def sample_alias(probabilities, seed):
    """Build the alias table of every row (Vose, 1991)."""
    generator, result = hashed(seed), []
    for row in probabilities.astype(float):
        size = row.size
        scaled, alias = (row * size / row.sum()).tolist(), [*range(size)]
        small = [k for k in range(size) if scaled[k] < 1]
        large = [k for k in range(size) if scaled[k] >= 1]
        while small and large:
            less, more = small.pop(), large[-1]
            alias[less] = more
            scaled[more] -= 1 - scaled[less]
            if scaled[more] < 1:
                small.append(large.pop())
        # What is left over by rounding has probability 1, unless it cannot occur.
        for k in small:
            scaled[k] = 1.0 if row[k] else 0.0
            alias[k] = int(row.argmax())
        place = generator.integers(size)
        result.append(place if generator.random() < scaled[place] else alias[place])
    return np.array(result, int)


def sample_float32(probabilities, seed):
    """Invert the cumulative sum in float32 with numbers of 24 bits."""
    ends = np.cumsum(probabilities, axis=-1, dtype=f32)
    points = uniform24(counted(seed, (len(ends), 1))) * ends[:, -1:]
    last = probabilities.shape[1] - 1 - (probabilities[:, ::-1] > 0).argmax(axis=-1)
    return np.minimum((ends <= points).sum(axis=-1), last)


def sample_search(probabilities, seed):
    """Search the cumulative sum of every row in bisections, with a generator for each row."""
    result = []
    for number, row in enumerate(np.cumsum(probabilities, axis=-1, dtype=float)):
        point = python(f"{seed} {number}").random() * row[-1]
        result.append(np.searchsorted(row, point, side="right"))
    return np.array(result, int)


def limit_of(shape):
    """Return the limit of a Glorot-uniform kernel."""
    return math.sqrt(6 / sum(shape))


def glorot_24(right, shape, seed):
    """Scale float32 numbers of 24 bits."""
    return (uniform24(counted(seed, shape)) * f32(2) - f32(1)) * f32(limit_of(shape))


def glorot_23(right, shape, seed):
    """Scale float32 numbers of 23 bits, as TensorFlow and JAX do."""
    limit = f32(limit_of(shape))
    words = philox(seed).integers(0, 2**64, shape, np.uint64)
    return uniform23(words) * (limit - -limit) + -limit


def glorot_mersenne(right, shape, seed):
    """Draw with the Mersenne Twister, column by column, and return a transposed view."""
    return mersenne(seed).uniform(-1, 1, shape[::-1]).astype(f32).T * f32(limit_of(shape))


def glorot_python(right, shape, seed):
    """Draw with Python's generator."""
    generator, limit = python(seed), limit_of(shape)
    return np.array([[generator.uniform(-limit, limit) for _ in range(shape[1])] for _ in range(shape[0])], f32)


def sample_batch_scaled(right, images, labels, batch_size, seed):
    """Scale numbers in [0, 1) and round down."""
    places = np.floor(philox(seed).random(batch_size) * len(images)).astype(int)
    return np.take(images, places, axis=0), np.take(labels, places)


def sample_batch_modulo(right, images, labels, batch_size, seed):
    """Take 64-bit hashes modulo the number of examples."""
    places = counted(seed, batch_size) % np.uint64(len(images))
    return images[places], labels[places]


def sample_batch_choice(right, images, labels, batch_size, seed):
    """Draw with choice, one by one, and return arrays of copies."""
    generator = hashed(seed, "batch")
    places = [int(generator.choice(len(images))) for _ in range(batch_size)]
    return np.array([images[k] for k in places]), np.array([labels[k] for k in places])


def sample_windows_views(right, indices, seq_length, batch_size, seed):
    """Gather strided views of all windows."""
    if len(indices) <= seq_length:
        msg = "short"
        raise ValueError(msg)
    views = np.lib.stride_tricks.sliding_window_view(indices, seq_length + 1)
    chosen = views[(philox(seed).random(batch_size) * len(views)).astype(int)]
    return chosen[:, :-1], chosen[:, -1]


def sample_windows_slices(right, indices, seq_length, batch_size, seed):
    """Cut windows out of a list, one by one, as the document does."""
    generator, text = python(seed), indices.tolist()
    starts = [generator.randrange(0, len(text) - seq_length) for _ in range(batch_size)]
    windows = np.array([text[start : start + seq_length] for start in starts], np.int32)
    return windows, np.array([text[start + seq_length] for start in starts], np.int32)


def sample_windows_hashed(right, indices, seq_length, batch_size, seed):
    """Hash every start by itself, and return arrays in Fortran order."""
    places = len(indices) - seq_length
    if places < 1:
        msg = "short"
        raise ValueError(msg)
    starts = (mix(counted(seed, batch_size)) % np.uint64(places)).astype(np.int64)
    gathered = np.take(indices, np.add.outer(np.arange(seq_length + 1), starts))
    return gathered[:-1].T, gathered[-1]


def encode_dictionary(right, content):
    """Build dictionaries, as the document does."""
    text = content.decode().replace("\r\n", "\n").replace("\r", "\n").lower()
    characters = sorted(set(text))
    numbers = {character: number for number, character in enumerate(characters)}
    return type(right(b""))(
        numbers, dict(enumerate(characters)), np.array([numbers[character] for character in text], np.int32)
    )


def encode_reader(right, content):
    """Read with universal line feeds, and return read-only dictionaries."""
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline=None).read().lower()
    characters = sorted({*text}, key=ord)
    numbers = MappingProxyType({character: number for number, character in enumerate(characters)})
    indices = np.fromiter(map(numbers.__getitem__, text), np.int32, len(text))
    return type(right(b""))(numbers, MappingProxyType({number: c for c, number in numbers.items()}), indices)


def preprocess_double(right, images, labels):
    """Divide in float64."""
    return (np.expand_dims(images, -1) / 255).astype(f32), np.asarray(labels, np.int32)


def preprocess_table(right, images, labels):
    """Look every grey level up in a table, and return a read-only array."""
    table = np.arange(256, dtype=f32) / f32(255)
    scaled = table[images].reshape(*images.shape, 1)
    scaled.flags.writeable = False
    return scaled, np.array([*map(int, labels)], np.int32)


def preprocess_scaled(right, images, labels):
    """Multiply by the reciprocal of 255."""
    return images[..., np.newaxis] * f32(1 / 255), labels.astype("int32")


VARIANTS: dict[str, dict[str, Variant]] = {
    "dropout/24 bits, counter": {"ops.dropout": dropout_24},
    "dropout/23 bits, Philox": {"ops.dropout": dropout_23},
    "dropout/Bernoulli, Mersenne": {"ops.dropout": dropout_bernoulli},
    "dropout/integer threshold": {"ops.dropout": dropout_threshold},
    "sample/Gumbel": {"ops.sample": rejecting(sample_gumbel)},
    "sample/exponential race": {"ops.sample": rejecting(sample_race)},
    "sample/choice": {"ops.sample": rejecting(sample_choice)},
    "sample/multinomial": {"ops.sample": rejecting(sample_multinomial)},
    "sample/alias": {"ops.sample": rejecting(sample_alias)},
    "sample/float32": {"ops.sample": rejecting(sample_float32)},
    "sample/bisection, seed by row": {"ops.sample": rejecting(sample_search)},
    "glorot_uniform/24 bits, counter": {"ops.glorot_uniform": glorot_24},
    "glorot_uniform/23 bits, Philox": {"ops.glorot_uniform": glorot_23},
    "glorot_uniform/Mersenne, transposed": {"ops.glorot_uniform": glorot_mersenne},
    "glorot_uniform/Python": {"ops.glorot_uniform": glorot_python},
    "sample_batch/scaled": {"datasets.sample_batch": sample_batch_scaled},
    "sample_batch/modulo": {"datasets.sample_batch": sample_batch_modulo},
    "sample_batch/choice": {"datasets.sample_batch": sample_batch_choice},
    "preprocess/float64": {"datasets.preprocess": preprocess_double},
    "preprocess/table": {"datasets.preprocess": preprocess_table},
    "preprocess/reciprocal": {"datasets.preprocess": preprocess_scaled},
    "sample_windows/views": {"text.sample_windows": sample_windows_views},
    "sample_windows/slices": {"text.sample_windows": sample_windows_slices},
    "sample_windows/hashed": {"text.sample_windows": sample_windows_hashed},
    "encode/dictionary": {"text.encode": encode_dictionary},
    "encode/reader": {"text.encode": encode_reader},
}
