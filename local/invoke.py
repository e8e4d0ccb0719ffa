"""`python -m local.invoke FUNCTION EVENT`: one handler, under Lambda's runtime client, on one sample event.

A cloud of its own stands for the moment, seeded so that the event succeeds. FUNCTION is a folder of functions/.
`--print` prints the filled event instead. Exit status 0 when the function answered, whatever its status; 1 when not.
"""

import argparse
import base64
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.child import Outcome
from local.cloud import ROOT
from local.logs import Logs
from local.lti import CannotRunError
from local.seed import Seeds
from local.stack import Stack


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m local.invoke")
    parser.add_argument("--print", action="store_true", dest="only_print", help="print the filled event, run nothing")
    parser.add_argument("--template", type=Path, default=ROOT / "template.yaml")
    parser.add_argument("function", help="a folder of functions/: launch")
    parser.add_argument("event", type=Path, help="a file: events/launch.json")
    options = parser.parse_args(arguments)
    try:
        event = json.loads(options.event.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        parser.error(f"{options.event}: {error}")
    try:
        with _seeded(options.template.resolve()) as (stack, seeds):
            names = {function.word: name for name, function in stack.system.functions.items()}
            if options.function not in names:
                parser.error(f"no function {options.function}; there are: {', '.join(sorted(names))}")
            filled = seeds.fill(event)
            if options.only_print:
                print(json.dumps(filled, indent=2, ensure_ascii=False))
                return 0
            answer = stack.invoke(names[options.function], json.dumps(filled).encode())
    except CannotRunError as error:
        print(error, file=sys.stderr)
        return 1
    print(_readable(answer.payload) if answer.payload else answer.outcome.value)
    return 0 if answer.outcome is Outcome.ANSWERED else 1


@contextmanager
def _seeded(template: Path) -> Iterator[tuple[Stack, Seeds]]:
    logs = Logs(sys.stderr)  # standard output is the answer's
    parameters = {"LoopbackHttp": "allowed", "ScoresVisibilityTimeout": "3"}
    stack = Stack(template, parameters=parameters, logs=logs)
    try:
        with tempfile.TemporaryDirectory() as folder:
            seeds = Seeds(stack, template.parent, Path(folder))
            try:
                yield stack, seeds
            finally:
                seeds.stop()
    finally:
        stack.stop()


def _readable(payload: bytes) -> str:
    result = json.loads(payload)
    if not isinstance(result, dict) or "statusCode" not in result:
        return json.dumps(result, indent=2, ensure_ascii=False)
    headers = [f"{name}: {value}" for name, value in (result.get("headers") or {}).items()]
    cookies = [f"set-cookie: {cookie}" for cookie in result.get("cookies") or []]
    return "\n".join([f"status: {result['statusCode']}", *headers, *cookies, "", _readable_body(result)])


def _readable_body(result: Mapping[str, Any]) -> str:
    body = result.get("body") or ""
    if result.get("isBase64Encoded"):
        raw = base64.b64decode(body)
        try:
            body = raw.decode()
        except UnicodeDecodeError:
            return f"({len(raw)} bytes)"
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return str(body)


if __name__ == "__main__":
    sys.exit(main())
