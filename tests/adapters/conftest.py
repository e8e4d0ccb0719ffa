from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from lti_tool.adapters.access_tokens import AccessTokens
from lti_tool.adapters.kms import KmsSigner
from lti_tool.adapters.launches_table import PlatformCache
from lti_tool.adapters.platform_http import PlatformHttp
from tests.support.fixtures import stack as stack
from tests.support.fixtures import standing_stack as standing_stack
from tests.support.platform import Platform, serving
from tests.support.stack import REGION, Stack


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, 0, 0, 123456, UTC)

    def __call__(self) -> datetime:
        return self.now

    def goes_on(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def platform() -> Iterator[Platform]:
    with serving() as found:
        yield found


@pytest.fixture
def signer(stack: Stack) -> KmsSigner:
    return KmsSigner(boto3.client("kms", REGION), stack.environment["SIGNING_KEY_ID"])


@pytest.fixture
def tokens(stack: Stack, clock: Clock, signer: KmsSigner) -> AccessTokens:
    cache = PlatformCache(stack.dynamodb, "LaunchesTable", clock)
    return AccessTokens(PlatformHttp(loopback_http=True), signer, cache, clock)
