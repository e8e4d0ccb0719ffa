"""Scores on their way: handed to gradesync in batches, and how many a second arrive."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from bench.figures import Row, median, ratio_row
from bench.world import World, companion, line_of
from tests.support.browser import receives

BATCH = 10
INSTANCES = 8
"""`BatchSize` and `MaximumConcurrency` of gradesync's queue in template.yaml."""
ROUNDS = 3
BATCHES_PER_ROUND = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A gradebook 20 ms away, and who it takes us for."""

    url: str
    issuer: str
    client_id: str

    @property
    def line_item(self) -> str:
        return f"{self.url}/lineitems/7"

    def received(self) -> Any:
        with urllib.request.urlopen(f"{self.url}/received") as response:  # noqa: S310 - our own, on loopback
            return json.load(response)


@contextmanager
def gradebook(world: World) -> Iterator[Book]:
    """A platform's services in a process of their own, as a registration that the tool knows."""
    with companion("bench.gradebook") as process:
        url = line_of(process)
        issuer = f"https://gradebook-{url.rpartition(':')[2]}.example"
        registration = world.platform.registration(issuer=issuer, token_endpoint=f"{url}/token")
        world.stack.knows(registration)
        yield Book(url=url, issuer=issuer, client_id=registration.client_id)


def deliver(book: Book, count: int, learners: str) -> None:
    """Whole scores, each of another learner, in batches of ten, one batch after the other, by this process."""
    for start in range(0, count, BATCH):
        bodies = [
            {
                "issuer": book.issuer,
                "client_id": book.client_id,
                "deployment_id": "1",
                "line_item": book.line_item,
                "user_id": f"{learners}-{number}",
                "score_given": number,
                "score_maximum": 1000,
                "activity_progress": "Completed",
                "grading_progress": "FullyGraded",
                "timestamp": datetime.now(UTC).isoformat(),
            }
            for number in range(start, start + BATCH)
        ]
        if receives(*bodies)["batchItemFailures"]:
            raise RuntimeError("a batch came back")


def rows(world: World) -> list[Row]:
    """Scores per second, wall clock, medians of interleaved rounds; the platform takes 20 ms for each.

    Ours: as many function processes as the queue may run at once, each given one batch of ten after another; each
    score is written to the outbox, leased, posted and settled, three writes of 5 ms (`bench.store`). The rival has no
    outbox: one process posts one score after another over one connection, with one access token.
    """
    from bench.rival_grader import Grader

    with (
        gradebook(world) as book,
        companion("bench.store") as store,
        contextlib.ExitStack() as instances,
    ):
        environment = {**world.environment, "AWS_ENDPOINT_URL": line_of(store)}
        workers = [
            instances.enter_context(
                companion("bench.scores", json.dumps(asdict(book)), f"user-{number}", environment=environment)
            )
            for number in range(INSTANCES)
        ]
        for worker in workers:
            line_of(worker)
        grader = Grader(book.issuer, book.client_id, book.url, book.line_item)
        grader.send(BATCH)
        rates: dict[str, list[float]] = {"all": [], "one": [], "rival": []}
        processor: dict[str, list[float]] = {"one": [], "rival": []}
        for _ in range(ROUNDS):
            rates["all"].append(_rate(workers)[0])
            rate, seconds = _rate(workers[:1])
            rates["one"].append(rate)
            processor["one"].append(seconds)
            began, spent = time.perf_counter(), time.process_time()
            grader.send(BATCH * BATCHES_PER_ROUND)
            rates["rival"].append(BATCH * BATCHES_PER_ROUND / (time.perf_counter() - began))
            processor["rival"].append((time.process_time() - spent) / (BATCH * BATCHES_PER_ROUND))
    every, one, rival = (median(rates[name]) for name in ("all", "one", "rival"))
    detail = f"{every:.0f}/s, {INSTANCES} instances ({one:.0f}/s, one instance) : {rival:.0f}/s, pylti1p3 sequential"
    ours, theirs = (median(processor[name]) for name in ("one", "rival"))
    return [
        ratio_row("scores per second, batches of 10, 20 ms platform", every, rival, detail, at_least=4),
        Row(
            what="CPU of a score",
            budget="–",
            figure=f"{ours / theirs:.2f}",
            kept=None,
            detail=f"{ours * 1000:.1f} ms, with outbox and queue : {theirs * 1000:.1f} ms, pylti1p3 without",
        ),
    ]


def _rate(workers: list[subprocess.Popen[str]]) -> tuple[float, float]:
    """Scores a second, and the seconds of processor that each took the first of the workers."""
    began = time.perf_counter()
    for worker in workers:
        assert worker.stdin is not None  # noqa: S101 - it is a pipe
        worker.stdin.write("go\n")
        worker.stdin.flush()
    spent = [float(line_of(worker)) for worker in workers]
    rate = len(workers) * BATCHES_PER_ROUND * BATCH / (time.perf_counter() - began)
    return rate, spent[0] / (BATCHES_PER_ROUND * BATCH)


def _instance(book: Book, learners: str) -> None:
    """One function process: the first batch teaches the store, then each line on standard input starts a round."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        said = sys.__stdout__
        assert said is not None  # noqa: S101
        for _ in range(2):
            deliver(book, BATCH, learners)
        said.write("ready\n")
        said.flush()
        for _ in sys.stdin:
            spent = time.process_time()
            for _ in range(BATCHES_PER_ROUND):
                deliver(book, BATCH, learners)
            said.write(f"{time.process_time() - spent}\n")
            said.flush()


if __name__ == "__main__":
    _instance(Book(**json.loads(sys.argv[1])), sys.argv[2])
