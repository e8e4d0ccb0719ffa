"""The one way out: which addresses may be called, and how much is listened to."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lti_tool.adapters.outbound import Outbound, is_public, require_allowed
from lti_tool.adapters.platform import PlatformIntroductions
from lti_tool.adapters.platform_http import PlatformHttp
from lti_tool.domain.errors import ForbiddenAddressError, PlatformRefusedError, PlatformUnavailableError
from tests.support.platform import Platform, Reply, serving

PRIVATE = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.64.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:a00:1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::10.0.0.1",
    "2002:7f00:1::",
    "2002:a00:1::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_of_the_open_internet_is_not_public(address: str) -> None:
    assert is_public(address) is False


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07::1", "::ffff:8.8.8.8"])
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address) is True


@pytest.mark.parametrize(
    "url",
    [
        "http://lms.example/jwks",
        "ftp://lms.example/jwks",
        "file:///etc/passwd",
        "gopher://lms.example/",
        "data:,x",
        "//lms.example/jwks",
        "lms.example/jwks",
        "https:///jwks",
        "https://",
        "",
        "https://user@lms.example/jwks",
        "https://user:secret@lms.example/jwks",
        "https://lms.example@10.0.0.1/",
        "https://[::1",
        "https://lms.example:99999/",
        "https://lms.example:port/",
        "https://lms.example/\r\nHost: x",
        "https://lms.example/a b",
        "https://lms.exam\tple/",
    ],
)
@pytest.mark.parametrize("loopback_http", [True, False])
def test_an_address_of_another_form_is_refused_everywhere(url: str, loopback_http: bool) -> None:
    with pytest.raises(ForbiddenAddressError):
        require_allowed(url, loopback_http=loopback_http)


@pytest.mark.parametrize("url", ["http://localhost:8090/jwks", "http://127.0.0.1:8090/", "http://[::1]:8090/"])
def test_plain_http_on_loopback_is_for_the_local_stack_alone(url: str) -> None:
    require_allowed(url, loopback_http=True)

    with pytest.raises(ForbiddenAddressError):
        require_allowed(url, loopback_http=False)


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://169.254.169.254/latest", "http://localhost.evil.example/"])
def test_plain_http_elsewhere_is_refused_also_locally(url: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        require_allowed(url, loopback_http=True)


class Called:
    """What the sockets were asked for, at the edge to the operating system."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {}
        self.connected: list[str] = []


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Called:
    called = Called()

    def getaddrinfo(host: Any, port: Any, *_: Any, **__: Any) -> Any:
        addresses = called.names.get(host, [host])
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    def create_connection(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        called.connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", create_connection)
    return called


LOOPBACK = {"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"}
INSIDE = [
    (address, loopback_http)
    for address in PRIVATE
    for loopback_http in (True, False)
    if "%" not in address and not (loopback_http and address in LOOPBACK)
]


@pytest.mark.parametrize(("address", "loopback_http"), INSIDE)
def test_a_name_that_leads_inside_is_not_connected_to(network: Called, address: str, loopback_http: bool) -> None:
    network.names["lms.example"] = [address]

    with pytest.raises(ForbiddenAddressError):
        Outbound(loopback_http=loopback_http).fetch_json("https://lms.example/jwks")
    with pytest.raises(ForbiddenAddressError):
        PlatformHttp(loopback_http=loopback_http).post("https://lms.example/t", data=b"", headers={}, what="token")

    assert network.connected == []


def test_one_inner_address_among_outer_ones_spoils_the_name(network: Called) -> None:
    network.names["lms.example"] = ["93.184.215.14", "10.0.0.1"]

    with pytest.raises(ForbiddenAddressError):
        Outbound(loopback_http=False).fetch_json("https://lms.example/jwks")
    assert network.connected == []


def test_the_address_that_was_judged_is_the_one_connected_to(network: Called) -> None:
    network.names["lms.example"] = ["93.184.215.14", "93.184.215.15"]

    with pytest.raises(PlatformUnavailableError):
        Outbound(loopback_http=False).fetch_json("https://lms.example/jwks")

    assert network.connected == ["93.184.215.14", "93.184.215.15"]


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "017700000001", "127.1"])
def test_no_spelling_of_loopback_gets_through(host: str) -> None:
    with pytest.raises((ForbiddenAddressError, PlatformUnavailableError)) as refused:
        Outbound(loopback_http=False).fetch_json(f"https://{host}:1/jwks")

    assert isinstance(refused.value, ForbiddenAddressError)


