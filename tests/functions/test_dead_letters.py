"""What the scores queue's consumer gives up keeps its reason; the numbers that hang on each other agree."""

from __future__ import annotations

import json

import pytest

from lti_tool.adapters.platform_gates import LONGEST_TRY_SECONDS
from lti_tool.adapters.platform_http import ANSWERS_WITHIN
from lti_tool.domain.errors import StoreUnavailableError
from lti_tool.domain.score import ScoreNudge
from lti_tool.runtime import queue, settings, wiring
from tests.support.browser import receives
from tests.support.platform import Platform
from tests.support.stack import Stack, template


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("nonsense", "invalid_score_message"),
        (
            {
                "issuer": "https://stranger.example", "client_id": "c", "deployment_id": "1",
                "line_item": "https://stranger.example/1", "user_id": "u", "activity_progress": "Completed",
                "grading_progress": "FullyGraded", "timestamp": "2026-11-01T00:00:00Z",
            },
            "unknown_platform",
        ),
    ],
)  # fmt: skip
def test_what_can_never_be_sent_lies_among_the_dead_letters_with_the_reason(
    stack: Stack,  # noqa: ARG001 - the cloud
    body: object,
    reason: str,
) -> None:
    outcome = receives(body)

    (letter,) = wiring.score_desk().letters()
    assert outcome == {"batchItemFailures": []}
    assert letter.reason == reason
    assert letter.body == (body if isinstance(body, str) else json.dumps(body))


def test_what_was_tried_often_enough_is_given_up_with_the_reason(
    stack: Stack, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudge = ScoreNudge(
        registration=platform.registration().reference, line_item=platform.line_item, user_id="u"
    ).model_dump_json()
    monkeypatch.setenv("RECORDS_TABLE", "NoSuchTable")
    settings.settings.cache_clear()

    with pytest.raises(StoreUnavailableError):
        queue.handle_score("m", nudge, queue.LAST_RECEIVE - 1)
    queue.handle_score("m", nudge, queue.LAST_RECEIVE)

    assert [letter.reason for letter in wiring.score_desk().letters()] == ["store_unavailable"]
    assert stack.queued() == []


def test_numbers_that_hang_on_each_other_agree() -> None:
    resources, parameters = template()["Resources"], template()["Parameters"]
    consumer = resources["GradeSyncFunction"]["Properties"]["Events"]["Scores"]["Properties"]

    assert resources["ScoresQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"] == queue.LAST_RECEIVE
    assert consumer["BatchSize"] == queue.AT_ONCE
    assert parameters["ScoreLeaseSeconds"]["Default"] > LONGEST_TRY_SECONDS + ANSWERS_WITHIN
    assert (
        parameters["ScoresVisibilityTimeout"]["Default"] >= 6 * resources["GradeSyncFunction"]["Properties"]["Timeout"]
    )
