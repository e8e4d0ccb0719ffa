"""What every folder may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.support.chromium import CHROMIUM, MISSING


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The driver of the browser: a process can have one only."""
    if CHROMIUM is None:
        pytest.skip(MISSING)
    with sync_playwright() as started:
        yield started
