"""Deliberate faults of precision: evaluations in half precision, and gradients that vanish where they are small."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assay.alternatives.numpy.models import MODELS
from assay.contract import Array, Parameters
from doubles.faulty import Fault


def evaluate_in_half_precision(
    _evaluate: Callable[..., float], model: str, parameters: Parameters, images: Array, labels: Array, _size: int
) -> float:
    """Find the largest of the logits after rounding them to float16."""
    logits = MODELS[model].outputs(parameters, images)["dense2"].astype(np.float16)
    return float((logits.argmax(axis=1) == labels).mean())


def without_small_gradients(
    loss_and_gradients: Callable[..., Any], model: str, parameters: Parameters, inputs: Array, targets: Array
) -> Any:
    """Return gradients of 0 where the loss is so small that training seems finished."""
    loss, gradients = loss_and_gradients(model, parameters, inputs, targets)
    if loss < 2.0**-12:
        gradients = {name: np.zeros_like(value) for name, value in gradients.items()}
    return loss, gradients


PRECISION_FAULTS = {
    "evaluate_in_half_precision": Fault(
        "training.evaluate", "evaluation.close-predictions", "the accuracy", evaluate_in_half_precision
    ),
    **{
        f"{section}_without_small_gradients": Fault(
            "models.loss_and_gradients",
            f"{section}.confident-and-wrong",
            "the gradient of a label with a probability of 0.999939",
            without_small_gradients,
        )
        for section in ("cnn", "rnn_training", "training")
    },
}
