"""Access tokens: what a client assertion, signed by us, buys at a platform's token endpoint.

Spec: https://www.imsglobal.org/spec/security/v1p0/#using-json-web-tokens-with-oauth-2-0-client-credentials-grant
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from lti_tool.adapters.platform_http import Answer, PlatformHttp
from lti_tool.domain import claims as names
from lti_tool.domain.errors import PlatformRefusedError, PlatformUnavailableError
from lti_tool.domain.registration import Registration
from lti_tool.domain.tokens import CLOCKS_DIFFER
from lti_tool.use_cases.ports import Clock, Signer

ASSERTION_LIVES = timedelta(minutes=5)
DEFAULT_TOKEN_LIFE = 300  # seconds, when the platform does not say
BUYING_LASTS = timedelta(seconds=20)  # longer than a token request can take; then its sender is taken for dead
WAIT_FOR_OTHERS_SECONDS = 12.0
BETWEEN_DROPS = timedelta(minutes=1)
GRANTED = {200, 201}  # the specification says 200; web frameworks that answer a POST say 201


class _Cache(Protocol):
    def read(self, pk: str) -> dict[str, Any] | None: ...
    def renew(self, pk: str, expires_at: datetime, **values: Any) -> None: ...
    def end(self, pk: str, name: str, value: str, *, not_since: datetime) -> None: ...
    def claim(self, pk: str, expires_at: datetime, not_since: datetime) -> bool: ...
    def release(self, pk: str) -> None: ...


class AccessTokens:
    """Access tokens by registration and scopes: in memory, then shared through the cache, then bought, by one of all.

    A token is used for nine tenths of its life.
    """

    def __init__(
        self,
        http: PlatformHttp,
        signer: Signer,
        cache: _Cache,
        clock: Clock,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = http
        self._signer = signer
        self._cache = cache
        self._clock = clock
        self._pause = pause
        self._memory: dict[str, tuple[str, datetime]] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def send(self, registration: Registration, scopes: tuple[str, ...], request: Callable[[str], Answer]) -> Answer:
        """Send a request with a token. One that is refused was revoked, or lost its scope: one more try with another.

        Raises:
            PlatformUnavailableError, PlatformRefusedError: no token is to be had.
        """
        token = self.get(registration, scopes)
        answer = request(token)
        if answer.status == 401:
            self.drop(registration, scopes, token)
            answer = request(self.get(registration, scopes))
        return answer

    def get(self, registration: Registration, scopes: tuple[str, ...]) -> str:
        """Raises PlatformUnavailableError, PlatformRefusedError."""
        pk = self._pk(registration, scopes)
        if (token := self._remembered(pk)) is not None:
            return token
        lock = self._locks[pk]
        if not lock.acquire(timeout=WAIT_FOR_OTHERS_SECONDS):
            raise PlatformUnavailableError("token_endpoint_slow")
        try:
            return self._remembered(pk) or self._shared(pk) or self._bought_by_one(registration, scopes, pk)
        finally:
            lock.release()

    def drop(self, registration: Registration, scopes: tuple[str, ...], token: str) -> None:
        """Forget this token, for all processes, unless another was refused within the last minute.

        Many who were refused the same token drop it once; and a platform that refuses whatever it gave is not asked
        for a token with each score.
        """
        pk = self._pk(registration, scopes)
        with self._locks[pk]:  # so that nobody of this process takes it from the cache into memory meanwhile
            self._cache.end(pk, "token", token, not_since=self._clock() - BETWEEN_DROPS)
            if self._memory.get(pk, ("",))[0] == token:
                self._memory.pop(pk, None)

    def _remembered(self, pk: str) -> str | None:
        token, expires_at = self._memory.get(pk, ("", datetime.min.replace(tzinfo=UTC)))
        return token if self._clock() < expires_at else None

    def _shared(self, pk: str) -> str | None:
        item = self._cache.read(pk)
        if item is None:
            return None
        self._memory[pk] = (item["token"], datetime.fromtimestamp(item["expires_at"], UTC))
        return self._memory[pk][0]

    def _bought_by_one(self, registration: Registration, scopes: tuple[str, ...], pk: str) -> str:
        """Of all who need it now, one buys; the others wait until it lies in the cache."""
        deadline = time.monotonic() + WAIT_FOR_OTHERS_SECONDS
        while True:
            now = self._clock()
            if self._cache.claim(f"{pk}#buying", now + 2 * BUYING_LASTS, now - BUYING_LASTS):
                try:
                    return self._shared(pk) or self._bought_and_shared(registration, scopes, pk)
                finally:
                    self._cache.release(f"{pk}#buying")
            if time.monotonic() > deadline:
                raise PlatformUnavailableError("token_endpoint_slow")
            self._pause(0.1)
            if (token := self._shared(pk)) is not None:
                return token

    def _bought_and_shared(self, registration: Registration, scopes: tuple[str, ...], pk: str) -> str:
        token, expires_at = bought(self._http, registration, scopes, self._signer, self._clock())
        self._memory[pk] = (token, expires_at)
        self._cache.renew(pk, expires_at, token=token)
        return token

    @staticmethod
    def _pk(registration: Registration, scopes: tuple[str, ...]) -> str:
        return f"access-token#{registration.reference}#{' '.join(sorted(scopes))}"


def bought(
    http: PlatformHttp, registration: Registration, scopes: tuple[str, ...], signer: Signer, now: datetime
) -> tuple[str, datetime]:
    """A new token, and until when it is used.

    Raises:
        PlatformUnavailableError, PlatformRefusedError.
    """
    kids: Sequence[str | None] = [None]
    if registration.pushes_public_key_to is not None:
        kids = signer.kids_for(registration.reference)
    for kid in kids:
        form = token_request(registration, scopes, signer, now, kid)
        headers = {"Accept": "application/json"}
        answer = http.post(registration.token_endpoint, data=form, headers=headers, what="token_endpoint")
        if answer.throttles or answer.status >= 500:
            raise PlatformUnavailableError("token_endpoint_down", retry_after=answer.retry_after(now))
        document = answer.json()
        error = document.get("error") if isinstance(document, dict) else None
        if answer.status in GRANTED or error == "invalid_scope":
            break  # else it may hold another key of ours than the one that this was signed with
    if answer.status not in GRANTED or not isinstance(document, dict):
        raise PlatformRefusedError(
            "scope_refused" if error == "invalid_scope" else "token_refused", http_status=answer.status
        )
    token, life = document.get("access_token"), document.get("expires_in")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise PlatformRefusedError("token_refused", http_status=answer.status)
    text = str(life) if isinstance(life, int | str) and not isinstance(life, bool) else ""
    seconds = int(text) if re.fullmatch("[0-9]{1,6}", text) else DEFAULT_TOKEN_LIFE
    return token, now + timedelta(seconds=min(seconds, 24 * 3600) * 0.9)


def token_request(
    registration: Registration, scopes: tuple[str, ...], signer: Signer, now: datetime, kid: str | None = None
) -> dict[str, str]:
    """The form that buys a token, with a fresh client assertion; `kid` as for `Signer.sign`."""
    assertion = {
        "iss": registration.client_id,
        "sub": registration.client_id,
        "aud": registration.token_audience or registration.token_endpoint,
        "iat": int((now - CLOCKS_DIFFER).timestamp()),
        "exp": int((now + ASSERTION_LIVES - CLOCKS_DIFFER).timestamp()),
        "jti": secrets.token_urlsafe(24),
    }
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": names.JWT_BEARER,
        "client_assertion": signer.sign(assertion, kid) if kid else signer.sign(assertion),
        "scope": " ".join(sorted(scopes)),
    }
