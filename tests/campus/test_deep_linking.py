"""Deep linking: the request, and what becomes of the response."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local.campus import vocabulary as v
from tests.campus.stand_in import Clock, Visitor, new_key


def item(visitor: Visitor, **members: Any) -> dict[str, Any]:
    return {
        "type": "ltiResourceLink",
        "title": "Rivers",
        "url": f"{visitor.tool.url}/lti/launch",
        "custom": {"activity": "rivers"},
        "lineItem": {"scoreMaximum": 12, "resourceId": "rivers", "tag": "grade"},
    } | members


def test_chosen_items_become_activities_with_their_columns(platform: Visitor) -> None:
    url = platform.return_url()
    items = [item(platform), item(platform, title="Mountains", custom={"activity": "mountains"})]

    page = platform.returns(url, platform.tool.deep_linking_response(platform.profile, items))

    assert page.status_code == 200
    assert "2 activities added" in page.text
    added = platform.course()["activities"][1:]
    assert [activity["title"] for activity in added] == ["Rivers", "Mountains"]
    assert [activity["score_maximum"] for activity in added] == [12, 12]
    columns = platform.control(f"{platform.slug}/gradebook")["courses"][0]["line_items"]
    assert (columns[-1]["resource_id"], columns[-1]["tag"]) == ("rivers", "grade")


def test_the_page_leads_back_to_the_course(platform: Visitor) -> None:
    token = platform.tool.deep_linking_response(platform.profile, [item(platform)])

    page = platform.returns(platform.return_url(), token)

    back = re.findall(r'target="_top" href="([^"]+)"', page.text)[0].replace("&amp;", "&")
    assert "1 activity added" in platform.client.get(back).text


def test_what_was_chosen_arrives_in_the_launch(platform: Visitor) -> None:
    target = f"{platform.tool.url}/lti/launch?page=2"
    token = platform.tool.deep_linking_response(platform.profile, [item(platform, url=target)])
    platform.returns(platform.return_url(), token)

    claims = platform.launched(platform.begins("student1"))

    assert claims[v.LTI + "custom"] == {"activity": "rivers"}
    assert claims[v.LTI + "target_link_uri"] == target


def test_an_item_without_a_line_item_gets_a_column_on_moodle_only(canvas: Visitor, moodle: Visitor) -> None:
    for visitor in (canvas, moodle):
        chosen = item(visitor)
        del chosen["lineItem"]
        visitor.returns(visitor.return_url(), visitor.tool.deep_linking_response(visitor.profile, [chosen]))

    assert canvas.activity()["score_maximum"] is None
    assert moodle.activity()["score_maximum"] == 100


@pytest.mark.parametrize("items", [[], None])
def test_choosing_nothing_adds_nothing(platform: Visitor, items: list[Any] | None) -> None:
    page = platform.returns(platform.return_url(), platform.tool.deep_linking_response(platform.profile, items))

    assert page.status_code == 200
    assert "0 activities added" in page.text
    assert len(platform.course()["activities"]) == 1


def test_what_the_tool_says_is_shown_as_text(platform: Visitor) -> None:
    said = {v.DL + "msg": "<b>Bye</b>"}

    page = platform.returns(platform.return_url(), platform.tool.deep_linking_response(platform.profile, [], said))

    assert "&lt;b&gt;Bye&lt;/b&gt;" in page.text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "somebody"}, "iss is"),
        ({"aud": "https://canvas.instructure.com"}, "aud is"),
        ({"exp": 1_800_000_000}, "exp: the response has expired"),
        ({"exp": "1800000300"}, "exp is not a number"),
        ({"iat": 1_800_000_000 - 301}, "iat: the response is older"),
        ({"iat": 1_800_000_000 + 31}, "iat: the response comes from the future"),
        ({"nonce": None}, "nonce is missing"),
        ({v.LTI + "message_type": "LtiResourceLinkRequest"}, "message_type is"),
        ({v.LTI + "version": "1.1"}, "version is"),
        ({v.DL + "content_items": "rivers"}, "content_items is not a list"),
    ],
)
def test_a_response_with_a_wrong_claim_adds_nothing_and_names_it(
    platform: Visitor, changes: dict[str, Any], reason: str
) -> None:
    token = platform.tool.deep_linking_response(platform.profile, [item(platform)], changes)

    page = platform.returns(platform.return_url(), token)

    assert page.status_code == 400
    assert reason in page.text
    assert len(platform.course()["activities"]) == 1


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"type": "html"}, "is not accepted here"),
        ({"url": "https://elsewhere.example/"}, "is not on the tool"),
        ({"url": 7}, "is not on the tool"),
        ({"custom": ["a"]}, "custom is not an object"),
        ({"lineItem": {"scoreMaximum": 0}}, "scoreMaximum is not a number above 0"),
    ],
)
def test_one_bad_item_spoils_the_whole_response(platform: Visitor, members: dict[str, Any], reason: str) -> None:
    items = [item(platform), item(platform, **members)]

    page = platform.returns(platform.return_url(), platform.tool.deep_linking_response(platform.profile, items))

    assert page.status_code == 400
    assert reason in page.text
    assert len(platform.course()["activities"]) == 1


def test_canvas_wants_a_maximum_in_each_line_item_and_moodle_takes_a_hundred(canvas: Visitor, moodle: Visitor) -> None:
    pages = [
        visitor.returns(
            visitor.return_url(),
            visitor.tool.deep_linking_response(visitor.profile, [item(visitor, lineItem={"tag": "grade"})]),
        )
        for visitor in (canvas, moodle)
    ]

    assert "lineItem.scoreMaximum is a required field" in pages[0].text
    assert moodle.activity()["score_maximum"] == 100


def test_a_response_signed_by_a_stranger_is_refused(platform: Visitor) -> None:
    url, published = platform.return_url(), platform.tool.key
    platform.tool.key = new_key()

    page = platform.returns(
        url, platform.tool.deep_linking_response(platform.profile, [item(platform)], kid=published.kid)
    )

    assert page.status_code == 400
    assert "JWT verification failure" in page.text


@pytest.mark.parametrize("token", ["", "abc", "a.b.c"])
def test_something_that_is_no_jwt_is_refused(platform: Visitor, token: str) -> None:
    assert platform.returns(platform.return_url(), token).status_code == 400


def test_a_return_address_works_once_on_canvas(canvas: Visitor) -> None:
    url = canvas.return_url()
    canvas.returns(url, canvas.tool.deep_linking_response(canvas.profile, [item(canvas)]))

    again = canvas.returns(url, canvas.tool.deep_linking_response(canvas.profile, [item(canvas)]))

    assert again.status_code == 400
    assert "already_used" in again.text
    assert len(canvas.course()["activities"]) == 2


def test_a_refused_response_leaves_the_return_address_unspent(canvas: Visitor) -> None:
    url = canvas.return_url()
    canvas.returns(url, "not a JWT")

    page = canvas.returns(url, canvas.tool.deep_linking_response(canvas.profile, [item(canvas)]))

    assert page.status_code == 200


def test_a_canvas_return_address_dies_after_an_hour(canvas: Visitor, clock: Clock) -> None:
    url = canvas.return_url()
    clock.time += 3601

    page = canvas.returns(url, canvas.tool.deep_linking_response(canvas.profile, [item(canvas)]))

    assert "invalid_or_malformed" in page.text


@pytest.mark.parametrize(
    ("pattern", "replacement", "reason"),
    [("data=.*", "", "presence_required"), ("data=.{30}", "data=", "invalid_or_malformed"), ("101", "102", "invalid")],
)
def test_an_altered_canvas_return_address_is_refused(
    canvas: Visitor, pattern: str, replacement: str, reason: str
) -> None:
    url = re.sub(pattern, replacement, canvas.return_url(), count=1)

    page = canvas.returns(url, canvas.tool.deep_linking_response(canvas.profile, [item(canvas)]))

    assert page.status_code == 400
    assert reason in page.text


def test_a_moodle_session_key_is_good_for_the_session(moodle: Visitor) -> None:
    url = moodle.return_url()

    pages = [
        moodle.returns(url, moodle.tool.deep_linking_response(moodle.profile, [item(moodle)])),
        moodle.returns(url, moodle.tool.deep_linking_response(moodle.profile, [item(moodle)])),
        moodle.returns(re.sub("sesskey=.*", "sesskey=0", url), moodle.tool.deep_linking_response(moodle.profile, [])),
    ]

    assert [page.status_code for page in pages] == [200, 200, 400]


def test_neither_platform_asks_for_the_deployment(platform: Visitor) -> None:
    token = platform.tool.deep_linking_response(platform.profile, [], {v.LTI + "deployment_id": None})

    assert platform.returns(platform.return_url(), token).status_code == 200


def test_media_types_are_text_on_canvas_and_a_list_on_moodle(canvas: Visitor, moodle: Visitor) -> None:
    on_canvas, on_moodle = (
        visitor.launched(visitor.begins_picking())[v.DL + "deep_linking_settings"] for visitor in (canvas, moodle)
    )

    assert isinstance(on_canvas["accept_media_types"], str)
    assert isinstance(on_moodle["accept_media_types"], list)
    assert on_canvas["accept_multiple"] is on_moodle["accept_multiple"] is True
    assert "data" not in on_canvas
    assert "data" not in on_moodle


def test_a_deep_linking_request_has_no_resource_link(platform: Visitor) -> None:
    claims = platform.launched(platform.begins_picking())

    assert claims[v.LTI + "message_type"] == "LtiDeepLinkingRequest"
    assert v.LTI + "resource_link" not in claims
