"""HTTP as API Gateway hands it over (payload format 2.0), and the answers that go back."""

from __future__ import annotations

import base64
import binascii
import functools
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from lti_tool.domain import errors
from lti_tool.domain.errors import MalformedFormError, MethodNotAllowedError, RequestTooLargeError, ToolError
from lti_tool.domain.parameters import UnverifiedParameters
from lti_tool.runtime import pages, telemetry
from lti_tool.runtime.settings import settings

LARGEST_BODY = 256 * 1024
FORM = "application/x-www-form-urlencoded"
HTML = "text/html; charset=utf-8"
JSON = "application/json"

_STATUS: Mapping[type[ToolError], int] = {
    RequestTooLargeError: 413,
    errors.InvalidRequestError: 400,
    errors.NotFoundError: 404,
    MethodNotAllowedError: 405,
    errors.UnknownRegistrationError: 403,
    errors.NotPermittedError: 403,
    errors.LaunchRejectedError: 401,
    errors.SessionEndedError: 401,
    errors.PlatformUnavailableError: 502,
    errors.PlatformRefusedError: 502,
    errors.StoreUnavailableError: 503,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What arrived. Nothing in it is verified."""

    method: str
    path: str
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    query: str
    body: bytes
    domain: str

    @classmethod
    def of_event(cls, event: Mapping[str, Any]) -> Request:
        context = event["requestContext"]
        body = event.get("body") or ""
        if event.get("isBase64Encoded"):
            try:
                raw = base64.b64decode(body, validate=True)
            except binascii.Error as error:
                raise MalformedFormError from error
        else:
            raw = body.encode(errors="surrogatepass")
        return cls(
            method=context["http"]["method"].upper(),
            path=event["rawPath"],
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            cookies=tuple(event.get("cookies") or ()),
            query=event.get("rawQueryString") or "",
            body=raw,
            domain=context["domainName"],
        )

    @property
    def tool_url(self) -> str:
        """The tool's public address: as configured, else the gateway's own, which routed by it."""
        return settings().tool_url or f"https://{self.domain}"

    def require_method(self, *allowed: str) -> None:
        if self.method not in allowed and not (self.method == "HEAD" and "GET" in allowed):
            raise MethodNotAllowedError(*allowed)

    def parameters(self) -> UnverifiedParameters:
        """The fields of a form post or, for a GET, of the query; never of both."""
        if self.method != "POST":
            return UnverifiedParameters.parse(self.query)
        return self.form()

    def form(self) -> UnverifiedParameters:
        if len(self.body) > LARGEST_BODY:
            raise RequestTooLargeError
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            raise MalformedFormError
        try:
            return UnverifiedParameters.parse(self.body.decode())
        except UnicodeDecodeError as error:
            raise MalformedFormError from error

    def json(self) -> Any:
        if len(self.body) > LARGEST_BODY:
            raise RequestTooLargeError
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise errors.InvalidRequestError from error

    @property
    def wants_json(self) -> bool:
        accept = self.headers.get("accept", "")
        asked = "application/problem+json" in accept or JSON in accept
        return self.path.startswith("/api/") or (asked and "text/html" not in accept)

    @property
    def is_framed(self) -> bool:
        return self.headers.get("sec-fetch-dest") == "iframe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What goes back. `cookies` are whole Set-Cookie values."""

    status: int = 200
    content_type: str = HTML
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()

    def for_gateway(self, *, without_body: bool) -> dict[str, Any]:
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": pages.policy(),
            "Referrer-Policy": "no-referrer",
            "Strict-Transport-Security": "max-age=31536000",
            "X-Content-Type-Options": "nosniff",
            **self.headers,
        }
        if self.body:
            headers["Content-Type"] = self.content_type
        return {
            "statusCode": self.status,
            "headers": headers,
            "cookies": list(self.cookies),
            "body": "" if without_body else self.body,
            "isBase64Encoded": False,
        }


def html(body: str, policy: str, **options: Any) -> Response:
    return Response(body=body, headers={"Content-Security-Policy": policy}, **options)


def as_json(document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Response(status=status, content_type=JSON, body=body, headers=headers or {})


def set_cookie(name: str, value: str, *, max_age: int) -> str:
    """A cookie that only this host reads, that comes back in a frame, and that no other site's frame shares."""
    return f"{name}={value}; Path=/; Max-Age={max_age}; Secure; HttpOnly; SameSite=None; Partitioned"


Door = Callable[[Request], Response]
Handler = Callable[[dict[str, Any], object], dict[str, Any]]


def endpoint(name: str, *, prepare: Callable[[], object] | None = None) -> Callable[[Door], Handler]:
    """Make a handler of a door: errors become answers, each outcome is logged and counted once.

    `prepare` builds what the door needs while Lambda starts it; without, or elsewhere, the first request does.
    """
    if prepare is not None and "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
        prepare()

    def wrap(door: Door) -> Handler:
        @functools.wraps(door)
        def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
            response, outcome = _answered(door, event)
            telemetry.count("Requests", door=name, outcome=outcome)
            head = event["requestContext"]["http"]["method"].upper() == "HEAD"
            return response.for_gateway(without_body=head)

        return handler

    return wrap


def _answered(door: Door, event: dict[str, Any]) -> tuple[Response, str]:
    support_id = telemetry.new_support_id()
    wants_json = False
    try:
        request = Request.of_event(event)
        wants_json = request.wants_json
        return door(request), "ok"
    except ToolError as error:
        telemetry.logger().warning("refused", code=error.code, support_id=support_id)
        return _refusal(error, support_id, wants_json=wants_json), error.code
    except Exception as error:  # noqa: BLE001 - the last door before the gateway; nobody sees a stack trace
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        where = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else ""
        # Only the kind and the place: an exception's text may hold what came from outside.
        telemetry.logger().error("failed", error=type(error).__name__, where=where, support_id=support_id)
        return _refusal(ToolError(), support_id, wants_json=wants_json), ToolError.code


def _refusal(error: ToolError, support_id: str, *, wants_json: bool) -> Response:
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
    headers = {"Allow": ", ".join((*error.allowed, "OPTIONS"))} if isinstance(error, MethodNotAllowedError) else {}
    if wants_json:
        problem = {
            "type": f"about:blank#{error.code}",
            "title": error.sentence,
            "status": status,
            "code": error.code,
            "detail": error.next_step,
            "support_id": support_id,
        }
        body = json.dumps(problem, ensure_ascii=False)
        return Response(status=status, content_type="application/problem+json", body=body, headers=headers)
    body = pages.refusal(escape(error.sentence), escape(error.next_step), escape(error.code), escape(support_id))
    return Response(status=status, body=body, headers=headers)
