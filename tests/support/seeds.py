"""Sample events filled with what a running stack knows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.cloud import ROOT
from local.seed import Seeds
from local.stack import Stack


@pytest.fixture(scope="module")
def seeds(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeds]:
    seeds = Seeds(stack, ROOT, tmp_path_factory.mktemp("seeds"))
    yield seeds
    seeds.stop()
