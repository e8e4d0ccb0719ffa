"""Activity: what a resource link opens, what a learner hands in, what staff sees of it."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from lti_tool.domain.activity import (
    ACTIVITY_PARAMETER,
    Activity,
    Answers,
    Assessment,
    Attempt,
    ExternalActivity,
    Start,
    activity_named_by,
)
from lti_tool.domain.errors import ActivityNotBoundError, NotPermittedError
from lti_tool.domain.launch import AnyLaunch, ResourceLink, ResourceLinkLaunch, SubmissionReviewLaunch
from lti_tool.domain.roles import Right
from lti_tool.domain.score import ActivityProgress, GradingProgress, OutboxEntry, Score, ScoreKey, ScoreState
from lti_tool.use_cases.ports import Catalogue, Clock, LinkColumns, LinkKey, Nudges, Outbox, Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One learner's attempt and, once there is one for it, the score that tells the gradebook."""

    attempt: Attempt
    delivery: OutboxEntry | None

    @property
    def is_superseded(self) -> bool:
        """Whether a newer score from elsewhere stands in the outbox."""
        return self.delivery is not None and self.delivery.score.timestamp > self.attempt.submitted_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one learner is. Who handed in without the page, or before it noted this, has no `started_at`."""

    user_id: str
    name: str | None
    started_at: datetime | None
    submitted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityDesk:
    """Everything that happens on one resource link between a launch and a mark."""

    catalogue: Catalogue
    records: Records
    outbox: Outbox
    columns: LinkColumns
    nudges: Nudges
    clock: Clock

    def opened(self, launch: AnyLaunch) -> Activity:
        """The activity behind the link: by its custom parameter, by its address, or as its teacher bound it.

        Raises:
            NotPermittedError: the person may see no questions here.
            ActivityNotBoundError, UnknownActivityError.
        """
        _require(launch, Right.TAKE, Right.GRADE)
        return self._activity(launch)

    def summarised(self, launch: AnyLaunch) -> Activity:
        """The same for all staff, who may see what the link opens, if not its questions."""
        _require(launch, Right.DELIVER, Right.MONITOR, Right.GRADE, Right.REPORT)
        return self._activity(launch)

    def _activity(self, launch: AnyLaunch) -> Activity:
        activity_id = named_by_link(launch) or self.records.bound_activity(_link(launch))
        if activity_id is None:
            raise ActivityNotBoundError
        return self.catalogue.find(activity_id)

    def bind(self, launch: AnyLaunch, activity_id: str) -> None:
        """A teacher chooses what the link opens."""
        _require(launch, Right.CHOOSE)
        self.records.bind(_link(launch), self.catalogue.find(activity_id).id)

    def own_work(self, launch: AnyLaunch) -> Work | None:
        """What this person handed in; an anonymous visitor leaves nothing behind."""
        return self._work_of(launch, launch.user.id) if launch.user.id else None

    def start(self, launch: AnyLaunch) -> None:
        """Note that a learner has begun, the first time; visitors without an id and previews are no learners."""
        if not launch.may(Right.TAKE) or launch.is_preview or launch.user.id is None:
            return
        start = Start(user_id=launch.user.id, name=launch.user.name, started_at=self.clock())
        self.records.note_start(_link(launch), start)

    def reviewed_work(self, launch: AnyLaunch) -> Work | None:
        """The work that a submission review opens.

        Raises:
            NotPermittedError: somebody else's, or no submission review.
        """
        if not isinstance(launch, SubmissionReviewLaunch) or not launch.may_review:
            raise NotPermittedError
        return self._work_of(launch, launch.learner)

    def _work_of(self, launch: AnyLaunch, user_id: str) -> Work | None:
        attempt = self.records.attempt(_link(launch), user_id)
        if attempt is None:
            return None
        key = _score_key(launch, user_id)
        return Work(attempt=attempt, delivery=self.outbox.find(key) if key else None)

    def hand_in(self, launch: AnyLaunch, answers: Answers) -> Work:
        """Mark the answers, keep the attempt, and let its score go to the gradebook.

        The attempt and its outbox entry are stored together; the nudge comes after, and if it is lost, the sweep
        finds the entry.
        """
        _require(launch, Right.TAKE)
        if not isinstance(launch, ResourceLinkLaunch):
            raise NotPermittedError
        activity = self.opened(launch)
        if not isinstance(activity, Assessment):  # its own app marks it
            raise NotPermittedError
        attempt = Attempt(
            user_id=launch.user.id or "",
            name=launch.user.name,
            activity_id=activity.id,
            answers=answers,
            score_given=activity.score(answers),
            score_maximum=activity.score_maximum,
            submitted_at=self.clock(),
            is_preview=launch.is_preview,
        )
        if launch.user.id is None:  # marked and shown, but nobody's
            return Work(attempt=attempt, delivery=None)
        key = _score_key(launch, launch.user.id)
        score = None if key is None or launch.is_preview else _final_score(launch, key, attempt)
        self.records.hand_in(_link(launch), attempt, score)
        if score is None:
            return Work(attempt=attempt, delivery=None)
        self.nudges.nudge(score.key)
        return Work(attempt=attempt, delivery=self.outbox.find(score.key))

    def all_work(self, launch: AnyLaunch) -> list[Work]:
        """Who handed in on this link, with each mark's way; for those who may see marks."""
        _require(launch, Right.GRADE, Right.REPORT)
        return self._all_work(launch)

    def _all_work(self, launch: AnyLaunch) -> list[Work]:
        entries = self._entries(launch)
        by_user = {entry.score.key.user_id: entry for entry in entries}
        if isinstance(activity := self.summarised(launch), ExternalActivity):
            names = {start.user_id: start.name for start in self.records.starts(_link(launch))}
            works = (_work_elsewhere(entry, names.get(user_id), activity) for user_id, entry in by_user.items())
            return [work for work in works if work is not None]
        attempts = self.records.attempts(_link(launch))
        return [Work(attempt=attempt, delivery=by_user.get(attempt.user_id)) for attempt in attempts]

    def resend(self, launch: AnyLaunch, users: Set[str] | None) -> int:
        """Send again what the platform refused, of these learners or, with `None`, of all; how many marks.

        A mark that was changed in the gradebook is sent again by name alone: there a teacher has decided. What waits,
        was sent, or is not to be sent, stays as it is.
        """
        states = (ScoreState.REFUSED,) if users is None else (ScoreState.REFUSED, ScoreState.HELD)
        _require(launch, Right.GRADE)
        wanted = (
            entry.score.key
            for entry in self._entries(launch)
            if entry.state in states and (users is None or entry.score.key.user_id in users)
        )
        return self.nudges.nudge_all(key for key in wanted if self.outbox.reopen(key))

    def progress(self, launch: AnyLaunch) -> list[Progress]:
        """Who has begun on this link and who has handed in, and no mark; for those who monitor."""
        _require(launch, Right.MONITOR)
        link = _link(launch)
        starts = {start.user_id: start for start in self.records.starts(link)}
        attempts = {work.attempt.user_id: work.attempt for work in self._all_work(launch)}
        return [
            Progress(
                user_id=user_id,
                name=attempts[user_id].name if user_id in attempts else starts[user_id].name,
                started_at=starts[user_id].started_at if user_id in starts else None,
                submitted_at=attempts[user_id].submitted_at if user_id in attempts else None,
            )
            for user_id in {**starts, **attempts}
        ]

    def _entries(self, launch: AnyLaunch) -> Sequence[OutboxEntry]:
        """Oldest first. Scores that named the link are kept under what stood for its column when it was first noted."""
        noted = self.columns.column(_link(launch)) if _resource_link(launch) else None
        named = {launch.grades and launch.grades.line_item, noted and noted.key}
        entries = (entry for key in named if key for entry in self.outbox.of_line_item(launch.registration, key))
        return sorted(entries, key=lambda entry: entry.score.timestamp)


