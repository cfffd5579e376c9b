"""Faults of what is kept between calls: optimizers, counts, positions, statistics, dictionaries and temperatures."""

import dataclasses

import numpy as np

from assay.alternatives.numpy.layers import MaxPool2D
from assay.alternatives.numpy.models import MODELS, descend, rnn
from assay.alternatives.numpy.optimizers import Adam
from assay.alternatives.numpy.text import draw_windows
from assay.alternatives.numpy.windows import Window
from assay.contract import Trained
from doubles.faulty import Fault


def positions_by_maxima():
    """Return a fault that keeps the positions of the largest elements, by the values of these."""
    known = {}

    def wrong(gradient, inputs, upstream, **options):
        window = Window(options["pool_size"], options["strides"], options["padding"])
        outputs, _ = MaxPool2D(window).forward({}, inputs)
        key = inputs.shape, *options.values(), outputs.tobytes()
        return gradient(known.setdefault(key, inputs.copy()), upstream, **options)

    return wrong


def found_by_the_last_characters():
    """Return a fault that takes a window for an earlier one with the same last 8 characters."""
    known = {}

    def wrong(generate, parameters, window, **options):
        return generate(parameters, known.setdefault((len(window), window[-8:].tobytes()), window.copy()), **options)

    return wrong


def reset_by_second_batch(*models):
    """Return a fault that resets the metric of some models at the second batch of an evaluation."""
    counts = {"right": 0, "all": 0}

    def wrong(evaluate, model, parameters, images, labels, batch_size):
        if model not in models:
            return evaluate(model, parameters, images, labels, batch_size)
        if len(images) > batch_size:
            counts.update(right=0, all=0)
        counts["right"] += round(evaluate(model, parameters, images, labels, batch_size) * len(images))
        counts["all"] += len(images)
        return counts["right"] / counts["all"]

    return wrong


def dictionaries_shared():
    """Return a fault that gives texts of the same characters the same dictionaries."""
    known = {}

    def wrong(encode, content):
        found = encode(content)
        numbers, characters = known.setdefault((*found.char_indices,), found[:2])
        return found._replace(char_indices=numbers, indices_char=characters)

    return wrong


def optimizer_of_another_text():
    """Return a fault that goes on with the optimizer of the last training with its rate and number of characters."""
    known = {}

    def wrong(_fit, indices, num_chars, *, num_batches, batch_size, seq_length, learning_rate, seed):
        generator = np.random.default_rng(seed)
        optimizer = known.setdefault((num_chars, learning_rate), Adam(learning_rate))
        model = dataclasses.replace(rnn(num_chars), optimizer=lambda _rate: optimizer)
        initial = model.initial(generator)
        batches = (draw_windows(indices, seq_length, batch_size, generator) for _ in range(num_batches))
        return Trained(*descend(model, initial, batches, learning_rate))

    return wrong


def normalized_by_statistics():
    """Return a fault that keeps the normalised inputs of a batch, by mean and variance."""
    known = {}

    def wrong(gradients, inputs, *others, training):
        axes = tuple(range(inputs.ndim - 1))
        statistics = np.stack([inputs.mean(axis=axes), inputs.var(axis=axes)])
        key = inputs.shape, np.round(statistics, 4).tobytes()
        return gradients(known.setdefault(key, inputs.copy()), *others, training=training)

    return wrong


def optimizer_of_another_cnn():
    """Return a fault that goes on with the optimizer of the last training of the CNN with its rate."""
    known = {}

    def wrong(fit, model, images, labels, *, num_batches, batch_size, learning_rate, seed):
        if model != "cnn":
            options = {"num_batches": num_batches, "batch_size": batch_size, "learning_rate": learning_rate}
            return fit(model, images, labels, **options, seed=seed)
        generator = np.random.default_rng(seed)
        optimizer = known.setdefault(learning_rate, Adam(learning_rate))
        network = dataclasses.replace(MODELS["cnn"], optimizer=lambda _rate: optimizer)
        initial = network.initial(generator)
        places = (generator.integers(0, len(images), batch_size) for _ in range(num_batches))
        return Trained(*descend(network, initial, ((images[some], labels[some]) for some in places), learning_rate))

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


def labels_of_other_examples():
    """Return a fault that keeps the labels of images of the same shape and sum."""
    known = {}

    def wrong(fit, model, images, labels, **options):
        kept = known.setdefault((model, images.shape, float(images.sum())), labels.copy())
        return fit(model, images, kept, **options)

    return wrong


def outputs_in_one_buffer(model):
    """Return a fault that writes all outputs of a network into the same arrays."""
    buffers = {}

    def wrong(layer_outputs, name, parameters, inputs):
        found = dict(layer_outputs(name, parameters, inputs))
        if name == model:
            for layer, values in found.items():
                buffer = buffers.setdefault((layer, values.shape), np.empty_like(values))
                buffer[...] = values
                found[layer] = buffer
        return found

    return wrong


