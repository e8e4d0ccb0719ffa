"""JWTs in compact form: made, read, and believed only by their signature. Claims are judged where they are used."""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, cast

from joserfc import jwk, jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

Claims = dict[str, Any]


class BadTokenError(Exception):
    """A JWT that is not one, or whose signature does not hold. The text says which."""


def header_of(token: str) -> Claims:
    """The header, not verified: good for choosing a key and for nothing else."""
    try:
        part = token.split(".")[0]
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error) as error:
        raise BadTokenError("not a JWT") from error
    if token.count(".") != 2 or not isinstance(header, dict):
        raise BadTokenError("not a JWT")
    return header


def unverified_claims(token: str) -> Claims:
    """The payload, not verified: to look at (the log), or to find whose keys to ask."""
    header_of(token)
    part = token.split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error) as error:
        raise BadTokenError("not a JWT") from error
    if not isinstance(claims, dict):
        raise BadTokenError("not a JWT")
    return claims


def signed(claims: Claims, key: jwk.RSAKey, header: Mapping[str, Any] | None = None) -> str:
    """Signed with RS256 whatever the header says; None in `header` leaves a member out."""
    full = {"typ": "JWT", "alg": "RS256", "kid": key.kid} | dict(header or {})
    parts = ({name: value for name, value in full.items() if value is not None}, claims)
    message = b".".join(_base64(json.dumps(part).encode()) for part in parts)
    signature = JWSRegistry.algorithms["RS256"].sign(message, key)
    return b".".join((message, _base64(signature))).decode()


def verified(token: str, jwks: Claims) -> Claims:
    """The claims of a token that a key of this key set signed with RS256; the key is the one that `kid` names.

    Raises:
        BadTokenError: with the reason.
    """
    header = header_of(token)
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise BadTokenError("the JWT header has no kid")
    if header.get("alg") != "RS256":
        raise BadTokenError(f"the JWT is signed with {header.get('alg')!r}, not RS256")
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list):
        raise BadTokenError("the tool's key set has no list of keys")
    found = [key for key in keys if isinstance(key, dict) and key.get("kid") == kid]
    if not found:
        raise BadTokenError(f"the tool's key set has no key with kid {kid!r}")
    try:
        key = jwk.RSAKey.import_key(found[0])
        return jwt.decode(token, key, algorithms=["RS256"]).claims
    except (JoseError, ValueError) as error:
        raise BadTokenError("the signature does not match the tool's key") from error


class Seal:
    """HS256 tokens that only the platform itself can read back: hints and return data."""

    def __init__(self) -> None:
        self._key = jwk.OctKey.generate_key(256)

    def seal(self, claims: Claims) -> str:
        return jwt.encode({"typ": "JWT", "alg": "HS256"}, claims, self._key)

    def open(self, token: str) -> Claims:
        try:
            return jwt.decode(token, self._key, algorithms=["HS256"]).claims
        except (JoseError, ValueError) as error:
            raise BadTokenError("not sealed by this platform") from error


class PlatformKeys:
    """A platform's own signing keys: those that were, the one that signs, those to come. A kid is never reused."""

    def __init__(self, *, before: int, after: int) -> None:
        self._keys = [_new_key() for _ in range(before + 1 + after)]
        self._current = before

    @property
    def current(self) -> jwk.RSAKey:
        return self._keys[self._current]

    @cached_property
    def stranger(self) -> jwk.RSAKey:
        """A key that is not the platform's."""
        return _new_key()

    def jwks_without_rsa(self) -> Claims:
        return {"keys": [cast(Claims, self._elliptic.as_dict(private=False))]}

    @cached_property
    def _elliptic(self) -> jwk.ECKey:
        return jwk.ECKey.generate_key("P-256", {"kid": new_kid(), "use": "sig", "alg": "ES256"})

    def rotate(self) -> None:
        """Everything moves on by one: the next key signs, the oldest is gone, a new one is announced."""
        self._keys = [*self._keys[1:], _new_key()]

    def jwks(self) -> Claims:
        return {"keys": [cast(Claims, key.as_dict(private=False)) for key in self._keys]}


def new_kid() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}_{uuid.uuid4()}"


def _new_key() -> jwk.RSAKey:
    return jwk.RSAKey.generate_key(2048, {"kid": new_kid(), "use": "sig", "alg": "RS256"})


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
