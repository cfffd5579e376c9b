"""Faults of functions whose draws depend on the process."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import Any

from assay.contract import PROTOCOLS
from assay.testing.seeded_results import SEEDED
from doubles.faulty import Fault

CLAIMS = {
    "ops.glorot_uniform": "dense.glorot-seed",
    "ops.dropout": "cnn.dropout-repeats",
    "ops.sample": "generation.sample-seed",
    "models.initial_parameters": "mlp.initial-seed",
    "datasets.sample_batch": "mnist.batch-seed",
    "training.fit": "training.fit-seed",
    "text.sample_windows": "text.same-seed",
    "text.fit": "rnn_training.same-seed",
    "text.generate": "generation.seed",
    "agent.act": "q_learning.acts-by-seed",
    "agent.collect": "q_learning.collects-by-seed",
    "agent.sample": "q_learning.sample-by-seed",
    "agent.play": "q_learning.plays-by-seed",
    "agent.fit": "q_learning.training-seeds-its-draws",
    "environments.run_linear_policy": "cartpole.policy-by-seed",
    "environments.sample_actions": "cartpole.sampled-by-seed",
}


def in_process(function: str) -> Callable[..., Any]:
    """Return a wrong function whose draws depend on its seed and on its process."""
    group, _, name = function.partition(".")
    declared = inspect.signature(getattr(PROTOCOLS[group], name))

    def wrong(right: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        arguments = declared.bind(None, *args, **kwargs).arguments
        del arguments["self"]
        arguments["seed"] = (arguments["seed"] + os.getpid()) % 2**31
        return right(**arguments)

    return wrong


FAULTS = {
    f"{function}_depends_on_process".replace(".", "_"): Fault(
        function, CLAIMS[function], "in a new process", in_process(function)
    )
    for function in SEEDED
}
