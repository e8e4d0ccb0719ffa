"""Canvas reads a tool's configuration from a URL, and opens the tool from the placements in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.campus import vocabulary as v
from local.campus.canvas_configuration import PLACEMENTS
from tests.campus.stand_in import Visitor, changed, new_key

PLACEMENT = "https://www.instructure.com/placement"
CONFIGURED = [(name, kind) for kind, names in PLACEMENTS.items() for name in names]
PERSONAL = {"name", "given_name", "family_name", "email", "picture"}


def document(visitor: Visitor, placements: list[dict[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    """The JSON of a developer key, with members of the whole or, by the same name, of the extension changed."""
    url = visitor.tool.url
    settings = {"text": "Activities", "custom_fields": {"level": "settings", "course": "$Canvas.course.id"}}
    extension = {
        "platform": "canvas.instructure.com",
        "domain": url.partition("//")[2],
        "privacy_level": "public",
        "settings": {**settings, "placements": placements or [{"placement": "course_navigation"}]},
    }
    extension = changed(extension, {name: value for name, value in changes.items() if name in extension})
    whole = {
        "title": "A tool",
        "description": "Activities",
        "target_link_uri": f"{url}/lti/launch",
        "oidc_initiation_url": f"{url}/lti/login",
        "oidc_initiation_urls": {"eu-west-1": f"{url}/eu/lti/login"},
        "public_jwk_url": f"{url}/lti/jwks.json",
        "public_jwk": None,
        "scopes": [*v.AGS_SCOPES, v.MEMBERSHIP_SCOPE],
        "custom_fields": {"level": "top", "who": "$Canvas.user.id", "what": "$Foo.bar"},
        "extensions": [extension],
    }
    return changed(whole, {name: value for name, value in changes.items() if name not in extension})


def configured(visitor: Visitor, read: Any, **body: Any) -> tuple[int, Any]:
    visitor.tool.canvas_answer = (200, "application/json", json.dumps(read).encode())
    return fetched(visitor, **body)


def fetched(visitor: Visitor, **body: Any) -> tuple[int, Any]:
    return visitor.refused_by_control("canvas/configuration", {"url": f"{visitor.tool.url}/lti/canvas.json"} | body)


def opened(visitor: Visitor, placement: str, user: str = "student1", *, by: str = "launch", **body: Any) -> Any:
    initiation = visitor.control(f"canvas/{by}", {"user": user, "placement": placement} | body)
    return visitor.launched(initiation["fields"])


@pytest.mark.parametrize(("name", "kind"), CONFIGURED)
def test_every_placement_sends_the_message_that_it_is_configured_for(canvas: Visitor, name: str, kind: str) -> None:
    target = f"{canvas.tool.url}/lti/launch?from={name}"
    placement = {"placement": name, "message_type": kind, "target_link_uri": target}
    assert configured(canvas, document(canvas, [placement]))[0] == 200

    claims = opened(canvas, name, "teacher")

    assert claims[v.LTI + "message_type"] == kind
    assert claims[v.LTI + "target_link_uri"] == target
    assert claims[PLACEMENT] == name
    assert (v.DL + "deep_linking_settings" in claims) is (kind == v.DEEP_LINKING)


def test_the_placements_are_listed_with_their_messages(canvas: Visitor) -> None:
    placements: list[dict[str, Any]] = [
        {"placement": "editor_button", "text": "Choose"},
        {"placement": "assignment_selection", "message_type": "LtiDeepLinkingRequest"},
        {"placement": "course_navigation", "default": "disabled"},
        {"placement": "link_selection", "enabled": False},
    ]
    configured(canvas, document(canvas, placements))

    listed = canvas.control("canvas/placements")["placements"]

    assert [(each["placement"], each["message_type"], each["label"]) for each in listed] == [
        ("editor_button", v.DEEP_LINKING, "Choose"),
        ("assignment_selection", v.DEEP_LINKING, "Activities"),
        ("course_navigation", v.RESOURCE_LINK, "Activities"),
    ]
    assert listed[2]["settings"] == {"default": "disabled"}


def test_a_navigation_launch_has_the_context_for_a_link(canvas: Visitor) -> None:
    configured(canvas, document(canvas))

    claims = opened(canvas, "course_navigation")

    assert claims[v.LTI + "resource_link"]["id"] == claims[v.LTI + "context"]["id"]
    assert "lineitem" not in claims[v.AGS]


@pytest.mark.parametrize("name", ["account_navigation", "global_navigation", "user_navigation"])
def test_outside_courses_there_are_no_services_of_a_course(canvas: Visitor, name: str) -> None:
    configured(canvas, document(canvas, [{"placement": name}]))

    claims = opened(canvas, name, "admin")

    assert claims[v.LTI + "context"]["type"] == ["Account"]
    assert not {v.AGS, v.NRPS} & claims.keys()


def test_custom_fields_of_every_level_arrive_and_the_nearest_wins(canvas: Visitor) -> None:
    placement = {"placement": "course_navigation", "custom_fields": {"level": "placement", "name": "$Person.name.full"}}
    configured(canvas, document(canvas, [placement]))

    custom = opened(canvas, "course_navigation")[v.LTI + "custom"]

    assert custom == {
        "level": "placement",
        "who": "21",
        "what": "$Foo.bar",
        "course": "101",
        "name": "Amina Yusuf",
    }


@pytest.mark.parametrize(
    ("level", "shared"),
    [
        ("public", PERSONAL),
        ("name_only", {"name", "given_name", "family_name"}),
        ("email_only", {"email"}),
        ("anonymous", set()),
        (None, set()),
    ],
)
def test_the_privacy_level_says_what_the_tool_gets_to_know(
    canvas: Visitor, level: str | None, shared: set[str]
) -> None:
    configured(canvas, document(canvas, privacy_level=level))

    claims = opened(canvas, "course_navigation")
    members = canvas.gets(claims[v.NRPS]["context_memberships_url"]).get_json()["members"]

    assert claims.keys() & PERSONAL == shared
    assert members[0].keys() & PERSONAL == shared
    assert ("person_sourcedid" in claims[v.LTI + "lis"]) is ("name" in shared)
    assert claims["sub"]


def test_who_observes_whom_is_told_to_public_tools_only(canvas: Visitor) -> None:
    configured(canvas, document(canvas))
    public = opened(canvas, "course_navigation", "observer")
    configured(canvas, document(canvas, privacy_level="name_only"))
    name_only = opened(canvas, "course_navigation", "observer")

    assert v.LTI + "role_scope_mentor" in public
    assert v.LTI + "role_scope_mentor" not in name_only


def test_a_tool_gets_the_services_whose_scopes_it_asked_for(canvas: Visitor) -> None:
    configured(canvas, document(canvas, scopes=[v.SCORE_SCOPE]))

    claims = opened(canvas, "course_navigation")

    assert claims[v.AGS]["scope"] == [v.SCORE_SCOPE]
    assert v.NRPS not in claims
    assert canvas.asks_for_token(scope=v.MEMBERSHIP_SCOPE).get_json()["error"] == "invalid_scope"


def test_a_login_begins_in_the_region_of_the_institution(canvas: Visitor) -> None:
    configured(canvas, document(canvas), region="eu-west-1", environment="beta")
    body = {"user": "student1", "placement": "course_navigation"}

    initiation = canvas.control("canvas/launch", body)

    assert initiation["login_url"] == f"{canvas.tool.url}/eu/lti/login"
    assert initiation["fields"]["canvas_region"] == "eu-west-1"
    assert initiation["fields"]["canvas_environment"] == "beta"


def test_a_key_in_the_configuration_is_as_good_as_its_address(canvas: Visitor) -> None:
    key = canvas.tool.key.as_dict(private=False)
    configured(canvas, document(canvas, public_jwk_url=None, public_jwk=key))

    answer = canvas.asks_for_token()

    assert answer.status_code == 200
    assert canvas.tool.fetches == 0


def keeps_one_key(canvas: Visitor) -> dict[str, str]:
    """Configured with a key in place of its address; the header that may replace it."""
    pasted = canvas.tool.key.as_dict(private=False)
    scopes = [*v.AGS_SCOPES, v.PUBLIC_JWK_SCOPE]
    configured(canvas, document(canvas, public_jwk_url=None, public_jwk=pasted, scopes=scopes))
    return canvas.bearer(v.PUBLIC_JWK_SCOPE)


def pushes(canvas: Visitor, header: dict[str, str], body: Any) -> Any:
    return canvas.client.put(canvas.profile.url("public_jwk"), json=body, headers=header)


def test_a_tool_may_replace_its_one_key_and_the_old_one_counts_no_more(canvas: Visitor) -> None:
    header, old, new = keeps_one_key(canvas), canvas.tool.key, new_key()

    answer = pushes(canvas, header, {"developer_key": {"public_jwk": new.as_dict(private=False)}})

    assert (answer.status_code, answer.get_json()["public_jwk"]["kid"]) == (200, new.kid)
    assert answer.content_type == v.PUBLIC_JWK_TYPE
    tried = {}
    for key in (old, new):
        canvas.tool.key = key
        tried[key.kid] = canvas.asks_for_token(scope=v.SCORE_SCOPE).status_code
    assert tried == {old.kid: 400, new.kid: 200}


@pytest.mark.parametrize("body", [None, {}, {"developer_key": {"public_jwk": {"kty": "RSA"}}}, {"public_jwk": {}}])
def test_what_is_no_key_replaces_none(canvas: Visitor, body: Any) -> None:
    header = keeps_one_key(canvas)

    assert pushes(canvas, header, body).status_code == 422
    assert canvas.asks_for_token(scope=v.SCORE_SCOPE).status_code == 200


def test_a_key_is_replaced_by_the_scope_for_it_only(canvas: Visitor) -> None:
    keeps_one_key(canvas)
    new = new_key().as_dict(private=False)

    answer = pushes(canvas, canvas.bearer(v.SCORE_SCOPE), {"developer_key": {"public_jwk": new}})

    assert answer.status_code == 401
    assert canvas.asks_for_token(scope=v.SCORE_SCOPE).status_code == 200


@pytest.mark.parametrize(
    ("name", "types", "multiple"),
    [
        ("editor_button", ["link", "file", "html", "ltiResourceLink", "image"], True),
        ("assignment_selection", ["ltiResourceLink"], False),
        ("homework_submission", ["file", "ltiResourceLink"], False),
        ("ActivityAssetProcessor", ["ltiAssetProcessor"], True),
    ],
)
def test_each_placement_accepts_its_own_items(canvas: Visitor, name: str, types: list[str], multiple: bool) -> None:
    configured(canvas, document(canvas, [{"placement": name, "message_type": v.DEEP_LINKING}]))

    settings = opened(canvas, name, "teacher", by="deep_linking")[v.DL + "deep_linking_settings"]

    assert (settings["accept_types"], settings["accept_multiple"]) == (types, multiple)


@pytest.mark.parametrize(("name", "maximum"), [("link_selection", 12), ("editor_button", None)])
def test_a_line_item_makes_an_assignment_in_some_placements_only(
    canvas: Visitor, name: str, maximum: int | None
) -> None:
    configured(canvas, document(canvas, [{"placement": name, "message_type": v.DEEP_LINKING}]))
    settings = opened(canvas, name, "teacher")[v.DL + "deep_linking_settings"]
    url = f"{canvas.tool.url}/lti/launch"
    item = {"type": "ltiResourceLink", "title": "Rivers", "url": url, "lineItem": {"scoreMaximum": 12}}

    token = canvas.tool.deep_linking_response(canvas.profile, [item])
    page = canvas.returns(settings["deep_link_return_url"], token)

    assert "1 activity added" in page.text
    assert canvas.activity()["score_maximum"] == maximum


def test_a_link_in_the_editor_is_taken_and_makes_no_activity(canvas: Visitor) -> None:
    configured(canvas, document(canvas, [{"placement": "editor_button"}]))
    settings = opened(canvas, "editor_button", "teacher")[v.DL + "deep_linking_settings"]

    token = canvas.tool.deep_linking_response(canvas.profile, [{"type": "link", "url": "https://example.org/"}])
    page = canvas.returns(settings["deep_link_return_url"], token)

    assert "0 activities added" in page.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": None}, "title is required"),
        ({"description": None}, "description is required"),
        ({"target_link_uri": "no-address"}, "target_link_uri is not a valid URL"),
        ({"oidc_initiation_url": 7}, "oidc_initiation_url is not a string"),
        ({"public_jwk_url": None}, "public_jwk or public_jwk_url is required"),
        ({"public_jwk": {"kty": "RSA", "e": "AQAB", "n": "x", "kid": "1"}}, "public_jwk: alg is required"),
        ({"oidc_initiation_urls": {"eu-west-1": 7}}, "oidc_initiation_urls must be"),
        ({"scopes": ["everything"]}, "scopes: everything is not a known scope"),
        ({"privacy_level": "private"}, "privacy_level must be one of"),
        ({"settings": None}, "extensions: settings is required"),
        ({"settings": {"placements": {}}}, "placements is not an array"),
        ({"placements": [{"text": "x"}]}, "placements: placement is required"),
        ({"placements": [{"placement": "everywhere"}]}, "everywhere is not a known placement"),
        (
            {"placements": [{"placement": "course_navigation", "message_type": "LtiDeepLinkingRequest"}]},
            "Placement course_navigation does not support message type LtiDeepLinkingRequest",
        ),
        ({"placements": [{"placement": "course_navigation", "text": 7}]}, "course_navigation: text has a wrong type"),
        ({"placements": [{"placement": "file_menu", "display_type": "huge"}]}, "file_menu: display_type must be"),
    ],
)
def test_a_configuration_with_a_fault_is_not_saved_and_the_fault_is_named(
    canvas: Visitor, changes: dict[str, Any], message: str
) -> None:
    status, answer = configured(canvas, document(canvas, **changes))

    assert status == 422
    assert any(message in error for error in answer["errors"]), answer
    assert canvas.control("canvas/placements")["placements"] == []


@pytest.mark.parametrize(
    ("status", "media_type", "body"),
    [(500, "application/json", b"{}"), (200, "text/html", b"{}"), (200, "application/json", b"not JSON")],
)
def test_canvas_takes_json_under_its_own_name_only(canvas: Visitor, status: int, media_type: str, body: bytes) -> None:
    canvas.tool.canvas_answer = (status, media_type, body)

    assert fetched(canvas)[0] == 422


def test_keys_that_canvas_does_not_know_are_passed_over(canvas: Visitor) -> None:
    assert configured(canvas, document(canvas, environments={}, anything=7))[0] == 200


def test_a_placement_that_the_tool_does_not_have_is_named(canvas: Visitor) -> None:
    configured(canvas, document(canvas))

    status, error = canvas.refused_by_control("canvas/launch", {"user": "student1", "placement": "editor_button"})

    assert (status, error) == (400, {"error": "the tool has no placement editor_button, only course_navigation"})


def test_only_canvas_reads_configurations(canvas: Visitor) -> None:
    status, error = canvas.refused_by_control("moodle/configuration", {"url": "https://tool.example/"})

    assert (status, error) == (400, {"error": "only canvas reads a tool configuration"})


def test_the_first_day_forgets_the_configuration(canvas: Visitor) -> None:
    configured(canvas, document(canvas, privacy_level="anonymous"), region="eu-west-1")

    canvas.control("reset", {})

    assert canvas.control("canvas/placements")["placements"] == []
    assert "name" in canvas.launched()
    assert canvas.begins()["canvas_region"] == "not_configured"
