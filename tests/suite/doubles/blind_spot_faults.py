"""Faults that steps of zeros, opposite draws, shut gates, views of memory and further trainings of a shape show."""

from functools import partial

import numpy as np

from assay.alternatives.numpy.activations import sigmoid, softmax
from assay.alternatives.numpy.models import copy_parameters, model_of
from assay.alternatives.numpy.recurrence import simple_rnn_cell, states_after
from doubles.faulty import Fault


def limited(values):
    """Keep what a sigmoid is taken of between -15 and 15."""
    return sigmoid(np.clip(values, -15, 15)).astype(np.float32)


def sigmoid_limits_its_inputs(_sigmoid, inputs):
    """Keep the inputs between -15 and 15."""
    return limited(inputs)


def dense_limits_a_sigmoid(dense, inputs, kernel, bias=None, activation=None):
    """Keep the sums before a sigmoid between -15 and 15."""
    linear = dense(inputs, kernel, bias, None if activation == "sigmoid" else activation)
    return limited(linear) if activation == "sigmoid" else linear


def cell_limits_its_gates(_lstm_cell, inputs, hidden, carry, kernel, recurrent_kernel, bias):
    """Keep the sums of the gates between -15 and 15."""
    write, keep, candidate, read = np.split(inputs @ kernel + hidden @ recurrent_kernel + bias, 4, axis=-1)
    return states_after((limited(write), limited(keep), np.tanh(candidate), limited(read)), carry)


def lstm_skips_zeros(_lstm, inputs, kernel, recurrent_kernel, bias):
    """Keep the states where all inputs of a step are 0, as padding."""
    hidden = carry = np.zeros((len(inputs), len(recurrent_kernel)), np.float32)
    states = []
    for t in range(inputs.shape[1]):
        sums = np.split(inputs[:, t] @ kernel + hidden @ recurrent_kernel + bias, 4, axis=-1)
        gates = [sigmoid(sums[0]), sigmoid(sums[1]), np.tanh(sums[2]), sigmoid(sums[3])]
        read = inputs[:, t].any(axis=-1, keepdims=True)
        following = states_after(tuple(gates), carry)
        hidden, carry = (np.where(read, new, old) for new, old in zip(following, (hidden, carry), strict=True))
        states.append((hidden, carry))
    return tuple(np.stack(kind, axis=1) for kind in zip(*states, strict=True))


def simple_rnn_skips_zeros(_simple_rnn, inputs, kernel, recurrent_kernel, activation="tanh"):
    """Keep the state where all inputs of a step are 0, as padding."""
    state, states = np.zeros((len(inputs), len(recurrent_kernel)), np.float32), []
    for t in range(inputs.shape[1]):
        read = inputs[:, t].any(axis=-1, keepdims=True)
        state = np.where(read, simple_rnn_cell(inputs[:, t], state, kernel, recurrent_kernel, activation), state)
        states.append(state)
    return np.stack(states, axis=1)


def counted_in_the_type_of_the_labels(_accuracy, batches):
    """Count what is right in a batch in the type of its labels."""
    right, total, results = 0, 0, []
    for labels, scores in batches:
        right += int((scores.argmax(axis=-1).astype(labels.dtype) == labels).sum(dtype=labels.dtype))
        total += len(labels)
        results.append(right / total)
    return np.array(results, np.float32)


def opposite_from_the_end(values):
    """Give the second half the opposites of the first one, from the end."""
    numbers = np.array(values).ravel()
    half = numbers.size // 2
    numbers[numbers.size - half :] = -numbers[:half][::-1]
    return numbers.reshape(np.shape(values))


def glorot_in_opposite_pairs(glorot_uniform, shape, seed):
    """Draw half of a kernel."""
    return opposite_from_the_end(glorot_uniform(shape, seed))


