"""Signatures of the functions of the contract, and the claims that need them."""

from __future__ import annotations

import inspect
import re
from typing import Any, get_args

from assay import contract
from assay.contract import PROTOCOLS
from assay.specification.claims import Claim, specification


class _Bare(str):
    """A textual annotation, printed without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def functions(group: str) -> list[str]:
    """Return the functions of a group, in the contract's order."""
    protocol = PROTOCOLS[group]
    declared = [name for name, value in vars(protocol).items() if inspect.isfunction(value) and name[0] != "_"]
    return [*protocol.__annotations__, *declared]


def parts(group: str) -> list[str]:
    """Return the parts of a group that an implementation may leave out: functions, and the models that they accept."""
    names = contract.NetworkName if group == "applications" else contract.ModelName
    takes = {name for function in functions(group) for name in _arguments(group, function)}
    return [*functions(group), *(get_args(names) if takes & {"model", "network"} else ())]


def _arguments(group: str, function: str) -> list[str]:
    declared = getattr(PROTOCOLS[group], function, None)
    return [] if declared is None else [*inspect.signature(declared).parameters]


def signature(group: str, function: str) -> str:
    """Return a function with its arguments and its result, or an attribute with its type."""
    declared: Any = getattr(PROTOCOLS[group], function, None)
    if declared is None:
        return f"{function}: {PROTOCOLS[group].__annotations__[function]}"
    written = inspect.signature(declared)
    _, *parameters = [each.replace(annotation=_Bare(each.annotation)) for each in written.parameters.values()]
    return f"{function}{written.replace(parameters=parameters, return_annotation=_Bare(written.return_annotation))}"


def named_tuples(text: str) -> dict[str, str]:
    """Return the fields, with their types, of every named tuple of the contract in a signature."""
    named = {name: getattr(contract, name, None) for name in re.findall(r"\b[A-Z]\w+", text)}
    return {
        name: ", ".join(f"{field}: {_text(type_)}" for field, type_ in kind.__annotations__.items())
        for name, kind in named.items()
        if hasattr(kind, "_fields")
    }


def _text(annotation: Any) -> str:  # noqa: ANN401 - a forward reference or a text
    return str(getattr(annotation, "__forward_arg__", annotation))


def find_dependent_claims(group: str, function: str) -> list[Claim]:
    """Return the claims that need a function."""
    return [claim for claim in specification().claims.values() if f"{group}.{function}" in claim.needs]
