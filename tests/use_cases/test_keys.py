"""Keys: a rotation that nobody notices, whatever dies on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import count, cycle
from typing import Any

import boto3
import pytest
from joserfc import jws
from joserfc.errors import JoseError
from moto.backends import get_backend
from moto.kms import models
from moto.kms.responses import KmsResponse

from local.moto_server import mend_kms
from lti_tool.adapters.access_tokens import bought, token_request
from lti_tool.adapters.audit_table import AuditTable
from lti_tool.adapters.health import TablesHealth
from lti_tool.adapters.key_ring_table import KeyRingTable
from lti_tool.adapters.kms import STACK_TAG, KmsSigner, KmsVault
from lti_tool.adapters.platform_http import PlatformHttp
from lti_tool.adapters.public_key import CanvasPublicKeys
from lti_tool.adapters.regions_table import RegionsTable
from lti_tool.adapters.registrations_table import RegistrationsTable
from lti_tool.domain.audit import KEYS
from lti_tool.domain.claims import PUBLIC_JWK_SCOPE
from lti_tool.domain.errors import RotationUnderWayError, StoreUnavailableError, UnknownSigningKeyError
from lti_tool.domain.keyring import KeyRing, KeyState, RingKey
from lti_tool.domain.registration import PlatformFamily
from lti_tool.use_cases.jwks import KeyPublisher
from lti_tool.use_cases.keys import KeyPush, KeyRotation, Pace
from tests.adapters.conftest import Clock
from tests.support.platform import Platform, Received, Reply, serving, verified_by_jwks
from tests.support.stack import ACCOUNT, REGION, Stack

TABLE = "RegistrationsTable"


RUNNING: dict[str, Region] = {}


@cache
def client(service: Any, region: str, disturbed_in: str = "") -> Any:
    """They are slow to make: one for each way of using it. A disturbed one tells the region's test of each call."""
    made = boto3.client(service, region)
    if disturbed_in:
        made.meta.events.register("before-call", lambda **_: RUNNING[disturbed_in].comes("before"))
        made.meta.events.register("after-call", lambda **_: RUNNING[disturbed_in].comes("after"))
    return made


class ProcessDied(BaseException):
    """The run is gone, between two instructions."""


class Region:
    """One deployed region. What the rotation asks of AWS goes over clients of its own, which can be disturbed."""

    def __init__(self, stack: Stack, clock: Clock, name: str = REGION) -> None:
        self.clock, self.name, self._stack = clock, name, stack
        self.kms = client("kms", name)
        self.first_key_id = stack.environment["SIGNING_KEY_ID"] if name == REGION else self._new_key()
        self.calls = 0
        self.happens: Callable[[int, str], None] = lambda _number, _when: None
        self.rotation = self.another_run(name)
        RUNNING[name] = self

    def _new_key(self) -> str:
        tags: Any = [{"TagKey": STACK_TAG, "TagValue": "test"}]
        made = self.kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY", Tags=tags)
        return str(made["KeyMetadata"]["KeyId"])

    def another_run(self, disturbed_in: str = "") -> KeyRotation:
        kms, dynamodb = client("kms", self.name, disturbed_in), client("dynamodb", REGION, disturbed_in)
        return KeyRotation(
            rings=KeyRingTable(dynamodb, TABLE, self.name),
            vault=KmsVault(kms, "test"),
            audit=AuditTable(dynamodb, "RecordsTable"),
            clock=self.clock,
            pace=Pace(),
            first_key_id=self.first_key_id,
            who="keys",
        )

    def comes(self, when: str) -> None:
        self.calls += when == "before"
        self.happens(self.calls, when)

    # --- What platforms and the other functions have of it ----------------------------------------------------------

    def signer(self) -> KmsSigner:
        return KmsSigner(self.kms, self.first_key_id, self._rings, self.clock)

    def publisher(self) -> KeyPublisher:
        dynamodb = self._stack.dynamodb
        return KeyPublisher(
            signer=self.signer(),
            regions=RegionsTable(dynamodb, TABLE),
            health=TablesHealth(dynamodb, []),
            clock=self.clock,
            region=self.name,
        )

    def key_set(self) -> dict[str, Any]:
        return self.publisher().publish(f"https://{self.name}.tool.example")

    def published(self) -> list[str]:
        return [key["kid"] for key in self.key_set()["keys"]]

    def signs_with(self) -> str:
        """The kid of the key that signs; what it signs is verified by what is published."""
        token = self.signer().sign({"iss": "client-1"})
        assert verified_by_jwks(token, self.key_set()) == {"iss": "client-1"}
        return kid_of(token)

    @property
    def _rings(self) -> KeyRingTable:
        return KeyRingTable(self._stack.dynamodb, TABLE, self.name)

    @property
    def ring(self) -> KeyRing:
        ring = self._rings.read()
        assert ring is not None
        return ring

    def states(self) -> list[str]:
        return [key.state.value for key in self.ring.keys]

    def kms_state(self, key: RingKey) -> str:
        return str(self.kms.describe_key(KeyId=key.key_id)["KeyMetadata"]["KeyState"])

    def keys_in_kms(self) -> set[str]:
        return {key["KeyId"] for key in self.kms.list_keys()["Keys"]}


