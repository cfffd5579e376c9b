"""Sound functions that store results, use generators of the process, or return other types of numbers."""

from __future__ import annotations

import random
from collections import ChainMap, OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from assay.alternatives.numpy.models import MODELS
from assay.contract import CartPole, EncodedText, Transitions

Variant = Callable[..., Any]
f32 = np.float32
WORD = 2**32 - 1
POOL = ThreadPoolExecutor(2)


def frozen(argument: Any) -> Any:
    """Return a key of an argument: its value."""
    if isinstance(argument, np.ndarray):
        return argument.shape, argument.dtype.str, argument.tobytes()
    if isinstance(argument, dict):
        return tuple(sorted((name, frozen(value)) for name, value in argument.items()))
    return tuple(map(frozen, argument)) if isinstance(argument, list | tuple) else argument


def memoized() -> Variant:
    """Return a variant that computes a result once for all equal arguments, and returns the same read-only array."""
    stored: dict[Any, Any] = {}

    def variant(right, *arguments, **options):
        key = frozen(arguments), frozen(options)
        if key not in stored:
            result = np.array(right(*arguments, **options))
            result.flags.writeable = False
            stored[key] = result
        return stored[key]

    return variant


def seed_numpy(seed: int) -> None:
    """Seed NumPy's generator of the process, as the document's program would, with all bits of the seed."""
    np.random.seed([seed & WORD, seed >> 32 & WORD])  # noqa: NPY002


def dropout_of_the_process(right, inputs, rate, seed, *, training):
    """Draw with NumPy's generator of the process."""
    if not training:
        return inputs
    seed_numpy(seed)
    kept = np.random.rand(*inputs.shape) >= rate  # noqa: NPY002
    return np.where(kept, inputs / f32(1 - rate), f32(0))


def sample_batch_of_the_process(right, images, labels, batch_size, seed):
    """Draw with NumPy's generator of the process, as the document does."""
    seed_numpy(seed)
    places = np.random.randint(0, len(images), batch_size)  # noqa: NPY002
    return images[places, :], labels[places]


def sample_transitions_of_the_process(right, transitions, batch_size, seed):
    """Draw with Python's generator of the process, as the document does."""
    random.seed(seed)
    columns = zip(*random.sample([*zip(*transitions, strict=True)], batch_size), strict=True)
    return Transitions(*(np.array(column, array.dtype) for column, array in zip(columns, transitions, strict=True)))


def initial_of_the_process(right, model, seed):
    """Draw with NumPy's generator of the process, through the interface of its new ones."""
    seed_numpy(seed)
    return MODELS[model].initial(np.random.mtrand._rand)  # noqa: SLF001


def dense_in_threads(right, inputs, kernel, bias=None, activation=None):
    """Compute halves of the units in the threads of a pool."""
    middle = kernel.shape[1] // 2
    parts = slice(None, middle), slice(middle, None)
    biases = (None if bias is None else bias[part] for part in parts)
    arguments = zip(parts, biases, strict=True)
    return np.concatenate(
        [*POOL.map(lambda pair: right(inputs, kernel[:, pair[0]], pair[1], activation), arguments)], axis=-1
    )


def conv2d_in_threads(right, inputs, kernel, bias=None, *, strides=(1, 1), padding="valid", activation=None):
    """Compute each example in a thread of a pool."""
    options = {"strides": strides, "padding": padding, "activation": activation}
    return np.concatenate([*POOL.map(lambda image: right(image[None], kernel, bias, **options), inputs)])


def outputs_in_order(right, model, parameters, inputs):
    """Return an ordered dictionary."""
    return OrderedDict(right(model, parameters, inputs))


def gradients_in_layers(right, model, parameters, inputs, targets):
    """Return the gradients of all layers in a chain of dictionaries, and the loss as NumPy's number."""
    loss, gradients = right(model, parameters, inputs, targets)
    return f32(loss), ChainMap(*({name: gradient} for name, gradient in gradients.items()))


def epsilon_float32(right, episode, *, num_exploration_episodes, initial_epsilon, final_epsilon):
    """Compute in float32, as schedules of frameworks do."""
    share = f32(1) - f32(episode) / f32(num_exploration_episodes)
    return float(max(f32(initial_epsilon) * share, f32(final_epsilon)))


def epsilon_of_numpy(right, episode, **options):
    """Return NumPy's float64, which is a Python float."""
    return np.float64(right(episode, **options))


def evaluate_of_numpy(right, *arguments):
    """Return NumPy's float64."""
    return np.float64(right(*arguments))


def cart_pole_of_numpy(right):
    """Return NumPy's integers, as Gymnasium does."""
    facts = right()
    return CartPole(facts.lowest, facts.highest, np.int64(facts.num_actions), np.int64(facts.max_episode_steps))


def encode_of_numpy(right, content):
    """Number the characters by NumPy's integers."""
    encoded = right(content)
    pairs = [(character, np.int64(number)) for character, number in encoded.char_indices.items()]
    return EncodedText(dict(pairs), {number: character for character, number in reversed(pairs)}, encoded.indices)


def replay_views(right, buffer_size, transitions):
    """Return views of one array of records."""
    found = right(buffer_size, transitions)
    kinds = [(name, array.dtype, array.shape[1:]) for name, array in found._asdict().items()]
    records = np.empty(len(found.rewards), kinds)
    for name, array in found._asdict().items():
        records[name] = array
    return Transitions(*(records[name] for name in Transitions._fields))


VARIANTS: dict[str, dict[str, Variant]] = {
    "dense/memoized": {"ops.dense": memoized()},
    "conv2d/memoized": {"ops.conv2d": memoized()},
    "sample/memoized": {"ops.sample": memoized()},
    "glorot_uniform/memoized": {"ops.glorot_uniform": memoized()},
    "act/memoized": {"agent.act": memoized()},
    "dropout/generator of the process": {"ops.dropout": dropout_of_the_process},
    "sample_batch/generator of the process": {"datasets.sample_batch": sample_batch_of_the_process},
    "sample_transitions/generator of the process": {"agent.sample": sample_transitions_of_the_process},
    "initial_parameters/generator of the process": {"models.initial_parameters": initial_of_the_process},
    "dense/threads": {"ops.dense": dense_in_threads},
    "conv2d/threads": {"ops.conv2d": conv2d_in_threads},
    "layer_outputs/ordered dictionary": {"models.layer_outputs": outputs_in_order},
    "loss_and_gradients/chained dictionaries": {"models.loss_and_gradients": gradients_in_layers},
    "epsilon/float32": {"agent.epsilon": epsilon_float32},
    "epsilon/NumPy": {"agent.epsilon": epsilon_of_numpy},
    "evaluate/NumPy": {"training.evaluate": evaluate_of_numpy},
    "cart_pole/NumPy": {"environments.cart_pole": cart_pole_of_numpy},
    "encode/NumPy": {"text.encode": encode_of_numpy},
    "replay/records": {"agent.replay": replay_views},
}
