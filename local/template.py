"""template.yaml, expanded as `sam deploy` would, and read: the only description of the system that the runner has.

SAM's own translator expands it. What stands on AWS services that the local cloud has (tables, queues, keys) becomes a
CloudFormation template for it; what the runner itself plays (functions, HTTP API, consumers, schedules) is read here.
Whatever only CloudFormation can work out (Ref, GetAtt, Sub, If) is asked of it by one Output each.
"""

import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACCOUNT = "123456789012"
API_ID = "local"
STOOD_UP = (
    "AWS::DynamoDB::",
    "AWS::SQS::Queue",
    "AWS::KMS::",
    "AWS::SSM::Parameter",
    "AWS::SecretsManager::Secret",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
)
ANY_METHOD = "x-amazon-apigateway-any-method"


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """`word` is the last folder of its CodeUri: launch, gradesync."""

    logical_id: str
    word: str
    handler: str
    code: Path
    layers: tuple[Path, ...]
    timeout_seconds: float
    memory_mb: int
    json_logs: bool
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """`method` is ANY or upper case; `path` is as in the API, with {name} and {name+}, or $default."""

    method: str
    path: str
    function: str
    iam: bool

    @property
    def key(self) -> str:
        return self.path if self.path == "$default" else f"{self.method} {self.path}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Consumer:
    """An event source mapping from a queue to a function."""

    function: str
    queue_arn: str
    batch_size: int
    concurrency: int
    reports_item_failures: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """`event` is what the function gets, or None for the scheduler's own; `enabled` is judged on its rate only."""

    logical_id: str
    function: str
    expression: str
    enabled: bool
    event: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class System:
    """The whole template with every value worked out. `tables` and `queues` go from logical id to name and URL."""

    functions: Mapping[str, Function]
    routes: tuple[Route, ...]
    consumers: tuple[Consumer, ...]
    schedules: tuple[Schedule, ...]
    tables: Mapping[str, str]
    time_to_live: Mapping[str, str]
    backed_up: tuple[str, ...]
    queues: Mapping[str, str]
    outputs: Mapping[str, str]


