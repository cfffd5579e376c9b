'use strict';
/** An LSTM over one-hot inputs with a handwritten gradient, since the tape of 40 steps has a thousand tensors. */

const tf = require('./tf');

/** The states after a step of the cell, and its gates, given the products of the cell. */
function step(sums, carry) {
  const [write, keep, candidate, read] = tf
    .split(sums, 4, 1)
    .map((one, gate) => (gate === 2 ? tf.tanh : tf.sigmoid)(one));
  const next = tf.add(tf.mul(keep, carry), tf.mul(write, candidate));
  const squashed = tf.tanh(next);
  return { hidden: tf.mul(read, squashed), carry: next, squashed, write, keep, candidate, read };
}

/**
 * Contribution of the characters [batch, time] to the sums of each step: rows of the kernel, plus the bias. A product
 * with one-hot vectors takes a quarter of the time of `gather`.
 */
function looked(tokens, kernel, bias) {
  const rows = tf.add(kernel, bias);
  return tf.unstack(tokens, 1).map((column) => tf.matMul(tf.oneHot(column, kernel.shape[0]), rows));
}

/** s (1 - s), the derivative of the sigmoid where its value is s. */
const slope = (gate) => tf.mul(gate, tf.sub(1, gate));

/** 1 - t^2, the derivative of tanh where its value is t. */
const tanhSlope = (squashed) => tf.sub(1, tf.square(squashed));

/** The last hidden state [batch, units], from a state of zeros. */
function lastOutput(tokens, kernel, recurrent, bias) {
  return tf.customGrad((weights, recurrentWeights, offsets, save) => {
    const zeros = tf.zeros([tokens.shape[0], recurrentWeights.shape[0]]);
    const steps = [{ hidden: zeros, carry: zeros }];
    for (const row of looked(tokens, weights, offsets)) {
      const before = steps[steps.length - 1];
      steps.push(step(tf.add(row, tf.matMul(before.hidden, recurrentWeights)), before.carry));
    }
    save([recurrentWeights, ...steps.flatMap(Object.values)]);
    // Tensors that are not saved are disposed by then.
    const gradFunc = (upstream, [saved, ...values]) => {
      const kept = steps.map((one) => Object.fromEntries(Object.keys(one).map((name) => [name, values.shift()])));
      return backward(kept, tokens, weights.shape[0], saved, upstream);
    };
    return { value: steps[steps.length - 1].hidden, gradFunc };
  })(kernel, recurrent, bias);
}

/** Gradients of kernel, recurrent kernel and bias. */
function backward(steps, tokens, characters, recurrent, upstream) {
  const transposed = tf.transpose(recurrent);
  const sums = [];
  let toHidden = upstream;
  let toCarry = tf.zerosLike(upstream);
  for (let time = steps.length - 1; time > 0; time--) {
    const { squashed, write, keep, candidate, read } = steps[time];
    toCarry = tf.add(toCarry, tf.mul(toHidden, tf.mul(read, tanhSlope(squashed))));
    const toSums = tf.concat(
      [
        tf.mul(toCarry, tf.mul(candidate, slope(write))),
        tf.mul(toCarry, tf.mul(steps[time - 1].carry, slope(keep))),
        tf.mul(toCarry, tf.mul(write, tanhSlope(candidate))),
        tf.mul(toHidden, tf.mul(squashed, slope(read))),
      ],
      1
    );
    sums.unshift(toSums);
    toHidden = tf.matMul(toSums, transposed);
    toCarry = tf.mul(toCarry, keep);
  }
  // All steps at once: [time * batch, 4 units], with the hidden state before each.
  const all = tf.concat(sums, 0);
  const before = tf.concat(
    steps.slice(0, -1).map(({ hidden }) => hidden),
    0
  );
  const seen = tf.oneHot(tf.reshape(tf.transpose(tokens), [-1]), characters);
  return [tf.matMul(tf.transpose(seen), all), tf.matMul(tf.transpose(before), all), tf.sum(all, 0)];
}

module.exports = { lastOutput, step };
