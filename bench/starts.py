"""From process start to ready: the functions against a pylti1p3 tool and against the bare runtime client."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Row, median, ratio_row
from bench.runtime import ROOT, live
from bench.warm import rival_configuration
from bench.world import World

ROUNDS = 15
EMPTY = "def lambda_handler(event, context):\n    return {}\n"


@dataclass(frozen=True, slots=True)
class _Contender:
    folder: Path
    environment: Mapping[str, str]


def rows(world: World) -> list[Row]:
    """CPU time of fresh processes, user and system, medians of interleaved starts.

    All run under Lambda's runtime client until it asks for the first request, with compiled modules at hand and
    Lambda's sign that this is its init phase, so that our handlers prepare their clients there. The rival has imported
    pylti1p3, Flask and boto3, made its DynamoDB client and its app.
    """
    with tempfile.TemporaryDirectory() as made:
        bytecode = Path(made, "bytecode")
        folders = {"empty": EMPTY, "rival": "from bench.rival import lambda_handler\n"}
        for name, text in folders.items():
            Path(made, name).mkdir()
            Path(made, name, "app.py").write_text(text, encoding="utf-8")
        ours = {word: _Contender(ROOT / "functions" / word, world.environment) for word in ("login", "launch", "jwks")}
        contenders = {
            **ours,
            "empty": _Contender(Path(made, "empty"), world.environment),
            "rival": _Contender(
                Path(made, "rival"),
                {**world.environment, "BENCH_RIVAL_STARTS": json.dumps(rival_configuration(world.platform))},
            ),
        }
        spent: dict[str, list[float]] = {name: [] for name in contenders}
        for number in range(ROUNDS + 1):
            for name, contender in contenders.items():
                seconds = live(contender.folder, contender.environment, bytecode).cpu_seconds
                if number:  # the first round compiles
                    spent[name].append(seconds)
    medians = {name: median(seconds) for name, seconds in spent.items()}
    return [
        _row("launch, start to ready, CPU", medians, "launch", "rival", 0.80),
        _row("login, start to ready, CPU", medians, "login", "rival", 0.65),
        _row("jwks, start to ready, CPU", medians, "jwks", "empty", 2.2),
    ]


def _row(what: str, medians: Mapping[str, float], ours: str, theirs: str, at_most: float) -> Row:
    names = {"rival": "pylti1p3 + Flask + boto3", "empty": "the runtime client, empty handler"}
    detail = f"{medians[ours] * 1000:.0f} ms : {medians[theirs] * 1000:.0f} ms, {names[theirs]}"
    return ratio_row(what, medians[ours], medians[theirs], detail, at_most=at_most)
