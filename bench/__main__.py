"""`make bench`: every budget once, and one table. Exit status 0 whatever it says: it informs, the tests forbid."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence

from bench import artefact, counts, scores, starts, warm, world
from bench.figures import Row, table

FOOTNOTES = """\
Ratios are of medians of interleaved measurements of one run; the measured times are this machine's, at this moment, and
promise nothing. CPU is user and system time. Not like for like: pylti1p3 keeps one registration in memory, logs
nothing, counts nothing, signs with a key from memory, keeps no outbox, and stands behind no adapter from API Gateway's
events, so each of these counts against us; it checks less of a token, and a state there can be used twice."""

PARTS: Sequence[tuple[str, Callable[[world.World], Sequence[Row]]]] = (
    ("operations and requests", counts.rows),
    ("a warm process", warm.rows),
    ("start to ready", starts.rows),
    ("scores", scores.rows),
    ("artefact", artefact.rows),
)


def main() -> None:
    began = time.monotonic()
    rows: list[Row] = []
    with (
        open(os.devnull, "w", encoding="utf-8") as nowhere,  # noqa: PTH123 - it is no file
        contextlib.redirect_stdout(nowhere),  # the tool's log and metrics
        world.standing() as found,
    ):
        for name, measure in PARTS:
            sys.stderr.write(f"measuring {name} ...\n")
            rows += measure(found)
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    sys.stdout.write(f"\n{table(rows)}\n\n{FOOTNOTES}\n\n{machine}; {time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    main()
