"""The regions that the tool is deployed in: one key set, and one registration, serves them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One deployed region: where it answers, and the public keys (JWK) that it signs with."""

    name: str
    base_url: str
    keys: tuple[Mapping[str, str], ...]
