"""RecordsTable: what learners did, and the score outbox. It stays in its region.

| pk | sk | holds |
| --- | --- | --- |
| `link#REFERENCE#DEPLOYMENT#RESOURCE_LINK` | `binding` | which activity the link opens |
| `link#REFERENCE#DEPLOYMENT#RESOURCE_LINK` | `column` | where its marks go in the gradebook |
| `link#REFERENCE#DEPLOYMENT#RESOURCE_LINK` | `attempt#USER` | a learner's newest attempt |
| `link#REFERENCE#DEPLOYMENT#RESOURCE_LINK` | `start#USER` | when a learner began |
| `scores#` + first 44 of a score's id | `score#` + the rest | a score on its way, or sent |

Each part from outside is percent-encoded, so that no two keys can meet. Only waiting scores carry `due` and
`next_try_at`, the keys of one sparse index, and only refused ones `refused` and `refused_at`, those of the other. `due`
and `refused` are one of 16 numbers, drawn from the score's key, so that no single partition of an index takes all the
writes of an exam's end. `next_try_at` is also the lease: whoever moves it ahead holds the score.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from lti_tool.adapters.dynamodb import ConditionFailedError, Item, marshal, store, unmarshal
from lti_tool.domain.activity import Attempt, Start
from lti_tool.domain.errors import ScoreHeldError
from lti_tool.domain.lineitem import LinkColumn
from lti_tool.domain.registration import RegistrationReference
from lti_tool.domain.score import (
    ActivityProgress,
    GradingProgress,
    OutboxEntry,
    Points,
    Score,
    ScoreId,
    ScoreKey,
    ScoreState,
    column_id,
)
from lti_tool.use_cases.ports import Clock, LinkKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SHARDS = tuple("0123456789abcdef")
_LOOKED_AT = 20_000  # waiting scores at most, to find the oldest: some six megabytes
_NEWER = "#timestamp < :timestamp"
_NO_FINAL_MARK = "(#score_given = :empty OR #grading_progress <> :fully_graded)"
_NO_MARK = "#score_given = :empty"
_ANOTHER_LINE_ITEM = "column_key <> line_item AND line_item <> :line_item OR attribute_not_exists(line_item)"


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

    def note_column(self, link: LinkKey, column: LinkColumn) -> None:
        values = {name: getattr(column, name) for name in ("line_item", "container", "label") if getattr(column, name)}
        assignments = ", ".join(["column_key = :key", *(f"{name} = :{name}" for name in values)])
        told = {":key": column.key, **{f":{name}": value for name, value in values.items()}}
        condition = "attribute_not_exists(pk)"
        if column.line_item is not None:  # a column that replaced the one of before
            condition += " OR (column_key = line_item AND line_item <> :line_item)"
        try:
            self._update_column(link, f"SET {assignments}", condition, told)
        except ConditionFailedError:
            if column.line_item is not None:
                with suppress(ConditionFailedError):  # known
                    self._update_column(
                        link, "SET line_item = :line_item", _ANOTHER_LINE_ITEM, {":line_item": column.line_item}
                    )

    def column(self, link: LinkKey) -> LinkColumn | None:
        item = self._read(_link_pk(link), "column")
        if item is None:
            return None
        return LinkColumn(
            key=item["column_key"],
            line_item=item.get("line_item"),
            container=item.get("container"),
            label=item.get("label"),
        )

    def claim_column(self, link: LinkKey, until: datetime) -> bool:
        try:
            self._update_column(
                link,
                "SET claimed_until = :until",
                "attribute_exists(pk) AND attribute_not_exists(line_item)"
                " AND (attribute_not_exists(claimed_until) OR claimed_until <= :now)",
                {":until": _text(until), ":now": _text(self._clock())},
            )
        except ConditionFailedError:
            return False
        return True

    def found_column(self, link: LinkKey, line_item: str) -> None:
        with suppress(ConditionFailedError):  # erased meanwhile, or a launch has named it
            self._update_column(
                link,
                "SET line_item = :line_item REMOVE claimed_until",
                "attribute_exists(pk) AND attribute_not_exists(line_item)",
                {":line_item": line_item},
            )

    def _update_column(self, link: LinkKey, update: str, condition: str, values: Item) -> None:
        """Raises ConditionFailedError."""
        with store():
            self._client.update_item(
                TableName=self._table,
                Key=marshal({"pk": _link_pk(link), "sk": "column"}),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=marshal(values),
            )

    def attempt(self, link: LinkKey, user_id: str) -> Attempt | None:
        item = self._read(_link_pk(link), f"attempt#{_quoted(user_id)}")
        return _attempt(item) if item else None

    def attempts(self, link: LinkKey) -> Sequence[Attempt]:
        return [_attempt(item) for item in self._query(_link_pk(link), "attempt#")]

    def note_start(self, link: LinkKey, start: Start) -> None:
        item = {
            "pk": _link_pk(link),
            "sk": f"start#{_quoted(start.user_id)}",
            "user_id": start.user_id,
            "name": start.name,
            "started_at": _text(start.started_at),
        }
        with suppress(ConditionFailedError), store():  # noted already
            self._client.put_item(
                TableName=self._table, Item=marshal(item), ConditionExpression="attribute_not_exists(pk)"
            )

    def starts(self, link: LinkKey) -> Sequence[Start]:
        return [
            Start(user_id=item["user_id"], name=item.get("name"), started_at=_moment(item["started_at"]))
            for item in self._query(_link_pk(link), "start#")
        ]

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
        return self.find_by_id(key.id)

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
                    UpdateExpression="SET next_try_at = :until, leased = :one, tried_timestamp = #timestamp,"
                    " tried_points = if_not_exists(points, :empty) ADD attempts :one",
                    ConditionExpression="#state = :waiting AND next_try_at <= :now",
                    ExpressionAttributeNames={"#state": "state", "#timestamp": "timestamp"},
                    ExpressionAttributeValues=marshal(
                        {
                            ":until": _text(until),
                            ":now": _text(self._clock()),
                            ":waiting": ScoreState.WAITING.value,
                            ":one": 1,
                            ":empty": "",
                        }
                    ),
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailedError as failure:
            if failure.item is None or failure.item["state"] != ScoreState.WAITING:
                return None
            raise ScoreHeldError(_moment(failure.item["next_try_at"]), leased="leased" in failure.item) from None
        return _entry(unmarshal(found["Attributes"]))

    def delivered(self, entry: OutboxEntry, timestamp: datetime) -> bool:
        sent = {
            ":sent_timestamp": _text(timestamp),
            ":sent_points": _points_text(entry.score.points),
            ":sent_comment": entry.score.comment or "",
            ":sent_handed_in": int(entry.score.is_handed_in),
        }
        kept = ", ".join(f"{name[1:]} = {name}" for name in sent)
        settled = (
            f"#state = :state, {kept} REMOVE failing_since, cause, refused, refused_at, was_held,"
            " tried_timestamp, tried_points, maybe_sent_timestamp, maybe_sent_points"
        )
        if self._settle(entry, settled, {":state": ScoreState.SENT.value, **sent}):
            return True
        self._release(entry)
        with suppress(ConditionFailedError):  # erased meanwhile, or somebody else sent a newer one
            self._update(
                entry.score.key,
                f"SET {kept}",
                "attribute_exists(pk) AND (attribute_not_exists(sent_timestamp) OR sent_timestamp < :sent_timestamp)",
                sent,
            )
        return False

    def refused(self, entry: OutboxEntry, cause: str, state: ScoreState = ScoreState.REFUSED) -> bool:
        values: Item = {":state": state.value, ":cause": cause, ":now": _text(self._clock())}
        settled = "#state = :state, cause = :cause, refused_at = :now"
        if state is not ScoreState.NOT_SENT:  # which nobody has to mend
            settled += ", refused = :shard"
            values[":shard"] = _shard(entry.score.key)
        if state is ScoreState.HELD:
            settled += ", was_held = :one"
            values[":one"] = 1
        if self._settle(entry, settled + " REMOVE failing_since", values):
            return True
        self._release(entry)
        return False

    def postpone(self, entry: OutboxEntry, next_try_at: datetime, cause: str) -> None:
        values = {":next_try_at": _text(next_try_at), ":cause": cause, ":now": _text(self._clock())}
        self._as_holder(
            entry,
            "SET next_try_at = :next_try_at, cause = :cause, failing_since = if_not_exists(failing_since, :now)",
            values,
        )

    def defer(self, key: ScoreKey, next_try_at: datetime, cause: str) -> bool:
        now = _text(self._clock())
        try:
            self._update(
                key,
                "SET next_try_at = :next_try_at, cause = :cause, failing_since = if_not_exists(failing_since, :now)"
                " REMOVE leased",
                "#state = :waiting AND next_try_at <= :now",
                {
                    ":next_try_at": _text(next_try_at),
                    ":cause": cause,
                    ":now": now,
                    ":waiting": ScoreState.WAITING.value,
                },
            )
        except ConditionFailedError:
            return False
        return True

    def reopen(self, key: ScoreKey) -> bool:
        """A version of its own, so that no sender of before takes it for delivered."""
        values: Item = {":now": _text(self._clock()), ":waiting": ScoreState.WAITING.value, ":shard": _shard(key)}
        try:
            self._update(
                key,
                "SET #state = :waiting, due = :shard, next_try_at = :now, attempts = :zero, version = version + :one"
                " REMOVE leased, refused, refused_at",
                "attribute_exists(pk) AND (attribute_not_exists(leased) OR next_try_at <= :now)",
                {**values, ":zero": 0, ":one": 1},
            )
        except ConditionFailedError:
            return False
        return True

    def due(self, now: datetime) -> Iterator[ScoreKey]:
        for shard in _SHARDS:
            yield from self._indexed("due", shard, " AND next_try_at <= :now", {":now": _text(now)})

    def all_waiting(self) -> Iterator[ScoreKey]:
        for shard in _SHARDS:
            yield from self._indexed("due", shard)

    def all_refused(self) -> Iterator[ScoreKey]:
        for shard in _SHARDS:
            yield from self._indexed("refused", shard)

    def oldest_waiting(self) -> datetime | None:
        waiting = islice((item for shard in _SHARDS for item in self._index_items("due", shard)), _LOOKED_AT)
        return min((_moment(item["timestamp"]) for item in waiting), default=None)

    def _indexed(self, index: str, shard: str, and_where: str = "", values: Item | None = None) -> Iterator[ScoreKey]:
        return map(_key, self._index_items(index, shard, and_where, values))

    def _index_items(self, index: str, shard: str, and_where: str = "", values: Item | None = None) -> Iterator[Item]:
        """The scores that stand in one partition of a sparse index, which is named like its key; read page by page."""
        start: dict[str, Any] = {}
        while True:
            with store():
                page = self._client.query(
                    TableName=self._table,
                    IndexName=index,
                    KeyConditionExpression=f"{index} = :shard{and_where}",
                    ExpressionAttributeValues=marshal({":shard": shard, **(values or {})}),
                    **start,
                )
            yield from map(unmarshal, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    # --- Requests ---------------------------------------------------------------------------------------------

    def _put_request(self, score: Score) -> Any:
        """Newest timestamp wins, unless it carries less than what is there (`Score.weight`). A lease or a wait that
        runs stays in force, and the wait's cause with it: the platform asked for it.
        """
        values = {
            "registration": score.key.registration,
            "line_item": score.key.line_item,
            "user_id": score.key.user_id,
            "deployment_id": score.deployment_id,
            "timestamp": _text(score.timestamp),
            "score_given": _number(score.score_given),
            "score_maximum": _number(score.score_maximum),
            "points": _points_text(score.points),
            "activity_progress": score.activity_progress.value,
            "grading_progress": score.grading_progress.value,
            "submitted_at": _text(score.submitted_at) if score.submitted_at else "",
            "comment": score.comment or "",
            "overwrite": score.overwrite,
            "submission_type": score.submission_type or "",
            "submission_data": score.submission_data or "",
            "state": ScoreState.WAITING.value,
            "due": _shard(score.key),
            "attempts": 0,
        }
        assignments = [f"#{name} = :{name}" for name in values]
        assignments += ["version = if_not_exists(version, :zero) + :one"]
        assignments += ["next_try_at = if_not_exists(next_try_at, :now)"]
        assignments += [f"maybe_sent_{part} = if_not_exists(tried_{part}, :empty)" for part in ("timestamp", "points")]
        extra: Item = {":zero": 0, ":one": 1, ":empty": "", ":now": _text(self._clock())}
        newer = _NEWER
        if score.weight == 1:
            newer += f" AND {_NO_FINAL_MARK}"
            extra[":fully_graded"] = GradingProgress.FULLY_GRADED.value
        if score.weight == 0:
            newer += f" AND {_NO_MARK}"
        return {
            "TableName": self._table,
            "Key": _score_key(score.key),
            "UpdateExpression": "SET " + ", ".join(assignments) + " REMOVE refused, refused_at, was_held",
            "ConditionExpression": f"attribute_not_exists(pk) OR ({newer})",
            "ExpressionAttributeNames": {f"#{name}": name for name in values},
            "ExpressionAttributeValues": marshal({**{f":{name}": value for name, value in values.items()}, **extra}),
        }

    def _settle(self, entry: OutboxEntry, settled: str, values: Item) -> bool:
        """The end of a score's way, unless it is not this version's any more."""
        try:
            self._update(
                entry.score.key,
                f"SET {settled}, due, next_try_at, leased",
                "version = :version",
                {**values, ":version": entry.version},
            )
        except ConditionFailedError:
            return False
        return True

    def _release(self, entry: OutboxEntry) -> None:
        self._as_holder(entry, "SET next_try_at = :now", {":now": _text(self._clock())})

    def _as_holder(self, entry: OutboxEntry, update: str, values: Item) -> None:
        """End a lease, if it is still ours: the moment that it was given until is its name."""
        held = {":held": _text(entry.next_try_at) if entry.next_try_at else "", ":waiting": ScoreState.WAITING.value}
        with suppress(ConditionFailedError):  # erased, or somebody else's by now
            self._update(
                entry.score.key,
                f"{update} REMOVE leased",
                "#state = :waiting AND next_try_at = :held",
                {**values, **held},
            )

    def _update(self, key: ScoreKey, update: str, condition: str, values: Item) -> None:
        """Raises ConditionFailedError."""
        names: Any = {"ExpressionAttributeNames": {"#state": "state"}} if "#state" in update + condition else {}
        with store():
            self._client.update_item(
                TableName=self._table,
                Key=_score_key(key),
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=marshal(values),
                **names,
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


def _shard(key: ScoreKey) -> str:
    """One of 16, always the same for a score."""
    return hashlib.sha256(key.id.encode()).hexdigest()[0]


def _text(moment: datetime) -> str:
    """UTC with microseconds, always of one width, so that later sorts after earlier."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)


