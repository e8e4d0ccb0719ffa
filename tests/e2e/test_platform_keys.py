"""A platform changes its keys, or hides them, while people launch."""

from __future__ import annotations

from tests.support.browser import ACTIVITY, Browser
from tests.support.platform import Platform, Reply, rsa_key


def launches(platform: Platform, times: int) -> set[int]:
    return {Browser().launches(platform).status for _ in range(times)}


def test_a_thousand_launches_survive_a_rotation_with_three_requests_for_keys_at_most(platform: Platform) -> None:
    before = launches(platform, 500)
    platform.key = rsa_key("platform-next")
    platform.published.append(platform.public_jwk(platform.key))
    after = launches(platform, 500)

    assert before == after == {200}
    assert len(platform.requests_to("/jwks")) <= 3


def test_launches_go_on_while_the_key_set_is_down(platform: Platform) -> None:
    launches(platform, 1)
    platform.will_answer("/jwks", *[Reply(status=503)] * 1000)

    assert launches(platform, 20) == {200}


def test_a_thousand_forged_key_names_make_one_request_for_keys_at_most(platform: Platform) -> None:
    launches(platform, 1)
    asked_before = len(platform.requests_to("/jwks"))
    browser = Browser()
    question = browser.begins_login(platform)

    answers = {
        browser.comes_back(
            question, platform.signs(platform.claims(question["nonce"], ACTIVITY), kid=f"forged-{n}")
        ).code
        for n in range(1000)
    }

    assert answers == {"unknown_kid"}
    assert len(platform.requests_to("/jwks")) - asked_before <= 1


def test_a_forged_key_name_from_another_browser_makes_no_request_for_keys(platform: Platform) -> None:
    launches(platform, 1)
    asked_before = len(platform.requests_to("/jwks"))
    question = Browser().begins_login(platform)
    forged = platform.signs(platform.claims(question["nonce"], ACTIVITY), kid="forged")
    stranger = Browser(cookies={f"__Host-lti-{question['state'][:12]}": "0.guessed"})

    assert stranger.comes_back(question, forged).code == "browser_mismatch"
    assert len(platform.requests_to("/jwks")) == asked_before
