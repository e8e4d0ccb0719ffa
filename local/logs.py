"""What the children write, on one standard output, for a person to read."""

import contextlib
import json
import sys
import threading
from datetime import datetime
from typing import IO, Any, TextIO

# Said by the position in the line, or the same on every line.
UNSAID = {
    "level",
    "location",
    "message",
    "timestamp",
    "service",
    "logger",
    "requestId",
    "function_request_id",
    "function_name",
    "function_arn",
    "function_memory_size",
    "cold_start",
    "xray_trace_id",
    "exception",
    "exception_name",
    "stack_trace",
    "stackTrace",
    "errorType",
    "errorMessage",
    "sampling_rate",
}


class Logs:
    """Writes whole lines, one at a time, whichever thread they come from."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._lock = threading.Lock()

    def say(self, who: str, level: str, message: str) -> None:
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        self.announce(f"{now}  {who:<9}  {level:<5}  {message}")

    def announce(self, line: str) -> None:
        """A line as it is: other programs wait for some of them."""
        with self._lock, contextlib.suppress(BrokenPipeError):  # the stack outlives who reads along
            self._out.write(f"{line}\n")
            self._out.flush()

    def write(self, who: str, line: str) -> None:
        """A line that a child wrote: JSON of Powertools or of the runtime, or anything else."""
        fields = _json_object(line)
        if fields is None:
            self.say(who, "", line)
        elif "_aws" in fields or str(fields.get("message")).startswith("LAMBDA_WARNING"):
            pass  # metrics for CloudWatch; a paragraph of the runtime before each error
        else:
            self.say(who, str(fields.get("level") or "INFO"), _sentence(fields))

    def follow(self, who: str, stream: IO[bytes]) -> threading.Thread:
        """Write what comes out of the stream until it ends."""

        def lines() -> None:
            for line in stream:
                if text := line.decode(errors="replace").rstrip():
                    self.write(who, text)

        thread = threading.Thread(target=lines, name=f"log of {who}", daemon=True)
        thread.start()
        return thread


def _json_object(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _sentence(fields: dict[str, Any]) -> str:
    said = fields.get("message") or fields.get("errorMessage") or ""
    if kind := fields.get("errorType") or fields.get("exception_name"):
        said = f"{said} ({kind})" if said else str(kind)
    parts = [said if isinstance(said, str) else json.dumps(said)]
    parts += [f"{name}={_word(value)}" for name, value in fields.items() if name not in UNSAID and value is not None]
    trace = fields.get("exception") or fields.get("stackTrace") or []
    lines = trace.splitlines() if isinstance(trace, str) else "".join(map(str, trace)).splitlines()
    return "\n".join([" ".join(parts), *(f"    {line}" for line in lines)])


def _word(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False) if " " in text and isinstance(value, str) else text
