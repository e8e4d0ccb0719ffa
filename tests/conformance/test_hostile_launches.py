"""Hostile launches, by name: each refused with its code, no session, nothing spent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from lti_tool.domain.registration import DeploymentStatus
from tests.support.browser import ACTIVITY, Answer, Browser
from tests.support.platform import (
    ABSENT,
    AGS,
    LTI,
    FromNow,
    Platform,
    base64url,
    compact,
    rsa_key,
    serving,
    text_of,
)
from tests.support.stack import TOOL_URL, Stack

pytestmark = pytest.mark.filterwarnings("ignore:Key size should be")  # a weak key is among the cases

NOW = FromNow()
ATTACKER = rsa_key("attacker")
EC = ECKey.generate_key("P-256", {"kid": "ec"}, private=True)


@pytest.fixture
def elsewhere(stack: Stack) -> Iterator[Platform]:
    """Another platform that the tool knows; its people are honest, or not."""
    with serving("elsewhere", "client-2") as found:
        found.key = rsa_key("platform-2")
        found.published = [found.public_jwk(found.key)]
        stack.knows(found.registration())
        yield found


def refused(stack: Stack, answer: Answer) -> tuple[int, str]:
    """Status and code of a refusal that left nothing behind."""
    assert "session" not in answer.body
    assert not any("session_secret" in item for item in stack.contents()["LaunchesTable"].values())
    return answer.status, answer.code


# --- Tokens: the header and its key -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Forge:
    """What a forger has at hand: the platform's public face, an honest payload, and a key of its own."""

    platform: Platform
    claims: dict[str, Any]

    def honest(self) -> str:
        return self.platform.signs(self.claims)

    def header(self, **other: Any) -> dict[str, Any]:
        whole = {"alg": "RS256", "typ": "JWT", "kid": self.platform.key.kid, **other}
        return {name: value for name, value in whole.items() if value is not ABSENT}

    def signed(self, key: RSAKey | None = None, **header: Any) -> str:
        return compact(self.header(**header), self.claims, key or self.platform.key)

    def with_payload(self, **other: Any) -> str:
        signature = self.honest().rpartition(".")[2]
        return compact(self.header(), {**self.claims, **other}, None) + signature

    def unsigned(self, alg: object) -> str:
        return compact(self.header(alg=alg), self.claims, None)

    def hmac_with(self, secret: bytes, alg: str = "HS256") -> str:
        message = compact(self.header(alg=alg), self.claims, None).rstrip(".")
        mac = hmac.HMAC(secret, hashes.SHA256())
        mac.update(message.encode())
        return f"{message}.{base64url(mac.finalize())}"

    def pem(self) -> bytes:
        key: Any = self.platform.key.public_key
        return bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