def kid_of(token: str) -> str:
    return str(jws.extract_compact(token.encode()).headers()["kid"])


@cache
def key_pairs() -> Any:
    """A few, again and again: no test has as many at once, and making one takes longer than the rest of a test."""
    make: Any = models
    return cycle([make.generate_private_key("RSA_2048") for _ in range(8)])


@pytest.fixture(autouse=True)
def _aws_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = key_pairs()
    monkeypatch.setattr(models, "generate_private_key", lambda _spec: next(pairs))
    for name in ("sign", "get_public_key", "disable_key", "enable_key", "schedule_key_deletion"):
        monkeypatch.setattr(KmsResponse, name, getattr(KmsResponse, name))  # put back after the test
    mend_kms()


@pytest.fixture
def region(stack: Stack, clock: Clock) -> Region:
    clock.now = datetime.now(UTC)  # KMS has a clock of its own
    found = Region(stack, clock)
    found.key_set()
    return found


@pytest.fixture
def rotated(region: Region) -> Region:
    """A region whose signing key was made by a rotation, and is due for the next one."""
    region.rotation.revoke(region.rotation.ring().keys[0].kid)
    region.clock.goes_on(days=90)
    region.calls = 0
    return region


# --- A rotation -------------------------------------------------------------------------------------------------------


def test_a_stack_without_a_ring_signs_with_its_first_key(region: Region) -> None:
    assert region.ring.version == 0
    assert region.published() == [region.signs_with()]


def test_a_region_that_was_never_asked_for_its_keys_has_nothing_to_rotate(region: Region) -> None:
    elsewhere = Region(region._stack, region.clock, "ap-southeast-2")

    assert elsewhere.rotation.run() is None
    with pytest.raises(RotationUnderWayError):
        elsewhere.rotation.rotate()


def test_the_first_run_adopts_the_first_key(region: Region) -> None:
    before = region.signs_with()

    region.rotation.run()

    assert region.states() == ["signing"]
    assert (region.signs_with(), region.published()) == (before, [before])


def test_a_key_is_published_then_signs_then_retires(rotated: Region) -> None:
    old = rotated.signs_with()
    told: list[list[str]] = []
    for hours in (0, 23, 1, 47, 1):
        rotated.clock.goes_on(hours=hours)
        rotated.rotation.run()
        told.append([rotated.signs_with(), *sorted(rotated.published())])
    (new,) = set(told[0][1:]) - {old}

    both = sorted([old, new])
    assert told == [[old, *both], [old, *both], [new, *both], [new, *both], [new, new]]
    retired = rotated.ring.find(old)
    assert retired is not None
    assert rotated.kms_state(retired) == "PendingDeletion"
    assert retired.until is not None
    assert retired.until - datetime.now(UTC) > timedelta(days=29)


def test_the_first_key_is_disabled_and_never_deleted(region: Region) -> None:
    for _ in range(5):
        region.clock.goes_on(days=90)
        region.rotation.run()

    first = region.ring.keys[0]
    assert (first.of_stack, first.state, first.until) == (True, KeyState.OUT_OF_SERVICE, None)
    assert region.kms_state(first) == "Disabled"


def test_nothing_happens_before_its_time(rotated: Region) -> None:
    rotated.clock.goes_on(days=-1)
    before = rotated.ring

    for _ in range(23):
        rotated.clock.goes_on(hours=1)
        rotated.rotation.run()

    assert rotated.ring == before


def test_a_rotation_begins_only_when_the_last_one_has_ended(rotated: Region) -> None:
    rotated.rotation.rotate()
    refusals = 0
    for _ in range(2):
        with pytest.raises(RotationUnderWayError):
            rotated.rotation.rotate()
        refusals += 1
        rotated.clock.goes_on(hours=24)
        rotated.rotation.run()
    rotated.clock.goes_on(hours=48)
    rotated.rotation.run()

    assert refusals == 2
    assert rotated.rotation.rotate().waiting is not None


