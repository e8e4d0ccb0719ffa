"""`lti deployment`: the places where a registered platform has the tool installed."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from lti_tool.domain.errors import UnknownDeploymentError
from lti_tool.domain.registration import DeploymentStatus, Registration
from lti_tool.runtime import wiring
from operate import audit
from operate.pasted import Pasted
from operate.platform import named, require_id, require_tenant
from operate.stack import Stack


def add_verbs(nouns: Any, common: argparse.ArgumentParser) -> None:
    verbs = nouns.add_parser("deployment", help="places where a platform has the tool")
    verbs = verbs.add_subparsers(required=True, metavar="VERB")
    lists = verbs.add_parser("list", parents=[common], help="all deployments, of one platform or of all")
    lists.add_argument("id", nargs="?", metavar="PLATFORM_ID", help="as `lti platform list` shows it")
    lists.add_argument("--pending", action="store_true", help="only those that wait to be approved")
    lists.set_defaults(verb=_list)
    for name, status, text in (
        ("approve", DeploymentStatus.ENABLED, "serve its launches, from the next one on"),
        ("disable", DeploymentStatus.DISABLED, "refuse its launches, and end its sessions, within a minute"),
    ):
        one = verbs.add_parser(name, parents=[common], help=text)
        one.add_argument("id", metavar="PLATFORM_ID", help="as `lti platform list` shows it")
        one.add_argument("deployment_id", metavar="DEPLOYMENT_ID", help="need not be known yet")
        one.set_defaults(verb=_set, status=status, tenant=None)
        if status is DeploymentStatus.ENABLED:
            one.add_argument("--tenant", help="a name of your own for this place")
    rename = verbs.add_parser("rename", parents=[common], help="give it another name of your own")
    rename.add_argument("id", metavar="PLATFORM_ID", help="as `lti platform list` shows it")
    rename.add_argument("deployment_id", metavar="DEPLOYMENT_ID")
    rename.add_argument("--tenant", required=True, help="the name; '' means the platform's own counts")
    rename.set_defaults(verb=_set, status=None)


def _list(_: Stack, options: argparse.Namespace) -> list[dict[str, Any]]:
    registrations = [named(options.id)] if options.id else wiring.registrations().all()
    return [
        _view(registration, deployment_id, status)
        for registration in registrations
        for deployment_id, status in registration.deployments.items()
        if status is DeploymentStatus.PENDING or not options.pending
    ]


def _set(stack: Stack, options: argparse.Namespace) -> dict[str, Any]:
    """Approve, disable or rename: what is not said stays as it is."""
    pasted = Pasted()
    registration = named(options.id)
    deployment_id = options.deployment_id
    if deployment_id not in registration.deployments:  # else it is as the platform writes it
        deployment_id = pasted.value("deployment id", deployment_id)
    require_id("deployment id", deployment_id)
    before = registration.deployments.get(deployment_id)
    status = options.status or before
    if status is None:
        raise UnknownDeploymentError(deployment_id)
    tenants = dict(registration.deployment_tenants)
    if options.tenant is not None:
        require_tenant(options.tenant)
        tenants[deployment_id] = options.tenant.strip()
    tenants = {place: name for place, name in tenants.items() if name}
    after = replace(registration, deployment_tenants=tenants)
    if (status, tenants) != (before, dict(registration.deployment_tenants)):
        verbs = {None: "rename", DeploymentStatus.ENABLED: "approve", DeploymentStatus.DISABLED: "disable"}
        audit.write(stack, f"deployment {verbs[options.status]}", registration, f"deployments/{deployment_id}")
        wiring.registrations().put_deployment(after, deployment_id, status)
    return {
        **_view(after, deployment_id, status),
        "before": before.value if before else None,
        "mended": pasted.mended,
    }


def _view(registration: Registration, deployment_id: str, status: DeploymentStatus) -> dict[str, Any]:
    return {
        "platform": registration.reference,
        "tenant": registration.tenant_of(deployment_id),
        "issuer": registration.issuer,
        "deployment_id": deployment_id,
        "status": status.value,
    }
