"""What the verbs need from outside, as small protocols."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

if TYPE_CHECKING:  # names for types only: the hot functions load neither pydantic nor what stands on it
    from lti_tool.domain.activity import Activity, Attempt, Start
    from lti_tool.domain.audit import AuditLine
    from lti_tool.domain.invitation import Invitation
    from lti_tool.domain.jwks import ToolKey
    from lti_tool.domain.keyring import KeyRing
    from lti_tool.domain.landing import LandingTable
    from lti_tool.domain.launch import AnyLaunch
    from lti_tool.domain.lineitem import LineItem, LinkColumn, NewLineItem
    from lti_tool.domain.login import AuthenticationResponse, LoginAttempt, State
    from lti_tool.domain.region import Region
    from lti_tool.domain.registration import DeploymentStatus, Registration, RegistrationReference
    from lti_tool.domain.score import DeadLetter, OutboxEntry, Result, Score, ScoreId, ScoreKey, ScoreState
    from lti_tool.domain.session import Session, SessionToken
    from lti_tool.domain.tokens import SignedClaims
    from lti_tool.domain.trace import Trail


class Clock(Protocol):
    def __call__(self) -> datetime:
        """Now, aware, in UTC."""


class Registrations(Protocol):
    """The platforms that we have a pact with. What is found is believed for a minute; the unknown is asked again."""

    def referred_to(self, reference: RegistrationReference) -> Registration:
        """Raises UnknownRegistrationError."""

    def of_platform(self, issuer: str, client_id: str | None) -> Registration:
        """The registration of a login initiation; without `client_id`, the only one of that issuer.

        Raises:
            UnknownRegistrationError, AmbiguousPlatformError.
        """

    def deployment_status(self, registration: Registration, deployment_id: str) -> DeploymentStatus | None:
        """The status as it is now; `None` for a deployment that is not written down."""

    def add_deployment(self, registration: Registration, deployment_id: str, status: DeploymentStatus) -> bool:
        """Write a deployment down, unless it is already: `False` then, and nothing changed."""


class LandingTables(Protocol):
    """Who lands where, as the operator set it; what was read is believed for a minute."""

    def table_for(self, registration: RegistrationReference, deployment_id: str) -> LandingTable:
        """The table in force there: the deployment's own, else the platform's, the stack's, the shipped one.

        Raises:
            UnknownRegistrationError.
        """


class RegistrationRegister(Registrations, Protocol):
    """The same, as the operator sees it."""

    def add(self, registration: Registration) -> bool:
        """Store a registration with its deployments; `False` when one of that issuer and client_id was replaced."""

    def add_new(self, registration: Registration) -> bool:
        """The same, unless there is one already: `False` then, and nothing changed."""

    def put(self, registration: Registration) -> None:
        """Store what was changed on a registration; its deployments stay as they are there.

        Raises:
            UnknownRegistrationError: it was removed meanwhile.
        """

    def put_deployment(self, registration: Registration, deployment_id: str, status: DeploymentStatus) -> None:
        """Set a deployment's status, and the name that `registration` has for it, whether it is written down or not."""

    def remove(self, registration: Registration) -> None: ...

    def all(self) -> Sequence[Registration]: ...


class AuditTrail(Protocol):
    def add(self, line: AuditLine) -> None: ...


class Invitations(Protocol):
    """Known by the fingerprint of their token; conditions are judged in the region that made them."""

    def add(self, invitation: Invitation) -> None: ...

    def find(self, token: str) -> Invitation | None: ...

    def spend(self, token: str, now: datetime) -> Invitation:
        """Use it up; works once, even for simultaneous tries.

        Raises:
            InvitationEndedError.
        """

    def reopen(self, token: str) -> None:
        """Take the use back: no pact was made."""

    def all(self) -> Sequence[Invitation]: ...

    def remove(self, invitation_id: str) -> None:
        """Raises InvitationEndedError: there is none of that id."""


