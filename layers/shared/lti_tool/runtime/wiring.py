"""Who is plugged into what: one cached builder per verb, plain constructor calls.

The only file that sees adapters and use cases together. Each builder imports what it needs, so that a function loads
nothing that only others use.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from lti_tool.runtime.settings import settings

if TYPE_CHECKING:
    from botocore.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

    from lti_tool.adapters.audit_table import AuditTable
    from lti_tool.adapters.health import TablesHealth
    from lti_tool.adapters.invitations_table import InvitationsTable
    from lti_tool.adapters.key_ring_table import KeyRingTable
    from lti_tool.adapters.kms import KmsSigner
    from lti_tool.adapters.launch_codes_table import LaunchCodesTable
    from lti_tool.adapters.launches_table import LaunchesTable, TracesTable
    from lti_tool.adapters.personal_data import PersonalData
    from lti_tool.adapters.records_table import RecordsTable
    from lti_tool.adapters.regions_table import RegionsTable
    from lti_tool.adapters.registrations_table import CatalogueTable, RegistrationsTable
    from lti_tool.adapters.sqs import ScoresDeadLetters, ScoresQueue
    from lti_tool.domain.offer import Offer
    from lti_tool.use_cases.activity import ActivityDesk
    from lti_tool.use_cases.deeplink import DeepLinkAnswerer
    from lti_tool.use_cases.gradesync import GradeSync, Sweep
    from lti_tool.use_cases.jwks import KeyPublisher
    from lti_tool.use_cases.keys import KeyPush, KeyRotation
    from lti_tool.use_cases.launch import LaunchVerifier
    from lti_tool.use_cases.login import LoginStarter
    from lti_tool.use_cases.ports import LinkColumns
    from lti_tool.use_cases.register import PlatformRegistrar
    from lti_tool.use_cases.scores import ScoreDesk
    from lti_tool.use_cases.session import SessionGuard
    from lti_tool.use_cases.vendor import Arrival, Departure, ScoreIntake


def _client(service: Any, *, attempts: int = 3, read_timeout: int = 3) -> Any:
    """An AWS client that gives up in time for the caller to answer."""
    from botocore.config import Config

    retries: Any = {"mode": "standard", "total_max_attempts": attempts}
    # What botocore does for each request without need costs a sixth of a write: it composes its name anew, and it looks
    # whether our parameters have the shapes that types and tests hold, and that AWS looks at again.
    config = Config(
        connect_timeout=1,
        read_timeout=read_timeout,
        retries=retries,
        tcp_keepalive=True,
        user_agent="serverless-lti/1",
        parameter_validation=False,
    )
    return _session().create_client(service, config=config)


@cache
def _session() -> Session:
    """botocore's own: what boto3 adds to it is not used here, and costs each start some 30 ms."""
    from botocore.session import get_session

    return get_session()


def at_start(build: Callable[[], object]) -> None:
    """Build something while Lambda starts the function; elsewhere, the first request does."""
    if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
        build()


def now() -> datetime:
    return datetime.now(UTC)


@cache
def login_starter() -> LoginStarter:
    from lti_tool.use_cases.login import LoginStarter

    return LoginStarter(registrations=registrations(), login_attempts=launches(), clock=now)


@cache
def launch_verifier() -> LaunchVerifier:
    from lti_tool.adapters.launches_table import PlatformCache
    from lti_tool.adapters.outbound import Outbound
    from lti_tool.adapters.platform_keys import PlatformKeyCache
    from lti_tool.use_cases.launch import LaunchVerifier

    outbound = Outbound(loopback_http=settings().loopback_http)
    cache_table = PlatformCache(_dynamodb(), settings().launches_table, now)
    return LaunchVerifier(
        registrations=registrations(),
        platform_keys=PlatformKeyCache(outbound.fetch_json, cache_table, now),
        login_attempts=launches(),
        sessions=launches(),
        regions=regions(),
        audit=audit(),
        landing=registrations(),
        clock=now,
    )


@cache
def key_publisher() -> KeyPublisher:
    from lti_tool.adapters.health import TablesHealth
    from lti_tool.use_cases.jwks import KeyPublisher

    tables = (settings().registrations_table, settings().launches_table, settings().records_table)
    return KeyPublisher(
        signer=signer(),
        regions=regions(),
        health=TablesHealth(_dynamodb(), tables),
        clock=now,
        region=settings().region,
    )