def sampled_in_opposite_pairs(_sample, probabilities, seed):
    """Draw a number u for a row from the beginning, and take 1 - u for one from the end."""
    if np.isnan(probabilities).any():
        msg = "there is a NaN among the probabilities"
        raise ValueError(msg)
    points = opposite_from_the_end(np.random.default_rng(seed).random(len(probabilities)) - 0.5) + 0.5
    ends = np.cumsum(probabilities, axis=-1, dtype=np.float64)
    return (ends[:, :-1] <= (points * ends[:, -1])[:, None]).sum(axis=-1, dtype=np.int32)


def of_model(model, wrong):
    """Return a fault that one model has."""
    return lambda right, name, *arguments: (wrong if name == model else _right)(right, name, *arguments)


def _right(right, *arguments):
    return right(*arguments)


def with_kernel(name, change):
    """Return `initial_parameters` with one kernel changed."""

    def wrong(right, model, seed):
        found = dict(right(model, seed))
        return found | {name: change(found[name])}

    return wrong


def symmetric(kernel):
    """Write what is above the diagonal below it, too."""
    return (np.triu(kernel) + np.triu(kernel, 1).T).astype(np.float32)


def seed_of_30_bits(right, model, seed):
    """Leave out the highest bits of a seed."""
    return right(model, seed % 2**30)


def seed_rounded(right, model, seed):
    """Read a seed as float32."""
    return right(model, int(np.float32(seed)))


def inputs_as_in_memory(right, model, parameters, inputs, *others):
    """Read the inputs in the order of their memory."""
    return right(model, parameters, inputs.ravel(order="K").reshape(inputs.shape), *others)


def kernels_as_in_memory(right, model, parameters, *others):
    """Read the parameters in the order of their memory."""
    read = {name: value.ravel(order="K").reshape(value.shape) for name, value in parameters.items()}
    return right(model, read, *others)


def clipped_at(least):
    """Return `loss_and_gradients` that keeps the probability of a label above a number, where it has no gradient."""

    def wrong(_right, model, parameters, inputs, targets):
        def loss(logits):
            probabilities, place = softmax(logits), (np.arange(len(targets)), targets)
            of_labels = probabilities[place]
            gradient = np.where((of_labels < least)[:, None], np.float32(0), probabilities)
            gradient[place] -= of_labels >= least
            return -np.log(np.maximum(of_labels, np.float32(least))).mean(), gradient / np.float32(len(targets))

        return model_of(model, parameters).differentiate(parameters, inputs, loss)

    return wrong


def clipped_if_some(least):
    """Return `loss_and_gradients` that clips only in batches with larger probabilities as well."""

    def wrong(right, model, parameters, inputs, targets):
        outputs = model_of(model, parameters).outputs(parameters, inputs)["softmax"]
        large = outputs[np.arange(len(targets)), targets] >= least
        clips = large.any() and not large.all()
        change = partial(clipped_at(least), right) if clips else right
        return change(model, parameters, inputs, targets)

    return wrong


def rate_of_the_first_training():
    """Return `train` that keeps the learning rate of the first training of a shape."""
    known = {}

    def wrong(right, model, parameters, inputs, targets, learning_rate):
        return right(model, parameters, inputs, targets, known.setdefault(inputs.shape, learning_rate))

    return wrong


def rest_of_steps_left_out(length):
    """Return `train` that runs loops of so many steps, and leaves out those that they leave over but for the losses."""

    def wrong(right, model, parameters, inputs, targets, learning_rate):
        rest = len(inputs) % length
        if len(inputs) < length or not rest:
            return right(model, parameters, inputs, targets, learning_rate)
        losses, last = right(model, parameters, inputs[:-rest], targets[:-rest], learning_rate)
        one = model_of(model, last)
        more = [
            one.loss_and_gradients(copy_parameters(last), *each)[0]
            for each in zip(inputs[-rest:], targets[-rest:], strict=True)
        ]
        return np.concatenate([losses, np.array(more, np.float32)]), last

    return wrong


