"""Landing rules: which launch gets which privileges, as an ordered table; the first rule that matches decides.

A table comes from the operator (`lti roles set`), for the stack, a registration, or a deployment of it, and replaces
the wider one as a whole; else `landing.toml` of this package is in force. What no rule names gets no privilege.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from lti_tool.domain import claims as names
from lti_tool.domain.launch import AnyLaunch
from lti_tool.domain.roles import CONTEXT_ROLES, MEMBERSHIP, Privilege, Right, context_role, rights_of, short_role

MOST_RULES = 500
MOST_VALUES = 200
LONGEST_VALUE = 255
LARGEST_TABLE = 100_000  # characters as JSON; DynamoDB takes 400 KB
ANY = "*"
MESSAGE_TYPES = (names.RESOURCE_LINK_REQUEST, names.DEEP_LINKING_REQUEST, names.SUBMISSION_REVIEW_REQUEST)

_Launch = TypeVar("_Launch", bound=AnyLaunch)


class RuleProblemError(ValueError):
    """A table that is not written as it should be: in which rule, counted from 1, and at which key, if at one."""

    def __init__(self, problem: str, number: int = 0, key: str = "") -> None:
        super().__init__(problem)
        self.number = number
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingRule:
    """One row. What is left empty matches anything; `roles` are short names of context roles, or whole URIs."""

    name: str
    roles: frozenset[str] = frozenset()
    custom: Mapping[str, frozenset[str]]
    message_type: str | None = None
    privileges: frozenset[Privilege]

    def matches(self, roles: frozenset[str], custom: Mapping[str, str], message_type: str) -> bool:
        if self.message_type is not None and message_type != self.message_type:
            return False
        if self.roles and self.roles.isdisjoint(roles):
            return False
        return all(_is_among(custom.get(name, ""), wanted) for name, wanted in self.custom.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingTable:
    """`scope` says whose table it is: "shipped", "stack", "platform" or "deployment"."""

    scope: str
    rules: tuple[LandingRule, ...]

    def rule_for(self, roles: Iterable[str], custom: Mapping[str, str], message_type: str) -> LandingRule | None:
        keys = frozenset(key for role in roles for key in _keys(role))
        return next((rule for rule in self.rules if rule.matches(keys, custom, message_type)), None)


def placed(launch: _Launch, table: LandingTable) -> _Launch:
    """The launch with the privileges that the table gives it."""
    rule = table.rule_for(launch.roles, launch.custom, launch.message_type)
    if rule is None:
        return replace(launch, privileges=frozenset(), rule=None)
    return replace(launch, privileges=rule.privileges, rule=rule.name)


def _keys(role: str) -> tuple[str, ...]:
    """The names under which a received role is found in a rule."""
    found = context_role(role)
    if found is None:
        return (role,) if _is_uri(role) else ()
    principal, sub_role = found
    return (f"{principal}/{sub_role}", f"{principal}/{ANY}") if sub_role else (principal,)


def _is_among(received: str, wanted: frozenset[str]) -> bool:
    if received in wanted:
        return True
    if ANY in wanted:
        return bool(received.strip())
    return not wanted.isdisjoint(part.strip() for part in received.split(","))


def _is_uri(role: str) -> bool:
    return ":" in role


# --- Tables as documents ----------------------------------------------------------------------------------------


@cache
def shipped_table() -> LandingTable:
    import tomllib  # not before it is needed: an operator's own table does without

    text = (Path(__file__).parents[1] / "landing.toml").read_text(encoding="utf-8")
    return parse_table("shipped", tomllib.loads(text))


def stored_table(scope: str, text: str) -> LandingTable:
    """A table as `as_json` wrote it. One that cannot be read lets nobody in: no wider table is asked instead."""
    try:
        return parse_table(scope, json.loads(text))
    except (ValueError, RecursionError):
        return LandingTable(scope=scope, rules=())


def parse_table(scope: str, document: object) -> LandingTable:
    """Read `{"rules": [{name, roles?, custom?, message_type?, privileges}, ...]}`.

    Raises:
        RuleProblemError: says what is wrong, in which rule.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("rules"), list):
        raise RuleProblemError("there are no rules: each begins with [[rules]]")
    if others := set(document) - {"rules"}:
        raise RuleProblemError(f"{min(others)!r} is no part of a table: only rules are")
    rules: Sequence[object] = document["rules"]
    if not 0 < len(rules) <= MOST_RULES:
        raise RuleProblemError(f"a table has 1 to {MOST_RULES} rules")
    found = tuple(_rule(rule, number) for number, rule in enumerate(rules, start=1))
    seen: set[str] = set()
    for number, rule in enumerate(found, start=1):
        if rule.name in seen:
            raise RuleProblemError(f"two rules have the name {rule.name!r}", number, "name")
        seen.add(rule.name)
    table = LandingTable(scope=scope, rules=found)
    if len(as_json(table)) > LARGEST_TABLE:
        raise RuleProblemError(f"the table is longer than {LARGEST_TABLE} characters")
    return table


