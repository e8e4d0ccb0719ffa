"""Canvas's configuration: registered by it, then launched from each of its placements."""

from __future__ import annotations

import pytest

from tests.e2e.world import Visitor, World, session_in

pytestmark = pytest.mark.e2e


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
