"""A year at the tool: what its functions asked of AWS, and what they let out.

The year drives every handler through its usual and its rare paths. What was asked meanwhile is compared with each
function's policy in template.yaml, both ways; in the other tests of this folder too little is a failure as well, by
their conftest.py. And nothing that a person or a platform said in confidence is in the log, or in what is deployed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lti_tool.domain.registration import DeploymentPolicy, PlatformFamily
from lti_tool.runtime import wiring
from tests.functions.test_echo import assertion
from tests.functions.test_register import ANSWER, configuration, introduces, invited, says
from tests.functions.test_storage import answers, begins_framed, finishes
from tests.functions.test_vendor import APP, departs, message
from tests.support.browser import ACTIVITY, Answer, Browser, handler, receives
from tests.support.fixtures import log_lines
from tests.support.platform import ABSENT, INSTRUCTOR, Platform, Received, Reply, rsa_key, serving
from tests.support.policies import RECORDING, Call, functions, too_little, too_much
from tests.support.stack import ROOT, Stack, forget, template

SCORES = "/lineitems/7/lineitem/scores"
JWT = r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
PEM = r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\\nr]+[A-Za-z0-9+/=]{32}"
CLIENTS = ("_dynamodb", "_queue", "_kms")


CONFIDENCES: set[str] = set()
"""People's names, addresses and ids, and every token: what is said in the year to the tool, and by it."""


def confides(*values: str | None) -> None:
    CONFIDENCES.update(value for value in values if value)


class Newcomer(Browser):
    """A browser whose every request meets a function that has just started: nothing is answered from memory."""

    def send(self, *arguments: Any, **options: Any) -> Answer:
        forget(but=CLIENTS)
        confides(options.get("token"), *self.cookies.values())
        answer = super().send(*arguments, **options)
        confides(*self.cookies.values(), *re.findall(JWT, answer.body))
        if answer.status == 302:
            confides(answer.question["state"], answer.question["nonce"])
        if answer.status == 200 and "launch" in answer.page.texts:
            confides(answer.launch["session"], answer.launch["session"].partition(".")[2])
        return answer


class Confidant(Platform):
    """A platform whose people have names that nobody else has."""

    def claims(self, nonce: str, target: str, /, **other: Any) -> dict[str, Any]:
        sub = f"seed-sub-{other.pop('sub', 'learner')}"
        person = {"sub": sub, "name": f"Seedname {sub}", "email": f"{sub}@seed-mail.example"}
        confides("seed-sub", "Seedname", "seed-mail")
        return super().claims(nonce, target, **person, **other)

    def signs(self, claims: Mapping[str, Any], **header: Any) -> str:
        token = super().signs(claims, **header)
        confides(token, token.rpartition(".")[2])
        return token

    def answer(self, request: Received) -> Reply:
        reply = super().answer(request)
        if request.path == "/token":
            confides(request.form()["client_assertion"], json.loads(reply.body)["access_token"])
        return reply


def starts(word: str) -> Any:
    """A schedule starts a function."""
    forget(but=CLIENTS)
    return handler(word)({}, None)


# --- What happens in a year -------------------------------------------------------------------------------------------


def people_come(stack: Stack, platform: Platform, _: pytest.MonkeyPatch) -> None:
    """Launches that succeed and that do not, with cookies and without, and places seen for the first time."""
    browser = Newcomer()
    platform.will_answer("/jwks", Reply(status=503))
    assert browser.launches(platform).status == 502  # and the right to ask for the keys is given back
    assert browser.launches(platform).status == 200
    assert browser.launches(platform, deployment_id="unknown").status == 403
    for policy in (DeploymentPolicy.AUTO, DeploymentPolicy.APPROVE):
        stack.knows(platform.registration(deployment_policy=policy))
        browser.launches(platform, deployment_id=f"new under {policy}")
    told = begins_framed(browser, platform, lti_storage_target="_parent")
    token, _asked = answers(browser, platform, told)
    confides(told["storage"]["value"])
    assert finishes(browser, told, token, told["storage"]["value"]).status == 200
    platform.key = rsa_key("platform-next")
    platform.published.append(platform.public_jwk(platform.key))
    assert browser.launches(platform).status == 200
    assert browser.get("/lti/login", platform.initiation(ACTIVITY, client_id="nobody")).status == 403