FORGED: dict[str, tuple[Callable[[Forge], str], int, str]] = {
    "alg none": (lambda f: f.unsigned("none"), 401, "unsupported_algorithm"),
    "alg None": (lambda f: f.unsigned("None"), 401, "unsupported_algorithm"),
    "alg NONE": (lambda f: f.unsigned("NONE"), 401, "unsupported_algorithm"),
    "alg nOnE": (lambda f: f.unsigned("nOnE"), 401, "unsupported_algorithm"),
    "alg none with a signature": (lambda f: f.signed(alg="none"), 401, "unsupported_algorithm"),
    "alg empty": (lambda f: f.unsigned(""), 401, "unsupported_algorithm"),
    "alg null": (lambda f: f.unsigned(None), 401, "unsupported_algorithm"),
    "alg absent": (lambda f: f.unsigned(ABSENT), 401, "unsupported_algorithm"),
    "alg a list": (lambda f: f.signed(alg=["RS256"]), 401, "unsupported_algorithm"),
    "alg rs256": (lambda f: f.signed(alg="rs256"), 401, "unsupported_algorithm"),
    "alg RS384": (lambda f: f.signed(alg="RS384"), 401, "unsupported_algorithm"),
    "alg PS256": (lambda f: f.signed(alg="PS256"), 401, "unsupported_algorithm"),
    "alg ES256": (lambda f: f.signed(alg="ES256"), 401, "unsupported_algorithm"),
    "RS256 without a signature": (lambda f: f.unsigned("RS256"), 401, "bad_signature"),
    "HS256 with the public PEM as secret": (lambda f: f.hmac_with(f.pem()), 401, "unsupported_algorithm"),
    "HS256 with the public JWK as secret": (
        lambda f: f.hmac_with(json.dumps(f.platform.published[0]).encode()),
        401,
        "unsupported_algorithm",
    ),
    "HS256 with an empty secret": (lambda f: f.hmac_with(b""), 401, "unsupported_algorithm"),
    "RS256 in the header, HMAC for a signature": (lambda f: f.hmac_with(f.pem(), "RS256"), 401, "bad_signature"),
    "somebody else's key, the platform's kid": (lambda f: f.signed(ATTACKER), 401, "bad_signature"),
    "somebody else's key and kid": (lambda f: f.signed(ATTACKER, kid="attacker"), 401, "unknown_kid"),
    "somebody else's key in jwk": (
        lambda f: f.signed(ATTACKER, jwk=Platform.public_jwk(ATTACKER)),
        401,
        "bad_signature",
    ),
    "somebody else's key in jwk, its kid": (
        lambda f: f.signed(ATTACKER, kid="attacker", jwk=Platform.public_jwk(ATTACKER)),
        401,
        "unknown_kid",
    ),
    "somebody else's key set in jku": (
        lambda f: f.signed(ATTACKER, kid="attacker", jku=f"{f.platform.url}/evil-jwks"),
        401,
        "unknown_kid",
    ),
    "somebody else's certificate in x5u": (
        lambda f: f.signed(ATTACKER, kid="attacker", x5u=f"{f.platform.url}/evil-x5u"),
        401,
        "unknown_kid",
    ),
    "somebody else's certificate in x5c": (lambda f: f.signed(ATTACKER, x5c=["MIIB"]), 401, "bad_signature"),
    "crit that nobody understands": (lambda f: f.signed(crit=["x"], x=1), 401, "unsupported_header"),
    "crit empty": (lambda f: f.signed(crit=[]), 401, "unsupported_header"),
    "b64 false": (lambda f: f.signed(b64=False), 401, "unsupported_header"),
    "typ of an access token": (lambda f: f.signed(typ="at+jwt"), 401, "unsupported_header"),
    "kid empty": (lambda f: f.signed(kid=""), 401, "missing_kid"),
    "kid null": (lambda f: f.signed(kid=None), 401, "missing_kid"),
    "kid a number": (lambda f: f.signed(kid=1), 401, "missing_kid"),
    "kid a list": (lambda f: f.signed(kid=[f.platform.key.kid]), 401, "missing_kid"),
    "kid a path": (lambda f: f.signed(ATTACKER, kid="../../dev/null"), 401, "unknown_kid"),
    "kid in another case": (lambda f: f.signed(kid="PLATFORM-1"), 401, "unknown_kid"),
    "payload of one token, signature of another": (lambda f: f.with_payload(sub="admin"), 401, "bad_signature"),
    "a weak RSA key that the platform publishes": (
        lambda f: f.signed(rsa_key("weak", 1024), kid="weak"),
        401,
        "unknown_kid",
    ),
    "an EC key that the platform publishes": (
        lambda f: jws.serialize_compact({"alg": "ES256", "kid": "ec"}, json.dumps(f.claims), EC, algorithms=["ES256"]),
        401,
        "unsupported_algorithm",
    ),
    "RS256 with the kid of an EC key": (lambda f: f.signed(kid="ec"), 401, "unknown_kid"),
    "an encryption key that the platform publishes": (
        lambda f: f.signed(rsa_key("encryption"), kid="encryption"),
        401,
        "unknown_kid",
    ),
    "a key for RS512 that the platform publishes": (
        lambda f: f.signed(rsa_key("for RS512"), kid="for RS512"),
        401,
        "unknown_kid",
    ),
    "two parts": (lambda f: f.honest().rpartition(".")[0], 400, "malformed_token"),
    "four parts": (lambda f: f.honest() + ".x", 400, "malformed_token"),
    "five parts, as if encrypted": (lambda _: "a.b.c.d.e", 400, "malformed_token"),
    "only dots": (lambda _: "..", 400, "malformed_token"),
    "not base64url": (lambda f: "!" + f.honest(), 400, "malformed_token"),
    "header not JSON": (lambda f: compact("{", f.claims, f.platform.key), 400, "malformed_token"),
    "header a list": (lambda f: compact("[]", f.claims, f.platform.key), 400, "malformed_token"),
    "payload a text": (lambda f: compact(f.header(), '"text"', f.platform.key), 400, "malformed_token"),
    "payload null": (lambda f: compact(f.header(), "null", f.platform.key), 400, "malformed_token"),
    "payload not UTF-8": (lambda f: compact(f.header(), b'{"a": "\xff"}', f.platform.key), 400, "malformed_token"),
    "payload with half a surrogate pair": (
        lambda f: compact(f.header(), '{"name": "\\ud800"}', f.platform.key),
        400,
        "malformed_token",
    ),
    "payload with NaN": (
        lambda f: compact(f.header(), text_of(f.claims).replace(b'"exp": ', b'"exp": NaN, "x": '), f.platform.key),
        400,
        "malformed_token",
    ),
    "payload with Infinity": (
        lambda f: compact(f.header(), text_of(f.claims)[:-1] + b', "x": Infinity}', f.platform.key),
        400,
        "malformed_token",
    ),
    "payload names a member twice": (
        lambda f: compact(f.header(), text_of(f.claims)[:-1] + b', "sub": "admin"}', f.platform.key),
        400,
        "malformed_token",
    ),
    "payload names a member twice, deep inside": (
        lambda f: compact(f.header(), text_of(f.claims)[:-1] + b', "x": [{"a": 1, "a": 2}]}', f.platform.key),
        400,
        "malformed_token",
    ),
    "header names alg twice": (
        lambda f: compact('{"alg": "none", "alg": "RS256", "kid": "platform-1"}', f.claims, f.platform.key),
        400,
        "malformed_token",
    ),
    "payload very deep": (
        lambda f: compact(f.header(), "[" * 20_000 + "]" * 20_000, f.platform.key),
        400,
        "malformed_token",
    ),
    "larger than any launch": (lambda f: f.honest() + "A" * 65_536, 413, "request_too_large"),
}


