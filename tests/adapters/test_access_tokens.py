"""Access tokens are bought once and used."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from lti_tool.adapters.access_tokens import AccessTokens
from lti_tool.adapters.kms import KmsSigner
from lti_tool.adapters.launches_table import PlatformCache
from lti_tool.adapters.platform_http import Answer, PlatformHttp
from lti_tool.domain.errors import PlatformRefusedError, PlatformUnavailableError
from lti_tool.domain.jwks import jwks
from tests.adapters.conftest import Clock
from tests.support.platform import AGS, Platform, Reply, verified_by_jwks
from tests.support.stack import Stack

SCOPES = (AGS + "scope/score",)


def grant(**other: object) -> Reply:
    return Reply(
        body=json.dumps({"access_token": "token", "token_type": "Bearer", "expires_in": 100, **other}).encode()
    )


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


def test_many_senders_at_once_buy_one_token(stack: Stack, signer: KmsSigner, platform: Platform, clock: Clock) -> None:
    processes = [
        AccessTokens(
            PlatformHttp(loopback_http=True), signer, PlatformCache(stack.dynamodb, "LaunchesTable", clock), clock
        )
        for _ in range(4)
    ]

    with ThreadPoolExecutor(16) as threads:
        found = set(threads.map(lambda number: processes[number % 4].get(platform.registration(), SCOPES), range(32)))

    assert len(found) == 1
    assert len(platform.requests_to("/token")) == 1


def test_many_who_were_refused_one_token_buy_one_other(
    stack: Stack, signer: KmsSigner, platform: Platform, clock: Clock
) -> None:
    cache = PlatformCache(stack.dynamodb, "LaunchesTable", clock)
    processes = [AccessTokens(PlatformHttp(loopback_http=True), signer, cache, clock) for _ in range(4)]
    registration = platform.registration()
    revoked = processes[0].get(registration, SCOPES)

    def refused(tokens: AccessTokens) -> str:
        given: list[str] = []

        def request(token: str) -> Answer:
            given.append(token)
            return Answer(401 if token == revoked else 200, {}, b"")

        tokens.send(registration, SCOPES, request)
        return given[-1]

    with ThreadPoolExecutor(16) as threads:
        found = set(threads.map(lambda number: refused(processes[number % 4]), range(32)))

    assert len(found) == 1
    assert len(platform.requests_to("/token")) == 2


def test_a_platform_that_refuses_every_token_is_not_asked_for_one_with_each_score(
    tokens: AccessTokens, platform: Platform, clock: Clock
) -> None:
    statuses = [tokens.send(platform.registration(), SCOPES, lambda _: Answer(401, {}, b"")).status for _ in range(5)]
    within_a_minute = len(platform.requests_to("/token"))
    clock.goes_on(seconds=61)
    tokens.send(platform.registration(), SCOPES, lambda _: Answer(401, {}, b""))

    assert statuses == [401] * 5
    assert (within_a_minute, len(platform.requests_to("/token"))) == (2, 3)


def test_a_buyer_that_died_holds_nobody_up_for_long(
    stack: Stack, tokens: AccessTokens, platform: Platform, clock: Clock
) -> None:
    cache = PlatformCache(stack.dynamodb, "LaunchesTable", clock)
    registration = platform.registration()
    pk = AccessTokens._pk(registration, SCOPES)
    assert cache.claim(f"{pk}#buying", clock() + timedelta(minutes=1), clock() - timedelta(seconds=1))

    clock.goes_on(seconds=21)

    assert tokens.get(registration, SCOPES)


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
        tokens.drop(registration, SCOPES, tokens.get(registration, SCOPES))

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


def test_a_token_may_be_called_created(tokens: AccessTokens, platform: Platform) -> None:
    platform.will_answer("/token", Reply(status=201, body=grant().body))

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