def test_an_operator_may_shorten_the_wait(rotated: Region) -> None:
    old = rotated.signs_with()

    rotated.rotation.rotate(timedelta(hours=2))
    rotated.clock.goes_on(hours=1)
    rotated.rotation.run()
    early = rotated.signs_with()
    rotated.clock.goes_on(hours=1)
    rotated.rotation.run()

    assert early == old
    assert rotated.signs_with() != old


def test_each_step_leaves_an_audit_line(rotated: Region) -> None:
    for hours in (0, 24, 48):
        rotated.clock.goes_on(hours=hours)
        rotated.clock.goes_on(seconds=1)
        rotated.rotation.run()

    lines = AuditTable(rotated._stack.dynamodb, "RecordsTable").of(KEYS)
    assert {"keys adopt", "keys revoke", "keys publish", "keys switch", "keys disable"} >= {line.verb for line in lines}
    assert {line.who for line in lines} == {"keys"}
    assert lines[-1].changed == (rotated.ring.keys[-2].kid,)


def test_a_rotation_in_one_region_leaves_the_others_keys_published(rotated: Region) -> None:
    other = Region(rotated._stack, rotated.clock, "ap-southeast-2")
    other.key_set()
    others_key = other.signs_with()

    for hours in (0, 24, 48):
        rotated.clock.goes_on(hours=hours)
        rotated.rotation.run()
        assert rotated.signs_with() in other.published()
        assert others_key in rotated.published()

    assert other.signs_with() == others_key
    assert set(other.published()) == {others_key, rotated.signs_with()}


# --- Revocation -------------------------------------------------------------------------------------------------------


def test_a_revoked_signing_key_is_replaced_at_once(rotated: Region) -> None:
    signer, old = rotated.signer(), rotated.signs_with()
    signer.sign({})

    rotated.rotation.revoke(old)

    assert rotated.published() == [rotated.signs_with()]
    assert kid_of(signer.sign({})) == rotated.signs_with() != old  # also where the old one was believed in
    revoked = rotated.ring.find(old)
    assert revoked is not None
    assert rotated.kms_state(revoked) == "PendingDeletion"


def test_a_revoked_signing_key_gives_way_to_the_one_that_waits(rotated: Region) -> None:
    old = rotated.signs_with()
    waiting = rotated.rotation.rotate().waiting

    rotated.rotation.revoke(old)

    assert waiting is not None
    assert rotated.published() == [rotated.signs_with()] == [waiting.kid]
    assert len(rotated.keys_in_kms()) == len(rotated.ring.keys)


def test_a_signing_key_that_kms_has_deleted_can_be_revoked(rotated: Region) -> None:
    old = rotated.ring.signing
    assert old is not None
    keys: Any = get_backend("kms")[ACCOUNT][REGION].keys
    del keys[old.key_id]

    rotated.rotation.revoke(old.kid)

    assert rotated.published() == [rotated.signs_with()]
    assert kid_of(rotated.signer().sign({})) == rotated.signs_with() != old.kid


@pytest.mark.parametrize("hours", [0, 24])
def test_a_key_that_does_not_sign_can_be_revoked(rotated: Region, hours: int) -> None:
    rotated.clock.goes_on(days=-10)
    rotated.rotation.rotate()
    rotated.clock.goes_on(hours=hours)
    rotated.rotation.run()
    signing = rotated.signs_with()
    (other,) = set(rotated.published()) - {signing}

    rotated.rotation.revoke(other)

    assert (rotated.signs_with(), rotated.published()) == (signing, [signing])


def test_only_what_is_in_the_ring_can_be_revoked(rotated: Region) -> None:
    gone = rotated.signs_with()
    rotated.rotation.revoke(gone)

    for kid in ("nonsense", gone):
        with pytest.raises(UnknownSigningKeyError):
            rotated.rotation.revoke(kid)


def test_a_revoked_first_key_is_out_of_service_also_for_health(region: Region) -> None:
    region.rotation.revoke(region.signs_with())

    region.signer().require_usable()

    with pytest.raises(StoreUnavailableError):
        KmsSigner(region.kms, region.first_key_id).require_usable()


# --- Whatever dies on the way -----------------------------------------------------------------------------------------


def dies_at(number: int, when: str) -> Callable[[int, str], None]:
    def happen(call: int, now: str) -> None:
        if (call, now) == (number, when):
            raise ProcessDied

    return happen


