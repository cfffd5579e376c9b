"""The optimizers of the training loops: one fused kernel per variable instead of Keras's dozen operations.

A step computes the same as `tf.keras.optimizers.SGD` and `Adam` with their defaults.
"""

from __future__ import annotations

from typing import Protocol

import tensorflow as tf

BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-7


class Optimizer(Protocol):
    """Updates variables along their negative gradients.

    Attributes:
        learning_rate: A scalar variable.

    """

    learning_rate: tf.Variable

    def reset(self) -> None:
        """Reset the state."""

    def apply(self, gradients: list[tf.Tensor]) -> None:
        """Take one step."""


class SGD:
    """Plain gradient descent."""

    def __init__(self, variables: list[tf.Variable]) -> None:
        """Store the variables to update."""
        self.variables = variables
        self.learning_rate = tf.Variable(0.0)

    def reset(self) -> None:
        """Do nothing, as there is no state."""

    def apply(self, gradients: list[tf.Tensor]) -> None:
        """Take one step."""
        for variable, gradient in zip(self.variables, gradients, strict=True):
            variable.assign_sub(self.learning_rate * gradient)


class Adam:
    """Adam (Kingma and Ba, 2015), with the defaults of Keras."""

    def __init__(self, variables: list[tf.Variable]) -> None:
        """Store the variables to update, and create their moments."""
        self.variables = variables
        self.learning_rate = tf.Variable(0.0)
        self.first_moments = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
        self.second_moments = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
        self.beta_1_power, self.beta_2_power = tf.Variable(1.0), tf.Variable(1.0)

    def reset(self) -> None:
        """Reset the moments and the step counter."""
        for moment in (*self.first_moments, *self.second_moments):
            moment.assign(tf.zeros_like(moment))
        for power in (self.beta_1_power, self.beta_2_power):
            power.assign(1.0)

    def apply(self, gradients: list[tf.Tensor]) -> None:
        """Take one step."""
        self.beta_1_power.assign(self.beta_1_power * BETA_1)
        self.beta_2_power.assign(self.beta_2_power * BETA_2)
        moments = zip(self.first_moments, self.second_moments, strict=True)
        for variable, gradient, (first, second) in zip(self.variables, gradients, moments, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=first.handle,
                v=second.handle,
                beta1_power=self.beta_1_power,
                beta2_power=self.beta_2_power,
                lr=self.learning_rate,
                beta1=BETA_1,
                beta2=BETA_2,
                epsilon=EPSILON,
                grad=gradient,
            )
