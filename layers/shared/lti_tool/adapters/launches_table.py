"""LaunchesTable: login attempts that become sessions, and what is cached of platforms. All of it expires.

| pk | holds |
| --- | --- |
| `launch#LAUNCH_ID` | a login attempt; after the launch, its session |
| `code#FINGERPRINT` | a one-time code, and the launch that it stands for |
| `trace#SUPPORT_ID` | the story of a refused login or launch |
| `platform-jwks#REFERENCE#URL` | the platform's key set as last fetched from that address (its digest) |
| `access-token#REFERENCE#SCOPES` | an access token, shared by all senders |
| `access-token#...#buying` | who buys one now |
| `gate#HOST`, `gate#HOST#probe` | until when nothing is sent to a platform, and why; who looks whether it is up |
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lti_tool.adapters.dynamodb import (
    ConditionFailedError,
    Item,
    epoch,
    from_epoch,
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
    StateExpiredError,
    StorageProofError,
    TargetChangedError,
    ToolError,
    UnknownStateError,
    UnknownTraceError,
)
from lti_tool.domain.launch import AnyLaunch, kept_claims, launch_from
from lti_tool.domain.login import AuthenticationResponse, LoginAttempt, State, fingerprint, same
from lti_tool.domain.registration import Registration
from lti_tool.domain.session import SESSION_LIVES, Session, SessionToken
from lti_tool.domain.tokens import SignedClaims
from lti_tool.domain.trace import TRACE_LIVES, Trace, Trail
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
            "storage": attempt.storage,
            "storage_target": attempt.storage_target,
            "target_link_uri": attempt.target_link_uri,
            "deployment_id": attempt.deployment_id,
            "expires_at": epoch(attempt.expires_at),
        }
        with store():
            self._client.put_item(TableName=self._table, Item=marshal(item))

    def storage_target(self, state: State) -> str | None:
        item = self._item(state.attempt_id)
        if (why := _why_not_open(item, state, epoch(self._clock()))) is not None:
            raise why
        target: str | None = item.get("storage_target")
        return target

    def require_open(self, response: AuthenticationResponse) -> None:
        item, proof = self._item(response.state.attempt_id), _proof(response)
        why = _why_not_open(item, response.state, epoch(self._clock())) or _why_not_this_browser(item, proof)
        if why is not None:
            raise why

    def begin(
        self,
        response: AuthenticationResponse,
        signed: SignedClaims,
        launch: AnyLaunch,
        token: SessionToken,
        trail: Trail,
    ) -> None:
        now = self._clock()
        proof = _proof(response)
        values: Item = {
            ":registration": str(response.state.reference),
            ":nonce": signed.nonce,
            ":proof": proof[1],
            ":target_link_uri": launch.target_link_uri,
            ":deployment_id": launch.deployment_id,
            ":nothing": "",
            ":now": epoch(now),
            ":session_secret": fingerprint(token.secret),
            ":claims": json.dumps(kept_claims(signed), ensure_ascii=False, separators=(",", ":")),
            ":issuer": launch.issuer,
            ":client_id": launch.client_id,
            ":allow_anonymous": signed.registration.allow_anonymous,
            ":trail": json.dumps(trail.steps, ensure_ascii=False, separators=(",", ":")),
            ":ends": epoch(now + SESSION_LIVES),
        }
        condition = (
            "registration = :registration AND nonce = :nonce AND #proof = :proof"
            " AND (:target_link_uri = :nothing OR target_link_uri = :target_link_uri)"
            " AND (attribute_not_exists(deployment_id) OR deployment_id = :deployment_id)"
            " AND expires_at > :now"
            # The SDK repeats a write whose answer was lost: the same secret may write twice, no other.
            " AND (attribute_not_exists(session_secret) OR session_secret = :session_secret)"
        )
        try:
            with store():
                self._client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": f"launch#{response.state.attempt_id}"}},
                    UpdateExpression=(
                        "SET session_secret = :session_secret, claims = :claims, issuer = :issuer,"
                        " client_id = :client_id, allow_anonymous = :allow_anonymous, trail = :trail,"
                        " began_at = :now, expires_at = :ends"
                    ),
                    ConditionExpression=condition,
                    ExpressionAttributeNames={"#proof": proof[0]},
                    ExpressionAttributeValues=marshal(values),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailedError as failure:
            item = failure.item or {}
            why_not_ours = _why_not_open(item, response.state, epoch(now)) or _why_not_this_browser(item, proof)
            raise why_not_ours or _why_not_this_launch(item, signed.nonce, launch) from None

    def recall(self, token: SessionToken) -> Session:
        item = self._item(token.launch_id)
        if not self._opens(item, token):
            raise SessionEndedError
        return _session(token.launch_id, item)

    def of_launch(self, launch_id: str) -> Session:
        item = self._item(launch_id)
        if "session_secret" not in item or item["expires_at"] <= epoch(self._clock()):
            raise SessionEndedError
        return _session(launch_id, item)

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

    def _item(self, launch_id: str) -> Item:
        with store():
            found = self._client.get_item(
                TableName=self._table, Key={"pk": {"S": f"launch#{launch_id}"}}, ConsistentRead=True
            )
        return unmarshal(found.get("Item", {}))

    def _opens(self, item: Item, token: SessionToken) -> bool:
        secret = item.get("session_secret") or ""
        return same(secret, fingerprint(token.secret)) and item["expires_at"] > epoch(self._clock())


def _proof(response: AuthenticationResponse) -> tuple[str, str]:
    """The attribute that holds the proof of the asking browser, and what has to stand there."""
    if response.browser_secret is not None:
        return "browser", fingerprint(response.browser_secret)
    return "storage", fingerprint(response.storage_secret or "")


def _why_not_open(item: Item, state: State, now: int) -> ToolError | None:
    if item.get("registration") != state.reference:
        return UnknownStateError()
    if "session_secret" in item:
        return StateAlreadyUsedError()
    return StateExpiredError() if item["expires_at"] <= now else None


def _why_not_this_browser(item: Item, proof: tuple[str, str]) -> ToolError | None:
    name, expected = proof
    if same(item.get(name, ""), expected):
        return None
    return BrowserMismatchError() if name == "browser" else StorageProofError()


def _why_not_this_launch(item: Item, nonce: str, launch: AnyLaunch) -> ToolError:
    if not same(item["nonce"], nonce):
        return NonceMismatchError()
    if launch.target_link_uri and item["target_link_uri"] != launch.target_link_uri:
        return TargetChangedError().because(expected=item["target_link_uri"], received=launch.target_link_uri)
    return DeploymentChangedError().because(expected=item.get("deployment_id"), received=launch.deployment_id)


def _session(launch_id: str, item: Item) -> Session:
    """Read a launch again from the claims that were signed when it began."""
    registration = Registration(
        issuer=item["issuer"],
        client_id=item["client_id"],
        authorization_endpoint="",
        token_endpoint="",
        jwks_uri="",
        allow_anonymous=item["allow_anonymous"],
    )
    return Session(launch_id=launch_id, launch=launch_from(SignedClaims(registration, json.loads(item["claims"]))))


class TracesTable:
    """The stories of refusals; an accepted launch tells its own."""

    def __init__(self, client: DynamoDBClient, table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def save(self, trace: Trace) -> None:
        item = {
            "pk": f"trace#{trace.support_id}",
            "door": trace.door,
            "at": trace.at.isoformat(timespec="milliseconds"),
            "trail": json.dumps(trace.steps, ensure_ascii=False),
            "code": trace.code,
            "evidence": json.dumps(trace.evidence, ensure_ascii=False),
            "expires_at": epoch(trace.at + TRACE_LIVES),
        }
        with store():
            self._client.put_item(TableName=self._table, Item=marshal(item))

    def find(self, support_id: str) -> Trace:
        """The story of a refusal by its support id, or of an accepted launch by its launch id.

        Raises:
            UnknownTraceError.
        """
        refused = self._read(f"trace#{support_id}")
        if refused is not None:
            return _refusal(refused)
        accepted = self._read(f"launch#{support_id}")
        if accepted is None or "trail" not in accepted:
            raise UnknownTraceError
        return Trace(
            support_id=support_id,
            door="launch",
            at=from_epoch(accepted["began_at"]),
            steps=_steps(accepted["trail"]),
            code="ok",
            evidence={},
        )

    def launch(self, launch_id: str) -> AnyLaunch:
        """An accepted launch as the platform sent it.

        Raises:
            UnknownTraceError: there is none of this id any more; a refused launch leaves none.
        """
        accepted = self._read(f"launch#{launch_id}")
        if accepted is None or "claims" not in accepted:
            raise UnknownTraceError
        return _session(launch_id, accepted).launch

    def refused_with(self, code: str) -> Iterator[Trace]:
        """The stories that ended with this code, in no order; reads the whole table, so for operators only."""
        wanted = marshal({":trace": "trace#", ":code": code, ":now": epoch(self._clock())})
        start: dict[str, Any] = {}
        while True:
            with store():
                page = self._client.scan(
                    TableName=self._table,
                    FilterExpression="begins_with(pk, :trace) AND code = :code AND expires_at > :now",
                    ExpressionAttributeValues=wanted,
                    **start,
                )
            yield from (_refusal(unmarshal(item)) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _read(self, pk: str) -> Item | None:
        with store():
            found = self._client.get_item(TableName=self._table, Key={"pk": {"S": pk}}, ConsistentRead=True)
        item = unmarshal(found.get("Item", {}))
        return item if item and item["expires_at"] > epoch(self._clock()) else None


def _refusal(item: Item) -> Trace:
    return Trace(
        support_id=item["pk"].removeprefix("trace#"),
        door=item["door"],
        at=datetime.fromisoformat(item["at"]),
        steps=_steps(item["trail"]),
        code=item["code"],
        evidence=json.loads(item["evidence"]),
    )


def _steps(trail: str) -> tuple[tuple[str, dict[str, str]], ...]:
    return tuple((step, facts) for step, facts in json.loads(trail))


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

    def write_later(self, pk: str, expires_at: datetime, name: str, value: int, **others: Any) -> bool:
        """The same, unless what stands there has a greater `value`."""
        item = {"pk": pk, "expires_at": epoch(expires_at), name: value, **others}
        try:
            with store():
                self._client.put_item(
                    TableName=self._table,
                    Item=marshal(item),
                    ConditionExpression="attribute_not_exists(pk) OR #name < :value",
                    ExpressionAttributeNames={"#name": name},
                    ExpressionAttributeValues=marshal({":value": value}),
                )
        except ConditionFailedError:
            return False
        return True

    def renew(self, pk: str, expires_at: datetime, **values: Any) -> None:
        """The same, for what `end` may end: when that was last stays written there."""
        with store():
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": pk}},
                UpdateExpression="SET expires_at = :expires_at, " + ", ".join(f"#{name} = :{name}" for name in values),
                ExpressionAttributeNames={f"#{name}": name for name in values},
                ExpressionAttributeValues=marshal(
                    {":expires_at": epoch(expires_at), **{f":{name}": value for name, value in values.items()}}
                ),
            )

    def end(self, pk: str, name: str, value: str, *, not_since: datetime) -> None:
        """Let it expire now, if it is still that one, and none was ended since."""
        with suppress(ConditionFailedError), store():
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": pk}},
                UpdateExpression="SET expires_at = :now, ended_at = :now",
                ConditionExpression="#name = :value AND (attribute_not_exists(ended_at) OR ended_at <= :not_since)",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues=marshal(
                    {":value": value, ":now": epoch(self._clock()), ":not_since": epoch(not_since)}
                ),
            )

    def forget(self, pk: str, name: str, value: str) -> None:
        """Remove it, if it is still that one."""
        with suppress(ConditionFailedError), store():
            self._client.delete_item(
                TableName=self._table,
                Key={"pk": {"S": pk}},
                ConditionExpression="#name = :value",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues=marshal({":value": value}),
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

    def release(self, pk: str) -> None:
        """Give a claim back that came to nothing."""
        with store():
            self._client.delete_item(TableName=self._table, Key={"pk": {"S": pk}})
