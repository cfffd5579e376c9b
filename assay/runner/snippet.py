"""Programs that reproduce a failure: they call the implementation and compare, without pytest and Hypothesis."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from assay.adapters.argument_copies import copy_arguments
from assay.adapters.calls import Call
from assay.adapters.proxy import Comparison, GroupProxy
from assay.contract import GROUPS
from assay.runner.shown_values import UnwritableError, Writer, is_test_module, parts

# Replacements of the runner's fixtures in a program, by name.
FIXTURES = {
    "evidence": "lambda **_: None",
    "compute_once": "lambda name, work: work()",
}


@dataclass(frozen=True)
class Target:
    """The implementation that a snippet calls.

    Attributes:
        name: Name on the command line.
        device: Device to start it on.
        seed: Seed of the run.

    """

    name: str
    device: str
    seed: int


@dataclass(frozen=True)
class Snippet:
    """A program and the arrays that it loads.

    Attributes:
        text: Program; `{arrays}` stands for the path of the file of arrays, if any.
        arrays: Arrays by name.

    """

    text: str
    arrays: Mapping[str, Any]


def find_result(calls: Sequence[Call], value: object) -> tuple[int, str] | None:
    """Find the last call that returned a value.

    Args:
        calls: Calls of the case.
        value: What a test compared.

    Returns:
        The number of the call and the path from its result to the value; None if the value was computed from results.

    """
    for number in reversed(range(len(calls))):
        if calls[number].returned:
            for path, part in parts(calls[number].result):
                if part is value:
                    return number, path
    return None


def compare_result(
    target: Target, calls: Sequence[Call], found: tuple[int, str], comparison: Comparison
) -> Snippet | None:
    """Write the program that makes the calls of a case, and compares one result as the test did.

    Args:
        target: Implementation.
        calls: Calls of the case.
        found: Number of the call whose result is compared, and the path to the value.
        comparison: What the test compared.

    Returns:
        The program; None if a value cannot be written.

    """
    number, path = found
    writer = Writer()
    try:
        lines = [*_calls(writer, calls, number, "" if path else "result", also_used=comparison.expected)]
        if path:
            lines.append(f"result = {_name(number)}{path}")
        lines += ["", *_comparison(writer, comparison)]
    except UnwritableError:
        return None
    return _program(target, writer, lines)


def make_last_call(target: Target, calls: Sequence[Call]) -> Snippet | None:
    """Write the program that makes the calls of a case, whose last call raised or changed its arguments."""
    writer, last = Writer(), len(calls) - 1
    try:
        lines = [*_calls(writer, calls[:last], -1)]
        call = calls[last]
        arguments = f"({''.join(f'{writer.write(copy_arguments(each))}, ' for each in call.args)})"
        options = writer.write(call.kwargs)
    except UnwritableError:
        return None
    writer.imports.add("import copy")
    lines += [
        f"arguments, options = {arguments}, {options}",
        "before = copy.deepcopy((arguments, options))",
        f"result = implementation.{call.name}(*arguments, **options)",
        'print("returned:", result)',
        'print("arguments before:", before)',
        'print("arguments after: ", (arguments, options))',
    ]
    return _program(target, writer, lines)


def repeat_test(
    target: Target,
    function: Callable[..., Any],
    module: ModuleType,
    arguments: Mapping[str, Any],
    fixtures: Mapping[str, Callable[..., Any]],
    claim: str,
) -> Snippet | None:
    """Write the program that calls the test itself, for tests that compute something from several results.

    Args:
        target: Implementation.
        function: Test.
        module: Module of the test.
        arguments: Arguments of the case, by name.
        fixtures: Functions of the fixtures that the test uses, by name.
        claim: Id of the claim.

    Returns:
        The program; None if an argument cannot be written.

    """
    writer = Writer(module)
    statements: dict[str, str] = {}

    def write_arguments(called: Callable[..., Any]) -> str:
        """Return the arguments of a test or a fixture, after writing the fixtures that it needs."""
        return ", ".join(f"{name}={write_value(name)}" for name in inspect.signature(called).parameters)

    def write_value(name: str) -> str:
        if name in statements:
            return name
        if (replacement := _replace_fixture(writer, target, name, claim)) is not None:
            return replacement
        if isinstance(arguments.get(name), GroupProxy) or (name in fixtures and name in GROUPS):
            return f'implementation.group("{name}")'
        if name in fixtures and is_test_module(inspect.getmodule(fixtures[name])):
            writer.imports.add("from assay.testing.fixtures import unwrap_fixture")
            fixture = writer.name_in(inspect.getmodule(fixtures[name]), name)
            # The fixtures that it needs come first.
            statements[name] = f"{name} = unwrap_fixture({fixture})({write_arguments(fixtures[name])})"
            return name
        if name not in arguments:
            raise UnwritableError(name)
        return writer.write(arguments[name])

    inner = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    # Hypothesis keeps a reference to the original test.
    test = f"{writer.name_in(module, function.__name__)}{'' if inner is function else '.hypothesis.inner_test'}"
    try:
        names = {name: write_value(name) for name in inspect.signature(inner).parameters}
    except UnwritableError:
        return None
    words = [f"    {name}={_indent(value)}," for name, value in names.items()]
    writer.imports.add("from assay.adapters.proxy import ImplementationProxy")
    return _program(target, writer, [*statements.values(), f"{test}(", *words, ")"], proxied=True)


def _replace_fixture(writer: Writer, target: Target, name: str, claim: str) -> str | None:
    """Return the expression that replaces a fixture of the runner."""
    if name == "seed":
        return str(target.seed)
    if name == "permitted":
        writer.imports |= {
            "from assay.specification.claims import specification",
            "from assay.testing.permitted import Results",
        }
        return f"Results(specification().claims[{claim!r}])"
    return FIXTURES.get(name)


def _name(number: int) -> str:
    return f"result_{number + 1}"


def _calls(
    writer: Writer,
    calls: Sequence[Call],
    compared: int,
    name_of_compared: str = "",
    also_used: object = None,
) -> Iterator[str]:
    """Yield the statements that make the calls in order. A result gets a name if it is used later.

    Args:
        writer: Writer of the program.
        calls: Calls of the case.
        compared: Number of the call whose result is compared; -1 for none.
        name_of_compared: Name of that result; by default that of its call.
        also_used: Value that is used after the calls, which may be the result of one.

    """
    used = {id(part) for call in calls for part in _all_parts(call)} | {id(also_used)}
    for number, call in enumerate(calls):
        words = [writer.write(copy_arguments(each) if _is_new(writer, each) else each) for each in call.args]
        words += [f"{name}={writer.write(value)}" for name, value in call.kwargs.items()]
        one_line = f"implementation.{call.name}({', '.join(words)})"
        statement = one_line if len(one_line) < 70 and "\n" not in one_line else _break_lines(call.name, words)  # noqa: PLR2004 - characters
        name = (name_of_compared if number == compared else "") or _name(number)
        if not call.returned:
            # The test expects an error.
            writer.imports.add("import contextlib")
            yield f"with contextlib.suppress(Exception):\n    {_indent(statement)}"
            continue
        is_used = number == compared or any(id(part) in used for _, part in parts(call.result))
        yield f"{name} = {statement}" if is_used else statement
        writer.know(call.result, name)


def _all_parts(call: Call) -> Iterator[object]:
    for value in (*call.args, *call.kwargs.values()):
        for _, part in parts(value):
            if isinstance(part, np.ndarray | dict | tuple | list):
                yield part


def _is_new(writer: Writer, value: object) -> bool:
    """Whether no part of a value is a result of an earlier call, so the value is written in full."""
    return not any(writer.knows(part) for _, part in parts(value))


def _break_lines(name: str, words: Sequence[str]) -> str:
    inside = "".join(f"    {_indent(word)},\n" for word in words)
    return f"implementation.{name}(\n{inside})"


def _indent(text: str) -> str:
    return text.replace("\n", "\n    ")


def _comparison(writer: Writer, comparison: Comparison) -> Iterator[str]:
    """Yield the statements that compare a result as the test did, and end the program with 1 if it is wrong."""
    dtype, shape = comparison.form
    if comparison.expected is None:
        yield 'print("returned:", np.asarray(result).dtype, np.shape(result))'
        yield f'print("expected:", "{dtype}", {shape})'
        yield f'raise SystemExit((np.asarray(result).dtype, np.shape(result)) != (np.dtype("{dtype}"), {shape}))'
        return
    yield f"expected = {writer.write(np.asarray(comparison.expected))}"
    bound = np.asarray(comparison.bound, np.float64)
    same = bound.size > 0 and bool(np.all(bound == bound.flat[0]))
    yield f"allowed = {writer.write(bound.flat[0].item() if same else bound)}"
    yield 'print("returned:", result)'
    yield 'print("expected:", expected)'
    if comparison.as_mean:
        writer.imports.add("from assay.spec.error_bounds.measured_bounds import compare_to_bound")
        yield "times = compare_to_bound(np.asarray(result, np.float64) - expected, allowed)"
        yield 'print("root mean square of the difference:", times, "times the allowed one")'
        yield "raise SystemExit(not times <= 1)"
        return
    yield "difference = np.abs(np.asarray(result, np.float64) - expected)"
    yield "wrong = ~((difference <= allowed) | (np.asarray(result) == expected))"
    yield 'print("off by:", np.max(difference), "allowed:", np.max(allowed))'
    yield 'print(np.sum(wrong), "of", np.size(wrong), "elements are wrong")'
    yield "raise SystemExit(bool(np.any(wrong)))"


def _program(target: Target, writer: Writer, lines: Sequence[str], *, proxied: bool = False) -> Snippet:
    imports = sorted({"import numpy as np", "from assay.adapters.loading import load", *writer.imports}, key=_place)
    if proxied:
        begin = [f"implementation = ImplementationProxy(lambda: load({target.name!r}), {target.device!r})"]
    else:
        begin = [f"implementation = load({target.name!r})", f"implementation.start({target.device!r})"]
    if writer.arrays:
        begin.append("arrays = np.load({arrays})")
    return Snippet("\n".join([*imports, "", *begin, "", *lines, ""]), writer.arrays)


def _place(statement: str) -> tuple[int, str]:
    """Return the sorting key of an import: standard library, third party, then Assay, as linters sort them."""
    module = statement.split()[1].partition(".")[0]
    return (2 if module == "assay" else 1 if module == "numpy" else 0, statement)
