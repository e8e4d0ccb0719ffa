"""A verified message: what the platform says about who opens what, where, and with which services.

Spec: https://www.imsglobal.org/spec/lti/v1p3/#resource-link-launch-request-message,
https://www.imsglobal.org/spec/lti-dl/v2p0/#deep-linking-request-message
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lti_tool.domain import claims as names
from lti_tool.domain.addresses import origin_of, web_address
from lti_tool.domain.errors import (
    AnonymousLaunchError,
    ForeignTargetError,
    InvalidClaimError,
    UnsupportedMessageTypeError,
    UnsupportedVersionError,
)
from lti_tool.domain.registration import RegistrationReference
from lti_tool.domain.roles import TEST_USER, Privilege, Right, rights_of
from lti_tool.domain.tokens import SignedClaims

LONGEST_ID = 255
LONGEST_TEXT = 2000
DEFAULT_LOCALE = "en"

_UNRESOLVED = re.compile(r"\$[A-Za-z][\w.]*(<.*>)?$", re.ASCII)
"""A variable that the platform left as it stood, such as `$Person.sourcedId`; "$100" is none."""

KEPT_CLAIMS = (
    "sub",
    "name",
    "given_name",
    "family_name",
    "email",
    "locale",
    names.MESSAGE_TYPE,
    names.VERSION,
    names.DEPLOYMENT_ID,
    names.TARGET_LINK_URI,
    names.RESOURCE_LINK,
    names.ROLES,
    names.CONTEXT,
    names.LAUNCH_PRESENTATION,
    names.CUSTOM,
    names.FOR_USER,
    names.DEEP_LINKING_SETTINGS,
    names.ENDPOINT,
    names.NAMES_ROLE_SERVICE,
)
"""What a session remembers of an id_token: these claims and no others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """The person, known by `id` (`sub`) within the registration; name and e-mail only as the platform shares them.

    An anonymous visitor has no id.
    """

    id: str | None
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A course or the like."""

    id: str
    label: str | None = None
    title: str | None = None
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceLink:
    """A link in a course; its id is unique within the deployment."""

    id: str
    title: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeService:
    """Where marks go (AGS). `line_item` is the column of this very link, when it has exactly one."""

    scopes: tuple[str, ...]
    line_items: str | None = None
    line_item: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepLinkingSettings:
    """What the platform accepts back, and where. `accept_line_item` is `None` when it does not say.

    `data` goes back as it came, whatever JSON it is; `None` is none.
    """

    return_url: str
    accept_types: tuple[str, ...]
    accept_multiple: bool
    accept_line_item: bool | None
    data: Any
    title: str | None
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What all messages have in common.

    `privileges` are what the landing rules make of it, by the rule named `rule`: none, until a table was asked.
    """

    registration: RegistrationReference
    issuer: str
    client_id: str
    deployment_id: str
    message_type: str
    target_link_uri: str
    user: User
    roles: tuple[str, ...]
    context: Context | None
    custom: Mapping[str, str]
    grades: GradeService | None
    memberships_url: str | None
    locale: str
    return_url: str | None
    privileges: frozenset[Privilege] = frozenset()
    rule: str | None = None

    @property
    def rights(self) -> frozenset[Right]:
        return rights_of(self.privileges)

    def may(self, *rights: Right) -> bool:
        """Whether this person has one of these rights."""
        return not self.rights.isdisjoint(rights)

    @property
    def is_preview(self) -> bool:
        """A teacher looking through a student's eyes (Canvas's Student View)."""
        return TEST_USER in self.roles


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceLinkLaunch(Launch):
    """Somebody opens a link in a course."""

    resource_link: ResourceLink


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepLinkingLaunch(Launch):
    """Somebody picks activities for a course."""

    settings: DeepLinkingSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionReviewLaunch(Launch):
    """Somebody opens one learner's work from the gradebook. `resource_link` is absent for a column without a link."""

    resource_link: ResourceLink | None
    learner: str

    @property
    def may_review(self) -> bool:
        """Graders see any learner's work, a learner only their own."""
        return self.may(Right.GRADE) or (self.may(Right.TAKE) and self.learner == self.user.id)


AnyLaunch = ResourceLinkLaunch | DeepLinkingLaunch | SubmissionReviewLaunch


def kept_claims(signed: SignedClaims) -> dict[str, Any]:
    kept = {name: signed.claims[name] for name in KEPT_CLAIMS if signed.claims.get(name) is not None}
    if isinstance(learner := kept.get(names.FOR_USER), Mapping):
        kept[names.FOR_USER] = {"user_id": learner.get("user_id")}  # somebody else's name and e-mail: not needed
    return kept


