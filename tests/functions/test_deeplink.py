"""Deep linking through the real handlers: a teacher picks, the platform reads our signed answer."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lti_tool.domain.registration import PlatformFamily
from lti_tool.runtime import wiring
from tests.support.browser import Browser
from tests.support.platform import DL, INSTRUCTOR, LEARNER, LTI, Platform, verified_by_jwks
from tests.support.stack import TOOL_URL, Stack

PICKED = [("activity", "capitals-and-rivers"), ("activity", "photosynthesis")]


def settings(platform: Platform, **other: object) -> dict[str, object]:
    values = {"deep_link_return_url": f"{platform.url}/deep-links", "accept_types": ["ltiResourceLink"]}
    return {**values, "accept_presentation_document_targets": [], "accept_multiple": True, **other}


def test_the_chosen_activities_go_back_signed(platform: Platform, browser: Browser) -> None:
    launched = browser.opens_picker(platform).launch

    answer = browser.post("/lti/deeplink", [("session", launched["session"]), *PICKED])

    assert launched["landing"] == "/app/picker"
    assert answer.status == 200
    assert answer.page.action == f"{platform.url}/deep-links?from=course-1"
    assert list(answer.page.fields) == ["JWT"]
    claims = verified_by_jwks(answer.page.fields["JWT"], browser.get("/lti/jwks.json").json())
    issued, ends = claims.pop("iat"), claims.pop("exp")
    assert time.time() - 30 <= issued <= time.time() - 5  # a platform whose clock is a little behind takes it
    assert ends == issued + 300
    assert len(claims.pop("nonce")) >= 22
    first, second = claims.pop(DL + "content_items")
    assert claims == {
        "iss": platform.client_id,
        "sub": platform.client_id,
        "aud": platform.issuer,
        LTI + "message_type": "LtiDeepLinkingResponse",
        LTI + "version": "1.3.0",
        LTI + "deployment_id": platform.deployment_id,
        DL + "data": "opaque to the tool",
    }
    assert first == {
        "type": "ltiResourceLink",
        "title": "Capitals and rivers",
        "text": "Ten minutes on European geography.",
        "url": f"{TOOL_URL}/activities/capitals-and-rivers",
        "custom": {"activity_id": "capitals-and-rivers"},
        "lineItem": {"scoreMaximum": 10, "label": "Capitals and rivers", "resourceId": "capitals-and-rivers"},
    }
    assert second["custom"] == {"activity_id": "photosynthesis"}


def test_a_platform_that_keeps_one_key_is_answered_with_that_one(
    platform: Platform, browser: Browser, stack: Stack
) -> None:
    browser.get("/lti/jwks.json")
    stack.knows(platform.registration(family=PlatformFamily.CANVAS, pushes_public_key_to=platform.url))
    rotation = wiring.key_rotation()
    rotation.run()
    (held,) = rotation.ring().keys
    ring = rotation.ring()
    rotation.rings.write(replace(ring, version=ring.version + 1, held={platform.registration().reference: held.kid}))
    rotation.rotate(timedelta())

    session = browser.opens_picker(platform).launch["session"]
    answer = browser.post("/lti/deeplink", {"session": session})

    assert verified_by_jwks(answer.page.fields["JWT"], {"keys": [dict(held.jwk)]})["iss"] == platform.client_id


def test_each_answer_has_a_nonce_of_its_own(platform: Platform) -> None:
    answers = []
    for _ in range(2):
        session = Browser().opens_picker(platform).launch["session"]
        answers.append(Browser().post("/lti/deeplink", {"session": session}).page.fields["JWT"])

    key_set = Browser().get("/lti/jwks.json").json()
    first, second = (verified_by_jwks(answer, key_set)["nonce"] for answer in answers)
    assert first != second


def test_choosing_nothing_tells_the_platform_to_close(platform: Platform, browser: Browser) -> None:
    session = browser.opens_picker(platform).launch["session"]

    answer = browser.post("/lti/deeplink", {"session": session})

    claims = verified_by_jwks(answer.page.fields["JWT"], browser.get("/lti/jwks.json").json())
    assert claims[DL + "content_items"] == []


@pytest.mark.parametrize(
    ("accepts", "has_line_item"), [({"accept_lineitem": False}, False), ({"accept_lineitem": True}, True), ({}, True)]
)
def test_a_line_item_is_offered_unless_the_platform_takes_none(
    platform: Platform, browser: Browser, accepts: dict[str, bool], has_line_item: bool
) -> None:
    session = browser.opens_picker(platform, settings=settings(platform, **accepts)).launch["session"]

    answer = browser.post("/lti/deeplink", [("session", session), PICKED[0]])

    claims = verified_by_jwks(answer.page.fields["JWT"], browser.get("/lti/jwks.json").json())
    assert ("lineItem" in claims[DL + "content_items"][0]) is has_line_item


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        ({"data": ""}, ""),
        ({}, None),
        ({"data": None}, None),
        ({"data": "<a&b>"}, "<a&b>"),
        ({"data": {"course": [7, "ø", None]}}, {"course": [7, "ø", None]}),
        ({"data": 0}, 0),
        ({"data": False}, False),
    ],
    ids=str,
)
def test_data_is_echoed_if_and_only_if_it_came(
    platform: Platform, browser: Browser, sent: dict[str, Any], echoed: object
) -> None:
    session = browser.opens_picker(platform, settings=settings(platform, **sent)).launch["session"]

    answer = browser.post("/lti/deeplink", {"session": session})

    claims = verified_by_jwks(answer.page.fields["JWT"], browser.get("/lti/jwks.json").json())
    assert claims.get(DL + "data") == echoed


def test_an_answer_goes_to_a_long_address_as_it_was_given(platform: Platform, browser: Browser) -> None:
    address = f"{platform.url}/deep-links?data=" + "x" * 6000
    session = browser.opens_picker(platform, settings=settings(platform, deep_link_return_url=address))

    answer = browser.post("/lti/deeplink", [("session", session.launch["session"]), PICKED[0]])

    assert answer.page.action == address


def test_a_request_is_answered_once(stack: Stack, platform: Platform, browser: Browser) -> None:
    form = {"session": browser.opens_picker(platform).launch["session"], "activity": "photosynthesis"}
    browser.post("/lti/deeplink", form)
    before = stack.contents()

    again = browser.post("/lti/deeplink", form)

    assert (again.status, again.code) == (409, "already_answered")
    assert stack.contents() == before


@pytest.mark.parametrize(
    ("accepts", "chosen", "status", "code"),
    [
        ({"accept_multiple": False}, PICKED, 400, "invalid_selection"),
        ({"accept_types": ["file", "html"]}, PICKED[:1], 400, "invalid_selection"),
        ({}, [("activity", "not-in-the-catalogue")], 404, "unknown_activity"),
    ],
)
def test_what_the_platform_does_not_take_is_refused_and_may_be_chosen_anew(
    platform: Platform,
    browser: Browser,
    accepts: dict[str, object],
    chosen: list[tuple[str, str]],
    status: int,
    code: str,
) -> None:
    session = browser.opens_picker(platform, settings=settings(platform, **accepts)).launch["session"]

    refused = browser.post("/lti/deeplink", [("session", session), *chosen])
    anew = browser.post("/lti/deeplink", {"session": session})

    assert (refused.status, refused.code) == (status, code)
    assert anew.status == 200


def test_nobody_without_a_session_learns_what_the_catalogue_holds(browser: Browser) -> None:
    guesses = [[("session", "made.up"), ("activity", activity)] for activity in ("photosynthesis", "guess")]

    answers = [browser.post("/lti/deeplink", guess) for guess in guesses]

    assert [(answer.status, answer.code) for answer in answers] == [(401, "session_ended")] * 2


def test_the_same_activity_twice_is_one(platform: Platform, browser: Browser) -> None:
    one_only = settings(platform, accept_multiple=False)
    session = browser.opens_picker(platform, settings=one_only).launch["session"]

    answer = browser.post("/lti/deeplink", [("session", session), PICKED[0], PICKED[0]])

    claims = verified_by_jwks(answer.page.fields["JWT"], browser.get("/lti/jwks.json").json())
    assert len(claims[DL + "content_items"]) == 1


def test_learners_pick_nothing(platform: Platform, browser: Browser) -> None:
    launched = browser.opens_picker(platform, roles=[LEARNER]).launch

    answer = browser.post("/lti/deeplink", [("session", launched["session"]), PICKED[0]])

    assert launched["landing"] == "/app/welcome"
    assert (answer.status, answer.code) == (403, "not_permitted")


def test_a_resource_link_is_no_place_to_pick(platform: Platform, browser: Browser) -> None:
    session = browser.launches(platform, roles=[INSTRUCTOR]).launch["session"]

    answer = browser.post("/lti/deeplink", [("session", session), PICKED[0]])

    assert (answer.status, answer.code) == (400, "invalid_selection")
    assert browser.get("/api/session", token=session).status == 200


def test_a_return_address_cannot_carry_markup_into_our_page(platform: Platform, browser: Browser) -> None:
    address = f'{platform.url}/"><script>alert(1)</script>'
    returning = settings(platform, deep_link_return_url=address)
    session = browser.opens_picker(platform, settings=returning).launch["session"]

    page = browser.post("/lti/deeplink", {"session": session}).page

    assert page.action == address
    assert page.markup.count("script") == 1
