"""A platform that introduces itself by invitation, and Canvas's configuration: registered, then launched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.world import Visitor, World, form_of, session_in

pytestmark = pytest.mark.e2e


INTRODUCE_THEMSELVES = ("canvas", "moodle", "brightspace", "sakai")


def invitation(world: World, tenant: str) -> str:
    created = world.lti("invite", "create", "--tenant", tenant)
    assert created.returncode == 0, created.stderr
    link: str = json.loads(created.stdout)["link"]
    return link


def registers(world: World, profile: str) -> dict[str, Any]:
    """Open the invitation as the platform's administrator, confirm, and let the administrator activate the tool."""
    link = invitation(world, f"{profile} by invitation")
    introduction = world.control(f"{profile}/dynamic_registration", {})
    shown = world.tool("GET", link.removeprefix(world.tool_url), params=introduction)
    assert shown.status_code == 200, shown.text
    _, fields = form_of(shown.text)
    done = world.tool("POST", "/lti/register", data=fields)
    assert done.status_code == 200, done.text
    made = world.control(f"{profile}/registrations")["registrations"][-1]
    activated: dict[str, Any] = world.control(f"{profile}/registrations/{made['client_id']}/activate", {})
    return activated


@pytest.mark.parametrize("profile", INTRODUCE_THEMSELVES)
def test_a_platform_that_registered_itself_launches(world: World, profile: str) -> None:
    registration = registers(world, profile)
    teacher = Visitor(world=world, profile=profile, user="teacher")
    link = teacher.course()["activities"][0]["id"]

    login = teacher.logs_in("launch", activity=link, client_id=registration["client_id"])
    launch = world.tool("GET", "/api/session", session_in(teacher.launches(login))).json()

    assert launch["client_id"] == registration["client_id"]
    assert launch["privileges"] == ["planner"]
    listed = json.loads(world.lti("platform", "list").stdout)
    assert f"{profile} by invitation" in [platform["tenant"] for platform in listed]


def test_each_placement_of_canvas_configuration_launches(world: World) -> None:
    configured = world.control("canvas/configuration", {"url": f"{world.tool_url}/lti/canvas.json"})
    teacher = Visitor(world=world, profile="canvas", user="teacher")
    course = teacher.course()["id"]

    assert configured["placements"]
    for placement in configured["placements"]:
        deep_linking = placement["message_type"] == "LtiDeepLinkingRequest"
        kind = "deep_linking" if deep_linking else "launch"
        login = teacher.logs_in(kind, course=course, placement=placement["placement"])
        launch = world.tool("GET", "/api/session", session_in(teacher.launches(login))).json()
        assert launch["message_type"] == placement["message_type"]
        assert launch["landing"] == ("/app/picker" if deep_linking else "/app/marks")
