"""A vendor's own app: a launch goes on to it, and its score reaches the gradebook."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from playwright.sync_api import Page, expect

from tests.e2e.test_browser import browser as browser
from tests.e2e.test_browser import goes_to_course, the_tool
from tests.e2e.test_browser import page as page
from tests.e2e.test_story import send_to_queue
from tests.e2e.world import Visitor, World, eventually, form_of
from tests.support.stack import ROOT

pytestmark = pytest.mark.e2e
EXAMPLE = ROOT / "examples" / "vendor_app"


@pytest.fixture(scope="module")
def app_url(world: World) -> Iterator[str]:
    """The sample app, on a free port, and its activity in the catalogue."""
    environment = {**os.environ, "STACK": str(world.local_dir / "stack.json"), "PORT": "0"}
    command = [sys.executable, str(EXAMPLE / "app.py")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            written = (EXAMPLE / "activity.yaml").read_text(encoding="utf-8")
            activity = world.local_dir / "laboratory.yaml"
            activity.write_text(re.sub(r"^url: .*$", f"url: {url}/", written, flags=re.MULTILINE), encoding="utf-8")
            added = world.lti("activity", "add", str(activity))
            assert added.returncode == 0, added.stderr
            yield url
        finally:
            process.terminate()


def places(teacher: Visitor) -> dict[str, Any]:
    teacher.picks("laboratory")
    return teacher.activity_called("The laboratory")


def call(world: World, method: str, path: str, document: dict[str, Any] | None = None) -> requests.Response:
    """A call of the vendor's API, signed."""
    stack = json.loads((world.local_dir / "stack.json").read_text(encoding="utf-8"))
    keys = stack["credentials"]
    request = AWSRequest(method=method, url=world.tool_url + path, data=json.dumps(document) if document else b"")
    credentials = Credentials(keys["access_key_id"], keys["secret_access_key"])
    SigV4Auth(credentials, "execute-api", stack["region"]).add_auth(request)
    return requests.request(method, world.tool_url + path, data=request.data, headers=dict(request.headers), timeout=30)


def message(session: dict[str, Any], score_given: float) -> dict[str, Any]:
    return {
        **{name: session[name] for name in ("issuer", "client_id", "deployment_id", "line_item")},
        "user_id": session["user"]["id"],
        "score_given": score_given,
        "score_maximum": 20,
        "activity_progress": "Completed",
        "grading_progress": "FullyGraded",
        "timestamp": datetime.now(UTC).isoformat(),
    }


def has(teacher: Visitor, line_item: str, user_id: str, score: float) -> bool:
    cell = teacher.cell(line_item, user_id)
    return cell is not None and cell["score"] == score


@pytest.mark.parametrize("profile", ["canvas", "moodle"])
def test_a_launch_goes_on_to_the_app_and_its_score_reaches_the_gradebook(
    world: World, app_url: str, profile: str
) -> None:
    teacher, student = (Visitor(world=world, profile=profile, user=user) for user in ("teacher", "student1"))
    placed = places(teacher)
    session = student.opens(placed["id"])
    user = world.tool("GET", "/api/session", session).json()["user"]

    departure = world.tool("POST", "/api/departure", session).json()["url"]
    arrived = requests.get(departure, timeout=30)
    action, fields = form_of(arrived.text)
    done = requests.post(app_url + action, data=fields, timeout=30)
    again = requests.get(departure, timeout=30)

    assert departure.startswith(f"{app_url}/?code=")
    assert f"Welcome, {user['name']}." in arrived.text
    assert "Your mark is waiting" in done.text
    assert again.status_code == 403, "the code works once"
    assert placed["score_maximum"] == 20
    assert eventually(lambda: has(teacher, placed["line_item_url"], user["id"], 18))
    staff = world.tool("GET", "/api/marks", teacher.opens(placed["id"])).json()["learners"]
    assert [(row["user_id"], row["score_given"]) for row in staff] == [(user["id"], 18)]


@pytest.mark.usefixtures("app_url")
def test_a_student_presses_the_apps_button_in_the_frame_of_the_platform(world: World, page: Page) -> None:
    teacher = Visitor(world=world, profile="moodle", user="teacher")
    placed = places(teacher)

    goes_to_course(page, world, "moodle", "student3")
    page.get_by_test_id(f"open-here-{placed['id']}").click()
    the_tool(page).get_by_role("button", name="Done").click()

    expect(the_tool(page).get_by_text("Your mark is waiting")).to_be_visible()
    learner = next(member for member in teacher.course()["members"] if member["user"] == "student3")
    assert eventually(lambda: has(teacher, placed["line_item_url"], learner["user_id"], 18))


@pytest.mark.usefixtures("app_url")
def test_scores_are_taken_while_every_platform_is_down_and_arrive_afterwards(world: World) -> None:
    visitors = [
        (Visitor(world=world, profile=profile, user="teacher"), Visitor(world=world, profile=profile, user="student2"))
        for profile in ("canvas", "moodle")
    ]
    columns = [places(teacher) for teacher, _ in visitors]
    launches = [
        world.tool("GET", "/api/session", student.opens(placed["id"])).json()
        for (_, student), placed in zip(visitors, columns, strict=True)
    ]
    everything = ("jwks", "authorize", "token", "scores")
    world.control(
        "faults", {"platform": "all", "token_down": True, "drop_connections": dict.fromkeys(everything, True)}
    )

    started = time.monotonic()
    taken = [call(world, "POST", "/api/scores", message(launch, 7)) for launch in launches]
    took = time.monotonic() - started
    asked = [call(world, "GET", answer.headers["location"]).json() for answer in taken]
    world.control("faults", {"platform": "all", "clear": True})

    assert [answer.status_code for answer in taken] == [202, 202]
    assert took < 5, "no platform was waited for"
    assert [score["state"] for score in asked] == ["waiting", "waiting"]
    for (teacher, _), launch in zip(visitors, launches, strict=True):
        assert eventually(lambda: has(teacher, launch["line_item"], launch["user"]["id"], 7))  # noqa: B023
    for answer in taken:
        assert eventually(lambda: call(world, "GET", answer.headers["location"]).json()["state"] == "sent")  # noqa: B023


@pytest.mark.usefixtures("app_url")
def test_the_same_message_on_the_queue_reaches_the_gradebook(world: World) -> None:
    teacher, student = (Visitor(world=world, profile="canvas", user=user) for user in ("teacher", "student3"))
    placed = places(teacher)
    launch = world.tool("GET", "/api/session", student.opens(placed["id"])).json()
    stack = json.loads((world.local_dir / "stack.json").read_text(encoding="utf-8"))

    send_to_queue(stack, json.dumps(message(launch, 11)))

    assert eventually(lambda: has(teacher, placed["line_item_url"], launch["user"]["id"], 11))


@pytest.mark.usefixtures("app_url")
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/scores"), ("GET", "/api/scores/x"), ("GET", "/api/launches/x")]
)
def test_nobody_gets_in_without_a_signature(world: World, method: str, path: str) -> None:
    answer = world.tool(method, path, headers={"Authorization": "Bearer anything"}, json={})

    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


def test_the_sample_app_stays_small() -> None:
    assert len(Path(EXAMPLE / "app.py").read_text(encoding="utf-8").splitlines()) <= 100
