"""Login: our question to the platform, and the cookies that go with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lti_tool.domain.login import (
    ATTEMPT_LIVES,
    AuthenticationRequest,
    LoginAttempt,
    LoginInitiation,
    new_attempt,
    outdated_cookies,
)
from lti_tool.domain.parameters import UnverifiedParameters
from tests.domain.test_parsers import REGISTRATION

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def initiation(**other: str) -> LoginInitiation:
    fields = {"iss": "https://platform.example", "login_hint": "h", "target_link_uri": "https://tool.example/", **other}
    return LoginInitiation.parse(UnverifiedParameters.of(fields.items()))


def begun(**other: str) -> tuple[LoginAttempt, AuthenticationRequest]:
    return new_attempt(initiation(**other), REGISTRATION, "https://tool.example/lti/launch", NOW, paged=True)


def test_state_nonce_and_secret_are_long_and_never_repeat() -> None:
    made = [begun(lti_storage_target="_parent") for _ in range(200)]

    parts = [
        part
        for attempt, question in made
        for part in (attempt.state.attempt_id, attempt.nonce, question.cookie.value, str(question.storage_secret))
    ]
    assert len(set(parts)) == 800
    assert min(map(len, parts)) >= 32  # 192 bits in base64url


def test_the_store_never_learns_the_browsers_secrets() -> None:
    attempt, question = begun(lti_storage_target="_parent")

    assert question.cookie.value.partition(".")[2] not in str(attempt)
    assert str(question.storage_secret) not in str(attempt)


def test_neither_the_address_nor_the_platform_learns_them() -> None:
    _, question = begun(lti_storage_target="_parent")

    assert question.cookie.value not in question.url
    assert str(question.storage_secret) not in question.url


@pytest.mark.parametrize("target", ["_parent", "frame-1"])
def test_platform_storage_is_used_where_the_platform_offers_it(target: str) -> None:
    attempt, question = begun(lti_storage_target=target)

    assert attempt.storage_target == target
    assert question.storage_secret


@pytest.mark.parametrize("target", ["", "x" * 101, "ä", "a\nb"])
def test_a_frame_that_cannot_be_named_is_not_used(target: str) -> None:
    attempt, question = begun(lti_storage_target=target)

    assert (attempt.storage, attempt.storage_target, question.storage_secret) == (None, None, None)


@pytest.mark.parametrize(("length", "is_too_long"), [(1000, False), (3000, True)])
def test_a_question_that_some_server_would_cut_is_posted(length: int, is_too_long: bool) -> None:
    _, question = begun(lti_message_hint="x" * length)

    assert question.is_too_long is is_too_long
    assert question.fields["lti_message_hint"] == "x" * length


def test_an_attempt_lives_ten_minutes() -> None:
    attempt, _ = begun()

    assert attempt.expires_at - NOW == ATTEMPT_LIVES == timedelta(minutes=10)


def test_older_canvas_says_deployment_id_without_the_prefix() -> None:
    assert initiation(deployment_id="7").deployment_id == "7"
    assert initiation(deployment_id="7", lti_deployment_id="8").deployment_id == "8"
    assert initiation(lti_deployment_id="").deployment_id is None


def test_the_oldest_of_our_cookies_go_first_and_others_stay() -> None:
    cookies = [f"__Host-lti-{number:02}={1_700_000_000 + number}.secret" for number in range(10)]

    gone = outdated_cookies(["session=other", *reversed(cookies), "__Host-other=1"])

    assert sorted(gone) == ["__Host-lti-00", "__Host-lti-01", "__Host-lti-02"]
