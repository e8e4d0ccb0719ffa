"""`lti doctor`: looks over the whole stack, and says of each thing that has drifted which command mends it.

What tables have to be like is read from template.yaml, so that there is no second description of it.
"""

from __future__ import annotations

import argparse
import json
import shlex
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from botocore.exceptions import BotoCoreError, ClientError

from lti_tool.adapters.outbound import Outbound
from lti_tool.domain.errors import ToolError
from lti_tool.domain.jwks import platform_keys
from lti_tool.domain.region import Region
from lti_tool.domain.registration import DeploymentPolicy, DeploymentStatus, Registration, RegistrationReference
from lti_tool.domain.score import OutboxEntry
from lti_tool.runtime import wiring
from lti_tool.runtime.settings import settings
from operate.findings import Finding, Report, Step
from operate.stack import Stack
from operate.together import together

TOO_LONG = timedelta(hours=1)
SOON = timedelta(days=1)
MOST_SCORES = 1000  # of those that wait, looked at one by one
REGIONS_WITHIN_SECONDS = 10.0

_TABLES = {
    "RegistrationsTable": "REGISTRATIONS_TABLE",
    "LaunchesTable": "LAUNCHES_TABLE",
    "RecordsTable": "RECORDS_TABLE",
}
_OLD_CANVAS_HOSTS = {
    "canvas.instructure.com": "sso.canvaslms.com",
    "canvas.beta.instructure.com": "sso.beta.canvaslms.com",
    "canvas.test.instructure.com": "sso.test.canvaslms.com",
}


def add_verbs(nouns: Any, common: argparse.ArgumentParser) -> None:
    doctor = nouns.add_parser("doctor", parents=[common], help="look over the whole stack")
    doctor.set_defaults(verb=_doctor)


def _doctor(stack: Stack, _: argparse.Namespace) -> Report:
    rounds = Rounds(stack)
    steps: list[Step] = []
    findings: list[Finding] = []
    for what, look in rounds.looks():
        try:
            found = list(look())
        except (ToolError, ClientError, BotoCoreError) as error:
            found = [_unseen(what, error)]
        findings += found
        saw = ", ".join(dict.fromkeys(finding.problem for finding in found)) or "well"
        steps.append(Step(field=what, right=not found, saw=saw))
    return Report(name="doctor", steps=steps, findings=findings, status=1 if findings else 0)


def _unseen(what: str, error: Exception) -> Finding:
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    return Finding(
        field=what,
        problem="not_seen",
        sentence=f"This could not be looked at: {error if isinstance(error, ToolError) and str(error) else code}.",
        mend="See that the stack is there, and that your AWS identity may read it (aws sts get-caller-identity).",
    )


