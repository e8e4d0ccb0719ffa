"""A plain platform that does what the specifications say, and the places where real ones differ.

A platform of the field is one file in `profiles/`: a subclass that overrides class attributes and methods of `Profile`.
Methods that read or change the world are called with `lock` held; those that wait for the network are not.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, TypeGuard
from urllib.parse import urlencode, urlsplit

from flask import Response, request

from local.campus import tokens
from local.campus import vocabulary as v
from local.campus.faults import Faults, LaunchFault
from local.campus.journal import Journal
from local.campus.json_answers import json_response
from local.campus.registrar import Registrar
from local.campus.registration import ACTIVE, Placement, Registration
from local.campus.tool import KeysUnavailableError, Tool, ToolKeys
from local.campus.world import (
    OBSERVED_BY,
    PEOPLE,
    Activity,
    Cell,
    Course,
    Grant,
    LineItem,
    Oddities,
    PendingLaunch,
    Person,
    Review,
    Role,
    World,
)

TOKEN_SECONDS = 3600
DATA_TOKEN_SECONDS = 3600


class AuthenticationRefusedError(Exception):
    """An authentication request that the platform does not answer with an id_token. `error` goes to the tool."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


class TokenRefusedError(Exception):
    """A token request that is refused, as the platform words it."""

    def __init__(self, status: int, error: str, description: str | None = None) -> None:
        super().__init__(description or error)
        self.status = status
        self.error = error
        self.description = description


class ServiceRefusedError(Exception):
    """A service request that is refused, before the platform gave it its own form."""

    def __init__(self, status: int, reason: str, kind: str = "bad_request") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.kind = kind


class DeepLinkingRefusedError(Exception):
    """A deep linking response that adds nothing. The text names what was wrong."""


@dataclass(frozen=True, kw_only=True)
class NewLineItem:
    """The column that an activity is to bring with it."""

    score_maximum: float
    label: str | None = None
    resource_id: str | None = None
    tag: str | None = None
    starts_at: str | None = None
    ends_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class NewActivity:
    title: str
    text: str | None
    target_link_uri: str
    custom: dict[str, Any]
    line_item: NewLineItem | None


@dataclass(frozen=True, kw_only=True)
class Score:
    """A score message that has the shape the specification gives it."""

    user_id: str
    timestamp: str
    at: datetime
    activity_progress: str
    grading_progress: str
    score_given: float | None
    score_maximum: float | None
    comment: str | None
    submitted_at: str | None
    extension: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Return:
    """A browser that comes back from choosing content. `spend` makes the return address worthless."""

    person: Person
    course: Course
    client_id: str
    placement: str | None
    spend: Callable[[], None]


