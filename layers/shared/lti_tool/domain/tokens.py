"""An id_token becomes signed claims here, and nowhere else.

The numbers in brackets are those of the id_token validation list.
Spec: https://www.imsglobal.org/spec/security/v1p0/#authentication-response-validation
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from lti_tool.domain.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    MalformedTokenError,
    MissingKeyIdError,
    RequestTooLargeError,
    StaleTokenError,
    TokenFromTheFutureError,
    UnsupportedAlgorithmError,
    UnsupportedHeaderError,
    WrongAudienceError,
    WrongAuthorizedPartyError,
    WrongIssuerError,
)
from lti_tool.domain.registration import Registration

ALGORITHM = "RS256"
LARGEST_TOKEN = 64 * 1024
LEEWAY = timedelta(seconds=60)
OLDEST = timedelta(minutes=10)
_LAST_SECOND = 253402300799  # 9999-12-31T23:59:59Z, the last that a datetime can hold

_JWS = jwt.PyJWS(algorithms=[ALGORITHM])


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """An id_token that has the shape of a signed JWT. Only its `kid` may be used before the signature is checked."""

    encoded: str
    kid: str
    claims: Mapping[str, Any]

    @classmethod
    def parse(cls, encoded: str) -> UnverifiedToken:
        """Read a compact JWS without believing it.

        The algorithm is fixed here, not read from the key or the library: `RS256`, nothing else. Key material or
        addresses in the header (`jwk`, `jku`, `x5u`, `x5c`) are never looked at; `crit` asks for what we do not do.

        Raises:
            MalformedTokenError: not three base64url parts of JSON objects without duplicate members.
            UnsupportedAlgorithmError, UnsupportedHeaderError, MissingKeyIdError: by the header.
        """
        if len(encoded) > LARGEST_TOKEN:
            raise RequestTooLargeError
        parts = encoded.split(".")
        if len(parts) != 3 or not encoded.isascii():  # (2)
            raise MalformedTokenError
        header = _json_object(parts[0])
        if header.get("alg") != ALGORITHM:  # (3)
            raise UnsupportedAlgorithmError().because(expected=ALGORITHM, received=header.get("alg"))
        if "crit" in header or header.get("b64", True) is not True:
            raise UnsupportedHeaderError
        if header.get("typ") is not None and str(header["typ"]).upper() != "JWT":
            raise UnsupportedHeaderError
        kid = header.get("kid")
        if not isinstance(kid, str) or not kid:  # (4)
            raise MissingKeyIdError
        return cls(encoded, kid, _json_object(parts[1]))


@dataclass(frozen=True, slots=True)
class SignedClaims:
    """The claims of an id_token that the registration's platform signed for this tool, in time."""

    registration: Registration
    claims: Mapping[str, Any]

    @property
    def nonce(self) -> str:
        return str(self.claims["nonce"])


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
    claims = token.claims
    if claims.get("iss") != registration.issuer:  # (7)
        raise WrongIssuerError().because(expected=registration.issuer, received=claims.get("iss"))
    _require_audience(claims, registration.client_id)
    _require_time(claims, now)
    if not isinstance(claims.get("nonce"), str) or not claims["nonce"]:  # (12)
        raise InvalidClaimError("nonce")
    return SignedClaims(registration, claims)


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


def _json_object(part: str) -> dict[str, Any]:
    try:
        text = base64.b64decode(part + "=" * (-len(part) % 4), b"-_", validate=True).decode()
        value = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text that could be stored
    except (ValueError, RecursionError) as error:
        raise MalformedTokenError from error
    if not isinstance(value, dict):
        raise MalformedTokenError
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _refuse_constant(_: str) -> NoReturn:  # NaN and Infinity are not JSON
    raise ValueError
