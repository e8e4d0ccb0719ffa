"""Gates: a few at a time, and closed while a platform is down or asked us to wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from lti_tool.adapters.launches_table import PlatformCache
from lti_tool.adapters.platform_gates import FAILURES, GateRules, PlatformGates
from lti_tool.adapters.platform_http import PlatformHttp
from lti_tool.domain.errors import PlatformUnavailableError
from tests.adapters.conftest import Clock
from tests.support.platform import Platform, Reply
from tests.support.stack import Stack

URL = "https://lms.example/lineitems/7"
ELSEWHERE = "https://other.example/lineitems/7"


@pytest.fixture
def process(stack: Stack, clock: Clock) -> Callable[[], PlatformGates]:
    """A function process; what others found it knows at once, as the clock stands still."""
    rules = GateRules(at_once=2, believed_seconds=0)
    return lambda: PlatformGates(PlatformCache(stack.dynamodb, "LaunchesTable", clock), clock, rules)


def closed_until(gates: PlatformGates, url: str = URL) -> datetime | None:
    try:
        with gates.passing(url):
            return None
    except PlatformUnavailableError as error:
        return error.retry_after


def goes_down(gates: PlatformGates, times: int = FAILURES) -> None:
    for _ in range(times):
        with gates.passing(URL):
            gates.fails(URL)


def test_a_platform_that_is_down_is_left_alone_by_all(process: Callable[[], PlatformGates], clock: Clock) -> None:
    here, there = process(), process()

    goes_down(here)

    assert closed_until(here) == closed_until(there) == clock() + timedelta(seconds=30)
    assert closed_until(there, ELSEWHERE) is None


def test_an_answer_in_between_shows_it_at_work(process: Callable[[], PlatformGates]) -> None:
    gates = process()
    goes_down(gates, FAILURES - 1)

    gates.works(URL)
    goes_down(gates, FAILURES - 1)

    assert closed_until(gates) is None


def test_one_goes_and_looks_and_opens_it_for_all(process: Callable[[], PlatformGates], clock: Clock) -> None:
    here, there = process(), process()
    goes_down(here)
    clock.goes_on(seconds=30)

    with there.passing(URL):
        meanwhile = closed_until(here)
        there.works(URL)

    assert meanwhile is not None
    assert closed_until(here) is None


def test_while_it_stays_down_it_is_asked_ever_more_rarely(process: Callable[[], PlatformGates], clock: Clock) -> None:
    gates = process()
    goes_down(gates)
    waits = []
    for _ in range(7):
        until = closed_until(gates)
        assert until is not None
        waits.append((until - clock()).total_seconds())
        clock.now = until
        goes_down(gates, 1)

    assert waits == [30, 60, 120, 240, 480, 600, 600]


def test_who_dies_looking_or_has_nothing_to_ask_leaves_it_to_the_next(
    process: Callable[[], PlatformGates], clock: Clock
) -> None:
    here, there = process(), process()
    goes_down(here)
    clock.goes_on(seconds=30)
    dying = threading.Thread(target=here.require_open, args=(URL,))
    dying.start()
    dying.join()

    held_back = closed_until(there)
    clock.goes_on(seconds=30)

    assert held_back == clock()
    assert closed_until(there) is None  # has nothing to ask
    with process().passing(URL):
        pass


def test_a_wait_that_it_asked_for_is_kept_by_all_and_never_shortened(
    process: Callable[[], PlatformGates], clock: Clock
) -> None:
    here, there = process(), process()
    until = clock() + timedelta(seconds=90)

    here.throttles(URL, until)
    there.throttles(URL, clock() + timedelta(seconds=5))
    early = closed_until(there)
    clock.now = until

    assert early is not None
    assert early == until
    assert closed_until(here) is closed_until(there) is None


def test_no_more_pass_at_once_than_the_rules_say(process: Callable[[], PlatformGates]) -> None:
    gates, inside, most = process(), 0, 0
    lock, full = threading.Lock(), threading.Barrier(2)

    def passes(_: int) -> None:
        nonlocal inside, most
        with gates.passing(URL):
            with lock:
                inside += 1
                most = max(most, inside)
            full.wait(10)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(passes, range(8)))

    assert most == 2


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (Reply(status=429, headers={"Retry-After": "120"}), 120),
        (Reply(status=503, headers={"Retry-After": "7"}), 7),
        (Reply(status=429), 10),
        (Reply(status=403, body=b"403 Forbidden (Rate Limit Exceeded)"), 10),
    ],
)
def test_a_platform_that_throttles_closes_its_gate_to_every_request(
    process: Callable[[], PlatformGates], platform: Platform, clock: Clock, reply: Reply, seconds: int
) -> None:
    gates = process()
    http = PlatformHttp(loopback_http=True, gates=gates, clock=clock)
    platform.will_answer("/x", reply)
    http.get(f"{platform.url}/x", headers={}, what="x")

    with pytest.raises(PlatformUnavailableError) as closed:
        http.get(f"{platform.url}/y", headers={}, what="y")

    assert closed.value.retry_after is not None
    assert 0 <= (closed.value.retry_after - clock()).total_seconds() - seconds < 0.01
    assert len(platform.received) == 1


def test_a_platform_that_says_no_is_not_down(
    process: Callable[[], PlatformGates], platform: Platform, clock: Clock
) -> None:
    http = PlatformHttp(loopback_http=True, gates=process(), clock=clock)
    platform.will_answer("/x", *[Reply(status=404)] * 9)

    statuses = [http.get(f"{platform.url}/x", headers={}, what="x").status for _ in range(9)]

    assert statuses == [404] * 9
