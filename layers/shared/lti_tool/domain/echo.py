"""The echo platform: a platform inside the stack that takes any score and keeps none.

A deployment is tried out against it: a score takes the whole way, by outbox, queue, signature, token and post, without
any learning platform. It gives nothing away: a token costs an assertion that we signed ourselves, and buys nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import jwt
from jwt.algorithms import RSAAlgorithm

from lti_tool.domain.errors import BadSignatureError
from lti_tool.domain.registration import DeploymentStatus, PlatformFamily, Registration

PATH = "/lti/echo"
CLIENT_ID = "echo"
DEPLOYMENT_ID = "echo"
USER_ID = "echo"
TOKEN_LIVES_SECONDS = 60


def echo_registration(tool_url: str) -> Registration:
    base = f"{tool_url}{PATH}"
    return Registration(
        issuer=base,
        client_id=CLIENT_ID,
        authorization_endpoint=f"{base}/auth",
        token_endpoint=f"{base}/token",
        jwks_uri=f"{base}/jwks.json",
        family=PlatformFamily.CUSTOM,
        tenant="echo",
        deployments={DEPLOYMENT_ID: DeploymentStatus.ENABLED},
    )


def token_for(assertion: str, keys: Sequence[Mapping[str, str]], token_url: str, now: datetime) -> dict[str, Any]:
    """The token endpoint's answer to a client assertion that one of our published keys signed.

    Raises:
        BadSignatureError: another key did, or it is for something else, or it is over.
    """
    try:
        kid = jwt.get_unverified_header(assertion).get("kid")
        key = next(RSAAlgorithm.from_jwk(dict(known)) for known in keys if known["kid"] == kid)
        claims = jwt.decode(
            assertion,
            key,  # type: ignore[arg-type]  # the JWK is a public one
            algorithms=["RS256"],
            audience=token_url,
            issuer=CLIENT_ID,
            options={"require": ["exp", "iat", "jti", "sub"], "verify_exp": False, "verify_iat": False},
        )
    except (jwt.InvalidTokenError, StopIteration) as error:
        raise BadSignatureError from error
    if claims["sub"] != CLIENT_ID or not claims["iat"] <= now.timestamp() < claims["exp"]:
        raise BadSignatureError
    return {
        "access_token": secrets.token_urlsafe(24),
        "token_type": "Bearer",
        "expires_in": TOKEN_LIVES_SECONDS,
        "scope": "https://purl.imsglobal.org/spec/lti-ags/scope/score",
    }
