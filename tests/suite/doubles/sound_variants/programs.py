"""Sound models and trainings that compute otherwise, or draw in another order."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from assay.alternatives.numpy.activations import softmax
from assay.alternatives.numpy.models import MODELS, descend, model_of, rnn
from assay.contract import Trained
from doubles.sound_variants.draws import sample_gumbel
from doubles.sound_variants.generators import counted, hashed, mersenne, philox, uniform24
from doubles.sound_variants.layers import check, states_by_rows
from doubles.sound_variants.losses import DoubleAdam, adam_step_first, adam_step_powers, clipped

Variant = Callable[..., Any]
f32 = np.float32


class OtherAdam:
    """Adam, with the moments of all parameters in a dictionary each, by a given step."""

    step_of: Variant = staticmethod(adam_step_first)

    def __init__(self, learning_rate):
        """Create the state."""
        self.learning_rate, self.steps, self.first, self.second = learning_rate, 0, {}, {}

    def step(self, parameters, gradients):
        """Replace every parameter."""
        self.steps += 1
        for name, gradient in gradients.items():
            zero = np.zeros_like(gradient)
            first, second = self.first.get(name, zero), self.second.get(name, zero)
            parameters[name], self.first[name], self.second[name] = self.step_of(
                None, parameters[name], gradient, first, second, self.steps, self.learning_rate
            )


class AdamOfTensorFlow(OtherAdam):
    """Adam with the powers of both betas in float32."""

    step_of: Variant = staticmethod(adam_step_powers)


def with_optimizer(model, kind):
    """Return a model that is trained by another Adam; `linear` keeps SGD."""
    return replace(model, optimizer=kind) if model.optimizer.__name__ == "Adam" else model


def widened(arrays):
    """Return float64 copies of floating-point arrays."""
    return {name: array.astype(float) for name, array in arrays.items()}


def narrowed(arrays):
    """Return float32 copies."""
    return {name: np.asarray(array, f32) for name, array in arrays.items()}


def initial_by_layer(right, model, seed):
    """Give each variable a generator of its own, seeded by its name."""
    variables = MODELS[model].variables
    return {
        f"{layer}/{name}": draw(hashed(seed, layer, name))
        for layer, named in reversed(variables.items())
        for name, draw in named.items()
    }


def initial_reversed(right, model, seed):
    """Draw the last layer first, from one Philox generator."""
    generator, found = philox(seed), {}
    for layer, named in reversed(MODELS[model].variables.items()):
        for name, draw in reversed(named.items()):
            found[f"{layer}/{name}"] = draw(generator)
    return MappingProxyType(found)


def initial_24(right, model, seed):
    """Draw kernels from float32 numbers of one long array, and return views of it."""
    found, shapes = {}, {name: value.shape for name, value in right(model, 0).items()}
    words = counted(seed, sum(map(math.prod, shapes.values())))
    start = 0
    for name, shape in shapes.items():
        part = uniform24(words[start : start + math.prod(shape)]).reshape(shape)
        start += math.prod(shape)
        area = math.prod(shape[:-2])
        limit = 0.0 if len(shape) == 1 or model == "linear" else math.sqrt(6 / (area * (shape[-2] + shape[-1])))
        # The recurrent kernel is drawn as PyTorch draws it.
        limit = 1 / 16 if name == "cell/recurrent_kernel" else limit
        found[name] = (part * f32(2) - f32(1)) * f32(limit) + f32(0)
    return found


def with_cell(right, model, seed, recurrent, bias):
    """Draw the cell otherwise: functions from a generator to its recurrent kernel and bias."""
    found, generator = dict(right(model, seed)), hashed(seed, "cell")
    if model == "rnn":
        found["cell/recurrent_kernel"] = np.asarray(recurrent(generator), f32)
        found["cell/bias"] = np.asarray(bias(generator), f32)
    return found


def orthogonal_by_svd(generator):
    """Return orthonormal rows by the singular value decomposition, as PyTorch users and Lasagne do."""
    left, _, rows = np.linalg.svd(generator.standard_normal((256, 1024)), full_matrices=False)
    return left @ rows


def orthogonal_unsigned(generator):
    """Return orthonormal rows by QR without fixing the signs."""
    return np.linalg.qr(generator.standard_normal((1024, 256)))[0].T


def orthogonal_by_gate(generator):
    """Return an orthogonal matrix for each gate, as Flax does."""
    squares = [np.linalg.qr(generator.standard_normal((256, 256))) for _ in range(4)]
    return np.concatenate([q * np.sign(np.diag(r)) for q, r in squares], axis=1)


def uniform_of_pytorch(*shape):
    """Return a function that draws from +-1/sqrt(units), as PyTorch does."""
    return lambda generator: generator.uniform(-1 / 16, 1 / 16, shape)


def two_uniform_of_pytorch(generator):
    """Return the sum of the two biases of PyTorch."""
    return generator.uniform(-1 / 16, 1 / 16, (2, 1024)).sum(axis=0)


def none_open(_generator):
    """Return biases of 0."""
    return np.zeros(1024)


def forget_open(_generator):
    """Return biases of 1 at the forget gate."""
    return np.repeat([0, 1, 0, 0], 256)


def cell_variant(recurrent, bias):
    """Return the variant of `initial_parameters` with this cell."""
    return lambda right, model, seed: with_cell(right, model, seed, recurrent, bias)


def outputs_double(right, model, parameters, inputs):
    """Compute in float64."""
    inputs = inputs.astype(float) if inputs.dtype == f32 else inputs
    return narrowed(right(model, widened(parameters), inputs))


def outputs_by_example(right, model, parameters, inputs):
    """Run example by example."""
    found = [right(model, parameters, inputs[n : n + 1]) for n in range(len(inputs))]
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def outputs_turned(right, model, parameters, inputs):
    """Run the batch from its end, and return reversed read-only views."""
    found = {name: array[::-1] for name, array in right(model, parameters, inputs[::-1]).items()}
    for array in found.values():
        array.flags.writeable = False
    return MappingProxyType(found)


def outputs_gathered(right, model, parameters, inputs):
    """Gather rows of the cell's kernel instead of multiplying one-hot vectors."""
    if model != "rnn":
        return right(model, parameters, inputs)
    depth = len(parameters["dense/bias"])
    cell = states_by_rows(parameters, inputs)
    logits = cell @ parameters["dense/kernel"] + parameters["dense/bias"]
    one_hot = np.eye(depth, dtype=f32)[inputs]
    return {"one_hot": one_hot, "cell": cell, "dense": logits, "softmax": softmax(logits)}


