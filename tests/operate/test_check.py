"""`lti platform check`: each wrong value is named, with its mend, by asking the platform."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from local.campus.app import create_app
from local.campus.campus import Campus
from local.campus.serving import CampusHandler
from lti_tool.domain.jwks import jwks
from lti_tool.domain.registration import DeploymentPolicy, DeploymentStatus, PlatformFamily, Registration
from lti_tool.runtime import wiring
from operate.check import examined
from operate.stack import local_stack
from tests.operate.conftest import Lti
from tests.support.browser import Browser
from tests.support.platform import Platform, Reply
from tests.support.stack import Stack

SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
ROSTER = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
FAMILIES = ["canvas", "moodle", "blackboard", "brightspace", "sakai"]


@pytest.fixture(scope="module")
def tool_address() -> Iterator[str]:
    """Where the tool's key set is."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(jwks(wiring.signer().public_keys())).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def standing_campus(tool_address: str) -> Iterator[Campus]:
    campus = Campus("http://127.0.0.1", tool_address)
    server = make_server("127.0.0.1", 0, create_app(campus), threaded=True, request_handler=CampusHandler)
    campus.url = f"http://127.0.0.1:{server.server_port}"
    for profile in campus.platforms.values():
        profile.issuer = f"{campus.url}/{profile.slug}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield campus
    server.shutdown()
    thread.join()
    server.server_close()


class World:
    """Campus, and an operator who has registered each of its platforms."""

    def __init__(self, campus: Campus, lti: Lti) -> None:
        self.campus = campus
        self.lti = lti

    def registration(self, family: str) -> Registration:
        profile = self.campus.platforms[family]
        return Registration(
            issuer=profile.issuer,
            client_id=profile.client_id,
            authorization_endpoint=profile.url("authorize"),
            token_endpoint=profile.url("token"),
            jwks_uri=profile.url("jwks"),
            token_audience=profile.token_audience,
            family=PlatformFamily(family),
            deployment_policy=DeploymentPolicy.CLOSED,
            deployments={profile.deployment_id: DeploymentStatus.ENABLED},
        )

    def goes_wrong(self, family: str, **faults: Any) -> None:
        self.campus.platforms[family].faults.set(faults)

    def checks(self, registration: Registration) -> tuple[int, dict[str, Any]]:
        status, out, err = self.lti("platform", "check", registration.reference, "--json")
        assert not err
        return status, json.loads(out)

    def finding(self, registration: Registration) -> dict[str, str]:
        """The one thing that is found."""
        status, report = self.checks(registration)
        assert status == 1
        (found,) = report["findings"]
        return dict(found)


@pytest.fixture
def world(stack: Stack, lti: Lti, standing_campus: Campus, tool_address: str, tmp_path: Path) -> World:
    standing_campus.reset()
    described = json.loads((tmp_path / "stack.json").read_text())
    (tmp_path / "stack.json").write_text(json.dumps({**described, "tool_url": tool_address}))
    world = World(standing_campus, lti)
    stack.knows(*(world.registration(family) for family in FAMILIES))
    return world


@pytest.mark.parametrize("family", FAMILIES)
def test_where_all_is_right_each_step_says_what_was_seen(world: World, family: str) -> None:
    status, report = world.checks(world.registration(family))

    assert (status, report["well"], report["findings"]) == (0, True, [])
    saw = {step["field"]: step["saw"] for step in report["steps"]}
    assert "RSA signing key" in saw["jwks_url"]
    assert saw["token_url"] == "a token for 5 of 5 scopes"
    assert set(saw) == {"jwks_url", "auth_url", "tool_keyset_url", "token_url", "clock", "deployments"}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_key_set_that_is_not_there_is_named(world: World, family: str) -> None:
    registration = world.registration(family)
    world.goes_wrong(family, jwks_missing=True)

    found = world.finding(registration)

    assert (found["field"], found["problem"]) == ("jwks_url", "jwks_not_found")
    assert registration.jwks_uri in found["sentence"]
    assert f"lti platform update {registration.reference} --jwks-url" in found["mend"]
    assert found["mend"].endswith("--local")


