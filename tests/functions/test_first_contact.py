"""What people see when the tool does not know them yet: a place that waits, a platform that is not registered."""

from __future__ import annotations

import shlex

import pytest

from lti_tool.domain.registration import DeploymentPolicy
from lti_tool.runtime.languages import TAGS, language
from operate.main import command_line
from operate.pasted import Pasted
from tests.support.browser import ACTIVITY, Answer, Browser
from tests.support.platform import ABSENT, Platform
from tests.support.stack import TOOL_URL, Stack

# --- A place that waits to be approved -----------------------------------------------------------------------------


def waits(stack: Stack, platform: Platform, language_tag: str = "en", **claims: str) -> Answer:
    stack.knows(platform.registration(deployment_policy=DeploymentPolicy.APPROVE))
    browser = Browser()
    question = browser.begins_login(platform)
    presentation = {"return_url": "https://campus.lms.example/course/1"}
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY, presentation=presentation, **claims))
    form = {"state": question["state"], "id_token": token}
    return browser.post("/lti/launch", form, headers={"accept-language": language_tag})


@pytest.mark.parametrize("tag", TAGS)
def test_a_person_whose_place_waits_learns_what_happens_in_each_language(
    stack: Stack, platform: Platform, tag: str
) -> None:
    answer = waits(stack, platform, tag, deployment_id="new place")

    texts, words = answer.page.texts, language(tag)
    assert (answer.status, answer.code) == (403, "deployment_pending")
    assert (texts["deployment-id"], texts["issuer"], texts["client-id"]) == (
        "new place",
        platform.issuer,
        platform.client_id,
    )
    assert len(texts["support-id"]) == 12
    for word in ("waiting_title", "waiting_what", "waiting_tell", "waiting_again", "back_to_course"):
        assert words.page(word) in answer.body
    assert 'href="https://campus.lms.example/course/1?' in answer.body
    assert "direction:ltr;unicode-bidi:isolate" in answer.body  # right to left, "12:ab" would be shown as "ab:12"


@pytest.mark.parametrize("place", ["1:'; rm -rf /", "$(id)", '"><script>alert(1)</script>', "a b"])
def test_the_operators_command_is_safe_to_paste_whatever_the_place_is_called(
    stack: Stack, platform: Platform, place: str
) -> None:
    answer = waits(stack, platform, deployment_id=place)

    command = shlex.split(answer.page.texts["command"])
    assert command[-1] == place
    read = command_line().parse_args([*command[1:], "--local"])
    assert (read.id, read.deployment_id) == (platform.registration().reference, place)
    assert "script" not in answer.page.markup


# --- A platform that is not registered -----------------------------------------------------------------------------


def unknown(platform: Platform, **changed: str) -> Answer:
    claimed = {"iss": "https://lms.example", "client_id": "abc"} | changed
    return Browser().get("/lti/login", platform.initiation(ACTIVITY, **claimed))


def test_an_unknown_platforms_page_holds_all_that_registering_takes(platform: Platform) -> None:
    answer = unknown(platform)

    texts = answer.page.texts
    assert (texts["issuer"], texts["client-id"]) == ("https://lms.example", "abc")
    assert texts["command"] == (
        "lti platform add custom --issuer=https://lms.example --client-id=abc"
        " --auth-url=AUTH_URL --token-url=TOKEN_URL --jwks-url=JWKS_URL"
    )
    for path in ("login", "launch", "jwks.json", "canvas.json"):
        assert f"<code>{TOOL_URL}/lti/{path}</code>" in answer.body


@pytest.mark.parametrize(
    ("issuer", "kind"),
    [
        ("https://canvas.instructure.com", ["canvas"]),
        ("https://canvas.beta.instructure.com", ["canvas", "--environment=beta"]),
        ("https://canvas.test.instructure.com", ["canvas", "--environment=test"]),
        ("https://blackboard.com", ["blackboard"]),
        ("https://schoology.schoology.com", ["schoology"]),
    ],
)
def test_a_platform_of_all_schools_needs_no_addresses_to_be_registered(
    platform: Platform, issuer: str, kind: list[str]
) -> None:
    answer = unknown(platform, iss=issuer)

    command = shlex.split(answer.page.texts["command"])
    assert command == ["lti", "platform", "add", *kind, "--client-id=abc"]
    read = command_line().parse_args([*command[1:], "--local"])
    assert read.endpoints(read, Pasted()).issuer == issuer
    assert language("en").page("register_command") not in answer.body


def test_an_unknown_client_id_is_filled_in_too(platform: Platform) -> None:
    answer = unknown(platform, iss=platform.issuer, client_id="second")

    assert (answer.code, answer.page.texts["client-id"]) == ("unknown_client_id", "second")


HOSTILE = [
    "$(touch /tmp/x)",
    "`id`",
    "'; rm -rf / #",
    "a' --issuer='https://evil.example",
    '"><script>alert(1)</script>',
    "</code><img src=x onerror=alert(1)>",
    "-x",
    "--local",
    "&amp;<!--",
    "a b\\",
    "!!",
    "x" * 255,
]


@pytest.mark.parametrize("client_id", HOSTILE)
def test_a_hostile_client_id_stays_one_word_of_the_command(platform: Platform, client_id: str) -> None:
    answer = unknown(platform, client_id=client_id)

    read = command_line().parse_args([*shlex.split(answer.page.texts["command"])[1:], "--local"])
    assert (read.issuer, read.client_id) == ("https://lms.example", client_id)
    assert {"script", "img"}.isdisjoint(answer.page.markup)


@pytest.mark.parametrize(
    "issuer", ["https://lms.example/';id;'", "https://lms.example/$(id)", "https://lms.example/<b>"]
)
def test_a_hostile_issuer_stays_one_word_of_the_command(platform: Platform, issuer: str) -> None:
    answer = unknown(platform, iss=issuer)

    assert f"--issuer={issuer}" in shlex.split(answer.page.texts["command"])
    assert "b" not in answer.page.markup


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "javascript:alert(1)"},
        {"iss": "https://user:word@lms.example"},
        {"iss": "https://lms.example/" + "x" * 2000},
        {"iss": "https://lms.example/\n--client-id=evil"},
        {"client_id": "a\nb"},
        {"client_id": "a\N{RIGHT-TO-LEFT OVERRIDE}b"},
        {"client_id": "a\N{ZERO WIDTH SPACE}b"},
        {"client_id": "x" * 256},
        {"client_id": ABSENT},
    ],
    ids=["scheme", "user info", "long", "line break", "line break in id", "override", "zero width", "long id", "no id"],
)
def test_what_cannot_be_right_is_not_filled_in(platform: Platform, changed: dict[str, str]) -> None:
    answer = unknown(platform, **changed)

    (name,) = changed
    anchor, placeholder = {"iss": ("issuer", "--issuer=ISSUER"), "client_id": ("client-id", "--client-id=CLIENT_ID")}[
        name
    ]
    assert answer.code == "unknown_platform"
    assert anchor not in answer.page.texts
    assert placeholder in shlex.split(answer.page.texts["command"])
    assert len(answer.body) < 8000


def test_a_program_gets_nothing_of_it_back(platform: Platform) -> None:
    answer = Browser().get(
        "/lti/login",
        platform.initiation(ACTIVITY, iss="https://lms.example", client_id="abc"),
        headers={"accept": "application/json"},
    )

    assert answer.code == "unknown_platform"
    assert "lms.example" not in answer.body
