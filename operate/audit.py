"""Audit lines: no verb that changes a registration goes without one."""

from __future__ import annotations

from functools import cache

from lti_tool.domain.audit import AuditLine
from lti_tool.domain.registration import Registration, RegistrationReference
from lti_tool.runtime import wiring
from operate.stack import Stack


def write(stack: Stack, verb: str, registration: Registration | None, *changed: str) -> None:
    """Without a registration it is a change for the whole stack, under the id `stack`.

    Written before the change is made: rather a line without its change than a change without its line.
    """
    where = RegistrationReference("stack") if registration is None else registration.reference
    line = AuditLine(at=wiring.now(), who=who(stack), verb=verb, registration=where, changed=changed)
    wiring.audit().add(line)


def who(stack: Stack) -> str:
    return "local" if stack.is_local else _caller()


@cache
def _caller() -> str:
    """The ARN of the AWS identity that runs this command; AWS asks no permission for that question."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})
    try:
        return str(boto3.client("sts", config=config).get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError):
        return "unknown"
