"""Registrations, deployments and the catalogue in their table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lti_tool.adapters.registrations_table import CatalogueTable, RegistrationsTable
from lti_tool.domain.errors import (
    AmbiguousPlatformError,
    StoreUnavailableError,
    UnknownActivityError,
    UnknownRegistrationError,
)
from lti_tool.domain.landing import LandingTable, parse_table, shipped_table
from lti_tool.domain.registration import DeploymentPolicy, DeploymentStatus, PlatformFamily, Registration, reference_of
from tests.support.stack import Stack, catalogue


class Monotonic:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def monotonic() -> Monotonic:
    return Monotonic()


@pytest.fixture
def table(stack: Stack, monotonic: Monotonic) -> RegistrationsTable:
    return RegistrationsTable(stack.dynamodb, "RegistrationsTable", monotonic=monotonic)


@pytest.fixture
def operator(stack: Stack) -> RegistrationsTable:
    """Another process, which changes what the first one believes."""
    return RegistrationsTable(stack.dynamodb, "RegistrationsTable")


def registration(issuer: str = "https://lms.example", client_id: str = "c", **other: object) -> Registration:
    values: dict[str, object] = {
        "issuer": issuer,
        "client_id": client_id,
        "authorization_endpoint": f"{issuer}/auth",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks",
        **other,
    }
    return Registration(**values)  # type: ignore[arg-type]


WHOLE = registration(
    token_audience="https://audience.example",
    family=PlatformFamily.MOODLE,
    tenant="School of Tests",
    enabled=False,
    deployment_policy=DeploymentPolicy.APPROVE,
    frame_ancestors=("https://a.example", "https://b.example"),
    deployments={
        "1": DeploymentStatus.ENABLED,
        "zz:top": DeploymentStatus.PENDING,
        "deployment#2": DeploymentStatus.DISABLED,
    },
)


@pytest.mark.parametrize("stored", [registration(), WHOLE], ids=["bare", "whole"])
def test_a_registration_comes_back_as_it_was_stored(table: RegistrationsTable, stored: Registration) -> None:
    assert table.add(stored) is True

    assert table.referred_to(stored.reference) == stored
    assert table.of_platform(stored.issuer, stored.client_id) == stored
    assert table.of_platform(stored.issuer, None) == stored


def test_storing_again_replaces(table: RegistrationsTable) -> None:
    table.add(registration())

    assert table.add(registration(tenant="new")) is False
    assert table.referred_to(registration().reference).tenant == "new"


def test_what_is_not_there_is_unknown(table: RegistrationsTable) -> None:
    with pytest.raises(UnknownRegistrationError):
        table.referred_to(reference_of("a", "b"))
    with pytest.raises(UnknownRegistrationError):
        table.of_platform("https://lms.example", None)


@pytest.mark.parametrize("client_id", [None, "c"])
def test_an_issuer_that_is_too_long_for_a_key_is_unknown_without_a_look(stack: Stack, client_id: str | None) -> None:
    nobody_to_ask = RegistrationsTable(stack.dynamodb, "NoSuchTable")

    with pytest.raises(UnknownRegistrationError):
        nobody_to_ask.of_platform("https://lms.example/" + "ø" * 1020, client_id)


def test_two_of_one_issuer_are_told_apart_by_client_id_only(table: RegistrationsTable) -> None:
    first, second = registration(), registration(client_id="d")
    table.add(first)
    table.add(second)

    with pytest.raises(AmbiguousPlatformError):
        table.of_platform(first.issuer, None)
    assert table.of_platform(first.issuer, "d") == second


def test_what_was_found_is_believed_for_a_minute(
    table: RegistrationsTable, operator: RegistrationsTable, monotonic: Monotonic
) -> None:
    table.add(registration())
    reference = registration().reference
    table.referred_to(reference)
    operator.add(registration(enabled=False))

    monotonic.seconds += 59
    before = table.referred_to(reference).enabled
    monotonic.seconds += 2
    after = table.referred_to(reference).enabled

    assert (before, after) == (True, False)


def test_what_was_not_found_is_asked_again_each_time(table: RegistrationsTable, operator: RegistrationsTable) -> None:
    with pytest.raises(UnknownRegistrationError):
        table.referred_to(registration().reference)
    operator.add(registration())

    assert table.referred_to(registration().reference) == registration()


def test_what_was_removed_is_gone_within_a_minute(
    table: RegistrationsTable, operator: RegistrationsTable, monotonic: Monotonic, stack: Stack
) -> None:
    table.add(WHOLE)
    table.referred_to(WHOLE.reference)
    operator.remove(WHOLE)
    monotonic.seconds += 61

    with pytest.raises(UnknownRegistrationError):
        table.referred_to(WHOLE.reference)
    assert stack.contents()["RegistrationsTable"] == {}


def test_all_are_listed_by_issuer_and_client_id(table: RegistrationsTable) -> None:
    stored = [registration(f"https://{name}.example", client_id) for name in "cab" for client_id in "yx"]
    for one in stored:
        table.add(one)

    assert list(table.all()) == sorted(stored, key=lambda one: (one.issuer, one.client_id))


def test_a_deployment_is_written_down_once_and_the_first_word_stands(
    table: RegistrationsTable, operator: RegistrationsTable
) -> None:
    table.add(registration())
    first = table.add_deployment(registration(), "1", DeploymentStatus.PENDING)
    second = operator.add_deployment(registration(), "1", DeploymentStatus.ENABLED)

    assert (first, second) == (True, False)
    assert operator.deployment_status(registration(), "1") is DeploymentStatus.PENDING
    assert operator.deployment_status(registration(), "2") is None


def test_a_deployments_status_is_read_as_it_is_now(table: RegistrationsTable, operator: RegistrationsTable) -> None:
    table.add(registration())
    table.referred_to(registration().reference)
    operator.add_deployment(registration(), "1", DeploymentStatus.ENABLED)

    assert table.deployment_status(registration(), "1") is DeploymentStatus.ENABLED


def test_what_was_learnt_of_a_deployment_is_believed_no_longer_than_its_registration(
    table: RegistrationsTable, operator: RegistrationsTable, monotonic: Monotonic
) -> None:
    table.add(registration())
    table.referred_to(registration().reference)
    monotonic.seconds += 59
    table.add_deployment(registration(), "1", DeploymentStatus.ENABLED)
    operator.put_deployment(registration(), "1", DeploymentStatus.DISABLED)

    before = table.referred_to(registration().reference).deployments
    monotonic.seconds += 2
    after = table.referred_to(registration().reference).deployments

    assert (before, after) == ({"1": DeploymentStatus.ENABLED}, {"1": DeploymentStatus.DISABLED})


def test_more_deployments_than_one_transaction_takes_are_stored(table: RegistrationsTable) -> None:
    many = registration(deployments={f"{number:03}": DeploymentStatus.ENABLED for number in range(230)})

    table.add(many)

    assert table.referred_to(many.reference) == many


def test_a_change_keeps_the_deployments_that_are_there(table: RegistrationsTable, operator: RegistrationsTable) -> None:
    table.add(registration())
    before = table.referred_to(registration().reference)
    operator.add_deployment(before, "1", DeploymentStatus.ENABLED)

    table.put(replace(before, tenant="new"))

    found = table.referred_to(registration().reference)
    assert (found.tenant, found.deployments) == ("new", {"1": DeploymentStatus.ENABLED})


def test_a_change_does_not_bring_back_what_was_removed(table: RegistrationsTable, stack: Stack) -> None:
    table.add(WHOLE)
    table.remove(WHOLE)

    with pytest.raises(UnknownRegistrationError):
        table.put(WHOLE)
    assert stack.contents()["RegistrationsTable"] == {}


def test_the_catalogue_gives_back_what_it_took(stack: Stack) -> None:
    table = CatalogueTable(stack.dynamodb, "RegistrationsTable")
    for activity in catalogue():
        table.put(activity)

    assert {activity.id: activity for activity in table.all()} == {activity.id: activity for activity in catalogue()}
    assert table.find("photosynthesis").id == "photosynthesis"


def test_an_activity_that_another_process_adds_is_found_at_once(stack: Stack) -> None:
    table, operator = (CatalogueTable(stack.dynamodb, "RegistrationsTable") for _ in range(2))
    with pytest.raises(UnknownActivityError):
        table.find(catalogue()[0].id)

    operator.put(catalogue()[0])

    assert table.find(catalogue()[0].id) == catalogue()[0]


def test_a_removed_activity_is_unknown(stack: Stack) -> None:
    table = CatalogueTable(stack.dynamodb, "RegistrationsTable")
    table.put(catalogue()[0])
    table.remove(catalogue()[0].id)

    with pytest.raises(UnknownActivityError):
        table.find(catalogue()[0].id)
    with pytest.raises(UnknownActivityError):
        table.remove(catalogue()[0].id)


def test_a_table_that_does_not_answer_is_our_own_error(stack: Stack) -> None:
    with pytest.raises(StoreUnavailableError):
        RegistrationsTable(stack.dynamodb, "NoSuchTable").referred_to(registration().reference)


# --- Landing rules ------------------------------------------------------------------------------------------------


def landing_table(name: str) -> LandingTable:
    rules = [{"name": name, "roles": ["Mentor"], "privileges": ["grader"]}]
    return parse_table("stack", {"rules": rules})


def name_in_force(table: RegistrationsTable, deployment_id: str = "1") -> str:
    return table.table_for(registration().reference, deployment_id).rules[0].name


def test_the_nearest_table_is_in_force_and_replaces_the_wider_ones(table: RegistrationsTable) -> None:
    table.add(registration())
    reference = registration().reference
    found = [table.table_for(reference, "1")]
    for where in ((None, None), (reference, None), (reference, "1")):
        table.put_table(landing_table(str(where)), *where)
        found.append(table.table_for(reference, "1"))

    assert found[0] == shipped_table()
    assert [one.scope for one in found[1:]] == ["stack", "platform", "deployment"]
    assert [len(one.rules) for one in found[1:]] == [1, 1, 1]
    assert table.table_for(reference, "2").scope == "platform"
    assert table.table_of_stack().scope == "stack"


def test_another_platform_is_not_touched(table: RegistrationsTable) -> None:
    other = registration(client_id="d")
    table.add(registration())
    table.add(other)
    table.put_table(landing_table("here"), registration().reference, None)

    assert table.table_for(other.reference, "1") == shipped_table()


def test_a_table_taken_away_gives_way_to_the_wider_one(table: RegistrationsTable) -> None:
    table.add(registration())
    table.put_table(landing_table("stack"), None, None)
    table.put_table(landing_table("platform"), registration().reference, None)

    assert table.remove_table(registration().reference, None) is True
    assert name_in_force(table) == "stack"
    assert table.remove_table(None, None) is True
    assert table.remove_table(None, None) is False
    assert table.table_for(registration().reference, "1") == shipped_table()


@pytest.mark.parametrize("scope", ["stack", "platform", "deployment"])
def test_a_changed_table_is_in_force_within_a_minute(
    table: RegistrationsTable, operator: RegistrationsTable, monotonic: Monotonic, scope: str
) -> None:
    table.add(registration())
    where = {"stack": (None, None), "platform": (registration().reference, None)}.get(
        scope, (registration().reference, "1")
    )
    operator.put_table(landing_table("before"), *where)
    name_in_force(table)
    operator.put_table(landing_table("after"), *where)

    monotonic.seconds += 59
    within_the_minute = name_in_force(table)
    monotonic.seconds += 1
    after_the_minute = name_in_force(table)

    assert (within_the_minute, after_the_minute) == ("before", "after")


def test_a_table_that_cannot_be_read_lets_nobody_in(table: RegistrationsTable, stack: Stack) -> None:
    table.add(registration())
    item = {"pk": {"S": f"registration#{registration().reference}"}, "sk": {"S": "landing"}, "rules": {"S": "{"}}
    stack.dynamodb.put_item(TableName="RegistrationsTable", Item=item)

    assert table.table_for(registration().reference, "1").rules == ()


def test_a_replaced_registration_keeps_its_landing_rules_and_a_removed_one_does_not(
    table: RegistrationsTable, stack: Stack
) -> None:
    table.add(registration())
    table.put_table(landing_table("platform"), registration().reference, None)
    table.put_table(landing_table("deployment"), registration().reference, "1")

    table.add(registration(tenant="new"))
    kept = name_in_force(table)
    table.remove(registration())

    assert kept == "deployment"
    assert stack.contents()["RegistrationsTable"] == {}
