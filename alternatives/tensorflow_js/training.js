'use strict';
/** Whole training runs: see `assay.contract.Training`. */

const tf = require('./tf');
const { arrays, tensors } = require('./arrays');
const { forward, initial, trained } = require('./networks');
const { integers } = require('./random');

module.exports = {
  fit({ model, images, labels, num_batches: steps, batch_size: size, learning_rate: learningRate, seed }) {
    const drawn = integers(steps * size, images.shape[0], seed);
    // Images become tensors batch by batch: a tensor of all images would be copied into WebAssembly's memory.
    const batch = (step) => {
      const places = drawn.subarray(step * size, (step + 1) * size);
      return tensors([images.rows(places), labels.rows(places)]);
    };
    return arrays(trained(model, initial(model, seed), batch, steps, learningRate));
  },

  evaluate({ model, parameters, images, labels, batch_size: size }) {
    const count = images.shape[0];
    const weights = tensors(parameters);
    let right = 0;
    for (let start = 0; start < count; start += size) {
      right += tf.tidy(() => {
        const places = Array.from({ length: Math.min(size, count - start) }, (_, index) => start + index);
        const [inputs, expected] = tensors([images.rows(places), labels.rows(places)]);
        const found = tf.argMax(forward(model, weights, inputs).last, 1);
        return tf.sum(tf.equal(found, expected)).dataSync()[0];
      });
    }
    return right / count;
  },
};
