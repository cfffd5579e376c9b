"""Bounds on the error of a correct float32 result, relative to the definition.

Each function bounds |computed - definition| element by element. The bound holds for any implementation that works in
float32, for any order of additions, with or without fused operations. The rules are those of Higham, "Accuracy and
stability of numerical algorithms", 2nd edition, 2002:

- an addition, subtraction or multiplication has a relative error of at most `U` (section 2.2);
- n such errors in succession, in numerator or denominator, amount to at most `gamma(n)` (lemma 3.1), so a sum of n
  products has an error of at most gamma(n) times the sum of their magnitudes, in any order (section 3.1);
- a result below `TINY` may be lost entirely, as hardware may flush it to zero;
- where products may be less precise than float32, rounding their factors adds `products.input_rounding_bound`.

IEEE 754 does not specify exp, log, tanh and pow. For these, for division and for the square root, the bounds are those
of the OpenCL C specification ("Relative error as ULPs", single precision, full profile), the weakest public standard
for accelerators. One ulp is a relative error of at most 2 U.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.spec.error_bounds.products import input_rounding_bound
from assay.spec.semantics import layers, losses, optimizers
from assay.spec.semantics.layers import Array
from assay.spec.semantics.optimizers import Adam

U = 2.0**-24
TINY = 2.0**-126

EXP = 2 * 3.0
LOG = 2 * 3.0
TANH = 2 * 5.0
POW = 2 * 16.0
DIVIDE = 2 * 2.5
SQRT = 2 * 3.0


def gamma(n: float | Array) -> Any:  # noqa: ANN401 - a float for a float, an array for an array
    """Return the bound of n successive roundings: n U / (1 - n U), for n below 1 / U."""
    return n * U / (1 - n * U)


def dense(inputs: Array, kernel: Array, bias: Array | None, activation: str | None) -> Array:
    """Bound the error of f(AW + b): n products, n additions including the bias, and the activation.

    Rounding factors to a format below float32 adds to the error of the products, but not of the bias (`products`). The
    error of AW + b passes through f. As f is monotonic, the error is largest at an end of the interval.
    """
    n = inputs.shape[-1]
    added = input_rounding_bound(np.matmul, inputs, kernel)
    magnitude = np.abs(inputs) @ np.abs(kernel) + added + (0 if bias is None else np.abs(bias))
    linear = gamma(n + 1) * magnitude + added + (n + 1) * TINY
    return bound_activation(layers.dense(inputs, kernel, bias), linear, activation)


def bound_activation(values: Array, error: Array, activation: str | None) -> Array:
    """Bound an activation's error for inexact values: for a monotonic function it is largest at an end."""
    function = layers.ACTIVATIONS[activation]
    result = function(values)
    ends = (np.abs(function(values + sign * error) - result) for sign in (-1, 1))
    return np.maximum(*ends) + ELEMENTWISE[activation](result)


def exact(result: Array) -> Array:
    """Bound a result that needs no rounding."""
    return np.zeros_like(result)


def tanh(result: Array) -> Array:
    """Bound tanh, given its exact result."""
    return gamma(TANH) * np.abs(result) + TINY


def sigmoid(result: Array) -> Array:
    """Bound sigmoid, given its exact result, for both ways to compute it.

    1 / (1 + exp(-x)) has a relative error: EXP for the exponential, 1 for the sum, DIVIDE. (1 + tanh(x/2)) / 2 has an
    absolute error: half of TANH, and 1 for the sum. At a result of 1/2 the former is larger. If the result is nearer to
    0 or 1 than TINY, both give 0 or 1. An implementation that clips its inputs does so where 1 - y rounds to 1, which
    is an error of U / 2.
    """
    saturated = np.minimum(np.abs(result), np.abs(1 - result)) < TINY
    return np.where(saturated, U / 2, gamma(EXP + 1 + DIVIDE) * np.maximum(np.abs(result), 0.5))


