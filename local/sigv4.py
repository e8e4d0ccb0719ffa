"""AWS_IAM authorisation: a request's Signature Version 4, judged with botocore's own arithmetic."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningCredentials

from local.cloud import Credentials
from local.gateway import Request
from local.template import ACCOUNT

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/execute-api/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
OLDEST = timedelta(minutes=5)


def caller_of(request: Request, credentials: Credentials, region: str) -> Mapping[str, Any] | None:
    """Who signed this request, as the event's `authorizer.iam` says it; None when nobody that we know did."""
    match = AUTHORIZATION.fullmatch(request.header("authorization"))
    if not match or match[1] != credentials.access_key_id or match[3] != region:
        return None
    _, day, _, signed_headers, signature = match.groups()
    timestamp = request.header("x-amz-date")
    if not timestamp.startswith(day) or not _is_recent(timestamp) or "host" not in signed_headers.split(";"):
        return None
    named = request.header("x-amz-content-sha256")
    if named not in ("", hashlib.sha256(request.body).hexdigest()):  # a body that is not signed could be anybody's
        return None
    if not hmac.compare_digest(signature, _signature(request, signed_headers.split(";"), credentials, region)):
        return None
    return {
        "accessKey": credentials.access_key_id,
        "accountId": ACCOUNT,
        "callerId": credentials.access_key_id,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": f"arn:aws:iam::{ACCOUNT}:user/local",
        "userId": credentials.access_key_id,
    }


def _signature(request: Request, signed_headers: list[str], credentials: Credentials, region: str) -> str:
    auth = _AsSigned(
        SigningCredentials(credentials.access_key_id, credentials.secret_access_key), "execute-api", region
    )
    rebuilt = AWSRequest(
        method=request.method,
        url=f"https://{request.header('host')}{request.target}",
        headers={name: request.header(name) for name in signed_headers},
        data=request.body,
    )
    if sha256 := request.header("x-amz-content-sha256"):
        rebuilt.headers["X-Amz-Content-SHA256"] = sha256
    rebuilt.context["timestamp"] = request.header("x-amz-date")
    auth.chosen = signed_headers
    return str(auth.signature(auth.string_to_sign(rebuilt, auth.canonical_request(rebuilt)), rebuilt))


class _AsSigned(SigV4Auth):
    """Takes the headers that the signer chose, not those that botocore would."""

    chosen: list[str]

    def headers_to_sign(self, request: Any) -> Any:
        headers = super().headers_to_sign(request)
        for name in set(headers.keys()):
            del headers[name]
        for name in self.chosen:
            headers[name] = request.headers[name]
        return headers


def _is_recent(timestamp: str) -> bool:
    try:
        signed_at = datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(datetime.now(UTC) - signed_at) <= OLDEST
