"""`lti doctor`: what has drifted is found, alone, with the command that mends it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from moto.backends import get_backend

from lti_tool.domain.invitation import new_invitation
from lti_tool.domain.jwks import jwks
from lti_tool.domain.region import Region
from lti_tool.domain.registration import DeploymentPolicy, DeploymentStatus, PlatformFamily, Registration
from lti_tool.domain.score import ActivityProgress, GradingProgress, Score, ScoreKey
from lti_tool.runtime import wiring
from tests.operate.conftest import Lti
from tests.support.platform import rsa_key
from tests.support.stack import ACCOUNT, REGION, ROOT, TOOL_URL, Stack, template

REGISTRATION = Registration(
    issuer="https://lms.example",
    client_id="client-1",
    authorization_endpoint="https://lms.example/auth",
    token_endpoint="https://lms.example/token",
    jwks_uri="https://lms.example/jwks",
    tenant="School",
    deployments={"1": DeploymentStatus.ENABLED},
)


def public(name: str) -> dict[str, str]:
    return {member: str(value) for member, value in rsa_key(name).as_dict(private=False).items()}


OTHER_KEY = public("another-region")

Drift = Callable[[Stack], None]


@pytest.fixture
def well(stack: Stack) -> Stack:
    """A stack as template.yaml wants it, with one platform and this region's record."""
    kms, key = boto3.client("kms", REGION), stack.environment["SIGNING_KEY_ID"]
    if kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion":
        kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    for table in ("RegistrationsTable", "LaunchesTable"):
        ttl: Any = {"AttributeName": "expires_at", "Enabled": True}
        stack.dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=ttl)
    for table in ("RegistrationsTable", "RecordsTable"):
        stack.dynamodb.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    stack.knows(REGISTRATION)
    wiring.regions().put(own_region())
    return stack


def own_region() -> Region:
    return Region(name=REGION, base_url=TOOL_URL, keys=tuple(jwks(wiring.signer().public_keys())["keys"]))


