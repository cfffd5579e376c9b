"""Faults of functions that know their arguments again by their identity, though these hold other values now."""

import numpy as np

from doubles.faulty import Fault


def _copied(value):
    return {name: np.array(one) for name, one in value.items()} if isinstance(value, dict) else np.array(value)


def remembering(position):
    """Return a fault that takes an argument for what it was when it was first handed over."""
    seen = {}

    def wrong(right, *args, **options):
        value = args[position]
        known, copy = seen.get(id(value), (None, None))
        if known is not value:
            copy = _copied(value)
            seen[id(value)] = value, copy
        return right(*args[:position], copy, *args[position + 1 :], **options)

    return wrong


# Each with the position of an argument, the claim that detects it, and words of the failure.
REMEMBERED = {
    "agent.act": (1, "q_learning.greedy-by-the-parameters", "the greedy actions"),
    "agent.targets": (1, "q_learning.targets-by-the-parameters", "y"),
    "agent.play": (0, "q_learning.greedy-by-the-parameters", "play: the pole falls"),
    "agent.collect": (0, "q_learning.greedy-by-the-parameters", "collect: the pole falls"),
    "agent.stack_frames": (0, "pixels.stack-order", "channel"),
    "environments.steps": (0, "cartpole.dynamics", "the states after a step"),
    "environments.run_linear_policy": (0, "cartpole.policy-sees-its-state", "the states after a step"),
    "ops.dense": (0, "dense.affine", "dense"),
    "ops.conv2d": (1, "convolution.definition", "conv2d"),
    "ops.softmax": (0, "softmax.large-logits", "softmax"),
    "models.layer_outputs": (1, "mlp.dense1-output", "dense1"),
    "models.loss_and_gradients": (1, "training.confident-and-wrong", "off by"),
}


FAULTS = {
    f"{function.replace('.', '_')}_remembers_argument_{position}": Fault(function, claim, tells, remembering(position))
    for function, (position, claim, tells) in REMEMBERED.items()
}
