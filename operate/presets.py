"""What each kind of platform is known to answer at, so that an administrator has few values to paste."""

from __future__ import annotations

from dataclasses import dataclass

from lti_tool.domain.registration import PlatformFamily


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_audience: str | None
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
        token_audience=None,
        family=PlatformFamily.CANVAS,
    )


def moodle(url: str) -> Endpoints:
    """A Moodle site by its URL; its issuer is that URL without a slash at the end."""
    site = url.strip().rstrip("/")
    return Endpoints(
        issuer=site,
        authorization_endpoint=f"{site}/mod/lti/auth.php",
        token_endpoint=f"{site}/mod/lti/token.php",
        jwks_uri=f"{site}/mod/lti/certs.php",
        token_audience=None,
        family=PlatformFamily.MOODLE,
    )
