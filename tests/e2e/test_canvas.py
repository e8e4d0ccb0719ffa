"""What Canvas's configuration offers: every placement opens the right page, every privacy level tells what it says."""

from __future__ import annotations

import json
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lti_tool.domain.canvas import canvas_configuration
from lti_tool.domain.offer import PLACEMENTS, MessageType, Offer
from tests.e2e.world import Visitor, World, session_in
from tests.support.stack import ROOT

pytestmark = pytest.mark.e2e
SETTINGS = tomllib.loads((ROOT / "layers/shared/lti_tool/offer.toml").read_text(encoding="utf-8"))
NAMES = {"public": {"name", "email"}, "name_only": {"name"}, "email_only": {"email"}, "anonymous": set[str]()}


@contextmanager
def published(document: Mapping[str, Any]) -> Iterator[str]:
    """A configuration at an address that Canvas can fetch."""

    class Publisher(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/canvas.json"
    finally:
        server.shutdown()
        server.server_close()


def canvas_takes(world: World, **changes: Any) -> dict[str, Any]:
    """Configure Campus's Canvas by the settings file, changed."""
    offer = Offer.model_validate({**SETTINGS, **changes})
    with published(canvas_configuration(offer, world.tool_url, [])) as url:
        configured: dict[str, Any] = world.control("canvas/configuration", {"url": url})
    return configured


@pytest.mark.parametrize(
    ("kind", "by", "page"),
    [
        ("LtiResourceLinkRequest", "launch", "/app/marks"),
        ("LtiDeepLinkingRequest", "deep_linking", "/app/picker"),
    ],
)
def test_every_placement_that_canvas_has_opens_its_page(world: World, kind: MessageType, by: str, page: str) -> None:
    placements = [{"placement": name, "message_type": kind} for name in PLACEMENTS[kind]]
    configured = canvas_takes(world, placements=placements)
    teacher = Visitor(world=world, profile="canvas", user="teacher")
    course = teacher.course()["id"]

    opened = {}
    for placement in configured["placements"]:
        login = teacher.logs_in(by, course=course, placement=placement["placement"])
        launch = world.tool("GET", "/api/session", session_in(teacher.launches(login))).json()
        opened[placement["placement"]] = (launch["message_type"], launch["landing"])

    assert opened == dict.fromkeys(PLACEMENTS[kind], (kind, page))


@pytest.mark.parametrize("level", NAMES)
def test_a_privacy_level_tells_what_it_says_and_the_activity_opens(world: World, level: str) -> None:
    canvas_takes(world, privacy_level=level)
    teacher, student = (Visitor(world=world, profile="canvas", user=user) for user in ("teacher", "student1"))
    teacher.picks("photosynthesis")

    session = student.opens(teacher.activity_called("Photosynthesis")["id"])
    user = world.tool("GET", "/api/session", session).json()["user"]
    handed_in = world.tool("POST", "/api/attempt", session, json={"answers": {}})

    assert user.keys() == {"id"} | NAMES[level]
    assert handed_in.status_code == 201
