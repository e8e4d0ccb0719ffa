"""What the local stack offers beside HTTP and queues: signed routes, schedules, renewed code, a key that signs."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from local.schedules import seconds_of
from tests.local.conftest import Small, eventually

Call = Callable[..., requests.Response]
PKCS1 = "RSASSA_PKCS1_V1_5_SHA_256"


def signed(small: Small, path: str, body: bytes, *, secret: str = "", region: str = "us-east-1") -> Mapping[str, str]:
    """The headers of a POST signed as a vendor's backend signs it."""
    ours = small.stack.cloud.credentials
    request = AWSRequest("POST", small.url + path, headers={"Content-Type": "application/json"}, data=body)
    SigV4Auth(Credentials(ours.access_key_id, secret or ours.secret_access_key), "execute-api", region).add_auth(
        request
    )
    return dict(request.headers.items())


def test_a_signed_call_is_let_in_and_the_function_knows_who_it_is(small: Small, call: Call) -> None:
    path, body = "/signed/7?b=2&a=1", b'{"score": 1}'

    event = call("POST", path, data=body, headers=signed(small, path, body)).json()

    assert event["pathParameters"] == {"id": "7"}
    assert event["requestContext"]["authorizer"]["iam"]["accountId"] == "123456789012"


def test_an_unsigned_or_wrongly_signed_call_is_forbidden(small: Small, call: Call) -> None:
    path, body = "/signed/7", b"{}"
    good = signed(small, path, body)
    attempts: list[tuple[str, bytes, Mapping[str, str]]] = [
        (path, body, {}),
        (path, body, signed(small, path, body, secret="another")),
        (path, body, signed(small, path, body, region="eu-west-1")),
        (path, b'{"forged": 1}', good),
        ("/signed/8", body, good),
        (path, body, {**good, "X-Amz-Date": "20200101T000000Z"}),
        (path, body, {**good, "Authorization": "Bearer x"}),
    ]

    answers = [call("POST", where, data=data, headers=headers) for where, data, headers in attempts]

    assert [(a.status_code, a.text) for a in answers] == [(403, '{"message":"Forbidden"}')] * len(attempts)


def test_a_schedule_is_fired_on_demand(call: Call) -> None:
    listed = call("GET", "/_local/schedules").json()
    fired = call("POST", "/_local/schedules/TickFunction")
    nightly = next(s["schedule"] for s in listed if s["expression"].startswith("cron"))
    with_input = call("POST", f"/_local/schedules/{nightly}").json()

    assert {s["function"]: s["enabled"] for s in listed if s["expression"] == "rate(1 hour)"} == {"TickFunction": True}
    assert fired.status_code == 200
    assert fired.json()["result"]["event"]["detail-type"] == "Scheduled Event"
    assert with_input["result"] == {"ticked": True, "event": {"night": True}}
    assert call("POST", "/_local/schedules/Nobody").status_code == 404


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(2 days)", 172_800), ("cron(0 3 * * ? *)", None)],
)
def test_a_rate_is_an_interval(expression: str, seconds: float | None) -> None:
    assert seconds_of(expression) == seconds


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {"X-Forwarded-For": "203.0.113.9"},
    ],
)
def test_the_runners_own_routes_are_closed_to_web_pages_and_proxies(call: Call, headers: Mapping[str, str]) -> None:
    answer = call("POST", "/_local/schedules/TickFunction", headers=headers)

    assert answer.status_code == 403


def test_changed_code_answers_without_a_restart_of_the_rest(small: Small, call: Call) -> None:
    others = small.pids("collect")
    code = small.folder / "functions" / "tick" / "app.py"

    def says(word: str) -> bool:
        return bool(call("POST", "/_local/schedules/TickFunction").json()["result"] == word)

    for said in ("one", "two", "six"):  # of one length, within one second: bytecode must not outlive its source
        code.write_text(f"def lambda_handler(event, context):\n    return {said!r}\n", encoding="utf-8")
        eventually(partial(says, said))
    assert small.pids("collect") == others


def test_a_syntax_error_is_500_and_mends(small: Small, call: Call) -> None:
    code = small.folder / "functions" / "echo" / "app.py"
    good = code.read_text(encoding="utf-8")

    code.write_text(good + "\ndef broken(:\n", encoding="utf-8")
    eventually(lambda: call("GET", "/echo").status_code == 500)
    assert "Syntax error" in small.log.getvalue()

    code.write_text(good, encoding="utf-8")
    eventually(lambda: call("GET", "/echo").status_code == 200)


def test_a_change_in_the_layer_reaches_the_functions(small: Small, call: Call) -> None:
    (small.folder / "layer" / "small" / "__init__.py").write_text('WORD = "changed"\n', encoding="utf-8")

    eventually(lambda: call("GET", "/do/environment").json()["word"] == "changed")


def test_the_key_signs_a_digest_as_it_is(small: Small) -> None:
    kms, key = small.stack.cloud.client("kms"), small.stack.system.outputs["SigningKey"]
    message = b"a deep linking response of more than 4096 bytes " * 100

    signature = kms.sign(
        KeyId=key, Message=hashlib.sha256(message).digest(), MessageType="DIGEST", SigningAlgorithm=PKCS1
    )["Signature"]

    public = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())


def test_the_key_refuses_what_aws_refuses(small: Small) -> None:
    kms, key = small.stack.cloud.client("kms"), small.stack.system.outputs["SigningKey"]

    def refusal(**message: Any) -> str:
        with pytest.raises(ClientError) as refused:
            kms.sign(KeyId=key, SigningAlgorithm=PKCS1, **message)
        return str(refused.value.response["Error"]["Code"])

    too_long = refusal(Message=b"x" * 4097, MessageType="RAW")
    no_digest = refusal(Message=b"x", MessageType="DIGEST")
    kms.disable_key(KeyId=key)
    disabled = refusal(Message=b"x")
    kms.enable_key(KeyId=key)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    leaving = refusal(Message=b"x")

    assert (too_long, no_digest) == ("ValidationException", "ValidationException")
    assert (disabled, leaving) == ("DisabledException", "KMSInvalidStateException")


def test_a_table_has_its_time_to_live(small: Small) -> None:
    table = small.stack.system.tables["SeenTable"]

    described = small.stack.cloud.client("dynamodb").describe_time_to_live(TableName=table)

    assert described["TimeToLiveDescription"]["AttributeName"] == "expires_at"
