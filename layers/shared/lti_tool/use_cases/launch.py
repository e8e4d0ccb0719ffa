"""Launch: the platform's authentication response becomes a session."""

from __future__ import annotations

from dataclasses import dataclass

from lti_tool.domain.audit import AuditLine
from lti_tool.domain.errors import BadSignatureError, BrowserMismatchError, DeploymentPendingError, ToolError
from lti_tool.domain.landing import placed
from lti_tool.domain.launch import AnyLaunch, launch_from, require_own_target, return_address
from lti_tool.domain.login import AuthenticationResponse
from lti_tool.domain.registration import (
    DeploymentPolicy,
    DeploymentStatus,
    Registration,
    require_enabled,
    require_served,
)
from lti_tool.domain.session import SessionToken
from lti_tool.domain.signatures import signed_claims
from lti_tool.domain.storage import StoragePlace, storage_place
from lti_tool.domain.tokens import SignedClaims
from lti_tool.domain.trace import Trail
from lti_tool.use_cases.ports import (
    AuditTrail,
    Clock,
    LandingTables,
    LoginAttempts,
    PlatformKeyring,
    Regions,
    Registrations,
    Sessions,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchVerifier:
    """Turns a platform's authentication response into a launch that we trust."""

    registrations: Registrations
    platform_keys: PlatformKeyring
    login_attempts: LoginAttempts
    sessions: Sessions
    regions: Regions
    audit: AuditTrail
    landing: LandingTables
    clock: Clock

    def verify(
        self, response: AuthenticationResponse, tool_url: str, trail: Trail
    ) -> tuple[SessionToken, AnyLaunch, Registration]:
        # Each line stands on the trust that the line above it earned. The order is the security: what is forged, or
        # comes from another browser, costs no request to the platform and spends nothing.
        if response.browser_secret is None and response.storage_secret is None:
            raise BrowserMismatchError
        registration, signed = self._signed(response, trail)
        try:
            launch = launch_from(signed)  # a message that we understand
            trail.passed("message_understood", message_type=launch.message_type, deployment_id=launch.deployment_id)
            require_own_target(launch, tool_url, self.regions.serve)
            is_new_place = self._require_deployment(registration, launch.deployment_id, response)  # that we serve
            trail.tenant = registration.tenant_of(launch.deployment_id) or None
            trail.passed("deployment_served", tenant=trail.tenant)
            launch = placed(launch, self.landing.table_for(registration.reference, launch.deployment_id))
            trail.passed("placed", rule=launch.rule, privileges=", ".join(sorted(launch.privileges)) or "none")
            token = SessionToken.new(response.state.attempt_id)
            self.sessions.begin(response, signed, launch, token, trail)  # we asked, this browser, once
            trail.launch_id = token.launch_id
            if is_new_place:
                self._write_down(registration, launch.deployment_id, DeploymentStatus.ENABLED)
        except ToolError as error:
            error.return_url = return_address(signed.claims)  # signed, so the person may go back there
            if isinstance(error, DeploymentPendingError):
                error.place = registration.reference, registration.issuer, registration.client_id, launch.deployment_id
            raise
        return token, launch, registration

    def storage_wanted(self, response: AuthenticationResponse, tool_url: str, trail: Trail) -> StoragePlace:
        """Where our page finds the proof that this is the asking browser, when its cookie did not come back.

        Raises:
            BrowserMismatchError: the login did not use platform storage, so there is no other proof.
        """
        registration = self._registration(response, trail)
        key = self.platform_keys.known(registration, response.id_token.kid)
        if key is not None:  # with a key that is new to us, `verify` asks for it, once the proof is there
            signed_claims(response.id_token, key, registration, self.clock())
        target = self.login_attempts.storage_target(response.state)
        if target is None:
            raise BrowserMismatchError
        return storage_place(registration, response.state, target, tool_url)

    def _registration(self, response: AuthenticationResponse, trail: Trail) -> Registration:
        registration = self.registrations.referred_to(response.state.reference)
        trail.tenant = registration.tenant or None
        trail.passed("registration_found", registration=registration.reference, tenant=trail.tenant)
        require_enabled(registration)
        return registration

    def _signed(self, response: AuthenticationResponse, trail: Trail) -> tuple[Registration, SignedClaims]:
        registration = self._registration(response, trail)  # whose keys to try
        key = self.platform_keys.known(registration, response.id_token.kid)
        if key is None:  # only an answer to a question of ours may make us ask the platform for its keys
            self.login_attempts.require_open(response)
            key = self.platform_keys.find(registration, response.id_token.kid)
        trail.passed("key_found", kid=response.id_token.kid)
        try:
            signed = signed_claims(response.id_token, key, registration, self.clock())  # signed, for us, in time
        except BadSignatureError:
            self.login_attempts.require_open(response)
            renewed = self.platform_keys.renewed(registration, response.id_token.kid, key)
            if renewed is None:
                raise
            signed = signed_claims(response.id_token, renewed, registration, self.clock())
        trail.passed("id_token_trusted")
        return registration, signed

    def _require_deployment(
        self, registration: Registration, deployment_id: str, response: AuthenticationResponse
    ) -> bool:
        """Whether the deployment is served, and new: by the registration's policy, it is written down or waits."""
        status = registration.deployments.get(deployment_id)
        if status is not DeploymentStatus.ENABLED:  # only what is served is believed from memory
            status = self.registrations.deployment_status(registration, deployment_id)
        if status is None and registration.deployment_policy is DeploymentPolicy.AUTO:
            return True
        if status is None and registration.deployment_policy is DeploymentPolicy.APPROVE:
            self.login_attempts.require_open(response)  # only a launch that we asked for makes somebody look
            status = DeploymentStatus.PENDING
            self._write_down(registration, deployment_id, status)
        require_served(status)
        return False

    def _write_down(self, registration: Registration, deployment_id: str, status: DeploymentStatus) -> None:
        """Of many launches that come at once, the one whose write won leaves the audit line."""
        if self.registrations.add_deployment(registration, deployment_id, status):
            verb, changed = f"deployment {status.value}", (f"deployments/{deployment_id}",)
            line = AuditLine(
                at=self.clock(), who="launch", verb=verb, registration=registration.reference, changed=changed
            )
            self.audit.add(line)
