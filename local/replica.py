"""The replica of another local stack's registrations table: two tables kept equal, as DynamoDB keeps a global table.

What changes in one is read from its stream and written to the other; of two changes to one item the later wins. Either
stack goes on with its own table when the other has ended.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.logs import Logs

LOOKS_EVERY_SECONDS = 0.1
Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbour:
    """Another local stack that runs, by its stack.json."""

    tool_url: str
    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    table: str

    @classmethod
    def read(cls, folder: Path) -> "Neighbour":
        """Raises OSError, ValueError or KeyError: no stack runs there that could be joined."""
        stack = json.loads((folder / "stack.json").read_text(encoding="utf-8"))
        return cls(
            tool_url=stack["tool_url"],
            endpoint_url=stack["aws_endpoint_url"],
            region=stack["region"],
            access_key_id=stack["credentials"]["access_key_id"],
            secret_access_key=stack["credentials"]["secret_access_key"],
            table=stack["tables"]["registrations"],
        )

    def client(self, service: Any) -> Any:
        session = boto3.Session(
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            region_name=self.region,
        )
        config = Config(proxies={}, connect_timeout=1, read_timeout=5, retries={"total_max_attempts": 1})
        return session.client(service, endpoint_url=self.endpoint_url, config=config)


class Replica:
    """Two tables, one here and one at the neighbour's. `create` and `start` once each; `stop` when this stack ends."""

    def __init__(self, neighbour: Neighbour, cloud: Any, logs: Logs) -> None:
        self._neighbour, self._logs = neighbour, logs
        self._here = _Side(cloud.client("dynamodb"), cloud.client("dynamodbstreams"), neighbour.table)
        self._there = _Side(neighbour.client("dynamodb"), neighbour.client("dynamodbstreams"), neighbour.table)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_equal, name="replica", daemon=True)

    def create(self) -> None:
        """Make the table here, shaped and filled as the neighbour's is now."""
        shape = self._there.dynamodb.describe_table(TableName=self._neighbour.table)["Table"]
        self._here.dynamodb.create_table(
            BillingMode="PAY_PER_REQUEST",
            **{name: shape[name] for name in ("TableName", "AttributeDefinitions", "KeySchema", "StreamSpecification")},
        )
        lives = self._there.dynamodb.describe_time_to_live(TableName=self._neighbour.table)["TimeToLiveDescription"]
        if "AttributeName" in lives:
            self._here.dynamodb.update_time_to_live(
                TableName=self._neighbour.table,
                TimeToLiveSpecification={"AttributeName": lives["AttributeName"], "Enabled": True},
            )
        self._here.dynamodb.update_continuous_backups(  # of a global table, each region says it for itself
            TableName=self._neighbour.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        self._there.follow()  # from before the copy: what changes meanwhile comes by the stream
        for page in self._there.dynamodb.get_paginator("scan").paginate(TableName=self._neighbour.table):
            for item in page["Items"]:
                self._here.dynamodb.put_item(TableName=self._neighbour.table, Item=item)
        self._here.follow()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _keep_equal(self) -> None:
        while not self._stopping.wait(LOOKS_EVERY_SECONDS):
            try:
                changes = sorted((*self._here.changes(), *self._there.changes()), key=lambda change: change[0])
                newest = {key: (keys, image) for _, key, keys, image in changes}
                for keys, image in newest.values():
                    self._here.put(keys, image)
                    self._there.put(keys, image)
            except (BotoCoreError, ClientError):
                if not self._stopping.is_set():
                    self._logs.say("replica", "", f"{self._neighbour.tool_url} has ended; this stack goes on alone")
                return


class _Side:
    """One of the two tables, with the place in its stream up to which it was read."""

    def __init__(self, dynamodb: Any, streams: Any, table: str) -> None:
        self.dynamodb, self._streams, self._table = dynamodb, streams, table
        self._place = ""

    def follow(self) -> None:
        (stream,) = self._streams.list_streams(TableName=self._table)["Streams"]
        described = self._streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]
        self._place = self._streams.get_shard_iterator(
            StreamArn=stream["StreamArn"], ShardId=described["Shards"][0]["ShardId"], ShardIteratorType="LATEST"
        )["ShardIterator"]

    def changes(self) -> list[tuple[Any, Key, Mapping[str, Any], Mapping[str, Any] | None]]:
        """What changed since the last look: when, which item, and what it is now."""
        found = self._streams.get_records(ShardIterator=self._place)
        self._place = found["NextShardIterator"]
        return [
            (
                change["ApproximateCreationDateTime"],
                tuple((name, typed["S"]) for name, typed in sorted(change["Keys"].items())),
                change["Keys"],
                change.get("NewImage"),
            )
            for change in (record["dynamodb"] for record in found["Records"])
        ]

    def put(self, keys: Mapping[str, Any], image: Mapping[str, Any] | None) -> None:
        """Make the item so, unless it is: a write of the same would come back by the stream for ever."""
        if self.dynamodb.get_item(TableName=self._table, Key=keys, ConsistentRead=True).get("Item") == image:
            return
        if image is None:
            self.dynamodb.delete_item(TableName=self._table, Key=keys)
        else:
            self.dynamodb.put_item(TableName=self._table, Item=image)
