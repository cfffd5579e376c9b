'use strict';
/** TensorFlow.js on WebAssembly. */

const path = require('path');
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');

async function ready() {
  tf.enableProdMode(); // Otherwise it advertises another backend on standard error.
  wasm.setWasmPaths(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + path.sep);
  await tf.setBackend('wasm');
}

/** Run a function on the plain JavaScript backend, which is correct where WebAssembly is not. */
function plainly(work) {
  tf.setBackend('cpu');
  try {
    return work();
  } finally {
    tf.setBackend('wasm');
  }
}

/** One-hot vectors of float32. With that dtype, WebAssembly's own `oneHot` writes the bits of the integer 1. */
function oneHot(labels, depth) {
  return tf.cast(tf.oneHot(labels, depth), 'float32');
}

module.exports = { ...tf, oneHot, plainly, ready };
