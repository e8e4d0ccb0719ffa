"""Roles: every form that the spec knows, and what each opens."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.domain.landing import shipped_table
from lti_tool.domain.roles import Privilege

LIS = "http://purl.imsglobal.org/vocab/lis/v2/"
MEMBERSHIP = LIS + "membership"
URN = "urn:lti:role:ims/lis/"


def privileges_of(roles: Iterable[str]) -> frozenset[Privilege]:
    rule = shipped_table().rule_for(roles, {}, "LtiResourceLinkRequest")
    return rule.privileges if rule else frozenset()


NOTHING: frozenset[Privilege] = frozenset()
PLANNER = frozenset((Privilege.PLANNER,))
GRADER = frozenset((Privilege.GRADER,))
CANDIDATE = frozenset((Privilege.CANDIDATE,))

CONTEXT = {
    "Administrator": PLANNER,
    "ContentDeveloper": PLANNER,
    "Instructor": PLANNER,
    "Learner": CANDIDATE,
    "Mentor": NOTHING,
    "Manager": NOTHING,
    "Member": NOTHING,
    "Officer": NOTHING,
}

TEACHING_ASSISTANTS = [
    "TeachingAssistant",
    "TeachingAssistantGroup",
    "TeachingAssistantOffering",
    "TeachingAssistantSection",
    "TeachingAssistantSectionAssociation",
    "TeachingAssistantTemplate",
]

SUB_ROLES = {
    "Instructor": [
        "ExternalInstructor",
        "GuestInstructor",
        "Lecturer",
        "PrimaryInstructor",
        "SecondaryInstructor",
    ],
    "Learner": ["ExternalLearner", "GuestLearner", "Instructor", "Learner", "NonCreditLearner"],
    "Manager": ["AreaManager", "CourseCoordinator", "ExternalObserver", "Manager", "Observer"],
    "Member": ["Member"],
    "Mentor": [
        "Advisor",
        "Auditor",
        "ExternalAdvisor",
        "ExternalAuditor",
        "ExternalLearningFacilitator",
        "ExternalMentor",
        "ExternalReviewer",
        "ExternalTutor",
        "LearningFacilitator",
        "Mentor",
        "Reviewer",
        "Tutor",
    ],
    "Officer": ["Chair", "Communications", "Secretary", "Treasurer", "Vice-Chair"],
}

ELSEWHERE = [
    *(f"{LIS}system/person#{name}" for name in ("Administrator", "None", "AccountAdmin", "Creator", "SysAdmin")),
    *(f"{LIS}system/person#{name}" for name in ("SysSupport", "User")),
    *(
        f"{LIS}institution/person#{name}"
        for name in (
            "Administrator",
            "Faculty",
            "Guest",
            "None",
            "Other",
            "Staff",
            "Student",
            "Alumni",
            "Instructor",
            "Learner",
            "Member",
            "Mentor",
            "Observer",
            "ProspectiveStudent",
        )
    ),
    *(f"{LIS}person#{name}" for name in ("Administrator", "Instructor", "Faculty", "Learner", "Student")),
    *(f"urn:lti:sysrole:ims/lis/{name}" for name in ("Administrator", "SysAdmin", "Creator")),
    *(f"urn:lti:instrole:ims/lis/{name}" for name in ("Administrator", "Faculty", "Instructor", "Student")),
    "http://purl.imsglobal.org/vocab/lti/system/person#TestUser",
]
"""Roles in the system or the institution, which open nothing in a course."""


@pytest.mark.parametrize("name", CONTEXT)
@pytest.mark.parametrize("form", [MEMBERSHIP + "#{}", URN + "{}", "{}"])
def test_a_context_role_counts_in_each_of_its_forms(form: str, name: str) -> None:
    assert privileges_of([form.format(name)]) == CONTEXT[name]


@pytest.mark.parametrize(("principal", "sub_role"), [(p, s) for p, found in SUB_ROLES.items() for s in found])
@pytest.mark.parametrize("form", [MEMBERSHIP + "/{}#{}", URN + "{}/{}"])
def test_a_sub_role_opens_what_its_principal_opens(form: str, principal: str, sub_role: str) -> None:
    assert privileges_of([form.format(principal, sub_role)]) == CONTEXT[principal]


@pytest.mark.parametrize("sub_role", [*TEACHING_ASSISTANTS, "Grader"])
@pytest.mark.parametrize("beside", [[], [MEMBERSHIP + "#Instructor"], ["Instructor"]])
def test_an_assistant_grades_also_when_the_principal_comes_along(sub_role: str, beside: list[str]) -> None:
    assistant = f"{MEMBERSHIP}/Instructor#{sub_role}"

    assert privileges_of([assistant, *beside]) == GRADER
    assert privileges_of([*beside, assistant]) == GRADER


def test_an_assistant_who_develops_content_plans() -> None:
    roles = [f"{MEMBERSHIP}/Instructor#TeachingAssistant", f"{MEMBERSHIP}#ContentDeveloper"]

    assert privileges_of(roles) == PLANNER


def test_who_teaches_and_learns_here_teaches() -> None:
    assert privileges_of([f"{MEMBERSHIP}#Learner", f"{MEMBERSHIP}#Instructor"]) == PLANNER


@pytest.mark.parametrize("role", ELSEWHERE)
def test_a_role_outside_the_course_opens_nothing_and_takes_nothing_away(role: str) -> None:
    assert privileges_of([role]) == NOTHING
    assert privileges_of([role, MEMBERSHIP + "#Learner"]) == CANDIDATE


def test_a_learner_who_is_called_instructor_is_a_learner() -> None:
    assert privileges_of([f"{MEMBERSHIP}/Learner#Instructor"]) == CANDIDATE
    assert privileges_of([f"{URN}Learner/Instructor"]) == CANDIDATE


@pytest.mark.parametrize(
    "role",
    [
        "",
        " Instructor",
        "instructor",
        "INSTRUCTOR",
        "Instructors",
        "Instructor ",
        f"{MEMBERSHIP}#instructor",
        f"{MEMBERSHIP}#Instructor ",
        f"{MEMBERSHIP}#InstructorX",
        f"{MEMBERSHIP}Instructor",
        f"{MEMBERSHIP}/#Instructor",
        f"{MEMBERSHIP}#",
        f"https{MEMBERSHIP[4:]}#Instructor",
        f"x{MEMBERSHIP}#Instructor",
        f"{URN}instructor",
        f"{URN}/Instructor",
        "Teacher",
        "Student",
        "TestUser",
    ],
)
def test_what_only_looks_like_a_role_opens_nothing(role: str) -> None:
    assert privileges_of([role]) == NOTHING


def test_no_roles_open_nothing() -> None:
    assert privileges_of([]) == NOTHING


KNOWN = [MEMBERSHIP + "#Instructor", MEMBERSHIP + "#Learner", *ELSEWHERE[:5]]


@given(st.lists(st.sampled_from(KNOWN) | st.text(max_size=80)))
def test_order_and_repetition_do_not_matter(roles: list[str]) -> None:
    assert privileges_of(roles) == privileges_of([*reversed(roles), *roles])


@given(st.text(), st.text())
def test_no_text_around_a_role_makes_a_teacher(before: str, after: str) -> None:
    role = f"{before}Instructor{after}"

    allowed = privileges_of([role])

    exact = {"Instructor", f"{MEMBERSHIP}#Instructor", f"{URN}Instructor"}
    prefixed = (f"{MEMBERSHIP}/Instructor#", f"{URN}Instructor/")
    if role not in exact and not role.startswith(prefixed):
        assert allowed <= CANDIDATE
