"""Access tokens: what a client assertion, signed by us, buys at a platform's token endpoint.

Spec: https://www.imsglobal.org/spec/security/v1p0/#using-json-web-tokens-with-oauth-2-0-client-credentials-grant
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from lti_tool.adapters.platform_http import PlatformHttp
from lti_tool.domain import claims as names
from lti_tool.domain.errors import PlatformRefusedError, PlatformUnavailableError
from lti_tool.domain.registration import Registration
from lti_tool.use_cases.ports import Clock, Signer

ASSERTION_LIVES = timedelta(minutes=5)
CLOCKS_DIFFER = timedelta(seconds=5)  # Moodle takes no assertion whose iat is ahead of its own clock
DEFAULT_TOKEN_LIFE = 300  # seconds, when the platform does not say


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
        form = token_request(registration, scopes, self._signer, now)
        headers = {"Accept": "application/json"}
        answer = self._http.post(registration.token_endpoint, data=form, headers=headers, what="token_endpoint")
        if answer.status == 429 or answer.status >= 500:
            raise PlatformUnavailableError("token_endpoint_down", retry_after=answer.retry_after(now))
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


def token_request(registration: Registration, scopes: tuple[str, ...], signer: Signer, now: datetime) -> dict[str, str]:
    """The form that buys a token, with a fresh client assertion."""
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
        "client_assertion": signer.sign(assertion),
        "scope": " ".join(sorted(scopes)),
    }
