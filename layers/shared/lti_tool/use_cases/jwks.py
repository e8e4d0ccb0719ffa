"""JWKS: the keys that platforms verify our signatures with."""

from __future__ import annotations

from dataclasses import dataclass

from lti_tool.domain.jwks import jwks
from lti_tool.use_cases.ports import Health, Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPublisher:
    signer: Signer
    health: Health

    def publish(self) -> dict[str, list[dict[str, str]]]:
        return jwks(self.signer.public_keys())

    def require_health(self) -> None:
        """Raises StoreUnavailableError."""
        self.signer.public_keys()
        self.health.require()
