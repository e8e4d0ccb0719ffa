"""`lti roles`: read, change and explain who lands where."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operate.conftest import Lti, Writes
from tests.support.browser import Browser
from tests.support.platform import INSTRUCTOR, MEMBERSHIP, Platform
from tests.support.stack import Stack

MENTORS = """
# Mentors watch.
[[rules]]
name = "mentors"
roles = ["Mentor", "Mentor/*"]
privileges = ["invigilator"]

[[rules]]
name = "office"
roles = [
  "Manager",
]
custom = { desk = "exam" }
privileges = ["grader", "reporter"]
"""


@pytest.fixture
def identity(platform: Platform) -> str:
    return platform.registration().reference


def test_the_shipped_rules_are_listed_first_to_last(lti: Lti) -> None:
    listed = lti.json("roles", "list")

    assert listed["scope"] == "shipped"
    assert [rule["name"] for rule in listed["rules"]][-2:] == ["instructors", "learners"]
    assert listed["rules"][-1] == {"name": "learners", "roles": ["Learner", "Learner/*"], "privileges": ["candidate"]}


def test_what_is_listed_can_be_set_again(lti: Lti, writes: Writes) -> None:
    _, text, _ = lti("roles", "list")

    lti.json("roles", "set", writes(text, "landing.toml"))

    before, after = text.splitlines()[1:], lti("roles", "list")[1].splitlines()[1:]
    assert before == after
    assert lti.json("roles", "list")["scope"] == "stack"


def test_rules_are_set_and_reset_for_the_stack_a_platform_and_a_deployment(
    lti: Lti, writes: Writes, identity: str
) -> None:
    file = writes(MENTORS, "landing.toml")
    scopes: list[list[str]] = [[], ["--platform", identity], ["--platform", identity, "--deployment", "1"]]
    nearest = ["--platform", identity, "--deployment", "1"]
    seen = []

    for scope in scopes:
        assert lti.json("roles", "set", file, *scope)["rules"] == 2
        seen.append(lti.json("roles", "list", *nearest)["scope"])
    for scope in reversed(scopes):
        assert lti.json("roles", "reset", *scope)["had_own_rules"] is True
        seen.append(lti.json("roles", "list", *nearest)["scope"])

    assert seen == ["stack", "platform", "deployment", "platform", "stack", "shipped"]
    assert lti.json("roles", "reset")["had_own_rules"] is False


def test_set_rules_count_for_the_next_launch(lti: Lti, writes: Writes, platform: Platform, browser: Browser) -> None:
    lti.json("roles", "set", writes(MENTORS, "landing.toml"))

    launches = [browser.launches(platform, roles=[MEMBERSHIP + role]).launch for role in ("#Mentor", "#Instructor")]

    assert [launch["landing"] for launch in launches] == ["/app/marks", "/app/welcome"]


def test_a_file_may_begin_with_a_byte_order_mark(lti: Lti, writes: Writes) -> None:
    assert lti.json("roles", "set", writes("\ufeff" + MENTORS, "landing.toml"))["rules"] == 2


BAD: dict[str, tuple[str, str]] = {
    "a misspelt privilege": (MENTORS.replace("invigilator", "invigilater"), "line 6, rule 1: privileges: "),
    "a misspelt role": (MENTORS.replace('"Manager"', '"Boss"'), "line 10, rule 2: roles: 'Boss' is none of"),
    "a misspelt key": (MENTORS.replace("custom", "customs"), "line 13, rule 2: 'customs' is no part of a rule"),
    "a name twice": (MENTORS.replace("office", "mentors"), "line 9, rule 2: two rules have the name 'mentors'"),
    "a missing key": (MENTORS.replace('privileges = ["grader", "reporter"]', ""), "line 8, rule 2: privileges"),
    "a table below": (MENTORS + "[rules.custom]\n", "line 15"),
    "a parameter in a table below": (
        '[[rules]]\nname = "x"\nprivileges = ["grader"]\n[rules.custom]\na = ""\n', "line 4, rule 1: custom",
    ),
    "rules in one line": ('rules = [{ name = "x", privileges = ["boss"] }]', "line 1, rule 1: privileges"),
    "no TOML": ("[[rules]\nname = 1", "line 1"),
    "nothing": ("", "there are no rules"),
    "no text": ("\x00", "line 1"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_with_its_line_and_changes_nothing(
    lti: Lti, stack: Stack, writes: Writes, text: str, words: str
) -> None:
    lti.json("roles", "set", writes(MENTORS, "good.toml"))
    before = stack.contents()
    file = writes(text, "landing.toml")

    status, out, err = lti("roles", "set", file)

    assert (status, out) == (1, "")
    assert err.startswith("The landing rules are not written as their format says.")
    assert file in err
    assert words in err
    assert "[invalid_landing_rules]" in err
    assert stack.contents() == before


@pytest.mark.parametrize("content", [b"\xff\xfe", None], ids=["not UTF-8", "not there"])
def test_a_file_that_cannot_be_read_is_refused(lti: Lti, writes: Writes, content: bytes | None) -> None:
    file = writes(content, "landing.toml") if content else "none.toml"

    status, _, err = lti("roles", "set", file)

    assert (status, f"({file}: cannot be read)" in err) == (1, True)


@pytest.mark.parametrize("verb", ["list", "reset", "explain"])
def test_an_unknown_platform_and_a_deployment_of_none_are_refused(lti: Lti, verb: str) -> None:
    assert lti("roles", verb, "--platform", "no-such")[0] == 1
    status, _, complaint = lti("roles", verb, "--deployment", "1")
    assert (status, "say --platform ID as well" in complaint) == (2, True)


def test_rules_for_a_deployment_that_nobody_knows_are_set_with_a_hint(lti: Lti, writes: Writes, identity: str) -> None:
    file = writes(MENTORS, "landing.toml")

    known, unheard_of = (
        lti.json("roles", "set", file, "--platform", identity, "--deployment", deployment)["hints"]
        for deployment in ("1", "l")
    )

    assert known == []
    assert "'l'" in unheard_of[0]


def test_a_rule_that_trusts_a_parameter_alone_is_taken_with_a_hint(lti: Lti, writes: Writes) -> None:
    text = '[[rules]]\nname = "desk"\ncustom = { desk = "exam" }\nprivileges = ["reporter"]\n'

    (hint,) = lti.json("roles", "set", writes(text, "landing.toml"))["hints"]

    assert "'desk'" in hint


def test_each_change_leaves_an_audit_line(lti: Lti, writes: Writes, identity: str) -> None:
    file = writes(MENTORS, "landing.toml")
    lti.json("roles", "set", file)
    lti.json("roles", "reset")
    lti.json("roles", "set", file, "--platform", identity)
    lti.json("roles", "reset", "--platform", identity, "--deployment", "1")

    def lines(of: str) -> list[tuple[str, list[str]]]:
        return [(line["verb"], line["changed"]) for line in lti.json("platform", "audit", of)]

    assert lines("stack") == [("roles set", ["landing"]), ("roles reset", ["landing"])]
    assert lines(identity) == [("roles set", ["landing"]), ("roles reset", ["landing/1"])]


EXPLAINED: dict[str, tuple[list[str], dict[str, Any]]] = {
    "an assistant": (
        ["--role", MEMBERSHIP + "/Instructor#TeachingAssistant", "--role", MEMBERSHIP + "#Instructor"],
        {"rule": {"number": 5, "name": "teaching assistants and graders"}, "privileges": ["grader"],
         "rights": ["monitor", "grade"], "landing": "/app/marks"},
    ),
    "a learner": (["--role", "Learner"], {"privileges": ["candidate"], "landing": "/app/activity"}),
    "an invigilator": (
        ["--role", "Instructor", "--custom", "membership_roles=Invigilator"],
        {"rule": {"number": 2, "name": "invigilators"}, "landing": "/app/marks"},
    ),
    "somebody unknown": (
        ["--role", "https://lms.example/role#Guest"],
        {"rule": None, "privileges": [], "rights": [], "landing": "/app/welcome"},
    ),
    "nobody": ([], {"rule": None, "landing": "/app/welcome", "roles": []}),
    "a teacher who picks": (
        ["--role", "Instructor", "--message-type", "LtiDeepLinkingRequest"], {"landing": "/app/picker"},
    ),
    "a grader who picks": (
        ["--role", "Instructor/Grader", "--message-type", "LtiDeepLinkingRequest"], {"landing": "/app/welcome"},
    ),
    "a grader who reviews": (
        ["--role", "Instructor/Grader", "--message-type", "LtiSubmissionReviewRequest"], {"landing": "/app/review"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("words", "expected"), EXPLAINED.values(), ids=EXPLAINED)
def test_it_is_explained_what_the_rules_make_of_somebody(
    lti: Lti, identity: str, words: list[str], expected: dict[str, Any]
) -> None:
    told = lti.json("roles", "explain", "--platform", identity, *words)

    assert {name: told[name] for name in expected} == expected
    assert told["rules"] == "shipped"


def test_an_explanation_is_told_in_words(lti: Lti) -> None:
    _, found, _ = lti("roles", "explain", "--role", MEMBERSHIP + "#Instructor", "--custom", "desk=\x1b[31m")
    _, nothing, _ = lti("roles", "explain", "--role", "Visitor")

    assert f"'Instructor'  received as '{MEMBERSHIP}#Instructor'" in found
    assert "the shipped rules, 7 of them" in found
    assert "number 6, 'instructors': the first that matches" in found
    assert "/app/marks: Deliver, Monitor & Grade" in found
    assert "\x1b" not in found
    assert "none matches" in nothing
    assert "lti roles set" in nothing


def test_a_launch_is_explained_by_the_id_that_its_page_shows_and_nothing_personal_is_told(
    lti: Lti, platform: Platform, browser: Browser
) -> None:
    custom = {"membership_roles": "Reporter"}
    session = browser.launches(platform, roles=[INSTRUCTOR], custom=custom).launch["session"]

    told = lti.json("roles", "explain", "--support-id", session.split(".")[0])

    assert [role["means"] for role in told["roles"]] == ["Instructor"]
    assert (told["custom"], told["rule"]["name"], told["landing"]) == (custom, "reporters", "/app/marks")
    assert not any(secret in str(told) for secret in ("Ada", "ada@school.example", "user-1", session))


def test_a_refused_launch_has_no_roles_to_explain(lti: Lti, platform: Platform, browser: Browser) -> None:
    refused = browser.launches(platform, aud="another-tool")

    status, _, err = lti("roles", "explain", "--support-id", refused.page.texts["support-id"])

    assert (status, "[unknown_trace]" in err) == (1, True)


@pytest.mark.parametrize("pair", ["desk", "=exam", ""])
def test_a_parameter_without_name_or_value_is_a_slip_of_the_pen(lti: Lti, pair: str) -> None:
    assert lti("roles", "explain", "--custom", pair)[0] == 2
