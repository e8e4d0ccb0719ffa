"""Whether the tables answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lti_tool.adapters.dynamodb import store

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class TablesHealth:
    def __init__(self, client: DynamoDBClient, tables: Sequence[str]) -> None:
        self._client = client
        self._tables = tables

    def require(self) -> None:
        for table in self._tables:
            with store():
                self._client.describe_table(TableName=table)
