"""The schedules of the template: fired when asked, and by their rate when that is wanted."""

import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from local.child import Answer
from local.logs import Logs
from local.template import ACCOUNT, Schedule

SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


class Schedules:
    """Knows each schedule by its own logical id and by its function's."""

    def __init__(
        self,
        schedules: Sequence[Schedule],
        *,
        invoke: Callable[[str, bytes], Answer],
        words: dict[str, str],
        region: str,
        logs: Logs,
    ) -> None:
        self._schedules, self._invoke, self._words, self._logs = schedules, invoke, words, logs
        self._region = region
        self._stop = threading.Event()

    def describe(self) -> list[dict[str, Any]]:
        return [
            {"schedule": s.logical_id, "function": s.function, "expression": s.expression, "enabled": s.enabled}
            for s in self._schedules
        ]

    def fire(self, name: str) -> dict[str, Any] | None:
        """Run the function of a schedule now, even of a disabled one; None when there is no such schedule."""
        for schedule in self._schedules:
            if name in (schedule.logical_id, schedule.function):
                return self._fire(schedule)
        return None

    def start(self) -> None:
        """Fire by rate from now on, the first time after one interval."""
        for schedule in self._schedules:
            seconds = seconds_of(schedule.expression)
            if seconds is None:
                self._logs.say("schedule", "INFO", f"{schedule.expression} is not a rate; fire it by hand")
            elif schedule.enabled:
                threading.Thread(target=self._repeat, args=(schedule, seconds), daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _repeat(self, schedule: Schedule, seconds: float) -> None:
        while not self._stop.wait(seconds):
            self._fire(schedule)

    def _fire(self, schedule: Schedule) -> dict[str, Any]:
        event = schedule.event if schedule.event is not None else event_of(schedule, self._region)
        answer = self._invoke(schedule.function, json.dumps(event).encode())
        self._logs.say("schedule", "INFO", f"{self._words[schedule.function]} {answer.outcome.value}")
        try:
            result = json.loads(answer.payload or b"null")
        except ValueError:
            result = None
        return {"function": schedule.function, "outcome": answer.outcome.value, "result": result}


def event_of(schedule: Schedule, region: str) -> dict[str, Any]:
    """What EventBridge Scheduler sends when the schedule has no input of its own."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": region,
        "resources": [f"arn:aws:scheduler:{region}:{ACCOUNT}:schedule/default/{schedule.logical_id}"],
        "detail": "{}",
    }


def seconds_of(expression: str) -> float | None:
    """The interval of `rate(5 minutes)`; None for what is not a rate."""
    match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression.strip())
    return int(match[1]) * SECONDS[match[2]] if match else None
