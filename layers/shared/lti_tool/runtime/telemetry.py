"""Logs and metrics: one line and one count per outcome, ids only."""

from __future__ import annotations

import secrets
import traceback
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit


@cache
def logger() -> Logger:
    return Logger(use_rfc3339=True)


def new_support_id() -> str:
    """What a person can read out on the telephone, and an operator finds in the logs."""
    return secrets.token_hex(6)


def failure(error: BaseException) -> dict[str, Any]:
    """Only the kind and the place of a bug: an exception's text may hold what came from outside."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return {"error": type(error).__name__, "where": f"{where.filename}:{where.lineno}"}


def count(name: str, *, door: str, outcome: str) -> None:
    """Count one outcome of one door. Metrics are written to the log; CloudWatch reads them there."""
    metrics = EphemeralMetrics()
    metrics.add_dimension(name="door", value=door)
    metrics.add_dimension(name="outcome", value=outcome)
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
    metrics.flush_metrics()
