"""Login: the platform's initiation, our authentication request, its response, and what we remember in between.

Spec: https://www.imsglobal.org/spec/security/v1p0/#openid_connect_launch_flow
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from lti_tool.domain.errors import (
    InvalidRequestError,
    PlatformDeclinedError,
    PlatformLaunchSpentError,
    PlatformLoginRequiredError,
    PlatformMisconfiguredError,
    RequestTooLargeError,
    UnknownStateError,
)
from lti_tool.domain.parameters import UnverifiedParameters
from lti_tool.domain.registration import Registration, RegistrationReference
from lti_tool.domain.tokens import UnverifiedToken

ATTEMPT_LIVES = timedelta(minutes=10)
COOKIE_PREFIX = "__Host-lti-"
MOST_OPEN_ATTEMPTS = 8  # cookies kept in one browser: eight tabs at once, and the gateway's 10 KB of headers hold
LONGEST_PARAMETER = 8 * 1024
LONGEST_HINT = 64 * 1024  # echoed and never stored: TAO puts the whole message into it, as a JWT of its own
_HINTS = ("login_hint", "lti_message_hint")
LONGEST_URL = 2000


def fingerprint(secret: str) -> str:
    """What is stored of a secret: enough to recognise it, not to use it. The secrets have 192 bits, so no salt."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginInitiation:
    """The platform's opening request. All of it is unsigned: it only picks the registration and is echoed."""

    issuer: str
    login_hint: str
    target_link_uri: str
    client_id: str | None
    message_hint: str | None
    deployment_id: str | None
    storage_target: str | None
    environment: str | None

    @classmethod
    def parse(cls, parameters: UnverifiedParameters) -> LoginInitiation:
        """Read the parameters of a GET or POST.

        Raises:
            InvalidRequestError: a launch of LTI 1.1.
            RequestTooLargeError, MissingParameterError, DuplicateParameterError.

        Spec: https://www.imsglobal.org/spec/security/v1p0/#step-1-third-party-initiated-login,
        https://www.imsglobal.org/spec/lti/v1p3/#additional-login-parameters
        """
        _require_lti_1p3(parameters)
        for name, value in parameters.pairs():
            if len(value) > (LONGEST_HINT if name in _HINTS else LONGEST_PARAMETER):
                raise RequestTooLargeError
        deployment_id = parameters.optional("lti_deployment_id")
        if deployment_id is None:  # Canvas's older versions, and its documentation, leave the prefix out.
            deployment_id = parameters.optional("deployment_id")
        return cls(
            issuer=parameters.required("iss"),
            login_hint=parameters.required("login_hint"),
            target_link_uri=parameters.required("target_link_uri"),
            client_id=parameters.optional("client_id") or None,
            message_hint=parameters.optional("lti_message_hint"),
            deployment_id=deployment_id or None,
            storage_target=_frame_name(parameters.optional("lti_storage_target")),
            environment=parameters.optional("canvas_environment"),
        )


def _require_lti_1p3(parameters: UnverifiedParameters) -> None:
    """LTI 1.1 posts its whole message as a form; in 1.3 it is in the id_token."""
    if parameters.all("lti_message_type"):
        raise InvalidRequestError


def _frame_name(text: str | None) -> str | None:
    return text if text and len(text) <= 100 and text.isascii() and text.isprintable() else None


