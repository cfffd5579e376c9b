"""ONNX Runtime: operations and layer outputs as graphs of ONNX operators.

Importing this package imports no framework; its groups import it on first use.
"""

from __future__ import annotations

from typing import ClassVar

from assay.contract import Implementation, LazyImplementation


class OnnxRuntime(LazyImplementation):
    """The implementation of the contract. It runs models, but neither differentiates nor trains them.

    ONNX seeds its draws with a float32, which cannot distinguish large seeds, so random operations are left out.
    """

    name, version = "onnxruntime", "0.1.0"
    distributions = ("onnxruntime", "onnx")
    modules: ClassVar = {
        "ops": "assay.alternatives.onnxruntime.ops",
        "models": "assay.alternatives.onnxruntime.models",
        "training": "assay.alternatives.onnxruntime.models",
    }
    unsupported = (
        "ops.conv2d_gradients",
        "ops.max_pool2d_gradient",
        "ops.average_pool2d_gradient",
        "ops.batch_normalization_gradients",
        "ops.dropout",
        "ops.sample",
        "ops.sgd_step",
        "ops.adam_step",
        "ops.glorot_uniform",
        "models.initial_parameters",
        "models.loss_and_gradients",
        "models.train",
        "training.fit",
    )

    def start(self, device: str, threads: int | None = None) -> str:
        """Choose the device and the number of threads of every session.

        Raises:
            RuntimeError: ONNX Runtime offers no such device.

        """
        from assay.alternatives.onnxruntime import graphs

        return graphs.use(device, threads)


implementation: Implementation = OnnxRuntime()
