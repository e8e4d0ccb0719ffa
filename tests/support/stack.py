"""The tool's cloud for a test: tables as template.yaml shapes them, a queue, a signing key, an environment."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import boto3
import yaml
from moto import mock_aws
from moto.backends import get_backend
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_sqs import SQSClient

from local.moto_server import mend_dynamodb
from lti_tool.adapters.kms import STACK_TAG
from lti_tool.domain.activity import Activity, Assessment, parse_activity
from lti_tool.domain.registration import Registration
from lti_tool.runtime import settings, wiring

ROOT = Path(__file__).parents[2]
ACCOUNT = "123456789012"  # moto's
REGION = "eu-west-1"
TOOL_URL = "https://tool.example"
TABLES = ("RegistrationsTable", "LaunchesTable", "RecordsTable")
_SHAPE = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")

Contents = dict[str, dict[str, dict[str, Any]]]
"""What stands in the tables: table, key, item."""


class _Template(yaml.SafeLoader):
    """Reads template.yaml; what only CloudFormation can work out is left as it is written."""


def _as_written(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    return loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else None


_Template.add_multi_constructor("!", _as_written)


@cache
def template() -> dict[str, Any]:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, _Template)  # noqa: S506 - a SafeLoader with tags left as they are
    return found


@cache
def catalogue() -> tuple[Assessment, ...]:
    """The assessments that come with the project."""
    files = sorted((ROOT / "catalogue").glob("*.yaml"))
    activities = (parse_activity(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in files)
    return tuple(activity for activity in activities if isinstance(activity, Assessment))


def right_answers(activity: Assessment) -> dict[str, Any]:
    """For each question an answer that earns its points."""
    answers: dict[str, Any] = {}
    for question in activity.questions:
        if question.kind == "choice":
            answers[question.id] = question.answer if isinstance(question.answer, str) else list(question.answer)
        else:
            answers[question.id] = str(question.answer) if question.kind == "number" else question.accept[0]
    return answers


class Stack:
    """A standing cloud. `begin_again` empties it, and makes the tool forget what it believed."""

    def __init__(self) -> None:
        self.dynamodb: DynamoDBClient = boto3.client("dynamodb", REGION)
        self.sqs: SQSClient = boto3.client("sqs", REGION)
        for name in TABLES:
            properties: Any = template()["Resources"][name]["Properties"]
            shape = {part: properties[part] for part in _SHAPE if part in properties}
            self.dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **shape)
        self.queue_url = self.sqs.create_queue(QueueName="ScoresQueue")["QueueUrl"]
        self.dead_letters_url = self.sqs.create_queue(QueueName="ScoresDeadLetterQueue")["QueueUrl"]
        tags: Any = [{"TagKey": STACK_TAG, "TagValue": "test"}]
        key = boto3.client("kms", REGION).create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY", Tags=tags)
        self.environment = {
            "REGISTRATIONS_TABLE": "RegistrationsTable",
            "LAUNCHES_TABLE": "LaunchesTable",
            "RECORDS_TABLE": "RecordsTable",
            "SCORES_QUEUE_URL": self.queue_url,
            "SCORES_DEAD_LETTERS_URL": self.dead_letters_url,
            "SIGNING_KEY_ID": key["KeyMetadata"]["KeyId"],
            "STACK_NAME": "test",
            "TOOL_URL": TOOL_URL,
            "LOOPBACK_HTTP": "allowed",
        }

    def begin_again(self) -> None:
        os.environ.update(self.environment)
        forget(but=("_dynamodb", "_queue", "_kms"))  # clients are slow to make, and remember nothing that matters
        tables: Any = get_backend("dynamodb")[ACCOUNT][REGION].tables
        for table in TABLES:
            tables[table].items.clear()  # at moto's heart: a request for each item would take most of a test's time
        first = self.environment["SIGNING_KEY_ID"]
        keys: Any = get_backend("kms")[ACCOUNT][REGION].keys
        for other in keys.keys() - {first}:
            del keys[other]
        keys[first].enabled, keys[first].key_state = True, "Enabled"
        for url in (self.queue_url, self.dead_letters_url):
            self.sqs.delete_queue(QueueUrl=url)
            self.sqs.create_queue(QueueName=url.rpartition("/")[2])  # the same URL again, and forgot what it delays

    def knows(self, *registrations: Registration) -> None:
        for registration in registrations:
            wiring.registrations().add(registration)

    def offers(self, *activities: Activity) -> None:
        for activity in activities:
            wiring.catalogue().put(activity)
        if not activities:
            self.dynamodb.batch_write_item(RequestItems={"RegistrationsTable": self._catalogue})

    @cached_property
    def _catalogue(self) -> Any:
        """The project's own activities as the tool stores them, to put them back in one go."""
        for activity in catalogue():
            wiring.catalogue().put(activity)
        items = [item for item in self._items("RegistrationsTable") if item["pk"]["S"] == "catalogue"]
        return [{"PutRequest": {"Item": item}} for item in items]

    def contents(self) -> Contents:
        """Everything that is stored, to compare before and after; the stories of refusals are told by `traces`."""
        return {
            table: {
                f"{item['pk']['S']} {item.get('sk', {}).get('S', '')}": dict(item)
                for item in self._items(table)
                if not item["pk"]["S"].startswith("trace#")
            }
            for table in TABLES
        }

    def traces(self) -> list[dict[str, Any]]:
        """The stories of refusals, in no order."""
        return [dict(item) for item in self._items("LaunchesTable") if item["pk"]["S"].startswith("trace#")]

    def queued(self) -> list[dict[str, Any]]:
        """Take every message off the queue that may be taken now, as bodies."""
        found: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def _items(self, table: str) -> Iterable[Mapping[str, Any]]:
        return self.dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]


def forget(*, but: Sequence[str] = ()) -> None:
    """Make the tool's process as new: no settings, no clients, nothing believed."""
    settings.settings.cache_clear()
    for name, built in vars(wiring).items():
        if hasattr(built, "cache_clear") and name not in but:
            built.cache_clear()


@contextmanager
def standing() -> Iterator[Stack]:
    """A stack in moto, in this process; requests to elsewhere go to elsewhere."""
    before = dict(os.environ)
    os.environ.update(
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_SESSION_TOKEN="testing",
        AWS_REGION=REGION,
        AWS_DEFAULT_REGION=REGION,
        AWS_EC2_METADATA_DISABLED="true",
        POWERTOOLS_SERVICE_NAME="lti",
        POWERTOOLS_METRICS_NAMESPACE="ServerlessLti",
    )
    os.environ.pop("AWS_ENDPOINT_URL", None)
    mend_dynamodb()
    try:
        with mock_aws():
            yield Stack()
    finally:
        forget()
        os.environ.clear()
        os.environ.update(before)
