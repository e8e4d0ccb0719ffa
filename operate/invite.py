"""`lti invite`: one-time links for dynamic registration."""

from __future__ import annotations

import argparse
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from lti_tool.domain.invitation import INVITATION_LIVES, Invitation, new_invitation
from lti_tool.runtime import wiring
from operate.platform import require_tenant
from operate.stack import Stack

_HOST = re.compile(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def add_verbs(nouns: Any, common: argparse.ArgumentParser) -> None:
    verbs = nouns.add_parser("invite", help="one-time registration links").add_subparsers(required=True, metavar="VERB")
    create = verbs.add_parser("create", parents=[common], help="make a link; it is shown this once")
    create.add_argument("--tenant", default="", help="a name of your own for the platform to come")
    create.add_argument(
        "--host",
        action="append",
        default=[],
        type=_host,
        dest="hosts",
        help="the only host that may register by it, such as lms.example.edu or *.example.edu; may be said often",
    )
    create.add_argument("--expires", type=_duration, default=INVITATION_LIVES, help="such as 30m, 12h or 7d (default)")
    create.set_defaults(verb=_create)
    verbs.add_parser("list", parents=[common], help="all invitations").set_defaults(verb=_list)
    revoke = verbs.add_parser("revoke", parents=[common], help="end an invitation")
    revoke.add_argument("id", help="as `lti invite list` shows it")
    revoke.set_defaults(verb=_revoke)


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if found is None:
        raise argparse.ArgumentTypeError("say it as 30m, 12h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _host(text: str) -> str:
    if not _HOST.fullmatch(text.lower()):
        raise argparse.ArgumentTypeError("say a host, such as lms.example.edu or *.example.edu, without https://")
    return text.lower()


def _create(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    tenant = options.tenant.strip()
    require_tenant(tenant)
    token, invitation = new_invitation(tenant, wiring.now(), options.expires, tuple(options.hosts))
    wiring.invitations().add(invitation)
    return {**_view(invitation), "link": f"{stack.tool_url}/lti/register?{urlencode({'invitation': token})}"}


def _list(_: Stack, __: argparse.Namespace) -> list[dict[str, Any]]:
    return [_view(invitation) for invitation in wiring.invitations().all()]


def _revoke(_: Stack, options: argparse.Namespace) -> dict[str, Any]:
    wiring.invitations().remove(options.id)
    return {"revoked": options.id}


def _view(invitation: Invitation) -> dict[str, Any]:
    ended = "used" if invitation.spent_at else "expired" if invitation.expires_at <= wiring.now() else "open"
    return {
        "id": invitation.id,
        "tenant": invitation.tenant,
        "hosts": list(invitation.hosts),
        "state": ended,
        "expires_at": invitation.expires_at.isoformat(timespec="seconds"),
    }
