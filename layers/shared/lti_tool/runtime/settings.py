"""What the template tells a function, read once from its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`tool_url` is empty where the HTTP API's own address is the tool's.

    `elsewhere` names the instances that serve Canvas's beta and test environments, where there are such.
    """

    registrations_table: str
    launches_table: str
    records_table: str
    scores_queue_url: str
    scores_dead_letters_url: str
    signing_key_id: str
    tool_url: str
    loopback_http: bool
    score_lease: timedelta
    platform_at_once: int
    region: str
    elsewhere: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySettings:
    """What the rotation of signing keys is told; `stack` marks the keys that are this stack's."""

    stack: str
    rotate_every: timedelta
    wait: timedelta
    keep: timedelta
    deletion_days: int


@cache
def settings() -> Settings:
    env = os.environ
    return Settings(
        registrations_table=env["REGISTRATIONS_TABLE"],
        launches_table=env["LAUNCHES_TABLE"],
        records_table=env["RECORDS_TABLE"],
        scores_queue_url=env["SCORES_QUEUE_URL"],
        scores_dead_letters_url=env["SCORES_DEAD_LETTERS_URL"],
        signing_key_id=env["SIGNING_KEY_ID"],
        tool_url=env.get("TOOL_URL", "").rstrip("/"),
        loopback_http=env.get("LOOPBACK_HTTP") == "allowed",
        region=env.get("REGION_NAME") or env.get("AWS_REGION", ""),
        elsewhere={
            environment: url.rstrip("/")
            for environment in ("beta", "test")
            if (url := env.get(f"{environment.upper()}_TOOL_URL"))
        },
        platform_at_once=int(env.get("PLATFORM_AT_ONCE", "4")),
        score_lease=timedelta(seconds=int(env.get("SCORE_LEASE_SECONDS", "30"))),
    )


def key_settings() -> KeySettings:
    env = os.environ
    return KeySettings(
        stack=env["STACK_NAME"],
        rotate_every=timedelta(days=int(env.get("KEY_ROTATION_DAYS", "90"))),
        wait=timedelta(hours=int(env.get("KEY_WAIT_HOURS", "24"))),
        keep=timedelta(hours=int(env.get("KEY_KEEP_HOURS", "48"))),
        deletion_days=int(env.get("KEY_DELETION_DAYS", "30")),
    )
