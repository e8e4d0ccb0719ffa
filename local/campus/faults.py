"""Trouble on demand: what a platform does to a tool on a bad day."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

HOLD_SECONDS = 20.0
FOREVER = 1_000_000_000


class BadFaultError(ValueError):
    """A fault that Campus does not have, or one with a value that makes no sense."""


@dataclass(kw_only=True)
class Faults:
    """The faults of one platform. Counted ones wear off; the others stay until they are cleared."""

    token_down: bool = False
    jwks_down: bool = False
    slow_seconds: float = 0.0
    retry_after: int = 0
    rate_limited_count: int = 0
    server_error_count: int = 0
    _hold_scores: bool = False
    _release: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def clear(self) -> None:
        with self._lock:
            self.token_down = self.jwks_down = False
            self.slow_seconds = 0.0
            self.retry_after = self.rate_limited_count = self.server_error_count = 0
            self._let_go()

    def set(self, wanted: dict[str, Any]) -> None:
        """Set what is named and leave the rest. `None` and false switch a fault off.

        Raises:
            BadFaultError: nothing is set then.
        """
        known = {"token_down", "jwks_down", "hold_scores", "slow_seconds", "rate_limited", "server_error"}
        if unknown := sorted(set(wanted) - known):
            raise BadFaultError(f"no such fault: {', '.join(unknown)}")
        limited = _counted(wanted, "rate_limited")
        errors = _counted(wanted, "server_error")
        try:
            slow = float(wanted.get("slow_seconds") or 0)
            retry_after = int(limited.get("retry_after", 1))
        except (TypeError, ValueError) as error:
            raise BadFaultError("slow_seconds and retry_after are numbers") from error
        if slow < 0 or retry_after < 0:
            raise BadFaultError("slow_seconds and retry_after are 0 or more")
        with self._lock:
            self.token_down = bool(wanted.get("token_down", self.token_down))
            self.jwks_down = bool(wanted.get("jwks_down", self.jwks_down))
            if "slow_seconds" in wanted:
                self.slow_seconds = slow
            if "rate_limited" in wanted:
                self.rate_limited_count, self.retry_after = limited["count"], retry_after
            if "server_error" in wanted:
                self.server_error_count = errors["count"]
            if wanted.get("hold_scores"):
                self._hold_scores = True
                self._release.clear()
            elif "hold_scores" in wanted:
                self._let_go()

    def next_refusal(self) -> int | None:
        """The status that the next service request gets instead of its answer, and one less of those to come."""
        with self._lock:
            if self.rate_limited_count > 0:
                self.rate_limited_count -= 1
                return 429
            if self.server_error_count > 0:
                self.server_error_count -= 1
                return 500
            return None

    def hold(self) -> None:
        """Wait until scores are let go, 20 seconds at most; at once when nothing holds them."""
        if self._hold_scores:
            self._release.wait(HOLD_SECONDS)

    def as_json(self) -> dict[str, Any]:
        return {
            "token_down": self.token_down,
            "jwks_down": self.jwks_down,
            "slow_seconds": self.slow_seconds,
            "rate_limited": {"retry_after": self.retry_after, "count": self.rate_limited_count},
            "server_error": {"count": self.server_error_count},
            "hold_scores": self._hold_scores,
        }

    def _let_go(self) -> None:
        self._hold_scores = False
        self._release.set()


def _counted(wanted: dict[str, Any], name: str) -> dict[str, Any]:
    """A counted fault as `{"count": n, ...}`; without a count it lasts until it is cleared."""
    value = wanted.get(name)
    if value is None or value is False:
        return {"count": 0}
    if not isinstance(value, dict):
        raise BadFaultError(f"{name} is an object")
    count = value.get("count", FOREVER)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise BadFaultError(f"{name}.count is a whole number")
    return {**value, "count": count}
