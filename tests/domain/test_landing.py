"""Landing rules: the first that matches decides, what none names opens nothing, a bad table is told where it is bad."""

from __future__ import annotations

import time
import tomllib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.domain import claims as names
from lti_tool.domain.landing import (
    ANY,
    MOST_RULES,
    LandingTable,
    RuleProblemError,
    as_json,
    as_toml,
    parse_table,
    placed,
    shipped_table,
    stored_table,
    trusting_rules,
)
from lti_tool.domain.launch import AnyLaunch, landing_of, launch_from
from lti_tool.domain.registration import Registration
from lti_tool.domain.roles import RIGHTS, Privilege, Right, rights_of
from lti_tool.domain.tokens import SignedClaims

MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
INSTITUTION = "http://purl.imsglobal.org/vocab/lis/v2/institution/person"
LINK = "LtiResourceLinkRequest"
PICKING = "LtiDeepLinkingRequest"
REGISTRATION = Registration(
    issuer="https://platform.example",
    client_id="client-1",
    authorization_endpoint="https://platform.example/auth",
    token_endpoint="https://platform.example/token",
    jwks_uri="https://platform.example/jwks",
)


def rule(name: str = "a rule", **parts: Any) -> dict[str, Any]:
    return {"name": name, "privileges": ["grader"], **parts}


def table(*rules: dict[str, Any]) -> LandingTable:
    return parse_table("stack", {"rules": list(rules)})


def matched(found: LandingTable, *roles: str, message_type: str = LINK, **custom: str) -> str | None:
    first = found.rule_for(roles, custom, message_type)
    return None if first is None else first.name


CASES: dict[str, tuple[dict[str, Any], list[str], dict[str, str], str, bool]] = {
    "a context role by its short name": (rule(roles=["Instructor"]), [MEMBERSHIP + "#Instructor"], {}, LINK, True),
    "a context role by its URI": (rule(roles=[MEMBERSHIP + "#Instructor"]), ["Instructor"], {}, LINK, True),
    "a context role by LTI 1.1's URN": (rule(roles=["urn:lti:role:ims/lis/Mentor"]), ["Mentor"], {}, LINK, True),
    "a sub-role": (rule(roles=["Mentor/Auditor"]), [MEMBERSHIP + "/Mentor#Auditor"], {}, LINK, True),
    "a bare role is no sub-role": (rule(roles=["Mentor"]), [MEMBERSHIP + "/Mentor#Auditor"], {}, LINK, False),
    "a sub-role is no bare role": (rule(roles=["Mentor/Auditor"]), [MEMBERSHIP + "#Mentor"], {}, LINK, False),
    "any sub-role": (rule(roles=["Mentor/*"]), [MEMBERSHIP + "/Mentor#Auditor"], {}, LINK, True),
    "any sub-role, of this role": (rule(roles=["Mentor/*"]), [MEMBERSHIP + "/Manager#Observer"], {}, LINK, False),
    "any sub-role, and not the bare one": (rule(roles=["Mentor/*"]), [MEMBERSHIP + "#Mentor"], {}, LINK, False),
    "a role of the institution": (rule(roles=[INSTITUTION + "#Staff"]), [INSTITUTION + "#Staff"], {}, LINK, True),
    "the institution is not the course": (rule(roles=["Instructor"]), [INSTITUTION + "#Instructor"], {}, LINK, False),
    "a role of the platform's own": (
        rule(roles=["https://lms.example/r#I"]),
        ["https://lms.example/r#I"],
        {},
        LINK,
        True,
    ),
    "one of several": (rule(roles=["Mentor", "Manager"]), ["Learner", "Manager"], {}, LINK, True),
    "a parameter": (rule(custom={"desk": "exam"}), [], {"desk": "exam"}, LINK, True),
    "a parameter with another value": (rule(custom={"desk": "exam"}), [], {"desk": "exams"}, LINK, False),
    "a parameter is written as it is": (rule(custom={"desk": "exam"}), [], {"desk": "Exam"}, LINK, False),
    "a parameter that did not come": (rule(custom={"desk": "exam"}), [], {}, LINK, False),
    "one of several values": (rule(custom={"desk": ["exam", "test"]}), [], {"desk": "test"}, LINK, True),
    "an entry of a list that came": (rule(custom={"desk": "exam"}), [], {"desk": "library, exam"}, LINK, True),
    "a value with a comma as a whole": (rule(custom={"desk": "a,b"}), [], {"desk": "a,b"}, LINK, True),
    "any value": (rule(custom={"desk": ANY}), [], {"desk": "0"}, LINK, True),
    "any value, and not an empty one": (rule(custom={"desk": ANY}), [], {"desk": " "}, LINK, False),
    "any value, and not none": (rule(custom={"desk": ANY}), [], {"chair": "exam"}, LINK, False),
    "all parameters": (rule(custom={"a": "1", "b": "2"}), [], {"a": "1", "b": "2"}, LINK, True),
    "all parameters, not one": (rule(custom={"a": "1", "b": "2"}), [], {"a": "1"}, LINK, False),
    "role and parameter": (rule(roles=["Mentor"], custom={"a": "1"}), ["Mentor"], {"a": "1"}, LINK, True),
    "role without parameter": (rule(roles=["Mentor"], custom={"a": "1"}), ["Mentor"], {}, LINK, False),
    "parameter without role": (rule(roles=["Mentor"], custom={"a": "1"}), ["Learner"], {"a": "1"}, LINK, False),
    "a message": (rule(roles=["Mentor"], message_type=PICKING), ["Mentor"], {}, PICKING, True),
    "another message": (rule(roles=["Mentor"], message_type=PICKING), ["Mentor"], {}, LINK, False),
    "everybody, as a candidate": ({"name": "all", "privileges": ["candidate"]}, [], {}, LINK, True),
}