def launch_from(signed: SignedClaims) -> AnyLaunch:
    """Read a message out of signed claims.

    Strict where a mistake would open a wrong door, lenient where platforms slip harmlessly: null members, numbers for
    texts, short role names, unknown claims, unresolved `$Variables` (taken as absent).

    Raises:
        UnsupportedVersionError, UnsupportedMessageTypeError: not a message of LTI 1.3 that we know.
        InvalidClaimError: a required claim is absent or not of its type.
    """
    claims = signed.claims
    if claims.get(names.VERSION) != names.LTI_VERSION:  # (13)
        raise UnsupportedVersionError().because(expected=names.LTI_VERSION, received=claims.get(names.VERSION))
    message_type = claims.get(names.MESSAGE_TYPE)  # (14)
    if message_type is None:
        raise InvalidClaimError("message_type")
    if message_type not in _MESSAGE_TYPES:
        raise UnsupportedMessageTypeError().because(received=message_type)
    # Deep linking may leave out who picks (its 2023 revision); elsewhere the registration says whether that is fine.
    may_be_anonymous = message_type == names.DEEP_LINKING_REQUEST or signed.registration.allow_anonymous
    common: dict[str, Any] = {
        "registration": signed.registration.reference,
        "issuer": signed.registration.issuer,
        "client_id": signed.registration.client_id,
        "deployment_id": _id(claims, names.DEPLOYMENT_ID, "deployment_id"),  # (15)
        "message_type": message_type,
        "user": _user(claims, may_be_anonymous=may_be_anonymous),
        "roles": _roles(claims),
        "context": _context(claims),
        "custom": _custom(claims),
        "grades": _grades(claims),
        "memberships_url": web_address(_object(claims, names.NAMES_ROLE_SERVICE).get("context_memberships_url")),
        "locale": _locale(claims),
        "return_url": return_address(claims),
    }
    if message_type == names.DEEP_LINKING_REQUEST:
        # The deep linking text does not list target_link_uri among its claims; platforms send it all the same.
        target = web_address(claims.get(names.TARGET_LINK_URI)) or ""
        return DeepLinkingLaunch(**common, target_link_uri=target, settings=_settings(claims))
    target = _required_url(claims.get(names.TARGET_LINK_URI), "target_link_uri")  # (16)
    if message_type == names.RESOURCE_LINK_REQUEST:
        return ResourceLinkLaunch(**common, target_link_uri=target, resource_link=_resource_link(claims))
    if common["grades"] is None or common["grades"].line_item is None:
        raise InvalidClaimError("endpoint.lineitem")
    return SubmissionReviewLaunch(
        **common,
        target_link_uri=target,
        resource_link=_resource_link(claims) if _object(claims, names.RESOURCE_LINK) else None,
        learner=_id(_object(claims, names.FOR_USER), "user_id", "for_user.user_id"),
    )


_MESSAGE_TYPES = (names.RESOURCE_LINK_REQUEST, names.DEEP_LINKING_REQUEST, names.SUBMISSION_REVIEW_REQUEST)


def require_own_target(launch: AnyLaunch, tool_url: str, is_a_regions: Callable[[str], bool]) -> None:
    """The link has to point to this tool, in whichever region: dispatch reads its path, and nobody is sent elsewhere.

    `is_a_regions` is asked about an origin that is not this region's own.
    """
    target = origin_of(launch.target_link_uri)
    if target is not None and target != origin_of(tool_url) and not is_a_regions(target):
        raise ForeignTargetError().because(expected=tool_url, received=launch.target_link_uri)


def landing_of(launch: AnyLaunch) -> str:
    """The page that this person sees first."""
    if isinstance(launch, SubmissionReviewLaunch) and launch.may_review:
        return "/app/review"
    return landing_page(launch.rights, launch.message_type)


def landing_page(rights: frozenset[Right], message_type: str) -> str:
    """The same by rights alone; a learner's own work, opened for review, is not among what these say."""
    if message_type == names.DEEP_LINKING_REQUEST:
        return "/app/picker" if Right.CHOOSE in rights else "/app/welcome"
    if message_type == names.SUBMISSION_REVIEW_REQUEST and Right.GRADE in rights:
        return "/app/review"
    if rights - {Right.TAKE}:
        return "/app/marks"
    takes = bool(rights) and message_type == names.RESOURCE_LINK_REQUEST  # a review hands nothing in
    return "/app/activity" if takes else "/app/welcome"


def return_address(claims: Mapping[str, Any]) -> str | None:
    """Where the platform wants its user back; to be offered once the signature is right."""
    return web_address(_object(claims, names.LAUNCH_PRESENTATION).get("return_url"))


