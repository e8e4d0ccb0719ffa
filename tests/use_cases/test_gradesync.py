"""Grade sync: whatever happens on the way, the gradebook ends up with the newest score."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from lti_tool.adapters.launches_table import PlatformCache
from lti_tool.adapters.platform_gates import PlatformGates
from lti_tool.adapters.records_table import RecordsTable
from lti_tool.adapters.registrations_table import RegistrationsTable
from lti_tool.domain.errors import PlatformRefusedError, PlatformUnavailableError
from lti_tool.domain.registration import PlatformFamily, Registration
from lti_tool.domain.score import (
    ActivityProgress,
    GradingProgress,
    OutboxEntry,
    Result,
    Score,
    ScoreKey,
    ScoreNudge,
    ScoreState,
)
from lti_tool.use_cases.gradesync import GradeSync, Sweep
from tests.adapters.conftest import Clock
from tests.support.platform import Platform
from tests.support.stack import Stack

LMS = Platform(url="https://lms.example", issuer="https://lms.example", client_id="c")
KEY = ScoreKey(registration=LMS.registration().reference, line_item=LMS.line_item, user_id="user-1")
LEASE = timedelta(seconds=30)


class ProcessDied(BaseException):
    """The sender is gone, between two instructions."""


class Gradebook:
    """What the platform was sent, in order; `happens` runs while a score is on its way, `afterwards` then."""

    def __init__(self) -> None:
        self.sent: list[tuple[float | None, datetime]] = []
        self.happens: list[Callable[[], None]] = []
        self.afterwards: list[Callable[[], None]] = []
        self.shows: Result | None = None

    def publish(self, _: Registration, score: Score, timestamp: datetime) -> None:
        if self.happens:
            self.happens.pop(0)()
        self.sent.append((score.score_given, timestamp))
        if self.afterwards:
            self.afterwards.pop(0)()

    def result(self, _: Registration, key: ScoreKey) -> Result | None:
        assert key == KEY
        return self.shows


class Nudges:
    def __init__(self) -> None:
        self.after: list[int] = []

    def nudge(self, key: ScoreKey, *, after_seconds: int = 0) -> None:
        assert key == KEY
        self.after.append(after_seconds)

    def nudge_all(self, keys: Iterable[ScoreKey]) -> int:
        count = len(self.after)
        for key in keys:
            self.nudge(key)
        return len(self.after) - count


class World:
    def __init__(self, stack: Stack, clock: Clock) -> None:
        self.clock = clock
        self.outbox = RecordsTable(stack.dynamodb, "RecordsTable", clock)
        self.registrations = RegistrationsTable(stack.dynamodb, "RegistrationsTable")
        self.registrations.add(LMS.registration())
        self.gradebook = Gradebook()
        self.gates = PlatformGates(PlatformCache(stack.dynamodb, "LaunchesTable", clock), clock)
        self.nudges = Nudges()
        self.sync = GradeSync(
            registrations=self.registrations,
            outbox=self.outbox,
            gradebook=self.gradebook,
            columns=self.outbox,
            gates=self.gates,
            nudges=self.nudges,
            clock=clock,
            lease=LEASE,
        )

    def scores(self, points: float, **other: Any) -> None:
        self.clock.goes_on(seconds=1)
        values: dict[str, Any] = {
            "key": KEY,
            "deployment_id": "1",
            "timestamp": self.clock(),
            "score_given": points,
            "score_maximum": 10.0,
            "activity_progress": ActivityProgress.COMPLETED,
            "grading_progress": GradingProgress.FULLY_GRADED,
        }
        self.outbox.put(Score(**{**values, **other}))

    def nudged(self) -> str:
        return self.sync.handle(ScoreNudge.of(KEY))

    @property
    def entry(self) -> OutboxEntry:
        found = self.outbox.find(KEY)
        assert found is not None
        return found

    @property
    def points(self) -> list[float | None]:
        return [points for points, _ in self.gradebook.sent]


@pytest.fixture
def world(stack: Stack, clock: Clock) -> World:
    return World(stack, clock)


def fails(error: BaseException) -> Callable[[], None]:
    def happen() -> None:
        raise error

    return happen


def test_a_score_is_sent_once_however_often_it_is_nudged(world: World) -> None:
    world.scores(7)

    outcomes = [world.nudged() for _ in range(3)]

    assert outcomes == ["sent", "nothing_waits", "nothing_waits"]
    assert world.points == [7]


def test_several_scores_that_wait_are_one(world: World) -> None:
    for points in (1, 2, 3):
        world.scores(points)

    world.nudged()
    world.nudged()

    assert world.points == [3]


def test_a_score_that_comes_while_another_is_on_its_way_follows_it(world: World) -> None:
    world.scores(1)
    world.gradebook.happens.append(lambda: world.scores(2))

    world.nudged()
    followed = world.nudges.after
    world.nudged()

    assert followed == [0]
    assert world.points == [1, 2]
    assert world.entry.state is ScoreState.SENT


def test_a_sender_that_dies_leaves_the_score_to_the_next(world: World) -> None:
    world.scores(7)
    world.gradebook.happens.append(fails(ProcessDied()))
    with pytest.raises(ProcessDied):
        world.nudged()

    at_once = world.nudged()
    world.clock.goes_on(seconds=30)
    later = world.nudged()

    assert (at_once, later) == ("held", "sent")
    assert world.nudges.after == [30]
    assert world.points == [7]


def test_a_sender_that_dies_after_the_post_repeats_the_very_same_score(world: World) -> None:
    world.scores(7)
    world.gradebook.afterwards.append(fails(ProcessDied()))
    with pytest.raises(ProcessDied):
        world.nudged()

    world.clock.goes_on(seconds=30)
    world.nudged()

    first, second = world.gradebook.sent
    assert first == second


def test_a_mark_that_a_teacher_changed_is_held_and_an_unchanged_one_replaced(world: World) -> None:
    world.scores(7)
    world.nudged()
    world.gradebook.shows = Result(user_id="user-1", score=8.5, maximum=10)
    world.scores(9, overwrite="unless_changed")
    held = world.nudged()
    entry = world.entry
    world.gradebook.shows = Result(user_id="user-1", score=70, maximum=100)
    world.scores(9, overwrite="unless_changed")

    replaced = world.nudged()

    assert (held, entry.state, entry.cause) == ("kept_back", ScoreState.HELD, "changed_in_lms")
    assert replaced == "sent"
    assert world.points == [7, 9]


def test_a_mark_that_was_held_is_sent_once_somebody_has_decided_so(world: World) -> None:
    world.scores(7)
    world.nudged()
    world.gradebook.shows = Result(user_id="user-1", score=8.5, maximum=10)
    world.scores(9, overwrite="unless_changed")
    world.nudged()

    world.outbox.reopen(KEY)
    decided = world.nudged()
    world.scores(9.5, overwrite="unless_changed")
    newer = world.nudged()

    assert (decided, world.points) == ("sent", [7, 9])
    assert newer == "kept_back", "the decision was about one mark"


def test_a_score_that_may_always_be_written_asks_for_no_result(world: World) -> None:
    world.gradebook.shows = Result(user_id="user-1", score=8.5, maximum=10)
    world.scores(7)

    assert world.nudged() == "sent"


def test_moodle_is_not_told_of_a_mark_that_is_not_final(world: World) -> None:
    world.registrations.add(LMS.registration(family=PlatformFamily.MOODLE))
    world.scores(7, grading_progress=GradingProgress.PENDING_MANUAL)

    outcomes = [world.nudged(), world.nudged()]

    assert outcomes == ["kept_back", "nothing_waits"]
    assert (world.points, world.entry.cause) == ([], "not_final_yet")


def test_two_senders_at_once_send_once(world: World) -> None:
    world.scores(7)
    outcomes: list[str] = []
    world.gradebook.happens.append(lambda: outcomes.append(world.nudged()))

    outcomes.append(world.nudged())

    assert outcomes == ["held", "sent"]
    assert world.points == [7]


def test_a_platform_that_is_down_is_tried_again_ever_later(world: World) -> None:
    world.scores(7)
    waits = []
    for _ in range(6):
        world.gradebook.happens.append(fails(PlatformUnavailableError("score_service_down")))
        assert world.nudged() == "postponed"
        next_try_at = world.entry.next_try_at
        assert next_try_at is not None
        waits.append((next_try_at - world.clock()).total_seconds())
        assert world.nudged() == "held"
        world.clock.now = next_try_at

    assert world.nudged() == "sent"
    assert all(5 * 2**number / 2 <= wait <= 10 * 2**number for number, wait in enumerate(waits))
    assert world.points == [7]


def test_the_platforms_own_word_for_when_is_kept(world: World) -> None:
    world.scores(7)
    when = world.clock() + timedelta(minutes=10)
    world.gradebook.happens.append(fails(PlatformUnavailableError("rate_limited", retry_after=when)))

    world.nudged()

    assert world.entry.next_try_at == when
    assert world.nudges.after == [600]


def test_what_lies_further_ahead_than_the_queue_can_delay_is_left_to_the_sweep(world: World) -> None:
    world.scores(7)
    when = world.clock() + timedelta(hours=2)
    world.gradebook.happens.append(fails(PlatformUnavailableError("rate_limited", retry_after=when)))
    world.nudged()
    sweep = Sweep(outbox=world.outbox, nudges=world.nudges, clock=world.clock)

    early = sweep.run()
    world.clock.now = when + timedelta(minutes=1)
    due = sweep.run()

    assert (early, due) == (0, 1)
    assert world.nudges.after == [0]
    assert world.nudged() == "sent"


def test_a_lost_nudge_costs_time_and_no_mark(world: World) -> None:
    world.scores(7)
    world.clock.goes_on(minutes=1)

    Sweep(outbox=world.outbox, nudges=world.nudges, clock=world.clock).run()

    assert world.nudges.after == [0]
    assert world.nudged() == "sent"


def test_the_sweep_says_how_long_the_longest_waiting_score_has_waited(world: World) -> None:
    sweep = Sweep(outbox=world.outbox, nudges=world.nudges, clock=world.clock)

    none_waits = sweep.oldest_seconds()
    world.scores(7)
    world.clock.goes_on(minutes=90)
    one_waits = sweep.oldest_seconds()
    world.nudged()

    assert (none_waits, one_waits, sweep.oldest_seconds()) == (0, 5400, 0)


def test_a_refused_score_is_not_tried_again_but_a_newer_one_is(world: World) -> None:
    world.scores(7)
    world.gradebook.happens.append(fails(PlatformRefusedError("line_item_gone", http_status=404)))

    outcomes = [world.nudged(), world.nudged()]
    refused = world.entry
    world.scores(8)
    outcomes.append(world.nudged())

    assert outcomes == ["refused", "nothing_waits", "sent"]
    assert (refused.state, refused.cause) == (ScoreState.REFUSED, "line_item_gone")
    assert world.points == [8]


def test_a_key_that_the_platform_does_not_know_yet_is_tried_for_a_day(world: World) -> None:
    refusal = fails(PlatformRefusedError("token_refused", http_status=401))
    world.gradebook.happens.extend([refusal] * 3)
    world.scores(7)

    outcomes, causes = [], []
    for hours in (0, 23, 2):
        world.clock.goes_on(hours=hours)
        outcomes.append(world.nudged())
        causes.append(world.entry.cause)

    assert outcomes == ["postponed", "postponed", "refused"]
    assert causes == ["key_not_known_yet", "key_not_known_yet", "token_refused"]


def test_a_score_goes_once_the_platform_knows_the_key(world: World) -> None:
    world.gradebook.happens.append(fails(PlatformRefusedError("token_refused", http_status=401)))
    world.scores(7)

    outcomes = [world.nudged()]
    world.clock.goes_on(hours=1)
    outcomes.append(world.nudged())

    assert outcomes == ["postponed", "sent"]
    assert world.points == [7]


@pytest.mark.parametrize(("change", "cause"), [("disabled", "platform_disabled"), ("removed", "unknown_platform")])
def test_a_platform_that_we_left_gets_nothing_more(world: World, change: str, cause: str) -> None:
    world.scores(7)
    if change == "disabled":
        world.registrations.add(LMS.registration(enabled=False))
    else:
        world.registrations.remove(LMS.registration())

    outcome = world.nudged()

    assert (outcome, world.entry.cause) == ("refused", cause)
    assert world.points == []


def test_moodle_gets_another_second_for_each_score(world: World) -> None:
    world.registrations.add(LMS.registration(family=PlatformFamily.MOODLE))
    for points in (1, 2):
        world.clock.goes_on(seconds=-1)  # both within one second
        world.scores(points)
        world.clock.goes_on(microseconds=1)
        world.nudged()
        world.clock.goes_on(milliseconds=1)

    seconds = [int(timestamp.timestamp()) for _, timestamp in world.gradebook.sent]
    assert world.points == [1, 2]
    assert seconds[0] < seconds[1]


def test_a_platform_that_is_down_costs_the_others_of_its_scores_no_try(world: World) -> None:
    world.scores(7)
    until = world.clock() + timedelta(minutes=5)
    world.gates.throttles(KEY.line_item, until)

    outcome = world.nudged()

    assert outcome == "deferred"
    assert (world.entry.attempts, world.entry.cause) == (0, "rate_limited")
    assert world.entry.next_try_at is not None
    assert until <= world.entry.next_try_at <= until + timedelta(minutes=1)
    assert len(world.nudges.after) == 1
    world.clock.now = world.entry.next_try_at
    assert world.nudged() == "sent"


def test_a_bug_of_ours_leaves_the_mark_waiting_and_says_so(world: World) -> None:
    world.scores(7)
    world.gradebook.happens.append(fails(ZeroDivisionError()))

    with pytest.raises(ZeroDivisionError):
        world.nudged()

    assert (world.entry.state, world.entry.cause) == (ScoreState.WAITING, "internal_error")
    world.clock.goes_on(seconds=10)
    assert world.nudged() == "sent"
