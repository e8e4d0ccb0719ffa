"""What staff notice on the marks page."""

import re
from datetime import datetime
from pathlib import Path

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


GONE: Json = {"state": "refused", "sentence": "The gradebook column is not there any more.", "attempts": 3,
              "cause": "line_item_gone", "refused_at": "2025-11-12T10:30:00Z"}  # fmt: skip
HELD = {"state": "held", "sentence": "It was changed in the gradebook by hand."}
TRIED = {**HELD_UP, "attempts": 2, "failing_since": "2025-11-12T10:00:00Z", "next_try_at": "2025-11-12T10:30:00Z"}


def test_a_row_tells_how_often_a_mark_was_tried_and_when_next(page: Page, staff: StandIn) -> None:
    staff.learners = [
        learner(1, TRIED, name="Ada Beck"),
        learner(2, GONE, name="Chidi Okon"),
        learner(3, HELD, name="Cy"),
    ]

    page.goto(staff.landing("marks"))

    expect(page.get_by_role("row", name="Ada Beck")).to_contain_text("tried 2 times · next try 12 Nov 2025")
    expect(page.get_by_role("row", name="Chidi Okon")).to_contain_text("tried 3 times · last on 12 Nov 2025")
    expect(page.get_by_role("row", name="Cy")).to_contain_text("Changed in the gradebookIt was changed")


def test_learners_are_found_by_name_and_by_state(page: Page, staff: StandIn) -> None:
    names = {"Ada Beck": SENT, "Adam Cole": GONE, "Zoë Dahl": GONE}
    staff.learners = [learner(n, way, name=name) for n, (name, way) in enumerate(names.items(), start=1)]
    page.goto(staff.landing("marks"))

    page.get_by_label("Find a learner").fill("ADA")
    expect(page.get_by_role("rowheader")).to_have_text(["Ada Beck", "Adam Cole"])
    expect(page.get_by_role("status")).to_have_text("2 of 3 shown")

    page.get_by_label("Gradebook").select_option("Not accepted")
    expect(page.get_by_role("rowheader")).to_have_text(["Adam Cole"])

    page.get_by_label("Find a learner").fill("")
    expect(page.get_by_role("rowheader")).to_have_text(["Adam Cole", "Zoë Dahl"])
    expect(page.get_by_label("Find a learner")).to_be_focused()


def test_one_mark_is_sent_again(page: Page, staff: StandIn) -> None:
    staff.learners = [
        learner(1, GONE, name="Ada Beck"),
        learner(2, HELD, name="Chidi Okon"),
        learner(3, SENT, name="Cy"),
    ]
    page.goto(staff.landing("marks"))

    page.get_by_role("button", name="Send again: Ada Beck").click()

    expect(page.get_by_role("status")).to_have_text("1 mark is on its way again")
    expect(page.get_by_role("row", name="Ada Beck")).to_contain_text("On its way")
    expect(page.get_by_role("button", name="Refresh")).to_be_focused()
    assert staff.last("POST /api/marks/resend") == {"users": ["user-1"]}
    expect(page.get_by_role("button", name="Send again: Cy")).to_have_count(0)


def test_all_marks_that_were_not_taken_are_sent_again(page: Page, staff: StandIn) -> None:
    staff.learners = [learner(1, GONE), learner(2, GONE), learner(3, SENT), learner(4, TRIED), learner(5, HELD)]
    page.goto(staff.landing("marks"))

    page.get_by_role("button", name="Send 2 marks again").click()

    expect(page.get_by_role("status")).to_have_text("2 marks are on their way again")
    expect(page.get_by_role("button", name=re.compile("^Send"))).to_have_text(["Send again"])  # what a teacher changed
    assert staff.last("POST /api/marks/resend") == {}


def test_sending_again_that_fails_says_why_and_keeps_the_marks(page: Page, staff: StandIn) -> None:
    staff.learners = [learner(1, GONE, name="Ada Beck")]
    staff.failures["POST /api/marks/resend"] = problem(503, "store_unavailable", "Not at the moment")
    page.goto(staff.landing("marks"))

    page.get_by_role("button", name="Send again: Ada Beck").click()

    expect(page.get_by_role("alert")).to_contain_text("Not at the moment")
    expect(page.get_by_role("button", name="Send again: Ada Beck")).to_be_enabled()


