'use strict';
/** The text loader, and the program that trains an RNN and generates text: see `assay.contract.Text`. */

const tf = require('./tf');
const { arrays, tensors } = require('./arrays');
const { initial, trained } = require('./networks');
const { drawClass, integers, toDivisor } = require('./random');
const { step } = require('./recurrence');
const { InvalidArgument, NdArray } = require('./wire');

/** Draw the starts of windows: any position with a character after the window. */
function drawStarts(indices, length, count, seed) {
  const places = indices.shape[0] - length;
  if (places < 1) throw new InvalidArgument(`a text of ${indices.shape[0]} characters has none after ${length}`);
  return integers(count, places, seed);
}

/** Windows that start at these positions, and the character after each. */
function extractWindows({ data }, places, length) {
  const cut = new Int32Array(places.length * length);
  places.forEach((place, row) => cut.set(data.subarray(place, place + length), row * length));
  const after = Int32Array.from(places, (place) => data[place + length]);
  return [new NdArray('int32', [places.length, length], cut), new NdArray('int32', [places.length], after)];
}

/**
 * Each step of the cell processes all windows in progress, one row for each. A row starts again after a whole window.
 * With a single window, each generated character would need a pass over the whole window.
 */
function generateText(parameters, window, divisor, count, noise) {
  const length = window.length;
  const recurrent = parameters.get('cell/recurrent_kernel');
  const rows = tf.add(parameters.get('cell/kernel'), parameters.get('cell/bias'));
  const text = new Int32Array(count);
  const zeros = tf.zeros([length, recurrent.shape[0]]);
  let [hidden, carry, character] = [zeros, zeros, window[0]];
  for (let time = 0; time < length - 1 + count; time++) {
    const states = tf.tidy(() => {
      const goesOn = tf.tensor2d(
        Float32Array.from({ length }, (_, row) => Number(row !== time % length)),
        [length, 1]
      );
      const sums = tf.add(tf.slice(rows, [character], [1]), tf.matMul(tf.mul(hidden, goesOn), recurrent));
      const next = step(sums, tf.mul(carry, goesOn));
      const place = time + 1 - length;
      if (place >= 0) {
        const last = tf.slice(next.hidden, [(time + 1) % length], [1]);
        const logits = tf.add(tf.matMul(last, parameters.get('dense/kernel')), parameters.get('dense/bias'));
        text[place] = drawClass(tf.softmax(tf.div(logits, divisor)).dataSync(), noise[place]);
      }
      character = place >= 0 ? text[place] : window[time + 1];
      return [next.hidden, next.carry];
    });
    tf.dispose([hidden, carry]);
    [hidden, carry] = states;
  }
  return text;
}

module.exports = {
  encode({ content }) {
    let text;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content.data);
    } catch {
      throw new InvalidArgument('the file is not UTF-8');
    }
    const characters = [...text.replace(/\r\n?/g, '\n').toLowerCase()];
    const known = [...new Set(characters)].sort((one, other) => one.codePointAt(0) - other.codePointAt(0));
    const numbers = new Map(known.map((character, index) => [character, index]));
    const indices = Int32Array.from(characters, (character) => numbers.get(character));
    return [numbers, new Map(known.entries()), new NdArray('int32', [indices.length], indices)];
  },

  sample_windows({ indices, seq_length: length, batch_size: size, seed }) {
    return extractWindows(indices, drawStarts(indices, length, size, seed), length);
  },

  fit({ indices, num_chars: characters, num_batches: steps, batch_size: size, seq_length: length, ...options }) {
    const places = drawStarts(indices, length, steps * size, options.seed);
    const ofBatch = (index) => places.subarray(index * size, (index + 1) * size);
    const batch = (index) => tensors(extractWindows(indices, ofBatch(index), length));
    return arrays(trained('rnn', initial('rnn', options.seed, characters), batch, steps, options.learning_rate));
  },

  generate({ parameters, window, temperature, count, seed }) {
    const divisor = toDivisor(temperature);
    const noise = tf.randomUniform([count], 0, 1, 'float32', seed).dataSync();
    return new NdArray('int32', [count], generateText(tensors(parameters), window.data, divisor, count, noise));
  },
};