# --- Every way out --------------------------------------------------------------------------------------------------

Way = Callable[[str, bool], Any]
WAYS: dict[str, Way] = {
    "key set": lambda url, local: Outbound(loopback_http=local).fetch_json(url),
    "service": lambda url, local: PlatformHttp(loopback_http=local).post(url, data=b"", headers={}, what="token"),
    "configuration": lambda url, local: PlatformIntroductions(PlatformHttp(loopback_http=local)).configuration(
        url, "token"
    ),
    "registration": lambda url, local: PlatformIntroductions(PlatformHttp(loopback_http=local)).register(
        url, {}, "token"
    ),
}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)

LEADS_INSIDE = {
    "inner.example": ["10.0.0.1"],
    "metadata.example": ["169.254.169.254"],
    "inner6.example": ["fd00:ec2::254"],
    "mapped.example": ["::ffff:169.254.169.254"],
    "mixed.example": ["93.184.215.14", "192.168.1.1"],
    "localhost.": ["127.0.0.1"],
    "2130706433": ["127.0.0.1"],
    "0x7f000001": ["127.0.0.1"],
    "127.1": ["127.0.0.1"],
}
INNER = [
    *(f"https://{host}/x" for host in LEADS_INSIDE),
    "https://127.0.0.1/x",
    "https://10.0.0.1/x",
    "https://172.16.0.1:8443/x",
    "https://192.168.1.1/x",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/x",
    "https://0.0.0.0/x",
    "https://localhost/x",
    "https://[::1]/x",
    "https://[fe80::1]/x",
    "https://[fd00:ec2::254]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[::ffff:a9fe:a9fe]/x",
    "https://[64:ff9b::a9fe:a9fe]/x",
    "https://[2002:a9fe:a9fe::1]/x",
    "https://lms.example@169.254.169.254/x",
    "https://user:secret@lms.example/x",
    "http://169.254.169.254/x",
    "http://lms.example/x",
]


@every_way
@pytest.mark.parametrize("url", INNER)
def test_no_way_out_connects_to_an_inner_address(network: Called, way: Way, url: str) -> None:
    network.names.update(LEADS_INSIDE)

    with pytest.raises(ForbiddenAddressError):
        way(url, False)

    assert network.connected == []


