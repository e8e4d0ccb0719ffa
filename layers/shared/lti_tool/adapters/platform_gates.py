"""Gates: one for each platform host, between our senders and the platform.

A gate lets a few in at a time. It is closed while the platform asked us to wait (Retry-After, throttling), and while it
is down; then, when it may open again, one request goes and looks, and the gate opens with a good answer or stays closed
for longer. What one process finds holds for all: a closed gate is an item of the cache, believed for a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from lti_tool.domain.errors import PlatformUnavailableError
from lti_tool.use_cases.ports import Clock

LONGEST_TRY_SECONDS = 20.0  # all requests of one try; one answer that trickles may add 7. Shorter than a score's lease.
FAILURES = 5  # one after another, with no answer in between that shows the platform at work
PROBE_LASTS = timedelta(seconds=30)  # longer than a try; then its sender is taken for dead
_DOWN = "platform_down"
KEPT = timedelta(days=1)  # longer than any platform may close a gate


class _Cache(Protocol):
    def read(self, pk: str) -> dict[str, Any] | None: ...
    def write_later(self, pk: str, expires_at: datetime, name: str, value: int, **others: Any) -> bool: ...
    def claim(self, pk: str, expires_at: datetime, not_since: datetime) -> bool: ...
    def forget(self, pk: str, name: str, value: str) -> None: ...
    def release(self, pk: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """How long a gate stays closed: while a platform is down, ever longer; throttled without a word, a little."""

    at_once: int = 4
    first_closure: timedelta = timedelta(seconds=30)
    longest_closure: timedelta = timedelta(minutes=10)
    throttled: timedelta = timedelta(seconds=10)
    believed_seconds: float = 1.0  # what the cache said last


@dataclass(frozen=True, slots=True)
class _Closure:
    """`trips` is how often in a row the platform was found down; 0 when it only asked us to wait."""

    until: datetime
    cause: str
    trips: int


@dataclass(slots=True)
class _Gate:
    pk: str
    places: threading.Semaphore
    failures: int = 0
    closure: _Closure | None = None
    looked_at: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Here(threading.local):
    """What the present thread is let in to, and until when; the closed gate that it goes through to look."""

    host: str | None = None
    deadline: float = float("inf")
    probes: _Gate | None = None


class PlatformGates:
    def __init__(self, cache: _Cache, clock: Clock, rules: GateRules | None = None) -> None:
        self._cache = cache
        self._clock = clock
        self._rules = rules or GateRules()
        self._gates: dict[str, _Gate] = {}
        self._lock = threading.Lock()
        self._here = _Here()

    # --- For senders ----------------------------------------------------------------------------------------------

    @contextmanager
    def passing(self, url: str) -> Iterator[None]:
        host = _host(url)
        gate = self._gate(host)
        with gate.places:
            self._require_open(gate)
            self._here.host, self._here.deadline = host, time.monotonic() + LONGEST_TRY_SECONDS
            try:
                yield
            finally:
                self._here.host, self._here.deadline = None, float("inf")
                self._probed()  # there was nothing to ask

    # --- For requests ---------------------------------------------------------------------------------------------

    def seconds_left(self) -> float:
        """Of the try that this thread is at."""
        return self._here.deadline - time.monotonic()

    def require_open(self, url: str) -> None:
        """Raises PlatformUnavailableError: closed; `retry_after` says until when."""
        if (host := _host(url)) != self._here.host:
            self._require_open(self._gate(host))

    def works(self, url: str) -> None:
        gate = self._gate(_host(url))
        gate.failures = 0
        if self._here.probes is gate:
            self._cache.forget(gate.pk, "cause", _DOWN)
            gate.closure = None
            self._probed()

    def throttles(self, url: str, until: datetime | None) -> None:
        """It asked us to wait; without a word about how long, a little."""
        gate = self._gate(_host(url))
        self._close(gate, _Closure(until or self._clock() + self._rules.throttled, "rate_limited", 0))
        if self._here.probes is gate:
            self._probed()

    def fails(self, url: str) -> None:
        gate, now = self._gate(_host(url)), self._clock()
        with gate.lock:
            gate.failures += 1
            closure = gate.closure
            if closure is not None and now < closure.until:
                return  # on its way since before the gate closed
            trips = closure.trips if closure else 0
            if not trips and gate.failures < FAILURES:
                return
            gate.failures = 0
        wait = min(self._rules.longest_closure, self._rules.first_closure * 2.0 ** min(trips, 20))
        self._close(gate, _Closure(now + wait, _DOWN, trips + 1))
        if self._here.probes is gate:
            self._probed()

    # --- The gate itself ------------------------------------------------------------------------------------------

    def _gate(self, host: str) -> _Gate:
        with self._lock:
            if host not in self._gates:
                self._gates[host] = _Gate(f"gate#{host}", threading.Semaphore(self._rules.at_once))
            return self._gates[host]

    def _require_open(self, gate: _Gate) -> None:
        closure = self._closure(gate)
        if closure is None:
            return
        now = self._clock()
        if now < closure.until:
            raise PlatformUnavailableError(closure.cause, retry_after=closure.until)
        if not closure.trips:
            return
        if not self._cache.claim(f"{gate.pk}#probe", now + KEPT, now - PROBE_LASTS):
            raise PlatformUnavailableError(closure.cause, retry_after=now + PROBE_LASTS)
        self._here.probes = gate
        gate.looked_at = float("-inf")  # the one before us may have found it at work, or still down
        closure = self._closure(gate)
        if closure is None or now < closure.until:
            self._probed()
        if closure is not None and now < closure.until:
            raise PlatformUnavailableError(closure.cause, retry_after=closure.until)

    def _probed(self) -> None:
        gate, self._here.probes = self._here.probes, None
        if gate is not None:
            self._cache.release(f"{gate.pk}#probe")

    def _closure(self, gate: _Gate) -> _Closure | None:
        with gate.lock:
            if time.monotonic() - gate.looked_at < self._rules.believed_seconds:
                return gate.closure
            item = self._cache.read(gate.pk)
            gate.looked_at = time.monotonic()
            gate.closure = None
            if item is not None:
                until = datetime.fromtimestamp(item["until"] / 1_000_000, self._clock().tzinfo)
                gate.closure = _Closure(until, item["cause"], item["trips"])
            return gate.closure

    def _close(self, gate: _Gate, closure: _Closure) -> None:
        """For all processes, unless one closed it for longer."""
        until = round(closure.until.timestamp() * 1_000_000)
        values = {"cause": closure.cause, "trips": closure.trips}
        if self._cache.write_later(gate.pk, closure.until + KEPT, "until", until, **values):
            with gate.lock:
                gate.closure, gate.looked_at = closure, time.monotonic()
        else:
            gate.looked_at = float("-inf")


def _host(url: str) -> str:
    """Host and port, as the platform's server is told from others."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()