@dataclass(frozen=True, slots=True)
class Rounds:
    """Each look yields what it finds, and nothing where all is well."""

    stack: Stack

    def looks(self) -> Iterator[tuple[str, Callable[[], Iterator[Finding]]]]:
        for name in _TABLES:
            yield name, partial(self._table, name)
        yield "signing key", self._signing_key
        yield "regions", self._regions
        yield "platforms", self._platforms
        yield "invitations", self._invitations
        yield "scores", self._scores
        yield "dead letters", self._dead_letters

    # --- Tables -------------------------------------------------------------------------------------------------

    def _table(self, logical_id: str) -> Iterator[Finding]:
        client, table, wanted = _client("dynamodb"), self.stack.environment[_TABLES[logical_id]], _wanted(logical_id)
        described = client.describe_table(TableName=table)["Table"]
        there = {index["IndexName"]: index["IndexStatus"] for index in described.get("GlobalSecondaryIndexes", [])}
        for index in wanted.get("GlobalSecondaryIndexes", []):
            name = index["IndexName"]
            if there.get(name, "") in {"ACTIVE", "UPDATING"}:
                continue
            if name in there:
                sentence, mend = f"The index {name} is {there[name]}.", "Wait until it is ACTIVE, then look again."
            else:
                keys = {key["AttributeName"] for key in index["KeySchema"]}
                attributes = [each for each in wanted["AttributeDefinitions"] if each["AttributeName"] in keys]
                mend = self._aws(
                    "dynamodb update-table",
                    **{
                        "--table-name": table,
                        "--attribute-definitions": json.dumps(attributes),
                        "--global-secondary-index-updates": json.dumps([{"Create": index}]),
                    },
                )
                sentence = f"The index {name} is missing."
            yield Finding(field=logical_id, problem="index_missing", sentence=sentence, mend=mend)
        if ttl := wanted.get("TimeToLiveSpecification"):
            found = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
            is_on = found.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
            if not is_on or found.get("AttributeName") != ttl["AttributeName"]:
                said = f"Enabled=true,AttributeName={ttl['AttributeName']}"
                yield Finding(
                    field=logical_id,
                    problem="ttl_off",
                    sentence="Time to live is off: what has expired is never deleted.",
                    mend=self._aws(
                        "dynamodb update-time-to-live", **{"--table-name": table, "--time-to-live-specification": said}
                    ),
                )
        if _is_backed_up(wanted):
            backups = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
            status = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
            if status != "ENABLED":
                said = "PointInTimeRecoveryEnabled=true"
                yield Finding(
                    field=logical_id,
                    problem="backups_off",
                    sentence="Point-in-time recovery is off: what is lost stays lost.",
                    mend=self._aws(
                        "dynamodb update-continuous-backups",
                        **{"--table-name": table, "--point-in-time-recovery-specification": said},
                    ),
                )

    # --- Keys and regions ---------------------------------------------------------------------------------------

    def _signing_key(self) -> Iterator[Finding]:
        key = wiring.signer().key_id()
        kms = _client("kms")
        try:
            state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
        except kms.exceptions.NotFoundException:
            yield self._key("key_unavailable", "is gone", self._lti("keys revoke", f"--kid={self._kid()}"))
            return
        enable = self._aws("kms enable-key", **{"--key-id": key})
        if state == "PendingDeletion":
            cancel = self._aws("kms cancel-key-deletion", **{"--key-id": key})
            yield self._key("key_pending_deletion", "is going to be deleted", f"{cancel} && {enable}")
        elif state == "Disabled":
            yield self._key("key_disabled", "is disabled", enable)
        elif state != "Enabled":
            yield self._key("key_unavailable", f"is {state}", self._aws("kms describe-key", **{"--key-id": key}))
        else:
            yield from self._published()

    @staticmethod
    def _key(problem: str, state: str, mend: str) -> Finding:
        sentence = f"The signing key {state}: no picked activity and no mark can be signed."
        return Finding(field="signing key", problem=problem, sentence=sentence, mend=mend)

    def _published(self) -> Iterator[Finding]:
        recorded = wiring.regions().all()
        own = next((region for region in recorded if region.name == settings().region), None)
        missing = own is not None and self._kid() not in _kids(own)
        if missing or (own is None and recorded):  # a lone region serves its keys without a record
            sentence = (
                "The record of this region lacks the key that signs: the other regions' key sets do not have it, and"
                " platforms that fetch those refuse us. It is written anew when our key set is asked for, at most"
                " once a minute."
            )
            mend = f"curl {self.stack.tool_url}/lti/jwks.json"
            yield Finding(field="signing key", problem="key_not_published", sentence=sentence, mend=mend)

    @staticmethod
    def _kid() -> str:
        return wiring.signer().kid()

    def _regions(self) -> Iterator[Finding]:
        recorded = wiring.regions().all()
        for region in recorded:
            if region.name == settings().region and region.base_url != self.stack.tool_url:
                sentence = (
                    f"The record of this region says {region.base_url}, the stack {self.stack.tool_url}. It is written"
                    " anew when our key set is asked for, at most once a minute."
                )
                mend = f"curl {self.stack.tool_url}/lti/jwks.json"
                yield Finding(field=region.name, problem="region_moved", sentence=sentence, mend=mend)
        others = [region for region in recorded if region.name != settings().region]
        outbound = Outbound(loopback_http=self.stack.loopback_http)
        fetches = {region.name: partial(outbound.fetch_json, f"{region.base_url}/lti/jwks.json") for region in others}
        served = together(fetches, REGIONS_WITHIN_SECONDS)
        for region in others:
            if region.name not in served:
                yield Finding(
                    field=region.name,
                    problem="region_silent",
                    sentence=f"The region {region.name} does not serve its key set at {region.base_url}.",
                    mend=f"lti doctor on that region's stack; where it is no more, {self._forget(region)}",
                )
            elif lacking := _kids(region) - set(platform_keys(served[region.name])):
                sentence = (
                    f"The region {region.name} signs with other keys than its record says: {len(lacking)} of the record"
                    " are not in its key set."
                )
                mend = f"lti doctor on that region's stack; if it was set up anew, {self._forget(region)}"
                yield Finding(field=region.name, problem="region_differs", sentence=sentence, mend=mend)

    def _forget(self, region: Region) -> str:
        key = {"pk": {"S": "regions"}, "sk": {"S": f"region#{region.name}"}}
        table = self.stack.environment["REGISTRATIONS_TABLE"]
        return self._aws("dynamodb delete-item", **{"--table-name": table, "--key": json.dumps(key)})

    # --- Platforms and invitations ------------------------------------------------------------------------------

    def _platforms(self) -> Iterator[Finding]:
        for registration in wiring.registrations().all():
            yield from self._old_hosts(registration)
            if registration.enabled:
                yield from self._places(registration)

    def _old_hosts(self, registration: Registration) -> Iterator[Finding]:
        endpoints = {
            "--auth-url": registration.authorization_endpoint,
            "--token-url": registration.token_endpoint,
            "--jwks-url": registration.jwks_uri,
        }
        newer = {
            option: urlsplit(url)._replace(netloc=_OLD_CANVAS_HOSTS[urlsplit(url).netloc]).geturl()
            for option, url in endpoints.items()
            if urlsplit(url).netloc in _OLD_CANVAS_HOSTS
        }
        if newer:
            yield Finding(
                field=registration.reference,
                problem="old_endpoints",
                sentence="Canvas moved these endpoints to sso.canvaslms.com, and announced that the old ones will end.",
                mend=self._lti(
                    "platform update", registration.reference, *(word for pair in newer.items() for word in pair)
                ),
            )

    def _places(self, registration: Registration) -> Iterator[Finding]:
        reference, deployments = registration.reference, registration.deployments
        waiting = [name for name, status in deployments.items() if status is DeploymentStatus.PENDING]
        for name in waiting:
            sentence = f"The deployment {name!r} of {_called(registration)} waits for your approval."
            mend = self._lti("deployment approve", reference, name)
            yield Finding(field=reference, problem="deployment_pending", sentence=sentence, mend=mend)
        served = DeploymentStatus.ENABLED in deployments.values()
        if registration.deployment_policy is DeploymentPolicy.CLOSED and not served and not waiting:
            sentence = f"{_called(registration)} has no deployment that is served, and the policy is closed."
            mend = self._lti("deployment approve", reference, "DEPLOYMENT_ID")
            yield Finding(field=reference, problem="no_deployment", sentence=sentence, mend=mend)

    def _invitations(self) -> Iterator[Finding]:
        now = wiring.now()
        for invitation in wiring.invitations().all():
            left, life = invitation.expires_at - now, invitation.expires_at - invitation.created_at
            if invitation.spent_at is not None or left > min(SOON, life / 4):
                continue
            ended = left <= timedelta()
            sentence = f"The invitation for {invitation.tenant!r} " + (
                "has expired unused." if ended else f"expires in {_long(left)} and is not used yet."
            )
            again = ["--tenant", invitation.tenant] if invitation.tenant else []
            mend = f"{self._lti('invite revoke', invitation.id)} && {self._lti('invite create', *again)}"
            problem = "invitation_expired" if ended else "invitation_expiring"
            yield Finding(field=invitation.id, problem=problem, sentence=sentence, mend=mend)

    # --- Scores -------------------------------------------------------------------------------------------------

    def _scores(self) -> Iterator[Finding]:
        late: defaultdict[RegistrationReference, list[OutboxEntry]] = defaultdict(list)
        known = {registration.reference: registration for registration in wiring.registrations().all()}
        oldest = wiring.now() - TOO_LONG
        for entry in islice(wiring.score_desk().waiting(), MOST_SCORES):
            reference = entry.score.key.registration
            stopped = reference in known and not known[reference].enabled
            since = entry.failing_since or entry.next_try_at
            if stopped or (since is not None and since < oldest):
                late[reference].append(entry)
        for reference, entries in late.items():
            count = f"{len(entries)} {'score' if len(entries) == 1 else 'scores'}"
            registration = known.get(reference)
            if registration is not None and not registration.enabled:
                sentence = f"{count} wait for {_called(registration)}, which is disabled: nothing is sent to it."
                mend = self._lti("platform enable", reference)
                yield Finding(field=reference, problem="scores_of_disabled", sentence=sentence, mend=mend)
                continue
            causes = ", ".join(sorted({entry.cause for entry in entries if entry.cause})) or "never tried"
            sentence = f"{count} have waited for over an hour ({causes})."
            mend = self._lti("platform check", reference)
            yield Finding(field=reference, problem="scores_waiting", sentence=sentence, mend=mend)

    def _dead_letters(self) -> Iterator[Finding]:
        counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        queue = self.stack.environment["SCORES_DEAD_LETTERS_URL"]
        found = _client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=counts)["Attributes"]
        if letters := sum(int(found.get(name, 0)) for name in counts):
            sentence = f"{letters} score {'message' if letters == 1 else 'messages'} failed too often and went aside."
            mend = self._lti("scores redrive")
            yield Finding(field="dead letters", problem="dead_letters", sentence=sentence, mend=mend)

    # --- Commands -----------------------------------------------------------------------------------------------

    def _lti(self, *words: str) -> str:
        return f"lti {words[0]} {' '.join(map(shlex.quote, words[1:]))} {self.stack.options}".replace("  ", " ")

    def _aws(self, verb: str, **options: str) -> str:
        environment = self.stack.environment
        options = {**options, "--region": environment["AWS_REGION"]}
        if self.stack.is_local:
            options["--endpoint-url"] = environment["AWS_ENDPOINT_URL"]
        return " ".join(["aws", verb, *(f"{name} {shlex.quote(value)}" for name, value in options.items())])


def _called(registration: Registration) -> str:
    return registration.tenant or registration.issuer


def _kids(region: Region) -> set[str]:
    return {key["kid"] for key in region.keys}


def _long(left: timedelta) -> str:
    minutes = max(1, round(left.total_seconds() / 60))
    return f"{minutes} min" if minutes < 100 else f"{round(minutes / 60)} h"


def _is_backed_up(wanted: Mapping[str, Any]) -> bool:
    """Of a global table, each replica says it for itself."""
    places = [wanted, *wanted.get("Replicas", [])]
    return any(place.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled") for place in places)


def _client(service: Any) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
    return boto3.client(service, config=config)


class _Template(yaml.SafeLoader):
    """Reads template.yaml; what only CloudFormation can work out is left out."""


_Template.add_multi_constructor("!", lambda *_: None)


@cache
def _wanted(logical_id: str) -> dict[str, Any]:
    text = (Path(__file__).resolve().parents[1] / "template.yaml").read_text(encoding="utf-8")
    resources: dict[str, Any] = yaml.load(text, _Template)["Resources"]  # noqa: S506 - a SafeLoader
    properties: dict[str, Any] = resources[logical_id]["Properties"]
    return properties
