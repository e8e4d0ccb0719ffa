"""The consumers: what Lambda's event source mapping does between a queue and a function."""

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.child import Answer, Outcome
from local.cloud import Cloud
from local.logs import Logs
from local.template import Consumer

POLL_SECONDS = 1


class QueueConsumer:
    """Polls one queue and hands batches to one function, a few at a time.

    What the function took is deleted; what it reports as failed, or all of the batch when it fails itself, stays and
    comes back after the queue's visibility time-out. The queue's redrive policy moves it on when that was too often.
    """

    def __init__(self, consumer: Consumer, *, cloud: Cloud, invoke: Callable[[bytes], Answer], logs: Logs) -> None:
        self._consumer, self._invoke, self._logs = consumer, invoke, logs
        self._sqs = cloud.client("sqs")
        self._region = cloud.region
        self._url = self._sqs.get_queue_url(QueueName=consumer.queue_arn.rsplit(":", 1)[-1])["QueueUrl"]
        self._free = threading.Semaphore(consumer.concurrency)
        self._stop = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name=f"consumer of {self._consumer.function}", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._free.acquire()
            try:
                messages = self._receive()
            except Exception as error:  # noqa: BLE001 - the queue goes on, whatever the cloud says
                if self._stop.is_set():
                    return
                self._logs.say("queue", "ERROR", f"cannot poll: {error}")
                messages = []
                time.sleep(POLL_SECONDS)
            if messages:
                threading.Thread(target=self._handle, args=(messages,), daemon=True).start()
            else:
                self._free.release()

    def _receive(self) -> Sequence[Mapping[str, Any]]:
        received = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(self._consumer.batch_size, 10),
            WaitTimeSeconds=POLL_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages: Sequence[Mapping[str, Any]] = received.get("Messages", [])
        return messages

    def _handle(self, messages: Sequence[Mapping[str, Any]]) -> None:
        try:
            records = [record_from(message, self._consumer.queue_arn, self._region) for message in messages]
            answer = self._invoke(json.dumps({"Records": records}).encode())
            failed = failed_of(answer, [r["messageId"] for r in records], self._consumer.reports_item_failures)
            done = [message for message in messages if message["MessageId"] not in failed]
            if done:
                self._sqs.delete_message_batch(
                    QueueUrl=self._url,
                    Entries=[{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(done)],
                )
        except Exception as error:  # noqa: BLE001 - the messages come back by themselves
            if not self._stop.is_set():
                self._logs.say("queue", "ERROR", f"a batch stays on the queue: {error}")
        finally:
            self._free.release()


def record_from(message: Mapping[str, Any], queue_arn: str, region: str) -> dict[str, Any]:
    """One message as it stands in a function's event."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {
            name: {
                **({"stringValue": a["StringValue"]} if "StringValue" in a else {}),
                **({"binaryValue": base64.b64encode(a["BinaryValue"]).decode()} if "BinaryValue" in a else {}),
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": a["DataType"],
            }
            for name, a in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }


def failed_of(answer: Answer, message_ids: Sequence[str], reports_item_failures: bool) -> set[str]:
    """The messages that stay. A report that Lambda cannot read, or that names a stranger, fails the whole batch."""
    everything = set(message_ids)
    if answer.outcome is not Outcome.ANSWERED:
        return everything
    if not reports_item_failures:
        return set()
    try:
        result = json.loads(answer.payload)
        reported = (result or {}).get("batchItemFailures") or []
        failed = {item["itemIdentifier"] for item in reported}
    except (ValueError, TypeError, KeyError, AttributeError):
        return everything
    return failed if failed <= everything else everything