@pytest.fixture
def mixed_key_set(platform: Platform) -> Platform:
    """The platform publishes keys of all kinds beside its own."""
    odd: list[Any] = [
        EC.as_dict(private=False),
        Platform.public_jwk(rsa_key("weak", 1024)),
        {**Platform.public_jwk(rsa_key("encryption")), "use": "enc"},
        {**Platform.public_jwk(rsa_key("for RS512")), "alg": "RS512"},
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
        {"kty": "RSA", "kid": "even", "n": platform.published[0]["n"], "e": "Ag"},
        {"kty": "oct", "kid": "platform-1", "k": "AAAA"},
        "not a key",
        None,
    ]
    platform.published = [*odd, *platform.published]
    return platform


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused(stack: Stack, mixed_key_set: Platform, browser: Browser, name: str) -> None:
    make, status, code = FORGED[name]
    question = browser.begins_login(mixed_key_set)
    cookies = dict(browser.cookies)
    forge = Forge(mixed_key_set, mixed_key_set.claims(question["nonce"], ACTIVITY))

    answer = browser.comes_back(question, make(forge))

    assert refused(stack, answer) == (status, code)
    assert {request.path for request in mixed_key_set.received} <= {"/jwks"}
    browser.cookies = cookies
    assert browser.comes_back(question, forge.honest()).status == 200


# --- Tokens: claims of a well signed one --------------------------------------------------------------------------

