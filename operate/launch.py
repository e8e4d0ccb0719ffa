"""`lti launch`: what became of a launch."""

from __future__ import annotations

import argparse
from typing import Any

from lti_tool.domain import errors
from lti_tool.domain.errors import ToolError
from lti_tool.domain.trace import Trace
from lti_tool.runtime import wiring
from operate.stack import Stack

_STEPS = {
    "registration_found": "found the platform's registration",
    "key_found": "found the platform's key",
    "id_token_trusted": "trusted the id_token: signature, parties and times are right",
    "message_understood": "understood the message",
    "deployment_served": "the deployment is served",
    "placed": "the landing rules said what this person may do",
}


def add_verbs(nouns: Any, common: argparse.ArgumentParser) -> None:
    verbs = nouns.add_parser("launch", help="launches").add_subparsers(required=True, metavar="VERB")
    trace = verbs.add_parser("trace", parents=[common], help="tell the story of a login or launch")
    trace.add_argument("support_id", help="from the page that refused, or the launch id of an accepted launch")
    trace.set_defaults(verb=_trace)


def _trace(_: Stack, options: argparse.Namespace) -> Any:
    trace = wiring.traces().find(options.support_id)
    if options.json:
        return {
            "support_id": trace.support_id,
            "door": trace.door,
            "at": trace.at.isoformat(timespec="milliseconds"),
            "passed": [{"step": step, **facts} for step, facts in trace.steps],
            "code": trace.code,
            "evidence": trace.evidence,
        }
    return "\n".join(_story(trace))


def _story(trace: Trace) -> list[str]:
    lines = [f"{trace.at:%Y-%m-%d %H:%M:%S} UTC, {trace.door}:"]
    lines += [f"  passed   {_STEPS.get(step, step)}{_facts(facts)}" for step, facts in trace.steps]
    if trace.code == "ok":
        return [*lines, "  opened   the launch became a session"]
    error = _error_of(trace.code)
    lines.append(f"  refused  {error.sentence} [{trace.code}]{_facts(trace.evidence)}")
    return [*lines, f"  next     {error.administrator.value}", f"  more     docs/errors.md#{trace.code}"]


def _facts(facts: dict[str, str]) -> str:
    # Facts may come from outside: escapes keep a terminal from obeying them.
    told = ", ".join(f"{name} {fact!r}" for name, fact in facts.items())
    return f" ({told})" if told else ""


def _error_of(code: str) -> type[ToolError]:
    family = (found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, ToolError))
    return next((error for error in family if error.code == code), ToolError)
