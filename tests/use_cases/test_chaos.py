"""Everything at once, and every mark arrives: `make chaos` does the same with 10,000 scores."""

from __future__ import annotations

from datetime import timedelta

from bench.chaos import Chaos
from tests.support.stack import Stack


def test_whatever_the_platforms_the_queue_and_the_senders_do_every_newest_mark_arrives(
    stack: Stack,
) -> None:
    found = Chaos(stack, 150).run(timedelta(minutes=2))

    assert found.faults == []
    assert found.answers["busy"]["limits"] > 0
    assert found.answers["down"]["is down"] > 0
    assert {"fails", "hangs up", "hangs"} <= set(found.answers["shaky"])
    assert found.revoked == 1
