"""What a function sees of an HTTP request, and what a browser sees of its answer, as on API Gateway."""

import base64
import json
import re
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.local.conftest import Small, eventually

Call = Callable[..., requests.Response]


def test_a_request_becomes_an_event_of_payload_format_2(small: Small, call: Call) -> None:
    answer = call("GET", "/echo/a%20b?x=1&y=&x=2%26", headers={"X-Two": "one", "User-Agent": "a browser"})

    event = answer.json()
    assert event["version"] == "2.0"
    assert event["routeKey"] == "GET /echo/{id}"
    assert event["rawPath"] == "/echo/a b"
    assert event["rawQueryString"] == "x=1&y=&x=2%26"
    assert event["queryStringParameters"] == {"x": "1,2&", "y": ""}
    assert event["pathParameters"] == {"id": "a b"}
    assert event["headers"]["x-two"] == "one"
    assert event["headers"]["x-forwarded-proto"] == "http"
    assert event["isBase64Encoded"] is False
    assert not {"body", "cookies"} & event.keys()
    context = event["requestContext"]
    assert context["http"] == {
        "method": "GET",
        "path": "/echo/a b",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "a browser",
    }
    assert context["domainName"] == "localhost"
    assert context["stage"] == "$default"
    assert re.fullmatch(r"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000", context["time"])
    assert abs(context["timeEpoch"] / 1000 - time.time()) < 10
    assert small.stack.url.startswith("http://localhost:")


def test_cookies_are_a_list_of_their_own_and_repeated_headers_are_joined(small: Small) -> None:
    # Raw, since client libraries do not repeat headers.
    repeats = b"Cookie: a=1; b=2\r\nCookie: c=3\r\nX-R: 1\r\nx-r: 2\r\n"
    request = b"GET /echo HTTP/1.1\r\nHost: x\r\n" + repeats + b"Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", small.stack.port)) as connection:
        connection.sendall(request)
        answer = connection.makefile("rb").read()

    event = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert ";".join(event["cookies"]).replace(",", ";") == "a=1;b=2;c=3"
    assert event["headers"]["x-r"] == "1,2"
    assert not {"cookie", "connection"} & event["headers"].keys()


@pytest.mark.parametrize(
    ("content_type", "is_text"),
    [
        ("text/plain", True),
        ("application/json; charset=utf-8", True),
        ("application/xml", True),
        ("application/javascript", True),
        ("application/x-www-form-urlencoded", False),
        ("application/octet-stream", False),
        ("application/vnd.ims.lis.v1.score+json", False),
    ],
)
def test_a_body_is_text_or_base64_by_its_content_type(call: Call, content_type: str, is_text: bool) -> None:
    body = b'{"id_token": "abc"}'

    event = call("POST", "/echo", data=body, headers={"Content-Type": content_type}).json()

    assert event["isBase64Encoded"] is not is_text
    assert (event["body"].encode() if is_text else base64.b64decode(event["body"])) == body


def test_the_more_specific_route_answers(call: Call) -> None:
    keys = [
        call(method, path).json()["routeKey"]
        for method, path in [("GET", "/echo"), ("POST", "/echo"), ("GET", "/echo/1"), ("GET", "/echo/1/2")]
    ]

    assert keys == ["ANY /echo", "POST /echo", "GET /echo/{id}", "GET /echo/{rest+}"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/nowhere"), ("POST", "/echo/1"), ("GET", "/echo/")]
)
def test_what_no_route_takes_gets_the_gateways_own_404(call: Call, method: str, path: str) -> None:
    answer = call(method, path)

    assert (answer.status_code, answer.text) == (404, '{"message":"Not Found"}')


def test_an_answer_has_its_status_headers_and_every_cookie(call: Call) -> None:
    said = {
        "statusCode": 302,
        "headers": {"Location": "https://lms.example/auth", "X-Number": 5, "Content-Length": "999"},
        "cookies": ["a=1; Secure", "b=2; HttpOnly"],
    }

    answer = call("POST", "/do/answer", json=said)

    assert answer.status_code == 302
    assert answer.headers["location"] == "https://lms.example/auth"
    assert answer.headers["x-number"] == "5"
    assert answer.raw.headers.getlist("set-cookie") == ["a=1; Secure", "b=2; HttpOnly"]
    assert answer.content == b""


@pytest.mark.parametrize(
    ("said", "status", "body"),
    [
        ({"statusCode": 200, "body": "aGk=", "isBase64Encoded": True}, 200, b"hi"),
        ({"statusCode": "201", "body": "made"}, 201, b"made"),
        ({"a": [1, 2]}, 200, b'{"a": [1, 2]}'),
        ("words", 200, b"words"),
        ({"statusCode": "not a number"}, 500, b'{"message":"Internal Server Error"}'),
        ({"statusCode": 200, "body": "%%", "isBase64Encoded": True}, 500, b'{"message":"Internal Server Error"}'),
        ({"statusCode": 200, "headers": {"x": "a\r\nb"}}, 500, b'{"message":"Internal Server Error"}'),
    ],
)
def test_what_a_function_returns_is_read_as_the_gateway_reads_it(
    call: Call, said: Any, status: int, body: bytes
) -> None:
    answer = call("POST", "/do/answer", json=said)

    assert (answer.status_code, answer.content) == (status, body)


