"""The one way out: every request to a platform goes through this policy and this pool.

Only https, only public addresses, no redirects, limits on size and time. The address that is judged is the address
that is connected to, so a name that changes its mind in between gains nothing. The local stack alone may talk to
http on loopback.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, LocationParseError, NewConnectionError
from urllib3.response import HTTPResponse

from lti_tool.domain.errors import ForbiddenAddressError, PlatformUnavailableError

USER_AGENT = "serverless-lti/1"
LARGEST_JWKS = 256 * 1024
LONGEST_SECONDS = 8.0
TIMEOUT = urllib3.Timeout(connect=3, read=5, total=8)


def require_allowed(url: str, *, loopback_http: bool) -> None:
    """Judge an address as written: scheme, user info, and a literal IP. Names are judged when they are connected to.

    Raises:
        ForbiddenAddressError.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ForbiddenAddressError from None
    if not host or "@" in parts.netloc or not url.isprintable() or " " in url:
        raise ForbiddenAddressError
    if loopback_http and parts.scheme in {"http", "https"} and _names_loopback(host):
        return
    if parts.scheme != "https" or not _may_be_public(host):
        raise ForbiddenAddressError


def _names_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _may_be_public(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:
        return host != "localhost"  # a name: judged when it is connected to


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet; wrapped IPv4 addresses are judged by what they wrap."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if wrapped is not None:
            return is_public(str(wrapped))
        if ip not in _IPV6_INTERNET:
            return False
    return ip.is_global and not ip.is_multicast


_IPV6_INTERNET = ipaddress.IPv6Network("2000::/3")  # all that is assigned; the odd old forms lie outside


@contextmanager
def _no_longer_than(seconds: float, shut: Callable[[int], object]) -> Iterator[None]:
    """Shut a connection after so many seconds, whatever comes: its own timeout begins anew with each byte."""

    def end() -> None:
        with suppress(OSError, ValueError, RuntimeError):  # closed meanwhile
            shut(socket.SHUT_RD)

    late = threading.Timer(max(0.0, seconds), end)
    late.daemon = True
    late.start()
    try:
        yield
    finally:
        late.cancel()


class _Checked(HTTPConnection):
    loopback_allowed = False

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        """Status and headers, in the time that silence would have."""
        seconds = self.timeout if isinstance(self.timeout, int | float) else LONGEST_SECONDS
        with _no_longer_than(seconds, self.sock.shutdown):
            return super().getresponse()

    def _new_conn(self) -> socket.socket:
        """Resolve, judge every address, and connect to one that was judged."""
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, "name not found") from error
        addresses = [str(entry[4][0]) for entry in found]
        loopback = self.loopback_allowed and all(ipaddress.ip_address(ip).is_loopback for ip in addresses)
        if not addresses or not (loopback or all(map(is_public, addresses))):
            raise ForbiddenAddressError
        problem: OSError | None = None
        for address in addresses:
            try:
                connection = socket.create_connection((address, self.port), self.timeout)
            except OSError as error:
                problem = error
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        raise NewConnectionError(self, "no address answers") from problem


class _CheckedTLS(_Checked, HTTPSConnection):
    pass


class _LocalChecked(_Checked):
    loopback_allowed = True


class _LocalCheckedTLS(_CheckedTLS):
    loopback_allowed = True


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Checked


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _CheckedTLS


class _LocalPool(HTTPConnectionPool):
    ConnectionCls = _LocalChecked


class _LocalTLSPool(HTTPSConnectionPool):
    ConnectionCls = _LocalCheckedTLS


def pool_manager(*, loopback_http: bool, **options: Any) -> urllib3.PoolManager:
    manager = urllib3.PoolManager(**options)
    manager.pool_classes_by_scheme = (
        {"http": _LocalPool, "https": _LocalTLSPool} if loopback_http else {"http": _Pool, "https": _TLSPool}
    )
    return manager


def read_within(response: Any, largest: int, deadline: float) -> bytes:
    """The whole body, of at most `largest` bytes, before `deadline` on the monotonic clock.

    Reads what is there, so that a platform that trickles is not listened to without end.

    Raises:
        OSError: too large or too slow.
    """
    body = b""
    with _no_longer_than(deadline - time.monotonic(), lambda _: response.shutdown()):
        while (part := response.read1(64 * 1024, decode_content=True)) and len(body) <= largest:
            body += part
    if len(body) > largest or time.monotonic() > deadline:  # a connection that was shut looks like an end
        response.close()
        raise OSError("too large or too slow")
    return body


class Outbound:
    """Fetches documents; `platform_http.py` puts the same pool under requests for the services."""

    def __init__(self, *, loopback_http: bool) -> None:
        self.loopback_http = loopback_http
        self._pool = pool_manager(loopback_http=loopback_http, retries=False, timeout=TIMEOUT)

    def fetch_json(self, url: str) -> Any:
        """GET a JSON document of at most 256 KiB.

        Raises:
            ForbiddenAddressError: the policy says no.
            PlatformUnavailableError: unreachable, slow, not 200, too large, or not JSON.
        """
        require_allowed(url, loopback_http=self.loopback_http)
        headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
        try:
            response = self._pool.request("GET", url, headers=headers, redirect=False, preload_content=False)
            try:
                body = read_within(response, LARGEST_JWKS, time.monotonic() + LONGEST_SECONDS)
            finally:
                response.release_conn()
        except (HTTPError, LocationParseError, OSError) as error:
            raise PlatformUnavailableError("jwks_unreachable") from error
        if response.status != 200:
            raise PlatformUnavailableError("jwks_not_served")
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise PlatformUnavailableError("jwks_not_json") from error
