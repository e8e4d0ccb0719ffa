"""JSON as a platform answers it."""

from __future__ import annotations

import json
from typing import Any

from flask import Response


def json_response(payload: Any, status: int | str = 200, media_type: str = "application/json") -> Response:
    return Response(json.dumps(payload), status=status, content_type=media_type)
