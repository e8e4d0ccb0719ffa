"""The main job on a deployed stack: `sam deploy` to an emulator, Campus registered by the operator's command, a launch,
a deep link, a mark in the gradebook, a signing key rotated, and the stack removed. `make e2e` runs it and prints the
time of each step."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import socket
from typing import Any

import pytest

from tests.e2e.world import Visitor, World, eventually
from tests.emulator.cloud import REGION, ROOT, Cloud, Door, emulator, runnable_here

ENVIRONMENT, STACK = "iad-dev", "serverless-lti-dev"  # as samconfig.toml names them


@contextmanager
def step(said: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    sys.stdout.write(f"  {time.monotonic() - began:6.1f} s  {said}\n")


def free_port() -> int:
    with socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def campus(tool_url: str, home: Path) -> Iterator[World]:
    command = [sys.executable, "-m", "local.campus", "--port", "0", "--tool-url", tool_url, "--profiles", "moodle"]
    log = home / "campus.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, text=True)
    try:
        ready = eventually(lambda: re.search(r"campus ready at (\S+)", log.read_text()), within=30)
        yield World(tool_url=tool_url, campus_url=ready[1], local_dir=home, process=process)
    finally:
        process.terminate()
        process.wait(timeout=15)


def run(cloud: Cloud, module: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=cloud.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def operated(cloud: Cloud, *arguments: str) -> Any:
    return json.loads(run(cloud, "operate.main", *arguments, "--json"))


def lti(cloud: Cloud, *arguments: str) -> Any:
    return operated(cloud, *arguments, "--stack", STACK, "--region", REGION)


def key_set(world: World) -> set[str]:
    return {key["kid"] for key in world.tool("GET", "/lti/jwks.json").json()["keys"]}


def register(cloud: Cloud, platform: dict[str, str]) -> Any:
    return lti(
        cloud,
        "platform",
        "add",
        "custom",
        "--issuer",
        platform["issuer"],
        "--client-id",
        platform["client_id"],
        "--auth-url",
        platform["auth_url"],
        "--token-url",
        platform["token_url"],
        "--jwks-url",
        platform["jwks_url"],
        "--deployment-id",
        platform["deployment_id"],
        "--family",
        platform["profile"],
    )


@pytest.fixture
def built() -> Path:
    return Path(os.environ["BUILT"])


def test_the_deployed_stack_does_the_main_job(built: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    with ExitStack() as after:
        with step("the emulator answers"):
            cloud = after.enter_context(emulator(tmp_path, free_port()))
        door = Door()
        after.callback(door.close)
        with step("sam deploy"):
            deploys = ("deploy", "--config-file", str(ROOT / "samconfig.toml"), "--config-env", ENVIRONMENT)
            cloud.sam(
                *deploys,
                "--template-file",
                str(runnable_here(built)),
                "--parameter-overrides",
                f"ToolUrl={door.url}",
                "LoopbackHttp=allowed",
            )
            door.leads_to(cloud, STACK)
        with step("Campus runs and is registered: lti platform add --stack, lti activity add --stack"):
            world = after.enter_context(campus(door.url, tmp_path))
            register(cloud, world.control("platforms")[0])
            lti(cloud, "activity", "add", *map(str, sorted((ROOT / "catalogue").glob("*.yaml"))))
        teacher, student = (Visitor(world=world, profile="moodle", user=user) for user in ("teacher", "student1"))
        with step("a teacher launches and picks an activity"):
            assert teacher.picks("capitals-and-rivers").status_code == 200
            placed = teacher.activity_called("Capitals and rivers")
        with step("a student launches, hands in, and the mark is in the gradebook"):
            session = student.opens(placed["id"])
            user_id = world.tool("GET", "/api/session", session).json()["user"]["id"]
            assert world.tool("POST", "/api/attempt", session, json={"answers": {}}).status_code == 201
            cell = eventually(lambda: teacher.cell(placed["line_item_url"], user_id))
            assert cell["score"] == 0
        with step("a signing key is rotated; both are published, and the teacher picks another activity"):
            (old,) = lti(cloud, "keys", "list")
            new = lti(cloud, "keys", "rotate", "--now-after", "0")
            states = {key["kid"]: key["state"] for key in lti(cloud, "keys", "list")}
            assert states == {old["kid"]: "retiring", new["kid"]: "signing"}
            eventually(lambda: key_set(world) == states.keys(), within=90)
            assert teacher.picks("photosynthesis").status_code == 200
        with step("lti smoke --env finds nothing to mend"):
            assert operated(cloud, "smoke", "--env", ENVIRONMENT)["smoke"]["findings"] == []
        with step("the stack is removed, and its memory with it"):
            removed = run(cloud, "operate.destroy", "--env", ENVIRONMENT, "--erase-memory")
            assert "erased: AWS::DynamoDB::Table" in removed
            assert cloud.client("dynamodb").list_tables()["TableNames"] == []
    sys.stdout.write(f"  {time.monotonic() - began:6.1f} s  in all\n")
