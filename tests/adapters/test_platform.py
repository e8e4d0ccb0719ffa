"""A platform's services: access tokens are bought once and used, scores are posted and judged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import boto3
import pytest

from lti_tool.adapters.kms import KmsSigner
from lti_tool.adapters.launches_table import PlatformCache
from lti_tool.adapters.platform import AccessTokens, PlatformGradebook, PlatformHttp
from lti_tool.domain.errors import PlatformRefusedError, PlatformUnavailableError, ToolError
from lti_tool.domain.jwks import jwks
from lti_tool.domain.registration import PlatformFamily, Registration
from lti_tool.domain.score import ActivityProgress, GradingProgress, Score, ScoreKey
from tests.adapters.conftest import Clock
from tests.support.platform import AGS, Platform, Reply, serving, verified_by_jwks
from tests.support.stack import REGION, Stack

SCOPES = (AGS + "scope/score",)
SCORES = "/lineitems/7/lineitem/scores"


@pytest.fixture
def platform() -> Iterator[Platform]:
    with serving() as found:
        yield found


@pytest.fixture
def signer(stack: Stack) -> KmsSigner:
    return KmsSigner(boto3.client("kms", REGION), stack.environment["SIGNING_KEY_ID"])


@pytest.fixture
def tokens(stack: Stack, clock: Clock, signer: KmsSigner) -> AccessTokens:
    cache = PlatformCache(stack.dynamodb, "LaunchesTable", clock)
    return AccessTokens(PlatformHttp(loopback_http=True), signer, cache, clock)


@pytest.fixture
def gradebook(tokens: AccessTokens, clock: Clock) -> PlatformGradebook:
    return PlatformGradebook(PlatformHttp(loopback_http=True), tokens, clock)


def publish(gradebook: PlatformGradebook, platform: Platform, **registration: Any) -> None:
    found: Registration = platform.registration(**registration)
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    key = ScoreKey(registration=found.reference, line_item=platform.line_item, user_id="user-1")
    score = Score(
        key=key,
        deployment_id="1",
        timestamp=now,
        score_given=1.0,
        score_maximum=2.0,
        activity_progress=ActivityProgress.COMPLETED,
        grading_progress=GradingProgress.FULLY_GRADED,
    )
    gradebook.publish(found, score, now)


def grant(**other: object) -> Reply:
    return Reply(
        body=json.dumps({"access_token": "token", "token_type": "Bearer", "expires_in": 100, **other}).encode()
    )


# --- Access tokens ----------------------------------------------------------------------------------------------------


def test_a_token_is_used_for_nine_tenths_of_its_life(tokens: AccessTokens, platform: Platform, clock: Clock) -> None:
    platform.will_answer("/token", grant(access_token="first"), grant(access_token="second"))
    registration = platform.registration()

    first = tokens.get(registration, SCOPES)
    clock.goes_on(seconds=88)
    later = tokens.get(registration, SCOPES)
    clock.goes_on(seconds=3)
    last = tokens.get(registration, SCOPES)

    assert (first, later, last) == ("first", "first", "second")


def test_all_processes_share_a_token(stack: Stack, signer: KmsSigner, platform: Platform, clock: Clock) -> None:
    cache = PlatformCache(stack.dynamodb, "LaunchesTable", clock)
    http = PlatformHttp(loopback_http=True)

    found = {AccessTokens(http, signer, cache, clock).get(platform.registration(), SCOPES) for _ in range(3)}

    assert len(found) == 1
    assert len(platform.requests_to("/token")) == 1


def test_each_registration_and_each_set_of_scopes_has_a_token_of_its_own(
    tokens: AccessTokens, platform: Platform
) -> None:
    registration = platform.registration()

    found = {
        tokens.get(registration, SCOPES),
        tokens.get(registration, ("a", "b")),
        tokens.get(platform.registration(client_id="d"), SCOPES),
    }

    assert len(found) == 3
    assert tokens.get(registration, ("b", "a")) in found


def test_an_assertion_names_the_audience_that_the_platform_wants(
    tokens: AccessTokens, signer: KmsSigner, platform: Platform
) -> None:
    tokens.get(platform.registration(token_audience="https://audience.example"), SCOPES)

    (request,) = platform.requests_to("/token")
    claims = verified_by_jwks(request.form()["client_assertion"], jwks(signer.public_keys()))
    assert claims["aud"] == "https://audience.example"


def test_no_assertion_is_used_twice(tokens: AccessTokens, signer: KmsSigner, platform: Platform) -> None:
    for client_id in ("a", "a", "b"):
        registration = platform.registration(client_id=client_id)
        tokens.get(registration, SCOPES)
        tokens.drop(registration, SCOPES)

    requests = platform.requests_to("/token")
    key_set = jwks(signer.public_keys())
    assert len({verified_by_jwks(request.form()["client_assertion"], key_set)["jti"] for request in requests}) == 3


@pytest.mark.parametrize("life", ["100", 100])
def test_a_life_may_be_a_text(tokens: AccessTokens, platform: Platform, clock: Clock, life: object) -> None:
    platform.will_answer("/token", grant(access_token="first", expires_in=life), grant(access_token="second"))
    tokens.get(platform.registration(), SCOPES)

    clock.goes_on(seconds=91)

    assert tokens.get(platform.registration(), SCOPES) == "second"


@pytest.mark.parametrize("life", [None, "soon", -5, True, [], 10**30])
def test_a_life_that_is_none_is_a_short_one(tokens: AccessTokens, platform: Platform, life: object) -> None:
    platform.will_answer("/token", grant(expires_in=life))

    assert tokens.get(platform.registration(), SCOPES) == "token"


def test_json_may_be_called_html(tokens: AccessTokens, platform: Platform) -> None:
    platform.will_answer("/token", Reply(body=grant().body, headers={"Content-Type": "text/html; charset=utf-8"}))

    assert tokens.get(platform.registration(), SCOPES) == "token"


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (Reply(status=400, body=b'{"error": "invalid_client"}'), "token_refused"),
        (Reply(status=401, body=b'{"error": "invalid_client"}'), "token_refused"),
        (Reply(status=400, body=b'{"error": "invalid_scope"}'), "scope_refused"),
        (Reply(status=400, body=b"<html>"), "token_refused"),
        (Reply(status=302, headers={"Location": "/login"}), "token_refused"),
        (Reply(body=b"[]"), "token_refused"),
        (Reply(body=b"{}"), "token_refused"),
        (grant(access_token=""), "token_refused"),
        (grant(access_token=7), "token_refused"),
        (grant(access_token="a\r\nHost: b"), "token_refused"),
        (grant(access_token="ä"), "token_refused"),
    ],
)
def test_a_refusal_of_the_token_endpoint_would_come_again(
    tokens: AccessTokens, platform: Platform, reply: Reply, cause: str
) -> None:
    platform.will_answer("/token", reply)

    with pytest.raises(PlatformRefusedError) as refused:
        tokens.get(platform.registration(), SCOPES)

    assert refused.value.cause == cause
    assert tokens.get(platform.registration(), SCOPES)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_token_endpoint_that_is_down_may_be_up_later(tokens: AccessTokens, platform: Platform, status: int) -> None:
    platform.will_answer("/token", Reply(status=status))

    with pytest.raises(PlatformUnavailableError) as failed:
        tokens.get(platform.registration(), SCOPES)
    assert failed.value.cause == "token_endpoint_down"


# --- Scores -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 409])
def test_a_score_that_was_taken_is_taken(gradebook: PlatformGradebook, platform: Platform, status: int) -> None:
    platform.will_answer(SCORES, Reply(status=status, body=b""))

    publish(gradebook, platform)

    assert len(platform.scores) == 1


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (Reply(status=400), "score_refused"),
        (Reply(status=403), "not_allowed"),
        (Reply(status=404), "line_item_gone"),
        (Reply(status=405), "score_refused"),
        (Reply(status=422), "user_not_gradable"),
        (Reply(status=302, headers={"Location": "/elsewhere"}), "score_refused"),
    ],
)
def test_a_score_that_would_be_refused_again_is_refused(
    gradebook: PlatformGradebook, platform: Platform, reply: Reply, cause: str
) -> None:
    platform.will_answer(SCORES, reply)

    with pytest.raises(PlatformRefusedError) as refused:
        publish(gradebook, platform)

    assert (refused.value.cause, refused.value.http_status) == (cause, reply.status)
    assert len(platform.scores) == 1


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (Reply(status=429), "rate_limited"),
        (Reply(status=403, body=b"403 Forbidden (Rate Limit Exceeded)"), "rate_limited"),
        (Reply(status=500), "score_service_down"),
        (Reply(status=503), "score_service_down"),
    ],
)
def test_a_score_service_that_is_down_may_be_up_later(
    gradebook: PlatformGradebook, platform: Platform, reply: Reply, cause: str
) -> None:
    platform.will_answer(SCORES, reply)

    with pytest.raises(PlatformUnavailableError) as failed:
        publish(gradebook, platform)
    assert failed.value.cause == cause


def test_a_revoked_token_is_replaced_once(gradebook: PlatformGradebook, platform: Platform) -> None:
    publish(gradebook, platform)
    platform.will_answer(SCORES, Reply(status=401))

    publish(gradebook, platform)

    bearers = [score.headers["Authorization"] for score in platform.scores]
    assert len(bearers) == 3
    assert bearers[0] == bearers[1] != bearers[2]


def test_a_service_that_takes_no_token_refuses(gradebook: PlatformGradebook, platform: Platform) -> None:
    platform.will_answer(SCORES, Reply(status=401), Reply(status=401))

    with pytest.raises(PlatformRefusedError) as refused:
        publish(gradebook, platform)

    assert refused.value.cause == "not_allowed"
    assert len(platform.scores) == 2


def test_moodle_refuses_with_an_empty_list_and_a_good_status(gradebook: PlatformGradebook, platform: Platform) -> None:
    platform.will_answer(SCORES, Reply(body=b"[]"), Reply(body=b"[]"))

    publish(gradebook, platform)
    with pytest.raises(PlatformRefusedError):
        publish(gradebook, platform, family=PlatformFamily.MOODLE)


NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, UTC)


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        ("120", NOW + timedelta(seconds=120)),
        (format_datetime(NOW.replace(microsecond=0) + timedelta(minutes=5), usegmt=True), None),
        ("999999999", NOW + timedelta(days=1)),
        ("99999999999999999999999", "nothing"),
        ("soon", "nothing"),
        ("-5", "nothing"),
        ("", "nothing"),
    ],
)
def test_the_platforms_own_word_for_when_is_understood(
    gradebook: PlatformGradebook, platform: Platform, clock: Clock, said: str, understood: datetime | str | None
) -> None:
    platform.will_answer(SCORES, Reply(status=429, headers={"Retry-After": said}))

    with pytest.raises(PlatformUnavailableError) as failed:
        publish(gradebook, platform)

    expected = clock().replace(microsecond=0) + timedelta(minutes=5) if understood is None else understood
    assert (failed.value.retry_after or "nothing") == expected


def test_scores_of_one_platform_share_a_connection(gradebook: PlatformGradebook, platform: Platform) -> None:
    for _ in range(5):
        publish(gradebook, platform)

    assert len(platform.scores) == 5
    assert platform.connections <= 2  # one for tokens, one for scores


# --- KMS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claims", [{}, {"a": "é 🎓"}, {"a": "x" * 2900}])
def test_what_kms_signs_another_library_verifies(signer: KmsSigner, claims: dict[str, Any]) -> None:
    assert verified_by_jwks(signer.sign(claims), jwks(signer.public_keys())) == claims


def test_a_key_that_does_not_answer_is_our_own_error(stack: Stack) -> None:  # noqa: ARG001 - moto stands behind it
    with pytest.raises(ToolError) as failed:
        KmsSigner(boto3.client("kms", REGION), "no-such-key").sign({})
    assert failed.value.code == "store_unavailable"
