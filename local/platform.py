"""A platform of a few lines for sample events: a key set, an access token for anybody, a gradebook that takes all."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"


class SamplePlatform:
    """Answers on a free loopback port until `stop`; what it is asked for is at its URLs."""

    client_id = "sample-client"
    deployment_id = "sample-deployment"
    user_id = "sample-learner"

    def __init__(self) -> None:
        self._key = RSAKey.generate_key(2048, {"kid": "sample", "alg": "RS256", "use": "sig"})
        key_set = {"keys": [self._key.as_dict(private=False)]}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(key_set)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self._answer({"access_token": "sample", "token_type": "Bearer", "expires_in": 3600})

            def _answer(self, value: Any) -> None:
                body = json.dumps(value).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, name="sample platform", daemon=True).start()
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.auth_url = f"{self.issuer}/auth"
        self.token_url = f"{self.issuer}/token"
        self.jwks_url = f"{self.issuer}/jwks"
        self.line_item = f"{self.issuer}/lineitems/1"

    def resource_link_token(self, nonce: str, tool_url: str, activity: str) -> str:
        """An id_token: a learner opens an activity."""
        return self._id_token(
            nonce,
            tool_url,
            {
                f"{LTI}message_type": "LtiResourceLinkRequest",
                f"{LTI}resource_link": {"id": "sample-link", "title": "Homework"},
                f"{LTI}roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
                f"{LTI}custom": {"activity_id": activity},
                f"{AGS}claim/endpoint": {
                    "scope": [f"{AGS}scope/score", f"{AGS}scope/lineitem"],
                    "lineitems": f"{self.issuer}/lineitems",
                    "lineitem": self.line_item,
                },
            },
        )

    def deep_linking_token(self, nonce: str, tool_url: str) -> str:
        """An id_token: a teacher picks activities."""
        return self._id_token(
            nonce,
            tool_url,
            {
                f"{LTI}message_type": "LtiDeepLinkingRequest",
                f"{LTI}roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"],
                DEEP_LINKING: {
                    "deep_link_return_url": f"{self.issuer}/return",
                    "accept_types": ["ltiResourceLink"],
                    "accept_presentation_document_targets": ["iframe", "window"],
                    "accept_multiple": True,
                    "accept_lineitem": True,
                    "data": "sample-data",
                },
            },
        )

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _id_token(self, nonce: str, tool_url: str, message: dict[str, Any]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": self.user_id,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "name": "Sam Sample",
            "locale": "en",
            f"{LTI}version": "1.3.0",
            f"{LTI}deployment_id": self.deployment_id,
            f"{LTI}target_link_uri": f"{tool_url}/lti/launch",
            f"{LTI}context": {
                "id": "sample-course",
                "label": "S 101",
                "title": "A sample course",
                "type": ["http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"],
            },
            **message,
        }
        return jwt.encode({"alg": "RS256", "kid": "sample", "typ": "JWT"}, claims, self._key)
