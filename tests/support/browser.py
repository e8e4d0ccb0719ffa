"""A browser in front of the real handlers: it keeps cookies, posts forms, and reads pages."""

from __future__ import annotations

import base64
import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support.platform import Platform
from tests.support.policies import RECORDING
from tests.support.stack import TOOL_URL

ACTIVITY = f"{TOOL_URL}/activities/capitals-and-rivers"
Fields = Mapping[str, str] | Sequence[tuple[str, str]]

_DOORS = {
    "/lti/login": "login",
    "/lti/launch": "launch",
    "/lti/launch/finish": "launch",
    "/lti/jwks.json": "jwks",
    "/health": "jwks",
    "/lti/deeplink": "deeplink",
    "/lti/canvas.json": "register",
    "/lti/register": "register",
    "/lti/echo/token": "echo",
    "/lti/echo/line-item/scores": "echo",
}
_VENDOR = ("/api/scores", "/api/launches/")


def handler(word: str) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """A function's handler; what it asks of AWS is recorded under its word."""
    found: Callable[[dict[str, Any], Any], dict[str, Any]] = importlib.import_module(
        f"functions.{word}.app"
    ).lambda_handler

    def invoked(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with RECORDING.of(word):
            return found(event, context)

    return invoked


def http_event(
    method: str,
    path: str,
    *,
    query: str = "",
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    cookies: Sequence[str] = (),
) -> dict[str, Any]:
    """What an HTTP API hands to a function, payload format 2.0."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"ANY {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": urlsplit(TOOL_URL).netloc, **(headers or {})},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": urlsplit(TOOL_URL).netloc,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "requestId": "request-1",
            "stage": "$default",
        },
        "isBase64Encoded": bool(body),
    }
    if cookies:
        event["cookies"] = list(cookies)
    if body:
        event["body"] = base64.b64encode(body).decode()
    return event


class _Page(HTMLParser):
    """Finds the launch document, the forms' fields, and the codes that a refusal shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.markup: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.markup.append(tag)
        self._inside = found.get("id") or ""
        if tag == "form":
            self.action = found["action"] or ""
        if tag == "input":
            self.fields[found["name"] or ""] = found["value"] or ""

    def handle_endtag(self, _: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[self._inside] = self.texts.get(self._inside, "") + data


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: header names in lower case, Set-Cookie values in `cookies`."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    body: str

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def page(self) -> _Page:
        return _Page(self.body)

    @property
    def code(self) -> str:
        """The stable code of a refusal, whichever form it has; "ok" when it is none."""
        if self.status < 400:
            return "ok"
        if self.headers["content-type"] == "application/problem+json":
            return str(self.json()["code"])
        return self.page.texts["code"]

    @property
    def launch(self) -> dict[str, str]:
        """The session and the landing page that an accepted launch hands over."""
        found: dict[str, str] = json.loads(self.page.texts["launch"])
        return found

    @property
    def question(self) -> dict[str, str]:
        """The parameters of our authentication request."""
        found = parse_qs(urlsplit(self.headers["location"]).query, keep_blank_values=True, strict_parsing=True)
        assert all(len(values) == 1 for values in found.values())
        return {name: values[0] for name, values in found.items()}


@dataclass(slots=True)
class Browser:
    """One browser: its cookies are its own."""

    cookies: dict[str, str] = field(default_factory=dict)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Fields | str = "",
        form: Fields | str | bytes | None = None,
        document: Any = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        body = b""
        if form is not None:
            sent.setdefault("content-type", "application/x-www-form-urlencoded")
            text = form if isinstance(form, str | bytes) else urlencode(form)
            body = text.encode() if isinstance(text, str) else text
        if document is not None:
            sent.setdefault("content-type", "application/json")
            body = json.dumps(document).encode()
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        event = http_event(
            method,
            path,
            query=query if isinstance(query, str) else urlencode(query),
            body=body,
            headers=sent,
            cookies=[f"{name}={value}" for name, value in self.cookies.items()],
        )
        raw = handler("vendor" if path.startswith(_VENDOR) else _DOORS.get(path, "console"))(event, None)
        answer = Answer(
            status=raw["statusCode"],
            headers={name.lower(): value for name, value in raw["headers"].items()},
            cookies=tuple(raw["cookies"]),
            body=raw["body"],
        )
        self._keep(answer.cookies)
        return answer

    def _keep(self, set_cookies: Sequence[str]) -> None:
        for text in set_cookies:
            pair, *attributes = (part.strip() for part in text.split(";"))
            name, _, value = pair.partition("=")
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value

    def get(self, path: str, query: Fields | str = "", **options: Any) -> Answer:
        return self.send("GET", path, query=query, **options)

    def post(self, path: str, form: Fields | str | bytes | None = None, **options: Any) -> Answer:
        return self.send("POST", path, form=form, **options)

    # --- The story's first half, in one breath ----------------------------------------------------------------

    def begins_login(self, platform: Platform, target: str = ACTIVITY, **parameters: str) -> dict[str, str]:
        """A login is initiated and our question is read: state, nonce and the rest of it."""
        answer = self.get("/lti/login", platform.initiation(target, **parameters))
        assert answer.status == 302, answer.body
        return answer.question

    def comes_back(self, question: Mapping[str, str], id_token: str, **other: str) -> Answer:
        """The platform's answer is posted."""
        return self.post("/lti/launch", {"state": question["state"], "id_token": id_token, **other})

    def launches(self, platform: Platform, target: str = ACTIVITY, **claims: Any) -> Answer:
        """A whole launch of a resource link, with claims changed."""
        question = self.begins_login(platform, target)
        return self.comes_back(question, platform.signs(platform.claims(question["nonce"], target, **claims)))

    def opens_picker(self, platform: Platform, **claims: Any) -> Answer:
        """A whole launch of a deep linking request."""
        target = f"{TOOL_URL}/picker"
        question = self.begins_login(platform, target)
        token = platform.signs(platform.deep_linking_claims(question["nonce"], target, **claims))
        return self.comes_back(question, token)


def receives(*bodies: object) -> dict[str, Any]:
    """Hand messages to gradesync as SQS does, all in one batch; message ids are m0, m1, ..."""
    records = [
        {
            "messageId": f"m{number}",
            "receiptHandle": f"r{number}",
            "body": body if isinstance(body, str) else json.dumps(body),
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:ScoresQueue",
            "awsRegion": "eu-west-1",
        }
        for number, body in enumerate(bodies)
    ]
    return handler("gradesync")({"Records": records}, None)