def test_a_key_set_without_an_rsa_key_is_named(world: World) -> None:
    world.goes_wrong("canvas", jwks_without_rsa=True)

    found = world.finding(world.registration("canvas"))

    assert (found["field"], found["problem"]) == ("jwks_url", "jwks_without_rsa_key")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_key_that_is_refused_is_named_with_our_key_sets_address(world: World, family: str, tool_address: str) -> None:
    world.goes_wrong(family, refuses_key=True)

    found = world.finding(world.registration(family))

    assert (found["field"], found["problem"]) == ("tool_keyset_url", "key_refused")
    assert f"{tool_address}/lti/jwks.json" in found["mend"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_wrong_audience_is_named_with_the_one_that_works(world: World, stack: Stack, family: str) -> None:
    right = world.registration(family)
    world.goes_wrong(family, token_audience=right.issuer)
    stack.knows(replace(right, token_audience="https://elsewhere.example"))

    found = world.finding(right)

    assert (found["field"], found["problem"]) == ("token_audience", "wrong_audience")
    assert found["mend"] == f"lti platform update {right.reference} --token-audience {right.issuer} --local"


def test_a_mend_is_safe_to_paste_whatever_the_platform_calls_itself(world: World, stack: Stack) -> None:
    odd = replace(
        world.registration("canvas"), issuer="https://lms.example/?a=1&b=$(id)", token_audience="https://other.example"
    )
    world.goes_wrong("canvas", token_audience=odd.issuer)
    stack.knows(odd)

    found = world.finding(odd)

    assert f"--token-audience {shlex.quote(odd.issuer)} --local" in found["mend"]


def test_an_audience_that_nothing_likely_is_is_still_named(world: World) -> None:
    world.goes_wrong("canvas", token_audience="https://unheard.example")

    found = world.finding(world.registration("canvas"))

    assert (found["field"], found["problem"]) == ("token_audience", "wrong_audience")
    assert "the 'aud' is invalid" in found["sentence"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("scope", [SCORE, ROSTER])
def test_a_scope_that_is_not_granted_is_named_with_what_it_costs(world: World, family: str, scope: str) -> None:
    world.goes_wrong(family, refused_scopes=[scope])

    found = world.finding(world.registration(family))

    assert (found["field"], found["problem"]) == ("scopes", "scope_refused")
    assert f"{scope} is not granted" in found["sentence"]
    assert ("marks will not be imported" in found["sentence"]) == (scope == SCORE)
    assert family.lower() in found["mend"].lower()


@pytest.mark.parametrize("fault", [{"authorize_down": True}, {"drop_connections": {"authorize": True}}])
def test_a_dead_authorization_endpoint_is_named(world: World, fault: dict[str, Any]) -> None:
    world.goes_wrong("sakai", **fault)

    found = world.finding(world.registration("sakai"))

    assert (found["field"], found["problem"]) == ("auth_url", "auth_url_dead")


def test_a_port_where_nobody_listens_is_named(world: World, stack: Stack) -> None:
    registration = replace(world.registration("moodle"), authorization_endpoint="http://127.0.0.1:9/auth")
    stack.knows(registration)

    found = world.finding(registration)

    assert (found["field"], found["problem"]) == ("auth_url", "auth_url_dead")
    assert "refused the connection" in found["sentence"]


@pytest.mark.parametrize("fault", [{"token_down": True}, {"drop_connections": {"token": True}}])
@pytest.mark.parametrize("family", ["moodle", "blackboard"])
def test_a_dead_token_endpoint_is_not_taken_for_a_refused_key(world: World, family: str, fault: dict[str, Any]) -> None:
    world.goes_wrong(family, **fault)

    found = world.finding(world.registration(family))

    assert (found["field"], found["problem"]) == ("token_url", "token_url_dead")


def test_a_client_id_that_the_platform_does_not_know_is_named(world: World, stack: Stack) -> None:
    registration = replace(world.registration("canvas"), client_id="another")
    stack.knows(registration)

    found = world.finding(registration)

    assert (found["field"], found["problem"]) == ("client_id", "client_unknown")


@pytest.mark.parametrize("family", ["blackboard", "brightspace", "sakai"])
def test_where_a_platform_may_mean_the_client_id_the_mend_names_it(world: World, stack: Stack, family: str) -> None:
    registration = replace(world.registration(family), client_id="another")
    stack.knows(registration)

    found = world.finding(registration)

    assert (found["field"], found["problem"]) == ("tool_keyset_url", "key_refused")
    assert "client id 'another'" in found["mend"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seconds", [3600, -3600])
def test_a_platforms_wrong_clock_is_named_and_nothing_else(world: World, family: str, seconds: int) -> None:
    world.goes_wrong(family, clock_skew_seconds=seconds)

    found = world.finding(world.registration(family))

    assert (found["field"], found["problem"]) == ("clock", "clock_skew")
    assert ("ahead of" if seconds > 0 else "behind") in found["sentence"]


def test_a_clock_that_is_a_little_wrong_is_named_where_the_platform_minds(world: World) -> None:
    world.goes_wrong("moodle", clock_skew_seconds=-30)
    world.goes_wrong("canvas", clock_skew_seconds=-30)

    found = world.finding(world.registration("moodle"))

    assert found["problem"] == "clock_skew"
    assert "it refuses our assertions for it" in found["sentence"]
    assert world.checks(world.registration("canvas"))[0] == 0


def test_a_deployment_whose_launches_were_refused_is_named_until_it_is_approved(
    world: World, stack: Stack, platform: Platform, browser: Browser
) -> None:
    known = world.registration("canvas")
    stack.knows(platform.registration(deployments={"7:abcdef": DeploymentStatus.ENABLED}))
    refused = browser.launches(platform, **{"https://purl.imsglobal.org/spec/lti/claim/deployment_id": "7:abc"})
    reference = platform.registration().reference

    found = [f for f in world.checks(platform.registration())[1]["findings"] if f["field"] == "deployments"]
    world.lti("deployment", "approve", reference, "7:abc")
    later = [f for f in world.checks(platform.registration())[1]["findings"] if f["field"] == "deployments"]

    assert refused.code == "unknown_deployment"
    assert [finding["problem"] for finding in found] == ["unknown_deployment"]
    assert found[0]["mend"] == f"lti deployment approve {reference} 7:abc --local"
    assert refused.page.texts["support-id"] in found[0]["sentence"]
    assert later == []
    assert world.checks(known)[0] == 0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"enabled": False}, "registration_disabled"),
        ({"deployments": {}}, "no_deployment"),
        ({"deployments": {"9": DeploymentStatus.PENDING}}, "deployment_pending"),
    ],
)
def test_what_we_ourselves_do_not_serve_is_named(
    world: World, stack: Stack, change: dict[str, Any], problem: str
) -> None:
    registration = replace(world.registration("canvas"), **change)
    stack.knows(registration)

    assert world.finding(registration)["problem"] == problem


