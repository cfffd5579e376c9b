'use strict';
/** Optimizer steps. */

const tf = require('./tf');

const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-7;

function sgdStep(parameter, gradient, learningRate) {
  return tf.sub(parameter, tf.mul(gradient, learningRate));
}

/** Adam with epsilon before bias correction; `tf.train.adam` adds it after. */
function adamStep(parameter, gradient, firstMoment, secondMoment, step, learningRate) {
  const first = tf.add(tf.mul(firstMoment, BETA_1), tf.mul(gradient, 1 - BETA_1));
  const second = tf.add(tf.mul(secondMoment, BETA_2), tf.mul(tf.square(gradient), 1 - BETA_2));
  const rate = (learningRate * Math.sqrt(1 - BETA_2 ** step)) / (1 - BETA_1 ** step);
  const change = tf.div(tf.mul(first, rate), tf.add(tf.sqrt(second), EPSILON));
  return [tf.sub(parameter, change), first, second];
}

module.exports = { adamStep, sgdStep };