CLAIMED: dict[str, tuple[dict[str, Any], int, str]] = {
    "iss of another platform": ({"iss": "https://elsewhere.example"}, 401, "wrong_issuer"),
    "iss with a slash more": ({"iss": "https://platform.example/"}, 401, "wrong_issuer"),
    "iss in another case": ({"iss": "https://PLATFORM.example"}, 401, "wrong_issuer"),
    "iss a list": ({"iss": ["https://platform.example"]}, 401, "wrong_issuer"),
    "iss absent": ({"iss": ABSENT}, 401, "wrong_issuer"),
    "aud of another tool": ({"aud": "client-2"}, 401, "wrong_audience"),
    "aud absent": ({"aud": ABSENT}, 401, "wrong_audience"),
    "aud null": ({"aud": None}, 401, "wrong_audience"),
    "aud empty": ({"aud": []}, 401, "wrong_audience"),
    "aud empty text": ({"aud": ""}, 401, "wrong_audience"),
    "aud a number": ({"aud": 1}, 401, "wrong_audience"),
    "aud an object": ({"aud": {"client-1": True}}, 401, "wrong_audience"),
    "aud with a stranger beside us": ({"aud": ["client-1", "client-2"]}, 401, "wrong_audience"),
    "aud with a stranger first": ({"aud": ["client-2", "client-1"], "azp": "client-1"}, 401, "wrong_audience"),
    "aud contains our id as a part": ({"aud": "client-12"}, 401, "wrong_audience"),
    "aud nested": ({"aud": [["client-1"]]}, 401, "wrong_audience"),
    "azp of another tool": ({"azp": "client-2"}, 401, "wrong_authorized_party"),
    "azp of another tool, aud a list": ({"aud": ["client-1"], "azp": "client-2"}, 401, "wrong_authorized_party"),
    "azp empty": ({"azp": ""}, 401, "wrong_authorized_party"),
    "azp a list": ({"azp": ["client-1"]}, 401, "wrong_authorized_party"),
    "expired": ({"iat": NOW - 400, "exp": NOW - 100}, 401, "token_expired"),
    "expired one second beyond the leeway": ({"iat": NOW - 300, "exp": NOW - 61}, 401, "token_expired"),
    "issued in the future": ({"iat": NOW + 300, "exp": NOW + 600}, 401, "token_not_yet_valid"),
    "not valid yet": ({"nbf": NOW + 600}, 401, "token_not_yet_valid"),
    "issued long ago, lives for ever": ({"iat": NOW - 700, "exp": NOW + 10_000}, 401, "token_too_old"),
    "exp before iat": ({"iat": NOW, "exp": NOW - 10}, 400, "invalid_claim"),
    "exp absent": ({"exp": ABSENT}, 400, "invalid_claim"),
    "exp null": ({"exp": None}, 400, "invalid_claim"),
    "exp a text": ({"exp": str(int(time.time()) + 300)}, 400, "invalid_claim"),
    "exp true": ({"exp": True}, 400, "invalid_claim"),
    "exp negative": ({"exp": -1}, 400, "invalid_claim"),
    "exp in milliseconds": ({"exp": (int(time.time()) + 300) * 1000}, 400, "invalid_claim"),
    "exp beyond every calendar": ({"exp": 10**30}, 400, "invalid_claim"),
    "iat absent": ({"iat": ABSENT}, 400, "invalid_claim"),
    "iat in milliseconds": ({"iat": int(time.time()) * 1000}, 400, "invalid_claim"),
    "nbf a text": ({"nbf": "soon"}, 400, "invalid_claim"),
    "nonce never issued": ({"nonce": "never issued"}, 401, "nonce_mismatch"),
    "nonce absent": ({"nonce": ABSENT}, 400, "invalid_claim"),
    "nonce empty": ({"nonce": ""}, 400, "invalid_claim"),
    "nonce a list": ({"nonce": ["a"]}, 400, "invalid_claim"),
    "message type of another service": ({"message_type": "LtiStartProctoring"}, 400, "unsupported_message_type"),
    "message type a response": ({"message_type": "LtiDeepLinkingResponse"}, 400, "unsupported_message_type"),
    "message type in another case": ({"message_type": "ltiresourcelinkrequest"}, 400, "unsupported_message_type"),
    "message type a list": ({"message_type": ["LtiResourceLinkRequest"]}, 400, "unsupported_message_type"),
    "deployment that nobody listed": ({"deployment_id": "2"}, 403, "unknown_deployment"),
    "deployment with a space": ({"deployment_id": "1 "}, 403, "unknown_deployment"),
    "deployment empty": ({"deployment_id": ""}, 400, "invalid_claim"),
    "deployment too long": ({"deployment_id": "1" * 256}, 400, "invalid_claim"),
    "deployment a list": ({"deployment_id": ["1"]}, 400, "invalid_claim"),
    "deployment not ASCII": ({"deployment_id": "１"}, 400, "invalid_claim"),
    "sub empty": ({"sub": ""}, 400, "invalid_claim"),
    "sub null": ({"sub": None}, 400, "anonymous_launch"),
    "sub an object": ({"sub": {"id": "user-1"}}, 400, "invalid_claim"),
    "sub too long": ({"sub": "u" * 256}, 400, "invalid_claim"),
    "sub with a control character": ({"sub": "user\x1b[2J"}, 400, "invalid_claim"),
    "deployment with a line break": ({"deployment_id": "1\n2"}, 400, "invalid_claim"),
    "roles a text": ({"roles": "Instructor"}, 400, "invalid_claim"),
    "roles an object": ({"roles": {"Instructor": True}}, 400, "invalid_claim"),
    "resource link a text": ({"resource_link": "link-1"}, 400, "invalid_claim"),
    "resource link id too long": ({"resource_link": {"id": "x" * 256}}, 400, "invalid_claim"),
    "context without an id": ({"context": {"title": "Course"}}, 400, "invalid_claim"),
    "target absent": ({"target_link_uri": ABSENT}, 400, "invalid_claim"),
    "target other than at login": (
        {"target_link_uri": f"{TOOL_URL}/activities/photosynthesis"},
        400,
        "target_link_uri_changed",
    ),
}


