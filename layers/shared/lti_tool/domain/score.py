"""Scores on their way to a platform's gradebook.

Spec: https://www.imsglobal.org/spec/lti-ags/v2p0/#score-publish-service
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, NewType
from urllib.parse import urldefrag, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from lti_tool.domain.addresses import web_address
from lti_tool.domain.errors import InvalidScoreError, UnknownScoreError
from lti_tool.domain.registration import RegistrationReference


class ActivityProgress(StrEnum):
    INITIALIZED = "Initialized"
    STARTED = "Started"
    IN_PROGRESS = "InProgress"
    SUBMITTED = "Submitted"
    COMPLETED = "Completed"


class GradingProgress(StrEnum):
    FULLY_GRADED = "FullyGraded"
    PENDING = "Pending"
    PENDING_MANUAL = "PendingManual"
    FAILED = "Failed"
    NOT_READY = "NotReady"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreKey:
    """One cell of one gradebook: a learner in a line item of a registration."""

    registration: RegistrationReference
    line_item: str
    user_id: str

    @property
    def id(self) -> ScoreId:
        """The same for every score of this cell; names no person, so that it may stand in addresses and logs."""
        return ScoreId(column_id(self.registration, self.line_item) + _digest(self.line_item, self.user_id))


ScoreId = NewType("ScoreId", str)
"""66 URL-safe characters: registration, line item and learner, 22 each, as digests."""


def column_id(registration: RegistrationReference, line_item: str) -> str:
    """What the ids of all scores of one line item begin with."""
    return registration + _digest(line_item)


def parse_score_id(text: str) -> ScoreId:
    """Raises UnknownScoreError: no id of ours."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{66}", text):
        raise UnknownScoreError
    return ScoreId(text)


def _digest(*parts: str) -> str:
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())[:22].decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a learner earned on one line item, as the tool sees it now.

    `score_given` (0 or more, may exceed the maximum) and `score_maximum` share a scale and come together.
    `timestamp` is when the score changed, not when it is sent; the newest one wins. Leaving out `comment` erases the
    previous comment. `submission_type` and `submission_data` are shown with the mark where the platform is Canvas.
    """

    key: ScoreKey
    deployment_id: str
    timestamp: datetime
    score_given: float | None
    score_maximum: float | None
    activity_progress: ActivityProgress
    grading_progress: GradingProgress
    submitted_at: datetime | None = None
    comment: str | None = None
    overwrite: Overwrite = "always"
    submission_type: SubmissionType | None = None
    submission_data: str | None = None

    @property
    def points(self) -> Points | None:
        if self.score_given is None or self.score_maximum is None:
            return None
        return self.score_given, self.score_maximum

    @property
    def is_reset(self) -> bool:
        """Whether it says on purpose that there is no mark any more."""
        return self.points is None and self.activity_progress is ActivityProgress.INITIALIZED

    @property
    def is_handed_in(self) -> bool:
        """Whether it tells of work that is there to be looked at, marked or to be marked by a person."""
        return self.activity_progress in {
            ActivityProgress.SUBMITTED,
            ActivityProgress.COMPLETED,
        } and self.grading_progress in {GradingProgress.FULLY_GRADED, GradingProgress.PENDING_MANUAL}

    @property
    def weight(self) -> Literal[0, 1, 2]:
        """2 for a final mark, 1 for a provisional one, 0 for progress only. A newer score of less weight is not taken,
        so that telling of progress never wipes a mark; a reset, which is meant to, has the weight of a mark.
        """
        if self.is_reset or (self.points is not None and self.grading_progress is GradingProgress.FULLY_GRADED):
            return 2
        return 0 if self.points is None else 1


Overwrite = Literal["always", "unless_changed"]
SubmissionType = Literal["none", "basic_lti_launch", "online_text_entry", "online_url", "external_tool"]
Points = tuple[float, float]
"""Given and maximum, on one scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the gradebook shows for a learner now, changes by hand included; `score` is `None` for an empty cell."""

    user_id: str
    score: float | None
    maximum: float = 1.0


class ScoreState(StrEnum):
    """Where a score is: on its way, in the gradebook, or refused for a cause that trying again does not mend.

    Held: the mark was changed in the gradebook by hand. Not sent: by our own decision.
    """

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    HELD = "held"
    NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """A score in the outbox. `version` grows with each newer score.

    `sent_timestamp` is the timestamp under which the platform last took one. While it waits, `next_try_at` is when the
    next try is due, and `failing_since` when the first of the tries failed that `cause` tells of. `sent_points`,
    `sent_comment` and `sent_handed_in` are what the platform last took, `maybe_sent_...` what it may have taken of an
    older version whose sender died or got no answer. `was_held`: this score was, for a mark that was changed in the
    gradebook; if it waits, somebody who knew of that has sent it again.
    """

    score: Score
    version: int
    state: ScoreState
    attempts: int = 0
    sent_timestamp: datetime | None = None
    next_try_at: datetime | None = None
    cause: str | None = None
    failing_since: datetime | None = None
    refused_at: datetime | None = None
    sent_points: Points | None = None
    sent_comment: str | None = None
    sent_handed_in: bool = False
    maybe_sent_timestamp: datetime | None = None
    maybe_sent_points: Points | None = None
    was_held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that was given up. `reason` is an error's code; empty where the queue itself gave up.

    `receipt` is good for one minute.
    """

    message_id: str
    body: str
    reason: str
    receipt: str