@dataclass(frozen=True, slots=True)
class State:
    """Ties the platform's answer to the browser that asked: a random attempt id, and whose keys to try."""

    attempt_id: str
    reference: RegistrationReference

    def __str__(self) -> str:
        return f"{self.attempt_id}.{self.reference}"

    @classmethod
    def parse(cls, text: str) -> State:
        attempt_id, dot, reference = text.partition(".")
        if not dot or len(text) > 128 or not attempt_id or not reference or not text.isascii():
            raise UnknownStateError
        return cls(attempt_id, RegistrationReference(reference))

    @property
    def cookie_name(self) -> str:
        return COOKIE_PREFIX + self.attempt_id[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAttempt:
    """What we remember between our question and the platform's answer; kept for ten minutes, spent once."""

    state: State
    nonce: str
    browser: str  # the fingerprint of the secret in the browser's cookie
    storage: str | None = None  # the fingerprint of the secret in platform storage, where it is used
    storage_target: str | None = None
    target_link_uri: str
    deployment_id: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserCookie:
    """Holds the secret that only the asking browser knows. Its value begins with its age, so that old ones go first."""

    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class AuthenticationRequest:
    """Our redirect to the platform, and what binds its answer to this browser.

    `storage_secret` is what platform storage shall keep, for the case that the browser keeps no cookie.
    """

    endpoint: str
    fields: Mapping[str, str]
    state: State
    cookie: BrowserCookie
    storage_secret: str | None

    @cached_property
    def url(self) -> str:
        """The whole question as an address; a query that the endpoint already has stays."""
        endpoint = urlsplit(self.endpoint)
        own = [pair for pair in parse_qsl(endpoint.query, keep_blank_values=True) if pair[0] not in self.fields]
        return urlunsplit(endpoint._replace(query=urlencode([*own, *self.fields.items()]), fragment=""))

    @property
    def is_too_long(self) -> bool:
        """Whether some browser or server on the way may cut the address, so that it has to be posted."""
        return len(self.url) > LONGEST_URL


def new_attempt(
    initiation: LoginInitiation, registration: Registration, redirect_uri: str, now: datetime, *, paged: bool
) -> tuple[LoginAttempt, AuthenticationRequest]:
    """Begin a login: what we remember of it, and what we ask. The host that we ask comes from the registration alone.

    `paged` says that a page of ours goes on to the platform, so that it can put a secret into platform storage before.

    Spec: https://www.imsglobal.org/spec/security/v1p0/#step-2-authentication-request
    """
    browser_secret = f"{int(now.timestamp())}.{secrets.token_urlsafe(24)}"
    storage_secret = secrets.token_urlsafe(24) if paged and initiation.storage_target else None
    state = State(secrets.token_urlsafe(24), registration.reference)
    attempt = LoginAttempt(
        state=state,
        nonce=secrets.token_urlsafe(24),
        browser=fingerprint(browser_secret),
        storage=fingerprint(storage_secret) if storage_secret else None,
        storage_target=initiation.storage_target if storage_secret else None,
        target_link_uri=initiation.target_link_uri,
        deployment_id=initiation.deployment_id,
        expires_at=now + ATTEMPT_LIVES,
    )
    fields = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": registration.client_id,
        "redirect_uri": redirect_uri,
        "login_hint": initiation.login_hint,
        "state": str(state),
        "nonce": attempt.nonce,
    }
    if initiation.message_hint is not None:  # echoed byte for byte, also when it is empty
        fields["lti_message_hint"] = initiation.message_hint
    return attempt, AuthenticationRequest(
        endpoint=registration.authorization_endpoint,
        fields=fields,
        state=state,
        cookie=BrowserCookie(name=state.cookie_name, value=browser_secret),
        storage_secret=storage_secret,
    )


def outdated_cookies(cookies: Iterable[str]) -> tuple[str, ...]:
    """The names of our cookies beyond the newest few, given the browser's `name=value` pairs."""
    ours = [(name, value) for name, _, value in (cookie.partition("=") for cookie in cookies) if _is_ours(name)]
    ours.sort(key=lambda cookie: cookie[1].partition(".")[0].rjust(20, "0"), reverse=True)
    return tuple(name for name, _ in ours[MOST_OPEN_ATTEMPTS - 1 :])


def _is_ours(cookie_name: str) -> bool:
    return cookie_name.startswith(COOKIE_PREFIX)


_DECLINED: Mapping[str, type[PlatformDeclinedError]] = {
    "login_required": PlatformLoginRequiredError,
    "interaction_required": PlatformLoginRequiredError,
    "account_selection_required": PlatformLoginRequiredError,
    "launch_no_longer_valid": PlatformLaunchSpentError,  # Canvas's word
    "invalid_request": PlatformMisconfiguredError,
    "invalid_request_object": PlatformMisconfiguredError,
    "invalid_scope": PlatformMisconfiguredError,
    "unauthorized_client": PlatformMisconfiguredError,
    "unsupported_response_type": PlatformMisconfiguredError,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationResponse:
    """The platform's answer as the browser posts it, with what shows that it is the browser that asked.

    One of the two proofs is there, or none: the secret of the cookie that came back, or the one that lay in platform
    storage.
    """

    state: State
    id_token: UnverifiedToken
    browser_secret: str | None = None
    storage_secret: str | None = None

    @classmethod
    def from_browser(cls, form: UnverifiedParameters, cookies: Iterable[str]) -> AuthenticationResponse:
        """Read the form post to the redirect URI; fields that we do not know are ignored.

        Raises:
            InvalidRequestError: a launch of LTI 1.1.
            PlatformDeclinedError: the platform answered with an `error`.
            UnknownStateError: `state` is not of our making.
            MalformedTokenError and its like: `id_token` is not a signed JWT.

        Spec: https://www.imsglobal.org/spec/security/v1p0/#step-3-authentication-response
        """
        _require_lti_1p3(form)
        state = State.parse(form.required("state"))
        error = form.optional("error")
        if error is not None:
            raise _DECLINED.get(error, PlatformDeclinedError)
        id_token = UnverifiedToken.parse(form.required("id_token"))
        return cls(state=state, id_token=id_token, browser_secret=_cookies(cookies).get(state.cookie_name))

    @classmethod
    def with_storage_proof(cls, form: UnverifiedParameters) -> AuthenticationResponse:
        """Read the same answer, posted again by our own page with what lay in platform storage."""
        return cls(
            state=State.parse(form.required("state")),
            id_token=UnverifiedToken.parse(form.required("id_token")),
            storage_secret=form.required("storage_secret"),
        )


def _cookies(pairs: Iterable[str]) -> Mapping[str, str]:
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def same(left: str, right: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(left.encode(errors="surrogatepass"), right.encode(errors="surrogatepass"))
