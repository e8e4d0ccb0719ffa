"""The whole story by clicking, in headless Chromium: what a student and a teacher do, and what they see."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, Playwright, expect

from tests.e2e.world import World
from tests.support.chromium import ARGUMENTS, CHROMIUM

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "campus.png"
PROFILES = ("canvas", "moodle")
PATIENCE_MS = 30_000  # the first visit starts every function, on a machine that other tests use as well


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    opened = context.new_page()
    yield opened
    context.close()


def goes_to_course(page: Page, world: World, profile: str, user: str) -> None:
    course = world.control(f"{profile}/courses")["courses"][0]
    page.goto(f"{world.campus_url}/{profile}/courses/{course['id']}?as={user}")


def the_tool(page: Page) -> FrameLocator:
    return page.frame_locator("[data-testid=tool-frame]")


@pytest.mark.parametrize("profile", PROFILES)
def test_a_teacher_picks_two_activities_and_a_student_earns_a_mark(page: Page, world: World, profile: str) -> None:
    goes_to_course(page, world, profile, "teacher")
    page.get_by_role("link", name="Add activities from the tool").click()
    picker = the_tool(page)
    picker.get_by_role("checkbox", name="Capitals and rivers").check()
    picker.get_by_role("checkbox", name="Photosynthesis").check()
    picker.get_by_role("button", name="Add to course").click()
    expect(page.get_by_role("link", name="Open here: Capitals and rivers").last).to_be_visible()
    expect(page.get_by_role("link", name="Open here: Photosynthesis").last).to_be_visible()

    goes_to_course(page, world, profile, "student1")
    page.get_by_role("link", name="Open here: Capitals and rivers").last.click()
    activity = the_tool(page)
    expect(activity.get_by_role("heading", name="Capitals and rivers")).to_be_visible()
    activity.get_by_role("radio", name="Oslo").check()
    activity.get_by_role("button", name="Submit").click()
    activity.get_by_role("button", name="Submit anyway").click()
    expect(activity.get_by_text("You have 2 of 10")).to_be_visible()
    expect(activity.get_by_text("Your teacher's gradebook has it.")).to_be_visible()

    goes_to_course(page, world, profile, "teacher")
    row = page.get_by_test_id("gradebook").get_by_role("row").filter(has_text="Amina Yusuf")
    expect(row).to_contain_text("2/10")
    page.get_by_role("link", name="Open here: Capitals and rivers").last.click()
    marks = the_tool(page)
    expect(marks.get_by_role("row").filter(has_text="Amina Yusuf")).to_contain_text("In the gradebook")


def test_an_activity_opens_in_a_new_window_as_well(page: Page, world: World) -> None:
    goes_to_course(page, world, "moodle", "teacher")
    with page.context.expect_page() as opening:
        page.get_by_role("link", name="Open in a new window: First activity").click()

    window = opening.value

    expect(window.get_by_role("heading", level=1)).to_be_visible()
    assert window.url.startswith(f"{world.tool_url}/app/marks?launch=")
    assert "session" not in window.url


def test_the_readme_shows_campus(page: Page, world: World) -> None:
    """The picture in the README is drawn anew by UPDATE_PICTURES=1."""
    goes_to_course(page, world, "canvas", "student2")
    page.get_by_role("link", name="Open here: Capitals and rivers").last.click()
    expect(the_tool(page).get_by_role("radio", name="Oslo")).to_be_visible()

    if os.environ.get("UPDATE_PICTURES"):
        page.screenshot(path=PICTURE)

    assert "docs/campus.png" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert PICTURE.read_bytes().startswith(b"\x89PNG")
