"""The artefact: every function starts from what `sam build` made, with what Lambda's runtime has and nothing else."""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import platform
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.child import Interpreter, Outcome
from local.logs import Logs
from local.seed import Seeds
from local.stack import Stack
from tests.emulator.cloud import ROOT
from tests.support.policies import functions
from tests.support.seeds import seeds as seeds
from tests.support.stack import template

BUILT = Path(os.environ["BUILT"]).resolve()
FOR_LAMBDA = ROOT / ".aws-sam" / "build"
RUNTIME = ("boto3", "awslambdaric")
MACHINES = {"x86_64": 62, "aarch64": 183, "arm64": 183}  # e_machine, as ELF numbers processors
LARGEST_MB = 14


def _linked(folder: Path, entries: Iterable[Path]) -> Path:
    folder.mkdir(parents=True)
    for entry in entries:
        (folder / entry.name).symlink_to(entry)
    return folder


def _collect(name: str, found: set[str]) -> None:
    """A distribution and all that it needs."""
    if name not in found:
        found.add(name)
        for wanted in importlib.metadata.requires(name) or []:
            if "extra ==" not in wanted:
                _collect(re.split(r"[^\w.-]", wanted)[0].lower(), found)


def runtime(folder: Path) -> Interpreter:
    """A bare interpreter with the SDK and the runtime client, as Lambda has them."""
    names: set[str] = set()
    for name in RUNTIME:
        _collect(name, names)
    entries = {
        Path(str(importlib.metadata.distribution(name).locate_file(file.parts[0])))
        for name in names
        for file in importlib.metadata.files(name) or []
        if file.parts[0] not in {"..", "__pycache__"}
    }
    bare: str = sys._base_executable  # type: ignore[attr-defined]
    return Interpreter(command=(bare, "-S", "-B"), packages=(_linked(folder, sorted(entries)),))


def house(folder: Path, layer: Path) -> Path:
    """The template beside what was built, by the names that the template has for it; gives the template."""
    _linked(folder, [ROOT / "template.yaml"])
    (folder / "functions").mkdir()
    for word, name in functions().items():
        (folder / "functions" / word).symlink_to(BUILT / name)
    (folder / "layers").mkdir()
    (folder / "layers" / "shared").symlink_to(layer)
    return folder / "template.yaml"


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Interpreter:
    return runtime(tmp_path_factory.mktemp("runtime") / "packages")


def standing(folder: Path, layer: Path, interpreter: Interpreter, log: io.StringIO) -> Stack:
    parameters = {"LoopbackHttp": "allowed"}
    return Stack(house(folder, layer), parameters=parameters, interpreter=interpreter, logs=Logs(log))


@pytest.fixture(scope="module")
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, interpreter: Interpreter, log: io.StringIO) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("artefact") / "house"
    stack = standing(folder, BUILT / "SharedLayer" / "python", interpreter, log)
    yield stack
    stack.stop()


@pytest.mark.parametrize("word", sorted(functions()))
def test_a_built_function_answers_its_sample_event(stack: Stack, seeds: Seeds, log: io.StringIO, word: str) -> None:
    event = seeds.fill(json.loads((ROOT / "events" / f"{word}.json").read_text(encoding="utf-8")))

    answer = stack.invoke(functions()[word], json.dumps(event).encode())

    assert answer.outcome is Outcome.ANSWERED, log.getvalue()
    said: Any = json.loads(answer.payload)
    assert said.get("statusCode", 200) < 400
    assert not said.get("batchItemFailures")


def test_a_package_that_the_layer_lacks_is_missed(tmp_path: Path, interpreter: Interpreter) -> None:
    built = (BUILT / "SharedLayer" / "python").iterdir()
    layer = _linked(tmp_path / "layer", [entry for entry in built if entry.name != "jwt"])
    log = io.StringIO()
    stack = standing(tmp_path / "house", layer, interpreter, log)

    try:
        answer = stack.invoke(functions()["launch"], b"{}")
    finally:
        stack.stop()

    assert answer.outcome is Outcome.CRASHED
    assert "No module named 'jwt'" in log.getvalue()


# --- What is in it ----------------------------------------------------------------------------------------------------


def _builds() -> dict[str, tuple[Path, str]]:
    """Each build that there is, and the processor that it is for."""
    (wanted,) = template()["Globals"]["Function"]["Architectures"]
    found = {"emulated": (BUILT, platform.machine())}
    return found | ({"build": (FOR_LAMBDA, wanted)} if FOR_LAMBDA.is_dir() else {})


@pytest.fixture(params=sorted(_builds()))
def build(request: pytest.FixtureRequest) -> tuple[Path, str]:
    return _builds()[request.param]


def test_every_module_of_the_layer_is_compiled_for_python_3_13(build: tuple[Path, str]) -> None:
    modules = list((build[0] / "SharedLayer" / "python").rglob("*.py"))

    lacking = [
        module for module in modules if not (module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc").is_file()
    ]
    assert modules
    assert lacking == []


def test_every_library_is_for_the_processor_that_runs_it(build: tuple[Path, str]) -> None:
    folder, processor = build

    machines = {path.name: int.from_bytes(path.read_bytes()[18:20], "little") for path in folder.rglob("*.so")}
    assert machines
    assert set(machines.values()) == {MACHINES[processor]}, machines


def test_the_artefact_is_small(build: tuple[Path, str]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in build[0].rglob("*"):
            if path.is_file():
                archive.write(path, path.relative_to(build[0]))

    assert packed.tell() <= LARGEST_MB * 1_000_000
