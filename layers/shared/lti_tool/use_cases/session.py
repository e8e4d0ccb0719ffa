"""Session: the pages come back with the token that the launch gave them."""

from __future__ import annotations

from dataclasses import dataclass

from lti_tool.domain.registration import require_enabled
from lti_tool.domain.session import Session, SessionToken
from lti_tool.use_cases.ports import Registrations, Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionGuard:
    """Opens a session by its token; a session ends when its registration is disabled."""

    sessions: Sessions
    registrations: Registrations

    def open(self, token: SessionToken) -> Session:
        session = self.sessions.recall(token)
        require_enabled(self.registrations.referred_to(session.launch.registration))
        return session
