"""What is deployed: its size, its compiled modules, and the memory that a launch takes."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from urllib.parse import urlencode

from bench.figures import Row
from bench.runtime import ROOT, live
from bench.world import World
from tests.support.browser import ACTIVITY, Browser, http_event

BUILD = ROOT / ".aws-sam" / "build"
SDK = {"boto3", "botocore", "s3transfer"}
LARGEST_MB = 14
MOST_MIB = 64


def rows(world: World) -> list[Row]:
    return [*_built(), _memory(world)]


def _built() -> list[Row]:
    """Of what `make build` left, without the SDK, which the runtime brings; zipped as CloudFormation packages it."""
    what, compiled = "artefact, layer and functions zipped, without SDK", ".py files without their .pyc"
    folders = sorted(path for path in BUILD.glob("*") if path.is_dir())
    if not folders:
        absent = "run `make build` first"
        return [
            Row(what=what, budget=f"≤ {LARGEST_MB} MB", figure=absent, kept=None),
            Row(what=compiled, budget="0", figure=absent, kept=None),
        ]
    size, missing = 0, 0
    with tempfile.TemporaryFile() as packed:
        for folder in folders:
            files = [path for path in folder.rglob("*") if path.is_file() and not SDK & set(path.parts)]
            missing += sum(not _is_compiled(path) for path in files if path.suffix == ".py")
            packed.seek(0)
            packed.truncate()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in files:
                    archive.write(path, path.relative_to(folder))
            size += packed.seek(0, 2)
    megabytes = size / 1e6
    return [
        Row(
            what=what,
            budget=f"≤ {LARGEST_MB} MB",
            figure=f"{megabytes:.1f} MB",
            kept=megabytes <= LARGEST_MB,
            detail=f"{len(folders)} archives, as last built",
        ),
        Row(what=compiled, budget="0", figure=str(missing), kept=missing == 0),
    ]


def _is_compiled(path: Path) -> bool:
    return any((path.parent / "__pycache__").glob(f"{path.stem}.cpython-*.pyc"))


def _memory(world: World) -> Row:
    """The most that a launch function's process held, from its start through its first launch, runtime client included.

    The platform's keys are in LaunchesTable by then.
    """
    platform, browser = world.platform, Browser()
    browser.launches(platform)
    question = browser.begins_login(platform)
    token = platform.signs(platform.claims(question["nonce"], ACTIVITY))
    event = http_event(
        "POST",
        "/lti/launch",
        body=urlencode({"state": question["state"], "id_token": token}).encode(),
        headers={"content-type": "application/x-www-form-urlencoded"},
        cookies=[f"{name}={value}" for name, value in browser.cookies.items()],
    )
    what, budget = "peak memory of a launch", f"≤ {MOST_MIB} MiB"
    with tempfile.TemporaryDirectory() as bytecode:
        live(ROOT / "functions" / "launch", world.environment, Path(bytecode))  # compiles
        life = live(ROOT / "functions" / "launch", world.environment, Path(bytecode), event)
    if life.answer is None or life.answer["statusCode"] != 200:
        raise RuntimeError("the launch was not accepted")
    if life.peak_mib is None:
        return Row(what=what, budget=budget, figure="Linux alone tells", kept=None)
    return Row(what=what, budget=budget, figure=f"{life.peak_mib:.0f} MiB", kept=life.peak_mib <= MOST_MIB)
