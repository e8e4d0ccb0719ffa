"""What each platform asks of a client assertion, and what its tokens buy."""

from __future__ import annotations

from typing import Any

import pytest

from local.campus import vocabulary as v
from tests.campus.stand_in import Clock, Visitor, new_key


def test_a_signed_assertion_buys_a_token_for_an_hour(platform: Visitor) -> None:
    answer = platform.asks_for_token(scope=v.SCORE_SCOPE)

    body = answer.get_json()
    assert answer.status_code == 200
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600
    assert body["scope"] == v.SCORE_SCOPE
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"aud": "http://127.0.0.1:8090/canvas"}, "the 'aud' is invalid"),
        ({"jti": None}, "the following assertions are missing: jti"),
        ({"iat": None, "exp": None}, "the following assertions are missing: iat,exp"),
        ({"iat": 1_800_000_000 - 301}, "the 'iat' must be less than 5 minutes old"),
        ({"iat": 1_800_000_000 + 31}, "the 'iat' must not be in the future"),
        ({"exp": 1_800_000_000}, "the JWT has expired"),
        ({"exp": "1800000060"}, "the 'iat' and 'exp' must be numbers"),
    ],
)
def test_canvas_names_the_claim_that_it_refuses(canvas: Visitor, changes: dict[str, Any], description: str) -> None:
    answer = canvas.asks_for_token(canvas.tool.assertion(canvas.profile, **changes))

    assert answer.status_code == 400
    assert answer.get_json() == {"error": "invalid_request", "error_description": description}


def test_canvas_takes_its_address_among_several_audiences(canvas: Visitor) -> None:
    assertion = canvas.tool.assertion(canvas.profile, aud=["https://elsewhere.example", canvas.profile.url("token")])

    assert canvas.asks_for_token(assertion).status_code == 200


def test_moodle_looks_neither_at_audience_nor_at_jti(moodle: Visitor) -> None:
    assertion = moodle.tool.assertion(moodle.profile, aud="https://elsewhere.example", jti=None)

    assert moodle.asks_for_token(assertion).status_code == 200


def test_moodles_clock_has_no_leeway(moodle: Visitor, clock: Clock) -> None:
    ahead = moodle.asks_for_token(moodle.tool.assertion(moodle.profile, iat=int(clock.time) + 1))
    expired = moodle.asks_for_token(moodle.tool.assertion(moodle.profile, exp=int(clock.time)))

    assert (ahead.status_code, expired.status_code) == (400, 400)
    assert expired.get_json() == {"error": "Expired token"}


def test_an_assertion_signed_by_a_stranger_is_refused(platform: Visitor) -> None:
    published = platform.tool.key
    platform.tool.key = new_key()
    forged = platform.tool.sign({"sub": platform.profile.client_id}, kid=published.kid)

    answer = platform.asks_for_token(forged)

    assert answer.status_code == 400
    if platform.slug == "canvas":
        assert answer.get_json()["error_description"] == "JWS signature invalid."


@pytest.mark.parametrize("header", [{"kid": None}, {"kid": "unknown"}])
def test_an_assertion_whose_key_cannot_be_found_is_refused(platform: Visitor, header: dict[str, Any]) -> None:
    assertion = platform.tool.sign({"sub": platform.profile.client_id}, **header)

    assert platform.asks_for_token(assertion).status_code == 400


def test_an_unknown_client_is_refused_before_anyone_is_asked_for_keys(platform: Visitor) -> None:
    answer = platform.asks_for_token(platform.tool.assertion(platform.profile, sub="somebody"))

    assert answer.get_json()["error"] == "invalid_client"
    assert answer.status_code == {"canvas": 401, "moodle": 400}[platform.slug]
    assert platform.tool.fetches == 0


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "other"}, "invalid_request"),
        ({"client_assertion": "not.a.jwt"}, "invalid_request"),
    ],
)
def test_a_token_request_of_another_shape_is_refused(platform: Visitor, changes: dict[str, str], error: str) -> None:
    answer = platform.asks_for_token(**changes)

    assert (answer.status_code, answer.get_json()["error"]) == (400, error)


def test_moodle_takes_form_encoding_without_any_parameter_only(moodle: Visitor) -> None:
    with_charset = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

    answer = moodle.client.post(moodle.profile.url("token"), data="grant_type=client_credentials", headers=with_charset)

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_one_forbidden_scope_fails_the_whole_request_on_canvas(canvas: Visitor) -> None:
    answer = canvas.asks_for_token(scope=f"{v.SCORE_SCOPE} https://example.org/scope/everything")

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_scope")
    assert canvas.asks_for_token(scope="").get_json()["error"] == "invalid_scope"


def test_moodle_grants_what_it_knows_of_the_scopes_asked_for(moodle: Visitor) -> None:
    answer = moodle.asks_for_token(scope=f"{v.SCORE_SCOPE} https://example.org/scope/everything")
    none = moodle.asks_for_token(scope="https://example.org/scope/everything")

    assert answer.get_json()["scope"] == v.SCORE_SCOPE
    assert none.get_json()["error"] == "invalid_scope"


def test_canvas_fetches_the_tools_keys_for_every_token(canvas: Visitor) -> None:
    canvas.asks_for_token()
    canvas.asks_for_token()

    assert canvas.tool.fetches == 2


def test_moodle_keeps_the_tools_keys_and_asks_once_more_when_one_fails(moodle: Visitor) -> None:
    moodle.asks_for_token()
    moodle.asks_for_token()
    assert moodle.tool.fetches == 1

    moodle.tool.key = new_key()
    moodle.tool.published = [moodle.tool.key]

    assert moodle.asks_for_token().status_code == 200
    assert moodle.tool.fetches == 2


def test_a_tool_whose_key_set_is_down_gets_no_token(canvas: Visitor, moodle: Visitor) -> None:
    canvas.tool.is_down = True

    on_canvas, on_moodle = canvas.asks_for_token(), moodle.asks_for_token()

    assert on_canvas.status_code == 400
    assert on_canvas.get_json()["error_description"].startswith("JWK Error: ")
    assert on_moodle.status_code == 500
    assert on_moodle.mimetype == "text/html"


def test_a_token_works_for_an_hour_and_for_its_scopes_only(platform: Visitor, clock: Clock) -> None:
    url = platform.course()["line_items_url"]
    wrong_scope = platform.client.get(url, headers=platform.bearer(v.SCORE_SCOPE))
    good = platform.bearer(v.LINE_ITEM_READ_SCOPE)
    assert platform.client.get(url, headers=good).status_code == 200
    clock.time += 3600

    expired = platform.client.get(url, headers=good)

    assert (wrong_scope.status_code, expired.status_code) == (401, 401)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer made-up"}, {"Authorization": "bearer made-up"}])
def test_a_service_wants_a_bearer_token(platform: Visitor, headers: dict[str, str]) -> None:
    answer = platform.client.get(platform.course()["line_items_url"], headers=headers)

    assert answer.status_code == 401
    if platform.slug == "canvas":
        assert answer.get_json()["errors"]["type"] == "unauthorized"


def test_a_token_of_one_platform_is_worth_nothing_at_the_other(canvas: Visitor, moodle: Visitor) -> None:
    answer = moodle.client.get(moodle.course()["line_items_url"], headers=canvas.bearer())

    assert answer.status_code == 401


def test_moodle_wants_the_tools_type_id_at_its_services(moodle: Visitor) -> None:
    url = moodle.course()["line_items_url"].replace("type_id=3", "type_id=4")

    assert moodle.client.get(url, headers=moodle.bearer()).status_code == 401
