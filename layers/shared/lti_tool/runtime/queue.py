"""The scores queue as its consumer sees it: what became of each message is logged and counted."""

from __future__ import annotations

from lti_tool.domain.errors import StoreUnavailableError, ToolError
from lti_tool.domain.score import parse_score_body
from lti_tool.runtime import telemetry, wiring


def handle_score(message_id: str, body: str) -> None:
    """Deal with one message. What would fail again is recorded and ends; what may work later comes back.

    Raises:
        StoreUnavailableError: our own memory does not answer; the queue hands the message out again.
    """
    try:
        outcome = wiring.grade_sync().handle(parse_score_body(body))
    except StoreUnavailableError as error:
        _record("error", message_id, error.code)
        raise
    except ToolError as error:
        _record("error", message_id, error.code)
    else:
        _record("info", message_id, outcome)


def _record(level: str, message_id: str, outcome: str) -> None:
    getattr(telemetry.logger(), level)("score", code=outcome, message_id=message_id)
    telemetry.count("Scores", door="gradesync", outcome=outcome)
