"""`lti platform` and `lti deployment` after the first day: changes, files, approvals, and who did it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lti_tool.domain.registration import DeploymentPolicy, DeploymentStatus, PlatformFamily, Registration
from lti_tool.runtime import wiring
from operate import audit
from operate.stack import Stack as ChosenStack
from tests.operate.conftest import Lti, Writes
from tests.operate.test_platform import CANVAS, custom
from tests.support.browser import Browser
from tests.support.platform import Platform
from tests.support.stack import ACCOUNT, TOOL_URL, Stack

NBSP, ZERO_WIDTH = "\N{NO-BREAK SPACE}", "\N{ZERO WIDTH SPACE}"


# --- Presets --------------------------------------------------------------------------------------------------------

PRESETS: list[tuple[list[str], dict[str, str]]] = [
    (
        ["blackboard"],
        {
            "issuer": "https://blackboard.com",
            "auth_url": "https://developer.blackboard.com/api/v1/gateway/oidcauth",
            "token_url": "https://developer.blackboard.com/api/v1/gateway/oauth2/jwttoken",
            "jwks_url": "https://developer.blackboard.com/api/v1/management/applications/client-1/jwks.json",
            "token_audience": "https://developer.blackboard.com/api/v1/gateway/oauth2/jwttoken",
            "family": "blackboard",
        },
    ),
    (
        ["brightspace", "--url", "https://school.brightspace.example"],
        {
            "issuer": "https://school.brightspace.example",
            "auth_url": "https://school.brightspace.example/d2l/lti/authenticate",
            "token_url": "https://auth.brightspace.com/core/connect/token",
            "jwks_url": "https://school.brightspace.example/d2l/.well-known/jwks",
            "token_audience": "https://api.brightspace.com/auth/token",
            "family": "brightspace",
        },
    ),
    (
        ["schoology"],
        {
            "issuer": "https://schoology.schoology.com",
            "auth_url": "https://lti-service.svc.schoology.com/lti-service/authorize-redirect",
            "token_url": "https://lti-service.svc.schoology.com/lti-service/access-token",
            "jwks_url": "https://lti-service.svc.schoology.com/lti-service/.well-known/jwks",
            "family": "custom",
        },
    ),
    (
        ["sakai", "--url", "https://sakai.example", "--tool-id", "7"],
        {
            "issuer": "https://sakai.example",
            "auth_url": "https://sakai.example/imsoidc/lti13/oidc_auth",
            "token_url": "https://sakai.example/imsblis/lti13/token/7",
            "jwks_url": "https://sakai.example/imsblis/lti13/keyset",
            "family": "sakai",
        },
    ),
    (
        ["openedx", "--url", "https://edx.example", "--block-id", "ab-12"],
        {
            "issuer": "https://edx.example",
            "auth_url": "https://edx.example/api/lti_consumer/v1/launch/",
            "token_url": "https://edx.example/api/lti_consumer/v1/token/ab-12",
            "jwks_url": "https://edx.example/api/lti_consumer/v1/public_keysets/ab-12",
            "family": "openedx",
        },
    ),
]


@pytest.mark.parametrize(("words", "values"), PRESETS, ids=[words[0] for words, _ in PRESETS])
def test_a_preset_knows_the_platforms_addresses(lti: Lti, words: list[str], values: dict[str, str]) -> None:
    shown = lti.json("platform", "add", *words, "--client-id", "client-1")

    assert {name: shown[name] for name in values} == values
    assert shown["mended"] == []


@pytest.mark.parametrize("family", [family.value for family in PlatformFamily])
def test_custom_values_may_have_the_manners_of_any_family(lti: Lti, family: str) -> None:
    assert lti.json(*custom(family=family))["family"] == family


# --- Pasted values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pasted", "mended"),
    [
        ("https://moodle.example/lms", []),
        ("https://moodle.example/lms/", ["url: slash at the end removed"]),
        ("\t https://moodle.example/lms \r\n", ["url: white space or invisible characters removed"]),
        (f"https://moodle{ZERO_WIDTH}.example/lms{NBSP}", ["url: white space or invisible characters removed"]),
        (
            f"\N{ZERO WIDTH NO-BREAK SPACE}https://moodle.example/lms/{NBSP}",
            ["url: white space or invisible characters removed", "url: slash at the end removed"],
        ),
        ('"https://moodle.example/lms"', ["url: quotes around it removed"]),
        *(
            (f"https://moodle.example/lms{page}", ["url: cut to the site's own address"])
            for page in (
                "/mod/lti/certs.php",
                "/my/",
                "/my",
                "/course/view.php?id=2#section-1",
                "/admin/settings.php?section=modsettinglti",
                "/index.php",
                "?redirect=0",
            )
        ),
        (
            "https://moodle.example/lms/?redirect=0",
            ["url: cut to the site's own address", "url: slash at the end removed"],
        ),
    ],
)
def test_a_pasted_site_is_mended_and_each_mend_is_said(lti: Lti, pasted: str, mended: list[str]) -> None:
    shown = lti.json("platform", "add", "moodle", "--url", pasted, "--client-id", "abc")

    assert shown["issuer"] == "https://moodle.example/lms"
    assert shown["jwks_url"] == "https://moodle.example/lms/mod/lti/certs.php"
    assert shown["mended"] == mended


@pytest.mark.parametrize("option", ["issuer", "client_id", "auth_url", "token_url", "jwks_url", "token_audience"])
def test_whatever_is_pasted_is_mended(lti: Lti, option: str) -> None:
    clean = lti.json(*custom(token_audience="https://audience.example", deployment_id="1:a"))
    value = clean[option]

    said = {"token_audience": "https://audience.example", option: f" {value[:9]}{ZERO_WIDTH}{NBSP}{value[9:]}{NBSP}\n"}
    shown = lti.json(*custom(**said, deployment_id=f"{NBSP}1:a\N{WORD JOINER}"))

    words = option.replace("_", " ")
    assert shown["id"] == clean["id"]
    assert {**shown, "registered": "", "mended": []} == {**clean, "registered": ""}
    assert set(shown["mended"]) == {
        f"{words}: white space or invisible characters removed",
        "deployment id: white space or invisible characters removed",
    }


def test_a_slash_at_the_end_of_a_custom_issuer_is_kept_with_a_hint(lti: Lti) -> None:
    shown = lti.json(*custom(issuer="https://lms.example/"))

    assert (shown["issuer"], shown["mended"]) == ("https://lms.example/", [])
    assert "slash" in shown["hints"][0]
    assert lti.json(*custom())["hints"] == []


def test_a_slash_at_the_end_of_a_moodle_issuer_is_removed_also_among_custom_values(lti: Lti) -> None:
    shown = lti.json(*custom(issuer="https://moodle.example/", family="moodle"))

    assert (shown["issuer"], shown["mended"]) == ("https://moodle.example", ["issuer: slash at the end removed"])


@pytest.mark.parametrize(
    ("option", "path"), [("auth_url", "/lti/login"), ("token_url", "/lti/launch"), ("jwks_url", "/lti/jwks.json")]
)
def test_the_tools_own_address_is_not_taken_for_the_platforms(lti: Lti, option: str, path: str) -> None:
    status, _, err = lti(*custom(**{option: f"{TOOL_URL}{path}"}))

    assert (status, "the tool's own address" in err) == (1, True)
    assert lti.json("platform", "list") == []


@pytest.mark.parametrize(
    ("auth_url", "family"),
    [
        ("https://canvas.school.example/api/lti/authorize_redirect", "canvas"),
        ("https://school.example/lms/mod/lti/auth.php", "moodle"),
        ("https://developer.blackboard.com/api/v1/gateway/oidcauth", "blackboard"),
        ("https://school.example/d2l/lti/authenticate", "brightspace"),
        ("https://sakai.example/imsoidc/lti13/oidc_auth", "sakai"),
        ("https://edx.example/api/lti_consumer/v1/launch/", "openedx"),
        ("https://lms.example/auth", "custom"),
    ],
)
def test_a_platform_of_custom_values_keeps_its_familys_manners(lti: Lti, auth_url: str, family: str) -> None:
    shown = lti.json(*custom(auth_url=auth_url))
    said_otherwise = lti.json(*custom(auth_url=auth_url, family="custom"))

    assert (shown["family"], said_otherwise["family"]) == (family, "custom")


def test_capital_letters_in_an_issuer_are_kept_with_a_hint(lti: Lti) -> None:
    shown = lti.json(*custom(issuer="https://LMS.example"))

    assert shown["issuer"] == "https://LMS.example"
    assert "capital letters" in shown["hints"][0]


@pytest.mark.parametrize("url", ["https://sakai.example/?redirect=0", "https://sakai.example/#top", "sakai.example"])
def test_what_is_not_a_sites_url_is_refused(lti: Lti, url: str) -> None:
    status, _, err = lti("platform", "add", "sakai", "--url", url, "--client-id", "abc", "--tool-id", "7")

    assert (status, "[invalid_request]" in err) == (1, True)
    assert "LTI" not in err  # a value was typed; nobody sent a request


# --- Changes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "changed", "member", "value"),
    [
        (["--auth-url", "https://new.example/a"], "authorization_endpoint", "auth_url", "https://new.example/a"),
        (["--token-url", "https://new.example/t"], "token_endpoint", "token_url", "https://new.example/t"),
        (["--jwks-url", f"https://new.example/{NBSP}k"], "jwks_uri", "jwks_url", "https://new.example/k"),
        (["--token-audience", "urn:x"], "token_audience", "token_audience", "urn:x"),
        (["--tenant", "Other School"], "tenant", "tenant", "Other School"),
        (["--deployments", "approve"], "deployment_policy", "deployment_policy", "approve"),
        (["--family", "sakai"], "family", "family", "sakai"),
        (["--allow-anonymous"], "allow_anonymous", "allow_anonymous", True),
        (
            ["--frame-ancestor", "https://a.example", "--frame-ancestor", "https://*.b.example:444/"],
            "frame_ancestors",
            "frame_ancestors",
            ["https://a.example", "https://*.b.example:444"],
        ),
    ],
)
def test_an_update_changes_what_is_said_and_nothing_else(
    lti: Lti, words: list[str], changed: str, member: str, value: Any
) -> None:
    added = lti.json(*custom(deployment_id="1", token_audience="urn:audience"))
    before = lti.json("platform", "show", added["id"])

    updated = lti.json("platform", "update", added["id"], *words)

    assert updated["changed"] == [changed]
    assert lti.json("platform", "show", added["id"]) == {**before, member: value}


SCHOOL = "https://school.instructure.com"


def test_a_canvas_that_keeps_our_key_is_told_of_new_ones_until_that_is_taken_back(lti: Lti) -> None:
    added = lti.json(*CANVAS)

    lti.json("platform", "update", added["id"], "--push-public-key", f"{SCHOOL}/")
    pushed = lti.json("platform", "show", added["id"])["pushes_public_key_to"]
    lti.json("platform", "update", added["id"], "--no-push-public-key")

    assert (added["pushes_public_key_to"], pushed) == (None, SCHOOL)
    assert lti.json("platform", "show", added["id"])["pushes_public_key_to"] is None


@pytest.mark.parametrize("site", ["http://school.example", f"{SCHOOL}/api", "https://*.instructure.com", "school"])
def test_a_key_is_pushed_to_an_institution_only(lti: Lti, site: str) -> None:
    added = lti.json(*CANVAS)

    status, out, err = lti("platform", "update", added["id"], "--push-public-key", site)

    assert (status, out) == (1, "")
    assert "https://school.instructure.com" in err


def test_a_key_is_pushed_to_canvas_only(lti: Lti) -> None:
    added = lti.json(*custom())

    status, _, err = lti("platform", "update", added["id"], "--push-public-key", SCHOOL)

    assert (status, "family canvas" in err) == (1, True)


def test_an_update_can_take_back(lti: Lti) -> None:
    added = lti.json(*custom(token_audience="urn:x"), "--allow-anonymous")
    lti.json("platform", "update", added["id"], "--frame-ancestor", "https://a.example")

    lti.json("platform", "update", added["id"], "--token-audience", "", "--no-allow-anonymous", "--frame-ancestor", "")
    shown = lti.json("platform", "show", added["id"])

    assert shown["token_audience"] == shown["token_url"]
    assert (shown["allow_anonymous"], shown["frame_ancestors"]) == (False, [])


def test_an_update_loses_no_deployment_that_a_launch_wrote_down_meanwhile(lti: Lti) -> None:
    identity = lti.json(*CANVAS)["id"]
    operator = wiring.registrations()
    seen = operator.referred_to(identity)
    operator.add_deployment(seen, "new", DeploymentStatus.ENABLED)

    operator.put(seen)

    assert lti.json("platform", "show", identity)["deployments"] == {"new": "enabled"}


@pytest.mark.parametrize(
    "words",
    [
        ["--auth-url", "http://lms.example/a"],
        ["--token-url", "https://10.0.0.1/t"],
        ["--jwks-url", ""],
        ["--token-audience", "a\x07b"],
        ["--frame-ancestor", "https://a.example; script-src *"],
        ["--frame-ancestor", "https://a.example/path"],
        ["--frame-ancestor", "http://a.example"],
        ["--frame-ancestor", "*"],
        ["--tenant", "x" * 2000],
    ],
)
def test_a_change_that_makes_no_sense_is_refused_and_nothing_changes(lti: Lti, stack: Stack, words: list[str]) -> None:
    identity = lti.json(*custom())["id"]
    before = stack.contents()

    status, _, err = lti("platform", "update", identity, *words)

    assert (status, "[invalid_request]" in err) == (1, True)
    assert stack.contents() == before


def test_a_platform_is_disabled_and_enabled(lti: Lti) -> None:
    identity = lti.json(*custom(deployment_id="1"))["id"]

    disabled = lti.json("platform", "disable", identity)
    again = lti.json("platform", "disable", identity)
    enabled = lti.json("platform", "enable", identity)

    assert (disabled["enabled"], disabled["changed"]) == (False, ["enabled"])
    assert (again["enabled"], again["changed"]) == (False, [])
    assert (enabled["enabled"], enabled["deployments"]) == (True, {"1": "enabled"})


# --- Deployments --------------------------------------------------------------------------------------------------


def test_deployments_are_listed_approved_and_disabled(lti: Lti) -> None:
    identity = lti.json(*custom(deployment_id="1", tenant="School"))["id"]
    lti.json(*CANVAS, "--deployment-id", "a:b")

    approved = lti.json("deployment", "approve", identity, f"2{NBSP}")
    disabled = lti.json("deployment", "disable", identity, "1")

    assert (approved["before"], approved["status"]) == (None, "enabled")
    assert approved["mended"] == ["deployment id: white space or invisible characters removed"]
    assert (disabled["before"], disabled["status"]) == ("enabled", "disabled")
    listed = lti.json("deployment", "list", identity)
    assert {found["deployment_id"]: found["status"] for found in listed} == {"1": "disabled", "2": "enabled"}
    assert {(found["platform"], found["tenant"]) for found in listed} == {(identity, "School")}
    assert len(lti.json("deployment", "list")) == 3


def test_a_deployment_is_approved_under_the_very_name_that_it_waits_under(
    lti: Lti, stack: Stack, platform: Platform
) -> None:
    stack.knows(platform.registration(deployment_policy=DeploymentPolicy.APPROVE))
    Browser().launches(platform, deployment_id=" '2'")
    (waiting,) = lti.json("deployment", "list", "--pending")

    approved = lti.json("deployment", "approve", waiting["platform"], waiting["deployment_id"])

    assert (approved["before"], approved["mended"]) == ("pending", [])
    assert lti.json("deployment", "list", "--pending") == []


def test_deployments_that_wait_are_listed_over_all_platforms(lti: Lti, stack: Stack, platform: Platform) -> None:
    stack.knows(platform.registration(deployment_policy=DeploymentPolicy.APPROVE, tenant="District"))
    lti.json(*CANVAS, "--deployment-id", "a:b")
    Browser().launches(platform, deployment_id="2")

    waiting = lti.json("deployment", "list", "--pending")
    approved = lti.json("deployment", "approve", waiting[0]["platform"], "2", "--tenant", "North school")

    assert [(found["deployment_id"], found["status"], found["tenant"]) for found in waiting] == [
        ("2", "pending", "District")
    ]
    assert (approved["before"], approved["status"], approved["tenant"]) == ("pending", "enabled", "North school")
    assert lti.json("deployment", "list", "--pending") == []
    assert Browser().launches(platform, deployment_id="2").status == 200  # at once, though it was refused just before


def test_a_deployment_has_a_tenants_name_of_its_own_until_it_is_taken_back(lti: Lti) -> None:
    identity = lti.json(*custom(deployment_id="1", tenant="District"))["id"]

    named = lti.json("deployment", "rename", identity, "1", "--tenant", " North school ")
    again = lti.json("deployment", "approve", identity, "1")
    disabled = lti.json("deployment", "disable", identity, "1")
    nameless = lti.json("deployment", "rename", identity, "1", "--tenant", "")

    assert [found["tenant"] for found in (named, again, disabled)] == ["North school"] * 3
    assert (disabled["status"], nameless["status"], nameless["tenant"]) == ("disabled", "disabled", "District")
    assert [line["verb"] for line in lti.json("platform", "audit", identity)[1:]] == [
        "deployment rename",
        "deployment disable",
        "deployment rename",
    ]


@pytest.mark.parametrize("name", ["a\x07b", "x" * 2000, "\N{RIGHT-TO-LEFT OVERRIDE}x"])
def test_a_tenants_name_that_cannot_be_is_refused(lti: Lti, stack: Stack, name: str) -> None:
    identity = lti.json(*custom(deployment_id="1"))["id"]
    before = stack.contents()

    status, _, err = lti("deployment", "approve", identity, "2", "--tenant", name)

    assert (status, "[invalid_request]" in err) == (1, True)
    assert stack.contents() == before


def test_a_deployment_that_nobody_knows_is_not_renamed(lti: Lti) -> None:
    identity = lti.json(*custom(deployment_id="1"))["id"]

    status, _, err = lti("deployment", "rename", identity, "2", "--tenant", "x")

    assert (status, "[unknown_deployment]" in err) == (1, True)


# --- Files ------------------------------------------------------------------------------------------------------------


def school() -> Registration:
    """A registration with all that one can have."""
    return Registration(
        issuer="https://lms.example/",
        client_id="client 1",
        authorization_endpoint="https://lms.example/auth?x=1",
        token_endpoint="https://lms.example/token",
        jwks_uri="https://lms.example/jwks",
        token_audience="urn:audience",
        family=PlatformFamily.CANVAS,
        pushes_public_key_to="https://lms.example",
        tenant="École “X”",
        enabled=False,
        allow_anonymous=True,
        deployment_policy=DeploymentPolicy.APPROVE,
        frame_ancestors=("https://a.example", "https://*.b.example"),
        deployments={f"deployment {number:03}": list(DeploymentStatus)[number % 3] for number in range(250)},
        deployment_tenants={f"deployment {number:03}": f"Schule {number}" for number in range(0, 250, 50)},
    )


def test_what_was_exported_is_imported_as_it_was(lti: Lti, stack: Stack, tmp_path: Path) -> None:
    lti.json(*custom(deployment_id="1"))
    lti.json(*CANVAS)
    stack.knows(school())
    exported = lti.json("platform", "export")
    file = str(tmp_path / "platforms.json")
    written = lti.json("platform", "export", "--output", file)
    stack.begin_again()

    imported = lti.json("platform", "import", file)

    assert written == {"written": file, "registrations": 3}
    assert {found["registered"] for found in imported} == {"new"}
    assert lti.json("platform", "export") == exported
    assert wiring.registrations().referred_to(school().reference) == school()
    assert lti.json("deployment", "list", school().reference)[50]["tenant"] == "Schule 50"
    assert {found["registered"] for found in lti.json("platform", "import", file)} == {"unchanged"}


def test_a_file_of_an_older_version_is_imported(lti: Lti, writes: Writes) -> None:
    lti.json(*custom(deployment_id="1"))
    document = lti.json("platform", "export")
    older = {name: value for name, value in document["registrations"][0].items() if name != "deployment_tenants"}

    (imported,) = lti.json("platform", "import", writes(json.dumps({"registrations": [older]}), "platforms.json"))

    assert imported["registered"] == "unchanged"


def test_importing_replaces_what_differs(lti: Lti, writes: Writes) -> None:
    identity = lti.json(*custom(deployment_id="1"))["id"]
    document = lti.json("platform", "export")
    lti.json("deployment", "approve", identity, "2")
    lti.json("platform", "update", identity, "--tenant", "Other")

    (imported,) = lti.json("platform", "import", writes(json.dumps(document), "platforms.json"))

    assert imported["registered"] == "replaced"
    assert lti.json("platform", "export") == document


GOOD: dict[str, Any] = {
    "issuer": "https://good.example",
    "client_id": "c",
    "authorization_endpoint": "https://good.example/auth",
    "token_endpoint": "https://good.example/token",
    "jwks_uri": "https://good.example/jwks",
}
BAD: dict[str, Any] = {
    "no JSON": "{",
    "no object": "[]",
    "no registrations": {},
    "something else": {"registrations": [], "activities": []},
    "an unknown member": {"registrations": [GOOD, {**GOOD, "client_id": "d", "secret": "x"}]},
    "a missing member": {"registrations": [GOOD, {"issuer": "https://b.example"}]},
    "a number for text": {"registrations": [GOOD, {**GOOD, "client_id": 7}]},
    "text for a truth": {"registrations": [GOOD, {**GOOD, "client_id": "d", "enabled": "no"}]},
    "an unknown family": {"registrations": [GOOD, {**GOOD, "client_id": "d", "family": "webct"}]},
    "an unknown status": {"registrations": [GOOD, {**GOOD, "client_id": "d", "deployments": {"1": "on"}}]},
    "plain http": {"registrations": [GOOD, {**GOOD, "client_id": "d", "jwks_uri": "http://good.example/jwks"}]},
    "an inner address": {"registrations": [GOOD, {**GOOD, "client_id": "d", "jwks_uri": "https://169.254.169.254/"}]},
    "a name for no deployment": {"registrations": [{**GOOD, "deployment_tenants": {"1": "x"}}]},
    "an empty client id": {"registrations": [GOOD, {**GOOD, "client_id": ""}]},
    "an empty deployment id": {"registrations": [GOOD, {**GOOD, "client_id": "d", "deployments": {"": "enabled"}}]},
    "a giant deployment id": {
        "registrations": [GOOD, {**GOOD, "client_id": "d", "deployments": {"é" * 501: "enabled"}}]
    },
    "a giant address": {"registrations": [GOOD, {**GOOD, "issuer": "https://good.example/" + "x" * 2000}]},
    "a broken frame ancestor": {"registrations": [GOOD, {**GOOD, "client_id": "d", "frame_ancestors": ["*; x"]}]},
    "twice the same": {"registrations": [GOOD, GOOD]},
}


@pytest.mark.parametrize("document", BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_as_a_whole(lti: Lti, stack: Stack, writes: Writes, document: Any) -> None:
    before = stack.contents()
    file = writes(document if isinstance(document, str) else json.dumps(document), "platforms.json")

    status, out, err = lti("platform", "import", file)

    assert (status, out) == (1, "")
    assert file in err
    assert stack.contents() == before


def test_a_file_that_is_not_there_is_refused(lti: Lti, tmp_path: Path) -> None:
    assert lti("platform", "import", str(tmp_path / "none.json"))[0] == 1
    assert lti("platform", "export", "--output", str(tmp_path / "none" / "x.json"))[0] == 1


# --- Audit --------------------------------------------------------------------------------------------------------


def test_each_change_leaves_a_line_that_holds_no_values(lti: Lti, writes: Writes) -> None:
    identity = lti.json(*custom(tenant="Secret School"))["id"]
    document = lti.json("platform", "export")
    lti.json("platform", "update", identity, "--tenant", "Other", "--jwks-url", "https://new.example/k")
    lti.json("platform", "update", identity, "--tenant", "Other")
    lti.json("deployment", "approve", identity, "1:a")
    lti.json("deployment", "disable", identity, "1:a")
    lti.json("platform", "disable", identity)
    lti.json("platform", "import", writes(json.dumps(document), "platforms.json"))
    lti.json("platform", "remove", identity)

    lines = lti.json("platform", "audit", identity)

    assert [(line["verb"], line["changed"]) for line in lines[1:]] == [
        ("update", ["jwks_uri", "tenant"]),
        ("deployment approve", ["deployments/1:a"]),
        ("deployment disable", ["deployments/1:a"]),
        ("disable", ["enabled"]),
        ("import", ["jwks_uri", "tenant", "enabled", "deployments"]),
        ("remove", []),
    ]
    assert (lines[0]["verb"], lines[0]["who"]) == ("add", "local")
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert "Secret School" not in str(lines)


def test_a_platform_that_never_was_has_no_lines(lti: Lti) -> None:
    status, _, err = lti("platform", "audit", "no-such-platform")

    assert (status, "[unknown_platform]" in err) == (1, True)


@pytest.mark.parametrize(
    ("policy", "verb"),
    [(DeploymentPolicy.AUTO, "deployment enabled"), (DeploymentPolicy.APPROVE, "deployment pending")],
)
def test_a_deployment_that_a_launch_writes_down_leaves_one_line(
    lti: Lti, stack: Stack, platform: Platform, policy: DeploymentPolicy, verb: str
) -> None:
    stack.knows(platform.registration(deployment_policy=policy))
    Browser().launches(platform, deployment_id="new")
    Browser().launches(platform, deployment_id="new")
    Browser().launches(platform)

    lines = lti.json("platform", "audit", platform.registration().reference)

    assert [(line["who"], line["verb"], line["changed"]) for line in lines] == [("launch", verb, ["deployments/new"])]


@pytest.mark.usefixtures("stack")
def test_on_aws_a_line_names_the_callers_identity() -> None:
    deployed = ChosenStack(tool_url=TOOL_URL, is_local=False, environment={})

    audit.write(deployed, "add", school())

    (line,) = wiring.audit().of(school().reference)
    assert line.who.startswith(f"arn:aws:sts::{ACCOUNT}:")
