"""What staff notice on the marks page."""

from datetime import datetime

import pytest
from playwright.sync_api import Page, expect

from tests.pages.stand_in import HELD_UP, SENT, WAITING, Json, StandIn, problem

REFUSED = {"state": "refused", "sentence": "The column is locked."}
NOT_SENT = {"state": "not_sent", "sentence": "A preview user's mark is not sent."}


def learner(number: int, delivery: Json, **more: object) -> Json:
    return {
        "user_id": f"user-{number}",
        "score_given": 7.5,
        "score_maximum": 10,
        "submitted_at": datetime(2025, 11, number, 12).astimezone().isoformat(),
        "delivery": delivery,
        **more,
    }


@pytest.fixture
def staff(tool: StandIn) -> StandIn:
    tool.plays_for("planner", "grader")
    return tool


def test_each_learner_has_a_row_with_mark_time_and_state_in_words(page: Page, staff: StandIn) -> None:
    staff.learners = [
        learner(1, SENT, name="Chidi Okon"),
        learner(2, WAITING, name="Ada Beck"),
        learner(3, REFUSED, name="Björn Dahl"),
        learner(4, NOT_SENT),
        learner(5, HELD_UP),
    ]

    page.goto(staff.landing("marks"))

    table = page.get_by_role("table", name="Marks")
    rows = table.get_by_role("row")
    expect(table.get_by_role("rowheader")).to_have_text(["Ada Beck", "Björn Dahl", "Chidi Okon", "user-4", "user-5"])
    expect(rows.nth(1)).to_contain_text("7.5 of 10")
    expect(rows.nth(1)).to_contain_text("2 Nov 2025, 12:00")
    expect(rows.nth(1)).to_contain_text("On its way")
    expect(rows.nth(2)).to_contain_text("Not acceptedThe column is locked.")
    expect(rows.nth(3)).to_contain_text("In the gradebook")
    expect(rows.nth(4)).to_contain_text("Not sentA preview user's mark is not sent.")
    expect(rows.nth(5)).to_contain_text("On its wayThe platform does not answer at the moment.")


def test_a_summary_counts_the_states(page: Page, staff: StandIn) -> None:
    staff.learners = [learner(1, SENT), learner(2, SENT), learner(3, WAITING)]

    page.goto(staff.landing("marks"))

    parts = ["3 learners have handed in", "On its way: 1", "In the gradebook: 2"]
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_text(parts)


def test_a_state_without_a_sentence_of_ours_is_named_all_the_same(page: Page, staff: StandIn) -> None:
    staff.learners = [learner(1, {"state": "held_back", "sentence": "Changed in the gradebook by hand."})]

    page.goto(staff.landing("marks"))

    expect(page.get_by_role("row").nth(1)).to_contain_text("held backChanged in the gradebook by hand.")


def test_dates_and_numbers_follow_the_locale_of_the_launch(page: Page, staff: StandIn) -> None:
    staff.session["locale"] = "de_DE"
    staff.learners = [learner(1, SENT)]

    page.goto(staff.landing("marks"))

    expect(page.get_by_role("row").nth(1)).to_contain_text("7,5 von 10")
    expect(page.get_by_role("row").nth(1)).to_contain_text("01.11.2025, 12:00")


def test_before_the_first_mark_the_page_says_so_and_refresh_finds_it(page: Page, staff: StandIn) -> None:
    page.goto(staff.landing("marks"))
    expect(page.get_by_role("heading", name="No one has handed in yet")).to_be_visible()

    staff.learners = [learner(1, SENT, name="Ada Beck")]
    page.get_by_role("button", name="Refresh").click()

    expect(page.get_by_role("rowheader", name="Ada Beck")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("Up to date at")
    expect(page.get_by_role("button", name="Refresh")).to_be_focused()


def test_a_refresh_that_fails_keeps_the_marks_and_says_why(page: Page, staff: StandIn) -> None:
    staff.learners = [learner(1, SENT, name="Ada Beck")]
    page.goto(staff.landing("marks"))
    expect(page.get_by_role("rowheader", name="Ada Beck")).to_be_visible()

    staff.failures["GET /api/marks"] = problem(500, "internal_error", "Something broke")
    page.get_by_role("button", name="Refresh").click()

    expect(page.get_by_role("alert")).to_contain_text("Something broke")
    expect(page.get_by_role("rowheader", name="Ada Beck")).to_be_visible()


def test_an_unbound_link_gets_its_activity_from_the_catalogue(page: Page, staff: StandIn) -> None:
    staff.bound = None
    page.goto(staff.landing("marks"))
    use = page.get_by_role("button", name="Use this activity")
    expect(use).to_be_disabled()

    page.get_by_label("Search activities").fill("photo")
    expect(page.get_by_role("radio")).to_have_count(1)
    page.get_by_role("radio", name="Photosynthesis").check()
    use.click()

    expect(page.get_by_role("heading", name="Photosynthesis", level=1)).to_be_focused()
    assert staff.bound == "photosynthesis"


def test_a_binding_that_is_refused_can_be_tried_again(page: Page, staff: StandIn) -> None:
    staff.bound = None
    staff.failures["PUT /api/binding"] = problem(403, "planners_only", "You may not choose here")
    page.goto(staff.landing("marks"))
    page.get_by_role("radio", name="Photosynthesis").check()

    page.get_by_role("button", name="Use this activity").click()

    expect(page.get_by_role("heading", name="You may not choose here")).to_be_focused()
    expect(page.get_by_role("button", name="Use this activity")).to_be_enabled()


def test_until_someone_handed_in_another_activity_can_be_chosen(page: Page, staff: StandIn) -> None:
    page.goto(staff.landing("marks"))

    page.get_by_role("button", name="Choose another activity").click()
    page.get_by_role("radio", name="Fractions and percentages").check()
    page.get_by_role("button", name="Use this activity").click()

    expect(page.get_by_role("heading", name="Fractions and percentages", level=1)).to_be_visible()


def test_markup_in_a_name_or_a_reason_is_shown_as_text(page: Page, staff: StandIn) -> None:
    markup = "<img src=x onerror=alert(1)>"
    staff.learners = [learner(1, {"state": "refused", "sentence": markup}, name=markup)]

    page.goto(staff.landing("marks"))

    expect(page.get_by_role("rowheader")).to_have_text(markup)
    expect(page.get_by_role("row").nth(1)).to_contain_text(f"Not accepted{markup}")
    expect(page.locator("img")).to_have_count(0)
