"""What a learner notices on the activity page, and staff on its preview."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.pages.stand_in import HELD_UP, SENT, WAITING, StandIn, catalogue, problem

TITLE = "Capitals and rivers"


def answer_everything(page: Page) -> None:
    page.get_by_label("Oslo").check()
    page.get_by_label("Estonia").check()
    page.get_by_label("Latvia").check()
    page.get_by_label("Danube").fill("2850")
    page.get_by_label("London").fill("river thames")


def submit(page: Page) -> None:
    page.get_by_role("button", name="Submit", exact=True).click()


def test_a_learner_answers_and_sees_the_mark(page: Page, tool: StandIn) -> None:
    page.goto(tool.landing("activity"))
    answer_everything(page)
    page.get_by_label("Latvia").uncheck()

    submit(page)

    expect(page.get_by_role("heading", name="Your result")).to_be_focused()
    expect(page.get_by_text("You have 7 of 10")).to_be_visible()
    expect(page.get_by_text("Your teacher's gradebook has it.")).to_be_visible()
    assert tool.last("POST /api/attempt") == {
        "answers": {"capital-norway": "oslo", "baltic": ["estonia"], "danube": "2850", "london": "river thames"}
    }


@pytest.mark.parametrize("activity_id", catalogue())
def test_whoever_knows_every_answer_of_a_built_in_activity_has_full_marks(
    page: Page, tool: StandIn, activity_id: str
) -> None:
    tool.bound = activity_id
    questions = tool.activities[activity_id]["questions"]
    page.goto(tool.landing("activity"))

    for number, question in enumerate(questions, start=1):
        box = page.get_by_role("listitem").nth(number - 1)
        expect(box).to_contain_text(question["prompt"])
        match question["kind"]:
            case "choice":
                right = question["answer"] if isinstance(question["answer"], list) else [question["answer"]]
                for option in right:
                    box.get_by_label(question["options"][option], exact=True).check()
            case "number":
                box.get_by_role("textbox").fill(str(question["answer"]))
            case "text":
                box.get_by_role("textbox").fill(question["accept"][0])
    submit(page)

    total = sum(question["points"] for question in questions)
    expect(page.get_by_text(f"You have {total} of {total}")).to_be_visible()


def test_the_page_counts_what_is_answered(page: Page, tool: StandIn) -> None:
    page.goto(tool.landing("activity"))
    progress = page.get_by_role("status")
    expect(progress).to_have_text("0 of 4 answered")

    page.get_by_label("Oslo").check()
    page.get_by_label("Estonia").check()
    expect(progress).to_have_text("2 of 4 answered")

    page.get_by_label("Estonia").uncheck()
    expect(progress).to_have_text("1 of 4 answered")


def test_a_reload_keeps_the_answers(page: Page, tool: StandIn) -> None:
    page.goto(tool.landing("activity"))
    answer_everything(page)

    page.reload()

    expect(page.get_by_role("status")).to_have_text("4 of 4 answered")
    expect(page.get_by_label("Oslo")).to_be_checked()
    expect(page.get_by_label("Latvia")).to_be_checked()
    expect(page.get_by_label("Danube")).to_have_value("2850")


def test_what_was_submitted_is_not_kept_in_the_tab(page: Page, tool: StandIn) -> None:
    page.goto(tool.landing("activity"))
    answer_everything(page)

    submit(page)

    expect(page.get_by_role("heading", name="Your result")).to_be_visible()
    assert page.evaluate("Object.keys(sessionStorage)") == ["lti:launch-7"]


def test_unanswered_questions_are_pointed_out_before_sending(page: Page, tool: StandIn) -> None:
    page.goto(tool.landing("activity"))
    page.get_by_label("Oslo").check()

    submit(page)

    expect(page.get_by_role("heading", name="3 questions have no answer yet")).to_be_focused()
    assert tool.count("POST /api/attempt") == 0
    page.get_by_role("button", name="Which river flows through London?").click()
    expect(page.get_by_label("London")).to_be_focused()

    submit(page)
    page.get_by_role("button", name="Submit anyway").click()

    expect(page.get_by_text("You have 2 of 10")).to_be_visible()
    assert tool.last("POST /api/attempt") == {"answers": {"capital-norway": "oslo"}}


def test_a_double_click_sends_once(page: Page, tool: StandIn) -> None:
    tool.answer_delay_seconds = 0.3
    page.goto(tool.landing("activity"))
    answer_everything(page)

    page.get_by_role("button", name="Submit").dblclick()

    expect(page.get_by_role("heading", name="Your result")).to_be_visible()
    assert tool.count("POST /api/attempt") == 1


def test_a_number_takes_comma_or_dot_and_says_how_it_is_read(page: Page, tool: StandIn) -> None:
    page.goto(tool.landing("activity"))
    field = page.get_by_label("Danube")

    for written, read in [
        ("2850.5", "Read as 2,850.5 km."),
        ("2,850", "Read as 2.85 km."),
        ("2.850,5", "Read as 2,850.5 km."),
        ("1,002,850", "Read as 1,002,850 km."),
        ("2 850", "Read as 2,850 km."),
        ("−,5", "Read as -0.5 km."),
        ("2850", ""),
        ("long", ""),
    ]:
        field.fill(written)
        expect(field).to_have_accessible_description(f"km {read}".strip())


def test_a_number_is_sent_with_a_dot(page: Page, tool: StandIn) -> None:
    page.goto(tool.landing("activity"))
    answer_everything(page)
    page.get_by_label("Danube").fill("2.850,5")

    submit(page)

    expect(page.get_by_text("You have 10 of 10")).to_be_visible()
    assert tool.last("POST /api/attempt")["answers"]["danube"] == "2850.5"


def test_a_word_in_a_number_field_is_pointed_out_and_not_sent(page: Page, tool: StandIn) -> None:
    page.goto(tool.landing("activity"))
    answer_everything(page)
    page.get_by_label("Danube").fill("long")

    submit(page)

    expect(page.get_by_label("Danube")).to_be_focused()
    expect(page.get_by_label("Danube")).to_have_accessible_description(re.compile("Write a number here"))
    assert tool.count("POST /api/attempt") == 0


def test_a_mark_on_its_way_is_followed_until_the_gradebook_has_it(page: Page, tool: StandIn) -> None:
    tool.deliveries = [WAITING, SENT]
    page.goto(tool.landing("activity"))
    answer_everything(page)

    submit(page)

    delivery = page.get_by_role("status")
    expect(delivery).to_have_text("Your mark is on its way to your teacher's gradebook.")
    expect(delivery).to_have_text("Your teacher's gradebook has it.")
    assert tool.count("GET /api/activity") == 2  # one when the page opened, one look afterwards


def test_a_mark_that_takes_long_is_asked_after_ever_more_seldom_and_explained(page: Page, tool: StandIn) -> None:
    tool.deliveries = [HELD_UP]
    page.clock.install()
    page.goto(tool.landing("activity"))
    answer_everything(page)
    submit(page)
    expect(page.get_by_role("heading", name="Your result")).to_be_visible()

    for _ in range(20):
        page.clock.run_for(1_000)
    looks = tool.count("GET /api/activity") - 1
    explained = page.get_by_text("You can leave this page: the mark is sent without you.")
    deadline = time.monotonic() + 15
    while not explained.is_visible() and time.monotonic() < deadline:
        page.clock.run_for(30_000)

    assert 1 <= looks <= 4  # after 2, 5, 9.5 and 16 seconds, where every two seconds would be ten
    expect(page.get_by_role("status")).to_contain_text(HELD_UP["sentence"])
    expect(explained).to_be_visible()


def test_a_refused_mark_says_why(page: Page, tool: StandIn) -> None:
    tool.deliveries = [{"state": "refused", "sentence": "The column is locked."}]
    page.goto(tool.landing("activity"))
    answer_everything(page)

    submit(page)

    expect(page.get_by_role("status")).to_contain_text("your teacher's gradebook did not take it")
    expect(page.get_by_role("status")).to_contain_text("The column is locked.")


def test_a_learner_who_comes_back_sees_the_result_first_and_may_try_again(page: Page, tool: StandIn) -> None:
    tool.attempt = {"submitted_at": "2025-11-12T10:30:00Z", "score_given": 7.5, "score_maximum": 10, "delivery": SENT}
    page.goto(tool.landing("activity"))
    expect(page.get_by_text("You have 7.5 of 10")).to_be_visible()
    expect(page.get_by_text("Handed in 12 Nov 2025")).to_be_visible()

    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_role("heading", name=TITLE)).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("0 of 4 answered")


def test_answers_that_could_not_be_sent_stay_and_can_be_sent_again(page: Page, tool: StandIn) -> None:
    tool.failures["POST /api/attempt"] = problem(503, "store_unavailable", "The answers could not be stored")
    page.goto(tool.landing("activity"))
    answer_everything(page)
    submit(page)
    expect(page.get_by_role("alert")).to_contain_text("code store_unavailable · support id SUP-42")
    expect(page.get_by_label("Danube")).to_have_value("2850")

    tool.failures.clear()
    page.get_by_role("button", name="Try once more").click()

    expect(page.get_by_text("You have 10 of 10")).to_be_visible()


def test_answers_stay_on_the_page_when_the_session_ended_meanwhile(page: Page, tool: StandIn) -> None:
    tool.failures["POST /api/attempt"] = problem(401, "session_unknown", "Unauthorized")
    page.goto(tool.landing("activity"))
    answer_everything(page)

    submit(page)

    expect(page.get_by_role("heading", name="Open this activity again from your course")).to_be_focused()
    expect(page.get_by_label("London")).to_have_value("river thames")


def test_a_learner_hears_that_no_activity_was_chosen_yet(page: Page, tool: StandIn) -> None:
    tool.bound = None
    page.goto(tool.landing("activity"))
    expect(page.get_by_text("Your teacher has not chosen an activity for this link yet.")).to_be_visible()

    tool.bound = "photosynthesis"
    page.get_by_role("button", name="Look again").click()

    expect(page.get_by_role("heading", name="Photosynthesis")).to_be_focused()


def test_the_keyboard_alone_is_enough(page: Page, tool: StandIn) -> None:
    page.goto(tool.landing("activity"))
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()

    for key in [
        *("Tab", "Space", "ArrowDown"),  # Bergen, then Oslo
        *("Tab", "Tab", "Space", "Tab", "Tab", "Space"),  # Estonia and Latvia
        *("Tab", "2", "8", "5", "0"),
        *("Tab", *"Thames"),
        *("Tab", "Enter"),
    ]:
        page.keyboard.press(key)

    expect(page.get_by_text("You have 10 of 10")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Try again")).to_be_focused()


def test_staff_see_the_questions_as_a_preview_that_takes_no_answers(page: Page, tool: StandIn) -> None:
    tool.plays_for("planner", "grader")

    page.goto(tool.landing("activity"))

    expect(page.get_by_role("complementary", name="Preview")).to_be_visible()
    expect(page.get_by_label("Oslo")).to_be_disabled()
    expect(page.get_by_label("Danube")).to_be_disabled()
    expect(page.get_by_role("button")).to_have_count(0)
    page.get_by_role("link", name="Back to the marks").click()
    expect(page.get_by_role("heading", name="No one has handed in yet")).to_be_visible()


@pytest.mark.parametrize("privilege", ["planner", "grader"])
def test_staff_who_learn_here_too_see_what_staff_see(page: Page, tool: StandIn, privilege: str) -> None:
    tool.plays_for("candidate", privilege)

    page.goto(tool.landing("activity"))

    expect(page.get_by_text("This is what learners see")).to_be_visible()


def test_staff_who_open_an_unbound_link_are_taken_to_the_choice(page: Page, tool: StandIn) -> None:
    tool.plays_for("planner")
    tool.bound = None

    page.goto(tool.landing("activity"))

    expect(page.get_by_role("heading", name="Choose an activity for this link")).to_be_visible()


def test_markup_from_the_api_is_shown_as_text(page: Page, tool: StandIn) -> None:
    markup = "<img src=x onerror=alert(1)><b>Bold</b>"
    activity = tool.activities["capitals-and-rivers"]
    activity |= {"title": markup, "description": markup}
    activity["questions"][0] |= {"prompt": markup, "options": {"oslo": markup}}
    tool.deliveries = [{"state": "refused", "sentence": markup}]
    page.goto(tool.landing("activity"))
    expect(page.get_by_role("heading", level=1)).to_have_text(markup)
    expect(page.get_by_role("radio", name=markup)).to_be_visible()
    assert page.title() == markup

    submit(page)
    page.get_by_role("button", name="Submit anyway").click()

    expect(page.get_by_role("status")).to_contain_text(markup)
    expect(page.locator("img, b")).to_have_count(0)
