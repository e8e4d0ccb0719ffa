"""Login: the platform initiates, we ask it who is there."""

from __future__ import annotations

from dataclasses import dataclass

from lti_tool.domain.errors import UnknownRegistrationError
from lti_tool.domain.login import AuthenticationRequest, LoginInitiation, new_attempt
from lti_tool.domain.registration import Registration, require_enabled
from lti_tool.domain.trace import Trail
from lti_tool.use_cases.ports import Clock, LoginAttempts, Registrations


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginStarter:
    """Turns a login initiation into our authentication request, and remembers that we asked."""

    registrations: Registrations
    login_attempts: LoginAttempts
    clock: Clock

    def start(
        self, initiation: LoginInitiation, redirect_uri: str, trail: Trail, *, paged: bool
    ) -> tuple[AuthenticationRequest, Registration]:
        try:
            registration = self.registrations.of_platform(initiation.issuer, initiation.client_id)
        except UnknownRegistrationError as error:
            error.claimed = initiation.issuer, initiation.client_id
            raise
        trail.tenant = registration.tenant or None
        trail.passed("registration_found", registration=registration.reference, tenant=trail.tenant)
        require_enabled(registration)
        attempt, question = new_attempt(initiation, registration, redirect_uri, self.clock(), paged=paged)
        self.login_attempts.save(attempt)
        return question, registration
