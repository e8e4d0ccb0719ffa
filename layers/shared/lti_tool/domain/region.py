"""The regions that the tool is deployed in: one key set, and one registration, serves them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One deployed region: where it answers, and the public keys (JWK) that it signs with, or did, or will.

    `has_ring`: a key ring says which keys these are; before the first one there is only the stack's first key.
    """

    name: str
    base_url: str
    keys: tuple[Mapping[str, str], ...]
    has_ring: bool = False
