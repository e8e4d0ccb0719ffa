"""`lti keys`: the keys that the tool signs with, in the region of the stack."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from typing import Any

from lti_tool.domain.audit import KEYS
from lti_tool.domain.errors import RotationUnderWayError
from lti_tool.domain.keyring import KeyRing, KeyState, RingKey
from lti_tool.domain.registration import PlatformFamily, Registration
from lti_tool.runtime import wiring
from lti_tool.use_cases.keys import KeyRotation
from operate import audit
from operate.stack import Stack

SAFE_WAIT = timedelta(hours=24)
SEES_A_NEW_KEY_AT_ONCE = {PlatformFamily.CANVAS, PlatformFamily.MOODLE}  # they fetch anew before they refuse
_THEN = {
    KeyState.PUBLISHED: "signs from {}",
    KeyState.SIGNING: "signs now",
    KeyState.RETIRING: "published until {}",
    KeyState.RETIRED: "disabled within the hour",
    KeyState.OUT_OF_SERVICE: "deleted on {}",
}


def add_verbs(nouns: Any, common: argparse.ArgumentParser) -> None:
    verbs = nouns.add_parser("keys", help="the keys that the tool signs with")
    verbs = verbs.add_subparsers(required=True, metavar="VERB")
    verbs.add_parser("list", parents=[common], help="each key, and what becomes of it").set_defaults(verb=_list)
    rotate = verbs.add_parser("rotate", parents=[common], help="publish a new key, which signs a day later")
    rotate.add_argument(
        "--now-after", type=_hours, metavar="HOURS", help="sign with it after so many hours instead; 0 is at once"
    )
    rotate.set_defaults(verb=_rotate)
    revoke = verbs.add_parser("revoke", parents=[common], help="unpublish and disable a key at once")
    which = revoke.add_mutually_exclusive_group(required=True)
    which.add_argument("kid", metavar="KID", nargs="?", help="as `lti keys list` shows it")
    which.add_argument(
        "--kid", dest="dashed", metavar="KID", help="the same, as --kid=KID, where it begins with a dash"
    )
    revoke.set_defaults(verb=_revoke)
    verbs.add_parser("audit", parents=[common], help="who changed the keys, and when").set_defaults(verb=_audit)


def _hours(text: str) -> timedelta:
    if not text.isascii() or not text.isdigit() or len(text) > 3:
        raise argparse.ArgumentTypeError("say it as a number of hours, from 0 to 999")
    return timedelta(hours=int(text))


def _list(stack: Stack, _: argparse.Namespace) -> list[dict[str, Any]]:
    ring = _rotation(stack).ring()
    making = [{"kid": None, "state": "making", "then": "published within the hour"}] if ring.making else []
    shown = [_view(key) for key in ring.keys]
    for view in shown:
        if view["state"] == KeyState.SIGNING and (lacking := _lacking(ring)):
            view["not_yet_at"] = lacking
    return [*shown, *making]


def _rotate(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    rotation = _introduced(stack)
    ring = rotation.rotate(options.now_after)
    wait = rotation.pace.wait if options.now_after is None else options.now_after
    new = ring.waiting or ring.signing
    if new is None:
        raise RotationUnderWayError
    return {**_view(new), "warning": _warning() if wait < SAFE_WAIT else None}


def _revoke(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    rotation, kid = _introduced(stack), options.kid or options.dashed
    before = rotation.ring()
    waited = before.waiting
    ring = rotation.revoke(kid)
    revoked = ring.find(kid)
    has_changed = ring.signing is not None and before.signing is not None and ring.signing.kid != before.signing.kid
    return {
        "revoked": kid,
        "then": _then(revoked) if revoked else "deleted",
        "signing": ring.signing.kid if ring.signing else None,
        "not_yet_at": _lacking(ring),
        "warning": _warning() if has_changed and not _is_known(waited, ring) else None,
    }


def _audit(_: Stack, __: argparse.Namespace) -> list[dict[str, Any]]:
    return [
        {"at": line.at.isoformat(), "who": line.who, "verb": line.verb, "keys": list(line.changed)}
        for line in wiring.audit().of(KEYS)
    ]


def _rotation(stack: Stack) -> KeyRotation:
    return wiring.key_rotation(audit.who(stack))


def _introduced(stack: Stack) -> KeyRotation:
    """The rotation of a region that has a record: a new stack writes it when its key set is asked for first."""
    wiring.key_publisher().deployed(stack.tool_url)
    return _rotation(stack)


def _lacking(ring: KeyRing) -> list[str]:
    """Platforms that keep one key of ours, and not yet the one that signs."""
    if ring.signing is None:
        return []
    holders = wiring.registrations().keeping_our_key()
    return [_name(holder) for holder in holders if ring.held.get(holder.reference) != ring.signing.kid]


def _name(registration: Registration) -> str:
    return f"{registration.tenant or registration.issuer} ({registration.reference})"


def _is_known(waited: RingKey | None, ring: KeyRing) -> bool:
    """The key that signs now had been published long enough."""
    if waited is None or ring.signing is None or ring.signing.kid != waited.kid:
        return False
    return wiring.now() - waited.since >= SAFE_WAIT


def _warning() -> str:
    """Who may not know the key that signs; by its kind, for nobody knows what a platform keeps."""
    may_refuse = [
        _name(registration)
        for registration in wiring.registrations().all()
        if registration.enabled and registration.family not in SEES_A_NEW_KEY_AT_ONCE
    ]
    text = "The new key was not published for a day before it signs. Canvas and Moodle fetch the key set anew; "
    if not may_refuse:
        return text + "no other platform is registered."
    return text + f"these may refuse what it signs until their copy ends, often an hour: {', '.join(may_refuse)}."


def _view(key: RingKey) -> dict[str, Any]:
    return {
        "kid": key.kid,
        "state": key.state.value,
        "since": _moment(key.since),
        "then": _then(key),
        "key_id": key.key_id,
    }


def _then(key: RingKey) -> str:
    if key.state is KeyState.OUT_OF_SERVICE and key.until is None:
        return "disabled; kept, because the stack's template made it"
    return _THEN[key.state].format(_moment(key.until) if key.until else "")


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