@pytest.mark.parametrize(("written", "roles", "custom", "message_type", "expected"), CASES.values(), ids=CASES)
def test_a_rule_matches_what_it_names(
    written: dict[str, Any], roles: list[str], custom: dict[str, str], message_type: str, expected: bool
) -> None:
    assert (table(written).rule_for(roles, custom, message_type) is not None) is expected


def test_the_first_rule_that_matches_decides() -> None:
    found = table(
        rule("mentors who examine", roles=["Mentor"], custom={"desk": "exam"}),
        rule("mentors", roles=["Mentor"]),
        rule("managers", roles=["Manager"]),
    )

    assert matched(found, "Manager", "Mentor", desk="exam") == "mentors who examine"
    assert matched(found, "Manager", "Mentor") == "mentors"
    assert matched(found, "Manager") == "managers"
    assert matched(found, "Learner") is None


@pytest.mark.parametrize(
    ("privileges", "rights"),
    [
        (["planner"], {Right.DELIVER, Right.CHOOSE, Right.MONITOR, Right.GRADE}),
        (["chief_invigilator"], {Right.DELIVER, Right.MONITOR}),
        (["invigilator"], {Right.DELIVER, Right.MONITOR}),
        (["grader"], {Right.GRADE, Right.MONITOR}),
        (["reporter"], {Right.REPORT}),
        (["candidate"], {Right.TAKE}),
        (["planner", "reporter"], {Right.DELIVER, Right.CHOOSE, Right.MONITOR, Right.GRADE, Right.REPORT}),
        (["candidate", "invigilator"], {Right.DELIVER, Right.MONITOR}),
        ([], set()),
    ],
    ids=lambda value: " and ".join(sorted(value)) or "none",
)
def test_a_privilege_gives_its_rights_and_staff_does_not_take_the_activity(
    privileges: list[str], rights: set[Right]
) -> None:
    assert rights_of(map(Privilege, privileges)) == rights


def test_every_privilege_has_its_rights() -> None:
    assert set(RIGHTS) == set(Privilege)


# --- The shipped table --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["Instructor", "Instructor/Lecturer", "Instructor/TeachingAssistant", "Administrator"])
@pytest.mark.parametrize(
    ("value", "privilege"),
    [
        ("Chief Invigilator", Privilege.CHIEF_INVIGILATOR),
        ("TaEnrollment,Invigilator", Privilege.INVIGILATOR),
        ("reporter", Privilege.REPORTER),
    ],
)
def test_a_shipped_rule_narrows_staff_by_the_platforms_own_role(role: str, value: str, privilege: Privilege) -> None:
    found = shipped_table().rule_for([role], {"membership_roles": value}, LINK)

    assert found is not None
    assert found.privileges == {privilege}


@pytest.mark.parametrize("value", ["Chief Invigilator", "Invigilator", "Reporter", "planner", "*"])
def test_no_shipped_rule_lets_a_parameter_alone_make_staff_of_anyone(value: str) -> None:
    for roles in ([], ["Learner"], ["Mentor"], ["Learner/Instructor"]):
        found = shipped_table().rule_for(roles, {"membership_roles": value}, LINK)

        assert found is None or found.privileges == {Privilege.CANDIDATE}
    assert trusting_rules(shipped_table()) == []


def launch(message_type: str = LINK, **claims: Any) -> AnyLaunch:
    whole = {
        "sub": "user-1",
        names.VERSION: "1.3.0",
        names.MESSAGE_TYPE: message_type,
        names.DEPLOYMENT_ID: "1",
        names.TARGET_LINK_URI: "https://tool.example/",
        names.RESOURCE_LINK: {"id": "1"},
        names.ROLES: ["Mentor"],
        names.DEEP_LINKING_SETTINGS: {"deep_link_return_url": "https://lms.example/3", "accept_types": []},
        names.FOR_USER: {"user_id": "user-2"},
        names.ENDPOINT: {"lineitem": "https://lms.example/1"},
    }
    return launch_from(SignedClaims(REGISTRATION, {**whole, **claims}))


