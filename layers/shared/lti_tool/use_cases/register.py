"""Register: an invited platform introduces itself, and a pact is made."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lti_tool.domain.audit import AuditLine
from lti_tool.domain.dynamic_registration import PlatformConfiguration, registration_answered, registration_request
from lti_tool.domain.errors import AlreadyRegisteredError, InvalidRequestError, UnknownRegistrationError
from lti_tool.domain.invitation import Invitation, require_invited, require_open
from lti_tool.domain.offer import Offer
from lti_tool.domain.registration import Registration
from lti_tool.use_cases.ports import AuditTrail, Clock, Introductions, Invitations, RegistrationRegister


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """How a platform introduces itself: where its configuration is, and a token of its own for our request.

    Raises:
        InvalidRequestError: an address with a fragment, or a token that no header can carry.

    Spec: https://www.imsglobal.org/spec/lti-dr/v1p0#openid-configuration
    """

    configuration_url: str
    registration_token: str | None

    def __post_init__(self) -> None:
        token = self.registration_token or ""
        if "#" in self.configuration_url or not (token.isascii() and token.isprintable()):
            raise InvalidRequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformRegistrar:
    """Registers a platform by dynamic registration: one invitation, one platform, once."""

    invitations: Invitations
    introductions: Introductions
    registrations: RegistrationRegister
    audit: AuditTrail
    offer: Offer
    clock: Clock

    def introduce(self, token: str, introduction: Introduction) -> tuple[Invitation, PlatformConfiguration]:
        """Who wants to register, for a person to confirm; nothing is spent or stored."""
        invitation = require_open(self.invitations.find(token), self.clock())
        require_invited(invitation, introduction.configuration_url)  # nobody else makes us ask anybody for anything
        return invitation, self._configuration(introduction)

    def request(self, platform: PlatformConfiguration, tool_url: str) -> dict[str, Any]:
        """What will be asked of the platform."""
        return registration_request(self.offer, platform, tool_url, urlsplit(tool_url).netloc)

    def register(self, token: str, introduction: Introduction, tool_url: str) -> Registration:
        """Make the pact. The invitation is spent first, and open again when the platform did not agree."""
        _, platform = self.introduce(token, introduction)
        invitation = self.invitations.spend(token, self.clock())
        try:
            answer = self.introductions.register(
                platform.registration_endpoint, self.request(platform, tool_url), introduction.registration_token
            )
            registration = registration_answered(platform, answer, invitation.tenant)
            self._add(registration, invitation)
        except Exception:
            self.invitations.reopen(token)
            raise
        return registration

    def _add(self, registration: Registration, invitation: Invitation) -> None:
        """What is registered already may be in use: an operator decides."""
        with suppress(UnknownRegistrationError):
            self.registrations.referred_to(registration.reference)
            raise AlreadyRegisteredError
        # Before the registration, as an operator's: rather a line without its change than a change without its line.
        who, reference = f"invitation {invitation.id}", registration.reference
        self.audit.add(AuditLine(at=self.clock(), who=who, verb="add", registration=reference))
        if not self.registrations.add_new(registration):
            raise AlreadyRegisteredError

    def _configuration(self, introduction: Introduction) -> PlatformConfiguration:
        document = self.introductions.configuration(introduction.configuration_url, introduction.registration_token)
        platform = PlatformConfiguration.parse(document, introduction.configuration_url)
        for endpoint in (platform.issuer, *platform.endpoints):
            self.introductions.require_allowed(endpoint)
        return platform
