"""A tool as one platform has it on file: the pact of one client id, by hand or by dynamic registration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.campus.tool import Tool

ACTIVE = "active"
PENDING = "pending"  # an administrator has to say yes
NAMES = frozenset({"name", "given_name", "family_name"})
PERSONAL = NAMES | {"email", "picture"}


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A place in the platform's pages from which the tool can be opened."""

    name: str
    message_type: str
    target_link_uri: str
    label: str
    custom: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)  # whatever else was said about it


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What both sides agreed on. `personal` are the claims about a person that the tool gets, None is all of them;
    `withheld` names information that an administrator keeps back: `user`, `org_unit`, `link`. No messages: any.
    """

    client_id: str
    deployment_id: str
    tool: Tool
    number: int
    is_fixed: bool = False  # there from the first day, never leaves
    state: str = ACTIVE
    scopes: Sequence[str] = ()
    personal: frozenset[str] | None = None
    claims: Sequence[str] = ()  # as the tool asked
    messages: Sequence[Mapping[str, Any]] = ()
    custom: Mapping[str, Any] = field(default_factory=dict)
    placements: Mapping[str, Placement] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()

    @property
    def is_active(self) -> bool:
        return self.state == ACTIVE

    def shows(self, claim: str) -> bool:
        return "user" not in self.withheld and (self.personal is None or claim in self.personal)

    def speaks(self, message_type: str) -> bool:
        return not self.messages or self.message(message_type) is not None

    def message(self, message_type: str) -> Mapping[str, Any] | None:
        return next((message for message in self.messages if message.get("type") == message_type), None)


@dataclass(kw_only=True)
class Introduction:
    """A registration that an administrator began: its token lets one tool register, once."""

    token: str
    number: int
    client_id: str
    deployment_id: str
    expires_at: float | None  # None: never
    used: bool = False


class RegistrationRefusedError(Exception):
    """A registration that does not come about, before the platform gave it its own form. `error` is a code."""

    def __init__(self, status: int, error: str, description: str = "") -> None:
        super().__init__(description or error)
        self.status = status
        self.error = error
        self.description = description or error


def web_address(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("https://", "http://")) and len(value) > len("https://")