@pytest.mark.parametrize("name", CLAIMED)
def test_a_signed_token_with_wrong_claims_is_refused(
    stack: Stack, platform: Platform, browser: Browser, name: str
) -> None:
    claims, status, code = CLAIMED[name]

    answer = browser.launches(platform, **claims)

    assert refused(stack, answer) == (status, code)


DEEP_LINKING: dict[str, dict[str, Any] | Any] = {
    "no settings": ABSENT,
    "settings a list": [],
    "no return address": {"accept_types": ["ltiResourceLink"]},
    "return address is a script": {"deep_link_return_url": "javascript:alert(1)", "accept_types": []},
    "return address is data": {"deep_link_return_url": "data:text/html,x", "accept_types": []},
    "return address with user info": {"deep_link_return_url": "https://lms.example@evil.example/", "accept_types": []},
    "no types": {"deep_link_return_url": "https://lms.example/return"},
    "types a text": {"deep_link_return_url": "https://lms.example/return", "accept_types": "ltiResourceLink"},
}


@pytest.mark.parametrize("name", DEEP_LINKING)
def test_deep_linking_settings_that_cannot_be_answered_are_refused(
    stack: Stack, platform: Platform, browser: Browser, name: str
) -> None:
    answer = browser.opens_picker(platform, settings=DEEP_LINKING[name])

    assert refused(stack, answer) == (400, "invalid_claim")


# --- Addresses: where a link may point ----------------------------------------------------------------------------

