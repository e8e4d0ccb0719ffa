"""`lti deployment`: the places where a registered platform has the tool installed."""

from __future__ import annotations

import argparse
from typing import Any

from lti_tool.domain.registration import DeploymentStatus, Registration
from lti_tool.runtime import wiring
from operate import audit
from operate.pasted import Pasted
from operate.platform import named, require_id
from operate.stack import Stack


def add_verbs(nouns: Any, common: argparse.ArgumentParser) -> None:
    verbs = nouns.add_parser("deployment", help="places where a platform has the tool")
    verbs = verbs.add_subparsers(required=True, metavar="VERB")
    lists = verbs.add_parser("list", parents=[common], help="all deployments, of one platform or of all")
    lists.add_argument("id", nargs="?", metavar="PLATFORM_ID", help="as `lti platform list` shows it")
    lists.set_defaults(verb=_list)
    for name, status, text in (
        ("approve", DeploymentStatus.ENABLED, "serve its launches, from the next one on"),
        ("disable", DeploymentStatus.DISABLED, "refuse its launches, within a minute"),
    ):
        one = verbs.add_parser(name, parents=[common], help=text)
        one.add_argument("id", metavar="PLATFORM_ID", help="as `lti platform list` shows it")
        one.add_argument("deployment_id", metavar="DEPLOYMENT_ID", help="need not be known yet")
        one.set_defaults(verb=_set, status=status)


def _list(_: Stack, options: argparse.Namespace) -> list[dict[str, Any]]:
    registrations = [named(options.id)] if options.id else wiring.registrations().all()
    return [
        _view(registration, deployment_id, status)
        for registration in registrations
        for deployment_id, status in registration.deployments.items()
    ]


def _set(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    pasted = Pasted()
    registration = named(options.id)
    deployment_id = pasted.value("deployment id", options.deployment_id)
    require_id("deployment id", deployment_id)
    before = registration.deployments.get(deployment_id)
    if before is not options.status:
        verb = "deployment approve" if options.status is DeploymentStatus.ENABLED else "deployment disable"
        audit.write(stack, verb, registration, f"deployments/{deployment_id}")
        wiring.registrations().put_deployment(registration, deployment_id, options.status)
    return {
        **_view(registration, deployment_id, options.status),
        "before": before.value if before else None,
        "mended": pasted.mended,
    }


def _view(registration: Registration, deployment_id: str, status: DeploymentStatus) -> dict[str, Any]:
    return {
        "platform": registration.reference,
        "tenant": registration.tenant,
        "issuer": registration.issuer,
        "deployment_id": deployment_id,
        "status": status.value,
    }
