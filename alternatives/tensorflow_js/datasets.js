'use strict';
/** The loader of MNIST: see `assay.contract.Datasets`. */

const tf = require('./tf');
const { onTensors } = require('./arrays');
const { integers } = require('./random');

module.exports = {
  ...onTensors({
    preprocess: ({ images, labels }) => [tf.expandDims(tf.div(tf.cast(images, 'float32'), 255), -1), labels],
  }),

  sample_batch({ images, labels, batch_size: size, seed }) {
    const places = integers(size, images.shape[0], seed);
    return [images.rows(places), labels.rows(places)];
  },
};
