"""RecordsTable: what learners did, and the score outbox. It stays in its region.

| pk | sk | holds |
| --- | --- | --- |
| `link#REFERENCE#DEPLOYMENT#RESOURCE_LINK` | `binding` | which activity the link opens |
| `link#REFERENCE#DEPLOYMENT#RESOURCE_LINK` | `attempt#USER` | a learner's newest attempt |
| `scores#` + first 44 of a score's id | `score#` + the rest | a score on its way, or sent |

Each part from outside is percent-encoded, so that no two keys can meet. Only waiting scores carry `due` and
`next_try_at`, the keys of the sparse index. `next_try_at` is also the lease: whoever moves it ahead holds the score.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from lti_tool.adapters.dynamodb import ConditionFailedError, Item, marshal, store, unmarshal
from lti_tool.domain.activity import Attempt
from lti_tool.domain.errors import ScoreHeldError
from lti_tool.domain.registration import RegistrationReference
from lti_tool.domain.score import (
    ActivityProgress,
    GradingProgress,
    OutboxEntry,
    Score,
    ScoreId,
    ScoreKey,
    ScoreState,
    column_id,
)
from lti_tool.use_cases.ports import Clock, LinkKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DUE = "waiting"
_NEWER = "attribute_not_exists(pk) OR #timestamp < :timestamp"


class RecordsTable:
    """Attempts, bindings and the outbox: they share a table, so that a mark and its score are stored together."""

    def __init__(self, client: DynamoDBClient, table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    # --- Resource links ---------------------------------------------------------------------------------------

    def bound_activity(self, link: LinkKey) -> str | None:
        item = self._read(_link_pk(link), "binding")
        return item["activity_id"] if item else None

    def bind(self, link: LinkKey, activity_id: str) -> None:
        item = {"pk": _link_pk(link), "sk": "binding", "activity_id": activity_id}
        with store():
            self._client.put_item(TableName=self._table, Item=marshal(item))

    def attempt(self, link: LinkKey, user_id: str) -> Attempt | None:
        item = self._read(_link_pk(link), f"attempt#{_quoted(user_id)}")
        return _attempt(item) if item else None

    def attempts(self, link: LinkKey) -> Sequence[Attempt]:
        return [_attempt(item) for item in self._query(_link_pk(link), "attempt#")]

    def hand_in(self, link: LinkKey, attempt: Attempt, score: Score | None) -> None:
        writes: list[Any] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": marshal(_attempt_item(link, attempt)),
                    "ConditionExpression": "attribute_not_exists(pk) OR submitted_at <= :submitted_at",
                    "ExpressionAttributeValues": marshal({":submitted_at": _text(attempt.submitted_at)}),
                }
            }
        ]
        if score is not None:
            writes.append({"Update": self._put_request(score)})
        try:
            with store():
                self._client.transact_write_items(TransactItems=writes)
        except ConditionFailedError as error:
            refused = _refused_writes(error.__cause__)
            if refused == {0} or refused == {0, 1}:
                return  # a newer attempt is there already: the same learner in another tab
            if refused == {1}:  # a newer score from elsewhere: the attempt is kept, the newer score stands
                self.hand_in(link, attempt, None)

    # --- The outbox -------------------------------------------------------------------------------------------

    def put(self, score: Score) -> bool:
        try:
            with store():
                self._client.update_item(**self._put_request(score))
        except ConditionFailedError:
            return False
        return True

    def find(self, key: ScoreKey) -> OutboxEntry | None:
        item = self._read(*_pk_sk(key.id))
        return _entry(item) if item else None

    def find_by_id(self, score_id: ScoreId) -> OutboxEntry | None:
        item = self._read(*_pk_sk(score_id))
        return _entry(item) if item else None

    def of_line_item(self, registration: RegistrationReference, line_item: str) -> Sequence[OutboxEntry]:
        return [_entry(item) for item in self._query(f"scores#{column_id(registration, line_item)}", "score#")]

    def lease(self, key: ScoreKey, until: datetime) -> OutboxEntry | None:
        try:
            with store():
                found = self._client.update_item(
                    TableName=self._table,
                    Key=_score_key(key),
                    UpdateExpression="SET next_try_at = :until ADD attempts :one",
                    ConditionExpression="#state = :waiting AND next_try_at <= :now",
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues=marshal(
                        {
                            ":until": _text(until),
                            ":now": _text(self._clock()),
                            ":waiting": ScoreState.WAITING.value,
                            ":one": 1,
                        }
                    ),
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailedError as failure:
            if failure.item is None or failure.item["state"] != ScoreState.WAITING:
                return None
            raise ScoreHeldError(_moment(failure.item["next_try_at"])) from None
        return _entry(unmarshal(found["Attributes"]))

    def delivered(self, entry: OutboxEntry, timestamp: datetime) -> bool:
        sent = {":state": ScoreState.SENT.value, ":sent_timestamp": _text(timestamp)}
        if self._settle(
            entry, "SET #state = :state, sent_timestamp = :sent_timestamp REMOVE due, next_try_at, cause", sent
        ):
            return True
        del sent[":state"]
        self._release(entry, "sent_timestamp = :sent_timestamp, ", sent)
        return False

    def refused(self, entry: OutboxEntry, cause: str) -> bool:
        refused = {":state": ScoreState.REFUSED.value, ":cause": cause}
        if self._settle(entry, "SET #state = :state, cause = :cause REMOVE due, next_try_at", refused):
            return True
        self._release(entry, "", {})
        return False

    def postpone(self, entry: OutboxEntry, next_try_at: datetime, cause: str) -> None:
        with suppress(ConditionFailedError), store():  # erased meanwhile: nothing waits any more
            self._client.update_item(
                TableName=self._table,
                Key=_score_key(entry.score.key),
                UpdateExpression="SET next_try_at = :next_try_at, cause = :cause",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues=marshal({":next_try_at": _text(next_try_at), ":cause": cause}),
            )

    def due(self, now: datetime, limit: int) -> Sequence[ScoreKey]:
        with store():
            page = self._client.query(
                TableName=self._table,
                IndexName="due",
                KeyConditionExpression="due = :due AND next_try_at <= :now",
                ExpressionAttributeValues=marshal({":due": _DUE, ":now": _text(now)}),
                Limit=limit,
            )
        return [_key(unmarshal(item)) for item in page["Items"]]

    # --- Requests ---------------------------------------------------------------------------------------------

    def _put_request(self, score: Score) -> Any:
        """Newest timestamp wins. A lease or a wait that runs stays in force: the platform asked for it."""
        values = {
            "registration": score.key.registration,
            "line_item": score.key.line_item,
            "user_id": score.key.user_id,
            "deployment_id": score.deployment_id,
            "timestamp": _text(score.timestamp),
            "score_given": _number(score.score_given),
            "score_maximum": _number(score.score_maximum),
            "activity_progress": score.activity_progress.value,
            "grading_progress": score.grading_progress.value,
            "submitted_at": _text(score.submitted_at) if score.submitted_at else "",
            "comment": score.comment or "",
            "state": ScoreState.WAITING.value,
            "due": _DUE,
            "attempts": 0,
        }
        assignments = [f"#{name} = :{name}" for name in values]
        assignments += ["version = if_not_exists(version, :zero) + :one"]
        assignments += ["next_try_at = if_not_exists(next_try_at, :now)"]
        extra: Item = {":zero": 0, ":one": 1, ":now": _text(self._clock())}
        return {
            "TableName": self._table,
            "Key": _score_key(score.key),
            "UpdateExpression": "SET " + ", ".join(assignments) + " REMOVE cause",
            "ConditionExpression": _NEWER,
            "ExpressionAttributeNames": {f"#{name}": name for name in values},
            "ExpressionAttributeValues": marshal({**{f":{name}": value for name, value in values.items()}, **extra}),
        }

    def _settle(self, entry: OutboxEntry, update: str, values: Item) -> bool:
        try:
            with store():
                self._client.update_item(
                    TableName=self._table,
                    Key=_score_key(entry.score.key),
                    UpdateExpression=update,
                    ConditionExpression="version = :version",
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues=marshal({**values, ":version": entry.version}),
                )
        except ConditionFailedError:
            return False
        return True

    def _release(self, entry: OutboxEntry, assignments: str, values: Item) -> None:
        with suppress(ConditionFailedError), store():  # erased meanwhile
            self._client.update_item(
                TableName=self._table,
                Key=_score_key(entry.score.key),
                UpdateExpression=f"SET {assignments}next_try_at = :now",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues=marshal({**values, ":now": _text(self._clock())}),
            )

    def _read(self, pk: str, sk: str) -> Item | None:
        with store():
            found = self._client.get_item(TableName=self._table, Key=marshal({"pk": pk, "sk": sk}), ConsistentRead=True)
        return unmarshal(found["Item"]) if "Item" in found else None

    def _query(self, pk: str, prefix: str) -> Iterable[Item]:
        start: dict[str, Any] = {}
        while True:
            with store():
                page = self._client.query(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                    ExpressionAttributeValues=marshal({":pk": pk, ":prefix": prefix}),
                    ConsistentRead=True,
                    **start,
                )
            yield from map(unmarshal, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _refused_writes(cause: BaseException | None) -> set[int]:
    """Which writes of a cancelled transaction failed their condition."""
    reasons: Any = cause.response.get("CancellationReasons", []) if isinstance(cause, ClientError) else []
    return {index for index, reason in enumerate(reasons) if reason.get("Code") == "ConditionalCheckFailed"}


def _quoted(part: str) -> str:
    return quote(part, safe="")


def _link_pk(link: LinkKey) -> str:
    return f"link#{link.registration}#{_quoted(link.deployment_id)}#{_quoted(link.resource_link_id)}"


def _pk_sk(score_id: ScoreId) -> tuple[str, str]:
    return f"scores#{score_id[:44]}", f"score#{score_id[44:]}"


def _score_key(key: ScoreKey) -> dict[str, Any]:
    pk, sk = _pk_sk(key.id)
    return marshal({"pk": pk, "sk": sk})


def _text(moment: datetime) -> str:
    """UTC with microseconds, always of one width, so that later sorts after earlier."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)


