"""`lti platform`: the platforms that the tool has a pact with."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from lti_tool.adapters.outbound import require_allowed
from lti_tool.domain.addresses import LONGEST_REGISTERED_URL
from lti_tool.domain.errors import ForbiddenAddressError, InvalidRequestError, UnknownRegistrationError
from lti_tool.domain.registration import (
    DeploymentPolicy,
    DeploymentStatus,
    PlatformFamily,
    Registration,
    RegistrationReference,
)
from lti_tool.runtime import wiring
from operate import audit, check, presets
from operate.findings import Report
from operate.guide import guide
from operate.pasted import Pasted
from operate.stack import Stack

_LONGEST_ID = 1000  # bytes; DynamoDB takes 1024 in a sort key
_ORIGIN = re.compile(r"https://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?", re.ASCII)
_LOCAL_ORIGIN = re.compile(r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?", re.ASCII)


def add_verbs(nouns: Any, common: argparse.ArgumentParser) -> None:
    verbs = nouns.add_parser("platform", help="learning platforms").add_subparsers(required=True, metavar="VERB")
    _add_kinds(verbs, common)
    verbs.add_parser("list", parents=[common], help="all registrations").set_defaults(verb=_list)
    for name, verb, text in (
        ("show", _show, "one registration"),
        ("remove", _remove, "end a registration"),
        ("disable", _disable, "serve no launch of it, and end its sessions, within a minute"),
        ("enable", _enable, "serve it again"),
        ("guide", _guide, "the values to paste, in the platform's own words and order"),
        ("audit", _audit, "who changed it, and when"),
    ):
        one = verbs.add_parser(name, parents=[common], help=text)
        one.add_argument("id", help="as `lti platform list` shows it")
        one.set_defaults(verb=verb)

    checks = verbs.add_parser("check", parents=[common], help="ask the platform whether its registration is right")
    checks.add_argument("id", help="as `lti platform list` shows it")
    checks.set_defaults(verb=_check)

    update = verbs.add_parser("update", parents=[common], help="change what is said; the rest stays")
    update.add_argument("id", help="as `lti platform list` shows it")
    for option in ("--auth-url", "--token-url", "--jwks-url", "--tenant"):
        update.add_argument(option)
    update.add_argument("--token-audience", help="what the client assertion is for; '' means the token URL")
    update.add_argument("--deployments", choices=[policy.value for policy in DeploymentPolicy])
    update.add_argument("--family", choices=[family.value for family in PlatformFamily])
    update.add_argument("--allow-anonymous", action=argparse.BooleanOptionalAction)
    update.add_argument(
        "--frame-ancestor",
        action="append",
        dest="frame_ancestors",
        metavar="ORIGIN",
        help="may frame the tool's pages too; those said replace those before, '' means none",
    )
    pushes = update.add_mutually_exclusive_group()
    pushes.add_argument(
        "--push-public-key",
        dest="pushes_public_key_to",
        metavar="SITE",
        help="this Canvas keeps one key of ours, pasted: send each new one to the institution's address",
    )
    pushes.add_argument("--no-push-public-key", dest="pushes_public_key_to", action="store_const", const="")
    update.set_defaults(verb=_update, usage=update.error)

    export = verbs.add_parser("export", parents=[common], help="all registrations as JSON, for `import`")
    export.add_argument("--output", type=Path, metavar="FILE", help="write it there instead")
    export.set_defaults(verb=_export)
    imports = verbs.add_parser("import", parents=[common], help="add or replace all registrations of a file, or none")
    imports.add_argument("file", type=Path, metavar="FILE")
    imports.set_defaults(verb=_import)


def _add_kinds(verbs: Any, common: argparse.ArgumentParser) -> None:
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
    added.add_argument("--no-check", action="store_true", help="register without asking the platform, say beforehand")
    sited = argparse.ArgumentParser(add_help=False)
    sited.add_argument("--url", required=True, help="the site's URL")

    canvas = kinds.add_parser("canvas", parents=[common, added], help="Canvas hosted by Instructure")
    canvas.add_argument("--environment", choices=presets.CANVAS_ENVIRONMENTS, default="production")
    canvas.set_defaults(verb=_add, endpoints=lambda options, _: presets.canvas(options.environment))

    moodle = kinds.add_parser("moodle", parents=[common, added, sited], help="a Moodle site")
    moodle.set_defaults(
        verb=_add, endpoints=lambda options, pasted: presets.moodle(pasted.moodle_site("url", options.url))
    )

    blackboard = kinds.add_parser("blackboard", parents=[common, added], help="Blackboard Learn, all schools")
    blackboard.set_defaults(verb=_add, endpoints=lambda options, _: presets.blackboard(options.client_id))

    brightspace = kinds.add_parser("brightspace", parents=[common, added, sited], help="a Brightspace site")
    brightspace.set_defaults(verb=_add, endpoints=lambda options, pasted: presets.brightspace(_site(options, pasted)))

    schoology = kinds.add_parser("schoology", parents=[common, added], help="Schoology, all schools")
    schoology.set_defaults(verb=_add, endpoints=lambda *_: presets.schoology())

    sakai = kinds.add_parser("sakai", parents=[common, added, sited], help="a Sakai site")
    sakai.add_argument("--tool-id", required=True, help="the number at the end of Sakai's token URL")
    sakai.set_defaults(
        verb=_add,
        endpoints=lambda options, pasted: presets.sakai(
            _site(options, pasted), pasted.value("tool id", options.tool_id)
        ),
    )

    openedx = kinds.add_parser("openedx", parents=[common, added, sited], help="an Open edX LMS")
    openedx.add_argument("--block-id", required=True, help="what Open edX's key set and token URLs end with")
    openedx.set_defaults(
        verb=_add,
        endpoints=lambda options, pasted: presets.openedx(
            _site(options, pasted), pasted.value("block id", options.block_id)
        ),
    )

    custom = kinds.add_parser("custom", parents=[common, added], help="any LTI 1.3 platform")
    custom.add_argument("--issuer", required=True)
    custom.add_argument("--auth-url", required=True)
    custom.add_argument("--token-url", required=True)
    custom.add_argument("--jwks-url", required=True)
    custom.add_argument("--token-audience", default="")
    custom.add_argument(
        "--family",
        choices=[family.value for family in PlatformFamily],
        help="whose manners it has in its services; else known by the auth URL, where it is",
    )
    custom.set_defaults(verb=_add, endpoints=_custom)


def _site(options: argparse.Namespace, pasted: Pasted) -> str:
    site = pasted.without_slash("url", options.url)
    if "?" in site or "#" in site:
        raise InvalidRequestError("the site's URL ends before any ? or #")
    return site


def _custom(options: argparse.Namespace, pasted: Pasted) -> presets.Endpoints:
    auth_url = pasted.value("auth url", options.auth_url)
    family = PlatformFamily(options.family) if options.family else presets.family_at(auth_url)
    read_issuer = pasted.without_slash if family is PlatformFamily.MOODLE else pasted.value
    return presets.Endpoints(
        issuer=read_issuer("issuer", options.issuer),
        authorization_endpoint=auth_url,
        token_endpoint=pasted.value("token url", options.token_url),
        jwks_uri=pasted.value("jwks url", options.jwks_url),
        token_audience=pasted.value("token audience", options.token_audience) or None,
        family=family,
    )


def _add(stack: Stack, options: argparse.Namespace) -> dict[str, Any] | Report:
    pasted = Pasted()
    options.client_id = pasted.value("client id", options.client_id)
    endpoints: presets.Endpoints = options.endpoints(options, pasted)
    listed = [pasted.value("deployment id", found) for found in options.deployment_ids]
    default = DeploymentPolicy.CLOSED if listed else DeploymentPolicy.AUTO
    registration = Registration(
        issuer=endpoints.issuer,
        client_id=options.client_id,
        authorization_endpoint=endpoints.authorization_endpoint,
        token_endpoint=endpoints.token_endpoint,
        jwks_uri=endpoints.jwks_uri,
        token_audience=endpoints.token_audience,
        family=endpoints.family,
        tenant=options.tenant.strip(),
        allow_anonymous=options.allow_anonymous,
        deployment_policy=DeploymentPolicy(options.deployments) if options.deployments else default,
        deployments=dict.fromkeys(listed, DeploymentStatus.ENABLED),
    )
    _require_usable(registration, stack)
    before = _stored(registration.reference)
    if before is not None:  # what `add` did not name stays: who was served yesterday is served today
        registration = replace(
            registration,
            tenant=registration.tenant or before.tenant,
            allow_anonymous=registration.allow_anonymous or before.allow_anonymous,
            deployment_policy=registration.deployment_policy
            if options.deployments or listed
            else before.deployment_policy,
            deployments={**before.deployments, **registration.deployments},
            deployment_tenants=before.deployment_tenants,
            frame_ancestors=before.frame_ancestors,
            pushes_public_key_to=before.pushes_public_key_to,
        )
    audit.write(stack, "add", registration, *_changed(before, registration))
    wiring.registrations().add(registration)
    hints = []
    if registration.issuer != registration.issuer.lower():
        hints.append(
            "The issuer has capital letters and was kept so: it is compared letter by letter."
            " If launches are refused as unknown_platform, add it again as the platform writes it."
        )
    if registration.issuer.endswith("/"):
        hints.append(
            "The issuer ends with a slash and was kept so. Most platforms write theirs without:"
            " if launches are refused as unknown_platform, add it again without."
        )
    became = {
        "registered": "replaced" if before else "new",
        **_view(registration),
        "mended": pasted.mended,
        "hints": hints,
        **_tool_values(stack),
    }
    if options.no_check:
        return became
    looked = check.examined(stack, registration)
    return Report(name="check", steps=looked.steps, findings=looked.found, status=0, beside=became)


def _check(stack: Stack, options: argparse.Namespace) -> Report:
    looked = check.examined(stack, named(options.id))
    return Report(name="check", steps=looked.steps, findings=looked.found, status=1 if looked.found else 0)


def _update(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    pasted = Pasted()
    said: dict[str, Any] = {
        name: pasted.value(option.replace("_", " "), text)
        for option, name in (
            ("auth_url", "authorization_endpoint"),
            ("token_url", "token_endpoint"),
            ("jwks_url", "jwks_uri"),
        )
        if (text := getattr(options, option)) is not None
    }
    if options.token_audience is not None:
        said["token_audience"] = pasted.value("token audience", options.token_audience) or None
    if options.tenant is not None:
        said["tenant"] = options.tenant.strip()
    if options.deployments is not None:
        said["deployment_policy"] = DeploymentPolicy(options.deployments)
    if options.family is not None:
        said["family"] = PlatformFamily(options.family)
    if options.allow_anonymous is not None:
        said["allow_anonymous"] = options.allow_anonymous
    if options.frame_ancestors is not None:
        origins = (pasted.without_slash("frame ancestor", origin) for origin in options.frame_ancestors)
        said["frame_ancestors"] = tuple(origin for origin in origins if origin)
    if options.pushes_public_key_to is not None:
        said["pushes_public_key_to"] = pasted.without_slash("push public key", options.pushes_public_key_to) or None
    if not said:
        options.usage("say what to change")
    before = named(options.id)
    after = replace(before, **said)
    _require_usable(after, stack)
    return {**_change(stack, "update", before, after), "mended": pasted.mended}


def _disable(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    registration = named(options.id)
    return _change(stack, "disable", registration, replace(registration, enabled=False))


def _enable(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    registration = named(options.id)
    return _change(stack, "enable", registration, replace(registration, enabled=True))


def _change(stack: Stack, verb: str, before: Registration, after: Registration) -> dict[str, Any]:
    changed = _changed(before, after)
    if changed:
        audit.write(stack, verb, after, *changed)
        wiring.registrations().put(after)
    return {"changed": changed, **_view(after)}


def _list(_: Stack, __: argparse.Namespace) -> list[dict[str, Any]]:
    return [_view(registration) for registration in wiring.registrations().all()]


def _show(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    return {**_view(named(options.id)), **_tool_values(stack)}


def _guide(stack: Stack, options: argparse.Namespace) -> Any:
    return guide(stack, named(options.id), options)


def _remove(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    registration = named(options.id)
    audit.write(stack, "remove", registration)
    wiring.registrations().remove(registration)
    return {"removed": registration.reference}


def _audit(_: Stack, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Also of a registration that was removed."""
    lines = wiring.audit().of(RegistrationReference(options.id))
    if not lines:
        named(options.id)
    return [
        {
            "at": line.at.isoformat(timespec="milliseconds"),
            "who": line.who,
            "verb": line.verb,
            "changed": list(line.changed),
        }
        for line in lines
    ]


