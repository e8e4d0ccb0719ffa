"""A fresh process under Lambda's own runtime client, up to its first request and, when wanted, through it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
STARTS_WITHIN_SECONDS = 30
_NEEDED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What a process spent until it asked for its first request, or until it had answered the one that it got.

    `cpu_seconds` is user and system time of the whole process, its interpreter's start included. `peak_mib` is the
    most memory that it held, where the system tells (Linux).
    """

    cpu_seconds: float
    peak_mib: float | None
    answer: dict[str, Any] | None


def live(folder: Path, environment: Mapping[str, str], bytecode: Path, event: Mapping[str, Any] | None = None) -> Life:
    """Start `app.lambda_handler` of that folder as Lambda does, and end it when it is ready or has answered `event`.

    The runtime client asks a Runtime API for the first request when the handler's module is imported and prepared: that
    request is the moment of being ready. The process is then killed, so that its going costs nothing, and its CPU time
    is what the system counted. Compiled modules are in `bytecode`, those of the standard library too.
    """
    api = _RuntimeApi(event)
    process = subprocess.Popen(
        [sys.executable, "-m", "awslambdaric", "app.lambda_handler"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        env={
            **{name: os.environ[name] for name in _NEEDED if name in os.environ},
            "PYTHONPATH": os.pathsep.join((str(ROOT / "layers" / "shared"), str(ROOT))),
            "PYTHONPYCACHEPREFIX": str(bytecode),
            "LAMBDA_TASK_ROOT": str(folder),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_FUNCTION_NAME": folder.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            **environment,
        },
    )
    try:
        finished = api.finished.wait(STARTS_WITHIN_SECONDS)
        peak = _peak_mib(process.pid)
    finally:
        os.kill(process.pid, signal.SIGKILL)  # nobody has waited for it yet, so the number is still its own
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = -signal.SIGKILL
        api.stop()
    if not finished or api.failed:
        raise RuntimeError(f"{folder.name} did not get ready: {api.failed}")
    return Life(cpu_seconds=usage.ru_utime + usage.ru_stime, peak_mib=peak, answer=api.answer)


def _peak_mib(pid: int) -> float | None:
    """Not from `ru_maxrss`: a child's begins with what its parent held when it was made."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    except OSError:
        return None
    return int(found[1]) / 1024 if found else None


class _RuntimeApi(ThreadingHTTPServer):
    """Lambda's Runtime API, as much of it as one process needs that gets one request or none."""

    daemon_threads = True

    def __init__(self, event: Mapping[str, Any] | None) -> None:
        super().__init__(("127.0.0.1", 0), _Calls)
        self.event = event
        self.answer: dict[str, Any] | None = None
        self.failed = ""  # the error that the runtime client reported
        self.finished = threading.Event()
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Calls(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _RuntimeApi

    def do_GET(self) -> None:
        """`/runtime/invocation/next`."""
        if self.server.event is None or self.server.answer is not None:
            self.server.finished.set()
            self.server.ended.wait()
            return
        body = json.dumps(self.server.event).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Lambda-Runtime-Aws-Request-Id", "request-1")
        self.send_header("Lambda-Runtime-Deadline-Ms", "9999999999999")
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:bench")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """An answer, or an error of start or request."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith("/response"):
            self.server.answer = json.loads(body)
        else:
            self.server.failed = body.decode()
            self.server.finished.set()
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """The table is all there is to say."""
