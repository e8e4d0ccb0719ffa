"""What the tool offers to platforms: its name, placements, scopes and custom parameters, from one settings file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

PrivacyLevel = Literal["public", "name_only", "email_only", "anonymous"]
MessageType = Literal["LtiResourceLinkRequest", "LtiDeepLinkingRequest"]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Placement(_Settings):
    """One place in a platform where the tool appears. `settings` are Canvas's own keys, passed on as they are."""

    placement: str
    message_type: MessageType = "LtiResourceLinkRequest"
    text: str | None = None
    labels: Mapping[str, str] = {}
    settings: Mapping[str, Any] = {}


class Offer(_Settings):
    """`icon_path` is below the tool's URL; `labels` and a placement's are by language tag."""

    title: Annotated[str, Field(min_length=1, max_length=255)]
    description: str
    text: str
    labels: Mapping[str, str] = {}
    icon_path: str = "/app/icon.svg"
    privacy_level: PrivacyLevel = "public"
    selection_width: int = 900
    selection_height: int = 700
    scopes: tuple[str, ...]
    required_permissions: str | None = None
    custom_fields: Mapping[str, str] = {}
    publish_key_itself: bool = False
    placements: tuple[Placement, ...]

    @property
    def message_types(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(placement.message_type for placement in self.placements))
