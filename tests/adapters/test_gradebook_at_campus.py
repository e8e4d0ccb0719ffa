"""Marks on their way into the gradebooks of Campus: whatever a platform does with scores, no mark is lost or wiped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from local.campus.app import create_app
from local.campus.campus import Campus
from lti_tool.adapters.access_tokens import AccessTokens
from lti_tool.adapters.gradebook import PlatformGradebook
from lti_tool.adapters.launches_table import PlatformCache
from lti_tool.adapters.platform_http import PlatformHttp
from lti_tool.adapters.records_table import RecordsTable
from lti_tool.adapters.registrations_table import RegistrationsTable
from lti_tool.domain.errors import PlatformRefusedError
from lti_tool.domain.lineitem import COLUMN_TAG, LinkColumn, NewLineItem, column_of_link
from lti_tool.domain.registration import PlatformFamily, Registration
from lti_tool.domain.score import ActivityProgress, GradingProgress, OutboxEntry, Score, ScoreKey, ScoreState
from lti_tool.use_cases.gradesync import GradeSync
from lti_tool.use_cases.lineitem import ColumnFinder
from lti_tool.use_cases.ports import LinkKey
from tests.campus.stand_in import Clock, StandInTool, Visitor
from tests.support.stack import Stack

PENDING_MANUAL: dict[str, Any] = {"grading_progress": GradingProgress.PENDING_MANUAL}
PROGRESS: dict[str, Any] = {
    "score_given": None,
    "score_maximum": None,
    "activity_progress": ActivityProgress.SUBMITTED,
    "grading_progress": GradingProgress.PENDING_MANUAL,
}
RESET: dict[str, Any] = {
    **PROGRESS,
    "activity_progress": ActivityProgress.INITIALIZED,
    "grading_progress": GradingProgress.NOT_READY,
}


class Nudges:
    """Nobody is nudged: the tests say when a score is sent."""

    def nudge(self, key: ScoreKey, *, after_seconds: int = 0) -> None: ...

    def nudge_all(self, keys: Any) -> int:
        return len(list(keys))


class Gates:
    def passing(self, _: str) -> AbstractContextManager[None]:
        return nullcontext()


class Marks:
    """The tool's way to one platform of Campus, by hand."""

    def __init__(self, visitor: Visitor, stack: Stack, clock: Clock) -> None:
        self.visitor, self.clock = visitor, clock
        profile = visitor.profile
        self.registration = Registration(
            issuer=profile.issuer,
            client_id=profile.client_id,
            authorization_endpoint=profile.url("authorize"),
            token_endpoint=profile.url("token"),
            token_audience=profile.token_audience,
            jwks_uri=profile.url("jwks"),
            family=PlatformFamily(profile.slug),
        )
        registrations = RegistrationsTable(stack.dynamodb, "RegistrationsTable")
        registrations.add(self.registration)
        http = PlatformHttp(loopback_http=True)
        cache = PlatformCache(stack.dynamodb, "LaunchesTable", self.now)
        tokens = AccessTokens(http, visitor.tool, cache, self.now)  # type: ignore[arg-type] # it signs: all we need
        self.gradebook = PlatformGradebook(http, tokens, self.now)
        self.outbox = RecordsTable(stack.dynamodb, "RecordsTable", self.now)
        self.sync = GradeSync(
            registrations=registrations,
            outbox=self.outbox,
            gradebook=ColumnFinder(
                gradebook=self.gradebook, line_items=self.gradebook, columns=self.outbox, clock=self.now
            ),
            columns=self.outbox,
            gates=Gates(),
            nudges=Nudges(),
            clock=self.now,
            lease=timedelta(seconds=30),
        )

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.time, UTC)

    def key(self, user: str = "student1") -> ScoreKey:
        member = next(member for member in self.visitor.course()["members"] if member["user"] == user)
        line_item = self.visitor.activity()["line_item_url"]
        return ScoreKey(registration=self.registration.reference, line_item=line_item, user_id=member["user_id"])

    def gives(self, points: float | None = 27, *, after: float = 0.1, user: str = "student1", **other: Any) -> bool:
        """Put a score of so many points of 40 into the outbox; whether it was taken."""
        self.clock.time += after
        values: dict[str, Any] = {
            "key": self.key(user),
            "deployment_id": "1",
            "timestamp": self.now(),
            "score_given": points,
            "score_maximum": 40.0,
            "activity_progress": ActivityProgress.COMPLETED,
            "grading_progress": GradingProgress.FULLY_GRADED,
        }
        return self.outbox.put(Score(**{**values, **other}))

    def sends(self, user: str = "student1") -> str:
        return self.sync.send(self.key(user))

    def entry(self, user: str = "student1") -> OutboxEntry:
        found = self.outbox.find(self.key(user))
        assert found is not None
        return found

    def troubles(self, **fault: Any) -> None:
        self.visitor.control("faults", {"platform": self.visitor.slug, "services": fault})


