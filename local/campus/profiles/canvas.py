"""Canvas as it behaves when it hosts a course: its claims, its status codes, its way of wiping grades.

One thing is not Canvas': it opens submissions by messages of its own, and Campus by LtiSubmissionReviewRequest.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from flask import Response, request

from local.campus import tokens
from local.campus import vocabulary as v
from local.campus.canvas_configuration import (
    GRADED,
    OUTSIDE_COURSES,
    PLACEMENTS,
    PREFIX,
    PRIVACY,
    errors_of_jwk,
    parsed,
    supports,
    unsupported,
)
from local.campus.json_answers import json_response
from local.campus.profile import (
    DeepLinkingRefusedError,
    NewActivity,
    NewLineItem,
    Profile,
    Return,
    Score,
    ServiceRefusedError,
    TokenRefusedError,
    audiences,
    digest,
    moment,
    page_by_number,
)
from local.campus.registrar import Registrar, tool_configuration
from local.campus.registration import NAMES, Introduction, Placement, Registration, RegistrationRefusedError
from local.campus.tool import Tool
from local.campus.world import PEOPLE, Activity, Cell, Course, LineItem, PendingLaunch, Person, Role

_SUBMISSION = "https://canvas.instructure.com/lti/submission"
_SUBMISSION_TYPE = "https://canvas.instructure.com/lti/submission_type"
_PLACEMENT = "https://www.instructure.com/placement"
_USUAL_PLACEMENT = "course_assignments_menu"
_LINKS, _BOTH = ("ltiResourceLink",), ("iframe", "window")
_USUAL_SELECTION: tuple[tuple[str, ...], bool, bool, tuple[str, ...]] = (_LINKS, True, False, _BOTH)
# Placement -> the types that it accepts, several of them?, created at once?, document targets.
_SELECTIONS = {
    "assignment_selection": (_LINKS, False, False, _BOTH),
    "submission_type_selection": (_LINKS, False, False, _BOTH),
    "link_selection": _USUAL_SELECTION,
    "course_assignments_menu": _USUAL_SELECTION,
    "module_index_menu_modal": (_LINKS, True, True, _BOTH),
    "module_menu_modal": (_LINKS, True, True, _BOTH),
    "editor_button": (("link", "file", "html", "ltiResourceLink", "image"), True, False, ("embed", *_BOTH)),
    "collaboration": (_LINKS, False, True, ("iframe",)),
    "conference_selection": (("link", "html"), False, True, _BOTH),
    "homework_submission": (("file", "ltiResourceLink"), False, False, ("iframe",)),
    "migration_selection": (("file",), False, False, ("iframe",)),
    "ActivityAssetProcessor": (("ltiAssetProcessor",), True, True, _BOTH),
    "ActivityAssetProcessorContribution": (("ltiAssetProcessorContribution",), True, True, _BOTH),
}
# The media types of items, where they have one. Those of files are a guess (U).
_MEDIA_TYPES = {"ltiResourceLink": "application/vnd.ims.lti.v1.ltilink", "image": "image/*", "html": "text/html"}
# Canvas validates some claims as models, and the models' bookkeeping travels along.
_BOOKKEEPING: dict[str, Any] = {"errors": {"errors": {}}, "validation_context": None}


class CanvasRegistrar(Registrar):
    """Errors come together with 422; an administrator confirms after the tool's page has closed itself."""

    product = "canvas"
    version = "cloud"
    success = 200
    confirmation = "Confirm and switch on"
    variables = (*Registrar.variables, "Canvas.user.id", "Canvas.course.id", "Canvas.api.domain")

    def new_token(self, number: int, expires_at: float | None) -> str:
        return self.profile.seal.seal({"uuid": str(uuid.uuid4()), "account": number, "exp": int(expires_at or 0)})

    def new_client_id(self, number: int) -> str:
        return str(10_000_000_000_360 + number)

    def new_deployment_id(self, number: int) -> str:
        return f"{7 + number}:{digest('canvas root account')}"

    def configuration_url(self, introduction: Introduction) -> str:
        """With the token in it: Canvas wants to know which account it speaks for."""
        return f"{super().configuration_url(introduction)}?{urlencode({'registration_token': introduction.token})}"

    def asking(self) -> Introduction:
        """By the query as in the source, or as a bearer as in the documentation."""
        header = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = request.args.get("registration_token") or header
        if not token:
            raise self.token_refused("missing", 401)
        return self.introduction_with(token)

    def configuration(self, introduction: Introduction | None) -> dict[str, Any]:
        # A bare host: no audience of anything, though the specification has it so.
        host = urlsplit(self.profile.issuer).netloc
        return {**super().configuration(introduction), "authorization_server": host}

    def claims(self) -> list[str]:
        return ["sub", "picture", "email", "name", "given_name", "family_name", "locale"]

    def platform_configuration(self) -> dict[str, Any]:
        return {
            **super().platform_configuration(),
            "notice_types_supported": ["LtiHelloWorldNotice"],
            PREFIX + "account_name": "Campus University",
            PREFIX + "account_lti_guid": f"{digest('canvas guid')}:canvas-lms",
            PREFIX + "account_domain": urlsplit(self.profile.issuer).netloc,
        }

    def messages(self) -> list[Any]:
        general = {v.RESOURCE_LINK: ["ContentArea"], v.DEEP_LINKING: ["ContentArea", "RichTextEditor"]}
        return [
            {"type": kind, "placements": [*(PREFIX + name for name in names), *general[kind]]}
            for kind, names in PLACEMENTS.items()
        ]

    def problems(self, body: Mapping[str, Any]) -> list[tuple[str, str]]:
        found = super().problems(body)
        if any(name == "messages" for name, _ in found):
            return found
        tool = tool_configuration(body)
        if tool.get(PREFIX + "privacy_level", "public") not in PRIVACY:
            found.append(("privacy_level", f"privacy_level must be one of {', '.join(PRIVACY)}"))
        for message in tool.get("messages") or []:
            for name in _placement_names(message):
                if not supports(name, message["type"]):
                    found.append(("placements", unsupported(name, message["type"])))
        return found

    def check(self, body: Mapping[str, Any]) -> None:
        if problems := self.problems(body):
            raise RegistrationRefusedError(422, "\n".join(text for _, text in problems))

    def registration(self, introduction: Introduction, body: Mapping[str, Any]) -> Registration:
        made, tool = super().registration(introduction, body), tool_configuration(body)
        placements = {
            name: Placement(
                name=name,
                message_type=message["type"],
                target_link_uri=message.get("target_link_uri") or made.tool.target_link_uri,
                label=message.get("label") or tool.get("label") or made.tool.name,
                custom=message.get("custom_parameters") or {},
                settings={"default": message.get(PREFIX + "course_navigation/default_enabled", True)},
            )
            for message in made.messages
            for name in _placement_names(message)
        }
        return replace(made, placements=placements)

    def personal(self, tool: Mapping[str, Any]) -> frozenset[str]:
        """By its privacy level; without one, by the claims that it asks for (in which way: U)."""
        if level := tool.get(PREFIX + "privacy_level"):
            return PRIVACY[level]
        asked = super().personal(tool) or frozenset()
        names, email = bool(asked & NAMES), "email" in asked
        alone = "name_only" if names else "email_only" if email else "anonymous"
        return PRIVACY["public" if names and email else alone]

    def answer(self, registration: Registration, body: Mapping[str, Any]) -> dict[str, Any]:
        """The deployment is at the top level here. Real answers may lack it."""
        answered = super().answer(registration, body)
        url = f"{self.profile.url('registration')}/{registration.number}"
        tool = {name: value for name, value in answered[v.TOOL_CONFIGURATION].items() if name != "deployment_id"}
        return {
            **answered,
            "deployment_id": registration.deployment_id,
            "registration_client_uri": url,
            v.TOOL_CONFIGURATION: {**tool, PREFIX + "registration_config_url": url},
        }

    def refusal(self, refused: RegistrationRefusedError) -> Response:
        if refused.status == 401:
            return json_response({"errorMessage": refused.description}, 401)
        return json_response({"errors": refused.description.split("\n")}, 422)


