"""Parsers: whatever comes in, what comes out is a value or one of our own errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.domain import claims as names
from lti_tool.domain.activity import parse_activity, parse_answers
from lti_tool.domain.errors import SessionEndedError, ToolError, UnknownStateError
from lti_tool.domain.jwks import platform_keys
from lti_tool.domain.landing import placed, shipped_table
from lti_tool.domain.launch import landing_of, launch_from, require_own_target
from lti_tool.domain.login import AuthenticationResponse, LoginInitiation, State, outdated_cookies
from lti_tool.domain.parameters import UnverifiedParameters
from lti_tool.domain.registration import Registration, reference_of
from lti_tool.domain.score import ScoreMessage, ScoreNudge, parse_score_body
from lti_tool.domain.session import SessionToken
from lti_tool.domain.signatures import signed_claims
from lti_tool.domain.tokens import SignedClaims, UnverifiedToken
from tests.support.platform import compact, rsa_key

REGISTRATION = Registration(
    issuer="https://platform.example",
    client_id="client-1",
    authorization_endpoint="https://platform.example/auth",
    token_endpoint="https://platform.example/token",
    jwks_uri="https://platform.example/jwks",
)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FORM_TEXT = st.text() | st.dictionaries(
    st.sampled_from(["iss", "login_hint", "target_link_uri", "client_id", "state", "id_token", "error"]), st.text()
).map(urlencode)


def outcome(verb: Callable[[], object]) -> object:
    """What a parser makes of it; any error but our own fails the test."""
    try:
        return verb()
    except ToolError as error:
        return error.code


@given(FORM_TEXT)
def test_a_login_is_read_or_refused(text: str) -> None:
    outcome(lambda: LoginInitiation.parse(UnverifiedParameters.parse(text)))


@given(FORM_TEXT, st.lists(st.text()))
def test_an_authentication_response_is_read_or_refused(text: str, cookies: list[str]) -> None:
    outcome(lambda: AuthenticationResponse.from_browser(UnverifiedParameters.parse(text), cookies))


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(max_size=20)))
def test_a_form_is_read_as_it_was_written(fields: dict[str, str]) -> None:
    parameters = UnverifiedParameters.parse(urlencode(fields))

    assert {name: parameters.optional(name) for name in fields} == fields


@given(st.text())
def test_a_state_is_read_back_or_unknown(text: str) -> None:
    try:
        assert str(State.parse(text)) == text
    except UnknownStateError:
        assert len(text) > 128 or not text.isascii() or not all(text.partition(".")[::2])


@given(st.text())
def test_a_session_token_is_read_back_or_over(text: str) -> None:
    try:
        assert str(SessionToken.parse(text)) == text
    except SessionEndedError:
        assert len(text) > 200 or not text.isascii() or not all(text.partition(".")[::2])


@given(st.lists(st.text() | st.text().map(lambda text: f"__Host-lti-{text}={text}"), max_size=30))
def test_any_cookies_may_come_along(cookies: list[str]) -> None:
    assert all(name.startswith("__Host-lti-") for name in outdated_cookies(cookies))


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_a_token_is_read_or_refused(text: str) -> None:
    outcome(lambda: UnverifiedToken.parse(text))


@given(JSON, JSON)
def test_a_token_of_any_json_is_read_or_refused(header: object, payload: object) -> None:
    outcome(lambda: UnverifiedToken.parse(compact(json.dumps(header), json.dumps(payload), None)))


TIMES = st.sampled_from(["iss", "aud", "azp", "exp", "iat", "nbf", "nonce"])


@given(st.dictionaries(TIMES, JSON | st.sampled_from(["https://platform.example", "client-1", 1_795_348_800])))
@settings(max_examples=60)
def test_signed_claims_are_believed_or_refused(claims: dict[str, Any]) -> None:
    key: Any = rsa_key("platform-1").public_key
    text = compact({"alg": "RS256", "kid": "platform-1"}, json.dumps(claims), rsa_key("platform-1"))

    outcome(lambda: signed_claims(UnverifiedToken.parse(text), key, REGISTRATION, NOW))


WHOLE = {
    "sub": "user-1",
    "name": "Ada",
    "given_name": "Ada",
    "family_name": "Example",
    "email": "a@b.example",
    "locale": "en",
    names.VERSION: "1.3.0",
    names.MESSAGE_TYPE: "LtiResourceLinkRequest",
    names.DEPLOYMENT_ID: "1",
    names.TARGET_LINK_URI: "https://tool.example/",
    names.RESOURCE_LINK: {"id": "1"},
    names.ROLES: [],
    names.CONTEXT: {"id": "1"},
    names.LAUNCH_PRESENTATION: {"return_url": "https://lms.example"},
    names.CUSTOM: {"a": "b"},
    names.ENDPOINT: {"lineitem": "https://lms.example/1"},
    names.NAMES_ROLE_SERVICE: {"context_memberships_url": "https://lms.example/2"},
    names.DEEP_LINKING_SETTINGS: {"deep_link_return_url": "https://lms.example/3", "accept_types": []},
}
INNER = st.sampled_from(
    ["id", "title", "label", "type", "return_url", "locale", "lineitem", "scope", "accept_types", "data"]
)


@given(
    st.dictionaries(st.sampled_from(sorted(WHOLE)), JSON | st.dictionaries(INNER, JSON), max_size=4),
    st.sampled_from(["LtiResourceLinkRequest", "LtiDeepLinkingRequest"]),
)
@settings(max_examples=300)
def test_a_message_is_understood_or_refused(changed: dict[str, Any], message_type: str) -> None:
    claims = {**WHOLE, names.MESSAGE_TYPE: message_type, **changed}

    def understood() -> str:
        launch = placed(launch_from(SignedClaims(REGISTRATION, claims)), shipped_table())
        require_own_target(launch, "https://tool.example", lambda origin: origin == "https://au.tool.example")
        return landing_of(launch)

    assert isinstance(outcome(understood), str)


@given(
    JSON
    | st.fixed_dictionaries(
        {
            "keys": JSON
            | st.lists(
                st.dictionaries(
                    st.sampled_from(["kty", "kid", "n", "e", "use", "alg"]),
                    JSON | st.sampled_from(["RSA", "AQAB", "sig", "RS256"]),
                )
            )
        }
    )
)
def test_a_key_set_of_any_json_gives_only_usable_keys(document: object) -> None:
    assert all(key.key_size >= 2048 for key in platform_keys(document).values())


@given(JSON)
def test_answers_are_read_or_refused(document: object) -> None:
    outcome(lambda: parse_answers(document))


@given(JSON)
def test_an_activity_is_read_or_refused(document: object) -> None:
    outcome(lambda: parse_activity(document))


@given(st.text() | JSON.map(json.dumps))
def test_a_score_body_is_read_or_refused(text: str) -> None:
    outcome(lambda: parse_score_body(text))


FIELD = st.sampled_from([*ScoreMessage.model_fields, *ScoreNudge.model_fields])


@given(st.dictionaries(FIELD, JSON | st.sampled_from(["Completed", "FullyGraded", "2026-11-22T10:00:00Z"])))
def test_a_score_body_with_our_fields_is_read_or_refused(fields: dict[str, Any]) -> None:
    outcome(lambda: parse_score_body(json.dumps(fields)))


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")), st.integers(0, 5))
def test_no_two_pairs_of_issuer_and_client_id_share_a_reference(issuer: str, client_id: str, cut: int) -> None:
    other = (issuer + client_id[:cut], client_id[cut:])

    assert (reference_of(issuer, client_id) == reference_of(*other)) is ((issuer, client_id) == other)


@pytest.mark.parametrize("depth", [10, 200, 900, 950, 990, 1_000, 3_000, 10_000])
def test_any_depth_is_read_or_refused(depth: int) -> None:
    payload = '{"a": ' + "[" * depth + "]" * depth + "}"

    outcome(lambda: UnverifiedToken.parse(compact({"alg": "RS256", "kid": "a"}, payload, None)))