class Introductions(Protocol):
    """A platform's side of dynamic registration, over HTTP, under the outbound policy."""

    def require_allowed(self, url: str) -> None:
        """Raises ForbiddenAddressError."""

    def configuration(self, url: str, registration_token: str | None) -> Any:
        """The document that the platform serves there.

        Raises:
            ForbiddenAddressError, PlatformUnavailableError.
        """

    def register(self, endpoint: str, request: dict[str, Any], registration_token: str | None) -> Any:
        """The platform's answer to our request.

        Raises:
            PlatformUnavailableError, PlatformRefusedError.
        """


class Regions(Protocol):
    def all(self) -> Sequence[Region]:
        """Every deployed region, by name."""

    def serve(self, origin: str) -> bool:
        """Whether a deployed region answers there. Found ones are believed for five minutes, others asked again."""

    def put(self, region: Region) -> None: ...


class KeyHolders(Protocol):
    """Platforms that keep one key of ours in place of asking for our key set."""

    def keeping_our_key(self) -> Sequence[Registration]:
        """Those that are enabled, without their deployments; reads the whole table, so for what runs rarely."""


class HeldKeys(Protocol):
    def replace(self, registration: Registration, jwk: Mapping[str, str]) -> None:
        """Give the platform another key of ours; what the one before signs is refused from then on.

        Raises:
            PlatformUnavailableError: it may have taken the key all the same.
            PlatformRefusedError
        """


class KeyRings(Protocol):
    """This region's key ring."""

    def read(self) -> KeyRing | None:
        """The ring; version 0 before there is one, None before the region has a record."""

    def write(self, ring: KeyRing) -> None:
        """Store the version that follows the stored one, and publish the keys that it says, in one step.

        Raises:
            RotationUnderWayError: another version followed it.
        """


class KeyVault(Protocol):
    """Where signing keys are made and ended; each call may be repeated after one whose answer was lost."""

    def find(self, rotation: str) -> str | None:
        """The id of the key that was made for a rotation, if one was."""

    def create(self, rotation: str) -> str:
        """Make a key for a rotation; its id."""

    def public_key(self, key_id: str) -> ToolKey: ...

    def created_at(self, key_id: str) -> datetime: ...

    def disable(self, key_id: str) -> None: ...

    def schedule_deletion(self, key_id: str, days: int) -> datetime:
        """When the key will be deleted; until then an operator can take it back."""


class LoginAttempts(Protocol):
    def save(self, attempt: LoginAttempt) -> None: ...

    def storage_target(self, state: State) -> str | None:
        """The frame that platform storage was used in for this attempt; `None` when it was not used.

        Raises:
            UnknownStateError, StateExpiredError, StateAlreadyUsedError.
        """

    def require_open(self, response: AuthenticationResponse) -> None:
        """Let pass an answer whose attempt is still open and whose browser shows its proof, without spending it.

        Raises:
            As `Sessions.begin`.
        """


class Sessions(Protocol):
    def begin(
        self,
        response: AuthenticationResponse,
        signed: SignedClaims,
        launch: AnyLaunch,
        token: SessionToken,
        trail: Trail,
    ) -> None:
        """Turn the login attempt that issued this state into the session of this launch.

        Works once, even for simultaneous answers: one conditional update decides. Registration, nonce, browser and
        expiry are part of the condition; DynamoDB removes expired items only hours or days later.

        Raises:
            UnknownStateError, StateExpiredError, StateAlreadyUsedError, BrowserMismatchError, StorageProofError,
            NonceMismatchError, TargetChangedError, DeploymentChangedError: nothing was spent.
        """

    def recall(self, token: SessionToken) -> Session:
        """Raises SessionEndedError."""

    def of_launch(self, launch_id: str) -> Session:
        """Recall a session for somebody who is trusted without its secret.

        Raises:
            SessionEndedError.
        """

    def answer(self, token: SessionToken) -> Session:
        """Recall a session and mark it as answered, in one step: a deep linking launch is answered once.

        Raises:
            SessionEndedError, AlreadyAnsweredError.
        """

    def reopen(self, token: SessionToken) -> None:
        """Take the mark of `answer` back: the answer could not be made."""


