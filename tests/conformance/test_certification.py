"""The public certification cases of LTI Advantage, tool side, under their own names.

Spec: https://www.imsglobal.org/spec/lti/v1p3/cert, sections 6.1 and 6.2
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.browser import ACTIVITY, Answer, Browser
from tests.support.platform import ABSENT, DL, INSTRUCTOR, LEARNER, LTI, FromNow, Platform, compact, verified_by_jwks
from tests.support.stack import Stack

NOW = FromNow()
INSTITUTION = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#"


def launched(platform: Platform, browser: Browser, claims: Mapping[str, Any], header: Mapping[str, Any]) -> Answer:
    """A launch whose token carries exactly these claims and header members."""
    question = browser.begins_login(platform)
    whole = platform.claims(question["nonce"], ACTIVITY, **claims)
    full = {"alg": "RS256", "typ": "JWT", "kid": platform.key.kid, **header}
    full = {name: value for name, value in full.items() if value is not ABSENT}
    return browser.comes_back(question, compact(full, whole, platform.key))


BAD: dict[str, tuple[dict[str, Any], dict[str, Any], int, str]] = {
    # name of the case: claims that change, header that changes, status, code
    "BAD-01 No KID Sent in JWT header": ({}, {"kid": ABSENT}, 401, "missing_kid"),
    "BAD-02 Incorrect KID in JWT header": ({}, {"kid": "imstester_66067"}, 401, "unknown_kid"),
    "BAD-03 Wrong LTI Version": ({"version": "11.3"}, {}, 400, "unsupported_version"),
    "BAD-03 Wrong LTI Version, 1.2": ({"version": "1.2.0"}, {}, 400, "unsupported_version"),
    "BAD-03 Wrong LTI Version, 1.3": ({"version": "1.3"}, {}, 400, "unsupported_version"),
    "BAD-03 Wrong LTI Version, number": ({"version": 1.3}, {}, 400, "unsupported_version"),
    "BAD-04 No LTI Version": ({"version": ABSENT}, {}, 400, "unsupported_version"),
    "BAD-06 Missing LTI Claims": (
        dict.fromkeys(("message_type", "roles", "resource_link", "target_link_uri", "sub"), ABSENT),
        {},
        400,
        "invalid_claim",
    ),
    "BAD-07 Timestamps Incorrect, long ago": (
        {"iat": 11111, "exp": 22222},
        {},
        401,
        "token_expired",
    ),
    "BAD-07 Timestamps Incorrect, exp before iat": ({"iat": NOW + 30, "exp": NOW}, {}, 400, "invalid_claim"),
    "BAD-07 Timestamps Incorrect, iat in the future": (
        {"iat": NOW + 3600, "exp": NOW + 7200},
        {},
        401,
        "token_not_yet_valid",
    ),
    "BAD-08 message_type Claim Missing": ({"message_type": ABSENT}, {}, 400, "invalid_claim"),
    "BAD-09 role Claim Missing": ({"roles": ABSENT}, {}, 400, "invalid_claim"),
    "BAD-10 deployment_id Claim Missing": ({"deployment_id": ABSENT}, {}, 400, "invalid_claim"),
    "BAD-11 resource_link_id Claim Missing": ({"resource_link": ABSENT}, {}, 400, "invalid_claim"),
    "BAD-11 resource_link_id Claim Missing, its id": (
        {"resource_link": {"title": "No id"}},
        {},
        400,
        "invalid_claim",
    ),
    "BAD-12 user Claim Missing": ({"sub": ABSENT}, {}, 400, "anonymous_launch"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_known_bad_payload_is_refused(stack: Stack, platform: Platform, browser: Browser, case: str) -> None:
    claims, header, status, code = BAD[case]

    answer = launched(platform, browser, claims, header)

    assert (answer.status, answer.code) == (status, code)
    assert "session" not in answer.body
    assert not any("session_secret" in item for item in stack.contents()["LaunchesTable"].values())


def test_bad_05_invalid_lti_message(platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform)

    answer = browser.comes_back(question, platform.signs({"name": "badltilaunch"}))

    assert (answer.status, answer.code) == (401, "wrong_issuer")


def people(role: str, short: str) -> dict[str, dict[str, Any]]:
    """The nine valid launches of one role; what they change from a launch with everything in it."""
    no_names = {"name": ABSENT, "given_name": ABSENT, "family_name": ABSENT}
    return {
        "01 Valid Launch": {"roles": [role]},
        "02 Valid Launch with Roles": {"roles": [role, INSTITUTION + "Student", INSTITUTION + "Faculty"]},
        "03 Valid Launch Short Role": {"roles": [short]},
        "04 Valid Launch Unknown Role": {"roles": ["http://purl.imsglobal.org/vocab/lis/v2/unknown/unknown#Helper"]},
        "05 Valid Launch No Role": {"roles": []},
        "06 Valid Launch Email Only": {"roles": [role], **no_names},
        "07 Valid Launch Names Only": {"roles": [role], "email": ABSENT, "given_name": "Ada", "family_name": "Example"},
        "08 Valid No PII": {"roles": [role], "email": ABSENT, **no_names},
        "09 Valid Email Without Context": {"roles": [role], "context": ABSENT, **no_names},
    }


VALID = {
    f"{who}-{case}": (claims, "/app/welcome" if case[:2] in {"04", "05"} else landing)
    for who, role, short, landing in (
        ("INS", INSTRUCTOR, "Instructor", "/app/marks"),
        ("STU", LEARNER, "Learner", "/app/activity"),
    )
    for case, claims in people(role, short).items()
}


@pytest.mark.parametrize("case", VALID)
def test_a_valid_launch_opens(platform: Platform, browser: Browser, case: str) -> None:
    claims, landing = VALID[case]

    answer = launched(platform, browser, claims, {})

    assert (answer.status, answer.code) == (200, "ok")
    assert answer.launch["landing"] == landing
    session = browser.get("/api/session", token=answer.launch["session"]).json()
    shared = {"name", "email"} - {name for name in ("name", "email") if claims.get(name) is ABSENT}
    if "Names Only" in case:
        shared = {"name"}
    assert set(session["user"]) == {"id", *shared}
    assert ("context" in session) is ("context" not in claims)


def test_deep_linking_from_request_to_response(platform: Platform, browser: Browser) -> None:
    """DL-01 to DL-07: request payload, response payload, format, timestamps, signature, claims, affirmed values."""
    request = browser.opens_picker(platform)
    form = {"session": request.launch["session"], "activity": "photosynthesis"}

    response = browser.post("/lti/deeplink", form).page

    assert response.action.startswith(f"{platform.url}/deep-links")
    claims = verified_by_jwks(response.fields["JWT"], browser.get("/lti/jwks.json").json())
    assert claims[LTI + "message_type"] == "LtiDeepLinkingResponse"
    assert claims[LTI + "version"] == "1.3.0"
    assert claims["iat"] <= time.time() < claims["exp"] <= claims["iat"] + 300
    assert (claims["iss"], claims["aud"]) == (platform.client_id, platform.issuer)
    assert claims["nonce"]
    assert claims[LTI + "deployment_id"] == platform.deployment_id
    assert claims[DL + "data"] == "opaque to the tool"
    assert [item["custom"]["activity_id"] for item in claims[DL + "content_items"]] == ["photosynthesis"]