def _placement_names(message: Mapping[str, Any]) -> list[str]:
    """As Canvas calls them; none at all is a link in a module."""
    general = {"ContentArea": "link_selection", "RichTextEditor": "editor_button"}
    given = message.get("placements") or ["ContentArea"]
    return [general.get(name, name.removeprefix(PREFIX)) for name in map(str, given)]


class Canvas(Profile):
    slug = "canvas"
    name = "Canvas"
    fixed_client_id = "10000000000360"
    fixed_deployment_id = f"7:{digest('canvas root account')}"
    course_ids = (101, 102)
    first_number = 5000
    paths: ClassVar[dict[str, str]] = {
        "jwks": "/api/lti/security/jwks",
        "authorize": "/api/lti/authorize_redirect",
        "token": "/login/oauth2/token",
        "line_items": "/api/lti/courses/<int:course_id>/line_items",
        "line_item": "/api/lti/courses/<int:course_id>/line_items/<int:item_id>",
        "scores": "/api/lti/courses/<int:course_id>/line_items/<int:item_id>/scores",
        "results": "/api/lti/courses/<int:course_id>/line_items/<int:item_id>/results",
        "memberships": "/api/lti/courses/<int:course_id>/names_and_roles",
        "deep_linking_return": "/courses/<int:course_id>/deep_linking_response",
        "openid_configuration": "/api/lti/security/openid-configuration",
        "registration": "/api/lti/registrations",
        "public_jwk": "/api/lti/developer_key/update_public_jwk",
    }
    registrar_type = CanvasRegistrar
    keys_before = 1
    keys_after = 1
    keeps_tool_keys = False  # fetched at every token request: the tool's rotation is seen at once
    id_token_seconds = 3600
    storage_frame = "post_message_forwarding"
    checks_deployment = False
    missing_scope_status = 401
    authentication_errors: ClassVar[dict[str, str]] = {
        "missing": "invalid_request_object",
        "client": "unauthorized_client",
        "hint": "launch_no_longer_valid",
        "user": "login_required",
    }

    def people(self) -> dict[str, Person]:
        return PEOPLE  # a teacher can preview as a student; a public course has visitors

    def learners_of(self, course: Course) -> list[Person]:
        """The test student has marks, too, though no roster shows it."""
        return [*super().learners_of(course), PEOPLE["preview"]]

    def new_resource_link_id(self, number: int) -> str:  # noqa: ARG002 - opaque, not counted
        return str(uuid.uuid4())

    def user_id(self, person: Person) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"canvas user {person.number}"))

    def login_hint(self, person: Person) -> str:
        if person.role is Role.VISITOR:
            return "anonymous"  # a marker, the same for everybody
        return digest(f"canvas login {person.number}")

    def context_id(self, course: Course) -> str:
        return digest(f"canvas course {course.id}")

    def person_with(self, user_id: str) -> Person | None:
        """By LTI id, or by the numeric id that Canvas' own API uses."""
        found = super().person_with(user_id)
        return found or next((person for person in PEOPLE.values() if str(person.number) == user_id), None)

    # --- launch -------------------------------------------------------------------------------------------------

    def more_login_fields(self) -> dict[str, str]:
        return {"canvas_environment": self.environment, "canvas_region": self.region}

    def reset(self) -> None:
        self.environment, self.region = "prod", "not_configured"
        super().reset()

    def configure(
        self, document: Any, client_id: str, *, environment: str, region: str, redirect_uris: Sequence[str] = ()
    ) -> Registration:
        """A developer key's JSON, entered for a client; its values win over those from before.

        `redirect_uris` are what the administrator enters in the field beside it, for the tool's other regions.

        Raises:
            BadConfigurationError: nothing is changed.
        """
        read = parsed(document)
        with self.lock:
            before = self.registrations[client_id]
            self.environment, self.region = environment, region
            configured = replace(
                before,
                tool=Tool(
                    name=read.title,
                    login_url=read.login_urls.get(region, read.login_url),
                    target_link_uri=read.target_link_uri,
                    # The field beside the JSON, which has its own default.
                    redirect_uris=tuple(
                        dict.fromkeys((*before.tool.redirect_uris, read.target_link_uri, *redirect_uris))
                    ),
                    jwks_url=read.public_jwk_url,
                    public_jwk=read.public_jwk,
                ),
                scopes=tuple(scope for scope in read.scopes if scope in (*self.fixed.scopes, v.PUBLIC_JWK_SCOPE)),
                personal=PRIVACY[read.privacy_level],
                custom=read.custom,
                placements=read.placements,
            )
            self.keep(configured)
        return configured

    def more_answer_fields(self) -> dict[str, str]:
        return {"utf8": "✓", "authenticity_token": secrets.token_urlsafe(64), **self.storage_field()}

    def message_hint(self, pending: PendingLaunch) -> str:
        return self.seal.seal(
            {
                "verifier": pending.id,
                "canvas_domain": self.issuer,
                "context_type": "Course",
                "exp": int(self.now()) + self.hint_seconds,
            }
        )

    def pending_id(self, message_hint: str) -> str | None:
        try:
            verifier = self.seal.open(message_hint).get("verifier")
        except tokens.BadTokenError:
            return None
        return verifier if isinstance(verifier, str) else None

    def envelope(self, pending: PendingLaunch, nonce: str) -> tokens.Claims:
        issued_at = int(pending.began_at)  # when the launch began, not when the id_token is made
        envelope = {
            **super().envelope(pending, nonce),
            "azp": self.client_id,
            "iat": issued_at,
            "exp": issued_at + self.id_token_seconds,
        }
        if pending.person.role is Role.VISITOR:
            del envelope["sub"]
        return envelope

    def person_claims(self, person: Person) -> tokens.Claims:
        if person.role is Role.VISITOR:
            return {}
        picture = f"{self.issuer}/images/thumbnails/{person.number}"
        return {**super().person_claims(person), "picture": picture}

    def roles(self, person: Person) -> list[str]:
        user = v.SYSTEM + "User"
        instructor = v.MEMBERSHIP + "Instructor"
        return sorted(
            {
                Role.TEACHER: [v.INSTITUTION + "Instructor", instructor, user],
                Role.ASSISTANT: [v.INSTITUTION + "Instructor", v.TEACHING_ASSISTANT, instructor, user],
                Role.STUDENT: [v.INSTITUTION + "Student", v.MEMBERSHIP + "Learner", user],
                Role.OBSERVER: [v.INSTITUTION + "Observer", v.MEMBERSHIP + "Mentor", user],
                Role.ADMIN: [v.INSTITUTION + "Administrator", user],  # no role in the course at all
                Role.PREVIEW: [v.MEMBERSHIP + "Learner", v.TEST_USER],
                Role.VISITOR: [v.SYSTEM + "None"],
            }[person.role]
        )

    def context(self, course: Course) -> tokens.Claims:
        return {**super().context(course), **_BOOKKEEPING}

    def claims(self, pending: PendingLaunch, nonce: str) -> tokens.Claims:
        """Placements have no link; those outside courses have no course either, nor a course's services."""
        claims, placement = super().claims(pending, nonce), pending.placement
        if placement and not pending.is_selection and pending.activity is None:
            context_id = self.context_id(pending.course)
            if placement.name in OUTSIDE_COURSES:  # a person's own navigation may be something else again (U)
                context_id = digest("canvas root account")
                account = {"id": context_id, "label": "", "title": "Campus University", "type": ["Account"]}
                claims[v.LTI + "context"] = {**account, **_BOOKKEEPING}
                claims.pop(v.AGS, None)
                claims.pop(v.NRPS, None)
            link = {"id": context_id, "title": None, "description": None, **_BOOKKEEPING}
            claims[v.LTI + "resource_link"] = link
        return claims

    def resource_link(self, activity: Activity) -> tokens.Claims:
        return {**super().resource_link(activity), "description": activity.text, **_BOOKKEEPING}

    def tool_platform(self) -> tokens.Claims:
        return {
            "guid": f"{digest('canvas guid')}:canvas-lms",
            "name": "Campus University",
            "version": "cloud",
            "product_family_code": "canvas",
            **_BOOKKEEPING,
        }

    def launch_presentation(self, pending: PendingLaunch) -> tokens.Claims:
        # "iframe" in a new tab, too.
        presentation = {**super().launch_presentation(pending), "document_target": "iframe"}
        return {**presentation, "height": None, "width": None, **_BOOKKEEPING}

    def lis(self, pending: PendingLaunch) -> tokens.Claims:
        claim = {**(super().lis(pending) or {}), **_BOOKKEEPING}
        if pending.person.role in (Role.PREVIEW, Role.VISITOR) or not self.registration.shows("name"):
            del claim["person_sourcedid"]  # no institution knows them, or the tool is not to know
        return claim

    def role_scope_mentor(self, person: Person) -> list[str] | None:
        return super().role_scope_mentor(person) if self.registration.shows("picture") else None

    def custom(self, pending: PendingLaunch) -> tokens.Claims:
        resolved = super().custom(pending) or {}
        return {re.sub(r"\W", "_", key.lower(), flags=re.ASCII): value for key, value in resolved.items()}

    def variables(self, pending: PendingLaunch) -> dict[str, str]:
        course, activity = pending.course, pending.activity
        item = course.default_line_item(activity) if activity else None
        known = super().variables(pending) | {
            "Message.locale": "en",
            "Canvas.user.loginId": pending.person.username,
            "Canvas.account.id": "1",
            "Canvas.account.name": "Campus University",
            "Canvas.root_account.id": "1",
            "Canvas.api.domain": urlsplit(self.issuer).netloc,
            "Canvas.user.id": str(pending.person.number),
            "Canvas.user.sisSourceId": pending.person.sourced_id,
            "Canvas.course.id": str(course.id),
            "Canvas.course.name": course.title,
            "Canvas.course.sisSourceId": course.sourced_id,
            "Canvas.api.baseUrl": self.issuer,
            "Canvas.environment.test": "false",
        }
        if activity and item:
            known["Canvas.assignment.id"] = str(activity.id)
            known["Canvas.assignment.title"] = activity.title
            known["Canvas.assignment.pointsPossible"] = f"{item.score_maximum:g}"
        known.pop("Person.sourcedId")  # not filled in by this institution: arrives as it was written
        if pending.person.role is Role.VISITOR:
            known = {
                name: value for name, value in known.items() if not re.match(r"(User|Person|Canvas\.user)\.", name)
            }
        return known

    def ags_claim(self, pending: PendingLaunch) -> tokens.Claims:
        course, activity = pending.course, pending.activity
        item = course.default_line_item(activity) if activity else None
        claim: tokens.Claims = {"scope": v.AGS_SCOPES, "lineitems": self.url("line_items", course_id=course.id)}
        if item:
            claim["lineitem"] = self.line_item_url(course, item)
        return {**claim, **_BOOKKEEPING}

    def nrps_claim(self, pending: PendingLaunch) -> tokens.Claims:
        return {**(super().nrps_claim(pending) or {}), **_BOOKKEEPING}

    def more_claims(self, pending: PendingLaunch) -> tokens.Claims:
        old_id = {"user_id": digest(f"canvas 1.1 {pending.person.number}"), **_BOOKKEEPING}
        return {
            "locale": "en",
            **({} if pending.person.role is Role.VISITOR else {v.LTI + "lti1p1": old_id}),
            v.LTI + "lti11_legacy_user_id": "",
            _PLACEMENT: self._placement_name(pending),
        }

    def _placement_name(self, pending: PendingLaunch) -> str | None:
        if pending.placement:
            return pending.placement.name
        return None if pending.activity else _USUAL_PLACEMENT

    # --- deep linking -------------------------------------------------------------------------------------------

    def deep_linking_settings(self, pending: PendingLaunch) -> tokens.Claims:
        """As the placement has it; without one as course_assignments_menu: several items, each with a column."""
        types, multiple, auto_create, targets = _SELECTIONS.get(self._placement_name(pending) or "", _USUAL_SELECTION)
        media = (_MEDIA_TYPES[each] for each in types if each in _MEDIA_TYPES)
        return {
            "deep_link_return_url": self.deep_link_return_url(pending),
            "accept_types": list(types),
            "accept_presentation_document_targets": list(targets),
            "accept_media_types": ",".join(media),
            "accept_multiple": multiple,
            "auto_create": auto_create,
            **_BOOKKEEPING,
        }

    def new_activities(self, claims: tokens.Claims, returned: Return) -> list[NewActivity]:
        """Links become activities; what a placement takes besides ends somewhere that Campus does not have."""
        name = returned.placement or _USUAL_PLACEMENT
        types = _SELECTIONS.get(name, _USUAL_SELECTION)[0]
        items = claims.get(v.DL + "content_items", [])
        kept = items
        if isinstance(items, list):
            others = set(types) - {"ltiResourceLink"}
            kept = [item for item in items if not (isinstance(item, dict) and item.get("type") in others)]
            if "ltiResourceLink" not in types and kept:
                raise DeepLinkingRefusedError(f"{name} takes {', '.join(types)} only")
        activities = super().new_activities({**claims, v.DL + "content_items": kept}, returned)
        return [new if name in GRADED else replace(new, line_item=None) for new in activities]

    def stored_custom(self, custom: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in custom.items() if value is None or isinstance(value, str | int | float)}

    def new_line_item(self, item: dict[str, Any]) -> NewLineItem | None:
        wanted = super().new_line_item(item)
        if wanted is None:
            return None
        dates = {}
        for name in ("available", "submission"):
            given = item.get(name) or {}
            if not isinstance(given, dict):
                raise DeepLinkingRefusedError(f"{name} is not an object")
            dates[name] = given
        return NewLineItem(
            score_maximum=wanted.score_maximum,
            label=wanted.label,
            resource_id=wanted.resource_id,
            tag=wanted.tag,
            starts_at=dates["available"].get("startDateTime"),
            ends_at=dates["submission"].get("endDateTime"),  # the due date
        )

    # --- access tokens ------------------------------------------------------------------------------------------

    def granted_scopes(self, asked: list[str]) -> list[str]:
        if not asked or not set(asked) <= set(self.scopes_of_tool()):
            raise self.token_refused("scope", "A requested scope is invalid, unknown, malformed, or exceeds the scope")
        return asked

    def token_refused(self, kind: str, detail: str) -> TokenRefusedError:
        match kind:
            case "client":
                return TokenRefusedError(401, "invalid_client", "unknown client")
            case "keys":
                return TokenRefusedError(400, "invalid_request", f"JWK Error: {detail}")
            case "signature":
                return TokenRefusedError(400, "invalid_request", "JWS signature invalid.")
            case "scope":
                return TokenRefusedError(400, "invalid_scope", detail)
            case "grant_type":
                return TokenRefusedError(400, "unsupported_grant_type", detail)
            case _:
                return TokenRefusedError(400, "invalid_request", detail)

    def assertion_problem(self, claims: tokens.Claims) -> str | None:
        missing = [name for name in ("iss", "sub", "aud", "iat", "exp", "jti") if claims.get(name) in (None, "")]
        if missing:
            return f"the following assertions are missing: {','.join(missing)}"
        if self.audience not in audiences(claims):
            return "the 'aud' is invalid"
        return super().assertion_problem(claims)

    def take_public_jwk(self, body: Any) -> dict[str, Any]:
        """The key before is worth nothing from now on. Where there is a key set's address, that goes first (U)."""
        key = body.get("developer_key") if isinstance(body, dict) else None
        jwk = key.get("public_jwk") if isinstance(key, dict) else None
        if errors := errors_of_jwk(jwk):  # the status and the words are a guess (U)
            raise ServiceRefusedError(422, "; ".join(errors), "unprocessable_entity")
        with self.lock:
            self.keep(replace(self.registration, tool=replace(self.tool, public_jwk=jwk)))
        # More than this of a developer key is not known (U).
        return {"id": self.client_id, "public_jwk": jwk, "public_jwk_url": self.tool.jwks_url}

    # --- services -----------------------------------------------------------------------------------------------

    def require_media_type(self, service: str) -> None:
        """Canvas reads JSON under any of its types and asks nothing of Accept."""

    def refusal(self, refused: ServiceRefusedError, service: str) -> Response:  # noqa: ARG002 - alike everywhere
        body = {"errors": {"type": refused.kind, "message": refused.reason}}
        response = json_response(body, refused.status)
        if refused.status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer realm="canvas-lms"'
        return response

    def answer(self, service: str, payload: Any, status: int = 200, links: list[str] | None = None) -> Response:
        response = super().answer(service, payload, status, links)
        response.headers["X-Request-Cost"] = "0.5"
        response.headers["X-Rate-Limit-Remaining"] = "600.0"
        return response

    def page(self, items: list[Any], service: str) -> tuple[list[Any], list[str]]:
        if service == "memberships":
            return page_by_number(items, default=50, most=50, rel_current=True)
        return page_by_number(items, default=10, most=100, rel_current=True)

    def line_item_changed(self, course: Course, item: LineItem) -> None:
        """An assignment's first column is the assignment: it takes the new name."""
        if item.is_default and item.activity_id in course.activities:
            course.activities[item.activity_id].title = item.label

    def extensions_of_line_item(self, body: dict[str, Any]) -> dict[str, Any]:
        wanted = body.get(_SUBMISSION_TYPE)
        if wanted is None:
            return {}
        if not isinstance(wanted, dict) or wanted.get("type") not in ("none", "external_tool"):
            raise ServiceRefusedError(400, "submission_type.type must be none or external_tool")
        return {_SUBMISSION_TYPE: wanted}

    def check_deletable(self, item: LineItem) -> None:
        if item.is_default:
            raise ServiceRefusedError(401, "You may not delete the default line item", "unauthorized")

    def bad_score(self, body: dict[str, Any], field: str, reason: str) -> ServiceRefusedError:  # noqa: ARG002
        if field in ("scoreGiven", "scoreMaximum"):
            return ServiceRefusedError(422, reason, "unprocessable_entity")
        return ServiceRefusedError(400, reason)

    def score_extension(self, body: dict[str, Any]) -> dict[str, Any]:
        extension = body.get(_SUBMISSION)
        return extension if isinstance(extension, dict) else {}

    def learner(self, course: Course, score: Score, body: dict[str, Any]) -> Person:  # noqa: ARG002
        person = self.person_with(score.user_id)
        if person is None or person not in self.learners_of(course):
            raise self.not_gradable()
        return person

    def not_gradable(self) -> ServiceRefusedError:
        return ServiceRefusedError(422, "User not found in course or is not a student", "unprocessable_entity")

    def not_now(self, reason: str) -> ServiceRefusedError:
        return ServiceRefusedError(422, reason, "unprocessable_entity")

    def check_newer(self, cell: Cell, score: Score) -> None:
        if cell.last_timestamp is not None and score.at < cell.last_timestamp:
            raise ServiceRefusedError(400, "Timestamp is earlier than the result's last update")
        submitted = moment(_submitted_at(score))
        if submitted and submitted > datetime.fromtimestamp(self.now(), UTC) + timedelta(minutes=1):
            raise ServiceRefusedError(400, "submittedAt is in the future")

    def counts(self, score: Score) -> bool:
        return score.grading_progress in ("FullyGraded", "PendingManual") and score.score_given is not None

    def clears(self, score: Score) -> bool:
        """Not only an ignored score: the mark that was there goes, unless the tool asked to keep it."""
        return score.extension.get("preserve_score") is not True

    def take_comment(self, cell: Cell, comment: str | None) -> None:
        if comment:
            cell.comments.append(comment)  # they pile up; nothing erases them

    def take_attempt(self, item: LineItem, cell: Cell, score: Score) -> None:
        """An assignment's own column takes submissions, unless told otherwise; one per submission time."""
        extension = score.extension
        makes_one = extension.get("new_submission", extension.get("submission_type") != "none")
        handed_in = score.activity_progress in ("Submitted", "Completed")
        counted = score.grading_progress in ("FullyGraded", "PendingManual")
        if not (item.is_default and makes_one is True and handed_in and counted):
            return
        submitted_at = _submitted_at(score)
        if submitted_at is None or submitted_at not in cell.attempts:
            cell.attempts.append(submitted_at or score.timestamp)

    def score_answer(self, course: Course, item: LineItem, person: Person) -> Response:
        url = f"{self.line_item_url(course, item)}/results/{person.number}"
        response = self.answer("scores", {"resultUrl": url})
        response.content_type = v.SCORE_TYPE
        return response

    def member_json(self, person: Person) -> dict[str, Any]:
        return {**super().member_json(person), "lti11_legacy_user_id": digest(f"canvas 1.1 {person.number}")}

    def has_role(self, person: Person, wanted: str) -> bool:
        return wanted in self.member_roles(person)  # a full URI; anything else finds nobody

    def linked_activity(self, course: Course, rlid: str) -> Activity | None:
        if rlid == self.context_id(course):
            return None
        return super().linked_activity(course, rlid)


def _submitted_at(score: Score) -> str | None:
    given = score.submitted_at or score.extension.get("submitted_at")
    return given if isinstance(given, str) else None
