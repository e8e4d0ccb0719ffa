"""Deep linking: what the response says for each kind of request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lti_tool.domain import claims as names
from lti_tool.domain.deeplink import require_acceptable, response_claims
from lti_tool.domain.errors import InvalidSelectionError, NotPermittedError
from lti_tool.domain.landing import placed, shipped_table
from lti_tool.domain.launch import DeepLinkingLaunch, launch_from
from lti_tool.domain.registration import PlatformFamily
from lti_tool.domain.tokens import SignedClaims
from tests.domain.test_parsers import REGISTRATION, WHOLE
from tests.support.platform import INSTRUCTOR, LEARNER
from tests.support.stack import catalogue

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ALL = catalogue()


def request(role: str = INSTRUCTOR, **settings: Any) -> DeepLinkingLaunch:
    whole = {"deep_link_return_url": "https://lms.example/return", "accept_types": ["ltiResourceLink"], **settings}
    claims = {
        **WHOLE,
        names.MESSAGE_TYPE: "LtiDeepLinkingRequest",
        names.ROLES: [role],
        names.DEEP_LINKING_SETTINGS: whole,
    }
    launch = placed(launch_from(SignedClaims(REGISTRATION, claims)), shipped_table())
    assert isinstance(launch, DeepLinkingLaunch)
    return launch


@pytest.mark.parametrize(
    ("settings", "number", "is_taken"),
    [
        ({}, 0, True),
        ({}, 1, True),
        ({}, 2, False),
        ({"accept_multiple": True}, 4, True),
        ({"accept_multiple": "true"}, 2, True),
        ({"accept_multiple": "yes"}, 2, False),
        ({"accept_multiple": None}, 2, False),
        ({"accept_types": ["link"]}, 1, False),
        ({"accept_types": []}, 1, False),
        ({"accept_types": []}, 0, True),
    ],
)
def test_only_what_the_platform_takes_may_be_chosen(settings: dict[str, Any], number: int, is_taken: bool) -> None:
    if is_taken:
        require_acceptable(ALL[:number], request(**settings))
    else:
        with pytest.raises(InvalidSelectionError):
            require_acceptable(ALL[:number], request(**settings))


def test_learners_choose_nothing_not_even_nothing() -> None:
    with pytest.raises(NotPermittedError):
        require_acceptable([], request(LEARNER))


def test_an_item_names_its_activity_in_address_and_custom_alike() -> None:
    claims = response_claims(ALL[:1], request(), PlatformFamily.CUSTOM, "https://tool.example", NOW)

    (item,) = claims[names.CONTENT_ITEMS]
    assert item["url"] == f"https://tool.example/activities/{ALL[0].id}"
    assert item["custom"] == {"activity_id": ALL[0].id}
    assert all(isinstance(value, str) for value in item["custom"].values())


@pytest.mark.parametrize("data", ["", "x", "é\n"])
def test_data_comes_back_as_it_came(data: str) -> None:
    assert (
        response_claims([], request(data=data), PlatformFamily.CUSTOM, "https://tool.example", NOW)[names.DATA] == data
    )


def test_without_data_none_comes_back() -> None:
    assert names.DATA not in response_claims([], request(), PlatformFamily.CUSTOM, "https://tool.example", NOW)


def test_the_response_is_dated_back_lives_five_minutes_and_names_both_sides() -> None:
    claims = response_claims([], request(), PlatformFamily.CUSTOM, "https://tool.example", NOW)

    assert (claims["iat"], claims["exp"] - claims["iat"]) == (int(NOW.timestamp()) - 5, 300)
    assert (claims["iss"], claims["aud"]) == (REGISTRATION.client_id, REGISTRATION.issuer)
    assert "azp" not in claims
