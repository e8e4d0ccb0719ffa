"""How a platform introduces itself: dynamic registration, over HTTP.

Spec: https://www.imsglobal.org/spec/lti-dr/v1p0
"""

from __future__ import annotations

import json
from typing import Any

from lti_tool.adapters.platform_http import PlatformHttp
from lti_tool.domain.errors import PlatformRefusedError, PlatformUnavailableError


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
