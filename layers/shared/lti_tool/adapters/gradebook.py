"""A platform's gradebook over HTTP (AGS): scores, results and line items.

Spec: https://www.imsglobal.org/spec/lti-ags/v2p0/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from lti_tool.adapters.access_tokens import AccessTokens
from lti_tool.adapters.platform_http import Answer, PlatformHttp
from lti_tool.domain import claims as names
from lti_tool.domain.errors import PlatformRefusedError, PlatformUnavailableError
from lti_tool.domain.gradebook_rules import wire
from lti_tool.domain.lineitem import (
    COLUMN_TAG,
    LineItem,
    NewLineItem,
    line_item_from,
    next_page,
    same_origin,
    with_query,
)
from lti_tool.domain.registration import PlatformFamily, Registration
from lti_tool.domain.score import Result, Score, ScoreKey, results_url, scores_url
from lti_tool.use_cases.ports import Clock

MOST_PAGES = 100
_DONE = {200, 201, 202, 204}
_SCORES = (names.SCORE_SCOPE,)
_RESULTS = (names.RESULT_SCOPE,)
_LINE_ITEMS = (names.LINE_ITEM_SCOPE,)
_LINE_ITEMS_READ = (names.LINE_ITEM_READ_SCOPE,)

# What Open edX says for 409: after an answer that got lost, the same score comes again.
_HAS_IT = (b"Score already exists for the provided timestamp", b"Score timestamp can only be updated to a later point")

# What platforms say when they take no score, in their body or, on Moodle, in the status line only.
_SAID = (
    ("incorrect score received", "user_not_gradable"),  # and then what was posted, word for word
    ("context is deleted", "course_ended"),
    ("concluded", "course_ended"),
    ("locked", "column_locked"),
    ("unpublished", "column_locked"),
    ("attempt", "no_attempts_left"),
    ("user not found", "user_not_gradable"),
    ("not a student", "user_not_gradable"),
    ("no grades in this course", "user_not_gradable"),
)


class PlatformGradebook:
    """The services of AGS, for one platform after the other. Media types are exact: Moodle takes no others."""

    def __init__(self, http: PlatformHttp, tokens: AccessTokens, clock: Clock) -> None:
        self._http = http
        self._tokens = tokens
        self._clock = clock

    # --- Scores and results -------------------------------------------------------------------------------------

    def publish(self, registration: Registration, score: Score, timestamp: datetime) -> None:
        body = _compact(wire(registration.family, score, timestamp, self._clock()))
        headers = {"Content-Type": names.SCORE_MEDIA_TYPE}
        answer = self._ask(registration, _SCORES, "POST", scores_url(score.key.line_item), headers, body)
        if answer.status == 409 or (answer.status == 400 and any(words in answer.body for words in _HAS_IT)):
            return  # it has this score, or a newer one, already
        self._require_done(answer, score)
        if answer.body.lstrip().startswith(b"<"):
            # A page for people: of a sign-in or maintenance in front of the platform, or of PHP that broke off.
            raise PlatformUnavailableError("score_service_down")
        if registration.family is PlatformFamily.MOODLE and answer.body.strip() == b"[]":
            # Moodle's refusal when PHP could not set the status.
            raise PlatformRefusedError("score_refused", http_status=answer.status)

    def result(self, registration: Registration, key: ScoreKey) -> Result | None:
        headers = {"Accept": names.RESULTS_MEDIA_TYPE}
        url = results_url(key.line_item, key.user_id)
        try:
            for said in self._listed(registration, _RESULTS, url, headers):
                if isinstance(said, dict) and str(said.get("userId")) == key.user_id:  # some ignore what was asked for
                    return _result(key.user_id, said)
        except PlatformRefusedError as refused:
            if refused.cause in {"scope_refused", "not_allowed"}:
                raise PlatformRefusedError("result_scope_refused", http_status=refused.http_status) from refused
            raise
        return None

    # --- Line items ---------------------------------------------------------------------------------------------

    def find(self, registration: Registration, container: str, **wanted: str) -> Sequence[LineItem]:
        headers = {"Accept": names.LINE_ITEMS_MEDIA_TYPE}
        url = with_query(container, **wanted)
        try:
            listed = list(self._listed(registration, _LINE_ITEMS, url, headers))
        except PlatformRefusedError as refused:
            if refused.cause not in {"scope_refused", "not_allowed"}:  # some grant a token for less than was asked
                raise
            listed = list(self._listed(registration, _LINE_ITEMS_READ, url, headers))  # what Moodle grants by default
        items = [item for said in listed if (item := line_item_from(said, container)) is not None]
        return [item for item in items if all(getattr(item, name) == value for name, value in wanted.items())]

    def create(self, registration: Registration, container: str, new: NewLineItem) -> LineItem:
        answer = self._write(registration, "POST", container, new.wire())
        return self._written(answer, container)

    def change(self, registration: Registration, url: str, **changes: Any) -> LineItem:
        headers = {"Accept": names.LINE_ITEM_MEDIA_TYPE}
        read = self._ask(registration, _LINE_ITEMS, "GET", url, headers)
        self._require_done(read)
        item = self._written(read, url)
        answer = self._write(registration, "PUT", url, {**item.members, **changes})
        return line_item_from(answer.json(), url) or self._written(
            Answer(answer.status, answer.headers, _compact({**item.members, **changes})), url
        )

    def delete(self, registration: Registration, url: str) -> None:
        read = self._ask(registration, _LINE_ITEMS, "GET", url, {"Accept": names.LINE_ITEM_MEDIA_TYPE})
        if read.status == 404:
            return
        self._require_done(read)
        if self._written(read, url).tag != COLUMN_TAG:
            raise PlatformRefusedError("not_allowed", http_status=read.status)
        answer = self._ask(registration, _LINE_ITEMS, "DELETE", url, {})
        if answer.status != 404:
            self._require_done(answer)

    def _write(self, registration: Registration, method: str, url: str, members: Any) -> Answer:
        headers = {"Content-Type": names.LINE_ITEM_MEDIA_TYPE, "Accept": names.LINE_ITEM_MEDIA_TYPE}
        answer = self._ask(registration, _LINE_ITEMS, method, url, headers, _compact(members))
        self._require_done(answer)
        return answer

    def _written(self, answer: Answer, container: str) -> LineItem:
        item = line_item_from(answer.json(), container)
        if item is None:
            raise PlatformRefusedError("answer_unreadable", http_status=answer.status)
        return item

    # --- Requests -----------------------------------------------------------------------------------------------

    def _listed(
        self, registration: Registration, scopes: tuple[str, ...], url: str, headers: dict[str, str]
    ) -> Iterator[Any]:
        """What stands on all pages. They have to lie on the host of the first one, and to come to an end."""
        page, seen = url, {url}
        while True:
            answer = self._ask(registration, scopes, "GET", page, headers)
            self._require_done(answer)
            items = answer.json()
            if not isinstance(items, list):
                raise PlatformRefusedError("answer_unreadable", http_status=answer.status)
            yield from items
            following = next_page(answer.headers.get("Link", ""), page)
            if following is None:
                return
            if following in seen or len(seen) == MOST_PAGES or not same_origin(following, url):
                raise PlatformRefusedError("answer_unreadable", http_status=answer.status)
            page = following
            seen.add(page)

    def _ask(
        self,
        registration: Registration,
        scopes: tuple[str, ...],
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None = None,
    ) -> Answer:
        def send(token: str) -> Answer:
            bearer = {"Authorization": f"Bearer {token}"}
            return self._http.send(method, url, data=body, headers={**bearer, **headers}, what="score_service")

        answer = self._tokens.send(registration, scopes, send)
        if answer.throttles:
            raise self._later("rate_limited", answer)
        if answer.status >= 500:
            raise self._later("score_service_down", answer)
        return answer

    def _require_done(self, answer: Answer, score: Score | None = None) -> None:
        if answer.status in _DONE:
            return
        raise PlatformRefusedError(_cause(answer, score), http_status=answer.status)

    def _later(self, cause: str, answer: Answer) -> PlatformUnavailableError:
        return PlatformUnavailableError(cause, retry_after=answer.retry_after(self._clock()))


def _cause(answer: Answer, score: Score | None) -> str:
    said = f"{answer.reason} {answer.body[:4000].decode(errors='replace')}".lower()
    if answer.status in {400, 403, 404, 412, 422}:
        for words, cause in _SAID:
            if words in said:
                return cause
    match answer.status:
        case 401 | 403:
            return "not_allowed"
        case 404:
            return "line_item_gone"
        case 400 | 422 if score is not None and score.points is not None and score.points[0] > score.points[1]:
            return "above_maximum"
        case 422:
            return "user_not_gradable"
        case _:
            return "score_refused"


def _result(user_id: str, said: dict[str, Any]) -> Result | None:
    score, maximum = _number(said.get("resultScore")), _number(said.get("resultMaximum"))
    if score is None:
        return None
    return Result(user_id=user_id, score=score, maximum=maximum if maximum else 1.0)


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < 1e12 else None  # type: ignore[arg-type]


def _compact(members: Any) -> bytes:
    """One line: Moodle echoes it in its status."""
    return json.dumps(members, separators=(",", ":")).encode()