def _points_text(points: Points | None) -> str:
    return "" if points is None else f"{points[0]!r} {points[1]!r}"


def _points(text: str | None) -> Points | None:
    if not text:
        return None
    given, maximum = text.split()
    return float(given), float(maximum)


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
        "preview": attempt.is_preview or None,
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
        is_preview=item.get("preview", False),
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
        overwrite=item.get("overwrite", "always"),
        submission_type=item.get("submission_type") or None,
        submission_data=item.get("submission_data") or None,
    )
    state = ScoreState(item["state"])
    tells_of_another = state is ScoreState.WAITING and "failing_since" not in item  # of the one that was refused before
    return OutboxEntry(
        score=score,
        version=item["version"],
        state=state,
        attempts=item["attempts"],
        sent_timestamp=_moment(item["sent_timestamp"]) if "sent_timestamp" in item else None,
        next_try_at=_moment(item["next_try_at"]) if "next_try_at" in item else None,
        cause=None if tells_of_another else item.get("cause"),
        failing_since=_moment(item["failing_since"]) if "failing_since" in item else None,
        refused_at=_moment(item["refused_at"]) if "refused_at" in item else None,
        sent_points=_points(item.get("sent_points")),
        sent_comment=item.get("sent_comment") or None,
        sent_handed_in=bool(item.get("sent_handed_in", "sent_timestamp" in item)),
        maybe_sent_timestamp=_moment(item["maybe_sent_timestamp"]) if item.get("maybe_sent_timestamp") else None,
        maybe_sent_points=_points(item.get("maybe_sent_points")),
        was_held="was_held" in item,
    )
