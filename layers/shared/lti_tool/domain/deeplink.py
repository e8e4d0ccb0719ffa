"""The answer to a deep linking request: which activities the teacher chose.

Spec: https://www.imsglobal.org/spec/lti-dl/v2p0/#deep-linking-response-message
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from lti_tool.domain import claims as names
from lti_tool.domain.activity import ACTIVITY_PARAMETER, Activity, activity_url
from lti_tool.domain.addresses import origin_of
from lti_tool.domain.errors import InvalidSelectionError, NotPermittedError
from lti_tool.domain.launch import DeepLinkingLaunch, DeepLinkingSettings
from lti_tool.domain.registration import PlatformFamily
from lti_tool.domain.roles import Right
from lti_tool.domain.tokens import CLOCKS_DIFFER

RESPONSE_LIVES = timedelta(minutes=5)
LINK = "ltiResourceLink"


def require_acceptable(activities: Sequence[Activity], launch: DeepLinkingLaunch) -> None:
    """Only planners choose, only as many and only the type that the platform takes; choosing nothing is a cancel."""
    if not launch.may(Right.CHOOSE):
        raise NotPermittedError
    too_many = len(activities) > 1 and not launch.settings.accept_multiple
    if too_many or (activities and LINK not in launch.settings.accept_types):
        raise InvalidSelectionError


def response_claims(
    activities: Sequence[Activity], launch: DeepLinkingLaunch, family: PlatformFamily, tool_url: str, now: datetime
) -> dict[str, Any]:
    """The claims of the JWT that carries the content items back; an empty list tells the platform to close.

    The items' addresses are under the host that the platform was configured with, be it another region's: platforms
    match links to tools by it, and every region serves them.
    """
    base = origin_of(launch.target_link_uri) or tool_url
    claims: dict[str, Any] = {
        "iss": launch.client_id,
        "sub": launch.client_id,  # Blackboard asks for it, the spec leaves it open
        "aud": launch.issuer,  # the launch's issuer, never the host that it came over
        "iat": int((now - CLOCKS_DIFFER).timestamp()),
        "exp": int((now - CLOCKS_DIFFER + RESPONSE_LIVES).timestamp()),
        "nonce": secrets.token_urlsafe(24),
        names.MESSAGE_TYPE: names.DEEP_LINKING_RESPONSE,
        names.VERSION: names.LTI_VERSION,
        names.DEPLOYMENT_ID: launch.deployment_id,
        names.CONTENT_ITEMS: [_content_item(activity, launch.settings, family, base) for activity in activities],
    }
    if launch.settings.data is not None:  # echoed if and only if it came: Blackboard demands it, Canvas has none
        claims[names.DATA] = launch.settings.data
    return claims


def _content_item(
    activity: Activity, settings: DeepLinkingSettings, family: PlatformFamily, base: str
) -> dict[str, Any]:
    item: dict[str, Any] = {
        "type": LINK,
        "title": activity.title,
        "text": activity.description,
        "custom": {ACTIVITY_PARAMETER: activity.id},
    }
    if (
        family is not PlatformFamily.OPENEDX
    ):  # Open edX names an item's own url at the launch, and another at the login.
        item["url"] = activity_url(base, activity.id)
    # When the platform does not say, it may still make a column.
    if activity.score_maximum is not None and settings.accept_line_item is not False:
        item["lineItem"] = {
            "scoreMaximum": activity.score_maximum,
            "label": activity.title,
            "resourceId": activity.id,
        }
    return item
