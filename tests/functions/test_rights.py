"""What each privilege may do, call by call, and how fast a change of the landing rules counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lti_tool.domain.landing import parse_table
from lti_tool.domain.registration import DeploymentStatus
from lti_tool.runtime import wiring
from tests.support.browser import Browser
from tests.support.platform import INSTRUCTOR, LEARNER, LTI, Platform
from tests.support.stack import TOOL_URL, Stack

MENTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Mentor"
NOBODY = ""
PRIVILEGES = ["planner", "chief_invigilator", "invigilator", "grader", "reporter", "candidate", NOBODY]

Places = Callable[..., None]


@pytest.fixture
def mentors_are(platform: Platform) -> Places:
    """The operator says what mentors are, here and now."""

    def placed(*privileges: str) -> None:
        role = "Mentor" if privileges else "Officer"
        rule = {"name": "mentors", "roles": [role], "privileges": list(privileges) or ["candidate"]}
        table = parse_table("platform", {"rules": [rule]})
        wiring.registrations().put_table(table, platform.registration().reference, None)

    return placed


CALLS: dict[str, tuple[str, str, Any, set[str]]] = {
    "see who this is": ("GET", "/api/session", None, set(PRIVILEGES)),
    "search the catalogue": ("GET", "/api/catalogue", None, {"planner"}),
    "see the questions": ("GET", "/api/activity", None, {"planner", "grader", "candidate"}),
    "hand in": ("POST", "/api/attempt", {"answers": {}}, {"candidate"}),
    "see who has begun": ("GET", "/api/progress", None, {"planner", "chief_invigilator", "invigilator", "grader"}),
    "see the marks": ("GET", "/api/marks", None, {"planner", "grader", "reporter"}),
    "send marks again": ("POST", "/api/marks/resend", {}, {"planner", "grader"}),
    "choose the activity": ("PUT", "/api/binding", {"activity": "photosynthesis"}, {"planner"}),
}


@pytest.mark.parametrize("privilege", PRIVILEGES)
@pytest.mark.parametrize(("method", "path", "document", "allowed"), CALLS.values(), ids=CALLS)
def test_a_call_is_open_to_those_privileges_and_to_no_other(
    stack: Stack,
    platform: Platform,
    browser: Browser,
    mentors_are: Places,
    method: str,
    path: str,
    document: object,
    allowed: set[str],
    privilege: str,
) -> None:
    mentors_are(*filter(None, [privilege]))
    session = browser.launches(platform, roles=[MENTOR]).launch["session"]
    before = stack.contents()

    answer = browser.send(method, path, document=document, token=session)

    if privilege in allowed:
        assert answer.status < 300
    else:
        assert (answer.status, answer.code) == (403, "not_permitted")
        assert stack.contents() == before


@pytest.mark.parametrize("privilege", PRIVILEGES)
def test_only_planners_pick_for_a_course(
    platform: Platform, browser: Browser, mentors_are: Places, privilege: str
) -> None:
    mentors_are(*filter(None, [privilege]))
    launch = browser.opens_picker(platform, roles=[MENTOR]).launch

    answer = browser.post("/lti/deeplink", {"session": launch["session"], "activity": "photosynthesis"})

    expected = ("/app/picker", 200, "ok") if privilege == "planner" else ("/app/welcome", 403, "not_permitted")
    assert (launch["landing"], answer.status, answer.code) == expected


@pytest.mark.parametrize("privilege", PRIVILEGES)
def test_only_graders_open_somebody_elses_work(
    platform: Platform, browser: Browser, mentors_are: Places, privilege: str
) -> None:
    mentors_are(*filter(None, [privilege]))
    review: dict[str, Any] = {
        "message_type": "LtiSubmissionReviewRequest",
        LTI + "for_user": {"user_id": "somebody-else"},
    }
    session = browser.launches(platform, roles=[MENTOR], **review).launch["session"]

    answer = browser.get("/api/review", token=session)

    assert answer.status == (200 if privilege in {"planner", "grader"} else 403)


@pytest.mark.parametrize("privilege", ["chief_invigilator", "invigilator"])
def test_who_invigilates_sees_how_far_each_learner_is_and_no_mark(
    platform: Platform, browser: Browser, mentors_are: Places, privilege: str
) -> None:
    began, handed_in = (
        Browser().launches(platform, sub=sub, name=name, roles=[LEARNER]).launch["session"]
        for sub, name in (("user-1", "Ada"), ("user-2", "Bo"))
    )
    for learner in (began, handed_in):
        browser.get("/api/activity", token=learner)
    browser.post("/api/attempt", document={"answers": {}}, token=handed_in)
    mentors_are(privilege)
    session = browser.launches(platform, roles=[MENTOR], sub="watcher").launch["session"]

    progress = browser.get("/api/progress", token=session)

    ada, bo = sorted(progress.json()["learners"], key=lambda learner: learner["user_id"])
    assert (ada["name"], set(ada)) == ("Ada", {"user_id", "name", "started_at"})
    assert (bo["name"], set(bo)) == ("Bo", {"user_id", "name", "started_at", "submitted_at"})
    assert bo["started_at"] < bo["submitted_at"]
    assert "score" not in progress.body.replace("score_maximum", "")


def test_a_first_look_is_noted_once_and_only_of_learners(stack: Stack, platform: Platform, browser: Browser) -> None:
    preview = [LEARNER, "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"]
    for sub, roles in (("teacher", [INSTRUCTOR]), ("preview", preview)):
        browser.get("/api/activity", token=browser.launches(platform, sub=sub, roles=roles).launch["session"])
    nobody_yet = stack.contents()["RecordsTable"]
    learner = browser.launches(platform).launch["session"]
    browser.get("/api/activity", token=learner)
    first = stack.contents()["RecordsTable"]

    browser.get("/api/activity", token=learner)

    assert nobody_yet == {}
    assert len(first) == 1
    assert stack.contents()["RecordsTable"] == first


@pytest.mark.parametrize(
    ("target", "named"), [(f"{TOOL_URL}/activities", False), (f"{TOOL_URL}/activities/photosynthesis", True)]
)
def test_staff_is_told_whether_the_link_itself_names_its_activity(
    platform: Platform, browser: Browser, target: str, named: bool
) -> None:
    session = browser.launches(platform, target, roles=[INSTRUCTOR]).launch["session"]
    browser.send("PUT", "/api/binding", document={"activity": "photosynthesis"}, token=session)

    for path in ("/api/marks", "/api/progress"):
        found = browser.get(path, token=session).json()

        assert (found["activity"]["id"], found["named_by_link"]) == ("photosynthesis", named)


def test_the_rules_of_a_deployment_count_there_and_nowhere_else(
    stack: Stack, platform: Platform, browser: Browser
) -> None:
    stack.knows(platform.registration(deployments=dict.fromkeys(("1", "2"), DeploymentStatus.ENABLED)))
    table = parse_table("deployment", {"rules": [{"name": "r", "roles": ["Mentor"], "privileges": ["reporter"]}]})
    wiring.registrations().put_table(table, platform.registration().reference, "2")

    landings = [
        browser.launches(platform, roles=[MENTOR], deployment_id=deployment_id).launch["landing"]
        for deployment_id in ("1", "2")
    ]

    assert landings == ["/app/welcome", "/app/marks"]


def test_a_right_that_is_taken_away_ends_within_a_minute_for_sessions_that_run(
    platform: Platform, browser: Browser, mentors_are: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = [0.0]
    registrations = wiring.registrations()
    monkeypatch.setattr(registrations, "_monotonic", lambda: passed[0])
    mentors_are("planner")
    session = browser.launches(platform, roles=[MENTOR]).launch["session"]
    other_process = type(registrations)(registrations._client, registrations._table)
    table = parse_table("platform", {"rules": [{"name": "r", "roles": ["Mentor"], "privileges": ["invigilator"]}]})
    other_process.put_table(table, platform.registration().reference, None)

    passed[0] = 59.0
    before = browser.get("/api/marks", token=session).status
    passed[0] = 61.0
    after = browser.get("/api/marks", token=session).status
    still = browser.get("/api/progress", token=session).status

    assert (before, after, still) == (200, 403, 200)


def test_a_custom_parameter_narrows_a_teacher_to_an_invigilator(platform: Platform, browser: Browser) -> None:
    launch = browser.launches(
        platform, roles=[INSTRUCTOR], custom={"membership_roles": "TaEnrollment,Invigilator"}
    ).launch

    session = browser.get("/api/session", token=launch["session"]).json()

    assert (session["privileges"], session["rights"]) == (["invigilator"], ["deliver", "monitor"])
    assert session["rule"] == "invigilators"
