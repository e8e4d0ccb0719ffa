"""One execution environment of a function: a child process under Lambda's own runtime client, and its Runtime API."""

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, cast

from local.cloud import bare_environment
from local.logs import Logs
from local.template import ACCOUNT, Function

API = "/2018-06-01/runtime"
INIT_SECONDS = 30


class Outcome(Enum):
    """How an invocation ended."""

    ANSWERED = "answered"
    FAILED = "failed"  # the handler raised
    CRASHED = "crashed"  # the process ended, or never got ready
    TIMED_OUT = "timed out"
    NOT_TAKEN = "not taken"  # the process was gone before it saw the event


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What became of an invocation; `payload` is the result or the error, JSON as the function wrote it."""

    outcome: Outcome
    payload: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """What runs the runtime client: this process's own Python and packages, or others.

    `packages` are found behind those of the layers, as what Lambda's runtime brings is.
    """

    command: tuple[str, ...] = (sys.executable,)
    packages: tuple[Path, ...] = ()


OURS = Interpreter()


class _Invocation:
    def __init__(self, event: bytes, timeout_seconds: float) -> None:
        self.request_id = str(uuid.uuid4())
        self.event = event
        self.timeout_seconds = timeout_seconds
        self.taken = False
        self.answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()


class Child:
    """A process that takes one event at a time.

    `on_ready` is called when it asks for its first event, `on_exit` once when it has ended, from whatever thread
    noticed.
    """

    def __init__(
        self,
        function: Function,
        *,
        environment: Mapping[str, str],
        process_group: int,
        logs: Logs,
        on_ready: Callable[["Child"], None],
        on_exit: Callable[["Child"], None],
        interpreter: Interpreter = OURS,
    ) -> None:
        self.function = function
        self.region = environment["AWS_REGION"]
        self.is_ready = False
        self._logs = logs
        self._on_ready, self._on_exit = on_ready, on_exit
        self._waiting: queue.SimpleQueue[_Invocation | None] = queue.SimpleQueue()
        self._current: _Invocation | None = None
        self._ended = threading.Event()
        self._api = _RuntimeApi(self)
        self._process = subprocess.Popen(
            [*interpreter.command, "-m", "awslambdaric", function.handler],
            cwd=function.code,
            env={**_environment(function, self._api.server_port, interpreter), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=process_group,
        )
        self._log = logs.follow(function.word, cast(IO[bytes], self._process.stdout))
        threading.Thread(target=self._api.serve_forever, name=f"runtime API of {function.word}", daemon=True).start()
        threading.Thread(target=self._watch, name=f"watch on {function.word}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def invoke(self, event: bytes) -> Answer:
        """Hand over one event and wait for its end. The child is dead after a crash or a time-out."""
        invocation = _Invocation(event, self.function.timeout_seconds)
        self._current = invocation
        self._waiting.put(invocation)
        if self._ended.is_set():
            self._give_up(invocation)
        try:
            return invocation.answers.get(timeout=invocation.timeout_seconds)
        except queue.Empty:
            self._logs.say(self.function.word, "ERROR", f"timed out after {invocation.timeout_seconds:g} seconds")
            self.kill()
            return Answer(outcome=Outcome.TIMED_OUT)
        finally:
            self._current = None

    def kill(self) -> None:
        self._process.kill()

    def next_invocation(self) -> _Invocation | None:
        """For the Runtime API: wait for an event; None when the child is no more."""
        if not self.is_ready:
            self.is_ready = True
            self._on_ready(self)
        invocation = self._waiting.get()
        if invocation:
            invocation.taken = True
        return invocation

    def answer(self, request_id: str, answer: Answer) -> bool:
        """For the Runtime API: the end of an invocation; False when it is not the current one."""
        invocation = self._current
        if invocation is None or invocation.request_id != request_id:
            return False
        invocation.answers.put(answer)
        return True

    def _watch(self) -> None:
        try:
            status = self._process.wait(INIT_SECONDS)
        except subprocess.TimeoutExpired:
            if not self.is_ready:
                self._logs.say(self.function.word, "ERROR", f"was not ready after {INIT_SECONDS} seconds")
                self.kill()
            status = self._process.wait()
        self._ended.set()
        self._waiting.put(None)
        if invocation := self._current:
            if invocation.taken:
                self._log.join(timeout=1)  # what it said last comes before that it ended
                self._logs.say(self.function.word, "ERROR", f"ended with status {status} while invoked")
            self._give_up(invocation)
        self._on_exit(self)
        self._api.shutdown()
        self._api.server_close()

    def _give_up(self, invocation: _Invocation) -> None:
        invocation.answers.put(Answer(outcome=Outcome.CRASHED if invocation.taken else Outcome.NOT_TAKEN))


def _environment(function: Function, port: int, interpreter: Interpreter) -> dict[str, str]:
    """What the template says and what Lambda adds."""
    return {
        **bare_environment(),
        **function.environment,
        **({"AWS_LAMBDA_LOG_FORMAT": "JSON"} if function.json_logs else {}),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": function.logical_id,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.logical_id}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "LAMBDA_TASK_ROOT": str(function.code),
        "LANG": "en_US.UTF-8",
        "PYTHONPATH": os.pathsep.join(map(str, (*function.layers, *interpreter.packages))),
        "TZ": ":UTC",
        "_HANDLER": function.handler,
    }


class _RuntimeApi(ThreadingHTTPServer):
    """https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, for one child."""

    daemon_threads = True

    def __init__(self, child: Child) -> None:
        self.child = child
        super().__init__(("127.0.0.1", 0), _RuntimeApiHandler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A killed child leaves its connections open; there is nobody to tell."""


class _RuntimeApiHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _RuntimeApi

    def do_GET(self) -> None:
        if self.path != f"{API}/invocation/next":
            return self._reply(404)
        invocation = self.server.child.next_invocation()
        if invocation is None:
            self.close_connection = True
            return None
        now = time.time()
        return self._reply(
            200,
            invocation.event,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(int((now + invocation.timeout_seconds) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": (
                    f"arn:aws:lambda:{self.server.child.region}:{ACCOUNT}:function:{self.server.child.function.logical_id}"
                ),
                "Lambda-Runtime-Trace-Id": f"Root=1-{int(now):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
            },
        )

    def do_POST(self) -> None:
        body = self._body()
        match self.path.removeprefix(f"{API}/").split("/"):
            case ["invocation", request_id, "response"]:
                known = self.server.child.answer(request_id, Answer(outcome=Outcome.ANSWERED, payload=body))
            case ["invocation", request_id, "error"]:
                known = self.server.child.answer(request_id, Answer(outcome=Outcome.FAILED, payload=body))
            case ["init", "error"]:
                known = True  # logged by the runtime itself; the process ends next
            case _:
                return self._reply(404)
        return self._reply(202 if known else 400, b'{"status":"OK"}' if known else b"{}")

    def _body(self) -> bytes:
        if length := self.headers.get("Content-Length"):
            return self.rfile.read(int(length))
        chunks = []
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
        return b"".join(chunks)

    def _reply(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

    def log_message(self, *_: object) -> None: ...
