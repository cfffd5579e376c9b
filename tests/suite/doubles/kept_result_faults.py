"""Faults of an implementation that keeps results, and looks them up by all arguments but one."""

import inspect
from hashlib import sha256

import numpy as np

from assay.contract import PROTOCOLS, Transitions
from doubles.faulty import Fault


def _key_of(value):
    """Return a hashable form of an argument."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, sha256(np.ascontiguousarray(value).tobytes()).digest()
    if isinstance(value, dict):
        return tuple(sorted((name, _key_of(one)) for name, one in value.items()))
    return tuple(map(_key_of, value)) if isinstance(value, tuple | list) else value


def keeping(function, overlooked):
    """Return a fault that keeps results, and looks them up by all arguments and elements of transitions but one."""
    group, name = function.split(".")
    _, *parameters = inspect.signature(getattr(PROTOCOLS[group], name)).parameters
    kept = {}

    def wrong(right, *args, **options):
        given = dict(zip(parameters, args, strict=False)) | options
        if overlooked in Transitions._fields and "transitions" in given:
            given |= Transitions(*given.pop("transitions"))._asdict()
        key = _key_of({name: value for name, value in given.items() if name != overlooked})
        if key not in kept:
            kept[key] = right(*args, **options)
        return kept[key]

    return wrong


SAME = "returns the same as before for another"
# Each with the overlooked arguments, the claim that detects them, and words of the failure.
OVERLOOKED = {
    "agent.epsilon": (
        ("final_epsilon",),
        "q_learning.epsilon-schedule",
        "epsilon in episode 20",
    ),
    "agent.replay": (("states", "rewards"), "q_learning.buffer-in-order", f"replay {SAME}"),
    "agent.sample": (("actions", "next_states"), "q_learning.sample-keeps-transitions-whole", f"sample {SAME}"),
    "agent.targets": (("rewards", "next_states"), "q_learning.targets-by-the-parameters", f"targets {SAME}"),
    "agent.loss_and_gradients": (("states",), "q_learning.gradients-of-any-batch", f"loss_and_gradients {SAME}"),
    "agent.learn": (
        ("parameters", "gamma", "dones"),
        "q_learning.learns-by-its-arguments",
        f"learn {SAME}",
    ),
    "agent.fit": (
        ("initial_epsilon", "num_exploration_episodes"),
        "q_learning.training-explores-by-schedule",
        f"fit {SAME}",
    ),
    "environments.steps": (("actions",), "cartpole.dynamics", f"steps {SAME}"),
    "flowers.image_batches": (("labels", "epochs"), "flowers.results-stay", f"image_batches {SAME}"),
}
KEPT_RESULT_FAULTS = {
    f"{function.replace('.', '_')}_kept_whatever_{argument}": Fault(function, claim, tells, keeping(function, argument))
    for function, (arguments, claim, tells) in OVERLOOKED.items()
    for argument in arguments
}
