"""Fixtures that several folders share; their conftest files name the ones they want."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.browser import Browser
from tests.support.platform import Platform, serving
from tests.support.stack import Stack, standing


@pytest.fixture(scope="module")
def standing_stack() -> Iterator[Stack]:
    with standing() as stack:
        yield stack


@pytest.fixture
def stack(standing_stack: Stack) -> Stack:
    """An empty cloud, and a tool that has just started."""
    standing_stack.begin_again()
    return standing_stack


@pytest.fixture
def platform(stack: Stack) -> Iterator[Platform]:
    """A platform that the tool knows; the catalogue is filled."""
    with serving() as found:
        stack.knows(found.registration())
        stack.offers()
        yield found


@pytest.fixture
def browser() -> Browser:
    return Browser()
