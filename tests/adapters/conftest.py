from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.fixtures import stack as stack
from tests.support.fixtures import standing_stack as standing_stack


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
