"""What can be counted exactly: operations on AWS, and requests to the platform."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from botocore.handlers import BUILTIN_HANDLERS

from bench.figures import Row
from bench.scores import deliver, gradebook
from bench.world import World, begin_again
from tests.support.browser import ACTIVITY, Browser
from tests.support.stack import TOOL_URL

UNKNOWN_KIDS = 10
SCORES = 40
READS = {"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"}


class Counted:
    """Counts the operations of every AWS client that this process makes while it is entered."""

    def __init__(self) -> None:
        self._found: Counter[str] = Counter()
        self._handler: Any = ("before-call", self._count)

    def __enter__(self) -> Counted:
        BUILTIN_HANDLERS.append(self._handler)  # what every new session of botocore starts with
        begin_again()
        return self

    def __exit__(self, *_: object) -> None:
        BUILTIN_HANDLERS.remove(self._handler)
        begin_again()

    def _count(self, model: Any, **_: Any) -> None:
        self._found[model.name] += 1

    def during(self, work: Callable[[], object]) -> Counter[str]:
        """Of one piece of work."""
        self._found.clear()
        work()
        return Counter(self._found)


def rows(world: World) -> list[Row]:
    """Each door is used once before it is counted: warm means that this process has seen the platform."""
    with Counted() as counted:
        return _rows(world, counted)


def _rows(world: World, counted: Counted) -> list[Row]:
    platform = world.platform
    browser = Browser()
    browser.launches(platform)
    browser.get("/lti/jwks.json")

    login = counted.during(lambda: browser.begins_login(platform))
    question = browser.begins_login(platform)
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY))
    asked = len(platform.received)
    launch = counted.during(lambda: _accepted(browser.comes_back(question, token).status))
    asked_by_launch = len(platform.received) - asked
    jwks = counted.during(lambda: _accepted(browser.get("/lti/jwks.json").status))
    sessions = [browser.opens_picker(platform).launch["session"] for _ in range(2)]
    forms = [{"session": session, "activity": "photosynthesis"} for session in sessions]
    browser.post("/lti/deeplink", forms[0])
    deep_link = counted.during(lambda: _accepted(browser.post("/lti/deeplink", forms[1]).status))
    return [
        _operations("login", login, {"PutItem": 1}),
        _operations("launch", launch, {"UpdateItem": 1}),
        _operations("jwks", jwks, {}),
        _operations("deep link", deep_link, {"Sign": 1, "UpdateItem": 1}),
        _exactly("platform requests of a warm launch", asked_by_launch, 0),
        _unknown_kids(world),
        *_scores(world, counted),
    ]


def _operations(door: str, found: Counter[str], expected: dict[str, int]) -> Row:
    def text(counts: dict[str, int]) -> str:
        return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "0"

    return Row(
        what=f"AWS operations, warm: {door}",
        budget=text(expected),
        figure=text(found),
        kept=found == expected,
        detail=f"{sum(found[name] for name in READS)} reads",
    )


def _exactly(what: str, found: int, expected: int, detail: str = "") -> Row:
    return Row(what=what, budget=str(expected), figure=str(found), kept=found == expected, detail=detail)


def _unknown_kids(world: World) -> Row:
    """Honest browsers come back with tokens that name a key nobody has, all within a minute."""
    platform, browser = world.platform, Browser()
    before = len(platform.requests_to("/jwks"))
    for number in range(UNKNOWN_KIDS):
        question = browser.begins_login(platform, f"{TOOL_URL}/")
        claims = platform.claims(question["nonce"], f"{TOOL_URL}/")
        answer = browser.comes_back(question, platform.signs(claims, kid=f"unknown-{number}"))
        if answer.code != "unknown_kid":
            raise RuntimeError(f"an unknown kid was answered {answer.code}")
    found = len(platform.requests_to("/jwks")) - before
    what = f"platform requests of {UNKNOWN_KIDS} launches with unknown kid"
    return Row(what=what, budget="≤ 1", figure=str(found), kept=found <= 1, detail="within a minute")


def _scores(world: World, counted: Counted) -> list[Row]:
    with gradebook(world) as book:
        spent = counted.during(lambda: deliver(book, SCORES, "user"))
        received = book.received()
    lost = len({(f"user-{number}", number) for number in range(SCORES)} - {(u, s) for u, s in received["scores"]})
    what = f"{SCORES} scores of one registration"
    posts = len(received["scores"])
    return [
        _exactly(f"{what}: token requests", received["tokens"], 1),
        _exactly(f"{what}: Sign", spent["Sign"], 1),
        Row(what=f"{what}: posts", budget=f"≤ {SCORES}", figure=str(posts), kept=posts <= SCORES),
        _exactly(f"{what}: lost", lost, 0),
        Row(
            what=f"{what}: connections",
            budget="≤ 8",
            figure=str(received["connections"]),
            kept=received["connections"] <= 8,
            detail="one function process, batches of 10",
        ),
    ]


def _accepted(status: int) -> None:
    if status != 200:
        raise RuntimeError(f"answered {status}")
