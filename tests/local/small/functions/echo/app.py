"""Answers with the event, or does what the path says."""

import json
import os
import sys
import time
from typing import Any

from small import WORD  # type: ignore[import-not-found]


def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    match event.get("pathParameters", {}).get("what"):
        case "answer":
            return json.loads(event["body"])
        case "large":
            return {"statusCode": 200, "body": "x" * 6 * 1024 * 1024}
        case "environment":
            return {"environment": dict(os.environ), "folder": str(os.getcwd()), "word": WORD}  # noqa: PTH109
        case "context":
            return {"milliseconds": context.get_remaining_time_in_millis(), "arn": context.invoked_function_arn}
        case "raise":
            raise ValueError("on purpose")
        case "die":
            os._exit(3)
        case "sleep":
            time.sleep(60)
        case "talk":
            sys.stdout.write("plain words\n")
            sys.stdout.write(
                json.dumps({"level": "WARNING", "message": "look here", "service": "s", "code": "c d"}) + "\n"
            )
            sys.stdout.write(json.dumps({"_aws": {"Timestamp": 1}, "Launches": 1}) + "\n")
            return {}
    return event