def gradients_double(right, model, parameters, inputs, targets):
    """Compute in float64; return the loss as an array without axes."""
    inputs, targets = (array.astype(float) if array.dtype == f32 else array for array in (inputs, targets))
    loss, gradients = model_of(model, parameters).loss_and_gradients(widened(parameters), inputs, targets)
    return np.array(loss, f32), narrowed(gradients)


def gradients_accumulated(right, model, parameters, inputs, targets):
    """Accumulate the gradients of examples, weighted."""
    losses, total = [], {}
    for n in range(len(inputs)):
        loss, gradients = right(model, parameters, inputs[n : n + 1], targets[n : n + 1])
        losses.append(loss)
        for name, gradient in reversed(gradients.items()):
            total[name] = total.get(name, f32(0)) + gradient * f32(1 / len(inputs))
    return np.mean(np.array(losses, f32)), total


def gradients_of_probabilities(right, model, parameters, inputs, targets):
    """Take the loss of the softmax's probabilities, as the document's program does."""
    loss, gradients = right(model, parameters, inputs, targets)
    if model == "linear":
        return loss, gradients
    probabilities = model_of(model, parameters).outputs(parameters, inputs)["softmax"]
    with np.errstate(divide="ignore"):
        return -np.log(probabilities[np.arange(len(targets)), targets]).mean(dtype=f32), gradients


def clipped_crossentropy(labels, logits):
    """Clip the probability of each label, as Keras does: where it is clipped, the gradient is 0."""
    probabilities, place = softmax(logits), (np.arange(len(labels)), labels)
    picked = probabilities[place]
    kept = clipped(picked)
    gradient = (probabilities - np.eye(logits.shape[1], dtype=f32)[labels]) * (kept == picked)[:, None]
    return -np.log(kept).mean(dtype=f32), gradient / f32(len(labels))


def with_clipping(model):
    """Return a model whose loss clips probabilities; `linear` keeps its loss."""
    return replace(model, loss=clipped_crossentropy) if model.is_classifier else model


def gradients_clipped(right, model, parameters, inputs, targets):
    """Clip probabilities."""
    return with_clipping(model_of(model, parameters)).loss_and_gradients(parameters, inputs, targets)


def train_clipped(right, model, parameters, inputs, targets, learning_rate):
    """Clip probabilities."""
    built = with_clipping(model_of(model, parameters))
    return descend(built, parameters, zip(inputs, targets, strict=True), learning_rate)


def gradients_turned(right, model, parameters, inputs, targets):
    """Reverse the batch; return gradients in Fortran order."""
    loss, gradients = right(model, parameters, inputs[::-1], targets[::-1])
    return loss, {name: np.asfortranarray(gradients[name]) for name in sorted(gradients, reverse=True)}


