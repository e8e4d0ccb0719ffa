"""A trace: what a login or launch went through, kept for three days so that its story can be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lti_tool.domain.errors import ToolError

TRACE_LIVES = timedelta(days=3)


@dataclass(slots=True)
class Trail:
    """The steps that a request has passed so far, each with facts that are neither secret nor personal."""

    steps: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    launch_id: str | None = None  # the accepted launch, which keeps its story itself
    tenant: str | None = None  # the operator's name for whoever comes, once the registration vouches for it

    def passed(self, step: str, **facts: object) -> None:
        self.steps.append((step, {name: str(fact)[:200] for name, fact in facts.items() if fact is not None}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One attempt to come in: which door, when, the steps passed, and the check that failed, if one did.

    `evidence` says what was expected and what came.
    """

    support_id: str
    door: str
    at: datetime
    steps: tuple[tuple[str, dict[str, str]], ...]
    code: str
    evidence: dict[str, str]

    @classmethod
    def of_refusal(cls, support_id: str, door: str, at: datetime, trail: Trail, error: ToolError) -> Trace:
        return cls(
            support_id=support_id,
            door=door,
            at=at,
            steps=tuple(trail.steps),
            code=error.code,
            evidence=dict(error.evidence),
        )