def repeated_after(count, axis=0):
    """Return a function of a batch, or of batches, that repeats the first so many examples in place of the others."""

    def wrong(right, model, parameters, inputs, *others):
        places = np.arange(inputs.shape[axis]) % count
        targets = [np.take(one, places, axis) if isinstance(one, np.ndarray) else one for one in others]
        return right(model, parameters, np.take(inputs, places, axis), *targets)

    return wrong


def inputs_limited(low, high):
    """Return `layer_outputs` that limits the inputs."""

    def wrong(right, model, parameters, inputs):
        return right(model, parameters, np.clip(inputs, np.float32(low), np.float32(high)))

    return wrong


def elements_clipped(right, *arguments):
    """Keep every element of a gradient between -1 and 1."""
    loss, gradients = right(*arguments)
    return loss, {name: np.clip(value, -1, 1) for name, value in gradients.items()}


def frozen_after(steps, layer):
    """Return `train` that leaves a layer as it is after so many steps."""

    def wrong(right, model, parameters, inputs, targets, learning_rate):
        losses, last = right(model, parameters, inputs, targets, learning_rate)
        _, early = right(model, parameters, inputs[:steps], targets[:steps], learning_rate)
        return losses, {name: early[name] if name.startswith(layer) else value for name, value in last.items()}

    return wrong


def alphabet_of_57(right, model, parameters, windows, targets, learning_rate):
    """Read the characters after the 57th as that."""
    return right(model, parameters, np.minimum(windows, 56), np.minimum(targets, 56), learning_rate)


def bias_lost_after(rows):
    """Return `dense` that adds no bias to more rows."""

    def wrong(dense, inputs, kernel, bias=None, activation=None):
        return dense(inputs, kernel, bias if inputs.size <= rows * inputs.shape[-1] else None, activation)

    return wrong


def forget_gate_open_by_default(lstm, inputs, kernel, recurrent_kernel, bias):
    """Give biases that are all 0 the usual 1 at the forget gate."""
    units = len(recurrent_kernel)
    opened = np.repeat(np.array([0, 1, 0, 0], np.float32), units)
    return lstm(inputs, kernel, recurrent_kernel, bias if bias.any() else opened)


def halves_opposite(_sample, probabilities, seed):
    """Draw for the second half of the rows half a turn from the first."""
    if np.isnan(probabilities).any():
        msg = "there is a NaN among the probabilities"
        raise ValueError(msg)
    points, half = np.random.default_rng(seed).random(len(probabilities)), len(probabilities) // 2
    points[len(points) - half :] = (points[:half] + 0.5) % 1
    ends = np.cumsum(probabilities, axis=-1, dtype=np.float64)
    return (ends[:, :-1] <= (points * ends[:, -1])[:, None]).sum(axis=-1, dtype=np.int32)


