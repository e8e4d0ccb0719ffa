"""`lti activity`: the catalogue that teachers pick from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import yaml

from lti_tool.domain.activity import ExternalActivity, parse_activity
from lti_tool.domain.errors import InvalidActivityError
from lti_tool.runtime import wiring
from operate.stack import Stack


def add_verbs(nouns: Any, common: argparse.ArgumentParser) -> None:
    verbs = nouns.add_parser("activity", help="the catalogue").add_subparsers(required=True, metavar="VERB")
    add = verbs.add_parser("add", parents=[common], help="add or replace activities from YAML files")
    add.add_argument("files", nargs="+", metavar="FILE", type=Path)
    add.set_defaults(verb=_add)
    verbs.add_parser("list", parents=[common], help="all activities").set_defaults(verb=_list)
    for name, verb, text in (("show", _show, "one activity"), ("remove", _remove, "take one out of the catalogue")):
        one = verbs.add_parser(name, parents=[common], help=text)
        one.add_argument("id")
        one.set_defaults(verb=verb)


def _add(stack: Stack, options: argparse.Namespace) -> list[dict[str, Any]]:
    """All files are read before the first is stored, so that one bad file changes nothing."""
    activities = []
    for path in options.files:
        try:
            activities.append(parse_activity(yaml.safe_load(path.read_text(encoding="utf-8"))))
        except InvalidActivityError as error:
            raise InvalidActivityError(f"{path}: {error}") from error
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InvalidActivityError(f"{path}: cannot be read") from error
        activity = activities[-1]
        if isinstance(activity, ExternalActivity) and activity.url.startswith("http:") and not stack.loopback_http:
            raise InvalidActivityError(f"{path}: url: http is for the local stack alone")
    for activity in activities:
        wiring.catalogue().put(activity)
    return [activity.summary() for activity in activities]


def _list(_: Stack, __: argparse.Namespace) -> list[dict[str, Any]]:
    return [activity.summary() for activity in wiring.catalogue().all()]


def _show(_: Stack, options: argparse.Namespace) -> dict[str, Any]:
    return wiring.catalogue().find(options.id).model_dump(mode="json")


def _remove(_: Stack, options: argparse.Namespace) -> dict[str, Any]:
    wiring.catalogue().remove(options.id)
    return {"removed": options.id}