class Template:
    """An expanded template: first what to stand up, then, with CloudFormation's answers, the system."""

    def __init__(self, path: Path, parameters: Mapping[str, str], region: str) -> None:
        self._folder = path.parent.resolve()
        self._region = region
        self._expanded = _expand(path, {**parameters, "AWS::Region": region}, region)
        self._resources: dict[str, Any] = self._expanded["Resources"]
        declared = self._expanded.get("Parameters", {})
        self.parameters = {name: value for name, value in parameters.items() if name in declared}
        self._asked: dict[str, Any] = {}
        self._answers: Mapping[str, str] = {}
        self._system()  # a dry run, which finds out what has to be asked

    def backing(self) -> dict[str, Any]:
        """The CloudFormation template for the local cloud, its Outputs answering what `system` will ask."""
        resources = {name: _without_dangling_dependencies(r, self._stands) for name, r in self._stood_up()}
        outputs = {f"Answer{n}": {"Value": expression} for n, expression in enumerate(self._asked.values())}
        whole = {**self._expanded, "Resources": resources, "Outputs": outputs}
        whole.pop("Transform", None)
        replaced: dict[str, Any] = self._with_stand_ins(whole)
        return replaced

    def system(self, outputs: Mapping[str, str]) -> System:
        """The system, given the Outputs of the stack made from `backing`."""
        found = {asked: outputs.get(f"Answer{n}") for n, asked in enumerate(self._asked)}
        # No answer: about a resource that its condition leaves out.
        self._answers = {asked: answer for asked, answer in found.items() if answer is not None}
        return self._system()

    def _system(self) -> System:
        tables = dict(self._kept("AWS::DynamoDB::"))
        return System(
            functions={name: self._function(name, r["Properties"]) for name, r in self._kept("AWS::Lambda::Function")},
            routes=tuple(self._routes()),
            consumers=tuple(
                self._consumer(r["Properties"])
                for _, r in self._kept("AWS::Lambda::EventSourceMapping")
                if self._value(r["Properties"].get("Enabled", True)) not in (False, "false")
            ),
            schedules=tuple(self._schedules()),
            tables={name: self._text({"Ref": name}) for name in tables},
            time_to_live={
                name: self._text(ttl["AttributeName"])
                for name, r in tables.items()
                if (ttl := r["Properties"].get("TimeToLiveSpecification"))
            },
            backed_up=tuple(name for name, r in tables.items() if _is_backed_up(r["Properties"])),
            queues={
                name: self._text({"Ref": name}) for name, r in self._kept("AWS::SQS::Queue") if _is_queue(r["Type"])
            },
            outputs={
                name: self._text(output["Value"])
                for name, output in self._expanded.get("Outputs", {}).items()
                if self._holds(output)
            },
        )

    def _function(self, logical_id: str, properties: dict[str, Any]) -> Function:
        code = self._folder / properties["Code"]["S3Key"]
        layers = [self._resources[layer["Ref"]]["Properties"]["Content"] for layer in properties.get("Layers", [])]
        return Function(
            logical_id=logical_id,
            word=code.name,
            handler=self._text(properties["Handler"]),
            code=code,
            layers=tuple(self._folder / layer["S3Key"] for layer in layers),
            timeout_seconds=float(self._value(properties.get("Timeout", 3)) or 3),
            memory_mb=int(self._value(properties.get("MemorySize", 128)) or 128),
            json_logs=properties.get("LoggingConfig", {}).get("LogFormat") == "JSON",
            environment={
                name: self._text(value)
                for name, value in properties.get("Environment", {}).get("Variables", {}).items()
            },
        )

    def _routes(self) -> Iterator[Route]:
        for _, api in self._kept("AWS::ApiGatewayV2::Api"):
            for path, methods in api["Properties"].get("Body", {}).get("paths", {}).items():
                for method, operation in methods.items():
                    uri = operation.get("x-amazon-apigateway-integration", {}).get("uri")
                    if uri:  # what has none is the preflight that SAM adds for CORS
                        yield Route(
                            method="ANY" if method == ANY_METHOD else method.upper(),
                            path=path,
                            function=self._function_behind(uri),
                            iam=any("AWS_IAM" in scheme for scheme in operation.get("security", [])),
                        )

    def _consumer(self, properties: dict[str, Any]) -> Consumer:
        return Consumer(
            function=self._function_behind(properties["FunctionName"]),
            queue_arn=self._text(properties["EventSourceArn"]),
            batch_size=int(self._value(properties.get("BatchSize", 10)) or 10),
            concurrency=int(self._value(properties.get("ScalingConfig", {}).get("MaximumConcurrency", 5)) or 5),
            reports_item_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
        )

    def _schedules(self) -> Iterator[Schedule]:
        for logical_id, resource in self._kept("AWS::Scheduler::Schedule", "AWS::Events::Rule"):
            properties = resource["Properties"]
            if "ScheduleExpression" not in properties:
                continue
            for target in [properties["Target"]] if "Target" in properties else properties["Targets"]:
                given = target.get("Input")
                yield Schedule(
                    logical_id=logical_id,
                    function=self._function_behind(target["Arn"]),
                    expression=self._text(properties["ScheduleExpression"]),
                    enabled=self._text(properties.get("State", "ENABLED")) == "ENABLED",
                    event=json.loads(self._text(given) or "null") if given else None,
                )

    def _function_behind(self, reference: Any) -> str:
        """The function that an ARN, a name or an integration URI means, also through an alias such as `live`."""
        for word in re.findall(r"\w+", json.dumps(reference)):
            kind = self._resources.get(word, {}).get("Type")
            if kind == "AWS::Lambda::Function":
                return str(word)
            if kind == "AWS::Lambda::Alias":
                return self._function_behind(self._resources[word]["Properties"]["FunctionName"])
        raise ValueError(f"no function of the template stands behind {reference}")

    def _kept(self, *kinds: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, resource in self._resources.items():
            if resource["Type"].startswith(kinds) and self._holds(resource):
                yield name, resource

    def _stood_up(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, resource in self._resources.items():
            if self._stands(name):
                is_global = resource["Type"] == "AWS::DynamoDB::GlobalTable"
                yield name, _as_one_region_table(resource) if is_global else resource

    def _stands(self, name: str) -> bool:
        kind = self._resources.get(name, {}).get("Type", "")
        return str(kind).startswith(STOOD_UP) and kind != "AWS::SQS::QueuePolicy"

    def _holds(self, conditional: dict[str, Any]) -> bool:
        condition = conditional.get("Condition")
        return condition is None or self._value({"Fn::If": [condition, "yes", "no"]}) != "no"

    def _text(self, expression: Any) -> str:
        return str(self._value(expression))

    def _value(self, expression: Any) -> Any:
        """What CloudFormation makes of an expression; a literal is itself. None on the dry run."""
        if not isinstance(expression, dict):
            return expression
        asked = json.dumps(expression, sort_keys=True)
        self._asked[asked] = expression
        return self._answers.get(asked)

    def _with_stand_ins(self, node: Any) -> Any:
        """References to what the local cloud does not have become what they look like on AWS."""
        if isinstance(node, list):
            return [self._with_stand_ins(item) for item in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((verb, argument),) = node.items()
            if verb == "Ref" and self._is_played(argument):
                return self._stand_in(argument, "")
            if verb == "Fn::GetAtt":
                name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
                if self._is_played(name):
                    return self._stand_in(name, attribute)
            if verb == "Fn::Sub":
                text, variables = (argument, {}) if isinstance(argument, str) else argument
                text = re.sub(
                    r"\$\{(\w+)(?:\.([\w.]+))?\}",
                    lambda m: self._stand_in(m[1], m[2] or "") if self._is_played(m[1]) else m[0],
                    text,
                )
                return {verb: [text, self._with_stand_ins(variables)] if variables else text}
        return {key: self._with_stand_ins(value) for key, value in node.items()}

    def _is_played(self, name: str) -> bool:
        return name in self._resources and not self._stands(name)

    def _stand_in(self, name: str, attribute: str) -> str:
        kind = self._resources[name]["Type"]
        if kind == "AWS::ApiGatewayV2::Api":
            return f"http://{API_ID}" if attribute == "ApiEndpoint" else API_ID
        if kind == "AWS::Lambda::Function" and attribute == "Arn":
            return f"arn:aws:lambda:{self._region}:{ACCOUNT}:function:{name}"
        return f"arn:aws:local:{self._region}:{ACCOUNT}:{name}" if attribute == "Arn" else name


def _expand(path: Path, parameters: Mapping[str, str], region: str) -> dict[str, Any]:
    os.environ["AWS_DEFAULT_REGION"] = region  # the translator asks boto3 where it is
    from samtranslator.translator.transform import transform
    from samtranslator.yaml_helper import yaml_parse

    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns that its own metrics go nowhere
    source = yaml_parse(path.read_text(encoding="utf-8"))
    for resource in source["Resources"].values():
        for name in ("CodeUri", "ContentUri"):
            if isinstance(folder := resource.get("Properties", {}).get(name), str):
                # The translator wants artefacts that are uploaded; the key keeps the folder.
                resource["Properties"][name] = f"s3://folder/{folder.removeprefix('./').rstrip('/')}"
    expanded: dict[str, Any] = transform(source, dict(parameters), _NoManagedPolicies())
    return expanded


class _NoManagedPolicies:
    """Where the translator looks up managed policies by name. Roles are not stood up, so none is needed."""

    def load(self) -> dict[str, str]:
        return {}


def _as_one_region_table(resource: dict[str, Any]) -> dict[str, Any]:
    properties = {
        name: value
        for name, value in resource["Properties"].items()
        if name in {"AttributeDefinitions", "KeySchema", "LocalSecondaryIndexes", "StreamSpecification", "TableName"}
    }
    indexes = [
        {name: value for name, value in index.items() if name in {"IndexName", "KeySchema", "Projection"}}
        for index in resource["Properties"].get("GlobalSecondaryIndexes", [])
    ]
    if indexes:
        properties["GlobalSecondaryIndexes"] = indexes
    return {**resource, "Type": "AWS::DynamoDB::Table", "Properties": {**properties, "BillingMode": "PAY_PER_REQUEST"}}


def _without_dangling_dependencies(resource: dict[str, Any], stands: Any) -> dict[str, Any]:
    wanted = resource.get("DependsOn", [])
    kept = [name for name in ([wanted] if isinstance(wanted, str) else wanted) if stands(name)]
    rest = {name: value for name, value in resource.items() if name != "DependsOn"}
    return {**rest, "DependsOn": kept} if kept else rest


def _is_backed_up(properties: Mapping[str, Any]) -> bool:
    """Whether there is point-in-time recovery; of a global table, each replica says it for itself."""
    places = [properties, *properties.get("Replicas", [])]
    return any(place.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled") for place in places)


def _is_queue(kind: str) -> bool:
    return kind == "AWS::SQS::Queue"
