from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.world import World, local_stack
from tests.support.fixtures import platform as platform
from tests.support.fixtures import stack as stack
from tests.support.fixtures import standing_stack as standing_stack


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world for each file: what one places in a course, another does not find there."""
    with local_stack(tmp_path_factory.mktemp("world")) as running:
        yield running