def lives_on(region: Region) -> None:
    """Runs come and go for five days; whenever one has ended or died, what is signed is verified."""
    for _ in range(5):
        with suppress(ProcessDied):
            region.rotation.run()
        with suppress(StoreUnavailableError):  # between the two, after a revocation, nothing signs
            region.signs_with()
        region.clock.goes_on(hours=24)


def outcome(region: Region, old: str) -> tuple[object, ...]:
    ring = region.ring
    assert ring.signing is not None
    return (
        [key.state.value for key in ring.keys if not key.of_stack],
        ring.making,
        region.signs_with() != old,
        region.published() == [ring.signing.kid],
        region.keys_in_kms() == {key.key_id for key in ring.keys},
        [region.kms_state(key) for key in ring.keys if not key.of_stack],
    )


WELL = (["out_of_service", "signing"], None, True, True, True, ["PendingDeletion", "Enabled"])


def anew(stack: Stack, clock: Clock) -> Region:
    stack.begin_again()
    clock.now = datetime.now(UTC)
    region = Region(stack, clock)
    region.key_set()
    region.rotation.revoke(region.rotation.ring().keys[0].kid)
    region.clock.goes_on(days=90)
    region.calls = 0
    return region


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_rotation_that_dies_at_any_call_is_continued(stack: Stack, clock: Clock, when: str) -> None:
    told = []
    for number in count(1):
        region = anew(stack, clock)
        old = region.signs_with()
        region.happens = dies_at(number, when)
        lives_on(region)
        if region.calls < number:
            break
        told.append(outcome(region, old))

    assert len(told) > 20
    assert told == [WELL] * len(told)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_revocation_that_dies_at_any_call_is_continued(stack: Stack, clock: Clock, when: str) -> None:
    told = []
    for number in count(1):
        region = anew(stack, clock)
        old = region.signs_with()
        region.happens = dies_at(number, when)
        with suppress(ProcessDied):
            region.rotation.revoke(old)
        died, region.happens = region.calls >= number, lambda _number, _when: None
        if region.ring.find(old) == region.ring.signing:
            region.rotation.revoke(old)  # the operator saw it fail, before anything was written
        lives_on(region)
        if not died:
            break
        told.append(outcome(region, old))

    assert len(told) > 12
    assert told == [WELL] * len(told)


@pytest.mark.parametrize("later", [timedelta(), timedelta(minutes=3)], ids=["at once", "minutes later"])
def test_of_two_runs_one_goes_on_wherever_they_meet(stack: Stack, clock: Clock, later: timedelta) -> None:
    told = []
    for number in count(1):
        region = anew(stack, clock)
        old, other = region.signs_with(), region.another_run()

        def meets(call: int, when: str, number: int = number, other: KeyRotation = other) -> None:
            if (call, when) == (number, "before"):
                clock.now += later
                with suppress(RotationUnderWayError):
                    other.run()

        region.happens = meets
        with suppress(RotationUnderWayError):
            region.rotation.run()
        if region.calls < number:
            break
        lives_on(region)
        told.append((outcome(region, old)[0], len(region.published()), len(live_keys(region))))

    assert len(told) > 6
    assert told == [(["out_of_service", "signing"], 1, 1)] * len(told)


def live_keys(region: Region) -> list[str]:
    """The keys of KMS that could sign."""
    described = (region.kms.describe_key(KeyId=key_id)["KeyMetadata"] for key_id in region.keys_in_kms())
    return [key["KeyId"] for key in described if key["Enabled"]]


# --- Platforms in the meantime ----------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Caching(Platform):
    """A platform that keeps our key set for an hour, never fetches it sooner, and believes no other signature."""

    clock: Clock
    fetch: Callable[[], dict[str, Any]]
    kept: tuple[datetime, dict[str, Any]] | None = None
    signed_by: list[str] = field(default_factory=list)
    refused: int = 0

    def answer(self, request: Received) -> Reply:
        if self.kept is None or self.clock() - self.kept[0] >= timedelta(hours=1):
            self.kept = (self.clock(), self.fetch())
        assertion = request.form()["client_assertion"]
        try:
            claims = verified_by_jwks(assertion, self.kept[1])
        except (JoseError, ValueError):
            self.refused += 1
            return Reply(status=400, body=b'{"error": "invalid_client"}')
        assert claims["exp"] > self.clock().timestamp()
        self.signed_by.append(kid_of(assertion))
        return Reply(body=b'{"access_token": "t", "token_type": "bearer", "expires_in": 1}')


