"""Platforms' public keys: fetched rarely, used while the platform is down, never confused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from joserfc.jwk import ECKey

from lti_tool.adapters.launches_table import PlatformCache
from lti_tool.adapters.platform_keys import PlatformKeyCache
from lti_tool.domain.errors import PlatformUnavailableError, ToolError, UnknownKeyError
from tests.adapters.conftest import Clock
from tests.support.platform import Platform, rsa_key
from tests.support.stack import Stack

LMS = Platform(url="https://lms.example", issuer="https://lms.example", client_id="c")
REGISTRATION = LMS.registration()
Process = Callable[[], PlatformKeyCache]


class Publishes:
    """A platform's key set as the network gives it."""

    def __init__(self, *names: str) -> None:
        self.fetched: list[str] = []
        self.document: Any = None
        self.now_has(*names)

    def now_has(self, *names: str) -> None:
        self.document = {"keys": [Platform.public_jwk(rsa_key(name)) for name in names]}

    def is_down(self) -> None:
        self.document = None

    def __call__(self, url: str) -> Any:
        self.fetched.append(url)
        if self.document is None:
            raise PlatformUnavailableError("jwks_unreachable")
        return self.document


@pytest.fixture
def lms() -> Publishes:
    return Publishes("platform-1")


@pytest.fixture
def process(stack: Stack, clock: Clock, lms: Publishes) -> Process:
    """Starts a function instance: its memory is its own, the table is everybody's."""

    def started() -> PlatformKeyCache:
        cache = PlatformCache(stack.dynamodb, "LaunchesTable", clock)
        return PlatformKeyCache(lms, cache, clock, pause=lambda seconds: clock.goes_on(seconds=seconds))

    return started


def found(keys: PlatformKeyCache, kid: str, client_id: str = "c") -> Any:
    """As a launch asks: what is known first, and the platform anew when that was not enough."""
    registration = LMS.registration(client_id=client_id)
    return keys.known(registration, kid) or keys.find(registration, kid)


def finds(keys: PlatformKeyCache, kid: str) -> bool:
    try:
        key: Any = found(keys, kid)
    except ToolError:
        return False
    public: Any = rsa_key(kid).public_key
    return bool(key.public_numbers() == public.public_numbers())


def test_a_key_set_is_fetched_once_for_all_processes(lms: Publishes, process: Process, clock: Clock) -> None:
    first, second = process(), process()

    for _ in range(10):
        assert finds(first, "platform-1")
        assert finds(second, "platform-1")
        clock.goes_on(minutes=5)

    assert lms.fetched == [REGISTRATION.jwks_uri]


def test_a_key_set_is_fetched_anew_after_an_hour(lms: Publishes, process: Process, clock: Clock) -> None:
    keys = process()
    finds(keys, "platform-1")

    clock.goes_on(minutes=59)
    finds(keys, "platform-1")
    fresh = len(lms.fetched)
    clock.goes_on(minutes=2)
    finds(keys, "platform-1")

    assert (fresh, len(lms.fetched)) == (1, 2)


def test_a_platform_that_is_down_is_still_believed_for_a_day(lms: Publishes, process: Process, clock: Clock) -> None:
    keys = process()
    finds(keys, "platform-1")
    lms.is_down()

    for _ in range(23):
        clock.goes_on(hours=1)
        assert finds(keys, "platform-1")
        assert finds(process(), "platform-1")

    clock.goes_on(hours=2)
    with pytest.raises(PlatformUnavailableError):
        found(process(), "platform-1")


def test_a_platform_that_is_down_is_asked_once_a_minute(lms: Publishes, process: Process, clock: Clock) -> None:
    keys = process()
    finds(keys, "platform-1")
    lms.is_down()
    clock.goes_on(hours=2)

    for _ in range(60):
        assert finds(keys, "platform-1")
        clock.goes_on(seconds=1)

    assert len(lms.fetched) == 1 + 1


def test_a_rotated_key_is_found_at_once(lms: Publishes, process: Process, clock: Clock) -> None:
    keys = process()
    finds(keys, "platform-1")
    clock.goes_on(seconds=1)
    lms.now_has("platform-1", "rotated")

    assert finds(keys, "rotated")
    assert finds(keys, "platform-1")
    assert len(lms.fetched) == 2


