"""The unpleasant half: numbers beyond all measure, trickling platforms, odd addresses, half characters."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from lti_tool.adapters.outbound import Outbound, is_public
from lti_tool.adapters.platform_http import PlatformHttp
from lti_tool.domain.errors import PlatformRefusedError, PlatformUnavailableError
from lti_tool.domain.landing import shipped_table
from lti_tool.domain.registration import DeploymentPolicy, DeploymentStatus
from lti_tool.domain.roles import Privilege
from lti_tool.runtime import wiring
from tests.support.browser import ACTIVITY, Browser, receives
from tests.support.platform import ABSENT, Platform, Reply, compact, rsa_key
from tests.support.stack import Stack


def message(platform: Platform, **other: Any) -> dict[str, Any]:
    return {
        "issuer": platform.issuer, "client_id": platform.client_id, "deployment_id": "1",
        "line_item": platform.line_item, "user_id": "user-1", "score_given": 7.5, "score_maximum": 10,
        "activity_progress": "Completed", "grading_progress": "FullyGraded",
        "timestamp": datetime.now(UTC).isoformat(), **other,
    }  # fmt: skip


def test_a_number_beyond_every_number_is_wrong_and_handed_in(platform: Platform, browser: Browser) -> None:
    session = browser.launches(platform).launch["session"]

    answer = browser.post("/api/attempt", document={"answers": {"danube": "1e1000000"}}, token=session)

    assert (answer.status, answer.json()["attempt"]["score_given"]) == (201, 0)


@pytest.mark.parametrize(
    "changed",
    [
        {"line_item": "https://[oops/li"},
        {"line_item": "https://" + "a" * 64 + ".example/li"},
        {"line_item": "https://lms..example/li"},
        {"timestamp": "0001-01-01T00:00:00+14:00"},
        {"timestamp": "9999-12-31T23:59:59-14:00"},
        {"timestamp": "0500-01-01T00:00:00Z"},
        {"user_id": "山" * 255},
    ],
    ids=str,
)
def test_a_message_that_can_never_be_sent_ends(platform: Platform, changed: dict[str, Any]) -> None:
    outcome = receives(message(platform, **changed))

    assert outcome == {"batchItemFailures": []}
    assert wiring.sweep().run() == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["half a body", "broken gzip"],
)
def test_an_answer_that_breaks_off_is_an_unavailable_platform(raw: bytes) -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(raw)

    threading.Thread(target=serve, daemon=True).start()
    url = f"http://127.0.0.1:{server.getsockname()[1]}/token"

    with server, pytest.raises(PlatformUnavailableError):
        PlatformHttp(loopback_http=True).post(url, data=b"", headers={}, what="token_endpoint")


@pytest.mark.parametrize("way", ["key set", "service"])
def test_a_platform_that_trickles_is_not_listened_to_for_ever(way: str) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not stop.wait(0.5):
                    connection.sendall(b" ")
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    url = f"http://127.0.0.1:{server.getsockname()[1]}/x"
    ask: Callable[[], object] = {
        "key set": lambda: Outbound(loopback_http=True).fetch_json(url),
        "service": lambda: PlatformHttp(loopback_http=True).post(url, data=b"", headers={}, what="x"),
    }[way]
    gave_up: list[BaseException] = []

    def asks() -> None:
        try:
            ask()
        except PlatformUnavailableError as error:
            gave_up.append(error)

    asking = threading.Thread(target=asks, daemon=True)
    asking.start()
    asking.join(timeout=20)
    stop.set()
    server.close()

    assert gave_up


def test_replacing_a_platform_replaces_its_deployments(stack: Stack, platform: Platform) -> None:
    stack.knows(platform.registration(deployments={"1": DeploymentStatus.ENABLED, "2": DeploymentStatus.ENABLED}))

    stack.knows(platform.registration(deployments={"1": DeploymentStatus.ENABLED}))

    assert set(wiring.registrations().referred_to(platform.registration().reference).deployments) == {"1"}


def test_a_deep_linking_request_may_come_without_sub_and_roles(platform: Platform, browser: Browser) -> None:
    answer = browser.opens_picker(platform, sub=ABSENT, roles=ABSENT)

    assert (answer.status, answer.code) == (200, "ok")


def test_somebody_without_a_role_sees_no_questions(platform: Platform, browser: Browser) -> None:
    session = browser.launches(platform, roles=[]).launch["session"]

    answer = browser.get("/api/activity", token=session)

    assert (answer.status, answer.code) == (403, "not_permitted")


@pytest.mark.parametrize("document", [{}, {"keys": []}, [], {"error": "maintenance"}])
def test_a_key_set_without_keys_does_not_replace_one_with_keys(
    platform: Platform, browser: Browser, document: object
) -> None:
    browser.launches(platform)
    platform.will_answer("/jwks", Reply(body=json.dumps(document).encode()))
    question = browser.begins_login(platform)
    claims = platform.claims(question["nonce"], ACTIVITY)
    browser.comes_back(question, compact({"alg": "RS256", "kid": "unknown"}, claims, rsa_key("attacker")))

    assert browser.launches(platform).status == 200


def test_a_first_fetch_that_fails_does_not_shut_the_platform_out(platform: Platform, browser: Browser) -> None:
    platform.will_answer("/jwks", Reply(status=503))
    browser.launches(platform)

    started = time.monotonic()
    answer = browser.launches(platform)

    assert answer.status == 200
    assert time.monotonic() - started < 2


def test_a_registration_with_a_new_key_set_address_forgets_the_old_keys(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    browser.launches(platform)
    old = platform.key
    platform.key = rsa_key("rotated")
    platform.published = [platform.public_jwk(platform.key)]
    stack.knows(platform.registration(jwks_uri=f"{platform.url}/jwks?new"))
    question = browser.begins_login(platform)
    claims = platform.claims(question["nonce"], ACTIVITY)

    answer = browser.comes_back(question, compact({"alg": "RS256", "kid": old.kid}, claims, old))

    assert answer.status == 401


def test_a_new_mark_after_a_refused_one_is_on_its_way(stack: Stack, platform: Platform, browser: Browser) -> None:
    session = browser.launches(platform).launch["session"]
    browser.post("/api/attempt", document={"answers": {}}, token=session)
    platform.will_answer("/lineitems/7/lineitem/scores", Reply(status=404))
    receives(*stack.queued())

    again = browser.post("/api/attempt", document={"answers": {}}, token=session).json()["attempt"]

    assert again["delivery"]["state"] == "waiting"
    assert "cause" not in again["delivery"]


def test_a_head_request_begins_no_login(stack: Stack, platform: Platform, browser: Browser) -> None:
    before = stack.contents()

    browser.send("HEAD", "/lti/login", query=platform.initiation(ACTIVITY))

    assert stack.contents() == before


def test_a_refused_launch_writes_down_no_deployment(stack: Stack, platform: Platform, browser: Browser) -> None:
    stack.knows(platform.registration(deployment_policy=DeploymentPolicy.AUTO))
    question = browser.begins_login(platform)
    token = platform.signs(platform.claims("another nonce", ACTIVITY, deployment_id="new"))

    answer = browser.comes_back(question, token)

    assert answer.status == 401
    assert not any("deployment#new" in key for key in stack.contents()["RegistrationsTable"])


@pytest.mark.parametrize("address", ["::7f00:1", "::10.0.0.1", "fec0::1", "::ffff:0:127.0.0.1"])
def test_odd_forms_of_inner_addresses_are_not_public(address: str) -> None:
    assert is_public(address) is False


def test_health_is_bad_when_the_key_does_not_answer(stack: Stack, browser: Browser) -> None:
    import boto3

    assert browser.get("/health").status == 200
    kms = boto3.client("kms", "eu-west-1")
    kms.disable_key(KeyId=stack.environment["SIGNING_KEY_ID"])
    try:
        assert browser.get("/health").status == 503
    finally:
        kms.enable_key(KeyId=stack.environment["SIGNING_KEY_ID"])


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor#TeachingAssistant", {Privilege.GRADER}),
        ("http://purl.imsglobal.org/vocab/lis/v2/membership#Learner#Instructor", {Privilege.CANDIDATE}),
        ("http://purl.imsglobal.org/vocab/lis/v2/membership#TeachingAssistant", {Privilege.GRADER}),
        ("Instructor/Lecturer", {Privilege.PLANNER}),
        ("Learner/Instructor", {Privilege.CANDIDATE}),
    ],
)
def test_spellings_seen_in_the_field_count(role: str, expected: set[Privilege]) -> None:
    rule = shipped_table().rule_for([role], {}, "LtiResourceLinkRequest")

    assert rule is not None
    assert rule.privileges == expected


# status, _, err = lti("activity", "add", writes(b"\xff\xfe")) -> status 1, path in err (today: UnicodeDecodeError)


@pytest.mark.parametrize("life", ["²", "9" * 5000])
def test_a_life_that_no_int_reads_is_a_short_one(platform: Platform, life: str) -> None:
    document = {"access_token": "t", "token_type": "bearer", "expires_in": life}
    platform.will_answer("/token", Reply(body=json.dumps(document).encode()))

    assert receives(message(platform)) == {"batchItemFailures": []}
    assert len(platform.scores) == 1


@pytest.mark.parametrize("path", ["/lti/launch", "/lti/deeplink"])
def test_half_a_surrogate_pair_is_no_fault_of_ours(platform: Platform, path: str) -> None:  # noqa: ARG001
    from tests.support.browser import handler, http_event

    event = http_event("GET", "/lti/login", query="iss=\ud800&client_id=c&login_hint=h&target_link_uri=t")

    assert handler("login")(event, None)["statusCode"] in {400, 403}


def test_a_title_may_begin_with_a_dollar(platform: Platform, browser: Browser) -> None:
    answer = browser.launches(platform, context={"id": "c", "title": "$100 startup"}, custom={"price": "$5"})

    session = browser.get("/api/session", token=answer.launch["session"]).json()
    assert session["context"]["title"] == "$100 startup"
    assert session["custom"] == {"price": "$5"}


def test_an_accent_is_one_letter_however_it_is_encoded() -> None:
    from tests.support.stack import catalogue

    activity = catalogue()[0].model_validate(
        {"id": "x", "title": "X", "kind": "assessment",
         "questions": [{"id": "q", "kind": "text", "prompt": "?", "points": 1, "accept": ["café"]}]}
    )  # fmt: skip
    assert activity.score({"q": "cafe\u0301"}) == 1


def test_a_literal_inner_address_is_refused_as_written() -> None:
    from lti_tool.adapters.outbound import require_allowed

    with pytest.raises(PlatformRefusedError):
        require_allowed("https://169.254.169.254/jwks", loopback_http=False)
