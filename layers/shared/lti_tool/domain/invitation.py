"""Invitations: a link that registers one platform, once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from lti_tool.domain.addresses import web_address
from lti_tool.domain.errors import InvitationEndedError, NotInvitedError
from lti_tool.domain.login import fingerprint

INVITATION_LIVES = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What is stored: the fingerprint of the link's token, never the token. `tenant` names the registration to come.

    `hosts` are those that may serve the platform's configuration, such as `lms.example` or `*.example`; none means any.
    """

    fingerprint: str
    tenant: str
    created_at: datetime
    expires_at: datetime
    hosts: tuple[str, ...] = ()
    spent_at: datetime | None = None

    @property
    def id(self) -> str:
        """Names the invitation to an operator, and opens nothing."""
        return self.fingerprint[:12]


def new_invitation(tenant: str, now: datetime, lives: timedelta, hosts: tuple[str, ...] = ()) -> tuple[str, Invitation]:
    """The token for the link, which is shown once, and what is stored of it."""
    token = secrets.token_urlsafe(32)
    invitation = Invitation(
        fingerprint=fingerprint(token), tenant=tenant, created_at=now, expires_at=now + lives, hosts=hosts
    )
    return token, invitation


def require_open(invitation: Invitation | None, now: datetime) -> Invitation:
    """Raises InvitationEndedError: never made, expired, revoked or used; alike on purpose."""
    if invitation is None or invitation.spent_at is not None or invitation.expires_at <= now:
        raise InvitationEndedError
    return invitation


def require_invited(invitation: Invitation, url: str) -> None:
    """Raises NotInvitedError: the URL is on none of the hosts that the invitation is for."""
    if not invitation.hosts:
        return
    parts = urlsplit(web_address(url) or "")
    host, netloc = parts.hostname or "", parts.netloc.lower()
    for allowed in invitation.hosts:
        if allowed in {host, netloc} or (allowed.startswith("*.") and host.endswith(allowed[1:])):
            return
    raise NotInvitedError().because(expected=" ".join(invitation.hosts), received=netloc)
