"""Fixtures that several folders share; their conftest files name the ones they want."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from lti_tool.runtime import telemetry
from tests.support.browser import Browser
from tests.support.platform import Platform, serving
from tests.support.stack import Stack, standing

Logged = Callable[[], str]


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


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Logged]:
    """What the tool wrote so far, log lines and metrics, as CloudWatch would get it."""
    with log_lines() as stream:
        yield lambda: stream.getvalue() + capsys.readouterr().out


@contextmanager
def log_lines() -> Iterator[io.StringIO]:
    """The logger's lines from now on; metrics are printed, and not among them."""
    stream = io.StringIO()
    handlers = [found for found in telemetry.logger().handlers if isinstance(found, logging.StreamHandler)]
    before = [handler.stream for handler in handlers]  # an earlier test's may be closed by now, so nothing is flushed
    for handler in handlers:
        handler.stream = stream
    yield stream
    for handler, usual in zip(handlers, before, strict=True):
        handler.stream = usual
