"""Assertions about a trained model: its accuracy and losses compared with stored runs, and evidence for the report.

The limits are those of `assay.testing.thresholds`. Measurements go into the ledger, for the report's figures.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from assay.adapters.proxy import NonConformanceError
from assay.contract import Array
from assay.spec.semantics.layers import softmax_with_temperature
from assay.spec.semantics.text import entropy
from assay.testing.thresholds import QUARTERS, quarters, threshold
from assay.testing.training.mnist_training import Examples

Trained = Mapping[str, Any]
Evidence = Callable[..., None]

# Far from where implementations clip, and so far above the rounding of float32 that every step changes it.
SMALLEST_LOSS = 1e-5

# Number of points of a curve in the report, and number of images.
POINTS = 200
IMAGES = 12


def assert_not_below(name: str, trained: Trained, printed: float, evidence: Evidence) -> None:
    """Compare the accuracy of a training with the lower limit of its threshold.

    Args:
        name: Name of the threshold.
        trained: Result of `assay.testing.training.mnist_training.train`.
        printed: Accuracy that the document prints.
        evidence: Function that records the measurement.

    Raises:
        NonConformanceError: The accuracy is below the limit.

    """
    __tracebackhide__ = True
    known = threshold(name)
    limits = known.limits()
    accuracy = trained["accuracy"]
    evidence(
        accuracy={
            "value": accuracy,
            "limit": limits.lower,
            "runs": known.values("accuracy"),
            "printed": printed,
            "num_batches": known.recipe["num_batches"],
        }
    )
    if not accuracy >= limits.lower:
        msg = (
            f"the accuracy is {accuracy:.4f}, below {limits.lower:.4f}: {len(known.runs)} runs of the reference gave"
            f" {limits.mean:.4f} with a standard deviation of {limits.deviation:.4f}"
        )
        raise NonConformanceError(msg)


def assert_not_above(name: str, trained: Trained) -> None:
    """Compare the accuracy of a training with the upper limit of its threshold.

    Raises:
        NonConformanceError: The accuracy is above the limit.

    """
    __tracebackhide__ = True
    accuracy, limits = trained["accuracy"], threshold(name).limits()
    if not accuracy <= limits.upper:
        msg = f"the accuracy is {accuracy:.4f}, above {limits.upper:.4f}: were test images used for training?"
        raise NonConformanceError(msg)


def assert_losses_not_above(
    name: str, trained: Trained, evidence: Evidence, classes: int, judged: Sequence[str] = QUARTERS
) -> None:
    """Compare the mean loss of each quarter of a training with its upper limit.

    Args:
        name: Name of the threshold.
        trained: Result of `assay.testing.training.mnist_training.train`, or a similar one.
        evidence: Function that records the curve.
        classes: Number of classes of a model that guesses.
        judged: Quarters whose limits apply to the training.

    Raises:
        NonConformanceError: The loss of a judged quarter is above its limit.

    """
    __tracebackhide__ = True
    known, losses = threshold(name), trained["losses"]
    upper = [known.limits(quarter).upper for quarter in QUARTERS]
    evidence(training_curve=_thin_out(losses, upper) | {"classes": classes})
    means = quarters(losses)
    if not all(mean <= limit for name, mean, limit in zip(QUARTERS, means, upper, strict=True) if name in judged):
        msg = f"the mean losses of the four quarters are {means}, expected at most {upper}"
        raise NonConformanceError(msg)


def _thin_out(losses: Array, upper: list[float]) -> dict[str, Any]:
    """Average a curve over intervals, each with the limit of its quarter."""
    points = min(POINTS, len(losses))
    stretches = np.array_split(losses.astype(np.float64), points)
    return {
        "steps": np.cumsum([len(stretch) for stretch in stretches]).tolist(),
        "losses": [round(float(stretch.mean()), 6) for stretch in stretches],
        "limits": [upper[len(upper) * point // points] for point in range(points)],
    }


def pictures(logits: Array, examples: Examples) -> dict[str, dict[str, Any]]:
    """Return evidence of an evaluation for people: the most confident mistakes, and the confusion matrix.

    Args:
        logits: Logits of the examples, [n, 10].
        examples: Images with their labels.

    """
    chosen = logits.argmax(axis=-1)
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    confidence = (exponentials / exponentials.sum(axis=-1, keepdims=True)).max(axis=-1)
    wrong = np.flatnonzero(chosen != examples.labels)
    worst = wrong[np.argsort(-confidence[wrong])][:IMAGES]
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (examples.labels, chosen), 1)
    return {
        "misread": {
            **encode_images(np.rint(examples.images[worst, ..., 0] * 255).astype(np.uint8)),
            "labels": examples.labels[worst].tolist(),
            "predictions": chosen[worst].tolist(),
            "confidence": confidence[worst].round(4).tolist(),
        },
        "confusion": {"matrix": matrix.tolist()},
    }


def encode_images(images: Array) -> dict[str, Any]:
    """Encode images [n, height, width], uint8 or float32, as evidence."""
    return {"images": base64.b64encode(images.tobytes()).decode(), "shape": list(images.shape)}


def entropies(logits: Array, marked: list[float]) -> dict[str, Any]:
    """Return how the mean entropy of softmax depends on the temperature.

    Args:
        logits: [n, classes], float64.
        marked: Temperatures to be marked in the figure.

    """
    temperatures = np.linspace(min(marked) / 2, 2 * max(marked), 50)
    return {
        "temperatures": temperatures.round(4).tolist(),
        "entropies": [round(float(entropy(softmax_with_temperature(logits, one)).mean()), 4) for one in temperatures],
        "marked": marked,
        "classes": logits.shape[-1],
    }


def assert_last_parameters(units: str, losses: Array, train: Callable[[int], Mapping[str, Array]]) -> None:
    """Check that a training returns its last parameters, and not those of its best step.

    The number of units is such that the last loss is not the lowest. So a training that keeps its best parameters
    returns the same ones with and without the last unit.

    Args:
        units: Units in which a training is counted: batches or episodes.
        losses: Losses of a long training, or negative scores, [number].
        train: Function from a number of units to the parameters of the same training after that number.

    Raises:
        NonConformanceError: A further step leaves parameters unchanged.

    """
    __tracebackhide__ = True
    numbers = range(2, len(losses) + 1)
    count = max((number for number in numbers if losses[number - 1] > losses[: number - 1].min()), default=len(losses))
    before, after = (train(number) for number in (count - 1, count))
    if same := [name for name, value in after.items() if (value == before[name]).all()]:
        msg = f"{count - 1} and {count} {units}, the last of which is not the best, lead to the same {same}"
        raise NonConformanceError(msg)


def assert_goes_on(losses: Array) -> None:
    """Check that every step of a training on a single example changes its loss, however small the loss has become.

    Args:
        losses: Losses of all steps, each before its step, which become small.

    Raises:
        NonConformanceError: Two successive losses are equal.

    """
    __tracebackhide__ = True
    still = np.flatnonzero((losses[1:] == losses[:-1]) & (losses[:-1] > SMALLEST_LOSS))
    if still.size:
        first = int(still[0])
        msg = f"step {first + 1} moves nothing: before it and after it the loss is {losses[first]:.6g}"
        raise NonConformanceError(msg)
