"""Whatever instruction a sender dies at, and whichever write is throttled, the mark arrives and nothing is left."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lti_tool.adapters.access_tokens import AccessTokens
from lti_tool.adapters.gradebook import PlatformGradebook
from lti_tool.adapters.kms import KmsSigner
from lti_tool.adapters.launches_table import PlatformCache
from lti_tool.adapters.platform_gates import PlatformGates
from lti_tool.adapters.platform_http import PlatformHttp
from lti_tool.adapters.records_table import RecordsTable
from lti_tool.adapters.registrations_table import RegistrationsTable
from lti_tool.adapters.sqs import ScoresQueue
from lti_tool.domain.errors import StoreUnavailableError
from lti_tool.domain.score import ScoreKey, ScoreState, parse_score_body
from lti_tool.use_cases.gradesync import GradeSync, Sweep
from tests.adapters.conftest import Clock
from tests.support.platform import Platform, Reply, serving
from tests.support.stack import REGION, Stack


class Died(BaseException):
    """The process is gone: nothing of it runs any more."""


Fate = Callable[[str, str], None]
"""Called "before" and "after" each call to the outside, with its name; may raise."""


def no_fate(_: str, __: str) -> None:
    """A long life."""


class Mortal:
    """Something outside, as a process sees it that may die at each call."""

    def __init__(self, real: Any, fate: Fate) -> None:
        self._real, self._fate = real, fate

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            self._fate("before", name)
            answer = getattr(self._real, name)(*arguments, **named)
            self._fate("after", name)
            return answer

        return call


@cache
def kms() -> Any:
    return boto3.client("kms", REGION)


class World:
    """A score of 1 waits, one of 2 comes as a whole message; then the queue forgets whatever it knew."""

    def __init__(self, stack: Stack, platform: Platform, clock: Clock) -> None:
        self.stack, self.platform, self.clock = stack, platform, clock
        stack.begin_again()
        platform.received.clear()
        platform.replies.clear()
        RegistrationsTable(stack.dynamodb, "RegistrationsTable").add(platform.registration())
        self.message = {
            "issuer": platform.issuer, "client_id": platform.client_id, "deployment_id": "1",
            "line_item": platform.line_item, "user_id": "user-1", "score_maximum": 2,
            "activity_progress": "Completed", "grading_progress": "FullyGraded",
        }  # fmt: skip
        first = parse_score_body(self.text(1))
        self.key = ScoreKey(
            registration=platform.registration().reference, line_item=platform.line_item, user_id="user-1"
        )
        RecordsTable(stack.dynamodb, "RecordsTable", clock).put(first.score(self.key.registration))  # type: ignore[union-attr]

    def text(self, points: int) -> str:
        when = datetime(2026, 11, 22, 11, 0, points, tzinfo=UTC)
        return json.dumps({**self.message, "score_given": points, "timestamp": when.isoformat()})

    def process(self, fate: Fate) -> tuple[GradeSync, Sweep]:
        dynamodb, sqs = Mortal(self.stack.dynamodb, fate), Mortal(self.stack.sqs, fate)
        cache = PlatformCache(dynamodb, "LaunchesTable", self.clock)  # type: ignore[arg-type]
        gates = PlatformGates(cache, self.clock)
        http: Any = Mortal(PlatformHttp(loopback_http=True, gates=gates, clock=self.clock), fate)
        signer = KmsSigner(Mortal(kms(), fate), self.stack.environment["SIGNING_KEY_ID"])  # type: ignore[arg-type]
        outbox = RecordsTable(dynamodb, "RecordsTable", self.clock)  # type: ignore[arg-type]
        nudges = ScoresQueue(sqs, self.stack.queue_url)  # type: ignore[arg-type]
        tokens = AccessTokens(http, signer, cache, self.clock)
        sync = GradeSync(
            registrations=RegistrationsTable(dynamodb, "RegistrationsTable"),  # type: ignore[arg-type]
            outbox=outbox,
            gradebook=PlatformGradebook(http, tokens, self.clock),
            columns=outbox,
            gates=gates,
            nudges=nudges,
            clock=self.clock,
            lease=timedelta(seconds=30),
        )
        return sync, Sweep(outbox=outbox, nudges=nudges, clock=self.clock)

    def recovers(self) -> None:
        """The message is handed out again, unless it was never there; the sweep finds the rest, twice."""
        self.clock.goes_on(hours=2)
        sync, sweep = self.process(no_fate)
        sync.handle(parse_score_body(self.text(2)))
        for _ in range(2):
            self.stack.queued()
            self.clock.goes_on(hours=2)
            sweep.run()
            for body in self.stack.queued():
                sync.handle(parse_score_body(json.dumps(body)))

    def require_well(self) -> None:
        outbox = RecordsTable(self.stack.dynamodb, "RecordsTable", self.clock)
        entry = outbox.find(self.key)
        assert entry is not None
        assert entry.state is ScoreState.SENT
        assert list(outbox.all_waiting()) == []
        taken = sorted((score.json()["timestamp"], score.json()["scoreGiven"]) for score in self.platform.scores)
        assert taken[-1][1] == 2
        assert len({points for when, points in taken if when == taken[-1][0]}) == 1


TROUBLE = {
    "all is well": (),
    "the platform asks for a pause": (Reply(status=429, headers={"Retry-After": "60"}),),
    "the token was revoked": (Reply(status=401),),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_sender_may_die_after_any_call(stack: Stack, clock: Clock, trouble: str) -> None:
    """Which is the same as before the next one."""
    with serving() as platform:
        called: list[str] = []
        world = World(stack, platform, clock)
        spied, _ = world.process(lambda when, name: called.append(name) if when == "after" else None)
        spied.handle(parse_score_body(world.text(2)))
        # Up to the post of the score nothing differs; the first post buys the token.
        until_the_post = [number for number, name in enumerate(called) if name in {"post", "send"}][1]
        for death in itertools.count(until_the_post if TROUBLE[trouble] else 0):
            world = World(stack, platform, clock)
            platform.will_answer("/lineitems/7/lineitem/scores", *TROUBLE[trouble])
            calls = itertools.count()

            def fate(when: str, _: str, calls: Any = calls, death: int = death) -> None:
                if when == "after" and next(calls) >= death:
                    raise Died

            try:
                world.process(fate)[0].handle(parse_score_body(world.text(2)))
            except Died:
                world.recovers()
                world.require_well()
            else:
                break

    assert death > 10


def test_any_write_may_be_throttled(stack: Stack, clock: Clock) -> None:
    throttled = ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "UpdateItem")
    with serving() as platform:
        for number in itertools.count():
            world = World(stack, platform, clock)
            calls = itertools.count()
            hit: list[str] = []

            def fate(when: str, name: str, calls: Any = calls, hit: Any = hit, number: int = number) -> None:
                if when == "before" and name in DYNAMODB and next(calls) == number:
                    hit.append(name)
                    raise throttled

            with suppress(StoreUnavailableError):
                world.process(fate)[0].handle(parse_score_body(world.text(2)))
            if not hit:
                break
            world.recovers()
            world.require_well()

    assert number > 5


DYNAMODB = {"put_item", "update_item", "get_item", "delete_item", "query", "transact_write_items"}
