"""The platform inside the stack: it believes our own signature alone, and keeps nothing."""

from __future__ import annotations

import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from lti_tool.runtime import wiring
from tests.support.browser import Browser
from tests.support.stack import TOOL_URL, Stack

pytestmark = pytest.mark.usefixtures("stack")

TOKEN_URL = f"{TOOL_URL}/lti/echo/token"


def assertion(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {"iss": "echo", "sub": "echo", "aud": TOKEN_URL, "iat": now - 5, "exp": now + 300, "jti": "1"}
    return {**claims, **changes}


def asks(browser: Browser, signed: str) -> Any:
    browser.get("/lti/jwks.json")  # by which the region's keys are written down
    return browser.post("/lti/echo/token", {"client_assertion": signed})


def test_our_own_signature_buys_a_token(browser: Browser) -> None:
    answer = asks(browser, wiring.signer().sign(assertion()))

    assert answer.status == 200
    assert answer.json()["token_type"] == "Bearer"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://elsewhere.example/token"},
        {"iss": "somebody"},
        {"sub": "somebody"},
        {"exp": 1_000_000_000},
        {"iat": 32_503_680_000, "exp": 32_503_680_300},
    ],
    ids=["for another", "by another", "about another", "over", "not begun"],
)
def test_what_is_not_meant_for_it_buys_nothing(browser: Browser, changes: dict[str, Any]) -> None:
    assert asks(browser, wiring.signer().sign(assertion(**changes))).code == "bad_signature"


def test_a_foreign_key_buys_nothing(browser: Browser) -> None:
    own = browser.get("/lti/jwks.json").json()["keys"][0]["kid"]
    foreign = RSAKey.generate_key(2048)

    for kid in (own, "unknown"):
        assert asks(browser, jwt.encode({"alg": "RS256", "kid": kid}, assertion(), foreign)).code == "bad_signature"
    assert asks(browser, "nonsense").code == "bad_signature"


def test_a_score_is_taken_with_a_token_and_kept_nowhere(stack: Stack, browser: Browser) -> None:
    before = stack.contents()

    taken = browser.send("POST", "/lti/echo/line-item/scores", headers={"authorization": "Bearer any"})
    refused = browser.send("POST", "/lti/echo/line-item/scores")

    assert (taken.status, refused.code) == (200, "not_permitted")
    assert stack.contents() == before
