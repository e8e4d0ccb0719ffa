"""Bad input at each door: the right status, a stable code, and nothing written."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from lti_tool.domain.registration import DeploymentPolicy, DeploymentStatus
from lti_tool.runtime import wiring
from tests.support.browser import ACTIVITY, Browser, handler, http_event, receives
from tests.support.fixtures import Logged
from tests.support.platform import ABSENT, INSTRUCTOR, Platform, Reply, compact, rsa_key, serving
from tests.support.stack import TOOL_URL, Stack


@pytest.fixture
def elsewhere(stack: Stack) -> Iterator[Platform]:
    """A second platform that the tool knows."""
    with serving("elsewhere", "client-2") as found:
        found.key = rsa_key("platform-2")
        found.published = [found.public_jwk(found.key)]
        stack.knows(found.registration())
        yield found


# --- Login ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"iss": "https://unknown.example"}, 403, "unknown_platform"),
        ({"iss": "https://unknown.example", "client_id": ABSENT}, 403, "unknown_platform"),
        ({"client_id": "unknown"}, 403, "unknown_client_id"),
        ({"iss": "https://platform.example/"}, 403, "unknown_platform"),
        ({"iss": "HTTPS://PLATFORM.EXAMPLE"}, 403, "unknown_platform"),
        ({"iss": ABSENT}, 400, "missing_parameter"),
        ({"iss": ""}, 400, "missing_parameter"),
        ({"login_hint": ABSENT}, 400, "missing_parameter"),
        ({"login_hint": ""}, 400, "missing_parameter"),
        ({"target_link_uri": ABSENT}, 400, "missing_parameter"),
        ({"iss": "https://unknown.example/" + "ø" * 2000}, 403, "unknown_platform"),
        ({"target_link_uri": "x" * 8193}, 413, "request_too_large"),
        ({"login_hint": "x" * 65_537}, 413, "request_too_large"),
        ({"lti_message_hint": "x" * 65_537}, 413, "request_too_large"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_login_that_is_not_whole_or_not_known_is_refused(
    stack: Stack, platform: Platform, browser: Browser, method: str, changed: dict[str, str], status: int, code: str
) -> None:
    parameters = platform.initiation(ACTIVITY, **changed)
    before = stack.contents()

    answer = browser.get("/lti/login", parameters) if method == "GET" else browser.post("/lti/login", parameters)

    assert (answer.status, answer.code) == (status, code)
    assert "location" not in answer.headers
    assert answer.cookies == ()
    assert stack.contents() == before


@pytest.mark.parametrize(
    ("form", "headers", "status", "code"),
    [
        (b"iss=%FF%FE&login_hint=a&target_link_uri=b", {}, 400, "malformed_form"),
        (b"\xff\xfe\xfd", {}, 400, "malformed_form"),
        (b'{"iss": "https://platform.example"}', {"content-type": "application/json"}, 400, "malformed_form"),
        (b"iss=a&login_hint=b", {"content-type": "multipart/form-data; boundary=x"}, 400, "malformed_form"),
        (b"&".join(b"x%d=1" % number for number in range(300)), {}, 400, "malformed_form"),
        (b"iss=a&iss=b&login_hint=c&target_link_uri=d", {}, 400, "duplicate_parameter"),
        (b"iss=a&login_hint=b&login_hint=b&target_link_uri=d", {}, 400, "duplicate_parameter"),
        (b"x=" + b"a" * 300_000, {}, 413, "request_too_large"),
        (b"nothing", {}, 400, "missing_parameter"),
    ],
)
def test_a_malformed_form_is_refused(
    stack: Stack, browser: Browser, form: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    before = stack.contents()

    login = browser.post("/lti/login", form, headers=headers)
    launch = browser.post(
        "/lti/launch", form.replace(b"iss", b"state").replace(b"login_hint", b"state"), headers=headers
    )

    assert (login.status, login.code) == (status, code)
    assert launch.status in {400, 413}
    assert stack.contents() == before


@pytest.mark.parametrize("path", ["/lti/login", "/lti/launch"])
def test_a_launch_of_lti_1_1_is_told_from_one_that_is_not_whole(stack: Stack, browser: Browser, path: str) -> None:
    before = stack.contents()
    form = {
        "lti_message_type": "basic-lti-launch-request",
        "lti_version": "LTI-1p0",
        "resource_link_id": "7",
        "oauth_consumer_key": "key",
        "oauth_signature": "c2lnbmF0dXJl",
    }

    answer = browser.post(path, form)

    assert (answer.status, answer.code) == (400, "invalid_request")
    assert stack.contents() == before


@pytest.mark.usefixtures("stack")
def test_a_body_that_is_not_base64_is_a_malformed_form() -> None:
    event = http_event("POST", "/lti/login", headers={"content-type": "application/x-www-form-urlencoded"})
    event |= {"isBase64Encoded": True, "body": "%%%not base64%%%"}

    assert handler("login")(event, None)["statusCode"] == 400


def test_an_issuer_with_two_client_ids_has_to_say_which_it_means(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    stack.knows(platform.registration(client_id="client-1b"))

    answer = browser.get("/lti/login", platform.initiation(ACTIVITY, client_id=ABSENT))

    assert (answer.status, answer.code) == (403, "ambiguous_platform")


def test_a_registration_that_is_switched_off_opens_nothing(stack: Stack, platform: Platform, browser: Browser) -> None:
    session = browser.launches(platform).launch["session"]
    question = browser.begins_login(platform)
    stack.knows(platform.registration(enabled=False))

    login = browser.get("/lti/login", platform.initiation(ACTIVITY))
    launch = browser.comes_back(question, platform.signs(platform.claims(question["nonce"], ACTIVITY)))
    call = browser.get("/api/session", token=session)

    assert {(answer.status, answer.code) for answer in (login, launch, call)} == {(403, "platform_disabled")}


def test_a_deployment_that_is_switched_off_keeps_no_session(stack: Stack, platform: Platform, browser: Browser) -> None:
    session = browser.launches(platform).launch["session"]
    picker = browser.opens_picker(platform).launch["session"]
    stack.knows(platform.registration(deployments={"1": DeploymentStatus.DISABLED}))

    call = browser.get("/api/session", token=session)
    selection = browser.post("/lti/deeplink", {"session": picker})

    assert {(answer.status, answer.code) for answer in (call, selection)} == {(403, "deployment_disabled")}


# --- Launch: more of them in tests/conformance ------------------------------------------------------------------


def refused(stack: Stack, browser: Browser, question: dict[str, str], token: str) -> tuple[int, str]:
    """Post an answer that is to be refused; nothing may be stored, and nobody gets a session."""
    before = stack.contents()
    answer = browser.comes_back(question, token)
    after = stack.contents()
    for cached in [key for key in after["LaunchesTable"] if key.startswith("platform-jwks#")]:
        after["LaunchesTable"].pop(cached)  # what the platform publishes may be kept whoever asks
        before["LaunchesTable"].pop(cached, None)
    assert after == before
    assert "session" not in answer.body
    return answer.status, answer.code


def test_a_forged_id_token_is_refused(stack: Stack, platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform)
    claims = platform.claims(question["nonce"], ACTIVITY)
    forged = compact({"alg": "RS256", "kid": platform.key.kid}, claims, rsa_key("somebody"))

    assert refused(stack, browser, question, forged) == (401, "bad_signature")


def test_an_expired_id_token_is_refused(stack: Stack, platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform)
    now = int(time.time())
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY, iat=now - 300, exp=now - 61))

    assert refused(stack, browser, question, token) == (401, "token_expired")


def test_a_replayed_id_token_is_refused(stack: Stack, platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform)
    cookies = dict(browser.cookies)
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY))
    first = browser.comes_back(question, token).launch["session"]
    browser.cookies |= cookies

    assert refused(stack, browser, question, token) == (401, "state_already_used")
    assert browser.get("/api/session", token=first).status == 200


def test_an_id_token_of_another_login_is_refused(stack: Stack, platform: Platform, browser: Browser) -> None:
    spent = browser.begins_login(platform)
    token = platform.signs(platform.claims(spent["nonce"], ACTIVITY))
    browser.comes_back(spent, token)
    question = browser.begins_login(platform)

    assert refused(stack, browser, question, token) == (401, "nonce_mismatch")


def test_an_id_token_of_another_platform_is_refused(
    stack: Stack, platform: Platform, elsewhere: Platform, browser: Browser
) -> None:
    question = browser.begins_login(platform)
    token = elsewhere.signs(elsewhere.claims(question["nonce"], ACTIVITY))

    assert refused(stack, browser, question, token) == (401, "unknown_kid")


def test_nothing_is_spent_by_a_refusal(platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform)
    cookies = dict(browser.cookies)
    expired = platform.signs(platform.claims(question["nonce"], ACTIVITY, iat=1_700_000_000, exp=1_700_000_300))
    wrong_nonce = platform.signs(platform.claims("another nonce", ACTIVITY))
    for token in (expired, wrong_nonce):
        browser.comes_back(question, token)
    browser.cookies = dict.fromkeys(cookies, "1.stolen")
    browser.comes_back(question, platform.signs(platform.claims(question["nonce"], ACTIVITY)))
    browser.cookies = cookies

    honest = browser.comes_back(question, platform.signs(platform.claims(question["nonce"], ACTIVITY)))

    assert honest.status == 200


@pytest.mark.parametrize(
    ("policy", "status", "code", "written_down"),
    [
        (DeploymentPolicy.AUTO, 200, "ok", DeploymentStatus.ENABLED),
        (DeploymentPolicy.APPROVE, 403, "deployment_pending", DeploymentStatus.PENDING),
        (DeploymentPolicy.CLOSED, 403, "unknown_deployment", None),
    ],
)
def test_a_new_deployment_is_treated_as_its_registration_says(
    stack: Stack,
    platform: Platform,
    browser: Browser,
    policy: DeploymentPolicy,
    status: int,
    code: str,
    written_down: DeploymentStatus | None,
) -> None:
    stack.knows(platform.registration(deployment_policy=policy))

    answer = browser.launches(platform, deployment_id="new")

    assert (answer.status, answer.code) == (status, code)
    assert wiring.registrations().deployment_status(platform.registration(), "new") == written_down


def test_a_deployment_that_is_switched_off_is_refused(stack: Stack, platform: Platform, browser: Browser) -> None:
    stack.knows(platform.registration(deployments={"1": DeploymentStatus.DISABLED}))

    answer = browser.launches(platform)

    assert (answer.status, answer.code) == (403, "deployment_disabled")


def test_the_platforms_key_set_is_down_and_nothing_is_spent(platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform)
    platform.will_answer("/jwks", Reply(status=500))

    answer = browser.comes_back(question, platform.signs(platform.claims(question["nonce"], ACTIVITY)))

    assert (answer.status, answer.code) == (502, "platform_unavailable")


# --- Sessions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token", ["", "x", "x.y", ".", "a.", ".b", "a.b.c", "x" * 300, "ä.ö", "../../etc.passwd", "platform-jwks#x.y"]
)
@pytest.mark.usefixtures("stack")
def test_a_token_that_is_not_ours_opens_nothing(browser: Browser, token: str) -> None:
    answer = browser.get("/api/session", token=token)

    assert (answer.status, answer.code) == (401, "session_ended")


def test_a_token_opens_only_with_its_whole_secret(platform: Platform, browser: Browser) -> None:
    token = browser.launches(platform).launch["session"]
    launch_id, _, secret = token.partition(".")
    other = Browser().launches(platform).launch["session"]

    wrong = [launch_id, f"{launch_id}.", f"{launch_id}.{secret[:-1]}", f"{launch_id}.{other.partition('.')[2]}"]

    assert {browser.get("/api/session", token=text).code for text in wrong} == {"session_ended"}


@pytest.mark.parametrize("scheme", ["Basic", "", "Token"])
def test_a_session_wants_a_bearer(platform: Platform, browser: Browser, scheme: str) -> None:
    token = browser.launches(platform).launch["session"]

    answer = browser.get("/api/session", headers={"authorization": f"{scheme} {token}"})

    assert (answer.status, answer.code) == (401, "session_ended")


def test_a_login_that_was_never_answered_is_no_session(platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform)
    attempt_id = question["state"].partition(".")[0]
    ((_, secret),) = browser.cookies.items()

    answer = browser.get("/api/session", token=f"{attempt_id}.{secret}")

    assert (answer.status, answer.code) == (401, "session_ended")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"answers": []}',
        b'{"answers": {"baltic": 1}}',
        b'{"answers": {"a": {"b": "c"}}}',
        b'{"answers": {"a": "' + b"x" * 2001 + b'"}}',
        b"\xff",
        b'{"answers": {"a": "\\ud800"}}',
        b"[" * 100_000,
    ],
)
def test_answers_that_cannot_be_read_are_not_handed_in(
    stack: Stack, platform: Platform, browser: Browser, body: bytes
) -> None:
    session = browser.launches(platform).launch["session"]
    before = stack.contents()

    answer = browser.post("/api/attempt", body, token=session, headers={"content-type": "application/json"})

    assert (answer.status, answer.code in {"invalid_request", "invalid_answers"}) == (400, True)
    assert stack.contents() == before
    assert stack.queued() == []


@pytest.mark.parametrize("document", [None, [], {}, {"activity": 1}, {"activity": None}, {"activity": ["a"]}])
def test_a_binding_that_names_nothing_binds_nothing(
    stack: Stack, platform: Platform, browser: Browser, document: object
) -> None:
    session = browser.launches(platform, roles=[INSTRUCTOR]).launch["session"]
    before = stack.contents()

    answer = browser.send(
        "PUT", "/api/binding", form=json.dumps(document), token=session, headers={"content-type": "application/json"}
    )

    assert (answer.status, answer.code) == (400, "invalid_request")
    assert stack.contents() == before


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=-1", "cursor=x", "limit=99999999999", "cursor=1.5"])
def test_a_catalogue_page_that_cannot_be_is_refused(platform: Platform, browser: Browser, query: str) -> None:
    session = browser.launches(platform, roles=[INSTRUCTOR]).launch["session"]

    answer = browser.get("/api/catalogue", query, token=session)

    assert (answer.status, answer.code) == (400, "invalid_request")


# --- The scores queue -------------------------------------------------------------------------------------------


def score_message(platform: Platform, **other: Any) -> dict[str, Any]:
    message = {
        "issuer": platform.issuer,
        "client_id": platform.client_id,
        "deployment_id": "1",
        "line_item": platform.line_item,
        "user_id": "user-1",
        "score_given": 7.5,
        "score_maximum": 10,
        "activity_progress": "Completed",
        "grading_progress": "FullyGraded",
        "timestamp": datetime.now(UTC).isoformat(),
        **other,
    }
    return {name: value for name, value in message.items() if value is not ABSENT}


def test_a_whole_score_on_the_queue_reaches_the_gradebook(platform: Platform) -> None:
    receives(score_message(platform, comment="Well done", timestamp="2026-11-22T10:00:00.123456+02:00"))

    (score,) = platform.scores
    assert score.json() == {
        "userId": "user-1",
        "scoreGiven": 7.5,
        "scoreMaximum": 10,
        "comment": "Well done",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": "2026-11-22T08:00:00.123Z",
    }


def test_an_older_score_does_not_overtake_a_newer_one(platform: Platform) -> None:
    newer = score_message(platform, score_given=9, timestamp="2026-11-22T10:00:00Z")
    older = score_message(platform, score_given=1, timestamp="2026-11-22T09:00:00Z")

    receives(newer)
    receives(older, older)

    assert [score.json()["scoreGiven"] for score in platform.scores] == [9]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "null",
        "[]",
        '"text"',
        "{}",
        "\x00",
        '{"registration": "x"}',
        '{"registration": "", "line_item": "l", "user_id": "u"}',
        "[" * 5000,
    ],
)
def test_a_message_that_is_no_score_is_recorded_and_ends(stack: Stack, logged: Logged, body: str) -> None:
    before = stack.contents()

    outcome = receives(body)

    assert outcome == {"batchItemFailures": []}
    assert '"code":"invalid_score_message"' in logged()
    assert stack.contents() == before


@pytest.mark.parametrize(
    "changed",
    [
        {"score_given": -1},
        {"score_given": "many"},
        {"score_given": ABSENT},
        {"score_maximum": 0},
        {"score_maximum": ABSENT},
        {"score_given": float("nan")},
        {"score_given": float("inf")},
        {"timestamp": "yesterday"},
        {"timestamp": "2026-11-22T10:00:00"},
        {"timestamp": ABSENT},
        {"user_id": ""},
        {"user_id": "x" * 256},
        {"line_item": ABSENT},
        {"activity_progress": "Done"},
        {"grading_progress": "fullygraded"},
        {"overwrite": "never"},
        {"surprise": 1},
        {"comment": "x" * 4001},
    ],
)
def test_a_score_that_breaks_a_rule_is_recorded_and_ends(
    stack: Stack, platform: Platform, logged: Logged, changed: dict[str, Any]
) -> None:
    before = stack.contents()

    outcome = receives(score_message(platform, **changed))

    assert outcome == {"batchItemFailures": []}
    assert '"code":"invalid_score_message"' in logged()
    assert platform.scores == []
    assert stack.contents() == before


def test_a_score_for_an_unknown_client_id_is_recorded_and_ends(
    stack: Stack, platform: Platform, logged: Logged
) -> None:
    before = stack.contents()

    outcome = receives(score_message(platform, client_id="unknown"))

    assert outcome == {"batchItemFailures": []}
    assert '"code":"unknown_client_id"' in logged()
    assert stack.contents() == before


def test_one_bad_message_holds_up_no_good_ones(platform: Platform) -> None:
    good = [score_message(platform, user_id=f"user-{number}") for number in range(3)]

    outcome = receives(good[0], "not a score", good[1], score_message(platform, client_id="unknown"), good[2])

    assert outcome == {"batchItemFailures": []}
    assert sorted(score.json()["userId"] for score in platform.scores) == ["user-0", "user-1", "user-2"]


@pytest.mark.parametrize("status", [None, DeploymentStatus.PENDING, DeploymentStatus.DISABLED])
def test_a_score_for_a_place_that_is_not_served_ends_among_the_dead_letters(
    platform: Platform, status: DeploymentStatus | None
) -> None:
    if status is not None:
        wiring.registrations().put_deployment(platform.registration(), "elsewhere", status)

    outcome = receives(score_message(platform, deployment_id="elsewhere"))

    assert outcome == {"batchItemFailures": []}
    assert platform.scores == []
    (letter,) = wiring.score_desk().letters()
    assert letter.reason in {"unknown_deployment", "deployment_pending", "deployment_disabled"}


def test_one_refused_score_holds_up_no_good_ones(platform: Platform) -> None:
    path = "/lineitems/7/lineitem/scores"
    platform.will_answer(path, Reply(status=404))

    outcome = receives(score_message(platform), score_message(platform, user_id="user-2"))

    assert outcome == {"batchItemFailures": []}
    assert sorted(score.json()["userId"] for score in platform.scores) == ["user-1", "user-2"]


def test_a_message_whose_store_is_down_comes_back_alone(platform: Platform) -> None:
    good, bad = score_message(platform), score_message(platform, user_id="user-2")
    client = wiring._dynamodb()

    def throttle(params: dict[str, Any], **_: Any) -> Any:
        if "user-2" in json.dumps(params, default=repr):
            raise client.exceptions.ProvisionedThroughputExceededException(
                {"Error": {"Code": "ProvisionedThroughputExceededException"}}, "UpdateItem"
            )

    client.meta.events.register("before-call.dynamodb.UpdateItem", throttle)
    try:
        outcome = receives(good, bad)
    finally:
        client.meta.events.unregister("before-call.dynamodb.UpdateItem", throttle)

    assert outcome == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert len(platform.scores) == 1


def test_no_log_line_holds_a_token_a_name_or_a_score(
    stack: Stack, platform: Platform, browser: Browser, logged: Logged
) -> None:
    question = browser.begins_login(platform)
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY, picture="x"))
    session = browser.comes_back(question, token).launch["session"]
    browser.comes_back(question, token)
    browser.post("/api/attempt", document={"answers": {"danube": "2850"}}, token=session)
    platform.will_answer("/lineitems/7/lineitem/scores", Reply(status=401), Reply(status=403))
    receives(*stack.queued())
    browser.get("/lti/login", platform.initiation(ACTIVITY, iss="https://unknown.example"))

    lines = logged()

    secrets = [token, session, question["state"], question["nonce"], "Ada", "ada@", "2850", "user-1", "unknown.example"]
    secrets += [request.form()["client_assertion"] for request in platform.requests_to("/token")]
    secrets += [request.headers["Authorization"].partition(" ")[2] for request in platform.scores]
    assert lines
    assert [secret for secret in secrets if secret in lines] == []


def test_a_support_id_on_the_page_is_found_in_the_log(platform: Platform, browser: Browser, logged: Logged) -> None:
    answer = browser.get("/lti/login", platform.initiation(ACTIVITY, iss="https://unknown.example"))

    lines = [json.loads(line) for line in logged().splitlines() if "support_id" in line]
    assert [(line["code"], line["support_id"]) for line in lines] == [
        ("unknown_platform", answer.page.texts["support-id"])
    ]


def test_what_came_in_is_never_reflected(platform: Platform, browser: Browser) -> None:
    marked = '"><script>alert(1)</script>'
    answers = [
        browser.get("/lti/login", platform.initiation(ACTIVITY, iss=marked)),
        browser.get("/lti/login", {"iss": marked, marked: marked}),
        browser.post("/lti/launch", {"state": marked, "error": marked, "error_description": marked}),
        browser.post("/lti/launch", {"state": f"a.{marked}", "error": marked, "error_description": marked}),
        browser.post("/lti/deeplink", {"session": marked}),
        browser.get(f"/nowhere/{marked}"),
        browser.get(f"/app/{marked}"),
        browser.launches(platform, f"{TOOL_URL}/{marked}", version=marked),
    ]

    assert all(answer.status >= 400 for answer in answers)
    assert [answer.body for answer in answers if "alert" in answer.body] == []
