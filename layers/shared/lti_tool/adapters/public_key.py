"""The tool's public key, at a platform that keeps one in place of asking for our key set."""

from __future__ import annotations

import json
from collections.abc import Mapping

from lti_tool.adapters.access_tokens import bought
from lti_tool.adapters.platform_http import PlatformHttp
from lti_tool.domain.claims import PUBLIC_JWK_SCOPE
from lti_tool.domain.errors import PlatformRefusedError, PlatformUnavailableError
from lti_tool.domain.registration import Registration
from lti_tool.use_cases.ports import Clock, Signer


class CanvasPublicKeys:
    """Canvas's `update_public_jwk`. The token for it is bought anew each time: it is needed a few times a year."""

    def __init__(self, http: PlatformHttp, signer: Signer, clock: Clock) -> None:
        self._http = http
        self._signer = signer
        self._clock = clock

    def replace(self, registration: Registration, jwk: Mapping[str, str]) -> None:
        token, _ = bought(self._http, registration, (PUBLIC_JWK_SCOPE,), self._signer, self._clock())
        answer = self._http.send(
            "PUT",
            f"{registration.pushes_public_key_to}/api/lti/developer_key/update_public_jwk",
            data=json.dumps({"developer_key": {"public_jwk": dict(jwk)}}).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            what="public_key",
        )
        if answer.throttles or answer.status >= 500:
            raise PlatformUnavailableError("public_key_down")
        if not 200 <= answer.status < 300:
            raise PlatformRefusedError("public_key_refused", http_status=answer.status)
