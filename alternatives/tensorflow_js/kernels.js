'use strict';
/**
 * Products and convolutions whose gradients suit the WebAssembly backend. It has no kernel for the gradient of a
 * convolution's filter, and its products with a transposed factor take up to 45 times as long as a transposition and
 * a product.
 */

const tf = require('./tf');

/** a @ b for matrices. */
const matMul = tf.customGrad((a, b, save) => {
  save([a, b]);
  const gradFunc = (upstream, [left, right]) => [
    tf.matMul(upstream, tf.transpose(right)),
    tf.matMul(tf.transpose(left), upstream),
  ];
  return { value: tf.matMul(a, b), gradFunc };
});

/** Number of elements that padding adds before an axis, and after it. */
function padWidths(size, window, stride, padding) {
  if (padding === 'valid') return [0, 0];
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + window - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** Gradient of the filter: the images convolved with the upstream gradient, with examples in place of channels. */
function filterGradient(inputs, kernel, upstream, strides, padding) {
  const pads = [0, 1].map((axis) => padWidths(inputs.shape[axis + 1], kernel.shape[axis], strides[axis], padding));
  const images = tf.transpose(inputs, [3, 1, 2, 0]);
  const filter = tf.transpose(upstream, [1, 2, 0, 3]);
  // The stride of the convolution is the dilation of its gradient.
  const sums = tf.conv2d(images, filter, 1, [[0, 0], ...pads, [0, 0]], 'NHWC', strides);
  return tf.slice(tf.transpose(sums, [1, 2, 0, 3]), [0, 0, 0, 0], kernel.shape);
}

/** Gradient of the images: the upstream gradient convolved with the flipped filter. */
function inputGradient(inputs, kernel, upstream, strides, padding) {
  if (strides[0] !== 1 || strides[1] !== 1) {
    return tf.conv2dTranspose(upstream, kernel, inputs.shape, strides, padding);
  }
  const pads = [0, 1].map((axis) => {
    const [before, after] = padWidths(inputs.shape[axis + 1], kernel.shape[axis], 1, padding);
    return [kernel.shape[axis] - 1 - before, kernel.shape[axis] - 1 - after];
  });
  const turned = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]);
  return tf.conv2d(upstream, turned, 1, [[0, 0], ...pads, [0, 0]]);
}

/** A convolution without bias. */
function conv2d(inputs, kernel, strides, padding) {
  return tf.customGrad((images, filter, save) => {
    save([images, filter]);
    const gradFunc = (upstream, [x, w]) => [
      inputGradient(x, w, upstream, strides, padding),
      filterGradient(x, w, upstream, strides, padding),
    ];
    return { value: tf.conv2d(images, filter, strides, padding), gradFunc };
  })(inputs, kernel);
}

module.exports = { conv2d, matMul, padWidths };
