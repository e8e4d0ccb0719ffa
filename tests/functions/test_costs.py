"""What a request costs, counted: operations on AWS, requests to the platform."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from lti_tool.domain.registration import DeploymentPolicy
from lti_tool.runtime import wiring
from tests.support.browser import ACTIVITY, Browser, receives
from tests.support.platform import Platform
from tests.support.stack import Stack

Spent = Callable[[], Counter[str]]


@pytest.fixture
def spent(stack: Stack, platform: Platform) -> Iterator[Spent]:  # noqa: ARG001 - the counting begins after them
    """What was asked of AWS since the last look, by operation."""
    found: Counter[str] = Counter()
    clients: list[Any] = [wiring._dynamodb(), wiring._queue()._client, wiring._kms()]

    def count(model: Any, **_: Any) -> None:
        found[model.name] += 1

    def look() -> Counter[str]:
        seen = Counter(found)
        found.clear()
        return seen

    for client in clients:
        client.meta.events.register("before-call", count, unique_id="costs")
    yield look
    for client in clients:
        client.meta.events.unregister("before-call", unique_id="costs")


def test_a_warm_login_writes_once_and_reads_nothing(platform: Platform, browser: Browser, spent: Spent) -> None:
    browser.begins_login(platform)
    spent()

    browser.begins_login(platform)

    assert spent() == {"PutItem": 1}


def test_a_warm_launch_writes_once_and_reads_nothing(platform: Platform, browser: Browser, spent: Spent) -> None:
    browser.launches(platform)
    question = browser.begins_login(platform)
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY))
    asked_before = len(platform.received)
    spent()

    answer = browser.comes_back(question, token)

    assert answer.status == 200
    assert spent() == {"UpdateItem": 1}
    assert len(platform.received) == asked_before


def test_a_place_that_is_written_down_costs_a_look_and_two_writes_once(
    stack: Stack, platform: Platform, browser: Browser, spent: Spent
) -> None:
    stack.knows(platform.registration(deployment_policy=DeploymentPolicy.AUTO))
    browser.launches(platform)
    spent()

    costs = []
    for _ in range(2):
        question = browser.begins_login(platform)
        token = platform.signs(platform.claims(question["nonce"], ACTIVITY, deployment_id="new"))
        spent()
        browser.comes_back(question, token)
        costs.append(spent())

    assert costs == [{"Query": 1, "UpdateItem": 1, "PutItem": 2}, {"UpdateItem": 1}]


def test_a_new_process_asks_a_platform_whose_keys_are_stored_for_nothing(
    platform: Platform, browser: Browser, spent: Spent
) -> None:
    browser.launches(platform)
    wiring.launch_verifier.cache_clear()
    question = browser.begins_login(platform)
    spent()

    browser.comes_back(question, platform.signs(platform.claims(question["nonce"], ACTIVITY)))

    assert spent() == {"GetItem": 1, "UpdateItem": 1}
    assert len(platform.requests_to("/jwks")) == 1


def test_the_warm_key_set_costs_nothing(browser: Browser, spent: Spent) -> None:
    browser.get("/lti/jwks.json")
    spent()

    browser.get("/lti/jwks.json")

    assert spent() == {}


def test_a_warm_deep_linking_answer_signs_once_and_writes_once(
    platform: Platform, browser: Browser, spent: Spent
) -> None:
    sessions = [browser.opens_picker(platform).launch["session"] for _ in range(2)]
    form = {"activity": "photosynthesis"}
    browser.post("/lti/deeplink", {**form, "session": sessions[0]})
    spent()

    answer = browser.post("/lti/deeplink", {**form, "session": sessions[1]})

    assert answer.status == 200
    assert spent() == {"Sign": 1, "UpdateItem": 1}


def test_twenty_scores_of_one_registration_buy_one_token(platform: Platform, spent: Spent) -> None:
    messages = [
        {
            "issuer": platform.issuer,
            "client_id": platform.client_id,
            "deployment_id": "1",
            "line_item": platform.line_item,
            "user_id": f"user-{number}",
            "score_given": number,
            "score_maximum": 20,
            "activity_progress": "Completed",
            "grading_progress": "FullyGraded",
            "timestamp": datetime.now(UTC).isoformat(),
        }
        for number in range(20)
    ]

    receives(*messages[:10])
    receives(*messages[10:])

    cost = spent()
    assert len(platform.scores) == 20
    assert len(platform.requests_to("/token")) == 1
    assert cost["Sign"] == 1
    assert cost["SendMessage"] == 0


def test_nobody_but_who_began_a_login_has_a_platform_asked_for_its_keys(platform: Platform, browser: Browser) -> None:
    question = browser.begins_login(platform)
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY))

    codes = {Browser().comes_back(question, token).code for _ in range(5)}
    asked = len(platform.received)
    honest = browser.comes_back(question, token)

    assert (codes, asked) == ({"browser_mismatch"}, 0)
    assert (honest.status, len(platform.received)) == (200, 1)


def test_forged_tokens_cost_the_platform_one_look_at_its_keys_and_a_wrong_browser_nothing(
    platform: Platform, browser: Browser, spent: Spent
) -> None:
    browser.launches(platform)
    question = browser.begins_login(platform)
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY))
    asked_before = len(platform.received)
    spent()

    for _ in range(5):
        browser.comes_back(question, token[:-8] + "AAAAAAAA")
    forged, looked = spent(), len(platform.received)
    for _ in range(5):
        Browser().comes_back(question, token)
    elsewhere = spent()

    # The story of each refusal, which an operator may read; were the keys looked at this minute? Once they are.
    assert forged == {"PutItem": 5 + 1, "GetItem": 5 + 1, "UpdateItem": 1}
    assert looked == asked_before + 1
    assert elsewhere == {"GetItem": 5, "PutItem": 5}  # and whether platform storage has the proof
    assert len(platform.received) == looked
