"""Open edX's platform code decides whether our requests, signatures and services are right; see open_edx.py."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from tests.e2e.world import World, eventually, form_of, local_stack, session_in

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".platform/bin/python"
LTI = "https://purl.imsglobal.org/spec/lti/claim/"

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("independent platform"),
    pytest.mark.skipif(
        not PYTHON.exists(), reason="Open edX's platform is not here: `make .platform/.ready` installs it"
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndependentPlatform:
    """Open edX's code as a running server, registered with a running tool."""

    world: World
    issuer: str
    deployment_id: str

    def asks(self, role: str, **what: str) -> tuple[str, dict[str, str], str]:
        """Start a launch as the course page does; our question: where it goes, its parameters, and the cookie."""
        start = requests.get(f"{self.issuer}/start", {"role": role, **what}, allow_redirects=False, timeout=30)
        assert start.status_code == 302, start.text
        question = requests.get(start.headers["Location"], allow_redirects=False, timeout=30)
        assert question.status_code == 302, question.text
        address = urlsplit(question.headers["Location"])
        cookie = question.headers["Set-Cookie"].split(";")[0]  # by hand: it is Secure, and this is http
        return address._replace(query="").geturl(), dict(parse_qsl(address.query)), cookie

    def launches(self, role: str, **what: str) -> str:
        """A whole launch; the session token that the tool gave."""
        auth_url, question, cookie = self.asks(role, **what)
        answer = requests.get(auth_url, question, timeout=30)
        assert answer.status_code == 200, answer.text
        launch_url, fields = form_of(answer.text)
        return session_in(requests.post(launch_url, data=fields, headers={"Cookie": cookie}, timeout=30))

    def answers_to(self, teacher: str, *activities: str) -> tuple[str, str]:
        """The tool's deep linking answer, not yet posted: where it goes and the JWT."""
        page = self.world.tool("POST", "/lti/deeplink", data={"session": teacher, "activity": activities})
        assert page.status_code == 200, page.text
        return_url, fields = form_of(page.text)
        return return_url, fields["JWT"]

    def picks(self, *activities: str) -> list[dict[str, Any]]:
        """Choose activities as a teacher; the content items that the platform keeps of our answer."""
        return_url, jwt = self.answers_to(self.launches("instructor", deep_linking="1"), *activities)
        accepted = requests.post(return_url, data={"JWT": jwt}, timeout=30)
        assert accepted.status_code == 200, accepted.text
        items: list[dict[str, Any]] = self.kept()["content_items"]
        return items

    def kept(self) -> dict[str, Any]:
        kept: dict[str, Any] = requests.get(f"{self.issuer}/kept", timeout=30).json()
        return kept


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndependentPlatform]:
    folder = tmp_path_factory.mktemp("independent")
    log = folder / "platform.log"
    with open_edx(log) as process, local_stack(folder) as world:
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{world.tool_url}\n")
        process.stdin.flush()
        told = process.stdout.readline()
        assert told, log.read_text(encoding="utf-8")
        yield registered(world, json.loads(told))


