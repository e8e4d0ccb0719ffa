"""RegistrationsTable: one record per region, under pk `regions` and sk `region#NAME`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lti_tool.adapters.dynamodb import marshal, query, store
from lti_tool.domain.region import Region

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class RegionsTable:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def all(self) -> Sequence[Region]:
        return [
            Region(
                name=item["sk"].removeprefix("region#"), base_url=item["base_url"], keys=tuple(json.loads(item["keys"]))
            )
            for item in query(self._client, self._table, "regions")
        ]

    def put(self, region: Region) -> None:
        keys = json.dumps([dict(key) for key in region.keys])
        item = {"pk": "regions", "sk": f"region#{region.name}", "base_url": region.base_url, "keys": keys}
        with store():
            self._client.put_item(TableName=self._table, Item=marshal(item))
