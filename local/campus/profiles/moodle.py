"""Moodle as it behaves: sixty-second tokens, ?type_id= on service URLs, media types to the letter.

Where real Moodle sends JSON as text/html depends on the resource; Campus does it for line items that were made or
changed and for results.
"""

from __future__ import annotations

import json
import re
import secrets
import string
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from flask import Response, request

from local.campus import tokens
from local.campus import vocabulary as v
from local.campus.json_answers import json_response
from local.campus.profile import (
    DeepLinkingRefusedError,
    NewLineItem,
    Profile,
    Return,
    Score,
    ServiceRefusedError,
    TokenRefusedError,
    number,
    whole,
)
from local.campus.registrar import Registrar, tool_configuration
from local.campus.registration import NAMES, Introduction, Registration, RegistrationRefusedError
from local.campus.world import PEOPLE, Activity, Cell, Course, LineItem, PendingLaunch, Person, Role

_BASIC_OUTCOME = "https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome"
# What each service speaks: the types a question may accept, the types a body may have.
_ACCEPTS = {
    "line_items": v.LINE_ITEMS_TYPE,
    "line_item": v.LINE_ITEM_TYPE,
    "results": v.RESULTS_TYPE,
}
_BODIES = {"line_items": v.LINE_ITEM_TYPE, "line_item": v.LINE_ITEM_TYPE, "scores": v.SCORE_TYPE}
_BREAK = re.compile(r"[\r\n]")
_KNOWN_TYPES = {v.LINE_ITEMS_TYPE, v.LINE_ITEM_TYPE, v.RESULTS_TYPE, v.SCORE_TYPE}


class MoodleRegistrar(Registrar):
    """Public configuration, errors in plain text, a tool that waits for its activation.

    Which words stand for what, beyond the documented missing_domain, domain_targetlinkuri_mismatch and
    missing_registration_token, token_already_used, is uncertain.
    """

    product = "moodle"
    version = "5.1 (Build: 20251017)"
    success = 200
    confirmation = "Activate"

    def new_token(self, number: int, expires_at: float | None) -> str:
        claims = {"sub": str(number), "scope": "reg", "iat": int(self.profile.now()), "exp": int(expires_at or 0)}
        return self.profile.seal.seal({**claims, "jti": secrets.token_hex(8)})

    def new_client_id(self, number: int) -> str:  # noqa: ARG002
        return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(15))

    def new_deployment_id(self, number: int) -> str:
        return str(number + 2)  # the type's id; the first tool has 3

    def messages(self) -> list[Any]:
        return [
            {"type": v.RESOURCE_LINK},
            {"type": v.DEEP_LINKING, "placements": ["ContentArea"]},
            {"type": v.SUBMISSION_REVIEW},
        ]

    def token_refused(self, kind: str, status: int) -> RegistrationRefusedError:
        words = {"missing": "missing_registration_token", "used": "token_already_used", "expired": "Expired token"}
        return RegistrationRefusedError(status, words.get(kind, "invalid_token"))

    def refused(self, kind: str, description: str) -> RegistrationRefusedError:
        words = {"response_types": "invalid_response_types", "application_type": "non_web_unsupported"}
        return RegistrationRefusedError(400, words.get(kind, f"missing_{kind}"), description)

    def problems(self, body: Mapping[str, Any]) -> list[tuple[str, str]]:
        """It asks for less than others: neither grant types nor a list of claims, nor a target."""
        spared = {"grant_types", "claims", "target_link_uri", "messages"}
        return [problem for problem in super().problems(body) if problem[0] not in spared]

    def check(self, body: Mapping[str, Any]) -> None:
        super().check(body)
        tool = tool_configuration(body)
        domain = urlsplit(str(tool.get("target_link_uri") or "")).netloc.removeprefix("www.")
        if domain != tool["domain"]:
            raise RegistrationRefusedError(400, "domain_targetlinkuri_mismatch")

    def registration(self, introduction: Introduction, body: Mapping[str, Any]) -> Registration:
        tool = tool_configuration(body)
        messages = tool.get("messages") if isinstance(tool.get("messages"), list) else []
        return super().registration(
            introduction, {**body, v.TOOL_CONFIGURATION: {**tool, "messages": messages or [{"type": v.RESOURCE_LINK}]}}
        )

    def personal(self, tool: Mapping[str, Any]) -> frozenset[str] | None:
        """All or nothing: a name or the e-mail among the claims sets the privacy to Always."""
        return None if (super().personal(tool) or frozenset()) & (NAMES | {"email"}) else frozenset()

    def refusal(self, refused: RegistrationRefusedError) -> Response:
        return Response(refused.error, status=refused.status, content_type="text/html; charset=utf-8")


