"""Scores, line items and results: how each platform counts, refuses, wipes and pages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.campus import vocabulary as v
from tests.campus.stand_in import Visitor, json_of, new_key

FIRST = "2027-01-15T08:00:00.400Z"
SAME_SECOND = "2027-01-15T08:00:00.900Z"
LATER = "2027-01-15T08:00:02.000Z"


def submission(**members: Any) -> dict[str, Any]:
    """Canvas' own extension of a score."""
    return {"https://canvas.instructure.com/lti/submission": members}


def test_a_score_is_scaled_to_the_line_item(platform: Visitor) -> None:
    answer = platform.scores("student1", scoreGiven=27, scoreMaximum=40)

    assert answer.status_code == 200
    assert platform.cell("student1")["score"] == 6.75


def test_canvas_answers_a_score_with_the_address_of_the_result(canvas: Visitor) -> None:
    answer = canvas.scores("student1")

    assert answer.get_json() == {"resultUrl": f"{canvas.activity()['line_item_url']}/results/21"}


def test_moodle_answers_a_score_with_nothing(moodle: Visitor) -> None:
    assert moodle.scores("student1").get_data() == b""


def test_a_score_above_the_maximum_counts(platform: Visitor) -> None:
    platform.scores(scoreGiven=12, scoreMaximum=10)

    assert platform.cell()["score"] == 12


def test_zero_is_a_mark(platform: Visitor) -> None:
    platform.scores(scoreGiven=0, scoreMaximum=10)

    assert platform.cell()["score"] == 0


def test_canvas_refuses_an_earlier_timestamp_and_takes_an_equal_one(canvas: Visitor) -> None:
    canvas.scores(timestamp=SAME_SECOND)

    earlier = canvas.scores(timestamp=FIRST, scoreGiven=1)
    equal = canvas.scores(timestamp=SAME_SECOND, scoreGiven=20)

    assert (earlier.status_code, equal.status_code) == (400, 200)
    assert canvas.cell()["score"] == 5
    assert len(canvas.cell()["refused"]) == 1


def test_moodle_refuses_a_second_score_within_a_second(moodle: Visitor) -> None:
    moodle.scores(timestamp=FIRST)

    second = moodle.scores(timestamp=SAME_SECOND, scoreGiven=1)
    later = moodle.scores(timestamp=LATER, scoreGiven=20)

    assert second.status.startswith("409 Refusing score with an earlier timestamp")
    assert second.get_data() == b"[]"
    assert later.status_code == 200
    assert moodle.cell()["score"] == 5


@pytest.mark.parametrize("progress", ["Pending", "NotReady", "Failed"])
def test_a_score_that_is_not_final_wipes_the_mark_that_was_there(platform: Visitor, progress: str) -> None:
    platform.scores(timestamp=FIRST)

    answer = platform.scores(timestamp=LATER, gradingProgress=progress)

    assert answer.status_code == 200
    assert platform.cell()["score"] is None
    assert [post["effect"] for post in platform.cell()["posts"]] == ["graded", "cleared"]


def test_pending_manual_counts_on_canvas_and_wipes_on_moodle(canvas: Visitor, moodle: Visitor) -> None:
    for visitor in (canvas, moodle):
        visitor.scores(timestamp=FIRST)
        visitor.scores(timestamp=LATER, gradingProgress="PendingManual", scoreGiven=20)

    assert canvas.cell()["score"] == 5
    assert moodle.cell()["score"] is None


def test_a_final_score_without_a_number_wipes_the_mark(platform: Visitor) -> None:
    platform.scores(timestamp=FIRST)

    platform.scores(timestamp=LATER, scoreGiven=None, scoreMaximum=None)

    assert platform.cell()["score"] is None


def test_canvas_keeps_the_mark_when_it_is_told_to(canvas: Visitor) -> None:
    canvas.scores(timestamp=FIRST)

    canvas.scores(timestamp=LATER, gradingProgress="NotReady", **submission(preserve_score=True))

    assert canvas.cell()["score"] == 6.75
    assert canvas.cell()["posts"][-1]["effect"] == "kept"


def test_comments_pile_up_on_canvas(canvas: Visitor) -> None:
    canvas.scores(timestamp=FIRST, comment="Good")
    canvas.scores(timestamp=FIRST, comment="Good")
    canvas.scores(timestamp=LATER)

    assert canvas.cell()["comments"] == ["Good", "Good"]