@every_way
def test_a_name_that_changes_its_mind_is_judged_where_it_is_connected_to(
    network: Called, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    answers = iter(["93.184.215.14", "169.254.169.254", "127.0.0.1"])

    def getaddrinfo(_: Any, port: Any, *__: Any, **___: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    with pytest.raises(PlatformUnavailableError):
        way("https://lms.example/x", False)
    for _ in range(2):
        with pytest.raises(ForbiddenAddressError):
            way("https://lms.example/x", False)

    assert network.connected == ["93.184.215.14"]


@every_way
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_way_out_follows_a_redirect(platform: Platform, way: Way, status: int) -> None:
    with serving("inner") as inner:
        platform.will_answer("/x", Reply(status=status, headers={"Location": f"{inner.url}/x"}))

        with contextlib.suppress(PlatformUnavailableError, PlatformRefusedError):
            way(f"{platform.url}/x", True)

        assert len(platform.received) == 1
        assert inner.connections == 0


# --- How much is listened to ------------------------------------------------------------------------------------------


@pytest.fixture
def platform() -> Iterator[Platform]:
    with serving() as found:
        yield found


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (Reply(status=404), "jwks_not_served"),
        (Reply(status=500), "jwks_not_served"),
        (Reply(status=204, body=b""), "jwks_not_served"),
        (Reply(status=302, headers={"Location": "/jwks"}), "jwks_not_served"),
        (Reply(status=301, headers={"Location": "http://169.254.169.254/"}), "jwks_not_served"),
        (Reply(body=b"[" + b" " * 256 * 1024 + b"]"), "jwks_unreachable"),
        (Reply(body=b"<html>Sign in</html>"), "jwks_not_json"),
        (Reply(body=b""), "jwks_not_json"),
        (Reply(body=b"\xff\xfe"), "jwks_not_json"),
        (Reply(body=b"[" * 100_000), "jwks_not_json"),
        (Reply(body=b"not gzip", headers={"Content-Encoding": "gzip"}), "jwks_unreachable"),
    ],
)
def test_a_key_set_that_cannot_be_had_is_an_unavailable_platform(platform: Platform, reply: Reply, cause: str) -> None:
    platform.will_answer("/jwks", reply)

    with pytest.raises(PlatformUnavailableError) as failed:
        Outbound(loopback_http=True).fetch_json(f"{platform.url}/jwks")

    assert failed.value.cause == cause
    assert len(platform.received) == 1


def test_a_compressed_bomb_is_not_unpacked(platform: Platform) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    platform.will_answer("/jwks", Reply(body=bomb, headers={"Content-Encoding": "gzip"}))

    with pytest.raises(PlatformUnavailableError) as failed:
        Outbound(loopback_http=True).fetch_json(f"{platform.url}/jwks")
    assert failed.value.cause == "jwks_unreachable"


def test_requests_say_who_asks(platform: Platform) -> None:
    Outbound(loopback_http=True).fetch_json(f"{platform.url}/jwks")

    (request,) = platform.received
    assert request.headers["User-Agent"].startswith("serverless-lti/")
    assert request.headers["Accept"] == "application/json"


def test_an_environment_full_of_proxies_changes_nothing(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert Outbound(loopback_http=True).fetch_json(f"{platform.url}/jwks") == {"keys": platform.published}
    answer = PlatformHttp(loopback_http=True).post(
        f"{platform.url}/token", data={"scope": "s"}, headers={}, what="token"
    )
    assert answer.status == 200


@contextlib.contextmanager
def listening(*, answers: bytes, then_trickles: bool = False) -> Iterator[str]:
    """A server that sends these bytes for one request, perhaps one more every now and then for long, and closes."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answers)
                for _ in range(100 if then_trickles else 0):
                    connection.sendall(b"1")
                    time.sleep(0.05)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.close()
        thread.join(timeout=10)


@pytest.mark.parametrize(
    "begins",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
    ids=["in its status", "in a header", "before a chunk", "in its body"],
)
def test_a_platform_that_trickles_is_not_listened_to_for_longer_than_a_silent_one(begins: bytes) -> None:
    began = time.monotonic()

    with listening(answers=begins, then_trickles=True) as url, pytest.raises(PlatformUnavailableError):
        PlatformHttp(loopback_http=True, longest_seconds=0.5).get(url, headers={}, what="token")

    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "answers",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n"],
    ids=["nothing", "half a body", "no HTTP", "half a head"],
)
def test_a_connection_that_breaks_is_an_unavailable_platform(answers: bytes) -> None:
    with listening(answers=answers) as url, pytest.raises(PlatformUnavailableError):
        Outbound(loopback_http=True).fetch_json(f"{url}/jwks")


def test_a_port_where_nobody_listens_is_an_unavailable_platform() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(PlatformUnavailableError):
        Outbound(loopback_http=True).fetch_json(f"http://127.0.0.1:{port}/jwks")
    with pytest.raises(PlatformUnavailableError) as failed:
        PlatformHttp(loopback_http=True).post(f"http://127.0.0.1:{port}/", data=b"", headers={}, what="token")
    assert failed.value.cause == "token_unreachable"
