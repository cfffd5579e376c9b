"""Faults that show at a limit: of a block, of a range, of an episode, or of a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from assay.contract import Array, EncodedText, ModelName, Parameters, Transitions
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


def in_float32(seed: int) -> int:
    """Round a seed to float32, and shorten it to 31 bits."""
    return int(np.float32(seed)) % 2**31


def read_in_blocks(size: int) -> Function:
    """Return a loader that reads newlines block by block.

    Args:
        size: Number of characters in a block.

    """

    def wrong(right: Callable[[bytes], EncodedText], content: bytes) -> EncodedText:
        text = content.decode("utf-8")
        blocks = (text[start : start + size] for start in range(0, len(text), size))
        return right("".join(block.replace("\r\n", "\n").replace("\r", "\n") for block in blocks).encode())

    return wrong


def decode_in_blocks(right: Callable[[bytes], EncodedText], content: bytes) -> EncodedText:
    """Decode blocks of 8,192 bytes one by one, with a sign in the place of what a cut leaves of a character."""
    content.decode("utf-8")
    blocks = (content[start : start + 8192] for start in range(0, len(content), 8192))
    return right("".join(block.decode("utf-8", "replace") for block in blocks).encode())


def draw_without_replacement(
    right: Function, indices: Array, seq_length: int, batch_size: int, seed: int
) -> tuple[Array, Array]:
    """Draw each window at most once where there are enough."""
    places = len(indices) - seq_length
    if batch_size > places:
        return right(indices, seq_length, batch_size, seed)
    starts = np.random.default_rng(seed).permutation(places)[:batch_size]
    return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]


def clip_carry(limit: float) -> Function:
    """Return a layer that keeps its carries between two limits."""

    def wrong(right: Function, *args: Array) -> tuple[Array, Array]:
        hidden, carry = right(*args)
        return hidden, np.clip(carry, np.float32(-limit), np.float32(limit))

    return wrong


def largest_of_whole_blocks(right: Callable[[Array], Array], logits: Array) -> Array:
    """Subtract the largest logit of the whole blocks of 256, whatever is left after them."""
    blocks = logits.shape[-1] // 256 * 256
    if blocks in {0, logits.shape[-1]}:
        return right(logits)
    with np.errstate(all="ignore"):
        exponentials = np.exp(logits - logits[..., :blocks].max(axis=-1, keepdims=True))
        return exponentials / exponentials.sum(axis=-1, keepdims=True)


def clip_probabilities(right: Function, model: ModelName, parameters: Parameters, inputs: Array) -> Mapping[str, Array]:
    """Keep the probabilities away from 0 and 1, as losses do."""
    outputs = dict(right(model, parameters, inputs))
    if "softmax" in outputs:
        outputs["softmax"] = np.clip(outputs["softmax"], np.float32(1e-7), np.float32(1 - 1e-7))
    return outputs


def draw_last_row_above_0(right: Function, shape: tuple[int, int], seed: int) -> Array:
    """Draw the last row of a kernel from 0 on."""
    kernel = right(shape, seed).copy()
    kernel[-1] = np.abs(kernel[-1])
    return kernel


def draw_last_column_near_0(right: Function, shape: tuple[int, int], seed: int) -> Array:
    """Draw the last column of a kernel from half of the range."""
    kernel = right(shape, seed).copy()
    kernel[:, -1] /= 2
    return kernel


def take_gamma_of_0_for_1(right: Function, inputs: Array, gamma: Array, *others: Array, training: bool) -> Any:
    """Scale by 1 where gamma is 0, as if there were none."""
    return right(inputs, np.where(gamma == 0, np.float32(1), gamma), *others, training=training)


def count_every_largest(_right: Function, batches: Sequence[tuple[Array, Array]]) -> Array:
    """Take a prediction at the label for right if none is larger, though others may be as large."""
    right = np.cumsum([(scores[np.arange(len(labels)), labels] >= scores.max(-1)).sum() for labels, scores in batches])
    return (right / np.cumsum([len(labels) for labels, _ in batches])).astype(np.float32)


def solved_after_195_steps(right: Function, *arguments: Any) -> Transitions:
    """Give an episode of 195 steps or more, which counts as solved, no reward of a failure at its end."""
    found = right(*arguments)
    ends = np.flatnonzero(found.dones)
    rewards = found.rewards.copy()
    rewards[ends[np.diff(ends, prepend=-1) >= 195]] = 1
    return found._replace(rewards=rewards)


SEEDED = {
    "datasets.sample_batch": "mnist.batches-differ",
    "text.sample_windows": "text.seeds",
    "text.generate": "generation.seed",
    "ops.sample": "generation.sample-seed",
    "ops.glorot_uniform": "dense.glorot-seed",
}
NARROW = {
    "a_byte": lambda seed: seed % 2**8,
    "two_digits": lambda seed: seed % 100,
    "float32": in_float32,
    "16_bits": lambda seed: min(seed, 2**16),
}

LIMIT_FAULTS: dict[str, Fault] = {
    **{
        f"{function.replace('.', '_')}_seed_in_{kind}": Fault(function, claim, "the seeds ", with_seed(narrow))
        for function, claim in SEEDED.items()
        for kind, narrow in NARROW.items()
    },
    "encode_newlines_in_blocks": Fault("text.encode", "text.newlines", "\\n", read_in_blocks(4096)),
    "encode_newlines_in_large_blocks": Fault("text.encode", "text.newlines", "\\n", read_in_blocks(2**16)),
    "encode_utf8_in_blocks": Fault("text.encode", "text.utf8", "\ufffd", decode_in_blocks),
    "windows_without_replacement": Fault(
        "text.sample_windows", "text.with-replacement", "contains a window twice", draw_without_replacement
    ),
    "lstm_carry_clipped_at_10": Fault("ops.lstm", "recurrence.lstm-long-sequence", "each carry", clip_carry(10)),
    "lstm_carry_clipped_at_100": Fault("ops.lstm", "recurrence.lstm-long-sequence", "each carry", clip_carry(100)),
    "softmax_largest_of_whole_blocks": Fault("ops.softmax", "softmax.large-logits", "softmax", largest_of_whole_blocks),
    "mlp_probabilities_clipped": Fault(
        "models.layer_outputs", "mlp.softmax-output", "softmax of logits of which one is 200", clip_probabilities
    ),
    "rnn_probabilities_clipped": Fault(
        "models.layer_outputs", "rnn.softmax-output", "softmax of logits of which one is 200", clip_probabilities
    ),
    "normalization_gamma_of_0_is_1": Fault(
        "ops.batch_normalization", "training_flag.inference-normalizes", "gamma is 0", take_gamma_of_0_for_1
    ),
    "accuracy_counts_every_largest": Fault(
        "ops.sparse_categorical_accuracy", "evaluation.accuracy", "expected 0.1", count_every_largest
    ),
    "collect_solved_after_195_steps": Fault(
        "agent.collect", "q_learning.off-track-is-failure", "expected -10", solved_after_195_steps
    ),
    "glorot_last_row_above_0": Fault(
        "ops.glorot_uniform", "dense.glorot-distribution", "positive weights of rows", draw_last_row_above_0
    ),
    "glorot_last_column_near_0": Fault(
        "ops.glorot_uniform", "dense.glorot-distribution", "large weights of columns", draw_last_column_near_0
    ),
}
