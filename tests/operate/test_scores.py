"""`lti scores`: what an operator sees of marks on their way, and does for those that are stuck."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from lti_tool.domain.score import ScoreState, parse_score_id, parse_score_message
from lti_tool.runtime import wiring
from tests.operate.conftest import Lti, Writes
from tests.support.browser import receives
from tests.support.platform import Platform, Reply
from tests.support.stack import Stack

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def message(platform: Platform, user_id: str = "user-1", **other: Any) -> dict[str, Any]:
    return {
        "issuer": platform.issuer,
        "client_id": platform.client_id,
        "deployment_id": "1",
        "line_item": platform.line_item,
        "user_id": user_id,
        "score_given": 27,
        "score_maximum": 40,
        "activity_progress": "Completed",
        "grading_progress": "FullyGraded",
        "timestamp": NOON.isoformat(),
        **other,
    }


def waits(platform: Platform, user_id: str) -> str:
    """A score that has not been tried yet; its id."""
    return wiring.score_intake().take(parse_score_message(json.dumps(message(platform, user_id)))).id


def was_refused(stack: Stack, platform: Platform, user_id: str) -> str:
    """A score whose column is gone."""
    score_id = waits(platform, user_id)
    platform.will_answer(f"{urlsplit(platform.line_item).path}/scores", Reply(status=404))
    receives(*stack.queued())
    return score_id


def was_sent(stack: Stack, platform: Platform, user_id: str) -> str:
    score_id = waits(platform, user_id)
    receives(*stack.queued())
    return score_id


@pytest.fixture
def all_three(stack: Stack, platform: Platform) -> dict[str, str]:
    """One score of each state; their ids."""
    return {
        "sent": was_sent(stack, platform, "user-1"),
        "refused": was_refused(stack, platform, "user-2"),
        "waiting": waits(platform, "user-3"),
    }


def ids(listed: list[dict[str, Any]]) -> dict[str, str]:
    return {entry["state"]: entry["id"] for entry in listed}


# --- list -----------------------------------------------------------------------------------------------------------


def test_what_waits_and_what_was_refused_is_listed_with_its_cause(
    lti: Lti, platform: Platform, all_three: dict[str, str]
) -> None:
    refused, waiting = lti.json("scores", "list")

    assert ids([refused, waiting]) == {state: all_three[state] for state in ("refused", "waiting")}
    assert refused["cause"]
    assert refused["sentence"]
    assert (refused["platform"], refused["user_id"]) == (platform.registration().reference, "user-2")
    assert not {"score_given", "score_maximum", "comment", "name"} & {*refused, *waiting}


@pytest.mark.parametrize("state", ["waiting", "refused"])
def test_one_state_alone_is_listed(lti: Lti, all_three: dict[str, str], state: str) -> None:
    assert ids(lti.json("scores", "list", "--state", state)) == {state: all_three[state]}


def test_a_column_is_listed_whole(lti: Lti, platform: Platform, all_three: dict[str, str]) -> None:
    where = ["--platform", platform.registration().reference, "--line-item", platform.line_item]

    assert ids(lti.json("scores", "list", *where)) == all_three
    assert ids(lti.json("scores", "list", *where, "--state", "sent")) == {"sent": all_three["sent"]}


@pytest.mark.usefixtures("all_three")
def test_another_platforms_scores_are_left_out(lti: Lti, stack: Stack, platform: Platform) -> None:
    other = platform.registration(client_id="another")
    stack.knows(other)

    assert lti.json("scores", "list", "--platform", other.reference) == []
    assert len(lti.json("scores", "list", "--platform", platform.registration().reference)) == 2
    assert len(lti.json("scores", "list", "--limit", "1")) == 1


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["list", "--state", "sent"], 2, "by column"),
        (["list", "--line-item", "https://lms.example/1"], 2, "needs --platform"),
        (["list", "--state", "lost"], 2, "invalid choice"),
        (["list", "--platform", "nobody"], 1, "unknown_platform"),
        (["resend"], 2, "--all-refused"),
        (["resend", "r" * 66, "--all-refused"], 2, "--all-refused"),
        (["resend", "r" * 66], 1, "unknown_score"),
        (["resend", "nonsense"], 1, "unknown_score"),
        (["resend", "r" * 66, "--platform", "x"], 2, "--all-refused"),
        (["push", "/nowhere/at-all.json"], 1, "cannot be read"),
        (["push"], 2, "FILE"),
    ],
)
def test_what_makes_no_sense_is_refused_and_says_why(
    lti: Lti, platform: Platform, words: list[str], status: int, said: str
) -> None:
    assert platform

    found, _, complaint = lti("scores", *words)

    assert found == status
    assert said in complaint


# --- push -----------------------------------------------------------------------------------------------------------


def test_a_file_of_messages_is_pushed_and_reaches_the_gradebook(
    lti: Lti, stack: Stack, platform: Platform, writes: Writes
) -> None:
    lines = [json.dumps(message(platform, f"user-{number}")) for number in range(3)]

    pushed = lti.json("scores", "push", writes("\n".join([*lines[:2], "", lines[2]]), "scores.jsonl"))
    receives(*stack.queued())

    assert [(row["message"], row["state"]) for row in pushed] == [
        ("line 1", "waiting"),
        ("line 2", "waiting"),
        ("line 4", "waiting"),
    ]
    assert len(platform.scores) == 3


def test_one_message_may_stand_on_many_lines_or_come_from_standard_input(
    lti: Lti, platform: Platform, writes: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(message(platform))))

    from_input = lti.json("scores", "push", "-")
    from_file = lti.json("scores", "push", writes(json.dumps(message(platform), indent=2), "score.json"))

    assert [row["state"] for row in (*from_input, *from_file)] == ["waiting", "waiting"]
    assert from_input[0]["id"] == from_file[0]["id"]


def test_one_bad_line_keeps_all_of_them_out_and_every_bad_line_is_named(
    lti: Lti, stack: Stack, platform: Platform, writes: Writes
) -> None:
    before = stack.contents()
    lines = [
        json.dumps(message(platform)),
        json.dumps(message(platform, score_given=-1)),
        json.dumps(message(platform, deployment_id="unheard-of")),
        "no score at all",
    ]

    status, _, complaint = lti("scores", "push", writes("\n".join(lines), "scores.jsonl"))

    assert status == 1
    assert "line 2, score_given" in complaint
    assert "line 3" in complaint
    assert "unknown_deployment" in complaint
    assert "line 4" in complaint
    assert "line 1, " not in complaint
    assert stack.contents() == before


@pytest.mark.parametrize("text", ["", "\n\n", "[]", "null"])
def test_a_file_without_a_message_is_refused(lti: Lti, stack: Stack, writes: Writes, text: str) -> None:
    before = stack.contents()

    status, _, complaint = lti("scores", "push", writes(text, "scores.json"))

    assert (status, "invalid_score_message" in complaint) == (1, True)
    assert stack.contents() == before


def test_two_different_scores_of_one_moment_are_said_and_the_rest_is_pushed(
    lti: Lti, stack: Stack, platform: Platform, writes: Writes
) -> None:
    lines = [json.dumps(message(platform, score_given=given)) for given in (27, 28)]
    lines.append(json.dumps(message(platform, "user-2")))

    status, out, _ = lti("scores", "push", writes("\n".join(lines), "scores.jsonl"), "--json")

    report = json.loads(out)
    assert status == 1
    assert [row["message"] for row in report["pushed"]] == ["line 1", "line 3"]
    assert [(found["field"], found["problem"]) for found in report["push"]["findings"]] == [
        ("line 2", "score_conflict")
    ]
    assert len(stack.queued()) == 2


def test_what_was_pushed_beside_a_conflict_is_told_in_words(lti: Lti, platform: Platform, writes: Writes) -> None:
    lines = [json.dumps(message(platform, score_given=given)) for given in (27, 28)]

    _, out, _ = lti("scores", "push", writes("\n".join(lines), "scores.jsonl"))

    assert re.fullmatch(r"pushed: line 1 [\w-]{66} waiting", out.splitlines()[0])


def test_a_comment_may_hold_any_end_of_line_that_json_may(lti: Lti, platform: Platform, writes: Writes) -> None:
    ends = "\u2028 \u2029 \u0085"
    lines = [json.dumps(message(platform, f"user-{number}", comment=ends), ensure_ascii=False) for number in (1, 2)]

    pushed = lti.json("scores", "push", writes("\r\n".join(lines), "scores.jsonl"))

    assert [row["message"] for row in pushed] == ["line 1", "line 2"]


# --- resend ---------------------------------------------------------------------------------------------------------


def test_a_refused_score_is_sent_again_once_its_cause_is_mended(
    lti: Lti, stack: Stack, platform: Platform, all_three: dict[str, str]
) -> None:
    stack.queued()
    resent = lti.json("scores", "resend", all_three["refused"])
    receives(*stack.queued())

    assert resent == [{"id": all_three["refused"], "resent": True, "was": "refused"}]
    assert lti.json("scores", "list", "--state", "refused") == []
    assert [score.json()["userId"] for score in platform.scores] == ["user-1", "user-2", "user-2"]


def test_all_refused_scores_of_a_platform_are_sent_again(lti: Lti, stack: Stack, platform: Platform) -> None:
    for number in range(3):
        was_refused(stack, platform, f"user-{number}")

    resent = lti.json("scores", "resend", "--all-refused", "--platform", platform.registration().reference)
    receives(*stack.queued())

    assert resent == {"resent": 3}
    assert lti.json("scores", "list") == []


def test_a_mark_that_a_teacher_changed_by_hand_is_listed_and_never_sent_again_with_all_the_others(
    lti: Lti, stack: Stack, platform: Platform
) -> None:
    entry = wiring.score_intake().find(parse_score_id(waits(platform, "user-1")))
    held = wiring._records().lease(entry.score.key, datetime.now(UTC) + timedelta(seconds=30))
    assert held is not None
    wiring._records().refused(held, "changed_in_lms", ScoreState.HELD)
    stack.queued()

    resent = lti.json("scores", "resend", "--all-refused")

    assert resent == {"resent": 0}
    assert stack.queued() == []
    (listed,) = lti.json("scores", "list", "--state", "held")
    assert (listed["id"], listed["cause"]) == (entry.score.key.id, "changed_in_lms")
    assert lti.json("scores", "list", "--state", "refused") == []


def test_one_unknown_id_among_several_sends_none(lti: Lti, stack: Stack, all_three: dict[str, str]) -> None:
    stack.queued()
    before = stack.contents()

    status, _, complaint = lti("scores", "resend", all_three["refused"], "r" * 66)

    assert (status, "unknown_score" in complaint) == (1, True)
    assert stack.contents() == before
    assert stack.queued() == []


# --- redrive --------------------------------------------------------------------------------------------------------


def test_dead_letters_are_counted_by_their_reason_and_come_back(lti: Lti, stack: Stack, platform: Platform) -> None:
    later = (NOON + timedelta(seconds=1)).isoformat()
    dead = wiring.dead_letters()
    dead.put(json.dumps(message(platform)), "unknown_platform")
    dead.put(json.dumps(message(platform, "user-2", timestamp=later)), "unknown_deployment")

    redriven = lti.json("scores", "redrive", "--reason", "unknown_platform")
    bodies = stack.queued()
    receives(*bodies)

    assert redriven == {"redriven": 1}
    assert [score.json()["userId"] for score in platform.scores] == ["user-1"]


def test_a_dry_run_of_a_redrive_leaves_the_letters(lti: Lti, stack: Stack, platform: Platform) -> None:
    wiring.dead_letters().put(json.dumps(message(platform)), "unknown_platform")

    seen = lti.json("scores", "redrive", "--dry-run")

    assert seen == {"dead_letters": 1, "reasons": {"unknown_platform": 1}}
    assert stack.queued() == []


def test_who_looked_at_the_dead_letters_brings_them_back_at_once(lti: Lti, platform: Platform) -> None:
    dead = wiring.dead_letters()
    for number in range(12):
        dead.put(json.dumps(message(platform, f"user-{number}")), "unknown_platform")
    dead.put("nonsense", "invalid_score_message")
    lti.json("scores", "redrive", "--dry-run")

    first = lti.json("scores", "redrive", "--reason", "unknown_platform")
    rest = lti.json("scores", "redrive", "--dry-run")

    assert first == {"redriven": 12}
    assert rest == {"dead_letters": 1, "reasons": {"invalid_score_message": 1}}
