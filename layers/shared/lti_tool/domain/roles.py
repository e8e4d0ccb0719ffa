"""Who somebody is in a course, and what that lets them do.

Rights inside a course come from context roles alone, matched exactly: an administrator of the institution, or a
`membership/Learner#Instructor` (a sub-role of Learner), is no teacher here.

Spec: https://www.imsglobal.org/spec/lti/v1p3/#role-vocabularies
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
_LEGACY_CONTEXT_ROLE = "urn:lti:role:ims/lis/"
_CONTEXT_ROLES = frozenset(
    ("Administrator", "ContentDeveloper", "Instructor", "Learner", "Manager", "Member", "Mentor", "Officer")
)


class Privilege(StrEnum):
    """What a person may do with an activity; the product's words, not the spec's."""

    PLANNER = "planner"  # choose, deliver, monitor, grade
    GRADER = "grader"  # monitor, grade
    CANDIDATE = "candidate"  # take it


STAFF = frozenset((Privilege.PLANNER, Privilege.GRADER))

_BY_PRINCIPAL = {
    "Administrator": Privilege.PLANNER,
    "ContentDeveloper": Privilege.PLANNER,
    "Instructor": Privilege.PLANNER,
    "Learner": Privilege.CANDIDATE,
}
_TEACHING_SUB_ROLES = frozenset(
    ("ExternalInstructor", "GuestInstructor", "Lecturer", "PrimaryInstructor", "SecondaryInstructor")
)
_GRADING_SUB_ROLES = frozenset(
    (
        "Grader",
        "TeachingAssistant",
        "TeachingAssistantGroup",
        "TeachingAssistantOffering",
        "TeachingAssistantSection",
        "TeachingAssistantSectionAssociation",
        "TeachingAssistantTemplate",
    )
)


def _context_role(role: str) -> tuple[str, str] | None:
    """(principal, sub-role) of a context role in any form that the spec knows, else `None`.

    Forms: the URI, the sub-role URI, the deprecated short name, LTI 1.1's URN, and two misspellings seen in the field:
    `membership#Instructor#TeachingAssistant` and `membership#TeachingAssistant`.
    """
    if role.startswith(MEMBERSHIP + "#"):
        principal, mark, sub_role = role.removeprefix(MEMBERSHIP + "#").partition("#")
        if principal in _GRADING_SUB_ROLES:
            principal, mark, sub_role = "Instructor", "#", principal
    elif role.startswith(MEMBERSHIP + "/"):
        principal, mark, sub_role = role.removeprefix(MEMBERSHIP + "/").partition("#")
    else:
        principal, mark, sub_role = role.removeprefix(_LEGACY_CONTEXT_ROLE).partition("/")
    is_whole = principal in _CONTEXT_ROLES and bool(mark) == bool(sub_role)
    return (principal, sub_role) if is_whole else None


def privileges_of(roles: Iterable[str]) -> frozenset[Privilege]:
    """What the roles of a launch allow together; unknown roles and no roles allow nothing.

    A teaching assistant usually comes with the principal role Instructor beside the sub-role (Canvas), and stays a
    grader all the same unless something else says more.
    """
    context_roles = [found for role in roles if (found := _context_role(role)) is not None]
    assisting = any(principal == "Instructor" and sub in _GRADING_SUB_ROLES for principal, sub in context_roles)
    allowed: set[Privilege] = set()
    for principal, sub_role in context_roles:
        if principal == "Instructor" and (sub_role in _GRADING_SUB_ROLES or (assisting and not sub_role)):
            allowed.add(Privilege.GRADER)
            continue
        counts = (
            principal == "Learner" or not sub_role or (principal == "Instructor" and sub_role in _TEACHING_SUB_ROLES)
        )
        if counts and principal in _BY_PRINCIPAL:  # a librarian or an external supporter is no planner
            allowed.add(_BY_PRINCIPAL[principal])
    return frozenset(allowed)
