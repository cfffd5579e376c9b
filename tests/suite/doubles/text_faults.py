"""Faults of the recurrent network and of the text that it writes."""

import numpy as np

from doubles.faulty import Fault


def one_orthogonal_matrix_for_all_gates(initial_parameters, model, seed):
    """Draw one orthogonal matrix, and use it for each of the four gates."""
    parameters = dict(initial_parameters(model, seed))
    if model == "rnn":
        matrix, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((256, 256)))
        parameters["cell/recurrent_kernel"] = np.tile(matrix, 4).astype(np.float32)
    return parameters


def recurrent_kernel_not_orthogonal(initial_parameters, model, seed):
    """Draw the recurrent kernel as the others are drawn."""
    parameters = dict(initial_parameters(model, seed))
    if model == "rnn":
        shape = parameters["cell/recurrent_kernel"].shape
        limit = np.sqrt(6 / sum(shape))
        drawn = np.random.default_rng(seed).uniform(-limit, limit, shape)
        parameters["cell/recurrent_kernel"] = drawn.astype(np.float32)
    return parameters


def state_reset_at_every_step(layer_outputs, model, parameters, inputs):
    """Forget everything but the last character."""
    outputs = layer_outputs(model, parameters, inputs)
    if model == "rnn":
        outputs = {**layer_outputs(model, parameters, inputs[:, -1:].copy()), "one_hot": outputs["one_hot"]}
    return outputs


class StateLeaking:
    """Go on from the state that the batch before has left."""

    def __init__(self):
        """Begin with nothing."""
        self.before = None

    def __call__(self, layer_outputs, model, parameters, inputs):
        """Put the batch before in front, where it has the same size."""
        outputs = layer_outputs(model, parameters, inputs)
        before, self.before = self.before, inputs
        if model != "rnn" or before is None or before.shape != inputs.shape:
            return outputs
        longer = np.concatenate([before, inputs], axis=1)
        return {**layer_outputs(model, parameters, longer), "one_hot": outputs["one_hot"]}


def first_output_used(layer_outputs, model, parameters, inputs):
    """Take the output after the first character for that after the last."""
    outputs = layer_outputs(model, parameters, inputs)
    if model == "rnn":
        outputs = {**layer_outputs(model, parameters, inputs[:, :1].copy()), "one_hot": outputs["one_hot"]}
    return outputs


def cut_off_in_time(loss_and_gradients, model, parameters, inputs, targets):
    """Let no gradient go back to the first character."""
    loss, gradients = loss_and_gradients(model, parameters, inputs, targets)
    if model == "rnn":
        gradients = dict(gradients)
        kernel = gradients["cell/kernel"].copy()
        kernel[np.setdiff1d(inputs[:, 0], inputs[:, 1:])] = 0
        gradients["cell/kernel"] = kernel
    return loss, gradients


def temperature_multiplied(softmax_with_temperature, logits, temperature):
    """Take the temperature for its reciprocal."""
    return (
        softmax_with_temperature(logits, 1 / temperature)
        if temperature > 0
        else softmax_with_temperature(logits, temperature)
    )


def temperature_of_0_allowed(softmax_with_temperature, logits, temperature):
    """Divide by whatever comes."""
    return softmax_with_temperature(logits, temperature if temperature > 0 else 1e-3)


def argmax_instead_of_sampling(_sample, probabilities, _seed):
    """Take the most probable class."""
    return probabilities.argmax(axis=-1).astype(np.int32)


def sampled_from_the_logits(sample, probabilities, seed):
    """Draw by the logarithms, shifted and scaled to be probabilities."""
    logits = np.log(np.maximum(probabilities, 1e-30))
    shifted = logits - logits.min(axis=-1, keepdims=True) + 1e-3
    return sample((shifted / shifted.sum(axis=-1, keepdims=True)).astype(np.float32), seed)


def one_number_for_all_rows(sample, probabilities, seed):
    """Draw every row from the same seed."""
    return np.concatenate([sample(row[None].copy(), seed) for row in probabilities])


def written_by_argmax(generate, parameters, window, *, temperature, count, seed):
    """Take the most probable character always."""
    return generate(parameters, window, temperature=temperature / 1e6, count=count, seed=seed)


def written_at_the_reciprocal(generate, parameters, window, *, temperature, count, seed):
    """Multiply by the temperature."""
    return generate(parameters, window, temperature=1 / (temperature or 1e-9), count=count, seed=seed)


def window_one_short(generate, parameters, window, *, temperature, count, seed):
    """Predict from all but the first character of the window."""
    return generate(parameters, window[1:].copy(), temperature=temperature, count=count, seed=seed)


