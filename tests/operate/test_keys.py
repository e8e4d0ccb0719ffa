"""`lti keys`: what an operator types and sees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import boto3
import pytest

from lti_tool.domain.registration import PlatformFamily
from lti_tool.runtime import wiring
from tests.operate.conftest import Lti
from tests.support.browser import Browser, handler
from tests.support.platform import Platform, serving
from tests.support.stack import REGION, Stack, forget

LMS = Platform(url="https://lms.example", issuer="https://lms.example", client_id="c")


def published(browser: Browser) -> list[str]:
    wiring.key_publisher.cache_clear()
    return [key["kid"] for key in browser.get("/lti/jwks.json").json()["keys"]]


def test_a_new_stack_signs_with_its_first_key(lti: Lti, stack: Stack) -> None:
    before = stack.contents()

    (key,) = lti.json("keys", "list")

    assert (key["state"], key["then"], key["key_id"]) == ("signing", "signs now", stack.environment["SIGNING_KEY_ID"])
    assert stack.contents() == before


def test_a_rotation_publishes_a_key_that_signs_a_day_later(lti: Lti, browser: Browser) -> None:
    new = lti.json("keys", "rotate")

    old, listed = lti.json("keys", "list")
    assert (old["state"], listed["state"]) == ("signing", "published")
    assert listed["kid"] == new["kid"]
    assert (new["state"], new["warning"]) == ("published", None)
    assert (datetime.fromisoformat(new["then"].split()[-1]) - datetime.now(UTC)).total_seconds() > 86_000
    assert published(browser) == [old["kid"], new["kid"]]


def test_what_there_is_none_of_is_a_dash_for_a_reader(lti: Lti) -> None:
    _, said, _ = lti("keys", "rotate")

    assert "warning: -" in said
    assert "None" not in said


def test_a_second_rotation_is_refused(lti: Lti) -> None:
    lti.json("keys", "rotate")

    status, _, said = lti("keys", "rotate")

    assert (status, "[rotation_under_way]" in said, "lti keys list" in said) == (1, True, False)
    assert len(lti.json("keys", "list")) == 2


def test_a_rotation_at_once_says_who_may_not_know_the_key_yet(lti: Lti, stack: Stack) -> None:
    canvas = Platform(url="https://canvas.example", issuer="https://canvas.example", client_id="c")
    stack.knows(LMS.registration(), canvas.registration(family=PlatformFamily.CANVAS))

    new = lti.json("keys", "rotate", "--now-after", "0")

    assert new["state"] == "signing"
    assert "lms.example" in new["warning"]
    assert "canvas.example" not in new["warning"]


@pytest.mark.parametrize("hours", ["-1", "soon", "1.5", "10000"])
def test_hours_are_a_whole_number(lti: Lti, hours: str) -> None:
    status, _, _ = lti("keys", "rotate", f"--now-after={hours}")

    assert status == 2


def test_a_revoked_key_is_gone_at_once_and_another_signs(lti: Lti, browser: Browser, stack: Stack) -> None:
    (old,) = lti.json("keys", "list")

    said = lti.json("keys", "revoke", f"--kid={old['kid']}")

    assert said["revoked"] == old["kid"]
    assert said["warning"] is not None
    assert published(browser) == [said["signing"]] != [old["kid"]]
    state = boto3.client("kms", REGION).describe_key(KeyId=stack.environment["SIGNING_KEY_ID"])["KeyMetadata"]
    assert state["KeyState"] == "Disabled"
    assert browser.get("/health").status == 200


def test_an_unknown_kid_is_refused(lti: Lti) -> None:
    status, _, said = lti("keys", "revoke", "nonsense")

    assert (status, "[unknown_signing_key]" in said) == (1, True)


def test_who_did_it_stands_in_the_audit(lti: Lti, browser: Browser) -> None:
    lti.json("keys", "rotate")

    handler("keys")({}, None)

    lines = lti.json("keys", "audit")
    assert [(line["who"], line["verb"]) for line in lines] == [
        ("local", "keys adopt"),
        ("local", "keys rotate"),
        ("local", "keys publish"),
    ]
    assert lines[-1]["keys"] == [published(browser)[-1]]


def test_the_function_says_how_old_the_key_is(stack: Stack, browser: Browser) -> None:
    fresh = handler("keys")({}, None)
    browser.get("/lti/jwks.json")

    adopted = handler("keys")({}, None)

    assert fresh == adopted == {"states": ["signing"], "age_days": 0}
    assert wiring.key_rotation().ring().version == 1
    assert stack.environment["SIGNING_KEY_ID"] == wiring.key_rotation().ring().keys[0].key_id


def test_a_canvas_that_keeps_our_key_is_named_until_it_has_the_one_that_signs(
    lti: Lti, stack: Stack, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.get("/lti/jwks.json")
    told, start = [], datetime.now(UTC)
    with serving() as canvas:
        stack.knows(canvas.registration(family=PlatformFamily.CANVAS, pushes_public_key_to=canvas.url, tenant="North"))
        for hours in (0, 1):
            monkeypatch.setattr(wiring, "now", lambda now=start + timedelta(hours=hours): now)
            forget(but=("_dynamodb", "_kms"))
            handler("keys")({}, None)
            told.append([name.split()[0] for name in lti.json("keys", "list")[0].get("not_yet_at", [])])
        revoked = lti.json("keys", "revoke", f"--kid={lti.json('keys', 'list')[0]['kid']}")

    assert told == [["North"], []]
    assert [name.split()[0] for name in revoked["not_yet_at"]] == ["North"]
