"""What CloudFormation is given: template.yaml as SAM expands it, and what hangs on what there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from local.template import Template
from tests.support.stack import ROOT, template


def expanded(folder: Path, parameters: Mapping[str, str]) -> dict[str, Any]:
    defaults = {name: str(declared["Default"]) for name, declared in template()["Parameters"].items()}
    return Template(folder / "template.yaml", {**defaults, **parameters}, "us-east-1")._resources


def named_in(value: Any) -> Iterator[str]:
    """Every resource that a Ref, GetAtt or Sub names, wherever it stands: in an UpdatePolicy as well."""
    text = json.dumps(value)
    yield from re.findall(r'"Ref": "(\w+)"', text)
    yield from re.findall(r'"Fn::GetAtt": \["(\w+)"', text)
    yield from re.findall(r"\$\{(\w+)[.}]", text)


def test_no_resource_waits_for_itself() -> None:
    """Whatever the conditions leave out: CloudFormation looks at all of them."""
    resources = expanded(ROOT, {"GradualDeployment": "true"})

    needs = {name: {each for each in named_in(found) if each in resources} for name, found in resources.items()}

    assert "LoginFunctionDeploymentGroup" in needs["LoginFunctionAliaslive"]
    TopologicalSorter(needs).prepare()  # raises, with the circle, where CloudFormation would refuse the stack


def versions(folder: Path) -> set[str]:
    return {name for name, found in expanded(folder, {}).items() if found["Type"] == "AWS::Lambda::Version"}


def test_a_new_layer_makes_a_new_version_of_every_function(tmp_path: Path) -> None:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    (tmp_path / "template.yaml").write_text(text.replace("layers/shared/", "layers/changed/"), encoding="utf-8")

    before, after = versions(ROOT), versions(tmp_path)

    assert len(before) == len(after) > 10
    assert before & after == set()


def test_a_changed_parameter_makes_a_new_version_of_every_function(tmp_path: Path) -> None:
    made = []
    for stage in ("before", "after"):
        shutil.copy(ROOT / "template.yaml", tmp_path / "template.yaml")
        (tmp_path / "samconfig.toml").write_text(f'parameter_overrides = ["ToolUrl=https://{stage}.example"]')
        subprocess.run(["make", "-f", ROOT / "Makefile", "mark", "BUILT=template.yaml"], cwd=tmp_path, check=True)
        made.append(versions(tmp_path))

    assert len(made[0]) == len(made[1]) > 10
    assert made[0] & made[1] == set()


def test_the_permission_to_invoke_a_function_holds_for_whatever_a_path_takes() -> None:
    """SAM writes `*` for {name} and {proxy+}, not for {other+}. The function of $default is invoked by any path."""
    for name, found in expanded(ROOT, {}).items():
        if found["Type"] == "AWS::Lambda::Permission" and not name.startswith("ConsoleFunction"):
            assert "{" not in found["Properties"]["SourceArn"]["Fn::Sub"][0].replace("${", ""), name
