"""stack.json: where the running local stack is, for `lti --local`, tests and other programs."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.stack import Stack


def describe(stack: Stack, campus_url: str | None) -> dict[str, Any]:
    """What stack.json tells other programs."""
    system, credentials = stack.system, stack.cloud.credentials
    return {
        "tool_url": stack.url,
        "campus_url": campus_url,
        "aws_endpoint_url": stack.cloud.endpoint_url,
        "region": stack.cloud.region,
        "credentials": {
            "access_key_id": credentials.access_key_id,
            "secret_access_key": credentials.secret_access_key,
        },
        # By the outputs, too: a table that another stack made is none of the template's resources.
        "tables": {
            _word(name, "Table"): value
            for name, value in {**system.outputs, **system.tables}.items()
            if name.endswith("Table")
        },
        "queues": {_plural(_word(name, "Queue")): value for name, value in system.queues.items()},
        "signing_key": system.outputs.get("SigningKey"),
        "outputs": dict(system.outputs),
    }


def _word(logical_id: str, kind: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", logical_id.removesuffix(kind)).lower()


def _plural(word: str) -> str:
    return word if word.endswith("s") else f"{word}s"


def write(path: Path, value: Mapping[str, Any]) -> None:
    """At once and for this user only: it holds credentials, if only for a pretend cloud."""
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    new.replace(path)
