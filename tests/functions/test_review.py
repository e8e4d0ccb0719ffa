"""Submission review: one learner's work, opened from the platform's gradebook."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.browser import Answer, Browser
from tests.support.platform import ABSENT, INSTRUCTOR, LTI, Platform


def reviews(browser: Browser, platform: Platform, learner: Any = "user-1", **claims: Any) -> Answer:
    review = {
        "message_type": "LtiSubmissionReviewRequest",
        LTI + "for_user": {"user_id": learner} if learner else ABSENT,
        **claims,
    }
    return browser.launches(platform, **review)


def hands_in(platform: Platform) -> None:
    learner = Browser()
    session = learner.launches(platform).launch["session"]
    answers = {"capital-norway": "oslo"}
    assert learner.post("/api/attempt", document={"answers": answers}, token=session).status == 201


def test_a_teacher_sees_what_the_learner_answered(platform: Platform, browser: Browser) -> None:
    hands_in(platform)

    launch = reviews(browser, platform, sub="teacher-1", roles=[INSTRUCTOR]).launch
    work = browser.get("/api/review", token=launch["session"]).json()["learner"]

    assert launch["landing"] == "/app/review"
    assert (work["user_id"], work["score_given"], work["answers"]) == ("user-1", 2, {"capital-norway": "oslo"})


def test_a_learner_sees_their_own_work(platform: Platform, browser: Browser) -> None:
    hands_in(platform)

    launch = reviews(browser, platform).launch

    assert launch["landing"] == "/app/review"
    assert browser.get("/api/review", token=launch["session"]).json()["learner"]["user_id"] == "user-1"


def test_a_learner_does_not_see_somebody_elses(platform: Platform, browser: Browser) -> None:
    hands_in(platform)

    launch = reviews(browser, platform, sub="user-2").launch
    answer = browser.get("/api/review", token=launch["session"])

    assert launch["landing"] == "/app/welcome"
    assert (answer.status, answer.code) == (403, "not_permitted")


def test_a_review_hands_nothing_in(platform: Platform, browser: Browser) -> None:
    session = reviews(browser, platform).launch["session"]

    answer = browser.post("/api/attempt", document={"answers": {}}, token=session)

    assert (answer.status, answer.code) == (403, "not_permitted")


@pytest.mark.parametrize(
    "missing", [{"learner": None}, {"https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": ABSENT}]
)
def test_a_review_without_learner_or_column_is_refused(
    platform: Platform, browser: Browser, missing: dict[str, Any]
) -> None:
    answer = reviews(browser, platform, **missing)

    assert (answer.status, answer.code) == (400, "invalid_claim")
