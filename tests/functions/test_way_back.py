"""A refusal whose signature was right offers the platform's own way back; a forged one offers nothing."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.browser import ACTIVITY, Answer, Browser
from tests.support.platform import ABSENT, FromNow, Platform, rsa_key

RETURN = "https://platform.example/courses/1?from=tool"
PRESENTATION = {"return_url": RETURN}


def way_back(answer: Answer) -> dict[str, list[str]] | None:
    """The query of the link back; `None` without one."""
    start = answer.body.find('href="')
    if start < 0:
        return None
    address = answer.body[start + 6 : answer.body.index('"', start + 6)].replace("&amp;", "&")
    assert address.startswith("https://platform.example/courses/1?")
    return parse_qs(urlsplit(address).query)


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": FromNow() - 600, "iat": FromNow() - 900},
        {"aud": "another-tool"},
        {"message_type": "Nope"},
        {"roles": ABSENT},
        {"sub": ABSENT},
        {"target_link_uri": "https://elsewhere.example/"},
        {"deployment_id": "unknown"},
    ],
    ids=["expired", "for another tool", "unknown message", "no roles", "no user", "elsewhere", "unknown place"],
)
def test_a_signed_launch_that_is_refused_leads_back_with_a_message(
    platform: Platform, browser: Browser, changed: dict[str, Any]
) -> None:
    answer = browser.launches(platform, presentation=PRESENTATION, **changed)

    told = way_back(answer)

    assert told is not None
    assert told["from"] == ["tool"]
    assert f"<h1>{escape(told['lti_errormsg'][0])}</h1>" in answer.body
    assert told["lti_errorlog"] == [f"{answer.code} {answer.page.texts['support-id']}"]


def test_a_forged_launch_leads_nowhere(platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform)
    kid = platform.key.kid
    platform.key = rsa_key("attacker")
    forged = platform.signs(platform.claims(question["nonce"], ACTIVITY, presentation=PRESENTATION), kid=kid)

    answer = browser.comes_back(question, forged)

    assert answer.code == "bad_signature"
    assert way_back(answer) is None
