"""The local stack of one template: cloud, functions, HTTP API, consumers and schedules."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from local import gateway
from local.child import OURS, Answer, Child, Interpreter, Outcome
from local.cloud import REGION, Cloud
from local.front import Front, OwnRoutes
from local.logs import Logs
from local.pool import Pool
from local.queues import QueueConsumer
from local.replica import Neighbour, Replica
from local.schedules import Schedules
from local.sigv4 import caller_of
from local.template import Function, Route, Template
from local.watch import Watch

MOST_CHILDREN = 4
SETTLES_WITHIN_SECONDS = 40
STATUS_OF = {
    Outcome.FAILED: gateway.INTERNAL_ERROR,
    Outcome.CRASHED: gateway.INTERNAL_ERROR,
    Outcome.TIMED_OUT: gateway.UNAVAILABLE,
}


class Stack:
    """Stands from the constructor's return until `stop`; answers HTTP from `open` on.

    `public_url` is what the tool calls itself; without it, the URL of the port. With a `neighbour`, in another region,
    the registrations table is a replica of its table.
    """

    def __init__(
        self,
        template: Path,
        *,
        port: int = 0,
        public_url: str = "",
        parameters: Mapping[str, str] | None = None,
        region: str = REGION,
        neighbour: Neighbour | None = None,
        interpreter: Interpreter = OURS,
        logs: Logs,
    ) -> None:
        self._logs = logs
        self._interpreter = interpreter
        self._pools: dict[str, Pool] = {}
        self._consumers: list[QueueConsumer] = []
        self._front = Front(port, self.answer)
        self.port = self._front.port
        self.url = public_url or f"http://localhost:{self.port}"
        self.cloud = Cloud(logs, region)
        self._replica: Replica | None = None
        given = {"ToolUrl": self.url, **(parameters or {})}
        if neighbour is not None:
            given |= {"PrimaryRegion": neighbour.region, "RegistrationsTableName": neighbour.table}
        try:
            expanded = Template(template, given, region)
            self.cloud.wait()
            if neighbour is not None:
                self._replica = Replica(neighbour, self.cloud, logs)
                self._replica.create()
                self._replica.start()
            self.system = self.cloud.stand_up(expanded)
        except BaseException:
            self._front.stop()
            self.cloud.stop()
            raise
        self._routes = gateway.Routes(self.system.routes)
        self._pools = {
            name: Pool(function, start=self._start_child, limit=MOST_CHILDREN, logs=logs)
            for name, function in self.system.functions.items()
        }
        self._schedules = Schedules(
            self.system.schedules,
            invoke=self.invoke,
            words={name: f.word for name, f in self.system.functions.items()},
            region=region,
            logs=logs,
        )
        self._own_routes = OwnRoutes(
            lambda: [pool.describe() for pool in self._pools.values()], self._schedules.describe, self._schedules.fire
        )
        self._watch = Watch({folder for f in self.system.functions.values() for folder in _code_of(f)}, self._renew)

    def open(self, *, schedules_by_rate: bool = False) -> None:
        """Start the functions, then everything that calls them; returns when it answers."""
        called = {route.function for route in self.system.routes} | {c.function for c in self.system.consumers}
        waited_for = [pool for name, pool in self._pools.items() if name in called]  # a schedule starts its own
        for pool in waited_for:
            pool.warm()
        deadline = time.monotonic() + SETTLES_WITHIN_SECONDS
        for pool in waited_for:
            if not pool.settled.wait(max(0, deadline - time.monotonic())):
                self._logs.say(pool.function.word, "ERROR", "is still not ready; going on without it")
        self._watch.start()
        self._consumers = [
            QueueConsumer(
                # No more than there can be children: a batch that waits for one has its visibility run out.
                replace(consumer, concurrency=min(consumer.concurrency, MOST_CHILDREN)),
                cloud=self.cloud,
                invoke=self._pools[consumer.function].invoke,
                logs=self._logs,
            )
            for consumer in self.system.consumers
        ]
        for consumer in self._consumers:
            consumer.start()
        if schedules_by_rate:
            self._schedules.start()
        self._front.start()

    def invoke(self, function: str, event: bytes) -> Answer:
        """Run a function, by logical id, on an event."""
        return self._pools[function].invoke(event)

    def stop(self) -> None:
        self._watch.stop()
        self._schedules.stop()
        for consumer in self._consumers:
            consumer.stop()
        for pool in self._pools.values():
            pool.stop()
        self._front.stop()
        if self._replica is not None:
            self._replica.stop()
        self.cloud.stop()

    def _start_child(self, function: Function, on_ready: Any, on_exit: Any) -> Child:
        return Child(
            function,
            environment={**self.cloud.environment(), "AWS_SESSION_TOKEN": "local"},
            process_group=self.cloud.process_group,
            logs=self._logs,
            on_ready=on_ready,
            on_exit=on_exit,
            interpreter=self._interpreter,
        )

    def _renew(self, folders: set[Path]) -> None:
        for pool in self._pools.values():
            if folders & _code_of(pool.function):
                self._logs.say(pool.function.word, "INFO", "the code has changed")
                pool.renew()

    def answer(self, request: gateway.Request) -> gateway.Response:
        """What a browser gets, be it over a socket or from within."""
        if request.path.startswith(OwnRoutes.PREFIX):
            return self._own_routes.answer(request)
        started = time.monotonic()
        found = self._routes.find(request.method, request.path)
        response = self._answer_of_function(request, *found) if found else gateway.NOT_FOUND
        took = round((time.monotonic() - started) * 1000)
        # Without the query: hints and tokens travel there. A signed call may have a code in its path.
        path = found[0].path if found and found[0].iam else request.path
        self._logs.say("http", "", f"{request.method} {path} {response.status} in {took} ms")
        return response

    def _answer_of_function(
        self, request: gateway.Request, route: Route, parameters: Mapping[str, str]
    ) -> gateway.Response:
        caller = caller_of(request, self.cloud.credentials, self.cloud.region) if route.iam else None
        if route.iam and caller is None:
            return gateway.FORBIDDEN
        event = gateway.event_from(request, route, parameters, self.url, caller)
        answer = self.invoke(route.function, json.dumps(event).encode())
        return STATUS_OF.get(answer.outcome) or gateway.response_from(answer.payload)


def _code_of(function: Function) -> set[Path]:
    return {function.code, *function.layers}
