"""What every answer has in common: methods, headers, the two forms of a refusal."""

from __future__ import annotations

import pytest
from joserfc.jwk import RSAKey

from tests.support.browser import ACTIVITY, Browser, handler
from tests.support.fixtures import Logged
from tests.support.platform import Platform
from tests.support.stack import Stack, forget, template

pytestmark = pytest.mark.usefixtures("stack")

DOORS = {
    "/lti/login": "GET, POST",
    "/lti/launch": "POST",
    "/lti/launch/finish": "POST",
    "/lti/jwks.json": "GET",
    "/health": "GET",
    "/lti/deeplink": "POST",
    "/lti/canvas.json": "GET",
    "/lti/register": "GET, POST",
    "/lti/echo/token": "POST",
    "/app/activity": "GET",
    "/app/tool.css": "GET",
    "/api/session": "GET",
    "/api/catalogue": "GET",
    "/api/activity": "GET",
    "/api/attempt": "POST",
    "/api/marks": "GET",
    "/api/review": "GET",
    "/api/binding": "PUT",
    "/api/departure": "POST",
    "/api/scores": "POST",
    "/api/scores/an-id": "GET",
    "/api/launches/a-code": "GET",
}


def test_every_route_of_the_template_is_among_the_doors_that_are_walked() -> None:
    functions = (resource for resource in template()["Resources"].values() if "Function" in resource["Type"])
    events = [event for function in functions for event in function["Properties"].get("Events", {}).values()]
    routes = {event["Properties"]["Path"] for event in events if event["Type"] == "HttpApi"}

    def is_walked(route: str) -> bool:
        start, greedy, _ = route.partition("{")
        return any(path.startswith(start) if greedy else path == route for path in DOORS)

    assert [route for route in routes - {"$default"} if not is_walked(route)] == []


def policy_of(header: str) -> dict[str, list[str]]:
    directives = (part.split() for part in header.split(";"))
    return {name: values for name, *values in directives}


@pytest.mark.parametrize(
    ("path", "method"),
    [
        (path, method)
        for path, allowed in DOORS.items()
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH")
        if method not in allowed.split(", ")
    ],
)
def test_other_methods_are_refused_with_those_that_are_answered(
    stack: Stack, browser: Browser, path: str, method: str
) -> None:
    before = stack.contents()

    answer = browser.send(method, path)

    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert set(DOORS[path].split(", ")) <= set(answer.headers["allow"].split(", "))
    assert stack.contents() == before


@pytest.mark.parametrize("path", DOORS)
def test_options_says_which_methods_are_answered(browser: Browser, path: str) -> None:
    answer = browser.send("OPTIONS", path)

    expected = {*DOORS[path].split(", "), "OPTIONS"} | ({"HEAD"} if "GET" in DOORS[path] else set())
    assert (answer.status, answer.body) == (204, "")
    assert set(answer.headers["allow"].split(", ")) == expected


@pytest.mark.parametrize("path", ["/", "/app", "/app/", "/app/../app.py", "/app/.py", "/lti", "/api/", "/favicon.ico"])
def test_there_is_nothing_elsewhere(browser: Browser, path: str) -> None:
    answer = browser.get(path)

    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("path", ["/lti/jwks.json", "/health", "/app/activity", "/app/tool.js"])
def test_head_is_get_without_a_body(browser: Browser, path: str) -> None:
    get, head = browser.get(path), browser.send("HEAD", path)

    assert (head.status, head.body) == (200, "")
    assert {**head.headers, "date": ""} == {**get.headers, "date": ""}


