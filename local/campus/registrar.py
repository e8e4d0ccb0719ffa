"""Dynamic registration, the platform's side: a tool introduces itself with a token that an administrator gave it.

A plain platform that does what the specification says; real ones override what they do otherwise.
Spec: https://www.imsglobal.org/spec/lti-dr/v1p0
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from flask import Response, request

from local.campus import vocabulary as v
from local.campus.json_answers import json_response
from local.campus.registration import (
    ACTIVE,
    PENDING,
    PERSONAL,
    Introduction,
    Registration,
    RegistrationRefusedError,
    web_address,
)
from local.campus.tool import Tool

if TYPE_CHECKING:
    from local.campus.profile import Profile

CLOSE = "org.imsglobal.lti.close"
_VARIABLES = (
    *("User.id", "User.username", "Person.name.full", "Person.name.given", "Person.name.family"),
    *("Person.email.primary", "Person.sourcedId", "Context.id", "Context.title", "Context.label", "Context.sourcedId"),
    *("Context.id.history", "ResourceLink.id", "ResourceLink.title", "ResourceLink.description"),
    *("ResourceLink.id.history", "Membership.role", "LineItem.url", "LineItems.url"),
)


class Registrar:
    """What an administrator begins, a tool completes, and an administrator may have to confirm."""

    product: ClassVar[str] = "campus"
    version: ClassVar[str] = "1.0"
    opens_in: ClassVar[str] = "iframe"  # or "window"
    closes_on: ClassVar[tuple[str, ...]] = (CLOSE,)
    token_seconds: ClassVar[int | None] = 3600
    confirmation: ClassVar[str | None] = None  # what the button says that switches a new tool on; None: it is on
    success: ClassVar[int] = 201
    used_status: ClassVar[int] = 401
    variables: ClassVar[Sequence[str]] = _VARIABLES

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    # --- the administrator's part -------------------------------------------------------------------------------

    def introduce(self, expires_in: float | None = None) -> Introduction:
        """A token for one tool. It dies after `expires_in` seconds, or when the platform lets it die."""
        profile = self.profile
        number = profile.next_registration_number()
        seconds = self.token_seconds if expires_in is None else expires_in
        expires_at = None if seconds is None else profile.now() + seconds
        introduction = Introduction(
            token=self.new_token(number, expires_at),
            number=number,
            client_id=self.new_client_id(number),
            deployment_id=self.new_deployment_id(number),
            expires_at=expires_at,
        )
        with profile.lock:
            profile.world.introductions[introduction.token] = introduction
        return introduction

    def new_token(self, number: int, expires_at: float | None) -> str:  # noqa: ARG002 - for platforms
        return secrets.token_urlsafe(32)

    def new_client_id(self, number: int) -> str:  # noqa: ARG002 - for platforms
        return str(uuid.uuid4())

    def new_deployment_id(self, number: int) -> str:  # noqa: ARG002 - for platforms
        return str(uuid.uuid4())

    def configuration_url(self, introduction: Introduction) -> str:  # noqa: ARG002 - for platforms
        return self.profile.url("openid_configuration")

    def opened(self, registration_url: str, introduction: Introduction) -> str:
        """The tool's registration URL as the administrator's browser opens it."""
        query = urlencode(
            {"openid_configuration": self.configuration_url(introduction), "registration_token": introduction.token}
        )
        return f"{registration_url}{'&' if '?' in registration_url else '?'}{query}"

    # --- what the platform says of itself -----------------------------------------------------------------------

    def asking(self) -> Introduction | None:
        """Whose configuration the request at hand is for; None is anybody's, which is public.

        Raises:
            RegistrationRefusedError: a platform that tells its configuration to invited tools only.
        """
        return None

    def configuration(self, introduction: Introduction | None) -> dict[str, Any]:
        profile = self.profile
        document: dict[str, Any] = {
            "issuer": profile.issuer,
            **self.endpoints(introduction),
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", *profile.fixed.scopes],
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": self.claims(),
            v.PLATFORM_CONFIGURATION: self.platform_configuration(),
        }
        if profile.token_audience:
            document["authorization_server"] = profile.token_audience
        return document

    def endpoints(self, introduction: Introduction | None) -> dict[str, str]:  # noqa: ARG002 - for platforms
        url = self.profile.url
        return {
            "authorization_endpoint": url("authorize"),
            "registration_endpoint": url("registration"),
            "jwks_uri": url("jwks"),
            "token_endpoint": url("token"),
        }

    def claims(self) -> list[str]:
        return ["iss", "sub", "name", "given_name", "family_name", "email", "locale"]

    def platform_configuration(self) -> dict[str, Any]:
        return {
            "product_family_code": self.product,
            "version": self.version,
            "messages_supported": self.messages(),
            "variables": list(self.variables),
        }

    def messages(self) -> list[Any]:
        return [
            {"type": v.RESOURCE_LINK},
            {"type": v.DEEP_LINKING, "placements": ["ContentArea", "RichTextEditor"]},
            {"type": v.SUBMISSION_REVIEW},
        ]

    # --- the tool's part ----------------------------------------------------------------------------------------

    def register(self) -> dict[str, Any]:
        """File the tool that the request at hand describes; the answer to it.

        Raises:
            RegistrationRefusedError
        """
        introduction = self.introduced()
        body = request.get_json(silent=True, force=True)
        if not isinstance(body, dict):
            raise self.refused("shape", "the body is not a JSON object")
        self.check(body)
        registration = self.registration(introduction, body)
        self.check_tool(registration)
        with self.profile.lock:
            if introduction.used:  # somebody was faster
                raise self.token_refused("used", self.used_status)
            introduction.used = True
            self.profile.keep(registration)
            if registration.is_active:
                self.profile.activate(registration.client_id)
        return self.answer(registration, body)

    def introduced(self) -> Introduction:
        """The introduction whose token the request at hand carries."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise self.token_refused("missing", 401)
        return self.introduction_with(token)

    def introduction_with(self, token: str) -> Introduction:
        introduction = self.profile.world.introductions.get(token)
        if introduction is None:
            raise self.token_refused("unknown", 401)
        if introduction.used:
            raise self.token_refused("used", self.used_status)
        if introduction.expires_at is not None and introduction.expires_at <= self.profile.now():
            raise self.token_refused("expired", 401)
        return introduction

    def token_refused(self, kind: str, status: int) -> RegistrationRefusedError:
        """`kind` is `missing`, `unknown`, `used` or `expired`."""
        return RegistrationRefusedError(status, "invalid_token", f"the registration token is {kind}")

    def refused(self, kind: str, description: str) -> RegistrationRefusedError:
        """`kind` is the member that is wrong; `shape` for the whole."""
        error = "invalid_redirect_uri" if kind == "redirect_uris" else "invalid_client_metadata"
        return RegistrationRefusedError(400, error, description)

    def check(self, body: Mapping[str, Any]) -> None:
        if problems := self.problems(body):
            raise self.refused(*problems[0])

    def problems(self, body: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Each member that is wrong and what is wrong with it, in the order of reading."""
        tool = tool_configuration(body)
        redirect_uris = body.get("redirect_uris")
        addressed = isinstance(redirect_uris, list) and redirect_uris and all(map(web_address, redirect_uris))
        wanted = [
            ("application_type", body.get("application_type") in (None, "web"), "is not web"),
            ("response_types", "id_token" in _list(body.get("response_types")), "does not have id_token"),
            ("grant_types", {"implicit", "client_credentials"} <= set(_texts(body.get("grant_types"))), "misses one"),
            ("initiate_login_uri", web_address(body.get("initiate_login_uri")), "is not a web address"),
            ("redirect_uris", addressed, "is not a list of web addresses"),
            ("client_name", _is_text(body.get("client_name")), "is missing"),
            ("jwks_uri", web_address(body.get("jwks_uri")), "is not a web address"),
            (
                "token_endpoint_auth_method",
                body.get("token_endpoint_auth_method") == "private_key_jwt",
                "is not private_key_jwt",
            ),
            ("scope", isinstance(body.get("scope", ""), str), "is not text"),
            ("domain", _is_text(tool.get("domain")) and "://" not in str(tool.get("domain")), "is not a host"),
            ("target_link_uri", web_address(tool.get("target_link_uri")), "is not a web address"),
            ("claims", isinstance(tool.get("claims"), list), "is not a list"),
            ("messages", _are_messages(tool.get("messages")), "is not a list of messages, each with a type"),
        ]
        return [(name, f"{name} {trouble}") for name, good, trouble in wanted if not good]

    def check_tool(self, registration: Registration) -> None:
        """Whatever the platform looks at beyond the request itself."""

    def registration(self, introduction: Introduction, body: Mapping[str, Any]) -> Registration:
        tool = tool_configuration(body)
        return Registration(
            client_id=introduction.client_id,
            deployment_id=introduction.deployment_id,
            number=introduction.number,
            state=PENDING if self.confirmation else ACTIVE,
            tool=Tool(
                name=body["client_name"],
                login_url=body["initiate_login_uri"],
                target_link_uri=tool["target_link_uri"],
                redirect_uris=tuple(body["redirect_uris"]),
                jwks_url=body["jwks_uri"],
            ),
            scopes=[scope for scope in str(body.get("scope") or "").split() if scope in self.profile.fixed.scopes],
            personal=self.personal(tool),
            claims=_texts(tool.get("claims")),
            messages=[message for message in tool["messages"] if message["type"] in self.message_types()],
            custom=dict(tool.get("custom_parameters") or {}),
        )

    def message_types(self) -> set[str]:
        return {message["type"] if isinstance(message, dict) else message for message in self.messages()}

    def personal(self, tool: Mapping[str, Any]) -> frozenset[str] | None:
        """The claims about a person that the tool will get: what it asked for."""
        return PERSONAL & set(_texts(tool.get("claims")))

    def answer(self, registration: Registration, body: Mapping[str, Any]) -> dict[str, Any]:
        """What was sent, as far as it was taken, and what it became here."""
        tool = {**tool_configuration(body), "messages": list(registration.messages)}
        return {
            **body,
            "client_id": registration.client_id,
            "scope": " ".join(registration.scopes),
            v.TOOL_CONFIGURATION: {**tool, "deployment_id": registration.deployment_id},
        }

    def refusal(self, refused: RegistrationRefusedError) -> Response:
        return json_response({"error": refused.error, "error_description": refused.description}, refused.status)


def tool_configuration(body: Mapping[str, Any]) -> Mapping[str, Any]:
    found = body.get(v.TOOL_CONFIGURATION)
    return found if isinstance(found, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [text for text in _list(value) if isinstance(text, str)]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_messages(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(m, dict) and isinstance(m.get("type"), str) for m in value)
