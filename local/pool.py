"""The execution environments of one function: started when needed, one invocation at a time each, renewed on change."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from local.child import Answer, Child, Outcome
from local.logs import Logs
from local.template import Function

PATIENCE_SECONDS = 0.1  # a busy child may be free sooner than a new one is ready
LONGEST_WAIT_SECONDS = 30  # API Gateway's own limit

Start = Callable[[Function, Callable[[Child], None], Callable[[Child], None]], Child]


class Pool:
    """At most `limit` children of one function."""

    def __init__(self, function: Function, *, start: Start, limit: int, logs: Logs) -> None:
        self.function = function
        self._start, self._limit, self._logs = start, limit, logs
        self._changed = threading.Condition()
        self._starting: set[Child] = set()
        self._idle: list[Child] = []
        self._busy: set[Child] = set()
        self._old: set[Child] = set()  # of code that has changed since; they end after what they are doing
        self._failures: deque[Answer] = deque()  # one for somebody who waits
        self._waiting = 0
        self._stopped = False
        self.settled = threading.Event()  # the first child is ready, or visibly will not be

    def warm(self) -> None:
        """Start a child unless there is one."""
        with self._changed:
            if not self._size():
                self._spawn()

    def invoke(self, event: bytes) -> Answer:
        """Run the function on an event; waits for a free child when all are busy."""
        answer = Answer(outcome=Outcome.NOT_TAKEN)
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while answer.outcome is Outcome.NOT_TAKEN:
            child = self._take(deadline)
            if isinstance(child, Answer):
                return child
            try:
                answer = child.invoke(event)
            finally:
                self._give_back(child)
        return answer

    def renew(self) -> None:
        """The code has changed: no later invocation sees a child of the old one."""
        with self._changed:
            self._old |= self._starting | self._busy | set(self._idle)
            for child in [*self._idle, *self._starting]:
                child.kill()
            self._idle.clear()
            self._spawn()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            for child in [*self._starting, *self._idle, *self._busy]:
                child.kill()

    def describe(self) -> dict[str, Any]:
        with self._changed:
            states = [(self._idle, "idle"), (self._busy, "busy"), (self._starting, "starting")]
            return {
                "function": self.function.logical_id,
                "word": self.function.word,
                "children": [{"pid": child.pid, "state": state} for kept, state in states for child in kept],
            }

    def _take(self, deadline: float) -> Child | Answer:
        with self._changed:
            self._waiting += 1
            grows_at = time.monotonic() + PATIENCE_SECONDS
            try:
                while not self._stopped:
                    if self._idle:
                        child = self._idle.pop()  # the one used last: the others may end unmissed
                        self._busy.add(child)
                        return child
                    if self._failures:
                        return self._failures.popleft()
                    now = time.monotonic()
                    if now > deadline:
                        return Answer(outcome=Outcome.TIMED_OUT)
                    wanted = len(self._starting - self._old) < self._waiting and self._size() < self._limit
                    if wanted and (self._size() == 0 or now >= grows_at):
                        self._spawn()
                    patience = grows_at - now if wanted and now < grows_at else deadline - now
                    self._changed.wait(max(patience, 0.001))
                return Answer(outcome=Outcome.CRASHED)
            finally:
                self._waiting -= 1

    def _give_back(self, child: Child) -> None:
        with self._changed:
            if child not in self._busy:  # it has ended meanwhile
                return
            self._busy.discard(child)
            if child in self._old:
                child.kill()
            else:
                self._idle.append(child)
            self._changed.notify_all()

    def _size(self) -> int:
        return len((self._starting | self._busy) - self._old) + len(self._idle)

    def _spawn(self) -> None:
        if self._stopped:
            return
        child = self._start(self.function, self._on_ready, self._on_exit)
        self._starting.add(child)

    def _on_ready(self, child: Child) -> None:
        with self._changed:
            self._starting.discard(child)
            if child in self._old:
                child.kill()
            else:
                self._idle.append(child)
                self.settled.set()
            self._changed.notify_all()

    def _on_exit(self, child: Child) -> None:
        with self._changed:
            was_old = child in self._old
            if child in self._starting and not was_old and not self._stopped:
                self._logs.say(self.function.word, "ERROR", "did not start; it will be tried again")
                if len(self._failures) < self._waiting:
                    self._failures.append(Answer(outcome=Outcome.CRASHED))
                self.settled.set()
            elif child.is_ready and not was_old and not self._size_without(child):
                self._spawn()  # the next invocation finds it ready
            for kept in (self._starting, self._busy, self._old):
                kept.discard(child)
            if child in self._idle:
                self._idle.remove(child)
            self._changed.notify_all()

    def _size_without(self, child: Child) -> int:
        return len((self._starting | self._busy | set(self._idle)) - self._old - {child})
