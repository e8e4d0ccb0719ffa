"""What each kind of platform is known to answer at, so that an administrator has few values to paste.

Canvas, Moodle and Open edX are as their source says, Sakai as older source says; Blackboard, Brightspace and Schoology
as their documentation says. "Not confirmed" marks what neither says: `lti platform update` corrects one registration.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from lti_tool.domain.registration import PlatformFamily


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_audience: str | None = None
    family: PlatformFamily


_CANVAS_HOSTS = {  # the issuer kept the old host when the endpoints moved
    "production": ("canvas.instructure.com", "sso.canvaslms.com"),
    "beta": ("canvas.beta.instructure.com", "sso.beta.canvaslms.com"),
    "test": ("canvas.test.instructure.com", "sso.test.canvaslms.com"),
}
CANVAS_ENVIRONMENTS = tuple(_CANVAS_HOSTS)


def canvas(environment: str) -> Endpoints:
    """Canvas hosted by Instructure: one issuer and one set of hosts for all its customers."""
    issuer_host, host = _CANVAS_HOSTS[environment]
    return Endpoints(
        issuer=f"https://{issuer_host}",
        authorization_endpoint=f"https://{host}/api/lti/authorize_redirect",
        token_endpoint=f"https://{host}/login/oauth2/token",
        jwks_uri=f"https://{host}/api/lti/security/jwks",
        family=PlatformFamily.CANVAS,
    )


def moodle(site: str) -> Endpoints:
    """A Moodle site by its URL; its issuer is that URL without a slash at the end."""
    return Endpoints(
        issuer=site,
        authorization_endpoint=f"{site}/mod/lti/auth.php",
        token_endpoint=f"{site}/mod/lti/token.php",
        jwks_uri=f"{site}/mod/lti/certs.php",
        family=PlatformFamily.MOODLE,
    )


def blackboard(application_id: str) -> Endpoints:
    """Blackboard Learn: the tool's vendor registers one application for all schools; each school is a deployment.

    Not confirmed: that the client assertion's audience is the token URL.
    """
    portal = "https://developer.blackboard.com"
    return Endpoints(
        issuer="https://blackboard.com",
        authorization_endpoint=f"{portal}/api/v1/gateway/oidcauth",
        token_endpoint=f"{portal}/api/v1/gateway/oauth2/jwttoken",
        jwks_uri=f"{portal}/api/v1/management/applications/{quote(application_id, safe='')}/jwks.json",
        family=PlatformFamily.BLACKBOARD,
    )


def brightspace(site: str) -> Endpoints:
    """A Brightspace site. Tokens for all sites are bought at one place, whose audience is another URL than its own."""
    return Endpoints(
        issuer=site,
        authorization_endpoint=f"{site}/d2l/lti/authenticate",
        token_endpoint="https://auth.brightspace.com/core/connect/token",  # noqa: S106 - an address
        jwks_uri=f"{site}/d2l/.well-known/jwks",
        token_audience="https://api.brightspace.com/auth/token",  # noqa: S106 - an address
        family=PlatformFamily.BRIGHTSPACE,
    )


def schoology() -> Endpoints:
    """Schoology: one issuer and one set of hosts for all schools.

    Not confirmed: that the client assertion's audience is the token URL; how it initiates a login.
    """
    service = "https://lti-service.svc.schoology.com/lti-service"
    return Endpoints(
        issuer="https://schoology.schoology.com",
        authorization_endpoint=f"{service}/authorize-redirect",
        token_endpoint=f"{service}/access-token",
        jwks_uri=f"{service}/.well-known/jwks",
        family=PlatformFamily.CUSTOM,
    )


def sakai(site: str, tool_id: str) -> Endpoints:
    """A Sakai site and the number that it gave to the tool. Older ones serve their keys at `.../keyset/TOOL_ID`.

    Not confirmed: how it initiates a login.
    """
    return Endpoints(
        issuer=site,
        authorization_endpoint=f"{site}/imsoidc/lti13/oidc_auth",
        token_endpoint=f"{site}/imsblis/lti13/token/{quote(tool_id, safe='')}",
        jwks_uri=f"{site}/imsblis/lti13/keyset",
        family=PlatformFamily.SAKAI,
    )


def openedx(site: str, block_id: str) -> Endpoints:
    """An Open edX LMS, and the block or passport that its key set URL and token URL end with."""
    service = f"{site}/api/lti_consumer/v1"
    block = quote(block_id, safe="")
    return Endpoints(
        issuer=site,
        authorization_endpoint=f"{service}/launch/",
        token_endpoint=f"{service}/token/{block}",
        jwks_uri=f"{service}/public_keysets/{block}",
        family=PlatformFamily.OPENEDX,
    )


def family_at(authorization_endpoint: str) -> PlatformFamily:
    """Whose manners a platform has, as far as its authorization endpoint tells."""
    path = urlsplit(authorization_endpoint).path
    return next((family for end, family in _FAMILIES.items() if path.endswith(end)), PlatformFamily.CUSTOM)


_FAMILIES = {
    urlsplit(endpoints.authorization_endpoint).path: endpoints.family
    for endpoints in (
        canvas("production"),
        moodle("https://site"),
        blackboard("id"),
        brightspace("https://site"),
        sakai("https://site", "id"),
        openedx("https://site", "id"),
    )
}
