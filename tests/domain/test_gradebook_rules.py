"""What each platform is sent, and what it is spared: one test for each rule, with the platform's name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.domain.gradebook_rules import (
    CANVAS_SUBMISSION,
    RULES,
    ScoreKeptBackError,
    require_unchanged,
    score_for,
    timestamp_for,
    wire,
)
from lti_tool.domain.registration import PlatformFamily, RegistrationReference
from lti_tool.domain.score import (
    ActivityProgress,
    GradingProgress,
    OutboxEntry,
    Result,
    Score,
    ScoreKey,
    ScoreState,
    iso,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CANVAS, MOODLE, CUSTOM = PlatformFamily.CANVAS, PlatformFamily.MOODLE, PlatformFamily.CUSTOM
NOT_FINAL = [progress for progress in GradingProgress if progress is not GradingProgress.FULLY_GRADED]


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


def waiting(a_score: Score | None = None, **other: object) -> OutboxEntry:
    values: dict[str, object] = {"score": a_score or score(), "version": 2, "state": ScoreState.WAITING}
    return OutboxEntry(**{**values, **other})  # type: ignore[arg-type]


ESSAY = score(
    score_given=None,
    score_maximum=None,
    activity_progress=ActivityProgress.SUBMITTED,
    grading_progress=GradingProgress.PENDING_MANUAL,
)
RESET = score(
    score_given=None,
    score_maximum=None,
    activity_progress=ActivityProgress.INITIALIZED,
    grading_progress=GradingProgress.NOT_READY,
)


def test_each_platform_that_can_be_registered_has_its_rules() -> None:
    assert set(RULES) == set(PlatformFamily)


# --- What is posted ---------------------------------------------------------------------------------------------------


def test_a_score_without_points_leaves_both_out() -> None:
    body = wire(CUSTOM, ESSAY, NOON, NOON)

    assert set(body) == {"userId", "activityProgress", "gradingProgress", "timestamp"}


def test_a_score_of_zero_is_sent_as_zero() -> None:
    assert wire(CUSTOM, score(score_given=0.0), NOON, NOON)["scoreGiven"] == 0


@pytest.mark.parametrize("family", [family for family in PlatformFamily if family is not CANVAS])
def test_canvas_alone_gets_its_own_members(family: PlatformFamily) -> None:
    given = score(submission_type="online_url", submission_data="https://tool.example/work/1")

    assert CANVAS_SUBMISSION not in wire(family, given, NOON, NOON)
    assert wire(CANVAS, given, NOON, NOON)[CANVAS_SUBMISSION] == {
        "new_submission": False,
        "submission_type": "online_url",
        "submission_data": "https://tool.example/work/1",
    }


def test_a_submission_time_is_never_ahead_of_now_which_canvas_refuses() -> None:
    body = wire(CANVAS, score(submitted_at=NOON + timedelta(hours=1)), NOON, NOON)

    assert body["submission"]["submittedAt"] == body[CANVAS_SUBMISSION]["submitted_at"] == iso(NOON)


def test_canvas_gets_one_attempt_for_a_first_mark_and_none_for_a_regrade() -> None:
    first = wire(CANVAS, score_for(CANVAS, waiting()), NOON, NOON)
    regraded = wire(CANVAS, score_for(CANVAS, waiting(sent_timestamp=NOON, sent_handed_in=True)), NOON, NOON)

    assert first[CANVAS_SUBMISSION] == {"new_submission": True, "submitted_at": iso(NOON)}
    assert regraded[CANVAS_SUBMISSION] == {"new_submission": False}


def test_canvas_is_sent_a_comment_once_and_others_each_time() -> None:
    entry = waiting(score(comment="Well done"), sent_comment="Well done", sent_timestamp=NOON)

    assert score_for(CANVAS, entry).comment is None
    assert score_for(MOODLE, entry).comment == score_for(CUSTOM, entry).comment == "Well done"


# --- What is not posted -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("progress", NOT_FINAL)
def test_moodle_is_sent_final_marks_only(progress: GradingProgress) -> None:
    for unfinished in (score(grading_progress=progress), ESSAY, score(score_given=None, score_maximum=None)):
        with pytest.raises(ScoreKeptBackError) as kept_back:
            score_for(MOODLE, waiting(unfinished))
        assert (kept_back.value.state, kept_back.value.cause) == (ScoreState.NOT_SENT, "not_final_yet")


@pytest.mark.parametrize("family", PlatformFamily)
def test_a_mark_can_be_taken_back_everywhere(family: PlatformFamily) -> None:
    body = wire(family, score_for(family, waiting(RESET)), NOON, NOON)

    assert "scoreGiven" not in body
    assert "preserve_score" not in body.get(CANVAS_SUBMISSION, {})


@pytest.mark.parametrize("progress", NOT_FINAL)
def test_canvas_is_asked_to_keep_the_mark_when_told_of_progress(progress: GradingProgress) -> None:
    body = wire(CANVAS, score(grading_progress=progress), NOON, NOON)

    counts_as_a_mark = progress is GradingProgress.PENDING_MANUAL
    assert body[CANVAS_SUBMISSION].get("preserve_score", False) is not counts_as_a_mark


def test_an_essay_that_waits_for_its_marker_is_told_to_canvas_and_keeps_what_stands_there() -> None:
    body = wire(CANVAS, score_for(CANVAS, waiting(ESSAY)), NOON, NOON)

    assert (body["activityProgress"], body["gradingProgress"]) == ("Submitted", "PendingManual")
    assert body[CANVAS_SUBMISSION]["preserve_score"] is True


# --- Under which timestamp --------------------------------------------------------------------------------------------


@given(st.integers(0, 5_000_000), st.integers(0, 5_000_000), st.sampled_from(PlatformFamily))
def test_a_platform_gets_a_newer_timestamp_each_time(first: int, second: int, family: PlatformFamily) -> None:
    last = NOON + timedelta(microseconds=first)
    timestamp = NOON + timedelta(microseconds=second)

    sent = timestamp_for(family, waiting(score(timestamp=timestamp), sent_timestamp=last))

    assert iso(sent) > iso(last) or family is MOODLE
    if family is MOODLE:  # it compares whole seconds
        assert int(sent.timestamp()) > int(last.timestamp())
    assert sent >= timestamp


@given(st.integers(0, 3_000_000), st.integers(0, 3_000_000), st.none() | st.integers(0, 3_000_000))
def test_moodle_gets_a_newer_second_also_when_nobody_knows_whether_it_took_the_last(
    now: int, before: int, taken: int | None
) -> None:
    def moment(microseconds: int) -> datetime:
        return NOON + timedelta(microseconds=microseconds)

    sent = None if taken is None else moment(taken)
    unanswered = timestamp_for(MOODLE, waiting(score(timestamp=moment(before)), sent_timestamp=sent))
    entry = waiting(score(timestamp=moment(now)), sent_timestamp=sent, maybe_sent_timestamp=moment(before))

    assert int(timestamp_for(MOODLE, entry).timestamp()) > int(unanswered.timestamp())


def test_moodle_waits_for_the_next_second_and_others_do_not() -> None:
    entry = waiting(
        score(timestamp=NOON + timedelta(milliseconds=400)), sent_timestamp=NOON + timedelta(milliseconds=300)
    )

    assert timestamp_for(MOODLE, entry) == NOON + timedelta(seconds=1)
    assert timestamp_for(CANVAS, entry) == NOON + timedelta(milliseconds=400)


def test_a_first_score_goes_under_its_own_timestamp() -> None:
    assert timestamp_for(MOODLE, waiting()) == NOON


# --- What a teacher changed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        (waiting(), None),  # nothing was ever sent, nothing is there
        (waiting(sent_points=(27.0, 40.0)), (6.75, 10)),
        (waiting(sent_points=(1.0, 3.0)), (33.33, 100)),  # as the platform rounds
        (waiting(sent_points=(5.0, 10.0), maybe_sent_points=(6.0, 10.0)), (6, 10)),  # its answer was lost
        (waiting(sent_points=(5.0, 10.0)), (7.5, 10)),  # this very score, sent before
    ],
)
def test_a_mark_that_is_as_we_left_it_may_be_replaced(entry: OutboxEntry, shown: tuple[float, float] | None) -> None:
    require_unchanged(entry, shown and Result(user_id="u", score=shown[0], maximum=shown[1]))


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        (waiting(), (3, 10)),  # entered by hand before ours
        (waiting(sent_points=(5.0, 10.0)), (5.5, 10)),
        (waiting(sent_points=(27.0, 40.0)), (6.7, 10)),
        (waiting(sent_points=(5.0, 10.0)), None),  # taken out by hand
    ],
)
def test_a_mark_that_was_changed_by_hand_is_left(entry: OutboxEntry, shown: tuple[float, float] | None) -> None:
    with pytest.raises(ScoreKeptBackError) as kept_back:
        require_unchanged(entry, shown and Result(user_id="u", score=shown[0], maximum=shown[1]))

    assert (kept_back.value.state, kept_back.value.cause) == (ScoreState.HELD, "changed_in_lms")
