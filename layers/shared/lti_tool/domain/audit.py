"""Audit: who changed what about a registration, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lti_tool.domain.registration import RegistrationReference


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One change; `changed` names fields and holds no values.

    `who` is an operator (an AWS identity, or `local`), `invitation ID`, or `launch` for a deployment that a verified
    launch named first.
    """

    at: datetime
    who: str
    verb: str
    registration: RegistrationReference
    changed: tuple[str, ...] = ()
