"""While a stack is upgraded, old and new code run beside each other: the new one reads what the old one wrote."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import Browser
from tests.support.items import answers
from tests.support.stack import Stack

RECORDED = sorted((Path(__file__).parent / "items").glob("*.json"))


def load(stack: Stack, contents: dict[str, dict[str, Any]]) -> None:
    """Put the items into the tables as they were, only not yet over."""
    for table, items in contents.items():
        for item in items.values():
            if "expires_at" in item:
                item["expires_at"] = {"N": str(int(time.time()) + 3600)}
            stack.dynamodb.put_item(TableName=table, Item=item)


def holds(found: Any, recorded: Any) -> bool:
    """All that was said then is said now; more may be said."""
    if isinstance(recorded, dict):
        return isinstance(found, dict) and all(
            name in found and holds(found[name], value) for name, value in recorded.items()
        )
    if isinstance(recorded, list):
        return isinstance(found, list) and len(found) == len(recorded) and all(map(holds, found, recorded))
    return bool(found == recorded)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda path: path.stem)
def test_what_an_earlier_version_wrote_means_the_same(stack: Stack, recorded: Path) -> None:
    version = json.loads(recorded.read_text(encoding="utf-8"))
    load(stack, version["contents"])

    found = answers(version["asked"], Browser())

    for question, said in version["answers"].items():
        assert holds(found[question], said), (question, said, found[question])


def test_there_is_a_version_to_be_read() -> None:
    assert RECORDED
