"""A pretend platform: its own keys, its id_tokens, and its services on loopback. It shares no code with the tool."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from joserfc import jws, jwt
from joserfc.jwk import KeySet, RSAKey

from lti_tool.domain.registration import DeploymentPolicy, DeploymentStatus, Registration

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
LEARNER = f"{MEMBERSHIP}#Learner"
INSTRUCTOR = f"{MEMBERSHIP}#Instructor"
ABSENT: Any = object()
"""As the value of a claim or parameter: leave it out."""


@cache
def rsa_key(name: str, bits: int = 2048) -> RSAKey:
    """A key of that name, made once per process."""
    return RSAKey.generate_key(bits, parameters={"kid": name, "use": "sig", "alg": "RS256"}, private=True)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def text_of(part: object) -> bytes:
    """JSON text of a JWT's part; text and bytes are taken as they are."""
    if isinstance(part, bytes):
        return part
    return (part if isinstance(part, str) else json.dumps(part)).encode("utf-8", "surrogatepass")


def compact(header: object, payload: object, key: RSAKey | None) -> str:
    """A compact JWS over exactly these parts, as no well-behaved library would make it; no key, no signature."""
    message = f"{base64url(text_of(header))}.{base64url(text_of(payload))}"
    signature = b"" if key is None else key.private_key.sign(message.encode(), PKCS1v15(), hashes.SHA256())  # type: ignore[union-attr]
    return f"{message}.{base64url(signature)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request that came to the platform's services."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode(), strict_parsing=True).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class FromNow:
    """A time claim that is reckoned when the token is made: a table of cases may be older than that."""

    seconds: float = 0

    def __add__(self, seconds: float) -> FromNow:
        return FromNow(self.seconds + seconds)

    def __sub__(self, seconds: float) -> FromNow:
        return self + -seconds


