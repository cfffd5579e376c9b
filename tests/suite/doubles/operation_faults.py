"""Faults of single operations: sizes, values, ranks, arguments, random numbers, memory and earlier calls."""

import numpy as np

from doubles.faulty import Fault

FLOAT = np.float32


def lose_remainder(axis, block):
    """Return a fault that leaves out what a number of blocks leaves over along an axis of the result."""

    def wrong(right, *arguments, **options):
        results = right(*arguments, **options)
        found = [np.array(result) for result in (results if isinstance(results, tuple) else (results,))]
        for result in found:
            over = result.shape[axis] % block if result.ndim else 0
            if over and result.shape[axis] > block:
                np.moveaxis(result, axis, 0)[-over:] = 0
        return tuple(found) if isinstance(results, tuple) else found[0]

    return wrong


def leave_remainder(block):
    """Return a fault that leaves the elements after the last block of an array as they were."""

    def wrong(right, *arguments):
        results = right(*arguments)
        found = [np.array(result) for result in (results if isinstance(results, tuple) else (results,))]
        before = (arguments[0], *arguments[2:4])
        for result, old in zip(found, before, strict=False):
            over = result.size % block
            if over and result.size > block:
                result.reshape(-1)[-over:] = old.reshape(-1)[-over:]
        return tuple(found) if isinstance(results, tuple) else found[0]

    return wrong


def keep_first_answer():
    """Return a fault that answers every call as the first one with arguments of the same shapes."""
    known = {}

    def wrong(right, *arguments, **options):
        key = *map(np.shape, arguments[:-1]), np.shape(arguments[-1]) if isinstance(arguments[-1], np.ndarray) else ()
        if key not in known:
            known[key] = right(*arguments, **options)
        return known[key]

    return wrong


def reuse_buffer():
    """Return a fault that writes every result of one shape into the same memory."""
    buffers = {}

    def wrong(right, *arguments, **options):
        result = np.asarray(right(*arguments, **options))
        buffer = buffers.setdefault(result.shape, np.empty_like(result))
        buffer[...] = result
        return buffer

    return wrong


def keep_argument(place):
    """Return a fault that goes on with what the first call had in one place."""
    known = {}

    def wrong(right, *arguments, **options):
        first = known.setdefault(np.shape(arguments[0]), arguments[place])
        fits = np.shape(first) == np.shape(arguments[place])
        return right(*arguments[:place], first if fits else arguments[place], *arguments[place + 1 :], **options)

    return wrong


def read_raw_memory(right, *arguments, **options):
    """Read the numbers of an array as they lie in memory."""
    read = [
        argument.ravel(order="K").reshape(argument.shape) if isinstance(argument, np.ndarray) else argument
        for argument in arguments
    ]
    return right(*read, **options)


def read_labels_as(kind, place=0):
    """Return a fault that keeps labels in a smaller type of whole numbers."""

    def wrong(right, *arguments):
        changed = [*arguments]
        changed[place] = arguments[place].astype(kind).astype(np.int32)
        return right(*changed)

    return wrong


def sigmoid_of(values):
    """Compute the sigmoid as a sound implementation does."""
    small = np.exp(-np.abs(values))
    return (np.where(values >= 0, 1, small) / (1 + small)).astype(FLOAT)


def half_beyond_88(sigmoid, inputs):
    """Give up where exp overflows."""
    return np.where(np.abs(inputs) > 88, FLOAT(0.5), sigmoid(inputs)).astype(FLOAT)


def quotient_of_exponentials(_tanh, inputs):
    """Take tanh's formula at its word."""
    with np.errstate(over="ignore", invalid="ignore"):
        squared = np.exp(2 * inputs)
        return ((squared - 1) / (squared + 1)).astype(FLOAT)


def times_its_sign(_relu, inputs):
    """Multiply by 0 what is not positive, and minus infinity too."""
    with np.errstate(invalid="ignore"):
        return (inputs * (inputs > 0)).astype(FLOAT)


def capped(relu, inputs):
    """Stay within float16."""
    return np.minimum(relu(inputs), FLOAT(65504))


def one_bias_per_row_of_three(dense, inputs, kernel, bias=None, activation=None):
    """Add the bias along the middle axis where it fits."""
    if inputs.ndim != 3 or bias is None or inputs.shape[1] != bias.size or activation:
        return dense(inputs, kernel, bias, activation)
    return dense(inputs, kernel) + bias[:, None]


