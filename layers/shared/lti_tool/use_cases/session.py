"""Session: the pages come back with the token that the launch gave them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lti_tool.domain.landing import placed
from lti_tool.domain.registration import require_still_served
from lti_tool.domain.session import Session, SessionToken
from lti_tool.use_cases.ports import LandingTables, Registrations, Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionGuard:
    """Opens a session by its token; a session ends when its registration or its deployment is disabled."""

    sessions: Sessions
    registrations: Registrations
    landing: LandingTables

    def open(self, token: SessionToken) -> Session:
        """The session, with the privileges that the landing rules give it now: maybe others than at its launch."""
        return self._guarded(self.sessions.recall(token))

    def of_launch(self, launch_id: str) -> Session:
        """The same for the vendor's backend, which is trusted without the session's secret."""
        return self._guarded(self.sessions.of_launch(launch_id))

    def _guarded(self, session: Session) -> Session:
        launch = session.launch
        require_still_served(self.registrations.referred_to(launch.registration), launch.deployment_id)
        return replace(
            session, launch=placed(launch, self.landing.table_for(launch.registration, launch.deployment_id))
        )
