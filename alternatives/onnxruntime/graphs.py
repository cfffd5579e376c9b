"""Graphs of ONNX operators, and the sessions that run them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache
from typing import Any

import numpy as np
import onnxruntime
from onnx import helper, numpy_helper

from assay.contract import Array

OPSET = 21
PROVIDERS = {"cpu": "CPUExecutionProvider", "gpu": "CUDAExecutionProvider"}
# Options of every session.
settings: dict[str, Any] = {"providers": [PROVIDERS["cpu"]]}
# Name of a value in a graph.
Value = str
# Function that adds nodes to a graph with these input names, and returns its outputs.
Build = Callable[..., Value | tuple[Value, ...]]


def use(device: str, threads: int | None) -> str:
    """Set the device and number of threads of sessions, and return the device's name.

    Raises:
        RuntimeError: ONNX Runtime offers no such device.

    """
    if PROVIDERS[device] not in onnxruntime.get_available_providers():
        msg = "ONNX Runtime sees no GPU"
        raise RuntimeError(msg)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    # Errors are raised, so they need not be printed.
    options.log_severity_level = 4
    # Spinning threads would block cores for other work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    settings.update(providers=[PROVIDERS[device]], sess_options=options)
    return "CPU" if device == "cpu" else "GPU"


class Graph:
    """A graph under construction. Values have names, and a call adds a node."""

    def __init__(self) -> None:
        """Start without nodes."""
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def __call__(self, operator: str, *inputs: Value, **attributes: Any) -> Value:
        """Add a node with one output."""
        return self.add(operator, *inputs, outputs=1, **attributes)[0]

    def add(self, operator: str, *inputs: Value, outputs: int, **attributes: Any) -> tuple[Value, ...]:
        """Add a node with several outputs. An input "" is omitted."""
        names = tuple(f"{operator}_{len(self.nodes)}_{number}" for number in range(outputs))
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names

    def constant(self, value: Any, dtype: type[np.generic] = np.float32) -> Value:
        """Add a constant."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name


def run(build: Build, *arrays: Array, **static: Hashable) -> Any:
    """Run the graph that a function builds: an array, or a tuple of arrays if it has several outputs.

    Args:
        build: Builder of the graph. Called once per combination of dtypes and ranks.
        arrays: Inputs of the graph.
        static: Further arguments of `build`, which become part of the graph.

    """
    forms = tuple((array.dtype, array.ndim) for array in arrays)
    session, single = make_session(build, forms, tuple(sorted(static.items())))
    inputs = {f"input_{number}": np.asarray(array, order="C") for number, array in enumerate(arrays)}
    outputs = session.run(None, inputs)
    return outputs[0] if single else tuple(outputs)


@cache
def make_session(
    build: Build, forms: tuple[tuple[np.dtype[Any], int], ...], static: tuple[tuple[str, Hashable], ...]
) -> tuple[onnxruntime.InferenceSession, bool]:
    """Build a graph for inputs of any size; also return whether it has a single output."""
    graph = Graph()
    names = [f"input_{number}" for number in range(len(forms))]
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), [None] * rank)
        for name, (dtype, rank) in zip(names, forms, strict=True)
    ]
    found = build(graph, *names, **dict(static))
    outputs = [found] if isinstance(found, str) else found
    # A node is needed between an input and an output that is the same value.
    ends = [helper.make_empty_tensor_value_info(graph("Identity", name)) for name in outputs]
    model = helper.make_model(
        helper.make_graph(graph.nodes, build.__name__, inputs, ends, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=10,
    )
    return onnxruntime.InferenceSession(model.SerializeToString(), **settings), isinstance(found, str)
