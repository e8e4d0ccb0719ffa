"""The log of every message both ways: readable, bounded, and without a whole token in it."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from local.campus import tokens

TO_TOOL = "platform → tool"
FROM_TOOL = "tool → platform"

_JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*")
_IN_ADDRESS = re.compile(r"(registration_token(?:=|%3D)[^&\s%]{1,6})[^&\s]*")
_SECRETS = {"access_token", "authorization", "sesskey", "state", "nonce", "lti_message_hint", "authenticity_token"}


@dataclass(frozen=True, kw_only=True)
class Entry:
    number: int
    time: str
    platform: str
    direction: str
    what: str
    outcome: str
    ok: bool
    details: dict[str, Any]


class Journal:
    """The last thousand messages, newest last."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=1000)
        self._number = 0
        self._lock = threading.Lock()

    def write(
        self, platform: str, direction: str, what: str, outcome: str, *, ok: bool = True, details: Mapping[str, Any]
    ) -> None:
        with self._lock:
            self._number += 1
            self._entries.append(
                Entry(
                    number=self._number,
                    time=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                    platform=platform,
                    direction=direction,
                    what=what,
                    outcome=shortened(outcome),
                    ok=ok,
                    details={name: shortened(value, name) for name, value in details.items()},
                )
            )

    def entries(self, platform: str | None = None) -> list[Entry]:
        with self._lock:
            return [entry for entry in self._entries if platform in (None, entry.platform)]

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(entry) for entry in self.entries()]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


def shortened(value: Any, name: str = "") -> Any:
    """The value with every token in it cut to its first characters; a JWT keeps its claims, which are worth reading."""
    if isinstance(value, Mapping):
        return {str(key): shortened(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [shortened(inner, name) for inner in value]
    if not isinstance(value, str):
        return value
    if _JWT.fullmatch(value):
        return _opened(value) if name in {"id_token", "JWT", "client_assertion"} else value[:12] + "…"
    if name.lower() in _SECRETS and len(value) > 12:
        return value[:12] + "…"
    return _IN_ADDRESS.sub(r"\1…", _JWT.sub(lambda found: found.group()[:12] + "…", value))


def _opened(token: str) -> Any:
    try:
        return {
            "token": token[:12] + "…",
            "header": tokens.header_of(token),
            "claims": shortened(tokens.unverified_claims(token)),
        }
    except tokens.BadTokenError:
        return token[:12] + "…"
