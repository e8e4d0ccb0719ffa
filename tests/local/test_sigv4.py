"""Who may call a route of AWS_IAM: whoever signed this very request, just now, with the stack's credentials."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningCredentials

from local.cloud import REGION, Credentials
from local.gateway import Request
from local.sigv4 import caller_of
from tests.local.conftest import Small

OURS = Credentials()
HOST = "localhost:8080"
BODY = b'{"score_given": 27}'


def signed(
    *,
    method: str = "POST",
    target: str = "/api/scores",
    body: bytes = BODY,
    headers: dict[str, str] | None = None,
    service: str = "execute-api",
    region: str = REGION,
    key: str = OURS.access_key_id,
    secret: str = OURS.secret_access_key,
    token: str | None = None,
    host: str = HOST,
) -> Request:
    """A request as the SDK signs it."""
    request = AWSRequest(
        method=method, url=f"http://{host}{target}", data=body, headers={"Host": host, **(headers or {})}
    )
    SigV4Auth(SigningCredentials(key, secret, token), service, region).add_auth(request)
    return Request(
        method=method,
        target=target,
        protocol="HTTP/1.1",
        headers=list(request.headers.items()),
        body=body,
        source_ip="127.0.0.1",
    )


def changed(request: Request, **headers: str | None) -> Request:
    """The same request with other headers, as somebody on the way would make it; None leaves one out."""
    names = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    kept = [(name, value) for name, value in request.headers if name.lower() not in names]
    return replace(request, headers=kept + [(name, value) for name, value in names.items() if value is not None])


def caller(request: Request) -> Any:
    return caller_of(request, OURS, REGION)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"method": "GET", "target": "/api/scores/rAb_-9", "body": b""},
        {"target": "/api/scores?b=2&a=1&a=0&empty="},
        {"target": "/api/launches/a%20b~c"},
        {"headers": {"Content-Type": "application/json", "X-Custom": "  spaced   out "}},
        {"token": "session-token"},
    ],
)
def test_whoever_signs_as_the_sdk_does_is_let_in_by_name(how: dict[str, Any]) -> None:
    found = caller(signed(**how))

    assert found["accessKey"] == OURS.access_key_id
    assert found["userArn"].startswith("arn:aws:iam::")


@pytest.mark.parametrize(
    "how",
    [
        {"secret": "another secret"},
        {"key": "AKIANOBODY0000000000"},
        {"region": "eu-west-1"},
        {"service": "sqs"},
    ],
)
def test_another_identity_or_purpose_is_turned_away(how: dict[str, Any]) -> None:
    assert caller(signed(**how)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"method": "GET"},
        {"target": "/api/scores/other"},
        {"target": "/api/scores?more=1"},
        {"body": BODY.replace(b"27", b"40")},
        {"body": b""},
    ],
)
def test_a_request_that_was_changed_on_its_way_is_turned_away(change: dict[str, Any]) -> None:
    assert caller(replace(signed(), **change)) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": None},
        {"authorization": ""},
        {"authorization": "Bearer abc"},
        {"authorization": "AWS4-HMAC-SHA256 Credential=x"},
        {"host": "elsewhere.example"},
        {"x_amz_date": None},
        {"x_amz_date": "yesterday"},
        {"x_amz_content_sha256": "UNSIGNED-PAYLOAD"},
        {"x_amz_content_sha256": "0" * 64},
    ],
)
def test_a_signature_that_is_missing_or_does_not_fit_is_turned_away(headers: dict[str, str | None]) -> None:
    assert caller(changed(signed(), **headers)) is None


def test_a_header_that_was_signed_may_not_change() -> None:
    request = signed(headers={"Content-Type": "application/json"})

    assert caller(changed(request, content_type="text/plain")) is None


@pytest.mark.parametrize(
    ("minutes", "welcome"), [(-6, False), (-4, True), (0, True), (4, True), (6, False), (-24 * 60, False)]
)
def test_a_signature_holds_for_five_minutes_either_way(
    monkeypatch: pytest.MonkeyPatch, minutes: int, welcome: bool
) -> None:
    moment = (datetime.now(UTC) + timedelta(minutes=minutes)).replace(tzinfo=None)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moment)

    assert (caller(signed()) is not None) is welcome


def test_a_date_that_is_moved_afterwards_breaks_the_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).replace(tzinfo=None)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: hour_ago)
    old = signed()

    assert caller(changed(old, x_amz_date=datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"))) is None


def test_only_a_signed_call_reaches_the_function_and_the_log_keeps_its_code_to_itself(small: Small, call: Any) -> None:
    credentials = small.stack.cloud.credentials
    host = f"127.0.0.1:{small.stack.port}"
    request = signed(
        target="/signed/one-time-code",
        host=host,
        key=credentials.access_key_id,
        secret=credentials.secret_access_key,
    )

    unsigned = call("POST", "/signed/one-time-code", data=BODY)
    welcome = call("POST", "/signed/one-time-code", data=BODY, headers=dict(request.headers))

    assert (unsigned.status_code, unsigned.text) == (403, '{"message":"Forbidden"}')
    assert welcome.json()["requestContext"]["authorizer"]["iam"]["accessKey"] == credentials.access_key_id
    assert "POST /signed/{id} 200" in small.log.getvalue()
    assert "one-time-code" not in small.log.getvalue()