def a_class_works(stack: Stack, platform: Platform, _: pytest.MonkeyPatch) -> None:
    """A teacher picks and binds, learners hand in, marks are looked at, refused and sent again."""
    browser = Newcomer()
    picker = browser.opens_picker(platform).launch["session"]
    assert browser.get("/api/catalogue", token=picker).status == 200
    assert browser.post("/lti/deeplink", {"session": picker, "activity": "photosynthesis"}).status == 200
    teacher = browser.launches(platform, sub="teacher", roles=[INSTRUCTOR]).launch["session"]
    assert browser.send("PUT", "/api/binding", document={"activity": "photosynthesis"}, token=teacher).status == 204
    learner = browser.launches(platform).launch["session"]
    browser.get("/api/activity", token=learner)
    assert browser.post("/api/attempt", document={"answers": {}}, token=learner).status == 201
    platform.will_answer(SCORES, Reply(status=404))
    receives(*stack.queued())
    for call in ("session", "progress", "marks", "review"):
        browser.get(f"/api/{call}", token=teacher)
    assert browser.post("/api/marks/resend", document={}, token=teacher).json() == {"resent": 1}
    receives(*stack.queued())
    assert browser.get("/app/activity").status == 200


def a_vendor_sends_scores(stack: Stack, platform: Platform, _: pytest.MonkeyPatch) -> None:
    """Its app is launched, its backend learns who came; its scores are for columns that exist or still have to."""
    browser = Newcomer()
    stack.offers(APP)
    made = {"id": platform.line_item, "label": "x", "scoreMaximum": 40}
    platform.will_answer("/lineitems", Reply(body=b"[]"), Reply(status=201, body=json.dumps(made).encode()))
    code = departs(browser, platform, endpoint={"scope": [], "lineitems": f"{platform.url}/lineitems"})
    confides(code)
    assert browser.get(f"/api/launches/{code}").status == 200
    for named in ({"line_item": ABSENT, "resource_link_id": "link-1"}, {}):
        taken = browser.post("/api/scores", document=message(platform, user_id="seed-sub-vendor", **named))
        receives(*stack.queued())
        assert browser.get(taken.headers["location"]).json()["state"] == "sent"