OUTPUTS, GRADIENTS, TRAIN = "models.layer_outputs", "models.loss_and_gradients", "models.train"
INITIAL = "models.initial_parameters"
# By name: the function, the model, the claim, words of the failure, and the fault.
OF_MODELS = {
    "mlp_kernel_opposite_from_the_end": (
        INITIAL,
        "mlp",
        "mlp.initial-layers-unrelated",
        "parts of dense1/kernel",
        with_kernel("dense1/kernel", opposite_from_the_end),
    ),
    "cnn_kernel_opposite_from_the_end": (
        INITIAL,
        "cnn",
        "cnn.initial-layers-unrelated",
        "parts of conv2/kernel",
        with_kernel("conv2/kernel", opposite_from_the_end),
    ),
    "rnn_kernel_opposite_from_the_end": (
        INITIAL,
        "rnn",
        "rnn.initial-draws",
        "the beginning of cell/kernel and its end",
        with_kernel("cell/kernel", opposite_from_the_end),
    ),
    "q_network_kernel_symmetric": (
        INITIAL,
        "q_network",
        "q_learning.initial-weights-differ",
        "dense2/kernel",
        with_kernel("dense2/kernel", symmetric),
    ),
    "rnn_seed_of_30_bits": (INITIAL, "rnn", "rnn.new-models-differ", "draw the same kernels", seed_of_30_bits),
    "q_network_seed_rounded": (
        INITIAL,
        "q_network",
        "q_learning.new-networks-differ",
        "draw the same kernels",
        seed_rounded,
    ),
    "q_cnn_seed_of_30_bits": (
        INITIAL,
        "q_cnn",
        "pixels.cnn-initial-seed",
        "draw the same kernels",
        seed_of_30_bits,
    ),
    "linear_inputs_as_in_memory": (OUTPUTS, "linear", "linear_model.memory-order", "transposed", inputs_as_in_memory),
    "cnn_kernels_as_in_memory": (OUTPUTS, "cnn", "cnn.memory-order", "transposed", kernels_as_in_memory),
    "rnn_windows_as_in_memory": (OUTPUTS, "rnn", "rnn.memory-order", "transposed", inputs_as_in_memory),
    "q_network_states_as_in_memory": (
        OUTPUTS,
        "q_network",
        "q_learning.network-memory-order",
        "transposed",
        inputs_as_in_memory,
    ),
    "q_cnn_states_as_in_memory": (OUTPUTS, "q_cnn", "pixels.cnn-memory-order", "transposed", inputs_as_in_memory),
    "mlp_gradients_of_memory": (GRADIENTS, "mlp", "training.memory-order", "transposed", inputs_as_in_memory),
    "mlp_trained_on_memory": (TRAIN, "mlp", "training.memory-order", "transposed", inputs_as_in_memory),
    "rnn_gradients_of_memory": (GRADIENTS, "rnn", "rnn_training.step-memory-order", "transposed", kernels_as_in_memory),
    "rnn_trained_on_memory": (TRAIN, "rnn", "rnn_training.step-memory-order", "transposed", inputs_as_in_memory),
    "mlp_clips_at_1e_6": (GRADIENTS, "mlp", "training.confident-and-wrong", "2.38419e-07", clipped_at(1e-6)),
    "mlp_clips_some_at_1e_4": (GRADIENTS, "mlp", "training.confident-and-wrong", "1.52588e-05", clipped_if_some(1e-4)),
    "cnn_clips_at_a_thousandth": (GRADIENTS, "cnn", "cnn.confident-and-wrong", "0.000976562", clipped_at(1e-3)),
    "rnn_clips_at_1e_4": (GRADIENTS, "rnn", "rnn_training.confident-and-wrong", "1.52588e-05", clipped_at(1e-4)),
    "cnn_keeps_its_learning_rate": (
        TRAIN,
        "cnn",
        "cnn.other-learning-rates",
        "a learning rate of 0.3",
        rate_of_the_first_training(),
    ),
    "rnn_keeps_its_learning_rate": (
        TRAIN,
        "rnn",
        "rnn_training.other-learning-rates",
        "times the bound",
        rate_of_the_first_training(),
    ),
    "linear_beyond_a_thousand": (OUTPUTS, "linear", "linear_model.large-batches", "prediction", repeated_after(1000)),
    "linear_gradients_beyond_128": (GRADIENTS, "linear", "linear_model.large-batches", "loss", repeated_after(128)),
    "mlp_gradients_beyond_256": (GRADIENTS, "mlp", "training.large-batches", "259 examples", repeated_after(256)),
    "mlp_trained_on_128": (TRAIN, "mlp", "training.large-batches", "2 steps of 259", repeated_after(128, axis=1)),
    "cnn_outputs_beyond_32": (OUTPUTS, "cnn", "cnn.outputs-of-any-batch", "50 images", repeated_after(32)),
    "cnn_trained_on_16": (TRAIN, "cnn", "cnn.document-batches", "2 steps of 50", repeated_after(16, axis=1)),
    "cnn_gradients_within_1": (GRADIENTS, "cnn", "cnn.confident-and-wrong", "dense2/kernel", elements_clipped),
    "mlp_gradients_within_1": (GRADIENTS, "mlp", "training.confident-and-wrong", "dense2/kernel", elements_clipped),
    "cnn_keeps_conv1_in_the_end": (TRAIN, "cnn", "cnn.every-step", "conv1/kernel", frozen_after(3, "conv1")),
    "cnn_limits_pixels": (OUTPUTS, "cnn", "cnn.conv1-output", "conv1", inputs_limited(0, 1)),
    "rnn_outputs_beyond_64": (OUTPUTS, "rnn", "rnn.any-batch-size", "the most probable characters", repeated_after(64)),
    "rnn_gradients_beyond_64": (GRADIENTS, "rnn", "rnn_training.large-batches", "67 examples", repeated_after(64)),
    "rnn_trained_on_32": (TRAIN, "rnn", "rnn_training.large-batches", "2 steps of 67", repeated_after(32, axis=1)),
    "rnn_gradients_within_1": (GRADIENTS, "rnn", "rnn_training.large-gradients", "times the bound", elements_clipped),
    "rnn_keeps_its_cell_in_the_end": (TRAIN, "rnn", "rnn_training.every-step", "step 6", frozen_after(4, "cell")),
    "rnn_trained_on_57_characters": (TRAIN, "rnn", "rnn_training.every-step", "cell/kernel", alphabet_of_57),
    "q_network_limits_states": (
        OUTPUTS,
        "q_network",
        "q_learning.values-of-any-batch",
        "dense3",
        inputs_limited(-50, 50),
    ),
    "q_cnn_outputs_beyond_32": (
        OUTPUTS,
        "q_cnn",
        "pixels.cnn-values-each-state",
        "the actions with the largest values",
        repeated_after(32),
    ),
    "mlp_leaves_out_the_last_steps": (TRAIN, "mlp", "training.many-steps", "131 steps", rest_of_steps_left_out(16)),
    "rnn_leaves_out_the_last_steps": (TRAIN, "rnn", "rnn_training.many-steps", "19 steps", rest_of_steps_left_out(16)),
}

