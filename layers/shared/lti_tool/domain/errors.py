"""Everything that can go wrong, on one page.

The branch says what a caller can do about it, the leaf says what happened. `code` is stable: logs, metrics, pages and
tests use it, so that the words stay free to improve; the words in other languages stand under the same codes in
`runtime/languages/`. Code, sentence and details hold ids only, never a token, a name or a value from outside, so
logging or showing them is always safe. What came from outside stands apart: `evidence` for the launch trace, `claimed`
and `place` for one page each. `docs/errors.md` says more about each code, under an anchor of its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import ClassVar, Self

LONGEST_EVIDENCE = 200
MOST_FAULTS = 20


class Step(Enum):
    """What somebody can do next, in words for that person."""

    ADD_LINK_AGAIN = "Remove the link from the course and add the activity again with the tool's picker."
    ALLOW_COOKIES = "Open it in a new window, or allow cookies for this site, then open it again from your course."
    APPROVE_DEPLOYMENT = "Approve this place: lti deployment list, then lti deployment approve."
    ASK_ADMINISTRATOR = (
        "Ask the people who look after your learning platform, and give them the code and the support id."
    )
    ASK_FOR_INVITATION = "Ask the tool's operator for a new link: lti invite create."
    ASK_TEACHER = "Tell your teacher, and give the code and the support id below."
    CHECK_CLOCK = "Set the platform's clock by a time server; it may be wrong by a minute at most."
    CHECK_KEY_SET = "Open the platform's key set URL: it has to answer with its current RSA keys, each with a kid."
    CHECK_LAUNCH_SETTINGS = "Compare the tool's settings in the platform with what lti platform show prints."
    CHECK_LINK_ADDRESS = "Set the link's address, or the tool's target link URI, to one of this tool's own."
    CHECK_PRIVACY = "Let the platform send the user's id: anonymous launches are not opened here."
    CHECK_REGISTRATION = (
        "Compare the platform's values with what lti platform show prints, and correct the one that differs."
    )
    CHOOSE_ACTIVITY = "Open the link yourself and choose an activity for it."
    CHOOSE_AGAIN = "Open the picker again from your course and choose anew."
    COMPARE_DOCUMENTATION = "Compare the message with the documented one and send it again."
    ENABLE_PLATFORM = "Ask the tool's operator whether the registration is meant to be off."
    GIVE_TO_PLATFORM = (
        "Do not open this link: paste it into the learning platform, where it asks for a tool's registration URL. It is"
        " not used up by this."
    )
    HAND_IN_AGAIN = "Reload the page and hand in again. What you typed is kept."
    LIST_KEYS = "Look at the keys and what becomes of each, and when: lti keys list."
    NOTHING = "There is nothing to mend on your side."
    OPEN_AGAIN = "Go back to your course and open the activity again."
    READ_LOGS = "Ask the tool's operator to look up the support id: lti launch trace SUPPORT_ID."
    REGISTER_PLATFORM = (
        "Register the platform with the tool first; the tool's operator sends you a link or takes your values."
    )
    SIGN_IN_AGAIN = "Sign in to your learning platform again, then open the activity from your course."
    TRY_LATER = "Try again in a minute."
    UPDATE_PLATFORM = "The platform does not follow LTI 1.3 here: look for an update, or report it to its maker."


class ToolError(Exception):
    """The root. `sentence` says what happened, the steps what each reader can do; `status` is HTTP's word for it."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    sentence: ClassVar[str] = "Something went wrong on our side."
    student: ClassVar[Step] = Step.TRY_LATER
    teacher: ClassVar[Step] = Step.TRY_LATER
    administrator: ClassVar[Step] = Step.READ_LOGS

    evidence: Mapping[str, str] = MappingProxyType({})
    return_url: str | None = None  # where the platform wants its user back, once a signature has vouched for it

    @property
    def details(self) -> dict[str, str]:
        """What fills the braces of the sentence: names that the spec or we gave, never values from outside."""
        return {}

    @property
    def message(self) -> str:
        return self.sentence.format(**self.details)

    def because(self, **evidence: object) -> Self:
        """Say what was expected and what came, for the launch trace alone: ids, names of keys and times, cut short."""
        self.evidence = {name: str(value)[:LONGEST_EVIDENCE] for name, value in evidence.items()}
        return self


