"""A small system in a folder of its own, standing while a module's tests run."""

import io
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests

from local.logs import Logs
from local.stack import Stack

T = TypeVar("T")
SMALL = Path(__file__).parent / "small"


@dataclass(frozen=True, kw_only=True)
class Small:
    """A running small system: `folder` holds its template and code, `log` what a person would read."""

    folder: Path
    stack: Stack
    log: io.StringIO
    http: requests.Session

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.stack.port}"

    def pids(self, word: str) -> dict[int, str]:
        """The children of a function and what each is doing."""
        for function in self.http.get(f"{self.url}/_local/functions").json():
            if function["word"] == word:
                return {child["pid"]: child["state"] for child in function["children"]}
        raise KeyError(word)


def eventually(look: Callable[[], T], *, within: float = 15) -> T:
    """What `look` finds once it is true; fails when it is not in time."""
    deadline = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)
    return found


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    folder = tmp_path_factory.mktemp("small")
    shutil.copytree(SMALL, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    log = io.StringIO()
    stack = Stack(folder / "template.yaml", parameters={"Visibility": "1"}, logs=Logs(log))
    http = requests.Session()
    http.trust_env = False
    try:
        stack.open()
        yield Small(folder=folder, stack=stack, log=log, http=http)
    finally:
        http.close()
        stack.stop()


@pytest.fixture
def call(small: Small) -> Callable[..., Any]:
    """Send a request to the small system: `call("GET", "/echo")`."""

    def send(method: str, path: str, **options: Any) -> requests.Response:
        return small.http.request(method, small.url + path, allow_redirects=False, timeout=20, **options)

    return send
