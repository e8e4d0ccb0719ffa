"""The vendor's backend hands in scores and asks what became of them. Who may call is the gateway's to say."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lti_tool.domain.activity import parse_activity
from lti_tool.domain.registration import DeploymentStatus, PlatformFamily
from lti_tool.runtime import wiring
from tests.support.browser import Browser, receives
from tests.support.fixtures import Logged
from tests.support.platform import ABSENT, DL, INSTRUCTOR, Platform, Reply, verified_by_jwks
from tests.support.stack import TOOL_URL, Stack, forget, template

NOON = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)


def message(platform: Platform, **other: Any) -> dict[str, Any]:
    values = {
        "issuer": platform.issuer,
        "client_id": platform.client_id,
        "deployment_id": "1",
        "line_item": platform.line_item,
        "user_id": "user-1",
        "score_given": 27,
        "score_maximum": 40,
        "activity_progress": "Completed",
        "grading_progress": "FullyGraded",
        "timestamp": NOON.isoformat(),
        **other,
    }
    return {name: value for name, value in values.items() if value is not ABSENT}


def test_a_score_is_taken_and_reaches_the_gradebook(stack: Stack, platform: Platform, browser: Browser) -> None:
    taken = browser.post("/api/scores", document=message(platform))
    waiting = browser.get(taken.headers["location"]).json()
    receives(*stack.queued())
    sent = browser.get(taken.headers["location"]).json()

    assert taken.status == 202
    assert taken.json() == {"id": waiting["id"], "state": "waiting"}
    assert (waiting["state"], waiting["attempts"]) == ("waiting", 0)
    assert (sent["state"], sent["attempts"]) == ("sent", 1)
    assert sent["timestamp"] == sent["sent_timestamp"] == "2026-11-22T12:00:00.250Z"
    assert [score.json()["scoreGiven"] for score in platform.scores] == [27]


def test_a_score_is_taken_while_the_platform_is_down_and_says_why_it_waits(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    platform.will_answer("/token", *[Reply(status=503)] * 3)

    taken = browser.post("/api/scores", document=message(platform))
    asked_by_the_request = list(platform.received)
    receives(*stack.queued())
    score = browser.get(taken.headers["location"]).json()

    assert taken.status == 202
    assert asked_by_the_request == []
    assert (score["state"], score["cause"]) == ("waiting", "token_endpoint_down")
    assert "sent again by itself" in score["sentence"]
    assert datetime.fromisoformat(score["next_try_at"]) > datetime.now(UTC)


def test_a_score_is_safe_even_when_the_queue_does_not_answer(
    stack: Stack, platform: Platform, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.sqs.delete_queue(QueueUrl=stack.queue_url)

    taken = browser.post("/api/scores", document=message(platform))
    stack.sqs.create_queue(QueueName="ScoresQueue")
    later = datetime.now(UTC) + timedelta(minutes=5)
    monkeypatch.setattr(wiring, "now", lambda: later)
    wiring.sweep().run()
    receives(*stack.queued())

    assert taken.status == 202
    assert browser.get(taken.headers["location"]).json()["state"] == "sent"


def test_repeating_a_score_changes_nothing(stack: Stack, platform: Platform, browser: Browser) -> None:
    first = browser.post("/api/scores", document=message(platform))
    receives(*stack.queued())
    before = stack.contents()

    again = browser.post("/api/scores", document=message(platform))

    assert again.json() == {"id": first.json()["id"], "state": "sent"}
    assert stack.contents() == before
    assert stack.queued() == []


def test_an_older_score_is_superseded_and_says_so(stack: Stack, platform: Platform, browser: Browser) -> None:
    browser.post("/api/scores", document=message(platform))
    before = stack.contents()

    earlier = message(platform, score_given=3, timestamp=(NOON - timedelta(milliseconds=1)).isoformat())
    answer = browser.post("/api/scores", document=earlier)

    assert (answer.status, answer.json()["state"]) == (200, "superseded")
    assert stack.contents() == before


def test_two_different_scores_of_one_moment_are_a_conflict(stack: Stack, platform: Platform, browser: Browser) -> None:
    browser.post("/api/scores", document=message(platform))
    before = stack.contents()

    answer = browser.post("/api/scores", document=message(platform, score_given=28))

    assert (answer.status, answer.code) == (409, "score_conflict")
    assert stack.contents() == before


def test_a_newer_score_keeps_the_id(platform: Platform, browser: Browser) -> None:
    newer = (NOON + timedelta(seconds=5)).isoformat()

    answers = [
        browser.post("/api/scores", document=document)
        for document in (message(platform), message(platform, timestamp=newer, score_given=28))
    ]

    assert [answer.json() for answer in answers] == [answers[0].json()] * 2


def test_an_id_names_no_person(platform: Platform, browser: Browser) -> None:
    people = [browser.post("/api/scores", document=message(platform, user_id=name)) for name in ("ada-lovelace", "42")]
    columns = browser.post("/api/scores", document=message(platform, line_item=platform.line_item + "0", user_id="42"))

    ids = [answer.json()["id"] for answer in (*people, columns)]
    assert len({found[44:] for found in ids}) == 3, "the same learner has another name in each column"
    assert not any("ada" in found or "lovelace" in found for found in ids)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"score_given": -1}, "score_given"),
        ({"score_given": "many"}, "score_given"),
        ({"score_given": "27"}, "score_given"),
        ({"score_given": True}, "score_given"),
        ({"score_given": ABSENT}, "message"),
        ({"score_maximum": 0}, "score_maximum"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": "2026-11-22T10:00:00"}, "timestamp"),
        ({"timestamp": 1_795_348_800}, "timestamp"),
        ({"timestamp": "2100-01-01T00:00:00Z"}, "timestamp"),
        ({"user_id": ""}, "user_id"),
        ({"user_id": 7}, "user_id"),
        ({"line_item": "ftp://lms.example/1"}, "line_item"),
        ({"activity_progress": "Done"}, "activity_progress"),
        ({"grading_progress": ABSENT}, "grading_progress"),
        ({"overwrite": "never"}, "overwrite"),
        ({"surprise": 1}, "surprise"),
        ({"comment": "x" * 4001}, "comment"),
    ],
)
def test_a_score_that_breaks_a_rule_is_refused_by_the_name_of_the_field(
    stack: Stack, platform: Platform, browser: Browser, changed: dict[str, Any], field: str
) -> None:
    before = stack.contents()

    answer = browser.post("/api/scores", document=message(platform, **changed))

    assert (answer.status, answer.code) == (422, "invalid_score_message")
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]
    assert answer.json()["errors"][0]["problem"]
    assert stack.contents() == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 5000, b'"score"'])
def test_what_is_no_json_object_is_refused(stack: Stack, browser: Browser, body: bytes) -> None:
    before = stack.contents()

    answer = browser.post("/api/scores", body, headers={"content-type": "application/json"})

    assert (answer.status, answer.code) == (422, "invalid_score_message")
    assert stack.contents() == before


def test_a_body_that_is_too_large_is_refused(browser: Browser) -> None:
    assert browser.post("/api/scores", b" " * (256 * 1024 + 1)).code == "request_too_large"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"issuer": "https://nobody.example"}, "unknown_platform"),
        ({"client_id": "another"}, "unknown_client_id"),
        ({"deployment_id": "unheard-of"}, "unknown_deployment"),
    ],
)
def test_a_score_for_somebody_unknown_is_refused(
    stack: Stack, platform: Platform, browser: Browser, changed: dict[str, Any], code: str
) -> None:
    before = stack.contents()

    answer = browser.post("/api/scores", document=message(platform, **changed))

    assert (answer.status, answer.code) == (403, code)
    assert stack.contents() == before


@pytest.mark.parametrize(
    ("registered", "code"),
    [
        ({"enabled": False}, "platform_disabled"),
        ({"deployments": {"1": DeploymentStatus.DISABLED}}, "deployment_disabled"),
        ({"deployments": {"1": DeploymentStatus.PENDING}}, "deployment_pending"),
    ],
)
def test_a_score_for_what_is_switched_off_is_refused(
    stack: Stack, platform: Platform, browser: Browser, registered: dict[str, Any], code: str
) -> None:
    stack.knows(platform.registration(**registered))

    answer = browser.post("/api/scores", document=message(platform))

    assert (answer.status, answer.code) == (403, code)
    assert stack.queued() == []


@pytest.mark.parametrize("name", ["r" * 66, "short", "r" * 65 + "%", "../session", "a/b", "é" * 66])
def test_an_id_that_no_score_has_is_not_found(browser: Browser, stack: Stack, name: str) -> None:
    before = stack.contents()

    answer = browser.get(f"/api/scores/{name}")

    assert (answer.status, answer.code) == (404, "unknown_score")
    assert stack.contents() == before


def test_the_logs_hold_neither_learner_nor_mark(platform: Platform, browser: Browser, logged: Logged) -> None:
    browser.post("/api/scores", document=message(platform, user_id="learner-of-note", comment="Well written"))
    browser.post("/api/scores", document=message(platform, user_id="learner-of-note", score_given=-31.5))

    lines = logged()
    assert '"code":"invalid_score_message"' in lines
    assert not [word for word in ("learner-of-note", "Well written", "31.5", platform.line_item) if word in lines]


# --- Launches that go on to the vendor's app ------------------------------------------------------------------------

APP = parse_activity(
    {
        "id": "laboratory",
        "title": "The laboratory",
        "kind": "external",
        "url": "https://app.vendor.example/open?tenant=7#top",
        "score_maximum": 40,
    }
)
LABORATORY = f"{TOOL_URL}/activities/laboratory"


def departs(browser: Browser, platform: Platform, **claims: Any) -> str:
    """A person opens the external activity; the code that their browser carries on."""
    session = browser.launches(platform, LABORATORY, **claims).launch["session"]
    answer = browser.post("/api/departure", token=session)
    assert answer.status == 201, answer.body
    return code_in(answer.json()["url"])


def code_in(url: str) -> str:
    return parse_qs(urlsplit(url).query)["code"][0]


def test_a_launch_of_an_external_activity_goes_on_to_the_app_with_a_code(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    stack.offers(APP)
    session = browser.launches(platform, LABORATORY).launch["session"]
    opened = browser.get("/api/activity", token=session).json()

    url = browser.post("/api/departure", token=session).json()["url"]

    assert opened == {"activity": browser_view(), "attempt": None}
    code = code_in(url)
    assert url == f"https://app.vendor.example/open?tenant=7&code={code}#top"
    assert len(code) >= 43
    assert not any(code in str(item) for item in stack.contents()["LaunchesTable"].values())


def browser_view() -> dict[str, Any]:
    """What a page is told of the app: not its address, which goes out with a code or not at all."""
    return {"id": "laboratory", "title": "The laboratory", "description": "", "kind": "external", "score_maximum": 40}


def test_the_backend_gets_the_launch_as_the_tool_understood_it(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    stack.offers(APP)
    session = browser.launches(platform, LABORATORY).launch["session"]
    url = browser.post("/api/departure", token=session).json()["url"]

    answer = browser.get(f"/api/launches/{code_in(url)}")

    assert answer.status == 200
    assert answer.json() == {**browser.get("/api/session", token=session).json(), "activity": browser_view()}
    assert session.partition(".")[2] not in answer.body, "the browser's own token is not the backend's"


def test_a_code_works_once_and_no_other_code_works(stack: Stack, platform: Platform, browser: Browser) -> None:
    stack.offers(APP)
    code = departs(browser, platform)

    answers = [browser.get(f"/api/launches/{tried}") for tried in (code[:-1] + "~", code, code)]

    assert [(answer.status, answer.code) for answer in answers] == [
        (404, "launch_code_ended"),
        (200, "ok"),
        (404, "launch_code_ended"),
    ]


def test_a_head_request_does_not_use_the_code_up(stack: Stack, platform: Platform, browser: Browser) -> None:
    stack.offers(APP)
    code = departs(browser, platform)

    browser.send("HEAD", f"/api/launches/{code}")

    assert browser.get(f"/api/launches/{code}").status == 200


def test_of_many_exchanges_at_once_one_succeeds(stack: Stack, platform: Platform, browser: Browser) -> None:
    stack.offers(APP)
    code = departs(browser, platform)

    with ThreadPoolExecutor(8) as beside:
        statuses = list(beside.map(lambda _: browser.get(f"/api/launches/{code}").status, range(8)))

    assert sorted(statuses) == [200] + [404] * 7


def test_a_code_ends_after_two_minutes(
    stack: Stack, platform: Platform, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.offers(APP)
    codes = [departs(browser, platform) for _ in range(2)]
    began = datetime.now(UTC)

    statuses = []
    for code, seconds in zip(codes, (110, 121), strict=True):
        forget(but=("_dynamodb", "_queue", "signer"))
        monkeypatch.setattr(wiring, "now", lambda seconds=seconds: began + timedelta(seconds=seconds))
        statuses.append(browser.get(f"/api/launches/{code}").status)

    assert statuses == [200, 404]


def test_a_code_ends_with_its_registration(stack: Stack, platform: Platform, browser: Browser) -> None:
    stack.offers(APP)
    code = departs(browser, platform)
    stack.knows(platform.registration(enabled=False))

    assert browser.get(f"/api/launches/{code}").code == "platform_disabled"


@pytest.mark.parametrize(
    ("target", "claims", "code"),
    [
        (f"{TOOL_URL}/activities/capitals-and-rivers", {}, "unknown_activity"),
        (f"{TOOL_URL}/activities", {}, "activity_not_bound"),
        (LABORATORY, {"roles": ["https://example.org/roles#Unknown"]}, "not_permitted"),
    ],
)
def test_only_an_external_activity_sends_anybody_on(
    stack: Stack, platform: Platform, browser: Browser, target: str, claims: dict[str, Any], code: str
) -> None:
    stack.offers(APP)
    session = browser.launches(platform, target, **claims).launch["session"]
    before = stack.contents()

    answer = browser.post("/api/departure", token=session)

    assert answer.code == code
    assert stack.contents() == before


def test_an_external_activity_takes_no_answers_here(stack: Stack, platform: Platform, browser: Browser) -> None:
    stack.offers(APP)
    session = browser.launches(platform, LABORATORY).launch["session"]

    answer = browser.post("/api/attempt", document={"answers": {}}, token=session)

    assert (answer.status, answer.code) == (403, "not_permitted")


@pytest.mark.parametrize(("maximum", "columns"), [(40, [40]), (None, [])])
def test_an_external_activity_is_picked_and_brings_its_column_if_it_has_one(
    stack: Stack, platform: Platform, browser: Browser, maximum: float | None, columns: list[float]
) -> None:
    stack.offers(APP.model_copy(update={"score_maximum": maximum}))
    session = browser.opens_picker(platform).launch["session"]

    listed = browser.get("/api/catalogue", {"query": "laboratory"}, token=session).json()["activities"]
    page = browser.post("/lti/deeplink", {"session": session, "activity": "laboratory"}).page

    assert [(entry["kind"], entry["score_maximum"]) for entry in listed] == [("external", maximum)]
    (item,) = verified_by_jwks(page.fields["JWT"], browser.get("/lti/jwks.json").json())[DL + "content_items"]
    assert (item["title"], item["url"]) == ("The laboratory", LABORATORY)
    assert [item[part]["scoreMaximum"] for part in item if part == "lineItem"] == columns


def test_staff_sees_the_scores_that_the_app_sent_under_the_names_of_those_who_came(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    stack.offers(APP)
    learner = browser.launches(platform, LABORATORY).launch["session"]
    browser.get("/api/activity", token=learner)
    browser.post("/api/scores", document=message(platform))
    browser.post("/api/scores", document=message(platform, user_id="user-2", score_given=31))
    receives(*stack.queued())

    teacher = Browser().launches(platform, LABORATORY, roles=[INSTRUCTOR], sub="teacher-1").launch
    marks = browser.get("/api/marks", token=teacher["session"]).json()

    rows = {row["user_id"]: (row.get("name"), row["score_given"], row["score_maximum"]) for row in marks["learners"]}
    assert rows == {"user-1": ("Ada Example", 27, 40), "user-2": (None, 31, 40)}
    assert {row["delivery"]["state"] for row in marks["learners"]} == {"sent"}


# --- Another account ------------------------------------------------------------------------------------------------


def test_the_role_for_another_account_calls_these_routes_and_sends_messages_and_nothing_else() -> None:
    role = template()["Resources"]["VendorRole"]
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    (policy,) = role["Properties"]["Policies"]
    calls, sends = policy["PolicyDocument"]["Statement"]

    assert role["Condition"] == "HasVendor"
    assert list(trust["Condition"]) == ["StringEquals"]
    assert list(trust["Condition"]["StringEquals"]) == ["sts:ExternalId"]
    assert calls["Action"] == "execute-api:Invoke"
    assert [resource.partition("${HttpApi}/$default/")[2] for resource in calls["Resource"]] == [
        "POST/api/scores",
        "GET/api/scores/*",
        "GET/api/launches/*",
    ]
    assert (sends["Action"], sends["Resource"]) == ("sqs:SendMessage", "ScoresQueue.Arn")


# --- Scores that name a link ------------------------------------------------------------------------------------------


def test_a_score_may_name_the_link_instead_of_its_column(stack: Stack, platform: Platform, browser: Browser) -> None:
    stack.offers(APP)
    departs(browser, platform)

    taken = browser.post("/api/scores", document=message(platform, line_item=ABSENT, resource_link_id="link-1"))
    receives(*stack.queued())

    assert taken.status == 202
    assert browser.get(taken.headers["location"]).json()["state"] == "sent"
    assert taken.json()["id"] == browser.post("/api/scores", document=message(platform)).json()["id"]


def test_a_link_whose_launch_named_no_column_gets_one_of_its_own(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    stack.offers(APP)
    made = {"id": platform.line_item, "label": "x", "scoreMaximum": 40}
    platform.will_answer("/lineitems", Reply(body=b"[]"), Reply(status=201, body=json.dumps(made).encode()))
    departs(browser, platform, endpoint={"scope": [], "lineitems": f"{platform.url}/lineitems"})
    before = len(platform.received)

    taken = browser.post("/api/scores", document=message(platform, line_item=ABSENT, resource_link_id="link-1"))
    asked_by_the_request = platform.received[before:]
    receives(*stack.queued())

    assert asked_by_the_request == []
    assert browser.get(taken.headers["location"]).json()["state"] == "sent"
    assert [request.method for request in platform.requests_to("/lineitems")] == ["GET", "POST"]
    posted = platform.requests_to("/lineitems")[1].json()
    assert posted == {"label": "Week 1", "scoreMaximum": 40.0, "resourceLinkId": "link-1", "tag": "mark"}
    assert len(platform.scores) == 1


def test_a_link_whose_columns_have_the_longest_address_holds_nobody_up(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    stack.offers(APP)
    longest = f"{platform.url}/lineitems?token=".ljust(8 * 1024, "x")
    departs(browser, platform, endpoint={"scope": [], "lineitems": longest})

    taken = browser.post("/api/scores", document=message(platform, line_item=ABSENT, resource_link_id="link-1"))

    assert taken.status == 202
    assert len(stack.queued()) == 1


@pytest.mark.parametrize("named_since", [False, True], ids=["no column named", "the column named since"])
def test_staff_sees_the_scores_that_named_the_link(
    stack: Stack, platform: Platform, browser: Browser, named_since: bool
) -> None:
    stack.offers(APP)
    made = {"id": platform.line_item, "label": "x", "scoreMaximum": 40}
    platform.will_answer("/lineitems", Reply(body=b"[]"), Reply(status=201, body=json.dumps(made).encode()))
    platform.will_answer("/lineitems/7/lineitem/scores", Reply(status=404))
    endpoint = {"scope": [], "lineitems": f"{platform.url}/lineitems"}
    departs(browser, platform, endpoint=endpoint)
    browser.post("/api/scores", document=message(platform, line_item=ABSENT, resource_link_id="link-1"))
    receives(*stack.queued())

    seen = endpoint | ({"lineitem": platform.line_item} if named_since else {})
    teacher = Browser().launches(platform, LABORATORY, roles=[INSTRUCTOR], sub="teacher-1", endpoint=seen).launch
    (row,) = browser.get("/api/marks", token=teacher["session"]).json()["learners"]
    resent = browser.post("/api/marks/resend", document={}, token=teacher["session"]).json()
    receives(*stack.queued())

    assert (row["user_id"], row["score_given"], row["delivery"]["cause"]) == ("user-1", 27, "line_item_gone")
    assert resent == {"resent": 1}
    assert len(platform.scores) == 2


@pytest.mark.parametrize(("family", "maximum"), [(PlatformFamily.OPENEDX, 8), (PlatformFamily.CUSTOM, 7.5)])
def test_a_new_column_has_a_maximum_that_its_platform_can_hold(
    stack: Stack, platform: Platform, browser: Browser, family: PlatformFamily, maximum: float
) -> None:
    stack.offers(APP)
    stack.knows(platform.registration(family=family))
    made = {"id": platform.line_item, "label": "x", "scoreMaximum": maximum}
    platform.will_answer("/lineitems", Reply(body=b"[]"), Reply(status=201, body=json.dumps(made).encode()))
    departs(browser, platform, endpoint={"scope": [], "lineitems": f"{platform.url}/lineitems"})

    score = {"line_item": ABSENT, "resource_link_id": "link-1", "score_given": 6, "score_maximum": 7.5}
    browser.post("/api/scores", document=message(platform, **score))
    receives(*stack.queued())

    posted = platform.requests_to("/lineitems")[1].json()
    (sent,) = platform.scores
    assert (posted["scoreMaximum"], sent.json()["scoreMaximum"]) == (maximum, 7.5)


def test_a_score_for_a_link_that_nobody_opened_is_not_taken(stack: Stack, platform: Platform, browser: Browser) -> None:
    before = stack.contents()

    answer = browser.post("/api/scores", document=message(platform, line_item=ABSENT, resource_link_id="link-9"))

    assert (answer.status, answer.code) == (409, "line_item_unknown")
    assert stack.contents() == before


@pytest.mark.parametrize("named", [{"line_item": ABSENT}, {"resource_link_id": "link-1"}])
def test_a_score_names_a_column_or_a_link_and_not_both(
    platform: Platform, browser: Browser, named: dict[str, Any]
) -> None:
    answer = browser.post("/api/scores", document=message(platform, **named))

    assert (answer.status, answer.code) == (422, "invalid_score_message")
    assert "resource_link_id" in str(answer.json())
