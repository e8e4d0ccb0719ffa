"""`lti roles`: the landing rules, which say what the roles of a launch make of a person here."""

from __future__ import annotations

import argparse
import re
import tomllib
from pathlib import Path
from typing import Any

from lti_tool.domain.errors import InvalidLandingRulesError
from lti_tool.domain.landing import (
    MESSAGE_TYPES,
    LandingRule,
    LandingTable,
    RuleProblemError,
    as_document,
    as_toml,
    parse_table,
    trusting_rules,
)
from lti_tool.domain.launch import landing_page
from lti_tool.domain.registration import Registration, RegistrationReference
from lti_tool.domain.roles import Right, rights_of, short_role
from lti_tool.runtime import wiring
from operate import audit
from operate.platform import named, require_id
from operate.stack import Stack

_SCOPES = {
    "shipped": "the shipped rules",
    "stack": "the stack's own rules",
    "platform": "the platform's own rules",
    "deployment": "the deployment's own rules",
}
_PARTS = {Right.DELIVER: "Deliver", Right.MONITOR: "Monitor", Right.GRADE: "Grade", Right.REPORT: "Report"}
_PAGES = {
    "/app/activity": "the activity",
    "/app/picker": "the picker",
    "/app/review": "one learner's work",
    "/app/welcome": "the page that lists what was received and says whom to ask",
}


def add_verbs(nouns: Any, common: argparse.ArgumentParser) -> None:
    verbs = nouns.add_parser("roles", help="who lands where").add_subparsers(required=True, metavar="VERB")
    scope = argparse.ArgumentParser(add_help=False)
    scope.add_argument("--platform", metavar="ID", help="of this platform, as `lti platform list` shows it")
    scope.add_argument("--deployment", metavar="D", help="of this deployment of the platform")
    lists = verbs.add_parser("list", parents=[common, scope], help="the rules in force, as a file to change and set")
    lists.set_defaults(verb=_list, parser=lists)
    sets = verbs.add_parser(
        "set", parents=[common, scope], help="replace the rules by those of a file, or none of them"
    )
    sets.add_argument("file", type=Path, metavar="FILE")
    sets.set_defaults(verb=_set, parser=sets)
    reset = verbs.add_parser("reset", parents=[common, scope], help="drop the own rules: the wider ones count again")
    reset.set_defaults(verb=_reset, parser=reset)
    explain = verbs.add_parser("explain", parents=[common, scope], help="what the rules make of somebody, and why")
    explain.add_argument("--support-id", metavar="ID", help="an accepted launch, as its page shows it")
    explain.add_argument("--role", action="append", default=[], dest="roles", metavar="URI")
    explain.add_argument("--custom", action="append", default=[], type=_pair, metavar="NAME=VALUE")
    explain.add_argument("--message-type", choices=MESSAGE_TYPES, default=MESSAGE_TYPES[0])
    explain.set_defaults(verb=_explain, parser=explain)


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not name or not mark:
        raise argparse.ArgumentTypeError("say it as NAME=VALUE")
    return name, value


# --- Reading and changing -----------------------------------------------------------------------------------------


def _list(_: Stack, options: argparse.Namespace) -> Any:
    table = _in_force(*_scope(options))
    if options.json:
        return {"scope": table.scope, **as_document(table)}
    return f"# In force: {_SCOPES[table.scope]}. The first rule that matches decides.\n\n{as_toml(table)}".rstrip()


