"""Audit: who changed what about a registration, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lti_tool.domain.registration import RegistrationReference


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One change by an operator. `who` is an AWS identity, or `local`; `changed` names fields and holds no values."""

    at: datetime
    who: str
    verb: str
    registration: RegistrationReference
    changed: tuple[str, ...] = ()
