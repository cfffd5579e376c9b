"""The last calls of a test: what the implementation was given and what it answered."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

from assay.adapters.lent_arguments import LentArguments

# As many as a failure can show. A test that makes more of them keeps the last ones.
MOST_CALLS = 24


class NotReturned:
    """Stands for the result of a call that has not returned."""


NOT_RETURNED = NotReturned()


class Call:
    """One call of a function of the contract.

    The test's own arrays are kept, which the implementation never sees: it gets copies. So nothing is copied here.

    Attributes:
        group: Name of the group.
        function: Name of the function.
        args: Positional arguments.
        kwargs: Named arguments.
        result: What was returned; `NOT_RETURNED` if the call raised.

    """

    __slots__ = ("args", "function", "group", "kwargs", "result")

    def __init__(self, group: str, function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note what is about to be called."""
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
        """Whether the call came back with a result."""
        return self.result is not NOT_RETURNED


class CallLog:
    """The calls of the case that runs now.

    Attributes:
        case: Arguments of the test in this case, by name.
        calls: Calls, the last one last.
        total: Number of calls of the case, those that are no longer kept included.
        failed: Calls of the last case that failed: Hypothesis tries it again, and then it may hold.
        turns: Number of calls of each function in the test.
        arguments: Arguments of earlier calls, which later calls have again.

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
        """Forget the calls of the test before."""
        self.start_case({})
        self.failed.clear()
        self.turns.clear()

    def start_case(self, arguments: Mapping[str, Any]) -> None:
        """Forget the calls of the case before: a test that Hypothesis drives has many cases.

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
        """Note a call before it is made."""
        self.calls.append(call)
        self.total += 1
        self.turns[call.name] += 1
