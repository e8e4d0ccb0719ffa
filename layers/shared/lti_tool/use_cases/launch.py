"""Launch: the platform's authentication response becomes a session."""

from __future__ import annotations

from dataclasses import dataclass

from lti_tool.domain.errors import BrowserMismatchError
from lti_tool.domain.launch import AnyLaunch, launch_from, require_own_target
from lti_tool.domain.login import AuthenticationResponse
from lti_tool.domain.registration import (
    DeploymentPolicy,
    DeploymentStatus,
    Registration,
    require_enabled,
    require_served,
)
from lti_tool.domain.session import SessionToken
from lti_tool.domain.tokens import signed_claims
from lti_tool.use_cases.ports import Clock, PlatformKeyring, Registrations, Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchVerifier:
    """Turns a platform's authentication response into a launch that we trust."""

    registrations: Registrations
    platform_keys: PlatformKeyring
    sessions: Sessions
    clock: Clock

    def verify(self, response: AuthenticationResponse, tool_url: str) -> tuple[SessionToken, AnyLaunch, Registration]:
        # Each line stands on the trust that the line above it earned. The order is the security: what is forged, or
        # comes from another browser, costs no request to the platform and spends nothing.
        if response.browser_secret is None:
            raise BrowserMismatchError
        registration = self.registrations.referred_to(response.state.reference)  # whose keys to try
        require_enabled(registration)
        key = self.platform_keys.find(registration, response.id_token.kid)
        signed = signed_claims(response.id_token, key, registration, self.clock())  # signed, for us, in time
        launch = launch_from(signed)  # a message that we understand
        require_own_target(launch, tool_url)
        self._require_deployment(registration, launch.deployment_id)  # from a place that we serve
        token = SessionToken.new(response.state.attempt_id)
        self.sessions.begin(response.state, response.browser_secret, signed, launch, token)  # we asked, once
        return token, launch, registration

    def _require_deployment(self, registration: Registration, deployment_id: str) -> None:
        status = registration.deployments.get(deployment_id)
        if status is not DeploymentStatus.ENABLED:  # only what is served is believed from memory
            status = self.registrations.deployment_status(registration, deployment_id)
        if status is None and registration.deployment_policy is not DeploymentPolicy.CLOSED:
            served = registration.deployment_policy is DeploymentPolicy.AUTO
            status = DeploymentStatus.ENABLED if served else DeploymentStatus.PENDING
            self.registrations.add_deployment(registration, deployment_id, status)
        require_served(status)
