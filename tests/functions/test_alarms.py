"""The alarms count by what the functions log: each metric filter of template.yaml finds its line."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support.browser import ACTIVITY, Browser, handler
from tests.support.fixtures import Logged
from tests.support.platform import Platform
from tests.support.stack import forget, template

OF_LAMBDA = {"FailedInvocations"}  # Lambda writes these lines itself


def filters() -> dict[str, dict[str, Any]]:
    resources = template()["Resources"].items()
    return {name: found["Properties"] for name, found in resources if found["Type"] == "AWS::Logs::MetricFilter"}


def finds(pattern: str, line: dict[str, Any]) -> bool:
    """The part of CloudWatch's filter language that the template speaks: equalities, all of them."""
    wanted = re.findall(r'\$\.(\w+) = "([^"]*)"', pattern)
    assert wanted, pattern
    return all(line.get(name) == value for name, value in wanted)


@pytest.fixture
def lines(
    platform: Platform, browser: Browser, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    """What is logged by a launch, a refused one, a sweep, a look at the keys, and a table that does not answer."""
    browser.launches(platform)
    browser.launches(platform, deployment_id="unknown")
    browser.get("/lti/jwks.json")
    handler("sweep")({}, None)
    handler("keys")({}, None)
    monkeypatch.setenv("LAUNCHES_TABLE", "DroppedTable")
    forget(but=("_dynamodb", "_queue"))
    browser.get("/lti/login", platform.initiation(ACTIVITY))
    return [json.loads(line) for line in logged().splitlines() if line.startswith("{")]


@pytest.mark.parametrize("name", sorted(filters().keys() - OF_LAMBDA))
def test_a_metric_filter_finds_its_line_and_its_value(name: str, lines: list[dict[str, Any]]) -> None:
    (metric,) = filters()[name]["MetricTransformations"]

    found = [line for line in lines if finds(filters()[name]["FilterPattern"], line)]

    assert len(found) == 1
    if metric["MetricValue"] != "1":
        assert isinstance(found[0][metric["MetricValue"].removeprefix("$.")], int)


def test_every_metric_of_ours_that_an_alarm_watches_is_counted() -> None:
    alarms = [found["Properties"] for found in template()["Resources"].values() if "Alarm" in found["Type"]]
    watched = [alarm for alarm in alarms if "MetricName" in alarm]
    watched += [
        each["MetricStat"]["Metric"] for alarm in alarms for each in alarm.get("Metrics", []) if "MetricStat" in each
    ]
    counted = {found["MetricTransformations"][0]["MetricName"] for found in filters().values()}

    assert {each["MetricName"] for each in watched if each["Namespace"] == "AWS::StackName"} == counted