class LaunchCodes(Protocol):
    """One-time codes, known by their fingerprint, each for one launch that goes on to one activity."""

    def add(self, code: str, launch_id: str, activity_id: str, expires_at: datetime) -> None: ...

    def spend(self, code: str) -> tuple[str, str]:
        """The launch's and the activity's id; works once, even for simultaneous tries.

        Raises:
            LaunchCodeEndedError.
        """


class PlatformKeyring(Protocol):
    def known(self, registration: Registration, kid: str) -> RSAPublicKey | None:
        """The key, when it can be had without asking the platform."""

    def find(self, registration: Registration, kid: str) -> RSAPublicKey:
        """The key after `known` did not have it: the platform is asked, for a `kid` that is new at most once a minute.

        Raises:
            UnknownKeyError, PlatformUnavailableError.
        """

    def renewed(self, registration: Registration, kid: str, outdated: RSAPublicKey) -> RSAPublicKey | None:
        """The key of that name after a signature did not fit this one: the platform is asked anew, at most once a
        minute. `None` when it is still the same.
        """


class Signer(Protocol):
    """The tool's signing key, of which only signatures and the public half leave KMS."""

    def public_keys(self) -> Sequence[ToolKey]:
        """The stack's first key, for a region that has no key ring yet."""

    def require_usable(self) -> None:
        """Raises StoreUnavailableError: the key is disabled, on its way out, or not reachable."""

    def sign(self, claims: dict[str, Any], kid: str | None = None) -> str:
        """A compact JWS over the claims, RS256, with `kid`: by the key that signs, or by one of `kids_for`."""

    def kids_for(self, holder: RegistrationReference) -> Sequence[str]:
        """The keys that a platform may hold which keeps only one of ours, the likeliest first; at least one."""


