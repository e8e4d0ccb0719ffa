"""Blackboard, Brightspace and Sakai: what sets them apart, and what they share with everybody."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from local.campus import tokens
from local.campus import vocabulary as v
from tests.campus.stand_in import CAMPUS_URL, Clock, Visitor, form_of

DATA = v.DL + "data"


def item(visitor: Visitor, **members: Any) -> dict[str, Any]:
    url = f"{visitor.tool.url}/lti/launch"
    return {"type": "ltiResourceLink", "title": "Rivers", "url": url, "lineItem": {"scoreMaximum": 12}} | members


def settings_of(visitor: Visitor) -> dict[str, Any]:
    settings: dict[str, Any] = visitor.launched(visitor.begins_picking())[v.DL + "deep_linking_settings"]
    return settings


def test_a_launch_names_the_platform_and_the_deployment(anywhere: Visitor) -> None:
    fields = anywhere.begins("student1")

    claims = anywhere.launched(fields)

    assert claims["iss"] == fields["iss"] == f"{CAMPUS_URL}/{anywhere.slug}"
    assert claims["aud"] == fields["client_id"]
    assert claims[v.LTI + "deployment_id"] == fields["lti_deployment_id"]
    assert claims["given_name"] == "Amina"


def test_the_list_of_platforms_has_what_an_administrator_enters(anywhere: Visitor) -> None:
    platform = next(each for each in anywhere.control("platforms") if each["profile"] == anywhere.slug)

    assert platform["token_url"] == anywhere.profile.url("token")
    wanted = "https://api.brightspace.com/auth/token" if anywhere.slug == "brightspace" else None
    assert platform["token_audience"] == wanted
    assert platform["login_method"] == ("GET" if anywhere.slug == "blackboard" else "POST")
    assert anywhere.client.get(platform["jwks_url"]).get_json()["keys"]


def test_chosen_items_bring_columns_and_columns_take_scores(anywhere: Visitor) -> None:
    settings = settings_of(anywhere)
    changes = {DATA: settings["data"]} if "data" in settings else {}
    token = anywhere.tool.deep_linking_response(anywhere.profile, [item(anywhere)], changes)

    page = anywhere.returns(settings["deep_link_return_url"], token)

    assert "1 activity added" in page.text
    assert anywhere.activity()["score_maximum"] == 12
    assert anywhere.scores("student1", scoreGiven=9, scoreMaximum=12).status_code < 300
    cells = anywhere.control(f"{anywhere.slug}/gradebook")["courses"][0]["cells"]
    assert [cell["score"] for cell in cells] == [9]


def test_a_roster_has_everybody_in_the_course(anywhere: Visitor) -> None:
    claim = anywhere.launched()[v.NRPS]

    answer = anywhere.gets(claim["context_memberships_url"])

    names = {member["name"] for member in answer.get_json()["members"]}
    assert {"Ruth Okafor", "Amina Yusuf"} <= names


# --- Blackboard


def test_blackboard_begins_a_login_by_get(blackboard: Visitor) -> None:
    path = f"/blackboard/courses/61/activities/{blackboard.activity()['id']}/launch?as=student1"

    answer = blackboard.client.get(f"{CAMPUS_URL}{path}")

    assert answer.status_code == 302
    address = urlsplit(answer.headers["Location"])
    fields = dict(parse_qsl(address.query))
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{blackboard.tool.url}/lti/login"
    assert {"iss", "login_hint", "target_link_uri", "client_id", "lti_deployment_id", "lti_message_hint"} <= set(fields)
    assert blackboard.launched(fields)["given_name"] == "Amina"


@pytest.mark.parametrize(("part", "other"), [("%20", " "), ("+", " "), ("%2F", "/"), ("&", "&amp;")])
def test_blackboard_wants_its_hint_back_to_the_letter(blackboard: Visitor, part: str, other: str) -> None:
    fields = blackboard.begins()
    hint = fields["lti_message_hint"]
    assert part in hint

    answer = form_of(blackboard.asks(fields, lti_message_hint=hint.replace(part, other)))

    assert answer["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({DATA: None}, "data is missing"),
        ({DATA: "made-up"}, "data was altered"),
        ({"sub": None}, "sub is None"),
        ({"sub": "somebody"}, "sub is"),
        ({v.LTI + "deployment_id": None}, "deployment_id is None"),
    ],
)
def test_blackboard_names_what_a_deep_linking_response_lacks(
    blackboard: Visitor, changes: dict[str, Any], reason: str
) -> None:
    settings = settings_of(blackboard)
    full = {DATA: settings["data"]} | changes
    token = blackboard.tool.deep_linking_response(blackboard.profile, [item(blackboard)], full)

    page = blackboard.returns(settings["deep_link_return_url"], token)

    assert page.status_code == 400
    assert reason in page.text
    assert len(blackboard.course()["activities"]) == 1


def test_blackboards_services_write_ids_in_its_own_way(blackboard: Visitor) -> None:
    claim = blackboard.launched()[v.AGS]

    assert claim["lineitems"].endswith("/learn/api/v1/lti/courses/_61_1/lineItems")
    assert claim["lineitem"].startswith(claim["lineitems"] + "/_")


def test_blackboards_application_has_a_key_set_of_its_own_beside_the_general_one(blackboard: Visitor) -> None:
    own = blackboard.profile.url("jwks")
    general = f"{blackboard.profile.issuer}/.well-known/jwks.json"

    assert f"/applications/{blackboard.profile.client_id}/" in own
    assert blackboard.client.get(own).get_json() == blackboard.client.get(general).get_json()


# --- Brightspace


def test_brightspace_wants_its_own_audience_and_not_the_token_url(brightspace: Visitor) -> None:
    url = brightspace.profile.url("token")
    wrong = brightspace.asks_for_token(brightspace.tool.assertion(brightspace.profile, aud=url))
    right = brightspace.asks_for_token(
        brightspace.tool.assertion(brightspace.profile, aud="https://api.brightspace.com/auth/token")
    )

    assert (wrong.status_code, wrong.get_json()["error_description"]) == (401, "the 'aud' is invalid")
    assert right.status_code == 200


def test_a_link_made_by_hand_on_brightspace_has_no_line_item(brightspace: Visitor) -> None:
    path = f"brightspace/courses/{brightspace.course()['id']}/activities"
    added = brightspace.control(path, {"title": "By hand", "score_maximum": 10})

    claims = brightspace.launched(brightspace.begins("student1", added["id"]))

    assert added["line_item"] is None
    assert "lineitem" not in claims[v.AGS]


def test_a_tool_may_make_the_line_item_that_brightspace_did_not(brightspace: Visitor) -> None:
    link = brightspace.activity()["resource_link_id"]

    made = brightspace.makes_line_item(resourceLinkId=link)

    assert made.status_code == 201
    assert brightspace.launched()[v.AGS]["lineitem"] == json.loads(made.text)["id"]


def test_brightspaces_keys_do_not_say_their_algorithm(brightspace: Visitor) -> None:
    (key,) = brightspace.client.get(brightspace.profile.url("jwks")).get_json()["keys"]

    assert "alg" not in key
    assert key["kid"] == tokens.header_of(form_of(brightspace.asks(brightspace.begins()))["id_token"])["kid"]


def test_brightspace_keeps_back_what_its_security_settings_do_not_share(brightspace: Visitor) -> None:
    path = f"brightspace/registrations/{brightspace.profile.client_id}/security_settings"
    brightspace.control(path, {"org_unit": False, "user": False, "link": False})

    claims = brightspace.launched()

    assert not {"name", "given_name", "family_name", "email", v.LTI + "context"} & claims.keys()
    assert list(claims[v.LTI + "resource_link"]) == ["id"]
    assert claims["sub"]


def test_brightspaces_settings_are_set_one_by_one(brightspace: Visitor) -> None:
    path = f"brightspace/registrations/{brightspace.profile.client_id}/security_settings"
    brightspace.control(path, {"user": False})

    kept_back = brightspace.control(path, {"org_unit": False, "user": True})["withheld"]

    assert kept_back == ["org_unit"]
    assert brightspace.refused_by_control(path, {"everything": True})[0] == 400
    assert brightspace.refused_by_control(path.replace("brightspace/", "sakai/"), {"user": True})[0] == 400


# --- Sakai


def test_one_scope_that_is_not_allowed_fails_the_whole_request_on_sakai(sakai: Visitor) -> None:
    answer = sakai.asks_for_token(scope=f"{v.SCORE_SCOPE} https://example.org/scope/everything")

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize(("late", "status"), [(0, 200), (59, 200), (61, 401)])
def test_sakais_clock_has_a_minute_of_leeway(sakai: Visitor, clock: Clock, late: int, status: int) -> None:
    now = int(clock.time)

    expired = sakai.asks_for_token(sakai.tool.assertion(sakai.profile, exp=now - late))
    ahead = sakai.asks_for_token(sakai.tool.assertion(sakai.profile, iat=now + late))

    assert (expired.status_code, ahead.status_code) == (status, status)


def test_sakai_does_not_look_at_the_audience(sakai: Visitor) -> None:
    assertion = sakai.tool.assertion(sakai.profile, aud="https://elsewhere.example")

    assert sakai.asks_for_token(assertion).status_code == 200


def test_sakai_writes_short_context_types(sakai: Visitor) -> None:
    assert sakai.launched()[v.LTI + "context"]["type"] == ["CourseSection"]


def test_an_authentication_request_may_come_with_a_query_or_a_form(anywhere: Visitor) -> None:
    request = anywhere.authentication_request(anywhere.begins())

    page = anywhere.client.get(f"{anywhere.profile.url('authorize')}?{urlencode(request)}")

    assert form_of(page)["state"] == "the-state"