# --- What a platform is sent ------------------------------------------------------------------------------------


def scores_url(line_item: str) -> str:
    return _below(line_item, "/scores")


def results_url(line_item: str, user_id: str) -> str:
    parts = urlsplit(_below(line_item, "/results"))
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, urlencode({"user_id": user_id})]))))


def _below(line_item: str, what: str) -> str:
    """Moodle puts ?type_id= on line item URLs: "/scores" goes into the path, before the query."""
    parts = urlsplit(line_item)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + what, fragment=""))


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, the form that every platform reads."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- When to try again ------------------------------------------------------------------------------------------

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)


def wait_before_try(attempts: int, jitter: float) -> timedelta:
    """5 s after the first try, then 10 s, 20 s ... one hour; `jitter`, from 0 to 1, takes away up to half of it."""
    doubled: timedelta = FIRST_WAIT * 2.0 ** min(attempts - 1, 20)
    return min(LONGEST_WAIT, doubled) * (1 - jitter / 2)


# --- Score messages: the queue's body ---------------------------------------------------------------------------


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    return value


def _web_address(value: str) -> str:
    if web_address(value) is None:
        raise ValueError("not a web address")
    return value


def _column(value: str) -> str:
    """A line item, or what stands for the column of a resource link: an address that a fragment may make longer."""
    _web_address(urldefrag(value).url)
    return value


def _of_our_age(value: datetime) -> datetime:
    """A score of the far future would keep every later one out."""
    if not datetime(2000, 1, 1, tzinfo=UTC) <= value <= datetime.now(UTC) + timedelta(days=1):
        raise ValueError("not a time between 2000 and tomorrow")
    return value


_Id = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$")]
_LineItem = Annotated[str, AfterValidator(_web_address)]
_Column = Annotated[str, AfterValidator(_column)]
_Points = Annotated[float, Field(ge=0), AfterValidator(_finite)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)  # or `true` would be one point


class ScoreNudge(_Message):
    """Says only where to look: the outbox is the truth."""

    registration: _Id
    line_item: _Column
    user_id: _Id

    @classmethod
    def of(cls, key: ScoreKey) -> ScoreNudge:
        return cls(registration=key.registration, line_item=key.line_item, user_id=key.user_id)

    @property
    def key(self) -> ScoreKey:
        reference = RegistrationReference(self.registration)
        return ScoreKey(registration=reference, line_item=self.line_item, user_id=self.user_id)


class ScoreMessage(_Message):
    """A whole score, sent by the vendor's own backend."""

    issuer: str
    client_id: str
    deployment_id: _Id
    line_item: _LineItem | None = None
    resource_link_id: _Id | None = None
    user_id: _Id
    score_given: _Points | None = None
    score_maximum: Annotated[float, Field(gt=0), AfterValidator(_finite)] | None = None
    activity_progress: ActivityProgress
    grading_progress: GradingProgress
    timestamp: Annotated[AwareDatetime, AfterValidator(_of_our_age)]
    comment: Annotated[str, Field(max_length=4000)] | None = None
    overwrite: Overwrite = "always"
    submitted_at: Annotated[AwareDatetime, AfterValidator(_of_our_age)] | None = None
    submission_type: SubmissionType | None = None
    submission_data: Annotated[str, Field(max_length=4000)] | None = None

    @model_validator(mode="after")
    def _points_come_together(self) -> ScoreMessage:
        if (self.score_given is None) != (self.score_maximum is None):
            raise ValueError("score_given and score_maximum come together")
        return self

    @model_validator(mode="after")
    def _names_one_column(self) -> ScoreMessage:
        if (self.line_item is None) == (self.resource_link_id is None):
            raise ValueError("either line_item or resource_link_id says where the mark goes")
        return self

    def score(self, registration: RegistrationReference, column: str = "") -> Score:
        """`column` is what scores of the resource link are kept under, where the message names no line item."""
        return Score(
            key=ScoreKey(registration=registration, line_item=self.line_item or column, user_id=self.user_id),
            deployment_id=self.deployment_id,
            timestamp=self.timestamp,
            score_given=self.score_given,
            score_maximum=self.score_maximum,
            activity_progress=self.activity_progress,
            grading_progress=self.grading_progress,
            comment=self.comment,
            overwrite=self.overwrite,
            submitted_at=self.submitted_at,
            submission_type=self.submission_type,
            submission_data=self.submission_data,
        )


def parse_score_message(text: str | bytes) -> ScoreMessage:
    """Read a whole score.

    Raises:
        InvalidScoreError: with what is wrong, by field; what concerns no single field stands under `message`.
    """
    try:
        return ScoreMessage.model_validate_json(text)
    except ValidationError as error:
        faults = {".".join(map(str, fault["loc"])) or "message": fault["msg"] for fault in error.errors()}
        raise InvalidScoreError(faults) from error


def parse_score_body(text: str) -> ScoreNudge | ScoreMessage:
    """Read a message of the scores queue.

    Raises:
        InvalidScoreError: neither a nudge nor a whole score; trying again would not help.
    """
    try:
        return ScoreNudge.model_validate_json(text)
    except ValidationError:
        return parse_score_message(text)
