"""`lti platform guide`: one registration's values in its platform's own words and order, ready to paste.

The names of fields are Canvas's and Moodle's own. Those of the others are as their documentation has them, and may
differ from version to version; the values do not.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lti_tool.domain.canvas import canvas_configuration
from lti_tool.domain.dynamic_registration import claims_wanted
from lti_tool.domain.offer import Offer
from lti_tool.domain.region import Region
from lti_tool.domain.registration import PlatformFamily, Registration
from lti_tool.runtime import wiring
from operate import presets
from operate.stack import Stack

Value = str | Sequence[str]
Field = tuple[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One form, or one table of values: where it is in the platform, and what stands in which field."""

    title: str
    fields: Sequence[Field]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What a platform's administrator enters. `redirect_urls` are every region's, this one's first."""

    url: str
    regions: Sequence[Region]
    offer: Offer

    @property
    def launch_url(self) -> str:
        return f"{self.url}/lti/launch"

    @property
    def login_url(self) -> str:
        return f"{self.url}/lti/login"

    @property
    def keyset_url(self) -> str:
        return f"{self.url}/lti/jwks.json"

    @property
    def redirect_urls(self) -> list[str]:
        bases = dict.fromkeys([self.url, *(region.base_url for region in self.regions)])
        return [f"{base}/lti/launch" for base in bases]

    @property
    def domain(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def asks_for_names(self) -> bool:
        return "name" in claims_wanted(self.offer)

    @property
    def asks_for_email(self) -> bool:
        return "email" in claims_wanted(self.offer)

    @property
    def custom_parameters(self) -> list[str]:
        return [f"{name}={value}" for name, value in self.offer.custom_fields.items()]


def guide(stack: Stack, registration: Registration, options: argparse.Namespace) -> Any:
    tool = Tool(url=stack.tool_url, regions=wiring.key_publisher().deployed(stack.tool_url), offer=wiring.offer())
    sections = _maker(registration)(tool, registration)
    if not options.json:
        return "\n".join(_text(section) for section in (*sections, _regions(tool)))
    return {
        "id": registration.reference,
        "tenant": registration.tenant,
        "family": registration.family.value,
        "sections": [
            {"title": section.title, "fields": [{"name": name, "value": value} for name, value in section.fields]}
            for section in sections
        ],
        "regions": [
            {
                "name": region.name,
                "login_url": f"{region.base_url}/lti/login",
                "redirect_url": f"{region.base_url}/lti/launch",
            }
            for region in tool.regions
        ],
    }


def _text(section: Section) -> str:
    lines = [section.title, "-" * len(section.title)]
    for name, value in section.fields:
        if isinstance(value, str):
            lines.append(f"{name}: {value}")
        else:
            lines += [f"{name}:", *(f"    {entry}" for entry in value)]
    return "\n".join([*lines, ""])


def _regions(tool: Tool) -> Section:
    fields = [
        (region.name, (f"{region.base_url}/lti/login", f"{region.base_url}/lti/launch")) for region in tool.regions
    ]
    return Section(title="Login and redirect URLs of every region", fields=fields)


def _maker(registration: Registration) -> Callable[[Tool, Registration], list[Section]]:
    if registration.issuer == presets.schoology().issuer:
        return _schoology
    return _FAMILIES[registration.family]


def _deployments(registration: Registration) -> list[str]:
    return list(registration.deployments) or [f"none listed: {registration.deployment_policy.value}"]


# --- Canvas -----------------------------------------------------------------------------------------------------------

_CANVAS_SERVICES = {
    "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem": (
        "Can create and view assignment data in the gradebook associated with the tool"
    ),
    "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly": (
        "Can view assignment data in the gradebook associated with the tool"
    ),
    "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly": (
        "Can view submission data for assignments associated with the tool"
    ),
    "https://purl.imsglobal.org/spec/lti-ags/scope/score": (
        "Can create and update submission results for assignments associated with the tool"
    ),
    "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly": (
        "Can retrieve user data associated with the context the tool is installed in"
    ),
    "https://canvas.instructure.com/lti/public_jwk/scope/update": "Can update public jwk for LTI services",
    "https://canvas.instructure.com/lti/account_lookup/scope/show": "Can lookup Account information",
    "https://canvas.instructure.com/lti-ags/progress/scope/show": (
        "Can view Progress records associated with the context the tool is installed in"
    ),
}


def _canvas(tool: Tool, registration: Registration) -> list[Section]:
    configuration = canvas_configuration(tool.offer, tool.url, tool.regions)
    extension = configuration["extensions"][0]
    return [
        Section(
            title="Canvas: Admin > Developer Keys > + Developer Key > + LTI Key",
            fields=[
                ("Key Name", configuration["title"]),
                ("Redirect URIs", tool.redirect_urls),
                ("Method", "Enter URL"),
                ("JSON URL", f"{tool.url}/lti/canvas.json"),
            ],
        ),
        Section(
            title="The same by hand, without login URLs of other regions",
            fields=[
                ("Method", "Manual Entry"),
                ("Title", configuration["title"]),
                ("Description", configuration["description"]),
                ("Target Link URI", configuration["target_link_uri"]),
                ("OpenID Connect Initiation Url", configuration["oidc_initiation_url"]),
                ("JWK Method", "Public JWK URL"),
                ("Public JWK URL", configuration["public_jwk_url"]),
                ("LTI Advantage Services", [_CANVAS_SERVICES.get(scope, scope) for scope in configuration["scopes"]]),
                ("Additional Settings > Domain", extension["domain"]),
                ("Additional Settings > Tool Id", extension["tool_id"]),
                ("Additional Settings > Privacy Level", extension["privacy_level"]),
                ("Additional Settings > Custom Fields", tool.custom_parameters),
                (
                    "Placements",
                    [
                        f"{shown['placement']} ({shown['message_type']})"
                        for shown in extension["settings"]["placements"]
                    ],
                ),
            ],
        ),
        Section(
            title="Canvas: Admin > Settings > Apps > View App Configurations > + App, by Client ID",
            fields=[
                ("Client ID", registration.client_id),
                ("Issuer, as the tool knows it", registration.issuer),
                ("Deployment IDs, as the tool knows them", _deployments(registration)),
            ],
        ),
    ]


# --- Moodle -----------------------------------------------------------------------------------------------------------


def _moodle(tool: Tool, registration: Registration) -> list[Section]:
    offer = tool.offer
    return [
        Section(
            title="Moodle: Site administration > Plugins > External tool > Manage tools > configure a tool manually",
            fields=[
                ("Tool name", offer.title),
                ("Tool URL", tool.launch_url),
                ("Tool description", offer.description),
                ("LTI version", "LTI 1.3"),
                ("Public key type", "Keyset URL"),
                ("Public keyset", tool.keyset_url),
                ("Initiate login URL", tool.login_url),
                ("Redirection URI(s)", tool.redirect_urls),
                ("Custom parameters", tool.custom_parameters),
                ("Tool configuration usage", "Show in activity chooser and as a preconfigured tool"),
                ("Default launch container", "New window"),
                ("Supports Deep Linking (Content-Item Message)", "yes"),
                ("Content Selection URL", tool.launch_url),
                (
                    "IMS LTI Assignment and Grade Services",
                    "Use this service for grade sync and column management",
                ),
                (
                    "IMS LTI Names and Role Provisioning",
                    "Use this service to retrieve members' information as per privacy settings",
                ),
                ("Tool Settings", "Do not use this service"),
                ("Share launcher's name with tool", "Always" if tool.asks_for_names else "Never"),
                ("Share launcher's email with tool", "Always" if tool.asks_for_email else "Never"),
                ("Accept grades from the tool", "Always"),
            ],
        ),
        Section(
            title="Moodle: Tool configuration details, as the tool knows them",
            fields=[
                ("Platform ID", registration.issuer),
                ("Client ID", registration.client_id),
                ("Deployment ID", _deployments(registration)),
                ("Public keyset URL", registration.jwks_uri),
                ("Access token URL", registration.token_endpoint),
                ("Authentication request URL", registration.authorization_endpoint),
            ],
        ),
    ]


# --- Others -----------------------------------------------------------------------------------------------------------


def _blackboard(tool: Tool, registration: Registration) -> list[Section]:
    sent = ["Role in Course"]
    sent += ["Name"] if tool.asks_for_names else []
    sent += ["Email Address"] if tool.asks_for_email else []
    return [
        Section(
            title="Blackboard's developer portal: the application, registered once for all schools",
            fields=[
                ("Application Name", tool.offer.title),
                ("Description", tool.offer.description),
                ("Domain(s)", tool.domain),
                ("Login Initiation URL", tool.login_url),
                ("Tool Redirect URL(s)", tool.redirect_urls),
                ("Tool JWKS URL", tool.keyset_url),
                ("Signing Algorithm", "RS256"),
                ("Custom Parameters", tool.custom_parameters),
            ],
        ),
        Section(
            title="Blackboard: Administrator Panel > LTI Tool Providers > Register LTI 1.3 Tool, in each school",
            fields=[
                ("Client ID (the application's id)", registration.client_id),
                ("User Fields to Send", sent),
                ("Allow grade service access", "Yes"),
                ("Allow Membership Service Access", "Yes"),
                ("Deployment IDs, one from each school, as the tool knows them", _deployments(registration)),
            ],
        ),
    ]


def _brightspace(tool: Tool, registration: Registration) -> list[Section]:
    return [
        Section(
            title="Brightspace: Admin Tools > Manage Extensibility > LTI Advantage > Register Tool > Standard",
            fields=[
                ("Name", tool.offer.title),
                ("Description", tool.offer.description),
                ("Domain", f"https://{tool.domain}"),
                ("Redirect URLs", tool.redirect_urls),
                ("OpenID Connect Login URL", tool.login_url),
                ("Target Link URI", tool.launch_url),
                ("Keyset URL", tool.keyset_url),
                (
                    "Extensions",
                    ["Assignment and Grade Services", "Deep Linking", "Names and Role Provisioning Services"],
                ),
            ],
        ),
        Section(
            title="Brightspace Registration Details, as the tool knows them",
            fields=[
                ("Client Id", registration.client_id),
                ("Brightspace Keyset URL", registration.jwks_uri),
                ("Brightspace OAuth2 Access Token URL", registration.token_endpoint),
                ("OpenID Connect Authentication Endpoint", registration.authorization_endpoint),
                ("Brightspace OAuth2 Audience", registration.token_audience or registration.token_endpoint),
                ("Issuer", registration.issuer),
                ("Deployment Id", _deployments(registration)),
            ],
        ),
    ]


def _sakai(tool: Tool, registration: Registration) -> list[Section]:
    return [
        Section(
            title="Sakai: Administration Workspace > External Tools > Install LTI 1.x Tool",
            fields=[
                ("Tool Title", tool.offer.title),
                ("Launch URL", tool.launch_url),
                ("LTI 1.3 Tool Keyset URL", tool.keyset_url),
                ("LTI 1.3 Tool OpenID Connect/Initialization Endpoint", tool.login_url),
                ("LTI 1.3 Tool Redirect Endpoint(s)", tool.redirect_urls),
                ("Send User Names to External Tool", "on" if tool.asks_for_names else "off"),
                ("Send Email Addresses to External Tool", "on" if tool.asks_for_email else "off"),
                ("Allow External Tool to return grades", "on"),
                ("Provide Roster to External Tool", "on"),
                ("Allow tool to be selected by content item / deep link", "on"),
            ],
        ),
        _known(registration),
    ]


def _openedx(tool: Tool, registration: Registration) -> list[Section]:
    return [
        Section(
            title="Open edX Studio: the LTI Consumer block's settings",
            fields=[
                ("LTI Version", "LTI 1.3"),
                ("Tool Launch URL", tool.launch_url),
                ("Tool Initiate Login URL", tool.login_url),
                ("Registered Redirect URIs", json.dumps(tool.redirect_urls)),
                ("Tool Public Key Mode", "Keyset URL"),
                ("Tool Keyset URL", tool.keyset_url),
                ("Enable LTI NRPS", "True"),
                ("Deep linking", "True"),
                ("Deep Linking Launch URL", tool.launch_url),
                ("LTI Assignment and Grades Service", "Allow tools to submit grades only (declarative)"),
                ("Scored", "True"),
            ],
        ),
        _known(registration),
    ]


def _schoology(tool: Tool, registration: Registration) -> list[Section]:
    return [
        Section(title="Schoology: the app in the developers' portal", fields=_usual(tool)),
        _known(registration),
    ]


def _custom(tool: Tool, registration: Registration) -> list[Section]:
    return [Section(title="In the platform: a new LTI 1.3 tool", fields=_usual(tool)), _known(registration)]


def _usual(tool: Tool) -> list[Field]:
    return [
        ("Name", tool.offer.title),
        ("Domain", tool.domain),
        ("Login initiation URL", tool.login_url),
        ("Redirect URLs", tool.redirect_urls),
        ("Key set URL of the tool", tool.keyset_url),
        ("Target link URI", tool.launch_url),
        ("Deep linking URL", tool.launch_url),
        ("Scopes", list(tool.offer.scopes)),
        ("Custom parameters", tool.custom_parameters),
    ]


def _known(registration: Registration) -> Section:
    return Section(
        title="The platform's values, as the tool knows them",
        fields=[
            ("Issuer", registration.issuer),
            ("Client ID", registration.client_id),
            ("Deployment ID", _deployments(registration)),
            ("Key set URL", registration.jwks_uri),
            ("Token URL", registration.token_endpoint),
            ("Token audience", registration.token_audience or registration.token_endpoint),
            ("Authentication URL", registration.authorization_endpoint),
        ],
    )


_FAMILIES: dict[PlatformFamily, Callable[[Tool, Registration], list[Section]]] = {
    PlatformFamily.CANVAS: _canvas,
    PlatformFamily.MOODLE: _moodle,
    PlatformFamily.BLACKBOARD: _blackboard,
    PlatformFamily.BRIGHTSPACE: _brightspace,
    PlatformFamily.SAKAI: _sakai,
    PlatformFamily.OPENEDX: _openedx,
    PlatformFamily.CUSTOM: _custom,
}
