"""Log of the last calls of a test: arguments and results."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

from assay.adapters.lent_arguments import LentArguments

# Number of calls that are kept, the last ones of a case. A failure can show as many.
MOST_CALLS = 24


class NotReturned:
    """Placeholder for the result of a call that has not returned."""


NOT_RETURNED = NotReturned()


class Call:
    """One call of a function of the contract.

    It keeps the test's own arrays without copying, as the implementation only receives copies of them.

    Attributes:
        group: Name of the group.
        function: Name of the function.
        args: Positional arguments.
        kwargs: Named arguments.
        result: Returned value; `NOT_RETURNED` if the call raised.

    """

    __slots__ = ("args", "function", "group", "kwargs", "result")

    def __init__(self, group: str, function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Record the function and arguments of a call."""
        self.group = group
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.result: Any = NOT_RETURNED

    @property
    def name(self) -> str:
        """The function as claims name it, such as `ops.dense`."""
        return f"{self.group}.{self.function}"

    @property
    def returned(self) -> bool:
        """Whether the call returned a result."""
        return self.result is not NOT_RETURNED


class CallLog:
    """The calls of the current case.

    Attributes:
        case: Arguments of the test in this case, by name.
        calls: Calls, latest last.
        total: Number of calls of the case, including those that are no longer kept.
        failed: Calls of the last failed case, since it may pass when Hypothesis repeats it.
        turns: Number of calls of each function in the test.
        arguments: Argument buffers of earlier calls, which later calls reuse.

    """

    def __init__(self) -> None:
        """Start without calls."""
        self.case: Mapping[str, Any] = {}
        self.calls: deque[Call] = deque(maxlen=MOST_CALLS)
        self.total = 0
        self.failed: list[Call] = []
        self.turns: Counter[str] = Counter()
        self.arguments = LentArguments()

    def start_test(self) -> None:
        """Forget the calls of the previous test."""
        self.start_case({})
        self.failed.clear()
        self.turns.clear()

    def start_case(self, arguments: Mapping[str, Any]) -> None:
        """Forget the calls of the previous case, since a Hypothesis test has many cases.

        Args:
            arguments: Arguments of the test, by name.

        """
        self.case = arguments
        self.calls.clear()
        self.total = 0

    def note_failure(self) -> None:
        """Keep the calls of a case that has failed."""
        self.failed = [*self.calls]

    def add(self, call: Call) -> None:
        """Record a call before it is made."""
        self.calls.append(call)
        self.total += 1
        self.turns[call.name] += 1