ELEMENTWISE = {None: exact, "relu": exact, "tanh": tanh, "sigmoid": sigmoid}


def softmax(logits: Array) -> Array:
    """Bound the error of softmax, for both ways to normalise.

    Subtracting the maximum m causes an error of U d in the exponent, with d = |z_j - m|, which is a relative error of
    the exponential. A power of 2 adds 2 U d, for log2(e) and its product with d. The sum S has the average of these
    errors, weighted by the result, the error of an exponential, and that of K - 1 additions.

    One way divides by S. The other subtracts ln S from the exponent before it takes the exponential: it adds the errors
    of the logarithm, LOG ln S, and of the difference, d + ln S.
    """
    result = layers.softmax(logits)
    shifted = np.abs(logits - np.max(logits, axis=-1, keepdims=True))
    average = np.sum(result * shifted, axis=-1, keepdims=True)
    logarithm = np.log(np.sum(np.exp(-shifted), axis=-1, keepdims=True))
    both = EXP + EXP + (logits.shape[-1] - 1)
    divided = 3 * shifted + 3 * average + DIVIDE
    subtracted = 2 * shifted + average + (LOG + 1) * logarithm
    return gamma(both + np.maximum(divided, subtracted)) * result + TINY


def softmax_with_temperature(logits: Array, temperature: float) -> Array:
    """Bound the error of softmax at a temperature.

    The division causes an error of DIVIDE |z_j / T| in the exponent, with two more roundings if the temperature is
    rounded to float32 and the logits are multiplied by its reciprocal. The subtracted maximum has the same error, and
    the denominator has the average of all errors.
    """
    scaled = logits / temperature
    exponent = gamma(DIVIDE + 2) * (np.abs(scaled) + np.max(np.abs(scaled), axis=-1, keepdims=True))
    result = layers.softmax(scaled)
    average = np.sum(result * exponent, axis=-1, keepdims=True)
    return softmax(scaled) + np.expm1(exponent + average) * (result + TINY)


def crossentropy(targets: Array, probabilities: Array) -> Array:
    """Bound the error of -sum_i y_i ln p_i of each example, for each common way to compute it, if Keras clips no p_i.

    An implementation may first divide p by its sum s, which is 1 up to the rounding of p. This adds an error of ln s.
    The longest way takes ln p as logits of a softmax cross-entropy. With L_i = |ln p_i|, M the smallest of them and K
    classes, its errors in units of U are:

    - the logarithms of an element and of the largest one, and their difference: (LOG + 1)(L_i + M);
    - the sum of the exponentials, relative to the sum: the mean of these errors, weighted by p, plus EXP and K - 1;
    - the logarithm of the sum: LOG M;
    - the difference: L_i + M;
    - the sum over targets: K.
    """
    logarithms = np.abs(np.log(probabilities))
    from_largest = logarithms + np.min(logarithms, axis=-1, keepdims=True)
    logits = gamma(LOG + 1) * from_largest
    total = np.sum(probabilities, axis=-1, keepdims=True)
    classes = probabilities.shape[-1]
    exponentials = np.sum(probabilities * logits, axis=-1, keepdims=True) / total + gamma(EXP + classes)
    each = logits + exponentials + gamma(LOG + 1 + classes) * from_largest + np.abs(np.log(total))
    return np.sum(targets * each, axis=-1)


def mean_squared_error(targets: Array, predictions: Array) -> Array:
    """Bound the error of a mean of squares: a difference, used twice, a product, n - 1 additions, a division."""
    return gamma(2 + 1 + predictions.size - 1 + DIVIDE) * losses.mean_squared_error(targets, predictions) + TINY


