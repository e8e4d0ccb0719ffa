"""What each platform's gradebook does with a score where the specification leaves it a choice, and what we do about it.

One line per platform in `RULES`; docs/gradebook.md says the same to people.

Spec: https://www.imsglobal.org/spec/lti-ags/v2p0/#score-publish-service
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from lti_tool.domain.registration import PlatformFamily
from lti_tool.domain.score import GradingProgress, OutboxEntry, Result, Score, ScoreState, iso

CANVAS_SUBMISSION = "https://canvas.instructure.com/lti/submission"
_FINAL = frozenset({GradingProgress.FULLY_GRADED})


@dataclass(frozen=True, slots=True, kw_only=True)
class GradebookRules:
    """`counted`: under which progress a number is a mark; under any other, the mark that was there may go.

    `progress_wipes`: a message without a mark empties the cell, so none is sent. `whole_seconds`: timestamps are
    compared in whole seconds, and an equal one is refused. `comments_pile_up`: each accepted comment is added to those
    before; elsewhere a comment that is left out erases the last one. `submission_extension`: Canvas's own members.
    `whole_maximum`: a column's maximum is a whole number.
    """

    counted: frozenset[GradingProgress] = field(default=_FINAL)
    progress_wipes: bool = False
    whole_seconds: bool = False
    comments_pile_up: bool = False
    submission_extension: bool = False
    whole_maximum: bool = False


RULES = {
    # Anything but FullyGraded and PendingManual clears a mark, unless the extension asks to keep it. Each post adds its
    # comment, and an attempt, unless the submission time is the same. An equal timestamp is accepted.
    PlatformFamily.CANVAS: GradebookRules(
        counted=frozenset({GradingProgress.FULLY_GRADED, GradingProgress.PENDING_MANUAL}),
        comments_pile_up=True,
        submission_extension=True,
    ),
    # Whatever is not FullyGraded, or has no scoreGiven, clears the mark. 409 for an equal second.
    PlatformFamily.MOODLE: GradebookRules(progress_wipes=True, whole_seconds=True),
    PlatformFamily.BLACKBOARD: GradebookRules(),
    PlatformFamily.BRIGHTSPACE: GradebookRules(),
    PlatformFamily.SAKAI: GradebookRules(),
    PlatformFamily.OPENEDX: GradebookRules(whole_maximum=True),
    PlatformFamily.CUSTOM: GradebookRules(),
}


class ScoreKeptBackError(Exception):
    """A score that must not be posted: the state that its entry takes, and why."""

    def __init__(self, state: ScoreState, cause: str) -> None:
        super().__init__(state, cause)
        self.state = state
        self.cause = cause


def column_maximum(family: PlatformFamily, maximum: float) -> float:
    """The maximum of a column that we make for scores out of `maximum`: the platform scales them."""
    return math.ceil(maximum) if RULES[family].whole_maximum else maximum


def timestamp_for(family: PlatformFamily, entry: OutboxEntry) -> datetime:
    """The timestamp that this platform takes as newer than the last one that it took.

    The same entry always gives the same answer, so that a repeated send is recognised as one.
    """
    timestamp, last = entry.score.timestamp, entry.sent_timestamp
    if (maybe := entry.maybe_sent_timestamp) is not None:  # and it may have been moved ahead, as we do below
        last = maybe if last is None else max(maybe, last + timedelta(seconds=1))
    if last is None:
        return timestamp
    if RULES[family].whole_seconds:
        return max(timestamp, last.replace(microsecond=0) + timedelta(seconds=1))
    return max(timestamp, last + timedelta(milliseconds=1))


def score_for(family: PlatformFamily, entry: OutboxEntry) -> Score:
    """The score as this platform is to have it.

    Raises:
        ScoreKeptBackError: it would empty the cell where it is to tell of progress only.
    """
    score, rules = entry.score, RULES[family]
    if rules.progress_wipes and not score.is_reset and not _carries_mark(score, rules):
        raise ScoreKeptBackError(ScoreState.NOT_SENT, "not_final_yet")
    if rules.comments_pile_up and score.comment == entry.sent_comment:
        score = replace(score, comment=None)
    if rules.submission_extension and score.submitted_at is None and score.is_handed_in and not entry.sent_handed_in:
        score = replace(score, submitted_at=score.timestamp)  # so that a repeated send is no second attempt
    return score


def wire(family: PlatformFamily, score: Score, timestamp: datetime, now: datetime) -> dict[str, Any]:
    """The body of the score POST."""
    body: dict[str, Any] = {
        "userId": score.key.user_id,
        "activityProgress": score.activity_progress.value,
        "gradingProgress": score.grading_progress.value,
        "timestamp": iso(timestamp),
    }
    if score.points is not None:
        body |= {"scoreGiven": score.score_given, "scoreMaximum": score.score_maximum}
    if score.comment:
        body["comment"] = score.comment
    submitted_at = iso(min(score.submitted_at, now)) if score.submitted_at is not None else None
    if submitted_at is not None:
        body["submission"] = {"submittedAt": submitted_at}
    if RULES[family].submission_extension:
        body[CANVAS_SUBMISSION] = _canvas_submission(score, submitted_at)
    return body


def _carries_mark(score: Score, rules: GradebookRules) -> bool:
    return score.points is not None and score.grading_progress in rules.counted


def _canvas_submission(score: Score, submitted_at: str | None) -> dict[str, Any]:
    """Spec: https://developerdocs.instructure.com/services/canvas/resources/score"""
    extension: dict[str, Any] = {"new_submission": submitted_at is not None and score.is_handed_in}
    if submitted_at is not None:
        extension["submitted_at"] = submitted_at
    if score.submission_type is not None:
        extension["submission_type"] = score.submission_type
    if score.submission_data is not None:
        extension["submission_data"] = score.submission_data
    if not score.is_reset and not _carries_mark(score, RULES[PlatformFamily.CANVAS]):
        extension["preserve_score"] = True
    return extension


def require_unchanged(entry: OutboxEntry, result: Result | None) -> None:
    """Let pass what the gradebook shows as we left it, or as this very score would leave it.

    Raises:
        ScoreKeptBackError: somebody changed the mark there.
    """
    ours = [entry.sent_points, entry.maybe_sent_points, entry.score.points]
    if result is None or result.score is None:
        untouched = entry.sent_points is None
    else:
        untouched = any(points is not None and _same(points, result.score, result.maximum) for points in ours)
    if not untouched:
        raise ScoreKeptBackError(ScoreState.HELD, "changed_in_lms")


def _same(points: tuple[float, float], shown: float, maximum: float) -> bool:
    """Equal but for the platform's rounding: to two decimals on a column of 10 points or more."""
    given, of = points
    return abs(given / of * maximum - shown) <= 0.001 * min(maximum, 10)