# --- Not the shape that the spec gives it: 400 -----------------------------------------------------------------


class InvalidRequestError(ToolError):
    code = "invalid_request"
    status = 400
    sentence = "The request is not shaped as LTI 1.3 says."
    student = Step.OPEN_AGAIN
    teacher = Step.ASK_ADMINISTRATOR
    administrator = Step.UPDATE_PLATFORM


class MalformedFormError(InvalidRequestError):
    code = "malformed_form"
    sentence = "The form could not be read."


class DuplicateParameterError(InvalidRequestError):
    """`parameter` is a name that the spec gave, so it is safe to show."""

    code = "duplicate_parameter"
    sentence = "The parameter “{parameter}” came twice where it may come once."

    def __init__(self, parameter: str) -> None:
        super().__init__(parameter)
        self.parameter = parameter

    @property
    def details(self) -> dict[str, str]:
        return {"parameter": self.parameter}


class MissingParameterError(InvalidRequestError):
    """`parameter` is a name that the spec gave, so it is safe to show."""

    code = "missing_parameter"
    sentence = "The parameter “{parameter}” is missing."
    administrator = Step.CHECK_LAUNCH_SETTINGS

    def __init__(self, parameter: str) -> None:
        super().__init__(parameter)
        self.parameter = parameter

    @property
    def details(self) -> dict[str, str]:
        return {"parameter": self.parameter}


class RequestTooLargeError(InvalidRequestError):
    code = "request_too_large"
    status = 413
    sentence = "The request is larger than any launch is."


class MalformedTokenError(InvalidRequestError):
    code = "malformed_token"
    sentence = "The platform's id_token is not a signed JSON Web Token."


class UnsupportedVersionError(InvalidRequestError):
    code = "unsupported_version"
    sentence = "The message is not LTI version 1.3.0."
    administrator = Step.CHECK_LAUNCH_SETTINGS


class UnsupportedMessageTypeError(InvalidRequestError):
    code = "unsupported_message_type"
    sentence = "The platform asked for something that this tool does not do."
    teacher = Step.ADD_LINK_AGAIN
    administrator = Step.CHECK_LAUNCH_SETTINGS


class InvalidClaimError(InvalidRequestError):
    """A claim is absent or misshapen; `claim` is the name that the spec gives it."""

    code = "invalid_claim"
    sentence = "The claim “{claim}” is missing or not as LTI 1.3 says."

    def __init__(self, claim: str) -> None:
        super().__init__(claim)
        self.claim = claim

    @property
    def details(self) -> dict[str, str]:
        return {"claim": self.claim}


class AnonymousLaunchError(InvalidRequestError):
    code = "anonymous_launch"
    sentence = "The platform did not say who is launching."
    student = Step.SIGN_IN_AGAIN
    administrator = Step.CHECK_PRIVACY


class ForeignTargetError(InvalidRequestError):
    code = "foreign_target_link_uri"
    sentence = "The link points to an address that is not this tool's."
    student = Step.ASK_TEACHER
    teacher = Step.ADD_LINK_AGAIN
    administrator = Step.CHECK_LINK_ADDRESS


class TargetChangedError(InvalidRequestError):
    code = "target_link_uri_changed"
    sentence = "The platform named one address when the login began and another one afterwards."


class PlatformDeclinedError(InvalidRequestError):
    code = "platform_declined"
    sentence = "The learning platform did not confirm who you are."
    student = Step.SIGN_IN_AGAIN
    teacher = Step.SIGN_IN_AGAIN
    administrator = Step.CHECK_REGISTRATION


class PlatformLoginRequiredError(PlatformDeclinedError):
    code = "platform_login_required"
    sentence = "You are not signed in to your learning platform any more."
    administrator = Step.NOTHING


