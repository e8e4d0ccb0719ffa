"""Campus as a process: starts on a free port, says so, and stops when told."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_campus_runs_until_it_is_told_to_stop(told: signal.Signals) -> None:
    command = [sys.executable, "-m", "local.campus", "--port", "0", "--tool-url", "http://localhost:1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            url = line.removeprefix("campus ready at ").strip()
            platforms = requests.get(f"{url}/control/platforms", timeout=5).json()
        finally:
            process.send_signal(told)
            status = process.wait(10)

    assert line == f"campus ready at {url}\n"
    assert url.startswith("http://127.0.0.1:")
    assert [platform["issuer"] for platform in platforms] == [f"{url}/canvas", f"{url}/moodle"]
    assert status == 0


def test_campus_shares_no_code_with_the_tool() -> None:
    loaded = "import local.campus.app, sys; print(*sys.modules)"

    names = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    ours = {name for name in names.split() if name.split(".")[0] in {"lti_tool", "functions", "operate", "local"}}
    assert {name for name in ours if not name.startswith("local.campus")} == {"local"}
    assert "jwt" not in names.split()
