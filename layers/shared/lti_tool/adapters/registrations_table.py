"""RegistrationsTable: registrations, their deployments, and the catalogue; no student data.

| pk | sk | holds |
| --- | --- | --- |
| `registration#REFERENCE` | `registration` | a registration |
| `registration#REFERENCE` | `deployment#ID` | one deployment's status, and its name if it has one |
| `issuer#ISSUER` | `registration#REFERENCE` | finds the registrations of an issuer |
| `registration#REFERENCE` | `landing`, `landing#DEPLOYMENT` | landing rules of its own, as JSON |
| `landing` | `landing` | the stack's landing rules, as JSON |
| `catalogue` | `activity#ID` | an activity, as JSON |
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lti_tool.adapters.dynamodb import ConditionFailedError, Item, marshal, query, store, unmarshal
from lti_tool.domain.errors import (
    AmbiguousPlatformError,
    UnknownActivityError,
    UnknownClientError,
    UnknownRegistrationError,
)
from lti_tool.domain.landing import LandingTable, as_json, shipped_table, stored_table
from lti_tool.domain.registration import (
    DeploymentPolicy,
    DeploymentStatus,
    PlatformFamily,
    Registration,
    RegistrationReference,
    reference_of,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from lti_tool.domain.activity import Activity

BELIEVED_SECONDS = 60.0
_LONGEST_KEY = 2048  # bytes; DynamoDB refuses to look for a longer one
_LARGEST_TRANSACTION = 100  # DynamoDB's limit
_DEPLOYMENT = "deployment#"
_LANDING = "landing"


class RegistrationsTable:
    """What is found is believed for a minute; what is not found is asked again each time."""

    def __init__(self, client: DynamoDBClient, table: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._table = table
        self._monotonic = monotonic
        self._believed: dict[str, tuple[float, Registration]] = {}
        self._landing: dict[str, dict[str, LandingTable]] = {}  # read with its registration, believed as long
        self._stack_landing: tuple[float, LandingTable] | None = None

    def referred_to(self, reference: RegistrationReference) -> Registration:
        until, registration = self._believed.get(reference, (0.0, None))
        if registration is not None and self._monotonic() < until:
            return registration
        items = self._query(f"registration#{reference}")
        if not items or items[-1]["sk"] != "registration":  # all else sorts before it
            self._believed.pop(reference, None)
            raise UnknownRegistrationError
        registration = _registration(items[-1], items[:-1])
        self._landing[reference] = {
            item["sk"]: stored_table("platform" if item["sk"] == _LANDING else "deployment", item["rules"])
            for item in items
            if item["sk"].startswith(_LANDING)
        }
        self._believed[reference] = (self._monotonic() + BELIEVED_SECONDS, registration)
        return registration

    def of_platform(self, issuer: str, client_id: str | None) -> Registration:
        if len(f"issuer#{issuer}".encode()) > _LONGEST_KEY:
            raise UnknownRegistrationError
        if client_id is not None:
            try:
                return self.referred_to(reference_of(issuer, client_id))
            except UnknownRegistrationError:
                if self._query(f"issuer#{issuer}"):
                    raise UnknownClientError from None
                raise
        found = [item["sk"].removeprefix("registration#") for item in self._query(f"issuer#{issuer}")]
        if len(found) > 1:
            raise AmbiguousPlatformError
        if not found:
            raise UnknownRegistrationError
        return self.referred_to(RegistrationReference(found[0]))

    def deployment_status(self, registration: Registration, deployment_id: str) -> DeploymentStatus | None:
        key = marshal({":pk": f"registration#{registration.reference}", ":sk": _DEPLOYMENT + deployment_id})
        with store():
            found = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk = :sk",
                ExpressionAttributeValues=key,
                ConsistentRead=True,
            )
        if not found["Items"]:
            return None
        item = unmarshal(found["Items"][0])
        status = DeploymentStatus(item["status"])
        self._learn(registration, deployment_id, status, item.get("tenant"))
        return status

    def add_deployment(self, registration: Registration, deployment_id: str, status: DeploymentStatus) -> bool:
        item = _deployment_item(registration, deployment_id, status)
        try:
            with store():
                self._client.put_item(
                    TableName=self._table, Item=marshal(item), ConditionExpression="attribute_not_exists(pk)"
                )
        except ConditionFailedError:
            return False  # somebody was faster, and theirs stands
        self._learn(registration, deployment_id, status, None)
        return True

    def _learn(
        self, registration: Registration, deployment_id: str, status: DeploymentStatus, tenant: str | None
    ) -> None:
        """Believe it with the rest of its registration, and no longer than that."""
        until, believed = self._believed.get(registration.reference, (0.0, None))
        if believed is not None:
            deployments = {**believed.deployments, deployment_id: status}
            tenants = {**believed.deployment_tenants, **({deployment_id: tenant} if tenant else {})}
            learnt = replace(believed, deployments=deployments, deployment_tenants=tenants)
            self._believed[registration.reference] = (until, learnt)

    # --- Landing rules --------------------------------------------------------------------------------------

    def table_for(self, registration: RegistrationReference, deployment_id: str) -> LandingTable:
        self.referred_to(registration)
        own = self._landing[registration]
        return own.get(f"{_LANDING}#{deployment_id}") or own.get(_LANDING) or self.table_of_stack()

    def table_of_stack(self) -> LandingTable:
        if self._stack_landing is None or self._monotonic() >= self._stack_landing[0]:
            with store():
                found = self._client.get_item(
                    TableName=self._table, Key=marshal({"pk": _LANDING, "sk": _LANDING}), ConsistentRead=True
                )
            table = stored_table("stack", unmarshal(found["Item"])["rules"]) if "Item" in found else shipped_table()
            self._stack_landing = (self._monotonic() + BELIEVED_SECONDS, table)
        return self._stack_landing[1]

    def put_table(
        self, table: LandingTable, registration: RegistrationReference | None, deployment_id: str | None
    ) -> None:
        item = {**_landing_key(registration, deployment_id), "rules": as_json(table)}
        with store():
            self._client.put_item(TableName=self._table, Item=marshal(item))
        self._forget_landing(registration)

    def remove_table(self, registration: RegistrationReference | None, deployment_id: str | None) -> bool:
        with store():
            before = self._client.delete_item(
                TableName=self._table,
                Key=marshal(_landing_key(registration, deployment_id)),
                ReturnValues="ALL_OLD",
            )
        self._forget_landing(registration)
        return "Attributes" in before

    def _forget_landing(self, registration: RegistrationReference | None) -> None:
        self._stack_landing = None
        if registration is not None:
            self._believed.pop(registration, None)

    # --- The operator's side --------------------------------------------------------------------------------

    def add(self, registration: Registration) -> bool:
        before = self._query(f"registration#{registration.reference}")
        found = list(registration.deployments.items())
        alongside, ahead = found[: _LARGEST_TRANSACTION - 2], found[_LARGEST_TRANSACTION - 2 :]
        for deployment in ahead:  # unseen until their registration is there
            self.put_deployment(registration, *deployment)
        self._write(replace(registration, deployments=dict(alongside)), "")
        listed = {_DEPLOYMENT + deployment_id for deployment_id in registration.deployments}
        for item in before:
            if item["sk"].startswith(_DEPLOYMENT) and item["sk"] not in listed:
                self._delete(item["pk"], item["sk"])
        return not before

    def add_new(self, registration: Registration) -> bool:
        try:
            self._write(registration, "attribute_not_exists(pk)")
        except ConditionFailedError:
            return False
        return True

    def _write(self, registration: Registration, condition: str) -> None:
        reference = registration.reference
        beside = (
            {"pk": f"issuer#{registration.issuer}", "sk": f"registration#{reference}"},
            *(_deployment_item(registration, *found) for found in registration.deployments.items()),
        )
        first: Any = {"TableName": self._table, "Item": marshal(_registration_item(registration))}
        if condition:
            first["ConditionExpression"] = condition
        writes: list[Any] = [{"Put": first}]
        writes += [{"Put": {"TableName": self._table, "Item": marshal(item)}} for item in beside]
        with store():
            self._client.transact_write_items(TransactItems=writes)
        self._believed.pop(reference, None)

    def put(self, registration: Registration) -> None:
        try:
            with store():
                self._client.put_item(
                    TableName=self._table,
                    Item=marshal(_registration_item(registration)),
                    ConditionExpression="attribute_exists(pk)",
                )
        except ConditionFailedError:
            raise UnknownRegistrationError(registration.reference) from None
        self._believed.pop(registration.reference, None)

    def put_deployment(self, registration: Registration, deployment_id: str, status: DeploymentStatus) -> None:
        with store():
            self._client.put_item(
                TableName=self._table, Item=marshal(_deployment_item(registration, deployment_id, status))
            )
        self._believed.pop(registration.reference, None)

    def remove(self, registration: Registration) -> None:
        keys = [(f"issuer#{registration.issuer}", f"registration#{registration.reference}")]
        keys += [(item["pk"], item["sk"]) for item in self._query(f"registration#{registration.reference}")]
        for pk, sk in keys:
            self._delete(pk, sk)
        self._believed.pop(registration.reference, None)

    def _delete(self, pk: str, sk: str) -> None:
        with store():
            self._client.delete_item(TableName=self._table, Key=marshal({"pk": pk, "sk": sk}))

    def all(self) -> Sequence[Registration]:
        """Every registration, by issuer and client_id; reads the whole table, so for operators only."""
        found = (item["pk"].removeprefix("registration#") for item in self._scan() if item["sk"] == "registration")
        return sorted(map(self.referred_to, found), key=lambda found: (found.issuer, found.client_id))

    def keeping_our_key(self) -> Sequence[Registration]:
        found = self._scan(FilterExpression="attribute_exists(pushes_public_key_to)")
        return [registration for item in found if (registration := _registration(item, ())).enabled]

    def _scan(self, **only: Any) -> Iterator[Item]:
        while True:
            with store():
                page = self._client.scan(TableName=self._table, ConsistentRead=True, **only)
            yield from map(unmarshal, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            only["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _query(self, pk: str) -> list[Item]:
        return query(self._client, self._table, pk)


class CatalogueTable:
    """The activities of the catalogue; the whole of it is believed for a minute."""

    def __init__(self, client: DynamoDBClient, table: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._table = table
        self._monotonic = monotonic
        self._believed: tuple[float, dict[str, Activity]] = (0.0, {})

    def all(self) -> Sequence[Activity]:
        return list(self._activities().values())

    def find(self, activity_id: str) -> Activity:
        if activity_id not in self._activities():
            self._believed = (0.0, {})
        try:
            return self._activities()[activity_id]
        except KeyError:
            raise UnknownActivityError(activity_id) from None

    def put(self, activity: Activity) -> None:
        item = {"pk": "catalogue", "sk": f"activity#{activity.id}", "activity": activity.model_dump_json()}
        with store():
            self._client.put_item(TableName=self._table, Item=marshal(item))
        self._believed = (0.0, {})

    def remove(self, activity_id: str) -> None:
        self.find(activity_id)
        with store():
            self._client.delete_item(
                TableName=self._table, Key=marshal({"pk": "catalogue", "sk": f"activity#{activity_id}"})
            )
        self._believed = (0.0, {})

    def _activities(self) -> dict[str, Activity]:
        from lti_tool.domain.activity import (
            parse_activity,
        )  # login and launch share this module, and do without pydantic

        until, found = self._believed
        if self._monotonic() >= until:
            items = query(self._client, self._table, "catalogue")
            activities = (parse_activity(json.loads(item["activity"])) for item in items)
            found = {activity.id: activity for activity in activities}
            self._believed = (self._monotonic() + BELIEVED_SECONDS, found)
        return found


def _registration_item(registration: Registration) -> Item:
    return {
        "pk": f"registration#{registration.reference}",
        "sk": "registration",
        "issuer": registration.issuer,
        "client_id": registration.client_id,
        "authorization_endpoint": registration.authorization_endpoint,
        "token_endpoint": registration.token_endpoint,
        "jwks_uri": registration.jwks_uri,
        "token_audience": registration.token_audience,
        "family": registration.family.value,
        "tenant": registration.tenant or None,
        "enabled": registration.enabled,
        "allow_anonymous": registration.allow_anonymous,
        "deployment_policy": registration.deployment_policy.value,
        "frame_ancestors": " ".join(registration.frame_ancestors) or None,
        "pushes_public_key_to": registration.pushes_public_key_to,
    }


def _landing_key(registration: RegistrationReference | None, deployment_id: str | None) -> Item:
    if registration is None:
        return {"pk": _LANDING, "sk": _LANDING}
    return {
        "pk": f"registration#{registration}",
        "sk": _LANDING if deployment_id is None else f"{_LANDING}#{deployment_id}",
    }


def _deployment_item(registration: Registration, deployment_id: str, status: DeploymentStatus) -> Item:
    return {
        "pk": f"registration#{registration.reference}",
        "sk": _DEPLOYMENT + deployment_id,
        "status": status.value,
        "tenant": registration.deployment_tenants.get(deployment_id),
    }


def _registration(item: Item, deployments: Sequence[Item]) -> Registration:
    found = {one["sk"].removeprefix(_DEPLOYMENT): one for one in deployments if one["sk"].startswith(_DEPLOYMENT)}
    return Registration(
        issuer=item["issuer"],
        client_id=item["client_id"],
        authorization_endpoint=item["authorization_endpoint"],
        token_endpoint=item["token_endpoint"],
        jwks_uri=item["jwks_uri"],
        token_audience=item.get("token_audience"),
        family=PlatformFamily(item["family"]),
        tenant=item.get("tenant", ""),
        enabled=item["enabled"],
        allow_anonymous=item.get("allow_anonymous", False),
        deployment_policy=DeploymentPolicy(item["deployment_policy"]),
        frame_ancestors=tuple(item.get("frame_ancestors", "").split()),
        pushes_public_key_to=item.get("pushes_public_key_to"),
        deployments={deployment_id: DeploymentStatus(one["status"]) for deployment_id, one in found.items()},
        deployment_tenants={deployment_id: one["tenant"] for deployment_id, one in found.items() if "tenant" in one},
    )
