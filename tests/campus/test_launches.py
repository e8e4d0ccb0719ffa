"""Login initiation, authentication request, id_token: what each platform sends and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.campus import tokens
from local.campus import vocabulary as v
from tests.campus.stand_in import Clock, Visitor, form_of


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_authentication_request_is_answered_with_a_signed_id_token(platform: Visitor, method: str) -> None:
    fields = platform.begins("student1")

    claims = platform.launched(fields, method=method)

    assert claims["iss"] == platform.profile.issuer == fields["iss"]
    assert claims["aud"] == fields["client_id"]
    assert claims["nonce"] == "the-nonce"
    assert claims[v.LTI + "message_type"] == "LtiResourceLinkRequest"
    assert claims[v.LTI + "deployment_id"] == fields["lti_deployment_id"]
    assert claims[v.LTI + "target_link_uri"] == fields["target_link_uri"]


def test_the_answer_posts_the_state_back_to_the_redirect_uri(platform: Visitor) -> None:
    page = platform.asks(platform.begins())

    assert form_of(page)["state"] == "the-state"
    assert f'action="{platform.tool.url}/lti/launch"' in page.text


def test_a_login_initiation_opens_one_launch_only(platform: Visitor) -> None:
    fields = platform.begins()
    platform.launched(fields)

    again = form_of(platform.asks(fields))

    assert "id_token" not in again
    assert again["error"] == {"canvas": "launch_no_longer_valid", "moodle": "unauthorized_client"}[platform.slug]
    assert again["state"] == "the-state"


def test_a_canvas_launch_is_over_after_five_minutes(canvas: Visitor, clock: Clock) -> None:
    fields = canvas.begins()
    clock.time += 301

    assert form_of(canvas.asks(fields))["error"] == "launch_no_longer_valid"


@pytest.mark.parametrize(
    ("changes", "on_canvas", "on_moodle"),
    [
        ({"scope": "openid profile"}, "invalid_request_object", "invalid_scope"),
        ({"response_type": "code"}, "invalid_request_object", "unsupported_response_type"),
        ({"response_mode": "query"}, "invalid_request_object", "invalid_request"),
        ({"prompt": "login"}, "invalid_request_object", "invalid_request"),
        ({"nonce": None}, "invalid_request_object", "invalid_request"),
        ({"lti_message_hint": None}, "invalid_request_object", "invalid_request"),
        ({"client_id": "somebody"}, "unauthorized_client", "unauthorized_client"),
        ({"login_hint": "22"}, "login_required", "access_denied"),
        ({"lti_message_hint": "{}"}, "launch_no_longer_valid", "unauthorized_client"),
    ],
)
def test_a_wrong_parameter_is_answered_with_the_platforms_own_error(
    platform: Visitor, changes: dict[str, Any], on_canvas: str, on_moodle: str
) -> None:
    answer = form_of(platform.asks(platform.begins("student1"), **changes))

    assert answer["error"] == (on_canvas if platform.slug == "canvas" else on_moodle)
    assert "id_token" not in answer


def test_nothing_is_posted_to_a_redirect_uri_that_nobody_registered(platform: Visitor) -> None:
    page = platform.asks(platform.begins(), redirect_uri=f"{platform.tool.url}/lti/launch/")

    assert page.status_code == 400
    assert "<form" not in page.text


def test_a_parameter_sent_twice_is_refused(platform: Visitor) -> None:
    request = platform.authentication_request(platform.begins())

    page = platform.client.post(platform.profile.url("authorize"), data={**request, "nonce": ["one", "two"]})

    assert page.status_code == 400


def test_canvas_sends_its_own_parameters_and_a_sealed_hint(canvas: Visitor) -> None:
    fields = canvas.begins()

    assert {"canvas_environment", "canvas_region"} <= fields.keys()
    assert tokens.header_of(fields["lti_message_hint"])["alg"] == "HS256"


def test_moodle_sends_json_as_hint_and_a_number_as_user(moodle: Visitor) -> None:
    launch, picking = moodle.begins("student1"), moodle.begins_picking()

    assert launch["login_hint"].isdecimal()
    assert json.loads(launch["lti_message_hint"])["cmid"] == moodle.activity()["id"]
    assert list(json.loads(picking["lti_message_hint"])) == ["launchid"]


def test_a_canvas_id_token_counts_from_the_login_initiation(canvas: Visitor, clock: Clock) -> None:
    fields = canvas.begins()
    clock.time += 200

    claims = canvas.launched(fields)

    assert claims["iat"] == int(clock.time) - 200
    assert claims["exp"] == claims["iat"] + 3600
    assert claims["azp"] == claims["aud"]


def test_a_moodle_id_token_lives_for_a_minute(moodle: Visitor, clock: Clock) -> None:
    claims = moodle.launched()

    assert claims["iat"] == int(clock.time)
    assert claims["exp"] == claims["iat"] + 60
    assert "azp" not in claims


@pytest.mark.parametrize(
    ("user", "roles"),
    [
        ("teacher", [v.INSTITUTION + "Instructor", v.MEMBERSHIP + "Instructor", v.SYSTEM + "User"]),
        ("student1", [v.INSTITUTION + "Student", v.MEMBERSHIP + "Learner", v.SYSTEM + "User"]),
        ("observer", [v.INSTITUTION + "Observer", v.MEMBERSHIP + "Mentor", v.SYSTEM + "User"]),
        ("admin", [v.INSTITUTION + "Administrator", v.SYSTEM + "User"]),
    ],
)
def test_canvas_sends_institution_and_system_roles_beside_those_in_the_course(
    canvas: Visitor, user: str, roles: list[str]
) -> None:
    assert canvas.launched(canvas.begins(user))[v.LTI + "roles"] == roles


def test_a_canvas_teaching_assistant_is_an_instructor_too(canvas: Visitor) -> None:
    roles = canvas.launched(canvas.begins("ta"))[v.LTI + "roles"]

    assert {v.TEACHING_ASSISTANT, v.MEMBERSHIP + "Instructor"} <= set(roles)


@pytest.mark.parametrize(
    ("user", "roles"),
    [
        ("teacher", [v.MEMBERSHIP + "Instructor"]),
        ("ta", [v.MEMBERSHIP + "Learner"]),
        ("student1", [v.MEMBERSHIP + "Learner"]),
        ("observer", [v.MEMBERSHIP + "Learner"]),
        ("admin", [v.INSTITUTION + "Administrator", v.MEMBERSHIP + "Instructor", v.SYSTEM + "Administrator"]),
    ],
)
def test_moodle_knows_two_roles_and_administrators(moodle: Visitor, user: str, roles: list[str]) -> None:
    assert moodle.launched(moodle.begins(user))[v.LTI + "roles"] == roles


def test_canvas_sends_nulls_where_it_has_nothing(canvas: Visitor) -> None:
    claims = canvas.launched()

    assert claims[v.LTI + "resource_link"]["description"] is None
    assert claims["https://www.instructure.com/placement"] is None
    assert claims[v.LTI + "lti11_legacy_user_id"] == ""
    assert claims[v.LTI + "custom"] == {}


def test_moodle_writes_short_context_types_and_its_extension(moodle: Visitor) -> None:
    claims = moodle.launched()

    assert claims[v.LTI + "context"]["type"] == ["CourseSection"]
    assert claims[v.LTI + "ext"] == {"lms": "moodle-2", "user_username": "amina.yusuf"}
    assert v.LTI + "custom" not in claims


def test_service_addresses_are_those_of_the_platform(canvas: Visitor, moodle: Visitor) -> None:
    on_canvas, on_moodle = canvas.launched()[v.AGS], moodle.launched()[v.AGS]

    assert on_canvas["lineitem"].startswith(on_canvas["lineitems"] + "/")
    assert "?" not in on_canvas["lineitem"]
    assert on_moodle["lineitems"].endswith("/mod/lti/services.php/2/lineitems?type_id=3")
    assert on_moodle["lineitem"].endswith("/lineitem?type_id=3")


def test_an_activity_without_a_column_has_no_line_item_claim(platform: Visitor) -> None:
    added = platform.control(f"{platform.slug}/courses/{platform.course()['id']}/activities", {"title": "Reading"})

    claims = platform.launched(platform.begins("student1", added["id"]))

    assert "lineitem" not in claims[v.AGS]
    assert claims[v.LTI + "resource_link"]["title"] == "Reading"


def test_custom_values_are_resolved_and_unknown_names_stay_as_they_are(platform: Visitor) -> None:
    custom = {"who": "$User.id", "what": "$Foo.bar", "count": 3, "yes": True}
    added = platform.control(
        f"{platform.slug}/courses/{platform.course()['id']}/activities", {"title": "A", "custom": custom}
    )

    claims = platform.launched(platform.begins("student1", added["id"]))

    assert claims[v.LTI + "custom"] == {"who": claims["sub"], "what": "$Foo.bar", "count": "3", "yes": "true"}


def test_keys_of_custom_values_are_plain_on_canvas_and_both_ways_on_moodle(canvas: Visitor, moodle: Visitor) -> None:
    sent = {}
    for visitor in (canvas, moodle):
        path = f"{visitor.slug}/courses/{visitor.course()['id']}/activities"
        added = visitor.control(path, {"title": "A", "custom": {"Activity-ID": "7"}})
        sent[visitor.slug] = visitor.launched(visitor.begins("student1", added["id"]))[v.LTI + "custom"]

    assert sent["canvas"] == {"activity_id": "7"}
    assert sent["moodle"] == {"Activity-ID": "7", "activity_id": "7"}


def test_canvas_publishes_three_keys_and_signs_with_the_middle_one(canvas: Visitor) -> None:
    kids = [key["kid"] for key in canvas.client.get(canvas.profile.url("jwks")).get_json()["keys"]]

    signed_with = tokens.header_of(form_of(canvas.asks(canvas.begins()))["id_token"])["kid"]

    assert len(kids) == 3
    assert signed_with == kids[1]


def test_a_rotation_on_canvas_signs_with_the_key_that_was_announced(canvas: Visitor) -> None:
    before = [key["kid"] for key in canvas.client.get(canvas.profile.url("jwks")).get_json()["keys"]]

    canvas.control("faults", {"platform": "canvas", "rotate_keys": True})

    after = [key["kid"] for key in canvas.client.get(canvas.profile.url("jwks")).get_json()["keys"]]
    assert after[:2] == before[1:]
    assert after[2] not in before
    assert tokens.header_of(form_of(canvas.asks(canvas.begins()))["id_token"])["kid"] == before[2]


def test_moodle_publishes_one_key_without_its_private_half(moodle: Visitor) -> None:
    keys = moodle.client.get(moodle.profile.url("jwks")).get_json()["keys"]

    assert len(keys) == 1
    assert keys[0].keys() == {"kty", "n", "e", "kid", "use", "alg"}