class PlatformLaunchSpentError(PlatformDeclinedError):
    code = "platform_launch_spent"
    sentence = "The learning platform had used up this launch, as it does when a page is reloaded."
    student = Step.OPEN_AGAIN
    teacher = Step.OPEN_AGAIN
    administrator = Step.NOTHING


class PlatformMisconfiguredError(PlatformDeclinedError):
    code = "platform_misconfigured"
    sentence = "The learning platform does not accept this tool's login request."
    student = Step.ASK_TEACHER
    teacher = Step.ASK_ADMINISTRATOR
    administrator = Step.CHECK_LAUNCH_SETTINGS


class InvalidSelectionError(InvalidRequestError):
    code = "invalid_selection"
    sentence = "The chosen activities cannot be added in this place."
    student = Step.ASK_TEACHER
    teacher = Step.CHOOSE_AGAIN
    administrator = Step.CHECK_LAUNCH_SETTINGS


class InvalidAnswersError(InvalidRequestError):
    code = "invalid_answers"
    sentence = "The answers could not be read, so nothing was handed in."
    student = Step.HAND_IN_AGAIN
    teacher = Step.HAND_IN_AGAIN
    administrator = Step.READ_LOGS


class InvalidScoreError(InvalidRequestError):
    """`faults` says what is wrong with which field, for the program that sent it; no value from outside is in it."""

    code = "invalid_score_message"
    status = 422
    sentence = "The score message is not as documented, so it was not taken."
    student = Step.NOTHING
    teacher = Step.NOTHING
    administrator = Step.COMPARE_DOCUMENTATION

    def __init__(self, faults: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(*(f"{field}: {problem}" for field, problem in faults.items()))
        self.faults = faults

    def __str__(self) -> str:
        shown = "; ".join(self.args[:MOST_FAULTS])
        return f"{shown}; and {len(self.args) - MOST_FAULTS} more" if len(self.args) > MOST_FAULTS else shown


class InvalidLandingRulesError(InvalidRequestError):
    """A file of landing rules that breaks the format; its arguments say where, for whoever writes it."""

    code = "invalid_landing_rules"
    sentence = "The landing rules are not written as their format says."
    student = Step.NOTHING
    teacher = Step.NOTHING
    administrator = Step.COMPARE_DOCUMENTATION


class InvalidActivityError(InvalidRequestError):
    """A catalogue entry that breaks the format; its arguments say where, for whoever writes it."""

    code = "invalid_activity"
    sentence = "The activity is not written as the catalogue's format says."
    student = Step.NOTHING
    teacher = Step.NOTHING
    administrator = Step.COMPARE_DOCUMENTATION


class InvalidConfigurationError(InvalidRequestError):
    code = "invalid_platform_configuration"
    sentence = "What the learning platform says about itself is not as LTI 1.3 says."
    student = Step.NOTHING


class IssuerMismatchError(InvalidRequestError):
    code = "issuer_mismatch"
    sentence = "The learning platform's configuration speaks for another host than the one that served it."
    student = Step.NOTHING
    administrator = Step.CHECK_REGISTRATION


# --- Not here, or not so: 404, 405 -----------------------------------------------------------------------------


class NotFoundError(ToolError):
    code = "not_found"
    status = 404
    sentence = "There is nothing at this address."
    student = Step.OPEN_AGAIN
    teacher = Step.OPEN_AGAIN
    administrator = Step.CHECK_LINK_ADDRESS


class UnknownActivityError(NotFoundError):
    code = "unknown_activity"
    sentence = "This activity is not in the catalogue."
    student = Step.ASK_TEACHER
    teacher = Step.ADD_LINK_AGAIN
    administrator = Step.READ_LOGS


class ActivityNotBoundError(NotFoundError):
    code = "activity_not_bound"
    sentence = "No activity has been chosen for this link yet."
    student = Step.ASK_TEACHER
    teacher = Step.CHOOSE_ACTIVITY
    administrator = Step.NOTHING


class UnknownTraceError(NotFoundError):
    code = "unknown_trace"
    sentence = "There is no trace of that support id; traces are kept for three days."
    student = Step.NOTHING
    teacher = Step.NOTHING
    administrator = Step.READ_LOGS


class UnknownScoreError(NotFoundError):
    code = "unknown_score"
    sentence = "There is no score of this id."
    student = Step.NOTHING
    teacher = Step.NOTHING
    administrator = Step.COMPARE_DOCUMENTATION


class LaunchCodeEndedError(NotFoundError):
    """Never made, used, expired, or its session has ended; alike on purpose."""

    code = "launch_code_ended"
    sentence = "This launch code was used, has expired, or was never made."
    administrator = Step.NOTHING


class MethodNotAllowedError(ToolError):
    """`allowed` lists the methods that this address answers."""

    code = "method_not_allowed"
    status = 405
    sentence = "This address does not answer that kind of request."
    student = Step.OPEN_AGAIN
    teacher = Step.OPEN_AGAIN
    administrator = Step.CHECK_LAUNCH_SETTINGS

    def __init__(self, *allowed: str) -> None:
        super().__init__(*allowed)
        self.allowed = allowed


# --- A platform or deployment that we have no pact with, or a person without the right: 403 --------------------


class UnknownRegistrationError(ToolError):
    code = "unknown_platform"
    status = 403
    sentence = "This learning platform is not registered with the tool."
    student = Step.ASK_TEACHER
    teacher = Step.ASK_ADMINISTRATOR
    administrator = Step.REGISTER_PLATFORM

    claimed: tuple[str, str | None] | None = None  # a login's issuer and client_id, unverified: for its page alone


class UnknownClientError(UnknownRegistrationError):
    code = "unknown_client_id"
    sentence = "This learning platform is registered, but not with this client id."
    administrator = Step.CHECK_REGISTRATION


class AmbiguousPlatformError(UnknownRegistrationError):
    code = "ambiguous_platform"
    sentence = "This platform has several registrations and did not say which one it means."
    administrator = Step.CHECK_LAUNCH_SETTINGS


class RegistrationDisabledError(UnknownRegistrationError):
    code = "platform_disabled"
    sentence = "The registration of this learning platform is switched off."
    administrator = Step.ENABLE_PLATFORM


class UnknownDeploymentError(UnknownRegistrationError):
    code = "unknown_deployment"
    sentence = "The tool does not know the place (deployment) that this launch comes from."
    administrator = Step.APPROVE_DEPLOYMENT


class DeploymentPendingError(UnknownRegistrationError):
    code = "deployment_pending"
    sentence = "This place (deployment) waits to be approved by the tool's operator."
    administrator = Step.APPROVE_DEPLOYMENT

    place: tuple[str, str, str, str] | None = None
    """Registration reference, issuer, client_id, deployment_id; once a signature has vouched for them, for its page."""


class DeploymentDisabledError(UnknownRegistrationError):
    code = "deployment_disabled"
    sentence = "This place (deployment) is switched off."
    administrator = Step.ENABLE_PLATFORM


class InvitationEndedError(ToolError):
    code = "invitation_ended"
    status = 403
    sentence = "This invitation was used, has expired, or was never made."
    student = Step.NOTHING
    teacher = Step.ASK_ADMINISTRATOR
    administrator = Step.ASK_FOR_INVITATION


class NotIntroducedError(ToolError):
    """An invitation was opened, and no platform with it."""

    code = "not_introduced"
    status = 400
    sentence = "This link registers a learning platform, and no learning platform opened it."
    student = Step.GIVE_TO_PLATFORM  # who has such a link is no student
    teacher = Step.ASK_ADMINISTRATOR
    administrator = Step.GIVE_TO_PLATFORM


class NotInvitedError(ToolError):
    code = "not_invited"
    status = 403
    sentence = "This invitation is for another learning platform."
    student = Step.NOTHING
    teacher = Step.ASK_ADMINISTRATOR
    administrator = Step.ASK_FOR_INVITATION


class AlreadyRegisteredError(ToolError):
    code = "already_registered"
    status = 409
    sentence = "This learning platform is registered with the tool already."
    student = Step.NOTHING
    teacher = Step.ASK_ADMINISTRATOR
    administrator = Step.READ_LOGS


class ScoreConflictError(ToolError):
    code = "score_conflict"
    status = 409
    sentence = "Another score for this learner and column has the same timestamp, so nothing says which one is newer."
    student = Step.NOTHING
    teacher = Step.NOTHING
    administrator = Step.COMPARE_DOCUMENTATION


class LineItemUnknownError(ToolError):
    """Nobody has opened that link since the tool takes note of columns, or its course has none for us."""

    code = "line_item_unknown"
    status = 409
    sentence = "The tool does not know the gradebook column of this link yet."
    student = Step.NOTHING
    teacher = Step.OPEN_AGAIN
    administrator = Step.COMPARE_DOCUMENTATION


class NotPermittedError(ToolError):
    code = "not_permitted"
    status = 403
    sentence = "Your role in this course does not open this."
    student = Step.ASK_TEACHER
    teacher = Step.ASK_ADMINISTRATOR
    administrator = Step.CHECK_LAUNCH_SETTINGS


# --- Well formed, not believed: 401 ----------------------------------------------------------------------------


class LaunchRejectedError(ToolError):
    code = "launch_rejected"
    status = 401
    sentence = "The launch could not be trusted, so nothing was opened."
    student = Step.OPEN_AGAIN
    teacher = Step.OPEN_AGAIN
    administrator = Step.READ_LOGS


class UnknownStateError(LaunchRejectedError):
    code = "unknown_state"
    sentence = "This launch did not begin here."


class StateExpiredError(LaunchRejectedError):
    code = "state_expired"
    sentence = "The launch took longer than ten minutes."
    administrator = Step.NOTHING


class StateAlreadyUsedError(LaunchRejectedError):
    code = "state_already_used"
    sentence = "This launch was already used once."
    administrator = Step.NOTHING


class BrowserMismatchError(LaunchRejectedError):
    code = "browser_mismatch"
    sentence = "The launch ended in another browser than the one it began in, or the browser refused our cookie."
    student = Step.ALLOW_COOKIES
    teacher = Step.ALLOW_COOKIES
    administrator = Step.READ_LOGS


class StorageProofError(LaunchRejectedError):
    code = "storage_proof_wrong"
    sentence = "The learning platform's page did not give back what the tool had stored there."
    student = Step.ALLOW_COOKIES
    teacher = Step.ALLOW_COOKIES
    administrator = Step.READ_LOGS


class NonceMismatchError(LaunchRejectedError):
    code = "nonce_mismatch"
    sentence = "The platform's answer belongs to another login."


class DeploymentChangedError(LaunchRejectedError):
    code = "deployment_changed"
    sentence = "The platform named one deployment when the login began and another one afterwards."
    administrator = Step.UPDATE_PLATFORM


class UntrustedTokenError(LaunchRejectedError):
    """The branch for an id_token that fails a check of its signature, its parties or its time."""

    code = "untrusted_token"
    sentence = "The platform's id_token could not be trusted."
    teacher = Step.ASK_ADMINISTRATOR


class UnsupportedAlgorithmError(UntrustedTokenError):
    code = "unsupported_algorithm"
    sentence = "The id_token is not signed with RS256."
    administrator = Step.UPDATE_PLATFORM


class UnsupportedHeaderError(UntrustedTokenError):
    code = "unsupported_header"
    sentence = "The id_token's header asks for something that the tool does not do."
    administrator = Step.UPDATE_PLATFORM


class MissingKeyIdError(UntrustedTokenError):
    code = "missing_kid"
    sentence = "The id_token does not say which key signed it."
    administrator = Step.UPDATE_PLATFORM


class UnknownKeyError(UntrustedTokenError):
    code = "unknown_kid"
    sentence = "The platform does not publish the key that signed the id_token."
    administrator = Step.CHECK_KEY_SET


class BadSignatureError(UntrustedTokenError):
    code = "bad_signature"
    sentence = "The signature of the id_token is wrong."
    administrator = Step.CHECK_KEY_SET


class WrongIssuerError(UntrustedTokenError):
    code = "wrong_issuer"
    sentence = "The id_token comes from another platform than the one that began the login."
    administrator = Step.CHECK_REGISTRATION


class WrongAudienceError(UntrustedTokenError):
    code = "wrong_audience"
    sentence = "The id_token is meant for another tool."
    administrator = Step.CHECK_REGISTRATION


class WrongAuthorizedPartyError(UntrustedTokenError):
    code = "wrong_authorized_party"
    sentence = "The id_token was issued to another party (azp) than this tool."
    administrator = Step.CHECK_REGISTRATION


class ExpiredTokenError(UntrustedTokenError):
    code = "token_expired"
    sentence = "The id_token had expired when it arrived."
    administrator = Step.CHECK_CLOCK


class TokenFromTheFutureError(UntrustedTokenError):
    code = "token_not_yet_valid"
    sentence = "The id_token is dated in the future: the platform's clock is wrong."
    administrator = Step.CHECK_CLOCK


class StaleTokenError(UntrustedTokenError):
    code = "token_too_old"
    sentence = "The id_token was issued too long ago."
    administrator = Step.CHECK_CLOCK


class SessionEndedError(ToolError):
    code = "session_ended"
    status = 401
    sentence = "This session is over."
    student = Step.OPEN_AGAIN
    teacher = Step.OPEN_AGAIN
    administrator = Step.NOTHING


class AlreadyAnsweredError(SessionEndedError):
    code = "already_answered"
    status = 409
    sentence = "This selection was already sent to the course."
    student = Step.CHOOSE_AGAIN
    teacher = Step.CHOOSE_AGAIN


class UnknownSigningKeyError(NotFoundError):
    code = "unknown_signing_key"
    sentence = "The tool has no signing key of that kid."
    student = Step.NOTHING
    teacher = Step.NOTHING
    administrator = Step.LIST_KEYS


class RotationUnderWayError(ToolError):
    code = "rotation_under_way"
    status = 409
    sentence = "Signing keys are being rotated already, and one rotation has to end before the next."
    student = Step.NOTHING
    teacher = Step.NOTHING
    administrator = Step.LIST_KEYS


# --- Somebody else is the matter: 502, 503 ---------------------------------------------------------------------


class PlatformUnavailableError(ToolError):
    """Time-out, 429, 5xx: the same request may work later. `retry_after` is the platform's own word for when."""

    code = "platform_unavailable"
    status = 502
    sentence = "The learning platform does not answer at the moment."
    administrator = Step.CHECK_KEY_SET

    def __init__(self, cause: str = "unreachable", *, retry_after: datetime | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.retry_after = retry_after


class PlatformRefusedError(ToolError):
    """It said no, and would say so again. `cause` is one of our own words, `http_status` its answer."""

    code = "platform_refused"
    status = 502
    sentence = "The learning platform refused the request."
    student = Step.ASK_TEACHER
    teacher = Step.ASK_ADMINISTRATOR
    administrator = Step.CHECK_REGISTRATION

    def __init__(self, cause: str, *, http_status: int | None = None) -> None:
        super().__init__(cause, http_status)
        self.cause = cause
        self.http_status = http_status


class ForbiddenAddressError(PlatformRefusedError):
    code = "forbidden_address"
    sentence = "The platform's address is not one that the tool may call."

    def __init__(self) -> None:
        super().__init__(self.code)


class StoreUnavailableError(ToolError):
    """Our own store or key service is throttled or down; nothing was half done."""

    code = "store_unavailable"
    status = 503
    sentence = "The tool cannot reach its own memory at the moment."


class ScoreHeldError(ToolError):
    """A waiting score is another sender's (`leased`), or not to be tried yet; `until` says how long."""

    code = "score_held"
    status = 503
    sentence = "This score is being sent by another sender, or its next try is not due."

    def __init__(self, until: datetime, *, leased: bool = False) -> None:
        super().__init__()
        self.until = until
        self.leased = leased
