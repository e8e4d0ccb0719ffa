"""Dynamic registration: a platform's configuration, our request, its answer.

Spec: https://www.imsglobal.org/spec/lti-dr/v1p0
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lti_tool.domain.errors import InvalidConfigurationError, IssuerMismatchError
from lti_tool.domain.launch import LONGEST_ID
from lti_tool.domain.offer import Offer
from lti_tool.domain.registration import DeploymentPolicy, DeploymentStatus, PlatformFamily, Registration

TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
CANVAS_PRIVACY_LEVEL = "https://canvas.instructure.com/lti/privacy_level"

# Platforms whose issuer is not the host that their configuration is served from: many schools share one.
SHARED_ISSUERS: Mapping[str, tuple[str, ...]] = {
    "https://canvas.instructure.com": (".instructure.com", ".canvaslms.com"),
    "https://canvas.beta.instructure.com": (".instructure.com", ".canvaslms.com"),
    "https://canvas.test.instructure.com": (".instructure.com", ".canvaslms.com"),
    "https://blackboard.com": (".blackboard.com",),
}

_FAMILIES = {
    "canvas": PlatformFamily.CANVAS,
    "moodle": PlatformFamily.MOODLE,
    "blackboardlearn": PlatformFamily.BLACKBOARD,
    "desire2learn": PlatformFamily.BRIGHTSPACE,
    "sakai": PlatformFamily.SAKAI,
    "sakailms.org": PlatformFamily.SAKAI,
}
_Url = Annotated[str, Field(min_length=1, max_length=2000)]


class PlatformConfiguration(BaseModel):
    """What a platform says of itself; members that we do not use are passed over."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    issuer: _Url
    authorization_endpoint: _Url
    registration_endpoint: _Url
    jwks_uri: _Url
    token_endpoint: _Url
    authorization_server: Annotated[str, Field(max_length=2000)] | None = None
    scopes_supported: tuple[str, ...] = ()
    lti: dict[str, Any] = Field(
        default_factory=dict, alias="https://purl.imsglobal.org/spec/lti-platform-configuration"
    )

    @classmethod
    def parse(cls, document: object, configuration_url: str) -> PlatformConfiguration:
        """Read the document that `configuration_url` served.

        Raises:
            InvalidConfigurationError: a member that we need is missing or misshapen.
            IssuerMismatchError: it speaks for an issuer of another host.

        Spec: https://www.imsglobal.org/spec/lti-dr/v1p0#issuer-and-openid-configuration-url-match
        """
        if isinstance(document, dict):  # null for absent: what it leaves out, it may leave out either way
            document = {name: value for name, value in document.items() if value is not None}
        try:
            configuration = cls.model_validate(document)
        except ValidationError as error:
            raise InvalidConfigurationError from error
        issuer, host = urlsplit(configuration.issuer), urlsplit(configuration_url).netloc
        if issuer.query or issuer.fragment or not issuer.netloc:
            raise InvalidConfigurationError
        suffixes = SHARED_ISSUERS.get(configuration.issuer, ())
        if issuer.netloc != host and not host.endswith(suffixes or "\0"):
            raise IssuerMismatchError().because(expected=host, received=configuration.issuer)
        return configuration

    @property
    def product(self) -> str:
        family = self.lti.get("product_family_code")
        return family if isinstance(family, str) else ""

    @property
    def message_types(self) -> frozenset[str]:
        """The messages that it knows, written as objects or, by older Moodles, as plain names."""
        supported = self.lti.get("messages_supported")
        found = supported if isinstance(supported, list) else []
        kinds = (message.get("type") if isinstance(message, dict) else message for message in found)
        return frozenset(kind for kind in kinds if isinstance(kind, str))

    def placements(self, message_type: str) -> frozenset[str]:
        supported = self.lti.get("messages_supported")
        found: set[str] = set()
        for message in supported if isinstance(supported, list) else []:
            if isinstance(message, dict) and message.get("type") == message_type:
                placements = message.get("placements")
                found |= (
                    {name for name in placements if isinstance(name, str)} if isinstance(placements, list) else set()
                )
        return frozenset(found)

    @property
    def endpoints(self) -> tuple[str, ...]:
        return (self.authorization_endpoint, self.registration_endpoint, self.jwks_uri, self.token_endpoint)


_CANVAS_PLACEMENT = "https://canvas.instructure.com/lti/"
_STANDARD_PLACEMENTS = {"link_selection": "ContentArea", "editor_button": "RichTextEditor"}


