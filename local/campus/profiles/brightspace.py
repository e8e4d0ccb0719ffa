"""Brightspace by its documentation and by what tools met; where both are silent, what the specifications say.

Known: an audience for client assertions that is not the token URL, keys without `alg`, links made by hand without a
line item, security settings of a deployment that keep information back, a tool that is unusable until an administrator
deploys it. Uncertain: the paths of services and of the configuration, the shape of ids, what each security setting
keeps back in detail, and that the configuration names the audience as `authorization_server`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from local.campus import tokens
from local.campus import vocabulary as v
from local.campus.profile import NewActivity, Profile
from local.campus.registrar import Registrar
from local.campus.registration import Registration
from local.campus.tool import KeysUnavailableError, ToolKeys
from local.campus.world import Activity, Course, PendingLaunch, Person

AUDIENCE = "https://api.brightspace.com/auth/token"
SECURITY_SETTINGS = frozenset({"org_unit", "user", "link"})


class BrightspaceRegistrar(Registrar):
    """Name and domain are unique in the organisation, the key set is reachable; a deployment comes later, by hand.

    It may make the deployment at once (documented); Campus leaves it to the administrator. The tool that Campus is made
    for stands outside of the rule of uniqueness, so that it can be registered a second time.
    """

    product = "desire2learn"  # U
    version = "10"  # U
    opens_in = "window"  # U
    confirmation = "Create a deployment"

    def check_tool(self, registration: Registration) -> None:
        for other in self.profile.registrations.values():
            if not other.is_fixed and (
                other.tool.name == registration.tool.name or other.tool.origin == registration.tool.origin
            ):
                raise self.refused("client_name", "the organisation has a tool of this name or domain")
        profile = self.profile
        try:
            ToolKeys(registration.tool, profile.journal, profile.slug, kept=False).fetched()
        except KeysUnavailableError as error:
            raise self.refused("jwks_uri", f"the key set cannot be read: {error}") from error

    def answer(self, registration: Registration, body: Mapping[str, Any]) -> dict[str, Any]:
        answered = super().answer(registration, body)
        del answered[v.TOOL_CONFIGURATION]["deployment_id"]
        return answered


class Brightspace(Profile):
    slug = "brightspace"
    name = "Brightspace"
    fixed_client_id = "7b1f0d52-3c64-4b9c-a1de-92e84c60f3aa"
    fixed_deployment_id = "e04d7a19-65b8-4f3e-9c02-1f8ad27b5c61"
    course_ids = (6606, 6607)
    first_number = 30100
    paths: ClassVar[dict[str, str]] = {
        "jwks": "/d2l/.well-known/jwks",
        "authorize": "/d2l/lti/authenticate",
        "token": "/core/connect/token",
        "line_items": "/d2l/api/lti/ags/2.0/deployment/<deployment>/orgunit/<int:course_id>/lineitems",
        "line_item": "/d2l/api/lti/ags/2.0/deployment/<deployment>/orgunit/<int:course_id>/lineitems/<int:item_id>",
        "scores": (
            "/d2l/api/lti/ags/2.0/deployment/<deployment>/orgunit/<int:course_id>/lineitems/<int:item_id>/scores"
        ),
        "results": (
            "/d2l/api/lti/ags/2.0/deployment/<deployment>/orgunit/<int:course_id>/lineitems/<int:item_id>/results"
        ),
        "memberships": "/d2l/api/lti/nrps/2.0/deployment/<deployment>/orgunit/<int:course_id>/memberships",
        "deep_linking_return": "/d2l/lti/deeplinking/<int:course_id>",
        "openid_configuration": "/d2l/.well-known/openid-configuration",
        "registration": "/d2l/api/lti/registration",
    }
    token_audience = AUDIENCE
    registrar_type = BrightspaceRegistrar

    def url_parts(self) -> dict[str, str | int]:
        return {"deployment": self.deployment_id}

    def user_id(self, person: Person) -> str:
        organisation = uuid.uuid5(uuid.NAMESPACE_URL, "brightspace organisation")
        return f"{organisation}_{person.number}"

    def context_id(self, course: Course) -> str:
        return str(course.id)

    def tool_platform(self) -> tokens.Claims:
        guid = str(uuid.uuid5(uuid.NAMESPACE_URL, urlsplit(self.issuer).netloc))
        return {**super().tool_platform(), "guid": guid, "product_family_code": "desire2learn"}

    def jwks(self) -> tokens.Claims:
        keys = super().jwks()["keys"]
        return {"keys": [{name: value for name, value in key.items() if name != "alg"} for key in keys]}

    def add(self, course: Course, new: NewActivity, *, client_id: str | None = None) -> Activity:
        """A link made by hand brings no line item, whatever is asked for; the tool may make one."""
        by_hand = client_id is None
        return super().add(course, replace(new, line_item=None) if by_hand else new, client_id=client_id)

    def set_security(self, client_id: str, ticked: Mapping[str, bool]) -> None:
        """What the deployment shares: a setting that is not ticked keeps its information back."""
        with self.lock:
            registration = self.registrations[client_id]
            kept_back = {name for name, shared in ticked.items() if not shared}
            kept_back |= registration.withheld - set(ticked)
            self.keep(replace(registration, withheld=frozenset(kept_back)))

    def claims(self, pending: PendingLaunch, nonce: str) -> tokens.Claims:
        claims, withheld = super().claims(pending, nonce), self.registration.withheld
        if "org_unit" in withheld:
            claims.pop(v.LTI + "context", None)
        if "user" in withheld:
            claims.pop(v.LTI + "lis", None)
        return claims

    def resource_link(self, activity: Activity) -> tokens.Claims:
        if "link" in self.registration.withheld:
            return {"id": activity.resource_link_id}
        return super().resource_link(activity)
