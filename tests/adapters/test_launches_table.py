"""Login attempts become sessions: once, and only for who asked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from lti_tool.adapters.launches_table import LaunchesTable, PlatformCache
from lti_tool.domain.errors import (
    AlreadyAnsweredError,
    BrowserMismatchError,
    DeploymentChangedError,
    NonceMismatchError,
    SessionEndedError,
    StateAlreadyUsedError,
    StateExpiredError,
    StorageProofError,
    TargetChangedError,
    ToolError,
    UnknownStateError,
)
from lti_tool.domain.launch import AnyLaunch, launch_from
from lti_tool.domain.login import AuthenticationResponse, LoginAttempt, LoginInitiation, State, new_attempt
from lti_tool.domain.parameters import UnverifiedParameters
from lti_tool.domain.registration import RegistrationReference
from lti_tool.domain.session import SESSION_LIVES, SessionToken
from lti_tool.domain.tokens import SignedClaims, UnverifiedToken
from lti_tool.domain.trace import Trail
from tests.adapters.conftest import Clock
from tests.support.platform import Platform
from tests.support.stack import REGION, Stack

TARGET = "https://tool.example/activities/x"
REDIRECT = "https://tool.example/lti/launch"
PLATFORM = Platform(url="https://lms.example", issuer="https://lms.example", client_id="c")
REGISTRATION = PLATFORM.registration()


@pytest.fixture
def table(stack: Stack, clock: Clock) -> LaunchesTable:
    return LaunchesTable(stack.dynamodb, "LaunchesTable", clock)


class Asked:
    """A login that was begun: what we remember, and what only the browser and the platform know."""

    def __init__(self, table: LaunchesTable, clock: Clock, **parameters: str) -> None:
        fields = PLATFORM.initiation(TARGET, **parameters).items()
        initiation = LoginInitiation.parse(UnverifiedParameters.of(fields))
        is_stored = "lti_storage_target" in parameters
        attempt, question = new_attempt(initiation, REGISTRATION, REDIRECT, clock(), paged=is_stored)
        table.save(attempt)
        self.attempt: LoginAttempt = attempt
        self.state: State = attempt.state
        self.secret: str | None = question.cookie.value
        self.storage_secret = question.storage_secret
        self.token = SessionToken.new(attempt.state.attempt_id)

    def answer(self, **claims: Any) -> tuple[SignedClaims, AnyLaunch]:
        whole = PLATFORM.claims(claims.pop("nonce", self.attempt.nonce), TARGET, **claims)
        signed = SignedClaims(REGISTRATION, whole)
        return signed, launch_from(signed)

    def response(self, *, cookie: str | None = None, stored: str | None = None) -> AuthenticationResponse:
        token = UnverifiedToken("a.b.c", "kid", {})
        return AuthenticationResponse(state=self.state, id_token=token, browser_secret=cookie, storage_secret=stored)

    def begins(self, table: LaunchesTable, **claims: Any) -> SessionToken:
        signed, launch = self.answer(**claims)
        table.begin(self.response(cookie=self.secret), signed, launch, self.token, Trail())
        return self.token


def test_an_attempt_becomes_the_session_of_its_launch(table: LaunchesTable, clock: Clock) -> None:
    asked = Asked(table, clock)

    session = table.recall(asked.begins(table))

    assert session.launch == asked.answer()[1]
    assert session.launch_id == asked.state.attempt_id


def test_a_state_opens_one_launch_only(table: LaunchesTable, clock: Clock) -> None:
    asked = Asked(table, clock)
    first = asked.begins(table)
    asked.token = SessionToken.new(asked.state.attempt_id)

    with pytest.raises(StateAlreadyUsedError):
        asked.begins(table)
    assert table.recall(first)
    with pytest.raises(SessionEndedError):
        table.recall(asked.token)


def test_a_write_that_the_sdk_repeats_is_no_second_launch(table: LaunchesTable, clock: Clock) -> None:
    asked = Asked(table, clock)

    assert asked.begins(table) == asked.begins(table)


def test_a_hundred_simultaneous_answers_make_one_session(stack: Stack, table: LaunchesTable, clock: Clock) -> None:
    asked = Asked(table, clock)
    signed, launch = asked.answer()
    tokens = [SessionToken.new(asked.state.attempt_id) for _ in range(100)]
    together = threading.Barrier(10)
    one_at_a_time = threading.Lock()  # moto decides and writes in two steps; DynamoDB does both in one
    client: Any = boto3.client("dynamodb", REGION)
    write = client.update_item

    def atomic(**request: Any) -> Any:
        with one_at_a_time:
            return write(**request)

    client.update_item = atomic
    tables = [LaunchesTable(client, "LaunchesTable", clock) for _ in range(10)]

    def begin(process: int) -> list[str]:
        together.wait(timeout=30)
        outcomes = []
        for token in tokens[process::10]:
            try:
                tables[process].begin(asked.response(cookie=asked.secret), signed, launch, token, Trail())
                outcomes.append(str(token))
            except StateAlreadyUsedError:
                outcomes.append("used")
        return outcomes

    with ThreadPoolExecutor(10) as processes:
        outcomes = [outcome for found in processes.map(begin, range(10)) for outcome in found]

    (winner,) = [outcome for outcome in outcomes if outcome != "used"]
    assert len(outcomes) == 100
    assert table.recall(SessionToken.parse(winner)).launch == launch
    assert sum("session_secret" in item for item in stack.contents()["LaunchesTable"].values()) == 1


REFUSED: dict[str, tuple[type[ToolError], dict[str, Any]]] = {
    "another nonce": (NonceMismatchError, {"nonce": "another"}),
    "another target": (TargetChangedError, {"target_link_uri": "https://tool.example/other"}),
    "another deployment": (DeploymentChangedError, {"deployment_id": "2"}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_answer_that_does_not_fit_the_question_spends_nothing(table: LaunchesTable, clock: Clock, name: str) -> None:
    expected, claims = REFUSED[name]
    asked = Asked(table, clock, lti_deployment_id="1")

    with pytest.raises(expected):
        asked.begins(table, **claims)

    assert table.recall(asked.begins(table))


def test_another_browser_spends_nothing(table: LaunchesTable, clock: Clock) -> None:
    asked = Asked(table, clock)
    signed, launch = asked.answer()

    for secret in ("", "another", f"{asked.secret}x"):
        with pytest.raises(BrowserMismatchError):
            table.require_open(asked.response(cookie=secret))
        with pytest.raises(BrowserMismatchError):
            table.begin(asked.response(cookie=secret), signed, launch, asked.token, Trail())

    assert table.recall(asked.begins(table))


def test_another_registration_spends_nothing(table: LaunchesTable, clock: Clock) -> None:
    asked = Asked(table, clock)
    own = asked.state
    asked.state = replace(own, reference=RegistrationReference("x" * 22))

    with pytest.raises(UnknownStateError):
        asked.begins(table)
    with pytest.raises(UnknownStateError):
        table.require_open(asked.response(cookie=asked.secret))

    asked.state = own
    assert table.recall(asked.begins(table))


def test_the_proof_may_lie_in_platform_storage(table: LaunchesTable, clock: Clock) -> None:
    asked = Asked(table, clock, lti_storage_target="_parent")
    signed, launch = asked.answer()

    for wrong in ("another", ""):
        with pytest.raises(StorageProofError):
            table.begin(asked.response(stored=wrong), signed, launch, asked.token, Trail())
    table.begin(asked.response(stored=asked.storage_secret), signed, launch, asked.token, Trail())

    assert table.recall(asked.token).launch == launch


def test_what_lies_in_platform_storage_is_no_cookie_and_the_other_way_round(table: LaunchesTable, clock: Clock) -> None:
    asked = Asked(table, clock, lti_storage_target="_parent")
    signed, launch = asked.answer()

    with pytest.raises(BrowserMismatchError):
        table.begin(asked.response(cookie=asked.storage_secret), signed, launch, asked.token, Trail())
    with pytest.raises(StorageProofError):
        table.begin(asked.response(stored=asked.secret), signed, launch, asked.token, Trail())


def test_a_login_without_platform_storage_has_no_proof_there(table: LaunchesTable, clock: Clock) -> None:
    asked = Asked(table, clock)
    signed, launch = asked.answer()

    assert table.storage_target(asked.state) is None
    for guess in ("", "guess"):
        with pytest.raises(StorageProofError):
            table.begin(asked.response(stored=guess), signed, launch, asked.token, Trail())


def test_an_open_attempt_is_looked_at_without_being_spent(table: LaunchesTable, clock: Clock) -> None:
    asked = Asked(table, clock, lti_storage_target="_parent")

    for _ in range(2):
        table.require_open(asked.response(cookie=asked.secret))
        table.require_open(asked.response(stored=asked.storage_secret))
        assert table.storage_target(asked.state) == "_parent"

    asked.begins(table)
    with pytest.raises(StateAlreadyUsedError):
        table.require_open(asked.response(cookie=asked.secret))
    with pytest.raises(StateAlreadyUsedError):
        table.storage_target(asked.state)


def test_a_state_that_was_never_issued_is_unknown_and_leaves_nothing(
    stack: Stack, table: LaunchesTable, clock: Clock
) -> None:
    asked = Asked(table, clock)
    before = stack.contents()
    asked.state = replace(asked.state, attempt_id="never-issued")

    with pytest.raises(UnknownStateError):
        asked.begins(table)
    assert stack.contents() == before


def test_an_attempt_ends_after_ten_minutes_though_its_item_is_still_there(table: LaunchesTable, clock: Clock) -> None:
    late, in_time = Asked(table, clock), Asked(table, clock)

    clock.goes_on(minutes=9, seconds=58)
    assert in_time.begins(table)
    clock.goes_on(seconds=2)
    with pytest.raises(StateExpiredError):
        late.begins(table)
    with pytest.raises(StateExpiredError):
        table.require_open(late.response(cookie=late.secret))


def test_a_session_ends_after_eight_hours_though_its_item_is_still_there(table: LaunchesTable, clock: Clock) -> None:
    token = Asked(table, clock).begins(table)

    clock.now += SESSION_LIVES - timedelta(seconds=2)
    assert table.recall(token)
    clock.goes_on(seconds=3)
    with pytest.raises(SessionEndedError):
        table.recall(token)
    with pytest.raises(SessionEndedError):
        table.answer(token)


def test_a_session_opens_with_its_secret_only(table: LaunchesTable, clock: Clock) -> None:
    token = Asked(table, clock).begins(table)

    for wrong in (replace(token, secret="guess"), replace(token, launch_id="another")):
        with pytest.raises(SessionEndedError):
            table.recall(wrong)
        with pytest.raises(SessionEndedError):
            table.answer(wrong)


def test_neither_secret_is_stored(stack: Stack, table: LaunchesTable, clock: Clock) -> None:
    asked = Asked(table, clock, lti_storage_target="_parent")
    token = asked.begins(table)

    stored = str(stack.contents())

    assert [secret for secret in (asked.secret, asked.storage_secret, token.secret) if str(secret) in stored] == []


def test_a_session_keeps_no_claim_that_the_tool_does_not_use(stack: Stack, table: LaunchesTable, clock: Clock) -> None:
    Asked(table, clock).begins(table, picture="https://lms.example/ada.png", gender="x", phone_number="1")

    stored = str(stack.contents())
    assert "ada.png" not in stored
    assert "phone_number" not in stored


def test_a_session_is_answered_once_unless_it_is_reopened(table: LaunchesTable, clock: Clock) -> None:
    token = Asked(table, clock).begins(table)

    assert table.answer(token) == table.recall(token)
    with pytest.raises(AlreadyAnsweredError):
        table.answer(token)
    table.reopen(token)
    assert table.answer(token)


def test_only_its_owner_reopens_a_session(table: LaunchesTable, clock: Clock) -> None:
    token = Asked(table, clock).begins(table)
    table.answer(token)

    with pytest.raises(SessionEndedError):
        table.reopen(replace(token, secret="guess"))
    with pytest.raises(AlreadyAnsweredError):
        table.answer(token)


# --- What platforms told us -----------------------------------------------------------------------------------------


def test_a_cached_item_is_gone_when_it_expires(stack: Stack, clock: Clock) -> None:
    cache = PlatformCache(stack.dynamodb, "LaunchesTable", clock)
    cache.write("x", clock() + timedelta(seconds=10), value="v")

    before = cache.read("x")
    clock.goes_on(seconds=11)

    assert before is not None
    assert before["value"] == "v"
    assert cache.read("x") is None
    assert cache.read("y") is None


def test_one_of_many_may_go_and_fetch_until_time_has_passed(stack: Stack, clock: Clock) -> None:
    cache = PlatformCache(stack.dynamodb, "LaunchesTable", clock)
    minute = timedelta(seconds=60)

    def claims() -> bool:
        return cache.claim("x", clock() + timedelta(days=1), clock() - minute)

    first = [claims() for _ in range(3)]
    clock.goes_on(seconds=59)
    second = claims()
    clock.goes_on(seconds=1)
    third = [claims() for _ in range(2)]

    assert (first, second, third) == ([True, False, False], False, [True, False])
