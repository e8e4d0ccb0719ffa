"""What API Gateway's HTTP API does between HTTP and a function: routes, payload format 2.0, limits. No sockets here.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
import re
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from local.template import ACCOUNT, API_ID, Route

MOST_BODY_BYTES = 10 * 1024 * 1024
MOST_HEADER_BYTES = 10_240
MOST_RESPONSE_BYTES = 6 * 1024 * 1024
PASSED_AS_TEXT = re.compile(r"text/|application/(json|javascript|xml)\s*(;|$)")
# What concerns one connection only, or what the gateway says itself.
NOT_PASSED_ON = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
NOT_THE_FUNCTIONS = NOT_PASSED_ON | {"content-length", "date", "server"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What arrived; `headers` in order and with repeats, `target` the path with its query as on the request line."""

    method: str
    target: str
    protocol: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str) -> str:
        """All values of a header, joined as API Gateway joins them; empty when absent."""
        return ",".join(value for key, value in self.headers if key.lower() == name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """What goes back; `headers` may hold Set-Cookie several times."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


def own_answer(status: int, message: str) -> Response:
    """An answer of the gateway itself, which no function has seen."""
    body = json.dumps({"message": message}, separators=(",", ":")).encode()
    return Response(status=status, headers=[("content-type", "application/json")], body=body)


BAD_REQUEST = own_answer(400, "Bad Request")
NOT_FOUND = own_answer(404, "Not Found")
FORBIDDEN = own_answer(403, "Forbidden")
TOO_LARGE = own_answer(413, "Request Entity Too Large")
HEADERS_TOO_LARGE = own_answer(431, "Request Header Fields Too Large")
INTERNAL_ERROR = own_answer(500, "Internal Server Error")
UNAVAILABLE = own_answer(503, "Service Unavailable")


class Routes:
    """Finds the most specific route: literal before {name} before {name+} before $default, its method before ANY."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._ranked = sorted(routes, key=_generality)
        self._patterns = [_pattern(route.path) for route in self._ranked]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and its path parameters, decoded."""
        for route, pattern in zip(self._ranked, self._patterns, strict=True):
            if route.method in (method, "ANY") and (match := pattern.fullmatch(path)):
                names = re.findall(r"\{([^}+]+)\+?\}", route.path)
                return route, {name: unquote(value) for name, value in zip(names, match.groups(), strict=True)}
        return None


def _generality(route: Route) -> tuple[Any, ...]:
    if route.path == "$default":
        return ([9], True)
    kinds = [2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in route.path.split("/")]
    # A longer literal beginning is more specific; a greedy end comes after everything that is not greedy.
    return ([1 if 2 in kinds else 0, *kinds, *([3] if 2 in kinds else [])], route.method == "ANY")


def _pattern(path: str) -> re.Pattern[str]:
    if path == "$default":
        return re.compile(r".*", re.DOTALL)
    parts = [
        r"(.+)" if part.endswith("+}") else r"([^/]+)" if part.startswith("{") else re.escape(part)
        for part in path.split("/")
    ]
    return re.compile("/".join(parts), re.DOTALL)


def event_from(
    request: Request, route: Route, parameters: Mapping[str, str], public_url: str, caller: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The event in payload format 2.0; what is empty is absent, as on AWS. `caller` is who signed an AWS_IAM call."""
    public = urlsplit(public_url)
    now = time.time()
    path = unquote(request.path)  # an HTTP API decodes its rawPath, whatever the name says
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": _event_headers(request, public.scheme, public.port),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API_ID,
            "domainName": public.hostname or "localhost",
            "domainPrefix": (public.hostname or "localhost").partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent"),
            },
            "requestId": base64.b64encode(uuid.uuid4().bytes[:11]).decode(),
            "routeKey": route.key,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if caller:
        event["requestContext"]["authorizer"] = {"iam": caller}
    if cookies := [crumb.strip() for crumb in request.header("cookie").split(";") if crumb.strip()]:
        event["cookies"] = cookies
    if query := _joined(parse_qsl(request.query, keep_blank_values=True)):
        event["queryStringParameters"] = query
    if parameters:
        event["pathParameters"] = dict(parameters)
    if request.body:
        text = _as_text(request)
        event["body"] = base64.b64encode(request.body).decode() if text is None else text
        event["isBase64Encoded"] = text is None
    return event


def _event_headers(request: Request, scheme: str, port: int | None) -> dict[str, str]:
    passed = [(name.lower(), value) for name, value in request.headers]
    headers = _joined((name, value) for name, value in passed if name not in NOT_PASSED_ON | {"cookie"})
    came_for = headers.get("x-forwarded-for")
    return headers | {
        "content-length": str(len(request.body)),
        "x-amzn-trace-id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}",
        "x-forwarded-for": f"{came_for}, {request.source_ip}" if came_for else request.source_ip,
        "x-forwarded-port": str(port or (443 if scheme == "https" else 80)),
        "x-forwarded-proto": scheme,
    }


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _as_text(request: Request) -> str | None:
    """The body when API Gateway would pass it as text. Forms are not text to it."""
    if request.header("content-encoding") or not PASSED_AS_TEXT.match(request.header("content-type").lower()):
        return None
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        return None


def response_from(payload: bytes) -> Response:
    """The response that a function's result means; 500 for what format 2.0 does not know."""
    if len(payload) > MOST_RESPONSE_BYTES:
        return INTERNAL_ERROR
    try:
        result = json.loads(payload)
    except ValueError:
        return INTERNAL_ERROR
    if not isinstance(result, dict) or "statusCode" not in result:
        text = result if isinstance(result, str) else json.dumps(result)
        return Response(status=200, headers=[("content-type", "application/json")], body=text.encode())
    try:
        return _explicit_response(result)
    except (TypeError, ValueError, AttributeError, binascii.Error):
        return INTERNAL_ERROR


def _explicit_response(result: Mapping[str, Any]) -> Response:
    status = int(result["statusCode"])
    if not 100 <= status <= 599:
        return INTERNAL_ERROR
    given = result.get("body")
    body = b"" if given is None else given if isinstance(given, str) else json.dumps(given)
    if isinstance(body, str):
        body = base64.b64decode(body, validate=True) if result.get("isBase64Encoded") else body.encode()
    headers = [
        (name.lower(), _header_text(value))
        for name, value in (result.get("headers") or {}).items()
        if name.lower() not in NOT_THE_FUNCTIONS
    ]
    if not any(name == "content-type" for name, _ in headers) and body:
        headers.append(("content-type", "text/plain;charset=UTF-8"))
    headers += [("set-cookie", _header_text(cookie)) for cookie in result.get("cookies") or []]
    return Response(status=status, headers=headers, body=body)


def _header_text(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\r" in text or "\n" in text:
        raise ValueError("a header of more than one line")
    text.encode("latin-1")
    return text
