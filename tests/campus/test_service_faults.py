"""Trouble with scores: each refusal as its platform words it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from local.campus import vocabulary as v
from tests.campus.stand_in import CAMPUS_URL, Visitor


def troubles(visitor: Visitor, **fault: Any) -> None:
    visitor.control("faults", {"platform": visitor.slug, "services": fault})


@pytest.mark.parametrize(("refuses", "status"), [("token_expired", 401), ("throttled", 403), ("column_gone", 404)])
def test_a_refused_score_is_not_stored_and_the_next_one_is(platform: Visitor, refuses: str, status: int) -> None:
    troubles(platform, refuses=refuses, count=1)

    refused = platform.scores()
    unmarked = platform.control(f"{platform.slug}/gradebook")["courses"][0]["cells"]
    taken = platform.scores()

    assert (refused.status_code, taken.status_code) == (status, 200)
    assert unmarked == []
    assert platform.control("faults")[platform.slug]["services"] is None


def test_line_items_are_refused_too_where_the_fault_is_everywhere(anywhere: Visitor) -> None:
    url = anywhere.course()["line_items_url"]
    troubles(anywhere, refuses="token_expired", count=1)

    answers = [anywhere.gets(url, v.LINE_ITEMS_TYPE) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [401, 200]


def test_throttling_sounds_like_canvas_before_october_2025(canvas: Visitor) -> None:
    troubles(canvas, refuses="throttled")

    refused = canvas.scores()

    assert (refused.status_code, refused.get_data()) == (403, b"403 Forbidden (Rate Limit Exceeded)")


@pytest.mark.parametrize("refuses", ["user_unknown", "user_suspended"])
def test_each_platform_words_an_unknown_user_in_its_own_way(canvas: Visitor, moodle: Visitor, refuses: str) -> None:
    for visitor in (canvas, moodle):
        troubles(visitor, refuses=refuses, users=["student1"])

    at_canvas, at_moodle = canvas.scores("student1"), moodle.scores("student1")

    assert at_canvas.status_code == 422
    assert at_canvas.get_json()["errors"]["message"] == "User not found in course or is not a student"
    assert at_moodle.status.startswith("400 Incorrect score received")
    assert at_moodle.get_data() == b"[]"
    assert canvas.scores("student2").status_code == moodle.scores("student2").status_code == 200


@pytest.mark.parametrize(("refuses", "word"), [("column_locked", "locked"), ("course_concluded", "concluded")])
def test_a_column_that_takes_no_marks_says_why(canvas: Visitor, moodle: Visitor, refuses: str, word: str) -> None:
    for visitor in (canvas, moodle):
        troubles(visitor, refuses=refuses)

    at_canvas, at_moodle = canvas.scores(), moodle.scores()

    assert at_canvas.status_code == 422
    assert word in at_canvas.get_json()["errors"]["message"]
    assert at_moodle.status_code == 403
    assert word in at_moodle.status


def test_a_time_out_ends_when_the_fault_does(platform: Visitor) -> None:
    headers, url = platform.bearer(), platform.course()["line_items_url"]
    troubles(platform, refuses="times_out")
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(platform.client.get(url, headers=headers)))
    asking.start()
    asking.join(0.2)
    answered_early = bool(answers)

    platform.control("faults", {"platform": platform.slug, "services": None})
    asking.join(5)

    assert not answered_early
    assert answers[0].status == "444 No answer"


@pytest.mark.parametrize(
    "fault",
    [{}, {"refuses": "everything"}, {"refuses": "throttled", "users": "all"}, {"refuses": "throttled", "x": 1}, 7],
)
def test_a_fault_that_makes_no_sense_is_refused(platform: Visitor, fault: Any) -> None:
    answer = platform.client.post(f"{CAMPUS_URL}/control/faults", json={"services": fault})

    assert answer.status_code == 400
    assert "services" in answer.get_json()["error"]
