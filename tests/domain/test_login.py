"""Login: our question to the platform, and the cookies that go with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lti_tool.domain.login import ATTEMPT_LIVES, LoginInitiation, new_attempt, outdated_cookies
from lti_tool.domain.parameters import UnverifiedParameters
from tests.domain.test_parsers import REGISTRATION

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def initiation(**other: str) -> LoginInitiation:
    fields = {"iss": "https://platform.example", "login_hint": "h", "target_link_uri": "https://tool.example/", **other}
    return LoginInitiation.parse(UnverifiedParameters.of(fields.items()))


def test_state_nonce_and_secret_are_long_and_never_repeat() -> None:
    made = [new_attempt(initiation(), REGISTRATION, NOW) for _ in range(200)]

    parts = [part for attempt, cookie in made for part in (attempt.state.attempt_id, attempt.nonce, cookie.value)]
    assert len(set(parts)) == 600
    assert min(map(len, parts)) >= 32  # 192 bits in base64url


def test_the_store_never_learns_the_browsers_secret() -> None:
    attempt, cookie = new_attempt(initiation(), REGISTRATION, NOW)

    assert cookie.value not in str(attempt)
    assert cookie.value.partition(".")[2] not in str(attempt)


def test_an_attempt_lives_ten_minutes() -> None:
    attempt, _ = new_attempt(initiation(), REGISTRATION, NOW)

    assert attempt.expires_at - NOW == ATTEMPT_LIVES == timedelta(minutes=10)


def test_older_canvas_says_deployment_id_without_the_prefix() -> None:
    assert initiation(deployment_id="7").deployment_id == "7"
    assert initiation(deployment_id="7", lti_deployment_id="8").deployment_id == "8"
    assert initiation(lti_deployment_id="").deployment_id is None


def test_the_oldest_of_our_cookies_go_first_and_others_stay() -> None:
    cookies = [f"__Host-lti-{number:02}={1_700_000_000 + number}.secret" for number in range(10)]

    gone = outdated_cookies(["session=other", *reversed(cookies), "__Host-other=1"])

    assert sorted(gone) == ["__Host-lti-00", "__Host-lti-01", "__Host-lti-02"]
