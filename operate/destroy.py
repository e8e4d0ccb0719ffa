"""`make destroy`: remove a deployed stack. What holds memory or trust stays, unless it is said that it shall go.

Kept are the tables of registrations and records, the dead letters, and the signing key; a stack deployed again under
the same names does not find them by itself. With `--erase-memory` they go too: tables and queue at once, the key and
those that rotations made after seven days, in which `aws kms cancel-key-deletion` brings them back. The registrations
table goes only with the stack of its own primary region, and with it every replica.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lti_tool.adapters.kms import STACK_TAG
from operate.stack import StackNotFoundError, named_environment

KEPT = {"AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::KMS::Key"}
NOT_THERE = {"CREATE_FAILED", "DELETE_COMPLETE"}
KEY_WAITS_DAYS = 7
REPLICA_GOES_WITHIN_SECONDS = 1800


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m operate.destroy", description="Remove a deployed stack.")
    parser.add_argument("--env", required=True, help="as samconfig.toml names it")
    parser.add_argument("--erase-memory", action="store_true", help="also what a stack keeps on its end")
    parser.add_argument("--sam", default=".sam/bin/sam", help="the SAM CLI")
    options = parser.parse_args()
    try:
        name, region = named_environment(options.env)
        found = resources(name, region)
        if options.erase_memory and (elsewhere := served_elsewhere(name, region, found)):
            print(
                f"Nothing was removed: stacks in {', '.join(elsewhere)} use this one's table. First: make destroy of"
                " these; or leave MEMORY=erase out.",
                file=sys.stderr,
            )
            return 1
    except StackNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    done = subprocess.run(  # noqa: S603 - our own words, and what samconfig.toml says
        [options.sam, "delete", "--stack-name", name, "--region", region, "--no-prompts"], check=False
    )
    if done.returncode:
        return done.returncode
    if not options.erase_memory:
        for kind, physical_id in found:
            print(f"kept, if it was to be kept: {kind} {physical_id}")
        return 0
    found += [("AWS::KMS::Key", key) for key in _rotated_keys(name, region) if ("AWS::KMS::Key", key) not in found]
    left = [physical_id for kind, physical_id in found if not _erased(kind, physical_id, region)]
    return 1 if left else 0


def resources(name: str, region: str) -> list[tuple[str, str]]:
    """What of the stack may outlive it: kind and physical id.

    Raises:
        StackNotFoundError.
    """
    try:
        pages = boto3.client("cloudformation", region_name=region).get_paginator("list_stack_resources")
        listed = [each for page in pages.paginate(StackName=name) for each in page["StackResourceSummaries"]]
    except (BotoCoreError, ClientError) as error:
        raise StackNotFoundError(f"Stack {name} in {region} could not be read: {error}") from error
    return [
        (each["ResourceType"], each["PhysicalResourceId"])
        for each in listed
        if each["ResourceType"] in KEPT and each["ResourceStatus"] not in NOT_THERE and "PhysicalResourceId" in each
    ]


def served_elsewhere(name: str, region: str, found: list[tuple[str, str]]) -> list[str]:
    """The regions whose stacks, of the same name, live on replicas of a table of this one."""
    tables = [physical_id for kind, physical_id in found if kind == "AWS::DynamoDB::GlobalTable"]
    try:
        replicas = [each for table in tables for each in _replicas(table, region)]
    except ClientError:  # it is gone, or not ours to see: then it is not ours to erase either
        return []
    return [each for each in replicas if _stands(name, each)]


def _replicas(table: str, region: str) -> list[str]:
    """The other regions that a global table is in."""
    described = boto3.client("dynamodb", region_name=region).describe_table(TableName=table)["Table"]
    return [each["RegionName"] for each in described.get("Replicas", []) if each["RegionName"] != region]


def _stands(name: str, region: str) -> bool:
    try:
        boto3.client("cloudformation", region_name=region).describe_stacks(StackName=name)
    except ClientError as error:
        return error.response["Error"]["Code"] != "ValidationError"  # what we may not see may well stand
    return True


def _erased(kind: str, physical_id: str, region: str) -> bool:
    """End one thing and say so. The stack is gone by now: what does not go is left to the operator, by its name."""
    try:
        if erase(kind, physical_id, region):
            print(f"erased: {kind} {physical_id}")
    except (BotoCoreError, ClientError, TimeoutError) as error:
        print(f"NOT erased, delete it by hand: {kind} {physical_id}: {error}", file=sys.stderr)
        return False
    return True


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
    """A global table lets one replica go at a time, and the table itself when none is left."""
    dynamodb = boto3.client("dynamodb", region_name=region)
    for elsewhere in _replicas(name, region):
        _unprotect(boto3.client("dynamodb", region_name=elsewhere), name)
        dynamodb.update_table(TableName=name, ReplicaUpdates=[{"Delete": {"RegionName": elsewhere}}])
        _wait_until_gone(name, region, elsewhere)
    _unprotect(dynamodb, name)
    dynamodb.delete_table(TableName=name)


def _unprotect(dynamodb: Any, name: str) -> None:
    if dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)


def _wait_until_gone(name: str, region: str, replica: str) -> None:
    deadline = time.monotonic() + REPLICA_GOES_WITHIN_SECONDS
    while replica in _replicas(name, region):
        if time.monotonic() > deadline:
            raise TimeoutError(f"its replica in {replica} does not go")
        time.sleep(5)


def _rotated_keys(stack: str, region: str) -> Iterator[str]:
    """The keys that rotations made for this stack; CloudFormation does not know them."""
    kms = boto3.client("kms", region_name=region)
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            try:
                tags = kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]
            except ClientError:  # another's key, which does not let us look
                continue
            if {"TagKey": STACK_TAG, "TagValue": stack} in tags:
                state = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"]
                if state != "PendingDeletion":
                    yield key["KeyId"]


if __name__ == "__main__":
    sys.exit(main())