class Catalogue(Protocol):
    def all(self) -> Sequence[Activity]: ...

    def find(self, activity_id: str) -> Activity:
        """Raises UnknownActivityError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkKey:
    """A resource link: its id is unique only within registration and deployment."""

    registration: RegistrationReference
    deployment_id: str
    resource_link_id: str


class LinkColumns(Protocol):
    """Where the marks of resource links go, as launches told us."""

    def note_column(self, link: LinkKey, column: LinkColumn) -> None:
        """Remember it the first time; afterwards, take over a line item that is new."""

    def column(self, link: LinkKey) -> LinkColumn | None: ...

    def claim_column(self, link: LinkKey, until: datetime) -> bool:
        """Whether it is for us to find or make the column: one at a time, and not once it is known."""

    def found_column(self, link: LinkKey, line_item: str) -> None: ...


class Records(Protocol):
    """What learners did on a resource link."""

    def bound_activity(self, link: LinkKey) -> str | None: ...

    def bind(self, link: LinkKey, activity_id: str) -> None: ...

    def attempt(self, link: LinkKey, user_id: str) -> Attempt | None: ...

    def attempts(self, link: LinkKey) -> Sequence[Attempt]: ...

    def note_start(self, link: LinkKey, start: Start) -> None:
        """Keep when a learner began; the first time stands."""

    def starts(self, link: LinkKey) -> Sequence[Start]: ...

    def hand_in(self, link: LinkKey, attempt: Attempt, score: Score | None) -> None:
        """Store the attempt and put its score into the outbox: both or neither; the newest of each wins."""


class Outbox(Protocol):
    """Scores on their way. It is the truth; the queue only says where to look."""

    def put(self, score: Score) -> bool:
        """Take a score unless a newer one is there, or it would put mere progress over a mark; `False` then."""

    def find(self, key: ScoreKey) -> OutboxEntry | None: ...

    def find_by_id(self, score_id: ScoreId) -> OutboxEntry | None: ...

    def of_line_item(self, registration: RegistrationReference, line_item: str) -> Sequence[OutboxEntry]: ...

    def lease(self, key: ScoreKey, until: datetime) -> OutboxEntry | None:
        """The waiting entry, held for this sender; `None` when nothing waits.

        Raises:
            ScoreHeldError: another sender holds it, or its next try is not due.
        """

    def delivered(self, entry: OutboxEntry, timestamp: datetime) -> bool:
        """Mark as sent, unless a newer version came meanwhile; `False` then, and the newer one waits."""

    def refused(self, entry: OutboxEntry, cause: str, state: ScoreState = ...) -> bool:
        """Mark as refused, or as held or not sent, unless a newer version came meanwhile; `False` then, and the newer
        one waits.
        """

    def postpone(self, entry: OutboxEntry, next_try_at: datetime, cause: str) -> None:
        """Keep it waiting, whichever version is there now: the platform is the matter, not the score."""

    def defer(self, key: ScoreKey, next_try_at: datetime, cause: str) -> bool:
        """Keep a due score waiting without a try; `False` when it is not due, or held."""

    def reopen(self, key: ScoreKey) -> bool:
        """Let a score be sent now: again, or before its next try; `False` where there is none, or a sender holds it."""

    def due(self, now: datetime) -> Iterator[ScoreKey]: ...

    def all_waiting(self) -> Iterator[ScoreKey]:
        """Of every platform, in no order, read page by page as they are asked for; a moment old."""

    def all_refused(self) -> Iterator[ScoreKey]:
        """The same for scores that a platform refused."""

    def oldest_waiting(self) -> datetime | None:
        """The timestamp of the score that waits longest; `None` when none waits."""


class Nudges(Protocol):
    def nudge(self, key: ScoreKey, *, after_seconds: int = 0) -> None:
        """Put a nudge on the queue; `after_seconds` is at most 900."""

    def nudge_all(self, keys: Iterable[ScoreKey]) -> int:
        """A nudge for each, ten at a time; how many."""


class DeadLetters(Protocol):
    """Messages of the scores queue that were given up, each with the reason."""

    def letters(self) -> Iterator[DeadLetter]:
        """Those that can be had now; whoever looks at one holds it for a minute."""

    def bring_back(self, letter: DeadLetter) -> None:
        """To the scores queue; only then it leaves the dead letters. Dying in between makes two of it, never none."""

    def let_go(self, letters: Sequence[DeadLetter]) -> None:
        """Let the next one who looks see them at once, and not after a minute."""


class Gates(Protocol):
    def passing(self, url: str) -> AbstractContextManager[None]:
        """A place among the few that may talk to the platform at that address; waits for one.

        Raises:
            PlatformUnavailableError: it is closed to all; `retry_after` says until when, `cause` why.
        """


class Gradebook(Protocol):
    """Each verb raises PlatformUnavailableError where it may work later, PlatformRefusedError where it would not."""

    def publish(self, registration: Registration, score: Score, timestamp: datetime) -> None:
        """Send one score to its line item."""

    def result(self, registration: Registration, key: ScoreKey) -> Result | None:
        """What the gradebook shows; `None` for an empty cell."""


class LineItems(Protocol):
    """The columns of a course, by its `container` URL. Raises as `Gradebook` does."""

    def find(self, registration: Registration, container: str, **wanted: str) -> Sequence[LineItem]:
        """Those that have all of `resource_link_id`, `resource_id` and `tag` that are `wanted`, from every page."""

    def create(self, registration: Registration, container: str, new: NewLineItem) -> LineItem: ...

    def change(self, registration: Registration, url: str, **changes: Any) -> LineItem:
        """Write these members (`label`, `scoreMaximum`, ...) and send all others back as they were read."""

    def delete(self, registration: Registration, url: str) -> None:
        """Remove a column; one that is gone already is as good.

        Raises:
            PlatformUnavailableError, PlatformRefusedError: `not_allowed` where this tool did not make the column.
        """


class Health(Protocol):
    def require(self) -> None:
        """Raises StoreUnavailableError: a table or the key does not answer."""