@pytest.mark.parametrize("path", [*DOORS, "/nowhere"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_answer_carries_the_security_headers(browser: Browser, path: str, method: str) -> None:
    answer = browser.send(method, path)

    policy = policy_of(answer.headers["content-security-policy"])
    assert policy["default-src"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    assert "frame-ancestors" in policy
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    if path not in {"/lti/jwks.json", "/app/activity", "/app/tool.css"} or answer.status != 200:
        assert answer.headers["cache-control"] == "no-store"


def test_only_the_platforms_own_origins_frame_a_launch(platform: Platform, browser: Browser) -> None:
    answer = browser.launches(platform, presentation={"return_url": "https://campus.lms.example/course/1"})

    policy = policy_of(answer.headers["content-security-policy"])
    assert set(policy["frame-ancestors"]) == {
        "'self'",
        "https://platform.example",
        platform.url,
        "https://campus.lms.example",
    }
    (script,) = policy["script-src"]
    nonce = script.removeprefix("'nonce-").removesuffix("'")
    assert f'nonce="{nonce}"' in answer.body


def test_a_picker_is_framed_by_whoever_takes_its_answer(platform: Platform, browser: Browser) -> None:
    settings = {"deep_link_return_url": "https://campus.lms.example/links", "accept_types": ["ltiResourceLink"]}

    answer = browser.opens_picker(platform, settings=settings)

    assert "https://campus.lms.example" in policy_of(answer.headers["content-security-policy"])["frame-ancestors"]


def test_each_page_has_a_script_nonce_of_its_own(platform: Platform) -> None:
    policies = {
        Browser().launches(platform).headers["content-security-policy"].partition("nonce-")[2] for _ in range(3)
    }

    assert len(policies) == 3


def test_a_launch_puts_no_credential_into_an_address(platform: Platform, browser: Browser) -> None:
    answer = browser.launches(platform)

    assert "location" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert answer.launch["landing"] == "/app/activity"


@pytest.mark.parametrize(
    ("accept", "is_problem"),
    [
        ("application/problem+json", True),
        ("application/json", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("text/html, application/json", False),
        ("*/*", False),
        (None, False),
    ],
)
def test_a_refusal_is_a_page_or_a_problem_as_asked(
    platform: Platform, browser: Browser, accept: str | None, is_problem: bool
) -> None:
    headers = {"accept": accept} if accept else {}

    answer = browser.get("/lti/login", platform.initiation(ACTIVITY, iss="https://unknown.example"), headers=headers)

    assert (answer.status, answer.code) == (403, "unknown_platform")
    if is_problem:
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(problem) >= {"type", "title", "status", "code", "detail", "support_id"}
        assert problem["status"] == 403
        assert problem["title"]
        assert problem["detail"]
    else:
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.page.texts["support-id"]


def test_what_pages_call_answers_with_problems_always(browser: Browser) -> None:
    answer = browser.get("/api/session", headers={"accept": "text/html"})

    assert answer.headers["content-type"] == "application/problem+json"


def test_our_own_fault_shows_nothing_of_itself(logged: Logged) -> None:
    answer = handler("login")({"requestContext": {"http": {"method": "GET"}}, "rawPath": "/secret"}, None)

    assert answer["statusCode"] == 500
    assert "internal_error" in answer["body"]
    assert "KeyError" not in answer["body"]
    lines = logged()
    assert '"error":"KeyError"' in lines
    assert "/secret" not in lines


def test_the_key_set_is_public_and_of_one_kind(browser: Browser) -> None:
    answer = browser.get("/lti/jwks.json")

    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}
    assert (key["kty"], key["use"], key["alg"], key["e"]) == ("RSA", "sig", "RS256", "AQAB")
    assert "=" not in key["n"]
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["cache-control"] == "public, max-age=300"


def test_the_name_of_our_key_is_its_thumbprint(browser: Browser) -> None:
    (key,) = browser.get("/lti/jwks.json").json()["keys"]

    assert RSAKey.import_key({name: key[name] for name in ("kty", "n", "e")}).thumbprint() == key["kid"]


def test_health_is_good_while_the_tables_answer(browser: Browser) -> None:
    assert (browser.get("/health").status, browser.get("/health").json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("variable", ["REGISTRATIONS_TABLE", "LAUNCHES_TABLE", "RECORDS_TABLE"])
def test_health_is_bad_when_a_table_does_not_answer(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "NoSuchTable")
    forget()

    answer = browser.get("/health", headers={"accept": "application/json"})

    assert (answer.status, answer.code) == (503, "store_unavailable")


def test_a_page_that_has_not_changed_is_not_sent_again(browser: Browser) -> None:
    first = browser.get("/app/tool.js")

    again = browser.get("/app/tool.js", headers={"if-none-match": first.headers["etag"]})

    assert (again.status, again.body) == (304, "")
