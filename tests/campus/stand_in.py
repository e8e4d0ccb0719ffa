"""A tiny tool for Campus to talk to, and a visitor who walks through Campus as browser and tool do."""

from __future__ import annotations

import html
import json
import re
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient
from joserfc import jwk, jwt
from werkzeug.test import TestResponse

from local.campus import vocabulary as v
from local.campus.campus import Campus
from local.campus.profile import Profile

CAMPUS_URL = "http://127.0.0.1:8090"


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


class StandInTool:
    """Publishes a key set on a port of its own and signs what a tool signs."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.fetches = 0
        self.is_down = False
        self.canvas_answer = (404, "text/plain", b"")
        self.key = self.first_key = new_key()
        self.published = [self.key]
        tool = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/lti/canvas.json":
                    status, media_type, body = tool.canvas_answer
                else:
                    tool.fetches += 1
                    status, media_type = 503 if tool.is_down else 200, "application/json"
                    body = json.dumps({"keys": [key.as_dict(private=False) for key in tool.published]}).encode()
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def begin_again(self) -> None:
        self.key, self.published, self.fetches, self.is_down = self.first_key, [self.first_key], 0, False

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        full = {"alg": "RS256", "typ": "JWT", "kid": self.key.kid} | header
        return jwt.encode({name: value for name, value in full.items() if value is not None}, claims, self.key)

    def assertion(self, profile: Profile, **changes: Any) -> str:
        now = int(self.clock())
        claims = {
            "iss": profile.client_id,
            "sub": profile.client_id,
            "aud": profile.token_audience or profile.url("token"),
            "iat": now - 5,
            "exp": now + 60,
            "jti": uuid.uuid4().hex,
        }
        return self.sign(changed(claims, changes))

    def deep_linking_response(
        self, profile: Profile, items: Any, changes: dict[str, Any] | None = None, **header: Any
    ) -> str:
        now = int(self.clock())
        claims = {
            "iss": profile.client_id,
            "aud": profile.issuer,
            "iat": now,
            "exp": now + 300,
            "nonce": uuid.uuid4().hex,
            v.LTI + "message_type": "LtiDeepLinkingResponse",
            v.LTI + "version": "1.3.0",
            v.LTI + "deployment_id": profile.deployment_id,
            v.DL + "content_items": items,
            **({"sub": profile.client_id} if profile.slug == "blackboard" else {}),
        }
        return self.sign(changed(claims, changes or {}), **header)


class Visitor:
    """Browser and tool in one, at one platform."""

    def __init__(self, campus: Campus, client: FlaskClient, tool: StandInTool, slug: str) -> None:
        self.campus = campus
        self.client = client
        self.tool = tool
        self.profile = campus.platforms[slug]
        self.slug = slug

    # --- launches

    def refused_by_control(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        answer = self.client.post(f"{CAMPUS_URL}/control/{path}", json=body)
        return answer.status_code, answer.get_json()

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{CAMPUS_URL}/control/{path}"
        answer = self.client.get(url) if body is None else self.client.post(url, json=body)
        assert answer.status_code < 300, answer.text
        return answer.get_json(silent=True)

    def course(self) -> dict[str, Any]:
        course: dict[str, Any] = self.control(f"{self.slug}/courses")["courses"][0]
        return course

    def activity(self) -> dict[str, Any]:
        activity: dict[str, Any] = self.course()["activities"][-1]
        return activity

    def begins(self, user: str = "student1", activity: int | None = None) -> dict[str, str]:
        body = {"user": user, "activity": activity or self.activity()["id"]}
        fields: dict[str, str] = self.control(f"{self.slug}/launch", body)["fields"]
        return fields

    def begins_picking(self, user: str = "teacher") -> dict[str, str]:
        body = {"user": user, "course": self.course()["id"]}
        fields: dict[str, str] = self.control(f"{self.slug}/deep_linking", body)["fields"]
        return fields

    def authentication_request(self, fields: dict[str, str], **changes: Any) -> dict[str, Any]:
        request = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": fields["client_id"],
            "redirect_uri": f"{self.tool.url}/lti/launch",
            "login_hint": fields["login_hint"],
            "lti_message_hint": fields["lti_message_hint"],
            "state": "the-state",
            "nonce": "the-nonce",
        }
        return changed(request, changes)

    def asks(self, fields: dict[str, str], *, method: str = "GET", **changes: Any) -> TestResponse:
        request = self.authentication_request(fields, **changes)
        url = self.profile.url("authorize")
        if method == "POST":
            return self.client.post(url, data=request)
        return self.client.get(f"{url}?{urlencode(request)}")

    def launched(self, fields: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
        """The claims of the id_token that this launch earns, verified with the platform's key set."""
        form = form_of(self.asks(fields or self.begins(), **changes))
        keys = jwk.KeySet.import_key_set(self.client.get(self.profile.url("jwks")).get_json())
        return dict(jwt.decode(form["id_token"], keys, algorithms=["RS256"]).claims)

    def return_url(self) -> str:
        settings = self.launched(self.begins_picking())[v.DL + "deep_linking_settings"]
        return str(settings["deep_link_return_url"])

    def returns(self, url: str, token: str) -> TestResponse:
        return self.client.post(url, data={"JWT": token})

    # --- services

    def asks_for_token(self, assertion: str | None = None, **changes: Any) -> TestResponse:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": v.ASSERTION_TYPE,
            "client_assertion": assertion or self.tool.assertion(self.profile),
            "scope": " ".join([*v.AGS_SCOPES, v.MEMBERSHIP_SCOPE]),
        }
        return self.client.post(self.profile.url("token"), data=changed(form, changes))

    def bearer(self, scope: str | None = None) -> dict[str, str]:
        answer = self.asks_for_token(**({"scope": scope} if scope else {}))
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.get_json()['access_token']}"}

    def gets(self, url: str, accept: str | None = None, **query: Any) -> TestResponse:
        headers = {**self.bearer(), **({"Accept": accept} if accept else {})}
        joint = "&" if "?" in url else "?"
        return self.client.get(url + (joint + urlencode(query) if query else ""), headers=headers)

    def scores(self, user: str = "student1", *, line_item: str | None = None, **changes: Any) -> TestResponse:
        path, _, query = str(line_item or self.activity()["line_item_url"]).partition("?")
        member = next((m for m in self.course()["members"] if m["user"] == user), None)
        score = {
            "userId": member["user_id"] if member else user,
            "timestamp": "2027-01-15T08:00:00.000Z",
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "scoreGiven": 27,
            "scoreMaximum": 40,
        }
        return self.client.post(
            f"{path}/scores?{query}",
            data=json.dumps(changed(score, changes)),
            headers={**self.bearer(v.SCORE_SCOPE), "Content-Type": v.SCORE_TYPE},
        )

    def cell(self, user: str = "student1") -> dict[str, Any]:
        cells: list[dict[str, Any]] = self.control(f"{self.slug}/gradebook")["courses"][0]["cells"]
        return next(cell for cell in cells if cell["user"] == user)

    def makes_line_item(self, **members: Any) -> TestResponse:
        url = self.course()["line_items_url"]
        headers = {**self.bearer(), "Content-Type": v.LINE_ITEM_TYPE}
        return self.client.post(url, data=json.dumps({"label": "Essay", "scoreMaximum": 20} | members), headers=headers)


def new_key() -> jwk.RSAKey:
    return jwk.RSAKey.generate_key(2048, {"kid": uuid.uuid4().hex, "use": "sig", "alg": "RS256"})


def changed(original: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """With these members instead; None takes a member away."""
    return {name: value for name, value in (original | changes).items() if value is not None}


def form_of(page: TestResponse) -> dict[str, str]:
    """The fields of the page's one form."""
    assert page.status_code == 200, page.text
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in found}


def json_of(answer: TestResponse) -> Any:
    """The body as JSON, whatever the platform calls it."""
    return json.loads(answer.get_data())
