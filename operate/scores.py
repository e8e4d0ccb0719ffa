"""`lti scores`: where marks are on their way, and a hand for those that are stuck."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from lti_tool.domain.errors import InvalidScoreError, ScoreConflictError, ToolError
from lti_tool.domain.score import (
    DeadLetter,
    OutboxEntry,
    ScoreMessage,
    ScoreState,
    parse_score_id,
    parse_score_message,
)
from lti_tool.runtime import views, wiring
from operate.findings import Finding, Report
from operate.platform import named
from operate.stack import Stack


def add_verbs(nouns: Any, common: argparse.ArgumentParser) -> None:
    verbs = nouns.add_parser("scores", help="marks on their way").add_subparsers(required=True, metavar="VERB")
    lists = verbs.add_parser("list", parents=[common], help="scores that wait or were refused; of one column, all")
    lists.add_argument("--state", choices=[state.value for state in ScoreState], help="only these")
    lists.add_argument("--platform", metavar="PLATFORM_ID", help="only this platform's")
    lists.add_argument("--line-item", metavar="URL", help="one gradebook column of the platform, sent ones too")
    lists.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many (100)")
    lists.set_defaults(verb=_list, parser=lists)
    push = verbs.add_parser("push", parents=[common], help="hand in score messages: all of them, or none")
    push.add_argument("file", metavar="FILE", help="one JSON object, or one on each line; - reads standard input")
    push.set_defaults(verb=_push)
    resend = verbs.add_parser("resend", parents=[common], help="send scores again, now")
    resend.add_argument("ids", nargs="*", metavar="ID", help="as `lti scores list` shows it")
    resend.add_argument("--all-refused", action="store_true", help="every score that a platform refused")
    resend.add_argument("--platform", metavar="PLATFORM_ID", help="with --all-refused: only this platform's")
    resend.set_defaults(verb=_resend, parser=resend)
    redrive = verbs.add_parser("redrive", parents=[common], help="bring dead letters back to the queue")
    redrive.add_argument("--reason", metavar="CODE", help="only those that were given up for this")
    redrive.add_argument("--dry-run", action="store_true", help="only show how many lie there, and why")
    redrive.set_defaults(verb=_redrive)


def _list(_: Stack, options: argparse.Namespace) -> list[dict[str, Any]]:
    if options.line_item and not options.platform:
        options.parser.error("--line-item needs --platform")
    if options.state in (ScoreState.SENT, ScoreState.NOT_SENT) and not options.line_item:
        options.parser.error("scores that nobody has to mend are listed by column: add --platform and --line-item")
    return [_view(entry) for entry in islice(_entries(options), max(options.limit, 0))]


def _entries(options: argparse.Namespace) -> Iterator[OutboxEntry]:
    reference = named(options.platform).reference if options.platform else None
    if options.line_item:
        found = iter(wiring.score_desk().of_line_item(named(options.platform).reference, options.line_item))
    else:
        found = _waiting_and_refused(options.state)
    return (
        entry
        for entry in found
        if options.state in (None, entry.state) and reference in (None, entry.score.key.registration)
    )


def _waiting_and_refused(state: str | None) -> Iterator[OutboxEntry]:
    """What was held for a teacher to decide stands with what was refused."""
    if state != ScoreState.WAITING:
        yield from wiring.score_desk().refused()
    if state in (None, ScoreState.WAITING):
        yield from wiring.score_desk().waiting()


def _view(entry: OutboxEntry) -> dict[str, Any]:
    """What an operator needs to find the matter; names and marks are the teacher's to see."""
    key = entry.score.key
    return {**views.score_view(entry), "platform": key.registration, "line_item": key.line_item, "user_id": key.user_id}


def _push(_: Stack, options: argparse.Namespace) -> Report | list[dict[str, Any]]:
    """Whatever stops this halfway, the same file may be pushed again: what was taken is not taken twice."""
    messages = _messages(_text(options.file))
    intake = wiring.score_intake()
    pushed, conflicts = [], []
    for place, message in messages.items():
        try:
            receipt = intake.take(message)
        except ScoreConflictError as error:
            mend = "Push it with the moment at which the score really changed."
            conflicts.append(Finding(field=place, problem=error.code, sentence=error.message, mend=mend))
        else:
            pushed.append({"message": place, "id": receipt.id, "state": receipt.state})
    if conflicts:
        return Report(name="push", steps=(), findings=conflicts, status=1, beside={"pushed": pushed})
    return pushed


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidScoreError({file: "cannot be read"}) from error


def _messages(text: str) -> dict[str, ScoreMessage]:
    """The messages by where they stand; all are judged before the first is taken.

    Raises:
        InvalidScoreError: what is wrong in which line.
    """
    parts = {"message": text} if _is_one(text) else dict(_lines(text))
    messages, faults = {}, {} if parts else {"message": "there is none"}
    for place, part in parts.items():
        try:
            messages[place] = parse_score_message(part)
            wiring.score_intake().require_known(messages[place])
        except InvalidScoreError as error:
            faults |= {f"{place}, {field}": problem for field, problem in error.faults.items()}
        except ToolError as error:
            faults[place] = f"{error.message} [{error.code}]"
    if faults:
        raise InvalidScoreError(faults)
    return messages


def _is_one(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Only a line feed ends a line: JSON may hold the others that Unicode knows, in a comment say."""
    return ((f"line {number}", line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())


def _resend(_: Stack, options: argparse.Namespace) -> list[dict[str, Any]] | dict[str, Any]:
    if bool(options.ids) == options.all_refused:
        options.parser.error("name scores by their ids, or say --all-refused")
    if options.platform and not options.all_refused:
        options.parser.error("--platform goes with --all-refused")
    desk = wiring.score_desk()
    if options.all_refused:
        reference = named(options.platform).reference if options.platform else None
        refused = (
            entry
            for entry in desk.refused()
            if entry.state is ScoreState.REFUSED and reference in (None, entry.score.key.registration)
        )
        return {"resent": desk.resend_all(refused)}
    entries = [wiring.score_intake().find(parse_score_id(score_id)) for score_id in options.ids]  # all, or none is sent
    return [
        {"id": entry.score.key.id, "resent": desk.resend(entry.score.key), "was": entry.state.value}
        for entry in entries
    ]


def _redrive(_: Stack, options: argparse.Namespace) -> dict[str, Any]:
    def wanted(letter: DeadLetter) -> bool:
        return options.reason in (None, letter.reason)

    desk = wiring.score_desk()
    if not options.dry_run:
        return {"redriven": desk.redrive(wanted)}
    found = {letter.message_id: letter.reason or "given_up_by_the_queue" for letter in desk.letters() if wanted(letter)}
    return {"dead_letters": len(found), "reasons": dict(Counter(found.values()))}
