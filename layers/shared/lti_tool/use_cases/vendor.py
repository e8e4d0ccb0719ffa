"""Vendor: launches go on to the vendor's own app; its backend hands in scores and asks what became of them."""

from __future__ import annotations

from dataclasses import dataclass

from lti_tool.domain.activity import Activity, ExternalActivity
from lti_tool.domain.errors import (
    LaunchCodeEndedError,
    ScoreConflictError,
    SessionEndedError,
    UnknownActivityError,
    UnknownScoreError,
)
from lti_tool.domain.launch import SubmissionReviewLaunch
from lti_tool.domain.score import OutboxEntry, Score, ScoreId, ScoreMessage, ScoreState
from lti_tool.domain.session import CODE_LIVES, Session, new_launch_code
from lti_tool.use_cases.activity import ActivityDesk
from lti_tool.use_cases.ports import Catalogue, Clock, LaunchCodes, LinkColumns, Nudges, Outbox, Registrations
from lti_tool.use_cases.scores import score_of
from lti_tool.use_cases.session import SessionGuard

SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """`state` is a ScoreState, or SUPERSEDED: a newer score was there, so this one will not be sent."""

    id: ScoreId
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreIntake:
    """Takes scores from outside into the outbox; asks no platform for anything, so it works while all are down."""

    registrations: Registrations
    outbox: Outbox
    columns: LinkColumns
    nudges: Nudges

    def take(self, message: ScoreMessage) -> Receipt:
        """Once this returns, the score is safe: if the nudge is lost, the sweep finds it. Repeating it changes nothing.

        Raises:
            UnknownRegistrationError: or its kin; no pact with this platform or deployment.
            LineItemUnknownError: nobody has opened that link yet.
            ScoreConflictError: another score has this very timestamp.
        """
        score = self.require_known(message)
        if self.outbox.put(score):
            self.nudges.nudge(score.key)
            return Receipt(id=score.key.id, state=ScoreState.WAITING)
        entry = self.outbox.find(score.key)
        if entry is None or entry.score.timestamp != score.timestamp:  # newer, or a mark where this tells of progress
            return Receipt(id=score.key.id, state=SUPERSEDED)
        if entry.score != score:
            raise ScoreConflictError
        return Receipt(id=score.key.id, state=entry.state)

    def require_known(self, message: ScoreMessage) -> Score:
        """The score, when its registration and deployment are served and its column is known; raises as `take`."""
        return score_of(message, self.registrations, self.columns)

    def find(self, score_id: ScoreId) -> OutboxEntry:
        """The newest score of that id.

        Raises:
            UnknownScoreError.
        """
        entry = self.outbox.find_by_id(score_id)
        if entry is None:
            raise UnknownScoreError
        return entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A person's browser goes on to the vendor's app, and takes a code along that means their launch."""

    desk: ActivityDesk
    codes: LaunchCodes
    clock: Clock

    def depart(self, session: Session) -> str:
        """The address to go to. It comes from the catalogue alone, so nobody can be sent elsewhere.

        Raises:
            NotPermittedError, ActivityNotBoundError: as when the activity is opened.
            UnknownActivityError: the link opens nothing external.
        """
        activity = self.desk.opened(session.launch)
        if isinstance(session.launch, SubmissionReviewLaunch):
            self.desk.reviewed_work(session.launch)  # whose work it may be
        if not isinstance(activity, ExternalActivity):
            raise UnknownActivityError
        code = new_launch_code()
        self.codes.add(code, session.launch_id, activity.id, self.clock() + CODE_LIVES)
        return activity.address(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """The vendor's backend exchanges the code for the launch, once."""

    codes: LaunchCodes
    guard: SessionGuard
    catalogue: Catalogue

    def arrive(self, code: str) -> tuple[Session, Activity]:
        """Raises LaunchCodeEndedError; RegistrationDisabledError or DeploymentDisabledError: switched off since."""
        launch_id, activity_id = self.codes.spend(code)
        try:
            session = self.guard.of_launch(launch_id)
        except SessionEndedError:
            raise LaunchCodeEndedError from None
        return session, self.catalogue.find(activity_id)
