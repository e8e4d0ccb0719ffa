"""What a look at a platform, or at the whole stack, has found: said to a program and to a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong. `field` says where, `problem` is a stable code, `mend` a command or what to do."""

    field: str
    problem: str
    sentence: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was looked at, and what was seen."""

    field: str
    right: bool
    saw: str
    milliseconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`beside` is what the verb did otherwise; `status` the exit status."""

    name: str
    steps: Sequence[Step]
    findings: Sequence[Finding]
    status: int
    beside: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        report = {
            "well": not self.findings,
            "findings": [asdict(finding) for finding in self.findings],
            "steps": [asdict(step) for step in self.steps],
        }
        return {**self.beside, self.name: report} if self.beside else report

    def told(self) -> str:
        lines = []
        for step in self.steps:
            took = "" if step.milliseconds is None else f" ({step.milliseconds} ms)"
            lines.append(f"{'right' if step.right else 'WRONG'}  {step.field}: {step.saw}{took}")
        for finding in self.findings:
            lines += ["", f"{finding.field}: {finding.sentence} [{finding.problem}]", f"  mend: {finding.mend}"]
        count = len(self.findings)
        found = f"{count} {'thing' if count == 1 else 'things'} to mend." if count else "All is well."
        return "\n".join([*lines, "", found])
