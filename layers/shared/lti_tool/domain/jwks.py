"""Key sets: the tool's own, and the ones that platforms publish."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

MOST_PLATFORM_KEYS = 50
PlatformKeys = Mapping[str, RSAPublicKey]
"""A platform's usable keys by `kid`."""


def _base64url_int(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


def _int_from_base64url(text: object) -> int | None:
    if not isinstance(text, str) or len(text) > 2048:
        return None
    try:
        return int.from_bytes(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True), "big")
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class ToolKey:
    """The public half of one of the tool's signing keys. `kid` is its RFC 7638 thumbprint, so never reused."""

    modulus: int
    exponent: int

    @property
    def kid(self) -> str:
        canonical = {"e": _base64url_int(self.exponent), "kty": "RSA", "n": _base64url_int(self.modulus)}
        digest = hashlib.sha256(json.dumps(canonical, separators=(",", ":")).encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def jwk(self) -> dict[str, str]:
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": _base64url_int(self.modulus),
            "e": _base64url_int(self.exponent),
        }


def jwks(keys: Iterable[ToolKey]) -> dict[str, list[dict[str, str]]]:
    """The document that platforms fetch.

    Spec: RFC 7517; https://www.imsglobal.org/spec/security/v1p0/#h_key-set-url
    """
    return {"keys": [key.jwk() for key in keys]}


def platform_keys(document: Any) -> PlatformKeys:
    """The usable keys of a platform's key set: RSA of 2048 bits or more, for signing with RS256, with a `kid`.

    EC keys, encryption keys and broken entries are passed over: one of them must not disturb the others.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    found: dict[str, RSAPublicKey] = {}
    for entry in entries[:MOST_PLATFORM_KEYS] if isinstance(entries, list) else ():
        if (key := _usable(entry)) is not None:
            found.setdefault(entry["kid"], key)
    return found


def _usable(entry: Any) -> RSAPublicKey | None:
    if not isinstance(entry, dict) or entry.get("kty") != "RSA":
        return None
    if entry.get("use") not in (None, "sig") or entry.get("alg") not in (None, "RS256"):
        return None
    if not isinstance(entry.get("kid"), str) or not entry["kid"]:
        return None
    modulus, exponent = _int_from_base64url(entry.get("n")), _int_from_base64url(entry.get("e"))
    if modulus is None or exponent is None or not 2048 <= modulus.bit_length() <= 8192:
        return None
    if exponent < 3 or exponent % 2 == 0 or exponent.bit_length() > 64:
        return None
    try:
        return RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:
        return None