def linear_without_bias(dense, inputs, kernel, bias=None, activation=None):
    """Apply the activation along with the bias, or not at all."""
    return dense(inputs, kernel, bias, None if bias is None else activation)


def inputs_clipped(dense, inputs, kernel, bias=None, activation=None):
    """Keep inputs within a million."""
    return dense(np.clip(inputs, -1e6, 1e6), kernel, bias, activation)


def sigmoid_layer_overflows(dense, inputs, kernel, bias=None, activation=None):
    """Use a sigmoid that gives up beyond 88."""
    if activation != "sigmoid":
        return dense(inputs, kernel, bias, activation)
    return half_beyond_88(sigmoid_of, dense(inputs, kernel, bias))


def first_inputs_only(dense, inputs, kernel, bias=None, activation=None):
    """Stop adding after 1,024 products."""
    return dense(inputs[..., :1024].copy(), kernel[:1024].copy(), bias, activation)


def sums_of_16_bits(dense, inputs, kernel, bias=None, activation=None):
    """Round long sums to float16 before the bias is added."""
    sums = dense(inputs, kernel)
    if inputs.shape[-1] > 256:
        sums = sums.astype(np.float16).astype(FLOAT)
    return dense(sums, np.eye(sums.shape[-1], dtype=FLOAT), bias, activation)


def one_memory_of_zeros():
    """Return a fault that hands the same zeros to everybody."""
    known = {}

    def wrong(zeros, shape):
        if tuple(shape) not in known:
            known[tuple(shape)] = np.array(zeros(shape))
        return known[tuple(shape)]

    return wrong


def even(shape, seed):
    """Draw numbers from -1 to 1 in the size of a Glorot-uniform kernel."""
    return np.random.default_rng(seed).uniform(-1, 1, shape) * np.sqrt(6 / sum(shape))


def kernel_of_16_bits(_glorot, shape, seed):
    """Draw 65,536 different numbers at most."""
    drawn = np.random.default_rng(seed).integers(0, 2**16, shape) / (2**16 - 1)
    return ((2 * drawn - 1) * np.sqrt(6 / sum(shape))).astype(FLOAT)


def kernel_with_one_column_twice(_glorot, shape, seed):
    """Begin two units alike."""
    kernel = even(shape, seed)
    kernel[:, -1] = kernel[:, 0]
    return kernel.astype(FLOAT)


