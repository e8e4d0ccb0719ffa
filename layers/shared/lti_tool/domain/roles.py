"""Who somebody is in a course, and what that may let them do. Which role gives what is said by the landing rules.

Roles are matched exactly: a `membership/Learner#Instructor` (a sub-role of Learner) is no instructor, and a role in the
institution is none in the course.

Spec: https://www.imsglobal.org/spec/lti/v1p3/#role-vocabularies
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
CONTEXT_ROLES = frozenset(
    ("Administrator", "ContentDeveloper", "Instructor", "Learner", "Manager", "Member", "Mentor", "Officer")
)
_LEGACY_CONTEXT_ROLE = "urn:lti:role:ims/lis/"
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


class Privilege(StrEnum):
    """What a person is here; the product's words, not the spec's. In this order they decide what comes first."""

    PLANNER = "planner"
    CHIEF_INVIGILATOR = "chief_invigilator"
    INVIGILATOR = "invigilator"
    GRADER = "grader"
    REPORTER = "reporter"
    CANDIDATE = "candidate"


class Right(StrEnum):
    """What a privilege allows. All but the last belong to staff; in this order the staff page shows its parts."""

    DELIVER = "deliver"  # see what the link opens
    CHOOSE = "choose"  # say what the link opens, pick activities for a course
    MONITOR = "monitor"  # see who has started and handed in, and no mark
    GRADE = "grade"  # see questions, answers and marks; send a mark once more
    REPORT = "report"  # see marks, change nothing
    TAKE = "take"  # take the activity; its own mark is seen with it


RIGHTS = {
    Privilege.PLANNER: frozenset((Right.DELIVER, Right.CHOOSE, Right.MONITOR, Right.GRADE)),
    Privilege.CHIEF_INVIGILATOR: frozenset((Right.DELIVER, Right.MONITOR)),
    Privilege.INVIGILATOR: frozenset((Right.DELIVER, Right.MONITOR)),
    Privilege.GRADER: frozenset((Right.GRADE, Right.MONITOR)),
    Privilege.REPORTER: frozenset((Right.REPORT,)),
    Privilege.CANDIDATE: frozenset((Right.TAKE,)),
}


def rights_of(privileges: Iterable[Privilege]) -> frozenset[Right]:
    """What privileges allow together; staff does not take the activity, for its marks would mix with the learners'."""
    rights = frozenset[Right]().union(*(RIGHTS[privilege] for privilege in privileges))
    return rights if rights == {Right.TAKE} else rights - {Right.TAKE}


def context_role(role: str) -> tuple[str, str] | None:
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
    is_whole = principal in CONTEXT_ROLES and bool(mark) == bool(sub_role)
    return (principal, sub_role) if is_whole else None


def short_role(role: str) -> str:
    """`Instructor` or `Instructor/Lecturer` for a role in the course, whichever form it came in; others as they are."""
    found = context_role(role)
    return role if found is None else "/".join(part for part in found if part)