@pytest.fixture(scope="module")
def campus_clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def standing_campus(campus_clock: Clock) -> Iterator[tuple[Campus, Flask, StandInTool]]:
    tool = StandInTool(campus_clock)
    server = make_server("127.0.0.1", 0, Flask(__name__), threaded=True)
    campus = Campus(f"http://127.0.0.1:{server.server_port}", tool.url, now=campus_clock)
    app = server.app = create_app(campus)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield campus, app, tool
    server.shutdown()
    thread.join()
    server.server_close()
    tool.stop()


def marks_at(slug: str, standing: tuple[Campus, Flask, StandInTool], stack: Stack, clock: Clock) -> Marks:
    campus, app, tool = standing
    campus.reset()
    clock.time = 1_800_000_000.0
    return Marks(Visitor(campus, app.test_client(), tool, slug), stack, clock)


Standing = tuple[Campus, Flask, StandInTool]


@pytest.fixture
def moodle(standing_campus: Standing, stack: Stack, campus_clock: Clock) -> Marks:
    return marks_at("moodle", standing_campus, stack, campus_clock)


@pytest.fixture
def canvas(standing_campus: Standing, stack: Stack, campus_clock: Clock) -> Marks:
    return marks_at("canvas", standing_campus, stack, campus_clock)


@pytest.fixture(params=["canvas", "moodle", "blackboard", "sakai"])
def anywhere(request: pytest.FixtureRequest, standing_campus: Standing, stack: Stack, campus_clock: Clock) -> Marks:
    return marks_at(request.param, standing_campus, stack, campus_clock)


def test_27_of_40_is_6_75_of_10(anywhere: Marks) -> None:
    anywhere.gives(27)

    assert anywhere.sends() == "sent"

    cell = anywhere.visitor.cell()
    column = anywhere.gradebook.result(anywhere.registration, anywhere.key())
    assert cell["score"] * 4 == 27 * cell["score_maximum"] / 10
    assert column is not None
    assert (column.score, column.maximum) == (cell["score"], cell["score_maximum"])


def test_news_of_progress_wipes_no_mark(anywhere: Marks) -> None:
    anywhere.gives(27)
    anywhere.sends()
    before = anywhere.visitor.cell()["score"]

    taken = [anywhere.gives(**news) for news in (PROGRESS, {**PROGRESS, "after": 5}, PENDING_MANUAL)]
    anywhere.sends()

    assert taken == [False, False, False]
    assert anywhere.visitor.cell()["score"] == before


def test_news_of_progress_takes_no_place_of_a_mark_that_waits(anywhere: Marks) -> None:
    anywhere.gives(27)
    anywhere.gives(**PROGRESS)

    anywhere.sends()

    assert anywhere.visitor.cell()["score"] is not None


def test_a_mark_is_taken_back_on_purpose(anywhere: Marks) -> None:
    anywhere.gives(27)
    anywhere.sends()

    anywhere.gives(after=5, **RESET)
    anywhere.sends()

    assert anywhere.visitor.cell()["score"] is None


def test_an_essay_shows_as_handed_in_at_canvas_and_wipes_nothing_there(canvas: Marks) -> None:
    canvas.visitor.scores("student1", timestamp="2027-01-15T07:00:00.000Z")  # a mark that the outbox knows nothing of

    canvas.gives(**PROGRESS)
    outcome = canvas.sends()

    cell = canvas.visitor.cell()
    assert outcome == "sent"
    assert cell["score"] is not None
    assert cell["posts"][-1]["effect"] == "kept"


def test_an_essay_is_not_told_to_moodle_which_would_wipe_a_mark(moodle: Marks) -> None:
    moodle.visitor.scores("student1", timestamp="2027-01-15T07:00:00.000Z")

    moodle.gives(**PROGRESS)
    outcome = moodle.sends()

    assert outcome == "kept_back"
    assert moodle.entry().state is ScoreState.NOT_SENT
    assert moodle.visitor.cell()["score"] is not None


def test_moodle_takes_every_mark_of_one_second(moodle: Marks) -> None:
    for points in (10, 20, 30):
        moodle.gives(points)
        moodle.sends()

    cell = moodle.visitor.cell()
    assert cell["score"] * 4 == 30 * cell["score_maximum"] / 10
    assert [post["effect"] for post in cell["posts"]] == ["graded"] * 3
    assert cell["refused"] == []


