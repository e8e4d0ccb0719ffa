"""Registration: Canvas's configuration, and platforms that introduce themselves by invitation."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lti_tool.adapters import platform_http
from lti_tool.domain.canvas import canvas_configuration
from lti_tool.domain.invitation import new_invitation
from lti_tool.domain.login import fingerprint
from lti_tool.domain.offer import ONLY_AT, PLACEMENTS, Offer
from lti_tool.domain.region import Region
from lti_tool.domain.registration import DeploymentPolicy, PlatformFamily
from lti_tool.runtime import wiring
from tests.support.browser import Answer, Browser
from tests.support.platform import Platform, Reply
from tests.support.stack import ROOT, TOOL_URL, Stack

SCHEMA = json.loads((Path(__file__).parent / "canvas-tool-configuration.schema.json").read_text(encoding="utf-8"))
TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"


def invited(tenant: str = "Example school", lives: timedelta = timedelta(days=1), hosts: tuple[str, ...] = ()) -> str:
    token, invitation = new_invitation(tenant, wiring.now(), lives, hosts)
    wiring.invitations().add(invitation)
    return token


def configuration(platform: Platform, **other: Any) -> dict[str, Any]:
    return {
        "issuer": platform.url,
        "authorization_endpoint": f"{platform.url}/auth",
        "registration_endpoint": f"{platform.url}/register",
        "jwks_uri": f"{platform.url}/jwks",
        "token_endpoint": f"{platform.url}/token",
        "scopes_supported": ["openid", "https://purl.imsglobal.org/spec/lti-ags/scope/score"],
        PLATFORM: {
            "product_family_code": "moodle",
            "messages_supported": [
                {"type": "LtiResourceLinkRequest"},
                {"type": "LtiDeepLinkingRequest", "placements": ["ContentArea"]},
            ],
        },
        **other,
    }


def says(document: object, status: int = 200) -> Reply:
    return Reply(status=status, body=document if isinstance(document, bytes) else json.dumps(document).encode())


def introduces(platform: Platform, browser: Browser, token: str, document: object, method: str = "POST") -> Answer:
    platform.will_answer("/openid", document if isinstance(document, Reply) else says(document))
    fields = {
        "invitation": token,
        "openid_configuration": f"{platform.url}/openid",
        "registration_token": "the platform's token",
    }
    if method == "GET":
        return browser.get("/lti/register", fields)
    return browser.post("/lti/register", fields)


ANSWER = {"client_id": "client-new", TOOL: {"deployment_id": "7"}}


def test_an_invited_platform_is_shown_and_then_registered(platform: Platform, browser: Browser) -> None:
    token = invited()
    platform.will_answer("/register", says(ANSWER))

    shown = introduces(platform, browser, token, configuration(platform), "GET")
    done = introduces(platform, browser, token, configuration(platform))

    assert (shown.status, done.status) == (200, 200)
    assert platform.url in shown.body
    assert "Example school" in shown.body
    assert "org.imsglobal.lti.close" in done.body
    found = wiring.registrations().of_platform(platform.url, "client-new")
    assert (found.tenant, found.family, list(found.deployments)) == ("Example school", PlatformFamily.MOODLE, ["7"])
    (line,) = wiring.audit().of(found.reference)
    assert (line.who, line.verb) == (f"invitation {fingerprint(token)[:12]}", "add")


def test_the_page_shows_what_will_be_asked_of_this_platform(platform: Platform, browser: Browser) -> None:
    shown = introduces(platform, browser, invited(), configuration(platform), "GET")

    texts = re.findall(r"<dd>([^<]*)</dd>", shown.body)
    assert texts == [
        platform.url,
        "Example school",
        "iss, sub, name, given_name, family_name, email",
        "score",
        "ContentArea",
    ]
    assert platform.requests_to("/register") == []


def test_the_request_asks_for_what_the_platform_knows(platform: Platform, browser: Browser) -> None:
    platform.will_answer("/register", says(ANSWER))

    introduces(platform, browser, invited(), configuration(platform))

    (request,) = platform.requests_to("/register")
    asked = request.json()
    assert request.headers["Authorization"] == "Bearer the platform's token"
    assert asked["redirect_uris"] == [f"{TOOL_URL}/lti/launch"]
    assert asked["scope"] == "https://purl.imsglobal.org/spec/lti-ags/scope/score"
    assert asked[TOOL]["domain"] == TOOL_URL.removeprefix("https://")
    assert [message["type"] for message in asked[TOOL]["messages"]] == [
        "LtiDeepLinkingRequest",
        "LtiResourceLinkRequest",
    ]


def test_a_registered_platform_launches_at_once(platform: Platform, browser: Browser) -> None:
    platform.will_answer("/register", says({"client_id": "client-new"}))
    introduces(platform, browser, invited(), configuration(platform))
    platform.issuer, platform.client_id = platform.url, "client-new"

    assert browser.launches(platform).status == 200
    found = wiring.registrations().of_platform(platform.url, "client-new")
    assert found.deployment_policy is DeploymentPolicy.AUTO


def test_an_invitation_registers_one_platform_only(platform: Platform, browser: Browser) -> None:
    token = invited()
    platform.will_answer("/register", says(ANSWER), says({"client_id": "a-second"}))
    introduces(platform, browser, token, configuration(platform))

    again = introduces(platform, browser, token, configuration(platform))

    assert (again.status, again.code) == (403, "invitation_ended")
    assert len(platform.requests_to("/register")) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_invitation_that_is_over_or_was_never_made_opens_nothing(
    platform: Platform, browser: Browser, method: str
) -> None:
    for token in (invited(lives=timedelta(seconds=-1)), "never made"):
        answer = introduces(platform, browser, token, configuration(platform), method)

        assert (answer.status, answer.code) == (403, "invitation_ended")
    assert platform.received == []  # without an invitation nobody makes the tool ask anybody


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_that_was_clicked_on_says_where_it_belongs_and_stays_open(
    platform: Platform, browser: Browser, method: str
) -> None:
    token = invited()
    platform.will_answer("/register", says(ANSWER))

    clicked = (browser.get if method == "GET" else browser.post)("/lti/register", {"invitation": token})

    assert (clicked.status, clicked.code) == (400, "not_introduced")
    assert clicked.body.index("paste it into the learning platform") < clicked.body.index("<details>")
    assert introduces(platform, browser, token, configuration(platform)).status == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "changed",
    [
        {"registration_token": "word\r\nX-Admin: yes"},
        {"registration_token": "wörd"},
        {"openid_configuration": "https://lms.example/openid#part"},
    ],
    ids=str,
)
@pytest.mark.usefixtures("platform")
def test_an_introduction_that_no_request_can_carry_is_refused(
    browser: Browser, method: str, changed: dict[str, str]
) -> None:
    fields = {"invitation": invited(), "openid_configuration": "https://lms.example/openid", **changed}

    answer = browser.get("/lti/register", fields) if method == "GET" else browser.post("/lti/register", fields)

    assert (answer.status, answer.code) == (400, "invalid_request")


def test_a_configuration_may_say_null_for_what_it_leaves_out(platform: Platform, browser: Browser) -> None:
    nulls = {"scopes_supported": None, "authorization_server": None, "claims_supported": None, PLATFORM: None}
    platform.will_answer("/register", says(ANSWER))

    introduces(platform, browser, invited(), configuration(platform, **nulls))

    found = wiring.registrations().of_platform(platform.url, "client-new")
    assert (found.family, found.token_audience) == (PlatformFamily.CUSTOM, None)


@pytest.mark.parametrize(
    ("product", "named", "audience"),
    [
        ("desire2learn", "https://api.brightspace.com/auth/token", "https://api.brightspace.com/auth/token"),
        ("some lms", "urn:lms:tokens", "urn:lms:tokens"),
        ("some lms", "lms.example", "lms.example"),
        ("some lms", "", None),
        ("canvas", "sso.canvaslms.com", None),
        ("canvas", "https://sso.canvaslms.com", None),
    ],
)
def test_the_audience_is_the_authorization_server_but_canvass(
    platform: Platform, browser: Browser, product: str, named: str, audience: str | None
) -> None:
    says_so = {"authorization_server": named, PLATFORM: {"product_family_code": product}}
    platform.will_answer("/register", says(ANSWER))

    introduces(platform, browser, invited(), configuration(platform, **says_so))

    assert wiring.registrations().of_platform(platform.url, "client-new").token_audience == audience


@pytest.mark.parametrize(
    ("given", "deployments"),
    [(7, ["7"]), (0, ["0"]), ("12:abc", ["12:abc"]), (True, []), ("", []), (None, []), (["7"], []), ("7" * 256, [])],
)
def test_a_deployment_that_the_answer_does_not_name_is_learnt_at_the_first_launch(
    platform: Platform, browser: Browser, given: object, deployments: list[str]
) -> None:
    platform.will_answer("/register", says({"client_id": "client-new", "deployment_id": given}))

    introduces(platform, browser, invited(), configuration(platform))

    found = wiring.registrations().of_platform(platform.url, "client-new")
    assert list(found.deployments) == deployments
    assert found.deployment_policy is (DeploymentPolicy.CLOSED if deployments else DeploymentPolicy.AUTO)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"issuer": "https://elsewhere.example"}, "issuer_mismatch"),
        ({"issuer": "http://lms.example"}, "issuer_mismatch"),
        ({"authorization_endpoint": "http://lms.example/auth"}, "forbidden_address"),
        ({"token_endpoint": "https://169.254.169.254/token"}, "forbidden_address"),
        ({"registration_endpoint": "https://10.0.0.1/register"}, "forbidden_address"),
        ({"jwks_uri": "https://user:word@lms.example/jwks"}, "forbidden_address"),
        ({"jwks_uri": None}, "invalid_platform_configuration"),
        ({"issuer": ""}, "invalid_platform_configuration"),
    ],
    ids=str,
)
def test_a_configuration_that_cannot_be_trusted_is_refused(
    stack: Stack, platform: Platform, browser: Browser, changed: dict[str, Any], code: str
) -> None:
    token = invited()
    before = stack.contents()["RegistrationsTable"]

    answer = introduces(platform, browser, token, configuration(platform, **changed))

    assert answer.code == code
    assert answer.status >= 400
    assert platform.requests_to("/register") == []
    assert stack.contents()["RegistrationsTable"] == before  # the invitation is still open


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=404),
        Reply(status=302, headers={"Location": "http://127.0.0.1:1/openid"}),
        Reply(body=b"<html>"),
        Reply(body=b"[" + b" " * 300_000 + b"]"),
    ],
    ids=["absent", "elsewhere", "no JSON", "giant"],
)
def test_a_configuration_that_cannot_be_read_is_refused(platform: Platform, browser: Browser, reply: Reply) -> None:
    answer = introduces(platform, browser, invited(), reply)

    assert (answer.status, answer.code) == (502, "platform_unavailable")


@pytest.mark.parametrize(
    "url",
    [
        "http://lms.example/openid",
        "https://10.0.0.1/openid",
        "https://172.16.0.1/openid",
        "https://192.168.1.1/openid",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/openid",
        "https://0.0.0.0/openid",
        "https://[fd00::1]/openid",
        "https://[fe80::1]/openid",
        "https://[::ffff:10.0.0.1]/openid",
        "https://[64:ff9b::a00:1]/openid",
        "https://user:word@lms.example/openid",
        "https://lms.example@10.0.0.1/openid",
        "file:///etc/passwd",
        "gopher://lms.example/openid",
        "//lms.example/openid",
        "https:///openid",
        "https://[/openid",
        "openid",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_configuration_is_fetched_from_a_public_https_address_only(
    stack: Stack, browser: Browser, connected: list[object], method: str, url: str
) -> None:
    fields = {"invitation": invited(), "openid_configuration": url}
    before = stack.contents()

    answer = browser.get("/lti/register", fields) if method == "GET" else browser.post("/lti/register", fields)

    assert answer.code == "forbidden_address"
    assert connected == []
    assert stack.contents() == before


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every address that a connection was tried to, and none of them gets one."""
    tried: list[object] = []

    def refuse(address: object, *_: object, **__: object) -> None:
        tried.append(address)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", refuse)
    return tried


