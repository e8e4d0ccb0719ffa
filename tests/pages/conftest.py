"""A browser for the pages, and the stand-in that they talk to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.pages.stand_in import StandIn, standing_in
from tests.support.chromium import ARGUMENTS, CHROMIUM

PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as browser:
        yield browser


@pytest.fixture
def tool() -> Iterator[StandIn]:
    with standing_in() as world:
        yield world


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh visitor. A complaint of the page's own code, the CSP's too, fails the test that caused it."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1000, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def page_without_storage(playwright: Playwright, tmp_path: Path) -> Iterator[Page]:
    """A visitor whose browser blocks all site data: touching sessionStorage throws."""
    preferences = tmp_path / "Default" / "Preferences"
    preferences.parent.mkdir()
    preferences.write_text('{"profile": {"default_content_setting_values": {"cookies": 2}}}')
    with playwright.chromium.launch_persistent_context(
        tmp_path, executable_path=CHROMIUM, args=ARGUMENTS, locale="en-GB"
    ) as context:
        context.set_default_timeout(PATIENCE_MS)
        yield context.pages[0]
