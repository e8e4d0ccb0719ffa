"""Launches without cookies: the platform's page keeps the secret, and the answer comes twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.browser import ACTIVITY, Answer, Browser
from tests.support.platform import Platform, rsa_key

FRAMED = {"sec-fetch-dest": "iframe"}


def begins_framed(browser: Browser, platform: Platform, **parameters: str) -> dict[str, Any]:
    """A framed login in a browser that keeps no cookie: what the page was told."""
    initiation = platform.initiation(ACTIVITY, **parameters)
    page = browser.get("/lti/login", initiation, headers=FRAMED)
    browser.cookies.clear()
    told: dict[str, Any] = json.loads(page.page.texts["login"])
    return told


def answers(browser: Browser, platform: Platform, told: dict[str, Any]) -> tuple[str, Answer]:
    token = platform.signs(platform.claims(told["fields"]["nonce"], ACTIVITY))
    return token, browser.comes_back(told["fields"], token)


def finishes(browser: Browser, told: dict[str, Any], token: str, secret: str) -> Answer:
    form = {"state": told["fields"]["state"], "id_token": token, "storage_secret": secret}
    return browser.post("/lti/launch/finish", form)


def test_what_lay_in_the_platforms_storage_opens_the_launch(platform: Platform, browser: Browser) -> None:
    told = begins_framed(browser, platform, lti_storage_target="post_message_forwarding")

    token, asked = answers(browser, platform, told)
    opened = finishes(browser, told, token, told["storage"]["value"])

    assert told["storage"]["origin"] == platform.url  # that of the authorization endpoint
    assert told["storage"]["frame"] == "post_message_forwarding"
    assert "session" not in asked.body
    assert opened.launch["landing"] == "/app/activity"


def test_a_rotation_in_between_does_not_disturb(platform: Platform, browser: Browser) -> None:
    Browser().launches(platform)  # the keys are known from before
    told = begins_framed(browser, platform, lti_storage_target="_parent")
    platform.key = rsa_key("platform-next")
    platform.published.append(platform.public_jwk(platform.key))

    token, asked = answers(browser, platform, told)
    opened = finishes(browser, told, token, told["storage"]["value"])

    assert (asked.status, opened.status) == (200, 200)


@pytest.mark.parametrize("secret", ["guessed", "0", " "])
def test_another_secret_opens_nothing_and_spends_nothing(platform: Platform, browser: Browser, secret: str) -> None:
    told = begins_framed(browser, platform, lti_storage_target="_parent")
    token, _ = answers(browser, platform, told)

    refused = finishes(browser, told, token, secret)

    assert (refused.status, refused.code) == (401, "storage_proof_wrong")
    assert finishes(browser, told, token, told["storage"]["value"]).status == 200


def test_without_storage_a_cookie_is_the_only_proof(platform: Platform, browser: Browser) -> None:
    told = begins_framed(browser, platform)

    token, asked = answers(browser, platform, told)
    forged = finishes(browser, told, token, "guessed")

    assert told["storage"] is None
    assert (asked.status, asked.code) == (401, "browser_mismatch")
    assert (forged.status, forged.code) == (401, "storage_proof_wrong")


def test_a_window_of_our_own_begins_with_the_same_initiation(platform: Platform, browser: Browser) -> None:
    told = begins_framed(browser, platform)

    again = browser.post("/lti/login", [(name, value) for name, value in told["again"]])
    page = json.loads(again.page.texts["login"])

    given = platform.initiation(ACTIVITY)
    assert dict(told["again"]) == {**given, "lti_storage_target": "_opener"}
    assert page["storage"]["origin"] == "https://tool.example"
    assert page["storage"]["frame"] == "_opener"


@pytest.mark.parametrize("length", [2500, 60_000])
def test_a_question_too_long_for_an_address_is_posted(platform: Platform, browser: Browser, length: int) -> None:
    answer = browser.post("/lti/login", platform.initiation(ACTIVITY, lti_message_hint="x" * length))

    assert answer.status == 200
    assert answer.page.action == f"{platform.url}/auth"
    assert answer.page.fields["lti_message_hint"] == "x" * length
