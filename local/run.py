"""`python -m local.run`: the tool and, unless CAMPUS=0, the LMS simulator, in the foreground until Ctrl-C or SIGTERM.

Environment: TOOL_PORT (8080), CAMPUS_PORT (8090), 0 for a free one; CAMPUS (1); LOCAL_DIR (.local); TOOL_URL, the
public URL when a proxy with TLS stands in front; LOCAL_SCHEDULES=1 fires schedules by their rate as well. REGION
(us-east-1), and JOIN, the LOCAL_DIR of a running stack in another region whose registrations table this one shares.
"""

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from local.cloud import REGION, ROOT, bare_environment
from local.description import describe, write
from local.logs import Logs
from local.lti import CannotRunError, add_catalogue, publish_region, register_campus
from local.replica import Neighbour
from local.stack import Stack

CAMPUS_STARTS_WITHIN_SECONDS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    template: Path
    folder: Path
    tool_port: int
    campus_port: int
    has_campus: bool
    tool_url: str
    region: str
    join: Path | None
    schedules_by_rate: bool
    visibility_timeout_seconds: int
    score_lease_seconds: int

    @classmethod
    def read(cls, arguments: Sequence[str], environment: Mapping[str, str]) -> "Settings":
        parser = argparse.ArgumentParser(prog="python -m local.run")
        parser.add_argument("--template", type=Path, default=ROOT / "template.yaml")
        return cls(
            template=parser.parse_args(arguments).template,
            folder=Path(environment.get("LOCAL_DIR") or ".local"),
            tool_port=int(environment.get("TOOL_PORT") or 8080),
            campus_port=int(environment.get("CAMPUS_PORT") or 8090),
            has_campus=environment.get("CAMPUS", "1") not in ("0", "no", "false"),
            tool_url=environment.get("TOOL_URL", "").rstrip("/"),
            region=environment.get("REGION") or REGION,
            join=Path(environment["JOIN"]) if environment.get("JOIN") else None,
            schedules_by_rate=environment.get("LOCAL_SCHEDULES") == "1",
            visibility_timeout_seconds=int(environment.get("SCORES_VISIBILITY_TIMEOUT") or 3),
            score_lease_seconds=int(environment.get("SCORE_LEASE_SECONDS") or 30),
        )


def main() -> int:
    # As an exception, so that everything is undone on the way out, wherever it comes.
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, _interrupt)
    settings = Settings.read(sys.argv[1:], os.environ)
    try:
        with _sole_user_of(settings.folder):
            _run(settings, Logs())
    except KeyboardInterrupt:
        return 0
    except CannotRunError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 1


def _interrupt(*_: Any) -> None:
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


def _neighbour(settings: Settings) -> Neighbour | None:
    if settings.join is None:
        return None
    try:
        neighbour = Neighbour.read(settings.join)
    except (OSError, ValueError, KeyError) as error:
        raise CannotRunError(
            f"no local stack runs in {settings.join}: start that one first, or leave JOIN out"
        ) from error
    if neighbour.region == settings.region:
        raise CannotRunError(f"the stack in {settings.join} is {settings.region} already: set REGION to another region")
    return neighbour


def _run(settings: Settings, logs: Logs) -> None:
    neighbour = _neighbour(settings)
    try:
        stack = Stack(
            settings.template,
            port=settings.tool_port,
            public_url=settings.tool_url,
            parameters={
                "LoopbackHttp": "allowed",
                "ScoresVisibilityTimeout": str(settings.visibility_timeout_seconds),
                "ScoreLeaseSeconds": str(settings.score_lease_seconds),
            },
            region=settings.region,
            neighbour=neighbour,
            logs=logs,
        )
    except OSError as error:
        raise CannotRunError(f"port {settings.tool_port} is not free ({error.strerror}): set TOOL_PORT") from error
    description = settings.folder / "stack.json"
    try:
        campus = Campus(settings, stack, logs) if settings.has_campus else None
        write(description, describe(stack, campus.url if campus else None))
        with ThreadPoolExecutor(1) as beside:
            seeding = beside.submit(_seed, settings)
            stack.open(schedules_by_rate=settings.schedules_by_rate)
            seeding.result()
        logs.announce(f"tool ready at {stack.url}")
        if campus:
            campus.url = campus.wait()
            write(description, describe(stack, campus.url))
            register_campus(settings.folder, campus.platforms())
            logs.announce(f"campus ready at {campus.url}")
        while stack.cloud.is_running and (campus is None or campus.is_running):
            threading.Event().wait(0.5)
        raise CannotRunError("the local cloud or Campus has ended; its last lines above say why")
    finally:
        description.unlink(missing_ok=True)
        stack.stop()


def _seed(settings: Settings) -> None:
    """A stack of its own gets the catalogue; one that joins another finds it there, and makes both known to both."""
    if settings.join is None:
        return add_catalogue(settings.template.resolve().parent, settings.folder)
    for folder in (settings.join, settings.folder):
        publish_region(folder)
    return None


@contextmanager
def _sole_user_of(folder: Path) -> Iterator[None]:
    """One stack per folder. The lock goes with the process, so a killed one is no obstacle."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotRunError(
                f"a local stack runs already with {folder}: stop it, or set LOCAL_DIR, TOOL_PORT and CAMPUS_PORT"
            ) from None
        (folder / "stack.json").unlink(missing_ok=True)
        yield


class Campus:
    """The LMS simulator, as a process beside the functions; `url` is known when it is ready, or before by its port."""

    def __init__(self, settings: Settings, stack: Stack, logs: Logs) -> None:
        self.url = f"http://127.0.0.1:{settings.campus_port}"
        self._ready = threading.Event()
        self._logs = logs
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "local.campus",
                "--port",
                str(settings.campus_port),
                "--tool-url",
                stack.url,
                "--profiles",
                "all",
            ],
            cwd=ROOT,
            env=bare_environment() | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=stack.cloud.process_group,
        )
        threading.Thread(target=self._follow, name="log of campus", daemon=True).start()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait(self) -> str:
        if not self._ready.wait(CAMPUS_STARTS_WITHIN_SECONDS) or not self.is_running:
            raise CannotRunError(f"Campus did not start at {self.url}; its last lines above say why")
        return self.url

    def platforms(self) -> Sequence[Mapping[str, str]]:
        """The registrations that it wants, one per profile."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"{self.url}/control/platforms", timeout=10) as answer:
            platforms: Sequence[Mapping[str, str]] = json.load(answer)
        return platforms

    def _follow(self) -> None:
        for line in cast(IO[bytes], self._process.stdout):
            text = line.decode(errors="replace").rstrip()
            if text.startswith("campus ready at ") and not self._ready.is_set():
                self.url = text.split()[-1]
                self._ready.set()
            elif text:
                self._logs.write("campus", text)
        self._ready.set()


if __name__ == "__main__":
    sys.exit(main())
