"""Names and roles: who is in the list, how roles are spelled, how it is paged."""

from __future__ import annotations

from typing import Any

import pytest

from local.campus import vocabulary as v
from tests.campus.stand_in import Visitor


def members(visitor: Visitor, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = visitor.gets(visitor.course()["memberships_url"], **query).get_json()["members"]
    return found


def test_members_are_known_by_the_id_of_their_launch(platform: Visitor) -> None:
    launched = platform.launched(platform.begins("student2"))

    found = {member["user_id"]: member for member in members(platform)}

    assert found[launched["sub"]]["name"] == launched["name"] == "Ben Carter"
    assert found[launched["sub"]]["status"] == "Active"


def test_canvas_spells_roles_as_uris(canvas: Visitor) -> None:
    roles = {member["name"]: member["roles"] for member in members(canvas)}

    assert roles["Ruth Okafor"] == [v.MEMBERSHIP + "Instructor"]
    assert roles["Jonas Lind"] == [v.MEMBERSHIP + "Instructor", v.TEACHING_ASSISTANT]
    assert roles["Olga Petrova"] == [v.MEMBERSHIP + "Mentor"]
    assert "Adam Novak" not in roles


def test_moodle_spells_roles_short_and_administrators_oddly(moodle: Visitor) -> None:
    roles = {member["name"]: member["roles"] for member in members(moodle)}

    assert roles["Ruth Okafor"] == ["Instructor"]
    assert roles["Jonas Lind"] == ["Learner"]
    assert roles["Adam Novak"] == ["Instructor", "http://purl.imsglobal.org/vocab/lis/v2/person#Administrator"]


def test_a_role_narrows_the_list(platform: Visitor) -> None:
    found = members(platform, role=v.MEMBERSHIP + "Instructor")

    expected = {"canvas": {"Ruth Okafor", "Jonas Lind"}, "moodle": {"Ruth Okafor", "Adam Novak"}}
    assert {member["name"] for member in found} == expected[platform.slug]


def test_an_unknown_role_finds_nobody_on_canvas_and_everybody_on_moodle(canvas: Visitor, moodle: Visitor) -> None:
    assert members(canvas, role="Wizard") == []
    assert len(members(moodle, role="Wizard")) == len(moodle.course()["members"])


def test_canvas_turns_the_limit_into_a_page_size_in_its_links(canvas: Visitor) -> None:
    url = canvas.course()["memberships_url"]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while url:
        answer = canvas.gets(url, **query)
        seen += [member["user_id"] for member in answer.get_json()["members"]]
        following = [link for link in answer.headers["Link"].split(",") if 'rel="next"' in link]
        url, query = (following[0].partition(">")[0].strip("<"), {}) if following else ("", {})
        assert "limit" not in url

    assert len(seen) == len(set(seen)) == 6


def test_moodle_pages_only_when_asked_and_forgets_the_role(moodle: Visitor) -> None:
    url = moodle.course()["memberships_url"]

    whole = moodle.gets(url)
    part = moodle.gets(url, limit=2, role="Learner")

    assert "Link" not in whole.headers
    assert len(part.get_json()["members"]) == 2
    assert part.headers["Link"] == f'<{url}?limit=2&from=2>; rel="next"'


def test_a_resource_link_adds_its_message(platform: Visitor) -> None:
    found = members(platform, rlid=platform.activity()["resource_link_id"])

    message = found[0]["message"][0]
    assert message[v.LTI + "message_type"] == "LtiResourceLinkRequest"
    assert (v.LTI + "custom" in message) is (platform.slug == "canvas")


def test_a_strange_resource_link_is_an_error(platform: Visitor) -> None:
    assert platform.gets(platform.course()["memberships_url"], rlid="elsewhere").status_code == 400


def test_the_context_id_as_resource_link_means_the_whole_course_on_canvas(canvas: Visitor) -> None:
    found = members(canvas, rlid=canvas.course()["context_id"])

    assert len(found) == 6
    assert "message" not in found[0]


@pytest.mark.parametrize("course", [1, 999])
def test_an_unknown_course_is_not_found(platform: Visitor, course: int) -> None:
    assert platform.gets(platform.profile.url("memberships", course_id=course)).status_code == 404
