'use strict';
/** Random draws. */

const tf = require('./tf');
const { InvalidArgument } = require('./wire');

/** A kernel from the Glorot-uniform initializer. */
function glorotUniform(shape, seed) {
  return tf.initializers.glorotUniform({ seed }).apply(shape);
}

/** Whole numbers from 0 to below a limit. */
function integers(count, limit, seed) {
  return tf.randomUniformInt([count], 0, limit, seed).dataSync();
}

/**
 * A matrix with orthonormal rows, and no more rows than columns. `tf.initializers.orthogonal` takes 11 seconds for an
 * LSTM of 256 units.
 */
function orthogonal([rows, columns], seed) {
  const values = Float64Array.from(tf.randomNormal([rows, columns], 0, 1, 'float32', seed).dataSync());
  const row = (index) => values.subarray(columns * index, columns * (index + 1));
  for (let i = 0; i < rows; i++) {
    const one = row(i);
    for (let j = 0; j < i; j++) {
      const other = row(j);
      let product = 0;
      for (let k = 0; k < columns; k++) product += one[k] * other[k];
      for (let k = 0; k < columns; k++) one[k] -= product * other[k];
    }
    const length = Math.hypot(...one);
    for (let k = 0; k < columns; k++) one[k] /= length;
  }
  return tf.tensor(Float32Array.from(values), [rows, columns]);
}

/**
 * Draws a class from each row of probabilities. With a seed, `tf.multinomial` uses one random number for all rows.
 */
function classes(probabilities, seed) {
  const [rows, count] = probabilities.shape;
  const values = probabilities.dataSync();
  const noise = tf.randomUniform([rows], 0, 1, 'float32', seed).dataSync();
  const row = (index) => values.subarray(count * index, count * (index + 1));
  return tf.tensor1d(
    Int32Array.from(noise, (one, index) => drawClass(row(index), one)),
    'int32'
  );
}

/** The class whose interval of the cumulative probabilities contains a random number. */
function drawClass(probabilities, noise) {
  let total = 0;
  for (const one of probabilities) total += one;
  let left = noise * total;
  let last = 0;
  for (let index = 0; index < probabilities.length; index++) {
    if (probabilities[index] > 0) {
      last = index;
      left -= probabilities[index];
      if (left < 0) break;
    }
  }
  return last;
}

/** Check a temperature, and convert it to a divisor. */
function toDivisor(temperature) {
  const divisor = Math.fround(temperature);
  if (!(divisor > 0 && divisor < Infinity)) {
    throw new InvalidArgument(`the temperature must be a number above 0, got ${temperature}`);
  }
  return divisor;
}

module.exports = { classes, drawClass, glorotUniform, integers, orthogonal, toDivisor };
