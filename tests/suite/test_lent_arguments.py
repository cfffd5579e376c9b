"""Arguments that later calls have again with other values in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from doubles.badly_behaved import Ops, with_ops

from assay.adapters.proxy import GroupProxy, ImplementationProxy

if TYPE_CHECKING:
    from assay.contract import Array

# A vector has one order in memory. No other test has vectors of this length.
ONES, TWOS = np.full(677, 1, np.float32), np.full(677, 2, np.float32)


def lend_to(function: str, answer: Any) -> tuple[GroupProxy, list[Array]]:
    """Return a group of operations of which one keeps what it is handed, and the list of that.

    Args:
        function: Name of the operation.
        answer: Function from the argument to the result.

    """
    seen: list[Array] = []

    def operation(_self: Ops, inputs: Array, *_: Any) -> Array:
        seen.append(inputs)
        return answer(inputs)

    group = ImplementationProxy(lambda: with_ops(**{function: operation}), "cpu").group("ops")
    return group, seen


def test_an_array_is_handed_over_again_with_other_values() -> None:
    group, seen = lend_to("relu", np.copy)
    results = [group.relu(values) for values in (ONES, TWOS, ONES, TWOS)]
    assert [seen[0] is seen[1], seen[1] is seen[2], seen[2] is seen[3]] == [False, True, False]
    assert [result.tolist() for result in results] == [ONES.tolist(), TWOS.tolist()] * 2
    assert ONES.max() == 1


def test_what_a_result_is_a_view_of_stays() -> None:
    group, seen = lend_to("relu", lambda inputs: inputs[::-1])
    first, second, *_ = (group.relu(values) for values in (ONES, TWOS, ONES, TWOS))
    assert len({id(one) for one in seen}) == len(seen)
    assert (first.tolist(), second.tolist()) == (ONES.tolist(), TWOS.tolist())


def test_two_arrays_of_one_form_are_two() -> None:
    handed: list[tuple[Array, Array]] = []

    def cross_entropy(_self: Ops, targets: Array, probabilities: Array) -> Array:
        handed.append((targets, probabilities))
        return targets[:1] + 2 * probabilities[:1]

    operations = with_ops(categorical_crossentropy=cross_entropy)
    group = ImplementationProxy(lambda: operations, "cpu").group("ops")
    group.categorical_crossentropy(ONES, TWOS)
    group.categorical_crossentropy(ONES, TWOS)
    found = group.categorical_crossentropy(TWOS, ONES)
    assert handed[1][0] is handed[2][0]
    assert handed[2][0] is not handed[2][1]
    assert found.tolist() == [4]
