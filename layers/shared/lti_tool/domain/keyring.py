"""The key ring: a region's signing keys, each on its way from being published to being deleted.

```text
making → published → signing → retiring → retired → out of service
         └──────── in every region's key set ───┘
```

A ring never holds two keys that sign, nor two that wait to: it cannot even be made. Which key signs and which ones are
published stand in one item that changes by one write, so a key signs only while it is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from lti_tool.domain.registration import RegistrationReference


class KeyState(StrEnum):
    PUBLISHED = "published"  # platforms learn of it; `until`: when it signs
    SIGNING = "signing"
    RETIRING = "retiring"  # signs no more, still published; `until`: when that ends
    RETIRED = "retired"  # published no more; has still to be disabled
    OUT_OF_SERVICE = "out_of_service"  # disabled; `until`: when KMS deletes it, None: never


IN_KEY_SET = (KeyState.SIGNING, KeyState.PUBLISHED, KeyState.RETIRING)


@dataclass(frozen=True, slots=True, kw_only=True)
class RingKey:
    """One KMS key. `since` is when its state began, `until` when that ends, where time ends it.

    `of_stack`: made by the stack's template, which still names it: it is disabled in the end, but never deleted.
    """

    key_id: str
    jwk: Mapping[str, str]
    state: KeyState
    since: datetime
    until: datetime | None = None
    of_stack: bool = False

    @property
    def kid(self) -> str:
        return self.jwk["kid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """A key that is about to be made, written down before it is: a run that dies leaves none behind unknown.

    The key carries `rotation` as a tag. `wait` is how long it will be published before it signs.
    """

    rotation: str
    since: datetime
    wait: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """`version` grows by one with each write; 0 is a region that has no ring yet, and signs with its first key.

    `held` says which key (`kid`) was sent last to a platform that keeps only one.
    """

    version: int = 0
    keys: tuple[RingKey, ...] = ()
    making: Making | None = None
    held: Mapping[RegistrationReference, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for state in (KeyState.SIGNING, KeyState.PUBLISHED):
            if len(self._in(state)) > 1:
                raise ValueError(f"two keys that are {state}")

    @property
    def signing(self) -> RingKey | None:
        return next(iter(self._in(KeyState.SIGNING)), None)

    @property
    def waiting(self) -> RingKey | None:
        return next(iter(self._in(KeyState.PUBLISHED)), None)

    @property
    def key_set(self) -> tuple[Mapping[str, str], ...]:
        """The public keys (JWK) to be published, the one that signs first."""
        return tuple(key.jwk for state in IN_KEY_SET for key in self._in(state))

    @property
    def is_turning(self) -> bool:
        """A rotation has begun and its old key is still published."""
        return self.making is not None or bool(self._in(KeyState.PUBLISHED) or self._in(KeyState.RETIRING))

    def find(self, kid: str) -> RingKey | None:
        return next((key for key in self.keys if key.kid == kid), None)

    def keys_for(self, holder: RegistrationReference) -> tuple[RingKey, ...]:
        """What to sign with for a platform that keeps one key of ours: the likeliest first.

        A platform may have taken a key whose sending we never heard the end of, or never got the one that signs now.
        """
        usable = [key for state in (KeyState.SIGNING, KeyState.RETIRING) for key in self._in(state)]
        return tuple(sorted(usable, key=lambda key: key.kid != self.held.get(holder)))

    def due(self, state: KeyState, now: datetime) -> RingKey | None:
        """A key in that state whose time is over."""
        return next((key for key in self._in(state) if key.until is None or key.until <= now), None)

    # --- What becomes of it ---------------------------------------------------------------------------------------

    def adopting(self, key: RingKey) -> KeyRing:
        return replace(self, keys=(*self.keys, key))

    def beginning(self, making: Making) -> KeyRing:
        return replace(self, making=making)

    def publishing(self, key_id: str, jwk: Mapping[str, str], now: datetime) -> KeyRing:
        """The key that was made is published; it signs at once where no other does."""
        assert self.making is not None  # noqa: S101 - a key comes of a making only
        key = RingKey(key_id=key_id, jwk=jwk, state=KeyState.SIGNING, since=now)
        if self.signing is not None:
            key = replace(key, state=KeyState.PUBLISHED, until=now + self.making.wait)
        return replace(self, keys=(*self.keys, key), making=None)

    def switching(self, now: datetime, keep: timedelta) -> KeyRing:
        """The key that waited signs from now on; the one before stays published for `keep`."""
        changes: dict[str, Mapping[str, object]] = {}
        for key in self.keys:
            if key.state is KeyState.PUBLISHED:
                changes[key.kid] = {"state": KeyState.SIGNING, "until": None}
            if key.state is KeyState.SIGNING:
                changes[key.kid] = {"state": KeyState.RETIRING, "until": now + keep}
        return replace(self, keys=self._with(changes, now))

    def retiring(self, key: RingKey, now: datetime) -> KeyRing:
        """The key is published no more. If it signed, the one that waited does; if none waited, none does."""
        changes: dict[str, Mapping[str, object]] = {key.kid: {"state": KeyState.RETIRED, "until": None}}
        if key.state is KeyState.SIGNING and self.waiting is not None:
            changes[self.waiting.kid] = {"state": KeyState.SIGNING, "until": None}
        return replace(self, keys=self._with(changes, now))

    def leaving(self, key: RingKey, now: datetime, deleted_at: datetime | None) -> KeyRing:
        """The key is disabled; forgotten are the ones that were deleted meanwhile."""
        changes = {key.kid: {"state": KeyState.OUT_OF_SERVICE, "until": deleted_at}}
        gone = {k.kid for k in self._in(KeyState.OUT_OF_SERVICE) if k.until is not None and k.until <= now}
        return replace(self, keys=tuple(k for k in self._with(changes, now) if k.kid not in gone))

    def _in(self, state: KeyState) -> list[RingKey]:
        return [key for key in self.keys if key.state is state]

    def _with(self, changes: Mapping[str, Mapping[str, object]], now: datetime) -> tuple[RingKey, ...]:
        return tuple(
            replace(key, since=now, **changes[key.kid]) if key.kid in changes else key  # type: ignore[arg-type]
            for key in self.keys
        )
