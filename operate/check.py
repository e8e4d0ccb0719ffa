"""`lti platform check`: whether a registration's values are right, asked of the platform itself.

Every address is asked at once, under the outbound policy and under one deadline. What the token endpoint refuses is
tried again with one thing changed, so that what is wrong is found by experiment and not by the platform's wording.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from urllib3.exceptions import NewConnectionError
from urllib3.exceptions import TimeoutError as HTTPTimeoutError

from lti_tool.adapters.access_tokens import GRANTED, token_request
from lti_tool.adapters.platform_http import Answer, PlatformHttp
from lti_tool.domain import claims as names
from lti_tool.domain.errors import ForbiddenAddressError, PlatformUnavailableError, ToolError
from lti_tool.domain.jwks import platform_keys
from lti_tool.domain.registration import DeploymentPolicy, DeploymentStatus, PlatformFamily, Registration
from lti_tool.runtime import wiring
from operate import presets
from operate.findings import Finding, Step
from operate.stack import Stack
from operate.together import together

WITHIN_SECONDS = 8.0  # with the start of the command itself, ten
CLOCKS_MAY_DIFFER = timedelta(seconds=60)
_NOTABLE = timedelta(seconds=3)  # what a header of whole seconds and a slow line can make up

_AGS = names.SCORE_SCOPE.removesuffix("score")
_MEMBERS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"

# What does not work without a scope, and what Canvas calls it on the developer key's page.
_SCOPES = {
    names.SCORE_SCOPE: (
        "marks will not be imported into the gradebook",
        "Can create and update submission results for assignments associated with the tool",
    ),
    f"{_AGS}lineitem": (
        "the tool cannot make gradebook columns",
        "Can create and view assignment data in the gradebook associated with the tool",
    ),
    f"{_AGS}lineitem.readonly": (
        "the tool cannot see its gradebook columns",
        "Can view assignment data in the gradebook associated with the tool",
    ),
    f"{_AGS}result.readonly": (
        "the tool cannot see which marks arrived",
        "Can view submission data for assignments associated with the tool",
    ),
    _MEMBERS: (
        "the tool cannot read who is in a course",
        "Can retrieve user data associated with the context the tool is installed in",
    ),
}

_GRANT = {
    PlatformFamily.CANVAS: "In Canvas: Admin, Developer Keys, edit the LTI key, switch on {labels}, and save.",
    PlatformFamily.MOODLE: (
        "In Moodle: Site administration, Plugins, External tool, Manage tools, the tool's settings, Services: grade"
        " sync and column management for marks, retrieve members' information for the list of members."
    ),
    PlatformFamily.BLACKBOARD: (
        "In Blackboard: Administrator Panel, LTI Tool Providers, edit the tool: allow grade service access and"
        " membership service access."
    ),
    PlatformFamily.BRIGHTSPACE: (
        "In Brightspace: Manage Extensibility, LTI Advantage, the tool's registration: tick Assignment and Grade"
        " Services and Names and Role Provisioning Services."
    ),
    PlatformFamily.SAKAI: (
        "In Sakai: Administration Workspace, External Tools, edit the tool: allow it to return grades, to make"
        " gradebook columns, and to have the course's roster."
    ),
    PlatformFamily.OPENEDX: "In Open edX: Studio, edit the LTI block (or its passport): enable AGS and NRPS.",
}
_GRANT_ANYWHERE = "Allow the tool these scopes on the platform's page for this client id."

_OUR_KEYS = {
    PlatformFamily.CANVAS: "In Canvas: Admin, Developer Keys, edit the LTI key: JWK method Public JWK URL, {url}.",
    PlatformFamily.MOODLE: (
        "In Moodle: the tool's settings, Public key type Keyset URL, Public keyset {url}; Moodle fetches it itself,"
        " from public addresses and the ports 80 and 443 only."
    ),
}
_OUR_KEYS_ANYWHERE = "Give the platform this key set URL, and see that its server can reach it: {url}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What came of one request. Without an answer, `why` completes the sentence "URL ..."."""

    answer: Answer | None = None
    why: str = ""
    milliseconds: int = 0
    ahead: timedelta | None = None  # the platform's clock, compared with ours
    kid: str = ""  # the key that signed what was asked

    @property
    def status(self) -> int:
        return self.answer.status if self.answer else 0

    @property
    def document(self) -> dict[str, Any]:
        found = self.answer.json() if self.answer else None
        return found if isinstance(found, dict) else {}

    @property
    def is_token(self) -> bool:
        return self.status in GRANTED and isinstance(self.document.get("access_token"), str)

    @property
    def is_refusal(self) -> bool:
        """A refusal as OAuth words it: somebody is there who understood the question."""
        return self.status in {400, 401, 403} and isinstance(self.document.get("error"), str)

    @property
    def lacks_scope(self) -> bool:
        return self.is_refusal and self.document["error"] == "invalid_scope"

    @property
    def refusal(self) -> str:
        """The platform's words, for a terminal."""
        said = [self.document.get(name) for name in ("error", "error_description")]
        return _plain(": ".join(text for text in said if isinstance(text, str)))

    @property
    def how(self) -> str:
        if self.answer is None:
            return self.why
        to = self.answer.headers.get("Location") if 300 <= self.status < 400 else None
        return f"answers {self.status}" + (f" and leads to {_plain(to)}" if to else "")


