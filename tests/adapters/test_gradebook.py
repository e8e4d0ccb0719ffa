"""A platform's gradebook: scores are posted and judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import boto3
import pytest

from lti_tool.adapters.access_tokens import AccessTokens
from lti_tool.adapters.gradebook import PlatformGradebook
from lti_tool.adapters.kms import KmsSigner
from lti_tool.adapters.platform_http import PlatformHttp
from lti_tool.domain.errors import PlatformRefusedError, PlatformUnavailableError, ToolError
from lti_tool.domain.jwks import jwks
from lti_tool.domain.registration import PlatformFamily, Registration
from lti_tool.domain.score import ActivityProgress, GradingProgress, Score, ScoreKey
from tests.adapters.conftest import Clock
from tests.support.platform import AGS, Platform, Reply, verified_by_jwks
from tests.support.stack import REGION, Stack

SCOPES = (AGS + "scope/score",)
SCORES = "/lineitems/7/lineitem/scores"


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
