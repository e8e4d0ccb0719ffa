"""Blackboard Learn by its documentation; where that is silent, Campus does what the specifications say.

Documented: one application for all institutions and a deployment for each, a login initiation by GET, hints that must
come back to the letter, `data` that a deep linking response must echo. Uncertain: the paths of names and roles and of
the deep linking return, the shape of ids, the audience of client assertions (the token URL here), and all of dynamic
registration beyond its known defects: a token that does not expire and a configuration that lacks members. It has named
a wrong issuer, too: that one is a fault to ask for, `issuer_mismatch`.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from flask import request

from local.campus import tokens
from local.campus import vocabulary as v
from local.campus.profile import DeepLinkingRefusedError, Profile, Return
from local.campus.registrar import Registrar
from local.campus.registration import Introduction, Registration
from local.campus.world import Course, PendingLaunch, Person

_DATA = v.DL + "data"


class BlackboardRegistrar(Registrar):
    """In the developers' portal; an institution deploys the application later, and only then there is a deployment."""

    product = "BlackboardLearn"  # U
    version = "3900"  # U
    opens_in = "window"  # U
    token_seconds = None
    confirmation = "Deploy at this institution"

    def configuration(self, introduction: Introduction | None) -> dict[str, Any]:
        missing = ("claims_supported", "subject_types_supported", "token_endpoint_auth_signing_alg_values_supported")
        document = super().configuration(introduction)
        document["id_token_signing_alg_values_supported"] = ["RS256", "RS512"]
        return {name: value for name, value in document.items() if name not in missing}

    def endpoints(self, introduction: Introduction | None) -> dict[str, str]:
        """The key set of the gateway: an application that does not exist yet has no address."""
        jwks_uri = f"{self.profile.issuer}{self.profile.aliases['jwks']}"
        return {**super().endpoints(introduction), "jwks_uri": jwks_uri}

    def answer(self, registration: Registration, body: Any) -> dict[str, Any]:
        answered = super().answer(registration, body)
        del answered[v.TOOL_CONFIGURATION]["deployment_id"]
        return answered


class Blackboard(Profile):
    slug = "blackboard"
    name = "Blackboard Learn"
    fixed_client_id = "5d2c1f3e-8f0b-4a51-9e0a-6f3f1c7a2b90"
    fixed_deployment_id = "c9a3b7d4-2f61-4e0d-8a57-3b9d5e1f7c24"
    course_ids = (61, 62)
    first_number = 700
    paths: ClassVar[dict[str, str]] = {
        "jwks": "/api/v1/management/applications/<application>/jwks.json",
        "authorize": "/api/v1/gateway/oidcauth",
        "token": "/api/v1/gateway/oauth2/jwttoken",
        "line_items": "/learn/api/v1/lti/courses/_<int:course_id>_1/lineItems",
        "line_item": "/learn/api/v1/lti/courses/_<int:course_id>_1/lineItems/_<int:item_id>_1",
        "scores": "/learn/api/v1/lti/courses/_<int:course_id>_1/lineItems/_<int:item_id>_1/scores",
        "results": "/learn/api/v1/lti/courses/_<int:course_id>_1/lineItems/_<int:item_id>_1/results",
        "memberships": "/learn/api/v1/lti/external/namesandroles/_<int:course_id>_1",
        "deep_linking_return": "/api/v1/gateway/deeplinking",
        "openid_configuration": "/.well-known/openid-configuration",
        "registration": "/api/v1/gateway/registrations",
    }
    aliases: ClassVar[dict[str, str]] = {"jwks": "/.well-known/jwks.json"}
    registrar_type = BlackboardRegistrar
    login_method = "GET"

    def url_parts(self) -> dict[str, str | int]:
        return {"application": self.client_id}

    def new_resource_link_id(self, number: int) -> str:
        return f"_{number}_1"

    def user_id(self, person: Person) -> str:
        return uuid.uuid5(uuid.NAMESPACE_URL, f"blackboard user {person.number}").hex

    def context_id(self, course: Course) -> str:
        return uuid.uuid5(uuid.NAMESPACE_URL, f"blackboard course {course.id}").hex

    def tool_platform(self) -> tokens.Claims:
        return {**super().tool_platform(), "product_family_code": "BlackboardLearn", "version": "3900"}  # U

    # --- launch -------------------------------------------------------------------------------------------------

    def message_hint(self, pending: PendingLaunch) -> str:
        """An address with all that decoding once too often, or sorting, would change."""
        query = urlencode({"course_id": f"_{pending.course.id}_1", "title": f"{pending.course.title} + more"})
        return f"{self.issuer}/ultra/launch?{query}&x={quote('a/b c', safe='')},{pending.id}"

    def pending_id(self, message_hint: str) -> str | None:
        found = message_hint.rpartition(",")[2]
        pending = self.world.pending.get(found)
        return found if pending and self.message_hint(pending) == message_hint else None

    # --- deep linking -------------------------------------------------------------------------------------------

    def deep_linking_settings(self, pending: PendingLaunch) -> tokens.Claims:
        return {**super().deep_linking_settings(pending), "data": self.return_data(pending)}

    def deep_link_return_url(self, pending: PendingLaunch) -> str:  # noqa: ARG002 - the same for everybody
        return self.url("deep_linking_return")

    def returning(self, course_id: int | None) -> Return:  # noqa: ARG002 - the address does not say
        """The echo of `data` says who and where; that it works once is the specification's spirit, and uncertain."""
        try:
            data = tokens.unverified_claims(request.form.get("JWT", "")).get(_DATA)
        except tokens.BadTokenError as error:
            raise DeepLinkingRefusedError(f"JWT verification failure: {error}") from error
        if not isinstance(data, str) or not data:
            raise DeepLinkingRefusedError("data is missing: it has to come back as it was sent")
        try:
            course = self.seal.open(data)["course"]
        except tokens.BadTokenError as error:
            raise DeepLinkingRefusedError("data was altered") from error
        return self.opened_return(data, course)

    def check_deep_linking_response(self, claims: tokens.Claims) -> None:
        super().check_deep_linking_response(claims)
        if claims.get("sub") != self.client_id:
            raise DeepLinkingRefusedError(f"sub is {claims.get('sub')!r}, not {self.client_id!r}")

    # --- services -----------------------------------------------------------------------------------------------

    def require_media_type(self, service: str) -> None:
        """Any will do."""
