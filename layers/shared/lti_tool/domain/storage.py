"""Platform storage: the platform's page keeps a secret for us when the browser keeps no cookie.

Specs: https://www.imsglobal.org/spec/lti-cs-oidc/v0p1, https://www.imsglobal.org/spec/lti-pm-s/v0p1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:  # pages name the opener, and start without the rest
    from lti_tool.domain.login import State
    from lti_tool.domain.registration import Registration

OPENER = "_opener"
"""Our own word for a storage target: the frame of ours that opened this window keeps the secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoragePlace:
    """Where the secret lies. `origin` is that of the registration's authorization endpoint, never of a request.

    `frame` is what the platform named: a frame of its window, or `_parent` for that window itself. With `OPENER` it is
    the frame of our own that opened this window, and `origin` is ours.
    """

    origin: str
    frame: str
    key: str


def storage_place(registration: Registration, state: State, target: str, tool_url: str) -> StoragePlace:
    endpoint = urlsplit(tool_url if target == OPENER else registration.authorization_endpoint)
    return StoragePlace(
        origin=f"{endpoint.scheme}://{endpoint.netloc}", frame=target, key=f"lti_state_{state.attempt_id}"
    )