def _attempt_item(link: LinkKey, attempt: Attempt) -> Item:
    return {
        "pk": _link_pk(link),
        "sk": f"attempt#{_quoted(attempt.user_id)}",
        "user_id": attempt.user_id,
        "name": attempt.name,
        "activity_id": attempt.activity_id,
        "answers": json.dumps(attempt.answers, ensure_ascii=False),
        "score_given": _number(attempt.score_given),
        "score_maximum": _number(attempt.score_maximum),
        "submitted_at": _text(attempt.submitted_at),
    }


def _attempt(item: Item) -> Attempt:
    answers = json.loads(item["answers"])
    return Attempt(
        user_id=item["user_id"],
        name=item.get("name"),
        activity_id=item["activity_id"],
        answers={key: tuple(given) if isinstance(given, list) else given for key, given in answers.items()},
        score_given=float(item["score_given"]),
        score_maximum=float(item["score_maximum"]),
        submitted_at=_moment(item["submitted_at"]),
    )


def _key(item: Item) -> ScoreKey:
    return ScoreKey(
        registration=RegistrationReference(item["registration"]),
        line_item=item["line_item"],
        user_id=item["user_id"],
    )


def _entry(item: Item) -> OutboxEntry:
    score = Score(
        key=_key(item),
        deployment_id=item["deployment_id"],
        timestamp=_moment(item["timestamp"]),
        score_given=float(item["score_given"]) if item["score_given"] else None,
        score_maximum=float(item["score_maximum"]) if item["score_maximum"] else None,
        activity_progress=ActivityProgress(item["activity_progress"]),
        grading_progress=GradingProgress(item["grading_progress"]),
        submitted_at=_moment(item["submitted_at"]) if item["submitted_at"] else None,
        comment=item["comment"] or None,
    )
    return OutboxEntry(
        score=score,
        version=item["version"],
        state=ScoreState(item["state"]),
        attempts=item["attempts"],
        sent_timestamp=_moment(item["sent_timestamp"]) if "sent_timestamp" in item else None,
        next_try_at=_moment(item["next_try_at"]) if "next_try_at" in item else None,
        cause=item.get("cause"),
    )
