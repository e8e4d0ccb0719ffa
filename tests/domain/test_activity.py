"""The catalogue: how answers are marked, and what makes an activity."""

from __future__ import annotations

from typing import Any

import pytest

from lti_tool.domain.activity import (
    Assessment,
    ExternalActivity,
    activity_named_by,
    activity_url,
    found_in,
    parse_activity,
)
from lti_tool.domain.errors import InvalidActivityError
from tests.support.stack import catalogue, right_answers

CHOICE = {"id": "c", "kind": "choice", "prompt": "?", "points": 2, "options": {"a": "A", "b": "B", "x": "X"}}
NUMBER = {"id": "n", "kind": "number", "prompt": "?", "points": 3, "answer": 2850, "tolerance": 50}
TEXT = {"id": "t", "kind": "text", "prompt": "?", "points": 1.5, "accept": ["River Thames", "Straße"]}


def activity(*questions: dict[str, Any], **other: Any) -> Assessment:
    found = parse_activity({"id": "x", "title": "X", "kind": "assessment", "questions": list(questions), **other})
    assert isinstance(found, Assessment)
    return found


ONE_OF = activity({**CHOICE, "answer": "a"})
EXACTLY = activity({**CHOICE, "answer": ["a", "b"]})


@pytest.mark.parametrize(
    ("asked", "answer", "points"),
    [
        (ONE_OF, "a", 2),
        (ONE_OF, ("a",), 2),
        (ONE_OF, "b", 0),
        (ONE_OF, "A", 0),
        (ONE_OF, "", 0),
        (ONE_OF, (), 0),
        (ONE_OF, ("a", "b"), 0),
        (EXACTLY, ("a", "b"), 2),
        (EXACTLY, ("b", "a"), 2),
        (EXACTLY, ("a", "b", "b"), 2),
        (EXACTLY, ("a",), 0),
        (EXACTLY, "a", 0),
        (EXACTLY, ("a", "b", "x"), 0),
        (EXACTLY, (), 0),
    ],
)
def test_a_choice_is_right_when_exactly_the_right_options_are_chosen(
    asked: Assessment, answer: str | tuple[str, ...], points: float
) -> None:
    assert asked.score({"c": answer}) == points


@pytest.mark.parametrize(
    "answer",
    [
        "2850",
        " 2850 ",
        "2 850",
        "2\u00a0850",
        "2\u202f850",
        "2800",
        "2900",
        "2850,0",
        "2850.0",
        "+2850",
        "2.85e3",
        "٢٨٥٠",
    ],
)
def test_a_number_is_right_however_it_is_typed(answer: str) -> None:
    assert activity(NUMBER).score({"n": answer}) == 3


@pytest.mark.parametrize(
    "answer",
    [
        "2799.99",
        "2900,01",
        "",
        " ",
        "-2850",
        "2850 km",
        "2,850.0",
        "0x0b22",
        "nan",
        "inf",
        "-Infinity",
        "sNaN",
        "1e99999",
    ],
)
def test_a_number_is_wrong_when_it_is_another_or_none(answer: str) -> None:
    assert activity(NUMBER).score({"n": answer}) == 0


@pytest.mark.parametrize(("answer", "points"), [("0,1", 3), ("0.1", 3), (".1", 3), ("0.10000001", 0), ("0,11", 0)])
def test_a_number_without_tolerance_is_exact(answer: str, points: float) -> None:
    assert activity({**NUMBER, "answer": 0.1, "tolerance": 0}).score({"n": answer}) == points


def test_the_edge_of_a_tolerance_is_within() -> None:
    asked = activity({**NUMBER, "answer": 0.3, "tolerance": 0.1})

    assert [asked.score({"n": text}) for text in ("0.2", "0.4", "0.19999", "0.40001")] == [3, 3, 0, 0]


@pytest.mark.parametrize(
    ("answer", "points"),
    [
        ("River Thames", 1.5),
        ("  river   THAMES\n", 1.5),
        ("strasse", 1.5),
        ("RiverThames", 0),
        ("Thames", 0),
        ("", 0),
        (("River Thames",), 0),
    ],
)
def test_a_text_is_compared_without_case_and_spare_space(answer: str | tuple[str, ...], points: float) -> None:
    assert activity(TEXT).score({"t": answer}) == points


def test_points_add_up_without_dust() -> None:
    questions = [{**TEXT, "id": f"q{number}", "points": 0.1} for number in range(3)]
    asked = activity(*questions)

    assert asked.score_maximum == 0.3
    assert asked.score({f"q{number}": "river thames" for number in range(3)}) == 0.3


