"""Who may frame an answer, and what a page may do: its Content-Security-Policy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lti_tool.runtime.settings import settings

if TYPE_CHECKING:  # the key set's door starts without them
    from lti_tool.domain.launch import AnyLaunch
    from lti_tool.domain.registration import Registration

_LOOPBACK = "http://localhost:* http://127.0.0.1:*"


def policy(*, ancestors: Iterable[str] = (), nonce: str = "") -> str:
    """The Content-Security-Policy of a page: nothing but, with a nonce, its own inline script and style.

    Without `ancestors` any https site may frame it: such a page holds no credential. `form-action` is left open, for
    platforms redirect a posted form across their hosts.
    """
    allowed = f"'nonce-{nonce}'" if nonce else "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src {allowed}; base-uri 'none';"
        f" frame-ancestors {' '.join(ancestors) or anybody()}"
    )


def anybody() -> str:
    return f"https: {_LOOPBACK}" if settings().loopback_http else "https:"


def ancestors_of(registration: Registration, launch: AnyLaunch) -> list[str]:
    """The origins that may frame this launch: those of the registration and of the verified token."""
    from lti_tool.domain.launch import DeepLinkingLaunch  # here, whoever asks has it already

    urls = [
        registration.issuer,
        registration.authorization_endpoint,
        registration.token_endpoint,
        launch.return_url,
        launch.memberships_url,
        launch.grades and launch.grades.line_items,
        launch.grades and launch.grades.line_item,
        launch.settings.return_url if isinstance(launch, DeepLinkingLaunch) else None,
    ]
    origins = {origin for url in urls if url and (origin := _origin(url))}
    return ["'self'", *sorted(origins), *registration.frame_ancestors]


def _origin(url: str) -> str | None:
    parts = urlsplit(url)
    plain = parts.netloc.translate(str.maketrans("", "", ".-:[]"))
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"https", "http"} and plain.isalnum() else None