@dataclass(slots=True, kw_only=True)
class Platform:
    """One platform and one of its client ids. Its services answer as `replies` says, by path, and well by default."""

    url: str
    issuer: str
    client_id: str
    deployment_id: str = "1"
    key: RSAKey = field(default_factory=lambda: rsa_key("platform-1"))
    published: list[dict[str, Any]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    connections: int = 0

    def __post_init__(self) -> None:
        self.published = self.published or [self.public_jwk(self.key)]

    @staticmethod
    def public_jwk(key: RSAKey) -> dict[str, Any]:
        return dict(key.as_dict(private=False))

    # --- What it is ---------------------------------------------------------------------------------------------

    def registration(self, **other: Any) -> Registration:
        values: dict[str, Any] = {
            "issuer": self.issuer,
            "client_id": self.client_id,
            "authorization_endpoint": f"{self.url}/auth",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "deployment_policy": DeploymentPolicy.CLOSED,
            "deployments": {self.deployment_id: DeploymentStatus.ENABLED},
        }
        return Registration(**{**values, **other})

    # --- What it sends through the browser ------------------------------------------------------------------------

    def initiation(self, target: str, **other: str) -> dict[str, str]:
        """The parameters that open a launch; ABSENT leaves one out."""
        parameters = {
            "iss": self.issuer,
            "client_id": self.client_id,
            "login_hint": "hint of a person",
            "target_link_uri": target,
            "lti_message_hint": "hint of a message",
            **other,
        }
        return {name: value for name, value in parameters.items() if value is not ABSENT}

    def claims(self, nonce: str, target: str, /, **other: Any) -> dict[str, Any]:
        """A learner opens a link in a course. Names as in CLAIMS, or whole; ABSENT leaves one out."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": "user-1",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "name": "Ada Example",
            "email": "ada@school.example",
            LTI + "message_type": "LtiResourceLinkRequest",
            LTI + "version": "1.3.0",
            LTI + "deployment_id": self.deployment_id,
            LTI + "target_link_uri": target,
            LTI + "resource_link": {"id": "link-1", "title": "Week 1"},
            LTI + "roles": [LEARNER],
            LTI + "context": {"id": "course-1", "title": "Geography"},
            AGS + "claim/endpoint": {
                "scope": [AGS + "scope/score"],
                "lineitems": f"{self.url}/lineitems",
                "lineitem": self.line_item,
            },
        }
        claims |= {
            CLAIMS.get(name, name): now + value.seconds if isinstance(value, FromNow) else value
            for name, value in other.items()
        }
        return {name: value for name, value in claims.items() if value is not ABSENT}

    def deep_linking_claims(self, nonce: str, target: str, /, **other: Any) -> dict[str, Any]:
        """A teacher is to choose activities for a course."""
        settings = {
            "deep_link_return_url": f"{self.url}/deep-links?from=course-1",
            "accept_types": ["link", "ltiResourceLink"],
            "accept_presentation_document_targets": ["iframe", "window"],
            "accept_multiple": True,
            "data": "opaque to the tool",
        }
        values: dict[str, Any] = {
            "message_type": "LtiDeepLinkingRequest",
            "resource_link": ABSENT,
            "roles": [INSTRUCTOR],
            "settings": settings,
            AGS + "claim/endpoint": ABSENT,
        }
        return self.claims(nonce, target, **{**values, **other})

    def signs(self, claims: Mapping[str, Any], **header: Any) -> str:
        """An id_token, made by a library that is not the tool's."""
        return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": self.key.kid, **header}, dict(claims), self.key)

    # --- What its services got --------------------------------------------------------------------------------------

    @property
    def line_item(self) -> str:
        """Moodle's manner: a query behind the path."""
        return f"{self.url}/lineitems/7/lineitem?type_id=2"

    def requests_to(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == path]

    @property
    def scores(self) -> list[Received]:
        return [request for request in self.received if request.path.endswith("/scores")]

    def will_answer(self, path: str, *replies: Reply) -> None:
        """The next requests to that path get these; afterwards it is well again."""
        self.replies.setdefault(path, []).extend(replies)

    def answer(self, request: Received) -> Reply:
        self.received.append(request)
        if planned := self.replies.get(request.path):
            return planned.pop(0)
        match request.path:
            case "/jwks":
                return Reply(body=json.dumps({"keys": self.published}).encode())
            case "/token":
                grant = {"access_token": secrets.token_hex(8), "token_type": "bearer", "expires_in": 3600}
                return Reply(body=json.dumps({**grant, "scope": request.form()["scope"]}).encode())
            case _:
                return Reply()


CLAIMS = {
    "message_type": LTI + "message_type",
    "version": LTI + "version",
    "deployment_id": LTI + "deployment_id",
    "target_link_uri": LTI + "target_link_uri",
    "resource_link": LTI + "resource_link",
    "roles": LTI + "roles",
    "context": LTI + "context",
    "custom": LTI + "custom",
    "presentation": LTI + "launch_presentation",
    "endpoint": AGS + "claim/endpoint",
    "settings": DL + "deep_linking_settings",
}
"""Short names for the claims that tests change."""


def verified_by_jwks(token: str, key_set: Any) -> dict[str, Any]:
    """The claims of a JWT, as a platform that knows nothing but our key set reads them."""
    header = jws.extract_compact(token.encode()).headers()
    assert header["alg"] == "RS256"
    assert set(header) <= {"alg", "typ", "kid"}
    return dict(jwt.decode(token, KeySet.import_key_set(key_set), algorithms=["RS256"]).claims)


@contextmanager
def serving(
    name: str = "platform", client_id: str = "client-1", *, kind: Callable[..., Platform] = Platform
) -> Iterator[Platform]:
    """A platform with its services listening on loopback; they stop by themselves."""

    class Service(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms for the other side's acknowledgement

        def setup(self) -> None:
            platform.connections += 1
            super().setup()

        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = platform.answer(
                Received(method=self.command, path=parts.path, query=parts.query, headers=dict(self.headers), body=body)
            )
            self.send_response(reply.status, reply.reason)
            for header, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 - the names are http.server's

        def log_message(self, *_: object) -> None:
            """The platform keeps its log to itself."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.daemon_threads = True
    url = f"http://127.0.0.1:{server.server_port}"
    platform = kind(url=url, issuer=f"https://{name}.example", client_id=client_id)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield platform
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
