"""Trouble on demand, and the rest of the control API."""

from __future__ import annotations

import json
import threading
import time
from email.utils import parsedate_to_datetime

from local.campus import vocabulary as v
from local.campus.world import Cell
from tests.campus.stand_in import CAMPUS_URL, Clock, Visitor


def test_a_token_endpoint_that_is_down_answers_503(platform: Visitor) -> None:
    platform.control("faults", {"platform": platform.slug, "token_down": True})

    assert platform.asks_for_token().status_code == 503

    platform.control("faults", {"platform": platform.slug, "token_down": False})
    assert platform.asks_for_token().status_code == 200


def test_a_key_set_that_is_down_answers_503(platform: Visitor) -> None:
    platform.control("faults", {"platform": "all", "jwks_down": True})

    assert platform.client.get(platform.profile.url("jwks")).status_code == 503


def test_rate_limiting_wears_off(platform: Visitor) -> None:
    platform.control("faults", {"platform": platform.slug, "rate_limited": {"retry_after": 7, "count": 2}})

    answers = [platform.scores() for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].headers["X-Rate-Limit-Remaining"] == "0.0"


def test_a_server_error_changes_no_mark(platform: Visitor) -> None:
    platform.control("faults", {"platform": platform.slug, "server_error": {"count": 1}})

    answer = platform.scores()

    assert answer.status_code == 500
    assert platform.control(f"{platform.slug}/gradebook")["courses"][0]["cells"] == []


def test_trouble_at_one_platform_is_none_at_the_other(canvas: Visitor, moodle: Visitor) -> None:
    canvas.control("faults", {"platform": "canvas", "server_error": {}})

    assert canvas.scores().status_code == 500
    assert moodle.scores().status_code == 200


def test_a_slow_platform_is_late_with_every_answer(platform: Visitor) -> None:
    platform.control("faults", {"slow_seconds": 0.1})
    began = time.monotonic()

    platform.client.get(platform.profile.url("jwks"))

    assert time.monotonic() - began >= 0.1


def test_setting_one_fault_leaves_the_others(platform: Visitor) -> None:
    platform.control("faults", {"token_down": True, "rate_limited": {"count": 2}})
    platform.control("faults", {"jwks_down": True})

    faults = platform.control("faults")[platform.slug]

    assert faults["token_down"] is faults["jwks_down"] is True
    assert faults["rate_limited"] == {"retry_after": 1, "count": 2}


def test_an_empty_request_clears_every_fault(platform: Visitor) -> None:
    untouched = platform.control("faults")
    platform.control("faults", {"token_down": True, "slow_seconds": 1, "server_error": {"count": 3}})

    platform.control("faults", {})

    assert platform.control("faults") == untouched


def test_a_fault_that_does_not_exist_is_refused(platform: Visitor) -> None:
    for body in ({"platform": "plain", "token_down": True}, {"fire": True}, {"server_error": {"count": "many"}}):
        assert platform.client.post(f"{CAMPUS_URL}/control/faults", json=body).status_code == 400


def test_a_held_score_is_in_the_gradebook_before_its_answer(platform: Visitor) -> None:
    platform.control("faults", {"platform": platform.slug, "hold_scores": True})
    answers: list[int] = []
    sender = threading.Thread(target=lambda: answers.append(platform.scores().status_code))
    sender.start()
    deadline = time.monotonic() + 5
    while not stored(platform) and time.monotonic() < deadline:
        time.sleep(0.01)

    assert platform.cell()["score"] == 6.75
    assert answers == []

    platform.control("faults", {"platform": platform.slug, "hold_scores": False})
    sender.join(5)
    assert answers == [200]


def stored(visitor: Visitor) -> list[Cell]:
    with visitor.profile.lock:
        items = [item for course in visitor.profile.world.courses.values() for item in course.line_items.values()]
        return [cell for item in items for cell in item.cells.values() if cell.posts]


