'use strict';
/** The document's models as stateless functions: see `assay.contract.Models`. */

const tf = require('./tf');
const { onTensors } = require('./arrays');
const { differentiated, forward, initial, trained } = require('./networks');

const CLASSIFIERS = ['mlp', 'cnn', 'rnn'];

const models = {
  initial_parameters: ({ model, seed }) => initial(model, seed),

  layer_outputs({ model, parameters, inputs }) {
    const run = forward(model, parameters, inputs);
    return (CLASSIFIERS.includes(model) ? run.softmax() : run).outputs;
  },

  loss_and_gradients({ model, parameters, inputs, targets }) {
    const { value, grads } = differentiated(model, parameters, inputs, targets);
    return [value, new Map([...parameters.keys()].map((name, index) => [name, grads[index]]))];
  },

  train({ model, parameters, inputs, targets, learning_rate: learningRate }) {
    const [batches, expected] = [tf.unstack(inputs), tf.unstack(targets)];
    return trained(model, parameters, (step) => [batches[step], expected[step]], batches.length, learningRate);
  },
};

module.exports = onTensors(models);
