"""How a page finds its session, and what it says when there is none or a call fails."""

import pytest
from playwright.sync_api import Page, expect

from tests.pages.stand_in import StandIn, problem

PAGES = ["activity", "marks", "picker", "welcome"]
STORAGE_THROWS = "() => { try { sessionStorage.length; return false } catch { return true } }"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_a_session_says_to_open_it_from_the_course(page: Page, tool: StandIn, name: str) -> None:
    page.goto(f"{tool.url}/app/{name}?launch=unknown")

    expect(page.get_by_role("heading", level=1)).to_have_text("Open this activity again from your course")
    assert tool.calls == []


def test_where_storage_is_denied_the_token_leaves_the_url_at_once_and_the_page_works(
    page_without_storage: Page, tool: StandIn
) -> None:
    page = page_without_storage

    page.goto(tool.landing("activity"))

    expect(page.get_by_role("heading", name="Capitals and rivers")).to_be_visible()
    assert page.evaluate(STORAGE_THROWS)
    assert page.url == f"{tool.url}/app/activity?launch=launch-7"
    page.get_by_label("Oslo").check()
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("button", name="Submit anyway").click()
    expect(page.get_by_text("You have 2 of 10")).to_be_visible()


def test_where_storage_is_denied_one_page_still_leads_to_the_next(page_without_storage: Page, tool: StandIn) -> None:
    page = page_without_storage
    tool.plays_for("planner")
    page.goto(tool.landing("marks"))

    page.get_by_role("link", name="Preview the questions").click()

    expect(page.get_by_text("This is what learners see")).to_be_visible()
    assert "secret" not in page.url


def test_where_storage_is_denied_a_reload_asks_to_open_it_again(page_without_storage: Page, tool: StandIn) -> None:
    page = page_without_storage
    page.goto(tool.landing("activity"))
    expect(page.get_by_role("heading", name="Capitals and rivers")).to_be_visible()

    page.reload()

    expect(page.get_by_text("Open this activity again from your course")).to_be_visible()


def test_a_token_in_the_fragment_does_not_replace_the_one_that_the_tab_keeps(page: Page, tool: StandIn) -> None:
    page.goto(tool.landing("activity"))
    expect(page.get_by_role("heading", name="Capitals and rivers")).to_be_visible()

    page.goto(f"{tool.url}/app/welcome?launch=launch-7#session=launch-7.somebody-elses")

    expect(page.get_by_role("heading", name="Welcome, Ada Beck")).to_be_visible()
    assert "session=" not in page.url


def test_a_problem_shows_its_words_its_code_and_the_support_id_and_can_be_tried_again(
    page: Page, tool: StandIn
) -> None:
    tool.failures["GET /api/session"] = problem(500, "store_unavailable", "We cannot look this up", "It will pass.")
    page.goto(tool.landing("activity"))
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("We cannot look this up")
    expect(alert).to_contain_text("It will pass.")
    expect(alert).to_contain_text("code store_unavailable · support id SUP-42")

    tool.failures.clear()
    page.get_by_role("button", name="Try once more").click()

    expect(page.get_by_role("heading", name="Capitals and rivers")).to_be_focused()


def test_a_refusal_that_would_come_again_offers_no_retry(page: Page, tool: StandIn) -> None:
    tool.plays_for("grader")
    tool.failures["GET /api/marks"] = problem(403, "staff_only", "This page is for staff")

    page.goto(tool.landing("marks"))

    expect(page.get_by_role("alert")).to_contain_text("This page is for staff")
    expect(page.get_by_role("button")).to_have_count(0)


def test_a_session_that_has_ended_says_to_open_it_again_from_the_course(page: Page, tool: StandIn) -> None:
    tool.failures["GET /api/session"] = problem(401, "session_unknown", "Unauthorized")

    page.goto(tool.landing("marks"))

    expect(page.get_by_role("alert")).to_contain_text("Open this activity again from your course")
    expect(page.get_by_role("alert")).to_contain_text("support id SUP-42")


def test_an_answer_that_is_no_problem_json_still_gives_a_readable_message(page: Page, tool: StandIn) -> None:
    page.route("**/api/session", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))

    page.goto(tool.landing("welcome"))

    expect(page.get_by_role("alert")).to_contain_text("Something went wrong on our side")
    expect(page.get_by_role("alert")).to_contain_text("code http_502")


def test_without_a_network_the_page_says_so_and_tries_again_on_demand(page: Page, tool: StandIn) -> None:
    page.route("**/api/**", lambda route: route.abort())
    page.goto(tool.landing("activity"))
    expect(page.get_by_role("alert")).to_contain_text("No connection")

    page.unroute_all()
    page.get_by_role("button", name="Try once more").click()

    expect(page.get_by_role("heading", name="Capitals and rivers")).to_be_visible()


def test_a_frame_asks_the_lms_for_the_height_of_its_page(page: Page, tool: StandIn) -> None:
    lms = tool.url.replace("localhost", "127.0.0.1")  # another site
    page.set_viewport_size({"width": 1000, "height": 1600})

    page.goto(f"{lms}/framed?page=activity")

    inside = page.frame_locator("iframe")
    expect(inside.get_by_role("heading", name="Capitals and rivers")).to_be_visible()
    expect(inside.get_by_role("button", name="Submit")).to_be_in_viewport()
    assert page.frames[1].evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert not page.frames[1].evaluate(STORAGE_THROWS)
