'use strict';
/** TensorFlow.js on WebAssembly. */

const path = require('path');
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');

async function ready() {
  tf.enableProdMode(); // Without advertising another backend on standard error.
  wasm.setWasmPaths(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + path.sep);
  await tf.setBackend('wasm');
}

/** Do something on the plain backend, which computes what WebAssembly gets wrong. */
function plainly(work) {
  tf.setBackend('cpu');
  try {
    return work();
  } finally {
    tf.setBackend('wasm');
  }
}

/** Vectors of float32 that are 1 at the label: asked for that type, WebAssembly writes the integer 1 into them. */
function oneHot(labels, depth) {
  return tf.cast(tf.oneHot(labels, depth), 'float32');
}

module.exports = { ...tf, oneHot, plainly, ready };
