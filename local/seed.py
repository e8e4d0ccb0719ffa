"""Fills sample events: `{{name}}` in any text of an event becomes a value that the seeded cloud knows.

The values are made by the real functions, and only those that an event names: a platform registered by `lti platform
add`, a login attempt left open for a launch, the session of a launch. `{{name:url}}` is the value percent-encoded, for
query strings and forms. A form body is readable in the file and becomes base64 here, as API Gateway passes it, when the
event says `"isBase64Encoded": true`.
"""

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from local.description import describe, write
from local.gateway import Request, Response
from local.lti import CannotRunError, add_catalogue, operate
from local.platform import SamplePlatform
from local.stack import Stack

ACTIVITY = "fractions-and-percentages"
PLACE = re.compile(r"\{\{(\w+)(:url)?\}\}")
LAUNCH_PAGE = re.compile(r'<script type="application/json" id="launch">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenLogin:
    """A login attempt that waits for the platform's answer."""

    state: str
    nonce: str
    cookie: str


class Seeds:
    """Values for sample events, on a stack of their own. `folder` is where its stack.json may lie."""

    def __init__(self, stack: Stack, home: Path, folder: Path) -> None:
        self._stack, self._home, self._folder = stack, home, folder
        self._values: dict[str, str] = {}
        self._has_catalogue = False

    def fill(self, node: Any) -> Any:
        """The event with all its places filled; the same name has the same value everywhere."""
        if isinstance(node, list):
            return [self.fill(item) for item in node]
        if isinstance(node, str):
            return PLACE.sub(
                lambda found: quote(self.value(found[1]), safe="") if found[2] else self.value(found[1]), node
            )
        if not isinstance(node, dict):
            return node
        filled = {key: self.fill(value) for key, value in node.items()}
        if filled.get("isBase64Encoded") is True and isinstance(body := filled.get("body"), str):
            filled["body"] = base64.b64encode(body.encode()).decode()
        return filled

    def value(self, name: str) -> str:
        if name not in self._values:
            makers = self._makers()
            if name not in makers:
                raise CannotRunError(f"no value for {{{{{name}}}}}; there are: {', '.join(sorted(makers))}")
            self._values[name] = makers[name]()
        return self._values[name]

    def stop(self) -> None:
        if "platform" in self.__dict__:
            self.platform.stop()

    def _makers(self) -> Mapping[str, Callable[[], str]]:
        return {
            "now": lambda: datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "now_ms": lambda: str(int(time.time() * 1000)),
            "tool_url": lambda: self._stack.url,
            "queue_arn": lambda: self._stack.system.consumers[0].queue_arn,
            "activity": self._activity,
            "issuer": lambda: self.platform.issuer,
            "client_id": lambda: self.platform.client_id,
            "deployment_id": lambda: self.platform.deployment_id,
            "user_id": lambda: self.platform.user_id,
            "line_item": lambda: self.platform.line_item,
            "state": lambda: self.login.state,
            "cookie": lambda: self.login.cookie,
            "id_token": lambda: self.platform.resource_link_token(self.login.nonce, self._stack.url, ACTIVITY),
            "session": lambda: self._session(self._resource_link_token),
            "deep_linking_session": lambda: self._session(self._deep_linking_token),
        }

    @cached_property
    def platform(self) -> SamplePlatform:
        """A platform that the tool has been told of."""
        platform = SamplePlatform()
        options = {
            "--issuer": platform.issuer,
            "--client-id": platform.client_id,
            "--auth-url": platform.auth_url,
            "--token-url": platform.token_url,
            "--jwks-url": platform.jwks_url,
            "--deployment-id": platform.deployment_id,
            "--tenant": "Sample",
        }
        self._describe()
        operate(
            self._folder,
            "platform",
            "add",
            "custom",
            "--no-check",
            *(part for option in options.items() for part in option),
        )
        return platform

    @cached_property
    def login(self) -> OpenLogin:
        """The login that the event's own launch answers."""
        return self._begin_login()

    def _activity(self) -> str:
        """The id of an activity, which is in the catalogue from now on."""
        if not self._has_catalogue:
            self._describe()
            add_catalogue(self._home, self._folder)
            self._has_catalogue = True
        return ACTIVITY

    def _describe(self) -> None:
        write(self._folder / "stack.json", describe(self._stack, None))

    def _begin_login(self) -> OpenLogin:
        query = urlencode(
            {
                "iss": self.platform.issuer,
                "client_id": self.platform.client_id,
                "login_hint": "sample-hint",
                "target_link_uri": f"{self._stack.url}/lti/launch",
            }
        )
        answer = self._ask("GET", f"/lti/login?{query}")
        headers = dict(answer.headers)
        if answer.status != 302:
            raise CannotRunError(f"the login function answers {answer.status}; its lines above say why")
        asked = {name: values[0] for name, values in parse_qs(urlsplit(headers["location"]).query).items()}
        return OpenLogin(state=asked["state"], nonce=asked["nonce"], cookie=headers["set-cookie"].partition(";")[0])

    def _session(self, token_for: Callable[[str], str]) -> str:
        self.value("activity")
        login = self._begin_login()
        form = urlencode({"id_token": token_for(login.nonce), "state": login.state}).encode()
        answer = self._ask("POST", "/lti/launch", form, cookie=login.cookie)
        page = LAUNCH_PAGE.search(answer.body.decode())
        if answer.status != 200 or page is None:
            raise CannotRunError(f"the launch function answers {answer.status}; its lines above say why")
        return str(json.loads(page[1])["session"])

    def _resource_link_token(self, nonce: str) -> str:
        return self.platform.resource_link_token(nonce, self._stack.url, ACTIVITY)

    def _deep_linking_token(self, nonce: str) -> str:
        return self.platform.deep_linking_token(nonce, self._stack.url)

    def _ask(self, method: str, target: str, body: bytes = b"", cookie: str = "") -> Response:
        headers = [("Host", urlsplit(self._stack.url).netloc), ("User-Agent", "sample")]
        if body:
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        if cookie:
            headers.append(("Cookie", cookie))
        return self._stack.answer(
            Request(
                method=method, target=target, protocol="HTTP/1.1", headers=headers, body=body, source_ip="127.0.0.1"
            )
        )
