from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Error, Page

from tests.e2e.world import World, local_stack
from tests.support.fixtures import platform as platform
from tests.support.fixtures import stack as stack
from tests.support.fixtures import standing_stack as standing_stack


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test with a page says what each of its frames shows: a frame's content stands in no locator's error."""
    report = yield
    page = item.funcargs.get("page")
    if report.when == "call" and report.failed and isinstance(page, Page):
        report.sections.append(("what the frames show", "\n\n".join(shown(page))))
    return report


def shown(page: Page) -> Iterator[str]:
    for frame in page.frames:
        try:
            yield f"{frame.url}\n{frame.locator('body').inner_text(timeout=2_000)}"
        except Error as error:
            yield f"{frame.url}\n({error.message.splitlines()[0]})"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world for each file: what one places in a course, another does not find there."""
    with local_stack(tmp_path_factory.mktemp("world")) as running:
        yield running
