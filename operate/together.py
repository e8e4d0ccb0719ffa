"""Questions to other machines, asked all at once and answered by a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeVar

from lti_tool.domain.errors import ToolError

_T = TypeVar("_T")


def together(jobs: Mapping[str, Callable[[], _T]], within_seconds: float) -> dict[str, _T]:
    """The results that were there in time, without those of jobs that failed.

    Who is late is left behind, and ends with the process at the latest.
    """
    until = time.monotonic() + within_seconds
    results: dict[str, _T] = {}

    def run(name: str, job: Callable[[], _T]) -> None:
        with suppress(ToolError):
            results[name] = job()

    threads = [threading.Thread(target=run, args=job, daemon=True) for job in jobs.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return dict(results)
