"""Each kind of platform, registered in each way that it knows, then launched; over plain HTTP."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from typing import Any

import pytest

from tests.e2e.world import Visitor, World, eventually, form_of, session_in

pytestmark = pytest.mark.e2e
PROFILES = ("canvas", "moodle", "blackboard", "brightspace", "sakai")

# One issuer and one set of hosts for all schools: Campus plays them at its own address and says their issuer.
ISSUERS = {"canvas": "https://canvas.instructure.com", "blackboard": "https://blackboard.com"}


def platform_called(world: World, profile: str) -> dict[str, Any]:
    platforms: list[dict[str, Any]] = world.control("platforms")
    return next(platform for platform in platforms if platform["profile"] == profile)


def lti(world: World, *words: str) -> dict[str, Any]:
    done = world.lti(*words)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def nobody_remembers(world: World) -> None:
    """A registration is believed for a minute: processes that may have met an earlier one end, and new ones read."""
    ended = idle_children(world)
    for child in ended:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    eventually(lambda: ended.isdisjoint(idle_children(world)) or None)


def idle_children(world: World) -> set[int]:
    functions = world.tool("GET", "/_local/functions").json()
    hot = [found for found in functions if found["function"] in {"LoginFunction", "LaunchFunction"}]
    return {child["pid"] for found in hot for child in found["children"] if child["state"] == "idle"}


def registers_by_custom_values(world: World, profile: str, tenant: str) -> None:
    platform = platform_called(world, profile)
    audience = ["--token-audience", platform["token_audience"]] if platform["token_audience"] else []
    said = ["--family", profile, "--tenant", tenant, "--issuer", platform["issuer"], *audience]
    urls = endpoints(platform, "auth", "token", "jwks")
    added = lti(world, "platform", "add", "custom", *said, *fixed(platform), *urls)
    assert added["check"]["findings"] == []
    nobody_remembers(world)


def registers_by_preset(world: World, profile: str, tenant: str) -> None:
    """What a preset knows is a fixed host is set to Campus afterwards; all else stays as the preset says.

    Without the check at its end, which would ask these hosts.
    """
    platform = platform_called(world, profile)
    site = {
        "moodle": ["--url", platform["issuer"]],
        "brightspace": ["--url", platform["issuer"]],
        "sakai": ["--url", platform["issuer"], "--tool-id", platform["token_url"].rpartition("/")[2]],
    }.get(profile, [])
    added = lti(world, "platform", "add", profile, "--tenant", tenant, *fixed(platform), *site, "--no-check")
    elsewhere = {"brightspace": ("token",)}.get(profile, ("auth", "token", "jwks") if profile in ISSUERS else ())
    assert added["issuer"] == ISSUERS.get(profile, platform["issuer"])
    if elsewhere:
        lti(world, "platform", "update", added["id"], *endpoints(platform, *elsewhere))
    nobody_remembers(world)


def registers_by_invitation(world: World, profile: str, tenant: str) -> str:
    """Open the link as the platform's administrator, confirm, and activate the tool there: its client id."""
    link: str = lti(world, "invite", "create", "--tenant", tenant)["link"]
    introduction = world.control(f"{profile}/dynamic_registration", {})
    shown = world.tool("GET", link.removeprefix(world.tool_url), params=introduction)
    assert shown.status_code == 200, shown.text
    _, fields = form_of(shown.text)
    done = world.tool("POST", "/lti/register", data=fields)
    assert done.status_code == 200, done.text
    made = world.control(f"{profile}/registrations")["registrations"][-1]
    activated = world.control(f"{profile}/registrations/{made['client_id']}/activate", {})
    return str(activated["client_id"])


def fixed(platform: dict[str, Any]) -> list[str]:
    return ["--client-id", platform["client_id"], "--deployment-id", platform["deployment_id"]]


def endpoints(platform: dict[str, Any], *names: str) -> list[str]:
    return [word for name in names for word in (f"--{name}-url", platform[f"{name}_url"])]


def opened_under(world: World, session: str) -> str:
    """The tenant whose registration let this launch in."""
    passed = lti(world, "launch", "trace", session.partition(".")[0])["passed"]
    return str(next(step["tenant"] for step in passed if step["step"] == "registration_found"))


@pytest.mark.parametrize("profile", PROFILES)
def test_registered_by_custom_values_a_platform_does_the_whole_job(world: World, profile: str) -> None:
    registers_by_custom_values(world, profile, f"{profile} by custom values")
    teacher, student = (Visitor(world=world, profile=profile, user=user) for user in ("teacher", "student1"))

    added = teacher.picks("photosynthesis")
    placed = teacher.activity_called("Photosynthesis")
    session = student.opens(placed["id"])
    handed_in = world.tool("POST", "/api/attempt", session, json={"answers": {}})

    assert (added.status_code, handed_in.status_code) == (200, 201)
    user_id = world.tool("GET", "/api/session", session).json()["user"]["id"]
    cell = eventually(lambda: teacher.cell(placed["line_item_url"], user_id))
    assert (cell["score"], cell["score_maximum"]) == (0, placed["score_maximum"])


@pytest.mark.parametrize("profile", PROFILES)
def test_registered_by_preset_a_platform_launches(world: World, profile: str) -> None:
    registers_by_preset(world, profile, f"{profile} by preset")
    student = Visitor(world=world, profile=profile, user="student2")
    issuer = ISSUERS.get(profile)
    link = student.course()["activities"][0]["id"]

    initiation = student.initiates("launch", activity=link, claims={"iss": issuer} if issuer else {})
    initiation["fields"] |= {"iss": issuer} if issuer else {}
    session = session_in(student.launches(student.answers(initiation)))

    assert opened_under(world, session) == f"{profile} by preset"
    assert world.tool("GET", "/api/session", session).json()["privileges"] == ["candidate"]


@pytest.mark.parametrize("profile", PROFILES)
def test_registered_by_invitation_a_platform_launches(world: World, profile: str) -> None:
    client_id = registers_by_invitation(world, profile, f"{profile} by invitation")
    student = Visitor(world=world, profile=profile, user="student3")
    link = student.course()["activities"][0]["id"]

    login = student.logs_in("launch", activity=link, client_id=client_id)
    session = session_in(student.launches(login))

    assert world.tool("GET", "/api/session", session).json()["client_id"] == client_id