@contextmanager
def open_edx(log: Path) -> Iterator[subprocess.Popen[str]]:
    """Its process, which gets ready while the tool does; it waits for the tool's URL."""
    with log.open("w", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            [PYTHON, Path(__file__).with_name("open_edx.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def registered(world: World, platform: dict[str, str]) -> IndependentPlatform:
    options = {
        "--issuer": platform["issuer"],
        "--client-id": platform["client_id"],
        "--auth-url": platform["oidc_callback"],
        "--token-url": platform["token_url"],
        "--jwks-url": platform["keyset_url"],
        "--deployment-id": platform["deployment_id"],
        "--family": "openedx",
    }
    added = world.lti("platform", "add", "custom", *(part for option in options.items() for part in option))
    assert added.returncode == 0, added.stderr
    return IndependentPlatform(world=world, issuer=platform["issuer"], deployment_id=platform["deployment_id"])


def test_it_accepts_our_question_and_we_its_launch(platform: IndependentPlatform) -> None:
    session = platform.launches("student")

    shown = platform.world.tool("GET", "/api/session", session).json()

    assert (shown["issuer"], shown["deployment_id"]) == (platform.issuer, platform.deployment_id)
    assert shown["user"] == {"id": "external-student", "name": "A student", "email": "student@example.org"}
    assert (shown["context"]["label"], shown["context"]["title"]) == ("Geo101", "Rivers of the world")
    assert shown["landing"] == "/app/activity"


def test_it_refuses_a_question_with_a_redirect_address_of_somebody_else(platform: IndependentPlatform) -> None:
    auth_url, question, _ = platform.asks("student")

    refused = requests.get(auth_url, question | {"redirect_uri": "https://elsewhere.example/launch"}, timeout=30)

    assert refused.status_code == 400
    assert "id_token" not in refused.text


def test_it_keeps_both_activities_of_our_deep_linking_answer(platform: IndependentPlatform) -> None:
    teacher = platform.launches("instructor", deep_linking="1")
    offered = platform.world.tool("GET", "/api/catalogue", teacher).json()["activities"][:2]

    items = platform.picks(*(activity["id"] for activity in offered))

    assert [(item["type"], item["title"]) for item in items] == [
        ("ltiResourceLink", activity["title"]) for activity in offered
    ]
    assert [item["lineItem"]["scoreMaximum"] for item in items] == [activity["score_maximum"] for activity in offered]


def test_it_refuses_a_deep_linking_answer_that_was_changed_on_the_way(platform: IndependentPlatform) -> None:
    before = platform.picks("photosynthesis")
    return_url, jwt = platform.answers_to(platform.launches("instructor", deep_linking="1"), "capitals-and-rivers")
    header, _, signature = jwt.split(".")
    claims = decoded(jwt) | {f"{LTI}deployment_id": "another"}
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()

    refused = requests.post(return_url, data={"JWT": f"{header}.{changed}.{signature}"}, timeout=30)

    assert refused.status_code == 403
    assert platform.kept()["content_items"] == before
    assert requests.post(return_url, data={"JWT": jwt}, timeout=30).status_code == 200  # as we had sent it


def decoded(jwt: str) -> dict[str, Any]:
    """The claims, unchecked."""
    body = jwt.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


def test_its_token_and_score_services_take_our_mark(platform: IndependentPlatform) -> None:
    written = json.loads(platform.world.lti("activity", "show", "photosynthesis").stdout)
    maximum = sum(question["points"] for question in written["questions"])
    question = next(question for question in written["questions"] if question["kind"] == "choice")
    teacher, student = platform.launches("instructor"), platform.launches("student")
    bound = platform.world.tool("PUT", "/api/binding", teacher, json={"activity": "photosynthesis"})

    handed_in = platform.world.tool(
        "POST", "/api/attempt", student, json={"answers": {question["id"]: question["answer"]}}
    )

    assert (bound.status_code, handed_in.status_code) == (204, 201)
    eventually(lambda: delivered(platform.world, student))
    assert platform.kept()["scores"] == [
        {
            "user_id": "external-student",
            "score_given": question["points"],
            "score_maximum": maximum,
            "grading_progress": "FullyGraded",
        }
    ]


def delivered(world: World, session: str) -> bool:
    attempt = world.tool("GET", "/api/activity", session).json()["attempt"]
    return bool(attempt["delivery"]["state"] == "sent")


def test_a_picked_link_opens(platform: IndependentPlatform) -> None:
    # An item with an address of its own would be refused: Open edX names the block's at the login, the item's in the
    # id_token, and the spec wants one (CORE 5.3.4). So its items carry none.
    (item,) = platform.picks("photosynthesis")
    auth_url, question, cookie = platform.asks("student", content_item=str(item["id"]))
    launch_url, fields = form_of(requests.get(auth_url, question, timeout=30).text)

    session = session_in(requests.post(launch_url, data=fields, headers={"Cookie": cookie}, timeout=30))

    assert "url" not in item
    opened = platform.world.tool("GET", "/api/activity", session).json()["activity"]
    assert opened["id"] == "photosynthesis"
