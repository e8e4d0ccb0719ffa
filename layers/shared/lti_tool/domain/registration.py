"""The pact between a platform and this tool."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

from lti_tool.domain.errors import (
    DeploymentDisabledError,
    DeploymentPendingError,
    RegistrationDisabledError,
    UnknownDeploymentError,
)

RegistrationReference = NewType("RegistrationReference", str)
"""22 URL-safe characters that stand for (issuer, client_id): safe to show, the same in every region."""


def reference_of(issuer: str, client_id: str) -> RegistrationReference:
    """Name a registration by a digest, so that finding it by issuer and client_id needs no index."""
    digest = hashlib.sha256(f"{len(issuer)}:{issuer}{client_id}".encode()).digest()
    return RegistrationReference("r" + base64.urlsafe_b64encode(digest)[:21].decode())  # never begins like an option


class DeploymentPolicy(StrEnum):
    """What happens when a verified launch names a deployment that nobody has listed."""

    AUTO = "auto"  # written down and served
    APPROVE = "approve"  # written down, served once an operator approves it
    CLOSED = "closed"  # refused


class DeploymentStatus(StrEnum):
    ENABLED = "enabled"
    PENDING = "pending"
    DISABLED = "disabled"


class PlatformFamily(StrEnum):
    """Whose manners the platform has where the specs leave a choice; the preset chosen at registration."""

    CANVAS = "canvas"
    MOODLE = "moodle"
    BLACKBOARD = "blackboard"
    BRIGHTSPACE = "brightspace"
    SAKAI = "sakai"
    OPENEDX = "openedx"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """`issuer` and `client_id`, and the platform's URLs.

    `issuer` is compared byte for byte. `token_audience` is what the client assertion names as `aud` where that is not
    the token endpoint. `deployments` holds the ones written down, by `deployment_id`; `deployment_tenants` the names of
    those that have one of their own.
    `allow_anonymous` opens launches that name no user. `frame_ancestors` are origins that may frame our pages besides
    those that the registration and its launches name. `pushes_public_key_to` is the origin of a Canvas that keeps one
    key of ours in place of our key set's address: a new signing key is sent there.
    """

    issuer: str
    client_id: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_audience: str | None = None
    family: PlatformFamily = PlatformFamily.CUSTOM
    tenant: str = ""
    enabled: bool = True
    allow_anonymous: bool = False
    deployment_policy: DeploymentPolicy = DeploymentPolicy.CLOSED
    frame_ancestors: tuple[str, ...] = ()
    pushes_public_key_to: str | None = None
    deployments: Mapping[str, DeploymentStatus] = field(default_factory=dict)
    deployment_tenants: Mapping[str, str] = field(default_factory=dict)

    def tenant_of(self, deployment_id: str) -> str:
        """Whose place that deployment is: its own name, else the registration's."""
        return self.deployment_tenants.get(deployment_id, self.tenant)

    @property
    def reference(self) -> RegistrationReference:
        return reference_of(self.issuer, self.client_id)


def require_enabled(registration: Registration) -> None:
    if not registration.enabled:
        raise RegistrationDisabledError


def require_still_served(registration: Registration, deployment_id: str) -> None:
    """Let pass what follows a launch: neither the registration nor the deployment was switched off since."""
    require_enabled(registration)
    if registration.deployments.get(deployment_id) is DeploymentStatus.DISABLED:
        raise DeploymentDisabledError


def require_served(status: DeploymentStatus | None) -> None:
    """Let a launch pass whose deployment is enabled.

    Raises:
        UnknownDeploymentError, DeploymentPendingError, DeploymentDisabledError: by its status; `None` is unknown.
    """
    match status:
        case DeploymentStatus.ENABLED:
            return
        case DeploymentStatus.PENDING:
            raise DeploymentPendingError
        case DeploymentStatus.DISABLED:
            raise DeploymentDisabledError
        case None:
            raise UnknownDeploymentError
