"""What one platform remembers: people, courses, activities, the gradebook, and what is under way.

Plain mutable records; whoever touches them holds the platform's lock. Nothing here knows HTTP or JWTs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from local.campus.registration import Introduction, Placement


class Role(Enum):
    """What a person is in the courses, before a platform spells it in its own way."""

    TEACHER = "teacher"
    ASSISTANT = "teaching assistant"
    STUDENT = "student"
    OBSERVER = "observer"
    ADMIN = "administrator"
    PREVIEW = "student preview"
    VISITOR = "not signed in"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with an account. `key` names them in Campus' own URLs and tests; tools see `Profile.user_id`."""

    key: str
    number: int
    given_name: str
    family_name: str
    role: Role

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def username(self) -> str:
        return f"{self.given_name}.{self.family_name}".lower()

    @property
    def email(self) -> str:
        return f"{self.username}@campus.example"

    @property
    def sourced_id(self) -> str:
        return f"SIS-{self.number:04d}"


PEOPLE = {
    person.key: person
    for person in (
        Person(key="teacher", number=11, given_name="Ruth", family_name="Okafor", role=Role.TEACHER),
        Person(key="ta", number=12, given_name="Jonas", family_name="Lind", role=Role.ASSISTANT),
        Person(key="student1", number=21, given_name="Amina", family_name="Yusuf", role=Role.STUDENT),
        Person(key="student2", number=22, given_name="Ben", family_name="Carter", role=Role.STUDENT),
        Person(key="student3", number=23, given_name="Chloe", family_name="Dubois", role=Role.STUDENT),
        Person(key="observer", number=31, given_name="Olga", family_name="Petrova", role=Role.OBSERVER),
        Person(key="admin", number=2, given_name="Adam", family_name="Novak", role=Role.ADMIN),
        Person(key="preview", number=91, given_name="Test", family_name="Student", role=Role.PREVIEW),
        Person(key="visitor", number=0, given_name="Anonymous", family_name="Visitor", role=Role.VISITOR),
    )
}
OBSERVED_BY = {"observer": ["student1"]}


@dataclass(kw_only=True)
class Post:
    """One accepted score message, as it came, and what the gradebook made of it."""

    received_at: str
    timestamp: str
    score_given: float | None
    score_maximum: float | None
    activity_progress: str
    grading_progress: str
    comment: str | None
    effect: str  # graded | cleared | kept


@dataclass(kw_only=True)
class Cell:
    """One learner on one line item. `score` is on the line item's own scale; None is an empty cell."""

    score: float | None = None
    comments: list[str] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)  # when each was submitted, as the tool wrote it
    last_timestamp: datetime | None = None
    posts: list[Post] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # why, in the order of arrival


@dataclass(kw_only=True)
class LineItem:
    """A gradebook column."""

    id: int
    label: str
    score_maximum: float
    made_by_tool: bool
    activity_id: int | None = None  # the resource link that it belongs to
    is_default: bool = False  # the column that came with its activity
    resource_id: str | None = None
    tag: str | None = None
    starts_at: str | None = None
    ends_at: str | None = None
    extensions: dict[str, Any] = field(default_factory=dict)
    cells: dict[str, Cell] = field(default_factory=dict)  # by Person.key

    def cell(self, person: Person) -> Cell:
        return self.cells.setdefault(person.key, Cell())


@dataclass(kw_only=True)
class Activity:
    """A resource link of the tool in a course."""

    id: int
    resource_link_id: str
    title: str
    text: str | None
    target_link_uri: str
    custom: dict[str, Any]
    client_id: str | None = None  # whose link it is; None: of whichever registration is in use


@dataclass(kw_only=True)
class Course:
    id: int
    title: str
    label: str
    activities: dict[int, Activity] = field(default_factory=dict)
    line_items: dict[int, LineItem] = field(default_factory=dict)

    @property
    def sourced_id(self) -> str:
        return f"SIS-{self.label}"

    def default_line_item(self, activity: Activity) -> LineItem | None:
        """The column that the activity brought with it, as long as it is there."""
        return next((i for i in self.line_items.values() if i.activity_id == activity.id and i.is_default), None)

    def line_items_of(self, activity: Activity) -> list[LineItem]:
        return [item for item in self.line_items.values() if item.activity_id == activity.id]


@dataclass(frozen=True, kw_only=True)
class Review:
    """One learner's work on one line item, to be looked at."""

    learner: Person
    line_item: LineItem


@dataclass(frozen=True, kw_only=True)
class Oddities:
    """What one launch has that no launch of the platform would have."""

    claims: Mapping[str, Any] = field(default_factory=dict)  # instead of the platform's; None leaves a claim out
    null_claims: Sequence[str] = ()
    header: Mapping[str, Any] = field(default_factory=dict)  # as `claims`, for the JOSE header


@dataclass(frozen=True, kw_only=True)
class PendingLaunch:
    """A login initiation that was sent out: what the hint in it stands for. Opens one launch."""

    id: str
    client_id: str
    person: Person
    course: Course
    activity: Activity | None  # None: content selection, or whatever the placement is for
    began_at: float
    document_target: str
    placement: Placement | None = None
    review: Review | None = None
    oddities: Oddities = field(default_factory=Oddities)

    @property
    def is_selection(self) -> bool:
        """Whether somebody is about to choose content."""
        if self.placement:
            return self.placement.message_type == "LtiDeepLinkingRequest"
        return self.activity is None


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What an access token buys."""

    client_id: str
    scopes: frozenset[str]
    expires_at: float


@dataclass(kw_only=True)
class World:
    """Everything that a reset forgets."""

    courses: dict[int, Course]
    pending: dict[str, PendingLaunch] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    used_data_tokens: set[str] = field(default_factory=set)
    introductions: dict[str, Introduction] = field(default_factory=dict)  # by registration token
