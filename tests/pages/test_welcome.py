"""What someone notices whose role opens nothing."""

from playwright.sync_api import Page, expect

from tests.pages.stand_in import ROLES, StandIn


def test_the_roles_received_are_listed_in_short_words_with_whom_to_ask(page: Page, tool: StandIn) -> None:
    roles = ["membership#Mentor", "institution/person#Observer", "membership/Mentor#Auditor"]
    tool.plays_for(roles=[*(ROLES + role for role in roles), "https://lms.example.edu/roles#Guest", "Visitor"])

    page.goto(tool.landing("welcome"))

    expect(page.get_by_role("heading", name="Welcome, Ada Beck")).to_be_visible()
    expect(page.get_by_text("your role in “Europe 101” does not open anything here")).to_be_visible()
    shown = ["Mentor (in the course)", "Observer (in the institution)", "Mentor: Auditor (in the course)"]
    expect(page.get_by_role("listitem")).to_have_text([*shown, "Guest", "Visitor"])
    expect(page.get_by_text("ask the teacher of the course")).to_be_visible()


def test_someone_without_name_course_or_roles_is_welcome_too(page: Page, tool: StandIn) -> None:
    tool.plays_for(roles=[], user={"id": "user-1"}, context=None)

    page.goto(tool.landing("welcome"))

    expect(page.get_by_role("heading", name="Welcome", exact=True)).to_be_visible()
    expect(page.get_by_text("Your course sent no role for you.")).to_be_visible()


def test_markup_in_names_and_roles_is_shown_as_text(page: Page, tool: StandIn) -> None:
    markup = "<img src=x onerror=alert(1)>"
    tool.plays_for(roles=[markup], user={"id": "user-1", "name": markup})

    page.goto(tool.landing("welcome"))

    expect(page.get_by_role("heading", name=f"Welcome, {markup}")).to_be_visible()
    expect(page.get_by_role("listitem")).to_have_text(markup)
    expect(page.locator("img")).to_have_count(0)


def test_all_that_was_received_stands_in_the_details_with_the_command_that_explains_it(
    page: Page, tool: StandIn
) -> None:
    roles = [ROLES + "membership#Mentor"]
    tool.plays_for(roles=roles, custom={"desk": "a secret value", "room": "7"}, rule=None)
    page.goto(tool.landing("welcome"))
    expect(page.get_by_text("support id launch-7")).to_be_visible()

    page.get_by_text("Details for them").click()

    details = page.get_by_role("group")
    for received in (*roles, "desk", "room", "course-1", "lti roles explain --support-id launch-7"):
        expect(details.get_by_text(received, exact=True)).to_be_visible()
    expect(details).to_contain_text("No landing rule of this tool names any of these roles")
    expect(page.get_by_text("a secret value")).to_have_count(0)


def test_a_rule_that_matched_and_opens_nothing_here_is_named(page: Page, tool: StandIn) -> None:
    tool.plays_for("grader", rule="teaching assistants")
    page.goto(tool.landing("welcome"))

    page.get_by_text("Details for them").click()

    expect(page.get_by_text("The landing rule “teaching assistants” gives grader")).to_be_visible()