def test_the_platforms_say_what_an_administrator_enters(canvas: Visitor) -> None:
    found = {entry["profile"]: entry for entry in canvas.control("platforms")}

    assert found["canvas"]["client_id"].isdecimal()
    assert found["canvas"]["deployment_id"].startswith("7:")
    assert found["moodle"]["issuer"] == f"{CAMPUS_URL}/moodle"
    assert found["moodle"]["token_url"] == f"{CAMPUS_URL}/moodle/mod/lti/token.php"
    assert len(found["moodle"]["client_id"]) == 15


def test_a_reset_forgets_marks_and_activities_but_never_uses_an_id_again(platform: Visitor) -> None:
    before = platform.activity()
    platform.scores()
    platform.control(f"{platform.slug}/courses/{platform.course()['id']}/activities", {"title": "More"})

    platform.control("reset", {})

    (after,) = platform.course()["activities"]
    assert after["title"] == "First activity"
    assert after["resource_link_id"] != before["resource_link_id"]
    assert platform.control(f"{platform.slug}/gradebook")["courses"][0]["cells"] == []
    assert platform.control("log")["entries"] == []


def test_the_log_has_every_message_and_no_whole_token(platform: Visitor) -> None:
    platform.launched()
    platform.scores()

    entries = platform.control("log")["entries"]

    ways = [(entry["direction"], entry["what"]) for entry in entries]
    assert ways.index(("tool → platform", "authentication request")) < ways.index(
        ("platform → tool", "launch of Amina Yusuf")
    )
    assert ("platform → tool", "login initiation") in ways
    assert ("tool → platform", "authentication request") in ways
    assert ("platform → tool", "launch of Amina Yusuf") in ways
    assert ("platform → tool", "fetch the tool's key set") in ways
    assert ("tool → platform", "access token request") in ways
    assert ("tool → platform", "score") in ways
    written = json.dumps(entries)
    assert "https://purl.imsglobal.org/spec/lti/claim/roles" in written
    for token in platform.profile.world.grants:
        assert token not in written
    assert not [word for word in written.split('"') if word.count(".") == 2 and word.startswith("eyJ")]


def test_a_key_set_may_be_missing_or_without_an_rsa_key(platform: Visitor) -> None:
    url = platform.profile.url("jwks")
    platform.control("faults", {"platform": platform.slug, "jwks_without_rsa": True})
    kinds = [key["kty"] for key in platform.client.get(url).get_json()["keys"]]

    platform.control("faults", {"platform": platform.slug, "jwks_missing": True})

    assert kinds == ["EC"]
    assert platform.client.get(url).status_code == 404


def test_an_authorization_endpoint_may_be_down(platform: Visitor) -> None:
    platform.control("faults", {"platform": platform.slug, "authorize_down": True})

    assert platform.asks(platform.begins()).status_code == 503


def test_the_tools_key_may_be_refused_in_the_platforms_own_form(canvas: Visitor, moodle: Visitor) -> None:
    canvas.control("faults", {"refuses_key": True})

    assert canvas.asks_for_token().get_json()["error_description"].startswith("JWK Error")
    assert moodle.asks_for_token().status_code == 500


def test_another_audience_may_be_asked_for(anywhere: Visitor) -> None:
    anywhere.control("faults", {"platform": anywhere.slug, "token_audience": "https://audience.example"})

    usual = anywhere.asks_for_token()
    wanted = anywhere.asks_for_token(anywhere.tool.assertion(anywhere.profile, aud="https://audience.example"))

    assert usual.status_code >= 400
    assert wanted.status_code == 200


def test_scopes_may_be_kept_back_in_the_platforms_own_form(canvas: Visitor, moodle: Visitor) -> None:
    canvas.control("faults", {"refused_scopes": [v.SCORE_SCOPE]})

    refused, granted = canvas.asks_for_token(), moodle.asks_for_token()

    assert refused.get_json()["error"] == "invalid_scope"
    assert granted.status_code == 200
    assert v.SCORE_SCOPE not in granted.get_json()["scope"].split()


def test_a_platforms_clock_may_be_wrong(platform: Visitor, clock: Clock) -> None:
    platform.control("faults", {"platform": platform.slug, "clock_skew_seconds": 3600})

    date = parsedate_to_datetime(platform.client.get(platform.profile.url("jwks")).headers["Date"])

    assert date.timestamp() == clock.time + 3600
    assert platform.asks_for_token().status_code == 400
