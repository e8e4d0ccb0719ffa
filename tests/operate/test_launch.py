"""`lti launch trace`: the story of a login or a launch, by the id that a person reads out."""

from __future__ import annotations

from tests.operate.conftest import Lti
from tests.support.browser import ACTIVITY, Browser
from tests.support.platform import Platform, rsa_key


def test_a_refused_launch_tells_how_far_it_came_and_what_failed(lti: Lti, platform: Platform, browser: Browser) -> None:
    refused = browser.launches(platform, aud="another-tool")

    trace = lti.json("launch", "trace", refused.page.texts["support-id"])

    assert (trace["door"], trace["code"]) == ("launch", "wrong_audience")
    assert [passed["step"] for passed in trace["passed"]] == ["registration_found", "key_found"]
    assert trace["evidence"] == {"expected": "client-1", "received": "another-tool"}


def test_an_accepted_launch_tells_its_story_by_its_launch_id(lti: Lti, platform: Platform, browser: Browser) -> None:
    session = browser.launches(platform).launch["session"]

    status, out, _ = lti("launch", "trace", session.split(".")[0])

    assert status == 0
    assert "the deployment is served" in out
    assert out.rstrip().endswith("the launch became a session")


def test_a_story_holds_no_secret_and_nothing_personal(lti: Lti, platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform)
    claims = platform.claims(question["nonce"], ACTIVITY)
    token = platform.signs(claims)
    platform.key = rsa_key("attacker")
    forged = platform.signs(claims, kid=platform.published[0]["kid"])
    support_id = browser.comes_back(question, forged).page.texts["support-id"]
    opened = browser.comes_back(question, token).launch["session"]

    stories = "".join(lti("launch", "trace", name)[1] for name in (support_id, opened.split(".")[0]))

    secrets = [question["nonce"], question["state"], token, forged, opened, *browser.cookies.values()]
    assert not any(secret in stories for secret in [*secrets, "Ada Example", "ada@school.example", "user-1"])


def test_an_unknown_support_id_is_said_to_be_unknown(lti: Lti, platform: Platform) -> None:  # noqa: ARG001
    status, _, err = lti("launch", "trace", "0123456789ab")

    assert status == 1
    assert "[unknown_trace]" in err
