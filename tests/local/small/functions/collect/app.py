"""Writes down how often it saw each message, and does with it what the body says."""

import json
import os
from typing import Any

import boto3

table: Any = boto3.resource("dynamodb").Table(os.environ["SEEN_TABLE"])


def lambda_handler(event: dict[str, Any], _: Any) -> Any:
    failed = []
    for record in event["Records"]:
        todo = json.loads(record["body"])
        seen = table.update_item(
            Key={"pk": todo["id"]},
            UpdateExpression="ADD times :one SET pid = :pid, seen = :record",
            ExpressionAttributeValues={
                ":one": 1,
                ":pid": os.getpid(),
                ":record": json.dumps(record),
            },
            ReturnValues="ALL_NEW",
        )["Attributes"]
        if todo["do"] == "fail" or (todo["do"] == "fail once" and seen["times"] == 1):
            failed.append({"itemIdentifier": record["messageId"]})
        if todo["do"] == "raise once" and seen["times"] == 1:
            raise ValueError("on purpose")
        if todo["do"] == "wait once" and seen["times"] == 1:
            import time

            time.sleep(60)
    return {"batchItemFailures": failed}
