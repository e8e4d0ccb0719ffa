"""Launches in a cross-site frame, whatever the browser makes of cookies; headless Chromium with its own settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import pytest
import requests
from playwright.sync_api import BrowserContext, Frame, Page, Playwright, Request, Route, expect

from tests.e2e.world import World, eventually
from tests.support.chromium import ARGUMENTS, CHROMIUM

pytestmark = pytest.mark.e2e
PATIENCE_MS = 20_000
BLOCKED = {"setting": 2}
Found = TypeVar("Found")


@contextmanager
def browser(playwright: Playwright, profile: Path, settings: dict[str, Any]) -> Iterator[BrowserContext]:
    """A browser whose owner has made these settings."""
    (profile / "Default").mkdir(parents=True)
    (profile / "Default" / "Preferences").write_text(json.dumps({"profile": settings}), encoding="utf-8")
    context = playwright.chromium.launch_persistent_context(
        str(profile),
        executable_path=CHROMIUM,
        args=ARGUMENTS,
    )
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    try:
        yield context
    finally:
        context.close()


def third_party_blocked(_: World) -> dict[str, Any]:
    return {"cookie_controls_mode": 1, "block_third_party_cookies": True}


def all_blocked(world: World) -> dict[str, Any]:
    """The tool may keep nothing, neither in a frame nor in a window of its own."""
    return {"content_settings": {"exceptions": {"cookies": {f"{world.tool_url},*": BLOCKED}}}}


def opens_first_activity(page: Page, world: World, profile: str) -> None:
    course = world.control(f"{profile}/courses")["courses"][0]
    page.goto(f"{world.campus_url}/{profile}/courses/{course['id']}?as=teacher")
    page.get_by_role("link", name="Open here: First activity").click()


def landed(page: Page) -> Frame:
    """The tool's frame, once it shows a landing page."""
    return eventually(lambda: pumped(page, next((frame for frame in page.frames if "/app/marks" in frame.url), None)))


def answers_of(context: BrowserContext) -> list[dict[str, str]]:
    """The platform's answers that this browser posts to the tool, as they pass."""
    seen: list[dict[str, str]] = []

    def sees(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/lti/launch"):
            seen.append(dict(parse_qsl(request.post_data or "")))

    context.on("request", sees)
    return seen


def refused_elsewhere(world: World, answer: dict[str, str]) -> bool:
    """Whether a second browser that got hold of the same answer opens nothing with it."""
    launched = requests.post(f"{world.tool_url}/lti/launch", data=answer, timeout=30)
    forged = {"state": answer["state"], "id_token": answer["id_token"], "storage_secret": "guessed"}
    finished = requests.post(f"{world.tool_url}/lti/launch/finish", data=forged, timeout=30)
    return 'id="launch"' not in launched.text + finished.text and finished.status_code == 401


def test_partitioned_cookies_do_where_third_party_ones_are_blocked(
    playwright: Playwright, world: World, tmp_path: Path
) -> None:
    with browser(playwright, tmp_path / "profile", third_party_blocked(world)) as context:
        page, answers = context.new_page(), answers_of(context)
        opens_first_activity(page, world, "moodle")
        frame = landed(page)
        expect(frame.get_by_role("heading", level=1)).to_be_visible()

        unpartitioned = frame.evaluate(
            "document.cookie = 'a=b; Secure; SameSite=None', document.cookie.includes('a=b')"
        )

    assert not unpartitioned
    assert refused_elsewhere(world, answers[0])


def test_platform_storage_does_where_all_cookies_are_blocked(
    playwright: Playwright, world: World, tmp_path: Path
) -> None:
    with browser(playwright, tmp_path / "profile", all_blocked(world)) as context:
        page, answers = context.new_page(), answers_of(context)
        held: list[Route] = []
        context.route("**/lti/launch/finish", lambda route: held.append(route))
        opens_first_activity(page, world, "canvas")
        eventually(lambda: pumped(page, held) or None)

        assert refused_elsewhere(world, answers[0])  # before the first browser has spent it
        held[0].continue_()
        frame = landed(page)
        expect(frame.get_by_role("heading", level=1)).to_be_visible()
        assert "session" not in frame.url
    assert refused_elsewhere(world, answers[0])


def test_one_click_opens_a_window_where_nothing_else_does(playwright: Playwright, world: World, tmp_path: Path) -> None:
    with browser(playwright, tmp_path / "profile", all_blocked(world)) as context:
        page, answers = context.new_page(), answers_of(context)
        opens_first_activity(page, world, "moodle")
        with context.expect_page() as opening:
            page.frame_locator("[data-testid=tool-frame]").get_by_role("button", name="Open in a new window").click()
        window = opening.value

        expect(window.get_by_role("heading", level=1)).to_be_visible()
        assert window.url.startswith(f"{world.tool_url}/app/marks?launch=")
        assert "session" not in window.url
    assert len(answers) == 1
    assert refused_elsewhere(world, answers[0])


def test_two_frames_on_one_page_stay_two_peoples_launches(playwright: Playwright, world: World, tmp_path: Path) -> None:
    course = world.control("canvas/courses")["courses"][1]
    placed = world.control(
        f"canvas/courses/{course['id']}/activities",
        {"title": "Both", "custom": {"activity_id": "photosynthesis"}, "score_maximum": 15},
    )
    people = {member["user"]: member["user_id"] for member in course["members"]}
    with browser(playwright, tmp_path / "profile", third_party_blocked(world)) as context:
        page = context.new_page()
        address = f"{world.campus_url}/canvas/courses/{course['id']}/two"
        page.goto(f"{address}?as=student1&and=student2&activity={placed['id']}")
        for user in ("student1", "student2"):
            inside = page.get_by_test_id(f"tool-frame-{user}").content_frame
            expect(inside.get_by_role("heading", name="Photosynthesis")).to_be_visible()

        shown = [whoami(frame) for frame in page.frames if "/app/activity" in frame.url]

    assert sorted(shown) == sorted((people["student1"], people["student2"]))


def whoami(frame: Frame) -> str:
    """Whose launch the frame's own token opens."""
    user: str = frame.evaluate(
        """async () => {
          const launch = new URLSearchParams(location.search).get("launch");
          const authorization = `Bearer ${sessionStorage.getItem("lti:" + launch)}`;
          return (await (await fetch("/api/session", { headers: { authorization } })).json()).user.id;
        }"""
    )
    return user


def pumped(page: Page, found: Found) -> Found:
    """Let the browser's events arrive between two looks."""
    page.evaluate("0")
    return found
