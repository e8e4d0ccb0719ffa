"""What the tool offers to platforms: its name, placements, scopes and custom parameters, from one settings file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

PrivacyLevel = Literal["public", "name_only", "email_only", "anonymous"]
MessageType = Literal["LtiResourceLinkRequest", "LtiDeepLinkingRequest"]
DisplayType = Literal[
    "default", "full_width", "full_width_in_context", "full_width_with_nav", "in_nav_context", "borderless"
]
_BOTH = (
    *("assignment_selection", "collaboration", "conference_selection", "course_assignments_menu"),
    *("homework_submission", "link_selection", "migration_selection", "module_index_menu_modal", "module_menu_modal"),
    *("resource_selection", "submission_type_selection"),
)
PLACEMENTS: Mapping[MessageType, Sequence[str]] = {
    "LtiResourceLinkRequest": (
        *_BOTH,
        *("account_navigation", "analytics_hub", "assignment_edit", "assignment_group_menu", "assignment_index_menu"),
        *("assignment_menu", "assignment_view", "course_home_sub_navigation", "course_navigation"),
        *("course_settings_sub_navigation", "discussion_topic_index_menu", "discussion_topic_menu", "file_index_menu"),
        *("file_menu", "global_navigation", "module_group_menu", "module_index_menu", "module_menu", "post_grades"),
        *("quiz_index_menu", "quiz_menu", "similarity_detection", "student_context_card", "tool_configuration"),
        *("top_navigation", "user_navigation", "wiki_index_menu", "wiki_page_menu"),
    ),
    "LtiDeepLinkingRequest": (
        *_BOTH,
        *("ActivityAssetProcessor", "ActivityAssetProcessorContribution", "editor_button"),
    ),
}
ONLY_AT: Mapping[str, Sequence[str]] = {
    "default": ("account_navigation", "course_navigation"),
    "windowTarget": ("account_navigation", "course_navigation"),
    "root_account_only": ("account_navigation",),
    "use_tray": ("editor_button",),
    "accept_media_types": ("file_menu",),
    "icon_svg_path_64": ("global_navigation",),
    "description": ("submission_type_selection",),
    "require_resource_selection": ("submission_type_selection",),
    "eula": ("ActivityAssetProcessor",),
}


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlacementSettings(_Settings):
    """What Canvas lets one placement have, under Canvas's names. `ONLY_AT` says which belong to one place."""

    icon_url: str | None = None
    canvas_icon_class: str | None = None
    selection_width: int | None = None
    selection_height: int | None = None
    launch_width: int | None = None
    launch_height: int | None = None
    required_permissions: str | None = None
    visibility: Literal["admins", "members", "public"] | None = None
    display_type: DisplayType | None = None
    custom_fields: Mapping[str, str | int | float | bool] = {}
    default: Literal["enabled", "disabled"] | None = None
    windowTarget: Literal["_blank"] | None = None  # noqa: N815 - Canvas's spelling
    root_account_only: bool | None = None
    use_tray: bool | None = None
    accept_media_types: str | None = None
    icon_svg_path_64: str | None = None
    description: Annotated[str, Field(max_length=255)] | None = None
    require_resource_selection: bool | None = None
    eula: Mapping[str, Any] | None = None


class Placement(_Settings):
    """One place in a platform where the tool appears, if it is `enabled`."""

    placement: str
    enabled: bool = True
    message_type: MessageType = "LtiResourceLinkRequest"
    text: str | None = None
    labels: Mapping[str, str] = {}
    settings: PlacementSettings = PlacementSettings()

    @model_validator(mode="after")
    def _require_what_canvas_takes(self) -> Placement:
        if self.placement not in PLACEMENTS[self.message_type]:
            raise ValueError(f"Canvas has no placement {self.placement} for {self.message_type}")
        for name in self.settings.model_fields_set:
            if self.placement not in ONLY_AT.get(name, (self.placement,)):
                raise ValueError(f"{name} is for {' and '.join(ONLY_AT[name])}, not for {self.placement}")
        return self


class Offer(_Settings):
    """`icon_path` is below the tool's URL; `labels` and a placement's are by language tag.

    `placements` are those that are enabled.
    """

    title: Annotated[str, Field(min_length=1, max_length=255)]
    description: str
    text: str
    labels: Mapping[str, str] = {}
    icon_path: str = "/app/icon.svg"
    canvas_icon_class: str | None = None
    privacy_level: PrivacyLevel = "public"
    selection_width: int = 900
    selection_height: int = 700
    scopes: tuple[str, ...]
    required_permissions: str | None = None
    custom_fields: Mapping[str, str] = {}
    publish_key_itself: bool = False
    placements: tuple[Placement, ...]

    @field_validator("placements")
    @classmethod
    def _only_enabled(cls, placements: tuple[Placement, ...]) -> tuple[Placement, ...]:
        return tuple(placement for placement in placements if placement.enabled)

    @property
    def message_types(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(placement.message_type for placement in self.placements))