def test_a_comment_left_out_erases_the_one_before_on_moodle(moodle: Visitor) -> None:
    moodle.scores(timestamp=FIRST, comment="Good")

    moodle.scores(timestamp=LATER)

    assert moodle.cell()["comments"] == []


def test_canvas_adds_an_attempt_for_each_submission_time(canvas: Visitor) -> None:
    first = {"submittedAt": "2027-01-15T07:59:00.000Z"}
    canvas.scores(timestamp=FIRST, submission=first)
    canvas.scores(timestamp=LATER, submission=first)

    assert canvas.cell()["attempts"] == [first["submittedAt"]]

    canvas.scores(timestamp=LATER, submission={"submittedAt": "2027-01-15T08:00:01.000Z"})
    canvas.scores(timestamp=LATER)

    assert len(canvas.cell()["attempts"]) == 3


def test_canvas_adds_no_attempt_when_told_or_on_a_column_beside_the_assignment(canvas: Visitor) -> None:
    extra = canvas.makes_line_item(resourceLinkId=canvas.activity()["resource_link_id"]).get_json()["id"]

    canvas.scores(**submission(new_submission=False))
    canvas.scores(line_item=extra)

    cells = canvas.control("canvas/gradebook")["courses"][0]["cells"]
    assert [cell["attempts"] for cell in cells] == [[], []]


def test_canvas_refuses_a_submission_from_the_future(canvas: Visitor) -> None:
    assert canvas.scores(submission={"submittedAt": "2027-01-15T08:01:01.000Z"}).status_code == 400


@pytest.mark.parametrize("user", ["teacher", "observer", "admin", "nobody"])
def test_only_a_student_of_the_course_has_marks(platform: Visitor, user: str) -> None:
    answer = platform.scores(user)

    assert answer.status_code == {"canvas": 422, "moodle": 400}[platform.slug]
    if platform.slug == "moodle":
        assert "Incorrect score received{" in answer.status
        assert answer.get_data() == b"[]"


def test_canvas_knows_a_student_by_its_own_number_too(canvas: Visitor) -> None:
    assert canvas.scores("21").status_code == 200
    assert canvas.cell("student1")["score"] == 6.75


@pytest.mark.parametrize(
    ("changes", "on_canvas"),
    [
        ({"timestamp": None}, 400),
        ({"timestamp": "15 January"}, 400),
        ({"timestamp": "2027-01-15T08:00:00"}, 400),
        ({"userId": None}, 400),
        ({"activityProgress": None}, 400),
        ({"gradingProgress": "Done"}, 400),
        ({"scoreMaximum": None}, 422),
        ({"scoreGiven": -1}, 422),
        ({"scoreGiven": "many"}, 422),
    ],
)
def test_a_score_of_another_shape_is_refused(platform: Visitor, changes: dict[str, Any], on_canvas: int) -> None:
    answer = platform.scores(**changes)

    assert answer.status_code == (on_canvas if platform.slug == "canvas" else 400)
    assert platform.control(f"{platform.slug}/gradebook")["courses"][0]["cells"] == []


def test_moodle_reads_numbers_from_text(moodle: Visitor) -> None:
    moodle.scores(scoreGiven="8", scoreMaximum="10")

    assert moodle.cell()["score"] == 8


def test_a_line_break_in_a_score_that_moodle_refuses_hides_the_refusal(moodle: Visitor) -> None:
    path, _, query = moodle.activity()["line_item_url"].partition("?")
    headers = {**moodle.bearer(), "Content-Type": v.SCORE_TYPE}

    answer = moodle.client.post(f"{path}/scores?{query}", data='{\n"userId": "21"\n}', headers=headers)

    assert (answer.status_code, answer.get_data()) == (200, b"[]")