def test_moodle_takes_the_next_mark_also_when_the_answer_to_the_last_was_lost(moodle: Marks) -> None:
    moodle.gives(10)
    entry = moodle.outbox.lease(moodle.key(), moodle.now() + timedelta(seconds=1))
    assert entry is not None
    moodle.gradebook.publish(moodle.registration, entry.score, entry.score.timestamp)  # and then its sender dies
    moodle.gives(20)
    moodle.clock.time += 5

    moodle.sends()

    cell = moodle.visitor.cell()
    assert cell["score"] * 4 == 20 * cell["score_maximum"] / 10


def test_canvas_gets_one_attempt_and_one_comment_however_often_a_mark_is_sent(canvas: Marks) -> None:
    for points in (10, 20, 20):
        canvas.gives(points, comment="Well done")
        canvas.sends()
    canvas.outbox.reopen(canvas.key())
    canvas.sends()

    cell = canvas.visitor.cell()
    assert len(cell["posts"]) == 4
    assert len(cell["attempts"]) == 1
    assert cell["comments"] == ["Well done"]


def test_canvas_gets_its_attempt_with_the_work_that_is_handed_in_and_not_before_or_after(canvas: Marks) -> None:
    attempts = []
    for activity, grading in (
        (ActivityProgress.STARTED, GradingProgress.NOT_READY),
        (ActivityProgress.SUBMITTED, GradingProgress.PENDING_MANUAL),
    ):
        canvas.gives(None, score_maximum=None, after=5, activity_progress=activity, grading_progress=grading)
        canvas.sends()
        attempts.append(len(canvas.visitor.cell()["attempts"]))
    canvas.gives(20, after=5)
    canvas.sends()
    attempts.append(len(canvas.visitor.cell()["attempts"]))

    assert attempts == [0, 1, 1]


def test_a_mark_is_an_attempt_at_canvas_also_when_progress_was_told_before(canvas: Marks) -> None:
    started, not_ready = ActivityProgress.STARTED, GradingProgress.NOT_READY
    canvas.gives(None, score_maximum=None, activity_progress=started, grading_progress=not_ready)
    canvas.sends()

    canvas.gives(20, after=5)
    canvas.sends()

    assert len(canvas.visitor.cell()["attempts"]) == 1


def test_a_new_attempt_is_a_new_attempt_at_canvas(canvas: Marks) -> None:
    for _ in range(2):
        canvas.gives(10, submitted_at=canvas.now())
        canvas.sends()

    assert len(canvas.visitor.cell()["attempts"]) == 2


def test_a_comment_stays_where_a_platform_would_erase_it(moodle: Marks) -> None:
    for points in (10, 20):
        moodle.gives(points, comment="Well done", after=5)
        moodle.sends()

    assert moodle.visitor.cell()["comments"] == ["Well done"]


def test_a_mark_that_a_teacher_changed_stays(anywhere: Marks) -> None:
    anywhere.gives(27, overwrite="unless_changed")
    first = anywhere.sends()
    anywhere.gives(28, after=5, overwrite="unless_changed")
    second = anywhere.sends()
    profile = anywhere.visitor.profile
    course = next(iter(profile.world.courses.values()))
    cell = next(item.cells["student1"] for item in course.line_items.values() if "student1" in item.cells)
    cell.score = 1.5  # by hand

    anywhere.gives(29, after=5, overwrite="unless_changed")
    third = anywhere.sends()

    assert (first, second, third) == ("sent", "sent", "kept_back")
    assert anywhere.entry().state is ScoreState.HELD
    assert cell.score == 1.5


@pytest.mark.parametrize(
    ("trouble", "outcome", "cause"),
    [
        ("token_expired", "sent", None),  # the second token is good
        ("throttled", "postponed", "rate_limited"),
        ("column_gone", "refused", "line_item_gone"),
        ("column_locked", "refused", "column_locked"),
        ("course_concluded", "refused", "course_ended"),
        ("user_unknown", "refused", "user_not_gradable"),
        ("user_suspended", "refused", "user_not_gradable"),
    ],
)
def test_each_refusal_becomes_a_cause(anywhere: Marks, trouble: str, outcome: str, cause: str | None) -> None:
    anywhere.gives(27)
    anywhere.troubles(refuses=trouble, count=1)

    assert anywhere.sends() == outcome
    assert anywhere.entry().cause == cause


