"""What a teacher notices while choosing activities for a course."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.pages.stand_in import StandIn, problem


@pytest.fixture
def picker(tool: StandIn) -> StandIn:
    accepts(tool)
    return tool


def accepts(tool: StandIn, **settings: object) -> None:
    deep_linking = {"accept_multiple": True, "accept_types": ["ltiResourceLink"], "accept_lineitem": True} | settings
    tool.plays_for("planner", message_type="LtiDeepLinkingRequest", deep_linking=deep_linking)


def add(page: Page) -> None:
    page.get_by_role("button", name="Add to course").click()
    expect(page.get_by_text("Returned to the course")).to_be_visible()


def test_two_chosen_activities_go_back_with_the_session(page: Page, picker: StandIn) -> None:
    page.goto(picker.landing("picker"))
    page.get_by_role("checkbox", name="Capitals and rivers").check()
    page.get_by_role("checkbox", name="Photosynthesis").check()
    expect(page.get_by_text("2 chosen: Capitals and rivers, Photosynthesis")).to_be_visible()

    add(page)

    chosen = [("activity", "capitals-and-rivers"), ("activity", "photosynthesis")]
    assert picker.posted == [("session", picker.token), *chosen]
    assert "secret" not in page.url


def test_where_only_one_is_accepted_the_newest_choice_is_the_one(page: Page, picker: StandIn) -> None:
    accepts(picker, accept_multiple=False)
    page.goto(picker.landing("picker"))
    page.get_by_role("radio", name="Capitals and rivers").check()
    page.get_by_role("radio", name="Photosynthesis").check()
    expect(page.get_by_text("1 chosen: Photosynthesis")).to_be_visible()

    add(page)

    assert picker.posted == [("session", picker.token), ("activity", "photosynthesis")]


def test_cancel_sends_the_session_and_no_activity(page: Page, picker: StandIn) -> None:
    page.goto(picker.landing("picker"))
    page.get_by_role("checkbox", name="Photosynthesis").check()

    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_text("Returned to the course")).to_be_visible()
    assert picker.posted == [("session", picker.token)]


def test_nothing_can_be_added_until_something_is_chosen(page: Page, picker: StandIn) -> None:
    page.goto(picker.landing("picker"))

    expect(page.get_by_text("Nothing chosen yet")).to_be_visible()
    expect(page.get_by_role("button", name="Add to course")).to_be_disabled()


def test_a_choice_outlives_a_search(page: Page, picker: StandIn) -> None:
    page.goto(picker.landing("picker"))
    page.get_by_role("checkbox", name="Photosynthesis").check()

    page.get_by_label("Search activities").fill("capitals")
    expect(page.get_by_role("checkbox")).to_have_count(1)
    page.get_by_role("checkbox", name="Capitals and rivers").check()
    add(page)

    assert [value for _, value in picker.posted[1:]] == ["photosynthesis", "capitals-and-rivers"]


def test_typing_asks_once_for_the_whole_word(page: Page, picker: StandIn) -> None:
    page.clock.install()
    page.goto(picker.landing("picker"))
    expect(page.get_by_role("checkbox")).to_have_count(4)

    page.clock.pause_at(time.time() + 60)
    page.get_by_label("Search activities").press_sequentially("verbs")
    page.clock.run_for(300)

    expect(page.get_by_role("checkbox")).to_have_count(1)
    assert [call.body["query"] for call in picker.calls if call.name == "GET /api/catalogue"] == ["", "verbs"]


def test_a_search_without_a_match_says_so(page: Page, picker: StandIn) -> None:
    page.goto(picker.landing("picker"))

    page.get_by_label("Search activities").fill("astronomy")

    expect(page.get_by_text("No activity matches “astronomy”.")).to_be_visible()


def test_a_long_catalogue_comes_in_pieces(page: Page, picker: StandIn) -> None:
    picker.activities = {
        f"a-{number:02}": picker.activities["photosynthesis"]
        | {"id": f"a-{number:02}", "title": f"Activity {number:02}"}
        for number in range(45)
    }
    page.goto(picker.landing("picker"))
    expect(page.get_by_text("The first 20 activities")).to_be_visible()

    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_role("checkbox", name="Activity 20")).to_be_focused()
    page.get_by_role("button", name="Show more").click()

    expect(page.get_by_role("checkbox")).to_have_count(45)
    expect(page.get_by_text("45 activities")).to_be_visible()
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)


@pytest.mark.parametrize("accept_lineitem", [True, None])
def test_a_card_tells_of_the_gradebook_column(page: Page, picker: StandIn, accept_lineitem: bool | None) -> None:
    accepts(picker, accept_lineitem=accept_lineitem)

    page.goto(picker.landing("picker"))

    expect(page.get_by_text("8 questions · adds a gradebook column of 40 points")).to_be_visible()


def test_where_the_platform_takes_no_line_items_no_column_is_promised(page: Page, picker: StandIn) -> None:
    accepts(picker, accept_lineitem=False)

    page.goto(picker.landing("picker"))

    expect(page.get_by_text("8 questions · 40 points")).to_be_visible()
    expect(page.get_by_text("gradebook")).to_have_count(0)


@pytest.mark.parametrize("taken", [["file", "html"], ["link"]])
def test_a_place_that_takes_no_activities_says_so_and_lets_one_leave(
    page: Page, picker: StandIn, taken: list[str]
) -> None:
    accepts(picker, accept_types=taken)
    page.goto(picker.landing("picker"))
    expect(page.get_by_role("heading", name="Activities do not fit here")).to_be_visible()

    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_text("Returned to the course")).to_be_visible()
    assert picker.posted == [("session", picker.token)]


def test_a_catalogue_that_cannot_be_read_is_tried_again_on_demand(page: Page, picker: StandIn) -> None:
    picker.failures["GET /api/catalogue"] = problem(500, "internal_error", "Something broke")
    page.goto(picker.landing("picker"))
    expect(page.get_by_role("alert")).to_contain_text("support id SUP-42")

    picker.failures.clear()
    page.get_by_role("button", name="Try once more").click()

    expect(page.get_by_role("checkbox")).to_have_count(4)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_keyboard_alone_is_enough(page: Page, picker: StandIn) -> None:
    page.goto(picker.landing("picker"))
    expect(page.get_by_role("checkbox")).to_have_count(4)

    for key in ("Tab", "Tab", "Space", "Tab", "Tab", "Tab", "Tab", "Tab", "Enter"):
        page.keyboard.press(key)  # search, the first of four cards, Cancel, Add

    expect(page.get_by_text("Returned to the course")).to_be_visible()
    assert picker.posted[1:] == [("activity", "capitals-and-rivers")]


def test_markup_in_a_title_is_shown_as_text(page: Page, picker: StandIn) -> None:
    markup = "<img src=x onerror=alert(1)>"
    picker.activities["photosynthesis"] |= {"title": markup, "description": markup}
    picker.session["context"]["title"] = markup
    page.goto(picker.landing("picker"))

    page.get_by_role("checkbox", name=markup).check()

    expect(page.get_by_text(f"1 chosen: {markup}")).to_be_visible()
    expect(page.get_by_text(f"They become part of “{markup}”.")).to_be_visible()
    expect(page.locator("img")).to_have_count(0)
