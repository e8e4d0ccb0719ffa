"""What a schedule fires."""

from typing import Any


def lambda_handler(event: dict[str, Any], _: Any) -> Any:
    return {"ticked": True, "event": event}
