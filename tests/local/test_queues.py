"""How messages reach a consumer and what becomes of them, as with Lambda's event source mapping."""

import json
import os
import signal
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from local.child import Answer, Outcome
from local.queues import failed_of
from tests.local.conftest import Small, eventually

Send = Callable[..., str]


@pytest.fixture
def send(small: Small) -> Send:
    """Put a message on the work queue that says what the consumer shall do with it; returns its id."""

    def put(do: str, **options: Any) -> str:
        name = uuid.uuid4().hex
        body = json.dumps({"id": name, "do": do})
        small.stack.cloud.client("sqs").send_message(
            QueueUrl=small.stack.system.queues["WorkQueue"], MessageBody=body, **options
        )
        return name

    return put


@pytest.fixture
def seen(small: Small) -> Callable[[str], dict[str, Any]]:
    """What the consumer wrote down about a message."""
    dynamodb = small.stack.cloud.client("dynamodb")
    table = small.stack.system.tables["SeenTable"]

    def look(name: str) -> dict[str, Any]:
        item = dynamodb.get_item(TableName=table, Key={"pk": {"S": name}}).get("Item", {})
        return {key: value for key, typed in item.items() for value in typed.values()}

    return look


def waiting(small: Small, queue: str) -> int:
    """Messages on a queue, in flight or not."""
    names: list[Any] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = small.stack.cloud.client("sqs").get_queue_attributes(
        QueueUrl=small.stack.system.queues[queue], AttributeNames=names
    )["Attributes"]
    return sum(int(value) for value in attributes.values())


def test_a_message_arrives_as_lambda_gives_it_and_is_deleted(small: Small, send: Send, seen: Any) -> None:
    name = send("take", MessageAttributes={"kind": {"DataType": "String", "StringValue": "nudge"}})

    record = json.loads(eventually(lambda: seen(name).get("seen")))
    assert json.loads(record["body"])["id"] == name
    assert record.keys() == {
        "messageId",
        "receiptHandle",
        "body",
        "attributes",
        "messageAttributes",
        "md5OfBody",
        "eventSource",
        "eventSourceARN",
        "awsRegion",
    }
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["kind"] == {
        "stringValue": "nudge",
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "String",
    }
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "us-east-1")
    eventually(lambda: waiting(small, "WorkQueue") == 0)


def test_only_the_messages_that_failed_come_back(small: Small, send: Send, seen: Any) -> None:
    names = [send("take"), send("fail once"), send("take")]

    eventually(lambda: [seen(name).get("times") for name in names] == ["1", "2", "1"])
    eventually(lambda: waiting(small, "WorkQueue") == 0)


def test_when_the_function_fails_the_whole_batch_comes_back(small: Small, send: Send, seen: Any) -> None:
    name = send("raise once")

    eventually(lambda: seen(name).get("times") == "2")
    eventually(lambda: waiting(small, "WorkQueue") == 0)


def test_a_message_that_fails_too_often_lies_with_the_dead_letters(small: Small, send: Send, seen: Any) -> None:
    name = send("fail")

    eventually(lambda: waiting(small, "WorkDeadLetterQueue") == 1)
    assert seen(name)["times"] == "2"


def test_a_message_whose_consumer_was_killed_is_handed_out_again(small: Small, send: Send, seen: Any) -> None:
    name = send("wait once")
    pid = int(eventually(lambda: seen(name).get("pid")))

    os.kill(pid, signal.SIGKILL)

    eventually(lambda: seen(name)["times"] == "2")
    eventually(lambda: waiting(small, "WorkQueue") == 0)
    assert pid not in small.pids("collect")


def test_a_disabled_mapping_is_not_consumed(small: Small) -> None:
    assert [consumer.queue_arn.split(":")[-1].split("-")[1] for consumer in small.stack.system.consumers] == [
        "WorkQueue"
    ]


@pytest.mark.parametrize(
    ("payload", "failed"),
    [
        (b"null", set()),
        (b"{}", set()),
        (b'{"batchItemFailures": []}', set()),
        (b'{"batchItemFailures": [{"itemIdentifier": "b"}]}', {"b"}),
        (b'{"batchItemFailures": [{"itemIdentifier": "stranger"}]}', {"a", "b"}),
        (b'{"batchItemFailures": [{"itemIdentifier": ""}]}', {"a", "b"}),
        (b'{"batchItemFailures": [{"wrong": "b"}]}', {"a", "b"}),
        (b"[1]", {"a", "b"}),
    ],
)
def test_a_report_that_cannot_be_read_fails_the_whole_batch(payload: bytes, failed: set[str]) -> None:
    answer = Answer(outcome=Outcome.ANSWERED, payload=payload)

    assert failed_of(answer, ["a", "b"], reports_item_failures=True) == failed
