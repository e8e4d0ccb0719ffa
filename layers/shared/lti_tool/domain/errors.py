"""Everything that can go wrong, on one page.

The branch says what a caller can do about it, the leaf says what happened. `code` is stable: logs, metrics, pages and
tests use it, so that the English stays free to improve. An error carries ids only, never a token, a name or a value
from outside, so logging or showing one is always safe.
"""

from __future__ import annotations

from datetime import datetime

OPEN_AGAIN = "Go back to your course and open the activity again."
ASK_ADMINISTRATOR = "Give the code and the support id below to the person who looks after your learning platform."
TOOL_SIDE = "This is a fault of the tool. Try again in a minute; if it stays, give its provider the support id."


class ToolError(Exception):
    """The root. `sentence` says what happened, `next_step` what the person in front of it can do."""

    code = "internal_error"
    sentence = "Something went wrong on our side."
    next_step = TOOL_SIDE


# --- Not the shape that the spec gives it: 400 ------------------------------------------------------------------


class InvalidRequestError(ToolError):
    code = "invalid_request"
    sentence = "The request is not shaped as LTI 1.3 says."
    next_step = ASK_ADMINISTRATOR


class MalformedFormError(InvalidRequestError):
    code = "malformed_form"
    sentence = "The form could not be read."


class DuplicateParameterError(InvalidRequestError):
    code = "duplicate_parameter"
    sentence = "A parameter came twice where it may come once."


class MissingParameterError(InvalidRequestError):
    """A required parameter is absent or empty; `parameter` is its name, which is ours and safe to show."""

    code = "missing_parameter"

    def __init__(self, parameter: str) -> None:
        super().__init__(parameter)
        self.parameter = parameter
        self.sentence = f"The parameter “{parameter}” is missing."


class RequestTooLargeError(InvalidRequestError):
    code = "request_too_large"
    sentence = "The request is larger than any launch is."


class MalformedTokenError(InvalidRequestError):
    code = "malformed_token"
    sentence = "The platform's id_token is not a signed JSON Web Token."


class UnsupportedVersionError(InvalidRequestError):
    code = "unsupported_version"
    sentence = "The message is not LTI version 1.3.0."


class UnsupportedMessageTypeError(InvalidRequestError):
    code = "unsupported_message_type"
    sentence = "The platform asked for something that this tool does not do."


class InvalidClaimError(InvalidRequestError):
    """A claim is absent or misshapen; `claim` is the name that the spec gives it."""

    code = "invalid_claim"

    def __init__(self, claim: str) -> None:
        super().__init__(claim)
        self.claim = claim
        self.sentence = f"The claim “{claim}” is missing or not as LTI 1.3 says."


class ForeignTargetError(InvalidRequestError):
    code = "foreign_target_link_uri"
    sentence = "The link points to an address that is not this tool's."
    next_step = "The link in the course has a wrong address. Ask your teacher to add the activity again."


class TargetChangedError(InvalidRequestError):
    code = "target_link_uri_changed"
    sentence = "The platform named one address when the login began and another one afterwards."


class PlatformDeclinedError(InvalidRequestError):
    """The platform answered the authentication request with an error of its own."""

    code = "platform_declined"
    sentence = "The learning platform did not confirm who you are."
    next_step = "Sign in to your learning platform again, then open the activity from your course."


class InvalidSelectionError(InvalidRequestError):
    code = "invalid_selection"
    sentence = "The chosen activities cannot be added in this place."
    next_step = "Open the picker again from your course and choose anew."


class InvalidAnswersError(InvalidRequestError):
    code = "invalid_answers"
    sentence = "The answers could not be read, so nothing was handed in."
    next_step = "Reload the page and hand in again."


class InvalidScoreError(InvalidRequestError):
    code = "invalid_score_message"
    sentence = "The score message is not as documented, so it was not taken."
    next_step = "Compare the message with the documented one and send it again."


# --- Not here, or not so: 404, 405 ------------------------------------------------------------------------------


class NotFoundError(ToolError):
    code = "not_found"
    sentence = "There is nothing at this address."
    next_step = OPEN_AGAIN


class UnknownActivityError(NotFoundError):
    code = "unknown_activity"
    sentence = "This activity is not in the catalogue."
    next_step = "Ask your teacher to choose another activity for this link."


class ActivityNotBoundError(NotFoundError):
    code = "activity_not_bound"
    sentence = "No activity has been chosen for this link yet."
    next_step = "Your teacher chooses one by opening the link."


class MethodNotAllowedError(ToolError):
    """`allowed` lists the methods that this address answers."""

    code = "method_not_allowed"
    sentence = "This address does not answer that kind of request."
    next_step = OPEN_AGAIN

    def __init__(self, *allowed: str) -> None:
        super().__init__(*allowed)
        self.allowed = allowed


# --- A platform or deployment that we have no pact with, or a person without the right: 403 ---------------------


class UnknownRegistrationError(ToolError):
    code = "unknown_platform"
    sentence = "This learning platform is not registered with the tool."
    next_step = "The platform's administrator has to register it first. " + ASK_ADMINISTRATOR


class AmbiguousPlatformError(UnknownRegistrationError):
    code = "ambiguous_platform"
    sentence = "This platform has several registrations and did not say which one it means."


