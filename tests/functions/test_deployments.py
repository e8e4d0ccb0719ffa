"""Two hundred places install the tool, under each policy; and who may frame its pages."""

from __future__ import annotations

import json

from lti_tool.domain.registration import DeploymentPolicy, DeploymentStatus
from lti_tool.runtime import wiring
from tests.functions.test_http import policy_of
from tests.support.browser import Browser
from tests.support.fixtures import Logged
from tests.support.platform import Platform
from tests.support.stack import Stack

NEW = [f"place-{number}" for number in range(200)]


def launched(platform: Platform) -> set[tuple[int, str]]:
    """How the launches from all these places end."""
    answers = [Browser().launches(platform, deployment_id=place) for place in NEW]
    return {(answer.status, answer.code) for answer in answers}


def written_down(platform: Platform) -> dict[str, DeploymentStatus]:
    wiring.registrations.cache_clear()  # another process looks
    deployments = wiring.registrations().referred_to(platform.registration().reference).deployments
    return {place: status for place, status in deployments.items() if place in NEW}


def test_auto_serves_two_hundred_new_deployments(stack: Stack, platform: Platform) -> None:
    stack.knows(platform.registration(deployment_policy=DeploymentPolicy.AUTO))

    assert launched(platform) == {(200, "ok")}
    assert written_down(platform) == dict.fromkeys(NEW, DeploymentStatus.ENABLED)


def test_closed_refuses_two_hundred_new_deployments_and_keeps_none(stack: Stack, platform: Platform) -> None:
    stack.knows(platform.registration(deployment_policy=DeploymentPolicy.CLOSED))

    assert launched(platform) == {(403, "unknown_deployment")}
    assert written_down(platform) == {}


def test_approve_holds_two_hundred_new_deployments_until_each_is_approved(stack: Stack, platform: Platform) -> None:
    stack.knows(platform.registration(deployment_policy=DeploymentPolicy.APPROVE))
    held = launched(platform)
    waiting = written_down(platform)
    operator = wiring.registrations()  # not the process that has just refused them
    for place in NEW[:-1]:
        operator.put_deployment(platform.registration(), place, DeploymentStatus.ENABLED)

    opened = {Browser().launches(platform, deployment_id=place).code for place in NEW[:-1]}
    left = Browser().launches(platform, deployment_id=NEW[-1])

    assert (held, waiting) == ({(403, "deployment_pending")}, dict.fromkeys(NEW, DeploymentStatus.PENDING))
    assert opened == {"ok"}
    assert (left.status, left.code) == (403, "deployment_pending")


def test_a_launch_is_told_under_the_name_of_its_deployment(stack: Stack, platform: Platform, logged: Logged) -> None:
    stack.knows(platform.registration(tenant="District", deployment_tenants={"1": "North school"}))

    session = Browser().launches(platform).launch["session"]
    Browser().launches(platform, deployment_id="unknown")

    steps = dict(wiring.traces().find(session.split(".")[0]).steps)
    assert [steps[step]["tenant"] for step in ("registration_found", "deployment_served")] == [
        "District",
        "North school",
    ]
    lines = [json.loads(line) for line in logged().splitlines() if '"level"' in line]
    assert [(line["code"], line["tenant"]) for line in lines if line["door"] == "launch"] == [
        ("ok", "North school"),
        ("unknown_deployment", "District"),
    ]


def test_a_registrations_frame_ancestors_may_frame_its_launch_pages(stack: Stack, platform: Platform) -> None:
    before = Browser().launches(platform).headers["content-security-policy"]
    stack.knows(platform.registration(frame_ancestors=("https://school.example", "https://*.campus.example")))

    after = Browser().launches(platform).headers["content-security-policy"]

    widened = set(policy_of(after)["frame-ancestors"]) - set(policy_of(before)["frame-ancestors"])
    assert widened == {"https://school.example", "https://*.campus.example"}
