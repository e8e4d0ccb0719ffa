"""JWKS: the keys that platforms verify our signatures with, of every region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from lti_tool.domain.jwks import jwks
from lti_tool.domain.region import Region
from lti_tool.use_cases.ports import Clock, Health, Regions, Signer

BELIEVED = timedelta(minutes=1)


@dataclass(slots=True, kw_only=True)
class KeyPublisher:
    """Publishes every region's public keys, and makes this region known to the others.

    `region` is this one's name. What was found is believed for a minute: most requests are answered
    from memory. A region's keys are what its key ring says; before it has one, the stack's first key.
    """

    signer: Signer
    regions: Regions
    health: Health
    clock: Clock
    region: str
    _believed: tuple[datetime, Sequence[Region]] | None = field(default=None, init=False)

    def publish(self, tool_url: str) -> dict[str, list[dict[str, str]]]:
        """The document: our own keys first, then the other regions'; no key twice."""
        regions = self.deployed(tool_url)
        own = [key for region in regions if region.name == self.region for key in region.keys]
        others = [key for region in regions if region.name != self.region for key in region.keys]
        return {"keys": list({key["kid"]: dict(key) for key in (*own, *others)}.values())}

    def deployed(self, tool_url: str) -> Sequence[Region]:
        """Every region that is deployed, by name; this one's record is written when it is new or has changed."""
        now = self.clock()
        if self._believed is not None and now - self._believed[0] < BELIEVED:
            return self._believed[1]
        written = self.regions.all()
        before = next((region for region in written if region.name == self.region), None)
        if before is not None and before.has_ring:
            own = replace(before, base_url=tool_url)
        else:
            own = Region(name=self.region, base_url=tool_url, keys=tuple(jwks(self.signer.public_keys())["keys"]))
        if own != before:
            self.regions.put(own)
        others = (region for region in written if region.name != self.region)
        regions = sorted([own, *others], key=lambda region: region.name)
        self._believed = (now, regions)
        return regions

    def require_health(self) -> None:
        """Raises StoreUnavailableError."""
        self.signer.require_usable()
        self.health.require()
