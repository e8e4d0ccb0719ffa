"""`make chaos`: many scores for three platforms that misbehave for a while, and what became of every one.

The tool's own use case and adapters, moto's tables, HTTP to three platforms on loopback. Several senders
work at the queue, each as a function process does: with its own memory, ten messages of a batch at the same time. Time
runs `SPEED` times as fast for all of them alike, Retry-After included, so that minutes of waiting are seconds.

What goes wrong: one platform answers 429 with Retry-After for a while, and 401 once to a token that was good; one
answers 500, not at all, or hangs up; one is down until half of the marks are there. Messages come twice and out of
order, older scores after newer ones; DynamoDB is throttled now and then; ten senders die between two calls.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
import socket
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

import boto3

from lti_tool.adapters.access_tokens import AccessTokens
from lti_tool.adapters.gradebook import PlatformGradebook
from lti_tool.adapters.kms import KmsSigner
from lti_tool.adapters.launches_table import PlatformCache
from lti_tool.adapters.platform_gates import GateRules, PlatformGates
from lti_tool.adapters.platform_http import PlatformHttp
from lti_tool.adapters.records_table import RecordsTable
from lti_tool.adapters.registrations_table import RegistrationsTable
from lti_tool.adapters.sqs import ScoresQueue
from lti_tool.domain.errors import StoreUnavailableError
from lti_tool.domain.registration import DeploymentPolicy, DeploymentStatus, Registration
from lti_tool.domain.score import ScoreKey, ScoreMessage, parse_score_body
from lti_tool.use_cases.gradesync import GradeSync, Sweep
from tests.support.stack import REGION, Stack, standing

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

SPEED = 10
SENDERS = 4
BATCH = 10
DEATHS = 10
LEASE = timedelta(minutes=1)  # six seconds of ours: longer than a try takes on a machine that does all of this at once
VISIBLE_AGAIN_SECONDS = 6  # of ours
ANSWER_WITHIN_SECONDS = 0.7  # of ours
TOKEN_LIVES = 3600
PATIENCE = timedelta(minutes=30)  # of ours, on a machine that is busy with other things


class Clock:
    """Runs fast."""

    def __init__(self) -> None:
        self._began, self._start = datetime.now(UTC), time.monotonic()

    def __call__(self) -> datetime:
        return self._began + timedelta(seconds=(time.monotonic() - self._start) * SPEED)


# --- Platforms ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Platform:
    """A token and a score service, and their bad days. A mark is replaced by a newer one only."""

    name: str
    clock: Clock
    trouble: Callable[[Platform, int], str]
    port: int = 0
    marks: dict[str, tuple[str, float]] = field(default_factory=dict)
    posts: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    tokens: list[datetime] = field(default_factory=list)
    good_tokens: set[str] = field(default_factory=set)
    revoked: int = 0
    early: int = 0
    uninvited: int = 0
    most_uninvited: int = 0
    not_before: dict[str, datetime] = field(default_factory=dict)
    closed_until: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def registration(self) -> Registration:
        return Registration(
            issuer=f"https://{self.name}.example",
            client_id="chaos",
            authorization_endpoint=f"{self.url}/auth",
            token_endpoint=f"{self.url}/token",
            jwks_uri=f"{self.url}/jwks",
            deployment_policy=DeploymentPolicy.CLOSED,
            deployments={"1": DeploymentStatus.ENABLED},
        )

    def token(self) -> dict[str, Any]:
        with self.lock:
            self.tokens.append(self.clock())
            token = f"{self.name}-{len(self.tokens)}"
            self.good_tokens.add(token)
        return {"access_token": token, "token_type": "bearer", "expires_in": TOKEN_LIVES}

    def takes(self, bearer: str, score: dict[str, Any]) -> tuple[str, int]:
        """What it does with a score, in the words of `STATUS` or "hangs" or "hangs up", and for how many seconds."""
        with self.lock:
            self.posts += 1
            user, now = score["userId"], self.clock()
            self.early += now < self.not_before.get(user, now)
            if self.closed_until is not None and now < self.closed_until:
                self.uninvited += 1
                self.most_uninvited = max(self.most_uninvited, self.uninvited)
            else:
                self.uninvited, self.closed_until = 0, None
            what = self.trouble(self, self.posts) if bearer in self.good_tokens else "refuses"
            seconds = 0
            if what == "limits":
                seconds = 5 + self.posts % 20
                self.not_before[user] = self.closed_until = now + timedelta(seconds=seconds)
            elif what == "revokes":
                self.good_tokens.clear()
                self.revoked += 1
            elif what == "takes":
                self.marks[user] = max(self.marks.get(user, ("", 0.0)), (score["timestamp"], score["scoreGiven"]))
            self.answers[what] += 1
            return what, seconds


STATUS = {"takes": 200, "limits": 429, "fails": 500, "revokes": 401, "refuses": 401, "is down": 503}


@contextmanager
def serving(platform: Platform) -> Iterator[None]:
    class Service(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path == "/token":
                return self._say(200, platform.token())
            bearer = self.headers["Authorization"].removeprefix("Bearer ")
            what, seconds = platform.takes(bearer, json.loads(body))
            if what == "hangs":
                time.sleep(ANSWER_WITHIN_SECONDS * 1.5)
            if what in {"hangs", "hangs up"}:
                self.close_connection = True
                with suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
                return None
            return self._say(STATUS[what], {}, {"Retry-After": str(seconds)} if what == "limits" else {})

        def _say(self, status: int, document: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    platform.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# --- Senders --------------------------------------------------------------------------------------------------------


class Died(BaseException):
    """A sender is gone."""


class Life:
    """Of one function process: it may end before any of its calls, and then nothing of it runs any more."""

    def __init__(self, lottery: random.Random, throttled_once_in: int) -> None:
        self.doomed = False
        self.ended = False
        self._lottery = lottery
        self._throttled_once_in = throttled_once_in

    def lived(self, real: Any, *, store: bool = False) -> Any:
        return _Lived(real, self, store)

    def go_on(self, store: bool) -> None:
        if self.doomed and self._lottery.random() < 0.2:
            self.ended = True
        if self.ended:
            raise Died
        if store and self._lottery.randrange(self._throttled_once_in) == 0:
            raise StoreUnavailableError("ProvisionedThroughputExceededException")


class _Lived:
    def __init__(self, real: Any, life: Life, store: bool) -> None:
        self._real, self._life, self._store = real, life, store

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)

        def call(*arguments: Any, **named: Any) -> Any:
            self._life.go_on(self._store)
            return found(*arguments, **named)

        return call


class Messages:
    """SQS's client for one standard queue: at least once, after the delay, in any order.

    moto's own queue looks at all of its messages for every request, and was not made for threads.
    """

    def __init__(self, lottery: random.Random) -> None:
        self._lottery = lottery
        self._lock = threading.Lock()
        self._bodies: dict[int, str] = {}
        self._visible: list[tuple[float, int]] = []  # when, which
        self._ids = itertools.count()

    def send_message(self, *, MessageBody: str, DelaySeconds: int = 0, **_: Any) -> None:  # noqa: N803 - SQS's names
        with self._lock:
            number = next(self._ids)
            self._bodies[number] = MessageBody
            self._show(number, DelaySeconds)

    def send_message_batch(self, *, Entries: Sequence[Any], **_: Any) -> Any:  # noqa: N803
        for entry in Entries:
            self.send_message(MessageBody=entry["MessageBody"])
        return {"Successful": Entries}

    def receive(self) -> list[tuple[int, str]]:
        with self._lock:
            found: list[tuple[int, str]] = []
            while self._visible and self._visible[0][0] <= time.monotonic() and len(found) < BATCH:
                _, number = heapq.heappop(self._visible)
                if number in self._bodies:
                    found.append((number, self._bodies[number]))
            for number, _ in found:
                self._show(number, VISIBLE_AGAIN_SECONDS)
            return found

    def delete(self, number: int) -> None:
        with self._lock:
            self._bodies.pop(number, None)

    def _show(self, number: int, after_seconds: float) -> None:
        when = time.monotonic() + after_seconds + self._lottery.random() / 2
        heapq.heappush(self._visible, (when, number))


class FastQueue(ScoresQueue):
    """Its delays are as short as the clock is fast, and never too short."""

    def nudge(self, key: ScoreKey, *, after_seconds: int = 0) -> None:
        super().nudge(key, after_seconds=-(-after_seconds // SPEED))


class Chaos:
    def __init__(self, stack: Stack, count: int, seed: int = 5) -> None:
        self.stack, self.count, self.clock = stack, count, Clock()
        self.lottery = random.Random(seed)  # noqa: S311 - repeatable
        self.platforms = [Platform(name, self.clock, self._trouble(name)) for name in ("busy", "shaky", "down")]
        self.signer = KmsSigner(boto3.client("kms", REGION), stack.environment["SIGNING_KEY_ID"])
        self.messages = Messages(self.lottery)
        self.queue = FastQueue(cast("SQSClient", self.messages), "https://sqs.example/scores")
        self.outcomes: Counter[str] = Counter()
        self.expected: dict[str, dict[str, float]] = defaultdict(dict)
        self.deaths_left = DEATHS
        self.handled = self.twice = 0
        self.finished = threading.Event()
        self.lock = threading.Lock()

    def _trouble(self, name: str) -> Callable[[Platform, int], str]:
        bad = max(20, self.count // 6)  # how many of its posts its bad days last

        def busy(platform: Platform, post: int) -> str:
            if post == bad // 2 and not platform.revoked:
                return "revokes"
            return "limits" if post < bad and post % 25 == 9 else "takes"

        def shaky(_: Platform, post: int) -> str:
            if post >= bad:
                return "takes"
            return {1: "fails", 4: "hangs up", 7: "fails"}.get(post % 10, "hangs" if post % 20 == 8 else "takes")

        def down(_: Platform, __: int) -> str:
            through = sum(len(platform.marks) for platform in self.platforms)
            return "takes" if through >= len(self.learners) // 2 else "is down"

        return {"busy": busy, "shaky": shaky, "down": down}[name]

    @property
    def learners(self) -> list[tuple[str, str]]:
        return [(platform, user) for platform, users in self.expected.items() for user in users]

    # --- What is sent ---------------------------------------------------------------------------------------------

    def give_marks(self) -> None:
        """Two or so for each learner, in any order; half of them as whole messages, half from inside."""
        start = self.clock() - timedelta(hours=6)
        registrations = RegistrationsTable(self.stack.dynamodb, "RegistrationsTable")
        for platform in self.platforms:
            registrations.add(platform.registration())
        scores = []
        for number in range(self.count):
            platform = self.platforms[number % 3]
            user = f"user-{self.lottery.randrange(max(1, self.count // 6))}"
            self.expected[platform.name][user] = number
            scores.append((platform, user, number, start + timedelta(seconds=number)))
        self.lottery.shuffle(scores)
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda score: self._give(*score), scores))

    def _give(self, platform: Platform, user: str, points: int, when: datetime) -> None:
        text = json.dumps(
            {
                "issuer": f"https://{platform.name}.example",
                "client_id": "chaos",
                "deployment_id": "1",
                "line_item": f"{platform.url}/lineitems/1",
                "user_id": user,
                "score_given": points,
                "score_maximum": self.count,
                "activity_progress": "Completed",
                "grading_progress": "FullyGraded",
                "timestamp": when.isoformat(),
            }
        )
        if points % 2:
            self.messages.send_message(MessageBody=text)
            return
        message = parse_score_body(text)
        assert isinstance(message, ScoreMessage)  # noqa: S101
        score = message.score(platform.registration().reference)
        RecordsTable(self.stack.dynamodb, "RecordsTable", self.clock).put(score)
        if points % 10:  # one in five nudges is lost
            self.queue.nudge(score.key)

    # --- Who sends it ---------------------------------------------------------------------------------------------

    def process(self) -> tuple[Life, GradeSync, PlatformHttp]:
        life = Life(self.lottery, 300)
        dynamodb = self.stack.dynamodb
        cache = PlatformCache(dynamodb, "LaunchesTable", self.clock)
        gates = PlatformGates(cache, self.clock, GateRules(believed_seconds=1 / SPEED))
        http = PlatformHttp(loopback_http=True, longest_seconds=ANSWER_WITHIN_SECONDS, gates=gates, clock=self.clock)
        tokens = AccessTokens(http, self.signer, cache, self.clock)
        sync = GradeSync(
            registrations=RegistrationsTable(dynamodb, "RegistrationsTable"),
            outbox=life.lived(RecordsTable(dynamodb, "RecordsTable", self.clock), store=True),
            gradebook=life.lived(PlatformGradebook(http, tokens, self.clock)),
            columns=life.lived(RecordsTable(dynamodb, "RecordsTable", self.clock), store=True),
            gates=gates,
            nudges=life.lived(self.queue),
            clock=self.clock,
            lease=LEASE,
        )
        return life, sync, http

    def send(self) -> None:
        """One sender after another, at the same place: a batch, its ten messages at once, what was done is deleted."""
        while not self.finished.is_set():
            life, sync, _ = self.process()
            with ThreadPoolExecutor(BATCH) as threads:
                while not life.ended and not self.finished.is_set():
                    batch = self._receive()
                    with self.lock:
                        if batch and self.deaths_left and self.handled > (DEATHS - self.deaths_left) * self.count / 12:
                            self.deaths_left -= 1
                            life.doomed = True
                    done = list(threads.map(lambda message, sync=sync: self._handle(sync, message), batch))
                    if not life.ended:
                        for number, _ in itertools.compress(batch, done):
                            self.messages.delete(number)

    def _receive(self) -> list[tuple[int, str]]:
        found = self.messages.receive()
        if not found:
            time.sleep(0.05)
        elif self.lottery.random() < 0.1:
            found.append(self.lottery.choice(found))  # twice, at the same time
            self.twice += 1
        self.lottery.shuffle(found)
        return found

    def _handle(self, sync: GradeSync, message: tuple[int, str]) -> bool:
        try:
            outcome = sync.handle(parse_score_body(message[1]))
        except Died:
            outcome = "died"
        except StoreUnavailableError:
            outcome = "throttled"
        with self.lock:
            self.handled += 1
            self.outcomes[outcome] += 1
        return outcome not in {"died", "throttled"}

    def sweep(self) -> None:
        outbox = RecordsTable(self.stack.dynamodb, "RecordsTable", self.clock)
        every = 300 if self.count > 1000 else 60  # what the queue holds for longer than a minute, each finds again
        while not self.finished.wait(every / SPEED):
            self.outcomes["swept"] += Sweep(outbox=outbox, nudges=self.queue, clock=self.clock).run()

    # --- What became of it ----------------------------------------------------------------------------------------

    def run(self, patience: timedelta = PATIENCE) -> Findings:
        with ExitStack() as services:
            for platform in self.platforms:
                services.enter_context(serving(platform))
            began = time.monotonic()
            self.give_marks()
            given = time.monotonic()
            workers = [threading.Thread(target=self.send, daemon=True) for _ in range(SENDERS)]
            workers.append(threading.Thread(target=self.sweep, daemon=True))
            for worker in workers:
                worker.start()
            while not self._is_done() and time.monotonic() - given < patience.total_seconds():
                time.sleep(0.5)
            sent = time.monotonic()
            self.finished.set()
            for worker in workers:
                worker.join()
        return self._findings(given - began, sent - given)

    def _is_done(self) -> bool:
        right = sum(self._wrong(platform) == 0 for platform in self.platforms)
        if right < len(self.platforms) or self.deaths_left:
            return False
        return not any(RecordsTable(self.stack.dynamodb, "RecordsTable", self.clock).all_waiting())

    def _wrong(self, platform: Platform) -> int:
        """Learners whose mark is not their newest."""
        expected = self.expected[platform.name]
        return sum(platform.marks.get(user, ("", -1))[1] != points for user, points in expected.items())

    def _findings(self, giving: float, sending: float) -> Findings:
        waiting = RecordsTable(self.stack.dynamodb, "RecordsTable", self.clock).all_waiting()
        return Findings(
            scores=self.count,
            learners=len(self.learners),
            lost=sum(map(self._wrong, self.platforms)),
            waiting=sum(1 for _ in waiting),
            early=sum(platform.early for platform in self.platforms),
            most_uninvited=max(platform.most_uninvited for platform in self.platforms),
            needless_tokens=sum(map(_needless_tokens, self.platforms)),
            tokens={platform.name: len(platform.tokens) for platform in self.platforms},
            revoked=sum(platform.revoked for platform in self.platforms),
            answers={platform.name: dict(platform.answers) for platform in self.platforms},
            outcomes=dict(self.outcomes),
            deaths=DEATHS - self.deaths_left,
            twice=self.twice,
            giving_seconds=giving,
            sending_seconds=sending,
        )


def _needless_tokens(platform: Platform) -> int:
    """Token requests beyond one for each token's life, and one for each token that was revoked."""
    lives = 0
    if platform.tokens:
        lives = 1 + int((platform.tokens[-1] - platform.tokens[0]) / timedelta(seconds=0.9 * TOKEN_LIVES))
    return max(0, len(platform.tokens) - lives - platform.revoked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """`early`: sent before the Retry-After that this very score was answered. `most_uninvited`: of one platform's
    pauses, the most that came in all the same, having been on their way."""

    scores: int
    learners: int
    lost: int
    waiting: int
    early: int
    most_uninvited: int
    needless_tokens: int
    tokens: dict[str, int]
    revoked: int
    answers: dict[str, dict[str, int]]
    outcomes: dict[str, int]
    deaths: int
    twice: int
    giving_seconds: float
    sending_seconds: float

    @property
    def faults(self) -> Sequence[str]:
        """What should not have been; nothing, then."""
        found = {
            f"{self.lost} marks are not the newest": self.lost,
            f"{self.waiting} scores still wait": self.waiting,
            f"{self.early} were sent before their Retry-After": self.early,
            f"{self.most_uninvited} came within one pause": self.most_uninvited > SENDERS * 2 * GateRules().at_once,
            f"{self.needless_tokens} tokens too many were bought": self.needless_tokens,
            f"only {self.deaths} senders died": self.deaths < DEATHS,
        }
        return [sentence for sentence, is_so in found.items() if is_so]


def main() -> int:
    with standing() as stack:
        stack.begin_again()
        found = Chaos(stack, int(sys.argv[1]) if len(sys.argv) > 1 else 10_000).run()
    lines = [f"{name.replace('_', ' ')}: {getattr(found, name)}" for name in Findings.__slots__]
    verdict = "; ".join(found.faults) or "every mark in the gradebooks is the newest one, nothing lost, nobody pressed"
    sys.stdout.write("\n".join([*lines, "", verdict, ""]))
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
