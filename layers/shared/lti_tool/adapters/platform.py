"""A platform's services over HTTP: access tokens, and the score service.

Spec: https://www.imsglobal.org/spec/security/v1p0/#using-json-web-tokens-with-oauth-2-0-client-credentials-grant,
https://www.imsglobal.org/spec/lti-ags/v2p0/#score-publish-service
"""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from lti_tool.adapters.outbound import USER_AGENT, pool_manager, read_within, require_allowed
from lti_tool.domain import claims as names
from lti_tool.domain.errors import PlatformRefusedError, PlatformUnavailableError
from lti_tool.domain.registration import PlatformFamily, Registration
from lti_tool.domain.score import Score, scores_url, wire
from lti_tool.use_cases.ports import Clock, Signer

TIMEOUT = (3.0, 10.0)  # seconds to connect, and between two bytes
LARGEST_ANSWER = 256 * 1024
LONGEST_ANSWER_SECONDS = 10.0  # a token and a score take less than a lease together
ASSERTION_LIVES = timedelta(minutes=5)
CLOCKS_DIFFER = timedelta(seconds=5)  # Moodle takes no assertion whose iat is ahead of its own clock
DEFAULT_TOKEN_LIFE = 300  # seconds, when the platform does not say


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
class _Answer:
    status: int
    headers: requests.structures.CaseInsensitiveDict[str]
    body: bytes

    def json(self) -> Any:
        """The body whatever its media type says: some platforms call JSON text/html."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class PlatformHttp:
    """Posts to platforms: checked addresses, kept connections, no redirects, bounded answers."""

    def __init__(self, *, loopback_http: bool) -> None:
        self._loopback_http = loopback_http
        self._session = requests.Session()
        self._session.trust_env = False  # no proxies, no netrc
        adapter = _PolicyAdapter(loopback_http=loopback_http)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._session.headers.update({"User-Agent": USER_AGENT})

    def post(self, url: str, *, data: bytes | dict[str, str], headers: dict[str, str], what: str) -> _Answer:
        """Raises PlatformUnavailableError: unreachable or too slow; `what` begins its cause."""
        return self._send("POST", url, data=data, headers=headers, what=what)

    def get(self, url: str, *, headers: dict[str, str], what: str) -> _Answer:
        return self._send("GET", url, data=None, headers=headers, what=what)

    def require_allowed(self, url: str) -> None:
        require_allowed(url, loopback_http=self._loopback_http)

    def _send(
        self, method: str, url: str, *, data: bytes | dict[str, str] | None, headers: dict[str, str], what: str
    ) -> _Answer:
        self.require_allowed(url)
        deadline = time.monotonic() + LONGEST_ANSWER_SECONDS
        try:
            with self._session.request(
                method, url, data=data, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
            ) as response:
                body = read_within(response.raw, LARGEST_ANSWER, deadline)
                return _Answer(response.status_code, response.headers, body)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise PlatformUnavailableError(f"{what}_unreachable") from error


class _Cache(Protocol):
    def read(self, pk: str) -> dict[str, Any] | None: ...
    def write(self, pk: str, expires_at: datetime, **values: Any) -> None: ...


class AccessTokens:
    """Access tokens by registration and scopes: in memory, then shared through the cache, then bought.

    A token is used for nine tenths of its life.
    """

    def __init__(self, http: PlatformHttp, signer: Signer, cache: _Cache, clock: Clock) -> None:
        self._http = http
        self._signer = signer
        self._cache = cache
        self._clock = clock
        self._memory: dict[str, tuple[str, datetime]] = {}

    def get(self, registration: Registration, scopes: tuple[str, ...]) -> str:
        """Raises PlatformUnavailableError, PlatformRefusedError."""
        pk = self._pk(registration, scopes)
        token, expires_at = self._memory.get(pk, ("", datetime.min.replace(tzinfo=UTC)))
        if self._clock() < expires_at:
            return token
        if (item := self._cache.read(pk)) is not None:
            self._memory[pk] = (item["token"], datetime.fromtimestamp(item["expires_at"], UTC))
            return self._memory[pk][0]
        token, expires_at = self._bought(registration, scopes)
        self._cache.write(pk, expires_at, token=token)
        self._memory[pk] = (token, expires_at)
        return token

    def drop(self, registration: Registration, scopes: tuple[str, ...]) -> None:
        pk = self._pk(registration, scopes)
        self._memory.pop(pk, None)
        self._cache.write(pk, datetime.fromtimestamp(0, UTC), token="")

    @staticmethod
    def _pk(registration: Registration, scopes: tuple[str, ...]) -> str:
        return f"access-token#{registration.reference}#{' '.join(sorted(scopes))}"

    def _bought(self, registration: Registration, scopes: tuple[str, ...]) -> tuple[str, datetime]:
        now = self._clock()
        assertion = {
            "iss": registration.client_id,
            "sub": registration.client_id,
            "aud": registration.token_audience or registration.token_endpoint,
            "iat": int((now - CLOCKS_DIFFER).timestamp()),
            "exp": int((now + ASSERTION_LIVES - CLOCKS_DIFFER).timestamp()),
            "jti": secrets.token_urlsafe(24),
        }
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": names.JWT_BEARER,
            "client_assertion": self._signer.sign(assertion),
            "scope": " ".join(sorted(scopes)),
        }
        headers = {"Accept": "application/json"}
        answer = self._http.post(registration.token_endpoint, data=form, headers=headers, what="token_endpoint")
        if answer.status == 429 or answer.status >= 500:
            raise PlatformUnavailableError("token_endpoint_down", retry_after=_retry_after(answer, now))
        document = answer.json()
        if answer.status != 200 or not isinstance(document, dict):
            error = document.get("error") if isinstance(document, dict) else None
            raise PlatformRefusedError(
                "scope_refused" if error == "invalid_scope" else "token_refused", http_status=answer.status
            )
        token, life = document.get("access_token"), document.get("expires_in")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise PlatformRefusedError("token_refused", http_status=answer.status)
        text = str(life) if isinstance(life, int | str) and not isinstance(life, bool) else ""
        seconds = int(text) if re.fullmatch("[0-9]{1,6}", text) else DEFAULT_TOKEN_LIFE
        return token, now + timedelta(seconds=min(seconds, 24 * 3600) * 0.9)


class PlatformGradebook:
    """The score service of AGS."""

    def __init__(self, http: PlatformHttp, tokens: AccessTokens, clock: Clock) -> None:
        self._http = http
        self._tokens = tokens
        self._clock = clock

    def publish(self, registration: Registration, score: Score, timestamp: datetime) -> None:
        scopes = (names.SCORE_SCOPE,)
        body = json.dumps(
            wire(score, timestamp), separators=(",", ":")
        ).encode()  # one line: Moodle echoes it in its status
        answer = self._post(registration, score, scopes, body)
        if answer.status == 401:  # the token was revoked, or lost its scope: one new token, one more try
            self._tokens.drop(registration, scopes)
            answer = self._post(registration, score, scopes, body)
        self._judge(registration, answer)

    def _post(self, registration: Registration, score: Score, scopes: tuple[str, ...], body: bytes) -> _Answer:
        headers = {
            "Authorization": f"Bearer {self._tokens.get(registration, scopes)}",
            "Content-Type": names.SCORE_MEDIA_TYPE,
        }
        return self._http.post(scores_url(score.key.line_item), data=body, headers=headers, what="score_service")

    def _judge(self, registration: Registration, answer: _Answer) -> None:
        moodle = registration.family is PlatformFamily.MOODLE
        match answer.status:
            case 200 | 201 | 202 | 204:
                if moodle and answer.body.strip() == b"[]":  # Moodle's refusal when PHP could not set the status
                    raise PlatformRefusedError("score_refused", http_status=answer.status)
            case 409:
                return  # it has this score, or a newer one, already
            case 429:
                raise self._later("rate_limited", answer)
            case 403 if b"Rate Limit Exceeded" in answer.body:  # Canvas until October 2025
                raise self._later("rate_limited", answer)
            case status if status >= 500:
                raise self._later("score_service_down", answer)
            case 401 | 403:
                raise PlatformRefusedError("not_allowed", http_status=answer.status)
            case 404:
                raise PlatformRefusedError("line_item_gone", http_status=answer.status)
            case 422:
                raise PlatformRefusedError("user_not_gradable", http_status=answer.status)
            case _:
                raise PlatformRefusedError("score_refused", http_status=answer.status)

    def _later(self, cause: str, answer: _Answer) -> PlatformUnavailableError:
        return PlatformUnavailableError(cause, retry_after=_retry_after(answer, self._clock()))


def _retry_after(answer: _Answer, now: datetime) -> datetime | None:
    """When the platform wants to be asked again: seconds or a date, at most a day ahead."""
    text = answer.headers.get("Retry-After", "").strip()
    try:
        seconds = re.fullmatch("[0-9]{1,9}", text)
        moment = now + timedelta(seconds=int(text)) if seconds else parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(moment, now + timedelta(days=1))


class PlatformIntroductions:
    """Dynamic registration: a platform's configuration, and its registration endpoint."""

    def __init__(self, http: PlatformHttp) -> None:
        self._http = http

    def require_allowed(self, url: str) -> None:
        self._http.require_allowed(url)

    def configuration(self, url: str, registration_token: str | None) -> Any:
        # Canvas reads its token here as well; the others do not mind.
        answer = self._http.get(url, headers=_introduced(registration_token), what="platform_configuration")
        document = answer.json()
        if answer.status != 200 or document is None:
            raise PlatformUnavailableError("platform_configuration_not_served")
        return document

    def register(self, endpoint: str, request: dict[str, Any], registration_token: str | None) -> Any:
        headers = {"Content-Type": "application/json", **_introduced(registration_token)}
        answer = self._http.post(endpoint, data=json.dumps(request).encode(), headers=headers, what="registration")
        if answer.status >= 500:
            raise PlatformUnavailableError("registration_endpoint_down")
        if answer.status not in {200, 201}:
            raise PlatformRefusedError("registration_refused", http_status=answer.status)
        return answer.json()


def _introduced(registration_token: str | None) -> dict[str, str]:
    bearer = {"Authorization": f"Bearer {registration_token}"} if registration_token else {}
    return {"Accept": "application/json", **bearer}