@contextmanager
def region_serving(*keys: dict[str, str]) -> Iterator[str]:
    """Another region's key set on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": keys}).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def ttl_off(table: str) -> Drift:
    off: Any = {"AttributeName": "expires_at", "Enabled": False}
    return lambda stack: stack.dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=off) and None


def backups_off(table: str) -> Drift:
    off: Any = {"PointInTimeRecoveryEnabled": False}
    return lambda stack: (
        stack.dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=off) and None
    )


def key_disabled(stack: Stack) -> None:
    boto3.client("kms", REGION).disable_key(KeyId=stack.environment["SIGNING_KEY_ID"])


def key_about_to_go(stack: Stack) -> None:
    boto3.client("kms", REGION).schedule_key_deletion(KeyId=stack.environment["SIGNING_KEY_ID"])


def key_not_published(_: Stack) -> None:
    wiring.regions().put(replace(own_region(), keys=(OTHER_KEY,)))


def region_moved(_: Stack) -> None:
    wiring.regions().put(replace(own_region(), base_url="https://old.example"))


def region_gone(_: Stack) -> None:
    wiring.regions().put(Region(name="us-east-1", base_url="http://127.0.0.1:9", keys=(OTHER_KEY,)))


def registered(**other: Any) -> Drift:
    return lambda stack: stack.knows(replace(REGISTRATION, **{"client_id": "client-2", **other}))


def invited(lived: timedelta, lives: timedelta) -> Drift:
    """An invitation made this long ago, for this long."""

    def drift(_: Stack) -> None:
        wiring.invitations().add(new_invitation("School", wiring.now() - lived, lives)[1])

    return drift


def dead_letter(stack: Stack) -> None:
    stack.sqs.send_message(QueueUrl=stack.environment["SCORES_DEAD_LETTERS_URL"], MessageBody="{}")


def score() -> Score:
    return Score(
        key=ScoreKey(registration=REGISTRATION.reference, line_item="https://lms.example/li/1", user_id="user-1"),
        deployment_id="1",
        timestamp=wiring.now(),
        score_given=1,
        score_maximum=1,
        activity_progress=ActivityProgress.COMPLETED,
        grading_progress=GradingProgress.FULLY_GRADED,
    )


def score_waiting(stack: Stack) -> None:
    """Since before noon of the day before."""
    wiring.score_desk().outbox.put(score())
    (item,) = stack.dynamodb.scan(TableName="RecordsTable")["Items"]
    then = (wiring.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    stack.dynamodb.put_item(TableName="RecordsTable", Item={**item, "next_try_at": {"S": then}})


def score_of_a_disabled_platform(stack: Stack) -> None:
    wiring.score_desk().outbox.put(score())
    stack.knows(replace(REGISTRATION, enabled=False))


DRIFTS: list[tuple[Drift, str, str]] = [
    (ttl_off("LaunchesTable"), "ttl_off", "aws dynamodb update-time-to-live --table-name LaunchesTable"),
    (ttl_off("RegistrationsTable"), "ttl_off", "aws dynamodb update-time-to-live --table-name RegistrationsTable"),
    (backups_off("RecordsTable"), "backups_off", "aws dynamodb update-continuous-backups --table-name RecordsTable"),
    (backups_off("RegistrationsTable"), "backups_off", "aws dynamodb update-continuous-backups"),
    (key_disabled, "key_disabled", "aws kms enable-key --key-id"),
    (key_about_to_go, "key_pending_deletion", "aws kms cancel-key-deletion --key-id"),
    (key_not_published, "key_not_published", f"curl {TOOL_URL}/lti/jwks.json"),
    (region_moved, "region_moved", f"curl {TOOL_URL}/lti/jwks.json"),
    (region_gone, "region_silent", "aws dynamodb delete-item"),
    (
        registered(
            issuer="https://canvas.instructure.com",
            jwks_uri="https://canvas.instructure.com/api/lti/security/jwks",
            family=PlatformFamily.CANVAS,
        ),
        "old_endpoints",
        "--jwks-url https://sso.canvaslms.com/api/lti/security/jwks --local",
    ),
    (registered(deployments={"1": DeploymentStatus.PENDING}), "deployment_pending", "lti deployment approve"),
    (
        registered(client_id="client-3", deployments={}, deployment_policy=DeploymentPolicy.CLOSED),
        "no_deployment",
        "lti deployment approve",
    ),
    (
        invited(timedelta(hours=164), timedelta(days=7)),
        "invitation_expiring",
        "lti invite create --tenant School",
    ),
    (invited(timedelta(days=8), timedelta(days=7)), "invitation_expired", "lti invite revoke"),
    (score_waiting, "scores_waiting", f"lti platform check {REGISTRATION.reference} --local"),
    (score_of_a_disabled_platform, "scores_of_disabled", f"lti platform enable {REGISTRATION.reference} --local"),
    (dead_letter, "dead_letters", "lti scores redrive --local"),
]


def examines(lti: Lti) -> tuple[int, list[dict[str, str]]]:
    status, out, err = lti("doctor", "--json")
    assert not err
    return status, json.loads(out)["findings"]


def test_a_healthy_stack_has_nothing_to_mend(lti: Lti, well: Stack) -> None:
    well.knows(replace(REGISTRATION, client_id="client-2", deployments={}, deployment_policy=DeploymentPolicy.AUTO))
    wiring.invitations().add(new_invitation("School", wiring.now(), timedelta(minutes=30))[1])
    wiring.score_desk().outbox.put(score())

    status, out, _ = lti("doctor")

    assert (status, examines(lti)) == (0, (0, []))
    assert out.endswith("All is well.\n")


@pytest.mark.parametrize(("drift", "problem", "mend"), DRIFTS, ids=lambda part: part if isinstance(part, str) else "")
def test_a_drift_is_found_alone_with_its_mend(lti: Lti, well: Stack, drift: Drift, problem: str, mend: str) -> None:
    drift(well)

    status, found = examines(lti)

    assert (status, [finding["problem"] for finding in found]) == (1, [problem])
    assert mend in found[0]["mend"]


def test_all_drifts_together_are_found_together(lti: Lti, well: Stack) -> None:
    for drift, _, _ in DRIFTS:
        if drift not in {key_about_to_go, score_of_a_disabled_platform}:  # they stand in another's place
            drift(well)

    _, found = examines(lti)

    missed = {problem for _, problem, _ in DRIFTS} - {finding["problem"] for finding in found}
    # Of a key that cannot sign nobody asks whether it is published.
    assert missed == {"key_pending_deletion", "scores_of_disabled", "key_not_published"}


@pytest.mark.parametrize("index", ["due", "refused"])
def test_a_missing_index_is_found_and_the_command_makes_it_again(lti: Lti, well: Stack, index: str) -> None:
    gone: Any = [{"Delete": {"IndexName": index}}]
    well.dynamodb.update_table(TableName="RecordsTable", GlobalSecondaryIndexUpdates=gone)

    _, found = examines(lti)

    (missing,) = [finding for finding in found if finding["problem"] == "index_missing"]
    words = missing["mend"].split("--global-secondary-index-updates '")[1]
    updates = json.loads(words.split("'")[0])
    well.dynamodb.update_table(
        TableName="RecordsTable",
        AttributeDefinitions=template()["Resources"]["RecordsTable"]["Properties"]["AttributeDefinitions"],
        GlobalSecondaryIndexUpdates=updates,
    )
    assert missing["field"] == "RecordsTable"
    assert examines(lti) == (0, [])


def test_a_region_that_serves_what_it_recorded_is_well_and_another_is_not(lti: Lti, well: Stack) -> None:  # noqa: ARG001
    with region_serving(OTHER_KEY) as url:
        wiring.regions().put(Region(name="us-east-1", base_url=url, keys=(OTHER_KEY,)))
        agrees = examines(lti)
    with region_serving(public("set-up-anew")) as url:
        wiring.regions().put(Region(name="us-east-1", base_url=url, keys=(OTHER_KEY,)))
        differs = examines(lti)[1]

    assert agrees == (0, [])
    assert [finding["problem"] for finding in differs] == ["region_differs"]


@pytest.mark.usefixtures("well")
def test_a_signing_key_that_kms_has_deleted_is_told_with_what_makes_another(lti: Lti) -> None:
    wiring.key_publisher().publish(TOOL_URL)
    new = lti.json("keys", "rotate", "--now-after", "0")
    keys: Any = get_backend("kms")[ACCOUNT][REGION].keys
    del keys[next(key["key_id"] for key in lti.json("keys", "list") if key["kid"] == new["kid"])]

    _, found = examines(lti)
    lti.json("keys", "revoke", f"--kid={new['kid']}")

    assert [(finding["field"], finding["problem"]) for finding in found] == [("signing key", "key_unavailable")]
    assert f"lti keys revoke --kid={new['kid']}" in found[0]["mend"]
    assert new["kid"] not in {key["kid"] for key in lti.json("keys", "list") if key["state"] == "signing"}


def test_what_cannot_be_looked_at_is_said_and_the_rest_is_looked_at(lti: Lti, well: Stack) -> None:
    key_disabled(well)
    well.sqs.delete_queue(QueueUrl=well.dead_letters_url)
    try:
        status, found = examines(lti)
    finally:
        well.sqs.create_queue(QueueName="ScoresDeadLetterQueue")

    assert status == 1
    assert [(finding["field"], finding["problem"]) for finding in found] == [
        ("signing key", "key_disabled"),
        ("dead letters", "not_seen"),
    ]


def test_the_page_of_findings_has_all_of_them_and_no_other() -> None:
    told = "".join((ROOT / "operate" / f"{name}.py").read_text() for name in ("check", "doctor"))
    said = re.findall(r'problem(?:, saw)? ?= ?\(?\s*"(\w+)"', told)
    said += re.findall(r'self\._(?:wrong\("\w+", |key\()"(\w+)"', told)
    said += ["invitation_expired", "invitation_expiring"]

    explained = re.findall(r"^\| `(\w+)`", (ROOT / "docs" / "checks.md").read_text(), re.M)

    assert set(explained) == set(said)
