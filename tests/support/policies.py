"""What each function's policy in template.yaml allows, and what its code asks of AWS while tests run its handler."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from botocore import handlers
from moto.backends import get_backend

from tests.support.stack import ACCOUNT, REGION, TABLES, template

_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_KMS_KEYS = f"arn:aws:kms:{REGION}:{ACCOUNT}:key"
_TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table"

# --- What the code asks -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Call:
    """One permission that a function's code needed: `word` is the function's, `context` has IAM's condition keys."""

    word: str
    action: str
    resource: str
    context: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def of_what(self) -> str:
        """The resource for a reader, with the kind of the items' keys; no key itself."""
        name = self.resource.partition("table/")[2] or self.resource
        kinds = {key.partition("#")[0] for key in dict(self.context).get("dynamodb:LeadingKeys", ())}
        return f"{name}, {'/'.join(sorted(kinds))} items" if kinds else name


@dataclass
class Recording:
    """Calls of functions, each once, while somebody records; `running` says whose handler is at work now."""

    calls: set[Call] | None = None
    running: list[str] = field(default_factory=list)

    @contextmanager
    def of(self, word: str) -> Iterator[None]:
        self.running.append(word)
        try:
            yield
        finally:
            self.running.remove(word)

    @contextmanager
    def anew(self) -> Iterator[set[Call]]:
        """The calls from now on, apart from those of before."""
        before, self.calls = self.calls, (calls := set[Call]())
        try:
            yield calls
        finally:
            self.calls = before

    def note(self, *, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        """botocore tells of each operation before it is sent; handlers that run side by side cannot be told apart."""
        words = set(self.running)
        if self.calls is not None and len(words) == 1:
            self.calls.update(_needed(words.pop(), model.service_model.service_name, model.name, params))


RECORDING = Recording()
handlers.BUILTIN_HANDLERS.append(("before-parameter-build", RECORDING.note))  # heard by every session made from now on


def _needed(word: str, service: str, operation: str, params: Mapping[str, Any]) -> Iterable[Call]:
    match service, operation:
        case "dynamodb", "TransactWriteItems":
            for part in params["TransactItems"]:
                ((kind, write),) = part.items()
                yield from _needed(word, service, _TRANSACTION[kind], write)
        case "dynamodb", _:
            if params["TableName"] in TABLES:  # not one that a test took away
                yield _table_call(word, operation, params)
        case "sqs", _:
            name = params["QueueUrl"].rpartition("/")[2]
            action = operation.removesuffix("Batch")  # IAM knows one action for both
            yield Call(word=word, action=f"sqs:{action}", resource=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
        case "kms", "CreateKey":
            tags = {tag["TagKey"]: tag["TagValue"] for tag in params.get("Tags", ())}
            tagging = {"aws:TagKeys": tuple(tags), **{f"aws:RequestTag/{name}": (tags[name],) for name in tags}}
            kind = {"kms:KeySpec": (params["KeySpec"],), "kms:KeyUsage": (params["KeyUsage"],)}
            yield Call(word=word, action="kms:CreateKey", resource="*", context=_context({**tagging, **kind}))
            if tags:  # "to add tags, you must have kms:TagResource permission", says CreateKey's reference
                resource = f"{_KMS_KEYS}/new"
                yield Call(word=word, action="kms:TagResource", resource=resource, context=_context(tagging))
        case "kms", "ListKeys":
            yield Call(word=word, action="kms:ListKeys", resource="*")
        case "kms", _:
            yield _key_call(word, operation, params)
        case _:
            raise AssertionError(f"{word} asks {service} for {operation}: teach tests/support/policies.py about it")


def _table_call(word: str, operation: str, params: Mapping[str, Any]) -> Call:
    resource = f"{_TABLE}/{params['TableName']}"
    if index := params.get("IndexName"):
        resource += f"/index/{index}"
    context = {}
    if key := params.get("Key") or params.get("Item"):
        context["dynamodb:LeadingKeys"] = (_kind_of(key["pk"]["S"]),)
    elif condition := re.match(r"pk = (:\w+)", params.get("KeyConditionExpression", "")):
        context["dynamodb:LeadingKeys"] = (_kind_of(params["ExpressionAttributeValues"][condition[1]]["S"]),)
    return Call(word=word, action=f"dynamodb:{operation}", resource=resource, context=_context(context))


def _kind_of(pk: str) -> str:
    """A partition's key without what is particular to it: "audit#..." of any registration is one kind."""
    kind, separator, _ = pk.partition("#")
    return kind + separator


def _key_call(word: str, operation: str, params: Mapping[str, Any]) -> Call:
    key_id = params["KeyId"].rpartition("/")[2]
    tags: Any = get_backend("kms")[ACCOUNT][REGION].list_resource_tags(key_id)["Tags"]
    context = {f"aws:ResourceTag/{tag['TagKey']}": (tag["TagValue"],) for tag in tags}
    if algorithm := params.get("SigningAlgorithm"):
        context["kms:SigningAlgorithm"] = (algorithm,)
    if days := params.get("PendingWindowInDays"):
        context["kms:ScheduleKeyDeletionPendingWindowInDays"] = (str(days),)
    return Call(word=word, action=f"kms:{operation}", resource=f"{_KMS_KEYS}/{key_id}", context=_context(context))


def _context(found: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted(found.items()))


# --- What the template allows -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One action on one resource, as a statement of template.yaml allows it; `written` is the resource as it stands."""

    action: str
    resource: str
    written: str
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]

    def allows(self, call: Call) -> bool:
        return (
            self.action == call.action
            and fnmatchcase(call.resource, self.resource)
            and all(_holds(operator, dict(call.context).get(key), wanted) for operator, key, wanted in self.conditions)
        )


def _holds(operator: str, found: tuple[str, ...] | None, wanted: Sequence[str]) -> bool:
    every, _, plain = operator.rpartition(":")
    if plain == "Null":
        return (found is None) is (wanted == ("true",))
    if found is None:
        return every == "ForAllValues"
    match plain:
        case "StringEquals":
            return all(value in wanted for value in found)
        case "StringLike":
            return all(any(fnmatchcase(value, pattern) for pattern in wanted) for value in found)
        case "NumericGreaterThanEquals":
            return all(float(value) >= float(wanted[0]) for value in found)
    raise AssertionError(f"teach tests/support/policies.py the condition {operator}")


def functions() -> dict[str, str]:
    """Word to logical id, of every function."""
    resources = template()["Resources"].items()
    found = {name: each["Properties"] for name, each in resources if each["Type"] == "AWS::Serverless::Function"}
    return {properties["CodeUri"].strip("/").rpartition("/")[2]: name for name, properties in found.items()}


def granted(word: str) -> list[Grant]:
    """What a function may do, by its own policies; what SAM adds for its event source is not among it."""
    found = []
    for policy in template()["Resources"][functions()[word]]["Properties"].get("Policies", []):
        for statement in policy["Statement"]:
            assert statement["Effect"] == "Allow", "tests/support/policies.py reads only what is allowed"
            found += [
                Grant(action=action, resource=_resolved(resource), written=resource, conditions=_conditions(statement))
                for action in _several(statement["Action"])
                for resource in _several(statement["Resource"])
            ]
    return found


def _conditions(statement: Mapping[str, Any]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return tuple(
        (operator, key, tuple(_resolved(str(value)) for value in _several(wanted)))
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _resolved(written: str) -> str:
    """What !Ref, !GetAtt and !Sub become in the stack of tests/support/stack.py."""
    names = {
        "AWS::Partition": "aws",
        "AWS::Region": REGION,
        "AWS::AccountId": ACCOUNT,
        "AWS::StackName": "test",
        "RegistrationsTableName": "RegistrationsTable",
        "ToolSigningKey.Arn": f"{_KMS_KEYS}/{os.environ['SIGNING_KEY_ID']}",
        **{f"{table}.Arn": f"{_TABLE}/{table}" for table in TABLES},
        **{f"{queue}.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}" for queue in _QUEUES},
    }
    return names.get(written) or re.sub(r"\$\{([^}]+)\}", lambda found: names[found[1]], written)


_QUEUES = ("ScoresQueue", "ScoresDeadLetterQueue")

# --- The comparison ---------------------------------------------------------------------------------------------------


def too_little(calls: Iterable[Call]) -> list[str]:
    """What code asked for and its function's policy does not allow: what to do, a sentence for each."""
    refused = {call for call in calls if not any(grant.allows(call) for grant in granted(call.word))}
    return sorted(
        f"{functions()[call.word]}'s policy in template.yaml allows too little: its code asks for {call.action} on "
        f"{call.of_what}. Add {{ Effect: Allow, Action: [{call.action}], Resource: {_spelled(call.resource)} }}, "
        f"with the condition that the statements beside it have."
        for call in refused
    )


def too_much(word: str, calls: Iterable[Call]) -> list[str]:
    """What a function's policy allows although everything that its code asked for would be allowed without it."""
    asked, grants = [call for call in calls if call.word == word], granted(word)
    return [
        f"{functions()[word]}'s policy in template.yaml allows too much: nothing needs {grant.action} on "
        f"{grant.written}. Take it out; or, if the code does need it, drive that path in "
        f"tests/functions/test_policies.py."
        for grant in grants
        if not any([each for each in grants if each.allows(call)] == [grant] for call in asked)
    ]


def _spelled(resource: str) -> str:
    """How template.yaml names a resource."""
    name = resource.partition("table/")[2]
    if name.startswith("RegistrationsTable"):
        table = "table/${RegistrationsTableName}" + name.removeprefix("RegistrationsTable")
        return '!Sub "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:' + table + '"'
    if "/index/" in name:
        table, _, index = name.partition("/")
        return f'!Sub "${{{table}.Arn}}/{index}"'
    if resource.startswith(_KMS_KEYS):
        return '!Sub "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*"'
    return '"*"' if resource == "*" else f"!GetAtt {name or resource.rpartition(':')[2]}.Arn"