def test_who_has_only_begun_has_a_row_without_a_mark(page: Page, staff: StandIn) -> None:
    staff.learners = [learner(1, SENT, name="Ada Beck")]
    staff.begun = [{"user_id": "user-2", "name": "Chidi Okon", "started_at": "2025-11-12T10:30:00Z"}]

    page.goto(staff.landing("marks"))

    expect(page.get_by_role("row", name="Chidi Okon")).to_contain_text("–begun 12 Nov 2025")
    parts = ["1 learner has handed in", "1 learner has only begun", "In the gradebook: 1"]
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_text(parts)


@pytest.mark.parametrize("privilege", ["invigilator", "chief_invigilator"])
def test_who_invigilates_sees_what_is_delivered_and_how_far_each_is_and_no_mark(
    page: Page, tool: StandIn, privilege: str
) -> None:
    tool.plays_for(privilege)
    tool.learners = [learner(1, SENT, name="Ada Beck", started_at="2025-11-01T10:30:00Z")]
    tool.begun = [{"user_id": "user-2", "name": "Chidi Okon", "started_at": "2025-11-12T10:30:00Z"}]

    page.goto(tool.landing("marks"))

    expect(page.get_by_role("columnheader")).to_have_text(["Learner", "Begun", "Handed in"])
    expect(page.get_by_role("row", name="Chidi Okon")).to_contain_text("12 Nov 2025")
    expect(page.get_by_role("region", name="Deliver")).to_contain_text("Capitals and rivers")
    expect(page.get_by_role("heading", name="Monitor", exact=True)).to_be_visible()
    expect(page.get_by_role("button")).to_have_text(["Refresh"])
    expect(page.get_by_role("link")).to_have_count(0)
    assert tool.count("GET /api/marks") == 0


def test_a_reporter_reads_the_numbers_and_changes_nothing(page: Page, tool: StandIn) -> None:
    tool.plays_for("reporter")
    tool.learners = [learner(1, SENT, name="Ada Beck"), learner(2, GONE, name="Chidi Okon", score_given=2.5)]

    page.goto(tool.landing("marks"))

    expect(page.locator("#numbers dd")).to_have_text(["2", "50 %", "75 %", "25 %", "1"])
    expect(page.get_by_role("rowheader")).to_have_text(["Ada Beck", "Chidi Okon"])
    expect(page.get_by_role("button")).to_have_text(["Refresh", "Download as CSV"])
    expect(page.get_by_role("region", name="Deliver")).to_have_count(0)


def test_marks_come_as_a_file_that_no_spreadsheet_takes_for_formulas(page: Page, staff: StandIn) -> None:
    staff.learners = [learner(1, SENT, name='=1+1 "quoted"'), learner(2, GONE, name="Chidi Okon")]
    staff.begun = [{"user_id": "user-3", "started_at": "2025-11-12T10:30:00Z"}]
    page.goto(staff.landing("marks"))

    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()

    lines = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert download.value.suggested_filename == "marks.csv"
    assert lines[0] == "user_id,name,score_given,score_maximum,submitted_at,state"
    assert lines[1].startswith('"user-1","\'=1+1 ""quoted""","7.5","10","2025-11-01T')
    assert len(lines) == 3


def test_a_link_that_names_its_activity_says_so_instead_of_offering_a_choice(page: Page, tool: StandIn) -> None:
    tool.plays_for("planner")
    tool.named_by_link = True

    page.goto(tool.landing("marks"))

    expect(page.get_by_role("region", name="Deliver")).to_contain_text("The link itself names this activity.")
    expect(page.get_by_role("button", name="Choose another activity")).to_have_count(0)
    expect(page.get_by_text(f"{tool.url}/activities/capitals-and-rivers")).to_be_visible()


@pytest.mark.parametrize("privilege", ["invigilator", "grader", "reporter"])
def test_who_may_not_choose_is_told_that_nothing_is_chosen_yet(page: Page, tool: StandIn, privilege: str) -> None:
    tool.plays_for(privilege)
    tool.bound = None
    page.goto(tool.landing("marks"))
    expect(page.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    expect(page.get_by_role("radio")).to_have_count(0)

    tool.bound = "photosynthesis"
    page.get_by_role("button", name="Look again").click()

    expect(page.get_by_role("heading", name="Photosynthesis", level=1)).to_be_focused()


def test_markup_in_a_name_or_a_reason_is_shown_as_text(page: Page, staff: StandIn) -> None:
    markup = "<img src=x onerror=alert(1)>"
    staff.learners = [learner(1, {"state": "refused", "sentence": markup}, name=markup)]

    page.goto(staff.landing("marks"))

    expect(page.get_by_role("rowheader")).to_have_text(markup)
    expect(page.get_by_role("row").nth(1)).to_contain_text(f"Not accepted{markup}")
    expect(page.locator("img")).to_have_count(0)
