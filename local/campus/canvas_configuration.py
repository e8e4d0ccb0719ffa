"""Canvas' tool configuration: which placements there are, and how Canvas reads the JSON of a developer key.

Canvas passes over keys that it does not know. Of the others it checks the shape; messages of more than one fault come
together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.campus import vocabulary as v
from local.campus.registration import NAMES, PERSONAL, Placement, Registration, web_address

CANVAS = "canvas.instructure.com"
PREFIX = "https://canvas.instructure.com/lti/"
# Privacy level -> the claims about a person that come with it.
PRIVACY: Mapping[str, frozenset[str]] = {
    "public": PERSONAL,
    "name_only": NAMES,
    "email_only": frozenset({"email"}),
    "anonymous": frozenset(),
}
_LINKING = (
    *("account_navigation", "analytics_hub", "assignment_edit", "assignment_group_menu", "assignment_index_menu"),
    *("assignment_menu", "assignment_selection", "assignment_view", "collaboration", "conference_selection"),
    *("course_assignments_menu", "course_home_sub_navigation", "course_navigation", "course_settings_sub_navigation"),
    *("discussion_topic_index_menu", "discussion_topic_menu", "file_index_menu", "file_menu", "global_navigation"),
    *("homework_submission", "link_selection", "migration_selection", "module_group_menu", "module_index_menu"),
    *("module_index_menu_modal", "module_menu", "module_menu_modal", "post_grades", "quiz_index_menu", "quiz_menu"),
    *("resource_selection", "similarity_detection", "student_context_card", "submission_type_selection"),
    *("tool_configuration", "top_navigation", "user_navigation", "wiki_index_menu", "wiki_page_menu"),
)
_SELECTING = (
    *("ActivityAssetProcessor", "ActivityAssetProcessorContribution", "assignment_selection", "collaboration"),
    *("conference_selection", "course_assignments_menu", "editor_button", "homework_submission", "link_selection"),
    *("migration_selection", "module_index_menu_modal", "module_menu_modal", "resource_selection"),
    "submission_type_selection",
)
PLACEMENTS: Mapping[str, Sequence[str]] = {v.RESOURCE_LINK: _LINKING, v.DEEP_LINKING: _SELECTING}
# Placements of an account or a person: no course around them.
OUTSIDE_COURSES = frozenset({"account_navigation", "global_navigation", "user_navigation"})
# Where an item's lineItem makes an assignment; elsewhere it is passed over.
GRADED = frozenset(
    {
        *("course_assignments_menu", "module_index_menu_modal", "module_menu_modal"),
        *("assignment_selection", "link_selection"),
    }
)

_SCOPES = frozenset(
    {
        *v.AGS_SCOPES,
        v.MEMBERSHIP_SCOPE,
        v.PUBLIC_JWK_SCOPE,
        "https://canvas.instructure.com/lti-ags/progress/scope/show",
        "https://canvas.instructure.com/lti/replace_editor_contents",
        *(f"https://purl.imsglobal.org/spec/lti/scope/{name}" for name in ("noticehandlers", "asset.readonly")),
        *(f"https://purl.imsglobal.org/spec/lti/scope/{name}" for name in ("report", "eula/deployment", "eula/user")),
        *(f"https://purl.imsglobal.org/spec/lti-reg/scope/registration{end}" for end in ("", ".readonly")),
        *(PREFIX + name for name in ("account_lookup/scope/show", "page_content/show")),
        *(f"{PREFIX}account_external_tools/scope/{verb}" for verb in ("create", "destroy", "list", "show", "update")),
        *(
            f"{PREFIX}data_services/scope/{verb}"
            for verb in ("create", "show", "update", "list", "destroy", "list_event_types")
        ),
        PREFIX + "feature_flags/scope/show",
    }
)
_JWK = ("kty", "e", "n", "kid", "alg", "use")
_DISPLAY_TYPES = frozenset(
    {"default", "full_width", "full_width_in_context", "full_width_with_nav", "in_nav_context", "borderless"}
)
_NUMBER_OR_TEXT = (int, float, str)
# Settings of every level -> the types that they may have.
_SETTINGS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("text", "icon_url", "canvas_icon_class", "required_permissions", "default", "url"), (str,)),
    **dict.fromkeys(("icon_svg_path_64", "accept_media_types"), (str,)),
    **dict.fromkeys(("selection_width", "selection_height", "launch_width", "launch_height"), _NUMBER_OR_TEXT),
    **dict.fromkeys(("enabled", "use_tray"), (bool, str)),
    **dict.fromkeys(("labels", "custom_fields"), (dict,)),
    "windowTarget": (str, type(None)),
}


class BadConfigurationError(Exception):
    """A configuration that Canvas does not save; `errors` are its messages."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = list(errors)