class Moodle(Profile):
    slug = "moodle"
    name = "Moodle"
    fixed_client_id = "q7Wn2XbTz4LpKd9"
    fixed_deployment_id = "3"
    course_ids = (2, 3)
    first_number = 40
    paths: ClassVar[dict[str, str]] = {
        "jwks": "/mod/lti/certs.php",
        "authorize": "/mod/lti/auth.php",
        "token": "/mod/lti/token.php",
        "line_items": "/mod/lti/services.php/<int:course_id>/lineitems",
        "line_item": "/mod/lti/services.php/<int:course_id>/lineitems/<int:item_id>/lineitem",
        "scores": "/mod/lti/services.php/<int:course_id>/lineitems/<int:item_id>/lineitem/scores",
        "results": "/mod/lti/services.php/<int:course_id>/lineitems/<int:item_id>/lineitem/results",
        "memberships": "/mod/lti/services.php/CourseSection/<int:course_id>/bindings/<int:type_id>/memberships",
        "deep_linking_return": "/mod/lti/contentitem_return.php",
        "openid_configuration": "/mod/lti/openid-configuration.php",
        "registration": "/mod/lti/openid-registration.php",
    }
    registrar_type = MoodleRegistrar
    keeps_tool_keys = True
    hint_seconds = 8 * 3600  # as long as the session lives
    id_token_seconds = 60
    checks_deployment = False
    missing_scope_status = 401
    authentication_errors: ClassVar[dict[str, str]] = {
        "missing": "invalid_request",
        "scope": "invalid_scope",
        "response_type": "unsupported_response_type",
        "client": "unauthorized_client",
        "hint": "unauthorized_client",  # a launch that the session has forgotten belongs to no tool
        "user": "access_denied",
    }

    def reset(self) -> None:
        self._session_keys: dict[str, str] = {}
        super().reset()

    def people_of(self, course: Course) -> list[Person]:  # noqa: ARG002 - the same in both
        return list(self.people().values())

    def may_add_activities(self, person: Person) -> bool:
        return person.role in (Role.TEACHER, Role.ADMIN)  # a non-editing teacher may not

    def new_resource_link_id(self, number: int) -> str:
        return str(number)

    def user_id(self, person: Person) -> str:
        return str(person.number)

    def context_id(self, course: Course) -> str:
        return str(course.id)

    def url(self, name: str, **ids: int) -> str:
        with_type = name in ("line_items", "line_item", "scores", "results")
        return super().url(name, **ids) + (f"?type_id={self.deployment_id}" if with_type else "")

    def url_parts(self) -> dict[str, str | int]:
        return {"type_id": self.deployment_id}

    # --- launch -------------------------------------------------------------------------------------------------

    def message_hint(self, pending: PendingLaunch) -> str:
        hint: dict[str, Any] = {"cmid": pending.activity.id} if pending.activity else {}
        return json.dumps({**hint, "launchid": f"ltilaunch_{pending.id}"}, separators=(",", ":"))

    def pending_id(self, message_hint: str) -> str | None:
        try:
            hint = json.loads(message_hint)
        except ValueError:
            return None
        launch_id = hint.get("launchid") if isinstance(hint, dict) else None
        return launch_id.removeprefix("ltilaunch_") if isinstance(launch_id, str) else None

    def roles(self, person: Person) -> list[str]:
        """Exactly one of two roles; administrators in addition to what they may do."""
        match person.role:
            case Role.TEACHER:
                return [v.MEMBERSHIP + "Instructor"]
            case Role.ADMIN:
                return [v.INSTITUTION + "Administrator", v.MEMBERSHIP + "Instructor", v.SYSTEM + "Administrator"]
            case _:
                return [v.MEMBERSHIP + "Learner"]

    def for_user(self, learner: Person) -> tokens.Claims:
        return {"user_id": self.user_id(learner)}

    def context(self, course: Course) -> tokens.Claims:
        return {**super().context(course), "type": ["CourseSection"]}

    def resource_link(self, activity: Activity) -> tokens.Claims:
        return {"id": activity.resource_link_id, "title": activity.title, "description": activity.text or ""}

    def tool_platform(self) -> tokens.Claims:
        return {
            "product_family_code": "moodle",
            "version": "2025100600",
            "guid": urlsplit(self.issuer).hostname or "",
            "name": "Campus",
            "description": "Campus Moodle",
        }

    def launch_presentation(self, pending: PendingLaunch) -> tokens.Claims:
        target = pending.document_target
        return {"locale": "en", "document_target": target, "return_url": self.return_url(pending)}

    def lis(self, pending: PendingLaunch) -> tokens.Claims:
        return {
            "person_sourcedid": pending.person.sourced_id if pending.person.role is Role.STUDENT else "",
            "course_section_sourcedid": pending.course.sourced_id,
        }

    def role_scope_mentor(self, person: Person) -> list[str] | None:  # noqa: ARG002 - Moodle has no mentors
        return None

    def custom(self, pending: PendingLaunch) -> tokens.Claims | None:
        """Every key as it was written, and once more in plain letters when that differs."""
        both: tokens.Claims = {}
        for key, value in (super().custom(pending) or {}).items():
            both[key] = value
            both[re.sub(r"[^a-z0-9]", "_", key.lower())] = value
        return both or None

    def resolved(self, value: Any, pending: PendingLaunch) -> str:
        if isinstance(value, str) and value.startswith("\\$"):
            return value[1:]
        return super().resolved(value, pending)

    def variables(self, pending: PendingLaunch) -> dict[str, str]:
        known = super().variables(pending)
        known["Moodle.Person.userGroupIds"] = ""
        return known

    def more_claims(self, pending: PendingLaunch) -> tokens.Claims:
        claims: tokens.Claims = {v.LTI + "ext": {"lms": "moodle-2", "user_username": pending.person.username}}
        activity = pending.activity
        if activity and pending.course.default_line_item(activity):
            claims[_BASIC_OUTCOME] = self._basic_outcome(pending.person, activity)
        return claims

    def _basic_outcome(self, person: Person, activity: Activity) -> tokens.Claims:
        sourced_id = {
            "data": {"instanceid": str(activity.id), "userid": str(person.number), "typeid": self.deployment_id},
            "hash": secrets.token_hex(32),
        }
        return {
            "lis_result_sourcedid": json.dumps(sourced_id, separators=(",", ":")),
            "lis_outcome_service_url": f"{self.issuer}/mod/lti/service.php",
        }

    # --- deep linking -------------------------------------------------------------------------------------------

    def deep_linking_settings(self, pending: PendingLaunch) -> tokens.Claims:
        return {
            "accept_types": ["ltiResourceLink"],
            "accept_presentation_document_targets": ["frame", "iframe", "window"],
            "accept_media_types": ["application/vnd.ims.lti.v1.ltilink"],  # an array here, a string elsewhere
            "accept_multiple": True,
            "auto_create": False,
            "deep_link_return_url": self.deep_link_return_url(pending),
            "title": self.tool.name,
            "text": "",
        }

    def deep_link_return_url(self, pending: PendingLaunch) -> str:
        session_key = next(
            (key for key, person in self._session_keys.items() if person == pending.person.key),
            secrets.token_hex(5),
        )
        self._session_keys[session_key] = pending.person.key
        query = urlencode({"course": pending.course.id, "id": self.deployment_id, "sesskey": session_key})
        return f"{self.url('deep_linking_return')}?{query}"

    def returning(self, course_id: int | None) -> Return:  # noqa: ARG002
        """The session key says who it is. It is good for the whole session, so that nothing is spent."""
        person = self._session_keys.get(request.args.get("sesskey", ""))
        if person is None:
            raise DeepLinkingRefusedError("sesskey: the session key is not valid")
        course = self.world.courses.get(whole(request.args.get("course"), 0))
        type_id = request.args.get("id")
        client = next((r.client_id for r in self.registrations.values() if r.deployment_id == type_id), None)
        if course is None or client is None:
            raise DeepLinkingRefusedError("the return address was altered")
        return Return(person=PEOPLE[person], course=course, client_id=client, placement=None, spend=lambda: None)

    def stored_custom(self, custom: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in custom.items() if isinstance(value, str | int | float)}

    def new_line_item(self, item: dict[str, Any]) -> NewLineItem | None:
        """The tool's grades are always accepted here: an item without a lineItem gets a column of 100, too."""
        given = item.get("lineItem")
        if not isinstance(given, dict) or given.get("scoreMaximum") is None:
            given = {**(given if isinstance(given, dict) else {}), "scoreMaximum": 100}
        wanted = super().new_line_item({**item, "lineItem": given})
        assert wanted is not None  # noqa: S101 - a line item was given
        return NewLineItem(score_maximum=wanted.score_maximum, resource_id=wanted.resource_id, tag=wanted.tag)

    # --- access tokens ------------------------------------------------------------------------------------------

    def check_token_content_type(self) -> None:
        if request.headers.get("Content-Type") != "application/x-www-form-urlencoded":
            raise self.token_refused("content_type", "wrong content type")

    def assertion_problem(self, claims: tokens.Claims) -> str | None:
        """Moodle asks little: neither `iss` nor `aud` nor `jti`. But its clock has no leeway."""
        now = self.now()
        for name, spoiled in (("iat", "Cannot handle token prior to"), ("nbf", "Cannot handle token prior to")):
            value = claims.get(name)
            if isinstance(value, int | float) and value > now:
                return f"{spoiled} {value}"
        expires_at = claims.get("exp")
        if isinstance(expires_at, int | float) and expires_at <= now:
            return "Expired token"
        return None

    def token_refused(self, kind: str, detail: str) -> TokenRefusedError:
        if kind == "keys":
            return TokenRefusedError(500, detail)
        if kind in ("signature", "claims"):
            return TokenRefusedError(400, detail)  # the text of an exception stands where the code should be
        codes = {"grant_type": "unsupported_grant_type", "client": "invalid_client", "scope": "invalid_scope"}
        return TokenRefusedError(400, codes.get(kind, "invalid_request"))

    def token_refusal(self, refused: TokenRefusedError) -> Response:
        if refused.status == 500:
            page = "<!DOCTYPE html><title>Error</title><p>Exception - the key set could not be read</p>"
            return Response(page, status=500, content_type="text/html; charset=utf-8")
        return json_response({"error": refused.error}, refused.status)

    # --- services -----------------------------------------------------------------------------------------------

    def require_scope(self, *scopes: str) -> None:
        super().require_scope(*scopes)
        if "/lineitems" in request.path and request.args.get("type_id") != self.deployment_id:
            raise ServiceRefusedError(401, "Unauthorized", "unauthorized")

    def require_media_type(self, service: str) -> None:
        """To the letter: no lists, no quality values, and `*/*` is a type that no service has."""
        if service == "memberships":
            return
        asking = request.method not in ("POST", "PUT")
        if asking:
            given = request.headers.get("Accept")
            if not given or request.method == "DELETE":
                return
            wanted = _ACCEPTS.get(service)
        else:
            given = request.headers.get("Content-Type", "").split(";")[0].strip()
            wanted = _BODIES.get(service)
        if given == wanted:
            return
        if given in _KNOWN_TYPES or given == "*/*":
            raise ServiceRefusedError(400, "No context or unsupported content type", "routing")
        path = request.path.partition("services.php")[2]
        raise ServiceRefusedError(400, f"No handler found for {path} {given}", "routing")

    def refusal(self, refused: ServiceRefusedError, service: str) -> Response:
        status = f"{refused.status} {refused.reason}"
        if service == "scores" and refused.kind != "routing":
            # The reason is nowhere but in the status line. PHP will not set one that has a line break in it.
            return json_response([], 200 if _BREAK.search(refused.reason) else _ascii(status))
        body = {
            "status": refused.status,
            "reason": refused.reason,
            "request": {
                "method": request.method,
                "url": request.url,
                "accept": request.headers.get("Accept", ""),
                "contentType": request.headers.get("Content-Type", ""),
            },
        }
        return json_response(body, _ascii(_BREAK.sub(" ", status)))

    def answer(self, service: str, payload: Any, status: int = 200, links: list[str] | None = None) -> Response:
        response = super().answer(service, payload, status, links)
        if service == "results" or (service in ("line_items", "line_item") and request.method in ("POST", "PUT")):
            response.content_type = "text/html; charset=UTF-8"
        return response

    def page(self, items: list[Any], service: str) -> tuple[list[Any], list[str]]:
        given = request.args
        limit, start = whole(given.get("limit"), 0), whole(given.get("from"), 0)
        if not limit:
            return items[start:], []
        if service == "results":
            raise ServiceRefusedError(500, "Undefined variable $lastpage", "server_error")
        part = items[start : start + limit]
        if service == "memberships":
            kept = {name: given[name] for name in ("rlid",) if name in given}  # `role` is forgotten
            if start + limit >= len(items):
                return part, []
            query = urlencode({**kept, "limit": limit, "from": start + limit})
            return part, [f'<{request.base_url}?{query}>; rel="next"']
        kept = {n: given[n] for n in ("type_id", "resource_id", "resource_link_id", "tag") if n in given}
        places = {"first": 0, "last": max(len(items) - 1, 0) // limit * limit}
        if start + limit < len(items):
            places["next"] = start + limit
        if start > 0:
            places["prev"] = max(start - limit, 0)
        return part, [self._link(rel, {**kept, "limit": limit, "from": place}) for rel, place in places.items()]

    def _link(self, rel: str, query: dict[str, Any]) -> str:
        """With typographic quotes, as UTF-8 bytes, and with parameters parted as in HTML."""
        joined = urlencode(query).replace("&", "&amp;")
        return f"<{request.base_url}?{joined}>; rel=“{rel}”".encode().decode("latin-1")

    def line_item_json(self, course: Course, item: LineItem) -> dict[str, Any]:
        body = super().line_item_json(course, item)
        return {**body, "resourceId": item.resource_id or "", "tag": item.tag or ""}

    def parsed_line_item(self, body: dict[str, Any]) -> tuple[str, NewLineItem]:
        maximum = _numeric(body.get("scoreMaximum"))
        return super().parsed_line_item({**body, "scoreMaximum": maximum})

    def activity_of_line_item(self, course: Course, resource_link_id: str) -> Activity:
        try:
            return super().activity_of_line_item(course, resource_link_id)
        except ServiceRefusedError as error:
            raise ServiceRefusedError(403, "Forbidden", "forbidden") from error

    def parsed_score(self, body: dict[str, Any]) -> Score:
        numbers: dict[str, Any] = {
            name: _numeric(body[name]) for name in ("scoreGiven", "scoreMaximum") if name in body
        }
        return super().parsed_score({**body, **numbers})

    def bad_score(self, body: dict[str, Any], field: str, reason: str) -> ServiceRefusedError:  # noqa: ARG002
        return _incorrect()

    def learner(self, course: Course, score: Score, body: dict[str, Any]) -> Person:  # noqa: ARG002
        person = self.person_with(score.user_id)
        if person is None or person not in self.learners_of(course):
            raise self.not_gradable()
        return person

    def not_gradable(self) -> ServiceRefusedError:
        return _incorrect()

    def check_newer(self, cell: Cell, score: Score) -> None:
        """In whole seconds; the same second is too late."""
        if cell.last_timestamp is not None and int(score.at.timestamp()) <= int(cell.last_timestamp.timestamp()):
            raise ServiceRefusedError(409, f"Refusing score with an earlier timestamp for user {score.user_id}")

    def clears(self, score: Score) -> bool:  # noqa: ARG002 - whatever it says
        return True

    def score_answer(self, course: Course, item: LineItem, person: Person) -> Response:  # noqa: ARG002
        return Response("", status=200, content_type="text/html; charset=UTF-8")

    def result_json(self, course: Course, item: LineItem, person: Person) -> dict[str, Any] | None:
        cell = item.cells.get(person.key)
        bare, _, query = self.line_item_url(course, item).partition("?")
        empty = {"id": f"{bare}/results/{person.number}/result?{query}", "userId": self.user_id(person)}
        if cell is None or cell.score is None:
            return empty
        return {
            **empty,
            "scoreOf": self.line_item_url(course, item),
            "resultScore": number(cell.score),
            "resultMaximum": number(item.score_maximum),
            **({"comment": cell.comments[-1]} if cell.comments else {}),
        }

    # --- names and roles ----------------------------------------------------------------------------------------

    def member_roles(self, person: Person) -> list[str]:
        """Short names; administrators with a URI that has lost its middle."""
        match person.role:
            case Role.TEACHER:
                return ["Instructor"]
            case Role.ADMIN:
                return ["Instructor", "http://purl.imsglobal.org/vocab/lis/v2/person#Administrator"]
            case _:
                return ["Learner"]

    def has_role(self, person: Person, wanted: str) -> bool:
        short = wanted.removeprefix(v.MEMBERSHIP)
        return short not in ("Instructor", "Learner") or short in self.member_roles(person)

    def member_json(self, person: Person) -> dict[str, Any]:
        body = super().member_json(person)
        sourced_id = person.sourced_id if person.role is Role.STUDENT else ""
        return {**body, "lis_person_sourcedid": sourced_id, "ext_user_username": person.username}

    def member_message(self, person: Person, course: Course, activity: Activity) -> dict[str, Any]:
        message: dict[str, Any] = {v.LTI + "message_type": "LtiResourceLinkRequest"}
        if course.default_line_item(activity):
            message[_BASIC_OUTCOME] = self._basic_outcome(person, activity)
        return message


def _incorrect() -> ServiceRefusedError:
    """Whatever is wrong with a score, the message as it was posted follows the reason."""
    posted = request.get_data(as_text=True)
    return ServiceRefusedError(400, f"Incorrect score received{posted}")


def _numeric(value: Any) -> Any:
    """A number also from its text, as PHP takes it."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _ascii(status: str) -> str:
    """A status line carries no other letters, and not endlessly many."""
    return status.encode("ascii", "replace").decode()[:2000]
