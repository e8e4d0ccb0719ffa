"""`make destroy`: remove a deployed stack. What holds memory or trust stays, unless it is said that it shall go.

Kept are the tables of registrations and records, the dead letters, and the signing key; a stack deployed again under
the same names does not find them by itself. With `--erase-memory` they go too: tables and queue at once, the key after
seven days, in which `aws kms cancel-key-deletion` brings it back. The registrations table goes only with the stack of
its own primary region, and with it every replica.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

from operate.stack import StackNotFoundError, named_environment

KEPT = {"AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::KMS::Key"}
KEY_WAITS_DAYS = 7


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m operate.destroy", description="Remove a deployed stack.")
    parser.add_argument("--env", required=True, help="as samconfig.toml names it")
    parser.add_argument("--erase-memory", action="store_true", help="also what a stack keeps on its end")
    parser.add_argument("--sam", default=".sam/bin/sam", help="the SAM CLI")
    options = parser.parse_args()
    try:
        name, region = named_environment(options.env)
        found = resources(name, region)
    except StackNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    done = subprocess.run(  # noqa: S603 - our own words, and what samconfig.toml says
        [options.sam, "delete", "--stack-name", name, "--region", region, "--no-prompts"], check=False
    )
    if done.returncode:
        return done.returncode
    for kind, physical_id in found:
        if options.erase_memory:
            if erase(kind, physical_id, region):
                print(f"erased: {kind} {physical_id}")
        else:
            print(f"kept, if it was to be kept: {kind} {physical_id}")
    return 0


def resources(name: str, region: str) -> list[tuple[str, str]]:
    """What of the stack may outlive it: kind and physical id.

    Raises:
        StackNotFoundError.
    """
    try:
        answer = boto3.client("cloudformation", region_name=region).describe_stack_resources(StackName=name)
    except ClientError as error:
        raise StackNotFoundError(f"Stack {name} in {region} could not be read: {error}") from error
    return [
        (each["ResourceType"], each["PhysicalResourceId"])
        for each in answer["StackResources"]
        if each["ResourceType"] in KEPT
    ]


def erase(kind: str, physical_id: str, region: str) -> bool:
    """End one thing; `False` when it is gone already."""
    endings: dict[str, Callable[[], Any]] = {
        "AWS::DynamoDB::GlobalTable": lambda: _erase_table(physical_id, region),
        "AWS::DynamoDB::Table": lambda: _erase_table(physical_id, region),
        "AWS::SQS::Queue": lambda: boto3.client("sqs", region_name=region).delete_queue(QueueUrl=physical_id),
        "AWS::KMS::Key": lambda: boto3.client("kms", region_name=region).schedule_key_deletion(
            KeyId=physical_id, PendingWindowInDays=KEY_WAITS_DAYS
        ),
    }
    try:
        endings[kind]()
    except ClientError as error:
        gone = {"ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}
        if error.response["Error"]["Code"] not in gone:
            raise
        return False
    return True


def _erase_table(name: str, region: str) -> None:
    dynamodb = boto3.client("dynamodb", region_name=region)
    table = dynamodb.describe_table(TableName=name)["Table"]
    for replica in table.get("Replicas", []):
        if replica["RegionName"] != region:
            delete: Any = [{"Delete": {"RegionName": replica["RegionName"]}}]
            dynamodb.update_table(TableName=name, ReplicaUpdates=delete)
    if table.get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=name)


if __name__ == "__main__":
    sys.exit(main())
