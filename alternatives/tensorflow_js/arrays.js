'use strict';
/** Conversion between arrays of the protocol and tensors of TensorFlow.js. */

const tf = require('./tf');
const { NdArray } = require('./wire');

/** Convert an array to a tensor; TensorFlow.js has no unsigned bytes. */
function tensor({ dtype, shape, data }) {
  if (dtype === 'int64') return tf.tensor(Int32Array.from(data, Number), shape, 'int32');
  if (dtype === 'uint8') return tf.tensor(new Int32Array(data), shape, 'int32');
  return tf.tensor(data, shape, dtype);
}

/** Apply a function to all instances of a class in a tree. */
function mapped(kind, change, tree) {
  if (tree instanceof kind) return change(tree);
  if (Array.isArray(tree)) return tree.map((branch) => mapped(kind, change, branch));
  if (tree instanceof Map) return new Map([...tree].map(([key, branch]) => [key, mapped(kind, change, branch)]));
  return tree;
}

const tensors = (tree) => mapped(NdArray, tensor, tree);
const arrays = (tree) => mapped(tf.Tensor, (one) => new NdArray(one.dtype, one.shape, one.dataSync()), tree);

/** Wrap functions on tensors as functions on arrays. */
function onTensors(functions) {
  const converted = (call) => (args) =>
    arrays(call(Object.fromEntries(Object.entries(args).map(([name, value]) => [name, tensors(value)]))));
  return Object.fromEntries(Object.entries(functions).map(([name, call]) => [name, converted(call)]));
}

module.exports = { arrays, onTensors, tensors };
