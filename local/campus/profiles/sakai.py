"""Sakai by an older text of its source; where that is silent, what the specifications say.

Known: one minute of tolerance for clocks, no look at the audience, `invalid_scope` for a scope that the tool may not
have, a registration configuration made for one tool, few variables. Uncertain: the paths of services (real ones carry a
signed placement), the shape of ids, the short context type, that a registered tool is on at once, that the registration
opens in a window, and 403 for a registration token that was used.
"""

from __future__ import annotations

import uuid
from typing import ClassVar
from urllib.parse import urlencode

from flask import request

from local.campus import tokens
from local.campus.profile import Profile, is_number
from local.campus.registrar import CLOSE, Registrar
from local.campus.registration import Introduction, RegistrationRefusedError
from local.campus.world import Course, Person

_TOLERANCE_SECONDS = 60


class SakaiRegistrar(Registrar):
    """Each invited tool has a key: it stands in the addresses that its configuration names."""

    product = "sakailms.org"
    version = "23"
    opens_in = "window"
    closes_on = (CLOSE, "lti.close")
    used_status = 403
    variables: ClassVar[tuple[str, ...]] = ("User.id", "Person.email.primary", "Context.id", "ResourceLink.id")

    def new_token(self, number: int, expires_at: float | None) -> str:  # noqa: ARG002
        return f"{int(self.profile.now())}:{uuid.uuid4()}"

    def new_deployment_id(self, number: int) -> str:  # noqa: ARG002
        return "1"

    def configuration_url(self, introduction: Introduction) -> str:
        query = {
            "key": introduction.number,
            "clientId": introduction.client_id,
            "issuerURL": self.profile.issuer,
            "deploymentId": introduction.deployment_id,
        }
        return f"{super().configuration_url(introduction)}?{urlencode(query)}"

    def asking(self) -> Introduction:
        key = request.args.get("key")
        found = (each for each in self.profile.world.introductions.values() if str(each.number) == key)
        introduction = next(found, None)
        if introduction is None:
            raise RegistrationRefusedError(404, "not_found", "no tool has this key")
        return introduction

    def introduced(self) -> Introduction:
        introduction = super().introduced()
        if (request.view_args or {}).get("tool") != introduction.number:
            raise self.token_refused("unknown", 401)
        return introduction

    def endpoints(self, introduction: Introduction | None) -> dict[str, str]:
        url, tool = self.profile.url, introduction.number if introduction else self.profile.fixed.number
        return {
            "authorization_endpoint": url("authorize"),
            "registration_endpoint": url("registration", tool=tool),
            "jwks_uri": url("jwks"),
            "token_endpoint": url("token", tool=tool),
        }

    def claims(self) -> list[str]:
        return ["iss", "sub", "name", "given_name", "family_name", "email"]


class Sakai(Profile):
    slug = "sakai"
    name = "Sakai"
    fixed_client_id = "1a90d6f7-40c2-4d5e-b7a3-58e2c9f01b6d"
    fixed_deployment_id = "1"
    course_ids = (11, 12)
    first_number = 200
    paths: ClassVar[dict[str, str]] = {
        "jwks": "/imsblis/lti13/keyset",
        "authorize": "/imsoidc/lti13/oidc_auth",
        "token": "/imsblis/lti13/token/<int:tool>",
        "line_items": "/imsblis/lti13/lineitems/<int:course_id>",
        "line_item": "/imsblis/lti13/lineitems/<int:course_id>/<int:item_id>",
        "scores": "/imsblis/lti13/lineitems/<int:course_id>/<int:item_id>/scores",
        "results": "/imsblis/lti13/lineitems/<int:course_id>/<int:item_id>/results",
        "memberships": "/imsblis/lti13/namesandroles/<int:course_id>",
        "deep_linking_return": "/imsblis/lti13/deeplink/<int:course_id>",
        "openid_configuration": "/imsblis/lti13/well_known",
        "registration": "/imsblis/lti13/registration_endpoint/<int:tool>",
    }
    aliases: ClassVar[dict[str, str]] = {"jwks": "/imsblis/lti13/keyset/<int:tool>"}  # as older versions had it
    registrar_type = SakaiRegistrar

    def url_parts(self) -> dict[str, str | int]:
        return {"tool": self.registration.number}

    def user_id(self, person: Person) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"sakai user {person.number}"))

    def context_id(self, course: Course) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"sakai site {course.id}"))

    def context(self, course: Course) -> tokens.Claims:
        return {**super().context(course), "type": ["CourseSection"]}

    def tool_platform(self) -> tokens.Claims:
        return {**super().tool_platform(), "product_family_code": "sakai", "version": "23"}

    # --- access tokens ------------------------------------------------------------------------------------------

    def assertion_problem(self, claims: tokens.Claims) -> str | None:
        now = self.now()
        issued_at, expires_at = claims.get("iat"), claims.get("exp")
        if is_number(issued_at) and issued_at > now + _TOLERANCE_SECONDS:
            return "the 'iat' must not be in the future"
        if not is_number(expires_at) or expires_at <= now - _TOLERANCE_SECONDS:
            return "the JWT has expired"
        return None

    def granted_scopes(self, asked: list[str]) -> list[str]:
        refused = [scope for scope in asked if scope not in self.scopes_of_tool()]
        if refused or not asked:
            raise self.token_refused("scope", f"not allowed: {' '.join(refused)}" if refused else "no scope")
        return asked
