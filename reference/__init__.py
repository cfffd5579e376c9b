"""The TensorFlow implementation: it meets every claim, and shows how each is met.

Importing this package imports no framework; its groups do, when they are first used.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from assay import __version__
from assay.contract import GROUPS, Implementation, LazyImplementation

MODULES = {group: f"assay.reference.{group}" for group in GROUPS}


class Reference(LazyImplementation):
    """The reference implementation, as the contract asks for it."""

    name = "reference"
    version = __version__
    modules = MODULES

    @property
    def distributions(self) -> Sequence[str]:
        """Name TensorFlow, the Keras that `tf.keras` will be, and the environments."""
        # TensorFlow reads this variable so. The nightly build of Keras overwrites the release that TensorFlow brings.
        legacy = os.environ.get("TF_USE_LEGACY_KERAS") in {"true", "True", "1"}
        return "tensorflow|tensorflow-cpu", "tf-keras" if legacy else "keras-nightly|keras", "gymnasium|gym"

    def start(self, device: str) -> str:
        """Load TensorFlow and keep it to one device."""
        from assay.reference.device import use

        return use(device)


def variant(module: str, *groups: str, trains: Sequence[str]) -> dict[str, str]:
    """Return the modules of a variant: those of the reference, but for the groups that train."""
    return {group: f"assay.reference.variants.{module}" if group in trains else MODULES[group] for group in groups}


class EagerProgram(Reference):
    """The reference, trained, writing and playing as the document's programs do."""

    name = "tensorflow-eager"
    modules = variant(
        "eager_program",
        *("ops", "models", "training", "datasets", "applications", "text", "environments", "agent"),
        trains=("models", "training", "applications", "text", "agent"),
    )


class CompileAndFit(Reference):
    """The reference, trained by compile and fit of Keras."""

    name = "keras-fit"
    modules = variant(
        "compile_and_fit",
        *("ops", "models", "training", "datasets", "applications", "text"),
        trains=("models", "training", "applications", "text"),
    )


implementation: Implementation = Reference()
eager: Implementation = EagerProgram()
keras_fit: Implementation = CompileAndFit()
