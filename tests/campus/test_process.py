"""Campus as a process: starts on a free port, says so, and stops when told."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from local.campus import vocabulary as v
from tests.campus.stand_in import Visitor

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


def test_campus_plays_the_platforms_that_it_is_told_to() -> None:
    command = [sys.executable, "-m", "local.campus", "--port", "0", "--profiles", "all"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("campus ready at ").strip()
        try:
            platforms = requests.get(f"{url}/control/platforms", timeout=5).json()
        finally:
            process.terminate()
            process.wait(10)

    slugs = [platform["profile"] for platform in platforms]
    assert slugs == ["canvas", "moodle", "blackboard", "brightspace", "sakai"]


def test_moodles_odd_headers_reach_the_wire(served: str, moodle: Visitor) -> None:
    items = f"{served}/moodle/mod/lti/services.php/2/lineitems"
    scores = f"{items}/{moodle.activity()['line_item']}/lineitem/scores?type_id=3"
    headers = moodle.bearer()
    moodle.makes_line_item()

    page = requests.get(f"{items}?type_id=3&limit=1", headers={**headers, "Accept": v.LINE_ITEMS_TYPE}, timeout=5)
    refused = requests.post(scores, data="{}", headers={**headers, "Content-Type": v.SCORE_TYPE}, timeout=5)

    assert "rel=“next”" in page.headers["Link"].encode("latin-1").decode()
    assert (refused.status_code, refused.reason, refused.text) == (400, "Incorrect score received{}", "[]")


def test_campus_shares_no_code_with_the_tool() -> None:
    loaded = "import local.campus.app, sys; print(*sys.modules)"

    names = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    ours = {name for name in names.split() if name.split(".")[0] in {"lti_tool", "functions", "operate", "local"}}
    assert {name for name in ours if not name.startswith("local.campus")} == {"local"}
    assert "jwt" not in names.split()