TARGETS = {
    "another host": "https://evil.example/activities/x",
    "our host as user info": f"{TOOL_URL}@evil.example/",
    "our host with a password": "https://tool.example:x@evil.example/",
    "another port": f"{TOOL_URL}:8443/activities/x",
    "plain http": "http://tool.example/activities/x",
    "our host as a subdomain": f"{TOOL_URL}.evil.example/",
    "a subdomain of our host": "https://evil.tool.example/",
    "a backslash": "https://tool.example\\@evil.example/",
    "a backslash before a dot": "https://tool.example\\.evil.example/",
    "no scheme": "//tool.example/activities/x",
    "no host": "https:///activities/x",
    "a path alone": "/activities/x",
    "a script": "javascript:alert(1)//tool.example",
    "data": "data:text/html,tool.example",
    "a file": "file://tool.example/etc/passwd",
    "a line break": f"{TOOL_URL}/\r\nSet-Cookie: a=b",
    "a space before the host": "https:// tool.example/",
    "a tab within": "https://tool.exa\tmple/",
    "brackets that do not close": "https://[tool.example/",
    "a dot behind the host": "https://tool.example./",
    "full-width letters": "https://ｔool.example/",
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_link_to_somewhere_else_opens_nothing(stack: Stack, platform: Platform, browser: Browser, name: str) -> None:
    answer = browser.launches(platform, TARGETS[name])

    assert refused(stack, answer)[0] == 400
    assert answer.code in {"foreign_target_link_uri", "invalid_claim"}
    assert "evil" not in answer.body


@pytest.mark.parametrize("name", TARGETS)
def test_a_login_never_sends_the_browser_where_the_request_says(
    platform: Platform, browser: Browser, name: str
) -> None:
    answer = browser.get("/lti/login", platform.initiation(TARGETS[name], redirect_uri="https://evil.example/"))

    assert answer.headers["location"].startswith(f"{platform.url}/auth?")
    assert answer.question["redirect_uri"] == f"{TOOL_URL}/lti/launch"


# --- The answer's form --------------------------------------------------------------------------------------------

Form = list[tuple[str, str]]
FORMS: dict[str, tuple[Callable[[str, str], Form], int, str]] = {
    "no state": (lambda _, token: [("id_token", token)], 400, "missing_parameter"),
    "empty state": (lambda _, token: [("state", ""), ("id_token", token)], 400, "missing_parameter"),
    "no id_token": (lambda state, _: [("state", state)], 400, "missing_parameter"),
    "empty id_token": (lambda state, _: [("state", state), ("id_token", "")], 400, "missing_parameter"),
    "state twice": (
        lambda state, token: [("state", state), ("state", state), ("id_token", token)],
        400,
        "duplicate_parameter",
    ),
    "id_token twice": (
        lambda state, token: [("state", state), ("id_token", token), ("id_token", token)],
        400,
        "duplicate_parameter",
    ),
    "state never issued": (lambda _, token: [("state", "a" * 32), ("id_token", token)], 401, "unknown_state"),
    "state without its reference": (
        lambda state, token: [("state", state.partition(".")[0] + "."), ("id_token", token)],
        401,
        "unknown_state",
    ),
    "state with another attempt": (
        lambda state, token: [("state", "b" * 32 + "." + state.partition(".")[2]), ("id_token", token)],
        401,
        "unknown_state",
    ),
    "state with an unknown reference": (
        lambda state, token: [("state", state.partition(".")[0] + "." + "c" * 22), ("id_token", token)],
        403,
        "unknown_platform",
    ),
    "state with the same first letters": (
        lambda state, token: [("state", state[:12] + "d" * 20 + "." + state.partition(".")[2]), ("id_token", token)],
        401,
        "unknown_state",
    ),
    "state too long": (lambda state, token: [("state", state + "e" * 200), ("id_token", token)], 401, "unknown_state"),
    "state not ASCII": (lambda state, token: [("state", "ä" + state), ("id_token", token)], 401, "unknown_state"),
    "the platform declines": (
        lambda state, _: [("state", state), ("error", "access_denied"), ("error_description", "<b>no</b>")],
        400,
        "platform_declined",
    ),
    "the platform declines in words of its own": (
        lambda state, _: [("state", state), ("error", "<b>no</b>")],
        400,
        "platform_declined",
    ),
    "the platform wants a login first": (
        lambda state, _: [("state", state), ("error", "login_required")],
        400,
        "platform_login_required",
    ),
    "the platform's launch is spent": (
        lambda state, _: [("state", state), ("error", "launch_no_longer_valid")],
        400,
        "platform_launch_spent",
    ),
    "the platform does not know our address": (
        lambda state, _: [("state", state), ("error", "unauthorized_client")],
        400,
        "platform_misconfigured",
    ),
    "the platform declines and sends a token": (
        lambda state, token: [("state", state), ("error", "access_denied"), ("id_token", token)],
        400,
        "platform_declined",
    ),
    "an error without a state": (lambda _, __: [("error", "login_required")], 400, "missing_parameter"),
}


@pytest.mark.parametrize("name", FORMS)
def test_an_answer_of_another_shape_is_refused(stack: Stack, platform: Platform, browser: Browser, name: str) -> None:
    make, status, code = FORMS[name]
    question = browser.begins_login(platform)
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY))

    answer = browser.post("/lti/launch", make(question["state"], token))

    assert refused(stack, answer) == (status, code)
    assert "<b>" not in answer.body