def test_moodle_takes_the_score_media_type_only(moodle: Visitor) -> None:
    path, _, query = moodle.activity()["line_item_url"].partition("?")

    def status(content_type: str) -> int:
        headers = {**moodle.bearer(), "Content-Type": content_type}
        return moodle.client.post(f"{path}/scores?{query}", data="{}", headers=headers).status_code

    assert status("application/json") == 400
    answer = moodle.client.post(
        f"{path}/scores?{query}", data="{}", headers={**moodle.bearer(), "Content-Type": "application/json"}
    )
    assert "No handler found for" in answer.get_json()["reason"]
    assert moodle.scores().status_code == 200


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (None, 200),
        (v.LINE_ITEMS_TYPE, 200),
        ("*/*", 400),
        ("application/json", 400),
        (v.LINE_ITEM_TYPE, 400),
        (f"{v.LINE_ITEMS_TYPE}, application/json", 400),
    ],
)
def test_moodle_takes_accept_to_the_letter(moodle: Visitor, accept: str | None, status: int) -> None:
    answer = moodle.gets(moodle.course()["line_items_url"], accept)

    assert answer.status_code == status
    if accept == "*/*":
        assert answer.get_json()["reason"] == "No context or unsupported content type"


def test_canvas_takes_any_accept(canvas: Visitor) -> None:
    answer = canvas.gets(canvas.course()["line_items_url"], "text/plain")

    assert answer.status_code == 200
    assert answer.content_type == v.LINE_ITEMS_TYPE


def test_a_line_item_can_be_made_read_changed_and_deleted(platform: Visitor) -> None:
    made = platform.makes_line_item(resourceId="r1", tag="grade")
    item = json_of(made)
    headers = {**platform.bearer(), "Content-Type": v.LINE_ITEM_TYPE}
    put = platform.client.put(
        item["id"], data=json.dumps({**item, "label": "Long essay", "scoreMaximum": 50}), headers=headers
    )
    read = platform.gets(item["id"], v.LINE_ITEM_TYPE)
    deleted = platform.client.delete(item["id"], headers=platform.bearer())

    assert made.status_code == 201
    assert (item["label"], item["resourceId"], item["tag"]) == ("Essay", "r1", "grade")
    assert json_of(put)["label"] == read.get_json()["label"] == "Long essay"
    assert deleted.status_code == 204
    assert platform.gets(item["id"], v.LINE_ITEM_TYPE).status_code == 404


def test_a_new_maximum_rescales_the_marks(platform: Visitor) -> None:
    item = json_of(platform.makes_line_item(scoreMaximum=20))
    platform.scores(line_item=item["id"], scoreGiven=5, scoreMaximum=10)

    headers = {**platform.bearer(), "Content-Type": v.LINE_ITEM_TYPE}
    platform.client.put(item["id"], data=json.dumps({**item, "scoreMaximum": 100}), headers=headers)

    assert platform.cell()["score"] == 50


def test_renaming_the_column_of_an_assignment_renames_it_on_canvas_only(canvas: Visitor, moodle: Visitor) -> None:
    for visitor in (canvas, moodle):
        headers = {**visitor.bearer(), "Content-Type": v.LINE_ITEM_TYPE}
        body = json.dumps({"label": "Renamed", "scoreMaximum": 10})
        visitor.client.put(visitor.activity()["line_item_url"], data=body, headers=headers)

    assert canvas.activity()["title"] == "Renamed"
    assert moodle.activity()["title"] == "First activity"


def test_moodle_sends_json_as_html_where_something_was_made(moodle: Visitor) -> None:
    made = moodle.makes_line_item()

    assert made.mimetype == "text/html"
    assert json.loads(made.get_data())["scoreMaximum"] == 20


def test_the_column_of_an_activity_is_not_the_tools_to_delete(platform: Visitor) -> None:
    answer = platform.client.delete(platform.activity()["line_item_url"], headers=platform.bearer())

    assert answer.status_code == {"canvas": 401, "moodle": 403}[platform.slug]


@pytest.mark.parametrize("members", [{"label": " "}, {"label": None}, {"scoreMaximum": 0}, {"scoreMaximum": "x"}])
def test_a_line_item_needs_a_label_and_a_maximum(platform: Visitor, members: dict[str, Any]) -> None:
    assert platform.makes_line_item(**members).status_code == 400


def test_a_line_item_for_a_strange_resource_link_is_refused(platform: Visitor) -> None:
    answer = platform.makes_line_item(resourceLinkId="elsewhere")

    assert answer.status_code == {"canvas": 404, "moodle": 403}[platform.slug]