def table_health(table: str) -> TablesHealth:
    from lti_tool.adapters.health import TablesHealth

    return TablesHealth(_dynamodb(), (table,))


@cache
def key_rotation(who: str = "keys") -> KeyRotation:
    """`who` stands in the audit lines."""
    from lti_tool.adapters.kms import KmsVault
    from lti_tool.runtime.settings import key_settings
    from lti_tool.use_cases.keys import KeyRotation, Pace

    told = key_settings()
    # Nothing is tried twice: of a key that was made and not heard of, the next run finds the one.
    kms = _client("kms", attempts=1, read_timeout=10)
    return KeyRotation(
        rings=_key_rings(),
        vault=KmsVault(kms, told.stack),
        audit=audit(),
        clock=now,
        pace=Pace(rotate_every=told.rotate_every, wait=told.wait, keep=told.keep, deletion_days=told.deletion_days),
        first_key_id=settings().signing_key_id,
        who=who,
    )


@cache
def key_push() -> KeyPush:
    from lti_tool.adapters.platform_http import PlatformHttp
    from lti_tool.adapters.public_key import CanvasPublicKeys
    from lti_tool.use_cases.keys import KeyPush

    http = PlatformHttp(loopback_http=settings().loopback_http)
    return KeyPush(
        rings=_key_rings(),
        holders=registrations(),
        held=CanvasPublicKeys(http, signer(), now),
        regions=regions(),
        audit=audit(),
        clock=now,
        who="keys",
    )


@cache
def platform_registrar() -> PlatformRegistrar:
    from lti_tool.adapters.platform import PlatformIntroductions
    from lti_tool.adapters.platform_http import PlatformHttp
    from lti_tool.use_cases.register import PlatformRegistrar

    http = PlatformHttp(loopback_http=settings().loopback_http)
    return PlatformRegistrar(
        invitations=invitations(),
        introductions=PlatformIntroductions(http),
        registrations=registrations(),
        audit=audit(),
        offer=offer(),
        clock=now,
    )


@cache
def offer() -> Offer:
    """What the tool offers, as its settings file says."""
    import tomllib
    from importlib.resources import files

    from lti_tool.domain.offer import Offer

    return Offer.model_validate(tomllib.loads(files("lti_tool").joinpath("offer.toml").read_text(encoding="utf-8")))


@cache
def invitations() -> InvitationsTable:
    from lti_tool.adapters.invitations_table import InvitationsTable

    return InvitationsTable(_dynamodb(), settings().registrations_table)


@cache
def regions() -> RegionsTable:
    from lti_tool.adapters.regions_table import RegionsTable

    return RegionsTable(_dynamodb(), settings().registrations_table)


@cache
def deep_link_answerer() -> DeepLinkAnswerer:
    from lti_tool.use_cases.deeplink import DeepLinkAnswerer

    return DeepLinkAnswerer(
        sessions=launches(),
        registrations=registrations(),
        landing=registrations(),
        catalogue=catalogue(),
        signer=signer(),
        clock=now,
    )


@cache
def session_guard() -> SessionGuard:
    from lti_tool.use_cases.session import SessionGuard

    return SessionGuard(sessions=launches(), registrations=registrations(), landing=registrations())


@cache
def activity_desk() -> ActivityDesk:
    from lti_tool.use_cases.activity import ActivityDesk

    return ActivityDesk(
        catalogue=catalogue(), records=_records(), outbox=_records(), columns=_records(), nudges=_queue(), clock=now
    )


