"""`lti activity`: the catalogue from the operator's side."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

import operate.stack
from lti_tool.domain.errors import InvalidActivityError
from operate import activity
from tests.operate.conftest import Lti, Writes
from tests.support.stack import ROOT, TOOL_URL, Stack, catalogue

FILES = [str(path) for path in sorted((ROOT / "catalogue").glob("*.yaml"))]
SMALL = """
id: small
title: Small
kind: assessment
questions:
  - { id: q, kind: text, prompt: "?", points: 1, accept: [yes it is] }
"""


def test_the_projects_own_activities_are_added_and_listed(lti: Lti) -> None:
    added = lti.json("activity", "add", *FILES)

    listed = lti.json("activity", "list")

    assert [entry["id"] for entry in added] == [activity.id for activity in catalogue()]
    assert {entry["id"] for entry in listed} == {activity.id for activity in catalogue()}
    assert all(set(entry) >= {"id", "title", "questions", "score_maximum"} for entry in listed)


def test_an_activity_is_shown_whole_and_removed(lti: Lti) -> None:
    lti.json("activity", "add", *FILES)

    shown = lti.json("activity", "show", "photosynthesis")
    removed = lti.json("activity", "remove", "photosynthesis")

    assert shown["id"] == "photosynthesis"
    assert shown["questions"]
    assert removed == {"removed": "photosynthesis"}
    assert "photosynthesis" not in {entry["id"] for entry in lti.json("activity", "list")}


def test_adding_again_replaces(lti: Lti, writes: Writes) -> None:
    lti.json("activity", "add", writes(SMALL))
    lti.json("activity", "add", writes(SMALL.replace("title: Small", "title: Larger")))

    assert [entry["title"] for entry in lti.json("activity", "list")] == ["Larger"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just text",
        "- a list",
        "id: [",
        "id: small\n\ttitle: tab",
        "!!python/object/apply:os.system [echo]",
        SMALL.replace("points: 1", "points: -1"),
        SMALL.replace("id: small", "id: Not Small"),
        SMALL + "surprise: 1\n",
    ],
)
def test_a_file_that_is_no_activity_is_refused_and_named(lti: Lti, stack: Stack, writes: Writes, text: str) -> None:
    before = stack.contents()
    path = writes(text)

    status, out, err = lti("activity", "add", path)

    assert (status, out) == (1, "")
    assert path in err
    assert "[invalid_activity]" in err
    assert stack.contents() == before


def test_a_file_that_is_not_there_is_refused_and_named(lti: Lti) -> None:
    status, _, err = lti("activity", "add", "/nowhere/activity.yaml")

    assert (status, "/nowhere/activity.yaml" in err) == (1, True)


def test_one_bad_file_keeps_the_good_ones_out(lti: Lti, stack: Stack, writes: Writes) -> None:
    before = stack.contents()

    status, _, _ = lti("activity", "add", writes(SMALL), writes("nothing", "bad.yaml"))

    assert status == 1
    assert stack.contents() == before


@pytest.mark.parametrize("verb", ["show", "remove"])
def test_an_unknown_activity_is_refused_with_its_name(lti: Lti, verb: str) -> None:
    status, _, err = lti("activity", verb, "no-such-activity")

    assert status == 1
    assert "no-such-activity" in err
    assert "[unknown_activity]" in err


def test_an_app_of_the_vendors_is_added_and_listed_with_its_worth(lti: Lti, writes: Writes) -> None:
    app = "id: app\ntitle: App\nkind: external\nurl: http://localhost:8070/\nscore_maximum: 5\n"

    added = lti.json("activity", "add", writes(app))

    assert [(entry["kind"], entry["score_maximum"]) for entry in added] == [("external", 5)]
    assert lti.json("activity", "show", "app")["url"] == "http://localhost:8070/"


def test_a_deployed_stack_takes_no_app_on_this_machine(stack: Stack, writes: Writes) -> None:
    app = "id: app\ntitle: App\nkind: external\nurl: http://localhost:8070/\n"
    deployed = operate.stack.Stack(tool_url=TOOL_URL, is_local=False, environment={"LOOPBACK_HTTP": "refused"})
    before = stack.contents()

    with pytest.raises(InvalidActivityError, match="local stack alone"):
        activity._add(deployed, Namespace(files=[Path(writes(app))]))

    assert stack.contents() == before