# --- Reading one claim ------------------------------------------------------------------------------------------


def _object(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = claims.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()
    return None if not text or _UNRESOLVED.match(text) else text[:LONGEST_TEXT]


def _id(claims: Mapping[str, Any], name: str, shown: str) -> str:
    """A required id: 1 to 255 printable ASCII characters; a whole number is read as its digits (old Moodle)."""
    value = claims.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_ID:
        raise InvalidClaimError(shown)
    if not (value.isascii() and value.isprintable()):  # a score for such an id could not be put on the queue
        raise InvalidClaimError(shown)
    return value


def _required_url(value: object, shown: str) -> str:
    if (url := web_address(value)) is None:
        raise InvalidClaimError(shown)
    return url


def _resource_link(claims: Mapping[str, Any]) -> ResourceLink:
    link = _object(claims, names.RESOURCE_LINK)
    return ResourceLink(
        id=_id(link, "id", "resource_link.id"),
        title=_text(link.get("title")),
        description=_text(link.get("description")),
    )


def _user(claims: Mapping[str, Any], *, may_be_anonymous: bool) -> User:
    if claims.get("sub") is None and not may_be_anonymous:
        raise AnonymousLaunchError
    name = _text(claims.get("name"))
    if name is None:
        parts = [_text(claims.get(part)) for part in ("given_name", "family_name")]
        name = " ".join(part for part in parts if part) or None
    user_id = _id(claims, "sub", "sub") if claims.get("sub") is not None else None
    return User(id=user_id, name=name, email=_text(claims.get("email")))


def _roles(claims: Mapping[str, Any]) -> tuple[str, ...]:
    value = claims.get(names.ROLES)
    if value is None and claims.get(names.MESSAGE_TYPE) == names.DEEP_LINKING_REQUEST:
        return ()  # deep linking may leave them out
    if not isinstance(value, list):  # required elsewhere, though it may be empty
        raise InvalidClaimError("roles")
    return tuple(role for role in value if isinstance(role, str))


def _context(claims: Mapping[str, Any]) -> Context | None:
    value = _object(claims, names.CONTEXT)
    if not value:
        return None
    types = value.get("type")
    return Context(
        id=_id(value, "id", "context.id"),
        label=_text(value.get("label")),
        title=_text(value.get("title")),
        types=tuple(kind for kind in types if isinstance(kind, str)) if isinstance(types, list) else (),
    )


def _custom(claims: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for name, value in _object(claims, names.CUSTOM).items():
        if isinstance(value, bool):
            found[name] = str(value).lower()
        elif isinstance(value, str | int | float) and not _UNRESOLVED.match(str(value)):
            found[name] = str(value)
    return found


def _grades(claims: Mapping[str, Any]) -> GradeService | None:
    value = _object(claims, names.ENDPOINT)
    scopes = value.get("scope")
    line_items, line_item = web_address(value.get("lineitems")), web_address(value.get("lineitem"))
    if line_items is None and line_item is None:
        return None
    return GradeService(
        scopes=tuple(scope for scope in scopes if isinstance(scope, str)) if isinstance(scopes, list) else (),
        line_items=line_items,
        line_item=line_item,
    )


def _locale(claims: Mapping[str, Any]) -> str:
    for value in (_object(claims, names.LAUNCH_PRESENTATION).get("locale"), claims.get("locale")):
        text = _text(value)
        if text and len(text) <= 35 and text.replace("-", "").replace("_", "").isalnum():
            return text.replace("_", "-")
    return DEFAULT_LOCALE


def _settings(claims: Mapping[str, Any]) -> DeepLinkingSettings:
    """Spec: https://www.imsglobal.org/spec/lti-dl/v2p0/#deep-linking-settings"""
    value = _object(claims, names.DEEP_LINKING_SETTINGS)
    if not value:
        raise InvalidClaimError("deep_linking_settings")
    accepted = value.get("accept_types")
    if not isinstance(accepted, list):
        raise InvalidClaimError("deep_linking_settings.accept_types")
    line_item = value.get("accept_lineitem")
    return DeepLinkingSettings(
        return_url=_required_url(value.get("deep_link_return_url"), "deep_linking_settings.deep_link_return_url"),
        accept_types=tuple(kind for kind in accepted if isinstance(kind, str)),
        accept_multiple=_flag(value.get("accept_multiple")) is True,  # absent: one
        accept_line_item=_flag(line_item),
        data=value.get("data"),
        title=_text(value.get("title")),
        text=_text(value.get("text")),
    )


def _flag(value: object) -> bool | None:
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    return value if isinstance(value, bool) else None