def gradients_in_one_buffer(model):
    """Return a fault that writes all gradients of a network into the same arrays."""
    buffers = {}

    def wrong(loss_and_gradients, name, *arguments):
        loss, gradients = loss_and_gradients(name, *arguments)
        if name != model:
            return loss, gradients
        for parameter, values in gradients.items():
            buffers.setdefault(parameter, np.empty_like(values))[...] = values
        return loss, dict(buffers)

    return wrong


def results_in_one_buffer():
    """Return a fault that writes all results of a shape into the same array."""
    buffers = {}

    def store(place, result):
        if isinstance(result, tuple):
            return tuple(store(number, one) for number, one in enumerate(result))
        buffer = buffers.setdefault((place, result.shape), np.empty_like(result))
        buffer[...] = result
        return buffer

    return lambda function, *arguments, **options: store(0, function(*arguments, **options))


class FallingRate(Adam):
    """Adam whose learning rate falls every ten steps."""

    def step(self, parameters, gradients):
        """Take a step, and lower the rate after every tenth."""
        super().step(parameters, gradients)
        if self.steps % 10 == 0:
            self.learning_rate *= 0.5


def rate_of_the_cnn_falls(train, model, parameters, inputs, targets, learning_rate):
    """Lower the learning rate of the CNN."""
    if model != "cnn":
        return train(model, parameters, inputs, targets, learning_rate)
    network = dataclasses.replace(MODELS["cnn"], optimizer=FallingRate)
    return descend(network, parameters, zip(inputs, targets, strict=True), learning_rate)


KEPT_STATE_FAULTS = {
    **{
        f"outputs_of_{model}_in_one_buffer": Fault(
            "models.layer_outputs", "training.outputs-stay", f"layer_outputs of {model}", outputs_in_one_buffer(model)
        )
        for model in MODELS
    },
    **{
        f"gradients_of_{model}_in_one_buffer": Fault(
            "models.loss_and_gradients",
            "training.results-stay",
            f"loss_and_gradients of {model}",
            gradients_in_one_buffer(model),
        )
        for model in ("linear", "mlp", "cnn", "rnn")
    },
    **{
        f"{function}_in_one_buffer": Fault(
            f"ops.{function}", claim, "is changed by a later one", results_in_one_buffer()
        )
        for function, claim in (
            ("flatten", "mlp.flatten-every-rank"),
            ("reshape", "cnn.reshape-has-no-memory"),
            ("conv2d_gradients", "convolution.gradients-have-no-memory"),
            ("max_pool2d_gradient", "convolution.max-gradient-has-no-memory"),
            ("average_pool2d_gradient", "convolution.average-gradient-has-no-memory"),
            ("batch_normalization_gradients", "training_flag.gradients-have-no-memory"),
        )
    },
    "rate_of_the_cnn_falls": Fault("models.train", "cnn.other-learning-rates", "11 steps of 1", rate_of_the_cnn_falls),
    "labels_of_other_examples": Fault(
        "training.fit", "training.fit-labels", "black images", labels_of_other_examples()
    ),
    "labels_of_other_examples_of_the_cnn": Fault(
        "training.fit", "cnn.fit-labels", "black images", labels_of_other_examples()
    ),
    "positions_by_maxima": Fault(
        "ops.max_pool2d_gradient", "convolution.max-gradient-has-no-memory", "windows mirrored", positions_by_maxima()
    ),
    "reset_by_second_batch": Fault(
        "training.evaluate", "evaluation.starts-anew", "the accuracy of one batch", reset_by_second_batch("mlp")
    ),
    "dictionaries_shared": Fault(
        "text.encode", "text.results-stay", "something else after its result was changed", dictionaries_shared()
    ),
    "normalized_by_statistics": Fault(
        "ops.batch_normalization_gradients",
        "training_flag.gradients-have-no-memory",
        "the same statistics",
        normalized_by_statistics(),
    ),
    "cnn_reset_by_second_batch": Fault(
        "training.evaluate", "evaluation.starts-anew", "the accuracy of the CNN", reset_by_second_batch("cnn")
    ),
    "optimizer_of_another_cnn": Fault("training.fit", "cnn.fit-labels", "black images", optimizer_of_another_cnn()),
    "window_found_by_its_last_characters": Fault(
        "text.generate", "generation.begins-anew", "in place 0", found_by_the_last_characters()
    ),
    "text_at_1_after_a_refusal": Fault(
        "text.generate",
        "generation.begins-anew",
        "the text after a refused temperature",
        temperature_of_1_after_a_refusal(),
    ),
    "softmax_at_1_after_a_refusal": Fault(
        "ops.softmax_with_temperature",
        "generation.temperature-above-0",
        "softmax_with_temperature(float32[1, 2], 0.5)",
        temperature_of_1_after_a_refusal(),
    ),
    "optimizer_of_another_text": Fault(
        "text.fit", "rnn_training.one-window", "fit with learning rate 0.02", optimizer_of_another_text()
    ),
}
