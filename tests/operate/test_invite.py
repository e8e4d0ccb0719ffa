"""`lti invite`: links that register one platform, once."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from lti_tool.runtime import wiring
from tests.operate.conftest import Lti
from tests.support.stack import TOOL_URL


def test_an_invitation_is_shown_once_and_its_token_is_nowhere_else(lti: Lti) -> None:
    created = lti.json("invite", "create", "--tenant", "North school", "--expires", "12h", "--host", "*.School.example")

    token = parse_qs(urlsplit(created["link"]).query)["invitation"][0]
    listed = lti("invite", "list")[1]
    assert created["link"].startswith(f"{TOOL_URL}/lti/register?")
    assert (created["tenant"], created["state"], created["hosts"]) == ("North school", "open", ["*.school.example"])
    assert created["id"] in listed
    assert token not in listed
    found = wiring.invitations().find(token)
    assert found is not None
    assert found.hosts == ("*.school.example",)


def test_a_revoked_invitation_is_gone(lti: Lti) -> None:
    created = lti.json("invite", "create")

    lti.json("invite", "revoke", created["id"])

    assert lti.json("invite", "list") == []
    assert lti("invite", "revoke", created["id"])[0] == 1


@pytest.mark.parametrize(
    "host", ["https://lms.example", "lms.example/path", "*", "a b", "*.*.example", "lms.example:x", ""]
)
def test_what_is_no_host_is_usage(lti: Lti, host: str) -> None:
    status, _, err = lti("invite", "create", "--host", host)

    assert (status, "say a host" in err) == (2, True)


def test_a_name_that_no_list_can_show_is_refused_before_a_link_is_made(lti: Lti) -> None:
    status, _, err = lti("invite", "create", "--tenant", "North\x1b[2J school")

    assert (status, "not printable" in err) == (1, True)
    assert lti.json("invite", "list") == []
