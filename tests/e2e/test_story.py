"""The whole story over plain HTTP, for each kind of platform that Campus plays."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
import requests

from tests.e2e.world import Visitor, World, eventually

pytestmark = pytest.mark.e2e
PROFILES = ("canvas", "moodle")


def answers_for(activity: dict[str, object], world: World) -> dict[str, object]:
    """The right answers, as the catalogue's author wrote them."""
    written = json.loads(world.lti("activity", "show", str(activity["id"])).stdout)
    return {
        question["id"]: question.get("answer") if question["kind"] == "choice" else str(right_text(question))
        for question in written["questions"]
    }


def right_text(question: dict[str, object]) -> object:
    accept = question.get("accept")
    return accept[0] if isinstance(accept, list) else question["answer"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_mark_goes_from_a_picked_activity_to_the_gradebook(world: World, profile: str) -> None:
    teacher, student = (Visitor(world=world, profile=profile, user=user) for user in ("teacher", "student1"))

    added = teacher.picks("capitals-and-rivers", "photosynthesis")
    placed = teacher.activity_called("Capitals and rivers")
    session = student.opens(placed["id"])
    shown = world.tool("GET", "/api/activity", session).json()["activity"]
    handed_in = world.tool("POST", "/api/attempt", session, json={"answers": answers_for(shown, world)})

    assert added.status_code == 200
    assert placed["score_maximum"] == shown["score_maximum"]
    assert handed_in.status_code == 201
    user_id = world.tool("GET", "/api/session", session).json()["user"]["id"]
    cell = eventually(lambda: teacher.cell(placed["line_item_url"], user_id))
    assert (cell["score"], cell["score_maximum"]) == (shown["score_maximum"], shown["score_maximum"])
    assert world.tool("GET", "/api/activity", session).json()["attempt"]["delivery"]["state"] == "sent"


@pytest.mark.parametrize("profile", PROFILES)
def test_a_teacher_binds_a_plain_link_and_sees_who_has_which_mark(world: World, profile: str) -> None:
    teacher, student = (Visitor(world=world, profile=profile, user=user) for user in ("teacher", "student2"))
    link = teacher.activity_called("First activity")["id"]

    too_early = world.tool("GET", "/api/activity", student.opens(link))
    staff = teacher.opens(link)
    bound = world.tool("PUT", "/api/binding", staff, json={"activity": "fractions-and-percentages"})
    world.tool("POST", "/api/attempt", student.opens(link), json={"answers": {}})
    marks = world.tool("GET", "/api/marks", staff).json()

    assert (too_early.status_code, too_early.json()["code"]) == (404, "activity_not_bound")
    assert bound.status_code == 204
    assert marks["activity"]["id"] == "fractions-and-percentages"
    assert [(learner["name"], learner["score_given"]) for learner in marks["learners"]] == [("Ben Carter", 0)]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_second_attempt_replaces_the_mark_even_within_the_same_second(world: World, profile: str) -> None:
    teacher, student = (Visitor(world=world, profile=profile, user=user) for user in ("teacher", "student3"))
    teacher.picks("photosynthesis")
    placed = teacher.activity_called("Photosynthesis")
    session = student.opens(placed["id"])
    shown = world.tool("GET", "/api/activity", session).json()["activity"]
    user_id = world.tool("GET", "/api/session", session).json()["user"]["id"]

    world.tool("POST", "/api/attempt", session, json={"answers": {}})
    world.tool("POST", "/api/attempt", session, json={"answers": answers_for(shown, world)})

    def full_mark() -> bool | None:
        cell = teacher.cell(placed["line_item_url"], user_id)
        return True if cell and cell["score"] == shown["score_maximum"] else None

    assert eventually(full_mark)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_sender_that_is_killed_halfway_loses_no_mark_and_doubles_none(world: World, profile: str) -> None:
    teacher, student = (Visitor(world=world, profile=profile, user=user) for user in ("teacher", "student1"))
    teacher.picks("english-irregular-verbs")
    placed = teacher.activity_called("English irregular verbs")
    session = student.opens(placed["id"])
    user_id = world.tool("GET", "/api/session", session).json()["user"]["id"]
    world.control("faults", {"platform": profile, "hold_scores": True})

    world.tool("POST", "/api/attempt", session, json={"answers": {}})
    eventually(lambda: teacher.cell(placed["line_item_url"], user_id))  # stored there, not yet answered
    for sender in busy_children(world, "GradeSyncFunction"):
        os.kill(sender, signal.SIGKILL)
    world.control("faults", {"platform": profile, "clear": True})

    def sent() -> bool | None:
        attempt = world.tool("GET", "/api/activity", session).json()["attempt"]
        return True if attempt["delivery"]["state"] == "sent" else None

    assert eventually(sent)
    cell = teacher.cell(placed["line_item_url"], user_id)
    assert cell is not None
    assert cell["score"] == 0
    assert len(cell["attempts"]) <= 1
    assert len({post["timestamp"] for post in cell["posts"]}) == 1


def busy_children(world: World, function: str) -> list[int]:
    functions = world.tool("GET", "/_local/functions").json()
    children = next(found["children"] for found in functions if found["function"] == function)
    return [child["pid"] for child in children if child["state"] == "busy"]


def test_a_mark_waits_out_a_platform_that_is_down(world: World) -> None:
    teacher, student = (Visitor(world=world, profile="canvas", user=user) for user in ("teacher", "student2"))
    teacher.picks("photosynthesis")
    placed = teacher.activity_called("Photosynthesis")
    session = student.opens(placed["id"])
    user_id = world.tool("GET", "/api/session", session).json()["user"]["id"]
    world.control("faults", {"platform": "canvas", "server_error": {"count": 1}})

    world.tool("POST", "/api/attempt", session, json={"answers": {}})

    assert eventually(lambda: teacher.cell(placed["line_item_url"], user_id))["score"] == 0


def test_an_unreadable_score_message_does_not_hold_up_the_queue(world: World) -> None:
    stack = json.loads((world.local_dir / "stack.json").read_text(encoding="utf-8"))
    send_to_queue(stack, "this is no score")
    teacher, student = (Visitor(world=world, profile="moodle", user=user) for user in ("teacher", "student2"))
    teacher.picks("photosynthesis")
    placed = teacher.activity_called("Photosynthesis")
    session = student.opens(placed["id"])

    world.tool("POST", "/api/attempt", session, json={"answers": {}})

    user_id = world.tool("GET", "/api/session", session).json()["user"]["id"]
    assert eventually(lambda: teacher.cell(placed["line_item_url"], user_id))
    log = (world.local_dir / "run.log").read_text(encoding="utf-8")
    assert "invalid_score_message" in log
    assert "this is no score" not in log


def send_to_queue(stack: dict[str, object], body: str) -> None:
    import boto3

    credentials = stack["credentials"]
    queues = stack["queues"]
    assert isinstance(credentials, dict)
    assert isinstance(queues, dict)
    sqs = boto3.client(
        "sqs",
        endpoint_url=str(stack["aws_endpoint_url"]),
        region_name=str(stack["region"]),
        aws_access_key_id=credentials["access_key_id"],
        aws_secret_access_key=credentials["secret_access_key"],
    )
    sqs.send_message(QueueUrl=queues["scores"], MessageBody=body)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_launch_that_was_used_is_refused_with_a_code(world: World, profile: str) -> None:
    student = Visitor(world=world, profile=profile, user="student1")
    login = student.logs_in("launch", activity=student.activity_called("First activity")["id"])

    first, second = student.launches(login), student.launches(login)

    assert first.status_code == 200
    assert second.status_code == 401
    assert "state_already_used" in second.text


def test_another_browser_cannot_finish_a_login(world: World) -> None:
    student = Visitor(world=world, profile="canvas", user="student1")
    login = student.logs_in("launch", activity=student.activity_called("First activity")["id"])

    stolen = requests.post(login.launch_url, data=login.fields, timeout=30)

    assert stolen.status_code == 401
    assert "browser_mismatch" in stolen.text
    assert student.launches(login).status_code == 200  # and it was not spent


@pytest.mark.parametrize("profile", PROFILES)
def test_a_selection_too_long_for_kms_to_hash_is_signed_right(world: World, profile: str, tmp_path: Path) -> None:
    question = {"id": "one", "kind": "text", "prompt": "?", "points": 1, "accept": ["1"]}
    long_ones = [
        {"id": f"long-{number}", "title": f"Long {number}", "description": "x" * 1900, "kind": "assessment"}
        for number in range(3)
    ]
    files = [tmp_path / f"{activity['id']}.yaml" for activity in long_ones]
    for file, activity in zip(files, long_ones, strict=True):
        file.write_text(json.dumps({**activity, "questions": [question]}), encoding="utf-8")  # JSON is YAML
    assert world.lti("activity", "add", *map(str, files)).returncode == 0
    teacher = Visitor(world=world, profile=profile, user="teacher")

    added = teacher.picks(*(activity["id"] for activity in long_ones))

    assert added.status_code == 200
    assert teacher.activity_called("Long 2")
