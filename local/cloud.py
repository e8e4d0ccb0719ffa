"""The AWS that the functions see: moto in a process of its own, with what the template wants to stand on."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import boto3
from botocore.config import Config

from local.logs import Logs
from local.template import System, Template

REGION = "us-east-1"
STACK_NAME = "local"
NEEDED_BY_PYTHON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT")
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """One pair for the whole stack. moto believes any; the AWS_IAM routes of the gateway do not."""

    access_key_id: str = "AKIALOCALSTACK000000"
    secret_access_key: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)


class Cloud:
    """A running moto. `stop` ends it together with every child that was started in its process group."""

    def __init__(self, logs: Logs, region: str = REGION) -> None:
        self.credentials = Credentials()
        self.region = region
        self._process = subprocess.Popen(
            [sys.executable, "-m", "local.moto_server"],
            cwd=ROOT,
            env=bare_environment(),
            stdin=subprocess.PIPE,  # never written to: it closes when the runner ends
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )
        self.process_group = self._process.pid
        logs.follow("cloud", cast(IO[bytes], self._process.stderr))
        self._announcement = cast(IO[bytes], self._process.stdout)

    def wait(self) -> None:
        """Until it answers; nothing else may be asked of it before."""
        line = self._announcement.readline().decode()
        if not line:
            raise RuntimeError("the local cloud did not start")
        self.endpoint_url = line.split()[-1]

    def stand_up(self, template: Template) -> System:
        """Create what the template wants and say what came of it."""
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=STACK_NAME,
            TemplateBody=json.dumps(template.backing()),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in template.parameters.items()],
        )
        (stack,) = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
        if stack["StackStatus"] != "CREATE_COMPLETE":
            raise RuntimeError(f"the local cloud answers {stack['StackStatus']}")
        # moto takes a queue for its public URL; what the functions call is here.
        public, here = f"https://sqs.{self.region}.amazonaws.com/", f"{self.endpoint_url}/"
        outputs = {o["OutputKey"]: o["OutputValue"].replace(public, here) for o in stack.get("Outputs", [])}
        system = template.system(outputs)
        dynamodb = self.client("dynamodb")
        for table, attribute in system.time_to_live.items():
            dynamodb.update_time_to_live(
                TableName=system.tables[table],
                TimeToLiveSpecification={"AttributeName": attribute, "Enabled": True},
            )
        for table in system.backed_up:
            dynamodb.update_continuous_backups(
                TableName=system.tables[table],
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
            )
        return system

    def client(self, service: str) -> Any:
        session = boto3.Session(
            aws_access_key_id=self.credentials.access_key_id,
            aws_secret_access_key=self.credentials.secret_access_key,
            region_name=self.region,
        )
        return cast(Any, session.client)(
            service,
            endpoint_url=self.endpoint_url,
            config=Config(proxies={}, read_timeout=20, max_pool_connections=20, retries={"total_max_attempts": 2}),
        )

    def environment(self) -> Mapping[str, str]:
        """How an AWS SDK finds this cloud, and not another."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_access_key,
        }

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        if self.is_running:
            os.killpg(self.process_group, signal.SIGKILL)
            self._process.wait()


def bare_environment() -> dict[str, str]:
    """Nothing of the developer's shell but what Python itself needs."""
    return {name: os.environ[name] for name in NEEDED_BY_PYTHON if name in os.environ}
