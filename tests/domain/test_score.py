"""Scores: where they are posted, what is posted, under which timestamp, and when it is tried again."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.domain.registration import PlatformFamily, RegistrationReference
from lti_tool.domain.score import (
    ActivityProgress,
    GradingProgress,
    OutboxEntry,
    Score,
    ScoreKey,
    ScoreState,
    iso,
    scores_url,
    timestamp_for,
    wait_before_try,
    wire,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def score(**other: object) -> Score:
    values: dict[str, object] = {
        "key": ScoreKey(registration=RegistrationReference("r"), line_item="https://lms.example/1", user_id="u"),
        "deployment_id": "1",
        "timestamp": NOON,
        "score_given": 7.5,
        "score_maximum": 10.0,
        "activity_progress": ActivityProgress.COMPLETED,
        "grading_progress": GradingProgress.FULLY_GRADED,
    }
    return Score(**{**values, **other})  # type: ignore[arg-type]


def waiting(timestamp: datetime, last: datetime | None) -> OutboxEntry:
    return OutboxEntry(score=score(timestamp=timestamp), version=2, state=ScoreState.WAITING, sent_timestamp=last)


@pytest.mark.parametrize(
    ("line_item", "posted_to"),
    [
        ("https://h.example/7/lineitem", "https://h.example/7/lineitem/scores"),
        ("https://h.example/7/lineitem?type_id=2", "https://h.example/7/lineitem/scores?type_id=2"),
        ("https://h.example/7/lineitem/", "https://h.example/7/lineitem/scores"),
        ("https://h.example/7?a=/b/&c=d%2Fe", "https://h.example/7/scores?a=/b/&c=d%2Fe"),
        ("https://h.example/7#top", "https://h.example/7/scores"),
        ("https://h.example?x=1", "https://h.example/scores?x=1"),
        ("https://h.example/a%20b", "https://h.example/a%20b/scores"),
    ],
)
def test_scores_goes_into_the_path_before_the_query(line_item: str, posted_to: str) -> None:
    assert scores_url(line_item) == posted_to


def test_a_score_without_points_leaves_both_out() -> None:
    body = wire(score(score_given=None, score_maximum=None, grading_progress=GradingProgress.PENDING), NOON)

    assert set(body) == {"userId", "activityProgress", "gradingProgress", "timestamp"}


def test_a_score_of_zero_is_sent_as_zero() -> None:
    assert wire(score(score_given=0.0), NOON)["scoreGiven"] == 0


@given(st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=5, minutes=45)))))
def test_a_timestamp_is_utc_with_milliseconds(moment: datetime) -> None:
    if 2 <= moment.year <= 9998:
        text = iso(moment)
        assert text.endswith("Z")
        assert text[-5] == "."
        assert abs(datetime.fromisoformat(text) - moment) < timedelta(milliseconds=1)


@given(st.integers(0, 5_000_000), st.integers(0, 5_000_000), st.sampled_from(PlatformFamily))
def test_a_platform_gets_a_newer_timestamp_each_time(first: int, second: int, family: PlatformFamily) -> None:
    last = NOON + timedelta(microseconds=first)

    sent = timestamp_for(family, waiting(NOON + timedelta(microseconds=second), last))

    assert iso(sent) > iso(last) or family is PlatformFamily.MOODLE
    if family is PlatformFamily.MOODLE:  # it compares whole seconds
        assert int(sent.timestamp()) > int(last.timestamp())
    assert sent >= NOON + timedelta(microseconds=second)


def test_the_same_entry_is_always_sent_under_the_same_timestamp() -> None:
    entry = waiting(NOON, NOON + timedelta(milliseconds=300))

    assert timestamp_for(PlatformFamily.MOODLE, entry) == timestamp_for(PlatformFamily.MOODLE, entry)


def test_moodle_waits_for_the_next_second_and_others_do_not() -> None:
    entry = waiting(NOON + timedelta(milliseconds=400), NOON + timedelta(milliseconds=300))

    assert timestamp_for(PlatformFamily.MOODLE, entry) == NOON + timedelta(seconds=1)
    assert timestamp_for(PlatformFamily.CANVAS, entry) == NOON + timedelta(milliseconds=400)


def test_a_first_score_goes_under_its_own_timestamp() -> None:
    assert timestamp_for(PlatformFamily.MOODLE, waiting(NOON, None)) == NOON


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_wait_grows_up_to_an_hour_and_keeps_at_least_half(attempts: int, jitter: float) -> None:
    full, shorter = wait_before_try(attempts, 0), wait_before_try(attempts, jitter)

    assert timedelta(seconds=5) <= full <= timedelta(hours=1)
    assert full / 2 <= shorter <= full
    assert wait_before_try(attempts + 1, 0) >= full
    assert full == timedelta(hours=1) or math.isclose(full.total_seconds(), 5 * 2 ** (attempts - 1))
