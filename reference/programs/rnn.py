"""The program that learns to generate text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.reference.programs.common import BATCH_SIZE, LEARNING_RATE, prepare, save, say, start

if TYPE_CHECKING:
    from types import SimpleNamespace

    from assay.contract import Array

# Lines 551, 594 and 597.
SEQ_LENGTH = 40
TEMPERATURES = (0.2, 0.5, 1.0, 1.2)
LENGTH = 400
# Batches per compiled loop: about a second between updates of the bar.
CHUNK = 25
# Number of windows over which an entropy is averaged.
WINDOWS = 1_000


def run(options: SimpleNamespace) -> None:
    """Train an RNN on the Nietzsche text, and generate text (lines 567 to 601)."""
    from assay.datasets.data import nietzsche

    found = nietzsche()
    say(f"text: {found.source}")
    prepare(options.out)
    start(options.device)
    import tensorflow as tf

    from assay.reference.models import start_training
    from assay.reference.programs import pictures
    from assay.reference.programs.progress import train_with_progress
    from assay.reference.text import Text, draw_starts

    group = Text()
    text = group.encode(found.text.encode())
    num_chars = len(text.char_indices)
    generator = np.random.default_rng(options.seed)
    trained = start_training("rnn", (SEQ_LENGTH, num_chars), LEARNING_RATE, options.seed)
    indices, offsets = tf.constant(text.indices), tf.range(SEQ_LENGTH + 1)

    def train(count: int) -> tf.Tensor:
        starts = draw_starts(text.indices, SEQ_LENGTH, (count, BATCH_SIZE), generator)
        return trained.train_on_text(indices, tf.constant(starts), offsets)

    losses = train_with_progress("rnn", train, batches=options.batches, chunk=CHUNK)
    say(f"loss: {losses[-1]:f}")
    windows, _ = group.sample_windows(text.indices, SEQ_LENGTH, WINDOWS, options.seed)
    parameters = trained.parameters()
    for number, temperature in enumerate(TEMPERATURES):
        written = group.generate(
            parameters, windows[0], temperature=temperature, count=LENGTH, seed=options.seed + number
        )
        say(f"\ndiversity {temperature:f}:\n{''.join(text.indices_char[index] for index in written.tolist())}")
    say("")
    save(pictures.loss(losses, "The RNN on its text", num_chars), options.out, "rnn-loss")
    probabilities = trained.predict(tf.constant(windows)).numpy()
    save(pictures.entropy(*_entropies(probabilities), TEMPERATURES, num_chars), options.out, "rnn-entropy")


def _entropies(probabilities: Array) -> tuple[Array, Array]:
    """Return temperatures, and the mean entropy in nats at each, for distributions [n, num_chars] at 1."""
    from assay.reference.ops import Ops

    temperatures = np.linspace(min(TEMPERATURES) / 2, 2 * max(TEMPERATURES), 50)
    # Logarithms of probabilities are valid logits.
    logits = _logarithm(probabilities)
    found = [Ops().softmax_with_temperature(logits, temperature) for temperature in temperatures]
    return temperatures, np.array([-np.sum(each * _logarithm(each), axis=-1).mean() for each in found])


def _logarithm(probabilities: Array) -> Array:
    """Return the logarithm, kept finite at 0."""
    return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
