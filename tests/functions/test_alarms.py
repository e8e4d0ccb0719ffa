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

NOT_OURS = {"FailedInvocations", "ServerErrors"}  # Lambda and the gateway write these lines themselves


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


@pytest.mark.parametrize("name", sorted(filters().keys() - NOT_OURS))
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


def test_the_gateways_log_says_the_status_as_a_number_that_its_filter_compares() -> None:
    written = template()["Resources"]["HttpApi"]["Properties"]["AccessLogSettings"]["Format"]

    line = json.loads(re.sub(r"\$context\.\w+", "503", written))

    assert filters()["ServerErrors"]["FilterPattern"] == "{ $.status >= 500 }"
    assert line["status"] == 503
