"""LaunchesTable: one-time codes, under pk `code#FINGERPRINT`."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING

from lti_tool.adapters.dynamodb import ConditionFailedError, epoch, marshal, store, unmarshal
from lti_tool.domain.errors import LaunchCodeEndedError
from lti_tool.domain.login import fingerprint
from lti_tool.use_cases.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class LaunchCodesTable:
    def __init__(self, client: DynamoDBClient, table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def add(self, code: str, launch_id: str, activity_id: str, expires_at: datetime) -> None:
        item = {
            "pk": f"code#{fingerprint(code)}",
            "launch_id": launch_id,
            "activity_id": activity_id,
            "expires_at": epoch(expires_at),
        }
        with store():
            self._client.put_item(TableName=self._table, Item=marshal(item))

    def spend(self, code: str) -> tuple[str, str]:
        try:
            with store():
                found = self._client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": f"code#{fingerprint(code)}"}},
                    UpdateExpression="SET spent_by = :this",
                    # The SDK repeats a write whose answer was lost: the same try may write twice, no other.
                    ConditionExpression=("expires_at > :now AND (attribute_not_exists(spent_by) OR spent_by = :this)"),
                    ExpressionAttributeValues=marshal(
                        {":now": epoch(self._clock()), ":this": secrets.token_urlsafe(12)}
                    ),
                    ReturnValues="ALL_NEW",
                )
        except ConditionFailedError:
            raise LaunchCodeEndedError from None
        item = unmarshal(found["Attributes"])
        return item["launch_id"], item["activity_id"]
