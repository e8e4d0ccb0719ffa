"""What a platform's administrator entered about the tool, and the tool's keys as the platform fetches them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from local.campus import tokens
from local.campus.journal import TO_TOOL, Journal


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A registered tool. Redirect URIs are compared byte for byte. `public_jwk` is instead of a key set's address."""

    name: str
    login_url: str
    target_link_uri: str
    redirect_uris: Sequence[str]
    jwks_url: str | None
    public_jwk: Mapping[str, Any] | None = None

    @classmethod
    def at(cls, url: str) -> Tool:
        """The tool that Campus is made for, with the addresses that it has."""
        return cls(
            name="Serverless LTI",
            login_url=f"{url}/lti/login",
            target_link_uri=f"{url}/lti/launch",
            redirect_uris=(f"{url}/lti/launch",),
            jwks_url=f"{url}/lti/jwks.json",
        )

    @property
    def origin(self) -> str:
        return origin_of(self.target_link_uri)

    @property
    def origins(self) -> set[str]:
        """Where it can be met: a login may begin in another region than the one that answers."""
        return {origin_of(url) for url in (self.target_link_uri, self.login_url, *self.redirect_uris)}

    def serves(self, url: str) -> bool:
        """Whether this URL is on the tool's own site."""
        return origin_of(url) == self.origin


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class KeysUnavailableError(tokens.BadTokenError):
    """The tool's key set could not be fetched or is not one."""


class ToolKeys:
    """The tool's published keys. `kept` remembers them until a token does not verify, then asks once more."""

    def __init__(self, tool: Tool, journal: Journal, platform: str, *, kept: bool) -> None:
        self._tool = tool
        self._journal = journal
        self._platform = platform
        self._kept = kept
        self._jwks: tokens.Claims | None = None

    def verified(self, token: str) -> tokens.Claims:
        """The claims of a token that the tool signed.

        Raises:
            KeysUnavailableError: no key set to look at.
            BadTokenError: the signature is not the tool's.
        """
        tokens.header_of(token)
        if self._kept and self._jwks is not None:
            try:
                return tokens.verified(token, self._jwks)
            except tokens.BadTokenError:
                pass  # the tool may have a new key since: ask it again, once
        jwks = self.fetched()
        claims = tokens.verified(token, jwks)
        self._jwks = jwks
        return claims

    def forget(self) -> None:
        self._jwks = None

    def fetched(self) -> tokens.Claims:
        """The key set as it is now.

        Raises:
            KeysUnavailableError
        """
        url = self._tool.jwks_url
        if url is None:
            return {"keys": [dict(self._tool.public_jwk or {})]}
        try:
            answer = requests.get(url, timeout=10)
            answer.raise_for_status()
            jwks: tokens.Claims = answer.json()
        except (requests.RequestException, ValueError) as error:
            reason = f"{type(error).__name__} at {url}"
            self._log(url, f"failed: {reason}", ok=False)
            raise KeysUnavailableError(reason) from error
        keys = jwks.get("keys") if isinstance(jwks, dict) else None
        if not isinstance(keys, list):
            self._log(url, "no list of keys in it", ok=False)
            raise KeysUnavailableError("the tool's key set has no list of keys")
        self._log(url, f"{len(keys)} keys", ok=True)
        return jwks

    def _log(self, url: str, outcome: str, *, ok: bool) -> None:
        self._journal.write(self._platform, TO_TOOL, "fetch the tool's key set", outcome, ok=ok, details={"GET": url})
