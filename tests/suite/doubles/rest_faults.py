"""Faults in what is left over: single numbers, last elements and places, rare classes, small losses, the next seed."""

from itertools import pairwise

import numpy as np

from assay.alternatives.numpy.activations import softmax
from assay.alternatives.numpy.initializers import draw_parameters
from assay.alternatives.numpy.models import MODELS, copy_parameters, model_of, rnn
from assay.alternatives.numpy.sampling import check_temperature, draw_classes
from assay.alternatives.numpy.text import draw_windows
from assay.alternatives.numpy.windows import Window
from assay.contract import Trained
from doubles.faulty import Fault

BYTE = 2**8
TWO_BYTES = 2**16


def single_numbers_stay(flatten, inputs):
    """Return what has two axes at most as it is, though examples of one number get an axis."""
    return inputs.copy() if inputs.ndim < 3 else flatten(inputs)


def no_axis_is_one(reshape, inputs, target_shape):
    """Take a shape of no axis for that of a vector."""
    return reshape(inputs, tuple(target_shape) or (-1,))


def signals_padded_before(conv2d, inputs, kernel, bias=None, *, strides=(1, 1), padding="valid", activation=None):
    """Correlate one channel with one filter as `scipy.signal` does, which puts the odd row or column before."""
    if padding == "valid" or inputs.shape[-1] * kernel.shape[-1] != 1 or tuple(strides) != (1, 1):
        return conv2d(inputs, kernel, bias, strides=strides, padding=padding, activation=activation)
    height, width = kernel.shape[:2]
    margins = (height // 2, (height - 1) // 2), (width // 2, (width - 1) // 2)
    return conv2d(np.pad(inputs, ((0, 0), *margins, (0, 0))), kernel, bias, activation=activation)


def square_kernels_are_pointwise(conv2d, inputs, kernel, bias=None, **options):
    """Take images for channels-first where all axes are alike."""
    alike = len({*inputs.shape, *kernel.shape[2:]}) == 1
    return conv2d(np.moveaxis(inputs, 1, -1) if alike else inputs, kernel, bias, **options)


def places_in_a_byte(_gradient, inputs, upstream, *, pool_size, strides, padding):
    """Remember in a byte where in its window each largest element lies."""
    window = Window(tuple(pool_size), tuple(strides), padding)
    padded = window.pad(inputs, -np.inf)
    views = window.cut(padded)
    places = views.reshape(*views.shape[:3], -1, views.shape[-1]).argmax(axis=3).astype(np.uint8).astype(int)
    batch, rows, columns, channels = np.indices(places.shape)
    down, right = rows * strides[0] + places // pool_size[1], columns * strides[1] + places % pool_size[1]
    result = np.zeros_like(padded)
    np.add.at(result, (batch, down, right, channels), upstream)
    return window.crop(result, inputs.shape)


def largest_of_256(max_pool2d, inputs, *, pool_size, strides, padding):
    """Look at 256 places of a window."""
    if np.prod(pool_size) <= BYTE or padding == "same":
        return max_pool2d(inputs, pool_size=pool_size, strides=strides, padding=padding)
    views = Window(tuple(pool_size), tuple(strides), padding).cut(inputs)
    return views.reshape(*views.shape[:3], -1, views.shape[-1])[:, :, :, :BYTE].max(axis=3)


def places_counted_in_a_byte(average_pool2d, inputs, *, pool_size, **options):
    """Divide by the number of places in a window, of 8 bits."""
    outputs, places = average_pool2d(inputs, pool_size=pool_size, **options), int(np.prod(pool_size))
    return outputs * np.float32(places / (places % BYTE)) if places > BYTE else outputs


def last_elements_kept(dropout, inputs, rate, seed, *, training):
    """Draw for whole blocks of eight elements, and keep what these leave over."""
    outputs = np.array(dropout(inputs, rate, seed, training=training))
    if training:
        whole = inputs.size // 8 * 8
        outputs.reshape(-1)[whole:] = inputs.reshape(-1)[whole:] / np.float32(1 - rate)
    return outputs


def mixed(numbers):
    """Return numbers between 0 and 1 that look drawn, one for each whole number (SplitMix64)."""
    with np.errstate(over="ignore"):
        bits = numbers * np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (bits ^ (bits >> np.uint64(31))) / 2.0**64


def dropping_by(combine):
    """Return a dropout that draws by a combination of seed and place."""

    def wrong(_dropout, inputs, rate, seed, *, training):
        if not training:
            return inputs.copy()
        kept = mixed(combine(np.arange(inputs.size, dtype=np.uint64), np.uint64(seed))).reshape(inputs.shape) >= rate
        return np.where(kept, inputs / np.float32(1 - rate), np.float32(0))

    return wrong


def row_by_row(combine, place):
    """Return a function that draws each row by a combination of seed and place, from an argument's rows or a number."""

    def wrong(right, *arguments):
        *others, seed = arguments
        rows = others[place]
        parts = [
            right(*others[:place], rows[[row]] if np.ndim(rows) else 1, *others[place + 1 :], combine(seed, row))
            for row in range(len(rows) if np.ndim(rows) else rows)
        ]
        if isinstance(parts[0], tuple):
            return tuple(map(np.concatenate, zip(*parts, strict=True)))
        return np.concatenate(parts)

    return wrong


def added(seed, row):
    """Add a place to a seed."""
    return seed + row


def combined(seed, row):
    """Combine the bits of a place and of a seed."""
    return seed ^ row


def last_weights_repeat(glorot_uniform, shape, seed):
    """Fill what blocks of eight weights leave over with the first ones."""
    kernel = np.array(glorot_uniform(shape, seed))
    weights, whole = kernel.reshape(-1), kernel.size // 8 * 8
    weights[whole:] = weights[: kernel.size - whole]
    return kernel


def greedy_below_a_thousandth(softmax_with_temperature, logits, temperature):
    """Take low temperatures for 0, where one logit alone is the largest."""
    if check_temperature(temperature) < np.float32(1e-3):
        return (np.arange(logits.shape[-1]) == logits.argmax(axis=-1)[..., None]).astype(np.float32)
    return softmax_with_temperature(logits, temperature)


def all_hard_like_one(categorical_crossentropy, targets, probabilities):
    """Take the targets for labels where one of them is."""
    if not (targets == 1).any():
        return categorical_crossentropy(targets, probabilities)
    return -np.log(probabilities[np.arange(len(targets)), targets.argmax(axis=-1)])


def of_the_50_likeliest(_generate, parameters, window, *, temperature, count, seed):
    """Draw from the 50 most probable characters, as some libraries do by default."""
    model, generator, divisor = model_of("rnn", parameters), np.random.default_rng(seed), check_temperature(temperature)
    text = window
    for _ in range(count):
        scaled = model.outputs(parameters, text[None, -len(window) :])["dense"] / divisor
        least = np.sort(scaled, axis=-1)[:, -50:][:, :1]
        probabilities = softmax(np.where(scaled < least, np.float32(-np.inf), scaled))
        text = np.append(text, draw_classes(probabilities, generator))
    return text[len(window) :]


def layers_drawn_in_turn(variables, seed):
    """Draw each layer by the sum of the seed and of its place."""
    layers = [
        draw_parameters({layer: each}, np.random.default_rng(seed + n)) for n, (layer, each) in enumerate(variables)
    ]
    return {name: value for layer in layers for name, value in layer.items()}


def initial_layers_in_turn(chosen):
    """Return a fault of one model's initial parameters."""

    def wrong(initial_parameters, model, seed):
        if model != chosen:
            return initial_parameters(model, seed)
        return layers_drawn_in_turn(MODELS[model].variables.items(), seed)

    return wrong


def descended(model, parameters, batches, learning_rate, *, least=0.0, decay=1.0):
    """Train, but for small losses, and by less and less."""
    parameters, optimizer, losses = copy_parameters(parameters), model.optimizer(learning_rate), []
    for number, batch in enumerate(batches):
        loss, gradients = model.loss_and_gradients(parameters, *batch)
        if loss > least:
            optimizer.learning_rate = learning_rate * decay ** (number // 100)
            optimizer.step(parameters, gradients)
        losses.append(loss)
    return Trained(np.array(losses, np.float32), parameters)


def training_with(**options):
    """Return a fault of classifiers' trainings."""

    def wrong(train, model, parameters, inputs, targets, learning_rate):
        if model == "linear":
            return train(model, parameters, inputs, targets, learning_rate)
        batches = zip(inputs, targets, strict=True)
        return descended(model_of(model, parameters), parameters, batches, learning_rate, **options)

    return wrong


def reported_ahead(model, parameters, batches, learning_rate):
    """Report for each step the loss of the batch after it."""
    parameters, optimizer, losses = copy_parameters(parameters), model.optimizer(learning_rate), []
    batches = [*batches]
    for batch, following in pairwise(batches):
        losses.append(model.loss_and_gradients(parameters, *following)[0])
        optimizer.step(parameters, model.loss_and_gradients(parameters, *batch)[1])
    return Trained(np.array(losses, np.float32), parameters)


def fitting(train=descended, *, initial=None, places=None, more=0, **options):
    """Return a fault of whole trainings on images.

    Args:
        train: What takes the steps.
        initial: What draws the initial parameters.
        places: What draws the places of a batch.
        more: Number of batches that are drawn beyond those asked for.
        options: Arguments of what takes the steps.

    """
    initial = initial or (lambda variables, seed: draw_parameters(dict(variables), np.random.default_rng((seed, 1))))
    places = places or (lambda generator, count, size: generator.integers(0, count, size))

    def wrong(_fit, model, images, labels, *, num_batches, batch_size, learning_rate, seed):
        one, generator = MODELS[model], np.random.default_rng(seed)
        draws = (places(generator, len(images), batch_size) for _ in range(num_batches + more))
        batches = ((images[some], labels[some]) for some in draws)
        return train(one, initial(one.variables.items(), seed), batches, learning_rate, **options)

    return wrong


def fitting_text(*, initial=None, draw=draw_windows, **options):
    """Return a fault of whole trainings on a text; arguments as in `fitting`."""
    initial = initial or (lambda variables, seed: draw_parameters(dict(variables), np.random.default_rng((seed, 1))))

    def wrong(_fit, indices, num_chars, *, num_batches, batch_size, seq_length, learning_rate, seed):
        one, generator = rnn(num_chars), np.random.default_rng(seed)
        batches = (draw(indices, seq_length, batch_size, generator) for _ in range(num_batches))
        return descended(one, initial(one.variables.items(), seed), batches, learning_rate, **options)

    return wrong


def places_of_16_bits(generator, count, size):
    """Draw 16 bits, and take the remainder."""
    return generator.integers(0, TWO_BYTES, size) % count


def windows_of_16_bits(indices, seq_length, batch_size, generator):
    """Draw 16 bits for the beginning of a window."""
    starts = places_of_16_bits(generator, len(indices) - seq_length, batch_size)
    return indices[starts[:, None] + np.arange(seq_length)], indices[starts + seq_length]


def only_10000(evaluate, model, parameters, images, labels, batch_size):
    """Evaluate as many images as the document's test set has."""
    return evaluate(model, parameters, images[:10_000], labels[:10_000], batch_size)


def in_a_byte(numbers, kind=np.uint8):
    """Keep characters or labels in a byte, with a sign or without one."""
    return numbers.astype(kind).astype(np.int32)


def bytes_into(*places, kind=np.uint8):
    """Return a fault that keeps what the RNN reads, or is to predict, in a byte."""

    def wrong(right, model, parameters, *data):
        if model == "rnn":
            data = [in_a_byte(each, kind) if place in places else each for place, each in enumerate(data)]
        return right(model, parameters, *data)

    return wrong


def text_of_bytes(_generate, parameters, window, *, temperature, count, seed):
    """Keep the window in bytes."""
    model, generator, divisor = model_of("rnn", parameters), np.random.default_rng(seed), check_temperature(temperature)
    text = window.astype(np.uint8)
    for _ in range(count):
        logits = model.outputs(parameters, text[None, -len(window) :].astype(np.int32))["dense"]
        text = np.append(text, draw_classes(softmax(logits / divisor), generator).astype(np.uint8))
    return text[len(window) :].astype(np.int32)


def drawn_from_a_pool(_generate, parameters, window, *, temperature, count, seed):
    """Use 512 random numbers again and again."""
    model, pool, divisor = (
        model_of("rnn", parameters),
        np.random.default_rng(seed).random(512),
        check_temperature(temperature),
    )
    text = window
    for place in range(count):
        (probabilities,) = softmax(model.outputs(parameters, text[None, -len(window) :])["dense"] / divisor)
        ends = np.cumsum(probabilities, dtype=np.float64)
        text = np.append(text, np.int32((ends <= pool[place % len(pool)] * ends[-1]).sum()))
    return text[len(window) :]


def last_64_characters(train, model, parameters, inputs, targets, learning_rate):
    """Train on the last 64 characters of a window."""
    return train(model, parameters, inputs[:, :, -64:] if model == "rnn" else inputs, targets, learning_rate)


def byte_after_the_window(indices, seq_length, batch_size, generator):
    """Keep the characters after the windows in bytes with a sign."""
    windows, targets = draw_windows(indices, seq_length, batch_size, generator)
    return windows, in_a_byte(targets, np.int8)


def sequences_repeat_after_1024(recurrence, inputs, *weights):
    """Run over 1,024 sequences, and return the first ones again for the rest."""
    results = recurrence(inputs[:1024], *weights)
    found = results if isinstance(results, tuple) else (results,)
    whole = [np.concatenate([each, each[: len(inputs) - len(each)]]) for each in found]
    return tuple(whole) if isinstance(results, tuple) else whole[0]


def rare_classes_are_impossible(sample, probabilities, seed):
    """Leave out classes with a probability below two in ten thousand."""
    return sample(np.where(probabilities < np.float32(2e-4), np.float32(0), probabilities), seed)


def large_data_sets_in_float16(preprocess, images, labels):
    """Round many images to float16."""
    scaled, converted = preprocess(images, labels)
    return (scaled.astype(np.float16).astype(np.float32) if len(images) > BYTE else scaled), converted


def silent_channels_not_tracked(batch_normalization, inputs, gamma, beta, *moving, training):
    """Leave the moving statistics of channels whose gamma is 0 as they are."""
    output, *found = batch_normalization(inputs, gamma, beta, *moving, training=training)
    return output, *(np.where(gamma == 0, old, new) for old, new in zip(moving, found, strict=True))


INITIAL = "models.initial_parameters"
NEXT_SEED = "by the next seed that this one draws"
SAME_NUMBERS = "of the next are made of the same numbers"
REST_FAULTS = {
    name: Fault(function, claim, tells, wrong)
    for name, function, claim, tells, wrong in [
        ("single_numbers_stay", "ops.flatten", "mlp.flatten-every-rank", "expected [5, 1]", single_numbers_stay),
        ("no_axis_is_one", "ops.reshape", "cnn.reshape-every-rank", "to () has shape", no_axis_is_one),
        (
            "signals_padded_before",
            "ops.conv2d",
            "convolution.every-size",
            "images [3, 7, 6, 1]",
            signals_padded_before,
        ),
        (
            "square_kernels_are_pointwise",
            "ops.conv2d",
            "convolution.every-size",
            "images [3, 3, 3, 3]",
            square_kernels_are_pointwise,
        ),
        (
            "places_in_a_byte",
            "ops.max_pool2d_gradient",
            "convolution.max-gradient-every-size",
            "window [17, 18]",
            places_in_a_byte,
        ),
        (
            "largest_of_256",
            "ops.max_pool2d",
            "convolution.max-pooling-every-size",
            "window [17, 18]",
            largest_of_256,
        ),
        (
            "places_counted_in_a_byte",
            "ops.average_pool2d",
            "convolution.average-every-size",
            "window [17, 18]",
            places_counted_in_a_byte,
        ),
        ("last_elements_kept", "ops.dropout", "cnn.dropout-elements", "[0, 0, 0, 0, 0, 0, 0]", last_elements_kept),
        (
            "dropped_by_the_sum_with_the_seed",
            "ops.dropout",
            "cnn.dropout-seeds",
            "of a seed and of the next",
            dropping_by(np.add),
        ),
        (
            "dropped_by_the_bits_of_the_seed",
            "ops.dropout",
            "cnn.dropout-seeds",
            "of a seed and of the next",
            dropping_by(np.bitwise_xor),
        ),
        (
            "rows_sampled_by_the_bits_of_the_seed",
            "ops.sample",
            "generation.rows-are-independent",
            NEXT_SEED,
            row_by_row(combined, 0),
        ),
        (
            "examples_by_the_sum_with_the_seed",
            "datasets.sample_batch",
            "mnist.draws-are-independent",
            NEXT_SEED,
            row_by_row(added, 2),
        ),
        (
            "windows_by_the_sum_with_the_seed",
            "text.sample_windows",
            "text.independent-draws",
            NEXT_SEED,
            row_by_row(added, 2),
        ),
        (
            "windows_by_the_bits_of_the_seed",
            "text.sample_windows",
            "text.independent-draws",
            NEXT_SEED,
            row_by_row(combined, 2),
        ),
        (
            "last_weights_repeat",
            "ops.glorot_uniform",
            "dense.glorot-resolution",
            "3 of 35 weights",
            last_weights_repeat,
        ),
        (
            "greedy_below_a_thousandth",
            "ops.softmax_with_temperature",
            "generation.any-temperature",
            "1e-05",
            greedy_below_a_thousandth,
        ),
        (
            "all_hard_like_one",
            "ops.categorical_crossentropy",
            "cross_entropy.soft-targets",
            "3 of 4 elements",
            all_hard_like_one,
        ),
        (
            "of_the_50_likeliest",
            "text.generate",
            "generation.by-temperature",
            "draws are as far off",
            of_the_50_likeliest,
        ),
        *(
            (f"layers_of_{model}_in_turn", INITIAL, claim, SAME_NUMBERS, initial_layers_in_turn(model))
            for model, claim in (
                ("mlp", "mlp.initial-layers-unrelated"),
                ("cnn", "cnn.initial-layers-unrelated"),
                ("rnn", "rnn.initial-draws"),
                ("q_network", "q_learning.initial-weights-differ"),
                ("q_cnn", "pixels.cnn-initial-weights-differ"),
            )
        ),
        (
            "rate_lower_after_100_steps",
            "models.train",
            "training.many-steps",
            "131 steps",
            training_with(decay=0.96),
        ),
        ("trained_until_99_9_percent", "models.train", "training.many-steps", "3 steps", training_with(least=1e-3)),
        (
            "losses_reported_ahead",
            "training.fit",
            "training.fit-losses",
            "the steps use",
            fitting(reported_ahead, more=1),
        ),
        ("fitted_until_99_percent", "training.fit", "training.fit-losses", "moves nothing", fitting(least=1e-2)),
        (
            "fit_draws_16_bits",
            "training.fit",
            "training.fit-whole-set",
            "the first 5,000",
            fitting(places=places_of_16_bits),
        ),
        (
            "fit_layers_in_turn",
            "training.fit",
            "training.fit-initial-parameters",
            SAME_NUMBERS,
            fitting(initial=layers_drawn_in_turn),
        ),
        (
            "text_fitted_until_90_percent",
            "text.fit",
            "rnn_training.one-window",
            "moves nothing",
            fitting_text(least=0.1),
        ),
        (
            "text_fit_draws_16_bits",
            "text.fit",
            "rnn_training.even-draws",
            "the last third",
            fitting_text(draw=windows_of_16_bits),
        ),
        (
            "text_fit_layers_in_turn",
            "text.fit",
            "rnn_training.new-draws",
            SAME_NUMBERS,
            fitting_text(initial=layers_drawn_in_turn),
        ),
        ("windows_in_bytes", "models.layer_outputs", "rnn.any-size", "one_hot", bytes_into(0)),
        (
            "gradients_of_windows_in_bytes",
            "models.loss_and_gradients",
            "rnn_training.gradients-of-any-size",
            "'loss'",
            bytes_into(0),
        ),
        (
            "gradients_of_labels_in_a_byte",
            "models.loss_and_gradients",
            "rnn_training.gradients-of-any-size",
            "'loss'",
            bytes_into(1, kind=np.int8),
        ),
        (
            "trained_on_windows_in_bytes",
            "models.train",
            "rnn_training.every-step",
            "cell/kernel",
            bytes_into(0),
        ),
        (
            "trained_on_labels_in_bytes",
            "models.train",
            "rnn_training.every-step",
            "for a label of 299",
            bytes_into(1),
        ),
        (
            "trained_on_the_last_64_characters",
            "models.train",
            "rnn_training.every-step",
            "does not change the rows",
            last_64_characters,
        ),
        ("text_of_bytes", "text.generate", "generation.any-size", "counts by twos", text_of_bytes),
        ("drawn_from_a_pool", "text.generate", "generation.independent", "are as dependent as", drawn_from_a_pool),
        (
            "fitted_to_bytes",
            "text.fit",
            "rnn_training.batches",
            "which is not the mean over 1 windows",
            fitting_text(draw=byte_after_the_window),
        ),
        (
            "sequences_repeat_after_1024",
            "ops.simple_rnn",
            "recurrence.sequence-any-size",
            "float32[1031, 2, 4]",
            sequences_repeat_after_1024,
        ),
        (
            "lstm_sequences_repeat_after_1024",
            "ops.lstm",
            "recurrence.lstm-sequence-any-size",
            "float32[1031, 2, 4]",
            sequences_repeat_after_1024,
        ),
        (
            "rare_classes_are_impossible",
            "ops.sample",
            "generation.frequencies",
            "among rare ones: 200 of 200",
            rare_classes_are_impossible,
        ),
        (
            "large_data_sets_in_float16",
            "datasets.preprocess",
            "mnist.order-kept",
            "1797 of 2062 elements",
            large_data_sets_in_float16,
        ),
        (
            "silent_channels_not_tracked",
            "ops.batch_normalization",
            "training_flag.moving-variance",
            "with other values of gamma",
            silent_channels_not_tracked,
        ),
        ("only_10000", "training.evaluate", "evaluation.any-batch-size", "1 of 10007 wrong", only_10000),
    ]
}
