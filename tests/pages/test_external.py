"""What people notice when an activity is an app of the vendor's."""

import pytest
from playwright.sync_api import Page, expect

from tests.pages.stand_in import LABORATORY, StandIn, problem


@pytest.fixture
def laboratory(tool: StandIn) -> StandIn:
    tool.activities = {LABORATORY["id"]: LABORATORY}
    tool.bound = LABORATORY["id"]
    return tool


def test_a_learner_goes_straight_on_to_the_app(page: Page, laboratory: StandIn) -> None:
    page.goto(laboratory.landing("activity"))

    expect(page.get_by_text("Came with once")).to_be_visible()
    assert page.url == f"{laboratory.url}/laboratory?code=once"


def test_a_learner_who_cannot_go_on_is_told_and_may_try_again(page: Page, laboratory: StandIn) -> None:
    laboratory.failures["POST /api/departure"] = problem(503, "store_unavailable", "Not at the moment")
    page.goto(laboratory.landing("activity"))
    expect(page.get_by_role("heading", name="Not at the moment")).to_be_visible()
    laboratory.failures.clear()

    page.get_by_role("button", name="Try once more").click()

    expect(page.get_by_text("Came with once")).to_be_visible()


def test_staff_sees_the_marks_and_opens_the_app_from_there(page: Page, laboratory: StandIn) -> None:
    laboratory.plays_for("planner", "grader")
    page.goto(laboratory.landing("marks"))
    assert laboratory.count("POST /api/departure") == 0

    page.get_by_role("link", name="Open “The laboratory”").click()

    expect(page.get_by_text("Came with once")).to_be_visible()


def test_the_picker_says_that_it_opens_elsewhere(page: Page, laboratory: StandIn) -> None:
    settings = {"accept_types": ["ltiResourceLink"], "accept_multiple": True, "accept_lineitem": True}
    laboratory.plays_for("planner", deep_linking=settings)

    page.goto(laboratory.landing("picker"))

    card = page.get_by_text("opens in its provider's own app")
    expect(card).to_have_text("opens in its provider's own app · adds a gradebook column of 40 points")