def test_a_teacher_who_tries_it_out_can_have_no_mark(anywhere: Marks) -> None:
    anywhere.gives(27, user="teacher")

    assert anywhere.sends("teacher") == "refused"
    assert anywhere.entry("teacher").cause == "user_not_gradable"


def test_columns_are_made_found_changed_and_removed(anywhere: Marks) -> None:
    container = anywhere.visitor.course()["line_items_url"]
    link = anywhere.visitor.activity()["resource_link_id"]
    gradebook, registration = anywhere.gradebook, anywhere.registration
    for number in range(12):  # more than a page of Canvas
        gradebook.create(registration, container, NewLineItem(label=f"{number}", score_maximum=5.0, tag="many"))
    new = NewLineItem(label="Essay", score_maximum=20.0, resource_link_id=link, resource_id="essay-1", tag=COLUMN_TAG)

    made = gradebook.create(registration, container, new)
    many = gradebook.find(registration, container, tag="many")
    found = gradebook.find(registration, container, resource_link_id=link, resource_id="essay-1")
    changed = gradebook.change(registration, made.url, label="Essay, second part")
    gradebook.delete(registration, made.url)

    assert len(many) == 12
    assert [item.url for item in found] == [made.url]
    assert (changed.label, changed.members["scoreMaximum"], changed.resource_link_id, changed.tag) == (
        "Essay, second part",
        20.0,
        link,
        COLUMN_TAG,
    )
    assert gradebook.find(registration, container, tag=COLUMN_TAG) == []


def link_without_column(marks: Marks) -> tuple[LinkKey, LinkColumn]:
    """An activity that was added by hand: its launches name the course's columns, and none of its own."""
    course = marks.visitor.course()
    made = marks.visitor.control(f"{marks.visitor.slug}/courses/{course['id']}/activities", {"title": "Poster"})
    link_id = made["resource_link_id"]
    link = LinkKey(registration=marks.registration.reference, deployment_id="1", resource_link_id=link_id)
    key = column_of_link(course["line_items_url"], "1", link_id)
    return link, LinkColumn(key=key, line_item=None, container=course["line_items_url"], label="Poster")


def test_a_score_that_names_a_link_makes_its_column_once(anywhere: Marks) -> None:
    link, column = link_without_column(anywhere)
    anywhere.outbox.note_column(link, column)
    keys = [replace(anywhere.key(user), line_item=column.key) for user in ("student1", "student2")]
    for key in keys:
        anywhere.gives(27, key=key)

    outcomes = [anywhere.sync.send(key) for key in keys]

    made = anywhere.gradebook.find(
        anywhere.registration, column.container or "", resource_link_id=link.resource_link_id
    )
    assert outcomes == ["sent", "sent"]
    assert [(item.label, item.members["scoreMaximum"]) for item in made] == [("Poster", 40.0)]
    found = anywhere.outbox.column(link)
    assert found is not None
    assert (found.key, found.line_item) == (column.key, made[0].url)


def test_a_column_that_was_made_before_the_sender_died_is_found_and_not_made_again(anywhere: Marks) -> None:
    link, column = link_without_column(anywhere)
    anywhere.outbox.note_column(link, column)
    new = NewLineItem(label="Poster", score_maximum=40.0, resource_link_id=link.resource_link_id, tag="mark")
    anywhere.outbox.claim_column(link, anywhere.now() + timedelta(minutes=2))
    made = anywhere.gradebook.create(anywhere.registration, column.container or "", new)  # and nobody hears of it
    key = replace(anywhere.key(), line_item=column.key)
    anywhere.gives(27, key=key)

    too_early = anywhere.sync.send(key)
    anywhere.clock.time += 150
    later = anywhere.sync.send(key)

    found = anywhere.outbox.column(link)
    assert (too_early, later) == ("postponed", "sent")
    assert found is not None
    assert found.line_item == made.url


def test_a_score_for_a_link_that_nobody_noted_says_so(anywhere: Marks) -> None:
    _, column = link_without_column(anywhere)
    key = replace(anywhere.key(), line_item=column.key)
    anywhere.gives(27, key=key)

    assert anywhere.sync.send(key) == "refused"

    entry = anywhere.outbox.find(key)
    assert entry is not None
    assert entry.cause == "line_item_unknown"


def test_the_column_of_an_activity_is_not_ours_to_delete(anywhere: Marks) -> None:
    with pytest.raises(PlatformRefusedError) as refused:
        anywhere.gradebook.delete(anywhere.registration, anywhere.visitor.activity()["line_item_url"])

    assert refused.value.cause == "not_allowed"