def test_a_launch_has_no_privileges_until_a_table_gives_them() -> None:
    assert (launch().privileges, landing_of(launch())) == (frozenset(), "/app/welcome")


PAGES = {
    "planner": ("/app/marks", "/app/picker", "/app/review"),
    "chief_invigilator": ("/app/marks", "/app/welcome", "/app/marks"),
    "invigilator": ("/app/marks", "/app/welcome", "/app/marks"),
    "grader": ("/app/marks", "/app/welcome", "/app/review"),
    "reporter": ("/app/marks", "/app/welcome", "/app/marks"),
    "candidate": ("/app/activity", "/app/welcome", "/app/welcome"),
}


@pytest.mark.parametrize(("privilege", "pages"), PAGES.items(), ids=PAGES)
def test_each_privilege_lands_on_its_page(privilege: str, pages: tuple[str, str, str]) -> None:
    found = table(rule(roles=["Mentor"], privileges=[privilege]))

    messages = (LINK, PICKING, "LtiSubmissionReviewRequest")

    assert tuple(landing_of(placed(launch(message), found)) for message in messages) == pages


def test_what_a_table_gave_before_is_taken_away_by_one_that_gives_nothing() -> None:
    before = placed(launch(), table(rule(roles=["Mentor"])))

    after = placed(before, table(rule(roles=["Manager"])))

    assert before.rule == "a rule"
    assert (after.privileges, after.rule) == (frozenset(), None)


# --- Hostile and large --------------------------------------------------------------------------------------------


@given(st.lists(st.text(max_size=60)), st.dictionaries(st.text(max_size=20), st.text(max_size=60)))
def test_any_text_as_a_role_or_a_parameter_opens_nothing_that_is_not_named(
    roles: list[str], custom: dict[str, str]
) -> None:
    found = table(rule(roles=["https://lms.example/roles#Examiner"], custom={"desk": "exam"}))

    assert matched(found, *roles, **{f"x{name}": value for name, value in custom.items()}) is None


@pytest.mark.parametrize(
    "role",
    [
        "*",
        "Instructor/*",
        "Mentor/*",
        "Mentor\n",
        " Mentor",
        "mentor",
        "Mentor/",
        "/Mentor",
        "Mentor#",
        "Mentor,Learner",
    ],
)
def test_what_only_looks_like_the_named_role_does_not_match(role: str) -> None:
    assert matched(table(rule(roles=["Mentor", "Instructor/Lecturer"])), role) is None


def test_thousands_of_roles_and_the_largest_table_are_judged_in_no_time() -> None:
    largest = table(*(rule(f"rule {n}", roles=[f"urn:r:{n}:{m}" for m in range(5)]) for n in range(MOST_RULES)))
    roles = [f"urn:other:{number}" for number in range(10_000)]

    started = time.process_time()
    found = matched(largest, *roles)

    assert found is None
    assert time.process_time() - started < 0.5


# --- Tables as documents ------------------------------------------------------------------------------------------

WHOLE = table(
    rule(
        "examiners", roles=["Mentor/*", 'urn:x:"quoted"', "Instructor"], custom={"désk \\": ["exam", 'a"b'], "b": "*"}
    ),
    rule("pickers", roles=["Manager"], message_type=PICKING, privileges=["planner", "reporter"]),
)


@pytest.mark.parametrize("found", [WHOLE, shipped_table()], ids=["whole", "shipped"])
def test_a_table_comes_back_as_it_was_written(found: LandingTable) -> None:
    assert parse_table(found.scope, tomllib.loads(as_toml(found))) == found
    assert stored_table(found.scope, as_json(found)) == found


@pytest.mark.parametrize("text", ["", "{", "[]", '{"rules": []}', '{"rules": [{"name": "x"}]}', "[" * 100_000])
def test_a_stored_table_that_cannot_be_read_lets_nobody_in(text: str) -> None:
    found = stored_table("stack", text)

    assert found == LandingTable(scope="stack", rules=())
    assert matched(found, "Instructor", "Learner") is None


