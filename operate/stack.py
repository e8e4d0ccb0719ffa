"""Which stack a command acts on: the running local one, or a deployed one by its CloudFormation outputs."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class StackNotFoundError(Exception):
    """There is no such stack; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """`environment` is what the tool's own functions are told, so that the same wiring serves the command."""

    tool_url: str
    is_local: bool
    environment: dict[str, str]
    options: str = "--local"
    """How a command names this stack."""

    @property
    def loopback_http(self) -> bool:
        return self.environment["LOOPBACK_HTTP"] == "allowed"

    def enter(self) -> None:
        os.environ.update(self.environment)


_OUTPUTS = (
    "ToolUrl",
    "RegistrationsTable",
    "LaunchesTable",
    "RecordsTable",
    "ScoresQueue",
    "ScoresDeadLetterQueue",
    "SigningKey",
)


def local_stack() -> Stack:
    path = Path(os.environ.get("LOCAL_DIR", ".local")) / "stack.json"
    try:
        stack: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StackNotFoundError(f"No local stack runs here ({path} is missing). Start one: make run") from None
    except ValueError:
        raise StackNotFoundError(f"{path} cannot be read. Start the local stack again: make run") from None
    environment = {
        "AWS_ENDPOINT_URL": stack["aws_endpoint_url"],
        "AWS_REGION": stack["region"],
        "AWS_DEFAULT_REGION": stack["region"],
        "AWS_ACCESS_KEY_ID": stack["credentials"]["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": stack["credentials"]["secret_access_key"],
        "REGISTRATIONS_TABLE": stack["tables"]["registrations"],
        "LAUNCHES_TABLE": stack["tables"]["launches"],
        "RECORDS_TABLE": stack["tables"]["records"],
        "SCORES_QUEUE_URL": stack["queues"]["scores"],
        "SCORES_DEAD_LETTERS_URL": stack["queues"]["scores_dead_letters"],
        "SIGNING_KEY_ID": stack["signing_key"],
        "STACK_NAME": "local",
        "TOOL_URL": stack["tool_url"],
        "LOOPBACK_HTTP": "allowed",
    }
    return Stack(
        tool_url=stack["tool_url"],
        is_local=True,
        environment=environment,
        options="--local",
    )


def named_environment(name: str) -> tuple[str, str]:
    """The stack's name and region that samconfig.toml, in the working directory, gives an environment."""
    try:
        found = tomllib.loads(Path("samconfig.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StackNotFoundError("There is no samconfig.toml here: say --stack NAME --region REGION") from None
    except ValueError as error:
        raise StackNotFoundError(f"samconfig.toml cannot be read: {error}") from None
    environments = {
        each: values["global"]["parameters"]
        for each, values in found.items()
        if isinstance(values, dict) and "global" in values
    }
    if name not in environments:
        raise StackNotFoundError(f"samconfig.toml has no environment {name}; it has {', '.join(environments)}")
    return environments[name]["stack_name"], environments[name]["region"]


def deployed_stack(name: str, region: str) -> Stack:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = boto3.client("cloudformation", region_name=region).describe_stacks(StackName=name)
    except (BotoCoreError, ClientError) as error:
        raise StackNotFoundError(f"Stack {name} in {region} could not be read: {error}") from error
    found = answer["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    parameters = {given["ParameterKey"]: given["ParameterValue"] for given in found.get("Parameters", [])}
    missing = [output for output in _OUTPUTS if output not in outputs]
    if missing:
        raise StackNotFoundError(
            f"Stack {name} in {region} ({found['StackStatus']}) has no output {missing[0]}:"
            " was it deployed to its end, and is it this tool's?"
        )
    environment = {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "REGISTRATIONS_TABLE": outputs["RegistrationsTable"],
        "LAUNCHES_TABLE": outputs["LaunchesTable"],
        "RECORDS_TABLE": outputs["RecordsTable"],
        "SCORES_QUEUE_URL": outputs["ScoresQueue"],
        "SCORES_DEAD_LETTERS_URL": outputs["ScoresDeadLetterQueue"],
        "SIGNING_KEY_ID": outputs["SigningKey"],
        "TOOL_URL": outputs["ToolUrl"],
        "LOOPBACK_HTTP": parameters.get("LoopbackHttp", "refused"),
        "REGION_NAME": parameters.get("RegionName", ""),
        "STACK_NAME": found["StackName"],
        "KEY_ROTATION_DAYS": parameters.get("KeyRotationDays", "90"),
        "KEY_WAIT_HOURS": parameters.get("KeyWaitHours", "24"),
        "KEY_KEEP_HOURS": parameters.get("KeyKeepHours", "48"),
        "KEY_DELETION_DAYS": parameters.get("KeyDeletionDays", "30"),
    }
    return Stack(
        tool_url=outputs["ToolUrl"],
        is_local=False,
        environment=environment,
        options=f"--stack {name} --region {region}",
    )
