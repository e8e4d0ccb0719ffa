"""`lti platform`: the platforms that the tool has a pact with."""

from __future__ import annotations

import argparse
from typing import Any

from lti_tool.adapters.outbound import require_allowed
from lti_tool.domain.errors import ForbiddenAddressError, InvalidRequestError, UnknownRegistrationError
from lti_tool.domain.registration import (
    DeploymentPolicy,
    DeploymentStatus,
    PlatformFamily,
    Registration,
    RegistrationReference,
)
from lti_tool.runtime import wiring
from operate import presets
from operate.stack import Stack


def add_verbs(nouns: Any, common: argparse.ArgumentParser) -> None:
    verbs = nouns.add_parser("platform", help="learning platforms").add_subparsers(required=True, metavar="VERB")
    kinds = verbs.add_parser("add", help="register a platform").add_subparsers(required=True, metavar="KIND")

    added = argparse.ArgumentParser(add_help=False)
    added.add_argument("--client-id", required=True)
    added.add_argument("--deployment-id", action="append", default=[], dest="deployment_ids")
    added.add_argument(
        "--deployments",
        choices=[policy.value for policy in DeploymentPolicy],
        help="deployments that nobody listed: auto (the default when none is listed), approve, closed",
    )
    added.add_argument("--allow-anonymous", action="store_true", help="open launches that name no user")
    added.add_argument("--tenant", default="", help="a name of your own for this platform")

    canvas = kinds.add_parser("canvas", parents=[common, added], help="Canvas hosted by Instructure")
    canvas.add_argument("--environment", choices=presets.CANVAS_ENVIRONMENTS, default="production")
    canvas.set_defaults(verb=_add, endpoints=lambda options: presets.canvas(options.environment))

    moodle = kinds.add_parser("moodle", parents=[common, added], help="a Moodle site")
    moodle.add_argument("--url", required=True, help="the site's URL")
    moodle.set_defaults(verb=_add, endpoints=lambda options: presets.moodle(options.url))

    custom = kinds.add_parser("custom", parents=[common, added], help="any LTI 1.3 platform")
    custom.add_argument("--issuer", required=True)
    custom.add_argument("--auth-url", required=True)
    custom.add_argument("--token-url", required=True)
    custom.add_argument("--jwks-url", required=True)
    custom.add_argument("--token-audience")
    custom.add_argument(
        "--family",
        choices=[family.value for family in PlatformFamily],
        default=PlatformFamily.CUSTOM.value,
        help="whose manners it has in its services",
    )
    custom.set_defaults(verb=_add, endpoints=_custom)

    verbs.add_parser("list", parents=[common], help="all registrations").set_defaults(verb=_list)
    for name, verb, text in (("show", _show, "one registration"), ("remove", _remove, "end a registration")):
        one = verbs.add_parser(name, parents=[common], help=text)
        one.add_argument("id", help="as `lti platform list` shows it")
        one.set_defaults(verb=verb)


def _custom(options: argparse.Namespace) -> presets.Endpoints:
    return presets.Endpoints(
        issuer=options.issuer.strip(),
        authorization_endpoint=options.auth_url.strip(),
        token_endpoint=options.token_url.strip(),
        jwks_uri=options.jwks_url.strip(),
        token_audience=options.token_audience,
        family=PlatformFamily(options.family),
    )


def _add(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    endpoints: presets.Endpoints = options.endpoints(options)
    listed: list[str] = options.deployment_ids
    default = DeploymentPolicy.CLOSED if listed else DeploymentPolicy.AUTO
    registration = Registration(
        issuer=endpoints.issuer,
        client_id=options.client_id.strip(),
        authorization_endpoint=endpoints.authorization_endpoint,
        token_endpoint=endpoints.token_endpoint,
        jwks_uri=endpoints.jwks_uri,
        token_audience=endpoints.token_audience,
        family=endpoints.family,
        tenant=options.tenant,
        allow_anonymous=options.allow_anonymous,
        deployment_policy=DeploymentPolicy(options.deployments) if options.deployments else default,
        deployments=dict.fromkeys(listed, DeploymentStatus.ENABLED),
    )
    if not registration.client_id:
        raise InvalidRequestError("the client id is empty")
    urls = {
        "issuer": registration.issuer,
        "authorization URL": registration.authorization_endpoint,
        "token URL": registration.token_endpoint,
        "key set URL": registration.jwks_uri,
    }
    for name, url in urls.items():
        try:
            require_allowed(url, loopback_http=stack.is_local)
        except ForbiddenAddressError:
            raise InvalidRequestError(f"the {name} has to be https and public, without user info") from None
    is_new = wiring.registrations().add(registration)
    return {"registered": "new" if is_new else "replaced", **_view(registration), **_tool_values(stack)}


def _list(_: Stack, __: argparse.Namespace) -> list[dict[str, Any]]:
    return [_view(registration) for registration in wiring.registrations().all()]


def _show(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    return {**_view(_named(options.id)), **_tool_values(stack)}


def _remove(_: Stack, options: argparse.Namespace) -> dict[str, Any]:
    registration = _named(options.id)
    wiring.registrations().remove(registration)
    return {"removed": registration.reference}


def _named(reference: str) -> Registration:
    try:
        return wiring.registrations().referred_to(RegistrationReference(reference))
    except UnknownRegistrationError:
        raise UnknownRegistrationError(reference) from None


def _view(registration: Registration) -> dict[str, Any]:
    return {
        "id": registration.reference,
        "issuer": registration.issuer,
        "client_id": registration.client_id,
        "tenant": registration.tenant,
        "family": registration.family.value,
        "enabled": registration.enabled,
        "allow_anonymous": registration.allow_anonymous,
        "auth_url": registration.authorization_endpoint,
        "token_url": registration.token_endpoint,
        "jwks_url": registration.jwks_uri,
        "token_audience": registration.token_audience or registration.token_endpoint,
        "deployment_policy": registration.deployment_policy.value,
        "deployments": {name: status.value for name, status in registration.deployments.items()},
    }


def _tool_values(stack: Stack) -> dict[str, str]:
    """What the platform's administrator needs of us."""
    return {
        "tool_login_url": f"{stack.tool_url}/lti/login",
        "tool_redirect_url": f"{stack.tool_url}/lti/launch",
        "tool_keyset_url": f"{stack.tool_url}/lti/jwks.json",
    }
