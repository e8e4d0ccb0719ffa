"""Where each mark is, as staff and its learner read it, and sending it once more."""

from __future__ import annotations

from typing import Any

import pytest

from lti_tool.domain.score import iso
from lti_tool.runtime import wiring
from tests.support.browser import Browser, receives
from tests.support.platform import INSTRUCTOR, LEARNER, Platform, Reply
from tests.support.stack import Stack

SCORES = "/lineitems/7/lineitem/scores"


def hands_in(platform: Platform, user: str = "user-1", **claims: Any) -> str:
    browser = Browser()
    session = browser.launches(platform, sub=user, **claims).launch["session"]
    assert browser.post("/api/attempt", document={"answers": {}}, token=session).status == 201
    return session


@pytest.fixture
def teacher(platform: Platform) -> str:
    return Browser().launches(platform, sub="teacher", roles=[INSTRUCTOR]).launch["session"]


def ways(browser: Browser, teacher: str) -> dict[str, Any]:
    learners = browser.get("/api/marks", token=teacher).json()["learners"]
    return {learner["user_id"]: learner["delivery"] for learner in learners}


def test_a_mark_that_waits_says_how_often_since_when_and_when_next(
    stack: Stack, platform: Platform, browser: Browser, teacher: str
) -> None:
    learner = hands_in(platform)
    platform.will_answer(SCORES, Reply(status=503))
    receives(*stack.queued())

    way = ways(browser, teacher)["user-1"]

    assert (way["state"], way["attempts"]) == ("waiting", 1)
    assert way["failing_since"] < way["next_try_at"]
    assert browser.get("/api/activity", token=learner).json()["attempt"]["delivery"] == way


def test_a_refused_mark_says_when_and_why(stack: Stack, platform: Platform, browser: Browser, teacher: str) -> None:
    hands_in(platform)
    platform.will_answer(SCORES, Reply(status=404))
    receives(*stack.queued())

    way = ways(browser, teacher)["user-1"]

    assert (way["state"], way["cause"], way["attempts"]) == ("refused", "line_item_gone", 1)
    assert way["refused_at"]
    assert "next_try_at" not in way


def test_a_mark_that_is_on_its_way_for_the_first_time_says_nothing_of_tries(
    platform: Platform, browser: Browser, teacher: str
) -> None:
    hands_in(platform)

    assert set(ways(browser, teacher)["user-1"]) == {"state", "sentence"}


def test_a_mark_that_a_newer_one_from_elsewhere_replaced_says_so(
    stack: Stack, platform: Platform, browser: Browser, teacher: str
) -> None:
    hands_in(platform)
    receives(*stack.queued())
    message = {
        "issuer": platform.issuer, "client_id": platform.client_id, "deployment_id": "1",
        "line_item": platform.line_item, "user_id": "user-1", "score_given": 9, "score_maximum": 10,
        "activity_progress": "Completed", "grading_progress": "FullyGraded", "timestamp": iso(wiring.now()),
    }  # fmt: skip
    receives(message)

    assert ways(browser, teacher)["user-1"]["state"] == "superseded"


def test_a_previews_mark_says_why_it_stays_here(platform: Platform, browser: Browser, teacher: str) -> None:
    hands_in(platform, roles=[LEARNER, "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"])

    way = ways(browser, teacher)["user-1"]

    assert (way["state"], way["cause"]) == ("not_sent", "preview_user")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, ["user-1", "user-2"]),
        ({"users": ["user-2"]}, ["user-2"]),
        ({"users": ["user-2", "user-2", "nobody", "user-3"]}, ["user-2"]),
        ({"users": ["nobody"]}, []),
    ],
    ids=str,
)
def test_what_the_platform_did_not_take_is_sent_again_for_one_or_all(
    stack: Stack, platform: Platform, browser: Browser, teacher: str, document: object, expected: list[str]
) -> None:
    for user in ("user-1", "user-2"):
        hands_in(platform, user)
    platform.will_answer(SCORES, Reply(status=404), Reply(status=404))
    receives(*stack.queued())
    hands_in(platform, "user-3")
    receives(*stack.queued())
    before = len(platform.scores)

    answer = browser.post("/api/marks/resend", document=document, token=teacher)
    if messages := stack.queued():
        receives(*messages)

    assert (answer.status, answer.json()) == (202, {"resent": len(expected)})
    assert sorted(score.json()["userId"] for score in platform.scores[before:]) == expected
    states = {user: way["state"] for user, way in ways(browser, teacher).items()}
    assert states == {
        user: "sent" if user in [*expected, "user-3"] else "refused" for user in ("user-1", "user-2", "user-3")
    }


def test_another_links_marks_are_left_alone(stack: Stack, platform: Platform, browser: Browser, teacher: str) -> None:
    endpoint = {"scope": [], "lineitem": f"{platform.url}/lineitems/8/lineitem"}
    hands_in(platform, endpoint=endpoint, resource_link={"id": "link-8"})
    platform.will_answer("/lineitems/8/lineitem/scores", Reply(status=404))
    receives(*stack.queued())

    answer = browser.post("/api/marks/resend", document={"users": ["user-1"]}, token=teacher)

    assert answer.json() == {"resent": 0}
    assert stack.queued() == []


@pytest.mark.parametrize("document", [[], "x", {"users": []}, {"users": "user-1"}, {"users": [7]}, {"users": {}}])
def test_a_request_to_send_again_that_is_not_understood_sends_nothing(
    stack: Stack, platform: Platform, browser: Browser, teacher: str, document: object
) -> None:
    hands_in(platform)
    platform.will_answer(SCORES, Reply(status=404))
    receives(*stack.queued())

    answer = browser.post("/api/marks/resend", document=document, token=teacher)

    assert (answer.status, answer.code) == (400, "invalid_request")
    assert stack.queued() == []


def test_graders_see_beside_the_marks_who_has_only_begun(platform: Platform, browser: Browser, teacher: str) -> None:
    hands_in(platform)
    begun = Browser().launches(platform, sub="user-2", name="Bo").launch["session"]
    browser.get("/api/activity", token=begun)

    marks = browser.get("/api/marks", token=teacher).json()

    assert [learner["user_id"] for learner in marks["learners"]] == ["user-1"]
    assert [(learner["user_id"], learner["name"]) for learner in marks["begun"]] == [("user-2", "Bo")]