def kernel_mirrored(_glorot, shape, seed):
    """Draw half of the rows, and take them with the other sign for the rest."""
    half = even((-(-shape[0] // 2), shape[1]), seed) * np.sqrt((-(-shape[0] // 2) + shape[1]) / sum(shape))
    return np.concatenate([half, -half])[: shape[0]].astype(FLOAT)


def row_by_row_seeds(_glorot, shape, seed):
    """Draw every row by a seed of its own, the next one for the next."""
    rows = [np.random.default_rng(seed + row).uniform(-1, 1, shape[1]) for row in range(shape[0])]
    return (np.stack(rows) * np.sqrt(6 / sum(shape))).astype(FLOAT)


def kernel_within_less(glorot, shape, seed):
    """Draw from an interval that is 0.1% too small."""
    return glorot(shape, seed) * FLOAT(0.999)


def one_axis_of_three(softmax, logits):
    """Normalise arrays of rank 3 over the middle axis."""
    if logits.ndim != 3:
        return softmax(logits)
    return np.moveaxis(softmax(np.moveaxis(logits, 1, -1).copy()), -1, 1)


def shifted_by_the_largest_of_all(_softmax, logits):
    """Subtract one number from all rows."""
    with np.errstate(over="ignore", invalid="ignore"):
        exponentials = np.exp(logits - logits.max())
        return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(FLOAT)


def logits_of_16_bits(softmax, logits):
    """Read logits as bfloat16."""
    return softmax((np.ascontiguousarray(logits).view(np.uint32) & np.uint32(0xFFFF0000)).view(FLOAT))


def masked_is_nan(softmax, logits):
    """Subtract infinities from each other."""
    found = softmax(np.where(np.isinf(logits), 0, logits).astype(FLOAT))
    return np.where(np.isinf(logits).any(axis=-1, keepdims=True), FLOAT(np.nan), found)


def first_300_classes(softmax, logits):
    """Add up no more than 256 exponentials."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (exponentials / exponentials[..., :256].sum(axis=-1, keepdims=True) + 0 * softmax(logits)).astype(FLOAT)


def temperature_as_power(_softmax, logits, temperature):
    """Apply softmax first, and raise the probabilities to a power."""
    if not temperature > 0:
        raise ValueError(temperature)
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    powers = (exponentials / exponentials.sum(axis=-1, keepdims=True)) ** FLOAT(1 / temperature)
    with np.errstate(invalid="ignore"):
        return (powers / powers.sum(axis=-1, keepdims=True)).astype(FLOAT)


def temperature_kept_from_0(softmax, logits, temperature):
    """Divide by a tenth at least."""
    return softmax(logits, max(temperature, 0.1) if temperature > 0 else temperature)


def temperature_without_shift(softmax, logits, temperature):
    """Take the formula at its word."""
    if not temperature > 0:
        return softmax(logits, temperature)
    with np.errstate(over="ignore", invalid="ignore"):
        exponentials = np.exp(logits / FLOAT(temperature))
        return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(FLOAT)


def drawn_at(points_of):
    """Return a sampler that draws by the points that a function gives for a number of rows and a seed."""

    def wrong(sample, probabilities, seed):
        if np.isnan(probabilities).any():
            return sample(probabilities, seed)
        ends = np.cumsum(probabilities, axis=-1, dtype=np.float64)
        points = points_of(len(probabilities), seed)[:, None] * ends[:, -1:]
        return np.minimum((ends <= points).sum(axis=-1), probabilities.shape[-1] - 1).astype(np.int32)

    return wrong


def in_16_bits(rows, seed):
    """Draw random numbers of 16 bits."""
    return np.random.default_rng(seed).integers(0, 2**16, rows) / 2**16


def one_for_two_rows(rows, seed):
    """Draw a random number for every two rows."""
    return np.repeat(np.random.default_rng(seed).random(rows // 2 + 1), 2)[:rows]


def recycled(rows, seed):
    """Draw 1,024 random numbers, and begin with the first again."""
    return np.resize(np.random.default_rng(seed).random(1024), rows)


def stratified(rows, seed):
    """Spread random numbers evenly, in any order."""
    generator = np.random.default_rng(seed)
    return generator.permutation((np.arange(rows) + generator.random(rows)) / rows)


def antithetic(rows, seed):
    """Use each random number once more from the other end."""
    half = np.random.default_rng(seed).random(rows // 2 + 1)
    return np.column_stack([half, 1 - half]).ravel()[:rows]


def seed_of_each_row(rows, seed):
    """Draw every row by the next seed."""
    return np.array([np.random.default_rng(seed + row).random() for row in range(rows)])


def nobodys_seed(rows, _seed):
    """Go on with the generator of the process."""
    return np.random.random(rows)  # noqa: NPY002 - the mistake


def seeds_in_pairs(sample, probabilities, seed):
    """Take an even seed for the odd one after it."""
    return sample(probabilities, seed // 2)


def nan_in_the_first_row_alone(sample, probabilities, seed):
    """Look for NaN in one row, and make 0 of it in others."""
    return sample(np.concatenate([probabilities[:1], np.nan_to_num(probabilities[1:])]), seed)


def sometimes_argmax(sample, probabilities, seed):
    """Take the most probable class in one of 20 draws."""
    chosen = np.random.default_rng([seed, 1]).random(len(probabilities)) < 0.05
    return np.where(chosen, probabilities.argmax(axis=-1), sample(probabilities, seed)).astype(np.int32)


def nucleus(sample, probabilities, seed):
    """Draw from the most probable classes that make up 99%."""
    order = np.argsort(-probabilities, axis=-1)
    sorted_ = np.take_along_axis(probabilities, order, axis=-1)
    kept = np.empty_like(probabilities)
    np.put_along_axis(kept, order, np.where(sorted_.cumsum(axis=-1) - sorted_ < 0.99, sorted_, 0), axis=-1)
    return sample(kept / kept.sum(axis=-1, keepdims=True), seed)


def depth_of_256(one_hot, labels, depth):
    """Leave the columns from 256 on empty."""
    encoded = np.array(one_hot(labels, depth))
    encoded[..., 256:] = 0
    return encoded


def bytes_with_a_sign(loss, labels, probabilities):
    """Read labels of 8 bits as numbers with a sign."""
    return loss(labels.view(np.int8) if labels.dtype == np.uint8 else labels, probabilities)


def square_transposed(loss, labels, probabilities):
    """Take classes for examples where there are as many."""
    square = probabilities.shape[0] == probabilities.shape[1]
    return loss(labels, probabilities.T.copy() if square else probabilities)


def clipped_at_a_millionth(loss, labels, probabilities):
    """Keep probabilities 1e-6 from 0."""
    return loss(labels, np.maximum(probabilities, FLOAT(1e-6)))


def clipped_below_1(loss, labels, probabilities):
    """Keep probabilities 1e-5 from 1."""
    return loss(labels, np.minimum(probabilities, FLOAT(1 - 1e-5)))


def zero_times_infinity(_loss, targets, probabilities):
    """Multiply targets by whatever the logarithms are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return -(targets * np.log(probabilities)).sum(axis=-1)


def targets_normalised(loss, targets, probabilities):
    """Divide targets by their sum."""
    sums = targets.sum(axis=-1, keepdims=True)
    return loss((targets / np.where(sums > 0, sums, 1)).astype(FLOAT), probabilities)


def last_block_missing(_loss, targets, predictions):
    """Add squares up in blocks of 16, and leave over what is left."""
    squares = ((predictions - targets) ** 2).ravel()
    whole = len(squares) // 16 * 16 if len(squares) > 16 else len(squares)
    return FLOAT(squares[:whole].sum() / len(squares))


def squares_subtracted(_loss, targets, predictions):
    """Multiply the square out."""
    return np.mean(predictions * predictions - 2 * predictions * targets + targets * targets)


def sum_of_examples(loss, targets, predictions):
    """Add up the elements of an example of rank 2 or more."""
    return loss(targets, predictions) * FLOAT(np.prod(targets.shape[1:]) if targets.ndim > 2 else 1)


def with_momentum():
    """Return a fault that goes on in the direction of the step before."""
    velocities = {}

    def wrong(sgd_step, parameter, gradient, learning_rate):
        velocity = velocities.get(parameter.shape, 0) * FLOAT(0.9) + gradient
        velocities[parameter.shape] = velocity
        return sgd_step(parameter, velocity, learning_rate)

    return wrong


def gradients_clipped(sgd_step, parameter, gradient, learning_rate):
    """Keep gradients within 10,000."""
    return sgd_step(parameter, np.clip(gradient, -1e4, 1e4), learning_rate)


def rate_of_1_at_most(sgd_step, parameter, gradient, learning_rate):
    """Keep learning rates within 1."""
    return sgd_step(parameter, gradient, min(learning_rate, 1.0))


def adam(arguments, *, epsilon=1e-7, after=False, correct=True):
    """Take a step of Adam with an epsilon, before or after the correction for bias, or without one."""
    parameter, gradient, first, second, step, rate = arguments
    first = FLOAT(0.9) * first + FLOAT(0.1) * gradient
    second = FLOAT(0.999) * second + FLOAT(0.001) * gradient * gradient
    one, two = (1 - 0.9**step, 1 - 0.999**step) if correct else (1, 1)
    root = np.sqrt(second) + FLOAT(epsilon * (np.sqrt(two) if after else 1))
    return (parameter - FLOAT(rate * np.sqrt(two) / one) * first / root).astype(FLOAT), first, second


def uncorrected_after_1000(_adam_step, *arguments):
    """Take the correction for 1 after step 1,000."""
    return adam(arguments, correct=arguments[4] <= 1000)


def epsilon_moves_with_the_step(_adam_step, *arguments):
    """Add epsilon elsewhere in the first step."""
    return adam(arguments, after=arguments[4] > 1)


def epsilon_moves_with_the_size(_adam_step, *arguments):
    """Add epsilon elsewhere for large parameters."""
    return adam(arguments, after=arguments[0].size > 1000)


def step_of_8_bits(adam_step, *arguments):
    """Count steps up to 255."""
    return adam_step(*arguments[:4], arguments[4] % 256 or 256, arguments[5])


def rate_decays(adam_step, *arguments):
    """Lower the learning rate with every step."""
    return adam_step(*arguments[:5], arguments[5] / (1 + 1e-4 * (arguments[4] - 1)))


def elements_without_gradient_stay(adam_step, *arguments):
    """Update where the gradient is not 0."""
    after = adam_step(*arguments)
    old = arguments[0], *arguments[2:4]
    return tuple(np.where(arguments[1] != 0, one, other) for one, other in zip(after, old, strict=True))


def gradients_within_100(adam_step, *arguments):
    """Keep gradients within 100."""
    return adam_step(arguments[0], np.clip(arguments[1], -100, 100), *arguments[2:])


def own_moments():
    """Return a fault that keeps the moments itself, by shape."""
    known = {}

    def wrong(adam_step, parameter, gradient, first, second, step, rate):
        if step > 1 and parameter.shape in known:
            first, second = known[parameter.shape]
        after = adam_step(parameter, gradient, first, second, step, rate)
        known[parameter.shape] = after[1:]
        return after

    return wrong


def counted_in_16_bits(accuracy, batches):
    """Count no further than 65,535 examples of a batch."""
    return accuracy([(labels[:65_535], scores[:65_535]) for labels, scores in batches])


def scores_of_16_bits(accuracy, batches):
    """Compare predictions as bfloat16."""
    cut = [np.ascontiguousarray(scores).view(np.uint32) & np.uint32(0xFFFF0000) for _, scores in batches]
    return accuracy([(labels, bits.view(FLOAT)) for (labels, _), bits in zip(batches, cut, strict=True)])


def sixteen_latest_batches(accuracy, batches):
    """Forget what is longer ago than 16 batches."""
    return np.array([accuracy(batches[max(0, end - 16) : end])[-1] for end in range(1, len(batches) + 1)], FLOAT)


def negatives_are_0(accuracy, batches):
    """Take negative predictions for 0."""
    return accuracy([(labels, np.maximum(scores, 0)) for labels, scores in batches])


def begun_anew_after_32(simple_rnn, inputs, *weights, **options):
    """Start from zeros again every 32 steps."""
    parts = [inputs[:, start : start + 32].copy() for start in range(0, inputs.shape[1], 32)]
    return np.concatenate([simple_rnn(part, *weights, **options) for part in parts], axis=1)


def lstm_begun_anew_after_64(lstm, inputs, *weights):
    """Start from zeros again every 64 steps."""
    parts = [lstm(inputs[:, start : start + 64].copy(), *weights) for start in range(0, inputs.shape[1], 64)]
    return tuple(np.concatenate(states, axis=1) for states in zip(*parts, strict=True))


def states_clipped(cell, inputs, state, *weights, **options):
    """Keep states within 50."""
    return cell(inputs, np.clip(state, -50, 50), *weights, **options)


def gate_overflows(gate):
    """Return a fault whose gate is one half where exp overflows; the candidate is then 0."""

    def wrong(_lstm_cell, inputs, hidden, carry, kernel, recurrent_kernel, bias):
        sums = np.split(inputs @ kernel + hidden @ recurrent_kernel + bias, 4, axis=-1)
        gates = [np.tanh(one) if place == 2 else sigmoid_of(one) for place, one in enumerate(sums)]
        gates[gate] = np.where(np.abs(sums[gate]) > 88, FLOAT(0 if gate == 2 else 0.5), gates[gate])
        write, keep, candidate, read = gates
        after = keep * carry + write * candidate
        return (read * np.tanh(after)).astype(FLOAT), after.astype(FLOAT)

    return wrong


def carries_clipped(lstm_cell, inputs, hidden, carry, *weights):
    """Keep carries within 10."""
    return lstm_cell(inputs, hidden, np.clip(carry, -10, 10), *weights)


OPERATION_FAULTS = {
    "rows_over_a_block_lost": Fault("ops.dense", "dense.any-size", "actual 0", lose_remainder(0, 1024)),
    "units_over_a_block_lost": Fault("ops.dense", "dense.any-size", "actual 0", lose_remainder(-1, 16)),
    "first_inputs_only": Fault("ops.dense", "dense.any-size", "elements differ", first_inputs_only),
    "sums_of_16_bits": Fault("ops.dense", "dense.any-size", "elements differ", sums_of_16_bits),
    "one_bias_per_row_of_three": Fault("ops.dense", "dense.any-option", "[4, 3, 5]", one_bias_per_row_of_three),
    "linear_without_bias": Fault("ops.dense", "dense.any-option", "None", linear_without_bias),
    "inputs_clipped": Fault("ops.dense", "dense.any-magnitude", "elements differ", inputs_clipped),
    "sigmoid_layer_overflows": Fault("ops.dense", "dense.saturated", "actual 0.5", sigmoid_layer_overflows),
    "kernel_of_the_first_call": Fault("ops.dense", "dense.calls-are-independent", "call 3 of", keep_argument(1)),
    "output_reused": Fault("ops.dense", "dense.calls-are-independent", "call 2 of", reuse_buffer()),
    "dense_reads_raw_memory": Fault("ops.dense", "dense.memory-order", "transposed in memory", read_raw_memory),
    "relu_over_a_block_left": Fault("ops.relu", "dense.relu-of-any-number", "differ", leave_remainder(1024)),
    "times_its_sign": Fault("ops.relu", "dense.relu-of-any-number", "actual nan", times_its_sign),
    "capped": Fault("ops.relu", "dense.relu-of-any-number", "actual 65504", capped),
    "quotient_of_exponentials": Fault("ops.tanh", "dense.tanh-of-any-number", "actual nan", quotient_of_exponentials),
    "half_beyond_88": Fault("ops.sigmoid", "dense.sigmoid-of-any-number", "actual 0.5", half_beyond_88),
    "sigmoid_of_the_first_call": Fault(
        "ops.sigmoid", "dense.activation-calls-are-independent", "call 2 of", keep_first_answer()
    ),
    "tanh_reads_raw_memory": Fault("ops.tanh", "dense.activation-memory-order", "transposed", read_raw_memory),
    "one_memory_of_zeros": Fault("ops.zeros", "dense.zeros-of-any-shape", "has changed", one_memory_of_zeros()),
    "kernel_of_16_bits": Fault("ops.glorot_uniform", "dense.glorot-resolution", "values", kernel_of_16_bits),
    "kernel_within_less": Fault("ops.glorot_uniform", "dense.glorot-reaches-limit", "0.99", kernel_within_less),
    "kernel_with_one_column_twice": Fault(
        "ops.glorot_uniform", "dense.glorot-independent", "repeat others", kernel_with_one_column_twice
    ),
    "kernel_mirrored": Fault("ops.glorot_uniform", "dense.glorot-independent", "repeat others", kernel_mirrored),
    "row_by_row_seeds": Fault("ops.glorot_uniform", "dense.glorot-independent", "repeat others", row_by_row_seeds),
    "softmax_rows_over_a_block_lost": Fault("ops.softmax", "softmax.any-shape", "actual 0", lose_remainder(0, 64)),
    "first_300_classes": Fault("ops.softmax", "softmax.any-shape", "[67, 1031]", first_300_classes),
    "one_axis_of_three": Fault("ops.softmax", "softmax.any-shape", "[2, 3, 4]", one_axis_of_three),
    "shifted_by_the_largest_of_all": Fault(
        "ops.softmax", "softmax.rows-apart", "actual nan", shifted_by_the_largest_of_all
    ),
    "logits_of_16_bits": Fault("ops.softmax", "softmax.one-bit-apart", "elements differ", logits_of_16_bits),
    "masked_is_nan": Fault("ops.softmax", "softmax.minus-infinity", "actual nan", masked_is_nan),
    "softmax_of_the_first_call": Fault(
        "ops.softmax", "softmax.calls-are-independent", "call 2 of", keep_first_answer()
    ),
    "softmax_reads_raw_memory": Fault("ops.softmax", "softmax.memory-order", "transposed", read_raw_memory),
    "temperature_as_power": Fault(
        "ops.softmax_with_temperature", "generation.any-temperature", "elements differ", temperature_as_power
    ),
    "temperature_kept_from_0": Fault(
        "ops.softmax_with_temperature", "generation.any-temperature", "0.01", temperature_kept_from_0
    ),
    "temperature_without_shift": Fault(
        "ops.softmax_with_temperature", "generation.temperature-large-logits", "actual nan", temperature_without_shift
    ),
    "temperature_of_the_first_call": Fault(
        "ops.softmax_with_temperature", "generation.temperature-calls-are-independent", "call 3 of", keep_argument(1)
    ),
    "sampled_in_16_bits": Fault(
        "ops.sample", "generation.sample-resolution", "16 random bits or fewer", drawn_at(in_16_bits)
    ),
    "one_for_two_rows": Fault(
        "ops.sample", "generation.rows-are-independent", "draws at a fixed distance", drawn_at(one_for_two_rows)
    ),
    "antithetic": Fault("ops.sample", "generation.rows-are-independent", "mirrored", drawn_at(antithetic)),
    "recycled": Fault("ops.sample", "generation.rows-are-independent", "consecutive rows repeat", drawn_at(recycled)),
    "seed_of_each_row": Fault("ops.sample", "generation.rows-are-independent", "repeat", drawn_at(seed_of_each_row)),
    "stratified": Fault("ops.sample", "generation.every-class", "as even", drawn_at(stratified)),
    "nobodys_seed": Fault("ops.sample", "generation.sample-seed", "after another seed", drawn_at(nobodys_seed)),
    "seeds_in_pairs": Fault("ops.sample", "generation.sample-seed", "draw the same", seeds_in_pairs),
    "sometimes_argmax": Fault("ops.sample", "generation.frequencies", "as far off as", sometimes_argmax),
    "nucleus": Fault("ops.sample", "generation.frequencies", "as far off as", nucleus),
    "labels_of_8_bits_encoded": Fault(
        "ops.one_hot", "cross_entropy.one-hot-any-depth", "differ", read_labels_as(np.uint8)
    ),
    "labels_of_16_bits_encoded": Fault(
        "ops.one_hot", "cross_entropy.one-hot-any-depth", "differ", read_labels_as(np.uint16)
    ),
    "depth_of_256": Fault("ops.one_hot", "cross_entropy.one-hot-any-depth", "actual 0, expected 1", depth_of_256),
    "depth_of_the_first_call": Fault(
        "ops.one_hot", "cross_entropy.one-hot-calls-are-independent", "has shape", keep_argument(1)
    ),
    "sparse_labels_of_8_bits": Fault(
        "ops.sparse_categorical_crossentropy", "cross_entropy.sparse-any-size", "differ", read_labels_as(np.uint8)
    ),
    "bytes_with_a_sign": Fault(
        "ops.sparse_categorical_crossentropy", "cross_entropy.integer-types", "uint8[301", bytes_with_a_sign
    ),
    "square_transposed": Fault(
        "ops.sparse_categorical_crossentropy", "cross_entropy.sparse-any-size", "[10, 10]", square_transposed
    ),
    "clipped_at_a_millionth": Fault(
        "ops.sparse_categorical_crossentropy", "cross_entropy.confident-and-wrong", "13.8", clipped_at_a_millionth
    ),
    "clipped_below_1": Fault(
        "ops.sparse_categorical_crossentropy", "cross_entropy.confident-and-right", "a doubt of 9.5", clipped_below_1
    ),
    "zero_times_infinity": Fault(
        "ops.categorical_crossentropy", "cross_entropy.certain-and-right", "actual nan", zero_times_infinity
    ),
    "targets_normalised": Fault(
        "ops.categorical_crossentropy", "cross_entropy.linear-in-targets", "differ", targets_normalised
    ),
    "losses_over_a_block_lost": Fault(
        "ops.categorical_crossentropy", "cross_entropy.any-size", "actual 0", lose_remainder(0, 32)
    ),
    "last_block_missing": Fault(
        "ops.mean_squared_error", "linear_model.every-square-counts", "actual 0", last_block_missing
    ),
    "squares_subtracted": Fault(
        "ops.mean_squared_error", "linear_model.differences-first", "differs", squares_subtracted
    ),
    "sum_of_examples": Fault("ops.mean_squared_error", "linear_model.mean-of-any-shape", "differs", sum_of_examples),
    "gradient_left_over": Fault("ops.sgd_step", "linear_model.sgd-any-shape", "differ", leave_remainder(256)),
    "sgd_gradients_clipped": Fault("ops.sgd_step", "linear_model.sgd-any-rate", "differ", gradients_clipped),
    "rate_of_1_at_most": Fault("ops.sgd_step", "linear_model.sgd-any-rate", "2.0)", rate_of_1_at_most),
    "with_momentum": Fault("ops.sgd_step", "linear_model.sgd-calls-are-independent", "call 2 of", with_momentum()),
    "sgd_rate_of_the_first_call": Fault(
        "ops.sgd_step", "linear_model.sgd-calls-are-independent", "0.02", keep_argument(2)
    ),
    "moments_left_over": Fault("ops.adam_step", "training.adam-any-shape", "differ", leave_remainder(1024)),
    "uncorrected_after_1000": Fault("ops.adam_step", "training.adam-any-step", "1001", uncorrected_after_1000),
    "step_of_8_bits": Fault("ops.adam_step", "training.adam-any-step", "500", step_of_8_bits),
    "rate_decays": Fault("ops.adam_step", "training.adam-any-step", "differ", rate_decays),
    "elements_without_gradient_stay": Fault(
        "ops.adam_step", "training.adam-any-gradient", "differ", elements_without_gradient_stay
    ),
    "gradients_within_100": Fault("ops.adam_step", "training.adam-any-gradient", "adam_step(", gradients_within_100),
    "epsilon_moves_with_the_step": Fault(
        "ops.adam_step", "training.adam-epsilon-place", "after-correction", epsilon_moves_with_the_step
    ),
    "epsilon_moves_with_the_size": Fault(
        "ops.adam_step", "training.adam-epsilon-place", "[1031]", epsilon_moves_with_the_size
    ),
    "own_moments": Fault("ops.adam_step", "training.adam-calls-are-independent", "in turn", own_moments()),
    "counted_in_16_bits": Fault("ops.sparse_categorical_accuracy", "evaluation.any-size", "differ", counted_in_16_bits),
    "scores_of_16_bits": Fault(
        "ops.sparse_categorical_accuracy", "evaluation.one-bit-apart", "differ", scores_of_16_bits
    ),
    "sixteen_latest_batches": Fault(
        "ops.sparse_categorical_accuracy", "evaluation.many-batches", "differ", sixteen_latest_batches
    ),
    "negatives_are_0": Fault("ops.sparse_categorical_accuracy", "evaluation.extreme-scores", "differ", negatives_are_0),
    "begun_anew_after_32": Fault("ops.simple_rnn", "recurrence.long-sequence", "state from", begun_anew_after_32),
    "sequence_units_lost": Fault(
        "ops.simple_rnn", "recurrence.sequence-any-size", "state from the one before", lose_remainder(-1, 32)
    ),
    "lstm_sequences_lost": Fault(
        "ops.lstm", "recurrence.lstm-sequence-any-size", "from the states before", lose_remainder(0, 16)
    ),
    "nan_in_the_first_row_alone": Fault("ops.sample", "generation.nan", "accepted", nan_in_the_first_row_alone),
    "states_clipped": Fault("ops.simple_rnn_cell", "recurrence.cell-saturated", "differ", states_clipped),
    "states_over_a_block_lost": Fault(
        "ops.simple_rnn_cell", "recurrence.cell-any-size", "actual 0", lose_remainder(-1, 32)
    ),
    "weights_of_the_first_call": Fault(
        "ops.simple_rnn_cell", "recurrence.calls-are-independent", "in turn", keep_argument(2)
    ),
    "forget_gate_overflows": Fault("ops.lstm_cell", "recurrence.lstm-saturated", "hidden: 60", gate_overflows(1)),
    "output_gate_overflows": Fault("ops.lstm_cell", "recurrence.lstm-saturated", "hidden", gate_overflows(3)),
    "candidate_overflows": Fault("ops.lstm_cell", "recurrence.lstm-saturated", "hidden: 60", gate_overflows(2)),
    "carries_clipped": Fault("ops.lstm_cell", "recurrence.lstm-any-carry", "carry", carries_clipped),
    "units_over_256_lost": Fault("ops.lstm_cell", "recurrence.lstm-any-size", "actual 0", lose_remainder(-1, 256)),
    "lstm_begun_anew_after_64": Fault(
        "ops.lstm", "recurrence.lstm-long-sequence", "from the states before", lstm_begun_anew_after_64
    ),
    "lstm_reads_raw_memory": Fault("ops.lstm_cell", "recurrence.lstm-memory-order", "transposed", read_raw_memory),
}
