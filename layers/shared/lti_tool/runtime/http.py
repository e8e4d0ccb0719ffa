"""HTTP as API Gateway hands it over (payload format 2.0), and the answers that go back."""

from __future__ import annotations

import base64
import binascii
import functools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lti_tool.domain.errors import (
    InvalidRequestError,
    MalformedFormError,
    MethodNotAllowedError,
    PlatformUnavailableError,
    RequestTooLargeError,
    SessionEndedError,
    StoreUnavailableError,
    ToolError,
)
from lti_tool.domain.parameters import UnverifiedParameters
from lti_tool.domain.trace import Trace, Trail
from lti_tool.runtime import framing, telemetry, wiring
from lti_tool.runtime.languages import Language, language, preferred
from lti_tool.runtime.settings import settings

LARGEST_BODY = 256 * 1024
FORM = "application/x-www-form-urlencoded"
HTML = "text/html; charset=utf-8"
JSON = "application/json"


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
    trail: Trail = field(default_factory=Trail)

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
            raise InvalidRequestError from error

    @property
    def wants_json(self) -> bool:
        accept = self.headers.get("accept", "")
        asked = "application/problem+json" in accept or JSON in accept
        return self.path.startswith("/api/") or (asked and "text/html" not in accept)

    @property
    def is_framed(self) -> bool:
        """Whether the browser says that a frame shall show the answer; one that says nothing counts as a window."""
        return self.headers.get("sec-fetch-dest") in {"iframe", "frame", "embed", "object"}

    @property
    def language(self) -> Language:
        return preferred(self.headers.get("accept-language", ""))


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
            "Content-Security-Policy": framing.policy(),
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


def html(
    body: str,
    nonce: str,
    *,
    ancestors: Iterable[str] = (),
    status: int = 200,
    cookies: tuple[str, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A page whose inline script and style carry this nonce; `ancestors` may frame it."""
    policy = framing.policy(ancestors=ancestors, nonce=nonce)
    return Response(
        status=status, body=body, headers={"Content-Security-Policy": policy, **(headers or {})}, cookies=cookies
    )


def as_json(document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Response(status=status, content_type=JSON, body=body, headers=headers or {})


def set_cookie(name: str, value: str, *, max_age: int) -> str:
    """A cookie that only this host reads, that comes back in a frame, and that no other site's frame shares."""
    return f"{name}={value}; Path=/; Max-Age={max_age}; Secure; HttpOnly; SameSite=None; Partitioned"


Door = Callable[[Request], Response]
Handler = Callable[[dict[str, Any], object], dict[str, Any]]


def endpoint(
    name: str, *, prepare: Callable[[], object] | None = None, traced: bool = False
) -> Callable[[Door], Handler]:
    """Make a handler of a door: errors become answers, each outcome is logged and counted once.

    `prepare` builds what the door needs while Lambda starts it; without, or elsewhere, the first request does. A
    `traced` door keeps the story of each refusal, so that `lti launch trace SUPPORT_ID` can tell it.
    """
    if prepare is not None:
        wiring.at_start(prepare)

    def wrap(door: Door) -> Handler:
        @functools.wraps(door)
        def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
            response, outcome = _answered(name, door, event, traced=traced)
            telemetry.count("Requests", door=name, outcome=outcome)
            head = event["requestContext"]["http"]["method"].upper() == "HEAD"
            return response.for_gateway(without_body=head)

        return handler

    return wrap


def _answered(name: str, door: Door, event: dict[str, Any], *, traced: bool) -> tuple[Response, str]:
    support_id = telemetry.new_support_id()
    request: Request | None = None
    try:
        request = Request.of_event(event)
        response = door(request)
    except ToolError as error:
        tenant = request.trail.tenant if request else None
        telemetry.logger().warning("refused", door=name, code=error.code, support_id=support_id, tenant=tenant)
        if traced:
            _keep_trace(name, request, error, support_id)
        return _refusal(error, support_id, request), error.code
    except Exception as error:  # noqa: BLE001 - the last door before the gateway; nobody sees a stack trace
        telemetry.logger().error("failed", door=name, support_id=support_id, **telemetry.failure(error))
        return _refusal(ToolError(), support_id, request), ToolError.code
    if traced:
        launch_id, tenant = request.trail.launch_id, request.trail.tenant
        telemetry.logger().info("answered", door=name, code="ok", launch_id=launch_id, tenant=tenant)
    return response, "ok"


def _keep_trace(name: str, request: Request | None, error: ToolError, support_id: str) -> None:
    trail = request.trail if request else Trail()
    try:
        wiring.traces().save(Trace.of_refusal(support_id, name, wiring.now(), trail, error))
    except StoreUnavailableError:  # the refusal itself matters more than its story
        telemetry.logger().warning("trace_not_kept", support_id=support_id)


def _refusal(error: ToolError, support_id: str, request: Request | None) -> Response:
    from lti_tool.runtime import pages  # most requests of most doors are not refused: these start without

    headers: dict[str, str] = {}
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = ", ".join((*error.allowed, *(["HEAD"] if "GET" in error.allowed else []), "OPTIONS"))
        if request is not None and request.method == "OPTIONS":
            return Response(status=204, headers=headers)
    if isinstance(error, SessionEndedError) and error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, PlatformUnavailableError | StoreUnavailableError):
        headers["Retry-After"] = "30"
    reader = request.language if request else language("en")
    if request is not None and request.wants_json:
        body = json.dumps(pages.problem(error, support_id, reader), ensure_ascii=False)
        return Response(status=error.status, content_type="application/problem+json", body=body, headers=headers)
    nonce = pages.new_nonce()
    return html(
        pages.refusal(error, support_id, nonce, reader, tool_url=request.tool_url if request else ""),
        nonce,
        status=error.status,
        headers=headers,
    )
