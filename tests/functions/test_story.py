"""The main path through the real handlers: login, launch, activity, attempt, mark."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from tests.support.browser import ACTIVITY, Browser, receives
from tests.support.platform import AGS, INSTRUCTOR, LEARNER, Platform, Reply, verified_by_jwks
from tests.support.stack import TOOL_URL, Stack, catalogue, right_answers

CAPITALS = next(activity for activity in catalogue() if activity.id == "capitals-and-rivers")


def test_a_learner_launches_answers_and_the_mark_reaches_the_gradebook(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    launched = browser.launches(platform)
    session = launched.launch["session"]

    activity = browser.get("/api/activity", token=session).json()["activity"]
    handed_in = browser.post("/api/attempt", document={"answers": right_answers(CAPITALS)}, token=session)
    messages = stack.queued()
    outcome = receives(*messages)

    assert launched.launch["landing"] == "/app/activity"
    assert [question["id"] for question in activity["questions"]] == [question.id for question in CAPITALS.questions]
    assert (handed_in.status, handed_in.json()["attempt"]["score_given"]) == (201, 10)
    assert handed_in.json()["attempt"]["delivery"]["state"] == "waiting"
    assert len(messages) == 1
    assert outcome == {"batchItemFailures": []}
    (score,) = platform.scores
    assert (score.method, score.path, score.query) == ("POST", "/lineitems/7/lineitem/scores", "type_id=2")
    assert score.headers["Content-Type"] == "application/vnd.ims.lis.v1.score+json"
    sent = score.json()
    timestamp = sent.pop("timestamp")
    assert sent.pop("submission") == {"submittedAt": timestamp}
    assert sent == {
        "userId": "user-1",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "scoreGiven": 10,
        "scoreMaximum": 10,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", timestamp)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(timestamp)).total_seconds()) < 60
    shown = browser.get("/api/activity", token=session).json()["attempt"]
    assert shown["delivery"]["state"] == "sent"


def test_the_tool_buys_its_access_token_with_an_assertion_that_its_own_key_set_verifies(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    session = browser.launches(platform).launch["session"]
    browser.post("/api/attempt", document={"answers": {}}, token=session)

    receives(*stack.queued())

    (request,) = platform.requests_to("/token")
    form = request.form()
    assertion = verified_by_jwks(form.pop("client_assertion"), browser.get("/lti/jwks.json").json())
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in request.headers
    assert form == {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "scope": AGS + "scope/score",
    }
    assert (assertion["iss"], assertion["sub"]) == (platform.client_id, platform.client_id)
    assert assertion["aud"] == f"{platform.url}/token"
    assert len(assertion["jti"]) >= 22
    assert 0 < assertion["exp"] - assertion["iat"] <= 300


def test_a_message_that_comes_twice_posts_one_score(stack: Stack, platform: Platform, browser: Browser) -> None:
    session = browser.launches(platform).launch["session"]
    browser.post("/api/attempt", document={"answers": {}}, token=session)
    messages = stack.queued()

    receives(*messages, *messages)
    receives(*messages)

    assert len(platform.scores) == 1


def test_the_newest_attempt_counts(stack: Stack, platform: Platform, browser: Browser) -> None:
    session = browser.launches(platform).launch["session"]
    browser.post("/api/attempt", document={"answers": right_answers(CAPITALS)}, token=session)
    receives(*stack.queued())

    browser.post("/api/attempt", document={"answers": {}}, token=session)
    receives(*stack.queued())

    earlier, later = (score.json() for score in platform.scores)
    assert (earlier["scoreGiven"], later["scoreGiven"]) == (10, 0)
    assert earlier["timestamp"] < later["timestamp"]


def test_staff_sees_who_has_which_mark_and_whether_it_arrived(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    learner = browser.launches(platform).launch["session"]
    browser.post("/api/attempt", document={"answers": right_answers(CAPITALS)}, token=learner)
    receives(*stack.queued())

    teacher = Browser().launches(platform, roles=[INSTRUCTOR], sub="teacher-1").launch
    marks = browser.get("/api/marks", token=teacher["session"]).json()

    assert teacher["landing"] == "/app/marks"
    (row,) = marks["learners"]
    assert (row["user_id"], row["name"], row["score_given"]) == ("user-1", "Ada Example", 10)
    assert row["delivery"]["state"] == "sent"


def test_an_empty_link_is_bound_by_its_teacher_and_then_opens(platform: Platform, browser: Browser) -> None:
    nowhere = f"{TOOL_URL}/activities"
    learner = browser.launches(platform, nowhere).launch["session"]
    teacher = Browser().launches(platform, nowhere, roles=[INSTRUCTOR], sub="teacher-1").launch["session"]
    unbound = browser.get("/api/activity", token=learner)

    bound = browser.send("PUT", "/api/binding", document={"activity": "photosynthesis"}, token=teacher)

    assert (unbound.status, unbound.code) == (404, "activity_not_bound")
    assert bound.status == 204
    assert browser.get("/api/activity", token=learner).json()["activity"]["id"] == "photosynthesis"


def test_a_custom_parameter_says_what_a_link_opens(platform: Platform, browser: Browser) -> None:
    launched = browser.launches(platform, f"{TOOL_URL}/", custom={"activity_id": "photosynthesis"})

    activity = browser.get("/api/activity", token=launched.launch["session"]).json()["activity"]

    assert activity["id"] == "photosynthesis"


def test_the_session_shows_the_launch_as_the_tool_understood_it(platform: Platform, browser: Browser) -> None:
    token = browser.launches(
        platform,
        custom={"level": 3, "due": "$ResourceLink.submission.endDateTime"},
        presentation={"return_url": "https://lms.example/course/1", "locale": "nb-NO"},
    ).launch["session"]

    session = browser.get("/api/session", token=token).json()

    assert session.pop("services")["ags"]["lineitem"] == platform.line_item
    assert session == {
        "launch_id": token.partition(".")[0],
        "message_type": "LtiResourceLinkRequest",
        "issuer": "https://platform.example",
        "client_id": "client-1",
        "deployment_id": "1",
        "user": {"id": "user-1", "name": "Ada Example", "email": "ada@school.example"},
        "roles": [LEARNER],
        "privileges": ["candidate"],
        "rights": ["take"],
        "rule": "learners",
        "landing": "/app/activity",
        "context": {"id": "course-1", "title": "Geography", "type": []},
        "resource_link": {"id": "link-1", "title": "Week 1"},
        "custom": {"level": "3"},
        "line_item": platform.line_item,
        "locale": "nb-NO",
        "return_url": "https://lms.example/course/1",
    }


def test_learners_see_no_answers(platform: Platform, browser: Browser) -> None:
    session = browser.launches(platform).launch["session"]

    activity = browser.get("/api/activity", token=session).json()["activity"]

    assert all({"answer", "accept", "tolerance"}.isdisjoint(question) for question in activity["questions"])


@pytest.mark.parametrize(
    ("method", "path", "document", "role"),
    [
        ("GET", "/api/marks", None, LEARNER),
        ("PUT", "/api/binding", {"activity": "photosynthesis"}, LEARNER),
        ("POST", "/api/attempt", {"answers": {}}, INSTRUCTOR),
        ("POST", "/api/attempt", {"answers": {}}, "https://example.org/roles#Unknown"),
    ],
)
def test_each_call_wants_its_role(
    stack: Stack, platform: Platform, browser: Browser, method: str, path: str, document: object, role: str
) -> None:
    session = browser.launches(platform, roles=[role]).launch["session"]
    before = stack.contents()

    answer = browser.send(method, path, document=document, token=session)

    assert (answer.status, answer.code) == (403, "not_permitted")
    assert stack.contents() == before


def test_a_teacher_who_looks_as_a_student_sends_no_score(stack: Stack, platform: Platform, browser: Browser) -> None:
    roles = [LEARNER, "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"]
    session = browser.launches(platform, roles=roles).launch["session"]

    answer = browser.post("/api/attempt", document={"answers": {}}, token=session)

    assert answer.json()["attempt"]["delivery"]["state"] == "not_sent"
    assert stack.queued() == []


def test_a_link_without_a_gradebook_column_keeps_its_mark_here(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    endpoint = {"scope": [AGS + "scope/score"], "lineitems": f"{platform.url}/lineitems", "lineitem": ""}
    session = browser.launches(platform, endpoint=endpoint).launch["session"]

    answer = browser.post("/api/attempt", document={"answers": {}}, token=session)

    assert (answer.status, answer.json()["attempt"]["delivery"]["state"]) == (201, "not_sent")
    assert stack.queued() == []


def test_the_catalogue_is_searched_and_paged(platform: Platform, browser: Browser) -> None:
    session = browser.opens_picker(platform).launch["session"]

    found = browser.get("/api/catalogue", {"query": "RIVERS european"}, token=session).json()
    first = browser.get("/api/catalogue", {"limit": "3"}, token=session).json()
    second = browser.get("/api/catalogue", {"limit": "3", "cursor": first["cursor"]}, token=session).json()

    assert [activity["id"] for activity in found["activities"]] == ["capitals-and-rivers"]
    together = [activity["id"] for activity in first["activities"] + second["activities"]]
    assert together == sorted(activity.id for activity in catalogue())
    assert second["cursor"] is None


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_login_begins_by_get_and_by_post(platform: Platform, browser: Browser, method: str) -> None:
    parameters = platform.initiation(ACTIVITY)

    answer = browser.get("/lti/login", parameters) if method == "GET" else browser.post("/lti/login", parameters)

    question = answer.question
    assert answer.status == 302
    assert answer.headers["location"].startswith(f"{platform.url}/auth?")
    assert len(question.pop("state")) >= 22
    assert len(question.pop("nonce")) >= 22
    assert question == {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": "client-1",
        "redirect_uri": f"{TOOL_URL}/lti/launch",
        "login_hint": "hint of a person",
        "lti_message_hint": "hint of a message",
    }


@pytest.mark.parametrize("hint", ["", "a b+c&d=e", "ä/ü?#%25", '{"a": 1}\n', "🎓"])
def test_hints_are_echoed_unaltered(platform: Platform, browser: Browser, hint: str) -> None:
    question = browser.begins_login(platform, login_hint=hint or "x", lti_message_hint=hint)

    assert question["lti_message_hint"] == hint
    assert question["login_hint"] == (hint or "x")


def test_a_login_without_message_hint_asks_without_one(platform: Platform, browser: Browser) -> None:
    answer = browser.get("/lti/login", {k: v for k, v in platform.initiation(ACTIVITY).items() if "message" not in k})

    assert "lti_message_hint" not in answer.question


def test_an_endpoint_keeps_its_own_query_and_cannot_overrule_ours(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    endpoint = f"{platform.url}/auth?tenant=a%20b&scope=everything&blank="
    stack.knows(platform.registration(authorization_endpoint=endpoint))

    question = browser.begins_login(platform)

    assert (question["tenant"], question["blank"], question["scope"]) == ("a b", "", "openid")


def test_a_login_without_client_id_finds_the_only_registration_of_its_issuer(
    platform: Platform, browser: Browser
) -> None:
    parameters = {name: value for name, value in platform.initiation(ACTIVITY).items() if name != "client_id"}

    assert browser.get("/lti/login", parameters).question["client_id"] == "client-1"


def test_the_state_cookie_is_bound_to_host_and_frame(platform: Platform, browser: Browser) -> None:
    answer = browser.get("/lti/login", platform.initiation(ACTIVITY))

    (cookie,) = answer.cookies
    name, *attributes = (part.strip() for part in cookie.split(";"))
    assert name.startswith("__Host-lti-")
    assert set(attributes) == {"Path=/", "Max-Age=600", "Secure", "HttpOnly", "SameSite=None", "Partitioned"}


def test_launches_in_several_tabs_do_not_mix(platform: Platform, browser: Browser) -> None:
    first, second = browser.begins_login(platform), browser.begins_login(platform)

    later = browser.comes_back(second, platform.signs(platform.claims(second["nonce"], ACTIVITY, sub="second")))
    earlier = browser.comes_back(first, platform.signs(platform.claims(first["nonce"], ACTIVITY, sub="first")))

    users = [
        browser.get("/api/session", token=answer.launch["session"]).json()["user"]["id"] for answer in (earlier, later)
    ]
    assert users == ["first", "second"]
    assert browser.cookies == {}


def test_old_cookies_are_forgotten_before_the_headers_overflow(platform: Platform, browser: Browser) -> None:
    questions = [browser.begins_login(platform) for _ in range(12)]

    newest = questions[-1]

    assert len(browser.cookies) == 8
    token = platform.signs(platform.claims(newest["nonce"], ACTIVITY))
    assert browser.comes_back(newest, token).status == 200


def test_the_score_is_tried_again_when_the_platform_is_down(stack: Stack, platform: Platform, browser: Browser) -> None:
    session = browser.launches(platform).launch["session"]
    browser.post("/api/attempt", document={"answers": {}}, token=session)
    platform.will_answer("/token", Reply(status=503))

    outcome = receives(*stack.queued())

    attempt = browser.get("/api/activity", token=session).json()["attempt"]
    assert outcome == {"batchItemFailures": []}
    assert platform.scores == []
    assert attempt["delivery"]["state"] == "waiting"
    assert attempt["delivery"]["cause"] == "token_endpoint_down"
    (entry,) = (item for key, item in stack.contents()["RecordsTable"].items() if key.startswith("scores#"))
    assert "due" in entry
