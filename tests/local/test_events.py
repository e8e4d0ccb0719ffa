"""The sample events, filled and run through the real functions of template.yaml."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.child import Outcome
from local.cloud import ROOT
from local.logs import Logs
from local.lti import CannotRunError
from local.seed import Seeds
from local.stack import Stack
from tests.local.conftest import SMALL
from tests.support.seeds import seeds as seeds

EVENTS = ROOT / "events"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    stack = Stack(ROOT / "template.yaml", parameters={"LoopbackHttp": "allowed"}, logs=Logs(io.StringIO()))
    yield stack
    stack.stop()


def run(stack: Stack, seeds: Seeds, word: str) -> Any:
    """What the function of that word answers to its sample event."""
    (name,) = (name for name, function in stack.system.functions.items() if function.word == word)
    event = seeds.fill(json.loads((EVENTS / f"{word}.json").read_text(encoding="utf-8")))
    answer = stack.invoke(name, json.dumps(event).encode())
    assert answer.outcome is Outcome.ANSWERED, answer.payload
    return json.loads(answer.payload)


def test_every_function_has_a_sample_event(stack: Stack) -> None:
    words = {function.word for function in stack.system.functions.values()}

    assert words <= {path.stem for path in EVENTS.glob("*.json")}


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("login", 302),
        ("launch", 200),
        ("jwks", 200),
        ("deeplink", 200),
        ("console", 200),
        ("echo", 200),
        ("vendor", 202),
    ],
)
def test_a_sample_request_succeeds(stack: Stack, seeds: Seeds, word: str, status: int) -> None:
    assert run(stack, seeds, word)["statusCode"] == status


def test_a_sample_score_reaches_the_gradebook(stack: Stack, seeds: Seeds) -> None:
    assert run(stack, seeds, "gradesync") == {"batchItemFailures": []}


def test_a_sample_schedule_runs(stack: Stack, seeds: Seeds) -> None:
    assert run(stack, seeds, "sweep") == {"nudged": 0}


def test_a_sample_hour_of_the_keys_finds_a_young_one(stack: Stack, seeds: Seeds) -> None:
    assert run(stack, seeds, "jwks")["statusCode"] == 200

    assert run(stack, seeds, "keys") == {"states": ["signing"], "age_days": 0}


def test_a_form_is_base64_in_the_filled_event_and_names_keep_their_values(seeds: Seeds) -> None:
    event = {
        "isBase64Encoded": True,
        "body": "state={{tool_url:url}}",
        "headers": {"x": "{{tool_url}}", "y": "{{tool_url}}"},
    }

    filled = seeds.fill(event)

    assert filled["body"].startswith("c3RhdGU9aHR0cCUzQSUyRiUyRmxvY2FsaG9zdCUzQ")
    assert filled["headers"]["x"] == filled["headers"]["y"] == seeds.value("tool_url")


def test_a_place_that_nothing_fills_is_named(seeds: Seeds) -> None:
    with pytest.raises(CannotRunError, match=r"nonsense.*id_token"):
        seeds.fill(["{{nonsense}}"])


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["tick"], 0, '"ticked": true'),
        (["--print", "tick"], 0, '"at": "http://localhost:'),
        (["echo"], 1, "ValueError"),
        (["nobody"], 2, "there are: collect, echo, tick"),
    ],
)
def test_the_command_says_what_came_of_it(tmp_path: Path, options: list[str], status: int, said: str) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"at": "{{tool_url}}", "pathParameters": {"what": "raise"}}', encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "local.invoke", "--template", str(SMALL / "template.yaml"), *options, str(event)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == status, done.stderr
    assert said in (done.stdout if status < 2 else done.stderr)
