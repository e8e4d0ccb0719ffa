"""Platforms' public keys: in memory, then in LaunchesTable, then over the network, which is asked rarely.

Fresh for an hour, used for a day while the platform is down. An unknown `kid` makes one instance of all fetch again,
at most once a minute; and so does a key that a signature does not fit, for a platform that was set up anew may call its
new key by the old name.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from lti_tool.domain.errors import PlatformRefusedError, PlatformUnavailableError, UnknownKeyError
from lti_tool.domain.jwks import PlatformKeys, platform_keys
from lti_tool.domain.registration import Registration
from lti_tool.use_cases.ports import Clock

FRESH = timedelta(hours=1)
USABLE = timedelta(hours=24)
BETWEEN_FETCHES = timedelta(seconds=60)
WAIT_FOR_OTHERS_SECONDS = 3.0


class _Cache(Protocol):
    def read(self, pk: str) -> dict[str, Any] | None: ...
    def write(self, pk: str, expires_at: datetime, **values: Any) -> None: ...
    def claim(self, pk: str, expires_at: datetime, not_since: datetime) -> bool: ...
    def release(self, pk: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _KeySet:
    keys: PlatformKeys
    fetched_at: datetime


class PlatformKeyCache:
    def __init__(
        self,
        fetch: Callable[[str], Any],
        cache: _Cache,
        clock: Clock,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._fetch = fetch
        self._cache = cache
        self._clock = clock
        self._pause = pause
        self._memory: dict[str, _KeySet] = {}
        self._asked_at: dict[str, datetime] = {}  # when this instance last asked, by key set and reason

    def known(self, registration: Registration, kid: str) -> RSAPublicKey | None:
        key_set = self._memory.get(_pk(registration))
        if key_set is None or not self._serves(key_set, kid):
            key_set = self._shared(registration)
        return key_set.keys.get(kid) if key_set is not None and self._is_fresh(key_set) else None

    def find(self, registration: Registration, kid: str) -> RSAPublicKey:
        stored = self._shared(registration)
        if not self._is_fresh(stored):
            stored = self._fetched(registration, stored, "aged", kid)
        if stored is None or kid not in stored.keys:
            stored = self._asked_anew(registration, "unknown-kid", kid)
        if stored is None or kid not in stored.keys:
            raise UnknownKeyError().because(received=kid)
        return stored.keys[kid]

    def renewed(self, registration: Registration, kid: str, outdated: RSAPublicKey) -> RSAPublicKey | None:
        stored = self._asked_anew(registration, "bad-signature", kid)
        key = stored.keys.get(kid) if stored else None
        return None if key is None or key.public_numbers() == outdated.public_numbers() else key

    def _asked_anew(self, registration: Registration, reason: str, kid: str) -> _KeySet | None:
        asked = f"{_pk(registration)}#{reason}"
        asked_at = self._asked_at.get(asked)
        if asked_at is not None and self._clock() - asked_at < BETWEEN_FETCHES:
            return self._memory.get(_pk(registration))
        self._asked_at[asked] = self._clock()
        return self._fetched(registration, self._shared(registration), reason, kid)

    def _serves(self, key_set: _KeySet, kid: str) -> bool:
        return kid in key_set.keys and self._is_fresh(key_set)

    def _is_fresh(self, key_set: _KeySet | None) -> bool:
        return key_set is not None and self._clock() - key_set.fetched_at < FRESH

    def _shared(self, registration: Registration) -> _KeySet | None:
        """What any instance fetched last."""
        stored = self._stored(_pk(registration))
        if stored is not None:
            self._memory[_pk(registration)] = stored
        return stored

    def _fetched(self, registration: Registration, stored: _KeySet | None, reason: str, kid: str) -> _KeySet | None:
        """Ask the platform, unless somebody did within the last minute for the same reason.

        An aged key set and an unknown kid are two reasons: a platform may rotate right after we looked.
        """
        pk, now = _pk(registration), self._clock()
        if not self._cache.claim(f"{pk}#{reason}", now + USABLE, now - BETWEEN_FETCHES):
            return stored or self._fetched_by_another(registration, pk)
        try:
            document = self._fetch(registration.jwks_uri)
            keys = platform_keys(document)
            if not keys:
                raise PlatformUnavailableError("jwks_without_keys")
        except (PlatformUnavailableError, PlatformRefusedError):
            if stored is not None and (kid in stored.keys or reason == "unknown-kid"):
                return stored  # stale, and better than a closed door
            self._cache.release(f"{pk}#{reason}")  # nothing to go on: whoever comes next may try
            raise
        fetched = _KeySet(keys, now)
        self._memory[_pk(registration)] = fetched
        self._cache.write(pk, now + USABLE, jwks=json.dumps(document), fetched_at=int(now.timestamp()))
        return fetched

    def _fetched_by_another(self, registration: Registration, pk: str) -> _KeySet:
        """Nothing is stored yet, and somebody is asking: the answer is on its way."""
        deadline = time.monotonic() + WAIT_FOR_OTHERS_SECONDS
        while time.monotonic() < deadline:
            self._pause(0.05)
            if (found := self._stored(pk)) is not None:
                self._memory[_pk(registration)] = found
                return found
        raise PlatformUnavailableError("jwks_unreachable")

    def _stored(self, pk: str) -> _KeySet | None:
        item = self._cache.read(pk)
        if item is None:
            return None
        fetched_at = datetime.fromtimestamp(item["fetched_at"], self._clock().tzinfo)
        return _KeySet(platform_keys(json.loads(item["jwks"])), fetched_at)


def _pk(registration: Registration) -> str:
    """Names the key set by its address too: another address is another key set, and the old one is not believed."""
    digest = hashlib.sha256(registration.jwks_uri.encode()).hexdigest()[:16]
    return f"platform-jwks#{registration.reference}#{digest}"
