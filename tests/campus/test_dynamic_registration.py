"""Dynamic registration as a platform does it: the invitation, the configuration, the registration, the first launch."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from local.campus import vocabulary as v
from tests.campus.stand_in import CAMPUS_URL, Clock, Visitor, changed, form_of

CANVAS = "https://canvas.instructure.com/lti/"


def introduction(visitor: Visitor, **body: Any) -> dict[str, str]:
    given: dict[str, str] = visitor.control(f"{visitor.slug}/dynamic_registration", body)
    return given


def configuration(visitor: Visitor, given: dict[str, str]) -> dict[str, Any]:
    answer = visitor.client.get(given["openid_configuration"])
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.get_json()
    return document


def request_of(visitor: Visitor, **changes: Any) -> dict[str, Any]:
    """A registration request with members of the whole or, by the same name, of the tool configuration changed."""
    url = visitor.tool.url
    tool = {
        "domain": urlsplit(url).netloc,
        "description": "Activities",
        "target_link_uri": f"{url}/lti/launch",
        "custom_parameters": {"who": "$User.id"},
        "claims": ["iss", "sub", "name", "given_name", "family_name", "email"],
        "messages": [{"type": v.RESOURCE_LINK}, {"type": v.DEEP_LINKING, "target_link_uri": f"{url}/lti/launch?pick"}],
    }
    tool = changed(tool, {name: value for name, value in changes.items() if name in tool or name.startswith("http")})
    whole = {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": f"{url}/lti/login",
        "redirect_uris": [f"{url}/lti/launch"],
        "client_name": "A tool",
        "jwks_uri": f"{url}/lti/jwks.json",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": f"{v.SCORE_SCOPE} {v.LINE_ITEM_SCOPE} https://example.org/scope/everything",
        v.TOOL_CONFIGURATION: tool,
    }
    return changed(whole, {name: value for name, value in changes.items() if name in whole})


def registers(visitor: Visitor, given: dict[str, str] | None = None, **changes: Any) -> Any:
    given = given or introduction(visitor)
    endpoint = configuration(visitor, given)["registration_endpoint"]
    headers = {"Authorization": f"Bearer {given['registration_token']}"}
    return visitor.client.post(endpoint, json=request_of(visitor, **changes), headers=headers)


def registration(visitor: Visitor, client_id: str) -> dict[str, Any]:
    listed = visitor.control(f"{visitor.slug}/registrations")["registrations"]
    found: dict[str, Any] = next(each for each in listed if each["client_id"] == client_id)
    return found


def registered(visitor: Visitor, **changes: Any) -> str:
    """The client id of a tool that an administrator switched on."""
    client_id: str = registers(visitor, **changes).get_json()["client_id"]
    visitor.control(f"{visitor.slug}/registrations/{client_id}/activate", {})
    return client_id


# --- the configuration


def test_a_configuration_names_the_issuer_and_every_endpoint(anywhere: Visitor) -> None:
    document = configuration(anywhere, introduction(anywhere))

    assert document["issuer"] == anywhere.profile.issuer
    for name in ("authorization_endpoint", "registration_endpoint", "jwks_uri", "token_endpoint"):
        assert document[name].startswith(anywhere.profile.issuer + "/")
    assert anywhere.client.get(document["jwks_uri"]).get_json()["keys"]
    platform = document[v.PLATFORM_CONFIGURATION]
    assert {v.RESOURCE_LINK, v.DEEP_LINKING} <= {message["type"] for message in platform["messages_supported"]}


def test_canvas_tells_its_configuration_to_invited_tools_only(canvas: Visitor) -> None:
    given = introduction(canvas)
    bare = given["openid_configuration"].partition("?")[0]

    by_query = canvas.client.get(given["openid_configuration"])
    by_bearer = canvas.client.get(bare, headers={"Authorization": f"Bearer {given['registration_token']}"})
    nobody = canvas.client.get(bare)

    assert (by_query.status_code, by_bearer.status_code, nobody.status_code) == (200, 200, 401)
    assert "errorMessage" in nobody.get_json()


def test_canvas_names_a_bare_host_as_authorization_server(canvas: Visitor, brightspace: Visitor) -> None:
    of_canvas, of_brightspace = (configuration(each, introduction(each)) for each in (canvas, brightspace))

    assert of_canvas["authorization_server"] == "127.0.0.1:8090"
    assert of_brightspace["authorization_server"] == "https://api.brightspace.com/auth/token"


def test_moodles_configuration_is_public(moodle: Visitor) -> None:
    given = introduction(moodle)

    assert given["openid_configuration"] == f"{moodle.profile.issuer}/mod/lti/openid-configuration.php"


def test_sakais_configuration_is_made_for_one_tool(sakai: Visitor) -> None:
    one, other = introduction(sakai), introduction(sakai)

    query = parse_qs(urlsplit(one["openid_configuration"]).query)
    assert {"key", "clientId", "issuerURL", "deploymentId"} == set(query)
    assert configuration(sakai, one)["registration_endpoint"] != configuration(sakai, other)["registration_endpoint"]
    assert re.fullmatch(r"\d+:[0-9a-f-]{36}", one["registration_token"])


def test_blackboards_configuration_lacks_members(blackboard: Visitor) -> None:
    assert "claims_supported" not in configuration(blackboard, introduction(blackboard))


# --- the registration


def test_a_registered_tool_gets_a_client_id_and_the_scopes_that_the_platform_has(anywhere: Visitor) -> None:
    answer = registers(anywhere)

    body = answer.get_json()
    assert answer.status_code in (200, 201)
    assert body["scope"].split() == [v.SCORE_SCOPE, v.LINE_ITEM_SCOPE]
    kept = registration(anywhere, body["client_id"])
    assert kept["redirect_uris"] == [f"{anywhere.tool.url}/lti/launch"]
    assert kept["state"] == ("active" if anywhere.slug == "sakai" else "pending")


def test_each_platform_tells_the_deployment_in_its_own_place(anywhere: Visitor) -> None:
    body = registers(anywhere).get_json()

    deployment_id = registration(anywhere, body["client_id"])["deployment_id"]
    inside = body[v.TOOL_CONFIGURATION].get("deployment_id")
    assert (body.get("deployment_id"), inside) == {
        "canvas": (deployment_id, None),
        "moodle": (None, deployment_id),
        "sakai": (None, "1"),
        "blackboard": (None, None),
        "brightspace": (None, None),
    }[anywhere.slug]


def test_a_registered_tool_is_launched_and_buys_tokens(anywhere: Visitor) -> None:
    client_id = registered(anywhere)
    body = {"user": "student1", "activity": anywhere.activity()["id"], "client_id": client_id}

    initiation = anywhere.control(f"{anywhere.slug}/launch", body)
    claims = anywhere.launched(initiation["fields"])

    listed = registration(anywhere, client_id)
    assert initiation["login_url"] == f"{anywhere.tool.url}/lti/login"
    assert (claims["aud"], claims[v.LTI + "deployment_id"]) == (client_id, listed["deployment_id"])
    assert claims[v.LTI + "custom"]["who"] == claims["sub"]
    assert sorted(claims[v.AGS]["scope"]) == sorted([v.SCORE_SCOPE, v.LINE_ITEM_SCOPE])
    assert v.NRPS not in claims
    with anywhere.profile.speaking_with(client_id):
        bought = anywhere.asks_for_token(scope=v.SCORE_SCOPE)
        refused = anywhere.asks_for_token(scope=v.MEMBERSHIP_SCOPE)
    assert bought.status_code == 200
    assert refused.get_json()["error"] == "invalid_scope"


def test_a_registered_tool_works_with_its_own_addresses(moodle: Visitor) -> None:
    client_id = registered(moodle)
    body = {"user": "student1", "activity": moodle.activity()["id"], "client_id": client_id}
    claim = moodle.launched(moodle.control("moodle/launch", body)["fields"])[v.AGS]
    with moodle.profile.speaking_with(client_id):
        own = moodle.bearer(v.LINE_ITEM_SCOPE)

    mine = moodle.client.get(claim["lineitems"], headers=own)
    others = moodle.client.get(moodle.course()["line_items_url"], headers=own)

    assert claim["lineitems"].endswith(f"?type_id={registration(moodle, client_id)['deployment_id']}")
    assert (mine.status_code, others.status_code) == (200, 401)


def test_chosen_items_belong_to_the_tool_that_chose_them(anywhere: Visitor) -> None:
    client_id = registered(anywhere)
    body = {"user": "teacher", "course": anywhere.course()["id"], "client_id": client_id}
    claims = anywhere.launched(anywhere.control(f"{anywhere.slug}/deep_linking", body)["fields"])
    settings = claims[v.DL + "deep_linking_settings"]
    with anywhere.profile.speaking_with(client_id):
        changes = {v.DL + "data": settings["data"]} if "data" in settings else {}
        item = {"type": "ltiResourceLink", "title": "Rivers", "url": f"{anywhere.tool.url}/lti/launch"}
        token = anywhere.tool.deep_linking_response(anywhere.profile, [item], changes)

    page = anywhere.returns(settings["deep_link_return_url"], token)

    assert page.status_code == 200, page.text
    assert claims[v.LTI + "target_link_uri"].endswith("?pick")
    anywhere.profile.in_use = anywhere.profile.fixed.client_id
    assert anywhere.launched(anywhere.begins())["aud"] == client_id


def test_the_newest_tool_opens_what_belongs_to_nobody_until_the_first_day_comes_again(anywhere: Visitor) -> None:
    client_id = registered(anywhere)
    assert anywhere.launched()["aud"] == client_id

    anywhere.control("reset", {})

    assert anywhere.launched()["aud"] == anywhere.profile.fixed.client_id
    assert len(anywhere.control(f"{anywhere.slug}/registrations")["registrations"]) == 1


def test_a_launch_of_one_client_is_not_answered_to_another(anywhere: Visitor) -> None:
    fields = anywhere.begins()
    client_id = registered(anywhere)

    answer = form_of(anywhere.asks(fields, client_id=client_id))

    assert "error" in answer
    assert "id_token" not in answer


def test_a_pending_tool_is_neither_launched_nor_trusted(moodle: Visitor) -> None:
    client_id = registers(moodle).get_json()["client_id"]
    body = {"user": "student1", "activity": moodle.activity()["id"], "client_id": client_id}

    status, error = moodle.refused_by_control("moodle/launch", body)
    with moodle.profile.speaking_with(client_id):
        bought = moodle.asks_for_token()

    assert (status, error) == (400, {"error": f"client {client_id} is not active yet"})
    assert bought.get_json()["error"] == "invalid_client"


def test_a_tool_that_did_not_ask_for_deep_linking_does_not_get_it(moodle: Visitor) -> None:
    client_id = registered(moodle, messages=[{"type": v.RESOURCE_LINK}])

    status, error = moodle.refused_by_control(
        "moodle/deep_linking", {"user": "teacher", "course": 2, "client_id": client_id}
    )

    assert status == 400
    assert "did not register" in error["error"]


@pytest.mark.parametrize(
    ("claims", "moodles", "sakais"),
    [
        (["sub"], set(), set()),
        (["sub", "email"], {"name", "given_name", "family_name", "email"}, {"email"}),
    ],
)
def test_personal_data_are_shared_as_they_were_asked_for(
    moodle: Visitor, sakai: Visitor, claims: list[str], moodles: set[str], sakais: set[str]
) -> None:
    for visitor, shared in ((moodle, moodles), (sakai, sakais)):
        registered(visitor, claims=claims)

        launched = visitor.launched()

        assert launched.keys() & {"name", "given_name", "family_name", "email"} == shared


# --- refusals


def used(visitor: Visitor) -> Any:
    given = introduction(visitor)
    endpoint = configuration(visitor, given)["registration_endpoint"]
    registers(visitor, given)
    headers = {"Authorization": f"Bearer {given['registration_token']}"}
    return visitor.client.post(endpoint, json=request_of(visitor, client_name="Another"), headers=headers)


def test_a_registration_token_works_once(anywhere: Visitor) -> None:
    answer = used(anywhere)

    assert answer.status_code == (403 if anywhere.slug == "sakai" else 401)
    said = {"canvas": "errorMessage", "moodle": "token_already_used"}.get(anywhere.slug, "invalid_token")
    assert said in answer.text


def test_a_registration_token_dies_after_an_hour_except_on_blackboard(anywhere: Visitor, clock: Clock) -> None:
    given = introduction(anywhere)
    endpoint = configuration(anywhere, given)["registration_endpoint"]
    clock.time += 3601

    headers = {"Authorization": f"Bearer {given['registration_token']}"}
    answer = anywhere.client.post(endpoint, json=request_of(anywhere), headers=headers)

    assert answer.status_code == (201 if anywhere.slug == "blackboard" else 401)


def test_a_registration_without_a_token_or_with_a_made_up_one_is_refused(anywhere: Visitor) -> None:
    endpoint = configuration(anywhere, introduction(anywhere))["registration_endpoint"]

    for headers in ({}, {"Authorization": "Bearer made-up"}):
        answer = anywhere.client.post(endpoint, json=request_of(anywhere), headers=headers)
        assert answer.status_code == 401


def test_an_introduction_can_be_made_expired(anywhere: Visitor) -> None:
    given = introduction(anywhere, expires_in_seconds=-1)

    answer = anywhere.client.post(
        f"{anywhere.profile.url('registration', tool=2)}",
        json=request_of(anywhere),
        headers={"Authorization": f"Bearer {given['registration_token']}"},
    )

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"domain": None}, "missing_domain"),
        ({"domain": "elsewhere.example"}, "domain_targetlinkuri_mismatch"),
        ({"response_types": ["code"]}, "invalid_response_types"),
        ({"redirect_uris": None}, "missing_redirect_uris"),
    ],
)
def test_moodle_refuses_in_plain_words(moodle: Visitor, changes: dict[str, Any], words: str) -> None:
    answer = registers(moodle, **changes)

    assert (answer.status_code, answer.text) == (400, words)


def test_canvas_names_every_fault_at_once(canvas: Visitor) -> None:
    answer = registers(canvas, redirect_uris=None, claims=None, grant_types=["implicit"])

    assert answer.status_code == 422
    assert [error.split()[0] for error in answer.get_json()["errors"]] == ["grant_types", "redirect_uris", "claims"]


def test_canvas_refuses_a_placement_that_does_not_speak_the_message(canvas: Visitor) -> None:
    messages = [{"type": v.DEEP_LINKING, "placements": [CANVAS + "course_navigation"]}]

    answer = registers(canvas, messages=messages)

    assert answer.get_json() == {
        "errors": ["Placement course_navigation does not support message type LtiDeepLinkingRequest"]
    }


@pytest.mark.parametrize("slug", ["blackboard", "brightspace", "sakai"])
def test_others_refuse_with_the_errors_of_the_specification(canvas: Visitor, slug: str) -> None:
    visitor = Visitor(canvas.campus, canvas.client, canvas.tool, slug)

    redirect, name = registers(visitor, redirect_uris=["no-address"]), registers(visitor, client_name=None)

    assert (redirect.status_code, redirect.get_json()["error"]) == (400, "invalid_redirect_uri")
    assert (name.status_code, name.get_json()["error"]) == (400, "invalid_client_metadata")


def test_a_refused_registration_leaves_the_token_unspent(anywhere: Visitor) -> None:
    given = introduction(anywhere)
    assert registers(anywhere, given, redirect_uris=None).status_code in (400, 422)

    assert registers(anywhere, given).status_code in (200, 201)


def test_brightspace_wants_names_and_domains_to_be_unique_and_keys_to_be_there(brightspace: Visitor) -> None:
    brightspace.tool.is_down = True
    unreachable = registers(brightspace)
    brightspace.tool.is_down = False
    first, second = registers(brightspace), registers(brightspace, client_name="Another")

    assert (unreachable.status_code, first.status_code, second.status_code) == (400, 201, 400)
    assert "name or domain" in second.get_json()["error_description"]


# --- Canvas' placements and privacy


def test_a_message_without_placements_is_a_link_in_a_module_on_canvas(canvas: Visitor) -> None:
    messages = [
        {"type": v.RESOURCE_LINK, "placements": [CANVAS + "course_navigation"], "label": "Work"},
        {"type": v.DEEP_LINKING, "placements": ["RichTextEditor"]},
        {"type": v.DEEP_LINKING},
    ]
    registered(canvas, messages=messages)

    placements = canvas.control("canvas/placements")["placements"]

    assert [(each["placement"], each["message_type"]) for each in placements] == [
        ("course_navigation", v.RESOURCE_LINK),
        ("editor_button", v.DEEP_LINKING),
        ("link_selection", v.DEEP_LINKING),
    ]
    assert placements[0]["label"] == "Work"


@pytest.mark.parametrize(
    ("changes", "shared"),
    [
        ({CANVAS + "privacy_level": "anonymous"}, set()),
        ({CANVAS + "privacy_level": "email_only"}, {"email"}),
        ({"claims": ["sub", "name"]}, {"name", "given_name", "family_name"}),
        ({"claims": ["sub"]}, set()),
    ],
)
def test_canvas_goes_by_the_privacy_level_or_by_the_claims(
    canvas: Visitor, changes: dict[str, Any], shared: set[str]
) -> None:
    registered(canvas, **changes)

    launched = canvas.launched()

    assert launched.keys() & {"name", "given_name", "family_name", "email", "picture"} == shared


# --- faults


def test_the_configuration_can_speak_for_another_issuer(anywhere: Visitor) -> None:
    given = introduction(anywhere)
    anywhere.control("faults", {"platform": anywhere.slug, "registration": {"issuer_mismatch": True}})

    assert configuration(anywhere, given)["issuer"] == "https://elsewhere.example"


@pytest.mark.parametrize(
    ("fault", "origin"), [("http_endpoints", "http://lms.example/"), ("private_endpoints", "https://10.0.0.1/")]
)
def test_endpoints_can_be_where_no_endpoint_should_be(moodle: Visitor, fault: str, origin: str) -> None:
    given = introduction(moodle)

    moodle.control("faults", {"registration": {fault: ["jwks_uri"]}})
    one = configuration(moodle, given)
    moodle.control("faults", {"registration": {fault: True}})
    all_of_them = configuration(moodle, given)

    names = ("authorization_endpoint", "registration_endpoint", "jwks_uri", "token_endpoint")
    assert [one[name].startswith(origin) for name in names] == [False, False, True, False]
    assert all(all_of_them[name].startswith(origin) for name in names)


def test_the_configuration_can_redirect_be_a_page_or_be_late(moodle: Visitor) -> None:
    url = introduction(moodle)["openid_configuration"]

    moodle.control("faults", {"registration": {"redirects": True}})
    redirected = moodle.client.get(url)
    moodle.control("faults", {"registration": {"not_json": True}})
    page = moodle.client.get(url)
    moodle.control("faults", {"registration": {"slow_seconds": 0.05}})
    began = time.monotonic()
    moodle.client.get(url)

    assert redirected.status_code == 307
    assert moodle.client.get(redirected.headers["Location"]).get_json()["issuer"] == moodle.profile.issuer
    assert page.mimetype == "text/html"
    assert time.monotonic() - began >= 0.05


def test_the_registration_can_be_spoiled_instead(moodle: Visitor) -> None:
    given = introduction(moodle)
    moodle.control("faults", {"registration": {"redirects": True, "at": "registration"}})

    assert registers(moodle, given).status_code == 307


def test_a_giant_configuration_is_more_than_anybody_reads(served: str, moodle: Visitor) -> None:
    url = introduction(moodle)["openid_configuration"].replace(CAMPUS_URL, served)
    moodle.control("faults", {"registration": {"giant": True}})

    with requests.get(url, stream=True, timeout=5) as answer:
        read = 0
        for part in answer.iter_content(65536):
            read += len(part)
            if read > 4_000_000:
                break

    assert answer.headers["Content-Type"] == "application/json"
    assert read > 4_000_000


def test_a_platform_can_refuse_every_tool_in_its_own_form(anywhere: Visitor) -> None:
    anywhere.control("faults", {"platform": anywhere.slug, "registration": {"refuses": "invalid_redirect_uri"}})

    answer = registers(anywhere)

    assert answer.status_code == (422 if anywhere.slug == "canvas" else 400)
    assert "invalid_redirect_uri" in answer.text


@pytest.mark.parametrize(
    "fault",
    ["all", {"unheard": 1}, {"slow_seconds": -1}, {"http_endpoints": ["issuer"]}, {"refuses": 7}, {"at": "token"}],
)
def test_a_registration_fault_that_makes_no_sense_is_refused(moodle: Visitor, fault: Any) -> None:
    status, _ = moodle.refused_by_control("faults", {"registration": fault})

    assert status == 400


# --- pages


def test_an_administrator_registers_a_tool_and_confirms_it(anywhere: Visitor) -> None:
    home = f"{CAMPUS_URL}/{anywhere.slug}/?as=admin"
    assert "Register a tool: registration URL" in anywhere.client.get(home).text
    page = anywhere.client.get(
        f"{CAMPUS_URL}/{anywhere.slug}/register",
        query_string={"as": "admin", "url": "https://tool.example/lti/register?invitation=1"},
    )
    (opened,) = re.findall(r'(?:src|href)="(https://tool\.example/[^"]+)"', page.text)
    query = parse_qs(urlsplit(opened.replace("&amp;", "&")).query)
    given = {name: query[name][0] for name in ("openid_configuration", "registration_token")}
    client_id = registers(anywhere, given).get_json()["client_id"]

    answer = anywhere.client.post(
        f"{CAMPUS_URL}/{anywhere.slug}/registrations/{client_id}?as=admin", data={"verb": "activate"}
    )

    assert query["invitation"] == ["1"]
    assert "https://tool.example" in page.headers["Content-Security-Policy"]
    assert answer.status_code == 303
    assert re.search(rf'data-testid="state-{client_id}">active', anywhere.client.get(home).text)
    assert anywhere.launched()["aud"] == client_id


def test_an_administrator_chooses_which_tool_is_used(canvas: Visitor) -> None:
    registered(canvas)
    first = canvas.profile.fixed.client_id

    canvas.client.post(f"{CAMPUS_URL}/canvas/registrations/{first}?as=admin", data={"verb": "use"})

    assert canvas.launched()["aud"] == first


@pytest.mark.parametrize("user", ["teacher", "student1"])
def test_nobody_else_registers_tools(anywhere: Visitor, user: str) -> None:
    page = anywhere.client.get(f"{CAMPUS_URL}/{anywhere.slug}/register?as={user}&url=https://tool.example/")

    assert page.status_code == 403
    assert "Register a tool" not in anywhere.client.get(f"{CAMPUS_URL}/{anywhere.slug}/?as={user}").text


def test_the_log_cuts_registration_tokens_short(sakai: Visitor) -> None:
    given = introduction(sakai)
    registers(sakai, given)

    page = sakai.client.get(f"{CAMPUS_URL}/log").text

    assert given["registration_token"] not in page
