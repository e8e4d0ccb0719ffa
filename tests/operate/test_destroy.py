"""`make destroy`: what a stack kept is erased or named, and nothing ends in a stack trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from operate import destroy

REGION = "eu-west-1"
TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "DeletionPolicy": "Retain",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    },
}


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = f'stack_name = "lti"\nregion = "{REGION}"\n'
    (tmp_path / "samconfig.toml").write_text(f"[dub-dev.global.parameters]\n{parameters}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["destroy", "--env", "dub-dev", "--erase-memory", "--sam", "true"])
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def deployed() -> Iterator[None]:
    """A stack that `sam delete` (here: `true`) leaves standing: over a hundred queues, and then a table."""
    queues = {f"Queue{n:03}": {"Type": "AWS::SQS::Queue"} for n in range(105)}
    with mock_aws():
        boto3.client("cloudformation", REGION).create_stack(
            StackName="lti", TemplateBody=json.dumps({"Resources": {**queues, "Table": TABLE}})
        )
        yield


@pytest.mark.usefixtures("environment")
def test_without_credentials_one_sentence_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    status = destroy.main()

    assert status == 1
    assert capsys.readouterr().err == "Stack lti in eu-west-1 could not be read: Unable to locate credentials\n"


@pytest.mark.usefixtures("environment", "deployed")
def test_all_memory_goes_also_that_of_a_stack_of_over_a_hundred_resources(capsys: pytest.CaptureFixture[str]) -> None:
    status = destroy.main()

    assert status == 0
    assert capsys.readouterr().out.count("erased: ") == 106
    assert boto3.client("dynamodb", REGION).list_tables()["TableNames"] == []


@pytest.mark.usefixtures("environment", "deployed")
def test_what_does_not_go_is_named_and_the_rest_goes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (table,) = boto3.client("dynamodb", REGION).list_tables()["TableNames"]

    def refused(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "ResourceInUseException", "Message": "in use"}}, "DeleteTable")

    monkeypatch.setattr(destroy, "_erase_table", refused)
    status = destroy.main()

    printed = capsys.readouterr()
    assert status == 1
    assert f"NOT erased, delete it by hand: AWS::DynamoDB::Table {table}: " in printed.err
    assert printed.out.count("erased: ") == 105


@pytest.mark.usefixtures("environment")
def test_a_table_that_other_regions_live_on_is_not_erased(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(destroy, "_replicas", lambda _table, _region: ["eu-central-1", "us-west-2"])
    monkeypatch.setattr(destroy, "resources", lambda _name, _region: [("AWS::DynamoDB::GlobalTable", "registrations")])
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("the stack was removed"))
    with mock_aws():
        queue = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
        boto3.client("cloudformation", "us-west-2").create_stack(StackName="lti", TemplateBody=queue)

        status = destroy.main()

    assert status == 1
    assert "Nothing was removed: stacks in us-west-2 use" in capsys.readouterr().err
