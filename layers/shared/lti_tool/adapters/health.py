"""Whether the tables answer."""

from __future__ import annotations

from collections.abc import Sequence

from lti_tool.adapters.dynamodb import DynamoDBClient, store


class TablesHealth:
    def __init__(self, client: DynamoDBClient, tables: Sequence[str]) -> None:
        self._client = client
        self._tables = tables

    def require(self) -> None:
        for table in self._tables:
            with store():
                self._client.describe_table(TableName=table)