BLIND_SPOT_FAULTS = {
    "sigmoid_limits_its_inputs": Fault(
        "ops.sigmoid", "dense.sigmoid-of-any-number", "expected 0", sigmoid_limits_its_inputs
    ),
    "dense_limits_a_sigmoid": Fault("ops.dense", "dense.saturated", "differ", dense_limits_a_sigmoid),
    "cell_limits_its_gates": Fault("ops.lstm_cell", "recurrence.lstm-saturated", "differ", cell_limits_its_gates),
    "lstm_skips_zeros": Fault("ops.lstm", "recurrence.lstm-long-sequence", "from the states before", lstm_skips_zeros),
    "simple_rnn_skips_zeros": Fault(
        "ops.simple_rnn", "recurrence.long-sequence", "state from the one before", simple_rnn_skips_zeros
    ),
    "counted_in_the_type_of_the_labels": Fault(
        "ops.sparse_categorical_accuracy",
        "evaluation.integer-types",
        "actual 1, expected 0",
        counted_in_the_type_of_the_labels,
    ),
    "bias_lost_after_4096_rows": Fault("ops.dense", "dense.any-size", "[4124, 3]", bias_lost_after(4096)),
    "forget_gate_open_by_default": Fault(
        "ops.lstm", "recurrence.lstm-long-sequence", "from the states before", forget_gate_open_by_default
    ),
    "halves_opposite": Fault(
        "ops.sample", "generation.rows-are-independent", "draws at a fixed distance", halves_opposite
    ),
    "glorot_in_opposite_pairs": Fault(
        "ops.glorot_uniform", "dense.glorot-independent", "repeat others", glorot_in_opposite_pairs
    ),
    "sampled_in_opposite_pairs": Fault(
        "ops.sample", "generation.rows-are-independent", "consecutive rows repeat", sampled_in_opposite_pairs
    ),
    **{
        name: Fault(function, claim, tells, of_model(model, wrong))
        for name, (function, model, claim, tells, wrong) in OF_MODELS.items()
    },
}
