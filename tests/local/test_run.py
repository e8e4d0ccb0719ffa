"""`python -m local.run`: what other programs rely on, and that nothing is left behind."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from local.cloud import ROOT
from local.run import Settings
from tests.local.conftest import SMALL, eventually
from tests.support.stack import template

Start = Callable[..., "Running"]


class Running:
    """A runner in a process of its own; `lines` grows while it speaks."""

    def __init__(self, folder: Path, template: Path, **environment: str) -> None:
        self.folder = folder
        self._log = (folder.parent / f"{folder.name}.log").open("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local.run", "--template", str(template)],
            cwd=ROOT,
            env={**os.environ, "LOCAL_DIR": str(folder), "TOOL_PORT": "0", "CAMPUS": "0", **environment},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    @property
    def lines(self) -> list[str]:
        return Path(self._log.name).read_text(encoding="utf-8").splitlines()

    def url(self) -> str:
        return eventually(
            lambda: next((line.split()[-1] for line in self.lines if line.startswith("tool ready at ")), ""), within=30
        )

    def description(self) -> dict[str, Any]:
        described: dict[str, Any] = json.loads((self.folder / "stack.json").read_text(encoding="utf-8"))
        return described

    def pids(self) -> list[int]:
        functions = requests.get(f"{self.url()}/_local/functions", timeout=5).json()
        return [child["pid"] for function in functions for child in function["children"]]

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._log.close()


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    template = shutil.copytree(SMALL, tmp_path / "small") / "template.yaml"
    running: list[Running] = []

    def begin(folder: str = "a", **environment: str) -> Running:
        running.append(Running(tmp_path / folder, template, **environment))
        return running[-1]

    yield begin
    for one in running:
        one.end()


def is_alive(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return False


def test_it_says_when_it_is_ready_and_what_stands_where_and_takes_all_away_again(start: Start) -> None:
    running = start()
    url, described, pids = running.url(), running.description(), running.pids()

    running.process.send_signal(signal.SIGTERM)
    asked_at = time.monotonic()
    status = running.process.wait(10)

    assert status == 0
    assert time.monotonic() - asked_at < 5
    assert described["tool_url"] == url
    assert described["campus_url"] is None
    assert described["tables"].keys() == {"seen"}
    assert described["queues"].keys() == {"works", "work_dead_letters", "pauseds"}
    assert described["signing_key"] == described["outputs"]["SigningKey"]
    assert described["credentials"].keys() == {"access_key_id", "secret_access_key"}
    assert not (running.folder / "stack.json").exists()
    assert len(pids) >= 2  # the function behind HTTP and the queue's; the schedule's starts when there is time
    assert not [pid for pid in pids if is_alive(pid)]
    with socket.socket() as port:
        port.bind(("127.0.0.1", int(url.rsplit(":", 1)[-1])))


def test_a_second_one_in_the_same_folder_says_so(start: Start) -> None:
    first = start(TOOL_URL="https://tool.example/")  # which it believes, though no proxy is there
    assert first.url() == "https://tool.example"

    second = start()

    assert second.process.wait(10) == 1
    assert "runs already" in second.lines[-1]
    assert first.description()["tool_url"] == "https://tool.example"
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(10) == 0


def test_children_end_with_a_runner_that_was_killed_and_its_remains_are_no_obstacle(start: Start) -> None:
    first = start()
    pids = first.pids()

    first.process.kill()
    first.process.wait()

    eventually(lambda: not any(is_alive(pid) for pid in pids), within=5)
    assert (first.folder / "stack.json").exists()
    again = start()
    assert again.url() == again.description()["tool_url"]


def test_it_ends_when_asked_before_it_is_ready(start: Start) -> None:
    running = start()
    eventually((running.folder / "stack.json").exists, within=30)

    running.process.send_signal(signal.SIGTERM)

    assert running.process.wait(10) == 0
    assert not (running.folder / "stack.json").exists()


def test_a_port_that_is_taken_is_named(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        running = start(TOOL_PORT=str(taken.getsockname()[1]))

        assert running.process.wait(10) == 1
        assert f"port {taken.getsockname()[1]} is not free" in running.lines[-1]


def test_a_score_is_held_as_long_as_on_aws() -> None:
    """Shorter than one try at a slow platform, and its scores would go twice."""
    deployed = template()["Parameters"]["ScoreLeaseSeconds"]["Default"]

    settings = Settings.read([], {})

    assert settings.score_lease_seconds == deployed
