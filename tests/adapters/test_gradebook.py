"""A platform's gradebook: scores are posted and judged."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import boto3
import pytest

from lti_tool.adapters.access_tokens import AccessTokens
from lti_tool.adapters.gradebook import MOST_PAGES, PlatformGradebook
from lti_tool.adapters.kms import KmsSigner
from lti_tool.adapters.platform_http import PlatformHttp
from lti_tool.domain.errors import PlatformRefusedError, PlatformUnavailableError, ToolError
from lti_tool.domain.jwks import jwks
from lti_tool.domain.lineitem import COLUMN_TAG, NewLineItem
from lti_tool.domain.registration import PlatformFamily, Registration
from lti_tool.domain.score import ActivityProgress, GradingProgress, Result, Score, ScoreKey
from tests.adapters.conftest import Clock
from tests.support.platform import AGS, Platform, Reply, verified_by_jwks
from tests.support.stack import REGION, Stack

SCOPES = (AGS + "scope/score",)
SCORES = "/lineitems/7/lineitem/scores"


@pytest.fixture
def gradebook(tokens: AccessTokens, clock: Clock) -> PlatformGradebook:
    return PlatformGradebook(PlatformHttp(loopback_http=True), tokens, clock)


def publish(gradebook: PlatformGradebook, platform: Platform, points: float = 1.0, **registration: Any) -> None:
    found: Registration = platform.registration(**registration)
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    key = ScoreKey(registration=found.reference, line_item=platform.line_item, user_id="user-1")
    score = Score(
        key=key,
        deployment_id="1",
        timestamp=now,
        score_given=points,
        score_maximum=2.0,
        activity_progress=ActivityProgress.COMPLETED,
        grading_progress=GradingProgress.FULLY_GRADED,
    )
    gradebook.publish(found, score, now)


# --- Scores -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 409])
def test_a_score_that_was_taken_is_taken(gradebook: PlatformGradebook, platform: Platform, status: int) -> None:
    platform.will_answer(SCORES, Reply(status=status, body=b""))

    publish(gradebook, platform)

    assert len(platform.scores) == 1


@pytest.mark.parametrize(
    "word", ["already exists for the provided timestamp", "timestamp can only be updated to a later point in time"]
)
def test_open_edx_says_in_words_that_it_has_a_score_already(
    gradebook: PlatformGradebook, platform: Platform, word: str
) -> None:
    platform.will_answer(SCORES, Reply(status=400, body=json.dumps({"timestamp": [f"Score {word}"]}).encode()))

    publish(gradebook, platform, family=PlatformFamily.OPENEDX)

    assert len(platform.scores) == 1


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (Reply(status=400), "score_refused"),
        (Reply(status=403), "not_allowed"),
        (Reply(status=404), "line_item_gone"),
        (Reply(status=405), "score_refused"),
        (Reply(status=422), "user_not_gradable"),
        (Reply(status=302, headers={"Location": "/elsewhere"}), "score_refused"),
    ],
)
def test_a_score_that_would_be_refused_again_is_refused(
    gradebook: PlatformGradebook, platform: Platform, reply: Reply, cause: str
) -> None:
    platform.will_answer(SCORES, reply)

    with pytest.raises(PlatformRefusedError) as refused:
        publish(gradebook, platform)

    assert (refused.value.cause, refused.value.http_status) == (cause, reply.status)
    assert len(platform.scores) == 1


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (Reply(status=429), "rate_limited"),
        (Reply(status=403, body=b"403 Forbidden (Rate Limit Exceeded)"), "rate_limited"),
        (Reply(status=500), "score_service_down"),
        (Reply(status=503), "score_service_down"),
    ],
)
def test_a_score_service_that_is_down_may_be_up_later(
    gradebook: PlatformGradebook, platform: Platform, reply: Reply, cause: str
) -> None:
    platform.will_answer(SCORES, reply)

    with pytest.raises(PlatformUnavailableError) as failed:
        publish(gradebook, platform)
    assert failed.value.cause == cause


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html><title>Sign in</title>", b"\n<br />\n<b>Fatal error</b>: out of memory"]
)
def test_a_web_page_is_no_answer_to_a_score(gradebook: PlatformGradebook, platform: Platform, page: bytes) -> None:
    platform.will_answer(SCORES, Reply(body=page, headers={"Content-Type": "text/html"}))

    with pytest.raises(PlatformUnavailableError) as unavailable:
        publish(gradebook, platform)

    assert unavailable.value.cause == "score_service_down"


def test_a_revoked_token_is_replaced_once(gradebook: PlatformGradebook, platform: Platform) -> None:
    publish(gradebook, platform)
    platform.will_answer(SCORES, Reply(status=401))

    publish(gradebook, platform)

    bearers = [score.headers["Authorization"] for score in platform.scores]
    assert len(bearers) == 3
    assert bearers[0] == bearers[1] != bearers[2]


def test_a_service_that_takes_no_token_refuses(gradebook: PlatformGradebook, platform: Platform) -> None:
    platform.will_answer(SCORES, Reply(status=401), Reply(status=401))

    with pytest.raises(PlatformRefusedError) as refused:
        publish(gradebook, platform)

    assert refused.value.cause == "not_allowed"
    assert len(platform.scores) == 2


def test_moodle_refuses_with_an_empty_list_and_a_good_status(gradebook: PlatformGradebook, platform: Platform) -> None:
    platform.will_answer(SCORES, Reply(body=b"[]"), Reply(body=b"[]"))

    publish(gradebook, platform)
    with pytest.raises(PlatformRefusedError):
        publish(gradebook, platform, family=PlatformFamily.MOODLE)


NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, UTC)


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        ("120", NOW + timedelta(seconds=120)),
        (format_datetime(NOW.replace(microsecond=0) + timedelta(minutes=5), usegmt=True), None),
        ("999999999", NOW + timedelta(days=1)),
        ("99999999999999999999999", "nothing"),
        ("soon", "nothing"),
        ("-5", "nothing"),
        ("", "nothing"),
    ],
)
def test_the_platforms_own_word_for_when_is_understood(
    gradebook: PlatformGradebook, platform: Platform, clock: Clock, said: str, understood: datetime | str | None
) -> None:
    platform.will_answer(SCORES, Reply(status=429, headers={"Retry-After": said}))

    with pytest.raises(PlatformUnavailableError) as failed:
        publish(gradebook, platform)

    expected = clock().replace(microsecond=0) + timedelta(minutes=5) if understood is None else understood
    assert (failed.value.retry_after or "nothing") == expected


def test_scores_of_one_platform_share_a_connection(gradebook: PlatformGradebook, platform: Platform) -> None:
    for _ in range(5):
        publish(gradebook, platform)

    assert len(platform.scores) == 5
    assert platform.connections <= 2  # one for tokens, one for scores


def canvas_says(status: int, message: str) -> Reply:
    return Reply(status=status, body=json.dumps({"errors": {"message": message}}).encode())


# --- Causes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (
            Reply(status=422, body=b'{"errors":{"message":"User not found in course or is not a student"}}'),
            "user_not_gradable",
        ),
        (canvas_says(422, "This course has concluded"), "course_ended"),
        (
            Reply(status=422, body=b'{"errors":{"message":"The maximum number of allowed attempts has been reached"}}'),
            "no_attempts_left",
        ),
        (canvas_says(404, "Context is deleted or not found"), "course_ended"),
        (Reply(status=403, body=b'{"reason":"The column is locked"}'), "column_locked"),
        (
            Reply(status=400, body=b"[]", reason="Incorrect score received {locked attempt}"),
            "user_not_gradable",
        ),
    ],
)
def test_what_a_platform_says_becomes_a_cause_in_our_words(
    gradebook: PlatformGradebook, platform: Platform, reply: Reply, cause: str
) -> None:
    platform.will_answer(SCORES, reply)

    with pytest.raises(PlatformRefusedError) as refused:
        publish(gradebook, platform)

    assert refused.value.cause == cause


def test_a_mark_above_the_maximum_that_is_refused_says_so(gradebook: PlatformGradebook, platform: Platform) -> None:
    platform.will_answer(SCORES, Reply(status=422))

    with pytest.raises(PlatformRefusedError) as refused:
        publish(gradebook, platform, points=3.0)

    assert refused.value.cause == "above_maximum"


# --- Results ----------------------------------------------------------------------------------------------------------

RESULTS = "/lineitems/7/lineitem/results"


def shown(gradebook: PlatformGradebook, platform: Platform) -> Result | None:
    registration = platform.registration()
    key = ScoreKey(registration=registration.reference, line_item=platform.line_item, user_id="user-1")
    return gradebook.result(registration, key)


def page(items: Any, link: str = "") -> Reply:
    headers = {"Content-Type": "text/html", **({"Link": link} if link else {})}
    return Reply(body=json.dumps(items).encode(), headers=headers)


def test_a_result_is_read_from_whichever_page_has_it(gradebook: PlatformGradebook, platform: Platform) -> None:
    others = [{"userId": "user-2", "resultScore": 1}, "nonsense", None, {"userId": 7}]
    own = {"userId": "user-1", "resultScore": 6.75, "resultMaximum": 10}
    platform.will_answer(RESULTS, page(others, "<?page=2>; rel=next"), page([own]))

    found = shown(gradebook, platform)

    assert found == Result(user_id="user-1", score=6.75, maximum=10.0)
    first, second = platform.requests_to(RESULTS)
    assert first.query == "type_id=2&user_id=user-1"
    assert first.headers["Accept"] == "application/vnd.ims.lis.v2.resultcontainer+json"
    assert second.query == "page=2"


@pytest.mark.parametrize(
    "items",
    [
        [],
        [{"userId": "user-1"}],
        [{"userId": "user-1", "resultScore": None, "resultMaximum": 10}],
        [{"userId": "user-1", "resultScore": "6"}],
        [{"userId": "user-1", "resultScore": 1e300}],
        [{"userId": "somebody else", "resultScore": 6}],
    ],
)
def test_an_empty_cell_has_no_result(gradebook: PlatformGradebook, platform: Platform, items: Any) -> None:
    platform.will_answer(RESULTS, page(items))

    assert shown(gradebook, platform) is None


@pytest.mark.parametrize(
    "link",
    [
        "<?user_id=user-1&type_id=2>; rel=next, <http://127.0.0.1:1/>; rel=next",
        "<https://elsewhere.example/results>; rel=next",
        "<//elsewhere.example/results>; rel=next",
    ],
)
def test_pages_that_lead_in_circles_or_elsewhere_are_not_followed(
    gradebook: PlatformGradebook, platform: Platform, link: str
) -> None:
    platform.replies[RESULTS] = [page([], link) for _ in range(300)]

    with pytest.raises(PlatformRefusedError) as refused:
        shown(gradebook, platform)

    assert refused.value.cause == "answer_unreadable"
    assert len(platform.requests_to(RESULTS)) <= 3


def test_a_list_without_end_is_given_up(gradebook: PlatformGradebook, platform: Platform) -> None:
    platform.replies[RESULTS] = [page([], f"<?page={number}>; rel=next") for number in range(300)]

    with pytest.raises(PlatformRefusedError):
        shown(gradebook, platform)

    assert len(platform.requests_to(RESULTS)) == MOST_PAGES


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[" * 100_000, b"\xff"])
def test_nonsense_instead_of_results_is_said_to_be_unreadable(
    gradebook: PlatformGradebook, platform: Platform, body: bytes
) -> None:
    platform.will_answer(RESULTS, Reply(body=body))

    with pytest.raises(PlatformRefusedError) as refused:
        shown(gradebook, platform)
    assert refused.value.cause == "answer_unreadable"


def test_a_page_beyond_all_measure_is_not_read(gradebook: PlatformGradebook, platform: Platform) -> None:
    platform.will_answer(RESULTS, Reply(body=b"[" + b" " * 4_000_000 + b"]"))

    with pytest.raises(PlatformUnavailableError):
        shown(gradebook, platform)


def test_results_that_may_not_be_read_have_a_cause_of_their_own(
    gradebook: PlatformGradebook, platform: Platform
) -> None:
    platform.will_answer("/token", Reply(status=400, body=b'{"error":"invalid_scope"}'))

    with pytest.raises(PlatformRefusedError) as refused:
        shown(gradebook, platform)
    assert refused.value.cause == "result_scope_refused"


# --- Line items -------------------------------------------------------------------------------------------------------

CONTAINER = "/lineitems"


def column(platform: Platform, number: int, **members: Any) -> dict[str, Any]:
    return {"id": f"{platform.url}/lineitems/{number}", "label": "Essay", "scoreMaximum": 10, **members}


def test_columns_are_found_on_every_page_and_filtered_again(gradebook: PlatformGradebook, platform: Platform) -> None:
    mine, another = {"resourceLinkId": "link-1", "tag": "essay"}, {"resourceLinkId": "link-2", "tag": "essay"}
    platform.will_answer(
        CONTAINER,
        page([column(platform, 1, **mine), column(platform, 2, **another)], "<?p=2>; rel=next"),
        page(
            [
                column(platform, 3, **mine),
                {"id": "https://elsewhere.example/1", "label": "x", "scoreMaximum": 1, **mine},
            ]
        ),
    )

    found = gradebook.find(
        platform.registration(), f"{platform.url}{CONTAINER}?type_id=2", resource_link_id="link-1", tag="essay"
    )

    assert [item.url for item in found] == [f"{platform.url}/lineitems/1", f"{platform.url}/lineitems/3"]
    asked = platform.requests_to(CONTAINER)[0]
    assert asked.query == "type_id=2&resource_link_id=link-1&tag=essay"
    assert asked.headers["Accept"] == "application/vnd.ims.lis.v2.lineitemcontainer+json"


@pytest.mark.parametrize("status", [401, 403])
def test_columns_are_read_with_the_lesser_scope_where_a_token_is_good_for_that_only(
    gradebook: PlatformGradebook, platform: Platform, status: int
) -> None:
    refusals = [Reply(status=status)] * (2 if status == 401 else 1)  # 401 brings one more try with another token
    platform.will_answer(CONTAINER, *refusals, page([column(platform, 1, resourceLinkId="link-1")]))

    found = gradebook.find(platform.registration(), f"{platform.url}{CONTAINER}", resource_link_id="link-1")

    assert [item.url for item in found] == [f"{platform.url}/lineitems/1"]
    assert platform.requests_to("/token")[-1].form()["scope"].endswith("lineitem.readonly")


def test_a_column_is_made(gradebook: PlatformGradebook, platform: Platform) -> None:
    made = column(platform, 4, resourceLinkId="link-1")
    platform.will_answer(CONTAINER, Reply(status=201, body=json.dumps(made).encode()))
    new = NewLineItem(label="Essay", score_maximum=10.0, resource_link_id="link-1")

    item = gradebook.create(platform.registration(), f"{platform.url}{CONTAINER}", new)

    assert item.url == f"{platform.url}/lineitems/4"
    posted = platform.requests_to(CONTAINER)[0]
    assert posted.headers["Content-Type"] == "application/vnd.ims.lis.v2.lineitem+json"
    assert posted.json() == {"label": "Essay", "scoreMaximum": 10.0, "resourceLinkId": "link-1"}


def test_a_column_is_changed_without_losing_what_we_do_not_know(
    gradebook: PlatformGradebook, platform: Platform
) -> None:
    was = column(platform, 5, resourceLinkId="link-1", tag="t", **{"https://lms.example/extra": {"a": 1}})
    platform.will_answer("/lineitems/5", Reply(body=json.dumps(was).encode()), Reply(status=204, body=b""))

    item = gradebook.change(platform.registration(), f"{platform.url}/lineitems/5", label="Essay 2")

    _, put = platform.requests_to("/lineitems/5")
    assert (put.method, put.json()) == ("PUT", {**was, "label": "Essay 2"})
    assert (item.label, item.resource_link_id) == ("Essay 2", "link-1")


def essays_column(platform: Platform, **members: Any) -> Reply:
    return Reply(status=200, body=json.dumps(column(platform, 6, **members)).encode())


@pytest.mark.parametrize("status", [200, 204, 404])
def test_a_column_of_ours_is_deleted_also_when_it_goes_meanwhile(
    gradebook: PlatformGradebook, platform: Platform, status: int
) -> None:
    platform.will_answer("/lineitems/6", essays_column(platform, tag=COLUMN_TAG), Reply(status=status, body=b""))

    gradebook.delete(platform.registration(), f"{platform.url}/lineitems/6")

    assert [request.method for request in platform.requests_to("/lineitems/6")] == ["GET", "DELETE"]


def test_a_column_that_is_gone_needs_no_deletion(gradebook: PlatformGradebook, platform: Platform) -> None:
    platform.will_answer("/lineitems/6", Reply(status=404, body=b""))

    gradebook.delete(platform.registration(), f"{platform.url}/lineitems/6")

    assert [request.method for request in platform.requests_to("/lineitems/6")] == ["GET"]


@pytest.mark.parametrize("members", [{}, {"tag": ""}, {"tag": "exam"}])
def test_a_column_that_others_made_is_left_alone(
    gradebook: PlatformGradebook, platform: Platform, members: dict[str, str]
) -> None:
    platform.will_answer("/lineitems/6", essays_column(platform, **members))

    with pytest.raises(PlatformRefusedError) as refused:
        gradebook.delete(platform.registration(), f"{platform.url}/lineitems/6")

    assert refused.value.cause == "not_allowed"
    assert [request.method for request in platform.requests_to("/lineitems/6")] == ["GET"]


# --- KMS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claims", [{}, {"a": "é 🎓"}, {"a": "x" * 2900}])
def test_what_kms_signs_another_library_verifies(signer: KmsSigner, claims: dict[str, Any]) -> None:
    assert verified_by_jwks(signer.sign(claims), jwks(signer.public_keys())) == claims


def test_a_key_that_does_not_answer_is_our_own_error(stack: Stack) -> None:  # noqa: ARG001 - moto stands behind it
    with pytest.raises(ToolError) as failed:
        KmsSigner(boto3.client("kms", REGION), "no-such-key").sign({})
    assert failed.value.code == "store_unavailable"
