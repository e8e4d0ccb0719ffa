"""LaunchesTable: login attempts that become sessions, and what is cached of platforms. All of it expires.

| pk | holds |
| --- | --- |
| `launch#LAUNCH_ID` | a login attempt; after the launch, its session |
| `platform-jwks#REFERENCE` | the platform's key set as last fetched |
| `access-token#REFERENCE#SCOPES` | an access token, shared by all senders |
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lti_tool.adapters.dynamodb import (
    ConditionFailedError,
    Item,
    epoch,
    marshal,
    store,
    unmarshal,
)
from lti_tool.domain.errors import (
    AlreadyAnsweredError,
    BrowserMismatchError,
    DeploymentChangedError,
    NonceMismatchError,
    SessionEndedError,
    StateAlreadyUsedError,
    TargetChangedError,
    ToolError,
    UnknownStateError,
)
from lti_tool.domain.launch import AnyLaunch, kept_claims, launch_from
from lti_tool.domain.login import LoginAttempt, State, fingerprint, same
from lti_tool.domain.registration import Registration
from lti_tool.domain.session import SESSION_LIVES, Session, SessionToken
from lti_tool.domain.tokens import SignedClaims
from lti_tool.use_cases.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class LaunchesTable:
    """Login attempts and the sessions that they become."""

    def __init__(self, client: DynamoDBClient, table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def save(self, attempt: LoginAttempt) -> None:
        item = {
            "pk": f"launch#{attempt.state.attempt_id}",
            "registration": attempt.state.reference,
            "nonce": attempt.nonce,
            "browser": attempt.browser,
            "target_link_uri": attempt.target_link_uri,
            "deployment_id": attempt.deployment_id,
            "expires_at": epoch(attempt.expires_at),
        }
        with store():
            self._client.put_item(TableName=self._table, Item=marshal(item))

    def begin(
        self, state: State, browser_secret: str, signed: SignedClaims, launch: AnyLaunch, token: SessionToken
    ) -> None:
        now = self._clock()
        known = {  # (name of the attribute, what it has to be)
            "registration": str(state.reference),
            "nonce": signed.nonce,
            "browser": fingerprint(browser_secret),
            "target_link_uri": launch.target_link_uri,
            "deployment_id": launch.deployment_id,
        }
        condition = (
            "registration = :registration AND nonce = :nonce AND browser = :browser"
            " AND (:target_link_uri = :nothing OR target_link_uri = :target_link_uri)"
            " AND (attribute_not_exists(deployment_id) OR deployment_id = :deployment_id)"
            " AND expires_at > :now"
            # The SDK repeats a write whose answer was lost: the same secret may write twice, no other.
            " AND (attribute_not_exists(session_secret) OR session_secret = :session_secret)"
        )
        values: Item = {f":{name}": value for name, value in known.items()}
        values |= {
            ":nothing": "",
            ":now": epoch(now),
            ":session_secret": fingerprint(token.secret),
            ":claims": json.dumps(kept_claims(signed), ensure_ascii=False, separators=(",", ":")),
            ":issuer": launch.issuer,
            ":client_id": launch.client_id,
            ":ends": epoch(now + SESSION_LIVES),
        }
        try:
            with store():
                self._client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": f"launch#{state.attempt_id}"}},
                    UpdateExpression=(
                        "SET session_secret = :session_secret, claims = :claims, issuer = :issuer,"
                        " client_id = :client_id, expires_at = :ends"
                    ),
                    ConditionExpression=condition,
                    ExpressionAttributeValues=marshal(values),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailedError as failure:
            raise _why_not_begun(failure.item, known, epoch(now)) from None

    def recall(self, token: SessionToken) -> Session:
        with store():
            found = self._client.get_item(
                TableName=self._table, Key={"pk": {"S": f"launch#{token.launch_id}"}}, ConsistentRead=True
            )
        item = unmarshal(found.get("Item", {}))
        if not self._opens(item, token):
            raise SessionEndedError
        return _session(token.launch_id, item)

    def answer(self, token: SessionToken) -> Session:
        try:
            with store():
                found = self._client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": f"launch#{token.launch_id}"}},
                    UpdateExpression="SET answered = :yes",
                    ConditionExpression=(
                        "session_secret = :secret AND expires_at > :now AND attribute_not_exists(answered)"
                    ),
                    ExpressionAttributeValues=marshal(
                        {":yes": True, ":secret": fingerprint(token.secret), ":now": epoch(self._clock())}
                    ),
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailedError as failure:
            if self._opens(failure.item or {}, token):
                raise AlreadyAnsweredError from None
            raise SessionEndedError from None
        return _session(token.launch_id, unmarshal(found["Attributes"]))

    def reopen(self, token: SessionToken) -> None:
        try:
            with store():
                self._client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": f"launch#{token.launch_id}"}},
                    UpdateExpression="REMOVE answered",
                    ConditionExpression="session_secret = :secret",
                    ExpressionAttributeValues=marshal({":secret": fingerprint(token.secret)}),
                )
        except ConditionFailedError:
            raise SessionEndedError from None

    def _opens(self, item: Item, token: SessionToken) -> bool:
        secret = item.get("session_secret") or ""
        return same(secret, fingerprint(token.secret)) and item["expires_at"] > epoch(self._clock())


def _why_not_begun(item: Item | None, expected: dict[str, str], now: int) -> ToolError:
    if item is None or item.get("registration") != expected["registration"]:
        return UnknownStateError()
    if not same(item["browser"], expected["browser"]):
        return BrowserMismatchError()
    if "session_secret" in item:
        return StateAlreadyUsedError()
    if item["expires_at"] <= now:
        return UnknownStateError()
    if not same(item["nonce"], expected["nonce"]):
        return NonceMismatchError()
    if expected["target_link_uri"] and item["target_link_uri"] != expected["target_link_uri"]:
        return TargetChangedError()
    return DeploymentChangedError()


def _session(launch_id: str, item: Item) -> Session:
    """Read a launch again from the claims that were signed when it began."""
    registration = Registration(
        issuer=item["issuer"],
        client_id=item["client_id"],
        authorization_endpoint="",
        token_endpoint="",
        jwks_uri="",
    )
    return Session(launch_id=launch_id, launch=launch_from(SignedClaims(registration, json.loads(item["claims"]))))


class PlatformCache:
    """What platforms told us and all function instances share: key sets and access tokens."""

    def __init__(self, client: DynamoDBClient, table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def read(self, pk: str) -> Item | None:
        with store():
            found = self._client.get_item(TableName=self._table, Key={"pk": {"S": pk}}, ConsistentRead=True)
        item = unmarshal(found.get("Item", {}))
        return item if item and item["expires_at"] > epoch(self._clock()) else None

    def write(self, pk: str, expires_at: datetime, **values: Any) -> None:
        with store():
            self._client.put_item(
                TableName=self._table, Item=marshal({"pk": pk, "expires_at": epoch(expires_at), **values})
            )

    def claim(self, pk: str, expires_at: datetime, not_since: datetime) -> bool:
        """Let one of many go and fetch: whoever is first since `not_since`."""
        try:
            with store():
                self._client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": pk}},
                    UpdateExpression="SET claimed_at = :now, expires_at = if_not_exists(expires_at, :ends)",
                    ConditionExpression="attribute_not_exists(claimed_at) OR claimed_at <= :not_since",
                    ExpressionAttributeValues=marshal(
                        {":now": epoch(self._clock()), ":ends": epoch(expires_at), ":not_since": epoch(not_since)}
                    ),
                )
        except ConditionFailedError:
            return False
        return True
