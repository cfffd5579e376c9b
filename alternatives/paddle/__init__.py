"""PaddlePaddle on the kit: the functions of `paddle.nn.functional`, its cells, gradients and optimizers.

Importing this package imports no framework; its groups import it on first use.
"""

from __future__ import annotations

from assay.contract import Implementation
from assay.kit.implementation import KitImplementation


class Paddle(KitImplementation):
    """The implementation of the contract."""

    name, version = "paddle", "0.1.0"
    distributions = ("paddlepaddle|paddlepaddle-gpu",)
    framework = ".framework:Paddle"

    def start(self, device: str) -> str:
        """Make PaddlePaddle create every tensor on one device.

        Raises:
            RuntimeError: PaddlePaddle is not built for a GPU.

        """
        import paddle

        if device == "gpu" and not paddle.device.is_compiled_with_cuda():
            msg = "PaddlePaddle is built without CUDA: install paddlepaddle-gpu"
            raise RuntimeError(msg)
        paddle.device.set_device(device)
        return "CPU" if device == "cpu" else str(paddle.device.cuda.get_device_name())


implementation: Implementation = Paddle()