def train_with(kind):
    """Return the variant of `train` with another Adam."""

    def variant(right, model, parameters, inputs, targets, learning_rate):
        other = with_optimizer(model_of(model, parameters), kind)
        return descend(other, parameters, zip(inputs, targets, strict=True), learning_rate)

    return variant


def train_double(right, model, parameters, inputs, targets, learning_rate):
    """Keep parameters and moments in float64."""
    built = model_of(model, parameters)
    optimizer = DoubleAdam(learning_rate, adam=model != "linear")
    values, losses = widened(parameters), []
    for batch, wanted in zip(inputs, targets, strict=True):
        loss, gradients = built.loss_and_gradients(values, batch, wanted)
        values = optimizer.moved(values, gradients)
        losses.append(loss)
    return np.array(losses, f32), narrowed(values)


def places_of(seed, num_batches, batch_size, count):
    """Draw the indices of all batches at once."""
    return (hashed(seed, "batches").random((num_batches, batch_size)) * count).astype(int)


def fit_precomputed(right, model, images, labels, *, num_batches, batch_size, learning_rate, seed):
    """Draw all batches before the parameters, by a generator of their own, and train by Adam's algorithm 1."""
    built = with_optimizer(MODELS[model], OtherAdam)
    places = places_of(seed, num_batches, batch_size, len(images))
    initial = built.initial(hashed(seed, "parameters"))
    return Trained(*descend(built, initial, ((images[some], labels[some]) for some in places), learning_rate))


def fit_prefetching(right, model, images, labels, *, num_batches, batch_size, learning_rate, seed):
    """Cut the batches in a thread, two ahead of the training."""
    cut: queue.Queue[Any] = queue.Queue(2)
    generator = philox(seed)

    def produce():
        for _ in range(num_batches):
            places = generator.integers(len(images), size=batch_size)
            cut.put((images[places], labels[places]))

    initial = MODELS[model].initial(mersenne(seed))
    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    return Trained(*descend(MODELS[model], initial, (cut.get() for _ in range(num_batches)), learning_rate))


def fit_at_once(right, model, images, labels, *, num_batches, batch_size, learning_rate, seed):
    """Draw the parameters and then all batches from one generator, and keep the powers of both betas in float32."""
    generator, built = philox(seed), with_optimizer(MODELS[model], AdamOfTensorFlow)
    initial = built.initial(generator)
    places = generator.integers(0, len(images), (num_batches, batch_size))
    batches = [(np.take(images, some, 0), np.take(labels, some)) for some in places]
    losses, parameters = descend(built, initial, batches, learning_rate)
    return Trained(losses, MappingProxyType(parameters))


def evaluate_running(right, model, parameters, images, labels, batch_size):
    """Average the batches' accuracies, weighted, from the logits."""
    accuracy = seen = 0
    for start in range(0, len(images), batch_size):
        wanted = labels[start : start + batch_size]
        *_, logits, _ = MODELS[model].outputs(parameters, images[start : start + batch_size]).values()
        seen += len(wanted)
        accuracy += ((logits.argmax(axis=1) == wanted).mean() - accuracy) * len(wanted) / seen
    return float(accuracy)


def evaluate_float32(right, model, parameters, images, labels, batch_size):
    """Count in float32, as Keras does."""
    total = count = f32(0)
    for start in range(0, len(images), batch_size):
        scores = MODELS[model].outputs(parameters, images[start : start + batch_size])["softmax"]
        total += f32(np.count_nonzero(scores.argmax(-1) == labels[start : start + batch_size]))
        count += f32(len(scores))
    return float(total / count)


def evaluate_at_once(right, model, parameters, images, labels, batch_size):
    """Put the predictions of all batches together, and compare once."""
    parts = range(0, len(images), batch_size)
    found = [MODELS[model].outputs(parameters, images[k : k + batch_size])["dense2"].argmax(1) for k in parts]
    return float(np.mean(np.concatenate(found) == labels))


def fit_text(right, indices, num_chars, *, num_batches, batch_size, seq_length, learning_rate, seed):
    """Draw all starts at once, from a stream of their own; train by Adam's algorithm 1."""
    built = with_optimizer(rnn(num_chars), OtherAdam)
    starts = places_of(seed, num_batches, batch_size, len(indices) - seq_length)
    views = np.lib.stride_tricks.sliding_window_view(indices, seq_length + 1)
    batches = ((views[some, :-1], views[some, -1]) for some in starts)
    return Trained(*descend(built, built.initial(hashed(seed, "rnn")), batches, learning_rate))


