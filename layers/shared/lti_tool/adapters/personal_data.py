"""What the region's tables hold of one person, wherever it lies.

Read by a scan of RecordsTable and LaunchesTable: nothing is kept by person alone, a request for one is rare, and an
index for it would be written with every mark.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lti_tool.adapters.dynamodb import Item, marshal, store, unmarshal
from lti_tool.domain.claims import FOR_USER
from lti_tool.domain.registration import RegistrationReference

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SECRETS = {"session_secret", "browser", "storage", "nonce"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One item about a person. `kind` is attempt, start, score, session, or review: the session of somebody else who
    looks at this person's work. `contents` has no secret of ours in it, and of a review nothing about who looks.
    """

    table: str
    key: Item
    kind: str
    contents: Item


class PersonalData:
    def __init__(self, client: DynamoDBClient, records_table: str, launches_table: str) -> None:
        self._client = client
        self._records_table = records_table
        self._launches_table = launches_table

    def of(self, reference: RegistrationReference, user_id: str) -> Iterator[Held]:
        """Everything held of that user of that registration, in no order; also of one that was removed."""
        records = self._scan(
            self._records_table,
            "user_id = :user AND (registration = :reference OR begins_with(pk, :link))",
            {":user": user_id, ":reference": reference, ":link": f"link#{reference}#"},
        )
        for item in records:
            kind = "score" if item["pk"].startswith("scores#") else item["sk"].partition("#")[0]
            yield Held(table=self._records_table, key=_key(item, "pk", "sk"), kind=kind, contents=item)
        sessions = self._scan(
            self._launches_table,
            "begins_with(pk, :launch) AND registration = :reference AND attribute_exists(claims)",
            {":launch": "launch#", ":reference": reference},
        )
        for item in sessions:
            claims: dict[str, Any] = json.loads(item["claims"])
            key = _key(item, "pk")
            if _id(claims.get("sub")) == user_id:
                told = {name: value for name, value in item.items() if name not in _SECRETS}
                yield Held(table=self._launches_table, key=key, kind="session", contents={**told, "claims": claims})
            elif _id((claims.get(FOR_USER) or {}).get("user_id")) == user_id:
                told = {"expires_at": item["expires_at"], "claims": {FOR_USER: claims[FOR_USER]}}
                yield Held(table=self._launches_table, key=key, kind="review", contents=told)

    def erase(self, held: Held) -> None:
        with store():
            self._client.delete_item(TableName=held.table, Key=marshal(held.key))

    def _scan(self, table: str, condition: str, values: Item) -> Iterator[Item]:
        start: dict[str, Any] = {}
        while True:
            with store():
                page = self._client.scan(
                    TableName=table,
                    FilterExpression=condition,
                    ExpressionAttributeValues=marshal(values),
                    ConsistentRead=True,
                    **start,
                )
            yield from map(unmarshal, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _id(claimed: object) -> str | None:
    """An id as the launch read it: old Moodle says numbers."""
    return None if claimed is None else str(claimed)


def _key(item: Item, *names: str) -> Item:
    return {name: item[name] for name in names}
