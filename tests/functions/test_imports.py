"""The hot functions start fast because they leave heavy modules alone, also after their first request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from lti_tool.domain.login import fingerprint
from tests.support.browser import ACTIVITY, http_event
from tests.support.platform import Platform, serving
from tests.support.stack import REGION, ROOT, TOOL_URL

HEAVY = ("pydantic", "requests", "aws_xray_sdk")

# moto itself loads requests, so the fresh process gets its AWS answers at botocore's edge.
SERVES = """
import json, sys
import botocore.client

word, events, registration, attempt = sys.argv[1], *map(json.loads, sys.argv[2:])
asked = []

def answer(client, operation, arguments):
    asked.append(operation)
    if operation == "GetItem" and arguments["Key"] == {"pk": attempt["pk"]}:
        return {"Item": attempt}
    one_deployment = ":sk" in arguments.get("ExpressionAttributeValues", {})
    return {"Items": [] if one_deployment else [registration]} if operation == "Query" else {}

botocore.client.BaseClient._make_api_call = answer
module = __import__(f"functions.{word}.app", fromlist=["app"])
statuses = [module.lambda_handler(event, None)["statusCode"] for event in events]
print(json.dumps({"statuses": statuses, "asked": asked, "loaded": sorted(sys.modules)}))
"""


def in_a_fresh_process(word: str, platform: Platform, *events: object) -> dict[str, list[Any]]:
    """Import a function there, let it answer the events, and see which modules that loaded."""
    item = {
        "pk": f"registration#{platform.registration().reference}",
        "sk": "registration",
        "issuer": platform.issuer,
        "client_id": platform.client_id,
        "authorization_endpoint": f"{platform.url}/auth",
        "token_endpoint": f"{platform.url}/token",
        "jwks_uri": f"{platform.url}/jwks",
        "family": "custom",
        "deployment_policy": "auto",
    }
    registration = {**{name: {"S": value} for name, value in item.items()}, "enabled": {"BOOL": True}}
    attempt = {
        "pk": {"S": "launch#abcdefghijkl"},
        "registration": {"S": platform.registration().reference},
        "browser": {"S": fingerprint("1.secret")},
        "expires_at": {"N": "4102444800"},
    }
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "layers" / "shared"))),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "REGISTRATIONS_TABLE": "r",
        "LAUNCHES_TABLE": "l",
        "RECORDS_TABLE": "s",
        "SCORES_QUEUE_URL": "q",
        "SCORES_DEAD_LETTERS_URL": "d",
        "SIGNING_KEY_ID": "k",
        "TOOL_URL": TOOL_URL,
        "LOOPBACK_HTTP": "allowed",
        "POWERTOOLS_METRICS_NAMESPACE": "ServerlessLti",
        "POWERTOOLS_SERVICE_NAME": "lti",
    }
    done = subprocess.run(
        [sys.executable, "-c", SERVES, word, *map(json.dumps, (events, registration, attempt))],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: dict[str, list[Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def heavy_ones(loaded: list[str]) -> list[str]:
    return [name for name in HEAVY if name in loaded]


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with serving() as found:
        yield found


@pytest.mark.parametrize("word", ["login", "launch", "jwks"])
def test_importing_a_hot_function_loads_nothing_heavy(platform: Platform, word: str) -> None:
    found = in_a_fresh_process(word, platform)

    assert f"functions.{word}.app" in found["loaded"]
    assert heavy_ones(found["loaded"]) == []


def test_a_login_loads_nothing_heavy(platform: Platform) -> None:
    event = http_event("GET", "/lti/login", query=urlencode(platform.initiation(ACTIVITY)))

    found = in_a_fresh_process("login", platform, event)

    assert (found["statuses"], found["asked"]) == ([302], ["Query", "PutItem"])
    assert heavy_ones(found["loaded"]) == []


def test_a_launch_loads_nothing_heavy(platform: Platform) -> None:
    token = platform.signs(platform.claims("a nonce", ACTIVITY))
    form = {"state": f"abcdefghijkl.{platform.registration().reference}", "id_token": token}
    event = http_event(
        "POST",
        "/lti/launch",
        body=urlencode(form).encode(),
        headers={"content-type": "application/x-www-form-urlencoded"},
        cookies=["__Host-lti-abcdefghijkl=1.secret"],
    )

    found = in_a_fresh_process("launch", platform, event)

    assert found["statuses"] == [200]
    assert "UpdateItem" in found["asked"]
    assert heavy_ones(found["loaded"]) == []