def test_a_thousand_calls_across_a_rotation_are_all_believed(rotated: Region) -> None:
    """The functions' instances each believe what they read for a minute, and the platform its key set for an hour."""
    clock = rotated.clock
    publishers, signers = [rotated.publisher() for _ in range(3)], [rotated.signer() for _ in range(3)]
    turns = count()

    def fetch() -> dict[str, Any]:
        return publishers[next(turns) % 3].publish(f"https://{rotated.name}.tool.example")

    with serving(kind=partial(Caching, clock=clock, fetch=fetch)) as platform:
        assert isinstance(platform, Caching)
        registration, http = platform.registration(), PlatformHttp(loopback_http=True)
        for number in range(1000):  # five days, each time some calls within seconds
            if number % 5 == 0:
                clock.goes_on(minutes=36)
                rotated.rotation.run()
            form = token_request(registration, ("scope",), signers[number % 3], clock())
            http.post(registration.token_endpoint, data=form, headers={}, what="token_endpoint")
            clock.goes_on(seconds=2)

    assert platform.refused == 0
    assert len(platform.signed_by) == 1000
    assert len(set(platform.signed_by)) == 2
    assert rotated.states()[-2:] == ["out_of_service", "signing"]


# --- A platform that keeps one key ------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Holding(Platform):
    """A Canvas that keeps one pasted key of the tool in place of its key set's address."""

    clock: Clock
    held: dict[str, Any] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    refused: int = 0
    loses_answers: bool = False

    def answer(self, request: Received) -> Reply:
        if request.path == "/token" and not self.replies.get("/token"):
            return self._token(request)
        if request.method != "PUT" or self.replies.get(request.path):
            return Platform.answer(self, request)
        self.received.append(request)
        assert request.path == PUSHED_TO
        assert request.headers["Authorization"].removeprefix("Bearer ") in self.tokens
        self.held = request.json()["developer_key"]["public_jwk"]
        return Reply(status=503) if self.loses_answers else Reply()

    def _token(self, request: Received) -> Reply:
        try:
            verified_by_jwks(request.form()["client_assertion"], {"keys": [self.held]})
        except (JoseError, ValueError):
            self.refused += 1
            return Reply(status=400, body=b'{"error": "invalid_request"}')
        token = f"{request.form()['scope']} {len(self.tokens)}"
        if request.form()["scope"] == PUBLIC_JWK_SCOPE:
            self.tokens.add(token)
        return Reply(body=json.dumps({"access_token": token, "expires_in": 3600}).encode())


PUSHED_TO = "/api/lti/developer_key/update_public_jwk"


class Pasted:
    """A region, a platform that has its key pasted, two instances of the functions, and the hourly run."""

    def __init__(self, region: Region, platform: Holding) -> None:
        self.region, self.platform, self.clock = region, platform, region.clock
        self.http = PlatformHttp(loopback_http=True)
        self.registration = platform.registration(family=PlatformFamily.CANVAS, pushes_public_key_to=platform.url)
        self.signers = [region.signer(), region.signer()]
        region._stack.knows(self.registration)
        region.rotation.run()
        assert region.ring.signing is not None
        platform.held = dict(region.ring.signing.jwk)

    def push(self) -> KeyPush:
        """As a run that has just started has it."""
        dynamodb = client("dynamodb", REGION, self.region.name)
        return KeyPush(
            rings=KeyRingTable(dynamodb, TABLE, self.region.name),
            holders=RegistrationsTable(dynamodb, TABLE),
            held=CanvasPublicKeys(self.http, self.region.signer(), self.clock),
            regions=RegionsTable(dynamodb, TABLE),
            audit=AuditTable(dynamodb, "RecordsTable"),
            clock=self.clock,
            who="keys",
        )

    def hour_passes(self) -> dict[str, str]:
        """The run at its beginning; before it, right after it and once more all instances buy tokens."""
        self.region.rotation.run()
        why: dict[str, str] = dict(self.push().run())  # type: ignore[arg-type] # a reference is a text
        for seconds in (1, 3599):
            self.clock.goes_on(seconds=seconds)
            for signer in self.signers:
                bought(self.http, self.registration, ("score",), signer, self.clock())
        return why

    def is_up_to_date(self) -> bool:
        ring = self.region.ring
        assert ring.signing is not None
        return {self.platform.held["kid"], ring.held.get(self.registration.reference)} == {ring.signing.kid}


