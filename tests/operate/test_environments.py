"""samconfig.toml: an environment per region and stage, which `make deploy` and `lti --env` read."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operate.stack import StackNotFoundError, deployed_stack, named_environment
from tests.support.stack import ROOT, template

CANVAS_REGIONS = {
    "us-east-1",
    "us-west-2",
    "ca-central-1",
    "eu-west-1",
    "eu-central-1",
    "ap-southeast-1",
    "ap-southeast-2",
}


def environments() -> dict[str, Any]:
    found = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    return {name: values for name, values in found.items() if name != "default" and isinstance(values, dict)}


def overrides(values: dict[str, Any]) -> dict[str, str]:
    return dict(each.split("=", 1) for each in values["deploy"]["parameters"]["parameter_overrides"])


def takes(parameter: str, value: str) -> bool:
    """As CloudFormation compares: the whole value, before it makes anything."""
    declared = template()["Parameters"][parameter]
    if (allowed := declared.get("AllowedValues")) is not None and value not in map(str, allowed):
        return False
    return re.fullmatch(declared.get("AllowedPattern", "(?s:.*)"), value) is not None


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_every_region_of_canvas_has_an_environment_in_each_stage(stage: str) -> None:
    of_stage = [values for name, values in environments().items() if name.endswith(f"-{stage}")]

    assert {values["global"]["parameters"]["region"] for values in of_stage} == CANVAS_REGIONS
    assert len(of_stage) == len(CANVAS_REGIONS)


@pytest.mark.parametrize("name", environments())
def test_an_environment_sets_only_parameters_that_the_template_has(name: str) -> None:
    assert overrides(environments()[name]).keys() <= template()["Parameters"].keys()


@pytest.mark.parametrize("name", environments())
def test_the_values_of_an_environment_are_such_as_the_template_takes(name: str) -> None:
    for parameter, value in overrides(environments()[name]).items():
        assert takes(parameter, value), parameter


@pytest.mark.parametrize(
    ("parameter", "right", "wrong"),
    [
        ("ReplicaRegions", "us-west-2,eu-west-1", "us-west-2,eu-west1"),
        ("ReplicaRegions", "ap-southeast-2", "us-west-2,af-south-1"),
        ("ToolUrl", "https://lti.example", "https://lti.example/"),
        ("ToolUrl", "http://localhost:8080", "lti.example"),
        ("DomainName", "lti-dub.example.com", "https://lti-dub.example.com"),
        ("VendorExternalId", "0123456789abcdef", "short"),
    ],
)
def test_a_slip_in_a_parameter_is_refused_before_anything_is_made(parameter: str, right: str, wrong: str) -> None:
    assert (takes(parameter, right), takes(parameter, wrong), takes(parameter, "")) == (True, False, True)


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_primary_region_comes_first_and_replicates_to_all_others(stage: str) -> None:
    of_stage = [values for name, values in environments().items() if name.endswith(f"-{stage}")]
    said = [overrides(values) for values in of_stage]

    (primary,) = {values["PrimaryRegion"] for values in said}
    assert of_stage[0]["global"]["parameters"]["region"] == primary
    assert set(said[0]["ReplicaRegions"].split(",")) == CANVAS_REGIONS - {primary}
    assert len({values["RegistrationsTableName"] for values in said}) == 1


def test_an_environment_that_is_not_there_is_said_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)

    with pytest.raises(StackNotFoundError, match=r"no environment mars-prod; it has .*dub-prod"):
        named_environment("mars-prod")
    assert named_environment("dub-prod") == ("serverless-lti-prod", "eu-west-1")


def test_a_stack_that_was_not_deployed_to_its_end_says_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        half = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
        boto3.client("cloudformation", "eu-west-1").create_stack(StackName="lti", TemplateBody=half)

        with pytest.raises(StackNotFoundError, match=r"\(CREATE_COMPLETE\) has no output ToolUrl: was it"):
            deployed_stack("lti", "eu-west-1")
