"""`lti canvas`: what Canvas's administrator pastes, or fetches from `/lti/canvas.json`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from lti_tool.domain.canvas import canvas_configuration
from lti_tool.domain.errors import InvalidRequestError
from lti_tool.runtime import wiring
from operate.stack import Stack


def add_verbs(nouns: Any, common: argparse.ArgumentParser) -> None:
    verbs = nouns.add_parser("canvas", help="Canvas").add_subparsers(required=True, metavar="VERB")
    config = verbs.add_parser("config", parents=[common], help="print the tool configuration for a developer key")
    config.add_argument("--output", type=Path, metavar="FILE", help="write it there instead")
    config.set_defaults(verb=_config)


def _config(stack: Stack, options: argparse.Namespace) -> Any:
    configuration = canvas_configuration(
        wiring.offer(), stack.tool_url, wiring.key_publisher().deployed(stack.tool_url)
    )
    if options.output is not None:
        try:
            options.output.write_text(json.dumps(configuration, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        except OSError as error:
            raise InvalidRequestError(f"{options.output}: cannot be written") from error
        return {"written": str(options.output)}
    return configuration if options.json else json.dumps(configuration, indent=2, ensure_ascii=False)
