"""Launches that go wrong on demand: each fault spoils what it names and nothing else."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import requests
from joserfc.errors import JoseError

from local.campus import tokens
from local.campus import vocabulary as v
from local.campus.faults import WRONG
from tests.campus.stand_in import CAMPUS_URL, Clock, Visitor, form_of


def spoiled(visitor: Visitor, **fault: Any) -> dict[str, Any]:
    visitor.control("faults", {"platform": visitor.slug, "launch": fault})
    return visitor.launched()


@pytest.mark.parametrize("wrong", sorted(name for name, value in WRONG.items() if value))
def test_one_claim_is_wrong_and_the_others_are_right(platform: Visitor, wrong: str) -> None:
    right = platform.launched()

    claims = spoiled(platform, wrong=wrong)

    name = v.claim(wrong)
    assert claims[name] == WRONG[wrong] != right.get(name)
    kept = {"iss", "aud", "sub", "nonce", v.LTI + "deployment_id", v.LTI + "message_type", v.LTI + "version"} - {name}
    assert {other: claims[other] for other in kept} == {other: right[other] for other in kept}


def test_a_wrong_signature_has_the_right_kid(platform: Visitor) -> None:
    platform.control("faults", {"launch": {"wrong": "signature"}})
    fields = platform.begins()

    token = form_of(platform.asks(fields))["id_token"]

    assert tokens.header_of(token)["kid"] == platform.profile.keys.current.kid
    with pytest.raises(tokens.BadTokenError):
        tokens.verified(token, platform.profile.keys.jwks())


def test_an_unknown_kid_is_another_one_each_time(platform: Visitor) -> None:
    platform.control("faults", {"launch": {"unknown_kid": True}})

    kids = {tokens.header_of(form_of(platform.asks(platform.begins()))["id_token"])["kid"] for _ in range(3)}

    assert len(kids) == 3
    assert not kids & {key["kid"] for key in platform.profile.keys.jwks()["keys"]}


def test_an_expired_token_was_good_for_a_minute(platform: Visitor, clock: Clock) -> None:
    claims = spoiled(platform, expired=True)

    assert claims["exp"] == int(clock.time) - 300
    assert claims["iat"] == claims["exp"] - 60


@pytest.mark.parametrize("seconds", [90, -90])
def test_a_skewed_clock_moves_both_times(platform: Visitor, seconds: int) -> None:
    right = platform.launched()

    claims = spoiled(platform, clock_skew_seconds=seconds)

    assert claims["iat"] == right["iat"] + seconds
    assert claims["exp"] == right["exp"] + seconds


def test_missing_claims_are_named_short_or_in_full(platform: Visitor) -> None:
    names = ["sub", "nonce", "roles", "resource_link", "deployment_id", "message_type", "version", v.NRPS, "endpoint"]

    claims = spoiled(platform, missing=names)

    assert not {v.claim(name) for name in names} & claims.keys()
    assert v.LTI + "context" in claims


def test_an_error_comes_with_the_state_and_without_a_token(platform: Visitor) -> None:
    platform.control("faults", {"launch": {"error": "login_required"}})

    answer = form_of(platform.asks(platform.begins()))

    assert answer["error"] == "login_required"
    assert answer["state"] == "the-state"
    assert "id_token" not in answer


def test_several_things_go_wrong_at_once(platform: Visitor) -> None:
    claims = spoiled(platform, wrong="aud", missing=["roles"])

    assert claims["aud"] == WRONG["aud"]
    assert v.LTI + "roles" not in claims


def test_a_launch_fault_wears_off(platform: Visitor) -> None:
    platform.control("faults", {"platform": platform.slug, "launch": {"wrong": "nonce", "count": 2}})

    nonces = [platform.launched()["nonce"] for _ in range(3)]

    assert nonces == [WRONG["nonce"], WRONG["nonce"], "the-nonce"]
    assert platform.control("faults")[platform.slug]["launch"] is None


def test_a_launch_that_fails_by_itself_does_not_wear_a_fault_off(platform: Visitor) -> None:
    platform.control("faults", {"launch": {"wrong": "nonce", "count": 1}})

    platform.asks(platform.begins(), scope="everything")

    assert platform.launched()["nonce"] == WRONG["nonce"]


@pytest.mark.parametrize("nothing", [None, False, {}, {"wrong": None, "missing": []}])
def test_a_launch_fault_ends_when_it_is_set_to_nothing(platform: Visitor, nothing: Any) -> None:
    platform.control("faults", {"launch": {"wrong": "nonce"}})

    platform.control("faults", {"launch": nothing})

    assert platform.launched()["nonce"] == "the-nonce"


@pytest.mark.parametrize(
    "fault",
    [
        "expired",
        {"wrong": "everything"},
        {"missing": "sub"},
        {"clock_skew_seconds": "an hour"},
        {"error": 7},
        {"late": True},
        {"wrong": "aud", "count": -1},
    ],
)
def test_a_launch_fault_that_makes_no_sense_is_refused(platform: Visitor, fault: Any) -> None:
    answer = platform.client.post(f"{CAMPUS_URL}/control/faults", json={"launch": fault})

    assert answer.status_code == 400
    assert platform.launched()["nonce"] == "the-nonce"


def test_the_log_says_what_was_wrong_with_a_launch(platform: Visitor) -> None:
    spoiled(platform, wrong="aud", unknown_kid=False, missing=["roles"])

    outcomes = [entry["outcome"] for entry in platform.control("log")["entries"]]

    assert any("with a fault: wrong aud, missing" in outcome for outcome in outcomes)


def test_launch_faults_are_set_on_the_page_and_shown_there(platform: Visitor) -> None:
    form = {"platform": platform.slug, "verb": "set", "drop_token": "on", "slow_jwks_seconds": "0.5"}
    form |= {"wrong": "azp", "missing": "sub, roles", "launches": "4", "clock_skew_seconds": "-30", "unknown_kid": "on"}

    assert platform.client.post(f"{CAMPUS_URL}/faults", data=form).status_code == 303

    faults = platform.control("faults")[platform.slug]
    assert faults["launch"] == {
        "clock_skew_seconds": -30,
        "wrong": "azp",
        "expired": False,
        "unknown_kid": True,
        "missing": ["sub", "roles"],
        "error": None,
        "count": 4,
    }
    assert faults["drop_connections"] == {"jwks": False, "authorize": False, "token": True, "scores": False}
    assert faults["slow_jwks_seconds"] == 0.5
    shown = platform.client.get(f"{CAMPUS_URL}/faults").text
    assert "<option selected>azp</option>" in shown
    assert 'value="sub, roles"' in shown
    assert shown.count("Platform storage is off") == 1


def test_dropping_some_connections_leaves_the_others(platform: Visitor) -> None:
    platform.control("faults", {"drop_connections": {"jwks": True}})
    platform.control("faults", {"drop_connections": {"scores": True}})

    dropped = platform.control("faults")[platform.slug]["drop_connections"]
    assert dropped == {"jwks": True, "authorize": False, "token": False, "scores": True}


def test_only_some_connections_can_be_dropped(platform: Visitor) -> None:
    answer = platform.client.post(f"{CAMPUS_URL}/control/faults", json={"drop_connections": {"results": True}})

    assert answer.status_code == 400


def test_a_dropped_connection_is_closed_without_an_answer(served: str, platform: Visitor) -> None:
    url = platform.profile.url("jwks").replace(CAMPUS_URL, served)
    assert requests.get(url, timeout=5).status_code == 200
    platform.control("faults", {"drop_connections": {"jwks": True}})

    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)

    deadline = time.monotonic() + 5  # the log hears of it after the connection is gone
    while "closed without an answer" not in (last := platform.control("log")["entries"][-1])["outcome"]:
        assert time.monotonic() < deadline
    assert last["ok"] is False


def test_a_dropped_score_is_not_in_the_gradebook(platform: Visitor) -> None:
    platform.control("faults", {"drop_connections": {"scores": True, "token": False}})

    platform.scores()

    assert platform.control(f"{platform.slug}/gradebook")["courses"][0]["cells"] == []


def test_requests_are_counted_by_door(platform: Visitor) -> None:
    platform.launched()
    platform.launched()

    counted = platform.control(f"{platform.slug}/requests")

    assert counted["authorize"] == counted["jwks"] == 2
    assert counted["token"] == 0


# --- oddities of one launch


def begins_oddly(visitor: Visitor, **oddities: Any) -> dict[str, str]:
    body = {"user": "student1", "activity": visitor.activity()["id"], **oddities}
    fields: dict[str, str] = visitor.control(f"{visitor.slug}/launch", body)["fields"]
    return fields


def test_claims_of_one_launch_are_replaced_and_removed(platform: Visitor) -> None:
    aud = [platform.profile.client_id, "another"]
    fields = begins_oddly(
        platform, claims={"aud": aud, "context": None, v.LTI + "roles": [], "https://example.com/x": {"y": None}}
    )

    token = form_of(platform.asks(fields))["id_token"]
    claims = tokens.verified(token, platform.profile.keys.jwks())

    assert claims["aud"] == aud
    assert claims[v.LTI + "roles"] == []
    assert claims["https://example.com/x"] == {"y": None}
    assert v.LTI + "context" not in claims
    assert v.LTI + "context" in platform.launched()


def test_claims_may_be_null(platform: Visitor) -> None:
    claims = platform.launched(begins_oddly(platform, null_claims=["custom", "name"]))

    assert claims[v.LTI + "custom"] is claims["name"] is None


def test_the_header_of_one_launch_is_changed_under_a_good_signature(platform: Visitor) -> None:
    fields = begins_oddly(platform, header={"typ": None, "jku": "https://elsewhere.example/jwks", "crit": ["exp"]})

    token = form_of(platform.asks(fields))["id_token"]

    header = tokens.header_of(token)
    assert header == {
        "alg": "RS256",
        "kid": platform.profile.keys.current.kid,
        "jku": "https://elsewhere.example/jwks",
        "crit": ["exp"],
    }
    with pytest.raises((tokens.BadTokenError, JoseError)):
        tokens.verified(token, platform.profile.keys.jwks())


@pytest.mark.parametrize("oddities", [{"claims": ["roles"]}, {"header": "kid"}, {"null_claims": "sub"}])
def test_oddities_that_make_no_sense_are_refused(platform: Visitor, oddities: dict[str, Any]) -> None:
    body = {"user": "student1", "activity": platform.activity()["id"], **oddities}

    assert platform.client.post(f"{CAMPUS_URL}/control/{platform.slug}/launch", json=body).status_code == 400


# --- further people and messages


def test_a_visitor_has_no_name_and_no_id_on_canvas(canvas: Visitor) -> None:
    fields = canvas.begins("visitor")

    claims = canvas.launched(fields)

    assert fields["login_hint"] == "anonymous"
    assert not {"sub", "name", "given_name", "family_name", "email", "picture", v.LTI + "lti1p1"} & claims.keys()
    assert claims[v.LTI + "roles"] == [v.SYSTEM + "None"]
    assert "person_sourcedid" not in claims[v.LTI + "lis"]


def test_nothing_in_custom_values_names_a_visitor(canvas: Visitor) -> None:
    custom = {"who": "$User.id", "name": "$Person.name.full", "number": "$Canvas.user.id", "course": "$Context.title"}
    path = f"canvas/courses/{canvas.course()['id']}/activities"
    added = canvas.control(path, {"title": "A", "custom": custom})

    claims = canvas.launched(canvas.begins("visitor", added["id"]))

    assert claims[v.LTI + "custom"] == custom | {"course": "Geography 101"}


def test_the_test_student_is_a_learner_with_marks_and_in_no_roster(canvas: Visitor) -> None:
    claims = canvas.launched(canvas.begins("preview"))

    assert claims[v.LTI + "roles"] == [v.MEMBERSHIP + "Learner", v.TEST_USER]
    assert canvas.scores(claims["sub"]).status_code == 200
    assert canvas.cell("preview")["score"] == 6.75
    assert "preview" not in {member["user"] for member in canvas.course()["members"]}


def test_moodle_has_neither(moodle: Visitor) -> None:
    for user in ("visitor", "preview"):
        body = {"user": user, "activity": moodle.activity()["id"]}
        assert moodle.client.post(f"{CAMPUS_URL}/control/moodle/launch", json=body).status_code == 400
    assert "Anonymous Visitor" not in moodle.client.get(f"{CAMPUS_URL}/moodle/").text


def begins_review(visitor: Visitor, **changes: Any) -> dict[str, str]:
    body = {"user": "teacher", "for_user": "student2", "activity": visitor.activity()["id"], **changes}
    fields: dict[str, str] = visitor.control(f"{visitor.slug}/submission_review", body)["fields"]
    return fields


def test_a_submission_review_names_the_learner_and_the_line_item(platform: Visitor) -> None:
    claims = platform.launched(begins_review(platform))

    learner = next(member for member in platform.course()["members"] if member["user"] == "student2")
    assert claims[v.LTI + "message_type"] == "LtiSubmissionReviewRequest"
    assert claims[v.LTI + "for_user"]["user_id"] == learner["user_id"] != claims["sub"]
    assert claims[v.AGS]["lineitem"] == platform.activity()["line_item_url"]
    assert claims[v.LTI + "resource_link"]["id"] == platform.activity()["resource_link_id"]


def test_only_canvas_tells_more_about_the_learner_than_the_id(canvas: Visitor, moodle: Visitor) -> None:
    on_canvas = canvas.launched(begins_review(canvas))[v.LTI + "for_user"]
    on_moodle = moodle.launched(begins_review(moodle))[v.LTI + "for_user"]

    assert on_canvas["name"] == "Ben Carter"
    assert v.MEMBERSHIP + "Learner" in on_canvas["roles"]
    assert on_moodle.keys() == {"user_id"}


def test_a_submission_review_needs_a_column(platform: Visitor) -> None:
    added = platform.control(f"{platform.slug}/courses/{platform.course()['id']}/activities", {"title": "Reading"})
    body = {"user": "teacher", "for_user": "student1", "activity": added["id"]}

    answer = platform.client.post(f"{CAMPUS_URL}/control/{platform.slug}/submission_review", json=body)

    assert answer.status_code == 400


def test_staff_open_a_learners_work_beside_its_mark(platform: Visitor) -> None:
    platform.scores("student1")
    course = f"{CAMPUS_URL}/{platform.slug}/courses/{platform.course()['id']}"
    item = platform.activity()["line_item"]

    shown = platform.client.get(f"{course}?as=teacher").text

    assert f'data-testid="review-student1-{item}"' in shown
    assert "review-student2" not in shown
    assert "review-student1" not in platform.client.get(f"{course}?as=student1").text
    (source,) = re.findall(
        r'<iframe src="([^"]+)" name="tool"', platform.client.get(f"{course}/review/{item}/student1?as=teacher").text
    )
    claims = platform.launched(form_of(platform.client.get(f"{CAMPUS_URL}{source}")))
    assert claims[v.LTI + "message_type"] == "LtiSubmissionReviewRequest"
    assert platform.client.get(f"{course}/review/{item}/student1?as=student2").status_code == 403


def test_a_reset_ends_launch_faults(platform: Visitor) -> None:
    platform.control("faults", {"launch": {"wrong": "aud"}, "storage_off": True, "drop_connections": {"jwks": True}})

    platform.control("reset", {})

    faults = platform.control("faults")[platform.slug]
    assert faults["launch"] is None
    assert faults["storage_off"] is faults["drop_connections"]["jwks"] is False
