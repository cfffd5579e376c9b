"""The NumPy alternative with functions and models left out; asked for one of them all the same, it breaks down."""

from __future__ import annotations

from typing import ClassVar

from assay.alternatives.numpy import NumPy
from assay.alternatives.numpy.models import Models as WholeModels
from assay.alternatives.numpy.ops import Ops as WholeOps


class Ops(WholeOps):
    """Without an LSTM."""

    lstm = None
    lstm_cell = None


class Models(WholeModels):
    """Without the RNN."""

    def layer_outputs(self, model, parameters, inputs):
        """Break down for the RNN."""
        if model == "rnn":
            raise MemoryError
        return super().layer_outputs(model, parameters, inputs)


class Partial(NumPy):
    """Declares what it leaves out, or does not."""

    modules: ClassVar = {
        "ops": "doubles.partial",
        "models": "doubles.partial",
        "datasets": NumPy.modules["datasets"],
    }

    def __init__(self, *unsupported):
        """Take what to declare."""
        self.unsupported = unsupported


implementation = Partial("ops.lstm", "ops.lstm_cell", "models.rnn")
undeclared = Partial()
wrong = Partial("ops.lstm", "models.rrn")
