"""The NumPy alternative with products of fewer bits: every factor of an `@` is rounded first.

`--implementation doubles.coarse:NAME` tests one, with the suite on the path: `tf32`, `bfloat16`, `float16`; `cut`,
which cuts off what TF32 has no bits for, as hardware does; and two that are wrong beyond their products, in TF32.
"""

from __future__ import annotations

import ast
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from assay.spec.semantics.products import round_to_format

# Where the alternative multiplies matrices for its networks.
MODULES = {f"assay.alternatives.numpy.{name}" for name in ("layers", "ops", "recurrence")}


class Multiplications(ast.NodeTransformer):
    """Turn `a @ b` into `_product(a, b)`."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Exchange one operation."""
        self.generic_visit(node)
        if not isinstance(node.op, ast.MatMult):
            return node
        return ast.Call(ast.Name("_product", ast.Load()), [node.left, node.right], [])


class Loader(SourceFileLoader):
    """Load a module with its multiplications exchanged."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile it again."""
        path = self.get_filename(fullname)
        tree = Multiplications().visit(ast.parse(self.get_data(path)))
        return compile(ast.fix_missing_locations(tree), path, "exec")

    def exec_module(self, module: ModuleType) -> None:
        """Hand it the product."""
        module.__dict__["_product"] = product
        super().exec_module(module)


class Finder:
    """Find the modules that multiply."""

    @staticmethod
    def find_spec(name: str, path: Any, _target: Any = None) -> ModuleSpec | None:
        """Leave all others to Python."""
        found = PathFinder.find_spec(name, path) if name in MODULES else None
        if found and found.origin:
            found.loader = Loader(name, found.origin)
        return found


sys.meta_path.insert(0, Finder())

from assay.alternatives.numpy import NumPy  # noqa: E402 - found by the finder

state = SimpleNamespace(round=None)


def product(a: Any, b: Any) -> Any:
    """Multiply rounded factors."""
    return state.round(np.asarray(a)) @ state.round(np.asarray(b))


def to(grade: str) -> Any:
    """Return what rounds to the nearest of a grade."""
    return lambda array: round_to_format(array, grade)


def cut_off(array: Any) -> Any:
    """Drop the last 13 of 23 bits."""
    bits = np.ascontiguousarray(array).view(np.uint32) & np.uint32(0xFFFFE000)
    return bits.view(np.float32).reshape(array.shape) if array.dtype == np.float32 else array


class Coarse(NumPy):
    """The NumPy alternative with such products."""

    def __init__(self, name: str, rounding: Any, **wrong: Any) -> None:
        """Take how to round factors, and operations to be exchanged: (the right one, its arguments) to the result."""
        self.name = f"numpy in {name}"
        self._rounding, self._wrong = rounding, wrong

    def start(self, device: str) -> str:
        """Multiply so from now on."""
        state.round = self._rounding
        return super().start(device)

    @property
    def ops(self) -> Any:
        """Return the operations, with the wrong ones among them."""
        right = super().ops
        functions = {name: getattr(right, name) for name in dir(right) if not name.startswith("_")}
        for name, wrong in self._wrong.items():
            functions[name] = lambda *given, wrong=wrong, right=functions[name], **options: wrong(
                right, *given, **options
            )
        return SimpleNamespace(**functions)


def softmax_in_tf32(softmax: Any, logits: Any) -> Any:
    """Round everything but products."""
    return softmax(round_to_format(logits, "tf32"))


def bias_in_tf32(dense: Any, inputs: Any, kernel: Any, bias: Any = None, activation: Any = None) -> Any:
    """Round the bias, too."""
    return dense(inputs, kernel, None if bias is None else round_to_format(bias, "tf32"), activation)


float32 = Coarse("float32", to("float32"))
tf32 = Coarse("tf32", to("tf32"))
bfloat16 = Coarse("bfloat16", to("bfloat16"))
float16 = Coarse("float16", lambda array: array.astype(np.float16).astype(np.float32))
cut = Coarse("tf32, cut off", cut_off)
softmax = Coarse("tf32, and softmax", to("tf32"), softmax=softmax_in_tf32)
bias = Coarse("tf32, and the bias", to("tf32"), dense=bias_in_tf32)
