"""An id_token becomes signed claims here, and nowhere else.

The numbers in brackets are those of the id_token validation list. Apart from `tokens.py` because a login has nothing to
verify, and the JWT library costs its start more than all the rest.
Spec: https://www.imsglobal.org/spec/security/v1p0/#authentication-response-validation
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from lti_tool.domain.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    StaleTokenError,
    TokenFromTheFutureError,
    ToolError,
    WrongAudienceError,
    WrongAuthorizedPartyError,
    WrongIssuerError,
)
from lti_tool.domain.launch import return_address
from lti_tool.domain.registration import Registration
from lti_tool.domain.tokens import ALGORITHM, SignedClaims, UnverifiedToken

LEEWAY = timedelta(seconds=60)
OLDEST = timedelta(minutes=10)
_LAST_SECOND = 253402300799  # 9999-12-31T23:59:59Z, the last that a datetime can hold

_JWS = jwt.PyJWS(algorithms=[ALGORITHM])


def signed_claims(token: UnverifiedToken, key: RSAPublicKey, registration: Registration, now: datetime) -> SignedClaims:
    """Believe a token, or say which check it fails.

    `registration` comes from the state that we issued, never from the token. Expiry is judged once, here, on arrival:
    Moodle's tokens live 60 seconds. `iat` may be ten minutes old: Canvas dates it at login initiation.

    Raises:
        UntrustedTokenError: the leaf names the check.
        InvalidClaimError: a time or the nonce is absent or not of its type.
    """
    try:
        _JWS.decode(token.encoded, key, algorithms=[ALGORITHM])  # (6)
    except jwt.InvalidTokenError as error:
        raise BadSignatureError from error
    try:
        _require_ours(token.claims, registration, now)
    except ToolError as error:
        error.return_url = return_address(token.claims)  # signed, so the person may go back there
        raise
    return SignedClaims(registration, token.claims)


def _require_ours(claims: Mapping[str, Any], registration: Registration, now: datetime) -> None:
    if claims.get("iss") != registration.issuer:  # (7)
        raise WrongIssuerError().because(expected=registration.issuer, received=claims.get("iss"))
    _require_audience(claims, registration.client_id)
    _require_time(claims, now)
    if not isinstance(claims.get("nonce"), str) or not claims["nonce"]:  # (12)
        raise InvalidClaimError("nonce")


def _require_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or audiences != [client_id] * max(1, len(audiences)):  # (8)
        # An audience that we do not know is one that we cannot trust.
        raise WrongAudienceError().because(expected=client_id, received=audience)
    if claims.get("azp") is not None and claims["azp"] != client_id:  # (9)
        raise WrongAuthorizedPartyError().because(expected=client_id, received=claims["azp"])


def _require_time(claims: Mapping[str, Any], now: datetime) -> None:
    expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
    if expires + LEEWAY <= now:  # (10)
        raise ExpiredTokenError().because(exp=expires, now=now)
    if issued > now + LEEWAY:  # (11)
        raise TokenFromTheFutureError().because(iat=issued, now=now)
    if issued < now - OLDEST:
        raise StaleTokenError().because(iat=issued, now=now)
    if expires <= issued:
        raise InvalidClaimError("exp")
    if claims.get("nbf") is not None and _moment(claims, "nbf") > now + LEEWAY:
        raise TokenFromTheFutureError().because(nbf=_moment(claims, "nbf"), now=now)


def _moment(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _LAST_SECOND:
        raise InvalidClaimError(name)
    return datetime.fromtimestamp(value, UTC)