def window_never_moved(generate, parameters, window, *, temperature, count, seed):
    """Draw every character from the first window."""
    drawn = [generate(parameters, window, temperature=temperature, count=count, seed=seed + i)[0] for i in range(8)]
    return np.resize(np.array(drawn, np.int32), count)


def next_character_off_by_one(sample_windows, indices, seq_length, batch_size, seed):
    """Predict the last character of the window."""
    windows, _ = sample_windows(indices, seq_length, batch_size, seed)
    return windows, windows[:, -1].copy()


def last_character_left_out(sample_windows, indices, seq_length, batch_size, seed):
    """Take the upper bound of the random index for inclusive and subtract 1."""
    shorter = indices[:-1] if len(indices) > seq_length + 1 else indices
    return sample_windows(shorter, seq_length, batch_size, seed)


def capitals_kept(encode, content):
    """Number capital and small letters apart."""
    return encode(content)._replace(char_indices={**encode(content).char_indices, "A": 0})


def numbered_as_they_come(encode, content):
    """Number the characters in the order in which they first occur."""
    found = encode(content)
    _, first = np.unique(found.indices, return_index=True)
    rank = np.argsort(np.argsort(first)).astype(np.int32)
    char_indices = {one: int(rank[index]) for one, index in found.char_indices.items()}
    return type(found)(char_indices, {index: one for one, index in char_indices.items()}, rank[found.indices])


def read_as_latin_1(encode, content):
    """Take every byte for a character."""
    return encode(content.decode("latin-1").encode())


TEXT_FAULTS = {
    "recurrent_kernel_not_orthogonal": Fault(
        "models.initial_parameters",
        "rnn.initial-recurrent-kernel",
        "from orthogonal",
        recurrent_kernel_not_orthogonal,
    ),
    "one_orthogonal_matrix_for_all_gates": Fault(
        "models.initial_parameters",
        "rnn.initial-recurrent-kernel",
        "gates 0 and 1 of cell/recurrent_kernel have rows with a cosine of 1.000",
        one_orthogonal_matrix_for_all_gates,
    ),
    "state_reset_at_every_step": Fault(
        "models.layer_outputs", "rnn.remembers", "the most probable characters", state_reset_at_every_step
    ),
    "state_leaking": Fault("models.layer_outputs", "rnn.begins-anew", "after another batch", StateLeaking()),
    "first_output_used": Fault(
        "models.layer_outputs", "rnn.last-output-is-used", "the most probable characters", first_output_used
    ),
    "cut_off_in_time": Fault(
        "models.loss_and_gradients", "rnn_training.first-character-gradient", "'its row'", cut_off_in_time
    ),
    "temperature_multiplied": Fault(
        "ops.softmax_with_temperature", "generation.temperature", "softmax_with_temperature", temperature_multiplied
    ),
    "temperature_of_0_allowed": Fault(
        "ops.softmax_with_temperature",
        "generation.temperature-above-0",
        "temperature=0.0 is accepted",
        temperature_of_0_allowed,
    ),
    "argmax_instead_of_sampling": Fault(
        "ops.sample", "generation.frequencies", "as far off", argmax_instead_of_sampling
    ),
    "sampled_from_the_logits": Fault("ops.sample", "generation.frequencies", "as far off", sampled_from_the_logits),
    "one_number_for_all_rows": Fault("ops.sample", "generation.frequencies", "as far off", one_number_for_all_rows),
    "written_by_argmax": Fault("text.generate", "generation.not-argmax", "all 400 characters", written_by_argmax),
    "written_at_the_reciprocal": Fault(
        "text.generate", "generation.by-temperature", "as far off", written_at_the_reciprocal
    ),
    "window_one_short": Fault("text.generate", "generation.window-moves", "the text", window_one_short),
    "window_never_moved": Fault("text.generate", "generation.appended", "the text", window_never_moved),
    "next_character_off_by_one": Fault(
        "text.sample_windows", "text.next-character", "the characters after the windows", next_character_off_by_one
    ),
    "last_character_left_out": Fault(
        "text.sample_windows", "text.last-start", "begins at 3, expected 4", last_character_left_out
    ),
    "capitals_kept": Fault("text.encode", "text.lower-case", "'A'", capitals_kept),
    "numbered_as_they_come": Fault("text.encode", "text.characters", "", numbered_as_they_come),
    "read_as_latin_1": Fault("text.encode", "text.not-utf8", "is accepted", read_as_latin_1),
}
