"""The pages for operators say what the template, the Makefile and the code say."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operate.main import command_line
from operate.stack import named_environment
from tests.operate.test_admin_docs import errors
from tests.support.stack import REGION, ROOT, template

OPERATE = ROOT / "docs" / "operate"
PAGES = sorted(OPERATE.glob("*.md"))
COMMANDED = [*PAGES, ROOT / "README.md"]
NOT_SET_BY_AN_OPERATOR = {"LoopbackHttp"}
TABLES = ("RegistrationsTable", "LaunchesTable", "RecordsTable")


def page(name: str) -> str:
    return (OPERATE / f"{name}.md").read_text(encoding="utf-8")


def commands(text: str, word: str) -> list[str]:
    """What begins with this word, in blocks of shell and between code marks; ends of shell lines and comments off."""
    blocks = "\n".join(re.findall(r"```(?:sh|console)\n(.*?)```", text, re.DOTALL))
    prose = " ".join(re.sub(r"```.*?```", "", text, flags=re.DOTALL).split())
    lines = [re.split(r"\s#\s|;|&&|\|", line)[0].strip().removeprefix("$ ") for line in blocks.splitlines()]
    loops = re.findall(rf"do ({word} [^;]+);", blocks)
    said = [*(line.removeprefix(".venv/bin/") for line in lines), *loops, *re.findall(rf"`({word} [^`]+)`", prose)]
    return [line for line in said if line.startswith(f"{word} ")]


def parsed(words: list[str]) -> int:
    """The status with which the command line would end before it does anything; 0 as well when it would begin."""
    try:
        command_line().parse_args(words)
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def resources(kind: str) -> dict[str, Any]:
    return {name: found for name, found in template()["Resources"].items() if found["Type"] == kind}


@pytest.mark.parametrize("path", COMMANDED, ids=lambda path: path.name)
def test_every_lti_command_can_be_said(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in commands(path.read_text(encoding="utf-8"), "lti"):
        words = shlex.split(command)[1:]
        if any("|" in word or word in {"add", "...", "--help"} for word in words[-1:]) or len(words) == 1:
            words = [*words, "--help"]  # a verb that is named, not said with all that it takes
        elif not any(word.startswith("-") for word in words):
            words = [word for word in words if word == word.lower()] + ["--help"]
        assert parsed(words) == 0, f"{command}: {capsys.readouterr().err}"


@pytest.mark.parametrize("path", COMMANDED, ids=lambda path: path.name)
def test_every_make_command_names_a_verb_and_an_environment_that_exist(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    verbs = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"\$[({](\w+)[)}]|^(\w+) [?]?=", makefile, re.MULTILINE))
    known = {name for pair in variables for name in pair if name} | {"EVENT", "FUNCTION"}

    for command in commands(path.read_text(encoding="utf-8"), "make"):
        verb, *settings = command.split()[1:]
        assert verb in verbs, command
        for setting in settings:
            name, _, value = setting.partition("=")
            assert name in known, command
            if name == "ENV" and value != "...":
                named_environment(value)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_environment_that_a_command_names_is_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)

    for name in re.findall(r"--env\s+([a-z]+-[a-z]+)", path.read_text(encoding="utf-8")):
        named_environment(name)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_the_index_lists_every_page() -> None:
    listed = set(re.findall(r"\]\((\w[\w-]*\.md)\)", page("README")))

    assert listed == {path.name for path in PAGES} - {"README.md"}


def test_the_runbook_has_a_section_for_each_alarm_and_for_no_other() -> None:
    sections = re.findall(r"^## (\w+Alarm)$", page("runbook"), re.MULTILINE)

    assert sections == list(resources("AWS::CloudWatch::Alarm"))


def test_the_runbook_asks_logs_that_exist() -> None:
    named = set(re.findall(r"--logical-resource-id (\w+)", page("runbook")))

    assert named == set(resources("AWS::Logs::LogGroup"))


@pytest.mark.parametrize(("name", "header"), [("runbook", "| code |"), ("dead-letters", "| reason |")])
def test_every_code_that_a_table_explains_is_one(name: str, header: str) -> None:
    table = page(name).partition(header)[2].partition("\n\n")[0]
    explained = {code for row in table.splitlines()[2:] for code in re.findall(r"`(\w+)`", row.split("|")[1])}

    assert len(explained) >= 6
    assert explained - {"given_up_by_the_queue"} <= {error.code for error in errors()}


def test_every_parameter_that_an_operator_may_set_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", page("deploy") + page("regions")))

    assert set(template()["Parameters"]) - NOT_SET_BY_AN_OPERATOR - explained == set()


def test_the_defaults_that_are_printed_are_the_templates() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \|", page("deploy"), re.MULTILINE)
    said = {
        name: default
        for names, defaults in rows
        for name, default in zip(re.findall(r"`(\w+)`", names), re.findall(r"[\w]+", defaults), strict=False)
        if default != "none"
    }

    assert len(said) > 8
    assert said == {name: str(template()["Parameters"][name]["Default"]) for name in said}


def test_the_cost_counts_what_the_template_bills() -> None:
    alarms = resources("AWS::CloudWatch::Alarm").values()
    watched = [sum("MetricStat" in each for each in alarm["Properties"].get("Metrics", [])) or 1 for alarm in alarms]
    text = page("cost")

    assert f"| {len(watched)} alarms, by the metrics that they look at | {sum(watched)} c |" in text
    assert f"metrics made by {len(resources('AWS::Logs::MetricFilter'))} metric filters |" in text
    assert f"{len(resources('AWS::Serverless::Function'))} functions" in page("deploy")


def test_the_sums_of_the_cost_tables_are_right() -> None:
    tables = [table for table in re.findall(r"(?:^\|.*\n)+", page("cost"), re.MULTILINE) if "| sum |" in table]

    assert len(tables) == 5
    for table in tables:
        *parts, total = [float(cell) for cell in re.findall(r"\| ([\d.]+) \|$", table, re.MULTILINE)]
        assert sum(parts) == pytest.approx(total, abs=0.005), table


def keys_of(text: str, header: str) -> set[tuple[str, ...]]:
    """The keys in the first column, and in the second where it is `sk`; what no key begins with is left out."""
    table = text.partition(header)[2].partition("\n\n")[0].splitlines()[2:]
    columns = header.strip("| ").split(" | ")
    width = 2 if columns[1:2] == ["sk"] else 1
    found = [re.findall(r"`([^`]+)`", cell)[:1] for row in table for cell in row.strip("| ").split(" | ")[:width]]
    cells = [(each or [""])[0].partition("#")[0] for each in found]
    return set(zip(*[iter(cells)] * width, strict=True))


def test_the_data_map_names_the_keys_that_the_tables_adapters_name() -> None:
    written: dict[str, set[tuple[str, ...]]] = {name: set() for name in TABLES}
    for path in sorted((ROOT / "layers/shared/lti_tool/adapters").glob("*.py")):
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        table = said.partition(":")[0]
        if table not in written:
            continue
        header = next((line for line in said.splitlines() if line.startswith("| pk ")), None)
        if header is not None:
            written[table] |= keys_of(said, header)
        elif named := re.search(r"under pk `([^`]+)`(?:,? and (?:as )?sk (?:`([^`]+)`)?)?", " ".join(said.split())):
            keys = tuple((key or "").partition("#")[0] for key in named.groups())
            written[table].add(keys if table != "LaunchesTable" else keys[:1])
    sections = page("data-map").split("\n## ")[1:]
    mapped = {
        name: keys_of(section, next(line for line in section.splitlines() if line.startswith("| pk ")))
        for section in sections
        if (name := section.partition(":")[0]) in written
    }

    assert all(written.values())
    assert mapped == written


def test_what_a_restored_table_holds_is_copied_back(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", page("restore"), re.DOTALL)
    program = compile(script, str(tmp_path / "copy_back.py"), "exec")

    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        client = boto3.client("dynamodb", region_name=REGION)
        for table in ("beside", "records"):
            client.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            )
        for table, name, mark in (("beside", "lost", "9"), ("beside", "newer", "5"), ("records", "newer", "7")):
            item: Any = {"pk": {"S": name}, "sk": {"S": "score"}, "mark": {"N": mark}}
            client.put_item(TableName=table, Item=item)
        patch.setattr(sys, "argv", ["copy_back.py", "beside", "records", REGION])
        exec(program, {})  # noqa: S102 - our own page's program
        found = client.scan(TableName="records")["Items"]

    assert {item["pk"]["S"]: item["mark"]["N"] for item in found} == {"lost": "9", "newer": "7"}
    assert capsys.readouterr().out == "1 copied, 1 were there\n"
