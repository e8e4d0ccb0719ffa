"""The pages that people click, read as HTML."""

from __future__ import annotations

import re

import pytest

from tests.campus.stand_in import CAMPUS_URL, StandInTool, Visitor, form_of


def page(visitor: Visitor, path: str) -> str:
    answer = visitor.client.get(f"{CAMPUS_URL}{path}")
    assert answer.status_code == 200
    return answer.text


def course_page(visitor: Visitor, user: str) -> str:
    return page(visitor, f"/{visitor.slug}/courses/{visitor.course()['id']}?as={user}")


def test_the_first_page_leads_to_both_platforms(canvas: Visitor) -> None:
    shown = page(canvas, "/")

    assert 'href="/canvas/"' in shown
    assert 'href="/moodle/"' in shown


def test_a_platform_offers_everybody_to_sign_in_as(platform: Visitor) -> None:
    shown = page(platform, f"/{platform.slug}/")

    for name in (
        "Ruth Okafor",
        "Jonas Lind",
        "Amina Yusuf",
        "Ben Carter",
        "Chloe Dubois",
        "Olga Petrova",
        "Adam Novak",
    ):
        assert f"Sign in as {name}" in shown


def test_who_is_nobody_is_asked_who_they_are(platform: Visitor) -> None:
    answer = platform.client.get(f"{CAMPUS_URL}/{platform.slug}/courses/{platform.course()['id']}")

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/{platform.slug}/"


def test_the_gradebook_shows_each_mark_out_of_its_maximum(platform: Visitor) -> None:
    platform.scores("student1", comment="Well <done>")

    shown = course_page(platform, "teacher")

    item = platform.activity()["line_item"]
    assert re.search(rf'data-testid="grade-student1-{item}">6\.75/10<', shown)
    assert re.search(rf'data-testid="grade-student2-{item}">–/10<', shown)
    assert "1 comment" in shown
    assert "Well &lt;done&gt;" in shown


def test_a_student_sees_their_own_marks_only(platform: Visitor) -> None:
    shown = course_page(platform, "student1")

    assert 'data-testid="grade-student1-' in shown
    assert 'data-testid="grade-student2-' not in shown


@pytest.mark.parametrize(
    ("user", "platforms"),
    [("teacher", {"canvas", "moodle"}), ("ta", {"canvas"}), ("student1", set()), ("observer", set())],
)
def test_only_who_manages_the_course_may_add_activities(platform: Visitor, user: str, platforms: set[str]) -> None:
    allowed = platform.slug in platforms

    assert ("Add activities from the tool" in course_page(platform, user)) is allowed
    answer = platform.client.get(f"{CAMPUS_URL}/{platform.slug}/courses/{platform.course()['id']}/pick?as={user}")
    assert answer.status_code == (200 if allowed else 403)


def test_opening_here_frames_a_page_that_posts_a_login_initiation(platform: Visitor, tool: StandInTool) -> None:
    path = f"/{platform.slug}/courses/{platform.course()['id']}/activities/{platform.activity()['id']}?as=student1"
    (source,) = re.findall(r'<iframe src="([^"]+)" name="tool"', page(platform, path))

    posting = platform.client.get(f"{CAMPUS_URL}{source}")

    assert f'action="{tool.url}/lti/login"' in posting.text
    assert platform.launched(form_of(posting))["given_name"] == "Amina"


def test_pages_post_to_the_tool_alone_and_frame_where_it_may_lead(platform: Visitor, tool: StandInTool) -> None:
    answer = platform.client.get(f"{CAMPUS_URL}/")

    policy = answer.headers["Content-Security-Policy"]
    assert f"frame-src 'self' {tool.url} http://localhost:* http://127.0.0.1:* https:;" in policy
    assert f"form-action 'self' {tool.url};" in policy
    assert "unsafe-inline" not in policy


def test_what_the_tool_sends_back_is_shown_as_text(platform: Visitor) -> None:
    course = platform.course()["id"]

    shown = page(platform, f"/{platform.slug}/courses/{course}?as=student1&lti_msg=%3Cscript%3Ealert(1)%3C/script%3E")

    assert "&lt;script&gt;alert(1)" in shown


def test_faults_are_set_and_cleared_on_their_page(platform: Visitor) -> None:
    url = f"{CAMPUS_URL}/faults"
    form = {"platform": platform.slug, "verb": "set", "token_down": "on", "rate_limited": "3", "retry_after": "9"}

    assert platform.client.post(url, data=form).status_code == 303
    faults = platform.control("faults")[platform.slug]
    assert faults["token_down"] is True
    assert faults["rate_limited"] == {"retry_after": 9, "count": 3}

    platform.client.post(url, data={"platform": platform.slug, "verb": "clear"})
    assert platform.control("faults")[platform.slug]["token_down"] is False


def test_refused_services_are_chosen_on_the_faults_page(platform: Visitor) -> None:
    url = f"{CAMPUS_URL}/faults"

    platform.client.post(url, data={"platform": platform.slug, "verb": "set", "services": "column_gone"})
    refused = platform.scores().status_code
    shown = page(platform, "/faults")
    platform.client.post(url, data={"platform": platform.slug, "verb": "set", "services": "", "requests": ""})

    assert refused == 404
    assert "<option selected>column_gone</option>" in shown
    assert platform.scores().status_code == 200


def test_a_teacher_changes_a_mark_by_hand_and_takes_it_out(platform: Visitor) -> None:
    platform.scores("student1")
    shown = course_page(platform, "teacher")
    url = re.findall(r'<form method="post" action="([^"]+/student1[?]as=teacher)"', shown)[-1]

    scores = []
    for written in ("3.5", ""):
        answer = platform.client.post(f"{CAMPUS_URL}{url}", data={"score": written})
        assert answer.status_code == 303
        scores.append(platform.cell("student1")["score"])

    assert scores == [3.5, None]


@pytest.mark.parametrize(
    ("who", "written", "status"), [("student1", "10", 403), ("teacher", "-1", 400), ("teacher", "nan", 400)]
)
def test_a_mark_is_changed_by_who_may_and_to_a_number(platform: Visitor, who: str, written: str, status: int) -> None:
    platform.scores("student1")
    course, item = platform.course()["id"], platform.activity()["line_item"]
    url = f"{CAMPUS_URL}/{platform.slug}/courses/{course}/grades/{item}/student1?as={who}"

    answer = platform.client.post(url, data={"score": written})

    assert (answer.status_code, platform.cell("student1")["score"]) == (status, 6.75)


def test_the_log_page_shows_the_messages(platform: Visitor) -> None:
    platform.launched()

    shown = page(platform, f"/log?platform={platform.slug}")

    assert "Amina Yusuf opens First activity in Geography 101" in shown
    assert "launch of Amina Yusuf" in shown


@pytest.mark.parametrize(
    "path", ["/canvas/courses/999?as=teacher", "/plain/", "/canvas/courses/101/activities/1?as=teacher"]
)
def test_what_is_not_there_is_not_found(canvas: Visitor, path: str) -> None:
    assert canvas.client.get(f"{CAMPUS_URL}{path}").status_code == 404
