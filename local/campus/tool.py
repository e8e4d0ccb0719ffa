"""What a platform's administrator entered about the tool, and the tool's keys as the platform fetches them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from local.campus import tokens
from local.campus.journal import TO_TOOL, Journal


@dataclass(frozen=True, kw_only=True)
class Tool:
    """The registered tool. Redirect URIs are compared byte for byte."""

    url: str
    name: str = "Serverless LTI"

    @property
    def login_url(self) -> str:
        return f"{self.url}/lti/login"

    @property
    def target_link_uri(self) -> str:
        return f"{self.url}/lti/launch"

    @property
    def redirect_uris(self) -> list[str]:
        return [f"{self.url}/lti/launch"]

    @property
    def jwks_url(self) -> str:
        return f"{self.url}/lti/jwks.json"

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def serves(self, url: str) -> bool:
        """Whether this URL is on the tool's own site."""
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}" == self.origin


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
        jwks = self._fetch()
        claims = tokens.verified(token, jwks)
        self._jwks = jwks
        return claims

    def forget(self) -> None:
        self._jwks = None

    def _fetch(self) -> tokens.Claims:
        url = self._tool.jwks_url
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