@pytest.fixture
def pasted(rotated: Region) -> Iterator[Pasted]:
    with serving(kind=partial(Holding, clock=rotated.clock)) as platform:
        assert isinstance(platform, Holding)
        rotated.clock.goes_on(days=-1)
        yield Pasted(rotated, platform)


def hours(pasted: Pasted, number: int) -> None:
    for _ in range(number):
        pasted.hour_passes()


def test_a_platform_that_keeps_one_key_goes_through_a_rotation_without_a_refused_token(pasted: Pasted) -> None:
    old = pasted.platform.held["kid"]
    pasted.clock.goes_on(days=1)
    pasted.region.rotation.run()

    hours(pasted, 76)

    assert pasted.platform.held["kid"] != old
    assert pasted.is_up_to_date()
    assert pasted.platform.refused == 0
    assert pasted.region.states()[-2:] == ["out_of_service", "signing"]
    pushed = AuditTable(pasted.region._stack.dynamodb, "RecordsTable").of(pasted.registration.reference)
    assert [line.changed for line in pushed if line.verb == "keys push"] == [(old,), (pasted.platform.held["kid"],)]


@pytest.mark.parametrize("status", [401, 422, 503])
def test_what_a_platform_did_not_take_is_pushed_again_and_the_key_that_it_holds_signs_until_then(
    pasted: Pasted, status: int
) -> None:
    hours(pasted, 1)
    pasted.region.rotation.rotate(timedelta())
    pasted.platform.will_answer(PUSHED_TO, *[Reply(status=status)] * 3)
    told = [pasted.hour_passes() for _ in range(6)]

    why = "public_key_down" if status == 503 else "public_key_refused"
    assert [list(one.values()) for one in told] == [["waits"], [why], [why], [why], [], []]
    assert pasted.is_up_to_date()
    assert pasted.platform.refused == 0


def test_a_key_whose_arrival_was_not_heard_of_is_found_out(pasted: Pasted) -> None:
    hours(pasted, 1)
    pasted.region.rotation.rotate(timedelta())
    hours(pasted, 1)
    pasted.platform.loses_answers = True
    lost = pasted.hour_passes()
    pasted.platform.loses_answers = False
    hours(pasted, 1)

    assert list(lost.values()) == ["public_key_down"]
    assert pasted.is_up_to_date()
    assert pasted.platform.refused > 0  # but the other key was tried at once: each token was bought in the end


def test_a_push_may_die_between_any_two_calls(pasted: Pasted) -> None:
    hours(pasted, 1)
    region, deaths = pasted.region, 0
    for at in range(1, 20):
        for when in ("before", "after"):
            region.rotation.rotate(timedelta())
            pasted.clock.goes_on(minutes=5)
            region.calls = 0
            region.happens = partial(dies, at, when)
            try:
                pasted.push().run()
            except ProcessDied:
                deaths += 1
            region.happens = lambda _number, _when: None
            hours(pasted, 1)
            assert pasted.is_up_to_date()
            pasted.clock.goes_on(hours=48)
            region.rotation.run()
            hours(pasted, 1)
        if region.calls < at:
            break

    assert deaths >= 8


def dies(at: int, when: str, number: int, moment: str) -> None:
    if (number, moment) == (at, when):
        raise ProcessDied


def test_a_platform_that_is_down_for_good_holds_up_neither_rotation_nor_the_others(pasted: Pasted) -> None:
    other = pasted.platform.registration(
        client_id="gone", token_endpoint="http://127.0.0.1:9/token", pushes_public_key_to="http://127.0.0.1:9"
    )
    pasted.region._stack.knows(other)
    pasted.region.rotation.rotate(timedelta())

    why = [pasted.hour_passes() for _ in range(50)][-1]

    assert why == {other.reference: "token_endpoint_unreachable"}
    assert pasted.is_up_to_date()
    assert not pasted.region.ring.is_turning


def test_nothing_is_pushed_where_two_regions_sign(pasted: Pasted) -> None:
    elsewhere = Region(pasted.region._stack, pasted.clock, "ap-southeast-2")
    elsewhere.key_set()

    assert pasted.push().run() == {pasted.registration.reference: "several_regions"}
    assert pasted.platform.received == []


def test_a_platform_that_asks_for_the_key_set_is_sent_nothing(pasted: Pasted) -> None:
    pasted.region._stack.knows(pasted.platform.registration(family=PlatformFamily.CANVAS))

    assert pasted.push().run() == {}
    assert pasted.platform.received == []
