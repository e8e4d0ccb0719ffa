"""Registration: Canvas's configuration, and platforms that introduce themselves by invitation."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lti_tool.domain.invitation import new_invitation
from lti_tool.domain.login import fingerprint
from lti_tool.domain.region import Region
from lti_tool.domain.registration import DeploymentPolicy, PlatformFamily
from lti_tool.runtime import wiring
from tests.support.browser import Answer, Browser
from tests.support.platform import Platform, Reply
from tests.support.stack import TOOL_URL, Stack

SCHEMA = json.loads((Path(__file__).parent / "canvas-tool-configuration.schema.json").read_text(encoding="utf-8"))
TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"


def invited(tenant: str = "Example school", lives: timedelta = timedelta(days=1)) -> str:
    token, invitation = new_invitation(tenant, wiring.now(), lives)
    wiring.invitations().add(invitation)
    return token


def configuration(platform: Platform, **other: Any) -> dict[str, Any]:
    return {
        "issuer": platform.url,
        "authorization_endpoint": f"{platform.url}/auth",
        "registration_endpoint": f"{platform.url}/register",
        "jwks_uri": f"{platform.url}/jwks",
        "token_endpoint": f"{platform.url}/token",
        "scopes_supported": ["openid", "https://purl.imsglobal.org/spec/lti-ags/scope/score"],
        PLATFORM: {
            "product_family_code": "moodle",
            "messages_supported": [
                {"type": "LtiResourceLinkRequest"},
                {"type": "LtiDeepLinkingRequest", "placements": ["ContentArea"]},
            ],
        },
        **other,
    }


def says(document: object, status: int = 200) -> Reply:
    return Reply(status=status, body=document if isinstance(document, bytes) else json.dumps(document).encode())


def introduces(platform: Platform, browser: Browser, token: str, document: object, method: str = "POST") -> Answer:
    platform.will_answer("/openid", document if isinstance(document, Reply) else says(document))
    fields = {
        "invitation": token,
        "openid_configuration": f"{platform.url}/openid",
        "registration_token": "the platform's token",
    }
    if method == "GET":
        return browser.get("/lti/register", fields)
    return browser.post("/lti/register", fields)


ANSWER = {"client_id": "client-new", TOOL: {"deployment_id": "7"}}


def test_an_invited_platform_is_shown_and_then_registered(platform: Platform, browser: Browser) -> None:
    token = invited()
    platform.will_answer("/register", says(ANSWER))

    shown = introduces(platform, browser, token, configuration(platform), "GET")
    done = introduces(platform, browser, token, configuration(platform))

    assert (shown.status, done.status) == (200, 200)
    assert platform.url in shown.body
    assert "Example school" in shown.body
    assert "org.imsglobal.lti.close" in done.body
    found = wiring.registrations().of_platform(platform.url, "client-new")
    assert (found.tenant, found.family, list(found.deployments)) == ("Example school", PlatformFamily.MOODLE, ["7"])
    (line,) = wiring.audit().of(found.reference)
    assert (line.who, line.verb) == (f"invitation {fingerprint(token)[:12]}", "add")


def test_the_page_shows_what_will_be_asked_of_this_platform(platform: Platform, browser: Browser) -> None:
    shown = introduces(platform, browser, invited(), configuration(platform), "GET")

    texts = re.findall(r"<dd>([^<]*)</dd>", shown.body)
    assert texts == [
        platform.url,
        "Example school",
        "iss, sub, name, given_name, family_name, email",
        "score",
        "ContentArea",
    ]
    assert platform.requests_to("/register") == []


def test_the_request_asks_for_what_the_platform_knows(platform: Platform, browser: Browser) -> None:
    platform.will_answer("/register", says(ANSWER))

    introduces(platform, browser, invited(), configuration(platform))

    (request,) = platform.requests_to("/register")
    asked = request.json()
    assert request.headers["Authorization"] == "Bearer the platform's token"
    assert asked["redirect_uris"] == [f"{TOOL_URL}/lti/launch"]
    assert asked["scope"] == "https://purl.imsglobal.org/spec/lti-ags/scope/score"
    assert asked[TOOL]["domain"] == TOOL_URL.removeprefix("https://")
    assert [message["type"] for message in asked[TOOL]["messages"]] == [
        "LtiDeepLinkingRequest",
        "LtiResourceLinkRequest",
    ]


def test_a_registered_platform_launches_at_once(platform: Platform, browser: Browser) -> None:
    platform.will_answer("/register", says({"client_id": "client-new"}))
    introduces(platform, browser, invited(), configuration(platform))
    platform.issuer, platform.client_id = platform.url, "client-new"

    assert browser.launches(platform).status == 200
    found = wiring.registrations().of_platform(platform.url, "client-new")
    assert found.deployment_policy is DeploymentPolicy.AUTO


def test_an_invitation_registers_one_platform_only(platform: Platform, browser: Browser) -> None:
    token = invited()
    platform.will_answer("/register", says(ANSWER), says({"client_id": "a-second"}))
    introduces(platform, browser, token, configuration(platform))

    again = introduces(platform, browser, token, configuration(platform))

    assert (again.status, again.code) == (403, "invitation_ended")
    assert len(platform.requests_to("/register")) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_invitation_that_is_over_or_was_never_made_opens_nothing(
    platform: Platform, browser: Browser, method: str
) -> None:
    for token in (invited(lives=timedelta(seconds=-1)), "never made"):
        answer = introduces(platform, browser, token, configuration(platform), method)

        assert (answer.status, answer.code) == (403, "invitation_ended")
    assert platform.requests_to("/register") == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"issuer": "https://elsewhere.example"}, "issuer_mismatch"),
        ({"issuer": "http://lms.example"}, "issuer_mismatch"),
        ({"authorization_endpoint": "http://lms.example/auth"}, "forbidden_address"),
        ({"token_endpoint": "https://169.254.169.254/token"}, "forbidden_address"),
        ({"registration_endpoint": "https://10.0.0.1/register"}, "forbidden_address"),
        ({"jwks_uri": "https://user:word@lms.example/jwks"}, "forbidden_address"),
        ({"jwks_uri": None}, "invalid_platform_configuration"),
        ({"issuer": ""}, "invalid_platform_configuration"),
    ],
    ids=str,
)
def test_a_configuration_that_cannot_be_trusted_is_refused(
    stack: Stack, platform: Platform, browser: Browser, changed: dict[str, Any], code: str
) -> None:
    token = invited()
    before = stack.contents()["RegistrationsTable"]

    answer = introduces(platform, browser, token, configuration(platform, **changed))

    assert answer.code == code
    assert answer.status >= 400
    assert platform.requests_to("/register") == []
    assert stack.contents()["RegistrationsTable"] == before  # the invitation is still open


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=404),
        Reply(status=302, headers={"Location": "http://127.0.0.1:1/openid"}),
        Reply(body=b"<html>"),
        Reply(body=b"[" + b" " * 300_000 + b"]"),
    ],
    ids=["absent", "elsewhere", "no JSON", "giant"],
)
def test_a_configuration_that_cannot_be_read_is_refused(platform: Platform, browser: Browser, reply: Reply) -> None:
    answer = introduces(platform, browser, invited(), reply)

    assert (answer.status, answer.code) == (502, "platform_unavailable")


def test_a_platform_that_says_no_leaves_the_invitation_open(platform: Platform, browser: Browser) -> None:
    token = invited()
    platform.will_answer("/register", says({"error": "invalid_redirect_uri"}, 400), says(ANSWER))

    refused = introduces(platform, browser, token, configuration(platform))
    second = introduces(platform, browser, token, configuration(platform))

    assert (refused.status, refused.code) == (502, "platform_refused")
    assert second.status == 200


def test_a_platform_that_is_registered_is_not_taken_over(platform: Platform, browser: Browser) -> None:
    platform.will_answer("/register", says(ANSWER), says(ANSWER))
    introduces(platform, browser, invited(), configuration(platform))

    again = introduces(platform, browser, invited(), configuration(platform, jwks_uri=f"{platform.url}/other"))

    assert (again.status, again.code) == (409, "already_registered")
    found = wiring.registrations().of_platform(platform.url, "client-new")
    assert found.jwks_uri.endswith("/jwks")
    assert len(wiring.audit().of(found.reference)) == 1


def test_markup_in_a_platforms_name_is_shown_as_text(platform: Platform, browser: Browser) -> None:
    shown = introduces(platform, browser, invited("<script>alert(1)</script>"), configuration(platform), "GET")

    assert shown.status == 200
    assert "script" not in shown.page.markup


# --- Canvas ------------------------------------------------------------------------------------------------------


def test_canvas_reads_a_configuration_by_its_own_schema(stack: Stack, browser: Browser) -> None:  # noqa: ARG001
    answer = browser.get("/lti/canvas.json")

    assert answer.headers["content-type"] == "application/json"
    jsonschema.validate(answer.json(), SCHEMA)


def test_canvas_begins_a_login_in_the_region_of_the_institution(stack: Stack, browser: Browser) -> None:  # noqa: ARG001
    wiring.regions().put(Region(name="ap-southeast-2", base_url="https://au.tool.example", keys=({"kid": "au"},)))

    configured = browser.get("/lti/canvas.json").json()

    assert configured["oidc_initiation_urls"]["ap-southeast-2"] == "https://au.tool.example/lti/login"
    assert configured["oidc_initiation_url"] in configured["oidc_initiation_urls"].values()
    assert len(configured["oidc_initiation_urls"]) == 2


def test_the_key_set_holds_every_regions_keys(stack: Stack, browser: Browser) -> None:  # noqa: ARG001
    wiring.regions().put(Region(name="ap-southeast-2", base_url="https://au.tool.example", keys=({"kid": "au"},)))

    keys = browser.get("/lti/jwks.json").json()["keys"]

    assert len(keys) == 2
    assert keys[1] == {"kid": "au"}
    (own,) = (region for region in wiring.regions().all() if region.name != "ap-southeast-2")
    assert own.keys == (keys[0],)