def test_a_token_in_the_address_is_refused(stack: Stack, platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform)
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY))

    got = browser.get("/lti/launch", {"state": question["state"], "id_token": token})
    posted = browser.post("/lti/launch", b"", query={"state": question["state"], "id_token": token})

    assert refused(stack, got) == (405, "method_not_allowed")
    assert refused(stack, posted)[0] == 400


# --- Browsers and platforms that are not the ones we asked ----------------------------------------------------------


def test_an_answer_in_a_browser_without_our_cookie_is_refused(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    question = browser.begins_login(platform)
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY))

    assert refused(stack, Browser().comes_back(question, token)) == (401, "browser_mismatch")


def test_an_answer_in_a_browser_with_a_cookie_of_its_own_is_refused(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    victim = Browser()
    victim.begins_login(platform)
    question = browser.begins_login(platform)
    ((_, own_secret),) = victim.cookies.items()
    ((name, _),) = browser.cookies.items()
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY))

    answers = [Browser({name: value}).comes_back(question, token) for value in (own_secret, "", "1.guess", "1" * 4000)]

    assert [refused(stack, answer) for answer in answers] == [(401, "browser_mismatch")] * 4


def test_a_launch_is_not_replayed_in_another_browser(platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform)
    cookies = dict(browser.cookies)
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY))
    browser.comes_back(question, token)

    elsewhere, same_cookie = Browser().comes_back(question, token), Browser(cookies).comes_back(question, token)

    assert (elsewhere.status, elsewhere.code) == (401, "state_already_used")
    assert (same_cookie.status, same_cookie.code) == (401, "state_already_used")


@pytest.mark.parametrize("secret", ["", "guess", "x" * 5000, "0"])
def test_a_forged_proof_from_storage_is_refused(
    stack: Stack, platform: Platform, browser: Browser, secret: str
) -> None:
    question = browser.begins_login(platform)
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY))
    form = {"state": question["state"], "id_token": token, "storage_secret": secret}

    answer = browser.post("/lti/launch/finish", form)

    assert refused(stack, answer) == ((401, "storage_proof_wrong") if secret else (400, "missing_parameter"))


def test_a_cookie_does_not_stand_in_for_the_proof_from_storage(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    question = browser.begins_login(platform)
    ((_, cookie),) = browser.cookies.items()
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY))

    answer = browser.post(
        "/lti/launch/finish", {"state": question["state"], "id_token": token, "storage_secret": cookie}
    )

    assert refused(stack, answer) == (401, "storage_proof_wrong")


def test_forged_kids_cannot_starve_a_real_rotation(platform: Platform, browser: Browser) -> None:
    browser.launches(platform)
    forger = Browser({"__Host-lti-madeupmadeup": "1.madeup"})
    made_up = {"state": f"madeupmadeup.{platform.registration().reference}"}
    claims = platform.claims("n", ACTIVITY)
    forger.comes_back(made_up, compact({"alg": "RS256", "kid": "forged"}, claims, ATTACKER))
    asked = len(platform.requests_to("/jwks"))
    platform.key = rsa_key("rotated")
    platform.published.append(platform.public_jwk(platform.key))

    answer = browser.launches(platform)

    assert asked == 1  # nobody asks on behalf of a browser that began no login
    assert answer.status == 200


def test_a_state_of_one_platform_takes_no_token_of_another(
    stack: Stack, platform: Platform, elsewhere: Platform, browser: Browser
) -> None:
    question = browser.begins_login(platform)
    attempt_id = question["state"].partition(".")[0]
    swapped = {"state": f"{attempt_id}.{elsewhere.registration().reference}"}
    token = elsewhere.signs(elsewhere.claims(question["nonce"], ACTIVITY))

    with_own_state = browser.comes_back(question, token)
    with_swapped_state = browser.comes_back(swapped, token)

    assert refused(stack, with_own_state) == (401, "unknown_kid")
    assert refused(stack, with_swapped_state) == (401, "unknown_state")