def linear_model(inputs: Array, kernel: Array, bias: Array, targets: Array) -> tuple[Array, Array, Array]:
    """Bound the errors of the linear model's mean squared error and of its gradients for kernel and bias.

    With e the bound of the residuals r = AW + b - y, the squares are off by e (2 |r| + e), and later operations
    round numbers of up to |r| + e. A gradient is 2 / N times a sum of N products with r.
    """
    residual = np.abs(layers.dense(inputs, kernel, bias) - targets)
    linear = dense(inputs, kernel, bias, None)
    error = linear + gamma(1) * (residual + linear)
    largest = residual + error
    loss = np.mean(error * (2 * residual + error)) + mean_squared_error(np.zeros_like(largest), largest)

    count = len(inputs)
    each = 2 / count * (error + gamma(count + DIVIDE + 2) * largest + TINY)
    lost = (count + 1) * TINY
    added = (1 + gamma(count + DIVIDE + 2)) * input_rounding_bound(np.matmul, inputs.T, 2 / count * largest)
    return loss, np.abs(inputs).T @ each + added + lost, np.sum(each, axis=0) + lost


def sgd_step(parameter: Array, gradient: Array, learning_rate: float) -> Array:
    """Bound the error of p - a g: a is rounded to float32, multiplied by g and subtracted."""
    return gamma(3) * (np.abs(parameter) + np.abs(learning_rate * gradient)) + 2 * TINY


def adam_step(
    parameter: Array,
    gradient: Array,
    first_moment: Array,
    second_moment: Array,
    step: int,
    learning_rate: float,
    *,
    adam: Adam = Adam.BEFORE_CORRECTION,
) -> tuple[Array, Array, Array]:
    """Bound the errors of parameter, first_moment and second_moment after a step of Adam.

    With beta rounded to float32, 1 - beta has an absolute error of U beta. So each moment has an error of 4 U relative
    to the magnitudes of its terms, and the second moment 2 U more for the square. 1 - beta^t has a relative error of
    (t + POW) U beta^t / (1 - beta^t) by cancellation. The root of a second moment with error e is off by at most the
    smaller of e / sqrt(v) and sqrt(e). If epsilon is added after bias correction, the denominator has one more root and
    two more divisions.
    """
    _, first, second = optimizers.adam_step(parameter, gradient, first_moment, second_moment, step, learning_rate)
    first_error = gamma(4) * (np.abs(first_moment) + np.abs(gradient)) + TINY
    second_error = gamma(6) * (np.abs(second_moment) + gradient**2) + TINY

    correction_1 = _cancellation(optimizers.BETA_1, step)
    correction_2 = _cancellation(optimizers.BETA_2, step)
    rate = learning_rate * np.sqrt(1 - optimizers.BETA_2**step) / (1 - optimizers.BETA_1**step)
    rate_error = gamma(correction_1 + correction_2 / 2 + SQRT + DIVIDE + 3)

    root = np.sqrt(second)
    root_error = np.minimum(second_error / np.maximum(root, TINY), np.sqrt(second_error)) + gamma(SQRT) * root
    after_correction = adam is Adam.AFTER_CORRECTION
    epsilon = optimizers.EPSILON * (np.sqrt(1 - optimizers.BETA_2**step) if after_correction else 1)
    denominator = root + epsilon
    later = gamma(correction_2 / 2 + SQRT + 2 * DIVIDE) if after_correction else 0
    denominator_error = root_error + (gamma(2) + later) * denominator

    update = np.abs(rate * first / denominator)
    least = np.maximum(denominator - denominator_error, epsilon / 2)
    # The product of rate and moment may underflow before the division makes it large.
    product_error = rate * first_error + TINY
    update_error = (product_error + update * denominator_error) / least + update * (rate_error + gamma(DIVIDE + 2))
    return update_error + gamma(2) * (np.abs(parameter) + update), first_error, second_error


def _cancellation(beta: float, step: int) -> float:
    """Return the relative error of 1 - beta^t in units of U."""
    return (step + POW) * beta**step / (1 - beta**step) + 1


def quotient(result: Array | float) -> Any:  # noqa: ANN401 - a float for a float, an array for an array
    """Bound the error of a division of two integers that float32 represents exactly."""
    return gamma(DIVIDE) * np.abs(result)
