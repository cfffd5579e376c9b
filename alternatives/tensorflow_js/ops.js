'use strict';
/** Single operations: see `assay.contract.Ops`. */

const tf = require('./tf');
const { onTensors } = require('./arrays');
const { conv2d, padWidths } = require('./kernels');
const { adamStep, sgdStep } = require('./optimizers');
const { classes, glorotUniform, toDivisor } = require('./random');
const { InvalidArgument } = require('./wire');

/** The weights that are not null: a layer may have no bias. */
const present = (...weights) => weights.filter((weight) => weight !== null && weight !== undefined);

/** Make a layer with these weights. Its own initial draws would be overwritten, and take long for an LSTM. */
function made(create, weights, options = {}) {
  return create({ weights, kernelInitializer: 'zeros', recurrentInitializer: 'zeros', ...options });
}

/** Make a recurrent cell with these weights, to be called without a layer. */
function madeCell(create, weights, options) {
  const cell = made(create, weights, { units: weights[1].shape[0], ...options });
  cell.build([null, weights[0].shape[0]]);
  cell.setWeights(weights);
  return cell;
}

const window = (options) => ({ poolSize: options.pool_size, strides: options.strides, padding: options.padding });

/** Keras's epsilon, as in the contract. */
const normalized = (inputs, gamma, beta, mean, variance) => tf.batchNorm(inputs, mean, variance, beta, gamma, 0.001);