def test_head_gets_no_body_and_the_connection_goes_on(call: Call) -> None:
    first, second = call("HEAD", "/echo"), call("GET", "/echo")

    assert first.content == b""
    assert int(first.headers["content-length"]) > 0
    assert second.json()["rawPath"] == "/echo"


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        ({"data": b"x" * (10 * 1024 * 1024 + 1)}, 413, "Request Entity Too Large"),
        ({"headers": {"X-Long": "x" * 10_240}}, 431, "Request Header Fields Too Large"),
        ({"headers": {"Content-Length": "many"}}, 400, "Bad Request"),
    ],
)
def test_the_gateways_limits_hold(call: Call, options: Any, status: int, message: str) -> None:
    answer = call("POST", "/echo", **options)

    assert (answer.status_code, answer.json()) == (status, {"message": message})


def test_a_body_may_come_in_chunks(call: Call) -> None:
    answer = call("POST", "/echo", data=iter([b"one ", b"two"]), headers={"Content-Type": "text/plain"})

    assert answer.json()["body"] == "one two"


def test_a_function_has_the_environment_of_the_template_and_of_lambda_and_no_other(
    small: Small, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    seen = call("GET", "/do/environment").json()

    environment = seen["environment"]
    assert environment["TOOL_URL"] == small.stack.url
    assert environment["QUEUE_ARN"].startswith("arn:aws:sqs:us-east-1:123456789012:local-WorkQueue-")
    assert re.fullmatch(r"us-east-1/local-SeenTable-\w+/local", environment["SELF_ARN"])
    assert environment["CHOICE"] == "not wanted"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "EchoFunction"
    assert environment["AWS_ENDPOINT_URL"] == small.stack.cloud.endpoint_url
    assert not {"HTTPS_PROXY", "HOME", "VIRTUAL_ENV"} & environment.keys()
    assert seen["folder"] == str(small.folder / "functions" / "echo")
    assert seen["word"] == "from the layer"
    assert "UnwantedFunction" not in small.stack.system.functions


def test_a_function_knows_its_deadline(call: Call) -> None:
    context = call("GET", "/do/context").json()

    assert 1000 < context["milliseconds"] <= 3000
    assert context["arn"].endswith(":function:EchoFunction")


def test_an_error_and_a_result_that_is_too_large_are_500(small: Small, call: Call) -> None:
    answers = [call("GET", "/do/raise"), call("GET", "/do/large")]

    assert [(a.status_code, a.text) for a in answers] == [(500, '{"message":"Internal Server Error"}')] * 2
    assert "on purpose" in small.log.getvalue()


def test_a_crash_is_500_and_the_next_request_is_answered(small: Small, call: Call) -> None:
    before = set(small.pids("echo"))

    crashed, after = call("GET", "/do/die"), call("GET", "/echo")

    assert (crashed.status_code, crashed.text) == (500, '{"message":"Internal Server Error"}')
    assert after.status_code == 200
    assert before - set(small.pids("echo"))
    assert "ended with status 3 while invoked" in small.log.getvalue()


def test_an_invocation_that_takes_too_long_is_503_and_its_child_is_gone(small: Small, call: Call) -> None:
    started = time.monotonic()
    answer = call("GET", "/do/sleep")
    took = time.monotonic() - started

    assert (answer.status_code, answer.text) == (503, '{"message":"Service Unavailable"}')
    assert 2.9 < took < 10
    assert call("GET", "/echo").status_code == 200
    assert "busy" not in small.pids("echo").values()


def test_a_slow_invocation_does_not_hold_up_another(small: Small, call: Call) -> None:
    slow = threading.Thread(target=lambda: requests.get(f"{small.url}/do/sleep", timeout=10))
    slow.start()
    eventually(lambda: "busy" in small.pids("echo").values())

    answer = call("GET", "/echo")

    assert answer.status_code == 200
    assert slow.is_alive()
    slow.join()


def test_both_loopback_addresses_answer(small: Small) -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")

    answer = small.http.get(f"http://[::1]:{small.stack.port}/echo", timeout=10)

    assert answer.json()["requestContext"]["http"]["sourceIp"] == "::1"


def test_log_lines_are_for_people(small: Small, call: Call) -> None:
    call("GET", "/do/talk?id_token=SECRET")

    lines = eventually(lambda: [line for line in small.log.getvalue().splitlines() if "look here" in line])
    log = small.log.getvalue()
    assert re.fullmatch(r'\d\d:\d\d:\d\d  echo       WARNING  look here code="c d"', lines[0])
    assert re.search(r"echo\s+plain words", log)
    assert re.search(r"http\s+GET /do/talk 200 in \d+ ms", log)
    assert "_aws" not in log
    assert "SECRET" not in log


def test_a_warm_request_takes_a_few_milliseconds(call: Call) -> None:
    def took() -> float:
        started = time.perf_counter()
        call("GET", "/echo")
        return time.perf_counter() - started

    assert sorted(took() for _ in range(40))[20] < 0.05  # 3 to 10 ms on a quiet machine
