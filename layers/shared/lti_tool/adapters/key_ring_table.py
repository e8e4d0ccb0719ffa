"""RegistrationsTable: the key ring of a region, in that region's record beside the keys that it publishes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lti_tool.adapters.dynamodb import ConditionFailedError, marshal, store, unmarshal
from lti_tool.domain.errors import RotationUnderWayError
from lti_tool.domain.keyring import KeyRing, KeyState, Making, RingKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NAMES = {"#url": "base_url", "#keys": "keys", "#ring": "ring", "#version": "version"}


class KeyRingTable:
    """The key ring of one region, in that region's record."""

    def __init__(self, client: DynamoDBClient, table: str, region: str) -> None:
        self._client = client
        self._table = table
        self._region = region

    def read(self) -> KeyRing | None:
        with store():
            answer = self._client.get_item(TableName=self._table, Key=_key(self._region), ConsistentRead=True)
        if "Item" not in answer:
            return None
        item = unmarshal(answer["Item"])
        return _ring(json.loads(item["ring"]), item["version"]) if "ring" in item else KeyRing()

    def write(self, ring: KeyRing) -> None:
        text = _json(_document(ring))
        first = ring.version == 1
        values = {":ring": text, ":version": ring.version, ":keys": _json([dict(key) for key in ring.key_set])}
        try:
            with store():
                self._client.update_item(
                    TableName=self._table,
                    Key=_key(self._region),
                    UpdateExpression="SET #ring = :ring, #version = :version, #keys = :keys",
                    # The record itself is made by the door that publishes it, which knows its address.
                    ConditionExpression="attribute_exists(#url) AND "
                    + ("attribute_not_exists(#ring)" if first else "#version = :before"),
                    ExpressionAttributeNames=NAMES,
                    ExpressionAttributeValues=marshal(values if first else {**values, ":before": ring.version - 1}),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailedError as error:
            # The SDK repeats a write whose answer was lost: then it is ours that stands there.
            if error.item is None or error.item.get("ring") != text:
                raise RotationUnderWayError from error


def _key(region: str) -> dict[str, Any]:
    return marshal({"pk": "regions", "sk": f"region#{region}"})


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _document(ring: KeyRing) -> dict[str, Any]:
    making = ring.making
    return {
        "keys": [
            {
                "key_id": key.key_id,
                "jwk": dict(key.jwk),
                "state": key.state.value,
                "since": key.since.isoformat(),
                "until": key.until.isoformat() if key.until else None,
                "of_stack": key.of_stack,
            }
            for key in ring.keys
        ],
        "making": making
        and {
            "rotation": making.rotation,
            "since": making.since.isoformat(),
            "wait_seconds": making.wait.total_seconds(),
        },
        "held": dict(ring.held),
    }


def _ring(document: dict[str, Any], version: int) -> KeyRing:
    moment: Callable[[str], datetime] = datetime.fromisoformat
    making = document["making"]
    return KeyRing(
        version=version,
        keys=tuple(
            RingKey(
                key_id=key["key_id"],
                jwk=key["jwk"],
                state=KeyState(key["state"]),
                since=moment(key["since"]),
                until=moment(key["until"]) if key["until"] else None,
                of_stack=key["of_stack"],
            )
            for key in document["keys"]
        ),
        making=making
        and Making(
            rotation=making["rotation"],
            since=moment(making["since"]),
            wait=timedelta(seconds=making["wait_seconds"]),
        ),
        held=document.get("held", {}),
    )
