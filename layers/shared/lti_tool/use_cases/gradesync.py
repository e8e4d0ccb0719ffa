"""Grade sync: what waits in the outbox goes to the platform's gradebook."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from lti_tool.domain.errors import (
    PlatformRefusedError,
    PlatformUnavailableError,
    ScoreHeldError,
    ToolError,
    UnknownRegistrationError,
)
from lti_tool.domain.gradebook_rules import ScoreKeptBackError, require_unchanged, score_for, timestamp_for
from lti_tool.domain.registration import require_enabled
from lti_tool.domain.score import (
    FIRST_WAIT,
    OutboxEntry,
    ScoreKey,
    ScoreMessage,
    ScoreNudge,
    wait_before_try,
)
from lti_tool.use_cases.ports import Clock, Gates, Gradebook, LinkColumns, Nudges, Outbox, Registrations
from lti_tool.use_cases.scores import score_of

LONGEST_DELAY = timedelta(minutes=15)  # what SQS can delay a message; the sweep takes care of the rest
LONGEST_SPREAD = timedelta(minutes=1)  # so that not all come at once when a platform may be asked again
OVERDUE = timedelta(minutes=1)  # until then a nudge is probably on its way
KEY_SETS_CATCH_UP = timedelta(hours=24)  # platforms keep a key set of ours for hours; a key of today may not be in it
SWEPT_AT_ONCE = 20_000  # what fits well into the minute that the function has


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeSync:
    """Sends what the outbox holds. Twice, late, out of order, after a crash: the gradebook ends up with the newest."""

    registrations: Registrations
    outbox: Outbox
    gradebook: Gradebook
    columns: LinkColumns
    gates: Gates
    nudges: Nudges
    clock: Clock
    lease: timedelta  # longer than one send can take

    def handle(self, message: ScoreNudge | ScoreMessage) -> str:
        """Deal with one message of the queue and say in one word what became of it.

        Raises:
            UnknownRegistrationError: or its kin; a whole score for a platform or deployment that is not served.
            LineItemUnknownError: a whole score for a link that we do not know.
        """
        if isinstance(message, ScoreNudge):
            return self.send(message.key)
        score = score_of(message, self.registrations, self.columns)
        self.outbox.put(score)  # an older one is not taken; what waits there is sent all the same
        return self.send(score.key)

    def send(self, key: ScoreKey) -> str:
        try:
            with self.gates.passing(key.line_item):  # before the lease, which is for sending and not for queueing up
                return self._send(key)
        except PlatformUnavailableError as closed:
            until = closed.retry_after or self.clock() + FIRST_WAIT
            spread = min(LONGEST_SPREAD, max(until - self.clock(), timedelta()) / 5)
            next_try_at = until + spread * random.random()  # noqa: S311 - spreads load, guards nothing
            if self.outbox.defer(key, next_try_at, closed.cause):
                self._nudge_at(key, next_try_at)
            return "deferred"

    def _send(self, key: ScoreKey) -> str:
        try:
            entry = self.outbox.lease(key, self.clock() + self.lease)
        except ScoreHeldError as held:
            if held.leased:  # its sender may die; a score that only waits for its next try has a nudge on its way
                self._nudge_at(key, held.until)
            return "held"
        if entry is None:
            return "nothing_waits"
        try:
            registration = self.registrations.referred_to(key.registration)
            require_enabled(registration)
            timestamp, score = timestamp_for(registration.family, entry), score_for(registration.family, entry)
            if score.overwrite == "unless_changed" and not entry.was_held:
                require_unchanged(entry, self.gradebook.result(registration, key))
            self.gradebook.publish(registration, score, timestamp)
        except PlatformUnavailableError as error:
            self._postpone(entry, error.cause, error.retry_after)
            return "postponed"
        except ScoreKeptBackError as kept_back:
            outcome, is_newest = "kept_back", self.outbox.refused(entry, kept_back.cause, kept_back.state)
        except (UnknownRegistrationError, PlatformRefusedError) as error:
            cause = error.cause if isinstance(error, PlatformRefusedError) else error.code
            if cause == "token_refused" and self._fails_since(entry) < KEY_SETS_CATCH_UP:
                self._postpone(entry, "key_not_known_yet", None)
                return "postponed"
            outcome, is_newest = "refused", self.outbox.refused(entry, cause)
        except ToolError:
            raise  # our own memory does not answer: the lease runs out, and the score is sent then
        except Exception:  # a bug: the mark waits, and shows that it does
            self._postpone(entry, ToolError.code, None)
            raise
        else:
            outcome, is_newest = "sent", self.outbox.delivered(entry, timestamp)
        if not is_newest:  # a newer score came while this one was on its way
            self.nudges.nudge(key)
        return outcome

    def _fails_since(self, entry: OutboxEntry) -> timedelta:
        return timedelta() if entry.failing_since is None else self.clock() - entry.failing_since

    def _postpone(self, entry: OutboxEntry, cause: str, not_before: datetime | None) -> None:
        now = self.clock()
        wait = wait_before_try(entry.attempts, random.random())  # noqa: S311 - spreads load, guards nothing
        next_try_at = max(now + wait, not_before or now)
        self.outbox.postpone(entry, next_try_at, cause)
        self._nudge_at(entry.score.key, next_try_at)

    def _nudge_at(self, key: ScoreKey, moment: datetime) -> None:
        """Nudge again when the score may be tried; what lies further ahead is left to the sweep."""
        delay = moment - self.clock()
        if delay <= LONGEST_DELAY:
            self.nudges.nudge(key, after_seconds=max(0, math.ceil(delay.total_seconds())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Finds the scores whose next try is due and nudges for each: the queue may have forgotten them."""

    outbox: Outbox
    nudges: Nudges
    clock: Clock

    def run(self) -> int:
        due = self.outbox.due(self.clock() - OVERDUE)
        return self.nudges.nudge_all(islice(due, SWEPT_AT_ONCE))

    def oldest_seconds(self) -> int:
        """How long the longest waiting score has waited; 0 when none waits."""
        oldest = self.outbox.oldest_waiting()
        return 0 if oldest is None else max(0, int((self.clock() - oldest).total_seconds()))