def platforms_fail(stack: Stack, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens are revoked, a platform is down until its gate closes and opens, messages cannot be understood."""
    receives("nonsense", message(platform, user_id="seed-sub-somebody", score_given=-1))
    forget(but=CLIENTS)
    receives(message(platform, user_id="seed-sub-first"))
    platform.will_answer(SCORES, Reply(status=401))
    receives(message(platform, user_id="seed-sub-second"))
    platform.will_answer(SCORES, *[Reply(status=503)] * 12)
    receives(*(message(platform, user_id=f"seed-sub-{number}") for number in range(9)))
    later = datetime.now(UTC) + timedelta(hours=1)
    monkeypatch.setattr(wiring, "now", lambda: later)
    assert starts("sweep")["nudged"] > 0
    platform.replies.clear()
    before = len(platform.scores)
    forget(but=CLIENTS)
    receives(*stack.queued())
    assert len(platform.scores) > before


def platforms_introduce_themselves(_: Stack, platform: Platform, __: pytest.MonkeyPatch) -> None:
    browser = Newcomer()
    browser.get("/lti/canvas.json")
    token = invited()
    platform.will_answer("/register", says(ANSWER))
    assert introduces(platform, browser, token, configuration(platform), "GET").status == 200
    assert introduces(platform, browser, token, configuration(platform)).status == 200
    refusing = invited()
    confides(token, refusing, "the platform's token")
    platform.will_answer("/register", says({}, 500))
    assert introduces(platform, browser, refusing, configuration(platform)).status == 502
    assert introduces(platform, browser, "unknown", configuration(platform)).status == 403


def keys_come_and_go(stack: Stack, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Health is asked and scores are sent in between; one key's making is cut short. The platform keeps one key."""
    browser = Newcomer()
    stack.knows(platform.registration(family=PlatformFamily.CANVAS, pushes_public_key_to=platform.url))

    def used() -> None:
        for path in ("/lti/jwks.json", "/health"):
            assert browser.get(path).status == 200
        forget(but=CLIENTS)
        receives(message(platform, user_id=f"seed-sub-{wiring.now():%H}", timestamp=wiring.now().isoformat()))
        signed = wiring.signer().sign(assertion(iat=0))
        browser.post("/lti/echo/token", {"client_assertion": signed})
        browser.send("POST", "/lti/echo/line-item/scores", headers={"authorization": "Bearer any"})

    used()
    start = datetime.now(UTC)
    for hours in (0, 2200, 2225, 2275, 4500, 4530, 4600, 6800, 6830, 6900):
        monkeypatch.setattr(wiring, "now", lambda now=start + timedelta(hours=hours): now)
        if hours == 4500:  # a run makes a key and dies before it can write it down
            forget(but=CLIENTS)
            rotation = wiring.key_rotation()
            monkeypatch.setattr(rotation.rings, "write", _dying_at_second(rotation.rings.write))
            with RECORDING.of("keys"), pytest.raises(KeyboardInterrupt):
                rotation.run()
            monkeypatch.setattr(wiring, "now", lambda now=start + timedelta(hours=hours + 1): now)
        starts("keys")
        used()
    assert any(request.method == "PUT" for request in platform.received)


def _dying_at_second(write: Callable[[Any], None]) -> Callable[[Any], None]:
    rings: list[Any] = []

    def dying(ring: Any) -> None:
        rings.append(ring)
        if len(rings) == 2:
            raise KeyboardInterrupt
        write(ring)

    return dying


YEAR = (
    people_come,
    a_class_works,
    a_vendor_sends_scores,
    platforms_fail,
    platforms_introduce_themselves,
    keys_come_and_go,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is left of the year: every permission that was needed, and every line that was logged."""

    calls: set[Call]
    log: str


@pytest.fixture(scope="module")
def past(standing_stack: Stack) -> Past:
    with log_lines() as log, redirect_stdout(log), RECORDING.anew() as calls:
        for part in YEAR:
            standing_stack.begin_again()
            with serving(kind=Confidant) as platform, pytest.MonkeyPatch.context() as monkeypatch:
                standing_stack.knows(platform.registration())
                standing_stack.offers()
                part(standing_stack, platform, monkeypatch)
    standing_stack.begin_again()
    return Past(calls=calls, log=log.getvalue())


@pytest.fixture
def asked(past: Past) -> set[Call]:
    return past.calls


# --- The comparison ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", sorted(functions()))
def test_a_function_may_do_what_its_code_does(asked: set[Call], word: str) -> None:
    calls = {call for call in asked if call.word == word}

    assert calls, f"no part of the year in tests/functions/test_policies.py drives {word}"
    assert not too_little(calls), "\n".join(too_little(calls))


@pytest.mark.parametrize("word", sorted(functions()))
def test_a_function_may_do_nothing_else(asked: set[Call], word: str) -> None:
    assert not too_much(word, asked), "\n".join(too_much(word, asked))


# --- What was let out -------------------------------------------------------------------------------------------------


def test_the_log_keeps_every_confidence(past: Past) -> None:
    assert '"message":"refused"' in past.log
    assert '"message":"score"' in past.log
    assert len(CONFIDENCES) > 50

    assert let_out(past.log, CONFIDENCES) == []


@pytest.mark.parametrize("file", ["template.yaml", "samconfig.toml"])
def test_what_is_deployed_holds_no_confidence(past: Past, file: str) -> None:  # noqa: ARG001 - they are said by then
    assert let_out((ROOT / file).read_text(encoding="utf-8"), CONFIDENCES) == []


def test_a_functions_environment_holds_no_confidence(standing_stack: Stack, past: Past) -> None:  # noqa: ARG001
    of_functions = [found["Properties"].get("Environment") for found in template()["Resources"].values()]

    assert let_out(json.dumps([standing_stack.environment, template()["Globals"], of_functions]), CONFIDENCES) == []


@pytest.mark.parametrize("build", ["build", "emulated"])
def test_an_artefact_holds_no_confidence(past: Past, build: str) -> None:  # noqa: ARG001
    folder = ROOT / ".aws-sam" / build
    files = [path for path in folder.glob("**/*") if path.is_file()]
    ours = [path for path in files if "lti_tool" in path.parts or "SharedLayer" not in path.parts]

    found = {path: let_out(path.read_text(encoding="utf-8", errors="replace"), CONFIDENCES) for path in ours}

    assert {path: values for path, values in found.items() if values} == {}


def test_the_search_finds_what_there_is_to_find() -> None:
    pem = "-----BEGIN RSA PRIVATE KEY-----\n" + "A" * 64
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1In0.c2ln"

    assert let_out("said by seed-sub-1", {"seed-sub-1"}) == ["seed-sub-1"]
    assert [len(let_out(text, set())) for text in (pem, token, "nothing")] == [1, 1, 0]


def let_out(text: str, confidences: set[str]) -> list[str]:
    """Which of these stand in a text, and which private keys and tokens besides."""
    return [
        *sorted(value for value in confidences if value in text),
        *re.findall(PEM, text),
        *re.findall(JWT, text),
    ]
