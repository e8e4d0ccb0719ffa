"""SQS: the scores queue, as its senders see it, and its dead letters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lti_tool.domain.errors import StoreUnavailableError
from lti_tool.domain.score import DeadLetter, ScoreKey, ScoreNudge

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_DELAY_SECONDS = 900
AT_ONCE = 10  # messages in one request
HELD_SECONDS = 60


class ScoresQueue:
    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def nudge(self, key: ScoreKey, *, after_seconds: int = 0) -> None:
        """A nudge that does not get through costs time, not a mark: the sweep finds the score in the outbox."""
        body = ScoreNudge.of(key).model_dump_json()
        delay = min(after_seconds, LONGEST_DELAY_SECONDS)
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay)
        except (ClientError, BotoCoreError):
            return

    def nudge_all(self, keys: Iterable[ScoreKey]) -> int:
        count, rest = 0, iter(keys)
        while some := list(islice(rest, AT_ONCE)):
            bodies = (ScoreNudge.of(key).model_dump_json() for key in some)
            try:
                taken = self._client.send_message_batch(
                    QueueUrl=self._url,
                    Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)],
                )
            except (ClientError, BotoCoreError):
                continue
            count += len(taken["Successful"])
        return count


class ScoresDeadLetters:
    """What nobody could deal with; a letter of ours says why in its attribute `reason`."""

    def __init__(self, client: SQSClient, url: str, scores_queue_url: str) -> None:
        self._client = client
        self._url = url
        self._scores_queue_url = scores_queue_url

    def put(self, body: str, reason: str) -> None:
        """Raises StoreUnavailableError: the letter is not there."""
        try:
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=body,
                MessageAttributes={"reason": {"DataType": "String", "StringValue": reason}},
            )
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailableError from error

    def letters(self) -> Iterator[DeadLetter]:
        while True:
            try:
                found = self._client.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=AT_ONCE,
                    MessageAttributeNames=["reason"],
                    VisibilityTimeout=HELD_SECONDS,
                    WaitTimeSeconds=1,  # without it, not every part of the queue is asked
                ).get("Messages", [])
            except (ClientError, BotoCoreError) as error:
                raise StoreUnavailableError from error
            for message in found:
                reason = message.get("MessageAttributes", {}).get("reason")
                yield DeadLetter(
                    message_id=message["MessageId"],
                    body=message["Body"],
                    reason=reason["StringValue"] if reason else "",
                    receipt=message["ReceiptHandle"],
                )
            if not found:
                return

    def bring_back(self, letter: DeadLetter) -> None:
        try:
            self._client.send_message(QueueUrl=self._scores_queue_url, MessageBody=letter.body)
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=letter.receipt)
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailableError from error

    def let_go(self, letters: Sequence[DeadLetter]) -> None:
        rest = iter(letters)
        while some := list(islice(rest, AT_ONCE)):
            with suppress(ClientError, BotoCoreError):  # then the minute passes
                self._client.change_message_visibility_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
                        for number, letter in enumerate(some)
                    ],
                )
