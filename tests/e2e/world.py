"""The local stack as a process of its own, and a visitor who walks through it with plain HTTP."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any, TypeVar

import requests

from local.campus.campus import Campus
from local.campus.world import PEOPLE

READY_WITHIN_SECONDS = 60
ANSWER_WITHIN_SECONDS = 30
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A running local stack: the tool, and Campus with its two platforms."""

    tool_url: str
    campus_url: str
    local_dir: Path
    process: subprocess.Popen[str]

    def lti(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the operator's command on this stack."""
        return subprocess.run(
            [sys.executable, "-m", "operate.main", *arguments, "--local", "--json"],
            env={**os.environ, "LOCAL_DIR": str(self.local_dir)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def control(self, path: str, document: dict[str, Any] | None = None) -> Any:
        """Ask Campus through its control API: GET, or POST with a document."""
        url = f"{self.campus_url}/control/{path}"
        answer = requests.get(url, timeout=30) if document is None else requests.post(url, json=document, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def tool(self, method: str, path: str, session: str | None = None, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {session}"} if session else {}
        headers |= options.pop("headers", {})
        return requests.request(
            method, self.tool_url + path, headers=headers, timeout=30, allow_redirects=False, **options
        )


@contextmanager
def local_stack(local_dir: Path, **settings: str) -> Iterator[World]:
    """Start `make run`'s program on free ports, wait for its ready lines, stop it at the end.

    With CAMPUS="0" there is no Campus, and `campus_url` is empty.
    """
    environment = {**os.environ, "TOOL_PORT": "0", "CAMPUS_PORT": "0", "LOCAL_DIR": str(local_dir)}
    environment |= {"SCORE_LEASE_SECONDS": "5", **settings}  # a test that kills a sender does not wait for long
    lines = 1 if settings.get("CAMPUS") == "0" else 2
    log = (local_dir / "run.log").open("w+", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "local.run"], env=environment, stdout=log, stderr=subprocess.STDOUT, text=True
    )
    try:

        def ready() -> dict[str, str] | None:
            text = (local_dir / "run.log").read_text(encoding="utf-8")
            assert process.poll() is None, text
            found = dict(re.findall(r"^(tool|campus) ready at (\S+)$", text, re.MULTILINE))
            return found if len(found) == lines else None

        urls = eventually(ready, within=READY_WITHIN_SECONDS)
        yield World(tool_url=urls["tool"], campus_url=urls.get("campus", ""), local_dir=local_dir, process=process)
        written = (local_dir / "run.log").read_text(encoding="utf-8")
        for bug in re.findall(r"^\S+ +\S+ +ERROR +failed .*", written, re.MULTILINE):
            warnings.warn(bug, stacklevel=2)  # of the kind and place, beside the test that met its 500
        found = let_out(written)
        assert not found, found
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        finally:
            process.kill()
            log.close()


def let_out(log: str) -> list[str]:
    """Names, addresses and ids of Campus's people, tokens and private keys that stand in a log.

    Moodle's user ids are left out: they are small numbers, which stand for many things.
    """
    platforms = Campus("http://127.0.0.1", "http://127.0.0.1").platforms.values()
    said = {platform.user_id(person) for platform in platforms for person in PEOPLE.values()}
    for person in PEOPLE.values():
        said |= {person.name, person.username, person.email, person.sourced_id}
    return [
        *(each for each in sorted(said) if not each.isdecimal() and re.search(rf"(?<![\w-]){each}(?![\w-])", log)),
        *re.findall(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|Bearer \S+|-----BEGIN [A-Z ]*PRIVATE KEY-----", log),
    ]


def eventually(look: Callable[[], Found | None], *, within: float = ANSWER_WITHIN_SECONDS) -> Found:
    """Look until something is there."""
    deadline = time.monotonic() + within
    while (found := look()) is None or found is False:
        assert time.monotonic() < deadline, f"did not happen within {within} seconds"
        time.sleep(0.05)
    return found


def form_of(page: str) -> tuple[str, dict[str, str]]:
    """The address and the fields of the one form on a page."""
    action = re.search(r'<form[^>]*action="([^"]*)"', page)
    assert action, page
    fields = re.findall(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"', page)
    return unescape(action[1]), {unescape(name): unescape(value) for name, value in fields}


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """The platform's answer to our authentication request, not yet posted to the tool."""

    launch_url: str
    fields: dict[str, str]
    cookie: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody at one of Campus's platforms, with a browser that does what the pages tell it."""

    world: World
    profile: str
    user: str

    def course(self) -> dict[str, Any]:
        course: dict[str, Any] = self.world.control(f"{self.profile}/courses")["courses"][0]
        return course

    def initiates(self, kind: str, **what: Any) -> dict[str, Any]:
        initiation: dict[str, Any] = self.world.control(f"{self.profile}/{kind}", {"user": self.user, **what})
        return initiation

    def logs_in(self, kind: str, **what: Any) -> Login:
        return self.answers(self.initiates(kind, **what))

    def answers(self, initiation: dict[str, Any]) -> Login:
        """Bring an initiation to the tool, by GET or POST as the platform does, and its question to the platform."""
        place = "params" if initiation["method"] == "GET" else "data"
        question = requests.request(
            initiation["method"],
            initiation["login_url"],
            allow_redirects=False,
            timeout=30,
            **{place: initiation["fields"]},
        )
        assert question.status_code == 302, question.text
        answer = requests.get(question.headers["Location"], timeout=30)
        launch_url, fields = form_of(answer.text)
        return Login(launch_url=launch_url, fields=fields, cookie=question.headers["Set-Cookie"].split(";")[0])

    def launches(self, login: Login) -> requests.Response:
        return requests.post(login.launch_url, data=login.fields, headers={"Cookie": login.cookie}, timeout=30)

    def opens(self, activity: int) -> str:
        """Launch an activity; the session token that the launch page holds."""
        return session_in(self.launches(self.logs_in("launch", activity=activity)))

    def picks(self, *activities: str) -> requests.Response:
        """Choose activities in the picker; the platform's answer to our deep linking response."""
        session = session_in(self.launches(self.logs_in("deep_linking", course=self.course()["id"])))
        page = self.world.tool("POST", "/lti/deeplink", data={"session": session, "activity": activities})
        assert page.status_code == 200, page.text
        return_url, fields = form_of(page.text)
        return requests.post(return_url, data=fields, timeout=30)

    def activity_called(self, title: str) -> dict[str, Any]:
        return next(activity for activity in self.course()["activities"] if activity["title"] == title)

    def cell(self, line_item_url: str, user_id: str) -> dict[str, Any] | None:
        """What the gradebook holds for one learner in one column."""
        for course in self.world.control(f"{self.profile}/gradebook")["courses"]:
            for cell in course["cells"]:
                if cell["line_item_url"] == line_item_url and cell["user_id"] == user_id:
                    found: dict[str, Any] = cell
                    return found
        return None


def session_in(launch_page: requests.Response) -> str:
    assert launch_page.status_code == 200, launch_page.text
    document = re.search(r'<script type="application/json" id="launch">(.*?)</script>', launch_page.text)
    assert document, launch_page.text
    session: str = json.loads(document[1])["session"]
    return session
