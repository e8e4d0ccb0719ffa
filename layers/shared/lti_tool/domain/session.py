"""A session: what a launch leaves behind for eight hours, opened by a bearer token."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from lti_tool.domain.errors import SessionEndedError
from lti_tool.domain.launch import AnyLaunch

SESSION_LIVES = timedelta(hours=8)
CODE_LIVES = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class SessionToken:
    """The bearer token: which launch, and a secret of which the store knows only the fingerprint."""

    launch_id: str
    secret: str

    def __str__(self) -> str:
        return f"{self.launch_id}.{self.secret}"

    @classmethod
    def new(cls, launch_id: str) -> SessionToken:
        return cls(launch_id, secrets.token_urlsafe(32))

    @classmethod
    def parse(cls, text: str) -> SessionToken:
        """Raises SessionEndedError: not a token of ours."""
        launch_id, dot, secret = text.partition(".")
        if not dot or not launch_id or not secret or len(text) > 200 or not text.isascii():
            raise SessionEndedError
        return cls(launch_id, secret)


def new_launch_code() -> str:
    """What a browser carries to the vendor's app, whose backend exchanges it once for the launch."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A launch that is under way."""

    launch_id: str
    launch: AnyLaunch
