"""A person reads the pages in the platform's language, else in the browser's, else in English."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from lti_tool.runtime.languages import TAGS
from lti_tool.runtime.views import CAUSES
from tests.pages.stand_in import PAGES, SENT, StandIn, problem

TRANSLATED = [tag for tag in TAGS if tag != "en"]
WORDS = """async (tag) => ({
  words: (await import(`/app/words.${tag}.js`)).words,
  plurals: new Intl.PluralRules(tag).resolvedOptions().pluralCategories,
})"""


@pytest.fixture
def french_page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="fr-CA")
    yield context.new_page()
    context.close()


def forms(entry: str | dict[str, str]) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry.values())


def braces(entry: str | dict[str, str]) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", " ".join(forms(entry))))


def long_texts(words: dict[str, Any]) -> set[str]:
    """Texts of two words and more; a single one may be the same in two languages."""
    texts = {form for entry in words.values() for form in forms(entry)}
    return {text for text in texts if len(re.findall(r"\w+", re.sub(r"\{\w+\}", "", text))) > 1}


def test_there_is_a_file_for_each_language_of_the_tool() -> None:
    assert {path.name for path in PAGES.glob("words.*.js")} == {f"words.{tag}.js" for tag in TAGS}


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_language_says_everything_with_the_same_braces_and_leaves_no_english(
    page: Page, tool: StandIn, tag: str
) -> None:
    page.goto(f"{tool.url}/app/welcome")
    english = page.evaluate(WORDS, "en")["words"]

    found = page.evaluate(WORDS, tag)

    words, causes = (
        found["words"],
        {f"why_{cause}" for cause in [*CAUSES, "waiting", "refused", "not_sent", "superseded"]},
    )
    assert set(words) == set(english) | causes
    for key, entry in english.items():
        assert braces(words[key]) == braces(entry), key
        assert isinstance(words[key], str) == isinstance(entry, str), key
        if not isinstance(entry, str):
            assert {"other"} <= set(words[key]) <= set(found["plurals"]), key
    assert long_texts(words) & long_texts(english) == set()


def test_a_german_learner_sees_german(page: Page, tool: StandIn) -> None:
    tool.plays_for("candidate", locale="de-AT")
    page.goto(tool.landing("activity"))
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_text("Frage 1 von 4 · 2 Punkte")).to_be_visible()
    page.get_by_label("Danube").fill("2850,5")
    expect(page.get_by_text("Gelesen als 2")).to_be_visible()

    page.get_by_role("button", name="Abgeben").click()
    expect(page.get_by_role("heading", name="3 Fragen haben noch keine Antwort")).to_be_focused()
    page.get_by_role("button", name="Trotzdem abgeben").click()

    expect(page.get_by_text("Sie haben 2 von 10 Punkten")).to_be_visible()
    expect(page.get_by_text("Ihre Bewertung steht im Notenbuch Ihrer Lehrkraft.")).to_be_visible()


def test_german_staff_read_why_a_mark_was_refused_in_german(page: Page, tool: StandIn) -> None:
    tool.plays_for("grader", locale="de")
    mark = {"score_given": 7.5, "score_maximum": 10, "submitted_at": "2025-11-12T10:30:00Z"}
    gone = {"state": "refused", "sentence": "The gradebook column is not there any more.", "cause": "line_item_gone"}
    odd = {"state": "refused", "sentence": "Something newer than this page.", "cause": "something_new"}
    tool.learners = [
        {"user_id": "1", "name": "Ada", **mark, "delivery": gone},
        {"user_id": "2", "name": "Bo", **mark, "delivery": odd},
        {"user_id": "3", "name": "Cy", **mark, "delivery": SENT},
    ]

    page.goto(tool.landing("marks"))

    expect(page.get_by_role("row", name="Ada")).to_contain_text("Die Spalte im Notenbuch gibt es nicht mehr.")
    expect(page.get_by_role("row", name="Bo")).to_contain_text("Die Lernplattform hat die Bewertung abgelehnt.")
    expect(page.get_by_role("row", name="Cy")).to_contain_text("7,5 von 10")
    expect(page.locator("#summary")).to_contain_text("Nicht angenommen: 2")


def test_an_arabic_page_runs_from_right_to_left(page: Page, tool: StandIn) -> None:
    tool.plays_for("candidate", locale="ar")
    page.goto(tool.landing("activity"))

    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("html")).to_have_attribute("lang", "ar")
    control, text = page.get_by_label("Oslo").bounding_box(), page.get_by_text("Oslo", exact=True).bounding_box()
    assert control is not None
    assert text is not None
    assert control["x"] > text["x"] + text["width"]
    heading = page.get_by_role("heading", name="Capitals and rivers")  # an English text keeps its own direction
    assert heading.evaluate("element => getComputedStyle(element).direction") == "ltr"
    assert heading.evaluate("element => getComputedStyle(element).textAlign") == "right"


def test_arabic_digits_are_numbers(page: Page, tool: StandIn) -> None:
    tool.plays_for("candidate", locale="ar-EG")
    page.goto(tool.landing("activity"))
    page.get_by_label("Danube").fill("٢٨٥٠٫٥")

    page.get_by_role("button", name="تسليم").click()
    page.get_by_role("button", name="التسليم على أي حال").click()

    expect(page.get_by_role("heading", name="نتيجتك")).to_be_visible()
    assert tool.last("POST /api/attempt") == {"answers": {"danube": "2850.5"}}


@pytest.mark.parametrize(("n", "words"), [(1, "درجة واحدة"), (2, "درجتان"), (3, "3 درجات"), (11, "11 درجة")])
def test_arabic_counts_as_arabic_does(page: Page, tool: StandIn, n: int, words: str) -> None:
    tool.plays_for("candidate", locale="ar-MA")  # where digits are western
    for question in tool.activities["capitals-and-rivers"]["questions"]:
        question["points"] = n

    page.goto(tool.landing("activity"))

    expect(page.get_by_text(words).first).to_be_visible()


@pytest.mark.parametrize("locale", ["tlh", "not a locale", "", "en-US"])
def test_an_unknown_locale_falls_back_to_english(page: Page, tool: StandIn, locale: str) -> None:
    tool.plays_for("candidate", locale=locale)

    page.goto(tool.landing("activity"))

    expect(page.get_by_role("button", name="Submit")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("html")).to_have_attribute("dir", "ltr")


def test_an_unknown_locale_falls_back_to_the_browsers_language_first(french_page: Page, tool: StandIn) -> None:
    tool.plays_for("candidate", locale="tlh")

    french_page.goto(tool.landing("activity"))

    expect(french_page.get_by_role("button", name="Remettre")).to_be_visible()


def test_without_a_session_a_page_speaks_the_browsers_language(french_page: Page, tool: StandIn) -> None:
    french_page.goto(f"{tool.url}/app/activity")

    expect(french_page.get_by_role("heading")).to_have_text("Ouvrez de nouveau cette activité depuis votre cours")


@pytest.mark.parametrize("locale", ["no", "nn-NO", "nb_NO"])
def test_both_forms_of_norwegian_get_bokmal(page: Page, tool: StandIn, locale: str) -> None:
    tool.plays_for("candidate", locale=locale)

    page.goto(tool.landing("activity"))

    expect(page.get_by_role("button", name="Lever")).to_be_visible()


def test_a_language_file_that_does_not_come_leaves_the_page_in_english(page: Page, tool: StandIn) -> None:
    page.route("**/words.de.js", lambda route: route.abort())
    tool.plays_for("candidate", locale="de")

    page.goto(tool.landing("activity"))

    expect(page.get_by_role("button", name="Submit")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_api_is_asked_to_explain_refusals_in_the_pages_language(page: Page, tool: StandIn) -> None:
    tool.plays_for("candidate", locale="es-MX")
    asked: list[str] = []
    refusal = json.dumps(problem(503, "store_unavailable", "No se puede", ""))

    def refuse(route: Any) -> None:
        asked.append(route.request.all_headers()["accept-language"])
        route.fulfill(status=503, body=refusal, content_type="application/problem+json")

    page.route("**/api/attempt", refuse)
    page.goto(tool.landing("activity"))
    page.get_by_role("button", name="Entregar").click()
    page.get_by_role("button", name="Entregar de todos modos").click()

    expect(page.get_by_role("alert")).to_contain_text("código store_unavailable · identificador de soporte SUP-42")
    assert asked == ["es"]


@pytest.mark.parametrize("tag", TRANSLATED)
def test_every_language_fits_into_a_narrow_frame(page: Page, tool: StandIn, tag: str) -> None:
    page.set_viewport_size({"width": 320, "height": 400})
    deep_linking = {"accept_multiple": True, "accept_types": ["ltiResourceLink"], "accept_lineitem": True}
    tool.plays_for("planner", "reporter", locale=tag, deep_linking=deep_linking)
    mark = {"score_given": 7.5, "score_maximum": 10, "submitted_at": "2025-11-12T10:30:00Z"}
    stuck = {"state": "refused", "sentence": "", "cause": "line_item_gone", "attempts": 3}
    tool.learners = [
        {"user_id": "1", "name": "Ada Beck", **mark, "delivery": SENT},
        {"user_id": "2", "name": "Bo", **mark, "delivery": stuck},
    ]
    tool.begun = [{"user_id": "3", "name": "Cy", "started_at": "2025-11-12T10:30:00Z"}]

    for name in ("activity", "marks", "picker", "welcome"):
        page.goto(tool.landing(name))

        expect(page.locator("main:not([aria-busy]) h1")).to_have_count(1)
        expect(page.locator("html")).to_have_attribute("lang", tag)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, name
