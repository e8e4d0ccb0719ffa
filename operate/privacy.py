"""`lti privacy`: what this region holds of one person, and its end.

A person is a platform's `sub`; the platform's own administrator finds it there. Only the named stack's region is
looked at: run it for each region that the platform's users may have reached.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lti_tool.domain.errors import InvalidRequestError, UnknownRegistrationError
from lti_tool.domain.registration import RegistrationReference, reference_of
from lti_tool.runtime import wiring
from operate import audit
from operate.stack import Stack


def add_verbs(nouns: Any, common: argparse.ArgumentParser) -> None:
    verbs = nouns.add_parser("privacy", help="requests of one person").add_subparsers(required=True, metavar="VERB")
    person = argparse.ArgumentParser(add_help=False)
    person.add_argument("--issuer", required=True, help="the platform that the person uses")
    person.add_argument("--client-id", help="one registration of that platform; all of them when it is left out")
    person.add_argument("--user", required=True, metavar="SUB", help="the person's id there: the `sub` of launches")

    export = verbs.add_parser("export", parents=[common, person], help="print all that is held, as JSON")
    export.add_argument("--output", type=Path, metavar="FILE", help="write it there instead")
    export.set_defaults(verb=_export)
    erase = verbs.add_parser("erase", parents=[common, person], help="erase all that is held; marks not sent are lost")
    erase.set_defaults(verb=_erase)


def _export(stack: Stack, options: argparse.Namespace) -> Any:
    document = []
    for reference in _audited(stack, "privacy export", options):
        held = wiring.personal_data().of(reference, options.user)
        document += [{"platform": reference, "kind": each.kind, **each.contents} for each in held]
    if options.output is None:
        return document if options.json else json.dumps(document, indent=2, ensure_ascii=False)
    try:
        options.output.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise InvalidRequestError(f"{options.output}: cannot be written") from error
    return {"written": str(options.output), "items": len(document)}


def _erase(stack: Stack, options: argparse.Namespace) -> dict[str, int]:
    """Sessions go first: who has none cannot hand in again while the rest is erased."""
    erased = {"session": 0, "review": 0, "attempt": 0, "start": 0, "score": 0}
    for reference in _audited(stack, "privacy erase", options):
        held = wiring.personal_data().of(reference, options.user)
        for each in sorted(held, key=lambda each: each.kind != "session"):
            wiring.personal_data().erase(each)
            erased[each.kind] = erased.get(each.kind, 0) + 1
    return erased


def _audited(stack: Stack, verb: str, options: argparse.Namespace) -> Iterator[RegistrationReference]:
    """The registrations that are meant, each with its audit line, which does not name the person."""
    found = [
        registration
        for registration in wiring.registrations().all()
        if registration.issuer == options.issuer and options.client_id in (None, registration.client_id)
    ]
    if not found and options.client_id is None:
        raise UnknownRegistrationError("none of that issuer; for one that was removed, say --client-id too")
    for registration in found:
        audit.write(stack, verb, registration)
        yield registration.reference
    if not found:
        audit.write(stack, verb, None)
        yield reference_of(options.issuer, options.client_id)
