"""The scores queue as its consumer sees it: what became of each message is logged and counted."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor

from lti_tool.domain.errors import StoreUnavailableError, ToolError
from lti_tool.domain.score import parse_score_body
from lti_tool.runtime import telemetry, wiring

LAST_RECEIVE = 5  # maxReceiveCount of ScoresQueue: after it the queue itself gives a message up, without a reason
AT_ONCE = 10  # BatchSize of GradeSyncFunction
_one_line_at_a_time = threading.Lock()


class ParallelBatchProcessor(BatchProcessor):
    """Powertools' processor with all records of a batch in hand at the same time.

    Threads, not the asynchronous one: what a record waits for, DynamoDB and platforms, is asked by blocking clients.
    """

    _threads = ThreadPoolExecutor(AT_ONCE)

    def process(self) -> list[Any]:
        wiring.grade_sync()  # one of each, built before ten threads ask for it
        wiring.dead_letters()
        return list(self._threads.map(self._process_record, self.records))


def handle_score(message_id: str, body: str, receive_count: int) -> None:
    """Deal with one message. What may work later comes back; what would fail again goes to the dead letters.

    Raises:
        StoreUnavailableError: our own memory does not answer; the queue hands the message out again.
        Exception: a bug of ours; the same, until it was tried often enough.
    """
    try:
        outcome = wiring.grade_sync().handle(parse_score_body(body))
    except StoreUnavailableError as error:
        _given_up(message_id, body, error.code, receive_count >= LAST_RECEIVE)
        if receive_count < LAST_RECEIVE:
            raise
    except ToolError as error:
        _given_up(message_id, body, error.code, True)
    except Exception as error:
        telemetry.logger().error("failed", door="gradesync", message_id=message_id, **telemetry.failure(error))
        _given_up(message_id, body, ToolError.code, receive_count >= LAST_RECEIVE)
        if receive_count < LAST_RECEIVE:
            raise
    else:
        _record("info", message_id, outcome)


def _given_up(message_id: str, body: str, reason: str, for_good: bool) -> None:
    if for_good:
        wiring.dead_letters().put(body, reason)
    _record("error", message_id, reason)


def _record(level: str, message_id: str, outcome: str) -> None:
    with _one_line_at_a_time:  # log and metrics are written to one stream
        getattr(telemetry.logger(), level)("score", code=outcome, message_id=message_id)
        telemetry.count("Scores", door="gradesync", outcome=outcome)
