'use strict';
/** The document's models: initial parameters, outputs, loss and training. */

const tf = require('./tf');
const { conv2d, matMul } = require('./kernels');
const { adamStep, sgdStep } = require('./optimizers');
const { glorotUniform, orthogonal } = require('./random');
const { lastOutput } = require('./recurrence');

/** Shapes of the kernels of a model, in their order; a new linear model is all zeros. */
const KERNELS = {
  linear: { dense: [3, 1] },
  mlp: { dense1: [784, 100], dense2: [100, 10] },
  cnn: { conv1: [5, 5, 1, 32], conv2: [5, 5, 32, 64], dense1: [3136, 1024], dense2: [1024, 10] },
  rnn: { cell: [57, 1024], dense: [256, 57] },
  q_network: { dense1: [4, 24], dense2: [24, 24], dense3: [24, 2] },
  q_cnn: { conv1: [8, 8, 4, 16], conv2: [4, 4, 16, 32], dense1: [2592, 256], dense2: [256, 4] },
};

/** Runs layers one after the other, and keeps the output of each. */
class Runner {
  constructor(parameters, inputs) {
    this.parameters = parameters;
    this.last = inputs;
    this.outputs = new Map();
  }

  keep(name, outputs) {
    this.outputs.set(name, (this.last = outputs));
    return this;
  }

  weights(name) {
    return ['kernel', 'bias'].map((kind) => this.parameters.get(`${name}/${kind}`));
  }

  dense(name, activation = (sums) => sums) {
    const [kernel, bias] = this.weights(name);
    return this.keep(name, activation(tf.add(matMul(this.last, kernel), bias)));
  }

  conv(name, stride, padding) {
    const [kernel, bias] = this.weights(name);
    return this.keep(name, tf.relu(tf.add(conv2d(this.last, kernel, [stride, stride], padding), bias)));
  }

  /** Only after a ReLU: WebAssembly's gradient ignores a maximum of 0 or less, and there a ReLU has none either. */
  pool(name) {
    return this.keep(name, tf.maxPool(this.last, 2, 2, 'valid'));
  }

  flatten() {
    return this.keep('flatten', tf.reshape(this.last, [this.last.shape[0], -1]));
  }

  oneHot(depth) {
    return this.keep('one_hot', tf.oneHot(this.last, depth));
  }

  cell(tokens) {
    const weights = ['kernel', 'recurrent_kernel', 'bias'].map((kind) => this.parameters.get(`cell/${kind}`));
    return this.keep('cell', lastOutput(tokens, ...weights));
  }

  softmax() {
    return this.keep('softmax', tf.softmax(this.last));
  }
}

/** Layers of each model, up to its logits. */
const LAYERS = {
  linear: (run) => run.dense('dense'),
  mlp: (run) => run.flatten().dense('dense1', tf.relu).dense('dense2'),
  cnn: (run) =>
    run
      .conv('conv1', 1, 'same')
      .pool('pool1')
      .conv('conv2', 1, 'same')
      .pool('pool2')
      .flatten()
      .dense('dense1', tf.relu)
      .dense('dense2'),
  rnn: (run, inputs) => run.oneHot(run.parameters.get('dense/bias').shape[0]).cell(inputs).dense('dense'),
  q_network: (run) => run.dense('dense1', tf.relu).dense('dense2', tf.relu).dense('dense3'),
  q_cnn: (run) =>
    run.conv('conv1', 4, 'valid').conv('conv2', 2, 'valid').flatten().dense('dense1', tf.relu).dense('dense2'),
};

function forward(model, parameters, inputs) {
  return LAYERS[model](new Runner(parameters, inputs), inputs);
}

/** Mean loss of a batch. */
function loss(model, parameters, inputs, targets) {
  const { last } = forward(model, parameters, inputs);
  if (model === 'linear') return tf.mean(tf.square(tf.sub(last, targets)));
  const labels = tf.oneHot(targets, last.shape[1]);
  return tf.neg(tf.mean(tf.sum(tf.mul(labels, tf.logSoftmax(last)), 1)));
}

/** Loss, and its gradients in the order of the parameters. */
function differentiated(model, parameters, inputs, targets) {
  const names = [...parameters.keys()];
  const named = (values) => new Map(names.map((name, index) => [name, values[index]]));
  const call = (...values) => loss(model, named(values), inputs, targets);
  return tf.valueAndGrads(call)([...parameters.values()]);
}

/** Make a model; a model that reads characters is made for a number of them. */
function initial(model, seed, characters = 57) {
  const parameters = new Map();
  // A seed for each tensor: with one seed, tensors would start with the same numbers.
  const next = () => seed * 16 + parameters.size;
  for (const [name, given] of Object.entries(KERNELS[model])) {
    const shape = given.map((size) => (model === 'rnn' && size === 57 ? characters : size));
    const kernel = model === 'linear' ? tf.zeros(shape) : glorotUniform(shape, next());
    parameters.set(`${name}/kernel`, kernel);
    if (name === 'cell') {
      parameters.set('cell/recurrent_kernel', orthogonal([256, 1024], next()));
      // The forget gate is initially open.
      parameters.set('cell/bias', tf.concat([tf.zeros([256]), tf.ones([256]), tf.zeros([512])]));
    } else {
      parameters.set(`${name}/bias`, tf.zeros(shape.slice(-1)));
    }
  }
  return parameters;
}

/**
 * Train with a new optimizer.
 * @param batch Function from the number of a step, from 0, to its inputs and targets.
 * @returns Loss of each batch before its step, and the parameters after the last.
 */
function trained(model, parameters, batch, steps, learningRate) {
  const names = [...parameters.keys()];
  const losses = new Float32Array(steps);
  let state = [...parameters.values()].map((value) => [value.clone(), tf.zerosLike(value), tf.zerosLike(value)]);
  for (let index = 0; index < steps; index++) {
    const next = tf.tidy(() => {
      const now = new Map(names.map((name, place) => [name, state[place][0]]));
      const { value, grads } = differentiated(model, now, ...batch(index));
      losses[index] = value.dataSync()[0];
      return state.map(([parameter, first, second], place) =>
        model === 'linear'
          ? [sgdStep(parameter, grads[place], learningRate), first.clone(), second.clone()]
          : adamStep(parameter, grads[place], first, second, index + 1, learningRate)
      );
    });
    tf.dispose(state);
    state = next;
  }
  return [tf.tensor1d(losses), new Map(names.map((name, place) => [name, state[place][0]]))];
}

module.exports = { differentiated, forward, initial, trained };