BAD: dict[str, tuple[Any, int, str, str]] = {
    "no table": ([], 0, "", "there are no rules"),
    "no rules": ({}, 0, "", "there are no rules"),
    "rules that are none": ({"rules": {"name": "x"}}, 0, "", "there are no rules"),
    "something else beside": ({"rules": [rule()], "rule": []}, 0, "", "'rule' is no part of a table"),
    "an empty table": ({"rules": []}, 0, "", "1 to 500 rules"),
    "too many": ({"rules": [rule(str(n), roles=["Mentor"]) for n in range(501)]}, 0, "", "1 to 500 rules"),
    "a text for a rule": ({"rules": ["x"]}, 1, "", "a table of its own"),
    "no name": ({"rules": [{"roles": ["Mentor"], "privileges": ["grader"]}]}, 1, "name", "every rule has a name"),
    "an empty name": ({"rules": [rule(" ", roles=["Mentor"])]}, 1, "name", "every rule has a name"),
    "twice the name": ({"rules": [rule(roles=["Mentor"]), rule(roles=["Mentor"])]}, 2, "name", "two rules"),
    "a misspelt key": ({"rules": [rule(role=["Mentor"])]}, 1, "role", "'role' is no part of a rule"),
    "a misspelt role": ({"rules": [rule(roles=["Teacher"])]}, 1, "roles", "'Teacher' is none of Administrator"),
    "a role in lower case": ({"rules": [rule(roles=["instructor"])]}, 1, "roles", "'instructor' is none of"),
    "half a sub-role": ({"rules": [rule(roles=["Mentor/"])]}, 1, "roles", "'Mentor/' is none of"),
    "a misspelt URI": ({"rules": [rule(roles=[MEMBERSHIP + "#Mentr"])]}, 1, "roles", "no role in a course"),
    "no roles in the list": ({"rules": [rule(roles=[])]}, 1, "roles", "a list of 1 to"),
    "a number for a role": ({"rules": [rule(roles=[7])]}, 1, "roles", "'7' is no text"),
    "a giant role": ({"rules": [rule(roles=["urn:" + "x" * 300])]}, 1, "roles", "no text of 1 to 255"),
    "custom that is no table": ({"rules": [rule(custom="exam")]}, 1, "custom", "custom is a table"),
    "a truth for a value": ({"rules": [rule(custom={"a": True})]}, 1, "custom", "custom is a text"),
    "an empty value": ({"rules": [rule(custom={"a": ""})]}, 1, "custom", "no text of 1 to"),
    "an empty parameter": ({"rules": [rule(custom={"": "a"})]}, 1, "custom", "no parameter's name"),
    "an unknown message": ({"rules": [rule(message_type="Launch")]}, 1, "message_type", "message_type is one of"),
    "no privileges": ({"rules": [{"name": "x", "roles": ["Mentor"]}]}, 1, "privileges", "at least one of planner"),
    "a misspelt privilege": (
        {"rules": [rule(roles=["Mentor"], privileges=["gradr"])]}, 1, "privileges", "'gradr' is none of planner",
    ),
    "a list for a privilege": (
        {"rules": [rule(roles=["Mentor"], privileges=[["grader"]])]}, 1, "privileges", "is none of planner",
    ),
    "staff for everybody": ({"rules": [rule()]}, 1, "privileges", "match everybody"),
    "staff for every picker": ({"rules": [rule(message_type=PICKING)]}, 1, "privileges", "match everybody"),
    "too long": (
        {"rules": [rule(str(n), roles=[f"urn:{m}{'x' * 200}" for m in range(20)]) for n in range(100)]},
        0, "", "longer than",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("document", "number", "key", "words"), BAD.values(), ids=BAD)
def test_a_bad_table_is_refused_with_the_place_and_what_is_wrong(
    document: Any, number: int, key: str, words: str
) -> None:
    with pytest.raises(RuleProblemError) as refused:
        parse_table("stack", document)

    assert (refused.value.number, refused.value.key) == (number, key)
    assert words in str(refused.value)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
PARTS = st.sampled_from(["name", "roles", "custom", "message_type", "privileges"])
USUAL = st.sampled_from(["Mentor", ["Mentor"], ["grader"], PICKING, {"a": "b"}])


@given(st.lists(st.dictionaries(PARTS, USUAL | JSON) | JSON, max_size=3))
def test_any_rules_are_read_or_refused(rules: list[Any]) -> None:
    try:
        found = parse_table("stack", {"rules": rules})
    except RuleProblemError:
        return
    assert all(rule.privileges for rule in found.rules)


def test_a_rule_that_trusts_a_parameter_alone_is_found() -> None:
    found = table(
        rule("by parameter", custom={"desk": "exam"}),
        rule("by both", roles=["Mentor"], custom={"desk": "exam"}),
        rule("candidates", custom={"desk": "exam"}, privileges=["candidate"]),
    )

    assert [one.name for one in trusting_rules(found)] == ["by parameter"]


def test_a_rules_order_of_writing_does_not_matter() -> None:
    one, other = (table(rule(roles=roles)) for roles in (["Mentor", "Manager"], ["Manager", "Mentor"]))

    assert as_json(one) == as_json(other)
    assert replace(one, scope="platform") != other
