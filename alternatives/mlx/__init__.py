"""MLX on the kit: the layers of `mlx.nn` and their gradients, and the optimizers of `mlx.optimizers`.

Importing this package imports no framework; its groups import it on first use.
"""

from __future__ import annotations

from assay.contract import Implementation
from assay.kit.implementation import KitImplementation


class MLX(KitImplementation):
    """The implementation of the contract."""

    name, version = "mlx", "0.1.0"
    distributions = ("mlx",)
    framework = ".framework:MLX"

    def start(self, device: str) -> str:
        """Restrict MLX to one device.

        Raises:
            RuntimeError: MLX has no such device.

        """
        import mlx.core as mx

        chosen = mx.Device(mx.DeviceType.cpu if device == "cpu" else mx.DeviceType.gpu)
        if not mx.is_available(chosen):
            msg = f"MLX has no {device} here"
            raise RuntimeError(msg)
        mx.set_default_device(chosen)
        return "CPU" if device == "cpu" else str(mx.device_info(chosen).get("device_name", "GPU"))


implementation: Implementation = MLX()
