"""`lti smoke` on a stack that answers over HTTP: well, it says so; each seeded fault is found by name."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from local.front import Front
from local.gateway import Request, Response, Routes, event_from, response_from
from local.template import Route
from lti_tool.domain.region import Region
from lti_tool.runtime import wiring
from operate.findings import Report
from operate.smoke import Smoke
from operate.stack import Stack as Operated
from tests.support.browser import handler, receives
from tests.support.stack import REGION, Stack, forget, template


def routes() -> Routes:
    return Routes(
        Route(method="ANY", path=event["Properties"]["Path"], function=resource["Properties"]["CodeUri"], iam=False)
        for resource in template()["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
        for event in resource["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi"
    )


class Served:
    """The tool's functions in this process, behind a port; its queue is consumed while `consumed` is set."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._routes = routes()
        self._front = Front(0, self._answer)
        self._front.start()
        self.url = f"http://localhost:{self._front.port}"
        self.consumed = threading.Event()
        self._over = threading.Event()
        self._consumer = threading.Thread(target=self._consume)
        self._consumer.start()

    def operated(self) -> Operated:
        return Operated(tool_url=self.url, is_local=True, environment=self.stack.environment)

    def stop(self) -> None:
        self._over.set()
        self._consumer.join(timeout=10)
        self._front.stop()

    def _answer(self, request: Request) -> Response:
        found = self._routes.find(request.method, request.path)
        assert found is not None
        route, parameters = found
        event = event_from(request, route, parameters, self.url, None)
        result = handler(route.function.strip("/").rpartition("/")[2])(event, SimpleNamespace(aws_request_id="1"))
        return response_from(json.dumps(result).encode())

    def _consume(self) -> None:
        while not self._over.wait(0.05):
            if self.consumed.is_set() and (found := self.stack.queued()):
                receives(*found)


@pytest.fixture
def served(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    served = Served(stack)
    monkeypatch.setitem(stack.environment, "TOOL_URL", served.url)
    stack.begin_again()
    served.consumed.set()
    yield served
    served.stop()


def smoked(served: Served, *, score_within: float = 10, **options: Any) -> Report:
    return Smoke(served.operated(), score_within=score_within, **options).report()


def problems(report: Report) -> list[str]:
    return [finding.problem for finding in report.findings]


def test_a_stack_that_works_is_said_to_be_well(served: Served) -> None:
    report = smoked(served)

    assert problems(report) == []
    assert report.status == 0
    assert [step.field for step in report.steps] == ["clock", "tables", "signing key", "key set", "login", "score"]
    assert wiring.registrations().all() == []


def test_it_may_be_tried_again(served: Served) -> None:
    assert [problems(smoked(served)), problems(smoked(served))] == [[], []]


def test_a_disabled_key_is_found(served: Served) -> None:
    kms, key_id = boto3.client("kms", REGION), served.stack.environment["SIGNING_KEY_ID"]
    kms.disable_key(KeyId=key_id)

    report = smoked(served)

    kms.enable_key(KeyId=key_id)
    assert "key_disabled" in problems(report)


@pytest.mark.parametrize("table", ["REGISTRATIONS_TABLE", "LAUNCHES_TABLE", "RECORDS_TABLE"])
def test_a_missing_table_is_found(served: Served, monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    monkeypatch.setitem(served.stack.environment, table, "DroppedTable")
    monkeypatch.setenv(table, "DroppedTable")
    forget(but=("_dynamodb", "_queue", "signer"))

    report = smoked(served, score_within=0.5)

    assert report.findings[0].problem == "table_missing"
    assert table.title().replace("_", "") in report.findings[0].sentence
    assert "key_disabled" not in problems(report)
    assert report.status == 1


def test_another_regions_redirect_uri_is_found(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOL_URL", "https://lti-dub.example")
    forget(but=("_dynamodb", "_queue", "signer"))

    report = smoked(served, score_within=0.5)

    assert "redirect_uri_elsewhere" in problems(report)


def test_a_stack_that_was_given_another_regions_address_is_found(served: Served) -> None:
    """Its outputs, its functions and the other region agree with each other: only the table of regions tells."""
    smoked(served)
    (own,) = wiring.regions().all()
    wiring.regions().put(replace(own, name="eu-west-2"))

    report = smoked(served)

    assert problems(report) == ["redirect_uri_elsewhere"]
    assert "eu-west-2" in report.findings[0].sentence


def test_a_queue_that_nobody_consumes_is_found(served: Served) -> None:
    served.consumed.clear()

    assert problems(smoked(served, score_within=0.5)) == ["queue_without_consumer"]


def test_a_key_set_without_a_regions_key_is_found(served: Served) -> None:
    smoked(served)
    key = {"kid": "of-dublin", "kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "RS256", "use": "sig"}
    wiring.regions().put(Region(name="eu-west-2", base_url="https://lti-lhr.example", keys=(key,)))

    assert problems(smoked(served)) == ["key_set_lacks_region"]


@pytest.mark.parametrize("wrong_by", [timedelta(minutes=5), -timedelta(minutes=5)])
def test_a_wrong_clock_is_found(served: Served, wrong_by: timedelta) -> None:
    assert problems(smoked(served, clock=lambda: wiring.now() + wrong_by))[0] == "clock"


def test_a_stack_that_does_not_answer_is_said_to(served: Served) -> None:
    operated = replace(served.operated(), tool_url="http://localhost:1")

    report = Smoke(operated, score_within=0.5).report()

    assert problems(report)[0] == "no_answer"
    assert report.status == 1
