"""Many at once, through several processes of each function and one table."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.world import Visitor, World, session_in

pytestmark = pytest.mark.e2e


def test_a_hundred_copies_of_one_launch_make_one_session(world: World) -> None:
    student = Visitor(world=world, profile="canvas", user="student1")
    login = student.logs_in("launch", activity=student.activity_called("First activity")["id"])

    with ThreadPoolExecutor(25) as crowd:
        answers = list(crowd.map(lambda _: student.launches(login), range(100)))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 99}
    (opened,) = (answer for answer in answers if answer.status_code == 200)
    assert world.tool("GET", "/api/session", session_in(opened)).status_code == 200


def test_people_who_launch_at_once_each_get_their_own(world: World) -> None:
    visitors = [
        Visitor(world=world, profile=profile, user=user)
        for profile in ("canvas", "moodle")
        for user in ("student1", "student2", "student3", "teacher")
    ]
    links = {
        profile: Visitor(world=world, profile=profile, user="teacher").activity_called("First activity")["id"]
        for profile in ("canvas", "moodle")
    }

    with ThreadPoolExecutor(8) as crowd:
        sessions = list(crowd.map(lambda visitor: visitor.opens(links[visitor.profile]), visitors))

    ids = {
        (visitor.profile, member["user"]): member["user_id"]
        for visitor in visitors
        for member in visitor.course()["members"]
    }
    for visitor, session in zip(visitors, sessions, strict=True):
        launch = world.tool("GET", "/api/session", session).json()
        assert launch["user"]["id"] == ids[visitor.profile, visitor.user]
        assert launch["issuer"].endswith(visitor.profile)
