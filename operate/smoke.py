"""`lti smoke`: whether a deployed stack works, tried out from outside and inside.

A login is begun, the key set is read, the key signs, every table is asked, and a score takes the whole way to a
platform inside the stack (`lti_tool.domain.echo`). That platform is registered for as long as this takes. The values
that a platform's administrator needs are printed beside.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import requests

from lti_tool.adapters.outbound import USER_AGENT
from lti_tool.domain.echo import CLIENT_ID, DEPLOYMENT_ID, PATH, USER_ID, echo_registration
from lti_tool.domain.errors import StoreUnavailableError
from lti_tool.domain.score import ActivityProgress, GradingProgress, ScoreMessage, ScoreState
from lti_tool.runtime import wiring
from lti_tool.runtime.settings import settings
from operate.findings import Finding, Report, Step
from operate.stack import Stack

TIMEOUT_SECONDS = 10
CLOCKS_MAY_DIFFER = timedelta(seconds=60)
SCORE_WITHIN_SECONDS = 60.0
Check = Callable[[], str]


class _Found(Exception):  # noqa: N818 - what a check has found, on its way to the report
    def __init__(self, problem: str, sentence: str, mend: str) -> None:
        self.problem, self.sentence, self.mend = problem, sentence, mend


def add_verbs(nouns: Any, common: argparse.ArgumentParser) -> None:
    smoke = nouns.add_parser("smoke", parents=[common], help="whether a deployed stack works, tried out")
    smoke.add_argument("--score-within", type=float, default=SCORE_WITHIN_SECONDS, metavar="SECONDS")
    smoke.set_defaults(verb=lambda stack, options: Smoke(stack, score_within=options.score_within).report())


def _seen(check: Check) -> str:
    try:
        return check()
    except StoreUnavailableError:
        raise _Found(
            "store_unavailable",
            "a table, the queue or KMS does not answer here",
            "Mend what is WRONG above; lti doctor.",
        ) from None


class Smoke:
    """Each check says in words what it saw, or what is wrong; one that fails does not keep the others from running."""

    def __init__(self, stack: Stack, *, score_within: float, clock: Callable[[], datetime] = wiring.now) -> None:
        self._stack = stack
        self._score_within = score_within
        self._clock = clock
        self._registration = echo_registration(stack.tool_url)
        self._http = requests.Session()
        self._http.headers["User-Agent"] = USER_AGENT

    def report(self) -> Report:
        steps, findings = [], []
        for field, check in self._checks():
            began = time.monotonic()
            try:
                saw, right = _seen(check), True
            except _Found as found:
                saw, right = found.sentence, False
                findings.append(Finding(field=field, problem=found.problem, sentence=found.sentence, mend=found.mend))
            steps.append(Step(field=field, right=right, saw=saw, milliseconds=round((time.monotonic() - began) * 1000)))
        url = self._stack.tool_url
        values = {
            "tool_login_url": f"{url}/lti/login",
            "tool_redirect_url": f"{url}/lti/launch",
            "tool_keyset_url": f"{url}/lti/jwks.json",
            "canvas_configuration_url": f"{url}/lti/canvas.json",
        }
        return Report(name="smoke", steps=steps, findings=findings, status=1 if findings else 0, beside=values)

    def _checks(self) -> Iterator[tuple[str, Check]]:
        yield "clock", self._clock_agrees
        yield "tables", self._tables_answer
        yield "signing key", self._key_signs
        yield "key set", self._key_set_is_whole
        try:
            wiring.registrations().add(self._registration)
            yield "login", self._login_is_answered
            yield "score", self._score_goes_through
        except StoreUnavailableError:  # said by the tables' own check
            return
        finally:
            self._forget()

    def _forget(self) -> None:
        try:
            wiring.registrations().remove(self._registration)
        except StoreUnavailableError:
            return

    # --- The checks ---------------------------------------------------------------------------------------------

    def _clock_agrees(self) -> str:
        said = self._ask("GET", "/lti/jwks.json").headers.get("Date", "")
        try:
            apart = abs(self._clock() - parsedate_to_datetime(said).astimezone(UTC))
        except ValueError:
            return "the stack did not say its time"
        if apart > CLOCKS_MAY_DIFFER:
            raise _Found(
                "clock",
                f"the clock here and the stack's are {round(apart.total_seconds())} s apart",
                "Set this machine's clock by network time; AWS refuses signed requests, and platforms our tokens.",
            )
        return f"{round(apart.total_seconds())} s apart"

    def _tables_answer(self) -> str:
        for name, table in (
            ("RegistrationsTable", self._stack.environment["REGISTRATIONS_TABLE"]),
            ("LaunchesTable", self._stack.environment["LAUNCHES_TABLE"]),
            ("RecordsTable", self._stack.environment["RECORDS_TABLE"]),
        ):
            try:
                wiring.table_health(table).require()
            except StoreUnavailableError:
                mend = "Make it again under this name: docs/operate/restore.md. A deployment does not."
                if name == "RegistrationsTable":
                    mend += " In a second region: name the region in ReplicaRegions of the primary, and deploy that."
                raise _Found("table_missing", f"{name} ({table}) does not answer", mend) from None
        return "all answer"

    def _key_signs(self) -> str:
        wiring.regions().all()  # where the key ring is: when that cannot be read, KMS is not to blame
        try:
            wiring.signer().require_usable()
            signed = wiring.signer().sign({"purpose": "smoke"})
        except StoreUnavailableError:
            raise _Found(
                "key_disabled",
                "KMS does not sign with the signing key",
                "aws kms enable-key --key-id KEY, or make another at once: lti keys revoke KID (docs/operate/keys.md)."
                " Or you may not sign: aws sts get-caller-identity says who you are.",
            ) from None
        self._kid = jwt.get_unverified_header(signed)["kid"]
        return f"signs as {self._kid}"

    def _key_set_is_whole(self) -> str:
        answer = self._ask("GET", "/lti/jwks.json")
        if answer.status_code != 200:
            raise _Found(
                "no_key_set",
                f"the key set answers {answer.status_code}",
                "Look into the log of JwksFunction; lti doctor.",
            )
        served = {key.get("kid") for key in answer.json().get("keys", [])}
        for region in wiring.regions().all():
            missing = [key["kid"] for key in region.keys if key["kid"] not in served]
            if missing or not region.keys:
                raise _Found(
                    "key_set_lacks_region",
                    f"the key set lacks {'a key' if region.keys else 'every key'} of region {region.name}",
                    f"Open {region.base_url}/lti/jwks.json, by which that region writes its keys down; try again in"
                    " five minutes.",
                )
        if getattr(self, "_kid", None) not in {None, *served}:
            raise _Found(
                "key_set_lacks_signing_key",
                "the key set lacks the key that signs",
                "Wait five minutes for the key set to be read anew; then `lti keys list` and `lti doctor`.",
            )
        return f"{len(served)} keys"

    def _login_is_answered(self) -> str:
        answer = self._ask(
            "POST",
            "/lti/login",
            data={
                "iss": self._registration.issuer,
                "client_id": CLIENT_ID,
                "login_hint": USER_ID,
                "target_link_uri": self._stack.tool_url,
            },
        )
        asked = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
        if answer.status_code != 302 or "redirect_uri" not in asked:
            raise _Found(
                "login_refused",
                f"login initiation answers {answer.status_code}",
                "Look it up: lti launch trace, with the support id of the page; or the log of LoginFunction.",
            )
        redirect_uri, own = asked["redirect_uri"][0], f"{self._stack.tool_url}/lti/launch"
        mend = "Give this region's stack its own ToolUrl or DomainName, and deploy it again."
        if redirect_uri != own:
            raise _Found(
                "redirect_uri_elsewhere", f"a login that begins here would end at {redirect_uri}, not at {own}", mend
            )
        for region in wiring.regions().all():
            if region.base_url == self._stack.tool_url and region.name != settings().region:
                raise _Found("redirect_uri_elsewhere", f"a login here ends in the region {region.name}, at {own}", mend)
        return f"ends at {own}"

    def _score_goes_through(self) -> str:
        now = self._clock()
        message = ScoreMessage(
            issuer=self._registration.issuer,
            client_id=CLIENT_ID,
            deployment_id=DEPLOYMENT_ID,
            line_item=f"{self._stack.tool_url}{PATH}/line-item",
            user_id=USER_ID,
            score_given=1,
            score_maximum=1,
            activity_progress=ActivityProgress.COMPLETED,
            grading_progress=GradingProgress.FULLY_GRADED,
            timestamp=now,
        )
        receipt = wiring.score_intake().take(message)
        deadline = time.monotonic() + self._score_within
        while (entry := wiring.score_intake().find(receipt.id)).state is ScoreState.WAITING:
            if time.monotonic() > deadline:
                break
            time.sleep(0.2)
        if entry.state is ScoreState.SENT:
            return "arrived"
        if entry.attempts == 0:
            raise _Found(
                "queue_without_consumer",
                f"nobody took the score from the queue within {self._score_within:g} s",
                "Enable the event source mapping from ScoresQueue to GradeSyncFunction in the Lambda console."
                " A deployment does not.",
            )
        raise _Found(
            "score_not_sent",
            f"the score did not arrive: {entry.cause or entry.state}",
            "See the log of GradeSyncFunction, and `lti doctor`.",
        )

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        url = self._stack.tool_url + path
        try:
            return self._http.request(method, url, timeout=TIMEOUT_SECONDS, allow_redirects=False, **options)
        except requests.RequestException:
            raise _Found(
                "no_answer", f"{url} does not answer", "Is the stack deployed, and does its name point here?"
            ) from None
