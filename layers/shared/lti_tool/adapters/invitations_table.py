"""RegistrationsTable: invitations, under pk `invitations` and sk `invitation#FINGERPRINT`; they expire on their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from lti_tool.adapters.dynamodb import (
    ConditionFailedError,
    Item,
    epoch,
    from_epoch,
    marshal,
    query,
    store,
    unmarshal,
)
from lti_tool.domain.errors import InvitationEndedError
from lti_tool.domain.invitation import Invitation
from lti_tool.domain.login import fingerprint

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class InvitationsTable:
    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, invitation: Invitation) -> None:
        item = {
            **_key(invitation.fingerprint),
            "tenant": invitation.tenant,
            "hosts": " ".join(invitation.hosts) or None,
            "created_at": epoch(invitation.created_at),
            "expires_at": epoch(invitation.expires_at),
        }
        with store():
            self._client.put_item(TableName=self._table, Item=marshal(item))

    def find(self, token: str) -> Invitation | None:
        with store():
            found = self._client.get_item(
                TableName=self._table, Key=marshal(_key(fingerprint(token))), ConsistentRead=True
            )
        return _invitation(unmarshal(found["Item"])) if "Item" in found else None

    def spend(self, token: str, now: datetime) -> Invitation:
        try:
            with store():
                found = self._client.update_item(
                    TableName=self._table,
                    Key=marshal(_key(fingerprint(token))),
                    UpdateExpression="SET spent_at = :now",
                    ConditionExpression="attribute_exists(pk) AND attribute_not_exists(spent_at) AND expires_at > :now",
                    ExpressionAttributeValues=marshal({":now": epoch(now)}),
                    ReturnValues="ALL_NEW",
                )
        except ConditionFailedError:
            raise InvitationEndedError from None
        return _invitation(unmarshal(found["Attributes"]))

    def reopen(self, token: str) -> None:
        try:
            with store():
                self._client.update_item(
                    TableName=self._table,
                    Key=marshal(_key(fingerprint(token))),
                    UpdateExpression="REMOVE spent_at",
                    ConditionExpression="attribute_exists(pk)",
                )
        except ConditionFailedError:
            return  # revoked meanwhile

    def all(self) -> Sequence[Invitation]:
        return [_invitation(item) for item in query(self._client, self._table, "invitations")]

    def remove(self, invitation_id: str) -> None:
        found = next((one for one in self.all() if one.id == invitation_id), None)
        if found is None:
            raise InvitationEndedError
        with store():
            self._client.delete_item(TableName=self._table, Key=marshal(_key(found.fingerprint)))


def _key(fingerprint: str) -> Item:
    return {"pk": "invitations", "sk": f"invitation#{fingerprint}"}


def _invitation(item: Item) -> Invitation:
    return Invitation(
        fingerprint=item["sk"].removeprefix("invitation#"),
        tenant=item["tenant"],
        hosts=tuple(item.get("hosts", "").split()),
        created_at=from_epoch(item["created_at"]),
        expires_at=from_epoch(item["expires_at"]),
        spent_at=from_epoch(item["spent_at"]) if "spent_at" in item else None,
    )
