"""RecordsTable: audit lines, under pk `audit#REFERENCE`, and as sk the time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lti_tool.adapters.dynamodb import marshal, query, store
from lti_tool.domain.audit import AuditLine
from lti_tool.domain.registration import RegistrationReference

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class AuditTable:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, line: AuditLine) -> None:
        item = {
            "pk": f"audit#{line.registration}",
            "sk": line.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "who": line.who,
            "verb": line.verb,
            "changed": "\n".join(line.changed) or None,
        }
        with store():
            self._client.put_item(TableName=self._table, Item=marshal(item))

    def of(self, registration: RegistrationReference) -> Sequence[AuditLine]:
        """The registration's lines, oldest first; they outlive it."""
        return [
            AuditLine(
                at=datetime.fromisoformat(item["sk"]),
                who=item["who"],
                verb=item["verb"],
                registration=registration,
                changed=tuple(item.get("changed", "").splitlines()),
            )
            for item in query(self._client, self._table, f"audit#{registration}")
        ]