@dataclass(slots=True)
class Examination:
    """One registration before the platform. `found` and `steps` fill as it goes on."""

    stack: Stack
    registration: Registration
    within: float = WITHIN_SECONDS
    found: list[Finding] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    _http: PlatformHttp = field(init=False)
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.within
        self._http = PlatformHttp(loopback_http=self.stack.loopback_http, longest_seconds=self.within / 2)

    def run(self) -> None:
        registration = self.registration
        wiring.signer(), wiring.traces()  # made here: clients cannot be made by several threads at once
        at_once: dict[str, Callable[[], Any]] = {
            "jwks": lambda: self._get(registration.jwks_uri),
            "auth": lambda: self._get(self._authentication_request()),
            "token": lambda: self._token(registration, self._scopes()),
            "ours": lambda: self._get(self._our_keys),
            "refused": self._refused_deployments,
        }
        came = together(at_once, self.within / 2)
        silence = _Asked(why=f"did not answer within {self.within / 2:g} s")
        jwks, auth, token, ours = (came.get(name, silence) for name in ("jwks", "auth", "token", "ours"))
        self._judge_key_set(jwks)
        self._judge_authorization(auth)
        ours_right = self._judge_our_keys(ours, token.kid)
        ahead = next((asked.ahead for asked in (token, auth, jwks) if asked.ahead is not None), None)
        clock_wrong = self._judge_token(token, ahead, keys_known=ours_right)
        self._judge_clock(ahead, clock_wrong)
        self._judge_deployments(came.get("refused"))

    # --- The key set, the authorization endpoint, and what is ours ----------------------------------------------

    def _judge_key_set(self, asked: _Asked) -> None:
        url = self.registration.jwks_uri
        keys = platform_keys(asked.document)
        if asked.status == 200 and keys:
            kids = f"{len(keys)} RSA signing {'key' if len(keys) == 1 else 'keys'}"
            self._right("jwks_url", kids, asked)
            return
        if asked.status == 200 and isinstance(asked.document.get("keys"), list):
            problem, saw = (
                "jwks_without_rsa_key",
                "the key set has no RSA signing key that a launch could be signed with",
            )
        elif asked.status == 200:
            problem, saw = "jwks_not_json", "what is served there is no key set"
        elif asked.status in {404, 410}:
            problem, saw = "jwks_not_found", f"there is no key set at this address: {url} {asked.how}"
        else:
            problem, saw = "jwks_unreachable", f"the key set cannot be fetched: {url} {asked.how}"
        self._wrong("jwks_url", problem, saw, self._update("--jwks-url", "jwks_uri", "key set"), asked)

    def _judge_authorization(self, asked: _Asked) -> None:
        url = self.registration.authorization_endpoint
        # Asked without a person behind it, it may refuse, redirect or show a page: any of these says that it is there.
        if asked.status and asked.status < 500 and asked.status not in {404, 405, 410}:
            self._right("auth_url", f"answers ({asked.status})", asked)
            return
        saw = f"logins cannot go on: {url} {asked.how}"
        mend = self._update("--auth-url", "authorization_endpoint", "authorization (OIDC) endpoint")
        self._wrong("auth_url", "auth_url_dead", saw, mend, asked)

    def _judge_our_keys(self, asked: _Asked, kid: str) -> bool:
        """Whether a platform that asks for our key set finds the key that we sign with."""
        if asked.status != 200:
            saw = f"our own key set cannot be fetched from here: {self._our_keys} {asked.how}"
            self._wrong("tool_keyset_url", "keyset_unreachable", saw, f"lti doctor {self.stack.options}", asked)
            return False
        kids = list(platform_keys(asked.document))
        if kid and kid not in kids:
            saw = "our own key set does not have the key that signs"
            self._wrong("tool_keyset_url", "key_not_published", saw, f"lti doctor {self.stack.options}", asked)
            return False
        self._right("tool_keyset_url", f"ours, with {len(kids)} {'key' if len(kids) == 1 else 'keys'}", asked)
        return True

    # --- The token endpoint -------------------------------------------------------------------------------------

    def _judge_token(self, asked: _Asked, ahead: timedelta | None, *, keys_known: bool) -> bool:
        """Whether it is the clock that made the platform refuse."""
        wanted = self._scopes()
        if asked.is_token:
            granted = asked.document.get("scope")
            lacking = [scope for scope in wanted if isinstance(granted, str) and scope not in granted.split()]
            self._judge_scopes(asked, lacking)
            return False
        if asked.lacks_scope:
            alone = together({scope: self._trial(scopes=(scope,)) for scope in wanted}, self._left())
            lacking = [scope for scope in wanted if scope not in alone or not alone[scope].is_token]
            self._judge_scopes(asked, lacking or list(wanted))
            return False
        if asked.answer is None or asked.status == 429:
            self._token_dead(asked)
            return False
        return self._judge_refusal(asked, ahead, keys_known=keys_known)

    def _judge_refusal(self, asked: _Asked, ahead: timedelta | None, *, keys_known: bool) -> bool:
        """Find out by trying what the platform does not take: the clock, the audience, or else the key."""
        trials: dict[str, Callable[[], _Asked]] = {
            audience: self._trial(replace(self.registration, token_audience=audience)) for audience in self._audiences()
        }
        if ahead is not None and abs(ahead) > _NOTABLE:
            trials["clock"] = self._trial(clock=ahead)
        trials["control"] = lambda: self._post({"grant_type": "client_credentials"})
        came = together(trials, self._left())
        control = came.pop("control", None)
        taken = [name for name, trial in came.items() if trial.is_token or trial.lacks_scope]
        if "clock" in taken:
            self._right("token_url", "a token was granted, once the clocks agreed", asked)
            return True
        if taken:
            saw = f"the platform wants another audience in our assertions: it takes {taken[0]}"
            mend = self._command("--token-audience", taken[0])
            self._wrong("token_audience", "wrong_audience", saw, mend, asked)
        elif not asked.is_refusal and (control is None or not control.is_refusal):
            self._token_dead(asked)
        elif re.search(r"\baud\b|audience", asked.refusal):
            saw = f"the platform wants another audience in our assertions: {asked.refusal!r}"
            mend = "Look for the audience on the platform's page, then " + self._command("--token-audience", "AUDIENCE")
            self._wrong("token_audience", "wrong_audience", saw, mend, asked)
        elif self._unknown_client(asked):
            saw = f"the token endpoint does not know the client id {self.registration.client_id!r}: {asked.refusal!r}"
            mend = "See that the client id is this tool's, and that the tool is switched on in the platform."
            self._wrong("client_id", "client_unknown", saw, mend, asked)
        else:
            said = f": {asked.refusal!r}" if asked.refusal else ""
            saw = f"the token endpoint refuses our key{said}"
            mend = _OUR_KEYS.get(self.registration.family, _OUR_KEYS_ANYWHERE).format(url=self._our_keys)
            if not keys_known:
                mend = f"Mend our own key set first. {mend}"
            if asked.document.get("error") == "invalid_client" and not self._says_invalid_client_of_unknown_ones:
                mend = f"{mend} See also that the client id {self.registration.client_id!r} is this tool's."
            self._wrong("tool_keyset_url", "key_refused", saw, mend, asked)
        return False

    def _judge_scopes(self, asked: _Asked, lacking: list[str]) -> None:
        wanted = self._scopes()
        if not lacking:
            self._right("token_url", f"a token for {len(wanted)} of {len(wanted)} scopes", asked)
            return
        effects = "; ".join(f"{scope} is not granted, so {_SCOPES.get(scope, _UNNAMED)[0]}" for scope in lacking)
        labels = ", ".join(f'"{_SCOPES[scope][1]}"' for scope in lacking if scope in _SCOPES)
        mend = _GRANT.get(self.registration.family, _GRANT_ANYWHERE).format(labels=labels)
        self._wrong("scopes", "scope_refused", effects, mend, asked)

    def _token_dead(self, asked: _Asked) -> None:
        saw = f"no token can be bought: {self.registration.token_endpoint} {asked.how}"
        mend = self._update("--token-url", "token_endpoint", "access token")
        self._wrong("token_url", "token_url_dead", saw, mend, asked)

    def _unknown_client(self, asked: _Asked) -> bool:
        return self._says_invalid_client_of_unknown_ones and asked.document.get("error") == "invalid_client"

    @property
    def _says_invalid_client_of_unknown_ones(self) -> bool:
        """Only these two say it for this and for nothing else; others say it of a key or an audience, too."""
        return self.registration.family in {PlatformFamily.CANVAS, PlatformFamily.MOODLE}

    def _audiences(self) -> list[str]:
        """What platforms are known to want, but for what is said already."""
        registration = self.registration
        preset = _preset(registration)
        likely = [
            registration.token_endpoint,
            registration.issuer,
            f"{registration.issuer}/",
            preset.token_audience if preset else None,
            "{0.scheme}://{0.netloc}".format(urlsplit(registration.token_endpoint)),
        ]
        said = registration.token_audience or registration.token_endpoint
        return [audience for audience in dict.fromkeys(likely) if audience and audience != said]

    # --- Clocks and deployments ---------------------------------------------------------------------------------

    def _judge_clock(self, ahead: timedelta | None, refused_for_it: bool) -> None:
        if ahead is None:
            return
        seconds = round(ahead.total_seconds())
        side = "ahead of" if seconds > 0 else "behind"
        if not refused_for_it and abs(ahead) <= CLOCKS_MAY_DIFFER:
            self._right("clock", "agrees with ours")
            return
        refusal = ", and it refuses our assertions for it" if refused_for_it else ""
        saw = f"the platform's clock is {abs(seconds)} s {side} the one here{refusal}"
        mend = "Compare both with `date -u`, and let the machine that is wrong keep time by NTP."
        self._wrong("clock", "clock_skew", saw, mend)

    def _refused_deployments(self) -> Mapping[str, str]:
        """Deployments whose launches were refused in the last days, each with a support id. Platforms list none."""
        found: dict[str, str] = {}
        for trace in wiring.traces().refused_with("unknown_deployment"):
            facts = dict(trace.steps)
            if facts.get("registration_found", {}).get("registration") == self.registration.reference:
                found[facts.get("message_understood", {}).get("deployment_id", "")] = trace.support_id
        return found

    def _judge_deployments(self, refused: Mapping[str, str] | None) -> None:
        registration = self.registration
        before = len(self.found)
        if not registration.enabled:
            mend = f"lti platform enable {registration.reference} {self.stack.options}"
            self._wrong("enabled", "registration_disabled", "the registration is disabled: no launch is served", mend)
        waiting = [name for name, status in registration.deployments.items() if status is DeploymentStatus.PENDING]
        for name in waiting:
            saw = f"deployment {name!r} waits for your approval"
            self._wrong("deployments", "deployment_pending", saw, self._approve(name))
        listed = {name[:200] for name in registration.deployments}  # as traces show them
        unknown = [name for name in refused or {} if name and name not in listed]
        for name in unknown:
            story = (refused or {})[name]
            saw = f"launches from deployment {_plain(name)!r} were refused as unknown (support id {story})"
            self._wrong("deployments", "unknown_deployment", saw, self._approve(_plain(name)))
        served = sum(status is DeploymentStatus.ENABLED for status in registration.deployments.values())
        closed = registration.deployment_policy is DeploymentPolicy.CLOSED
        if closed and not served and not waiting and not unknown:
            saw = "no deployment is served, and the policy is closed: every launch is refused"
            self._wrong("deployments", "no_deployment", saw, self._approve("DEPLOYMENT_ID"))
        if len(self.found) == before:
            policy = registration.deployment_policy.value
            self._right("deployments", f"{served} served, policy {policy}; others are seen when they launch")

    def _approve(self, deployment_id: str) -> str:
        return f"lti deployment approve {self.registration.reference} {shlex.quote(deployment_id)} {self.stack.options}"

    def _left(self) -> float:
        return self._until - time.monotonic()

    # --- Requests -----------------------------------------------------------------------------------------------

    @property
    def _our_keys(self) -> str:
        return f"{self.stack.tool_url}/lti/jwks.json"

    def _scopes(self) -> tuple[str, ...]:
        return wiring.offer().scopes

    def _authentication_request(self) -> str:
        """Nobody's login: the platform has nobody to answer for, and there is no browser that it could lead on."""
        question = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": self.registration.client_id,
            "redirect_uri": f"{self.stack.tool_url}/lti/launch",
            "login_hint": "check",
            "lti_message_hint": "check",
            "state": secrets.token_urlsafe(16),
            "nonce": secrets.token_urlsafe(16),
        }
        url = self.registration.authorization_endpoint
        return f"{url}{'&' if '?' in url else '?'}{urlencode(question)}"

    def _get(self, url: str) -> _Asked:
        return _timed(lambda: self._http.get(url, headers={"Accept": "application/json, */*"}, what="check"))

    def _post(self, form: dict[str, str]) -> _Asked:
        url, headers = self.registration.token_endpoint, {"Accept": "application/json"}
        return _timed(lambda: self._http.post(url, data=form, headers=headers, what="check"))

    def _token(self, registration: Registration, scopes: tuple[str, ...], clock: timedelta = timedelta()) -> _Asked:
        """Bought for this check alone: nothing of it is kept."""
        try:
            signer = wiring.signer()
            kid = signer.kids_for(registration.reference)[0] if registration.pushes_public_key_to else None
            form = token_request(registration, scopes, signer, wiring.now() + clock, kid)
        except ToolError as error:
            return _Asked(why=f"was not asked: we cannot sign ({error.code})")
        return replace(self._post(form), kid=_kid(form["client_assertion"]))

    def _trial(
        self,
        registration: Registration | None = None,
        scopes: tuple[str, ...] | None = None,
        clock: timedelta = timedelta(),
    ) -> Callable[[], _Asked]:
        return lambda: self._token(registration or self.registration, scopes or self._scopes(), clock)

    # --- What is said -------------------------------------------------------------------------------------------

    def _right(self, where: str, saw: str, asked: _Asked | None = None) -> None:
        self.steps.append(Step(field=where, right=True, saw=saw, milliseconds=asked.milliseconds if asked else None))

    def _wrong(self, where: str, problem: str, saw: str, mend: str, asked: _Asked | None = None) -> None:
        self.steps.append(
            Step(field=where, right=False, saw=problem, milliseconds=asked.milliseconds if asked else None)
        )
        self.found.append(Finding(field=where, problem=problem, sentence=f"{saw}.", mend=mend))

    def _update(self, option: str, name: str, said: str) -> str:
        """The command that corrects an address: with the value that the preset knows, when it is another."""
        preset = _preset(self.registration)
        usual = getattr(preset, name) if preset else None
        if usual and usual != getattr(self.registration, name):
            return self._command(option, usual)
        return f"Compare the {said} URL with the platform's page; {self._command(option, 'URL')}"

    def _command(self, option: str, value: str) -> str:
        return f"lti platform update {self.registration.reference} {option} {shlex.quote(value)} {self.stack.options}"