# --- All of them, as a file -----------------------------------------------------------------------------------------


class _Exported(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    registrations: tuple[Registration, ...]


def _export(_: Stack, options: argparse.Namespace) -> Any:
    document = {"registrations": [asdict(registration) for registration in wiring.registrations().all()]}
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if options.output is not None:
        try:
            options.output.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise InvalidRequestError(f"{options.output}: cannot be written") from error
        return {"written": str(options.output), "registrations": len(document["registrations"])}
    return document if options.json else text


def _import(stack: Stack, options: argparse.Namespace) -> list[dict[str, Any]]:
    """The whole file is judged before the first registration is stored; importing it again changes nothing more."""
    try:
        found = _Exported.model_validate_json(options.file.read_bytes()).registrations
    except OSError as error:
        raise InvalidRequestError(f"{options.file}: cannot be read") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidRequestError(f"{options.file}: {where or 'the file'}: {first['msg']}") from None
    for place, registration in enumerate(found):
        try:
            _require_usable(registration, stack)
        except InvalidRequestError as error:
            raise InvalidRequestError(f"{options.file}: registrations.{place}: {error}") from None
    if len({registration.reference for registration in found}) < len(found):
        raise InvalidRequestError(f"{options.file}: two registrations have the same issuer and client id")
    return [_imported(stack, registration) for registration in found]


def _imported(stack: Stack, registration: Registration) -> dict[str, Any]:
    before = _stored(registration.reference)
    if registration != before:
        audit.write(stack, "import", registration, *_changed(before, registration))
        wiring.registrations().add(registration)
    became = "unchanged" if registration == before else "replaced" if before else "new"
    return {"registered": became, **_view(registration)}


# --- What the verbs share -------------------------------------------------------------------------------------------


def named(reference: str) -> Registration:
    try:
        return wiring.registrations().referred_to(RegistrationReference(reference))
    except UnknownRegistrationError:
        raise UnknownRegistrationError(reference) from None


def require_id(name: str, text: str) -> None:
    if not text or not text.isprintable() or len(text.encode()) > _LONGEST_ID:
        raise InvalidRequestError(f"the {name} is empty, longer than {_LONGEST_ID} bytes, or not printable")


def require_tenant(name: str) -> None:
    if not name.isprintable() or len(name) > _LONGEST_ID:
        raise InvalidRequestError("the tenant's name is too long or not printable")


def _stored(reference: RegistrationReference) -> Registration | None:
    try:
        return wiring.registrations().referred_to(reference)
    except UnknownRegistrationError:
        return None


def _changed(before: Registration | None, after: Registration) -> list[str]:
    names = (field.name for field in fields(Registration))
    return [name for name in names if before is None or getattr(before, name) != getattr(after, name)]


def _require_usable(registration: Registration, stack: Stack) -> None:
    """Raises InvalidRequestError: it could not be stored, or not be called, or would break the pages' policy."""
    require_id("client id", registration.client_id)
    for deployment_id in registration.deployments:
        require_id("deployment id", deployment_id)
    urls = {
        "issuer": registration.issuer,
        "authorization URL": registration.authorization_endpoint,
        "token URL": registration.token_endpoint,
        "key set URL": registration.jwks_uri,
    }
    for name, url in urls.items():
        if url in _tool_values(stack).values():
            raise InvalidRequestError(f"the {name} is the tool's own address; here the platform's is wanted")
        try:
            require_allowed(url, loopback_http=stack.loopback_http)
        except ForbiddenAddressError:
            raise InvalidRequestError(
                f"the {name} has to begin with https:// and be public, without user info"
            ) from None
        if len(url) > LONGEST_REGISTERED_URL:
            raise InvalidRequestError(f"the {name} is longer than {LONGEST_REGISTERED_URL} characters")
    audience = registration.token_audience
    if audience is not None and (not audience or not audience.isprintable() or len(audience) > LONGEST_REGISTERED_URL):
        raise InvalidRequestError("the token audience is empty, too long, or not printable")
    for tenant in (registration.tenant, *registration.deployment_tenants.values()):
        require_tenant(tenant)
    if not registration.deployment_tenants.keys() <= registration.deployments.keys():
        raise InvalidRequestError("a tenant's name is for a deployment that is not listed")
    for origin in registration.frame_ancestors:
        if not (_ORIGIN.fullmatch(origin) or (stack.loopback_http and _LOCAL_ORIGIN.fullmatch(origin))):
            raise InvalidRequestError(
                "a frame ancestor is an origin such as https://school.example or https://*.school.example"
            )
    if (site := registration.pushes_public_key_to) is not None:
        if registration.family is not PlatformFamily.CANVAS:
            raise InvalidRequestError("a public key can be pushed to platforms of the family canvas only")
        try:
            require_allowed(site, loopback_http=stack.loopback_http)
        except ForbiddenAddressError:
            site = ""
        if "*" in site or not (_ORIGIN.fullmatch(site) or _LOCAL_ORIGIN.fullmatch(site)):
            raise InvalidRequestError("a public key is pushed to an institution such as https://school.instructure.com")


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
        "frame_ancestors": list(registration.frame_ancestors),
        "pushes_public_key_to": registration.pushes_public_key_to,
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