class RegistrationDisabledError(UnknownRegistrationError):
    code = "platform_disabled"
    sentence = "The registration of this learning platform is switched off."
    next_step = ASK_ADMINISTRATOR


class UnknownDeploymentError(UnknownRegistrationError):
    code = "unknown_deployment"
    sentence = "The tool does not know the place (deployment) that this launch comes from."
    next_step = ASK_ADMINISTRATOR


class DeploymentPendingError(UnknownRegistrationError):
    code = "deployment_pending"
    sentence = "This place (deployment) waits to be approved by the tool's operator."
    next_step = ASK_ADMINISTRATOR


class DeploymentDisabledError(UnknownRegistrationError):
    code = "deployment_disabled"
    sentence = "This place (deployment) is switched off."
    next_step = ASK_ADMINISTRATOR


class NotPermittedError(ToolError):
    code = "not_permitted"
    sentence = "Your role in this course does not open this."
    next_step = "Ask your teacher if you think it should."


# --- Well formed, not believed: 401 -----------------------------------------------------------------------------


class LaunchRejectedError(ToolError):
    code = "launch_rejected"
    sentence = "The launch could not be trusted, so nothing was opened."
    next_step = OPEN_AGAIN


class UnknownStateError(LaunchRejectedError):
    code = "unknown_state"
    sentence = "This launch did not begin here, or it took longer than ten minutes."


class StateAlreadyUsedError(LaunchRejectedError):
    code = "state_already_used"
    sentence = "This launch was already used once."


class BrowserMismatchError(LaunchRejectedError):
    code = "browser_mismatch"
    sentence = "The launch ended in another browser than the one it began in, or the browser refused our cookie."
    next_step = OPEN_AGAIN + " If it happens again, open it in a new window or allow cookies for this site."


class NonceMismatchError(LaunchRejectedError):
    code = "nonce_mismatch"
    sentence = "The platform's answer belongs to another login."


class DeploymentChangedError(LaunchRejectedError):
    code = "deployment_changed"
    sentence = "The platform named one deployment when the login began and another one afterwards."


class UntrustedTokenError(LaunchRejectedError):
    """The branch for an id_token that fails a check of its signature, its parties or its time."""

    code = "untrusted_token"
    sentence = "The platform's id_token could not be trusted."


class UnsupportedAlgorithmError(UntrustedTokenError):
    code = "unsupported_algorithm"
    sentence = "The id_token is not signed with RS256."
    next_step = ASK_ADMINISTRATOR


class UnsupportedHeaderError(UntrustedTokenError):
    code = "unsupported_header"
    sentence = "The id_token's header asks for something that the tool does not do."
    next_step = ASK_ADMINISTRATOR


class MissingKeyIdError(UntrustedTokenError):
    code = "missing_kid"
    sentence = "The id_token does not say which key signed it."
    next_step = ASK_ADMINISTRATOR


class UnknownKeyError(UntrustedTokenError):
    code = "unknown_kid"
    sentence = "The platform does not publish the key that signed the id_token."


class BadSignatureError(UntrustedTokenError):
    code = "bad_signature"
    sentence = "The signature of the id_token is wrong."


class WrongIssuerError(UntrustedTokenError):
    code = "wrong_issuer"
    sentence = "The id_token comes from another platform than the one that began the login."


class WrongAudienceError(UntrustedTokenError):
    code = "wrong_audience"
    sentence = "The id_token is meant for another tool."


class ExpiredTokenError(UntrustedTokenError):
    code = "token_expired"
    sentence = "The id_token had expired when it arrived."


class TokenFromTheFutureError(UntrustedTokenError):
    code = "token_not_yet_valid"
    sentence = "The id_token is dated in the future: the platform's clock is wrong."
    next_step = ASK_ADMINISTRATOR


class StaleTokenError(UntrustedTokenError):
    code = "token_too_old"
    sentence = "The id_token was issued too long ago."


class SessionEndedError(ToolError):
    code = "session_ended"
    sentence = "This session is over."
    next_step = OPEN_AGAIN


class AlreadyAnsweredError(SessionEndedError):
    code = "already_answered"
    sentence = "This selection was already sent to the course."
    next_step = "Open the picker again from your course."


# --- Somebody else is the matter --------------------------------------------------------------------------------


class PlatformUnavailableError(ToolError):
    """Time-out, 429, 5xx: the same request may work later. `retry_after` is the platform's own word for when."""

    code = "platform_unavailable"
    sentence = "The learning platform does not answer at the moment."
    next_step = "Try again in a minute."

    def __init__(self, cause: str = "unreachable", *, retry_after: datetime | None = None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.retry_after = retry_after


class PlatformRefusedError(ToolError):
    """It said no, and would say so again. `cause` is one of our own words, `status` its HTTP status."""

    code = "platform_refused"
    sentence = "The learning platform refused the request."
    next_step = ASK_ADMINISTRATOR

    def __init__(self, cause: str, *, status: int | None = None) -> None:
        super().__init__(cause, status)
        self.cause = cause
        self.status = status


class StoreUnavailableError(ToolError):
    """Our own store or key service is throttled or down; nothing was half done."""

    code = "store_unavailable"
    sentence = "The tool cannot reach its own memory at the moment."


class ScoreHeldError(ToolError):
    """A waiting score is another sender's, or not to be tried yet; `until` says how long."""

    code = "score_held"

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until
