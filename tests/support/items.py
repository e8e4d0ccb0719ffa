"""What a version of the tool wrote into its tables, and what it said of it: the next version is held to reading it.

`python -m tests.support.items tests/adapters/items/VERSION.json` records that once, when a version is released. Such a
file is never written anew: a running stack may hold items as old as that.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lti_tool.domain.activity import Assessment
from lti_tool.domain.invitation import INVITATION_LIVES, new_invitation
from lti_tool.domain.registration import DeploymentPolicy
from lti_tool.runtime import wiring
from tests.support.browser import Browser
from tests.support.platform import Platform, serving
from tests.support.stack import catalogue, right_answers, standing

TEACHER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"


def record() -> dict[str, Any]:
    """A small story: its items, the tokens to ask with, and the answers."""
    with standing() as stack, serving() as platform:
        stack.begin_again()
        stack.knows(platform.registration(deployment_policy=DeploymentPolicy.APPROVE, tenant="North school"))
        stack.offers()
        asked = live_through(platform, Browser())
        contents = stack.contents()
        contents["LaunchesTable"] |= {trace["pk"]["S"]: trace for trace in stack.traces()}
        return {"asked": asked, "answers": answers(asked, Browser()), "contents": contents}


def live_through(platform: Platform, browser: Browser) -> dict[str, str]:
    """Two students hand in, one mark is sent; a teacher looks; a place waits; an invitation is made."""
    student = browser.launches(platform).launch["session"]
    shown = browser.send("GET", "/api/activity", token=student).json()["activity"]
    activity = next(found for found in catalogue() if found.id == shown["id"])
    assert isinstance(activity, Assessment)
    browser.send("POST", "/api/attempt", document={"answers": right_answers(activity)}, token=student)
    for key in list(wiring.grade_sync().outbox.all_waiting()):
        wiring.grade_sync().send(key)
    other = browser.launches(platform, sub="user-2", name="Ben Example").launch["session"]
    browser.send("POST", "/api/attempt", document={"answers": {}}, token=other)
    staff = browser.launches(platform, sub="user-3", roles=[TEACHER]).launch["session"]
    refused = browser.launches(platform, deployment_id="another").page.texts["support-id"]
    browser.get("/lti/jwks.json")
    _, invitation = new_invitation("North school", wiring.now(), INVITATION_LIVES)
    wiring.invitations().add(invitation)
    return {"student": student, "staff": staff, "refused": refused}


def answers(asked: dict[str, str], browser: Browser) -> dict[str, Any]:
    """What the tool makes of its items."""

    def told(path: str, who: str) -> Any:
        answer = browser.get(path, token=asked[who])
        return {"status": answer.status, "says": answer.json()}

    said = {
        "session": told("/api/session", "student"),
        "activity": told("/api/activity", "student"),
        "marks": told("/api/marks", "staff"),
        "registrations": [asdict(found) for found in wiring.registrations().all()],
        "waiting": [asdict(key) for key in wiring.grade_sync().outbox.all_waiting()],
        "trace": wiring.traces().find(asked["refused"]).code,
        "regions": [region.name for region in wiring.regions().all()],
        "invitations": [invitation.tenant for invitation in wiring.invitations().all()],
    }
    plain: dict[str, Any] = json.loads(json.dumps(said))
    return plain


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(record(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
