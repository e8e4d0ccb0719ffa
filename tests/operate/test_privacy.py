"""`lti privacy`: all that is held of one person, no more and no less, and its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lti_tool.runtime import wiring
from tests.operate.conftest import Lti
from tests.support.browser import Browser
from tests.support.platform import INSTRUCTOR, LTI, Platform
from tests.support.stack import Stack

ADA, BEN = "user-7f31", "user-9c02"


def hands_in(platform: Platform, browser: Browser, user: str) -> None:
    launched = browser.launches(platform, sub=user, name=f"Name of {user}", email=f"{user}@school.example")
    answer = browser.send("POST", "/api/attempt", document={"answers": {}}, token=launched.launch["session"])
    assert answer.status == 201


def person(platform: Platform, user: str) -> tuple[str, ...]:
    return ("--issuer", platform.issuer, "--user", user)


def test_all_that_is_held_of_a_person_is_exported_without_our_secrets(
    lti: Lti, platform: Platform, browser: Browser
) -> None:
    hands_in(platform, browser, ADA)
    hands_in(platform, browser, BEN)

    exported = lti.json("privacy", "export", *person(platform, ADA))

    assert {item["kind"] for item in exported} >= {"attempt", "score", "session"}
    text = json.dumps(exported)
    assert f"Name of {ADA}" in text
    assert BEN not in text
    assert not {"session_secret", "nonce", "browser"} & {name for item in exported for name in item}


def test_what_is_erased_is_gone_and_everyone_elses_stays(
    lti: Lti, stack: Stack, platform: Platform, browser: Browser
) -> None:
    hands_in(platform, browser, ADA)
    before_ben = stack.contents()
    hands_in(platform, browser, BEN)
    added_by_ben = {key for table, items in stack.contents().items() for key in items.keys() - before_ben[table].keys()}

    erased = lti.json("privacy", "erase", *person(platform, ADA))

    assert erased["attempt"] == erased["score"] == erased["session"] == 1
    assert lti.json("privacy", "export", *person(platform, ADA)) == []
    assert ADA not in json.dumps(stack.contents())
    left = {key for items in stack.contents().values() for key in items}
    assert added_by_ben <= left


def test_a_person_whom_the_platform_knows_by_a_number_is_found(lti: Lti, platform: Platform, browser: Browser) -> None:
    browser.launches(platform, sub=4711)

    exported = lti.json("privacy", "export", *person(platform, "4711"))

    assert [item["kind"] for item in exported] == ["session"]


def test_the_session_of_staff_who_look_at_a_persons_work_is_part_of_it_and_staff_is_not(
    lti: Lti, stack: Stack, platform: Platform, browser: Browser
) -> None:
    about_ada = {"user_id": ADA, "name": "Ada Adams", "email": "adams@school.example"}
    review: dict[str, Any] = {"message_type": "LtiSubmissionReviewRequest", LTI + "for_user": about_ada}
    browser.launches(platform, sub="teacher-1", name="Tim Teacher", roles=[INSTRUCTOR], **review)

    exported = lti.json("privacy", "export", *person(platform, ADA))
    kept = json.dumps(stack.contents())
    erased = lti.json("privacy", "erase", *person(platform, ADA))

    assert [(item["kind"], item["claims"]) for item in exported] == [("review", {LTI + "for_user": {"user_id": ADA}})]
    assert "teacher-1" not in json.dumps(exported)
    assert "Tim Teacher" not in json.dumps(exported)
    assert "Ada Adams" not in kept
    assert "adams@" not in kept
    assert erased["review"] == 1
    assert ADA not in json.dumps(stack.contents())


def test_the_same_id_at_another_platform_is_somebody_else(
    lti: Lti, stack: Stack, platform: Platform, browser: Browser
) -> None:
    hands_in(platform, browser, ADA)
    other = platform.registration(issuer="https://other.example")
    stack.knows(other)

    assert lti.json("privacy", "export", "--issuer", other.issuer, "--user", ADA) == []
    lti.json("privacy", "erase", "--issuer", other.issuer, "--user", ADA)
    assert lti.json("privacy", "export", *person(platform, ADA)) != []


def test_a_removed_platform_is_still_searched_when_it_is_named_whole(
    lti: Lti, platform: Platform, browser: Browser
) -> None:
    hands_in(platform, browser, ADA)
    wiring.registrations().remove(platform.registration())

    status, _, err = lti("privacy", "erase", *person(platform, ADA))
    erased = lti.json("privacy", "erase", *person(platform, ADA), "--client-id", platform.client_id)

    assert (status, "--client-id" in err) == (1, True)
    assert erased["attempt"] == 1


def test_each_request_is_written_down_without_the_person(lti: Lti, platform: Platform, browser: Browser) -> None:
    hands_in(platform, browser, ADA)

    lti.json("privacy", "export", *person(platform, ADA))
    lti.json("privacy", "erase", *person(platform, ADA))

    lines = lti.json("platform", "audit", platform.registration().reference)
    assert [line["verb"] for line in lines] == ["privacy export", "privacy erase"]
    assert ADA not in json.dumps(lines)


def test_an_export_may_go_to_a_file(lti: Lti, platform: Platform, browser: Browser, tmp_path: Path) -> None:
    hands_in(platform, browser, ADA)

    said = lti.json("privacy", "export", *person(platform, ADA), "--output", str(tmp_path / "ada.json"))

    assert len(json.loads((tmp_path / "ada.json").read_text())) == said["items"] > 0
