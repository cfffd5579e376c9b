"""A plugin of pytest that records what each test of a claim calls of the implementation, in one example of each.

What a fixture of the session calls counts for every test that asks for the fixture, and what `compute_once` computes,
or a cached function, for every test that asks for its result.
"""

# The proxies keep no record themselves.
# ruff: noqa: SLF001

from __future__ import annotations

import functools
import json
import os
from collections import defaultdict
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import hypothesis
import pytest

import assay
from assay.adapters import argument_copies, proxy
from assay.contract import GROUPS
from assay.runner import fixtures
from assay.runner.stash import claims_of
from doubles.coverage import Recording

# What is being done at the moment, the innermost last: a test, fixtures, work that is done once.
STACK: list[set[str]] = [set()]
FIXTURES: dict[str, set[str]] = defaultdict(set)
WORKS: dict[str, set[str]] = defaultdict(set)
TESTS: list[dict[str, object]] = []
RECORDING = Recording()
# The folder of the repository.
OURS = Path(assay.__file__).resolve().parents[1]


def _record(name: str) -> None:
    for calls in STACK:
        calls.add(name)


_call, _getattr, _compute_once = proxy._call, proxy.GroupProxy.__getattr__, fixtures.once_in
_copy_array = argument_copies._copy_array


def _recorded_call(calls, group, name, function, declared, /, *arguments, **options):
    _record(f"{group}.{name}")
    RECORDING.add(f"{group}.{name}", arguments, options)
    try:
        return _call(calls, group, name, function, declared, *arguments, **options)
    finally:
        RECORDING.end_call()


def _recorded_copy(array):
    copy = _copy_array(array)
    RECORDING.add_order(copy)
    return copy


def _recorded_attribute(group, name):
    value = _getattr(group, name)
    if group._name != "keras":
        return value
    _record(f"keras.{name}")
    if name in {"namespace", "operations"}:
        return value

    def call(*arguments, **options):
        RECORDING.add(f"keras.{name}", arguments, options)
        return value(*arguments, **options)

    return call


@contextmanager
def _into(calls):
    """Record into a set, and record again what an earlier time has put into it."""
    STACK.append(calls)
    try:
        yield
    finally:
        STACK.pop()
        for call in calls:
            _record(call)


def _recorded_work(folder, name, work):
    with _into(WORKS[name]):
        return _compute_once(folder, name, work)


def _recorded_cache(function):
    cached = functools.lru_cache(maxsize=None)(function)
    # Frameworks keep caches, too, and call methods of theirs; they call nothing of an implementation.
    code = getattr(function, "__code__", None)
    if code is None or not Path(code.co_filename).is_relative_to(OURS):
        return cached
    calls = defaultdict(set)

    @functools.wraps(function)
    def call(*arguments, **options):
        with _into(calls[arguments, tuple(options.items())]):
            return cached(*arguments, **options)

    return call


# Before the tests are imported.
functools.cache = _recorded_cache
proxy._call, proxy.GroupProxy.__getattr__, fixtures.once_in = _recorded_call, _recorded_attribute, _recorded_work
argument_copies._copy_array = _recorded_copy


@pytest.hookimpl(trylast=True)
def pytest_configure():
    """Try a single example of each test: another one calls the same functions."""
    hypothesis.settings.register_profile("one", max_examples=1, deadline=None, database=None)
    hypothesis.settings.load_profile("one")


def _key(fixturedef):
    """Return where a fixture is defined, and its name, which fixtures of other files may have, too."""
    return f"{fixturedef.baseid}::{fixturedef.argname}"


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef):
    """Record what a fixture calls."""
    with _into(FIXTURES[_key(fixturedef)]):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Record what a test calls, itself or by its fixtures."""
    STACK.append(set())
    RECORDING.begin_test()
    result = yield
    definitions = chain.from_iterable(item._fixtureinfo.name2fixturedefs.values())
    calls = STACK.pop().union(*(FIXTURES[_key(one)] for one in definitions))
    TESTS.append({"claims": [claim.id for claim in claims_of(item)], "test": item.name, "calls": sorted(calls)})
    return result


def pytest_collection_finish(session):
    """Keep the groups that tests ask for."""
    for item in session.items if session.config.option.collectonly else ():
        parameters = item.callspec.params if hasattr(item, "callspec") else ()
        groups = [name for name in item.fixturenames if name in GROUPS and name not in parameters]
        TESTS.append({"claims": [claim.id for claim in claims_of(item)], "test": item.name, "groups": groups})


def pytest_unconfigure():
    """Write what was recorded."""
    Path(os.environ["CALLS"]).write_text(
        json.dumps({"tests": TESTS, "functions": RECORDING.to_json()}), encoding="utf-8"
    )