const ops = {
  dense({ inputs, kernel, bias, activation }) {
    const weights = present(kernel, bias);
    const options = { units: kernel.shape[1], activation: activation || 'linear', useBias: weights.length === 2 };
    return made(tf.layers.dense, weights, options).apply(inputs);
  },

  relu: ({ inputs }) => tf.relu(inputs),
  tanh: ({ inputs }) => tf.tanh(inputs),
  sigmoid: ({ inputs }) => tf.sigmoid(inputs),
  softmax: ({ logits }) => tf.softmax(logits),
  // The layer rejects inputs that are already flat.
  flatten: ({ inputs }) => tf.reshape(inputs, [inputs.shape[0], -1]),
  reshape: ({ inputs, target_shape: targetShape }) => tf.layers.reshape({ targetShape }).apply(inputs),

  conv2d({ inputs, kernel, bias, strides = [1, 1], padding = 'valid', activation }) {
    const weights = present(kernel, bias);
    const options = {
      filters: kernel.shape[3],
      kernelSize: kernel.shape.slice(0, 2),
      strides,
      padding,
      activation: activation || 'linear',
      useBias: weights.length === 2,
    };
    const run = () => made(tf.layers.conv2d, weights, options).apply(inputs);
    // WebAssembly returns zeros for a window smaller than its stride, with padding `same`.
    return strides.some((stride, axis) => stride > kernel.shape[axis]) ? tf.plainly(run) : run();
  },

  conv2d_gradients({ inputs, kernel, bias, upstream, strides, padding }) {
    const call = (images, weights, offsets) => tf.add(conv2d(images, weights, strides, padding), offsets);
    return tf.grads(call)([inputs, kernel, bias], upstream);
  },

  max_pool2d: ({ inputs, ...options }) => tf.layers.maxPooling2d(window(options)).apply(inputs),

  // WebAssembly ignores a maximum of 0 or less.
  max_pool2d_gradient: ({ inputs, upstream, pool_size: size, strides, padding }) =>
    tf.plainly(() => tf.grad((images) => tf.maxPool(images, size, strides, padding))(inputs, upstream)),

  average_pool2d: ({ inputs, ...options }) => tf.layers.averagePooling2d(window(options)).apply(inputs),

  average_pool2d_gradient({ inputs, upstream, pool_size: size, strides, padding }) {
    // TensorFlow.js divides the gradient of a window among all its positions, including those outside the image. The
    // mean over the whole window for an image of ones is the share of positions inside.
    const pads = [0, 1].map((axis) => padWidths(inputs.shape[axis + 1], size[axis], strides[axis], padding));
    const ones = tf.pad(tf.onesLike(inputs), [[0, 0], ...pads, [0, 0]]);
    const shares = tf.avgPool(ones, size, strides, 'valid');
    return tf.grad((images) => tf.avgPool(images, size, strides, padding))(inputs, tf.div(upstream, shares));
  },

  batch_normalization({ inputs, gamma, beta, moving_mean: mean, moving_variance: variance, training }) {
    const layer = made(tf.layers.batchNormalization, [gamma, beta, mean, variance]);
    const outputs = layer.apply(inputs, { training });
    return [outputs, ...layer.getWeights().slice(2)];
  },

  batch_normalization_gradients({ moving_mean: mean, moving_variance: variance, upstream, training, ...given }) {
    const { inputs, gamma, beta } = given;
    const axes = [...inputs.shape.keys()].slice(0, -1);
    const call = (images, scale, offset) => {
      const statistics = training ? tf.moments(images, axes) : { mean, variance };
      return normalized(images, scale, offset, statistics.mean, statistics.variance);
    };
    return tf.grads(call)([inputs, gamma, beta], upstream);
  },

  dropout: ({ inputs, rate, seed, training }) => tf.layers.dropout({ rate, seed }).apply(inputs, { training }),

  simple_rnn_cell({ inputs, state, kernel, recurrent_kernel: recurrent, activation = 'tanh' }) {
    const options = { activation: activation || 'linear', useBias: false };
    return madeCell(tf.layers.simpleRNNCell, [kernel, recurrent], options).call([inputs, state], {})[0];
  },

  simple_rnn({ inputs, kernel, recurrent_kernel: recurrent, activation = 'tanh' }) {
    const options = { activation: activation || 'linear', useBias: false, returnSequences: true };
    const layer = made(tf.layers.simpleRNN, [kernel, recurrent], { units: recurrent.shape[0], ...options });
    return layer.apply(inputs);
  },

  lstm_cell({ inputs, hidden, carry, kernel, recurrent_kernel: recurrent, bias }) {
    return lstmCell(kernel, recurrent, bias).call([inputs, hidden, carry], {}).slice(1);
  },

  lstm({ inputs, kernel, recurrent_kernel: recurrent, bias }) {
    const cell = lstmCell(kernel, recurrent, bias);
    const zeros = tf.zeros([inputs.shape[0], recurrent.shape[0]]);
    const steps = [[zeros, zeros]];
    for (const one of tf.unstack(inputs, 1)) steps.push(cell.call([one, ...steps[steps.length - 1]], {}).slice(1));
    return [0, 1].map((kind) =>
      tf.stack(
        steps.slice(1).map((states) => states[kind]),
        1
      )
    );
  },

  softmax_with_temperature: ({ logits, temperature }) => tf.softmax(tf.div(logits, toDivisor(temperature))),

  sample({ probabilities, seed }) {
    if (probabilities.dataSync().some(Number.isNaN))
      throw new InvalidArgument('there is a NaN among the probabilities');
    return classes(probabilities, seed);
  },

  one_hot: ({ labels, depth }) => tf.oneHot(labels, depth),

  categorical_crossentropy: ({ targets, probabilities }) => tf.metrics.categoricalCrossentropy(targets, probabilities),

  sparse_categorical_crossentropy: ({ labels, probabilities }) =>
    tf.metrics.categoricalCrossentropy(tf.oneHot(labels, probabilities.shape[1]), probabilities),

  mean_squared_error: ({ targets, predictions }) => tf.losses.meanSquaredError(targets, predictions),

  sgd_step: ({ parameter, gradient, learning_rate: rate }) => sgdStep(parameter, gradient, rate),

  adam_step({ parameter, gradient, first_moment: first, second_moment: second, step, learning_rate: rate }) {
    return adamStep(parameter, gradient, first, second, step, rate);
  },

  sparse_categorical_accuracy({ batches }) {
    let [right, count] = [0, 0];
    const results = batches.map(([labels, predictions]) => {
      right += tf.sum(tf.metrics.sparseCategoricalAccuracy(labels, predictions)).dataSync()[0];
      count += labels.shape[0];
      return right / count;
    });
    return tf.tensor1d(results, 'float32');
  },

  glorot_uniform: ({ shape, seed }) => glorotUniform(shape, seed),
  zeros: ({ shape }) => tf.initializers.zeros().apply(shape),
};

/** The layers' default recurrent activation is the hard sigmoid, as in Keras before TensorFlow 2. */
function lstmCell(...weights) {
  return madeCell(tf.layers.lstmCell, weights, { recurrentActivation: 'sigmoid' });
}

module.exports = onTensors(ops);
