"""The TensorFlow implementation: it meets every claim, and shows how to meet it.

Importing this package imports no framework; its groups import it on first use.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from assay import __version__
from assay.contract import GROUPS, Implementation, LazyImplementation

MODULES = {group: f"assay.reference.{group}" for group in GROUPS}


class Reference(LazyImplementation):
    """The reference implementation of the contract."""

    name = "reference"
    version = __version__
    modules = MODULES

    @property
    def distributions(self) -> Sequence[str]:
        """Return the distributions of TensorFlow, of the Keras behind `tf.keras`, and of the environments."""
        # TensorFlow interprets this variable the same way. The nightly build of Keras overwrites TensorFlow's release.
        legacy = os.environ.get("TF_USE_LEGACY_KERAS") in {"true", "True", "1"}
        return "tensorflow|tensorflow-cpu", "tf-keras" if legacy else "keras-nightly|keras", "gymnasium|gym"

    def start(self, device: str) -> str:
        """Load TensorFlow and restrict it to one device."""
        from assay.reference.device import use

        return use(device)


def variant(module: str, *groups: str, trains: Sequence[str]) -> dict[str, str]:
    """Return the modules of a variant: those of the reference, except for the groups that train."""
    return {group: f"assay.reference.variants.{module}" if group in trains else MODULES[group] for group in groups}


class EagerProgram(Reference):
    """The reference with training, generation and play as in the document's programs."""

    name = "tensorflow-eager"
    modules = variant(
        "eager_program",
        *("ops", "models", "training", "datasets", "applications", "text", "environments", "agent"),
        trains=("models", "training", "applications", "text", "agent"),
    )


class CompileAndFit(Reference):
    """The reference with training by Keras's compile and fit."""

    name = "keras-fit"
    modules = variant(
        "compile_and_fit",
        *("ops", "models", "training", "datasets", "applications", "text"),
        trains=("models", "training", "applications", "text"),
    )


class CompiledAgent(Reference):
    """The reference with CartPole made of TensorFlow's operations, and the agent trained in one compiled function."""

    name = "compiled-agent"
    modules = MODULES | {
        "environments": "assay.reference.variants.compiled_cart_pole",
        "agent": "assay.reference.variants.compiled_agent",
    }


implementation: Implementation = Reference()
eager: Implementation = EagerProgram()
keras_fit: Implementation = CompileAndFit()
compiled_agent: Implementation = CompiledAgent()