@cache
def grade_sync() -> GradeSync:
    from lti_tool.adapters.access_tokens import AccessTokens
    from lti_tool.adapters.gradebook import PlatformGradebook
    from lti_tool.adapters.launches_table import PlatformCache
    from lti_tool.adapters.platform_gates import GateRules, PlatformGates
    from lti_tool.adapters.platform_http import PlatformHttp
    from lti_tool.use_cases.gradesync import GradeSync
    from lti_tool.use_cases.lineitem import ColumnFinder

    cache_table = PlatformCache(_dynamodb(), settings().launches_table, now)
    gates = PlatformGates(cache_table, now, GateRules(at_once=settings().platform_at_once))
    http = PlatformHttp(loopback_http=settings().loopback_http, gates=gates, clock=now)
    gradebook = PlatformGradebook(http, AccessTokens(http, signer(), cache_table, now), now)
    return GradeSync(
        registrations=registrations(),
        outbox=_records(),
        gradebook=ColumnFinder(gradebook=gradebook, line_items=gradebook, columns=_records(), clock=now),
        columns=_records(),
        gates=gates,
        nudges=_queue(),
        clock=now,
        lease=settings().score_lease,
    )


@cache
def sweep() -> Sweep:
    from lti_tool.use_cases.gradesync import Sweep

    return Sweep(outbox=_records(), nudges=_queue(), clock=now)


@cache
def score_intake() -> ScoreIntake:
    from lti_tool.use_cases.vendor import ScoreIntake

    return ScoreIntake(registrations=registrations(), outbox=_records(), columns=_records(), nudges=_queue())


@cache
def score_desk() -> ScoreDesk:
    from lti_tool.use_cases.scores import ScoreDesk

    return ScoreDesk(outbox=_records(), nudges=_queue(), dead_letters=dead_letters())


@cache
def dead_letters() -> ScoresDeadLetters:
    from lti_tool.adapters.sqs import ScoresDeadLetters

    return ScoresDeadLetters(_client("sqs"), settings().scores_dead_letters_url, settings().scores_queue_url)


@cache
def departure() -> Departure:
    from lti_tool.use_cases.vendor import Departure

    return Departure(desk=activity_desk(), codes=_launch_codes(), clock=now)


@cache
def arrival() -> Arrival:
    from lti_tool.use_cases.vendor import Arrival

    return Arrival(codes=_launch_codes(), guard=session_guard(), catalogue=catalogue())


@cache
def _launch_codes() -> LaunchCodesTable:
    from lti_tool.adapters.launch_codes_table import LaunchCodesTable

    return LaunchCodesTable(_dynamodb(), settings().launches_table, now)


@cache
def registrations() -> RegistrationsTable:
    from lti_tool.adapters.registrations_table import RegistrationsTable

    return RegistrationsTable(_dynamodb(), settings().registrations_table)


@cache
def audit() -> AuditTable:
    from lti_tool.adapters.audit_table import AuditTable

    return AuditTable(_dynamodb(), settings().records_table)


@cache
def personal_data() -> PersonalData:
    from lti_tool.adapters.personal_data import PersonalData

    return PersonalData(_dynamodb(), settings().records_table, settings().launches_table)


@cache
def catalogue() -> CatalogueTable:
    from lti_tool.adapters.registrations_table import CatalogueTable

    return CatalogueTable(_dynamodb(), settings().registrations_table)


@cache
def launches() -> LaunchesTable:
    from lti_tool.adapters.launches_table import LaunchesTable

    return LaunchesTable(_dynamodb(), settings().launches_table, now)


@cache
def traces() -> TracesTable:
    from lti_tool.adapters.launches_table import TracesTable

    return TracesTable(_dynamodb(), settings().launches_table, now)


@cache
def _records() -> RecordsTable:
    from lti_tool.adapters.records_table import RecordsTable

    return RecordsTable(_dynamodb(), settings().records_table, now)


def link_columns() -> LinkColumns:
    return _records()


@cache
def _queue() -> ScoresQueue:
    from lti_tool.adapters.sqs import ScoresQueue

    return ScoresQueue(_client("sqs"), settings().scores_queue_url)


@cache
def signer() -> KmsSigner:
    from lti_tool.adapters.kms import KmsSigner

    return KmsSigner(_kms(), settings().signing_key_id, _key_rings(), now)


@cache
def _key_rings() -> KeyRingTable:
    from lti_tool.adapters.key_ring_table import KeyRingTable

    return KeyRingTable(_dynamodb(), settings().registrations_table, settings().region)


@cache
def _kms() -> KMSClient:
    client: KMSClient = _client("kms")
    return client


@cache
def _dynamodb() -> DynamoDBClient:
    client: DynamoDBClient = _client("dynamodb")
    return client
