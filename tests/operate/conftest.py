from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operate.main import main
from tests.support.fixtures import browser as browser
from tests.support.fixtures import platform as platform
from tests.support.fixtures import stack as stack
from tests.support.fixtures import standing_stack as standing_stack
from tests.support.stack import REGION, TOOL_URL, Stack, forget


class Lti:
    """The operator at a terminal: says `lti WORDS`, gets exit status, output and errors."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.checks = False
        """Whether what is added is checked at once: most platforms of these tests are nowhere."""

    def __call__(self, *words: str) -> tuple[int, str, str]:
        forget(but=("_dynamodb", "_queue", "_kms"))  # each command is a process of its own
        self._capsys.readouterr()
        unchecked = words[:2] == ("platform", "add") and not self.checks
        try:
            status = main([*words, *(["--no-check"] if unchecked else []), "--local"])
        except SystemExit as stopped:
            status = int(stopped.code or 0)
        out, err = self._capsys.readouterr()
        return status, out, err

    def json(self, *words: str) -> Any:
        status, out, err = self(*words, "--json")
        assert status == 0, err
        return json.loads(out)


@pytest.fixture
def lti(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lti:
    names = stack.environment
    document = {
        "tool_url": TOOL_URL,
        "aws_endpoint_url": "",
        "region": REGION,
        "credentials": {"access_key_id": "testing", "secret_access_key": "testing"},
        "tables": {
            "registrations": names["REGISTRATIONS_TABLE"],
            "launches": names["LAUNCHES_TABLE"],
            "records": names["RECORDS_TABLE"],
        },
        "queues": {"scores": names["SCORES_QUEUE_URL"], "scores_dead_letters": names["SCORES_DEAD_LETTERS_URL"]},
        "signing_key": names["SIGNING_KEY_ID"],
    }
    (tmp_path / "stack.json").write_text(json.dumps(document))
    monkeypatch.setenv("LOCAL_DIR", str(tmp_path))
    return Lti(capsys)


Writes = Callable[..., str]


@pytest.fixture
def writes(tmp_path: Path) -> Writes:
    """Writes a file and says where."""

    def written(text: str | bytes, name: str = "activity.yaml") -> str:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return written
