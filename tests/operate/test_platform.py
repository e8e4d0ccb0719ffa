"""`lti platform`: what the operator says, and what the tool then knows."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from operate.main import run
from tests.operate.conftest import Lti
from tests.support.stack import Stack

CUSTOM = {
    "--issuer": "https://lms.example",
    "--client-id": "client-1",
    "--auth-url": "https://lms.example/auth",
    "--token-url": "https://lms.example/token",
    "--jwks-url": "https://lms.example/jwks",
}
CANVAS = ("platform", "add", "canvas", "--client-id", "10000000000001")


def custom(**other: str | None) -> list[str]:
    options = {**CUSTOM, **{f"--{name.replace('_', '-')}": value for name, value in other.items()}}
    return ["platform", "add", "custom", *(word for name, value in options.items() if value for word in (name, value))]


def test_a_custom_platform_is_registered_as_said(lti: Lti) -> None:
    shown = lti.json(*custom(token_audience="https://audience.example", tenant="School"))

    assert shown.pop("id")
    assert shown == {
        "registered": "new",
        "issuer": "https://lms.example",
        "client_id": "client-1",
        "tenant": "School",
        "family": "custom",
        "enabled": True,
        "allow_anonymous": False,
        "auth_url": "https://lms.example/auth",
        "token_url": "https://lms.example/token",
        "jwks_url": "https://lms.example/jwks",
        "token_audience": "https://audience.example",
        "frame_ancestors": [],
        "pushes_public_key_to": None,
        "deployment_policy": "auto",
        "deployments": {},
        "mended": [],
        "hints": [],
        "tool_login_url": "https://tool.example/lti/login",
        "tool_redirect_url": "https://tool.example/lti/launch",
        "tool_keyset_url": "https://tool.example/lti/jwks.json",
    }


@pytest.mark.parametrize(
    ("environment", "issuer", "host"),
    [
        (None, "https://canvas.instructure.com", "https://sso.canvaslms.com"),
        ("production", "https://canvas.instructure.com", "https://sso.canvaslms.com"),
        ("beta", "https://canvas.beta.instructure.com", "https://sso.beta.canvaslms.com"),
        ("test", "https://canvas.test.instructure.com", "https://sso.test.canvaslms.com"),
    ],
)
def test_canvas_needs_a_client_id_only(lti: Lti, environment: str | None, issuer: str, host: str) -> None:
    shown = lti.json(*CANVAS, *(["--environment", environment] if environment else []))

    assert (shown["issuer"], shown["client_id"], shown["family"]) == (issuer, "10000000000001", "canvas")
    assert shown["auth_url"] == f"{host}/api/lti/authorize_redirect"
    assert shown["token_url"] == f"{host}/login/oauth2/token"
    assert shown["jwks_url"] == f"{host}/api/lti/security/jwks"


@pytest.mark.parametrize(
    "url", ["https://moodle.example/lms", "https://moodle.example/lms/", " https://moodle.example/lms//"]
)
def test_moodle_needs_its_url_and_a_client_id(lti: Lti, url: str) -> None:
    shown = lti.json("platform", "add", "moodle", "--url", url, "--client-id", "abc")

    assert (shown["issuer"], shown["family"]) == ("https://moodle.example/lms", "moodle")
    assert shown["auth_url"] == "https://moodle.example/lms/mod/lti/auth.php"
    assert shown["token_url"] == "https://moodle.example/lms/mod/lti/token.php"
    assert shown["jwks_url"] == "https://moodle.example/lms/mod/lti/certs.php"


@pytest.mark.parametrize(
    ("words", "policy", "deployments"),
    [
        ([], "auto", {}),
        (["--deployment-id", "1"], "closed", {"1": "enabled"}),
        (["--deployment-id", "1", "--deployment-id", "a:b"], "closed", {"1": "enabled", "a:b": "enabled"}),
        (["--deployment-id", "1", "--deployments", "approve"], "approve", {"1": "enabled"}),
        (["--deployments", "closed"], "closed", {}),
    ],
)
def test_listing_deployments_closes_the_door_to_others(
    lti: Lti, words: list[str], policy: str, deployments: dict[str, str]
) -> None:
    shown = lti.json(*CANVAS, *words)

    assert (shown["deployment_policy"], shown["deployments"]) == (policy, deployments)


def test_adding_again_replaces_and_says_so(lti: Lti) -> None:
    first = lti.json(*custom())

    second = lti.json(*custom(jwks_url="https://lms.example/other"))

    assert (first["registered"], second["registered"]) == ("new", "replaced")
    assert first["id"] == second["id"]
    assert [found["jwks_url"] for found in lti.json("platform", "list")] == ["https://lms.example/other"]


def test_adding_again_keeps_what_it_does_not_name(lti: Lti) -> None:
    identity = lti.json(*custom(deployment_id="1", tenant="School", deployments="approve"))["id"]
    lti.json("deployment", "approve", identity, "2", "--tenant", "Faculty")
    lti.json("platform", "update", identity, "--frame-ancestor", "https://school.example")

    lti.json(*custom(jwks_url="https://lms.example/other"))
    kept = lti.json("platform", "show", identity)
    lti.json(*custom(deployment_id="3", tenant="Academy"))
    named = lti.json("platform", "show", identity)

    assert kept["jwks_url"] == "https://lms.example/other"
    assert (kept["tenant"], kept["deployment_policy"]) == ("School", "approve")
    assert kept["frame_ancestors"] == ["https://school.example"]
    assert kept["deployments"] == {"1": "enabled", "2": "enabled"}
    assert (named["tenant"], named["deployment_policy"]) == ("Academy", "closed")
    assert named["deployments"] == {"1": "enabled", "2": "enabled", "3": "enabled"}
    assert {each["tenant"] for each in lti.json("deployment", "list")} == {"Academy", "Faculty"}


def test_a_platform_is_listed_shown_and_removed(lti: Lti, stack: Stack) -> None:
    identity = lti.json(*custom())["id"]
    lti.json(*CANVAS)

    listed = {found["issuer"]: found["id"] for found in lti.json("platform", "list")}
    shown = lti.json("platform", "show", identity)
    removed = lti.json("platform", "remove", identity)

    assert listed["https://lms.example"] == identity == shown["id"]
    assert len(listed) == 2
    assert shown["tool_login_url"] == "https://tool.example/lti/login"
    assert removed == {"removed": identity}
    assert [found["family"] for found in lti.json("platform", "list")] == ["canvas"]
    assert identity not in str(stack.contents()["RegistrationsTable"])


def test_an_empty_list_is_an_empty_list(lti: Lti) -> None:
    assert lti.json("platform", "list") == []
    assert lti("platform", "list")[:2] == (0, "none\n")


def test_without_json_people_can_read_it(lti: Lti) -> None:
    status, out, _ = lti(*custom(deployment_id="1"))

    lines = dict(line.split(": ", 1) for line in out.strip().splitlines())
    assert status == 0
    assert lines["issuer"] == "https://lms.example"
    assert lines["deployments"] == "1 (enabled)"
    assert lines["tool_keyset_url"] == "https://tool.example/lti/jwks.json"


@pytest.mark.parametrize("verb", ["show", "remove"])
def test_what_is_not_there_is_refused_with_its_name(lti: Lti, verb: str) -> None:
    status, out, err = lti("platform", verb, "no-such-platform")

    assert (status, out) == (1, "")
    assert "no-such-platform" in err
    assert "[unknown_platform]" in err


@pytest.mark.parametrize("option", ["issuer", "auth_url", "token_url", "jwks_url"])
@pytest.mark.parametrize(
    "value", ["http://lms.example/x", "ftp://lms.example", "lms.example", "https://u:p@lms.example/"]
)
def test_an_address_that_the_tool_may_not_call_is_refused(lti: Lti, stack: Stack, option: str, value: str) -> None:
    before = stack.contents()

    status, _, err = lti(*custom(**{option: value}))

    assert status == 1
    assert "[invalid_request]" in err
    assert stack.contents() == before


def test_an_empty_client_id_is_refused(lti: Lti, stack: Stack) -> None:
    before = stack.contents()

    status, _, err = lti("platform", "add", "canvas", "--client-id", " ")

    assert (status, "client id" in err) == (1, True)
    assert stack.contents() == before


def test_loopback_is_taken_locally(lti: Lti) -> None:
    base = "http://127.0.0.1:8090"

    shown = lti.json(*custom(issuer=base, auth_url=f"{base}/auth", token_url=f"{base}/token", jwks_url=f"{base}/jwks"))

    assert shown["issuer"] == base


USAGE: list[list[Any]] = [
    [],
    ["platform"],
    ["platform", "add"],
    ["platform", "add", "webct", "--client-id", "1"],
    ["platform", "add", "canvas"],
    ["platform", "add", "canvas", "--client-id", "1", "--environment", "staging"],
    ["platform", "add", "canvas", "--client-id", "1", "--deployments", "open"],
    ["platform", "add", "moodle", "--client-id", "1"],
    ["platform", "add", "custom", "--client-id", "1", "--issuer", "https://lms.example"],
    ["platform", "show"],
    ["platform", "rename", "x"],
    ["platform", "update", "x"],
    ["platform", "update", "x", "--issuer", "https://lms.example"],
    ["platform", "import"],
    ["platform", "add", "sakai", "--client-id", "1", "--url", "https://sakai.example"],
    ["deployment", "approve", "x"],
    ["activity", "add"],
    ["nonsense"],
    ["platform", "list", "--stack", "production"],
    ["platform", "list", "--stack", "production", "--region", "eu-west-1"],
    ["platform", "list", "--region", "eu-west-1"],
]


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_what_is_said_wrongly_is_usage(lti: Lti, words: list[str]) -> None:
    status, out, err = lti(*words)

    assert (status, out) == (2, "")
    assert "usage: lti" in err


def test_help_is_no_fault(lti: Lti) -> None:
    status, out, _ = lti("--help")

    assert status == 0
    assert "platform" in out


def test_without_a_running_stack_it_says_what_to_do(lti: Lti, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_DIR", "/nowhere")

    status, _, err = lti("platform", "list")

    assert status == 1
    assert "make run" in err


def test_a_reader_who_stops_early_sees_no_traceback(lti: Lti, monkeypatch: pytest.MonkeyPatch) -> None:
    lti.json("platform", "list")  # what the command reads stands in its environment now
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as unread, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", unread)
        patched.setattr(sys, "argv", ["lti", "platform", "list", "--local"])

        status = run()

    assert status == 0
