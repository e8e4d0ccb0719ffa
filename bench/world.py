"""What the tool is measured in: moto's AWS in a process of its own, a pretend platform, and the tool's environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3

from bench.runtime import ROOT
from tests.support.platform import Platform, serving
from tests.support.stack import REGION, Stack, forget


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`environment` is what a function's process needs to find it all."""

    stack: Stack
    platform: Platform
    environment: dict[str, str]

    @contextmanager
    def at(self, endpoint: str) -> Iterator[None]:
        """A tool process as new, which finds AWS there."""
        usual = os.environ["AWS_ENDPOINT_URL"]
        os.environ["AWS_ENDPOINT_URL"] = endpoint
        begin_again()
        try:
            yield
        finally:
            os.environ["AWS_ENDPOINT_URL"] = usual
            begin_again()


@contextmanager
def standing() -> Iterator[World]:
    """Everything empty and listening; this process is the tool's. AWS is another process: its CPU time is not ours."""
    before = dict(os.environ)
    cloud = subprocess.Popen(
        [sys.executable, "-m", "local.moto_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,  # it ends when this closes
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        process_group=0,
        text=True,
    )
    try:
        assert cloud.stdout is not None  # noqa: S101 - it is a pipe
        found = {
            "AWS_ENDPOINT_URL": cloud.stdout.readline().split()[-1],
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_SESSION_TOKEN": "testing",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "POWERTOOLS_SERVICE_NAME": "lti",
            "POWERTOOLS_METRICS_NAMESPACE": "ServerlessLti",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }
        os.environ.update(found)
        stack = Stack()
        os.environ.update(stack.environment)
        begin_again()
        with serving() as platform:
            stack.knows(platform.registration())
            stack.offers()
            yield World(stack=stack, platform=platform, environment={**found, **stack.environment})
    finally:
        forget()
        boto3.DEFAULT_SESSION = None
        cloud.communicate()
        os.environ.clear()
        os.environ.update(before)


def begin_again() -> None:
    """A tool process as new, with clients that nobody listens to."""
    forget()
    boto3.DEFAULT_SESSION = None


@contextmanager
def companion(
    module: str, *arguments: str, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A module of the bench in a process of its own, which ends when we close its standard input."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "layers" / "shared"), **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.communicate()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    line = process.stdout.readline().strip()
    if not line:
        raise RuntimeError("a process of the bench ended early")
    return line
