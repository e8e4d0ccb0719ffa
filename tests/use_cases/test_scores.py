"""The operator's hand in the outbox."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from lti_tool.adapters.records_table import RecordsTable
from lti_tool.adapters.sqs import ScoresDeadLetters, ScoresQueue
from lti_tool.domain.score import ActivityProgress, GradingProgress, Score, ScoreKey, ScoreState
from lti_tool.use_cases.scores import ScoreDesk
from tests.adapters.conftest import Clock
from tests.support.platform import Platform
from tests.support.stack import Stack

LMS = Platform(url="https://lms.example", issuer="https://lms.example", client_id="c")
KEY = ScoreKey(registration=LMS.registration().reference, line_item=LMS.line_item, user_id="user-1")


@pytest.fixture
def outbox(stack: Stack, clock: Clock) -> RecordsTable:
    return RecordsTable(stack.dynamodb, "RecordsTable", clock)


@pytest.fixture
def dead_letters(stack: Stack) -> ScoresDeadLetters:
    return ScoresDeadLetters(stack.sqs, stack.dead_letters_url, stack.queue_url)


@pytest.fixture
def desk(stack: Stack, outbox: RecordsTable, dead_letters: ScoresDeadLetters) -> ScoreDesk:
    return ScoreDesk(outbox=outbox, nudges=ScoresQueue(stack.sqs, stack.queue_url), dead_letters=dead_letters)


def refused(outbox: RecordsTable, clock: Clock, count: int) -> list[ScoreKey]:
    keys = [replace(KEY, user_id=f"user-{number}") for number in range(count)]
    for key in keys:
        outbox.put(
            Score(
                key=key,
                deployment_id="1",
                timestamp=clock(),
                score_given=1.0,
                score_maximum=2.0,
                activity_progress=ActivityProgress.COMPLETED,
                grading_progress=GradingProgress.FULLY_GRADED,
            )
        )
        entry = outbox.lease(key, clock() + timedelta(seconds=30))
        assert entry is not None
        outbox.refused(entry, "line_item_gone")
    return keys


def test_what_was_refused_is_listed_with_its_cause_and_sent_again(
    desk: ScoreDesk, outbox: RecordsTable, clock: Clock, stack: Stack
) -> None:
    keys = refused(outbox, clock, 12)
    listed = list(desk.refused())

    sent_again = desk.resend_all(desk.refused())

    assert {entry.score.key for entry in listed} == set(keys)
    assert {(entry.cause, entry.refused_at) for entry in listed} == {("line_item_gone", clock())}
    assert sent_again == 12
    assert {message["user_id"] for message in stack.queued()} == {key.user_id for key in keys}
    assert {entry.state for entry in desk.waiting()} == {ScoreState.WAITING}
    assert list(desk.refused()) == []


def test_a_score_that_nobody_knows_is_not_sent_again(desk: ScoreDesk, stack: Stack) -> None:
    assert desk.resend(KEY) is False
    assert stack.queued() == []


def test_dead_letters_say_why_and_come_back_to_the_queue(
    desk: ScoreDesk, dead_letters: ScoresDeadLetters, stack: Stack
) -> None:
    for number in range(25):
        dead_letters.put(json.dumps({"number": number}), "unknown_platform" if number else "store_unavailable")

    brought_back = desk.redrive(lambda letter: letter.reason == "unknown_platform")

    assert brought_back == 24
    assert sorted(message["number"] for message in stack.queued()) == list(range(1, 25))


def test_a_letter_that_comes_back_at_once_stays(desk: ScoreDesk, dead_letters: ScoresDeadLetters) -> None:
    dead_letters.put("nonsense", "invalid_score_message")
    bring_back = dead_letters.bring_back

    def brought_back_in_vain(letter: object) -> None:
        bring_back(letter)  # type: ignore[arg-type]
        dead_letters.put("nonsense", "invalid_score_message")

    dead_letters.bring_back = brought_back_in_vain  # type: ignore[method-assign]

    assert desk.redrive() == 1
