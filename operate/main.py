"""The command line: reads arguments, does one verb, prints what became of it.

Exit status: 0 done, 1 refused or found wrong (with the reason), 2 usage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from lti_tool.domain.errors import InvalidRequestError, ToolError
from operate import activity, canvas, deployment, doctor, invite, keys, launch, platform, privacy, roles, scores, smoke
from operate.findings import Report
from operate.stack import Stack, StackNotFoundError, deployed_stack, local_stack, named_environment

Verb = Callable[[Stack, argparse.Namespace], Any]


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lti", description="Operate a Serverless LTI stack.")
    nouns = parser.add_subparsers(required=True, metavar="NOUN")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--local", action="store_true", help="the local stack that `make run` started")
    common.add_argument("--stack", metavar="NAME", help="a deployed stack")
    common.add_argument("--region", metavar="REGION", help="where the deployed stack is")
    common.add_argument("--env", metavar="ENV", help="a deployed stack, as samconfig.toml names it: dub-prod")
    common.add_argument("--json", action="store_true", help="print JSON")
    platform.add_verbs(nouns, common)
    deployment.add_verbs(nouns, common)
    activity.add_verbs(nouns, common)
    canvas.add_verbs(nouns, common)
    invite.add_verbs(nouns, common)
    keys.add_verbs(nouns, common)
    launch.add_verbs(nouns, common)
    doctor.add_verbs(nouns, common)
    roles.add_verbs(nouns, common)
    privacy.add_verbs(nouns, common)
    scores.add_verbs(nouns, common)
    smoke.add_verbs(nouns, common)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    parser = command_line()
    options = parser.parse_args(arguments)
    said = [options.local, bool(options.stack or options.region), bool(options.env)]
    if said.count(True) != 1 or bool(options.stack) != bool(options.region):
        parser.error("say which stack: --local, --env ENV, or --stack NAME --region REGION")
    try:
        if options.env:
            options.stack, options.region = named_environment(options.env)
        stack = local_stack() if options.local else deployed_stack(options.stack, options.region)
        stack.enter()
        verb: Verb = options.verb
        found = verb(stack, options)
    except StackNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    except ToolError as error:
        detail = f" ({error})" if str(error) else ""
        # What was typed is no request of LTI's: what is wrong with it says enough.
        sentence = str(error) if detail and type(error) is InvalidRequestError else f"{error.message}{detail}"
        print(f"{sentence} [{error.code}]", file=sys.stderr)
        return 1
    status = found.status if isinstance(found, Report) else 0
    if options.json:
        print(json.dumps(found.document() if isinstance(found, Report) else found, indent=2, ensure_ascii=False))
    else:
        print(_readable(found))
    return status


def _readable(found: Any) -> str:
    if isinstance(found, Report):
        return "\n".join([*([_readable(found.beside)] if found.beside else []), found.told()])
    if isinstance(found, list):
        return "\n".join(_readable(entry) for entry in found) or "none"
    if isinstance(found, dict):
        return "\n".join(f"{name}: {_value(value)}" for name, value in found.items()) + "\n"
    return str(found)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} ({detail})" for name, detail in value.items()) or "-"
    if isinstance(value, list):
        words = (" ".join(map(str, one.values())) if isinstance(one, dict) else str(one) for one in value)
        return ", ".join(words) or "-"
    return "-" if value is None else str(value)


def run() -> int:
    """`main`, for a terminal: whoever reads may stop before the end, as `head` does."""
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to say at the exit either
        return 0
    return status


if __name__ == "__main__":
    sys.exit(run())