def test_a_platform_that_uses_anothers_kid_gains_nothing(
    stack: Stack, platform: Platform, elsewhere: Platform, browser: Browser
) -> None:
    question = browser.begins_login(platform)
    claims = platform.claims(question["nonce"], ACTIVITY)
    token = compact({"alg": "RS256", "kid": platform.key.kid}, claims, elsewhere.key)

    assert refused(stack, browser.comes_back(question, token)) == (401, "bad_signature")


def test_two_client_ids_of_one_issuer_do_not_take_each_others_tokens(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    stack.knows(platform.registration(client_id="client-1b"))
    question = browser.begins_login(platform)
    attempt_id = question["state"].partition(".")[0]
    other = platform.registration(client_id="client-1b").reference
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY, aud="client-1b"))

    assert refused(stack, browser.comes_back(question, token)) == (401, "wrong_audience")
    assert refused(stack, browser.comes_back({"state": f"{attempt_id}.{other}"}, token)) == (401, "unknown_state")


def test_a_launch_from_another_deployment_than_the_login_is_refused(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    both = {"1": DeploymentStatus.ENABLED, "2": DeploymentStatus.ENABLED}
    stack.knows(platform.registration(deployments=both))
    question = browser.begins_login(platform, lti_deployment_id="1")
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY, deployment_id="2"))

    assert refused(stack, browser.comes_back(question, token)) == (401, "deployment_changed")


# --- What people see ----------------------------------------------------------------------------------------------

MARKUP = "</script><script>alert('x')</script><img src=x onerror=alert(1)>"
SHOWN: dict[str, dict[str, Any]] = {
    "name": {"name": MARKUP},
    "email": {"email": MARKUP},
    "sub": {"sub": MARKUP},
    "context": {"context": {"id": MARKUP, "title": MARKUP, "label": MARKUP}},
    "resource link": {"resource_link": {"id": MARKUP, "title": MARKUP, "description": MARKUP}},
    "custom": {"custom": {MARKUP: MARKUP}},
    "locale": {"locale": MARKUP, "presentation": {"locale": MARKUP}},
    "roles": {"roles": [MARKUP]},
    "return address": {"presentation": {"return_url": f"https://lms.example/{MARKUP}"}},
    "services": {AGS + "claim/endpoint": {"lineitem": f"https://lms.example/{MARKUP}", "scope": [MARKUP]}},
    "unknown claim": {MARKUP: MARKUP},
    "unknown LTI claim": {LTI + "surprise": MARKUP},
}


@pytest.mark.parametrize("name", SHOWN)
def test_markup_in_a_claim_stays_text(platform: Platform, browser: Browser, name: str) -> None:
    answer = browser.launches(platform, **SHOWN[name])

    assert answer.status == 200
    assert "alert(" not in answer.body
    assert "alert" not in "".join(f"{header}: {value}" for header, value in answer.headers.items())
    assert answer.page.markup.count("script") == 2
    shown = browser.get("/api/session", token=answer.launch["session"])
    assert shown.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "policy",
    ["https://a.example; script-src *", "https://a.example' 'unsafe-inline'", "https://a.example,*", "https://*"],
)
def test_a_claim_adds_nothing_to_the_policy_of_the_page(platform: Platform, browser: Browser, policy: str) -> None:
    answer = browser.launches(platform, presentation={"return_url": policy + "/x"})

    header = answer.headers["content-security-policy"]
    ancestors = header.partition("frame-ancestors")[2].split()
    assert "unsafe" not in header
    assert header.count("script-src") == 1
    assert set(ancestors) <= {"'self'", "https://platform.example", platform.url, "https://a.example"}


def untouched(contents: Mapping[str, Any]) -> Any:
    """The tables without what the tool remembers of a platform's keys."""
    return {
        table: {key: item for key, item in items.items() if not key.startswith("platform-jwks#")}
        for table, items in contents.items()
    }


def test_a_flood_of_forged_tokens_leaves_the_tables_as_they_were(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    question = browser.begins_login(platform)
    before = stack.contents()
    claims = platform.claims(question["nonce"], ACTIVITY)

    for number in range(30):
        browser.comes_back(question, compact({"alg": "RS256", "kid": f"forged-{number}"}, claims, ATTACKER))

    assert untouched(stack.contents()) == untouched(before)
    assert len(platform.requests_to("/jwks")) <= 2
