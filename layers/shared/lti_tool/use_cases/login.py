"""Login: the platform initiates, we ask it who is there."""

from __future__ import annotations

from dataclasses import dataclass

from lti_tool.domain.login import AuthenticationRequest, LoginInitiation, authentication_url, new_attempt
from lti_tool.domain.registration import require_enabled
from lti_tool.use_cases.ports import Clock, LoginAttempts, Registrations


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginStarter:
    """Turns a login initiation into our authentication request, and remembers that we asked."""

    registrations: Registrations
    login_attempts: LoginAttempts
    clock: Clock

    def start(self, initiation: LoginInitiation, redirect_uri: str) -> AuthenticationRequest:
        registration = self.registrations.of_platform(initiation.issuer, initiation.client_id)
        require_enabled(registration)
        attempt, cookie = new_attempt(initiation, registration, self.clock())
        self.login_attempts.save(attempt)
        url = authentication_url(registration, initiation, attempt, redirect_uri)
        return AuthenticationRequest(url=url, cookie=cookie)