@pytest.mark.parametrize(
    ("hosts", "code"),
    [
        (("127.0.0.1",), "ok"),
        (("other.example", "127.0.0.1"), "ok"),
        (("other.example",), "not_invited"),
        (("*.0.0.1",), "ok"),
        (("*.0.1",), "ok"),
        (("*.27.0.0.1",), "not_invited"),
        (("0.0.1",), "not_invited"),
        (("127.0.0.1:1",), "not_invited"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_invitation_may_be_for_certain_hosts(
    platform: Platform, browser: Browser, method: str, hosts: tuple[str, ...], code: str
) -> None:
    platform.will_answer("/register", says(ANSWER))

    answer = introduces(platform, browser, invited(hosts=hosts), configuration(platform), method)

    assert answer.code == code
    assert bool(platform.received) is (code == "ok")  # another host is not even asked


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of time, in tenths of seconds where they are seconds."""
    monkeypatch.setattr(platform_http, "ANSWERS_WITHIN", 0.3)
    monkeypatch.setattr(platform_http, "LONGEST_ANSWER_SECONDS", 0.6)


@contextmanager
def trickling(pause_seconds: float) -> Iterator[str]:
    """A server that sends a byte of its answer, waits, sends the next; its URL."""
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not stopped.wait(pause_seconds):
                    connection.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            stopped.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.usefixtures("stack", "hasty")
@pytest.mark.parametrize("pause_seconds", [60, 0.02], ids=["silent", "trickling"])
def test_a_platform_that_is_slow_is_not_waited_for(browser: Browser, pause_seconds: float) -> None:
    with trickling(pause_seconds) as url:
        fields = {"invitation": invited(), "openid_configuration": f"{url}/openid"}
        began = time.monotonic()
        answer = browser.get("/lti/register", fields)

    assert (answer.status, answer.code) == (502, "platform_unavailable")
    assert time.monotonic() - began < 5


@pytest.mark.usefixtures("hasty")
def test_a_registration_that_is_answered_too_slowly_leaves_the_invitation_open(
    platform: Platform, browser: Browser
) -> None:
    token = invited()
    platform.will_answer("/register", says(ANSWER))
    with trickling(0.02) as url:
        late = introduces(platform, browser, token, configuration(platform, registration_endpoint=f"{url}/register"))

    second = introduces(platform, browser, token, configuration(platform))

    assert (late.status, late.code) == (502, "platform_unavailable")
    assert second.status == 200


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(status=302, headers={"Location": "http://127.0.0.1:1/register"}), "platform_refused"),
        (Reply(status=307, headers={"Location": "http://127.0.0.1:1/register"}), "platform_refused"),
        (Reply(status=503), "platform_unavailable"),
        (Reply(body=b"[" + b" " * 300_000 + b"]"), "platform_unavailable"),
        (Reply(body=b"<html>"), "invalid_platform_configuration"),
        (Reply(body=b"{}"), "invalid_platform_configuration"),
        (Reply(body=b'{"client_id": true}'), "invalid_platform_configuration"),
        (says({"client_id": "x" * 256}), "invalid_platform_configuration"),
        (Reply(body=b"[" * 100_000), "invalid_platform_configuration"),
    ],
    ids=["elsewhere", "moved", "down", "giant", "no JSON", "no client id", "no text", "too long", "deep"],
)
def test_an_answer_to_our_request_that_is_none_registers_nothing(
    stack: Stack, platform: Platform, browser: Browser, reply: Reply, code: str
) -> None:
    token = invited()
    before = stack.contents()
    platform.will_answer("/register", reply)

    answer = introduces(platform, browser, token, configuration(platform))

    assert (answer.status >= 400, answer.code) == (True, code)
    assert stack.contents() == before  # and the invitation is open again


def test_a_platform_that_says_no_leaves_the_invitation_open(platform: Platform, browser: Browser) -> None:
    token = invited()
    platform.will_answer("/register", says({"error": "invalid_redirect_uri"}, 400), says(ANSWER))

    refused = introduces(platform, browser, token, configuration(platform))
    second = introduces(platform, browser, token, configuration(platform))

    assert (refused.status, refused.code) == (502, "platform_refused")
    assert second.status == 200


def test_a_platform_that_is_registered_is_not_taken_over(platform: Platform, browser: Browser) -> None:
    platform.will_answer("/register", says(ANSWER), says(ANSWER))
    introduces(platform, browser, invited(), configuration(platform))

    again = introduces(platform, browser, invited(), configuration(platform, jwks_uri=f"{platform.url}/other"))

    assert (again.status, again.code) == (409, "already_registered")
    found = wiring.registrations().of_platform(platform.url, "client-new")
    assert found.jwks_uri.endswith("/jwks")
    assert len(wiring.audit().of(found.reference)) == 1


def test_markup_in_a_platforms_name_is_shown_as_text(platform: Platform, browser: Browser) -> None:
    shown = introduces(platform, browser, invited("<script>alert(1)</script>"), configuration(platform), "GET")

    assert shown.status == 200
    assert "script" not in shown.page.markup


# --- Canvas ------------------------------------------------------------------------------------------------------


def test_canvas_reads_a_configuration_by_its_own_schema(stack: Stack, browser: Browser) -> None:  # noqa: ARG001
    answer = browser.get("/lti/canvas.json")

    assert answer.headers["content-type"] == "application/json"
    jsonschema.validate(answer.json(), SCHEMA)


def offered() -> dict[str, Any]:
    """The settings file, every placement in it switched on."""
    settings = tomllib.loads((ROOT / "layers/shared/lti_tool/offer.toml").read_text(encoding="utf-8"))
    return {**settings, "placements": [{**placement, "enabled": True} for placement in settings["placements"]]}


def configured_for(placements: list[dict[str, Any]], **other: Any) -> dict[str, Any]:
    offer = Offer.model_validate({**offered(), **other, "placements": placements})
    key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": "AQAB", "e": "AQAB"}
    return canvas_configuration(offer, TOOL_URL, [Region(name="eu-west-1", base_url=TOOL_URL, keys=(key,))])


def test_the_settings_file_has_every_placement_that_canvas_has() -> None:
    named = {each for definition in SCHEMA["x-facts"]["placementsByMessageType"].values() for each in definition}

    assert {placement["placement"] for placement in offered()["placements"]} == named
    assert {kind: sorted(names) for kind, names in PLACEMENTS.items()} == {
        kind: sorted(names) for kind, names in SCHEMA["x-facts"]["placementsByMessageType"].items()
    }


@pytest.mark.parametrize("level", ["public", "name_only", "email_only", "anonymous"])
def test_every_placement_at_once_is_a_configuration_that_canvas_reads(level: str) -> None:
    configuration = configured_for(offered()["placements"], privacy_level=level, publish_key_itself=True)

    jsonschema.validate(configuration, SCHEMA)
    assert configuration["extensions"][0]["privacy_level"] == level
    assert configuration["public_jwk"]["kid"] == "1"


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in PLACEMENTS.items() for name in names])
def test_every_placement_alone_is_a_configuration_that_canvas_reads(kind: str, name: str) -> None:
    shared = {"canvas_icon_class": "icon-lti", "required_permissions": "manage_calendar", "visibility": "members"}
    sizes = {"selection_width": 500, "selection_height": 400, "display_type": "full_width"}
    own = {"default": "enabled", "windowTarget": "_blank", "root_account_only": True, "use_tray": True} | {
        "accept_media_types": "image/png",
        "icon_svg_path_64": "M0 0",
        "description": "d",
        "require_resource_selection": True,
        "eula": {"target_link_uri": f"{TOOL_URL}/lti/launch"},
    }
    settings = {**shared, **sizes, "custom_fields": {"user": "$Canvas.user.id", "level": 7}} | {
        key: value for key, value in own.items() if name in ONLY_AT[key]
    }
    placement = {"placement": name, "message_type": kind, "text": "A", "labels": {"de": "B"}, "settings": settings}

    configuration = configured_for([placement])

    jsonschema.validate(configuration, SCHEMA)
    (shown,) = configuration["extensions"][0]["settings"]["placements"]
    assert shown.items() >= {"placement": name, "message_type": kind, "labels": {"de": "B"}, **settings}.items()


@pytest.mark.parametrize(
    ("placement", "said"),
    [
        ({"placement": "everywhere"}, "no placement everywhere"),
        ({"placement": "editor_button"}, "no placement editor_button for LtiResourceLinkRequest"),
        ({"placement": "file_menu", "settings": {"use_tray": True}}, "use_tray is for editor_button"),
        ({"placement": "file_menu", "settings": {"usetray": True}}, "usetray"),
        ({"placement": "file_menu", "settings": {"visibility": "all"}}, "visibility"),
    ],
)
def test_a_placement_that_canvas_would_not_take_is_named(placement: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        configured_for([placement])


def test_canvas_begins_a_login_in_the_region_of_the_institution(stack: Stack, browser: Browser) -> None:  # noqa: ARG001
    wiring.regions().put(Region(name="ap-southeast-2", base_url="https://au.tool.example", keys=({"kid": "au"},)))

    configured = browser.get("/lti/canvas.json").json()

    assert configured["oidc_initiation_urls"]["ap-southeast-2"] == "https://au.tool.example/lti/login"
    assert configured["oidc_initiation_url"] in configured["oidc_initiation_urls"].values()
    assert len(configured["oidc_initiation_urls"]) == 2


def test_the_key_set_holds_every_regions_keys(stack: Stack, browser: Browser) -> None:  # noqa: ARG001
    wiring.regions().put(Region(name="ap-southeast-2", base_url="https://au.tool.example", keys=({"kid": "au"},)))

    keys = browser.get("/lti/jwks.json").json()["keys"]

    assert len(keys) == 2
    assert keys[1] == {"kid": "au"}
    (own,) = (region for region in wiring.regions().all() if region.name != "ap-southeast-2")
    assert own.keys == (keys[0],)
