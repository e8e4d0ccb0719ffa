"""Several regions, one tool: a launch that belongs to another region's address, and where each thing stays."""

from __future__ import annotations

from collections import Counter
from typing import Any

import jwt
import pytest

from lti_tool.domain import claims as names
from lti_tool.domain.region import Region
from lti_tool.runtime import settings, wiring
from tests.support.browser import Browser
from tests.support.platform import Platform
from tests.support.stack import TOOL_URL

ELSEWHERE = "https://au.tool.example"
LINK = f"{ELSEWHERE}/activities/photosynthesis"


@pytest.fixture(autouse=True)
def another_region(platform: Platform) -> None:  # noqa: ARG001 - in the stack that it stands in
    wiring.regions().put(Region(name="ap-southeast-2", base_url=ELSEWHERE, keys=({"kid": "au"},)))


def test_a_link_to_another_region_opens_here(platform: Platform, browser: Browser) -> None:
    opened = browser.launches(platform, LINK)

    session = browser.get("/api/activity", token=opened.launch["session"]).json()
    assert opened.status == 200
    assert session["activity"]["id"] == "photosynthesis"


def test_the_answer_comes_to_the_region_that_asked(platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform, LINK, canvas_region="ap-southeast-2")

    assert question["redirect_uri"] == f"{TOOL_URL}/lti/launch"


@pytest.mark.parametrize("region", ["eu-west-1", "ap-southeast-2", "not_configured", "unknown", "nowhere"])
def test_a_login_is_answered_where_it_arrives_whatever_region_it_names(
    platform: Platform, browser: Browser, region: str
) -> None:
    question = browser.begins_login(platform, LINK, canvas_region=region)

    opened = browser.comes_back(question, platform.signs(platform.claims(question["nonce"], LINK)))

    assert opened.status == 200


@pytest.mark.parametrize(
    ("environment", "goes_elsewhere"), [("beta", True), ("prod", False), ("production", False), ("test", False)]
)
def test_canvas_beta_is_served_by_the_instance_that_is_named_for_it(
    platform: Platform, browser: Browser, monkeypatch: pytest.MonkeyPatch, environment: str, goes_elsewhere: bool
) -> None:
    monkeypatch.setenv("BETA_TOOL_URL", "https://beta.tool.example/")
    settings.settings.cache_clear()

    answer = browser.post("/lti/login", platform.initiation(LINK, canvas_environment=environment))

    assert answer.status == (
        307 if goes_elsewhere else 302
    )  # 307: the form goes along, nothing was asked of Canvas yet
    assert answer.headers["location"].startswith("https://beta.tool.example/lti/login") is goes_elsewhere
    assert bool(answer.cookies) is not goes_elsewhere


@pytest.mark.parametrize(
    "foreign", ["https://elsewhere.example", "http://au.tool.example", f"{ELSEWHERE}.evil.example"]
)
def test_a_link_to_where_no_region_is_opens_nowhere(platform: Platform, browser: Browser, foreign: str) -> None:
    refused = browser.launches(platform, f"{foreign}/activities/photosynthesis")

    assert (refused.status, refused.code) == (400, "foreign_target_link_uri")


def test_a_warm_launch_of_another_regions_link_reads_nothing(platform: Platform, browser: Browser) -> None:
    browser.launches(platform, LINK)
    question = browser.begins_login(platform, LINK)
    token = platform.signs(platform.claims(question["nonce"], LINK))
    asked: Counter[str] = Counter()
    events = wiring._dynamodb().meta.events

    def count(model: Any, **_: Any) -> None:
        asked[model.name] += 1

    events.register("before-call", count, unique_id="regions")
    try:
        answer = browser.comes_back(question, token)
    finally:
        events.unregister("before-call", unique_id="regions")

    assert answer.status == 200
    assert asked == {"UpdateItem": 1}


def test_chosen_items_are_at_the_host_that_the_platform_knows(platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform, f"{ELSEWHERE}/lti/launch")
    token = platform.signs(platform.deep_linking_claims(question["nonce"], f"{ELSEWHERE}/lti/launch"))
    session = browser.comes_back(question, token).launch["session"]

    page = browser.post("/lti/deeplink", {"session": session, "activity": "photosynthesis"}).page

    claims = jwt.decode(page.fields["JWT"], options={"verify_signature": False})
    assert [item["url"] for item in claims[names.CONTENT_ITEMS]] == [LINK]
