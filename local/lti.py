"""The operator's `lti` command, run on the local stack: platforms and activities come in by the door that all use."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.cloud import ROOT, bare_environment


class CannotRunError(Exception):
    """Said to the person at the terminal, who can do something about it."""


def register_campus(folder: Path, platforms: Sequence[Mapping[str, str]]) -> None:
    """Make Campus's platforms known to the tool, as an operator would."""

    def register(platform: Mapping[str, str]) -> None:
        options = {
            "--issuer": platform["issuer"],
            "--client-id": platform["client_id"],
            "--auth-url": platform["auth_url"],
            "--token-url": platform["token_url"],
            "--jwks-url": platform["jwks_url"],
            "--deployment-id": platform["deployment_id"],
            "--family": platform["profile"],
            "--tenant": f"Campus {platform['profile']}",
        }
        if platform["token_audience"]:
            options["--token-audience"] = platform["token_audience"]
        operate(
            folder, "platform", "add", "custom", "--no-check", *(part for option in options.items() for part in option)
        )

    with ThreadPoolExecutor(2) as beside:
        list(beside.map(register, platforms))


def add_catalogue(home: Path, folder: Path) -> None:
    """Put the activities that lie beside the template, in `home`, into the catalogue."""
    files = sorted((home / "catalogue").glob("*.yaml"))
    if files:
        operate(folder, "activity", "add", *map(str, files))


def publish_region(folder: Path) -> None:
    """Write this stack's record, with its address and public keys, into the registrations table."""
    operate(folder, "canvas", "config")


def operate(folder: Path, *arguments: str) -> None:
    """Run the operator's command on the stack that runs in this folder."""
    command = [sys.executable, "-m", "operate.main", *arguments, "--local", "--json"]
    environment = bare_environment() | {"LOCAL_DIR": str(folder.resolve())}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise CannotRunError(f"`lti {' '.join(arguments)}` says:\n{said}")
