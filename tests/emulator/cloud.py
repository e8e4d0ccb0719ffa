"""An AWS emulator as a process of its own, what `sam deploy` puts there, and the one door in front of it.

The emulator is MiniStack: it deploys the built template by CloudFormation with SAM's transform, runs the functions from
the artefact with its layer in child processes, and delivers queue messages and schedules to them. What it lacks is
made up for here, and nothing else:

- it runs functions on this machine's processor: `Architectures` is changed, and the layer was built for it;
- its HTTP API reads no routes from a `Body` and passes no `cookies`: the local stack's gateway stands in for it and
  calls the deployed functions through Lambda's own API, by their alias `live`;
- it knows no alarms over several metrics and no CodeDeploy: alarms and gradual deployment are left out.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import requests
from samtranslator.yaml_helper import yaml_parse

from local.front import Front
from local.gateway import INTERNAL_ERROR, NOT_FOUND, Request, Response, Routes, event_from, response_from
from local.template import ANY_METHOD, Route
from tests.e2e.world import eventually

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """A running emulator; `environment` is what AWS tools need to reach it, and nothing of this machine's own."""

    url: str
    environment: dict[str, str]

    def client(self, service: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )

    def sam(self, *arguments: str) -> str:
        done = subprocess.run(
            [ROOT / ".sam/bin/sam", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def emulator(home: Path, port: int) -> Iterator[Cloud]:
    """Loopback only, nothing kept; `home` takes its log and whatever it writes."""
    url = f"http://127.0.0.1:{port}"
    bare = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "AWS_REGION": REGION}
    own = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0"}
    log = home / "emulator.log"
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [ROOT / ".emulator/bin/ministack"], env=bare | own, stdout=out, stderr=subprocess.STDOUT, cwd=home
        )
    try:

        def answers() -> bool:
            assert process.poll() is None, log.read_text(encoding="utf-8")
            try:
                return requests.get(f"{url}/_ministack/health", timeout=5).ok
            except requests.ConnectionError:
                return False

        eventually(answers, within=60)
        yield Cloud(
            url=url,
            environment=bare
            | {
                "AWS_ENDPOINT_URL": url,
                "AWS_ACCESS_KEY_ID": "emulated",
                "AWS_SECRET_ACCESS_KEY": "emulated",
                "AWS_DEFAULT_REGION": REGION,
                "SAM_CLI_TELEMETRY": "0",
            },
        )
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        finally:
            process.kill()


def runnable_here(built: Path) -> Path:
    """The built template without what the emulator lacks, for this machine's processor."""
    template = yaml_parse((built / "template.yaml").read_text(encoding="utf-8"))
    processor = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    functions = template["Globals"]["Function"]
    functions["Architectures"] = [processor]
    del functions["DeploymentPreference"]
    resources = template["Resources"]
    resources["SharedLayer"]["Properties"]["CompatibleArchitectures"] = [processor]
    template["Resources"] = {
        name: resource for name, resource in resources.items() if resource["Type"] != "AWS::CloudWatch::Alarm"
    }
    here = built / "emulated.json"
    here.write_text(json.dumps(template), encoding="utf-8")
    return here


class Door:
    """http://localhost:PORT in front of the deployed functions; it knows them once the stack is there."""

    def __init__(self) -> None:
        self._routes = Routes([])
        self._functions: dict[str, str] = {}
        self._lambda: Any = None
        self._front = Front(0, self._answer)
        self.url = f"http://localhost:{self._front.port}"
        self._front.start()

    def leads_to(self, cloud: Cloud, stack: str) -> None:
        formation = cloud.client("cloudformation")
        body = formation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
        processed = body if isinstance(body, dict) else json.loads(body)
        resources = formation.describe_stack_resources(StackName=stack)["StackResources"]
        self._functions = {found["LogicalResourceId"]: found["PhysicalResourceId"] for found in resources}
        paths = processed["Resources"]["HttpApi"]["Properties"]["Body"]["paths"]
        self._routes = Routes(
            Route(
                method="ANY" if method == ANY_METHOD else method.upper(),
                path=path,
                function=re.findall(r"\w+Function", json.dumps(operation["x-amazon-apigateway-integration"]["uri"]))[0],
                iam=False,
            )
            for path, methods in paths.items()
            for method, operation in methods.items()
        )
        self._lambda = cloud.client("lambda")

    def close(self) -> None:
        self._front.stop()

    def _answer(self, request: Request) -> Response:
        found = self._routes.find(request.method, request.path)
        if found is None:
            return NOT_FOUND
        route, parameters = found
        event = event_from(request, route, parameters, self.url, None)
        function = self._functions[route.function]
        answer = self._lambda.invoke(FunctionName=function, Qualifier="live", Payload=json.dumps(event).encode())
        return INTERNAL_ERROR if "FunctionError" in answer else response_from(answer["Payload"].read())