def named_by_link(launch: AnyLaunch) -> str | None:
    """The activity that the link itself names, by custom parameter or address; a teacher's choice comes after."""
    return launch.custom.get(ACTIVITY_PARAMETER) or activity_named_by(launch.target_link_uri)


def _require(launch: AnyLaunch, *rights: Right) -> None:
    if not launch.may(*rights):
        raise NotPermittedError


def _link(launch: AnyLaunch) -> LinkKey:
    link = _resource_link(launch)
    if link is None:
        raise ActivityNotBoundError
    return LinkKey(registration=launch.registration, deployment_id=launch.deployment_id, resource_link_id=link.id)


def _resource_link(launch: AnyLaunch) -> ResourceLink | None:
    return launch.resource_link if isinstance(launch, ResourceLinkLaunch | SubmissionReviewLaunch) else None


def _score_key(launch: AnyLaunch, user_id: str) -> ScoreKey | None:
    """`None` where the link has no column in the gradebook, or the platform offers no grade service."""
    if launch.grades is None or launch.grades.line_item is None:
        return None
    return ScoreKey(registration=launch.registration, line_item=launch.grades.line_item, user_id=user_id)


def _work_elsewhere(entry: OutboxEntry, name: str | None, activity: ExternalActivity) -> Work | None:
    """What we know of work that the vendor's app marked: its score, once it is one."""
    score = entry.score
    if score.score_given is None or score.score_maximum is None:
        return None
    attempt = Attempt(
        user_id=score.key.user_id,
        name=name,
        activity_id=activity.id,
        answers={},
        score_given=score.score_given,
        score_maximum=score.score_maximum,
        submitted_at=score.timestamp,
    )
    return Work(attempt=attempt, delivery=entry)


def _final_score(launch: AnyLaunch, key: ScoreKey, attempt: Attempt) -> Score:
    return Score(
        key=key,
        deployment_id=launch.deployment_id,
        timestamp=attempt.submitted_at,
        score_given=attempt.score_given,
        score_maximum=attempt.score_maximum,
        activity_progress=ActivityProgress.COMPLETED,
        grading_progress=GradingProgress.FULLY_GRADED,  # platforms ignore, or clear, whatever is not
        submitted_at=attempt.submitted_at,
    )