class Profile:
    slug: ClassVar[str] = "plain"
    name: ClassVar[str] = "Plain platform"
    fixed_client_id: ClassVar[str] = "plain-client"
    fixed_deployment_id: ClassVar[str] = "1"
    course_ids: ClassVar[tuple[int, int]] = (1, 2)
    first_number: ClassVar[int] = 1000
    paths: ClassVar[dict[str, str]] = {
        "jwks": "/jwks.json",
        "authorize": "/authorize",
        "token": "/token",
        "line_items": "/services/courses/<int:course_id>/line_items",
        "line_item": "/services/courses/<int:course_id>/line_items/<int:item_id>",
        "scores": "/services/courses/<int:course_id>/line_items/<int:item_id>/scores",
        "results": "/services/courses/<int:course_id>/line_items/<int:item_id>/results",
        "memberships": "/services/courses/<int:course_id>/memberships",
        "deep_linking_return": "/deep_linking_return/<int:course_id>",
        "openid_configuration": "/openid-configuration",
        "registration": "/registrations",
    }
    aliases: ClassVar[dict[str, str]] = {}  # further paths of the same doors
    # The audience that client assertions must name, where that is not the token URL.
    token_audience: ClassVar[str | None] = None
    login_method: ClassVar[str] = "POST"
    registrar_type: ClassVar[type[Registrar]] = Registrar
    keys_before: ClassVar[int] = 0
    keys_after: ClassVar[int] = 0
    keeps_tool_keys: ClassVar[bool] = True
    hint_seconds: ClassVar[int] = 300
    id_token_seconds: ClassVar[int] = 300
    storage_frame: ClassVar[str | None] = None  # the name of the frame that keeps data for the tool
    checks_deployment: ClassVar[bool] = True
    # What went wrong -> the OAuth error that is posted to the tool.
    authentication_errors: ClassVar[dict[str, str]] = {
        "missing": "invalid_request",
        "scope": "invalid_scope",
        "response_type": "unsupported_response_type",
        "client": "unauthorized_client",
        "hint": "invalid_request",
        "user": "login_required",
    }

    def __init__(self, campus_url: str, tool: Tool, journal: Journal, now: Callable[[], float] = time.time) -> None:
        self.issuer = f"{campus_url}/{self.slug}"
        self.fixed = Registration(
            client_id=self.fixed_client_id,
            deployment_id=self.fixed_deployment_id,
            tool=tool,
            number=1,
            is_fixed=True,
            scopes=(*v.AGS_SCOPES, v.MEMBERSHIP_SCOPE),
        )
        self.registrations: dict[str, Registration] = {}
        self.in_use = self.fixed.client_id  # whose tool an activity opens that nobody else's tool made
        self._spoken_with: ContextVar[str | None] = ContextVar(f"{self.slug} speaks with", default=None)
        self._tool_keys: dict[str, ToolKeys] = {}
        self._registration_numbers = itertools.count(2)
        self.journal = journal
        self._now = now
        self.lock = threading.RLock()
        self.faults = Faults()
        self.keys = tokens.PlatformKeys(before=self.keys_before, after=self.keys_after)
        self.seal = tokens.Seal()
        self.requests: Counter[str] = Counter()  # by door, since the last reset
        self._numbers: Iterator[int] = itertools.count(self.first_number)  # never starts again: ids are not reused
        self.registrar = self.registrar_type(self)
        self.world = World(courses={})
        self.reset()

    def now(self) -> float:
        """The platform's own clock; it may be wrong."""
        return self._now() + self.faults.clock_skew_seconds

    # --- the world ----------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Courses, marks, registrations and everything under way as on the first day; the platform's keys stay."""
        with self.lock:
            self.requests.clear()
            self._tool_keys.clear()
            self.registrations = {self.fixed.client_id: self.fixed}
            self.in_use = self.fixed.client_id
            geography, mathematics = self.course_ids
            self.world = World(
                courses={
                    geography: Course(id=geography, title="Geography 101", label="GEO101"),
                    mathematics: Course(id=mathematics, title="Mathematics 1", label="MATH1"),
                }
            )
            for course in self.world.courses.values():
                self.add(
                    course,
                    NewActivity(
                        title="First activity",
                        text=None,
                        target_link_uri=self.tool.target_link_uri,
                        custom={},
                        line_item=NewLineItem(score_maximum=10),
                    ),
                )

    # --- registrations ------------------------------------------------------------------------------------------

    @property
    def registration(self) -> Registration:
        """The one that the matter at hand is about; the fixed one when there is none at hand."""
        return self.registrations.get(self._spoken_with.get() or "", self.registrations[self.fixed.client_id])

    @contextmanager
    def speaking_with(self, client_id: str | None) -> Iterator[Registration]:
        """Whatever happens inside is about this client's registration."""
        token = self._spoken_with.set(client_id)
        try:
            yield self.registration
        finally:
            self._spoken_with.reset(token)

    @property
    def client_id(self) -> str:
        return self.registration.client_id

    @property
    def deployment_id(self) -> str:
        return self.registration.deployment_id

    @property
    def tool(self) -> Tool:
        return self.registration.tool

    @property
    def tool_keys(self) -> ToolKeys:
        """Of one registration. Its key set's address can change with it, what was fetched is forgotten then."""
        made = ToolKeys(self.tool, self.journal, self.slug, kept=self.keeps_tool_keys)
        return self._tool_keys.setdefault(self.client_id, made)

    def keep(self, registration: Registration) -> None:
        """File a registration, or file it anew."""
        with self.lock:
            self._tool_keys.pop(registration.client_id, None)
            self.registrations[registration.client_id] = registration

    def activate(self, client_id: str) -> None:
        """The administrator says yes. The newest tool is the one that is used."""
        with self.lock:
            self.keep(replace(self.registrations[client_id], state=ACTIVE))
            self.in_use = client_id

    def next_registration_number(self) -> int:
        """Never one that was given before."""
        return next(self._registration_numbers)

    def client_of(self, activity: Activity | None) -> str:
        """Whose tool opens this activity when nobody says otherwise."""
        known = activity is not None and activity.client_id in self.registrations
        return activity.client_id if known and activity and activity.client_id else self.in_use

    # --- activities ---------------------------------------------------------------------------------------------

    def add(self, course: Course, new: NewActivity, *, client_id: str | None = None) -> Activity:
        """A new activity: made by hand, or, with a client, by that client's deep linking response."""
        number = next(self._numbers)
        activity = Activity(
            id=number,
            resource_link_id=self.new_resource_link_id(number),
            title=new.title,
            text=new.text,
            target_link_uri=new.target_link_uri,
            custom=new.custom,
            client_id=client_id,
        )
        course.activities[activity.id] = activity
        if new.line_item:
            self.add_line_item(course, new.line_item, label=new.line_item.label or new.title, activity=activity)
        return activity

    def add_line_item(
        self, course: Course, new: NewLineItem, *, label: str, activity: Activity | None, made_by_tool: bool = False
    ) -> LineItem:
        item = LineItem(
            id=next(self._numbers),
            label=label,
            score_maximum=new.score_maximum,
            made_by_tool=made_by_tool,
            activity_id=activity.id if activity else None,
            is_default=activity is not None and not made_by_tool,
            resource_id=new.resource_id,
            tag=new.tag,
            starts_at=new.starts_at,
            ends_at=new.ends_at,
        )
        course.line_items[item.id] = item
        return item

    def people(self) -> dict[str, Person]:
        """Who can be somebody here, by key."""
        return {key: person for key, person in PEOPLE.items() if person.role not in (Role.PREVIEW, Role.VISITOR)}

    def people_of(self, course: Course) -> list[Person]:  # noqa: ARG002 - a platform may enrol by course
        """Who is enrolled. An administrator can open any course without being in it."""
        outside = (Role.ADMIN, Role.PREVIEW, Role.VISITOR)
        return [person for person in self.people().values() if person.role not in outside]

    def learners_of(self, course: Course) -> list[Person]:
        """Who has a row in the gradebook."""
        return [person for person in self.people_of(course) if person.role is Role.STUDENT]

    def may_add_activities(self, person: Person) -> bool:
        return person.role in (Role.TEACHER, Role.ASSISTANT, Role.ADMIN)

    def may_see_grades(self, person: Person) -> bool:
        return person.role in (Role.TEACHER, Role.ASSISTANT, Role.ADMIN)

    # --- names and addresses ------------------------------------------------------------------------------------

    def url(self, name: str, **ids: int) -> str:
        """The address of one of `paths`, as the platform gives it out."""
        known = self.url_parts() | ids
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(known[found.group(1)]), self.paths[name])
        return self.issuer + path

    def url_parts(self) -> dict[str, str | int]:
        """What stands in the platform's addresses for the registration at hand, by its name in `paths`."""
        return {}

    def new_resource_link_id(self, number: int) -> str:
        return f"link-{number}"

    def user_id(self, person: Person) -> str:
        """`sub`, and `user_id` in the services."""
        return f"user-{person.number}"

    def login_hint(self, person: Person) -> str:
        return self.user_id(person)

    def context_id(self, course: Course) -> str:
        return f"course-{course.id}"

    def person_with(self, user_id: str) -> Person | None:
        return next((person for person in self.people().values() if self.user_id(person) == user_id), None)

    # --- login initiation and authentication request ------------------------------------------------------------

    def begin(
        self,
        person: Person,
        course: Course,
        activity: Activity | None,
        *,
        document_target: str = "iframe",
        placement: Placement | None = None,
        review: Review | None = None,
        oddities: Oddities | None = None,
    ) -> dict[str, str]:
        """Remember a launch to come and say what the browser shall bring to the tool of the registration at hand.

        No activity: content selection, or whatever the placement is for.
        """
        pending = PendingLaunch(
            id=secrets.token_urlsafe(24),
            client_id=self.client_id,
            person=person,
            course=course,
            activity=activity,
            began_at=self.now(),
            document_target=document_target,
            placement=placement,
            review=review,
            oddities=oddities or Oddities(),
        )
        self.world.pending[pending.id] = pending
        return {
            "iss": self.issuer,
            "target_link_uri": self.target_link_uri(pending),
            "login_hint": self.login_hint(person),
            "lti_message_hint": self.message_hint(pending),
            "client_id": self.client_id,
            "lti_deployment_id": self.deployment_id,
            **self.more_login_fields(),
            **self.storage_field(),
        }

    def target_link_uri(self, pending: PendingLaunch) -> str:
        activity, ours = pending.activity, self.tool.target_link_uri
        if pending.placement:
            return pending.placement.target_link_uri
        if activity is None:
            wanted = (self.registration.message(v.DEEP_LINKING) or {}).get("target_link_uri")
            return str(wanted or ours)
        # A link of the first day belongs to no tool in particular.
        of_nobody = activity.client_id is None and activity.target_link_uri == self.fixed.tool.target_link_uri
        return ours if of_nobody else activity.target_link_uri

    def more_login_fields(self) -> dict[str, str]:
        return {}

    def storage_target(self) -> str | None:
        """Where a tool finds the platform's storage, if the platform has one and it is not switched off."""
        return None if self.faults.storage_off else self.storage_frame

    def storage_field(self) -> dict[str, str]:
        target = self.storage_target()
        return {"lti_storage_target": target} if target else {}

    def more_answer_fields(self) -> dict[str, str]:
        """What the platform's web framework adds to the form that carries the id_token."""
        return {}

    def message_hint(self, pending: PendingLaunch) -> str:
        return pending.id

    def pending_id(self, message_hint: str) -> str | None:
        """Which pending launch a hint names, if it is one of ours and unspoiled."""
        return message_hint

    def authenticated(self, fields: Mapping[str, str]) -> PendingLaunch:
        """The launch that this authentication request asks for; it is spent now.

        The client and the redirect URI are known to be the tool's already.

        Raises:
            AuthenticationRefusedError: to be posted to the tool.
        """

        def refuse(kind: str, description: str) -> AuthenticationRefusedError:
            error = self.authentication_errors.get(kind, self.authentication_errors["missing"])
            return AuthenticationRefusedError(error, description)

        needed = ("scope", "response_type", "response_mode", "prompt", "nonce", "login_hint", "lti_message_hint")
        if missing := [name for name in ("client_id", *needed) if not fields.get(name)]:
            raise refuse("missing", f"The following parameters are missing: {', '.join(missing)}")
        if fields["scope"] != "openid":
            raise refuse("scope", "The scope must be openid")
        if fields["response_type"] != "id_token":
            raise refuse("response_type", "The response_type must be id_token")
        if fields["response_mode"] != "form_post":
            raise refuse("response_mode", "The response_mode must be form_post")
        if fields["prompt"] != "none":
            raise refuse("prompt", "The prompt must be none")
        if fields["client_id"] != self.client_id:
            raise refuse("client", "The client is not known here")
        pending_id = self.pending_id(fields["lti_message_hint"])
        with self.lock:
            pending = self.world.pending.get(pending_id or "")
            if pending is None or pending.began_at + self.hint_seconds < self.now():
                raise refuse("hint", "The launch is no longer valid")
            if pending.client_id != self.client_id:
                raise refuse("hint", "The launch is no longer valid")
            if fields["login_hint"] != self.login_hint(pending.person):
                raise refuse("user", "The user must have an active session")
            del self.world.pending[pending.id]
        return pending

    def jwks(self) -> tokens.Claims:
        """The key set as the platform publishes it."""
        return self.keys.jwks_without_rsa() if self.faults.jwks_without_rsa else self.keys.jwks()

    # --- the id_token -------------------------------------------------------------------------------------------

    def id_token(self, pending: PendingLaunch, nonce: str, fault: LaunchFault | None = None) -> str:
        """What the platform says, then what this one launch says instead, then what the fault spoils."""
        odd = pending.oddities
        changes = {v.claim(name): value for name, value in odd.claims.items()}
        claims = {
            name: value
            for name, value in (self.claims(pending, nonce) | changes).items()
            if value is not None or name not in changes
        }
        claims |= dict.fromkeys(map(v.claim, odd.null_claims))
        key, header = self.keys.current, dict(odd.header)
        if fault:
            claims = fault.spoiled(claims, int(self.now()))
            if fault.strange_key:
                header = {"kid": tokens.new_kid() if fault.unknown_kid else key.kid} | header
                key = self.keys.stranger
        return tokens.signed(claims, key, header)

    def claims(self, pending: PendingLaunch, nonce: str) -> tokens.Claims:
        """Every claim of the launch. A method that answers None leaves its claim out."""
        activity, review = pending.activity, pending.review
        lti: dict[str, Any] = {
            "message_type": self.message_type(pending),
            "version": "1.3.0",
            "deployment_id": self.deployment_id,
            "target_link_uri": self.target_link_uri(pending),
            "roles": self.roles(pending.person),
            "context": self.context(pending.course),
            "resource_link": self.resource_link(activity) if activity and not pending.is_selection else None,
            "tool_platform": self.tool_platform(),
            "launch_presentation": self.launch_presentation(pending),
            "lis": self.lis(pending),
            "role_scope_mentor": self.role_scope_mentor(pending.person),
            "custom": self.custom(pending),
            "for_user": self.for_user(review.learner) if review else None,
        }
        scopes = set(self.scopes_of_tool())
        ags = self.ags_claim(pending) if scopes & set(v.AGS_SCOPES) else None
        if ags:
            ags["scope"] = [scope for scope in ags["scope"] if scope in scopes]
        if ags and review:
            ags = {**ags, "lineitem": self.line_item_url(pending.course, review.line_item)}
        full = {
            **self.envelope(pending, nonce),
            **self.shown_of(pending.person),
            **{v.LTI + name: value for name, value in lti.items()},
            v.DL + "deep_linking_settings": self.deep_linking_settings(pending) if pending.is_selection else None,
            v.AGS: ags,
            v.NRPS: self.nrps_claim(pending) if v.MEMBERSHIP_SCOPE in scopes else None,
        }
        return {name: value for name, value in full.items() if value is not None} | self.more_claims(pending)

    def message_type(self, pending: PendingLaunch) -> str:
        if pending.review:
            return v.SUBMISSION_REVIEW
        return v.DEEP_LINKING if pending.is_selection else v.RESOURCE_LINK

    def for_user(self, learner: Person) -> tokens.Claims:
        """Whose work a submission review is about."""
        return {
            "user_id": self.user_id(learner),
            "person_sourcedid": learner.sourced_id,
            **self.shown_of(learner),
            "roles": self.roles(learner),
        }

    def envelope(self, pending: PendingLaunch, nonce: str) -> tokens.Claims:
        issued_at = int(self.now())
        return {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": self.user_id(pending.person),
            "iat": issued_at,
            "exp": issued_at + self.id_token_seconds,
            "nonce": nonce,
        }

    def shown_of(self, person: Person) -> tokens.Claims:
        """What the tool of the registration at hand gets to know of the person."""
        shows = self.registration.shows
        return {name: value for name, value in self.person_claims(person).items() if shows(name)}

    def person_claims(self, person: Person) -> tokens.Claims:
        return {
            "name": person.name,
            "given_name": person.given_name,
            "family_name": person.family_name,
            "email": person.email,
        }

    def roles(self, person: Person) -> list[str]:
        return {
            Role.TEACHER: [v.MEMBERSHIP + "Instructor"],
            Role.ASSISTANT: [v.TEACHING_ASSISTANT, v.MEMBERSHIP + "Instructor"],
            Role.STUDENT: [v.MEMBERSHIP + "Learner"],
            Role.OBSERVER: [v.MEMBERSHIP + "Mentor"],
            Role.ADMIN: [v.MEMBERSHIP + "Administrator"],
            Role.PREVIEW: [v.MEMBERSHIP + "Learner", v.TEST_USER],
            Role.VISITOR: [],
        }[person.role]

    def context(self, course: Course) -> tokens.Claims:
        return {
            "id": self.context_id(course),
            "label": course.label,
            "title": course.title,
            "type": ["http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"],
        }

    def resource_link(self, activity: Activity) -> tokens.Claims:
        return {"id": activity.resource_link_id, "title": activity.title}

    def tool_platform(self) -> tokens.Claims:
        return {"guid": urlsplit(self.issuer).netloc, "name": "Campus", "product_family_code": "campus"}

    def launch_presentation(self, pending: PendingLaunch) -> tokens.Claims:
        return {
            "document_target": pending.document_target,
            "return_url": self.return_url(pending),
            "locale": "en",
        }

    def return_url(self, pending: PendingLaunch) -> str:
        return f"{self.issuer}/courses/{pending.course.id}?as={pending.person.key}"

    def lis(self, pending: PendingLaunch) -> tokens.Claims | None:
        return {
            "person_sourcedid": pending.person.sourced_id,
            "course_offering_sourcedid": pending.course.sourced_id,
        }

    def role_scope_mentor(self, person: Person) -> list[str] | None:
        observed = OBSERVED_BY.get(person.key)
        return [self.user_id(PEOPLE[key]) for key in observed] if observed else None

    def custom(self, pending: PendingLaunch) -> tokens.Claims | None:
        message = self.registration.message(self.message_type(pending)) or {}
        given = {
            **self.registration.custom,
            **(message.get("custom_parameters") or {}),
            **(pending.placement.custom if pending.placement else {}),
            **(pending.activity.custom if pending.activity else {}),
        }
        resolved = {key: self.resolved(value, pending) for key, value in given.items()}
        return resolved or None

    def resolved(self, value: Any, pending: PendingLaunch) -> str:
        """A custom value as text. `$Name` is replaced when the platform knows it and stays as it is otherwise."""
        text = _text(value)
        return self.variables(pending).get(text[1:], text) if text.startswith("$") else text

    def variables(self, pending: PendingLaunch) -> dict[str, str]:
        person, course, activity = pending.person, pending.course, pending.activity
        item = course.default_line_item(activity) if activity else None
        known = {
            "User.id": self.user_id(person),
            "User.username": person.username,
            "Person.name.full": person.name,
            "Person.name.given": person.given_name,
            "Person.name.family": person.family_name,
            "Person.email.primary": person.email,
            "Person.sourcedId": person.sourced_id,
            "Context.id": self.context_id(course),
            "Context.title": course.title,
            "Context.label": course.label,
            "Context.sourcedId": course.sourced_id,
            "Context.id.history": "",
            "Membership.role": ",".join(self.roles(person)),
            "LineItems.url": self.url("line_items", course_id=course.id),
        }
        if activity:
            known |= {
                "ResourceLink.id": activity.resource_link_id,
                "ResourceLink.title": activity.title,
                "ResourceLink.description": activity.text or "",
                "ResourceLink.id.history": "",
            }
        if item:
            known["LineItem.url"] = self.url("line_item", course_id=course.id, item_id=item.id)
        return known

    def ags_claim(self, pending: PendingLaunch) -> tokens.Claims | None:
        course, activity = pending.course, pending.activity
        claim: tokens.Claims = {
            "scope": list(v.AGS_SCOPES),
            "lineitems": self.url("line_items", course_id=course.id),
        }
        items = course.line_items_of(activity) if activity else []
        if len(items) == 1:
            claim["lineitem"] = self.url("line_item", course_id=course.id, item_id=items[0].id)
        return claim

    def nrps_claim(self, pending: PendingLaunch) -> tokens.Claims | None:
        return {
            "context_memberships_url": self.url("memberships", course_id=pending.course.id),
            "service_versions": ["2.0"],
        }

    def more_claims(self, pending: PendingLaunch) -> tokens.Claims:  # noqa: ARG002 - for platforms
        """Claims of the platform's own; these may be null."""
        return {}

    # --- deep linking -------------------------------------------------------------------------------------------

    def deep_linking_settings(self, pending: PendingLaunch) -> tokens.Claims:
        return {
            "deep_link_return_url": self.deep_link_return_url(pending),
            "accept_types": ["ltiResourceLink"],
            "accept_presentation_document_targets": ["iframe", "window"],
            "accept_multiple": True,
            "accept_lineitem": True,
            "auto_create": False,
        }

    def deep_link_return_url(self, pending: PendingLaunch) -> str:
        address = self.url("deep_linking_return", course_id=pending.course.id)
        return f"{address}?{urlencode({'data': self.return_data(pending)})}"

    def return_data(self, pending: PendingLaunch) -> str:
        """Who chooses for which course, so that the answer finds back."""
        return self.seal.seal(
            {
                "jti": secrets.token_urlsafe(16),
                "person": pending.person.key,
                "course": pending.course.id,
                "client": self.client_id,
                "placement": pending.placement.name if pending.placement else None,
                "exp": int(self.now()) + DATA_TOKEN_SECONDS,
            }
        )

    def returning(self, course_id: int | None) -> Return:
        """Who comes back to which course with a deep linking response.

        Raises:
            DeepLinkingRefusedError: the address is not one that was given out, or was used.
        """
        return self.opened_return(request.args.get("data"), course_id)

    def opened_return(self, data: str | None, course_id: int | None) -> Return:
        if not data:
            raise DeepLinkingRefusedError("presence_required: the return address has no data")
        try:
            claims = self.seal.open(data)
        except tokens.BadTokenError as error:
            raise DeepLinkingRefusedError("invalid_or_malformed: the return address was altered") from error
        if claims["exp"] <= self.now() or claims["course"] != course_id:
            raise DeepLinkingRefusedError("invalid_or_malformed: the return address is not valid any more")
        used = self.world.used_data_tokens
        if claims["jti"] in used:
            raise DeepLinkingRefusedError("already_used: the return address works once")
        course = self.world.courses.get(claims["course"])
        if course is None:
            raise DeepLinkingRefusedError("the course is gone")
        return Return(
            person=PEOPLE[claims["person"]],
            course=course,
            client_id=claims["client"],
            placement=claims.get("placement"),
            spend=lambda: used.add(claims["jti"]),
        )

    def check_deep_linking_response(self, claims: tokens.Claims) -> None:
        """Everything about the message but its signature and its items."""
        now = self.now()
        expected = {
            "iss": self.client_id,
            v.LTI + "message_type": "LtiDeepLinkingResponse",
            v.LTI + "version": "1.3.0",
        }
        if self.checks_deployment:
            expected[v.LTI + "deployment_id"] = self.deployment_id
        for name, value in expected.items():
            if claims.get(name) != value:
                raise DeepLinkingRefusedError(f"{name} is {claims.get(name)!r}, not {value!r}")
        if self.issuer not in audiences(claims):
            raise DeepLinkingRefusedError(f"aud is {claims.get('aud')!r}, not {self.issuer!r}")
        for name in ("iat", "exp"):
            if not is_number(claims.get(name)):
                raise DeepLinkingRefusedError(f"{name} is not a number")
        if claims["exp"] <= now:
            raise DeepLinkingRefusedError("exp: the response has expired")
        if claims["iat"] > now + 30:
            raise DeepLinkingRefusedError("iat: the response comes from the future")
        if claims["iat"] < now - 300:
            raise DeepLinkingRefusedError("iat: the response is older than five minutes")
        if not claims.get("nonce") or not isinstance(claims["nonce"], str):
            raise DeepLinkingRefusedError("nonce is missing")

    def new_activities(self, claims: tokens.Claims, returned: Return) -> list[NewActivity]:  # noqa: ARG002
        """The items of the response as activities to add; all of them or none."""
        items = claims.get(v.DL + "content_items", [])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise DeepLinkingRefusedError("content_items is not a list of objects")
        return [self.new_activity(item) for item in items]

    def new_activity(self, item: dict[str, Any]) -> NewActivity:
        if item.get("type") != "ltiResourceLink":
            raise DeepLinkingRefusedError(f"type {item.get('type')!r} is not accepted here, only 'ltiResourceLink'")
        url = item.get("url") or self.tool.target_link_uri
        if not isinstance(url, str) or not self.tool.serves(url):
            raise DeepLinkingRefusedError(f"url {url!r} is not on the tool's site {self.tool.origin}")
        custom = item.get("custom") or {}
        if not isinstance(custom, dict):
            raise DeepLinkingRefusedError("custom is not an object")
        return NewActivity(
            title=str(item.get("title") or self.tool.name),
            text=str(item["text"]) if item.get("text") else None,
            target_link_uri=url,
            custom=self.stored_custom(custom),
            line_item=self.new_line_item(item),
        )

    def stored_custom(self, custom: dict[str, Any]) -> dict[str, Any]:
        return custom

    def new_line_item(self, item: dict[str, Any]) -> NewLineItem | None:
        wanted = item.get("lineItem")
        if wanted is None:
            return None
        maximum = wanted.get("scoreMaximum") if isinstance(wanted, dict) else None
        if maximum is None:
            raise DeepLinkingRefusedError("lineItem.scoreMaximum is a required field")
        if not is_number(maximum) or maximum <= 0:
            raise DeepLinkingRefusedError("lineItem.scoreMaximum is not a number above 0")
        return NewLineItem(
            score_maximum=float(maximum),
            label=wanted.get("label"),
            resource_id=wanted.get("resourceId"),
            tag=wanted.get("tag"),
        )

    # --- access tokens ------------------------------------------------------------------------------------------

    def grant(self) -> tuple[str, list[str]]:
        """The access token that the request at hand earns, and its scopes. Asks the tool for its keys.

        Raises:
            TokenRefusedError
        """
        form = request.form
        self.check_token_content_type()
        if form.get("grant_type") != "client_credentials":
            raise self.token_refused("grant_type", "grant_type must be client_credentials")
        if form.get("client_assertion_type") != v.ASSERTION_TYPE:
            raise self.token_refused("assertion_type", "client_assertion_type must be jwt-bearer")
        assertion = form.get("client_assertion", "")
        try:
            claimed = tokens.unverified_claims(assertion)
        except tokens.BadTokenError as error:
            raise self.token_refused("assertion", "client_assertion is not a JWT") from error
        registration = self.registrations.get(str(claimed.get("sub")))
        if registration is None or not registration.is_active:
            raise self.token_refused("client", "the client is not known")
        with self.speaking_with(registration.client_id):
            return self._granted(assertion)

    def _granted(self, assertion: str) -> tuple[str, list[str]]:
        try:
            if self.faults.refuses_key:
                raise KeysUnavailableError("the tool's key set cannot be reached from here")
            claims = self.tool_keys.verified(assertion)
        except tokens.BadTokenError as error:
            raise self.token_refused(
                "keys" if type(error) is not tokens.BadTokenError else "signature", str(error)
            ) from error
        if problem := self.assertion_problem(claims):
            raise self.token_refused("claims", problem)
        if self.faults.token_audience and self.faults.token_audience not in audiences(claims):
            raise self.token_refused("claims", "the 'aud' is invalid")
        asked = request.form.get("scope", "").split()
        scopes = self.granted_scopes(asked)
        token = secrets.token_urlsafe(32)
        with self.lock:
            self.world.grants[token] = Grant(
                client_id=self.client_id, scopes=frozenset(scopes), expires_at=self.now() + TOKEN_SECONDS
            )
        return token, scopes

    def check_token_content_type(self) -> None:
        if request.mimetype != "application/x-www-form-urlencoded":
            raise self.token_refused("content_type", "the content type must be application/x-www-form-urlencoded")

    @property
    def audience(self) -> str:
        """What client assertions have to name as `aud`, where the platform asks for it at all."""
        return self.faults.token_audience or self.token_audience or self.url("token")

    def assertion_problem(self, claims: tokens.Claims) -> str | None:
        """What is wrong with the claims of a client assertion whose signature is good."""
        now = self.now()
        missing = [name for name in ("iss", "sub", "aud", "iat", "exp", "jti") if claims.get(name) in (None, "")]
        if missing:
            return f"the following assertions are missing: {','.join(missing)}"
        if claims["iss"] != self.client_id:
            return "the 'iss' is invalid"
        if self.audience not in audiences(claims):
            return "the 'aud' is invalid"
        if not is_number(claims["iat"]) or not is_number(claims["exp"]):
            return "the 'iat' and 'exp' must be numbers"
        if claims["exp"] <= now:
            return "the JWT has expired"
        if claims["iat"] > now + 30:
            return "the 'iat' must not be in the future"
        if claims["iat"] < now - 300:
            return "the 'iat' must be less than 5 minutes old"
        return None

    def scopes_of_tool(self) -> list[str]:
        """What the platform's administrator allowed the tool."""
        return [scope for scope in self.registration.scopes if scope not in self.faults.refused_scopes]

    def granted_scopes(self, asked: list[str]) -> list[str]:
        granted = [scope for scope in asked if scope in self.scopes_of_tool()]
        if not granted:
            raise self.token_refused("scope", "none of these scopes is allowed")
        return granted

    def token_refused(self, kind: str, detail: str) -> TokenRefusedError:
        if kind in ("client", "keys", "signature", "claims"):
            return TokenRefusedError(401, "invalid_client", detail)
        error = {"grant_type": "unsupported_grant_type", "scope": "invalid_scope"}.get(kind, "invalid_request")
        return TokenRefusedError(400, error, detail)

    def token_refusal(self, refused: TokenRefusedError) -> Response:
        body = {"error": refused.error}
        if refused.description:
            body["error_description"] = refused.description
        return json_response(body, refused.status)

    def bearer(self) -> str | None:
        """The client whose access token the request at hand carries."""
        grant = self.world.grants.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        return grant.client_id if grant else None

    def require_scope(self, *scopes: str) -> None:
        """The request at hand carries a token that buys one of these scopes.

        Raises:
            ServiceRefusedError
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise ServiceRefusedError(401, "Missing access token", "unauthorized")
        grant = self.world.grants.get(token)
        if grant is None:
            raise ServiceRefusedError(401, "Invalid access token field/s", "unauthorized")
        if grant.expires_at <= self.now():
            raise ServiceRefusedError(401, "Access token expired", "unauthorized")
        # What stands in an address for the tool must be the tool's that asks.
        asked = request.view_args or {}
        if any(str(asked.get(name, value)) != str(value) for name, value in self.url_parts().items()):
            raise ServiceRefusedError(404, "Not found", "not_found")
        if not grant.scopes & set(scopes):
            raise ServiceRefusedError(self.missing_scope_status, "Insufficient permissions", "unauthorized")

    missing_scope_status: ClassVar[int] = 403

    def take_public_jwk(self, body: Any) -> dict[str, Any]:
        """The tool replaces the key that it was registered with; the registration as the platform shows it then.

        Raises:
            ServiceRefusedError
        """
        raise NotImplementedError

    # --- services: form of requests and answers -----------------------------------------------------------------

    def require_media_type(self, service: str) -> None:
        """The Content-Type of a body, the Accept of a question, as strictly as this platform takes them."""
        if request.method not in ("POST", "PUT"):
            return
        wanted = v.SCORE_TYPE if service == "scores" else v.LINE_ITEM_TYPE
        if request.mimetype not in (wanted, "application/json"):
            raise ServiceRefusedError(415, f"the content type must be {wanted}", "unsupported_media_type")

    def body(self) -> dict[str, Any]:
        try:
            body = json.loads(request.get_data())
        except ValueError as error:
            raise ServiceRefusedError(400, "the body is not JSON") from error
        if not isinstance(body, dict):
            raise ServiceRefusedError(400, "the body is not a JSON object")
        return body

    def refusal(self, refused: ServiceRefusedError, service: str) -> Response:  # noqa: ARG002 - for platforms
        return json_response({"error": refused.kind, "message": refused.reason}, refused.status)

    def answer(self, service: str, payload: Any, status: int = 200, links: list[str] | None = None) -> Response:
        media_type = {
            "line_items": v.LINE_ITEMS_TYPE,
            "line_item": v.LINE_ITEM_TYPE,
            "results": v.RESULTS_TYPE,
            "memberships": v.MEMBERS_TYPE,
            "public_jwk": v.PUBLIC_JWK_TYPE,
        }.get(service, "application/json")
        response = json_response(payload, status, media_type)
        for link in links or []:
            response.headers.add("Link", link)
        return response

    def page(self, items: list[Any], service: str) -> tuple[list[Any], list[str]]:  # noqa: ARG002 - for platforms
        """The part of the list that was asked for, and the Link headers that lead on."""
        return page_by_number(items, default=100, most=100)

    # --- line items ---------------------------------------------------------------------------------------------

    def line_item_url(self, course: Course, item: LineItem) -> str:
        return self.url("line_item", course_id=course.id, item_id=item.id)

    def line_item_json(self, course: Course, item: LineItem) -> dict[str, Any]:
        activity = course.activities.get(item.activity_id or -1)
        body = {
            "id": self.line_item_url(course, item),
            "label": item.label,
            "scoreMaximum": number(item.score_maximum),
            "resourceId": item.resource_id,
            "tag": item.tag,
            "resourceLinkId": activity.resource_link_id if activity else None,
            "startDateTime": item.starts_at,
            "endDateTime": item.ends_at,
        }
        return {name: value for name, value in body.items() if value is not None} | item.extensions

    def parsed_line_item(self, body: dict[str, Any]) -> tuple[str, NewLineItem]:
        label, maximum = body.get("label"), body.get("scoreMaximum")
        if not isinstance(label, str) or not label.strip():
            raise ServiceRefusedError(400, "label is missing or blank")
        if not is_number(maximum) or maximum is None or maximum <= 0:
            raise ServiceRefusedError(400, "scoreMaximum is missing or not a number above 0")
        return label, NewLineItem(
            score_maximum=float(maximum),
            resource_id=body.get("resourceId"),
            tag=body.get("tag"),
            starts_at=body.get("startDateTime"),
            ends_at=body.get("endDateTime"),
        )

    def activity_of_line_item(self, course: Course, resource_link_id: str) -> Activity:
        for activity in course.activities.values():
            if activity.resource_link_id == resource_link_id:
                return activity
        raise ServiceRefusedError(404, "no such resource link in this course", "not_found")

    def line_item_changed(self, course: Course, item: LineItem) -> None:
        """Whatever else changes with a line item that the tool replaced."""

    def extensions_of_line_item(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - for platforms
        return {}

    def check_deletable(self, item: LineItem) -> None:
        if not item.made_by_tool:
            raise ServiceRefusedError(403, "the tool did not make this line item", "forbidden")

    # --- scores -------------------------------------------------------------------------------------------------

    def parsed_score(self, body: dict[str, Any]) -> Score:
        """The score message.

        Raises:
            ServiceRefusedError: with the status of `score_shape_status`.
        """
        needed = ("userId", "timestamp", "activityProgress", "gradingProgress")
        if missing := [name for name in needed if body.get(name) in (None, "")]:
            raise self.bad_score(body, "missing", f"missing: {', '.join(missing)}")
        if body["activityProgress"] not in v.ACTIVITY_PROGRESS or body["gradingProgress"] not in v.GRADING_PROGRESS:
            raise self.bad_score(body, "progress", "activityProgress or gradingProgress has an unknown value")
        at = moment(body["timestamp"])
        if at is None:
            raise self.bad_score(body, "timestamp", "timestamp is not ISO 8601 with a zone")
        given, maximum = body.get("scoreGiven"), body.get("scoreMaximum")
        if given is not None and (not is_number(given) or given < 0):
            raise self.bad_score(body, "scoreGiven", "scoreGiven is not a number of 0 or more")
        if given is not None and (not is_number(maximum) or maximum <= 0):
            raise self.bad_score(body, "scoreMaximum", "scoreMaximum is missing or not a number above 0")
        submission = body.get("submission")
        submitted_at = submission.get("submittedAt") if isinstance(submission, dict) else None
        comment = body.get("comment")
        return Score(
            user_id=str(body["userId"]),
            timestamp=body["timestamp"],
            at=at,
            activity_progress=body["activityProgress"],
            grading_progress=body["gradingProgress"],
            score_given=None if given is None else float(given),
            score_maximum=float(maximum) if is_number(maximum) else None,
            comment=comment if isinstance(comment, str) and comment.strip() else None,
            submitted_at=submitted_at,
            extension=self.score_extension(body),
        )

    def bad_score(self, body: dict[str, Any], field: str, reason: str) -> ServiceRefusedError:  # noqa: ARG002
        return ServiceRefusedError(400, reason)

    def score_extension(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - for platforms
        return {}

    def learner(self, course: Course, score: Score, body: dict[str, Any]) -> Person:  # noqa: ARG002 - for platforms
        person = self.person_with(score.user_id)
        if person is None or person not in self.learners_of(course):
            raise self.not_gradable()
        return person

    def in_trouble(self, trouble: str) -> ServiceRefusedError:
        """What the platform says on a bad day. How it words a locked column is inferred."""
        match trouble:
            case "token_expired":
                return ServiceRefusedError(401, "Access token expired", "unauthorized")
            case "column_gone":
                return ServiceRefusedError(404, "Line item not found", "not_found")
            case "column_locked":
                return self.not_now("The column is locked")
            case "course_concluded":
                return self.not_now("The course has concluded")
            case _:
                return self.not_gradable()

    def not_now(self, reason: str) -> ServiceRefusedError:
        return ServiceRefusedError(403, reason, "forbidden")

    def not_gradable(self) -> ServiceRefusedError:
        """Nobody whose marks stand here: unknown, suspended, or no learner; platforms do not say which."""
        return ServiceRefusedError(403, "this user has no grades in this course", "forbidden")

    def check_newer(self, cell: Cell, score: Score) -> None:
        if cell.last_timestamp is not None and score.at <= cell.last_timestamp:
            raise ServiceRefusedError(409, "a newer score is there already", "conflict")

    def counts(self, score: Score) -> bool:
        """Whether this message carries a mark that the gradebook shows."""
        return score.grading_progress == "FullyGraded" and score.score_given is not None

    def clears(self, score: Score) -> bool:
        """Whether a message that does not count empties the cell."""
        return score.score_given is None

    def take_comment(self, cell: Cell, comment: str | None) -> None:
        cell.comments[:] = [comment] if comment else []

    def take_attempt(self, item: LineItem, cell: Cell, score: Score) -> None:
        """Nothing: attempts are a matter of platforms that keep submissions."""

    def score_answer(self, course: Course, item: LineItem, person: Person) -> Response:  # noqa: ARG002 - for platforms
        return Response(status=204)

    def result_json(self, course: Course, item: LineItem, person: Person) -> dict[str, Any] | None:
        """What the gradebook shows for one learner; None leaves them out."""
        cell = item.cells.get(person.key)
        if cell is None or cell.score is None:
            return None
        url = self.line_item_url(course, item)
        return {
            "id": f"{url}/results/{person.number}",
            "scoreOf": url,
            "userId": self.user_id(person),
            "resultScore": number(cell.score),
            "resultMaximum": number(item.score_maximum),
            **({"comment": cell.comments[-1]} if cell.comments else {}),
        }

    # --- names and roles ----------------------------------------------------------------------------------------

    def member_json(self, person: Person) -> dict[str, Any]:
        return {
            "status": "Active",
            "user_id": self.user_id(person),
            "roles": self.member_roles(person),
            "lis_person_sourcedid": person.sourced_id,
            **self.shown_of(person),
        }

    def member_roles(self, person: Person) -> list[str]:
        return [role for role in self.roles(person) if "/membership" in role]

    def has_role(self, person: Person, wanted: str) -> bool:
        return wanted in self.member_roles(person) or v.MEMBERSHIP + wanted in self.member_roles(person)

    def memberships_json(self, course: Course, members: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.url("memberships", course_id=course.id),
            "context": {"id": self.context_id(course), "label": course.label, "title": course.title},
            "members": members,
        }

    def linked_activity(self, course: Course, rlid: str) -> Activity | None:
        """The resource link that a roster is asked for; None means the whole course."""
        for activity in course.activities.values():
            if activity.resource_link_id == rlid:
                return activity
        raise ServiceRefusedError(400, "Tool does not have access to rlid or rlid does not exist")

    def member_message(self, person: Person, course: Course, activity: Activity) -> dict[str, Any]:
        pending = PendingLaunch(
            id="",
            client_id=self.client_id,
            person=person,
            course=course,
            activity=activity,
            began_at=self.now(),
            document_target="iframe",
        )
        return {
            v.LTI + "message_type": "LtiResourceLinkRequest",
            v.LTI + "custom": self.custom(pending) or {},
        }


def page_by_number(
    items: list[Any], *, default: int, most: int, rel_current: bool = False
) -> tuple[list[Any], list[str]]:
    """Pages counted from 1. `limit` becomes `per_page` in the links; every other parameter stays."""
    given = request.args
    size = min(max(whole(given.get("limit") or given.get("per_page"), default), 1), most)
    page = max(whole(given.get("page"), 1), 1)
    last = max(-(-len(items) // size), 1)
    kept = [(name, value) for name, value in given.items(multi=True) if name not in ("limit", "page", "per_page")]

    def link(rel: str, to: int) -> str:
        query = urlencode([*kept, ("page", str(to)), ("per_page", str(size))])
        return f'<{request.base_url}?{query}>; rel="{rel}"'

    links = [link("current", page)] if rel_current else []
    if page < last:
        links.append(link("next", page + 1))
    if page > 1:
        links.append(link("prev", page - 1))
    links += [link("first", 1), link("last", last)]
    return items[(page - 1) * size : page * size], [",".join(links)]


def audiences(claims: tokens.Claims) -> list[Any]:
    audience = claims.get("aud")
    return audience if isinstance(audience, list) else [audience]


def is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(value: float) -> int | float:
    """10.0 as 10, as people write it."""
    return int(value) if float(value).is_integer() else value


def whole(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdecimal() else default


_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:?\d\d)")


def moment(text: Any) -> datetime | None:
    """A point in time from ISO 8601 with a zone, else None."""
    if not isinstance(text, str) or not _MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def digest(text: str) -> str:
    """A 40 digit hexadecimal id that is the same in every run."""
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
