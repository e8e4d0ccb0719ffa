"""The guides for administrators say what the code does: addresses, fields, placements, commands and codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lti_tool.domain.errors import Step, ToolError
from lti_tool.runtime import wiring
from operate.main import command_line
from tests.operate.conftest import Lti
from tests.operate.test_guide import KINDS
from tests.support.stack import ROOT, template

ADMIN = ROOT / "docs" / "admin"
PAGES = sorted(ADMIN.glob("*.md"))
COMMANDED = [*PAGES, ROOT / "README.md"]

MENDED_BY_AN_ADMINISTRATOR = {
    Step.APPROVE_DEPLOYMENT,
    Step.ASK_FOR_INVITATION,
    Step.CHECK_CLOCK,
    Step.CHECK_KEY_SET,
    Step.CHECK_LAUNCH_SETTINGS,
    Step.CHECK_LINK_ADDRESS,
    Step.CHECK_PRIVACY,
    Step.CHECK_REGISTRATION,
    Step.ENABLE_PLATFORM,
    Step.REGISTER_PLATFORM,
    Step.UPDATE_PLATFORM,
}


def page(name: str) -> str:
    return (ADMIN / f"{name}.md").read_text(encoding="utf-8")


def errors(root: type[ToolError] = ToolError) -> Iterator[type[ToolError]]:
    if root.__module__.startswith("lti_tool."):
        yield root
    for leaf in root.__subclasses__():
        yield from errors(leaf)


def rows(text: str, header: str) -> list[list[str]]:
    """The cells of the table that begins with this header, code marks taken off."""
    table = text.partition(header)[2].partition("\n\n")[0].strip().splitlines()[1:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_address_of_the_tool_is_a_door(path: Path) -> None:
    functions = [found for found in template()["Resources"].values() if found["Type"] == "AWS::Serverless::Function"]
    events = [event for found in functions for event in found["Properties"].get("Events", {}).values()]
    doors = {event["Properties"]["Path"] for event in events if event["Type"] == "HttpApi"}

    named = set(re.findall(r"TOOL(/[a-z./]+[a-z])", path.read_text(encoding="utf-8")))

    assert named <= doors


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    codes = {error.code for error in errors()}

    for target, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target
        assert not anchor or anchor in codes, anchor


@pytest.mark.parametrize("path", COMMANDED, ids=lambda path: path.name)
def test_every_command_can_be_said(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = path.read_text(encoding="utf-8")
    blocks = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    inline = (
        " ".join(found.split())
        for found in re.findall(r"`(lti [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    )
    commands = [re.sub(r"^\.venv/bin/", "", line) for line in blocks] + list(inline)

    for command in commands:
        words = re.match(r"lti((?: [a-z]+)+)", command)
        if words is None:
            continue
        with pytest.raises(SystemExit) as stopped:
            command_line().parse_args([*words[1].split()[:3], "--help"])
        assert stopped.value.code == 0, command
        known = capsys.readouterr().out
        assert set(re.findall(r" (--[a-z-]+)", command)) - {"--stack", "--region", "--local"} <= set(
            re.findall(r"--[a-z-]+", known)
        ), command


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "schoology"])
def test_a_page_names_every_field_of_the_platforms_guide(lti: Lti, kind: str) -> None:
    identity = lti.json("platform", "add", kind, "--client-id", "client-1", *KINDS[kind])["id"]

    sections = lti.json("platform", "guide", identity)["sections"]

    forms = [
        section
        for section in sections
        if "as the tool knows" not in section["title"] or kind in {"moodle", "brightspace"}
    ]
    names = [field["name"].partition(" (the ")[0] for section in forms for field in section["fields"]]
    text = page(kind)
    assert [name for name in names if name not in text and "as the tool knows" not in name] == []


def test_moodles_page_says_what_the_guide_says(lti: Lti) -> None:
    identity = lti.json("platform", "add", "moodle", "--client-id", "c", *KINDS["moodle"])["id"]
    guide = lti.json("platform", "guide", identity)["sections"][0]["fields"]
    text = page("moodle")

    for field in guide:
        if field["name"].startswith(
            ("IMS LTI", "Tool configuration", "Tool Settings", "LTI version", "Public key type")
        ):
            assert field["value"] in text, field["name"]


@pytest.mark.usefixtures("lti")
def test_canvas_page_lists_what_the_tool_offers() -> None:
    offer = wiring.offer()
    text = page("canvas")

    placements = {(row[0], row[1]) for row in rows(text, "| placement | message | who meets it |")}
    assert placements == {(placement.placement, placement.message_type) for placement in offer.placements}
    assert len(rows(text, "| box | without it |")) == len(offer.scopes)
    assert f"`{offer.privacy_level}`" in text


def test_canvas_page_names_its_services_as_canvas_does(lti: Lti) -> None:
    identity = lti.json("platform", "add", "canvas", "--client-id", "c")["id"]
    fields = [field for section in lti.json("platform", "guide", identity)["sections"] for field in section["fields"]]

    services = next(field["value"] for field in fields if field["name"] == "LTI Advantage Services")
    assert {row[0] for row in rows(page("canvas"), "| box | without it |")} == set(services)


def test_troubleshooting_lists_every_code_that_an_administrator_can_mend() -> None:
    listed = re.findall(r"\(\.\./errors\.md#(\w+)\)", page("troubleshooting"))

    missing = {error.code for error in errors() if error.administrator in MENDED_BY_AN_ADMINISTRATOR} - set(listed)
    assert missing == set()
    assert len(listed) == len(set(listed))