def test_a_second_column_takes_the_line_item_claim_away_on_moodle_only(canvas: Visitor, moodle: Visitor) -> None:
    for visitor in (canvas, moodle):
        visitor.makes_line_item(resourceLinkId=visitor.activity()["resource_link_id"])

    assert "lineitem" in canvas.launched()[v.AGS]
    assert "lineitem" not in moodle.launched()[v.AGS]


def test_line_items_are_found_by_tag_resource_and_link(platform: Visitor) -> None:
    url = platform.course()["line_items_url"]
    platform.makes_line_item(tag="a", resourceId="r1")
    platform.makes_line_item(tag="b", resourceId="r1")
    link = platform.activity()["resource_link_id"]

    def labels(**query: str) -> list[str]:
        return [item["label"] for item in platform.gets(url, v.LINE_ITEMS_TYPE, **query).get_json()]

    assert labels(tag="a") == ["Essay"]
    assert labels(resource_id="r1") == ["Essay", "Essay"]
    assert labels(resource_id="r1", tag="b") == ["Essay"]
    assert labels(resource_link_id=link) == ["First activity"]
    assert labels(tag="none") == []


def test_canvas_pages_line_items_by_a_link_that_keeps_the_filter(canvas: Visitor) -> None:
    for number in range(3):
        canvas.makes_line_item(label=f"Essay {number}", tag="essay")

    first = canvas.gets(canvas.course()["line_items_url"], tag="essay", limit=2)

    assert [item["label"] for item in first.get_json()] == ["Essay 0", "Essay 1"]
    link = next(part for part in first.headers["Link"].split(",") if 'rel="next"' in part)
    following = canvas.gets(link.partition(">")[0].strip("<"))
    assert [item["label"] for item in following.get_json()] == ["Essay 2"]
    assert 'rel="next"' not in following.headers["Link"]


def test_moodle_pages_line_items_with_curly_quotes_and_html_ampersands(moodle: Visitor) -> None:
    for number in range(2):
        moodle.makes_line_item(label=f"Essay {number}", tag="essay")

    answer = moodle.gets(moodle.course()["line_items_url"], v.LINE_ITEMS_TYPE, limit=1)

    links = [link.encode("latin-1").decode() for link in answer.headers.getlist("Link")]
    following = next(link for link in links if "rel=“next”" in link)
    assert "type_id=3&amp;limit=1&amp;from=1" in following
    repaired = following.partition(">")[0].strip("<").replace("&amp;", "&")
    assert [i["label"] for i in moodle.gets(repaired, v.LINE_ITEMS_TYPE).get_json()] == ["Essay 0"]


def test_results_show_what_the_gradebook_shows(platform: Visitor) -> None:
    platform.scores("student2", comment="Well done")
    path, _, query = platform.activity()["line_item_url"].partition("?")
    member = next(m for m in platform.course()["members"] if m["user"] == "student2")

    answer = platform.gets(f"{path}/results?{query}", v.RESULTS_TYPE, user_id=member["user_id"])

    (result,) = json_of(answer)
    assert result["userId"] == member["user_id"]
    assert (result["resultScore"], result["resultMaximum"], result["comment"]) == (6.75, 10, "Well done")
    assert result["scoreOf"] == platform.activity()["line_item_url"]


def test_moodle_lists_learners_without_a_mark_and_fails_on_a_limit(moodle: Visitor) -> None:
    path, _, query = moodle.activity()["line_item_url"].partition("?")

    everyone = json_of(moodle.gets(f"{path}/results?{query}", v.RESULTS_TYPE))
    limited = moodle.gets(f"{path}/results?{query}", v.RESULTS_TYPE, limit=1)

    assert [result.keys() for result in everyone] == [{"id", "userId"}] * 3
    assert limited.status_code == 500


def test_canvas_pages_results(canvas: Visitor) -> None:
    for user in ("student1", "student2", "student3"):
        canvas.scores(user)

    answer = canvas.gets(f"{canvas.activity()['line_item_url']}/results", limit=2)

    assert len(answer.get_json()) == 2
    assert 'rel="next"' in answer.headers["Link"]


def test_a_rotated_tool_key_changes_nothing_for_a_token_in_hand(platform: Visitor) -> None:
    headers = platform.bearer()
    platform.tool.key = new_key()

    assert platform.client.get(platform.course()["line_items_url"], headers=headers).status_code == 200
