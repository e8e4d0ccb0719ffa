"""Scores: where they are posted, what is posted, under which timestamp, and when it is tried again."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.domain.score import (
    iso,
    scores_url,
    wait_before_try,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


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


@given(st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=5, minutes=45)))))
def test_a_timestamp_is_utc_with_milliseconds(moment: datetime) -> None:
    if 2 <= moment.year <= 9998:
        text = iso(moment)
        assert text.endswith("Z")
        assert text[-5] == "."
        assert abs(datetime.fromisoformat(text) - moment) < timedelta(milliseconds=1)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_wait_grows_up_to_an_hour_and_keeps_at_least_half(attempts: int, jitter: float) -> None:
    full, shorter = wait_before_try(attempts, 0), wait_before_try(attempts, jitter)

    assert timedelta(seconds=5) <= full <= timedelta(hours=1)
    assert full / 2 <= shorter <= full
    assert wait_before_try(attempts + 1, 0) >= full
    assert full == timedelta(hours=1) or math.isclose(full.total_seconds(), 5 * 2 ** (attempts - 1))
