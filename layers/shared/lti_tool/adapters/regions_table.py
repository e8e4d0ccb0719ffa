"""RegistrationsTable: one record per region, under pk `regions` and sk `region#NAME`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lti_tool.adapters.dynamodb import marshal, query, store
from lti_tool.domain.addresses import origin_of
from lti_tool.domain.region import Region

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BELIEVED_SECONDS = 300.0


class RegionsTable:
    def __init__(self, client: DynamoDBClient, table: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._table = table
        self._monotonic = monotonic
        self._believed: tuple[float, frozenset[str | None]] = (0.0, frozenset())

    def all(self) -> Sequence[Region]:
        return [
            Region(
                name=item["sk"].removeprefix("region#"), base_url=item["base_url"], keys=tuple(json.loads(item["keys"]))
            )
            for item in query(self._client, self._table, "regions")
        ]

    def serve(self, origin: str) -> bool:
        until, origins = self._believed
        if self._monotonic() < until and origin in origins:
            return True
        origins = frozenset(origin_of(region.base_url) for region in self.all())
        self._believed = (self._monotonic() + BELIEVED_SECONDS, origins)
        return origin in origins

    def put(self, region: Region) -> None:
        keys = json.dumps([dict(key) for key in region.keys])
        item = {"pk": "regions", "sk": f"region#{region.name}", "base_url": region.base_url, "keys": keys}
        with store():
            self._client.put_item(TableName=self._table, Item=marshal(item))
