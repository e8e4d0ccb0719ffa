"""Platforms' public keys: in memory, then in LaunchesTable, then over the network, which is asked rarely.

Fresh for an hour, used for a day while the platform is down. An unknown `kid` makes one instance of all fetch again,
at most once a minute.
"""

from __future__ import annotations

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

    def find(self, registration: Registration, kid: str) -> RSAPublicKey:
        key_set = self._memory.get(registration.reference)
        if key_set is None or not self._serves(key_set, kid):
            key_set = self._looked_up(registration, kid)
        try:
            return key_set.keys[kid]
        except KeyError:
            raise UnknownKeyError from None

    def _serves(self, key_set: _KeySet | None, kid: str) -> bool:
        return key_set is not None and kid in key_set.keys and self._clock() - key_set.fetched_at < FRESH

    def _looked_up(self, registration: Registration, kid: str) -> _KeySet:
        pk = f"platform-jwks#{registration.reference}"
        stored = self._stored(pk)
        if stored is not None:
            self._memory[registration.reference] = stored
            if self._serves(stored, kid):
                return stored
        now = self._clock()
        # A key set that has aged and a kid that nobody knows are two reasons, each good for one fetch a minute: a
        # platform may rotate right after we looked.
        reason = "unknown-kid" if stored is not None and kid not in stored.keys else "aged"
        if not self._cache.claim(f"{pk}#{reason}", now + USABLE, now - BETWEEN_FETCHES):
            return self._fetched_by_another(registration, pk, stored)
        try:
            document = self._fetch(registration.jwks_uri)
        except (PlatformUnavailableError, PlatformRefusedError):
            if stored is not None and kid in stored.keys:
                return stored  # stale, and better than a closed door
            raise
        fetched = _KeySet(platform_keys(document), now)
        self._memory[registration.reference] = fetched
        self._cache.write(pk, now + USABLE, jwks=json.dumps(document), fetched_at=int(now.timestamp()))
        return fetched

    def _fetched_by_another(self, registration: Registration, pk: str, stored: _KeySet | None) -> _KeySet:
        """Somebody asked within the last minute: its answer is on its way, or this is all there is."""
        if stored is not None:
            return stored
        deadline = time.monotonic() + WAIT_FOR_OTHERS_SECONDS
        while time.monotonic() < deadline:
            self._pause(0.05)
            if (found := self._stored(pk)) is not None:
                self._memory[registration.reference] = found
                return found
        raise PlatformUnavailableError("jwks_unreachable")

    def _stored(self, pk: str) -> _KeySet | None:
        item = self._cache.read(pk)
        if item is None:
            return None
        fetched_at = datetime.fromtimestamp(item["fetched_at"], self._clock().tzinfo)
        return _KeySet(platform_keys(json.loads(item["jwks"])), fetched_at)