def _rule(document: object, number: int) -> LandingRule:
    def refuse(problem: str, key: str = "") -> NoReturn:
        raise RuleProblemError(problem, number, key)

    def texts(value: object, key: str) -> frozenset[str]:
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not 0 < len(values) <= MOST_VALUES:
            refuse(f"{key} is a text, or a list of 1 to {MOST_VALUES} of them", key)
        for one in values:
            if not _is_name(one):
                refuse(f"{key}: {str(one)[:60]!r} is no text of 1 to {LONGEST_VALUE} printable characters", key)
        return frozenset(values)

    if not isinstance(document, Mapping):
        refuse("a rule is a table of its own")
    known = {"name", "roles", "custom", "message_type", "privileges"}
    if others := sorted(set(document) - known):
        refuse(f"{others[0]!r} is no part of a rule: {', '.join(sorted(known))} are", others[0])
    name = document.get("name", "")
    if not _is_name(name):
        refuse(f"every rule has a name of 1 to {LONGEST_VALUE} printable characters", "name")
    roles = frozenset(
        _required_role(role, refuse) for role in (texts(document["roles"], "roles") if "roles" in document else ())
    )
    given = document.get("custom", {})
    if not isinstance(given, Mapping) or len(given) > MOST_VALUES:
        refuse('custom is a table of parameters, such as { membership_roles = "Invigilator" }', "custom")
    if unfit := [parameter for parameter in given if not _is_name(parameter)]:
        refuse(f"custom: {str(unfit[0])[:60]!r} is no parameter's name", "custom")
    custom = {parameter: texts(value, "custom") for parameter, value in given.items()}
    message_type = document.get("message_type")
    if message_type is not None and message_type not in MESSAGE_TYPES:
        refuse(f"message_type is one of {', '.join(MESSAGE_TYPES)}", "message_type")
    privileges = document.get("privileges")
    if not isinstance(privileges, list) or not privileges:
        refuse("privileges is a list of at least one of " + ", ".join(Privilege), "privileges")
    for privilege in privileges:
        if privilege not in list(Privilege):
            refuse(f"privileges: {str(privilege)[:60]!r} is none of {', '.join(Privilege)}", "privileges")
    allowed = frozenset(Privilege(privilege) for privilege in privileges)
    if not roles and not custom and allowed != {Privilege.CANDIDATE}:
        refuse("without roles and custom it would match everybody, who may be candidate and no more", "privileges")
    return LandingRule(name=name, roles=roles, custom=custom, message_type=message_type, privileges=allowed)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= LONGEST_VALUE and value.isprintable()


def _required_role(role: str, refuse: Callable[[str, str], NoReturn]) -> str:
    principal, _, sub_role = role.partition("/")
    if principal in CONTEXT_ROLES and (sub_role or "/" not in role):
        return role
    if not _is_uri(role):
        known = ", ".join(sorted(CONTEXT_ROLES))
        refuse(f"roles: {role!r} is none of {known}, nor a sub-role or a whole URI", "roles")
    if role.startswith(MEMBERSHIP) and context_role(role) is None:
        refuse(f"roles: {role!r} is no role in a course that LTI 1.3 knows", "roles")
    return short_role(role)


def as_document(table: LandingTable) -> dict[str, Any]:
    """What `parse_table` reads, in one order always."""
    return {"rules": [_as_written(rule) for rule in table.rules]}


def as_json(table: LandingTable) -> str:
    return json.dumps(as_document(table), ensure_ascii=False, separators=(",", ":"))


def as_toml(table: LandingTable) -> str:
    """The table as a file to change and to set again."""
    blocks = []
    for rule in map(_as_written, table.rules):
        lines = ["[[rules]]", f"name = {_toml(rule['name'])}"]
        if "roles" in rule:
            lines += ["roles = [", *(f"  {_toml(role)}," for role in rule["roles"]), "]"]
        if "custom" in rule:
            pairs = (f"{_toml(name)} = {_toml(values)}" for name, values in rule["custom"].items())
            lines.append(f"custom = {{ {', '.join(pairs)} }}")
        if "message_type" in rule:
            lines.append(f"message_type = {_toml(rule['message_type'])}")
        lines.append(f"privileges = {_toml(rule['privileges'])}")
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _as_written(rule: LandingRule) -> dict[str, Any]:
    document: dict[str, Any] = {"name": rule.name}
    if rule.roles:
        document["roles"] = sorted(rule.roles)
    if rule.custom:
        document["custom"] = {name: sorted(values) for name, values in sorted(rule.custom.items())}
    if rule.message_type is not None:
        document["message_type"] = rule.message_type
    document["privileges"] = [privilege.value for privilege in Privilege if privilege in rule.privileges]
    return document


def _toml(value: str | list[str]) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def trusting_rules(table: LandingTable) -> list[LandingRule]:
    """Rules that make staff of whoever brings a custom parameter: in many platforms a teacher may write those."""
    return [rule for rule in table.rules if not rule.roles and rights_of(rule.privileges) != {Right.TAKE}]