def _set(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    registration, deployment_id = _scope(options)
    table = _read(options.file)
    audit.write(stack, "roles set", registration, *_changed(deployment_id))
    wiring.registrations().put_table(table, _reference(registration), deployment_id)
    hints = [
        f"Rule {rule.name!r} makes staff of whoever brings its custom parameters, whatever their role:"
        " in many platforms a teacher can write them, in some into any link. Name the roles as well."
        for rule in trusting_rules(table)
    ]
    if registration is not None and deployment_id is not None and deployment_id not in registration.deployments:
        hints.append(f"The deployment {deployment_id!r} is not known yet: lti deployment list shows those that are.")
    return {"set": _name_of(registration, deployment_id), "rules": len(table.rules), "hints": hints}


def _reset(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    registration, deployment_id = _scope(options)
    audit.write(stack, "roles reset", registration, *_changed(deployment_id))
    was_there = wiring.registrations().remove_table(_reference(registration), deployment_id)
    return {
        "reset": _name_of(registration, deployment_id),
        "had_own_rules": was_there,
        "in_force": _SCOPES[_in_force(registration, deployment_id).scope],
    }


def _scope(options: argparse.Namespace) -> tuple[Registration | None, str | None]:
    if options.platform is None:
        if options.deployment is not None:
            options.parser.error("a deployment is one of a platform: say --platform ID as well")
        return None, None
    registration = named(options.platform)
    if options.deployment is not None:
        require_id("deployment id", options.deployment)
    return registration, options.deployment


def _in_force(registration: Registration | None, deployment_id: str | None) -> LandingTable:
    tables = wiring.registrations()
    return tables.table_for(registration.reference, deployment_id or "") if registration else tables.table_of_stack()


def _reference(registration: Registration | None) -> RegistrationReference | None:
    return None if registration is None else registration.reference


def _name_of(registration: Registration | None, deployment_id: str | None) -> str:
    if registration is None:
        return "the stack"
    return registration.reference if deployment_id is None else f"{registration.reference}, deployment {deployment_id}"


def _changed(deployment_id: str | None) -> tuple[str, ...]:
    return ("landing" if deployment_id is None else f"landing/{deployment_id}",)


def _read(path: Path) -> LandingTable:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return parse_table("stack", tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InvalidLandingRulesError(f"{path}: {error}") from None
    except RuleProblemError as problem:
        where = f", line {_line_of(text, problem)}" if problem.number else ""
        rule = f", rule {problem.number}" if problem.number else ""
        raise InvalidLandingRulesError(f"{path}{where}{rule}: {problem}") from None
    except (OSError, UnicodeDecodeError, RecursionError):
        raise InvalidLandingRulesError(f"{path}: cannot be read") from None


def _line_of(text: str, problem: RuleProblemError) -> int:
    """The line of the rule's key, or else of its beginning; 1 where the rules are not written one below the other."""
    lines = text.splitlines()
    begins = [n for n, line in enumerate(lines, start=1) if re.match(r"\s*\[\[\s*rules\s*\]\]", line)]
    if len(begins) < problem.number:
        return 1
    first, last = begins[problem.number - 1], [*begins[1:], len(lines) + 1][problem.number - 1]
    key = re.compile(rf"\s*(\[\s*rules\s*\.\s*)?[\"']?{re.escape(problem.key)}[\"']?\s*[=.\]]")
    return next((n for n in range(first + 1, last) if problem.key and key.match(lines[n - 1])), first)


# --- Explaining ---------------------------------------------------------------------------------------------------


def _explain(_: Stack, options: argparse.Namespace) -> Any:
    if options.support_id is not None:
        launch = wiring.traces().launch(options.support_id)
        registration: Registration | None = named(launch.registration)
        deployment_id: str | None = launch.deployment_id
        roles, custom, message_type = launch.roles, dict(launch.custom), launch.message_type
    else:
        registration, deployment_id = _scope(options)
        roles, custom, message_type = tuple(options.roles), dict(options.custom), options.message_type
    table = _in_force(registration, deployment_id)
    rule = table.rule_for(roles, custom, message_type)
    rights = rights_of(rule.privileges) if rule else frozenset()
    page = landing_page(rights, message_type)
    told = {
        "roles": [{"received": role, "means": short_role(role)} for role in roles],
        "custom": custom,
        "message_type": message_type,
        "rules": table.scope,
        "rule": {"number": table.rules.index(rule) + 1, "name": rule.name} if rule else None,
        "privileges": sorted(rule.privileges) if rule else [],
        "rights": [right.value for right in Right if right in rights],
        "landing": page,
    }
    return told if options.json else "\n".join(_told(told, table, rule, _shown(page, rights)))


def _told(told: dict[str, Any], table: LandingTable, rule: LandingRule | None, page: str) -> list[str]:
    # Roles and parameters may come from outside: escapes keep a terminal from obeying them.
    lines = [f"message     {told['message_type']}", "roles       " + ("none" if not told["roles"] else "")]
    lines += [f"  {role['means']!r}  received as {role['received']!r}" for role in told["roles"]]
    if told["custom"]:
        lines += ["parameters", *(f"  {name!r} = {value!r}" for name, value in told["custom"].items())]
    lines.append(f"rules       {_SCOPES[table.scope]}, {len(table.rules)} of them")
    if rule is None:
        lines += ["rule        none matches", "privileges  none", f"page        {told['landing']}: {page}"]
        return [
            *lines,
            "next        add a rule that names one of these roles: lti roles list, change it, lti roles set",
        ]
    lines.append(f"rule        number {told['rule']['number']}, {rule.name!r}: the first that matches")
    lines.append(f"privileges  {', '.join(told['privileges'])}")
    return [*lines, f"page        {told['landing']}: {page}"]


def _shown(page: str, rights: frozenset[Right]) -> str:
    """`Deliver, Monitor & Grade` for the staff's page, which has its parts by right."""
    parts = [part for right, part in _PARTS.items() if right in rights]
    return _PAGES.get(page) or " & ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
