"""Invitations: a link that registers one platform, once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from lti_tool.domain.errors import InvitationEndedError
from lti_tool.domain.login import fingerprint

INVITATION_LIVES = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What is stored: the fingerprint of the link's token, never the token. `tenant` names the registration to come."""

    fingerprint: str
    tenant: str
    created_at: datetime
    expires_at: datetime
    spent_at: datetime | None = None

    @property
    def id(self) -> str:
        """Names the invitation to an operator, and opens nothing."""
        return self.fingerprint[:12]


def new_invitation(tenant: str, now: datetime, lives: timedelta) -> tuple[str, Invitation]:
    """The token for the link, which is shown once, and what is stored of it."""
    token = secrets.token_urlsafe(32)
    return token, Invitation(fingerprint=fingerprint(token), tenant=tenant, created_at=now, expires_at=now + lives)


def require_open(invitation: Invitation | None, now: datetime) -> Invitation:
    """Raises InvitationEndedError: never made, expired, revoked or used; alike on purpose."""
    if invitation is None or invitation.spent_at is not None or invitation.expires_at <= now:
        raise InvitationEndedError
    return invitation