@dataclass(frozen=True, kw_only=True)
class CanvasConfiguration:
    """A developer key's JSON, read."""

    title: str
    target_link_uri: str
    login_url: str
    login_urls: Mapping[str, str]  # by region
    public_jwk_url: str | None
    public_jwk: Mapping[str, Any] | None
    scopes: Sequence[str]
    privacy_level: str
    custom: Mapping[str, Any]
    placements: Mapping[str, Placement]


def parsed(document: Any) -> CanvasConfiguration:
    """The configuration.

    Raises:
        BadConfigurationError
    """
    if not isinstance(document, dict):
        raise BadConfigurationError(["the configuration is not a JSON object"])
    extension = _canvas_extension(document)
    settings: dict[str, Any] = extension["settings"] if isinstance(extension.get("settings"), dict) else {}
    errors = [*_errors_of_document(document), *_errors_of_extensions(document)]
    given = settings.get("placements")
    placements = [p for p in given if isinstance(p, dict)] if isinstance(given, list) else []
    if not errors:
        errors = [message for p in placements for message in _errors_of_placement(p, settings)]
    if errors:
        raise BadConfigurationError(errors)
    custom = {**_custom(document), **_custom(settings)}
    return CanvasConfiguration(
        title=document["title"],
        target_link_uri=document["target_link_uri"],
        login_url=document["oidc_initiation_url"],
        login_urls=document.get("oidc_initiation_urls") or {},
        public_jwk_url=document.get("public_jwk_url"),
        public_jwk=document.get("public_jwk"),
        scopes=document.get("scopes") or [],
        privacy_level=extension.get("privacy_level") or "anonymous",
        custom=custom,
        placements={
            placement["placement"]: _placement(placement, settings, document)
            for placement in placements
            if placement.get("enabled", True) not in (False, "false")
        },
    )


def supports(placement: str, message_type: str) -> bool:
    return placement in PLACEMENTS.get(message_type, ())


def unsupported(placement: str, message_type: str) -> str:
    return f"Placement {placement} does not support message type {message_type}"


def default_message_type(placement: str) -> str:
    return v.RESOURCE_LINK if supports(placement, v.RESOURCE_LINK) else v.DEEP_LINKING


def placements_of(registration: Registration) -> list[dict[str, Any]]:
    """For reading: the placements and what each of them sends."""
    return [
        {
            "placement": placement.name,
            "message_type": placement.message_type,
            "target_link_uri": placement.target_link_uri,
            "label": placement.label,
            "custom": dict(placement.custom),
            "settings": dict(placement.settings),
        }
        for placement in registration.placements.values()
    ]


def _canvas_extension(document: Mapping[str, Any]) -> dict[str, Any]:
    """The first of Canvas' own; others are kept somewhere and have no effect."""
    extensions = document.get("extensions")
    found = [e for e in extensions if isinstance(e, dict)] if isinstance(extensions, list) else []
    return next((extension for extension in found if extension.get("platform") == CANVAS), {})


def _errors_of_document(document: Mapping[str, Any]) -> list[str]:
    needed = ("title", "description", "target_link_uri", "oidc_initiation_url")
    errors = [f"{name} is required" for name in needed if not document.get(name)]
    errors += [f"{name} is not a string" for name in needed if document.get(name) and not _text(document[name])]
    for name in ("target_link_uri", "oidc_initiation_url", "public_jwk_url"):
        if _text(document.get(name)) and not web_address(document[name]):
            errors.append(f"{name} is not a valid URL")
    if document.get("public_jwk_url") is None and document.get("public_jwk") is None:
        errors.append("public_jwk or public_jwk_url is required")
    if (jwk := document.get("public_jwk")) is not None:
        errors += errors_of_jwk(jwk)
    urls = document.get("oidc_initiation_urls")
    if urls is not None and not (isinstance(urls, dict) and all(map(web_address, urls.values()))):
        errors.append("oidc_initiation_urls must be an object whose values are valid URLs")
    scopes = document.get("scopes")
    if scopes is not None and not isinstance(scopes, list):
        errors.append("scopes is not an array")
    errors += [f"scopes: {scope} is not a known scope" for scope in scopes or [] if scope not in _SCOPES]
    if not isinstance(document.get("custom_fields", {}), dict | str):
        errors.append("custom_fields is neither an object nor a string")
    return errors


