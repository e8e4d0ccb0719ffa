"""Everyone can read the pages: contrast, narrow frames, enlarged text, named landmarks and controls."""

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.pages.stand_in import PAGES, SENT, StandIn

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

# Every text against the nearest background behind it, by the formula of WCAG 2. Large text may have 3:1.
FAINT_TEXTS = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = numbers(colour).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (numbers(colour)[3] !== 0) return colour;
    }
  };
  const hasText = (e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
  return [...document.querySelectorAll("main *")].filter(hasText).map((element) => {
    const {color, fontSize, fontWeight} = getComputedStyle(element);
    const [low, high] = [luminance(color), luminance(behind(element))].sort((a, b) => a - b);
    const large = parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && fontWeight >= 600);
    return {text: element.textContent, ratio: (high + 0.05) / (low + 0.05), needs: large ? 3 : 4.5};
  }).filter(({ratio, needs}) => ratio < needs);
}"""


def a_learner_answers(page: Page, tool: StandIn) -> None:
    page.goto(tool.landing("activity"))
    page.get_by_label("Estonia").check()
    page.get_by_label("Danube").fill("long")
    page.get_by_role("button", name="Submit").click()


def a_learner_has_a_result(page: Page, tool: StandIn) -> None:
    refused = {"state": "refused", "sentence": "The column is locked."}
    tool.attempt = {"submitted_at": "2025-11-12T10:30:00Z", "score_given": 7.5, "score_maximum": 10}
    tool.deliveries = [refused]
    page.goto(tool.landing("activity"))


def staff_look_at_marks(page: Page, tool: StandIn) -> None:
    tool.plays_for("grader")
    mark = {"score_given": 7.5, "score_maximum": 10, "submitted_at": "2025-11-12T10:30:00Z", "delivery": SENT}
    tool.learners = [{"user_id": "u" * 60, **mark}, {"user_id": "2", "name": "Featherstonehaugh " * 6, **mark}]
    page.goto(tool.landing("marks"))


def staff_look_at_the_preview(page: Page, tool: StandIn) -> None:
    tool.plays_for("grader")
    page.goto(tool.landing("activity"))


def a_teacher_looks_at_marks_that_were_not_taken(page: Page, tool: StandIn) -> None:
    tool.plays_for("planner", "reporter")
    gone = {"state": "refused", "sentence": "The gradebook column is not there any more.", "cause": "line_item_gone",
            "attempts": 3, "refused_at": "2025-11-12T10:30:00Z"}  # fmt: skip
    mark = {"score_given": 7.5, "score_maximum": 10, "submitted_at": "2025-11-12T10:30:00Z", "delivery": gone}
    tool.learners = [{"user_id": "1", "name": "Featherstonehaugh " * 6, **mark}]
    tool.begun = [{"user_id": "u" * 60, "started_at": "2025-11-12T10:30:00Z"}]
    page.goto(tool.landing("marks"))


def somebody_invigilates(page: Page, tool: StandIn) -> None:
    tool.plays_for("invigilator")
    tool.begun = [{"user_id": "u" * 60, "started_at": "2025-11-12T10:30:00Z"}, {"user_id": "2", "name": "Bo"}]
    page.goto(tool.landing("marks"))


def a_teacher_chooses(page: Page, tool: StandIn) -> None:
    deep_linking = {"accept_multiple": True, "accept_types": ["ltiResourceLink"], "accept_lineitem": True}
    tool.plays_for("planner", deep_linking=deep_linking)
    page.goto(tool.landing("picker"))
    page.get_by_role("checkbox", name="Photosynthesis").check()


def a_visitor_is_welcomed(page: Page, tool: StandIn) -> None:
    page.goto(tool.landing("welcome"))
    page.get_by_text("Details for them").click()


SCENES = [
    a_learner_answers,
    a_learner_has_a_result,
    staff_look_at_marks,
    a_teacher_looks_at_marks_that_were_not_taken,
    somebody_invigilates,
    staff_look_at_the_preview,
    a_teacher_chooses,
    a_visitor_is_welcomed,
]
Scene = Callable[[Page, StandIn], None]


@pytest.mark.parametrize("scene", SCENES)
def test_a_page_is_readable_in_light_and_dark_in_a_narrow_frame_and_by_ear(
    page: Page, tool: StandIn, scene: Scene
) -> None:
    page.set_viewport_size({"width": 320, "height": 400})  # also what 400 % zoom leaves of a wide screen
    scene(page, tool)

    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.locator("main:not([aria-busy]) h1")).to_have_count(1)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert page.evaluate(FAINT_TEXTS) == []
    controls = page.locator("main :is(input:not([type=hidden]), button, a)")
    for number in range(controls.count()):
        expect(controls.nth(number)).not_to_have_accessible_name("")


def test_no_file_needs_an_inline_script_or_style_or_another_host() -> None:
    for path in sorted(PAGES.iterdir()):
        text = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")

        assert not any(word in text for word in ("innerHTML", "insertAdjacentHTML", "document.write", "eval(")), path
        assert not any(word in text for word in ("http://", "https://", "<style", " style=", "onclick=")), path