def test_a_new_key_under_the_old_name_is_found_once_a_minute(lms: Publishes, process: Process, clock: Clock) -> None:
    keys, another = process(), process()
    old = found(keys, "platform-1")
    same = keys.renewed(REGISTRATION, "platform-1", old)
    lms.document = {"keys": [{**Platform.public_jwk(rsa_key("rotated")), "kid": "platform-1"}]}
    too_early = [one.renewed(REGISTRATION, "platform-1", old) for one in (keys, another)]

    clock.goes_on(seconds=61)
    new: list[Any] = [one.renewed(REGISTRATION, "platform-1", old) for one in (keys, another)]

    public: Any = rsa_key("rotated").public_key
    assert (same, too_early) == (None, [None, None])
    assert [key.public_numbers() for key in new] == [public.public_numbers()] * 2
    assert len(lms.fetched) == 3  # at first, in vain, and once for both


def test_unknown_kids_are_looked_for_once_a_minute(lms: Publishes, process: Process, clock: Clock) -> None:
    first, second = process(), process()
    finds(first, "platform-1")

    for number in range(118):
        with pytest.raises(UnknownKeyError):
            found(first if number % 2 else second, f"forged-{number}")
        clock.goes_on(seconds=0.5)

    assert len(lms.fetched) == 1 + 1
    assert finds(first, "platform-1")


def test_a_kid_of_another_platform_is_unknown(lms: Publishes, process: Process) -> None:
    keys = process()
    finds(keys, "platform-1")
    lms.now_has("platform-2")

    with pytest.raises(UnknownKeyError):
        found(keys, "platform-1", client_id="d")


def test_a_withdrawn_key_is_unknown_once_the_set_is_fetched_anew(
    lms: Publishes, process: Process, clock: Clock
) -> None:
    keys = process()
    finds(keys, "platform-1")
    lms.now_has("rotated")
    finds(keys, "rotated")

    with pytest.raises(UnknownKeyError):
        found(keys, "platform-1")
    clock.goes_on(hours=2)
    with pytest.raises(UnknownKeyError):
        found(process(), "platform-1")


def test_keys_of_other_kinds_do_not_disturb(lms: Publishes, process: Process) -> None:
    elliptic = ECKey.generate_key("P-256", {"kid": "ec"}, private=False)
    lms.document["keys"][:0] = [elliptic.as_dict(private=False), None, "x", {}, {"kty": "RSA", "kid": "broken"}]
    keys = process()

    assert finds(keys, "platform-1")
    with pytest.raises(UnknownKeyError):
        found(keys, "ec")


@pytest.mark.parametrize("members", [{"alg": None}, {"use": None}, {"x5c": ["MIIB"], "key_ops": ["verify"]}], ids=str)
def test_a_key_may_say_less_or_more_of_itself(lms: Publishes, process: Process, members: dict[str, Any]) -> None:
    lms.document["keys"][0].update(members)

    assert finds(process(), "platform-1")


@pytest.mark.parametrize("members", [{"use": "enc"}, {"use": ["sig"]}, {"alg": "RS512"}, {"alg": ["RS256"]}], ids=str)
def test_a_key_for_something_else_is_not_used(lms: Publishes, process: Process, members: dict[str, Any]) -> None:
    lms.document["keys"] = [{**lms.document["keys"][0], **members}, Platform.public_jwk(rsa_key("rotated"))]

    with pytest.raises(UnknownKeyError):
        found(process(), "platform-1")


def test_of_two_keys_with_one_name_the_first_counts(lms: Publishes, process: Process) -> None:
    lms.document["keys"].append({**Platform.public_jwk(rsa_key("rotated")), "kid": "platform-1"})

    assert finds(process(), "platform-1")


def test_simultaneous_processes_send_one_to_fetch(stack: Stack, clock: Clock, lms: Publishes) -> None:
    fetching, let_go = threading.Event(), threading.Event()

    def slow(url: str) -> Any:
        fetching.set()
        assert let_go.wait(timeout=30)
        return lms(url)

    def started(fetch: Callable[[str], Any], pause: Callable[[float], None]) -> PlatformKeyCache:
        return PlatformKeyCache(fetch, PlatformCache(stack.dynamodb, "LaunchesTable", clock), clock, pause=pause)

    with ThreadPoolExecutor(1) as elsewhere:
        first = elsewhere.submit(started(slow, lambda _: None).find, REGISTRATION, "platform-1")
        assert fetching.wait(timeout=30)
        waited: list[float] = []

        def pause(seconds: float) -> None:
            waited.append(seconds)
            let_go.set()
            first.result(timeout=30)

        second = started(lms, pause).find(REGISTRATION, "platform-1")

    assert second.public_numbers() == first.result().public_numbers()
    assert waited
    assert len(lms.fetched) == 1