def test_a_key_set_of_ours_that_cannot_be_fetched_is_our_own_fault(world: World, tmp_path: Path) -> None:
    described = json.loads((tmp_path / "stack.json").read_text())
    (tmp_path / "stack.json").write_text(json.dumps({**described, "tool_url": "http://127.0.0.1:9"}))

    found = world.finding(world.registration("canvas"))

    assert (found["field"], found["problem"]) == ("tool_keyset_url", "keyset_unreachable")
    assert found["mend"] == "lti doctor --local"


def test_a_platform_that_hangs_is_left_behind_at_the_deadline(world: World) -> None:
    world.goes_wrong("canvas", slow_seconds=3.0)

    looked = examined(local_stack(), world.registration("canvas"), within=0.6)

    problems = {finding.field: finding.problem for finding in looked.found}
    assert problems["jwks_url"] == "jwks_unreachable"
    assert problems["token_url"] == "token_url_dead"
    assert "not answer" in looked.found[0].sentence


def test_what_is_added_is_checked_and_stays_registered(world: World) -> None:
    world.goes_wrong("moodle", jwks_missing=True)
    registration = world.registration("moodle")
    world.lti.checks = True
    words = ["platform", "add", "custom", "--family", "moodle", "--issuer", registration.issuer]
    words += ["--client-id", registration.client_id, "--auth-url", registration.authorization_endpoint]
    words += ["--token-url", registration.token_endpoint, "--jwks-url", registration.jwks_uri]

    added = world.lti.json(*words)
    status, out, _ = world.lti(*words)
    unchecked = world.lti.json(*words, "--no-check")

    assert [finding["problem"] for finding in added["check"]["findings"]] == ["jwks_not_found"]
    assert (status, "[jwks_not_found]" in out, "1 thing to mend." in out) == (0, True, True)
    assert "check" not in unchecked
    assert added["id"] in [found["id"] for found in world.lti.json("platform", "list")]


def test_people_can_read_what_was_seen(world: World) -> None:
    status, out, _ = world.lti("platform", "check", world.registration("canvas").reference)

    assert status == 0
    assert "right  jwks_url: 3 RSA signing keys" in out
    assert out.endswith("All is well.\n")


def test_a_token_that_comes_as_201_is_one(world: World, stack: Stack, platform: Platform) -> None:
    stack.knows(platform.registration())
    platform.will_answer("/token", Reply(status=201, body=b'{"access_token": "token", "token_type": "bearer"}'))

    _, report = world.checks(platform.registration())

    assert {finding["field"] for finding in report["findings"]}.isdisjoint({"token_url", "scopes"})
    assert len(platform.requests_to("/token")) == 1


def test_a_token_bought_for_a_check_is_kept_nowhere(world: World, stack: Stack) -> None:
    before = stack.contents()["LaunchesTable"]

    world.checks(world.registration("canvas"))

    assert stack.contents()["LaunchesTable"] == before