def test_answers_to_questions_that_are_not_there_earn_nothing() -> None:
    assert activity(TEXT).score({"another": "River Thames"}) == 0


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.id)
def test_the_projects_own_activities_can_be_solved_and_failed(entry: Assessment) -> None:
    right = {key: tuple(given) if isinstance(given, list) else given for key, given in right_answers(entry).items()}

    assert entry.score(right) == entry.score_maximum > 0
    assert entry.score({}) == 0


@pytest.mark.parametrize(
    "broken",
    [
        {"questions": []},
        {"id": "Not An Id"},
        {"id": "a/b"},
        {"title": ""},
        {"kind": "external"},
        {"surprise": 1},
        {"questions": [{**TEXT, "kind": "essay"}]},
        {"questions": [{**TEXT, "points": 0}]},
        {"questions": [{**TEXT, "accept": []}]},
        {"questions": [TEXT, TEXT]},
        {"questions": [{**CHOICE, "answer": "z"}]},
        {"questions": [{**CHOICE, "answer": []}]},
        {"questions": [{**CHOICE, "answer": ["a", "z"]}]},
        {"questions": [{**CHOICE, "options": {"a": "A"}, "answer": "a"}]},
        {"questions": [{**NUMBER, "tolerance": -1}]},
    ],
)
def test_an_activity_that_breaks_the_format_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(InvalidActivityError):
        parse_activity({"id": "x", "title": "X", "kind": "assessment", "questions": [TEXT], **broken})


def test_a_refused_activity_says_where_the_fault_is() -> None:
    with pytest.raises(InvalidActivityError, match=r"questions\.0\.number\.tolerance"):
        activity({**NUMBER, "tolerance": -1})


def test_what_learners_see_holds_no_answer() -> None:
    shown = str(activity({**CHOICE, "answer": ["b"]}, NUMBER, TEXT).shown())

    assert "2850" not in shown
    assert "Thames" not in shown
    assert "answer" not in shown


@pytest.mark.parametrize(
    ("address", "named"),
    [
        (activity_url("https://tool.example", "rivers"), "rivers"),
        ("https://eu.tool.example/activities/rivers?a=b#c", "rivers"),
        ("https://tool.example/stage/activities/rivers", "rivers"),
        ("https://tool.example/activities/", None),
        ("https://tool.example/activities", None),
        ("https://tool.example/activities/Rivers", None),
        ("https://tool.example/activities/rivers/", None),
        ("https://tool.example/", None),
        ("", None),
    ],
)
def test_an_address_names_its_activity(address: str, named: str | None) -> None:
    assert activity_named_by(address) == named


def test_a_search_wants_every_word_in_title_or_description() -> None:
    found = [entry.id for entry in found_in(catalogue(), "  european   RIVERS ")]

    assert found == ["capitals-and-rivers"]
    assert found_in(catalogue(), "rivers nonsense") == []
    assert [entry.title for entry in found_in(catalogue(), "")] == sorted(entry.title for entry in catalogue())


# --- Apps of the vendor's -------------------------------------------------------------------------------------------


def external(**other: Any) -> ExternalActivity:
    found = parse_activity({"id": "x", "title": "X", "kind": "external", "url": "https://app.example/", **other})
    assert isinstance(found, ExternalActivity)
    return found


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://app.example", "https://app.example?code=a-b_c"),
        ("https://app.example/open?x=1&y=%20", "https://app.example/open?x=1&y=%20&code=a-b_c"),
        ("https://app.example/#/start", "https://app.example/?code=a-b_c#/start"),
        ("http://localhost:8070/", "http://localhost:8070/?code=a-b_c"),
        ("http://[::1]:8070/", "http://[::1]:8070/?code=a-b_c"),
    ],
)
def test_the_code_joins_the_address_of_the_catalogue(url: str, address: str) -> None:
    assert external(url=url).address("a-b_c") == address


@pytest.mark.parametrize(
    "broken",
    [
        {"url": "http://app.example/"},
        {"url": "http://localhost.app.example/"},
        {"url": "javascript:alert(1)"},
        {"url": "//app.example/"},
        {"url": "https://user@app.example/"},
        {"url": "https://app.example/?code=mine"},
        {"url": ""},
        {"url": "https://"},
        {"score_maximum": 0},
        {"score_maximum": -1},
        {"questions": [TEXT]},
        {"kind": "scorm"},
    ],
)
def test_an_app_that_breaks_a_rule_is_refused_by_the_name_of_the_field(broken: dict[str, Any]) -> None:
    with pytest.raises(InvalidActivityError) as refused:
        external(**broken)

    assert str(refused.value).startswith(f"{next(iter(broken))}: ")
