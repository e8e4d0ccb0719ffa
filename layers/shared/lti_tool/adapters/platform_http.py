"""Requests to a platform's services: checked addresses, kept connections, bounded answers, through the host's gate."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlencode

from urllib3 import Timeout
from urllib3.exceptions import HTTPError

from lti_tool.adapters.outbound import USER_AGENT, pool_manager, read_within, require_allowed
from lti_tool.domain.errors import PlatformUnavailableError
from lti_tool.use_cases.ports import Clock

CONNECTS_WITHIN = 3.0
ANSWERS_WITHIN = 7.0  # to the first byte, and between two
LARGEST_ANSWER = 256 * 1024
LONGEST_ANSWER_SECONDS = 10.0
PLATFORMS = 64  # whose connections are kept
KEPT_PER_PLATFORM = 8
IDLE_SECONDS = 60.0  # a function that slept for longer trusts none of its connections


@dataclass(frozen=True, slots=True)
class Answer:
    """What a platform said, whole; names of headers in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    reason: str = ""  # where Moodle says why it refuses a score, and nowhere else

    def json(self) -> Any:
        """The body whatever its media type says: some platforms call JSON text/html."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def retry_after(self, now: datetime) -> datetime | None:
        """When the platform wants to be asked again: seconds or a date, at most a day ahead."""
        text = self.headers.get("Retry-After", "").strip()
        try:
            seconds = re.fullmatch("[0-9]{1,9}", text)
            moment = now + timedelta(seconds=int(text)) if seconds else parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return min(moment, now + timedelta(days=1))

    @property
    def throttles(self) -> bool:
        """429, a 503 that says until when, or Canvas's 403 of before October 2025."""
        return (
            self.status == 429
            or (self.status == 503 and "Retry-After" in self.headers)
            or (self.status == 403 and b"Rate Limit Exceeded" in self.body)
        )


class _Gates(Protocol):
    def seconds_left(self) -> float: ...
    def require_open(self, url: str) -> None: ...
    def works(self, url: str) -> None: ...
    def throttles(self, url: str, until: datetime | None) -> None: ...
    def fails(self, url: str) -> None: ...


class _NoGates:
    """For who asks a platform once, with a person waiting."""

    def seconds_left(self) -> float:
        return LONGEST_ANSWER_SECONDS

    def require_open(self, url: str) -> None: ...
    def works(self, url: str) -> None: ...
    def throttles(self, url: str, until: datetime | None) -> None: ...
    def fails(self, url: str) -> None: ...


class PlatformHttp:
    """Asks platforms: no redirects, no proxies; what comes of it is told to the host's gate."""

    def __init__(
        self,
        *,
        loopback_http: bool,
        longest_seconds: float = LONGEST_ANSWER_SECONDS,
        gates: _Gates | None = None,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._loopback_http = loopback_http
        self._longest_seconds = longest_seconds
        self._gates = gates or _NoGates()
        self._clock = clock
        self._pool = pool_manager(
            loopback_http=loopback_http, num_pools=PLATFORMS, maxsize=KEPT_PER_PLATFORM, retries=False
        )
        self._last_asked = time.time()

    def post(self, url: str, *, data: bytes | dict[str, str], headers: dict[str, str], what: str) -> Answer:
        """A form where `data` is a mapping; raises as `send`."""
        if isinstance(data, dict):
            data = urlencode(data).encode()
            headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", url, data=data, headers=headers, what=what)

    def get(self, url: str, *, headers: dict[str, str], what: str) -> Answer:
        return self.send("GET", url, data=None, headers=headers, what=what)

    def require_allowed(self, url: str) -> None:
        require_allowed(url, loopback_http=self._loopback_http)

    def send(self, method: str, url: str, *, data: bytes | None, headers: dict[str, str], what: str) -> Answer:
        """Raises PlatformUnavailableError: unreachable or too slow; `what` begins its cause."""
        self.require_allowed(url)
        self._gates.require_open(url)
        seconds = min(self._longest_seconds, self._gates.seconds_left())
        if seconds <= 0:
            raise PlatformUnavailableError(f"{what}_slow")
        try:
            answer = self._answer(method, url, data, headers, seconds)
        except (HTTPError, OSError) as error:
            self._gates.fails(url)
            raise PlatformUnavailableError(f"{what}_unreachable") from error
        if answer.throttles:
            self._gates.throttles(url, answer.retry_after(self._clock()))
        elif answer.status >= 500:
            self._gates.fails(url)
        else:
            self._gates.works(url)
        return answer

    def _answer(self, method: str, url: str, data: bytes | None, headers: dict[str, str], seconds: float) -> Answer:
        if time.time() - self._last_asked > IDLE_SECONDS:
            self._pool.clear()
        self._last_asked = time.time()
        deadline = time.monotonic() + seconds
        response = self._pool.request(
            method,
            url,
            body=data,
            headers={"User-Agent": USER_AGENT, **headers},
            timeout=Timeout(connect=min(CONNECTS_WITHIN, seconds), read=min(ANSWERS_WITHIN, seconds)),
            redirect=False,
            preload_content=False,
        )
        try:
            body = read_within(response, LARGEST_ANSWER, deadline)
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return Answer(response.status, response.headers, body, response.reason or "")
