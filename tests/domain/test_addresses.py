"""Web addresses as platforms write them into their messages."""

from __future__ import annotations

import pytest

from lti_tool.domain.addresses import web_address

HOST = "https://" + ".".join(["a" * 63] * 3 + ["b" * 61])  # 253 characters, the most that DNS has


@pytest.mark.parametrize(
    "address",
    [
        "https://lms.example",
        "HTTPS://LMS.example:8443/lineitems/7?type_id=2#part",
        "https://my_school.example/x",
        "https://[2001:db8::1]/x",
        "https://lms.example/" + "x" * 8000,
        HOST + "/x",
    ],
)
def test_an_address_is_taken_as_it_is_written(address: str) -> None:
    assert web_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        None,
        7,
        "",
        "/lineitems/7",
        "ftp://lms.example",
        "https:///x",
        "https://user@lms.example",
        "https://lms.example\\@elsewhere.example",
        "https://lms.example:port",
        "https://lms.example/a b",
        "https://lms.example/\n",
        "https://lms.example/" + "x" * 8192,
        HOST + "b/x",
        "https://" + "a" * 64 + ".example",
    ],
)
def test_what_is_no_address_of_a_host_is_none(address: object) -> None:
    assert web_address(address) is None