def registration_request(offer: Offer, platform: PlatformConfiguration, tool_url: str, host: str) -> dict[str, Any]:
    """What we ask for: no message and no scope that the platform does not know.

    Spec: https://www.imsglobal.org/spec/lti-dr/v1p0#openid-configuration-client-registration
    """
    known_scopes = set(platform.scopes_supported)
    scopes = [scope for scope in offer.scopes if scope in known_scopes or not known_scopes]
    return {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": f"{tool_url}/lti/login",
        "redirect_uris": [f"{tool_url}/lti/launch"],
        "client_name": offer.title,
        "jwks_uri": f"{tool_url}/lti/jwks.json",
        "logo_uri": f"{tool_url}{offer.icon_path}",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(scopes),
        TOOL_CONFIGURATION: {
            "domain": host,
            "description": offer.description,
            "target_link_uri": f"{tool_url}/lti/launch",
            "custom_parameters": dict(offer.custom_fields),
            "claims": list(claims_wanted(offer)),
            "messages": _messages(offer, platform, tool_url),
            CANVAS_PRIVACY_LEVEL: offer.privacy_level,
        },
    }


def services_asked(request: Mapping[str, Any]) -> list[str]:
    """The services of a request, by the last parts of their scopes."""
    return [scope.rpartition("/scope/")[2] for scope in request["scope"].split()]


def placements_asked(request: Mapping[str, Any]) -> list[str]:
    """The places of a request where the tool will appear, each once; Canvas's without the prefix."""
    messages = request[TOOL_CONFIGURATION]["messages"]
    named = (name.removeprefix(_CANVAS_PLACEMENT) for message in messages for name in message["placements"])
    return list(dict.fromkeys(named))


def claims_wanted(offer: Offer) -> tuple[str, ...]:
    """The personal data that the offer's privacy level asks for."""
    names = ("name", "given_name", "family_name") if offer.privacy_level in {"public", "name_only"} else ()
    email = ("email",) if offer.privacy_level in {"public", "email_only"} else ()
    return ("iss", "sub", *names, *email)


def _messages(offer: Offer, platform: PlatformConfiguration, tool_url: str) -> list[dict[str, Any]]:
    known = platform.message_types
    return [
        {
            "type": message_type,
            "target_link_uri": f"{tool_url}/lti/launch",
            "label": offer.text,
            "placements": _placements(offer, message_type, platform.placements(message_type)),
        }
        for message_type in offer.message_types
        if message_type in known or not known
    ]


def _placements(offer: Offer, message_type: str, known: frozenset[str]) -> list[str]:
    """The offer's placements under the names that this platform gives them."""
    wanted = [placement.placement for placement in offer.placements if placement.message_type == message_type]
    named = [
        name
        for placement in wanted
        for name in (_CANVAS_PLACEMENT + placement, placement, _STANDARD_PLACEMENTS.get(placement, ""))
        if name in known
    ]
    return list(dict.fromkeys(named))


def registration_answered(platform: PlatformConfiguration, answer: object, tenant: str) -> Registration:
    """The pact as the platform says it is now: what came back counts, not what was sent.

    Raises:
        InvalidConfigurationError: the answer names no client id.
    """
    document = answer if isinstance(answer, dict) else {}
    client_id = _id(document.get("client_id"))
    if client_id is None:
        raise InvalidConfigurationError
    tool = document.get(TOOL_CONFIGURATION)
    found = [document.get("deployment_id"), tool.get("deployment_id") if isinstance(tool, dict) else None]
    deployments = [deployment_id for given in found if (deployment_id := _id(given)) is not None]
    family = _FAMILIES.get(platform.product.lower(), PlatformFamily.CUSTOM)
    return Registration(
        issuer=platform.issuer,
        client_id=client_id,
        authorization_endpoint=platform.authorization_endpoint,
        token_endpoint=platform.token_endpoint,
        jwks_uri=platform.jwks_uri,
        # Canvas names a bare host there, and wants the token URL all the same.
        token_audience=None if family is PlatformFamily.CANVAS else platform.authorization_server or None,
        family=family,
        tenant=tenant,
        # A deployment that was not named is learnt from the first verified launch.
        deployment_policy=DeploymentPolicy.CLOSED if deployments else DeploymentPolicy.AUTO,
        deployments=dict.fromkeys(deployments, DeploymentStatus.ENABLED),
    )


def _id(value: object) -> str | None:
    """1 to 255 characters; a number is read as its digits."""
    text = "" if isinstance(value, bool) or not isinstance(value, str | int) else str(value)
    return text if 0 < len(text) <= LONGEST_ID and text.isprintable() else None
