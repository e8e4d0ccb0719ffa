"""A platform's gradebook over HTTP (AGS).

Spec: https://www.imsglobal.org/spec/lti-ags/v2p0/#score-publish-service
"""

from __future__ import annotations

import json
from datetime import datetime

from lti_tool.adapters.access_tokens import AccessTokens
from lti_tool.adapters.platform_http import Answer, PlatformHttp
from lti_tool.domain import claims as names
from lti_tool.domain.errors import PlatformRefusedError, PlatformUnavailableError
from lti_tool.domain.registration import PlatformFamily, Registration
from lti_tool.domain.score import Score, scores_url, wire
from lti_tool.use_cases.ports import Clock


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
        answer = self._tokens.send(registration, scopes, lambda token: self._post(score, token, body))
        self._judge(registration, answer)

    def _post(self, score: Score, token: str, body: bytes) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": names.SCORE_MEDIA_TYPE}
        return self._http.post(scores_url(score.key.line_item), data=body, headers=headers, what="score_service")

    def _judge(self, registration: Registration, answer: Answer) -> None:
        moodle = registration.family is PlatformFamily.MOODLE
        match answer.status:
            case 200 | 201 | 202 | 204:
                if moodle and answer.body.strip() == b"[]":  # Moodle's refusal when PHP could not set the status
                    raise PlatformRefusedError("score_refused", http_status=answer.status)
            case 409:
                return  # it has this score, or a newer one, already
            case _ if answer.throttles:
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

    def _later(self, cause: str, answer: Answer) -> PlatformUnavailableError:
        return PlatformUnavailableError(cause, retry_after=answer.retry_after(self._clock()))
