"""Web addresses from outside, as far as they can be judged by reading them."""

from __future__ import annotations

from urllib.parse import urlsplit

LONGEST_REGISTERED_URL = 2000  # of an issuer and its endpoints
LONGEST_HOST = 253  # as DNS has it
LONGEST_URL = 8 * 1024  # Canvas and others put a JWT into the query of a return address


def origin_of(url: str) -> str | None:
    """Scheme, host and port of an absolute address, to compare; `None` of an empty one."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}" if url else None


def web_address(value: object) -> str | None:
    """An absolute http or https URL with a host and without user info, else `None`.

    The outbound policy judges it again before a request: here nothing is resolved.
    """
    if not isinstance(value, str) or len(value) > LONGEST_URL or not value.isprintable() or " " in value:
        return None
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")  # labels too long, or empty
    except ValueError:
        return None
    has_host = parts.scheme in {"https", "http"} and 0 < len(host) <= LONGEST_HOST
    return value if has_host and "@" not in parts.netloc and "\\" not in value else None


def is_loopback(url: str) -> bool:
    """Whether a URL names this very machine."""
    return urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}
