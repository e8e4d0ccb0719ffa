"""`lti platform guide`: what an administrator pastes, in the platform's own words."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lti_tool.domain.region import Region
from lti_tool.runtime import wiring
from tests.operate.conftest import Lti
from tests.operate.test_platform import CANVAS, custom
from tests.support.stack import TOOL_URL

OTHER = "https://au.tool.example"
KINDS: dict[str, list[str]] = {
    "canvas": [],
    "moodle": ["--url", "https://moodle.example"],
    "blackboard": [],
    "brightspace": ["--url", "https://school.brightspace.example"],
    "sakai": ["--url", "https://sakai.example", "--tool-id", "7"],
    "openedx": ["--url", "https://edx.example", "--block-id", "b"],
    "schoology": [],
}


@pytest.fixture
def regions(lti: Lti) -> None:  # noqa: ARG001 - the stack has to stand
    wiring.regions().put(Region(name="ap-southeast-2", base_url=OTHER, keys=({"kid": "au"},)))


def fields(guide: dict[str, Any]) -> dict[str, Any]:
    return {field["name"]: field["value"] for section in guide["sections"] for field in section["fields"]}


@pytest.mark.usefixtures("regions")
@pytest.mark.parametrize("kind", [*KINDS, "custom"])
def test_a_guide_holds_all_that_a_platform_has_to_know(lti: Lti, kind: str) -> None:
    words = custom() if kind == "custom" else ["platform", "add", kind, "--client-id", "client-1", *KINDS[kind]]
    identity = lti.json(*words)["id"]

    guide = lti.json("platform", "guide", identity)
    status, text, _ = lti("platform", "guide", identity)

    values = str(fields(guide))
    assert status == 0
    for url in (*(f"{TOOL_URL}/lti/{path}" for path in ("login", "launch", "jwks.json")), f"{OTHER}/lti/launch"):
        assert url in values
        assert url in text
    assert "client-1" in values
    assert {region["name"]: region["login_url"] for region in guide["regions"]} == {
        "eu-west-1": f"{TOOL_URL}/lti/login",
        "ap-southeast-2": f"{OTHER}/lti/login",
    }


def test_moodles_six_values_are_in_moodles_words_and_order(lti: Lti) -> None:
    added = lti.json("platform", "add", "moodle", "--url", "https://moodle.example", "--client-id", "abc")
    lti.json("deployment", "approve", added["id"], "3")

    six = lti.json("platform", "guide", added["id"])["sections"][1]["fields"]

    assert [(field["name"], field["value"]) for field in six] == [
        ("Platform ID", "https://moodle.example"),
        ("Client ID", "abc"),
        ("Deployment ID", ["3"]),
        ("Public keyset URL", "https://moodle.example/mod/lti/certs.php"),
        ("Access token URL", "https://moodle.example/mod/lti/token.php"),
        ("Authentication request URL", "https://moodle.example/mod/lti/auth.php"),
    ]


def test_a_canvas_key_by_hand_says_what_the_json_says(lti: Lti) -> None:
    configuration = lti.json("canvas", "config")

    found = fields(lti.json("platform", "guide", lti.json(*CANVAS)["id"]))

    extension = configuration["extensions"][0]
    assert found["JSON URL"] == f"{TOOL_URL}/lti/canvas.json"
    assert found["Public JWK URL"] == configuration["public_jwk_url"]
    assert found["Additional Settings > Domain"] == extension["domain"]
    assert [shown.split()[0] for shown in found["Placements"]] == [
        placement["placement"] for placement in extension["settings"]["placements"]
    ]
    assert len(found["LTI Advantage Services"]) == len(configuration["scopes"])
    assert not any(service.startswith("https://") for service in found["LTI Advantage Services"])


def test_a_canvas_configuration_that_cannot_be_written_is_said(lti: Lti, tmp_path: Path) -> None:
    status, _, err = lti("canvas", "config", "--output", str(tmp_path / "nowhere" / "canvas.json"))

    assert (status, "cannot be written" in err) == (1, True)


@pytest.mark.parametrize(
    ("level", "names", "email"),
    [("public", True, True), ("name_only", True, False), ("email_only", False, True), ("anonymous", False, False)],
)
def test_no_platform_is_asked_for_more_of_people_than_the_offer_wants(
    lti: Lti, monkeypatch: pytest.MonkeyPatch, level: str, names: bool, email: bool
) -> None:
    offer = wiring.offer().model_copy(update={"privacy_level": level})
    monkeypatch.setattr(wiring, "offer", cache(lambda: offer))

    moodle, blackboard, sakai = (
        fields(lti.json("platform", "guide", lti.json("platform", "add", kind, "--client-id", "c", *KINDS[kind])["id"]))
        for kind in ("moodle", "blackboard", "sakai")
    )

    shared = ["Share launcher's name with tool", "Share launcher's email with tool"]
    assert [moodle[name] == "Always" for name in shared] == [names, email]
    assert [name in blackboard["User Fields to Send"] for name in ("Name", "Email Address")] == [names, email]
    sent = ["Send User Names to External Tool", "Send Email Addresses to External Tool"]
    assert [sakai[name] == "on" for name in sent] == [names, email]


def test_brightspace_is_told_its_own_audience(lti: Lti) -> None:
    words = ["platform", "add", "brightspace", "--client-id", "c", "--url", "https://school.brightspace.example"]

    found = fields(lti.json("platform", "guide", lti.json(*words)["id"]))

    assert found["Brightspace OAuth2 Audience"] == "https://api.brightspace.com/auth/token"


def test_a_platform_that_is_not_there_has_no_guide(lti: Lti) -> None:
    status, _, err = lti("platform", "guide", "no-such-platform")

    assert (status, "[unknown_platform]" in err) == (1, True)
