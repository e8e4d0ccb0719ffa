"""DynamoDB as the tables' adapters use it: one client, items of plain values, our own errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from lti_tool.domain.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]
"""An item as the adapters see it: names to `str`, `int`, `bool`; other shapes are kept as JSON text."""


class ConditionFailedError(Exception):
    """A condition did not hold; `item` is what stood there instead, when it was asked for."""

    def __init__(self, item: Item | None) -> None:
        super().__init__()
        self.item = item


@contextmanager
def store() -> Iterator[None]:
    """Run one operation; its failures become ours.

    Raises:
        ConditionFailedError: the write's condition did not hold.
        StoreUnavailableError: throttled, or not reachable, after the SDK's own retries.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        reasons: Any = error.response.get("CancellationReasons", [])
        refused = {reason.get("Code", "None") for reason in reasons} - {"None"}
        if code == "TransactionCanceledException" and refused == {"ConditionalCheckFailed"}:
            raise ConditionFailedError(None) from error
        if code == "ConditionalCheckFailedException":
            item: Any = error.response.get("Item")
            raise ConditionFailedError(unmarshal(item) if item else None) from error
        raise StoreUnavailableError(code) from error
    except BotoCoreError as error:
        raise StoreUnavailableError(type(error).__name__) from error


def marshal(item: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values as DynamoDB's typed ones; `None` is left out."""
    return {name: _typed(value) for name, value in item.items() if value is not None}


def _typed(value: str | int | bool) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def unmarshal(item: Mapping[str, Any]) -> Item:
    return {name: _plain(typed) for name, typed in item.items()}


def _plain(typed: Mapping[str, Any]) -> str | int | bool:
    ((kind, value),) = typed.items()
    return int(value) if kind == "N" else value


def epoch(moment: datetime) -> int:
    """Whole seconds, as DynamoDB's time to live wants them."""
    return int(moment.timestamp())


def from_epoch(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def query(client: DynamoDBClient, table: str, pk: str) -> list[Item]:
    """All items of one partition, by sort key, read consistently."""
    found: list[Item] = []
    start: dict[str, Any] = {}
    while True:
        with store():
            page = client.query(
                TableName=table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": pk}},
                ConsistentRead=True,
                **start,
            )
        found += map(unmarshal, page["Items"])
        if "LastEvaluatedKey" not in page:
            return found
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
