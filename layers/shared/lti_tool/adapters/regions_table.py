"""RegistrationsTable: one record per region, under pk `regions` and sk `region#NAME`.

A region writes its own record only, so that conditions, which a global table judges per region, hold. `base_url` and
`keys` are for all regions; the key ring that stands there as well is `key_ring_table`'s.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from lti_tool.adapters.dynamodb import ConditionFailedError, marshal, query, store
from lti_tool.domain.addresses import origin_of
from lti_tool.domain.region import Region

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BELIEVED_SECONDS = 300.0
NAMES = {"#url": "base_url", "#keys": "keys", "#ring": "ring"}


class RegionsTable:
    def __init__(self, client: DynamoDBClient, table: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._table = table
        self._monotonic = monotonic
        self._believed: tuple[float, frozenset[str | None]] = (0.0, frozenset())

    def all(self) -> Sequence[Region]:
        return [
            Region(
                name=item["sk"].removeprefix("region#"),
                base_url=item["base_url"],
                keys=tuple(json.loads(item["keys"])),
                has_ring="ring" in item,
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
        """Write where the region answers; its keys as well, as long as it has no ring, which knows better."""
        update, condition = "SET #url = :url", "attribute_exists(#ring)"
        values = {":url": region.base_url}
        if not region.has_ring:
            update, condition = "SET #url = :url, #keys = :keys", "attribute_not_exists(#ring)"
            values[":keys"] = json.dumps([dict(key) for key in region.keys])
        # The condition fails when a ring came in between: what it knows, and the address, are read next time.
        with suppress(ConditionFailedError), store():
            self._client.update_item(
                TableName=self._table,
                Key=marshal({"pk": "regions", "sk": f"region#{region.name}"}),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={name: NAMES[name] for name in NAMES if name in update + condition},
                ExpressionAttributeValues=marshal(values),
            )
