"""Audit: who changed what about a registration, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lti_tool.domain.registration import RegistrationReference

KEYS = RegistrationReference("keys")
"""What stands in a registration's place in lines about the tool's own signing keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One change; `changed` names fields and holds no values.

    `who` is an operator (an AWS identity, or `local`), `invitation ID`, `launch` for a deployment that a verified
    launch named first, or `keys` for what the rotation of signing keys does by itself.
    """

    at: datetime
    who: str
    verb: str
    registration: RegistrationReference
    changed: tuple[str, ...] = ()
