from collections.abc import Iterator

import pytest

from tests.support.fixtures import browser as browser
from tests.support.fixtures import logged as logged
from tests.support.fixtures import platform as platform
from tests.support.fixtures import stack as stack
from tests.support.fixtures import standing_stack as standing_stack
from tests.support.policies import RECORDING, too_little


@pytest.fixture(autouse=True)
def within_policies() -> Iterator[None]:
    """Whatever path a test drives: a function asks AWS for nothing that its policy in template.yaml refuses."""
    with RECORDING.anew() as calls:
        yield
    found = too_little(calls)
    assert not found, "\n".join(found)
