"""Proxies between tests and an implementation: they copy arguments, check results and restore the process state."""

from __future__ import annotations

import inspect
import math
import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from typing import Any

import numpy as np

from assay.adapters import interrupt, time_limit
from assay.adapters.argument_copies import are_same, copy_arguments
from assay.adapters.calls import Call, CallLog
from assay.adapters.plain_text import describe_error, is_printable, plain, without_middle
from assay.adapters.process_state import ProcessState, end_copy
from assay.adapters.protocol.errors import PeerError, PeerLostError
from assay.adapters.protocol.implementation import PeerImplementation
from assay.adapters.return_types import describe_type, matches
from assay.adapters.time_limit import TimeLimitError
from assay.contract import PROTOCOLS, Array, Implementation
from assay.specification.signatures import find_dependent_claims, functions, named_tuples, signature

ABSENT = object()


class AdapterError(Exception):
    """The adapter raised an error, or returned a value of a type that the contract does not allow."""


@dataclass(frozen=True)
class Comparison:
    """The failed comparison of a test.

    Attributes:
        actual: Value of the implementation: a result of a call, a part of one, or something computed from it.
        expected: Value by the definition; None if only the dtype or shape is wrong.
        bound: Largest permitted difference.
        as_mean: Whether the bound applies to the root mean square of the differences rather than to each one.
        form: Expected dtype and shape.

    """

    actual: Any
    expected: Array | None
    bound: Array | float
    form: tuple[np.dtype[Any], tuple[int, ...]]
    as_mean: bool = False


class NonConformanceError(AssertionError):
    """The implementation violated a claim.

    Attributes:
        excess: Ratio of the difference to its bound; infinite if unknown.
        comparison: The failed comparison; None if no values were compared.

    """

    def __init__(self, message: str, *, excess: float = math.inf, comparison: Comparison | None = None) -> None:
        """Create the error.

        Args:
            message: Description of what happened.
            excess: Ratio of the difference to its bound; infinite if unknown.
            comparison: The failed comparison; None if no values were compared.

        """
        super().__init__(message)
        self.excess = excess
        self.comparison = comparison

    def __reduce__(self) -> tuple[Any, ...]:
        """Omit the comparison when pickling: the implementation's values may not be picklable."""
        return type(self), self.args, {"excess": self.excess}


class UnsupportedError(Exception):
    """A test used something that the implementation declares as unsupported."""


class GroupProxy:
    """One group of an implementation, as the tests see it."""

    def __init__(
        self, name: str, make: Callable[[], object], calls: CallLog, unsupported: Collection[str] = ()
    ) -> None:
        """Wrap a group.

        Args:
            name: Name of the group.
            make: Function that returns the implementation's group, called on first use.
            calls: Log of all calls.
            unsupported: Functions and models that the implementation leaves out of the group.

        """
        self._name = name
        self._unsupported = frozenset(unsupported)
        self._make = make
        self._calls = calls

    @cached_property
    def _target(self) -> object:
        return _call_protected(f"the group {self._name}", self._make, environment=False)

    def __repr__(self) -> str:
        """Show the name, as Hypothesis prints it with a counterexample."""
        return self._name

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the contract says of the name
        """Return a function of the group, wrapped; the Keras group returns its own objects unchanged.

        Raises:
            NonConformanceError: The group was declared but lacks a function of the contract.
            UnsupportedError: The implementation declares the function as unsupported.

        """
        if name not in functions(self._name):
            raise AttributeError(name)
        if name in self._unsupported:
            raise UnsupportedError(describe_unsupported(f"{self._name}.{name}"))
        target = self._target
        value = _call_protected(f"{self._name}.{name}", lambda: getattr(target, name, ABSENT))
        if value is ABSENT:
            raise NonConformanceError(describe_missing(self._name, name))
        if self._name == "keras":
            return NamespaceProxy(f"keras.{name}", value) if name in {"namespace", "operations"} else value
        function = partial(_call, self._calls, self._name, name, value, getattr(PROTOCOLS[self._name], name))
        if self._unsupported:
            function = partial(self._call_supported, function, getattr(PROTOCOLS[self._name], name))
        # Cached, so that Python finds it without calling `__getattr__` again.
        self.__dict__[name] = function
        return function

    def _call_supported(
        self,
        function: Callable[..., Any],
        declared: Callable[..., Any],
        *args: Any,  # noqa: ANN401 - arguments of any function of the contract
        **kwargs: Any,  # noqa: ANN401 - the same
    ) -> Any:  # noqa: ANN401 - whatever it returned
        """Call a function, unless its model is declared as unsupported."""
        __tracebackhide__ = True
        arguments = inspect.signature(declared).bind(None, *args, **kwargs).arguments
        model = arguments.get("model", arguments.get("network"))
        if model in self._unsupported:
            raise UnsupportedError(describe_unsupported(f"{self._name}.{model}"))
        return function(*args, **kwargs)


class NamespaceProxy:
    """A namespace of the implementation and its submodules: a missing attribute is a failure, not an error."""

    def __init__(self, name: str, target: object) -> None:
        """Wrap a module or a similar object.

        Args:
            name: Name, for the message.
            target: The module.

        """
        self._name = name
        self._target = target

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a class, a function or a module
        """Return an attribute of the namespace, unchanged.

        Raises:
            NonConformanceError: The namespace has no such attribute.

        """
        if not hasattr(self._target, name):
            msg = f"{self._name} has no {name}"
            raise NonConformanceError(msg)
        value = getattr(self._target, name)
        return NamespaceProxy(f"{self._name}.{name}", value) if inspect.ismodule(value) else value