def errors_of_jwk(jwk: Any) -> list[str]:
    if not isinstance(jwk, dict):
        return ["public_jwk is not an object"]
    errors = [f"public_jwk: {name} is required" for name in _JWK if not jwk.get(name)]
    if jwk.get("kty", "RSA") != "RSA" or jwk.get("alg", "RS256") != "RS256":
        errors.append("public_jwk is not an RSA key for RS256")
    return errors


def _errors_of_extensions(document: Mapping[str, Any]) -> list[str]:
    extensions = document.get("extensions")
    if extensions is None:
        return []
    if not isinstance(extensions, list) or not all(isinstance(extension, dict) for extension in extensions):
        return ["extensions is not an array of objects"]
    errors = []
    for extension in extensions:
        errors += [f"extensions: {name} is required" for name in ("platform", "settings") if not extension.get(name)]
    canvas = _canvas_extension(document)
    if canvas.get("privacy_level", "public") not in PRIVACY:
        errors.append(f"extensions: privacy_level must be one of {', '.join(PRIVACY)}")
    settings = canvas.get("settings") or {}
    if not isinstance(settings, dict):
        return [*errors, "extensions: settings is not an object"]
    errors += _errors_of_settings(settings, "settings")
    placements = settings.get("placements")
    if canvas and settings and not (isinstance(placements, list) and all(isinstance(p, dict) for p in placements)):
        errors.append("settings: placements is not an array of objects")
    return errors


def _errors_of_placement(placement: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    name = placement.get("placement")
    if not isinstance(name, str) or not name:
        return ["placements: placement is required"]
    known = {each for names in PLACEMENTS.values() for each in names}
    if name not in known:
        return [f"placements: {name} is not a known placement"]
    errors = _errors_of_settings(placement, name)
    message_type = placement.get("message_type") or settings.get("message_type") or default_message_type(name)
    if not supports(name, str(message_type)):
        errors.append(unsupported(name, str(message_type)))
    description = placement.get("description")
    if name == "submission_type_selection" and isinstance(description, str) and len(description) > 255:
        errors.append(f"{name}: description is longer than 255 characters")
    return errors


def _errors_of_settings(settings: Mapping[str, Any], where: str) -> list[str]:
    errors = [
        f"{where}: {name} has a wrong type"
        for name, types in _SETTINGS.items()
        if name in settings and not isinstance(settings[name], types)
    ]
    if "target_link_uri" in settings and not web_address(settings["target_link_uri"]):
        errors.append(f"{where}: target_link_uri is not a valid URL")
    if settings.get("display_type", "default") not in _DISPLAY_TYPES:
        errors.append(f"{where}: display_type must be one of {', '.join(sorted(_DISPLAY_TYPES))}")
    if settings.get("visibility", "public") not in ("admins", "members", "public"):
        errors.append(f"{where}: visibility must be one of admins, members, public")
    return errors


def _placement(placement: Mapping[str, Any], settings: Mapping[str, Any], document: Mapping[str, Any]) -> Placement:
    """A value on the placement wins over the settings', and that one over the top level's."""
    name = placement["placement"]
    levels = (placement, settings)
    taken = {"placement", "message_type", "target_link_uri", "custom_fields", "text"}
    return Placement(
        name=name,
        message_type=_first("message_type", *levels) or default_message_type(name),
        target_link_uri=_first("target_link_uri", *levels) or document["target_link_uri"],
        label=_first("text", *levels) or document["title"],
        custom=_custom(placement),
        settings={key: value for key, value in placement.items() if key not in taken},
    )


def _first(name: str, *levels: Mapping[str, Any]) -> str:
    return next((str(level[name]) for level in levels if level.get(name)), "")


def _custom(level: Mapping[str, Any]) -> dict[str, Any]:
    """Of an object, or of the older lines of `name=value`."""
    given = level.get("custom_fields") or {}
    if isinstance(given, str):
        lines = (line.partition("=") for line in given.splitlines() if "=" in line)
        return {name.strip(): value.strip() for name, _, value in lines}
    return dict(given)


def _text(value: Any) -> bool:
    return isinstance(value, str)