_UNNAMED = ("what needs it does not work", "")


def _preset(registration: Registration) -> presets.Endpoints | None:
    """What a platform of this family usually answers at, where the issuer says it all."""
    match registration.family:
        case PlatformFamily.CANVAS:
            known = map(presets.canvas, presets.CANVAS_ENVIRONMENTS)
            return next((found for found in known if found.issuer == registration.issuer), None)
        case PlatformFamily.MOODLE:
            return presets.moodle(registration.issuer)
        case PlatformFamily.BLACKBOARD:
            return presets.blackboard(registration.client_id)
        case PlatformFamily.BRIGHTSPACE:
            return presets.brightspace(registration.issuer)
    return None


def _timed(send: Callable[[], Answer]) -> _Asked:
    began, before = time.monotonic(), wiring.now()
    try:
        answer = send()
    except ForbiddenAddressError:
        return _Asked(why="is no address that the tool may call")
    except PlatformUnavailableError as error:
        return _Asked(why=_why(error.__cause__), milliseconds=_since(began))
    middle = before + (wiring.now() - before) / 2
    return _Asked(answer=answer, milliseconds=_since(began), ahead=_ahead(answer, middle))


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _why(cause: BaseException | None) -> str:
    if isinstance(cause, requests.exceptions.SSLError):
        return "has no certificate that can be trusted"
    if isinstance(cause, NewConnectionError):
        if isinstance(cause.__cause__, TimeoutError):
            return "did not answer in time"
        return "has a name that is not known" if "name not found" in str(cause) else "refused the connection"
    late = isinstance(cause, (requests.exceptions.Timeout, HTTPTimeoutError)) or str(cause) == "too large or too slow"
    return "did not answer in time" if late else "broke the connection off"


def _ahead(answer: Answer, here: datetime) -> timedelta | None:
    """The platform's clock compared with ours, from the header; a cache adds how old its answer is."""
    try:
        there = parsedate_to_datetime(answer.headers["Date"])
        age = int(answer.headers.get("Age", "0"))
    except (KeyError, ValueError):
        return None
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    return there + timedelta(seconds=age) - here


def _kid(token: str) -> str:
    header = token.split(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])


def _plain(text: str) -> str:
    """Words from outside, for a terminal: one short line, nothing to obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:200].strip()


def examined(stack: Stack, registration: Registration, within: float = WITHIN_SECONDS) -> Examination:
    examination = Examination(stack, registration, within)
    examination.run()
    return examination
