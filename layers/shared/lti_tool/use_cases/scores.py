"""The operator's hand in the outbox: see what is on its way, send it again, bring dead letters back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lti_tool.domain.registration import DeploymentStatus, RegistrationReference, require_enabled, require_served
from lti_tool.domain.score import DeadLetter, OutboxEntry, Score, ScoreKey, ScoreMessage
from lti_tool.use_cases.lineitem import column_for
from lti_tool.use_cases.ports import DeadLetters, LinkColumns, Nudges, Outbox, Registrations


def score_of(message: ScoreMessage, registrations: Registrations, columns: LinkColumns) -> Score:
    """The score that a message from outside means, whichever way it came.

    Raises:
        UnknownRegistrationError: or its kin; no pact with this platform or deployment.
        LineItemUnknownError: nobody has opened that link yet.
    """
    registration = registrations.of_platform(message.issuer, message.client_id)
    require_enabled(registration)
    status = registration.deployments.get(message.deployment_id)
    if status is not DeploymentStatus.ENABLED:  # only what is served is believed from memory
        status = registrations.deployment_status(registration, message.deployment_id)
    require_served(status)
    return message.score(registration.reference, column_for(message, registration, columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreDesk:
    outbox: Outbox
    nudges: Nudges
    dead_letters: DeadLetters

    def waiting(self) -> Iterator[OutboxEntry]:
        """Every score that waits, read as it is asked for: take as many as are wanted."""
        return self._found(self.outbox.all_waiting())

    def refused(self) -> Iterator[OutboxEntry]:
        return self._found(self.outbox.all_refused())

    def of_line_item(self, registration: RegistrationReference, line_item: str) -> Sequence[OutboxEntry]:
        """Every score of one column, sent ones too."""
        return self.outbox.of_line_item(registration, line_item)

    def resend(self, key: ScoreKey) -> bool:
        """Send it now, whether it was sent, was refused, or waits for its next try.

        `False` where there is no such score, or a sender has it in hand. A platform that asked us to wait, or is down,
        is not asked before its time for all that.
        """
        reopened = self.outbox.reopen(key)
        if reopened:
            self.nudges.nudge(key)
        return reopened

    def resend_all(self, entries: Iterator[OutboxEntry]) -> int:
        """The same for many; how many there were."""
        keys = (entry.score.key for entry in entries)
        return self.nudges.nudge_all(key for key in keys if self.outbox.reopen(key))

    def letters(self) -> Sequence[DeadLetter]:
        """The dead letters, each with its reason."""
        letters = list(self.dead_letters.letters())
        self.dead_letters.let_go(letters)
        return letters

    def redrive(self, wanted: Callable[[DeadLetter], bool] = lambda _: True) -> int:
        """Bring the dead letters back to the queue, and say how many. None is lost, also if this process dies.

        Each text is brought back once: a letter that fails again at once comes back to the dead letters and stays.
        """
        seen: set[str] = set()
        left: list[DeadLetter] = []
        for letter in self.dead_letters.letters():
            if letter.body not in seen and wanted(letter):
                self.dead_letters.bring_back(letter)
                seen.add(letter.body)
            else:
                left.append(letter)
        self.dead_letters.let_go(left)
        return len(seen)

    def _found(self, keys: Iterator[ScoreKey]) -> Iterator[OutboxEntry]:
        return (entry for key in keys if (entry := self.outbox.find(key)) is not None)
