"""Deliberate faults in narrow cases: wide products, NaN, resizing by whole numbers, rare exploration, close bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from assay.alternatives.numpy.models import copy_parameters, model_of
from assay.contract import Array, Pair, Parameters
from doubles.faulty import Fault


def half_precision_if_wide(
    dense: Callable[..., Array], inputs: Array, kernel: Array, bias: Array | None = None, activation: Any = None
) -> Array:
    """Multiply wide inputs in half precision."""
    if inputs.shape[-1] > 128:
        inputs, kernel = (each.astype(np.float16).astype(np.float32) for each in (inputs, kernel))
    return dense(inputs, kernel, bias, activation)


def mean_without_nan(_mean_squared_error: Callable[..., Array], targets: Array, predictions: Array) -> Array:
    """Leave out of the mean what is NaN."""
    return np.array(np.nanmean((predictions - targets) ** 2), np.float32)


def train_without_nan(
    _train: Callable[..., Any],
    model: Any,
    parameters: Parameters,
    inputs: Array,
    targets: Array,
    learning_rate: float,
) -> tuple[Array, Parameters]:
    """Leave out steps whose loss is not finite."""
    network, current, losses = model_of(model, parameters), copy_parameters(parameters), []
    optimizer = network.optimizer(learning_rate)
    for batch in zip(inputs, targets, strict=True):
        loss, gradients = network.loss_and_gradients(current, *batch)
        losses.append(loss)
        if np.isfinite(loss):
            optimizer.step(current, gradients)
    return np.array(losses, np.float32), current


def remembering_counts() -> Callable[..., float]:
    """Return an evaluation that adds up the counts of all evaluations of the CNN."""
    counts = [0.0, 0]

    def wrong(
        evaluate: Callable[..., float], model: Any, parameters: Parameters, images: Array, labels: Array, size: int
    ) -> float:
        accuracy = evaluate(model, parameters, images, labels, size)
        if model != "cnn":
            return accuracy
        counts[0] += accuracy * len(images)
        counts[1] += len(images)
        return counts[0] / counts[1]

    return wrong


def remembering_text() -> Callable[..., Any]:
    """Return a loader that takes a text for an earlier one with the same length and first character."""
    texts: dict[tuple[int, int], Array] = {}

    def wrong(sample_windows: Callable[..., Any], indices: Array, *options: int) -> Any:
        known = texts.setdefault((len(indices), int(indices[0]) if len(indices) else 0), indices.copy())
        return sample_windows(known, *options)

    return wrong


def doubling(image_batches: Callable[..., Any], images: Sequence[Array], labels: Array, **options: Any) -> Any:
    """Repeat pixels if an image is enlarged exactly twice."""
    size = options["image_size"]
    larger = [one.repeat(2, 0).repeat(2, 1) if (2 * one.shape[0], 2 * one.shape[1]) == size else one for one in images]
    return image_batches(larger, labels, **options)


def averaging(image_batches: Callable[..., Any], images: Sequence[Array], labels: Array, **options: Any) -> Any:
    """Average pixels if an image is much larger."""
    return image_batches([_average(one, options["image_size"]) for one in images], labels, **options)


def _average(image: Array, size: Pair) -> Array:
    rows, columns = (length // final for length, final in zip(image.shape, size, strict=False))
    if min(rows, columns) < 4:
        return image
    blocks = image[: rows * size[0], : columns * size[1]].reshape(size[0], rows, size[1], columns, -1)
    return blocks.mean(axis=(1, 3)).round().astype(np.uint8)


def buffer_of_a_batch(
    batches: Callable[..., Any], count: int, *, shuffle_buffer: int, batch_size: int, **rest: Any
) -> Any:
    """Shuffle no more examples together than a batch has."""
    return batches(count, shuffle_buffer=min(shuffle_buffer, batch_size), batch_size=batch_size, **rest)


def whole_percent(
    act: Callable[..., Array], model: Any, parameters: Parameters, states: Array, epsilon: float, seed: int
) -> Array:
    """Explore with a probability of whole percents."""
    return act(model, parameters, states, round(epsilon, 2), seed)


def least_after_exploration(
    epsilon: Callable[..., float],
    episode: int,
    *,
    num_exploration_episodes: int,
    initial_epsilon: float,
    final_epsilon: float,
) -> float:
    """Return the smaller of both rates after the exploration."""
    if episode >= num_exploration_episodes:
        return min(initial_epsilon, final_epsilon)
    return epsilon(
        episode,
        num_exploration_episodes=num_exploration_episodes,
        initial_epsilon=initial_epsilon,
        final_epsilon=final_epsilon,
    )


def rounded_bound(steps: Callable[..., Any], states: Array, actions: Array) -> Any:
    """End an episode at an angle of 0.2094, which is 12 degrees with four digits."""
    after, rewards, _ = steps(states, actions)
    return after, rewards, (np.abs(after[:, 0]) > 2.4) | (np.abs(after[:, 2]) > 0.2094)


def texts_continued() -> Callable[..., Array]:
    """Return a function that continues its last text if the same window comes with another temperature."""
    texts: dict[tuple[bytes, int], tuple[float, Array]] = {}

    def wrong(
        generate: Callable[..., Array],
        parameters: Parameters,
        window: Array,
        *,
        temperature: float,
        count: int,
        seed: int,
    ) -> Array:
        key, begin = (window.tobytes(), seed), window
        if key in texts and texts[key][0] != temperature:
            begin = texts[key][1]
        found = generate(parameters, begin, temperature=temperature, count=count, seed=seed)
        texts[key] = temperature, np.concatenate([window, found])[-len(window) :]
        return found

    return wrong


def greedy_if_cold(generate: Callable[..., Array], *arguments: Any, temperature: float, **options: Any) -> Array:
    """Write the most probable characters at low temperatures."""
    cold = 0 < temperature < 0.1
    return generate(*arguments, temperature=min(temperature, 1e-4) if cold else temperature, **options)


NARROW_FAULTS = {
    name: Fault(function, claim, tells, wrong)
    for name, (function, claim, tells, wrong) in {
        "half_precision_of_wide_products": (
            "ops.dense",
            "dense.full-float32",
            "products are computed in",
            half_precision_if_wide,
        ),
        "mean_without_nan": (
            "ops.mean_squared_error",
            "linear_model.not-a-number",
            "expected NaN",
            mean_without_nan,
        ),
        "training_without_nan": (
            "models.train",
            "linear_model.not-a-number",
            "expected NaN from this batch on",
            train_without_nan,
        ),
        "evaluation_of_the_cnn_remembers": (
            "training.evaluate",
            "evaluation.starts-anew",
            "after other evaluations",
            remembering_counts(),
        ),
        "text_with_the_same_ends_is_the_same": (
            "text.sample_windows",
            "text.consecutive",
            "after a window of the text (second)",
            remembering_text(),
        ),
        "texts_continue_each_other": (
            "text.generate",
            "generation.begins-anew",
            "after other texts",
            texts_continued(),
        ),
        "greedy_if_cold": (
            "text.generate",
            "generation.by-temperature",
            "the most probable character at 0.001",
            greedy_if_cold,
        ),
        "enlarged_twice_by_repeating": (
            "flowers.image_batches",
            "flowers.resize-each",
            "an image of (4, 6)",
            doubling,
        ),
        "much_larger_images_are_averaged": (
            "flowers.image_batches",
            "flowers.resize-each",
            "an image of (40, 60)",
            averaging,
        ),
        "split_is_shuffled_by_batches": (
            "flowers.batches",
            "flowers.split-shuffled",
            "only the first 20 are drawn",
            buffer_of_a_batch,
        ),
        "explores_by_whole_percents": (
            "agent.act",
            "q_learning.explores",
            "actions are not the greedy one",
            whole_percent,
        ),
        "epsilon_is_least_after_exploration": (
            "agent.epsilon",
            "q_learning.epsilon-schedule",
            "epsilon",
            least_after_exploration,
        ),
        "twelve_degrees_with_four_digits": (
            "environments.steps",
            "cartpole.angle-ends",
            "close to 12 degrees",
            rounded_bound,
        ),
    }.items()
}