def describe_unsupported(entry: str) -> str:
    """Return the message that an implementation leaves out a function or a model."""
    return f"the implementation leaves out {entry}"


def describe_missing(group: str, function: str) -> str:
    """Return the message for a missing function: its signature and the claims that need it."""
    written = signature(group, function)
    lines = [f"the group {group} is declared but has no {written}"]
    lines += [f"  {name}: {fields}" for name, fields in named_tuples(written).items()]
    claims = ", ".join(claim.id for claim in find_dependent_claims(group, function))
    return "\n".join([*lines, f"  needed by: {claims}"])


def _call_protected(what: str, call: Callable[[], Any], *, environment: bool = True) -> Any:  # noqa: ANN401 - as `call` has it
    """Call the implementation, convert its errors to errors of the adapter, and restore the process state.

    Args:
        what: Name of the call, for the message.
        call: The call.
        environment: Whether environment variables are restored too. Starting a framework may set them.

    """
    state = ProcessState(environment=environment)
    try:
        try:
            return call()
        finally:
            end_copy()
            state.restore()
            time_limit.check()
    except KeyboardInterrupt as error:
        if interrupt.is_from_user():
            raise
        raise _adapter_error(what, error) from None
    except (TimeLimitError, PeerLostError) as error:
        msg = f"{what}: {error}"
        raise type(error)(msg) from None
    except PeerError as error:  # The stack of this process has no information about the other one.
        msg = f"{what} answered with an error: {without_middle(str(error))}"
        raise AdapterError(msg) from error
    except BaseException as error:  # noqa: BLE001 - an exit or a pytest skip must not end a claim
        # An exception that cannot be shown must not be the cause, as the cause is shown with the error.
        raise _adapter_error(what, error) from (error if is_printable(error) and not _is_deep(error) else None)


# Showing a deeper stack takes minutes.
_DEEPEST = 10_000


def _is_deep(error: BaseException) -> bool:
    return sum(1 for _ in islice(traceback.walk_tb(error.__traceback__), _DEEPEST)) == _DEEPEST


def _adapter_error(what: str, error: BaseException) -> AdapterError:
    where = plain("".join(traceback.format_tb(error.__traceback__, -3)))
    return AdapterError(f"{what} raised {describe_error(error)}\n{where}".rstrip())


def _call(
    calls: CallLog,
    group: str,
    function_name: str,
    function: Callable[..., Any],
    declared: Callable[..., Any],
    /,
    *args: Any,  # noqa: ANN401 - arguments of any function of the contract
    **kwargs: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401 - whatever it returned
    __tracebackhide__ = True
    name = f"{group}.{function_name}"
    call = Call(group, function_name, args, kwargs)
    calls.add(call)
    lent = calls.arguments.lend((copy_arguments(args), copy_arguments(kwargs)), name, calls.turns[name])
    given, named = lent
    result = _call_protected(name, lambda: function(*given, **named))
    call.result = result
    if not are_same((given, named), (args, kwargs)):
        msg = f"{name} changed an array that it was given"
        raise NonConformanceError(msg)
    if not matches(declared, result):
        msg = (
            f"{name} returned {describe_type(result)}, where the contract asks for {declared.__annotations__['return']}"
        )
        raise AdapterError(msg)
    calls.arguments.take_back(lent, result)
    return result


def start(implementation: Implementation, device: str, threads: int | None) -> str:
    """Start an implementation, and pass the number of threads if its `start` accepts it."""
    if threads is not None and "threads" in inspect.signature(implementation.start).parameters:
        return implementation.start(device, threads=threads)  # type: ignore[call-arg]  # as its signature says
    return implementation.start(device)


class ImplementationProxy:
    """An implementation as the tests see it: started, each group behind a proxy.

    Attributes:
        device: Name of the device that it started on.
        calls: Log of the calls of the current case.

    """

    def __init__(self, load: Callable[[], Implementation], device: str, *, threads: int | None = None) -> None:
        """Load and start an implementation.

        Args:
            load: Function that returns the implementation.
            device: Device to start it on.
            threads: Number of threads to use; None lets the implementation decide.

        Raises:
            AdapterError: Loading or starting failed.

        """
        implementation = _call_protected("importing the implementation", load, environment=False)
        started = _call_protected("start()", lambda: start(implementation, device, threads), environment=False)
        self.device = plain(started)
        self._implementation = implementation
        self.calls = CallLog()
        unsupported = [str(entry).partition(".") for entry in getattr(implementation, "unsupported", ())]
        self._groups = {
            name: GroupProxy(
                name,
                partial(getattr, implementation, name),
                self.calls,
                {part for group, _, part in unsupported if group == name},
            )
            for name in implementation.groups
        }

    def group(self, name: str) -> GroupProxy:
        """Return the proxy of a declared group."""
        return self._groups[name]

    def stop(self) -> None:
        """Stop a peer. An implementation in this process ends with the process."""
        if isinstance(self._implementation, PeerImplementation):
            self._implementation.stop()
