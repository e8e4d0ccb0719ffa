"""Keys: the tool's signing keys come and go without a platform noticing."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lti_tool.domain.audit import KEYS, AuditLine
from lti_tool.domain.errors import (
    PlatformRefusedError,
    PlatformUnavailableError,
    RotationUnderWayError,
    UnknownSigningKeyError,
)
from lti_tool.domain.keyring import KeyRing, KeyState, Making, RingKey
from lti_tool.domain.registration import Registration, RegistrationReference
from lti_tool.use_cases.ports import AuditTrail, Clock, HeldKeys, KeyHolders, KeyRings, KeyVault, Regions

MAKING_TAKES = timedelta(minutes=2)
"""A key that was begun longer ago and is not in the ring was left by a run that died; more than any run needs."""

ALL_KNOW_WHICH_SIGNS = timedelta(minutes=2)  # the functions' instances believe a ring for one
PUSHING_LASTS = timedelta(seconds=20)  # then no other platform is begun: one may take a minute with slow answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long each state of a key lasts.

    `wait`: published before it signs, longer than any platform caches our key set. `keep`: published after it signed
    last, longer than that and than anything lives that it signed.
    """

    rotate_every: timedelta = timedelta(days=90)
    wait: timedelta = timedelta(hours=24)
    keep: timedelta = timedelta(hours=48)
    deletion_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRotation:
    """Takes one step after another, as long as one is due. Between any two it may die: the next run goes on from there.

    A step is at most one act on KMS that may be repeated, then one conditional write of the ring. Of two runs at once
    the second write fails, and its run ends. `first_key_id` is the key that the stack was deployed with; `who` stands
    in the audit lines.
    """

    rings: KeyRings
    vault: KeyVault
    audit: AuditTrail
    clock: Clock
    pace: Pace
    first_key_id: str
    who: str

    def ring(self) -> KeyRing:
        """The ring as it is; where there is none yet, the one that the first key will make."""
        ring = self.rings.read() or KeyRing()
        return ring if ring.version else self._with_first_key(ring)

    def run(self) -> KeyRing | None:
        """Take every step that is due; None while the region has not published anything yet.

        Raises:
            RotationUnderWayError: another run was faster.
        """
        ring = self._adopted()
        return ring and self._go_on(ring)

    def rotate(self, wait: timedelta | None = None) -> KeyRing:
        """Begin a rotation now, whatever the age of the key that signs.

        Raises:
            RotationUnderWayError: one has not ended yet.
        """
        ring = self._adopted()
        if ring is None or ring.is_turning:
            raise RotationUnderWayError
        ring = self._begin(ring, self.pace.wait if wait is None else wait)
        return self._go_on(ring, begun=ring.making)

    def revoke(self, kid: str) -> KeyRing:
        """Unpublish a key and put it out of service. If it signed, the waiting key does at once, or else a new one.

        Raises:
            UnknownSigningKeyError: the ring has no such key, or it is out of service already.
        """
        ring = self._adopted()
        key = ring.find(kid) if ring else None
        if ring is None or key is None or key.state is KeyState.OUT_OF_SERVICE:
            raise UnknownSigningKeyError(kid)
        after = ring if key.state is KeyState.RETIRED else ring.retiring(key, self.clock())
        begun = None
        if after.signing is None and after.making is None:
            begun = self._making(timedelta())
            after = after.beginning(begun)
        ring = self._write("keys revoke", after, kid)
        return self._go_on(ring, begun=begun, patient=False)

    def _go_on(self, ring: KeyRing, *, begun: Making | None = None, patient: bool = True) -> KeyRing:
        """`begun` was begun by this very run; one that another began is left alone for a while, if `patient`."""
        while True:
            now = self.clock()
            if (key := ring.due(KeyState.RETIRED, now)) is not None:
                ring = self._take_out_of_service(ring, key)
            elif ring.making is not None:
                if patient and ring.making != begun and now - ring.making.since < MAKING_TAKES:
                    return ring
                ring = self._make(ring, ring.making, is_new=ring.making == begun)
            elif (key := ring.due(KeyState.PUBLISHED, now)) is not None:
                ring = self._write("keys switch", ring.switching(now, self.pace.keep), key.kid)
            elif (key := ring.due(KeyState.RETIRING, now)) is not None:
                ring = self._write("keys unpublish", ring.retiring(key, now), key.kid)
            elif not ring.is_turning and ring.signing and now - ring.signing.since >= self.pace.rotate_every:
                ring = self._begin(ring, self.pace.wait)
                begun = ring.making
            else:
                return ring

    # --- Steps ----------------------------------------------------------------------------------------------------

    def _adopted(self) -> KeyRing | None:
        ring = self.rings.read()
        if ring is None or ring.version:
            return ring
        with_first = self._with_first_key(ring)
        return self._write("keys adopt", with_first, with_first.keys[0].kid)

    def _with_first_key(self, ring: KeyRing) -> KeyRing:
        return ring.adopting(
            RingKey(
                key_id=self.first_key_id,
                jwk=self.vault.public_key(self.first_key_id).jwk(),
                state=KeyState.SIGNING,
                since=self.vault.created_at(self.first_key_id),
                of_stack=True,
            )
        )

    def _begin(self, ring: KeyRing, wait: timedelta) -> KeyRing:
        return self._write("keys rotate", ring.beginning(self._making(wait)))

    def _making(self, wait: timedelta) -> Making:
        return Making(rotation=secrets.token_hex(16), since=self.clock(), wait=wait)

    def _make(self, ring: KeyRing, making: Making, *, is_new: bool) -> KeyRing:
        found = None if is_new else self.vault.find(making.rotation)
        key_id = found or self.vault.create(making.rotation)
        jwk = self.vault.public_key(key_id).jwk()
        try:
            return self._write("keys publish", ring.publishing(key_id, jwk, self.clock()), jwk["kid"])
        except RotationUnderWayError:
            self._discard(key_id)
            raise

    def _discard(self, key_id: str) -> None:
        """Another run went on instead of this one; it may have found the very key that this one made."""
        ring = self.rings.read()
        if ring is not None and all(key.key_id != key_id for key in ring.keys):
            self.vault.disable(key_id)
            self.vault.schedule_deletion(key_id, self.pace.deletion_days)

    def _take_out_of_service(self, ring: KeyRing, key: RingKey) -> KeyRing:
        self.vault.disable(key.key_id)
        deleted_at: datetime | None = None
        if not key.of_stack:  # the template names that one: CloudFormation would stumble over its absence
            deleted_at = self.vault.schedule_deletion(key.key_id, self.pace.deletion_days)
        return self._write("keys disable", ring.leaving(key, self.clock(), deleted_at), key.kid)

    def _write(self, verb: str, ring: KeyRing, *kids: str) -> KeyRing:
        """The line first: rather a line without its change than a change without its line."""
        ring = replace(ring, version=ring.version + 1)
        self.audit.add(AuditLine(at=self.clock(), who=self.who, verb=verb, registration=KEYS, changed=kids))
        self.rings.write(ring)
        return ring


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPush:
    """Sends the key that signs to the platforms that keep one key of ours, a while after it began to sign.

    Until a platform has it, what is for that platform is signed with the key that it holds, as long as that one is
    published. A run may die anywhere, and an answer be lost: a signer tries the platform's other key, and the next run
    sends the same key again.
    """

    rings: KeyRings
    holders: KeyHolders
    held: HeldKeys
    regions: Regions
    audit: AuditTrail
    clock: Clock
    who: str

    def run(self) -> Mapping[RegistrationReference, str]:
        """Platforms that still lack the key, and why; several regions sign with a key each, and one place holds one."""
        lacking = _lacking(self.rings.read(), self.holders.keeping_our_key())
        secrets.SystemRandom().shuffle(lacking)  # so that slow ones do not always keep the same others waiting
        if lacking and len(self.regions.all()) > 1:
            return {registration.reference: "several_regions" for registration in lacking}
        until = self.clock() + PUSHING_LASTS
        found = {registration.reference: self._push(registration, until) for registration in lacking}
        return {reference: why for reference, why in found.items() if why}

    def _push(self, registration: Registration, until: datetime) -> str:
        ring, now, reference = self.rings.read(), self.clock(), registration.reference
        if ring is None or ring.signing is None or now - ring.signing.since < ALL_KNOW_WHICH_SIGNS or now > until:
            return "waits"
        kid = ring.signing.kid
        self.audit.add(AuditLine(at=now, who=self.who, verb="keys push", registration=reference, changed=(kid,)))
        try:
            self.held.replace(registration, ring.signing.jwk)
            self.rings.write(replace(ring, version=ring.version + 1, held={**ring.held, reference: kid}))
        except (PlatformUnavailableError, PlatformRefusedError) as error:
            return error.cause
        except RotationUnderWayError:
            return "waits"
        return ""


def _lacking(ring: KeyRing | None, holders: Sequence[Registration]) -> list[Registration]:
    if ring is None or ring.signing is None:
        return []
    return [registration for registration in holders if ring.held.get(registration.reference) != ring.signing.kid]