def fit_text_lists(right, indices, num_chars, *, num_batches, batch_size, seq_length, learning_rate, seed):
    """Draw every window by itself, and the parameters after the batches; start from another cell."""
    generator, batches = mersenne(seed), []
    for _ in range(num_batches):
        starts = [int(generator.integers(len(indices) - seq_length)) for _ in range(batch_size)]
        windows = np.array([indices[start : start + seq_length] for start in starts])
        batches.append((windows, np.array([indices[start + seq_length] for start in starts])))
    initial = rnn(num_chars).initial(generator)
    initial["cell/bias"] = np.zeros(1024, f32)
    return Trained(*descend(rnn(num_chars), initial, batches, learning_rate))


def generate_gumbel(right, parameters, window, *, temperature, count, seed):
    """Add Gumbel noise to the logits over the temperature, with a generator for every character."""
    check(temperature)
    text = window.tolist()
    for t in range(count):
        inputs = np.array([text[-len(window) :]], np.int32)
        logits = model_of("rnn", parameters).outputs(parameters, inputs)["dense"][0].astype(float)
        text.append(int((logits / temperature + hashed(seed, t).gumbel(size=logits.size)).argmax()))
    return np.array(text[len(window) :], np.int32)


def generate_gathered(right, parameters, window, *, temperature, count, seed):
    """Gather rows of the kernel, in a window that moves in place; draw by choice."""
    check(temperature)
    generator, moving, found = philox(seed), np.array(window), []
    for _ in range(count):
        logits = states_by_rows(parameters, moving[None]) @ parameters["dense/kernel"] + parameters["dense/bias"]
        scaled = (logits[0].astype(float) - logits.max()) / temperature
        probabilities = np.exp(scaled) / np.exp(scaled).sum()
        moving[:-1] = moving[1:]
        moving[-1] = generator.choice(len(probabilities), p=probabilities)
        found.append(moving[-1])
    return np.array(found, np.int32)


def generate_seeded(right, parameters, window, *, temperature, count, seed):
    """Draw seeds of the characters first."""
    check(f32(temperature))
    seeds, window, result = counted(seed, count), list(window), np.empty(count, np.int32)
    for t in range(count):
        logits = model_of("rnn", parameters).outputs(parameters, np.array([window]))["dense"]
        result[t] = sample_gumbel(softmax(logits / f32(temperature)), int(seeds[t]))[0]
        window = [*window[1:], result[t]]
    return result


VARIANTS: dict[str, dict[str, Variant]] = {
    "initial_parameters/generator by variable": {"models.initial_parameters": initial_by_layer},
    "initial_parameters/reversed": {"models.initial_parameters": initial_reversed},
    "initial_parameters/24 bits, uniform cell": {"models.initial_parameters": initial_24},
    "initial_parameters/singular values": {"models.initial_parameters": cell_variant(orthogonal_by_svd, forget_open)},
    "initial_parameters/unsigned": {"models.initial_parameters": cell_variant(orthogonal_unsigned, forget_open)},
    "initial_parameters/Flax": {"models.initial_parameters": cell_variant(orthogonal_by_gate, none_open)},
    "initial_parameters/PyTorch": {
        "models.initial_parameters": cell_variant(uniform_of_pytorch(256, 1024), two_uniform_of_pytorch)
    },
    "layer_outputs/float64": {"models.layer_outputs": outputs_double},
    "layer_outputs/by example": {"models.layer_outputs": outputs_by_example},
    "layer_outputs/reversed views": {"models.layer_outputs": outputs_turned},
    "layer_outputs/gathered": {"models.layer_outputs": outputs_gathered},
    "loss_and_gradients/float64": {"models.loss_and_gradients": gradients_double},
    "loss_and_gradients/accumulated": {"models.loss_and_gradients": gradients_accumulated},
    "loss_and_gradients/loss of probabilities": {"models.loss_and_gradients": gradients_of_probabilities},
    "loss_and_gradients/reversed": {"models.loss_and_gradients": gradients_turned},
    "train/clipped": {"models.loss_and_gradients": gradients_clipped, "models.train": train_clipped},
    "train/algorithm 1": {"models.train": train_with(OtherAdam)},
    "train/float32 powers": {"models.train": train_with(AdamOfTensorFlow)},
    "train/float64": {"models.train": train_double},
    "fit/precomputed": {"training.fit": fit_precomputed, "models.train": train_with(OtherAdam)},
    "fit/prefetching": {"training.fit": fit_prefetching},
    "fit/all batches at once": {"training.fit": fit_at_once},
    "evaluate/running mean": {"training.evaluate": evaluate_running},
    "evaluate/float32 counts": {"training.evaluate": evaluate_float32},
    "evaluate/at once": {"training.evaluate": evaluate_at_once},
    "fit_text/precomputed": {"text.fit": fit_text},
    "fit_text/window by window": {"text.fit": fit_text_lists},
    "generate/Gumbel": {"text.generate": generate_gumbel},
    "generate/gathered": {"text.generate": generate_gathered},
    "generate/seed by character": {"text.generate": generate_seeded},
}
