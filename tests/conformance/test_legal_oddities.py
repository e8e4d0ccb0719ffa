"""Legal oddities: launches that look strange, are allowed, and open."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from tests.support.browser import ACTIVITY, Answer, Browser
from tests.support.platform import ABSENT, INSTRUCTOR, LEARNER, FromNow, Platform, Reply, compact, rsa_key
from tests.support.stack import TOOL_URL, Stack

NOW = FromNow()
PERSON = {"name": None, "given_name": None, "family_name": None, "email": None, "picture": None, "locale": None}

ACCEPTED: dict[str, dict[str, Any]] = {
    "null members everywhere": {
        **PERSON,
        "context": None,
        "custom": None,
        "presentation": None,
        "endpoint": None,
        "azp": None,
        "nbf": None,
    },
    "null members within": {
        "resource_link": {"id": "link-1", "title": None, "description": None},
        "context": {"id": "course-1", "label": None, "title": None, "type": None},
        "presentation": {"document_target": None, "height": None, "width": None, "return_url": None, "locale": None},
    },
    "numbers as texts": {"presentation": {"height": "500", "width": "800"}},
    "numbers for texts": {"name": 7, "context": {"id": 12, "title": 34}, "resource_link": {"id": 56, "title": 78}},
    "a number for the user": {"sub": 4711},
    "custom values of other kinds": {"custom": {"a": 1, "b": True, "c": None, "d": 2.5, "e": ["x"], "f": {"g": "h"}}},
    "custom a list": {"custom": []},
    "aud a list of one": {"aud": ["client-1"]},
    "aud our id twice": {"aud": ["client-1", "client-1"]},
    "azp is us": {"azp": "client-1"},
    "times with fractions": {"iat": NOW + 0.25, "exp": NOW + 299.75},
    "exp just gone, within the leeway": {"iat": NOW - 300, "exp": NOW - 20},
    "iat a little ahead": {"iat": NOW + 40, "exp": NOW + 340},
    "iat of nine minutes ago": {"iat": NOW - 540},
    "a life of an hour": {"exp": NOW + 3600},
    "nbf a little ahead": {"nbf": NOW + 30},
    "unknown claims": {"https://lms.example/extension": {"deep": [1, {"er": None}]}, "sid": "abc", "amr": ["pwd"]},
    "no context": {"context": ABSENT},
    "an empty context": {"context": {}},
    "an empty custom and presentation": {"custom": {}, "presentation": {}},
    "no names": {"name": ABSENT, "email": ABSENT},
    "no grade service": {"endpoint": ABSENT},
    "a grade service without a line item": {"endpoint": {"scope": [], "lineitems": "https://lms.example/lineitems"}},
    "a grade service without scopes": {"endpoint": {"lineitems": "https://lms.example/lineitems", "scope": None}},
    "roles empty": {"roles": []},
    "roles with nulls": {"roles": [None, LEARNER, 1]},
    "context type in its short form": {"context": {"id": "course-1", "type": ["CourseSection"]}},
    "context type a text": {"context": {"id": "course-1", "type": "CourseSection"}},
    "names in every script": {"name": "Zoë Ødegård 山田太郎 محمد 🎓"},
    "a long title": {"resource_link": {"id": "link-1", "title": "T" * 5000}},
    "an id of 255 characters": {"resource_link": {"id": "x" * 255}},
    "ids with separators": {"resource_link": {"id": "a#b/c%d:e"}, "sub": "u#1/2%3", "context": {"id": "c#1"}},
    "a locale with an underscore": {"presentation": {"locale": "pt_BR"}},
    "a locale that is none": {"presentation": {"locale": "no such thing!"}},
    "a return address that is none": {"presentation": {"return_url": "about:blank"}},
    "a migration claim": {"https://purl.imsglobal.org/spec/lti/claim/lti1p1": {"user_id": "old"}},
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_legal_oddity_opens(platform: Platform, browser: Browser, name: str) -> None:
    answer = browser.launches(platform, **ACCEPTED[name])

    assert (answer.status, answer.code) == (200, "ok")
    assert browser.get("/api/session", token=answer.launch["session"]).status == 200


def session_of(browser: Browser, answer: Answer) -> Any:
    return browser.get("/api/session", token=answer.launch["session"]).json()


def test_unresolved_variables_count_as_absent(platform: Platform, browser: Browser) -> None:
    custom = {"due": "$ResourceLink.submission.endDateTime", "level": "hard", "empty": ""}

    answer = browser.launches(platform, custom=custom, name="$Person.name.full", email="$Person.email.primary")

    session = session_of(browser, answer)
    assert session["custom"] == {"level": "hard", "empty": ""}
    assert session["user"] == {"id": "user-1"}


def test_a_name_is_put_together_from_its_parts(platform: Platform, browser: Browser) -> None:
    answer = browser.launches(platform, name=ABSENT, given_name="Ada", family_name="Example")

    assert session_of(browser, answer)["user"]["name"] == "Ada Example"


def test_numbers_are_read_as_their_digits(platform: Platform, browser: Browser) -> None:
    answer = browser.launches(platform, sub=4711, resource_link={"id": 56}, context={"id": 12}, custom={"a": 1})

    session = session_of(browser, answer)
    assert (session["user"]["id"], session["resource_link"]["id"]) == ("4711", "56")
    assert (session["context"]["id"], session["custom"]) == ("12", {"a": "1"})


@pytest.mark.parametrize("header", [{"typ": ABSENT}, {"typ": "jwt"}, {"typ": None}, {"cty": "JWT"}, {"surprise": 1}])
def test_a_header_may_say_less_or_more(platform: Platform, browser: Browser, header: dict[str, Any]) -> None:
    question = browser.begins_login(platform)
    whole = {"alg": "RS256", "typ": "JWT", "kid": platform.key.kid, **header}
    whole = {name: value for name, value in whole.items() if value is not ABSENT}

    answer = browser.comes_back(question, compact(whole, platform.claims(question["nonce"], ACTIVITY), platform.key))

    assert answer.status == 200


def test_white_space_and_escapes_in_the_payload_are_json(platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform)
    claims = platform.claims(question["nonce"], ACTIVITY, name="Ada Ödegård 🎓")
    payload = json.dumps(claims, indent=2, ensure_ascii=True)

    answer = browser.comes_back(question, compact({"alg": "RS256", "kid": platform.key.kid}, payload, platform.key))

    assert session_of(browser, answer)["user"]["name"] == "Ada Ödegård 🎓"


def test_fields_that_we_do_not_know_may_come_with_the_answer(platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform)
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY))

    answer = browser.comes_back(question, token, session_state="x", lti_storage_target="_parent", utf8="✓")

    assert answer.status == 200


@pytest.mark.parametrize(
    "target", [f"{TOOL_URL}/", TOOL_URL, f"{TOOL_URL}/activities/photosynthesis?a=b%20c#d", "https://TOOL.example/x"]
)
def test_a_link_may_point_anywhere_on_the_tool(platform: Platform, browser: Browser, target: str) -> None:
    assert browser.launches(platform, target).status == 200


def test_a_login_that_names_its_deployment_launches_from_there(platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform, lti_deployment_id=platform.deployment_id)

    answer = browser.comes_back(question, platform.signs(platform.claims(question["nonce"], ACTIVITY)))

    assert answer.status == 200


def test_two_client_ids_of_one_issuer_launch_each_for_itself(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    stack.knows(platform.registration(client_id="client-1b"))
    question = browser.begins_login(platform, client_id="client-1b")
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY, aud="client-1b"))

    assert session_of(browser, browser.comes_back(question, token))["client_id"] == "client-1b"


def test_a_new_key_after_a_rotation_opens_at_once(platform: Platform, browser: Browser) -> None:
    browser.launches(platform)
    platform.key = rsa_key("rotated")
    platform.published.append(platform.public_jwk(platform.key))

    answers = [browser.launches(platform) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert len(platform.requests_to("/jwks")) == 2


def test_a_platform_that_was_set_up_anew_may_keep_the_name_of_its_key(platform: Platform, browser: Browser) -> None:
    browser.launches(platform)
    platform.key = RSAKey.import_key({**rsa_key("rotated").as_dict(private=True), "kid": str(platform.key.kid)})
    platform.published = [platform.public_jwk(platform.key)]

    answers = [browser.launches(platform) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert len(platform.requests_to("/jwks")) == 2


def test_a_key_set_may_come_as_any_media_type(platform: Platform, browser: Browser) -> None:
    body = json.dumps({"keys": platform.published}).encode()
    platform.will_answer("/jwks", Reply(body=body, headers={"Content-Type": "text/html; charset=utf-8"}))

    assert browser.launches(platform).status == 200


@pytest.mark.parametrize("flag", [True, "true", "True"])
def test_flags_of_deep_linking_may_be_texts(platform: Platform, browser: Browser, flag: object) -> None:
    settings = {
        "deep_link_return_url": "https://lms.example/return",
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["iframe"],
        "accept_multiple": flag,
        "accept_lineitem": flag,
        "title": None,
    }

    answer = browser.opens_picker(platform, settings=settings, roles=[INSTRUCTOR])

    shown = session_of(browser, answer)["deep_linking"]
    assert shown == {"accept_types": ["ltiResourceLink"], "accept_multiple": True, "accept_lineitem": True}


def test_a_deep_linking_request_may_leave_its_target_out(platform: Platform, browser: Browser) -> None:
    assert browser.opens_picker(platform, target_link_uri=ABSENT).status == 200


def test_a_deep_linking_request_may_name_no_user(platform: Platform, browser: Browser) -> None:
    assert browser.opens_picker(platform, sub=ABSENT).launch["landing"] == "/app/picker"


def test_an_anonymous_launch_opens_where_the_operator_allows_it(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    stack.knows(platform.registration(allow_anonymous=True))
    session = browser.launches(platform, sub=ABSENT).launch["session"]
    before = stack.contents()["RecordsTable"]

    handed_in = browser.post("/api/attempt", document={"answers": {}}, token=session)

    assert (handed_in.status, handed_in.json()["attempt"]["delivery"]["state"]) == (201, "not_sent")
    assert stack.contents()["RecordsTable"] == before
    assert stack.queued() == []
