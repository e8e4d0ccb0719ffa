"""Requests to a platform's services: checked addresses, kept connections, bounded answers."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from lti_tool.adapters.outbound import USER_AGENT, pool_manager, read_within, require_allowed
from lti_tool.domain.errors import PlatformUnavailableError

TIMEOUT = (3.0, 10.0)  # seconds to connect, and between two bytes
LARGEST_ANSWER = 256 * 1024
LONGEST_ANSWER_SECONDS = 10.0  # a token and a score take less than a lease together


class _PolicyAdapter(HTTPAdapter):
    """Puts requests on top of our checked connections."""

    def __init__(self, *, loopback_http: bool) -> None:
        self._loopback_http = loopback_http
        super().__init__(pool_maxsize=8)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        self.poolmanager = pool_manager(
            loopback_http=self._loopback_http, num_pools=connections, maxsize=maxsize, block=block, **options
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a platform said, whole."""

    status: int
    headers: requests.structures.CaseInsensitiveDict[str]
    body: bytes

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


class PlatformHttp:
    """Posts to platforms: checked addresses, kept connections, no redirects, bounded answers."""

    def __init__(self, *, loopback_http: bool, longest_seconds: float = LONGEST_ANSWER_SECONDS) -> None:
        self._loopback_http = loopback_http
        self._longest_seconds = longest_seconds
        self._timeout = (min(TIMEOUT[0], longest_seconds), min(TIMEOUT[1], longest_seconds))
        self._session = requests.Session()
        self._session.trust_env = False  # no proxies, no netrc
        adapter = _PolicyAdapter(loopback_http=loopback_http)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._session.headers.update({"User-Agent": USER_AGENT})

    def post(self, url: str, *, data: bytes | dict[str, str], headers: dict[str, str], what: str) -> Answer:
        """Raises PlatformUnavailableError: unreachable or too slow; `what` begins its cause."""
        return self._send("POST", url, data=data, headers=headers, what=what)

    def get(self, url: str, *, headers: dict[str, str], what: str) -> Answer:
        return self._send("GET", url, data=None, headers=headers, what=what)

    def require_allowed(self, url: str) -> None:
        require_allowed(url, loopback_http=self._loopback_http)

    def _send(
        self, method: str, url: str, *, data: bytes | dict[str, str] | None, headers: dict[str, str], what: str
    ) -> Answer:
        self.require_allowed(url)
        deadline = time.monotonic() + self._longest_seconds
        try:
            with self._session.request(
                method, url, data=data, headers=headers, timeout=self._timeout, allow_redirects=False, stream=True
            ) as response:
                body = read_within(response.raw, LARGEST_ANSWER, deadline)
                return Answer(response.status_code, response.headers, body)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise PlatformUnavailableError(f"{what}_unreachable") from error
