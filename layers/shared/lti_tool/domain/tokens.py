"""An id_token, before and after it is believed. `signatures.py` is where the one becomes the other.

Spec: https://www.imsglobal.org/spec/security/v1p0/#authentication-response-validation
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from lti_tool.domain.errors import (
    MalformedTokenError,
    MissingKeyIdError,
    RequestTooLargeError,
    UnsupportedAlgorithmError,
    UnsupportedHeaderError,
)
from lti_tool.domain.registration import Registration

ALGORITHM = "RS256"
LARGEST_TOKEN = 64 * 1024
CLOCKS_DIFFER = timedelta(seconds=5)  # by which we date back what we sign: Moodle takes nothing of its own future


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
