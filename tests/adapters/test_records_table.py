"""Attempts, bindings and the score outbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lti_tool.adapters import records_table
from lti_tool.adapters.records_table import RecordsTable
from lti_tool.domain.activity import Attempt, Start
from lti_tool.domain.errors import ScoreHeldError
from lti_tool.domain.lineitem import LinkColumn
from lti_tool.domain.registration import RegistrationReference, reference_of
from lti_tool.domain.score import ActivityProgress, GradingProgress, OutboxEntry, Score, ScoreKey, ScoreState
from lti_tool.use_cases.ports import LinkKey
from tests.adapters.conftest import Clock
from tests.support.stack import Stack

REFERENCE = reference_of("https://lms.example", "c")
LINK = LinkKey(registration=REFERENCE, deployment_id="1", resource_link_id="link-1")
KEY = ScoreKey(registration=REFERENCE, line_item="https://lms.example/7?type_id=2", user_id="user-1")


@pytest.fixture
def table(stack: Stack, clock: Clock) -> RecordsTable:
    return RecordsTable(stack.dynamodb, "RecordsTable", clock)


def score(clock: Clock, **other: Any) -> Score:
    values: dict[str, Any] = {
        "key": KEY,
        "deployment_id": "1",
        "timestamp": clock(),
        "score_given": 7.25,
        "score_maximum": 10.0,
        "activity_progress": ActivityProgress.COMPLETED,
        "grading_progress": GradingProgress.FULLY_GRADED,
        **other,
    }
    return Score(**values)


def attempt(moment: datetime, **other: Any) -> Attempt:
    values: dict[str, Any] = {
        "user_id": "user-1",
        "name": "Ada",
        "activity_id": "x",
        "answers": {"a": "text", "b": ("one", "two")},
        "score_given": 7.25,
        "score_maximum": 10.0,
        "submitted_at": moment,
        **other,
    }
    return Attempt(**values)


def leased(table: RecordsTable, clock: Clock) -> OutboxEntry:
    entry = table.lease(KEY, clock() + timedelta(seconds=30))
    assert entry is not None
    return entry


# --- Columns of links -------------------------------------------------------------------------------------------------

CONTAINER = "https://lms.example/items"


def noted(line_item: str | None, key: str | None = None) -> LinkColumn:
    return LinkColumn(key=key or line_item or f"{CONTAINER}#link", line_item=line_item, container=CONTAINER, label="x")


def test_a_column_that_a_launch_named_is_replaced_by_the_next_one(table: RecordsTable) -> None:
    assert table.column(LINK) is None

    for number in (1, 1, 2):
        table.note_column(LINK, noted(f"{CONTAINER}/{number}"))

    assert table.column(LINK) == noted(f"{CONTAINER}/2")


def test_scores_stay_under_the_key_that_a_link_had_first(table: RecordsTable) -> None:
    table.note_column(LINK, noted(None))
    for number in (1, 2, 2):
        table.note_column(LINK, noted(f"{CONTAINER}/{number}"))
    table.note_column(LINK, noted(None))

    assert table.column(LINK) == noted(f"{CONTAINER}/2", key=f"{CONTAINER}#link")


def test_one_sender_at_a_time_looks_for_a_column_until_it_is_known(table: RecordsTable, clock: Clock) -> None:
    unknown = table.claim_column(LINK, clock() + timedelta(minutes=2))
    table.note_column(LINK, noted(None))
    first, second = (table.claim_column(LINK, clock() + timedelta(minutes=2)) for _ in range(2))
    clock.goes_on(minutes=2)
    after_a_death = table.claim_column(LINK, clock() + timedelta(minutes=2))
    table.found_column(LINK, f"{CONTAINER}/1")
    table.found_column(LINK, f"{CONTAINER}/2")
    clock.goes_on(minutes=2)

    assert (unknown, first, second, after_a_death) == (False, True, False, True)
    assert table.claim_column(LINK, clock() + timedelta(minutes=2)) is False
    assert table.column(LINK) == noted(f"{CONTAINER}/1", key=f"{CONTAINER}#link")


# --- Marks and progress -----------------------------------------------------------------------------------------------

PROVISIONAL = {"grading_progress": GradingProgress.PENDING_MANUAL}
PROGRESS = {
    "score_given": None,
    "score_maximum": None,
    "activity_progress": ActivityProgress.IN_PROGRESS,
    "grading_progress": GradingProgress.PENDING,
}
RESET = {**PROGRESS, "activity_progress": ActivityProgress.INITIALIZED}


@pytest.mark.parametrize(
    ("first", "second", "is_taken"),
    [
        (PROGRESS, PROGRESS, True),
        (PROGRESS, PROVISIONAL, True),
        (PROGRESS, {}, True),
        (PROVISIONAL, PROVISIONAL, True),
        (PROVISIONAL, PROGRESS, False),
        ({}, {"score_given": 3.0}, True),
        ({}, PROVISIONAL, False),
        ({}, PROGRESS, False),
        ({}, {**PROGRESS, "grading_progress": GradingProgress.FULLY_GRADED}, False),
        ({}, RESET, True),
        (RESET, PROGRESS, True),
    ],
)
def test_progress_never_takes_the_place_of_a_mark_and_a_reset_does(
    table: RecordsTable, clock: Clock, first: dict[str, Any], second: dict[str, Any], is_taken: bool
) -> None:
    table.put(score(clock, **first))
    clock.goes_on(seconds=1)
    newer = score(clock, **second)

    assert table.put(newer) is is_taken

    found = table.find(KEY)
    assert found is not None
    assert (found.score == newer) is is_taken


def test_what_an_entry_remembers_of_earlier_sends(table: RecordsTable, clock: Clock) -> None:
    first = score(clock, comment="Good", score_given=5.0)
    table.put(first)
    table.delivered(leased(table, clock), clock())
    clock.goes_on(seconds=1)
    table.put(score(clock, score_given=6.0, overwrite="unless_changed", submission_type="none", submission_data="x"))
    unanswered = leased(table, clock)
    table.postpone(unanswered, clock(), "score_service_unreachable")
    tried_at = clock()
    clock.goes_on(seconds=1)
    table.put(score(clock, score_given=7.0))

    entry = leased(table, clock)

    assert unanswered.maybe_sent_points is None
    assert (unanswered.score.overwrite, unanswered.score.submission_type) == ("unless_changed", "none")
    assert (entry.sent_points, entry.sent_comment, entry.sent_timestamp) == ((5.0, 10.0), "Good", first.timestamp)
    assert (entry.maybe_sent_points, entry.maybe_sent_timestamp) == ((6.0, 10.0), tried_at)

    table.delivered(entry, clock())
    settled = table.find(KEY)
    assert settled is not None
    assert settled.sent_points == (7.0, 10.0)
    assert (settled.maybe_sent_points, settled.maybe_sent_timestamp) == (None, None)


@pytest.mark.parametrize(("state", "is_listed"), [(ScoreState.HELD, True), (ScoreState.NOT_SENT, False)])
def test_a_score_that_is_kept_back_waits_no_more(
    table: RecordsTable, clock: Clock, state: ScoreState, is_listed: bool
) -> None:
    table.put(score(clock))

    table.refused(leased(table, clock), "changed_in_lms", state)

    entry = table.find(KEY)
    assert entry is not None
    assert (entry.state, entry.cause) == (state, "changed_in_lms")
    assert list(table.all_waiting()) == []
    assert (list(table.all_refused()) == [KEY]) is is_listed
    assert table.reopen(KEY)


# --- Links -----------------------------------------------------------------------------------------------------------


def test_a_link_opens_what_it_was_last_bound_to(table: RecordsTable) -> None:
    assert table.bound_activity(LINK) is None

    table.bind(LINK, "first")
    table.bind(LINK, "second")

    assert table.bound_activity(LINK) == "second"
    assert table.bound_activity(replace(LINK, deployment_id="2")) is None


@pytest.mark.parametrize("name", ["Ada", None, "Zoë 山田 🎓"])
def test_an_attempt_comes_back_as_it_was_handed_in(table: RecordsTable, clock: Clock, name: str | None) -> None:
    handed_in = attempt(clock(), name=name)

    table.hand_in(LINK, handed_in, None)

    assert table.attempt(LINK, "user-1") == handed_in
    assert table.attempt(LINK, "user-2") is None


@pytest.mark.parametrize("name", ["Ada", None, "Zoë 山田 🎓"])
def test_when_a_learner_began_is_kept_from_the_first_time(table: RecordsTable, clock: Clock, name: str | None) -> None:
    first = Start(user_id="user#1", name=name, started_at=clock())
    table.note_start(LINK, first)
    clock.goes_on(seconds=1)

    table.note_start(LINK, replace(first, started_at=clock()))
    table.note_start(LINK, replace(first, user_id="user-2"))
    table.hand_in(LINK, attempt(clock()), None)

    assert table.starts(LINK) == [first, replace(first, user_id="user-2")]
    assert len(table.attempts(LINK)) == 1
    assert table.starts(replace(LINK, resource_link_id="link-2")) == []


def test_an_attempt_and_its_score_are_stored_together(table: RecordsTable, clock: Clock) -> None:
    table.hand_in(LINK, attempt(clock()), score(clock))

    entry = table.find(KEY)
    assert entry is not None
    assert (entry.score, entry.version, entry.state) == (score(clock), 1, ScoreState.WAITING)


def test_an_older_attempt_changes_neither(stack: Stack, table: RecordsTable, clock: Clock) -> None:
    earlier = clock()
    clock.goes_on(seconds=1)
    table.hand_in(LINK, attempt(clock()), score(clock))
    before = stack.contents()

    table.hand_in(LINK, attempt(earlier, score_given=1.0), score(clock, timestamp=earlier, score_given=1.0))

    assert stack.contents() == before


def test_a_newer_score_from_elsewhere_stands_and_the_attempt_is_kept(table: RecordsTable, clock: Clock) -> None:
    newer = score(clock, timestamp=clock() + timedelta(hours=1), score_given=9.0)
    table.put(newer)

    table.hand_in(LINK, attempt(clock()), score(clock))

    entry = table.find(KEY)
    assert entry is not None
    assert entry.score == newer
    assert table.attempt(LINK, "user-1") == attempt(clock())


def test_all_attempts_of_a_link_are_listed_and_no_others(table: RecordsTable, clock: Clock) -> None:
    for user in ("a", "b", "c#d/é"):
        table.hand_in(LINK, attempt(clock(), user_id=user), None)
    table.hand_in(replace(LINK, resource_link_id="link-10"), attempt(clock(), user_id="z"), None)

    assert {found.user_id for found in table.attempts(LINK)} == {"a", "b", "c#d/é"}


def test_more_attempts_than_a_page_holds_are_listed(table: RecordsTable, clock: Clock) -> None:
    essay = {"essay": "x" * 2000 * 50}
    for number in range(12):
        table.hand_in(LINK, attempt(clock(), user_id=f"user-{number}", answers=essay), None)

    assert len(table.attempts(LINK)) == 12


# --- The outbox ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"score_given": 0.0},
        {"score_given": 0.1 + 0.2},
        {"score_given": None, "score_maximum": None},
        {"comment": "Well done"},
    ],
)
def test_a_score_comes_back_as_it_was_put(table: RecordsTable, clock: Clock, other: dict[str, Any]) -> None:
    put = score(clock, submitted_at=clock(), **other)

    assert table.put(put) is True

    entry = table.find(KEY)
    assert entry is not None
    assert entry.score == put


def test_the_newest_timestamp_wins_whatever_the_order(table: RecordsTable, clock: Clock) -> None:
    base = clock()
    taken = [
        table.put(score(clock, timestamp=base + timedelta(microseconds=offset), score_given=float(offset)))
        for offset in (5, 3, 5, 9, 9, 1)
    ]

    entry = table.find(KEY)
    assert taken == [True, False, False, True, False, False]
    assert entry is not None
    assert (entry.score.score_given, entry.version) == (9.0, 2)


def test_one_sender_holds_a_score_until_the_lease_ends(table: RecordsTable, clock: Clock) -> None:
    table.put(score(clock))
    entry = leased(table, clock)

    clock.goes_on(seconds=29)
    with pytest.raises(ScoreHeldError) as held:
        leased(table, clock)
    clock.goes_on(seconds=1)
    again = leased(table, clock)

    assert held.value.until == clock()
    assert (entry.attempts, again.attempts) == (1, 2)


def test_nothing_waits_where_nothing_was_put_or_all_is_sent(table: RecordsTable, clock: Clock) -> None:
    assert table.lease(KEY, clock()) is None
    table.put(score(clock))
    table.delivered(leased(table, clock), clock())

    assert table.lease(KEY, clock() + timedelta(seconds=30)) is None
    assert list(table.due(clock())) == []


def test_a_delivered_score_remembers_under_which_timestamp(table: RecordsTable, clock: Clock) -> None:
    table.put(score(clock))
    sent_as = clock() + timedelta(seconds=1)

    assert table.delivered(leased(table, clock), sent_as) is True

    entry = table.find(KEY)
    assert entry is not None
    assert (entry.state, entry.sent_timestamp, entry.next_try_at) == (ScoreState.SENT, sent_as, None)


@pytest.mark.parametrize("end", ["delivered", "refused"])
def test_a_newer_score_that_came_meanwhile_waits_and_may_go_at_once(
    table: RecordsTable, clock: Clock, end: str
) -> None:
    table.put(score(clock))
    entry = leased(table, clock)
    newer = score(clock, timestamp=clock() + timedelta(seconds=1), score_given=9.0)
    table.put(newer)

    is_newest = table.delivered(entry, clock()) if end == "delivered" else table.refused(entry, "score_refused")

    assert is_newest is False
    assert list(table.due(clock())) == [KEY]
    again = leased(table, clock)
    assert (again.score, again.version, again.state) == (newer, 2, ScoreState.WAITING)
    assert again.sent_timestamp == (clock() if end == "delivered" else None)


def test_a_newer_score_does_not_break_a_lease_that_runs(table: RecordsTable, clock: Clock) -> None:
    table.put(score(clock))
    leased(table, clock)
    table.put(score(clock, timestamp=clock() + timedelta(seconds=1)))

    with pytest.raises(ScoreHeldError):
        leased(table, clock)


def test_a_refused_score_waits_no_more_until_a_newer_one_comes(table: RecordsTable, clock: Clock) -> None:
    table.put(score(clock))
    table.refused(leased(table, clock), "line_item_gone")

    refused = table.find(KEY)
    assert refused is not None
    assert (refused.state, refused.cause) == (ScoreState.REFUSED, "line_item_gone")
    assert list(table.due(clock() + timedelta(days=1))) == []
    table.put(score(clock, timestamp=clock() + timedelta(seconds=1)))
    newer = leased(table, clock)
    assert (newer.version, newer.cause) == (2, None)


def test_a_newer_score_waits_for_the_same_cause_as_the_one_before(table: RecordsTable, clock: Clock) -> None:
    since, later = clock(), clock() + timedelta(minutes=30)
    table.put(score(clock))
    table.postpone(leased(table, clock), later, "score_service_down")

    clock.goes_on(minutes=1)
    table.put(score(clock))
    entry = table.find(KEY)

    assert entry is not None
    assert (entry.version, entry.next_try_at) == (2, later)
    assert (entry.cause, entry.failing_since) == ("score_service_down", since)


def test_a_postponed_score_is_due_when_its_time_comes(table: RecordsTable, clock: Clock) -> None:
    table.put(score(clock))
    table.postpone(leased(table, clock), clock() + timedelta(minutes=5), "token_endpoint_down")

    clock.goes_on(minutes=4, seconds=59)
    assert list(table.due(clock())) == []
    with pytest.raises(ScoreHeldError):
        leased(table, clock)
    clock.goes_on(seconds=1)
    assert list(table.due(clock())) == [KEY]
    assert leased(table, clock).cause == "token_endpoint_down"


def test_a_wait_that_the_platform_asked_for_outlives_a_newer_score(table: RecordsTable, clock: Clock) -> None:
    table.put(score(clock))
    table.postpone(leased(table, clock), clock() + timedelta(minutes=5), "rate_limited")
    clock.goes_on(minutes=1)

    table.put(score(clock))

    with pytest.raises(ScoreHeldError):
        leased(table, clock)


def test_all_that_is_due_is_found_and_nothing_else(table: RecordsTable, clock: Clock) -> None:
    keys = [replace(KEY, user_id=f"user-{number}") for number in range(20)]
    for key in keys:
        table.put(score(clock, key=key))
        clock.goes_on(seconds=1)

    assert set(table.due(clock() - timedelta(seconds=11))) == set(keys[:10])
    assert set(table.all_waiting()) == set(keys)


def test_a_refused_score_is_listed_until_it_waits_again(table: RecordsTable, clock: Clock) -> None:
    table.put(score(clock))
    table.refused(leased(table, clock), "line_item_gone")
    listed = list(table.all_refused())
    clock.goes_on(seconds=1)
    table.put(score(clock))

    assert listed == [KEY]
    assert list(table.all_refused()) == []


def test_a_sender_that_woke_too_late_leaves_everything_as_it_is(table: RecordsTable, clock: Clock) -> None:
    table.put(score(clock))
    late = leased(table, clock)
    clock.goes_on(seconds=31)
    table.put(score(clock, score_given=8.0))
    table.delivered(leased(table, clock), clock())
    settled = table.find(KEY)

    assert table.delivered(late, clock() - timedelta(seconds=31)) is False
    table.postpone(late, clock() + timedelta(hours=1), "score_service_down")
    table.refused(late, "score_refused")

    assert table.find(KEY) == settled


def test_what_was_sent_can_be_sent_again(table: RecordsTable, clock: Clock) -> None:
    table.put(score(clock))
    table.delivered(leased(table, clock), clock())

    assert table.reopen(KEY) is True
    again = leased(table, clock)

    assert (again.attempts, again.sent_timestamp) == (1, clock())
    assert table.reopen(KEY) is False  # somebody is at it
    assert table.reopen(replace(KEY, user_id="nobody")) is False


def test_a_wait_can_be_cut_short(table: RecordsTable, clock: Clock) -> None:
    table.put(score(clock))
    table.postpone(leased(table, clock), clock() + timedelta(hours=1), "score_service_down")

    assert table.reopen(KEY) is True

    assert leased(table, clock).cause == "score_service_down"


def test_a_score_is_deferred_only_when_it_is_due(table: RecordsTable, clock: Clock) -> None:
    later = clock() + timedelta(minutes=1)
    table.put(score(clock))

    deferred = [table.defer(KEY, later, "platform_down") for _ in range(2)]
    entry = table.find(KEY)

    assert deferred == [True, False]
    assert entry is not None
    assert (entry.attempts, entry.next_try_at, entry.cause, entry.failing_since) == (0, later, "platform_down", clock())
    assert table.defer(replace(KEY, user_id="nobody"), later, "platform_down") is False


def test_the_scores_of_a_line_item_are_listed_and_no_others(table: RecordsTable, clock: Clock) -> None:
    for user in ("a", "b"):
        table.put(score(clock, key=replace(KEY, user_id=user)))
    table.put(score(clock, key=replace(KEY, line_item=KEY.line_item + "0", user_id="c")))
    table.put(score(clock, key=replace(KEY, registration=RegistrationReference("x" * 22), user_id="d")))

    found = table.of_line_item(REFERENCE, KEY.line_item)

    assert {entry.score.key.user_id for entry in found} == {"a", "b"}


# --- Tenancy ---------------------------------------------------------------------------------------------------------

ID = st.text(min_size=1, max_size=20) | st.sampled_from(["1", "1#2", "#", "%23", "a/b", "user#1", "attempt#x"])


@given(ID, ID, ID, ID, ID, ID)
def test_no_two_links_share_a_key(d1: str, r1: str, u1: str, d2: str, r2: str, u2: str) -> None:
    one = LinkKey(registration=REFERENCE, deployment_id=d1, resource_link_id=r1)
    other = LinkKey(registration=REFERENCE, deployment_id=d2, resource_link_id=r2)
    keys = [
        (records_table._link_pk(link), f"attempt#{records_table._quoted(user)}")
        for link, user in ((one, u1), (other, u2))
    ]

    assert (keys[0] == keys[1]) is ((d1, r1, u1) == (d2, r2, u2))


@given(ID, ID, ID, ID)
def test_no_two_scores_share_a_key(l1: str, u1: str, l2: str, u2: str) -> None:
    keys = [
        records_table._pk_sk(ScoreKey(registration=REFERENCE, line_item=line_item, user_id=user).id)
        for line_item, user in ((l1, u1), (l2, u2))
    ]

    assert (keys[0] == keys[1]) is ((l1, u1) == (l2, u2))


ASCII_ID = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


@given(ASCII_ID, ASCII_ID, ASCII_ID, ASCII_ID.filter(lambda text: text != "c"))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_two_client_ids_with_the_same_ids_never_meet(
    table: RecordsTable, clock: Clock, deployment_id: str, link_id: str, user_id: str, client_id: str
) -> None:
    clock.goes_on(seconds=1)
    other = reference_of("https://lms.example", client_id)
    mine = LinkKey(registration=REFERENCE, deployment_id=deployment_id, resource_link_id=link_id)
    theirs = replace(mine, registration=other)
    line_item = "https://lms.example/" + link_id
    my_key = ScoreKey(registration=REFERENCE, line_item=line_item, user_id=user_id)
    their_key = replace(my_key, registration=other)
    before = (
        table.bound_activity(theirs),
        list(table.attempts(theirs)),
        list(table.of_line_item(other, line_item)),
        table.find(their_key),
    )

    table.bind(mine, "mine")
    table.hand_in(mine, attempt(clock(), user_id=user_id), score(clock, key=my_key))
    table.put(score(clock, key=my_key, timestamp=clock() + timedelta(microseconds=1)))
    entry = table.lease(my_key, clock() + timedelta(seconds=30))
    assert entry is not None
    table.delivered(entry, clock())

    after = (
        table.bound_activity(theirs),
        list(table.attempts(theirs)),
        list(table.of_line_item(other, line_item)),
        table.find(their_key),
    )
    assert after == before
    assert table.bound_activity(mine) == "mine"
