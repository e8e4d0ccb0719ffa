"""A launch and a login in a warm process: CPU time with the store, and validation alone."""

from __future__ import annotations

import base64
import contextlib
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from bench import rival
from bench.figures import Row, median, ratio_row
from bench.world import World, companion, line_of
from lti_tool.domain.login import AuthenticationResponse
from lti_tool.domain.parameters import UnverifiedParameters
from lti_tool.domain.trace import Trail
from lti_tool.runtime import wiring
from tests.support.browser import ACTIVITY, Browser, handler, http_event
from tests.support.platform import Platform
from tests.support.stack import TOOL_URL

ROUNDS = 60
VALIDATIONS = 300
FORM = "application/x-www-form-urlencoded"
Result = TypeVar("Result")


def rival_configuration(platform: Platform) -> dict[str, Any]:
    """The platform as pylti1p3 wants it told."""
    client = {
        "default": True,
        "client_id": platform.client_id,
        "auth_login_url": f"{platform.url}/auth",
        "auth_token_url": f"{platform.url}/token",
        "key_set_url": f"{platform.url}/jwks",
        "deployment_ids": [platform.deployment_id],
    }
    return {platform.issuer: [client]}


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """CPU seconds of this thread alone: neither the platform's threads nor other processes count."""
    before = time.thread_time()
    result = work()
    return time.thread_time() - before, result


@dataclass(slots=True)
class _Spent:
    login: list[float] = field(default_factory=list)
    launch: list[float] = field(default_factory=list)


def rows(world: World) -> list[Row]:
    """CPU time of one login and one launch, medians of interleaved rounds in one warm process.

    Ours begins with API Gateway's event and ends with its answer, logs and metrics written; the rival begins with a
    WSGI environment and ends with the response's body. Both talk to the same DynamoDB, in another process, over
    connections that it keeps.
    """
    with companion("bench.store") as store, world.at(line_of(store)):
        return _rows(world)


def _rows(world: World) -> list[Row]:
    ours, theirs, table = _Spent(), _Spent(), _Spent()
    configuration = rival_configuration(world.platform)
    client_app = rival.make_app("LaunchesTable", configuration)
    table_app = rival.make_app("LaunchesTable", configuration, rival.TableStorage)
    stories = ((ours, _our_story, None), (theirs, _rivals_story, client_app), (table, _rivals_story, table_app))
    for number in range(ROUNDS + 3):
        turn = number % len(stories)
        for found, story, app in stories[turn:] + stories[:turn]:  # whoever comes first finds colder caches
            login, launch = story(world.platform, app)
            if number >= 3:  # the first ones connect, and fetch keys
                found.login.append(login)
                found.launch.append(launch)
    return [
        _row("launch, warm, with its store, CPU", ours.launch, theirs.launch, table.launch, 0.30),
        _row("login, warm, with its store, CPU", ours.login, theirs.login, table.login, 0.85),
        _validation(world.platform),
    ]


def _row(what: str, ours: Sequence[float], theirs: Sequence[float], table: Sequence[float], at_most: float) -> Row:
    detail = (
        f"{median(ours) * 1000:.2f} ms : {median(theirs) * 1000:.2f} ms, pylti1p3 on DynamoDB;"
        f" {median(ours) / median(table):.2f} where it uses boto3's Table"
    )
    return ratio_row(what, median(ours), median(theirs), detail, at_most=at_most)


def _our_story(platform: Platform, _: Any) -> tuple[float, float]:
    query = urlencode(platform.initiation(ACTIVITY))
    event = http_event("GET", "/lti/login", query=query)
    login, answer = _timed(lambda: handler("login")(event, None))
    question = _query(answer["headers"]["Location"])
    cookie = answer["cookies"][0].partition(";")[0]
    form = {"state": question["state"], "id_token": _signed(platform, question)}
    event = http_event(
        "POST", "/lti/launch", body=urlencode(form).encode(), headers={"content-type": FORM}, cookies=[cookie]
    )
    launch, answer = _timed(lambda: handler("launch")(event, None))
    _require(answer["statusCode"] == 200)
    return login, launch


def _rivals_story(platform: Platform, app: Any) -> tuple[float, float]:
    environ = _environ("GET", "/login", query=urlencode(platform.initiation(ACTIVITY)))
    login, (status, headers, _) = _timed(lambda: _wsgi(app, environ))
    _require(status.startswith("302"))
    question = _query(dict(headers)["Location"])
    cookies = SimpleCookie()
    for name, value in headers:
        if name == "Set-Cookie":
            cookies.load(value)
    form = {"state": question["state"], "id_token": _signed(platform, question)}
    sent = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
    environ = _environ("POST", "/launch", body=urlencode(form).encode(), cookie=sent)
    launch, (status, _, _) = _timed(lambda: _wsgi(app, environ))
    _require(status.startswith("200"))
    return login, launch


def _signed(platform: Platform, question: Mapping[str, str]) -> str:
    return platform.signs(platform.claims(question["nonce"], ACTIVITY))


def _query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def _environ(method: str, path: str, *, query: str = "", body: bytes = b"", cookie: str = "") -> dict[str, Any]:
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "tool.example",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "tool.example",
        "HTTP_COOKIE": cookie,
        "CONTENT_TYPE": FORM if body else "",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def _wsgi(app: Any, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    started: list[Any] = []
    body = app.wsgi_app(environ, lambda status, headers, *_: started.extend((status, headers)))
    with contextlib.closing(body):
        text = b"".join(body)
    return started[0], started[1], text


def _require(holds: bool) -> None:
    if not holds:
        raise RuntimeError("what was to be measured did not happen")


class _Forgetful:
    """A store that keeps nothing."""

    def begin(self, *_: object) -> None:
        """It is taken as begun."""


def _validation(platform: Platform) -> Row:
    """One launch, from the form's text to the launch that we trust, without storing it, in RSA-2048 verifications.

    The verifier is the tool's own, warm: registration and platform key come from its memory. Only the session's write
    is left out.
    """
    browser = Browser()
    browser.launches(platform)
    question = browser.begins_login(platform)
    token = _signed(platform, question)
    body = urlencode({"state": question["state"], "id_token": token})
    cookies = tuple(f"{name}={value}" for name, value in browser.cookies.items())
    forgetful: Any = _Forgetful()
    verifier = replace(wiring.launch_verifier(), sessions=forgetful)
    message, _, signature = token.rpartition(".")
    signed = (_bytes(signature), message.encode(), PKCS1v15(), hashes.SHA256())
    public: Any = platform.key.public_key

    def validate() -> object:
        response = AuthenticationResponse.from_browser(UnverifiedParameters.parse(body), cookies)
        return verifier.verify(response, TOOL_URL, Trail())

    ours, theirs = [], []
    for _ in range(VALIDATIONS):
        ours.append(_timed(validate)[0])
        theirs.append(_timed(lambda: public.verify(*signed))[0])
    detail = f"{median(ours) * 1e6:.0f} µs : {median(theirs) * 1e6:.0f} µs"
    return ratio_row(
        "launch validation without store, in RSA-2048 verifications", median(ours), median(theirs), detail, at_most=15
    )


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
