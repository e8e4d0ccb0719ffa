"""Vendor: the vendor's own backend hands in scores and asks what became of them."""

from __future__ import annotations

from dataclasses import dataclass

from lti_tool.domain.errors import ScoreConflictError, UnknownScoreError
from lti_tool.domain.registration import DeploymentStatus, Registration, require_enabled, require_served
from lti_tool.domain.score import OutboxEntry, ScoreId, ScoreMessage, ScoreState
from lti_tool.use_cases.ports import Nudges, Outbox, Registrations

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
    nudges: Nudges

    def take(self, message: ScoreMessage) -> Receipt:
        """Once this returns, the score is safe: if the nudge is lost, the sweep finds it. Repeating it changes nothing.

        Raises:
            UnknownRegistrationError: or its kin; no pact with this platform or deployment.
            ScoreConflictError: another score has this very timestamp.
        """
        registration = self.registrations.of_platform(message.issuer, message.client_id)
        require_enabled(registration)
        self._require_deployment(registration, message.deployment_id)
        score = message.score(registration.reference)
        if self.outbox.put(score):
            self.nudges.nudge(score.key)
            return Receipt(id=score.key.id, state=ScoreState.WAITING)
        entry = self.outbox.find(score.key)
        if entry is None or entry.score.timestamp > score.timestamp:
            return Receipt(id=score.key.id, state=SUPERSEDED)
        if entry.score != score:
            raise ScoreConflictError
        return Receipt(id=score.key.id, state=entry.state)

    def find(self, score_id: ScoreId) -> OutboxEntry:
        """The newest score of that id.

        Raises:
            UnknownScoreError.
        """
        entry = self.outbox.find_by_id(score_id)
        if entry is None:
            raise UnknownScoreError
        return entry

    def _require_deployment(self, registration: Registration, deployment_id: str) -> None:
        status = registration.deployments.get(deployment_id)
        if status is not DeploymentStatus.ENABLED:  # only what is served is believed from memory
            status = self.registrations.deployment_status(registration, deployment_id)
        require_served(status)
