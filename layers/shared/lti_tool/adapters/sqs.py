"""SQS: the scores queue, as its senders see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lti_tool.domain.score import ScoreKey, ScoreNudge

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class ScoresQueue:
    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def nudge(self, key: ScoreKey, *, after_seconds: int = 0) -> None:
        """A nudge that does not get through costs time, not a mark: the sweep finds the score in the outbox."""
        body = ScoreNudge.of(key).model_dump_json()
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=min(after_seconds, 900))
        except (ClientError, BotoCoreError):
            return
